//! The index as tables. What its rows are, `ondol_store::index` says.

use std::collections::BTreeSet;

use ondol_record::Body;
use ondol_store::{
    StoreError,
    index::{IndexRow, Numbers, RULES},
};
use rusqlite::{CachedStatement, Connection, params};

use crate::{db::Db, error::Failure};

/// Which set of tables: that of the searches, or the one that `reindex` fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    Live,
    Next,
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

impl Numbers for Db {
    fn number(&self, text: &str) -> Result<i64, StoreError> {
        Ok(Self::number(self, text)?)
    }
}

/// The rows of one version, each once, in order.
pub(crate) fn rows(
    db: &Db,
    resource_type: &str,
    body: &str,
    into: &mut BTreeSet<IndexRow>,
) -> Result<(), Failure> {
    let offset = utc_offset_minutes(db)?;
    Ok(ondol_store::index::rows(db, offset, resource_type, body, into)?)
}

/// The same of a body as it is written.
pub(crate) fn rows_of(
    db: &Db,
    resource_type: &str,
    body: &Body,
    into: &mut BTreeSet<IndexRow>,
) -> Result<(), Failure> {
    let offset = utc_offset_minutes(db)?;
    Ok(ondol_store::index::rows_of(db, offset, resource_type, body, into)?)
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
