//! The policies by themselves: valid, all of use, none saying what another says.

use std::{collections::HashSet, str::FromStr};

use cedar_policy::{PolicySet, Schema, ValidationMode, Validator};

use crate::{
    Action, ChartKind, Coded, LoadError, Policies, Relation, Role,
    policies::{AREAS, Rulebook, chart_type},
    table::{CIRCUMSTANCES, Verdict},
};

const SCHEMA: &str = include_str!("../policies/schema.cedarschema");

fn schema() -> Schema {
    Schema::from_cedarschema_str(SCHEMA).unwrap().0
}

fn read(text: &str) -> Result<Rulebook, LoadError> {
    Rulebook::read(&[("test", text)])
}

#[test]
fn every_area_is_valid_against_the_schema() {
    let validator = Validator::new(schema());
    for (area, text) in AREAS {
        let result =
            validator.validate(&PolicySet::from_str(text).unwrap(), ValidationMode::Strict);
        assert!(result.validation_passed_without_warnings(), "{area}: {result}");
    }
}

#[test]
fn every_file_of_policies_is_embedded() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/policies");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".cedar").map(str::to_owned))
        .collect();
    let mut areas: Vec<String> = AREAS.iter().map(|(area, _)| (*area).to_owned()).collect();
    files.sort();
    areas.sort();
    assert_eq!(files, areas);
}

#[test]
fn schema_and_code_know_the_same_actions_on_the_same_charts() {
    let schema = schema();
    let codes: HashSet<&str> = Action::ALL.iter().map(|action| action.code()).collect();
    let in_schema: HashSet<String> =
        schema.actions().map(|uid| uid.id().unescaped().to_owned()).collect();
    assert_eq!(in_schema, codes.iter().map(|code| (*code).to_owned()).collect());
    for uid in schema.actions() {
        let action = Action::from_code(uid.id().unescaped()).unwrap();
        let of: HashSet<String> =
            schema.resources_for_action(uid).unwrap().map(ToString::to_string).collect();
        let kinds = action.kinds().iter().map(|kind| chart_type(kind).to_owned()).collect();
        assert_eq!(of, kinds, "{action:?}");
    }
}

#[test]
fn every_cell_can_be_evaluated() {
    Policies::load().unwrap().check().unwrap();
}

#[test]
fn every_policy_decides_something_and_no_two_permit_the_same() {
    let policies = Policies::load().unwrap();
    let mut at_work = HashSet::new();
    let mut cells = 0;
    for &action in Action::ALL {
        for &relation in Relation::ALL.iter().filter(|r| action.kinds().contains(r.kind())) {
            for &role in Role::ALL {
                cells += 1;
                for at in 0..CIRCUMSTANCES {
                    let (verdict, named) =
                        policies.table().ask_cedar(action, relation, role, at).unwrap();
                    if matches!(verdict, Verdict::Permit(_)) {
                        assert_eq!(named.len(), 1, "{action:?} {relation:?} {role:?}: {named:?}");
                    }
                    at_work.extend(named);
                }
            }
        }
    }
    println!("{cells} cells, {} policies", at_work.len());
    let all: HashSet<u16> = (0..u16::try_from(policies.table().rules().len()).unwrap()).collect();
    let idle: Vec<_> = all.difference(&at_work).map(|at| policies.rule(*at).name.clone()).collect();
    assert!(idle.is_empty(), "{idle:?}");
}

#[test]
fn what_is_closed_on_an_open_chart_is_closed_on_a_restricted_one() {
    let policies = Policies::load().unwrap();
    for &action in Action::ALL {
        for &relation in Relation::ALL.iter().filter(|r| action.kinds().contains(r.kind())) {
            for &role in Role::ALL {
                let ask = |at| policies.table().ask_cedar(action, relation, role, at).unwrap().0;
                if !matches!(ask(0), Verdict::Permit(_)) {
                    let opened = matches!(ask(1), Verdict::Permit(_));
                    assert!(!opened, "{action:?} {relation:?} {role:?}");
                }
            }
        }
    }
}

#[test]
fn a_word_that_nobody_knows_is_refused() {
    for text in [
        r#"@id("a") permit (principal == Role::"docter", action, resource);"#,
        r#"@id("a") permit (principal, action == Action::"read-all", resource);"#,
        r#"@id("a") permit (principal, action, resource in Relation::"caring");"#,
        r#"@id("a") @needs("luck") permit (principal, action, resource);"#,
        r#"@id("a") @obliges("silence") permit (principal, action, resource);"#,
    ] {
        assert!(matches!(read(text), Err(LoadError::UnknownWord { .. })), "{text}");
    }
}

#[test]
fn a_policy_without_an_id_or_with_a_taken_one_is_refused() {
    let nameless = "permit (principal, action, resource);";
    assert!(matches!(read(nameless), Err(LoadError::NoId { area: "test" })));
    let twice = r#"@id("a") permit (principal, action, resource);
        @id("a") forbid (principal, action, resource);"#;
    assert!(matches!(read(twice), Err(LoadError::SameId { .. })));
    assert!(matches!(read("permit everything;"), Err(LoadError::Parse { .. })));
}

#[test]
fn a_policy_that_fails_permits_nothing_and_is_told_of() {
    // The forbid cannot be evaluated: Cedar alone would pass it over and let the permit stand.
    let text = r#"@id("open") permit (principal, action, resource);
        @id("broken") forbid (principal, action, resource) when { context.nothing };"#;
    let policies = Policies::of(&[("test", text)]).unwrap();
    assert!(matches!(policies.check(), Err(LoadError::Evaluate { .. })));
    let verdict =
        policies.table().verdict(Action::ReadChart, Relation::HomeFacility, Role::Doctor, false);
    assert_eq!(verdict, Verdict::Nothing);
}

#[test]
fn each_relation_belongs_to_the_kind_whose_least_relation_exists() {
    for &kind in ChartKind::ALL {
        assert_eq!(kind.least_relation().kind(), kind);
    }
}
