//! The tables of `docs/access.md`, and what follows from them for a chart of this test.

use std::collections::{HashMap, HashSet};

use ondol_access::{Coded, Role};

const PAGE: &str = include_str!("../../../../docs/access.md");
const CHARTS: &str = include_str!("charts.tsv");
const READS: &str = include_str!("reads.tsv");

/// The lines of a table of this test, without its comments, as columns.
pub fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| line.split('\t').collect())
}

/// A chart of this test.
#[derive(Debug, Clone)]
pub struct Chart {
    pub name: &'static str,
    /// `patient`, `facility`, `practitioner` or `nation`.
    pub kind: &'static str,
    pub relations: Vec<&'static str>,
    /// The other chart of the same person.
    pub other: Option<&'static str>,
    /// Whom it names as the same person, without being named by them.
    pub names: Option<&'static str>,
}

pub fn charts() -> Vec<Chart> {
    let at = |row: &[&'static str], at: usize| row.get(at).copied().filter(|one| !one.is_empty());
    let of = |row: Vec<&'static str>| Chart {
        name: row[0],
        kind: row[1],
        relations: row[2].split_whitespace().collect(),
        other: at(&row, 3),
        names: at(&row, 4),
    };
    rows(CHARTS).map(of).collect()
}

/// Kind of chart, type, and the actions of which any lets somebody read it there.
pub fn reads() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    rows(READS).map(|row| (row[0], row[1], row[2].split_whitespace().collect())).collect()
}

/// What the page permits to who asks without a reason and without a second person.
pub struct Page {
    permitted: HashSet<(&'static str, &'static str, Role)>,
    /// Of which no more is told than whether there is such a person.
    existence: HashSet<(&'static str, &'static str, Role)>,
}

impl Page {
    pub fn read() -> Self {
        let (mut relation, mut columns, mut known) = ("", vec![], HashMap::new());
        let (mut permitted, mut existence) = (HashSet::new(), HashSet::new());
        for line in PAGE.lines() {
            if let Some(heading) = line.strip_prefix("### ") {
                relation = heading.split('`').nth(1).unwrap();
            }
            let Some(row) = line.strip_prefix("| ") else { continue };
            let fields: Vec<&str> = row.trim_end_matches('|').split('|').map(str::trim).collect();
            let code = fields.get(1).map_or("", |text| text.trim_matches('`'));
            if let (true, Some(role)) = (relation.is_empty(), Role::from_code(code)) {
                known.insert(fields[0], role);
            } else if fields[0].is_empty() {
                columns = fields[1..].iter().map(|short| known[short]).collect();
            } else if !relation.is_empty() && !fields[0].starts_with("---") {
                let action = fields[0].trim_matches('`');
                for (role, cell) in columns.iter().zip(&fields[1..]) {
                    if cell.starts_with('+') && !cell.contains(['r', '2']) {
                        permitted.insert((relation, action, *role));
                        if cell.contains('e') {
                            existence.insert((relation, action, *role));
                        }
                    }
                }
            }
        }
        assert_eq!(known.len(), Role::ALL.len(), "roles of the page");
        assert!(permitted.len() > 300, "cells of the page");
        Self { permitted, existence }
    }

    /// Whether somebody in a role may do something in a chart of this test.
    pub fn may(&self, role: Role, action: &str, chart: &Chart) -> bool {
        if let Some(action) = action.strip_prefix("any:") {
            return self.permitted.iter().any(|cell| cell.1 == action && cell.2 == role);
        }
        Self::cells(action, chart).any(|cell| self.permitted.contains(&(cell.0, cell.1, role)))
    }

    /// Whether they may and are told more than that there is such a person.
    pub fn is_told(&self, role: Role, action: &str, chart: &Chart) -> bool {
        Self::cells(action, chart).any(|(relation, action)| {
            let cell = (relation, action, role);
            self.permitted.contains(&cell) && !self.existence.contains(&cell)
        })
    }

    /// The relation and the action of each cell that is looked at.
    fn cells<'a>(action: &'a str, chart: &'a Chart) -> impl Iterator<Item = (&'a str, &'a str)> {
        let (action, kind, relations) = match action.split_once(':') {
            Some(("nation", action)) => (action, "nation", &[] as &[&str]),
            _ => (action, chart.kind, chart.relations.as_slice()),
        };
        let least = match kind {
            "patient" => "stranger",
            "facility" => "other-facility",
            "practitioner" => "other-practitioner",
            _ => "nation",
        };
        relations.iter().copied().chain([least]).map(move |relation| (relation, action))
    }
}
