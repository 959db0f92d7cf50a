//! The index as tables. What its rows are, `ondol_store::index` says.

use std::collections::BTreeSet;

use ondol_record::Body;
use ondol_store::{
    StoreError,
    index::{IndexRow, RULES, TEXT_CHARS_MAX},
};

use crate::{
    db::Db,
    error::{Failure, damaged},
    rows::Head,
    value::{bytes, get, values},
};

/// The tables of the index.
pub(crate) const TABLES: [&str; 4] = ["tokens", "strings", "ranges", "numbers"];

/// Minutes east of UTC at which this store reads dates without a zone.
pub(crate) fn utc_offset_minutes(db: &Db) -> Result<i32, Failure> {
    if let Some(offset) = db.utc_offset_minutes.get() {
        return Ok(offset);
    }
    let row = db.session.one("SELECT utc_offset_minutes FROM ondol", vec![])?;
    let row = row.ok_or_else(|| damaged("the state is missing"))?;
    let offset = i32::try_from(get::<i64>(&row, 0)?);
    let offset = offset.map_err(|_| damaged("the offset from UTC is impossible"))?;
    db.utc_offset_minutes.set(Some(offset));
    Ok(offset)
}

/// Whether the rows that stand were made by other rules than these.
pub(crate) fn has_old_rules(db: &Db) -> Result<bool, Failure> {
    let row = db.session.one("SELECT index_rules FROM ondol", vec![])?;
    let row = row.ok_or_else(|| damaged("the state is missing"))?;
    Ok(get::<i64>(&row, 0)? != RULES)
}

/// The same, or at another offset from UTC.
pub(crate) fn is_old(db: &Db, offset: i32) -> Result<bool, Failure> {
    db.utc_offset_minutes.set(None);
    Ok(has_old_rules(db)? || utc_offset_minutes(db)? != offset)
}

/// The index rows of a resource with these heads: of all that have content.
pub(crate) fn wanted(
    db: &Db,
    resource_type: &str,
    heads: &[Head],
) -> Result<BTreeSet<IndexRow>, Failure> {
    let mut rows = BTreeSet::new();
    for head in heads.iter().filter(|head| head.version.kind == ondol_record::ChangeKind::Put) {
        let body = db.packer.unpack(&head.body);
        match body.and_then(|body| add(db, resource_type, &body, &mut rows)) {
            // A body that went bad on the disk must not keep the next version from being saved;
            // `verify` tells about it.
            Ok(()) | Err(StoreError::Damaged(_)) => {}
            Err(why) => return Err(why.into()),
        }
    }
    Ok(rows)
}

/// Adds the rows of one body.
pub(crate) fn add(
    db: &Db,
    resource_type: &str,
    body: &str,
    into: &mut BTreeSet<IndexRow>,
) -> Result<(), StoreError> {
    let offset = utc_offset_minutes(db)?;
    ondol_store::index::rows(db, offset, resource_type, body, into)
}

/// Adds the rows of a body as it is written.
pub(crate) fn add_of(
    db: &Db,
    resource_type: &str,
    body: &Body,
    into: &mut BTreeSet<IndexRow>,
) -> Result<(), StoreError> {
    let offset = utc_offset_minutes(db)?;
    ondol_store::index::rows_of(db, offset, resource_type, body, into)
}

/// The rows that stand for a resource.
pub(crate) fn standing(db: &Db, chart: i64, resource: i64) -> Result<BTreeSet<IndexRow>, Failure> {
    // One question for all tables: each wait costs more than what it brings.
    let rows = db.session.query(
        "SELECT 0::bigint, param, code, system, NULL::bytea, NULL::bigint FROM tokens \
         WHERE chart = $1 AND resource = $2 \
         UNION ALL SELECT 1, param, NULL, NULL, value, NULL FROM strings \
         WHERE chart = $1 AND resource = $2 \
         UNION ALL SELECT 2, param, low, high, NULL, NULL FROM ranges \
         WHERE chart = $1 AND resource = $2 \
         UNION ALL SELECT 3, param, system, code, value, unit FROM numbers \
         WHERE chart = $1 AND resource = $2",
        values![chart, resource],
    )?;
    let mut all = BTreeSet::new();
    for row in &rows {
        let param = get(row, 1)?;
        all.insert(match get::<i64>(row, 0)? {
            0 => IndexRow::Token { param, code: get(row, 2)?, system: get(row, 3)? },
            1 => {
                let value = std::str::from_utf8(bytes(row, 4)?);
                let value = value.map_err(|_| damaged("a search value is not text"))?;
                IndexRow::Text { param, value: value.into() }
            }
            2 => IndexRow::Range { param, low: get(row, 2)?, high: get(row, 3)? },
            _ => IndexRow::Number {
                param,
                value: bytes(row, 4)?.into(),
                system: get(row, 2)?,
                code: get(row, 3)?,
                unit: get(row, 5)?,
            },
        });
    }
    Ok(all)
}

/// Columns of rows that are put in or taken out, table by table.
#[derive(Default)]
struct Columns {
    tokens: [Vec<i64>; 3],
    strings: (Vec<i64>, Vec<Vec<u8>>, Vec<bool>),
    ranges: [Vec<i64>; 3],
    numbers: ([Vec<i64>; 4], Vec<Vec<u8>>),
}

fn columns<'a>(rows: impl Iterator<Item = &'a IndexRow>) -> Columns {
    let mut to = Columns::default();
    for row in rows {
        match row {
            IndexRow::Token { param, code, system } => {
                push(&mut to.tokens, [*param, *code, *system]);
            }
            IndexRow::Text { param, value } => {
                to.strings.0.push(*param);
                to.strings.1.push(value.as_bytes().to_vec());
                to.strings.2.push(value.chars().count() >= TEXT_CHARS_MAX);
            }
            IndexRow::Range { param, low, high } => push(&mut to.ranges, [*param, *low, *high]),
            IndexRow::Number { param, value, system, code, unit } => {
                push(&mut to.numbers.0, [*param, *system, *code, *unit]);
                to.numbers.1.push(value.to_vec());
            }
        }
    }
    to
}

fn push<const N: usize>(columns: &mut [Vec<i64>; N], row: [i64; N]) {
    for (column, value) in columns.iter_mut().zip(row) {
        column.push(value);
    }
}

/// Puts rows in.
pub(crate) fn insert<'a>(
    db: &Db,
    (chart, resource): (i64, i64),
    rows: impl Iterator<Item = &'a IndexRow>,
) -> Result<(), Failure> {
    let Columns { tokens, strings, ranges, numbers } = columns(rows);
    let later = |text: &'static str, is_empty: bool, values| {
        if is_empty { Ok(()) } else { db.session.later(text, values) }
    };
    let [param, code, system] = tokens;
    later(
        "INSERT INTO tokens SELECT $1::bigint, $2::bigint, * FROM unnest($3::bigint[], $4::bigint[], \
         $5::bigint[]) ON CONFLICT DO NOTHING",
        param.is_empty(),
        values![chart, resource, param, code, system],
    )?;
    let (param, value, cut) = strings;
    later(
        "INSERT INTO strings SELECT $1::bigint, $2::bigint, * FROM unnest($3::bigint[], $4::bytea[], \
         $5::boolean[]) ON CONFLICT DO NOTHING",
        param.is_empty(),
        values![chart, resource, param, value, cut],
    )?;
    let [param, low, high] = ranges;
    later(
        "INSERT INTO ranges SELECT $1::bigint, $2::bigint, * FROM unnest($3::bigint[], $4::bigint[], \
         $5::bigint[]) ON CONFLICT DO NOTHING",
        param.is_empty(),
        values![chart, resource, param, low, high],
    )?;
    let ([param, system, code, unit], value) = numbers;
    later(
        "INSERT INTO numbers SELECT $1::bigint, $2::bigint, * FROM unnest($3::bigint[], $4::bytea[], \
         $5::bigint[], $6::bigint[], $7::bigint[]) ON CONFLICT DO NOTHING",
        param.is_empty(),
        values![chart, resource, param, value, system, code, unit],
    )
}

/// Takes rows out.
pub(crate) fn remove<'a>(
    db: &Db,
    (chart, resource): (i64, i64),
    rows: impl Iterator<Item = &'a IndexRow>,
) -> Result<(), Failure> {
    let Columns { tokens, strings, ranges, numbers } = columns(rows);
    let later = |text: &'static str, is_empty: bool, values| {
        if is_empty { Ok(()) } else { db.session.later(text, values) }
    };
    let [param, code, system] = tokens;
    later(
        "DELETE FROM tokens WHERE chart = $1 AND resource = $2 AND (param, code, system) IN \
         (SELECT * FROM unnest($3::bigint[], $4::bigint[], $5::bigint[]))",
        param.is_empty(),
        values![chart, resource, param, code, system],
    )?;
    let (param, value, _) = strings;
    later(
        "DELETE FROM strings WHERE chart = $1 AND resource = $2 AND (param, value) IN \
         (SELECT * FROM unnest($3::bigint[], $4::bytea[]))",
        param.is_empty(),
        values![chart, resource, param, value],
    )?;
    let [param, low, high] = ranges;
    later(
        "DELETE FROM ranges WHERE chart = $1 AND resource = $2 AND (param, low, high) IN \
         (SELECT * FROM unnest($3::bigint[], $4::bigint[], $5::bigint[]))",
        param.is_empty(),
        values![chart, resource, param, low, high],
    )?;
    let ([param, system, code, unit], value) = numbers;
    later(
        "DELETE FROM numbers WHERE chart = $1 AND resource = $2 \
         AND (param, value, system, code, unit) IN (SELECT * FROM \
         unnest($3::bigint[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bigint[]))",
        param.is_empty(),
        values![chart, resource, param, value, system, code, unit],
    )
}

/// Makes the rows of a resource what they should be; it stood in another chart, or in this one.
pub(crate) fn replace(
    db: &Db,
    (from, to): (i64, i64),
    resource: i64,
    wanted: &BTreeSet<IndexRow>,
) -> Result<(), Failure> {
    if from != to {
        for table in TABLES {
            let text = format!("DELETE FROM {table} WHERE chart = $1 AND resource = $2");
            db.session.later(text, values![from, resource])?;
        }
    }
    let standing = if from == to { standing(db, to, resource)? } else { BTreeSet::new() };
    remove(db, (to, resource), standing.difference(wanted))?;
    insert(db, (to, resource), wanted.difference(&standing))
}
