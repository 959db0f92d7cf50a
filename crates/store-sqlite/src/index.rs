//! Search values as rows. What a value is, `ondol_fhir` says; here stands how it is kept.
//!
//! Tokens, references and uris are kept as the first 64 bits of their BLAKE3 hash: equality is
//! all that is asked of them, and a row stays near 20 bytes. Strings are kept folded, and their
//! exact forms as tokens; times as half-open ranges in ms; numbers as bytes that sort as they do,
//! with the unit as it is written.

use std::collections::BTreeSet;

use ondol_fhir::{DecimalKey, IndexValue, Resource, SearchParam, extract};
use rusqlite::{CachedStatement, Connection, params};
use serde_json::{Map, Value};

use crate::{
    db::Db,
    error::{Failure, damaged},
};

/// Rises whenever the same resource gives other rows, so that an old index is made again.
pub(crate) const RULES: i64 = 2;

/// A range up to this long is short, ms. Its row's parameter is twice the number, that of a
/// longer one twice the number plus one: so a search for recent times passes over few rows.
pub(crate) const RANGE_SHORT_MS: i64 = 32 * 24 * 60 * 60 * 1000;

/// Longer strings are compared by their beginning, so that a page of prose does not fill the
/// index.
pub(crate) const TEXT_CHARS_MAX: usize = 160;

/// Which set of tables: that of the searches, or the one that `reindex` fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    Live,
    Next,
}

/// One row of the index, without its resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum IndexRow {
    Token { param: i64, code: i64, system: i64 },
    Text { param: i64, value: Box<str> },
    Range { param: i64, low: i64, high: i64 },
    Number { param: i64, value: Box<[u8]>, system: i64, code: i64, unit: i64 },
}

/// The statements that make the index tables whose names begin with `prefix`. An index keeps its
/// name when its table is renamed, so that the names of two sets alternate.
pub(crate) fn tables(prefix: &str, by_resource: &str) -> String {
    let text = [include_str!("index.sql"), include_str!("numbers.sql")].concat();
    text.replace("{prefix}", prefix).replace("{by_resource}", by_resource)
}

/// The table that format 1 did not have, for a store whose indexes have these names.
pub(crate) fn table_of_numbers(by_resource: &str) -> String {
    include_str!("numbers.sql").replace("{prefix}", "").replace("{by_resource}", by_resource)
}

/// The ends of the names that alternate.
pub(crate) const BY_RESOURCE: [&str; 2] = ["resource", "resource_2"];

/// Which of them the set of the searches has.
pub(crate) fn live_by_resource(conn: &Connection) -> rusqlite::Result<&'static str> {
    let taken: i64 = conn.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name = ?1",
        [["ranges_", BY_RESOURCE[0]].concat()],
        |row| row.get(0),
    )?;
    Ok(BY_RESOURCE[usize::from(taken == 0)])
}

/// What stands in a column for the identifier of a logical reference: never what stands there for
/// a code or a literal reference.
pub(crate) fn logical_hash(value: &str) -> i64 {
    hash(&["\u{1}", value].concat())
}

/// What stands in a column for a text that is only compared.
pub(crate) fn hash(text: &str) -> i64 {
    let hash = blake3::hash(text.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    i64::from_le_bytes(first)
}

/// As much of a folded string as is kept and compared.
pub(crate) fn indexed_text(folded: &str) -> &str {
    folded.char_indices().nth(TEXT_CHARS_MAX).map_or(folded, |(end, _)| &folded[..end])
}

/// The name under which a parameter of a type is interned.
pub(crate) fn param_name(resource_type: &str, code: &str) -> String {
    [resource_type, ".", code].concat()
}

/// The rows of one version, each once, in order. A writer interns new names; for a reader they
/// have a number that no row has. A type that is not of
/// R4 has none.
pub(crate) fn rows(
    db: &Db,
    resource_type: &str,
    body: &str,
    into: &mut BTreeSet<IndexRow>,
) -> Result<(), Failure> {
    let body = serde_json::from_str::<Map<String, Value>>(body);
    let mut body = body.map_err(|_| damaged("a body is not a JSON object"))?;
    body.insert("resourceType".into(), resource_type.into());
    let Ok(resource) = Resource::from_json(Value::Object(body)) else { return Ok(()) };
    let mut rows = Rows { db, resource_type, last: None, into, failure: None };
    extract(&resource, utc_offset_minutes(db)?, |param, value| {
        if rows.failure.is_none()
            && let Err(why) = rows.add(param, value)
        {
            rows.failure = Some(why);
        }
    });
    rows.failure.map_or(Ok(()), Err)
}

/// Minutes east of UTC at which this store reads dates without a zone.
fn utc_offset_minutes(db: &Db) -> Result<i32, Failure> {
    let mut find = db.conn.prepare_cached("SELECT utc_offset_minutes FROM state")?;
    Ok(find.query_row([], |row| row.get(0))?)
}

/// Whether the rows that stand were made by other rules than these.
pub(crate) fn is_old(db: &Db, offset: i32) -> Result<bool, Failure> {
    Ok(has_old_rules(db)? || utc_offset_minutes(db)? != offset)
}

/// The same, whatever the offset from UTC.
pub(crate) fn has_old_rules(db: &Db) -> Result<bool, Failure> {
    let mut find = db.conn.prepare_cached("SELECT index_rules FROM state")?;
    let rules: i64 = find.query_row([], |row| row.get(0))?;
    Ok(rules != RULES)
}

struct Rows<'a> {
    db: &'a Db,
    resource_type: &'a str,
    /// The parameter that was seen last: values come parameter by parameter.
    last: Option<(&'static str, i64)>,
    into: &'a mut BTreeSet<IndexRow>,
    failure: Option<Failure>,
}

impl Rows<'_> {
    fn add(&mut self, param: &'static SearchParam, value: IndexValue<'_>) -> Result<(), Failure> {
        match value {
            IndexValue::String { folded, exact } => {
                let value = indexed_text(&folded).into();
                let param = self.param(param)?;
                self.into.insert(IndexRow::Text { param, value });
                self.token(param, &exact, None)
            }
            IndexValue::Token { system, code } => {
                let param = self.param(param)?;
                self.token(param, code.unwrap_or(""), system.as_deref())
            }
            IndexValue::Reference { kind, id, url, identifier } => {
                let param = self.param(param)?;
                match (url, kind, id) {
                    (Some(url), ..) => self.url(param, url)?,
                    (None, Some(kind), Some(id)) => {
                        self.token(param, &format!("{}/{id}", kind.name()), None)?;
                    }
                    _ => {}
                }
                let Some((system, value)) = identifier else { return Ok(()) };
                let system = self.db.number(system.unwrap_or(""))?;
                self.into.insert(IndexRow::Token { param, code: logical_hash(value), system });
                Ok(())
            }
            IndexValue::Uri(uri) => {
                let param = self.param(param)?;
                self.token(param, uri, None)
            }
            IndexValue::Date { from, to } => {
                let is_long = to.0.saturating_sub(from.0) > RANGE_SHORT_MS;
                let param = 2 * self.param(param)? + i64::from(is_long);
                self.into.insert(IndexRow::Range { param, low: from.0, high: to.0 });
                Ok(())
            }
            IndexValue::Number(value) => self.number(param, value, None, None, None),
            IndexValue::Quantity { value, system, code, unit } => {
                self.number(param, value, system, code, unit)
            }
            // What is asked of them is looked up in the documents.
            IndexValue::Together(_) | IndexValue::Position { .. } => Ok(()),
        }
    }

    fn number(
        &mut self,
        param: &'static SearchParam,
        value: &str,
        system: Option<&str>,
        code: Option<&str>,
        unit: Option<&str>,
    ) -> Result<(), Failure> {
        let Some(value) = DecimalKey::parse(value) else { return Ok(()) };
        // Twice the number; twice plus one is kept for values in their unit's canonical form.
        let param = 2 * self.param(param)?;
        let number = |text: Option<&str>| self.db.number(text.unwrap_or(""));
        let (system, code, unit) = (number(system)?, number(code)?, number(unit)?);
        let value = value.as_bytes().into();
        self.into.insert(IndexRow::Number { param, value, system, code, unit });
        Ok(())
    }

    fn param(&mut self, param: &'static SearchParam) -> Result<i64, Failure> {
        if let Some((code, number)) = self.last
            && code == param.code
        {
            return Ok(number);
        }
        let number = self.db.number(&param_name(self.resource_type, param.code))?;
        self.last = Some((param.code, number));
        Ok(number)
    }

    fn token(&mut self, param: i64, code: &str, system: Option<&str>) -> Result<(), Failure> {
        let system = self.db.number(system.unwrap_or(""))?;
        self.into.insert(IndexRow::Token { param, code: hash(code), system });
        Ok(())
    }

    /// A URL, and without its version if it is a canonical one (R4 2.24.0.3).
    fn url(&mut self, param: i64, url: &str) -> Result<(), Failure> {
        if let Some((unversioned, _)) = url.split_once('|') {
            self.token(param, unversioned, None)?;
        }
        self.token(param, url, None)
    }
}

/// Takes rows out and puts others in.
pub(crate) fn change<'a>(
    db: &Db,
    set: Set,
    resource: i64,
    gone: impl Iterator<Item = &'a IndexRow>,
    added: impl Iterator<Item = &'a IndexRow>,
) -> Result<(), Failure> {
    each(db, set, resource, gone, &REMOVE)?;
    each(db, set, resource, added, &INSERT)
}

/// One statement for each table of each set: tokens, strings, ranges, numbers.
type Statements = [[&'static str; 4]; 2];

static INSERT: Statements = [
    [
        "INSERT OR IGNORE INTO tokens VALUES (?1, ?2, ?3, ?4)",
        "INSERT OR IGNORE INTO strings VALUES (?1, ?2, ?3)",
        "INSERT OR IGNORE INTO ranges VALUES (?1, ?2, ?3, ?4)",
        "INSERT OR IGNORE INTO numbers VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    ],
    [
        "INSERT OR IGNORE INTO next_tokens VALUES (?1, ?2, ?3, ?4)",
        "INSERT OR IGNORE INTO next_strings VALUES (?1, ?2, ?3)",
        "INSERT OR IGNORE INTO next_ranges VALUES (?1, ?2, ?3, ?4)",
        "INSERT OR IGNORE INTO next_numbers VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    ],
];

static REMOVE: Statements = [
    [
        "DELETE FROM tokens WHERE param = ?1 AND code = ?2 AND resource = ?3 AND system = ?4",
        "DELETE FROM strings WHERE param = ?1 AND value = ?2 AND resource = ?3",
        "DELETE FROM ranges WHERE param = ?1 AND low = ?2 AND high = ?3 AND resource = ?4",
        "DELETE FROM numbers WHERE param = ?1 AND value = ?2 AND resource = ?3 AND system = ?4 \
         AND code = ?5 AND unit = ?6",
    ],
    [
        "DELETE FROM next_tokens WHERE param = ?1 AND code = ?2 AND resource = ?3 AND system = ?4",
        "DELETE FROM next_strings WHERE param = ?1 AND value = ?2 AND resource = ?3",
        "DELETE FROM next_ranges WHERE param = ?1 AND low = ?2 AND high = ?3 AND resource = ?4",
        "DELETE FROM next_numbers WHERE param = ?1 AND value = ?2 AND resource = ?3 \
         AND system = ?4 AND code = ?5 AND unit = ?6",
    ],
];

fn each<'a>(
    db: &Db,
    set: Set,
    resource: i64,
    rows: impl Iterator<Item = &'a IndexRow>,
    statements: &Statements,
) -> Result<(), Failure> {
    let [tokens, strings, ranges, numbers] = statements[usize::from(set == Set::Next)];
    // Rows come table by table, so that each statement is fetched once.
    let mut last: Option<(&str, CachedStatement<'_>)> = None;
    for row in rows {
        let sql = match row {
            IndexRow::Token { .. } => tokens,
            IndexRow::Text { .. } => strings,
            IndexRow::Range { .. } => ranges,
            IndexRow::Number { .. } => numbers,
        };
        let statement = match &mut last {
            Some((of, statement)) if *of == sql => statement,
            other => &mut other.insert((sql, db.conn.prepare_cached(sql)?)).1,
        };
        match row {
            IndexRow::Token { param, code, system } => {
                statement.execute(params![param, code, resource, system])?
            }
            IndexRow::Text { param, value } => {
                statement.execute(params![param, value, resource])?
            }
            IndexRow::Range { param, low, high } => {
                statement.execute(params![param, low, high, resource])?
            }
            IndexRow::Number { param, value, system, code, unit } => {
                statement.execute(params![param, value, resource, system, code, unit])?
            }
        };
    }
    Ok(())
}
