//! Role × relation × action, worked out from the policies.

use std::sync::OnceLock;

use cedar_policy::{Authorizer, Context, Decision as CedarDecision, Request};

use crate::{
    action::Action,
    coded::Coded,
    policies::{LoadError, Rule, Rulebook, context},
    relation::Relation,
    role::Role,
};

/// What the policies say about one role in one relation doing one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No policy permits it.
    Nothing,
    /// This rule permits it.
    Permit(u16),
    /// This rule forbids it.
    Forbid(u16),
}

/// The verdicts on an open and on a restricted chart.
type Cell = [Verdict; CIRCUMSTANCES];

pub(crate) const CIRCUMSTANCES: usize = 2;

/// The table. A cell is worked out from the policies when it is first asked for, and kept: so
/// a start costs the parsing alone, and a decision a look-up.
pub(crate) struct Table {
    asking: Asking,
    /// Where the cells of an action and a relation begin; none if they do not go together.
    starts: Vec<Option<usize>>,
    cells: Vec<OnceLock<Cell>>,
}

impl Table {
    /// A table with every cell still to be worked out.
    pub fn new(book: Rulebook) -> Result<Self, LoadError> {
        let mut starts = Vec::with_capacity(Action::ALL.len() * Relation::ALL.len());
        let mut next = 0;
        for action in Action::ALL {
            for relation in Relation::ALL {
                let together = action.kinds().contains(relation.kind());
                starts.push(together.then_some(next));
                next += if together { Role::ALL.len() } else { 0 };
            }
        }
        let cells = (0..next).map(|_| OnceLock::new()).collect();
        Ok(Self { asking: Asking::new(book)?, starts, cells })
    }

    /// The rules that verdicts point to.
    pub fn rules(&self) -> &[Rule] {
        &self.asking.book.rules
    }

    /// The verdict for one role, relation and action in the given circumstances.
    pub fn verdict(
        &self,
        action: Action,
        relation: Relation,
        role: Role,
        restricted: bool,
    ) -> Verdict {
        let Some(start) = self.starts[action.index() * Relation::ALL.len() + relation.index()]
        else {
            return Verdict::Nothing;
        };
        // A failing evaluation permits nothing; `check` tells of it.
        let work_out = || {
            self.asking.cell(action, relation, role).unwrap_or([Verdict::Nothing; CIRCUMSTANCES])
        };
        self.cells[start + role.index()].get_or_init(work_out)[usize::from(restricted)]
    }

    /// Asks Cedar past the table.
    #[cfg(test)]
    pub fn ask_cedar(
        &self,
        action: Action,
        relation: Relation,
        role: Role,
        circumstance: usize,
    ) -> Result<(Verdict, Vec<u16>), LoadError> {
        self.asking.ask(action, relation, role, circumstance)
    }

    /// Evaluates every cell anew and gives the first failure.
    pub fn check(&self) -> Result<(), LoadError> {
        for &action in Action::ALL {
            let kinds = action.kinds();
            for &relation in Relation::ALL.iter().filter(|r| kinds.contains(r.kind())) {
                for &role in Role::ALL {
                    self.asking.cell(action, relation, role)?;
                }
            }
        }
        Ok(())
    }
}

struct Asking {
    book: Rulebook,
    authorizer: Authorizer,
    contexts: Vec<Context>,
}

impl Asking {
    fn new(book: Rulebook) -> Result<Self, LoadError> {
        let contexts = [false, true].into_iter().map(context).collect::<Result<_, _>>()?;
        Ok(Self { book, authorizer: Authorizer::new(), contexts })
    }

    fn cell(&self, action: Action, relation: Relation, role: Role) -> Result<Cell, LoadError> {
        let (first, _) = self.ask(action, relation, role, 0)?;
        let mut cell = [first; CIRCUMSTANCES];
        // A restriction only ever takes away: where the open chart is closed, the rest needs no
        // asking.
        if matches!(first, Verdict::Permit(_)) {
            for (at, verdict) in cell.iter_mut().enumerate().skip(1) {
                (*verdict, _) = self.ask(action, relation, role, at)?;
            }
        }
        Ok(cell)
    }

    /// The verdict of one cell in one circumstance, and every rule that speaks for it.
    fn ask(
        &self,
        action: Action,
        relation: Relation,
        role: Role,
        circumstance: usize,
    ) -> Result<(Verdict, Vec<u16>), LoadError> {
        let words = &self.book.words;
        let request = Request::new(
            words.roles[role.index()].clone(),
            words.actions[action.index()].clone(),
            words.charts[relation.index()].clone(),
            self.contexts[circumstance].clone(),
            None,
        )
        .map_err(|source| LoadError::Evaluate { policy: source.to_string() })?;
        let policies = &self.book.by_action[action.index()];
        let answer = self.authorizer.is_authorized(&request, policies, &words.entities);
        if let Some(error) = answer.diagnostics().errors().next() {
            return Err(LoadError::Evaluate { policy: error.to_string() });
        }
        let named: Vec<u16> = answer
            .diagnostics()
            .reason()
            .filter_map(|id| AsRef::<str>::as_ref(id).parse().ok())
            .collect();
        // Several may forbid the same; the one that was written first gives the reason.
        let verdict = match (answer.decision(), named.iter().min()) {
            (_, None) => Verdict::Nothing,
            (CedarDecision::Allow, Some(&rule)) => Verdict::Permit(rule),
            (CedarDecision::Deny, Some(&rule)) => Verdict::Forbid(rule),
        };
        Ok((verdict, named))
    }
}
