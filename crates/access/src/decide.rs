//! The decision itself.

use std::sync::OnceLock;

use ondol_kernel::Millis;

use crate::{
    action::Action,
    coded::Coded,
    decision::{Decision, Denial, Grounds, Need},
    facts::{ChartFacts, Principal},
    policies::{AREAS, LoadError, Rule, Rulebook},
    relation::{Relation, RelationSet},
    role::{Role, RoleSet},
    table::{Table, Verdict},
};

/// The policies, parsed and ready to be asked.
pub struct Policies {
    table: Table,
}

impl Policies {
    /// Reads the policies that this binary carries.
    pub fn load() -> Result<Self, LoadError> {
        Self::of(AREAS)
    }

    /// The same, once for the whole process.
    pub fn shared() -> Result<&'static Self, &'static LoadError> {
        static SHARED: OnceLock<Result<Policies, LoadError>> = OnceLock::new();
        SHARED.get_or_init(Self::load).as_ref()
    }

    pub(crate) fn of(areas: &[(&'static str, &str)]) -> Result<Self, LoadError> {
        Ok(Self { table: Table::new(Rulebook::read(areas)?)? })
    }

    /// Works out every cell of the table, and fails if Cedar cannot evaluate some policy for
    /// one. [`Policies::decide`] denies what such a cell would say.
    pub fn check(&self) -> Result<(), LoadError> {
        self.table.check()
    }

    pub(crate) fn rule(&self, place: u16) -> &Rule {
        &self.table.rules()[usize::from(place)]
    }

    /// Whether `principal` may do `action` with the chart that `facts` describe.
    ///
    /// Each role of the principal is asked about in each relation that holds at `now` (the
    /// physical part of the node's hybrid clock), and what any pair is permitted is permitted.
    /// Of several grounds those with the fewest obligations are given, so that a doctor who
    /// treats a patient alerts nobody because of a glass broken earlier.
    pub fn decide(
        &self,
        principal: &Principal,
        action: Action,
        facts: &ChartFacts,
        now: Millis,
    ) -> Decision {
        let mut denial = Denial::NothingPermits;
        let mut best: Option<Grounds> = None;
        for (relation, role, verdict) in
            self.verdicts(principal.roles(), action, facts, facts.relations(now))
        {
            match self.weigh(principal, action, facts, (relation, role), verdict) {
                Ok(grounds) => {
                    let burden = |g: &Grounds| g.obligations.len();
                    if best.as_ref().is_none_or(|b| burden(&grounds) < burden(b)) {
                        best = Some(grounds);
                    }
                }
                Err(reason) if rank(&reason) > rank(&denial) => denial = reason,
                Err(_) => {}
            }
        }
        if let Some(grounds) = best {
            return Decision::Allowed(grounds);
        }
        if rank(&denial) < NEEDS
            && let Some(relation) = self.ended(principal, action, facts, now)
        {
            denial = Denial::LeaseEnded { relation };
        }
        Decision::Denied(denial)
    }

    /// The relations in which some of these roles may do `action` with an open, unrestricted
    /// chart, if what it needs is brought along. Lists, searches and counts join the grants of
    /// these relations, so that no list names a chart whose page would stay closed.
    pub fn relations(&self, roles: RoleSet, action: Action) -> RelationSet {
        let permitted = |relation: &Relation| {
            roles.iter().any(|role| {
                let verdict = self.table.verdict(action, *relation, role, false);
                matches!(verdict, Verdict::Permit(_))
            })
        };
        Relation::ALL.iter().copied().filter(permitted).collect()
    }

    #[cfg(test)]
    pub(crate) const fn table(&self) -> &Table {
        &self.table
    }

    fn verdicts<'a>(
        &'a self,
        roles: RoleSet,
        action: Action,
        facts: &'a ChartFacts,
        relations: RelationSet,
    ) -> impl Iterator<Item = (Relation, Role, Verdict)> + 'a {
        relations.iter().flat_map(move |relation| {
            roles.iter().map(move |role| {
                (relation, role, self.table.verdict(action, relation, role, facts.restricted))
            })
        })
    }

    fn weigh(
        &self,
        principal: &Principal,
        action: Action,
        facts: &ChartFacts,
        (relation, role): (Relation, Role),
        verdict: Verdict,
    ) -> Result<Grounds, Denial> {
        let rule = match verdict {
            Verdict::Nothing => return Err(Denial::NothingPermits),
            Verdict::Forbid(rule) => {
                let policy = self.rule(rule).name.clone();
                return Err(Denial::Forbidden { policy });
            }
            Verdict::Permit(rule) => self.rule(rule),
        };
        if rule.needs.contains(Need::Reason) && facts.reason.is_none() {
            return Err(Denial::NeedsReason { policy: rule.name.clone() });
        }
        if rule.needs.contains(Need::SecondPerson)
            && !self.second_agrees(principal, action, facts, relation)
        {
            return Err(Denial::NeedsSecondPerson { policy: rule.name.clone() });
        }
        let obligations = rule.obligations;
        Ok(Grounds { policy: rule.name.clone(), role, relation, obligations })
    }

    /// Whether the second person is somebody else, and may do the same in the same relation.
    fn second_agrees(
        &self,
        principal: &Principal,
        action: Action,
        facts: &ChartFacts,
        relation: Relation,
    ) -> bool {
        facts.second.as_ref().is_some_and(|second| {
            second.who() != principal.who()
                && self
                    .verdicts(second.roles(), action, facts, RelationSet::EMPTY.with(relation))
                    .any(|(_, _, verdict)| matches!(verdict, Verdict::Permit(_)))
        })
    }

    /// The relation that would have been enough before it ended.
    fn ended(
        &self,
        principal: &Principal,
        action: Action,
        facts: &ChartFacts,
        now: Millis,
    ) -> Option<Relation> {
        self.verdicts(principal.roles(), action, facts, facts.ended(now))
            .find(|(_, _, verdict)| matches!(verdict, Verdict::Permit(_)))
            .map(|(relation, _, _)| relation)
    }
}

const NEEDS: u8 = 2;

/// Of several denials the one is told that the person can do most about.
const fn rank(denial: &Denial) -> u8 {
    match denial {
        Denial::NothingPermits => 0,
        Denial::Forbidden { .. } => 1,
        Denial::LeaseEnded { .. } | Denial::NeedsSecondPerson { .. } => NEEDS,
        Denial::NeedsReason { .. } => NEEDS + 1,
    }
}
