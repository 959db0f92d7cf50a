//! What the parts of a page show: plain data that screens fill in.

use std::borrow::Borrow;

use ondol_kernel::Millis;

use crate::moments::Age;
use crate::texts::T;

/// The patient's banner: on every page, print and answer about a person.
#[derive(Clone)]
pub struct Patient {
    /// The name; empty if nobody knows it.
    pub name: String,
    /// Sex as recorded.
    pub sex: Sex,
    /// Age as far as it is known.
    pub age: Age,
    /// The mother's name; empty if nobody knows it.
    pub mother: String,
    /// The number as it is read aloud, in groups.
    pub number: String,
    /// Whether the number is a provisional one.
    pub provisional: bool,
    /// The address of the photograph, if one was given.
    pub photo: Option<String>,
    /// What is known of allergies.
    pub allergies: Allergies,
    /// Whether the person has died.
    pub died: bool,
    /// The address of the chart.
    pub href: String,
}

/// Sex as recorded (FHIR R4 administrative-gender).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Neither of the two.
    Other,
    /// Not known.
    Unknown,
}

impl Sex {
    /// The word for it.
    pub fn say(self, t: impl Borrow<T>) -> String {
        let t = *t.borrow();
        match self {
            Self::Female => t.get("sex-female"),
            Self::Male => t.get("sex-male"),
            Self::Other => t.get("sex-other"),
            Self::Unknown => t.get("sex-unknown"),
        }
    }
}

/// What is known of allergies: three different things.
#[derive(Clone)]
pub enum Allergies {
    /// Nobody has asked.
    NotAsked,
    /// Somebody has asked, and none are known.
    NoneKnown,
    /// These, in the words to be read. Must not be empty.
    Known(Vec<String>),
}

/// A step on a way with several states, as of a consult: sent, delivered, seen, taken.
#[derive(Clone)]
pub struct Step {
    /// The name of the state.
    pub label: String,
    /// Whether it is reached.
    pub state: StepState,
    /// Who, or what, brought it there; empty if there is nothing to say.
    pub who: String,
    /// When.
    pub at: Option<Millis>,
}

/// Whether a step is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Reached.
    Done,
    /// Being waited for.
    Now,
    /// Still ahead.
    Ahead,
}

impl StepState {
    /// The class of the style sheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Now => "now",
            Self::Ahead => "ahead",
        }
    }

    /// The word for it, for those who cannot see the mark.
    pub fn say(self, t: impl Borrow<T>) -> String {
        let t = *t.borrow();
        match self {
            Self::Done => t.get("step-done"),
            Self::Now => t.get("step-now"),
            Self::Ahead => t.get("step-ahead"),
        }
    }
}

/// Builds a line of steps: those with a time are done, the first without one is being waited for.
pub fn steps(states: impl IntoIterator<Item = (String, Option<(String, Millis)>)>) -> Vec<Step> {
    let mut waiting = false;
    let mut steps = Vec::new();
    for (label, reached) in states {
        let state = match (&reached, waiting) {
            (Some(_), _) => StepState::Done,
            (None, false) => StepState::Now,
            (None, true) => StepState::Ahead,
        };
        waiting |= reached.is_none();
        let (who, at) = reached.map_or((String::new(), None), |(who, at)| (who, Some(at)));
        steps.push(Step { label, state, who, at });
    }
    steps
}

/// A tab above a page with several sides.
#[derive(Clone)]
pub struct Tab {
    /// Where it leads.
    pub href: String,
    /// What it is called.
    pub label: String,
    /// Whether it is the one that is open.
    pub current: bool,
    /// How many things are there, if that is worth saying.
    pub count: Option<u32>,
}

/// A label with what it says: a line of a summary.
#[derive(Clone)]
pub struct Fact {
    /// The label.
    pub label: String,
    /// What it says.
    pub value: String,
}

impl Fact {
    /// A line of a summary.
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into() }
    }
}

/// Whether two texts are the same, however deep the references of a template are.
pub fn is(a: impl AsRef<str>, b: &str) -> bool {
    a.as_ref() == b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_without_a_time_is_the_one_waited_for() {
        let reached = |ms| Some(("Kim".to_owned(), Millis(ms)));
        let states = [("sent", reached(1)), ("delivered", None), ("seen", None)];
        let steps = steps(states.map(|(l, r)| (l.to_owned(), r)));
        let states: Vec<StepState> = steps.iter().map(|s| s.state).collect();
        assert_eq!(states, [StepState::Done, StepState::Now, StepState::Ahead]);
    }
}
