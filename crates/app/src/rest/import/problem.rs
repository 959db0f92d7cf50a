//! What is told about a line of an import.

use std::fmt;

use ondol_fhir::Issue;

use super::RowRefused;
use crate::rest::{
    error::RestError,
    write::{DANGLING, Done},
};

/// Something about a line. It names elements and types, and repeats no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1 (1 for a whole document).
    pub line: u64,
    /// The entry of the bundle on it, from 0.
    pub entry: Option<usize>,
    /// A stable code.
    pub code: String,
    /// Where, as FHIRPath.
    pub expression: Option<String>,
    /// What it is, in English.
    pub says: String,
    /// Whether the resource was kept all the same.
    pub kept: bool,
}

impl Problem {
    /// Something was left out.
    pub(super) fn left_out(line: u64, entry: Option<usize>, why: &RestError) -> Self {
        let outcome = why.outcome();
        let expression = outcome.get_str("issue.expression").map(str::to_owned);
        let (code, says) = (why.code().to_owned(), why.to_string());
        Self { line, entry, code, expression, says, kept: false }
    }

    /// A row of another system's file became nothing, or was kept without something in it.
    pub(super) fn of_row(line: u64, why: RowRefused, kept: bool) -> Self {
        let RowRefused { code, at: expression, says } = why;
        Self { line, entry: None, code: code.to_owned(), expression, says, kept }
    }

    /// A resource breaks a rule, and is kept.
    pub(super) fn of_issue(line: u64, entry: Option<usize>, issue: &Issue) -> Self {
        Self {
            line,
            entry,
            code: issue.code.code().to_owned(),
            expression: Some(issue.location.clone()),
            says: issue.diagnostics.clone(),
            kept: true,
        }
    }

    /// Something else that was noticed about a resource that is kept.
    pub(super) fn kept(line: u64, entry: Option<usize>, code: &str, at: &str, says: &str) -> Self {
        let expression = Some(at.to_owned());
        Self { line, entry, code: code.to_owned(), expression, says: says.to_owned(), kept: true }
    }
}

/// References of a saved resource that lead to nothing here.
pub(super) fn dangling(line: u64, entry: Option<usize>, done: &Done) -> Vec<Problem> {
    let at = done.kind.name();
    let of = |(kind, count): (&&str, &usize)| {
        let says = format!("{count} reference(s) ({kind}) lead to nothing that is here");
        Problem::kept(line, entry, DANGLING, at, &says)
    };
    done.dangling.iter().map(of).collect()
}

/// One line of a report: `line 3, entry 4: left out: code at Patient.name: says`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(entry) = self.entry {
            write!(f, ", entry {entry}")?;
        }
        write!(f, ": {}: {}", if self.kept { "kept" } else { "left out" }, self.code)?;
        if let Some(expression) = &self.expression {
            write!(f, " at {expression}")?;
        }
        write!(f, ": {}", self.says)
    }
}
