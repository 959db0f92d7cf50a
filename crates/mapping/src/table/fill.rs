//! Templates, and what stands in them for cells.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::{Map, Value};

use super::{RowFault, Rows, cell};

/// What a `{…}` of a template stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Placed<'t> {
    /// The text of a column.
    Column(Cow<'t, str>),
    /// A reference to another resource of the row.
    Other(Cow<'t, str>),
}

/// How the text of a cell is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    Text,
    Date,
    Number,
    Word,
}

/// A part of a string of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part<'t> {
    Plain(Cow<'t, str>),
    Cell { column: &'t str, taken: As },
    Other(&'t str),
}

/// A value of a template, filled in.
pub(super) enum Filled {
    /// Something.
    Some(Value),
    /// Nothing is left of it, since its cells are empty.
    Empty,
}

/// All that templates stand for cells with.
pub(super) fn placed(template: &Map<String, Value>) -> Result<Vec<Placed<'_>>, String> {
    fn of<'t>(value: &'t Value, into: &mut Vec<Placed<'t>>) -> Result<(), String> {
        match value {
            Value::String(text) => {
                for part in parts(text)? {
                    match part {
                        Part::Plain(_) => {}
                        Part::Cell { column, .. } => into.push(Placed::Column(column.into())),
                        Part::Other(name) => into.push(Placed::Other(name.into())),
                    }
                }
                Ok(())
            }
            Value::Array(items) => items.iter().try_for_each(|item| of(item, into)),
            Value::Object(members) => of_members(members, into),
            _ => Ok(()),
        }
    }
    fn of_members<'t>(
        members: &'t Map<String, Value>,
        into: &mut Vec<Placed<'t>>,
    ) -> Result<(), String> {
        members.iter().try_for_each(|(name, member)| {
            if name.contains(['{', '}']) {
                return Err(format!("{name:?}: the name of an element stands for no column"));
            }
            of(member, into)
        })
    }
    let mut all = vec![];
    of_members(template, &mut all)?;
    Ok(all)
}

/// Whether anything in a template stands for a cell or for another resource.
fn has_cells(template: &Value) -> bool {
    match template {
        Value::String(text) => {
            parts(text).is_ok_and(|parts| parts.iter().any(|part| !matches!(part, Part::Plain(_))))
        }
        Value::Array(items) => items.iter().any(has_cells),
        Value::Object(members) => members.values().any(has_cells),
        _ => false,
    }
}

/// The parts of a string. `{{` and `}}` stand for braces.
fn parts(text: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = vec![];
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(at);
        if !before.is_empty() {
            parts.push(Part::Plain(before.into()));
        }
        if let Some(after) = after.strip_prefix("{{") {
            parts.push(Part::Plain("{".into()));
            rest = after;
        } else if let Some(after) = after.strip_prefix("}}") {
            parts.push(Part::Plain("}".into()));
            rest = after;
        } else if let Some((inner, after)) =
            after.strip_prefix('{').and_then(|inner| inner.split_once('}'))
        {
            parts.push(part(inner).ok_or_else(|| {
                format!("{{{inner}}} is not understood: {{Column}}, {{Column|date}}, {{Column|number}}, {{Column|word}} or {{>name}}")
            })?);
            rest = after;
        } else {
            return Err(format!("a brace stands alone in {text:?}; two stand for one"));
        }
    }
    if !rest.is_empty() {
        parts.push(Part::Plain(rest.into()));
    }
    Ok(parts)
}

fn part(inner: &str) -> Option<Part<'_>> {
    if let Some(name) = inner.strip_prefix('>') {
        return (!name.is_empty()).then_some(Part::Other(name));
    }
    let (column, taken) = match inner.rsplit_once('|') {
        None => (inner, As::Text),
        Some((column, "date")) => (column, As::Date),
        Some((column, "number")) => (column, As::Number),
        Some((column, "word")) => (column, As::Word),
        Some(_) => return None,
    };
    (!column.is_empty()).then_some(Part::Cell { column, taken })
}

/// One row and what is filled in from it.
pub(super) struct Fill<'a> {
    pub(super) rows: &'a Rows<'a>,
    pub(super) cells: &'a [String],
    /// Type and id of the resources that this row has, by name.
    pub(super) ids: &'a BTreeMap<&'a str, (&'a str, String)>,
}

impl Fill<'_> {
    pub(super) fn object(&self, template: &Map<String, Value>) -> Result<Filled, RowFault> {
        let mut object = Map::new();
        for (name, member) in template {
            if let Filled::Some(value) = self.value(member)? {
                object.insert(name.clone(), value);
            }
        }
        Ok(if object.is_empty() { Filled::Empty } else { Filled::Some(Value::Object(object)) })
    }

    fn value(&self, template: &Value) -> Result<Filled, RowFault> {
        match template {
            Value::String(text) => self.text(text),
            Value::Object(members) => {
                // A coding, quantity or identifier of which nothing is filled in says nothing with
                // its literal parts alone.
                let asks = members.values().any(has_cells);
                let Filled::Some(filled) = self.object(members)? else { return Ok(Filled::Empty) };
                let says = members
                    .iter()
                    .any(|(name, member)| has_cells(member) && filled.get(name).is_some());
                Ok(if asks && !says { Filled::Empty } else { Filled::Some(filled) })
            }
            Value::Array(items) => {
                let mut array = vec![];
                for item in items {
                    if let Filled::Some(value) = self.value(item)? {
                        array.push(value);
                    }
                }
                Ok(if array.is_empty() { Filled::Empty } else { Filled::Some(array.into()) })
            }
            other => Ok(Filled::Some(other.clone())),
        }
    }

    fn text(&self, template: &str) -> Result<Filled, RowFault> {
        // The mapping was checked when it was read.
        let parts = parts(template).unwrap_or_default();
        if let [Part::Cell { column, taken: As::Number }] = parts.as_slice() {
            let cell = self.rows.cell(column, self.cells);
            if cell.is_empty() {
                return Ok(Filled::Empty);
            }
            let number =
                cell::number(cell).ok_or_else(|| RowFault::Number((*column).to_owned()))?;
            return Ok(Filled::Some(Value::Number(number)));
        }
        let mut text = String::new();
        for part in &parts {
            match part {
                Part::Plain(plain) => text.push_str(plain),
                Part::Cell { column, taken } => match self.cell(column, *taken)? {
                    None => return Ok(Filled::Empty),
                    Some(cell) => text.push_str(&cell),
                },
                Part::Other(name) => match self.ids.get(name) {
                    None => return Ok(Filled::Empty),
                    Some((kind, id)) => text.push_str(&[kind, "/", id.as_str()].concat()),
                },
            }
        }
        Ok(Filled::Some(text.into()))
    }

    /// The text of a cell; none if it is empty.
    fn cell(&self, column: &str, taken: As) -> Result<Option<String>, RowFault> {
        let cell = self.rows.cell(column, self.cells);
        if cell.is_empty() {
            return Ok(None);
        }
        let column = || column.to_owned();
        match taken {
            As::Text => Ok(Some(cell.to_owned())),
            As::Date => {
                let date = cell::date(cell, &self.rows.dates);
                date.map(Some).ok_or_else(|| RowFault::Date(column()))
            }
            As::Number => {
                let number = cell::number(cell).map(|number| Some(number.to_string()));
                number.ok_or_else(|| RowFault::Number(column()))
            }
            As::Word => {
                let words = self.rows.table.words.get(&column());
                let meant = words.and_then(|words| words.get(cell)).cloned();
                meant.map(Some).ok_or_else(|| RowFault::Word(column()))
            }
        }
    }
}
