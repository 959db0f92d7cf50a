//! `docs/access.md` and the policies say the same, cell by cell.

use std::collections::BTreeMap;

use ondol_access::{
    Action, ChartFacts, ChartKind, Coded, Decision, Denial, Grant, Need, Needs, Obligation,
    Obligations, Policies, Principal, Reason, Relation, Role, RoleSet,
};
use ondol_kernel::{Millis, ResourceId};

const PAGE: &str = include_str!("../../../docs/access.md");
const NOW: Millis = Millis(0);

/// What a cell of the page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    needs: Needs,
    unrestricted_only: bool,
    obligations: Obligations,
}

type Page = BTreeMap<(Relation, Action, Role), Mark>;

/// Reads the tables. Anything that is not understood fails, so that a slip of the pen is no
/// silent 'deny'.
fn page() -> Page {
    let mut columns: Vec<(String, Role)> = Vec::new();
    let mut relation = None;
    let mut seen = Vec::new();
    let mut cells = BTreeMap::new();
    for line in PAGE.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            let code = heading.split('`').nth(1).unwrap();
            let named = Relation::from_code(code).unwrap_or_else(|| panic!("relation {code}"));
            assert!(!seen.contains(&named), "{code} stands twice");
            seen.push(named);
            relation = Some(named);
        } else if line.starts_with("## ") {
            relation = None;
        }
        let Some(row) = line.strip_prefix("| ").map(|row| row.trim_end_matches(" |")) else {
            continue;
        };
        let fields: Vec<&str> = row.split('|').map(str::trim).collect();
        match relation {
            None => columns.extend(legend(&fields)),
            Some(_) if fields[0].is_empty() => {
                let known: Vec<_> = columns.iter().map(|(short, _)| short.as_str()).collect();
                assert_eq!(&fields[1..], known, "the columns of {relation:?}");
            }
            Some(relation) => {
                let code = fields[0].trim_matches('`');
                let action = Action::from_code(code).unwrap_or_else(|| panic!("action {code}"));
                assert!(action.kinds().contains(relation.kind()), "{code} under {relation:?}");
                assert_eq!(fields.len(), columns.len() + 1, "{relation:?} {code}");
                for ((_, role), text) in columns.iter().zip(&fields[1..]) {
                    if let Some(mark) = mark(text) {
                        let old = cells.insert((relation, action, *role), mark);
                        assert_eq!(old, None, "{relation:?} {code} stands twice");
                    }
                }
            }
        }
    }
    assert_eq!(seen.len(), Relation::ALL.len(), "relations on the page: {seen:?}");
    assert_eq!(columns.len(), Role::ALL.len(), "roles on the page: {columns:?}");
    cells
}

/// A row of the legend of columns: short name, code of the role in backticks.
fn legend(fields: &[&str]) -> Option<(String, Role)> {
    let code = fields.get(1)?.strip_prefix('`')?.strip_suffix('`')?;
    Some((fields[0].to_owned(), Role::from_code(code)?))
}

fn mark(text: &str) -> Option<Mark> {
    if text == "·" {
        return None;
    }
    let letters = text.strip_prefix('+').unwrap_or_else(|| panic!("mark '{text}'"));
    let mut mark = Mark {
        needs: Needs::EMPTY,
        unrestricted_only: false,
        obligations: Obligations::EMPTY.with(Obligation::Audit),
    };
    for letter in letters.chars() {
        match letter {
            'r' => mark.needs.insert(Need::Reason),
            '2' => mark.needs.insert(Need::SecondPerson),
            'x' => mark.unrestricted_only = true,
            '!' => mark.obligations.insert(Obligation::AlertHomeFacility),
            'e' => mark.obligations.insert(Obligation::ExistenceOnly),
            'l' => mark.obligations.insert(Obligation::LimitRate),
            'k' => mark.obligations.insert(Obligation::SuppressSmallCells),
            'n' => mark.obligations = Obligations::EMPTY,
            other => panic!("letter '{other}' in '{text}'"),
        }
    }
    Some(mark)
}

/// A question about one role and one relation.
#[derive(Debug, Clone, Copy)]
struct Question {
    relation: Relation,
    action: Action,
    role: Role,
    restricted: bool,
    reason: bool,
    second: bool,
}

/// What the page answers: the least relation holds as well, and fewer obligations win.
fn by_the_page(page: &Page, question: Question) -> Option<Obligations> {
    [question.relation, question.relation.kind().least_relation()]
        .into_iter()
        .filter_map(|relation| page.get(&(relation, question.action, question.role)))
        .filter(|mark| {
            !(question.restricted && mark.unrestricted_only)
                && (question.reason || !mark.needs.contains(Need::Reason))
                && (question.second || !mark.needs.contains(Need::SecondPerson))
        })
        .map(|mark| mark.obligations)
        .min_by_key(|obligations| obligations.len())
}

fn by_the_policies(policies: &Policies, question: Question) -> Decision {
    let roles = RoleSet::EMPTY.with(question.role);
    let person = |id| Principal::new(ResourceId::new(id).unwrap(), roles);
    let grant = match question.relation {
        Relation::BrokenGlass => Grant::broken_glass(NOW, 1),
        other => Grant::standing(other),
    };
    let mut facts = ChartFacts::new(question.relation.kind(), [grant]);
    facts.restricted = question.restricted;
    facts.reason = question.reason.then(|| Reason::typed("for the table").unwrap());
    facts.second = question.second.then(|| person("second"));
    policies.decide(&person("first"), question.action, &facts, NOW)
}

#[test]
fn the_page_and_the_policies_agree_in_every_cell() {
    let (page, policies) = (page(), Policies::load().unwrap());
    let (mut cells, mut asked, mut wrong) = (0, 0, Vec::new());
    for &relation in Relation::ALL {
        for &action in Action::ALL {
            for &role in Role::ALL {
                cells += 1;
                for circumstance in 0..8 {
                    let question = Question {
                        relation,
                        action,
                        role,
                        restricted: circumstance & 1 != 0,
                        reason: circumstance & 2 != 0,
                        second: circumstance & 4 != 0,
                    };
                    asked += 1;
                    let decided = by_the_policies(&policies, question);
                    let decided = decided.allowed().then(|| decided.obligations());
                    let written = by_the_page(&page, question);
                    if written != decided {
                        wrong.push((question, written, decided));
                    }
                }
            }
        }
    }
    println!("{cells} cells, {asked} questions, {} allowed cells on the page", page.len());
    assert!(wrong.is_empty(), "{} differ, first: {:#?}", wrong.len(), wrong.first());
}

#[test]
fn a_cell_that_asks_for_more_says_what_it_asks_for() {
    let (page, policies) = (page(), Policies::load().unwrap());
    for ((relation, action, role), mark) in page {
        let question =
            Question { relation, action, role, restricted: false, reason: false, second: false };
        let decision = by_the_policies(&policies, question);
        match decision {
            Decision::Denied(Denial::NeedsReason { .. }) => {
                assert!(mark.needs.contains(Need::Reason));
            }
            Decision::Denied(Denial::NeedsSecondPerson { .. }) => {
                assert!(mark.needs.contains(Need::SecondPerson));
            }
            other => assert!(mark.needs.is_empty() && other.allowed(), "{other:?}"),
        }
    }
}

#[test]
fn the_page_names_every_kind_of_chart() {
    for kind in ChartKind::ALL {
        assert!(PAGE.contains(&format!("{}'s chart", kind.code())), "{kind:?}");
    }
}
