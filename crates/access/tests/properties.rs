//! What holds whatever the policies say in detail.

use ondol_access::{
    Action, BREAK_GLASS_LEASE_MS, ChartFacts, ChartKind, Coded, Decision, Denial, Grant,
    Obligation, Policies, Principal, Reason, Relation, Role, RoleSet,
};
use ondol_kernel::{Millis, NodeId, ResourceId};
use proptest::prelude::*;

const NOW: Millis = Millis(1_700_000_000_000);

fn policies() -> &'static Policies {
    Policies::shared().unwrap()
}

fn person(id: &str, roles: impl IntoIterator<Item = Role>) -> Principal {
    Principal::new(ResourceId::new(id).unwrap(), roles.into_iter().collect())
}

fn grant(relation: Relation) -> Grant {
    match relation {
        Relation::BrokenGlass => Grant::broken_glass(NOW, BREAK_GLASS_LEASE_MS),
        other => Grant::standing(other),
    }
}

fn patient(relations: impl IntoIterator<Item = Relation>) -> ChartFacts {
    ChartFacts::new(ChartKind::Patient, relations.into_iter().map(grant))
}

fn decide(who: &Principal, action: Action, facts: &ChartFacts) -> Decision {
    policies().decide(who, action, facts, NOW)
}

/// A set of words drawn by the bits of a number.
fn drawn<T: Coded>(bits: u64) -> Vec<T> {
    T::ALL.iter().copied().filter(|word| bits >> word.index() & 1 == 1).collect()
}

prop_compose! {
    /// Any relations, with a reason and a second person in all roles.
    fn any_facts()(
        kind in 0..ChartKind::ALL.len(),
        relations in any::<u64>(),
        restricted: bool,
        brought: bool,
    ) -> ChartFacts {
        let grants = drawn::<Relation>(relations).into_iter().map(grant);
        let mut facts = ChartFacts::new(ChartKind::ALL[kind], grants);
        facts.restricted = restricted;
        if brought {
            facts.reason = Some(Reason::typed("unconscious, no papers").unwrap());
            facts.second = Some(person("second", Role::ALL.iter().copied()));
        }
        facts
    }
}

const DESKS: [Role; 7] = [
    Role::FacilityManager,
    Role::CountyOfficer,
    Role::ProvinceOfficer,
    Role::MinistryOfficer,
    Role::Administrator,
    Role::Coordinator,
    Role::System,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn desks_never_see_patients_under_any_relation(facts in any_facts(), roles in any::<u64>()) {
        let desks = DESKS.into_iter().filter(|role| roles >> role.index() & 1 == 1);
        let desk = person("desk", desks);
        for &action in Action::ALL.iter().filter(|action| action.shows_patient()) {
            prop_assert!(!decide(&desk, action, &facts).allowed(), "{action:?}");
        }
    }

    #[test]
    fn nobody_reads_credentials(facts in any_facts(), roles in any::<u64>()) {
        let anybody = person("anybody", drawn(roles));
        prop_assert!(!decide(&anybody, Action::ReadCredentials, &facts).allowed());
    }

    #[test]
    fn every_allowed_reading_is_audited(facts in any_facts(), roles in any::<u64>()) {
        let anybody = person("anybody", drawn(roles));
        for &action in Action::ALL.iter().filter(|action| action.is_reading()) {
            let decision = decide(&anybody, action, &facts);
            if decision.allowed() {
                prop_assert!(decision.obligations().contains(Obligation::Audit), "{action:?}");
            }
        }
    }

    #[test]
    fn a_role_or_relation_more_takes_nothing_away(
        facts in any_facts(), roles in any::<u64>(), role in 0..Role::ALL.len(),
        relation in 0..Relation::ALL.len(),
    ) {
        let before = person("anybody", drawn(roles));
        let after = Principal::new(before.who().clone(), before.roles().with(Role::ALL[role]));
        let mut more = facts.clone();
        more.grants.push(grant(Relation::ALL[relation]));
        for &action in Action::ALL {
            if decide(&before, action, &facts).allowed() {
                prop_assert!(decide(&after, action, &more).allowed(), "{action:?}");
            }
        }
    }

    #[test]
    fn lists_join_exactly_the_relations_that_open_a_page(roles in any::<u64>()) {
        let roles: RoleSet = drawn(roles).into_iter().collect();
        let who = Principal::new(ResourceId::new("anybody").unwrap(), roles);
        for &action in Action::ALL {
            let joined = policies().relations(roles, action);
            for &relation in Relation::ALL {
                let mut facts = ChartFacts::new(relation.kind(), [grant(relation)]);
                facts.reason = Some(Reason::typed("for the test").unwrap());
                facts.second = Some(person("second", Role::ALL.iter().copied()));
                let opens = decide(&who, action, &facts).allowed();
                let least = relation.kind().least_relation();
                prop_assert_eq!(opens, joined.contains(relation) || joined.contains(least));
            }
        }
    }
}

#[test]
fn a_stranger_finds_receives_or_breaks_the_glass_and_reads_nothing() {
    let mut facts = patient([]);
    facts.reason = Some(Reason::typed("응급").unwrap());
    for &role in Role::ALL.iter().filter(|role| **role != Role::System) {
        let who = person("stranger", [role]);
        for &action in Action::ALL {
            let decision = decide(&who, action, &facts);
            match action {
                Action::SearchPerson if decision.allowed() => {
                    assert!(decision.obligations().contains(Obligation::ExistenceOnly));
                    assert!(decision.obligations().contains(Obligation::LimitRate));
                }
                Action::BreakGlass if decision.allowed() => {
                    assert!(decision.obligations().contains(Obligation::AlertHomeFacility));
                    assert!(decision.obligations().contains(Obligation::Audit));
                }
                Action::RegisterPerson | Action::ReceivePatient => {}
                other => assert!(!decision.allowed(), "{role:?} {other:?}"),
            }
        }
    }
}

#[test]
fn the_node_itself_reads_nothing() {
    let node = Principal::system(NodeId([7; 16]));
    for &kind in ChartKind::ALL {
        let grants = Relation::ALL.iter().map(|relation| grant(*relation));
        let mut facts = ChartFacts::new(kind, grants);
        facts.reason = Some(Reason::typed("by itself").unwrap());
        for &action in Action::ALL.iter().filter(|action| action.is_reading()) {
            assert!(!decide(&node, action, &facts).allowed(), "{action:?}");
        }
    }
}

#[test]
fn the_glass_breaks_for_everyone_who_treats_and_only_with_a_reason() {
    let treating =
        [Role::HealthWorker, Role::Nurse, Role::Doctor, Role::Specialist, Role::SectionDoctor];
    for &role in Role::ALL {
        let who = person("someone", [role]);
        let mut facts = patient([]);
        let silent = decide(&who, Action::BreakGlass, &facts);
        assert!(!silent.allowed(), "{role:?}");
        facts.reason = Some(Reason::typed("unconscious").unwrap());
        let spoken = decide(&who, Action::BreakGlass, &facts);
        assert_eq!(spoken.allowed(), treating.contains(&role), "{role:?}");
        if spoken.allowed() {
            assert!(matches!(silent, Decision::Denied(Denial::NeedsReason { .. })));
            let both = [Obligation::Audit, Obligation::AlertHomeFacility];
            assert_eq!(spoken.obligations(), both.into_iter().collect());
        }
    }
}

#[test]
fn a_reason_has_to_say_something() {
    for blank in ["", "   ", "...", "-", "x", "\u{a0}\n\t"] {
        assert!(Reason::typed(blank).is_err(), "{blank:?}");
    }
    assert_eq!(Reason::typed("  의식없음 ").unwrap().reveal(), "의식없음");
    assert!(!format!("{:?}", Reason::typed("의식없음").unwrap()).contains('의'));
}

fn through_glass(glass: Grant, now: Millis) -> Decision {
    let doctor = person("dr", [Role::Doctor]);
    let facts = ChartFacts::new(ChartKind::Patient, [glass]);
    policies().decide(&doctor, Action::ReadChart, &facts, now)
}

#[test]
fn a_broken_glass_closes_when_its_lease_ends() {
    let glass = Grant::broken_glass(NOW, BREAK_GLASS_LEASE_MS);
    assert!(through_glass(glass, NOW).allowed());
    assert!(through_glass(glass, NOW.plus(BREAK_GLASS_LEASE_MS - 1)).allowed());
    let ended = Denial::LeaseEnded { relation: Relation::BrokenGlass };
    assert_eq!(through_glass(glass, NOW.plus(BREAK_GLASS_LEASE_MS)), Decision::Denied(ended));
}

#[test]
fn no_lease_is_longer_than_twelve_hours_or_open_ended() {
    let long = Grant::broken_glass(NOW, BREAK_GLASS_LEASE_MS * 100);
    assert!(!through_glass(long, NOW.plus(12 * 3_600_000)).allowed());
    let short = Grant::broken_glass(NOW, 60_000);
    assert!(!through_glass(short, NOW.plus(60_000)).allowed());
    assert!(!through_glass(Grant::standing(Relation::BrokenGlass), NOW).allowed());
    let until = Grant::until(Relation::BrokenGlass, NOW.plus(1));
    assert!(!through_glass(until, NOW).allowed());
}

#[test]
fn a_clock_that_was_set_back_does_not_lengthen_a_lease() {
    let glass = Grant::broken_glass(NOW, BREAK_GLASS_LEASE_MS);
    assert!(!through_glass(glass, NOW.plus(-1)).allowed());
}

#[test]
fn a_duty_ends_with_the_shift() {
    let doctor = person("dr", [Role::Doctor]);
    let duty = Grant::until(Relation::EmergencyDuty, NOW.plus(1));
    let facts = ChartFacts::new(ChartKind::Patient, [duty]);
    assert!(policies().decide(&doctor, Action::ReadChart, &facts, NOW).allowed());
    assert!(!policies().decide(&doctor, Action::ReadChart, &facts, NOW.plus(1)).allowed());
}

#[test]
fn who_treats_the_patient_reads_on_the_grounds_of_care_not_of_the_glass() {
    let facts = patient([Relation::BrokenGlass, Relation::OpenEncounter]);
    let Decision::Allowed(grounds) =
        decide(&person("dr", [Role::Doctor]), Action::ReadChart, &facts)
    else {
        panic!("a doctor reads the chart of a patient in care");
    };
    assert_eq!(grounds.relation, Relation::OpenEncounter);
    assert_eq!(grounds.policy.as_str(), "read-in-care");
}

#[test]
fn a_restricted_chart_asks_for_more_than_working_at_home() {
    let doctor = person("dr", [Role::Doctor]);
    let mut facts = patient([Relation::HomeFacility]);
    facts.restricted = true;
    assert!(!decide(&doctor, Action::ReadChart, &facts).allowed());
    assert!(decide(&doctor, Action::ReadSafetySummary, &facts).allowed());
    facts.grants.push(grant(Relation::OpenEncounter));
    assert!(decide(&doctor, Action::ReadChart, &facts).allowed());
    let section = person("sd", [Role::SectionDoctor]);
    let mut facts = patient([Relation::HomeFacility, Relation::SectionDoctor]);
    facts.restricted = true;
    assert!(decide(&section, Action::ReadChart, &facts).allowed());
}

#[test]
fn a_relation_to_another_kind_of_chart_opens_nothing() {
    let doctor = person("dr", [Role::Doctor]);
    let facts = ChartFacts::new(ChartKind::Facility, [grant(Relation::HomeFacility)]);
    assert!(!decide(&doctor, Action::ReadChart, &facts).allowed());
    let facts = patient([Relation::OwnFacility]);
    assert!(!decide(&doctor, Action::ReadStock, &facts).allowed());
}

#[test]
fn an_export_in_bulk_takes_two_people_who_both_may() {
    let first = person("first", [Role::Administrator]);
    let mut facts = ChartFacts::new(ChartKind::Facility, [grant(Relation::OwnFacility)]);
    facts.reason = Some(Reason::typed("move to the new machine").unwrap());
    let alone = decide(&first, Action::ExportBulk, &facts);
    assert!(matches!(alone, Decision::Denied(Denial::NeedsSecondPerson { .. })));
    facts.second = Some(first.clone());
    assert!(!decide(&first, Action::ExportBulk, &facts).allowed(), "the same person twice");
    facts.second = Some(person("second", [Role::Doctor]));
    assert!(!decide(&first, Action::ExportBulk, &facts).allowed(), "a second who may not");
    facts.second = Some(person("second", [Role::FacilityManager]));
    assert!(decide(&first, Action::ExportBulk, &facts).allowed());
    facts.reason = None;
    assert!(matches!(
        decide(&first, Action::ExportBulk, &facts),
        Decision::Denied(Denial::NeedsReason { .. })
    ));
}

#[test]
fn nobody_without_a_role_may_do_anything() {
    let nobody = person("nobody", []);
    for &kind in ChartKind::ALL {
        let facts = ChartFacts::new(kind, Relation::ALL.iter().map(|relation| grant(*relation)));
        for &action in Action::ALL {
            assert!(!decide(&nobody, action, &facts).allowed(), "{action:?}");
        }
    }
}

#[test]
fn codes_are_read_back_and_distinct() {
    fn round<T: Coded>() {
        for &word in T::ALL {
            assert_eq!(T::from_code(word.code()), Some(word));
        }
        assert!(T::ALL.len() <= 128, "a CodeSet holds 128");
        assert_eq!(T::from_code("nothing-of-the-kind"), None);
    }
    round::<Role>();
    round::<Relation>();
    round::<Action>();
    round::<Obligation>();
}
