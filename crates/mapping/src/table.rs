//! Rows of a table become resources, as a mapping says.
//!
//! A mapping is a JSON document that a facility writes once. For each table it names the columns
//! that tell one row from another and gives the resources that a row becomes, as FHIR JSON in which
//! `{Column}` stands for the text of a cell. `docs/mapping.md` describes it with an example.

mod cell;
mod fill;

use std::collections::{BTreeMap, HashMap, HashSet};

use ondol_fhir::ResourceType;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use thiserror::Error;

use self::{
    cell::DateForm,
    fill::{Fill, Filled},
};
use crate::id_of;

/// What a mapping says, as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// A name of the system that the tables come from: it tells their rows from those of others.
    pub source: String,
    /// The tables; none where only messages come from there.
    #[serde(default)]
    pub tables: Vec<Table>,
}

/// One table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The file's name; `*` stands for any characters.
    pub file: String,
    /// The sheet of a workbook; the first one that is not empty if it is left out.
    #[serde(default)]
    pub sheet: Option<String>,
    /// The columns that tell one row from another.
    pub key: Vec<String>,
    /// How dates are written: `YYYY`, `MM` and `DD` with what stands between them. ISO dates are
    /// always read.
    #[serde(default)]
    pub dates: Vec<String>,
    /// For a column, what its words mean.
    #[serde(default)]
    pub words: BTreeMap<String, BTreeMap<String, String>>,
    /// What a row becomes.
    pub resources: Vec<Template>,
}

/// One resource of a row.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// How the others name it.
    pub name: String,
    /// The columns that tell it from others of its kind, where several rows are about the same:
    /// then the first row makes it, and a resource that stands is left as it is.
    #[serde(default)]
    pub key: Option<Vec<String>>,
    /// It is made only where this column is not empty.
    #[serde(default)]
    pub when: Option<String>,
    /// The resource, with `{Column}`.
    pub resource: Map<String, Value>,
}

/// A mapping that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MappingError {
    /// It is not JSON of this form.
    #[error("the mapping cannot be read: {says}")]
    Json {
        /// The line where it cannot, from 1, if it is known.
        line: Option<u64>,
        /// What is wrong there, in English.
        says: String,
    },
    /// The name of the source is missing.
    #[error("`source` needs a name of letters, digits and hyphens")]
    Source,
    /// A table without what tells its rows apart.
    #[error("table {0}: `key` names the columns that tell one row from another")]
    NoKey(String),
    /// The table has not all columns that the mapping names.
    #[error("table {table}: no column is called {missing:?}; there are {known:?}")]
    Columns {
        /// The name of the file.
        table: String,
        /// The columns that the mapping names, and that are not there.
        missing: Vec<String>,
        /// Those that are there.
        known: Vec<String>,
    },
    /// Something in a table is not understood.
    #[error("table {table}: {what}")]
    Table {
        /// The name of the file.
        table: String,
        /// What is wrong, and with what.
        what: String,
    },
}

/// Why a row became nothing. It names columns and never what is in them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RowFault {
    /// A cell that tells the row from others is empty.
    #[error("column {0} is empty, and tells this row from others")]
    NoKey(String),
    /// Another row has the same key.
    #[error("another row has the same {0}, and says something else")]
    SameKey(String),
    /// A date that is written otherwise than the mapping says.
    #[error("column {0} has no date that can be read as the mapping says")]
    Date(String),
    /// A number that is none.
    #[error("column {0} has no number that can be read in one way only")]
    Number(String),
    /// A word that the mapping does not have.
    #[error("column {0} has a word that the mapping does not have")]
    Word(String),
    /// More cells than columns.
    #[error("the row has more cells than the table has columns")]
    Cells,
}

impl RowFault {
    /// A stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoKey(_) => "row-key-missing",
            Self::SameKey(_) => "row-key-twice",
            Self::Date(_) => "row-date",
            Self::Number(_) => "row-number",
            Self::Word(_) => "row-word",
            Self::Cells => "row-cells",
        }
    }

    /// The column, if it is about one.
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::NoKey(at)
            | Self::SameKey(at)
            | Self::Date(at)
            | Self::Number(at)
            | Self::Word(at) => Some(at),
            Self::Cells => None,
        }
    }
}

impl Mapping {
    /// Reads a mapping and checks all of it that can be checked without a table.
    pub fn parse(json: &[u8]) -> Result<Self, MappingError> {
        let mapping: Self = serde_json::from_slice(json).map_err(|why| MappingError::Json {
            line: Some(why.line() as u64).filter(|line| *line > 0),
            says: why.to_string(),
        })?;
        let named = |c: char| c.is_alphanumeric() || c == '-';
        if mapping.source.is_empty() || !mapping.source.chars().all(named) {
            return Err(MappingError::Source);
        }
        for table in &mapping.tables {
            table.check()?;
        }
        Ok(mapping)
    }

    /// The table that a file is, by its name.
    pub fn table_of(&self, file: &str) -> Option<&Table> {
        self.tables.iter().find(|table| fits(&table.file, file))
    }
}

/// Whether a name fits a pattern in which `*` stands for any characters.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(before) else { return false };
    (0..=rest.len()).any(|at| rest.is_char_boundary(at) && fits(after, &rest[at..]))
}

impl Table {
    fn wrong(&self, what: impl Into<String>) -> MappingError {
        MappingError::Table { table: self.file.clone(), what: what.into() }
    }

    fn check(&self) -> Result<(), MappingError> {
        if self.key.is_empty() {
            return Err(MappingError::NoKey(self.file.clone()));
        }
        for form in &self.dates {
            DateForm::parse(form).ok_or_else(|| {
                self.wrong(format!("the form of dates {form:?} needs YYYY, MM and DD once each"))
            })?;
        }
        let mut names = HashSet::new();
        for template in &self.resources {
            if !names.insert(template.name.as_str()) {
                return Err(self.wrong(format!("two resources are called {:?}", template.name)));
            }
            let kind = template.resource.get("resourceType").and_then(Value::as_str);
            if kind.and_then(ResourceType::from_name).is_none() {
                let name = &template.name;
                return Err(self.wrong(format!("{name:?} has no resourceType of FHIR R4")));
            }
        }
        if names.is_empty() {
            return Err(self.wrong("`resources` is empty"));
        }
        for template in &self.resources {
            for placed in fill::placed(&template.resource).map_err(|what| self.wrong(what))? {
                if let fill::Placed::Other(name) = placed
                    && !names.contains(&*name)
                {
                    return Err(self.wrong(format!("no resource is called {name:?}")));
                }
            }
        }
        Ok(())
    }

    /// Prepares for a table with these columns: each column that the mapping names must be there.
    pub fn with_columns<'m>(
        &'m self,
        source: &'m str,
        columns: &[String],
        keys: &'m mut Keys,
    ) -> Result<Rows<'m>, MappingError> {
        let mut places = BTreeMap::new();
        for (at, column) in columns.iter().enumerate() {
            if !column.is_empty() && places.insert(column.clone(), at).is_some() {
                return Err(self.wrong(format!("two columns are called {column:?}")));
            }
        }
        let mut missing: Vec<String> = vec![];
        let mut named: Vec<String> = self.key.clone();
        for template in &self.resources {
            named.extend(template.key.iter().flatten().cloned());
            named.extend(template.when.clone());
            for placed in fill::placed(&template.resource).map_err(|what| self.wrong(what))? {
                if let fill::Placed::Column(column) = placed {
                    named.push(column.into_owned());
                }
            }
        }
        for column in &named {
            if !places.contains_key(column) && !missing.contains(column) {
                missing.push(column.clone());
            }
        }
        if !missing.is_empty() {
            let known = columns.iter().filter(|name| !name.is_empty()).cloned().collect();
            return Err(MappingError::Columns { table: self.file.clone(), missing, known });
        }
        let dates = self.dates.iter().filter_map(|form| DateForm::parse(form)).collect();
        Ok(Rows { table: self, source, places, width: columns.len(), dates, keys })
    }
}

/// The rows of one table on their way to resources.
pub struct Rows<'m> {
    table: &'m Table,
    source: &'m str,
    places: BTreeMap<String, usize>,
    width: usize,
    dates: Vec<DateForm>,
    keys: &'m mut Keys,
}

/// The keys of the rows so far, in all files that are one table, with a hash of what each row
/// became.
#[derive(Debug, Default)]
pub struct Keys(HashMap<String, [u8; 32]>);

impl Rows<'_> {
    /// The Bundle that a row becomes, a batch whose entries say `ifNoneMatch: *` where a resource
    /// that stands is to be left as it is. `None` for a row that is empty.
    pub fn bundle(&mut self, cells: &[String]) -> Result<Option<Value>, RowFault> {
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(None);
        }
        if cells.iter().skip(self.width).any(|cell| !cell.trim().is_empty()) {
            return Err(RowFault::Cells);
        }
        let key = self.key(&self.table.key, cells)?;
        let row = id_of(self.source, &self.table.file, &key);
        let mut ids = BTreeMap::new();
        for template in &self.table.resources {
            if template.when.as_ref().is_some_and(|column| self.cell(column, cells).is_empty()) {
                continue;
            }
            let kind = template.resource["resourceType"].as_str().unwrap_or_default();
            let id = match &template.key {
                Some(own) => id_of(self.source, &template.name, &self.key(own, cells)?),
                None => {
                    let name = [&self.table.file, "/", &*template.name].concat();
                    id_of(self.source, &name, &key)
                }
            };
            ids.insert(template.name.as_str(), (kind, id));
        }
        let fill = Fill { rows: self, cells, ids: &ids };
        let mut entries = vec![];
        for template in &self.table.resources {
            let Some((kind, id)) = ids.get(template.name.as_str()) else { continue };
            let Filled::Some(Value::Object(mut resource)) = fill.object(&template.resource)? else {
                continue;
            };
            resource.insert("id".to_owned(), Value::from(id.as_str()));
            let mut request = json!({ "method": "PUT", "url": format!("{kind}/{id}") });
            if template.key.is_some() {
                request["ifNoneMatch"] = json!("*");
            }
            entries.push(json!({ "resource": resource, "request": request }));
        }
        let bundle = json!({ "resourceType": "Bundle", "type": "batch", "entry": entries });
        let hash = *blake3::hash(bundle.to_string().as_bytes()).as_bytes();
        // The same row in a second file says nothing new; another row would take its place.
        if *self.keys.0.entry(row).or_insert(hash) != hash {
            return Err(RowFault::SameKey(self.table.key.join(", ")));
        }
        Ok(Some(bundle))
    }

    fn cell<'c>(&self, column: &str, cells: &'c [String]) -> &'c str {
        let at = self.places.get(column).copied();
        at.and_then(|at| cells.get(at)).map_or("", |cell| cell.trim())
    }

    fn key<'c>(&self, columns: &[String], cells: &'c [String]) -> Result<Vec<&'c str>, RowFault> {
        let of = |column: &String| match self.cell(column, cells) {
            "" => Err(RowFault::NoKey(column.clone())),
            cell => Ok(cell),
        };
        columns.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests;
