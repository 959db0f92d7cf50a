//! Prints the tables of `docs/access.md`, worked out by `Policies::decide`:
//! `cargo run -p ondol-access --example access_table`.

use std::fmt::Write as _;

use ondol_access::{
    Action, ChartFacts, ChartKind, Coded, Decision, Denial, Grant, Grounds, LoadError, Obligation,
    Policies, Principal, Reason, Relation, Role, RoleSet,
};
use ondol_kernel::{Millis, ResourceId};

const NOW: Millis = Millis(0);
const COLUMNS: [&str; 13] =
    ["HW", "Nu", "Do", "Sp", "SD", "Ph", "FM", "CO", "PO", "MO", "Ad", "Cc", "Sy"];

fn main() -> Result<(), LoadError> {
    let policies = Policies::load()?;
    for kind in ChartKind::ALL {
        println!("## A {}'s chart\n", kind.code());
        for &relation in Relation::ALL.iter().filter(|relation| relation.kind() == *kind) {
            println!("### `{}`\n", relation.code());
            println!("{}", table(&policies, relation));
        }
    }
    Ok(())
}

fn table(policies: &Policies, relation: Relation) -> String {
    let mut text = String::new();
    let actions = Action::ALL.iter().filter(|action| action.kinds().contains(relation.kind()));
    for &action in actions {
        let cells: Vec<_> =
            Role::ALL.iter().map(|role| mark(policies, relation, action, *role)).collect();
        if cells.iter().any(|cell| cell != "·") {
            let _ = writeln!(text, "| `{}` | {} |", action.code(), cells.join(" | "));
        }
    }
    if text.is_empty() {
        return "Nothing.\n".to_owned();
    }
    let rule = "|---".repeat(COLUMNS.len() + 1);
    format!("| | {} |\n{rule}|\n{text}", COLUMNS.join(" | "))
}

/// The mark of one cell: what this relation by itself gives.
fn mark(policies: &Policies, relation: Relation, action: Action, role: Role) -> String {
    let ask = |reason: bool, second: bool, restricted: bool| {
        let roles = RoleSet::EMPTY.with(role);
        let grant = match relation {
            Relation::BrokenGlass => Grant::broken_glass(NOW, 1),
            other => Grant::standing(other),
        };
        let mut facts = ChartFacts::new(relation.kind(), [grant]);
        facts.restricted = restricted;
        facts.reason = reason.then(|| Reason::typed("as asked").ok()).flatten();
        facts.second = second.then(|| person("second", roles)).flatten();
        let first = person("first", roles)?;
        match policies.decide(&first, action, &facts, NOW) {
            Decision::Allowed(grounds) if grounds.relation == relation => Some(Ok(grounds)),
            Decision::Allowed(_) => None,
            Decision::Denied(denial) => Some(Err(denial)),
        }
    };
    let Some(Ok(grounds)) = ask(true, true, false) else { return "·".to_owned() };
    let mut mark = "+".to_owned();
    if matches!(ask(false, true, false), Some(Err(Denial::NeedsReason { .. }))) {
        mark.push('r');
    }
    if matches!(ask(true, false, false), Some(Err(Denial::NeedsSecondPerson { .. }))) {
        mark.push('2');
    }
    mark.push_str(&obligations(&grounds));
    if !matches!(ask(true, true, true), Some(Ok(_))) {
        mark.push('x');
    }
    mark
}

fn obligations(grounds: &Grounds) -> String {
    let letter = |obligation: &Obligation| match obligation {
        Obligation::AlertHomeFacility => Some('!'),
        Obligation::ExistenceOnly => Some('e'),
        Obligation::LimitRate => Some('l'),
        Obligation::SuppressSmallCells => Some('k'),
        Obligation::Audit => None,
    };
    let unaudited = (!grounds.obligations.contains(Obligation::Audit)).then_some('n');
    let mut letters: Vec<_> = grounds.obligations.iter().filter_map(|o| letter(&o)).collect();
    letters.extend(unaudited);
    letters.into_iter().collect()
}

fn person(id: &str, roles: RoleSet) -> Option<Principal> {
    ResourceId::new(id).ok().map(|id| Principal::new(id, roles))
}
