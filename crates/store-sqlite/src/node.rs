//! The node's own: identity, small values, seals, and who read which chart.

use ondol_kernel::{Millis, NodeId, bytes::Reader};
use ondol_record::{
    Address, ChartId, Seal, Stream,
    seal::{Step, put_path, read_path},
};
use ondol_store::{Identity, KeyValue, Reading, SealedPath, Space};
use rusqlite::{OptionalExtension, Row, params, types::ValueRef};

use crate::{
    db::{Db, IdColumn, resource_id},
    error::{Failure, damaged},
};

/// Who the store belongs to.
pub(crate) fn identity(db: &Db) -> Result<Option<Identity>, Failure> {
    let mut find = db.conn.prepare_cached("SELECT node, incarnation, facility FROM state")?;
    let mut rows = find.query([])?;
    let row = rows.next()?.ok_or_else(|| damaged("the state is missing"))?;
    if row.get_ref(0)? == ValueRef::Null {
        return Ok(None);
    }
    let node: Vec<u8> = row.get(0)?;
    let node = node.try_into().map_err(|_| damaged("the node's id is not in its format"))?;
    Ok(Some(Identity {
        node: NodeId(node),
        incarnation: row.get(1)?,
        facility: resource_id(row.get_ref(2)?)?,
    }))
}

pub(crate) fn set_identity(db: &Db, identity: &Identity) -> Result<(), Failure> {
    db.conn
        .prepare_cached("UPDATE state SET node = ?1, incarnation = ?2, facility = ?3")?
        .execute(params![
            identity.node.0,
            identity.incarnation,
            IdColumn(identity.facility.as_str())
        ])?;
    Ok(())
}

pub(crate) fn value(db: &Db, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
    let mut find =
        db.conn.prepare_cached("SELECT value FROM small_values WHERE space = ?1 AND key = ?2")?;
    Ok(find.query_row(params![space as u8, key], |row| row.get(0)).optional()?)
}

pub(crate) fn set_value(
    db: &Db,
    space: Space,
    key: &[u8],
    value: Option<&[u8]>,
) -> Result<(), Failure> {
    match value {
        Some(value) => db
            .conn
            .prepare_cached("INSERT OR REPLACE INTO small_values VALUES (?1, ?2, ?3)")?
            .execute(params![space as u8, key, value])?,
        None => db
            .conn
            .prepare_cached("DELETE FROM small_values WHERE space = ?1 AND key = ?2")?
            .execute(params![space as u8, key])?,
    };
    Ok(())
}

/// Values whose keys begin with `prefix` and are greater than `after`, in key order.
pub(crate) fn values(
    db: &Db,
    space: Space,
    prefix: &[u8],
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Vec<KeyValue>, Failure> {
    let mut find = db.conn.prepare_cached(
        "SELECT key, value FROM small_values \
         WHERE space = ?1 AND key >= ?2 AND (?3 IS NULL OR key > ?3) ORDER BY key LIMIT ?4",
    )?;
    let from = after.map_or(prefix, |after| after.max(prefix));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = find.query(params![space as u8, from, after, limit])?;
    let mut values = vec![];
    while let Some(row) = rows.next()? {
        let key: Vec<u8> = row.get(0)?;
        if !key.starts_with(prefix) {
            break;
        }
        values.push((key, row.get(1)?));
    }
    Ok(values)
}

pub(crate) fn put_seal(db: &Db, seal: &Seal, paths: &[SealedPath]) -> Result<(), Failure> {
    let stream = db.intern_stream(&seal.stream)?;
    let (first, last) = (seal.first.cast_signed(), seal.last.cast_signed());
    db.conn
        .prepare_cached("INSERT OR IGNORE INTO seals VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![stream, last, first, seal.root, seal.signature])?;
    for sealed in paths {
        let chart = db.intern_chart(&sealed.chart)?;
        let mut path = vec![];
        put_path(&mut path, &sealed.path);
        db.conn
            .prepare_cached("INSERT OR REPLACE INTO seal_paths VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![
                chart,
                stream,
                last,
                first,
                sealed.chart_number.cast_signed(),
                path
            ])?;
    }
    Ok(())
}

/// The seal whose range has a number; the shortest of those that end first, if there are several.
pub(crate) fn seal(db: &Db, address: &Address) -> Result<Option<Seal>, Failure> {
    let Some(stream) = db.find_stream(&address.stream)? else { return Ok(None) };
    let mut find = db.conn.prepare_cached(
        "SELECT first, last, root, signature FROM seals \
         WHERE stream = ?1 AND last >= ?2 AND first <= ?2 ORDER BY last, first DESC LIMIT 1",
    )?;
    let mut rows = find.query(params![stream, address.number.cast_signed()])?;
    rows.next()?.map(|row| seal_of(address.stream, row)).transpose()
}

pub(crate) fn seal_of(stream: Stream, row: &Row<'_>) -> Result<Seal, Failure> {
    let bad = || damaged("a seal is not in its format");
    Ok(Seal {
        stream,
        first: row.get::<_, i64>(0)?.cast_unsigned(),
        last: row.get::<_, i64>(1)?.cast_unsigned(),
        root: row.get::<_, Vec<u8>>(2)?.try_into().map_err(|_| bad())?,
        signature: row.get::<_, Vec<u8>>(3)?.try_into().map_err(|_| bad())?,
    })
}

pub(crate) fn last_sealed(db: &Db, stream: &Stream) -> Result<u64, Failure> {
    let Some(stream) = db.find_stream(stream)? else { return Ok(0) };
    let mut find = db.conn.prepare_cached("SELECT max(last) FROM seals WHERE stream = ?1")?;
    let last: Option<i64> = find.query_row([stream], |row| row.get(0))?;
    Ok(last.map_or(0, i64::cast_unsigned))
}

pub(crate) fn seal_path(
    db: &Db,
    seal: &Seal,
    chart: &ChartId,
) -> Result<Option<Vec<Step>>, Failure> {
    let (Some(stream), Some(chart)) = (db.find_stream(&seal.stream)?, db.find_chart(chart)?) else {
        return Ok(None);
    };
    let mut find = db.conn.prepare_cached(
        "SELECT path FROM seal_paths \
         WHERE chart = ?1 AND stream = ?2 AND last = ?3 AND first = ?4",
    )?;
    let key = params![chart, stream, seal.last.cast_signed(), seal.first.cast_signed()];
    let path: Option<Vec<u8>> = find.query_row(key, |row| row.get(0)).optional()?;
    path.map(|path| Ok(read_path(&mut Reader::new(&path))?)).transpose()
}

/// Seals by stream, last and first number, after one.
pub(crate) fn seals_after(db: &Db, after: Option<&Seal>, limit: i64) -> Result<Vec<Seal>, Failure> {
    let (stream, last, first) = place(db, after)?;
    let mut find = db.conn.prepare_cached(
        "SELECT first, last, root, signature, stream FROM seals \
         WHERE (stream, last, first) > (?1, ?2, ?3) ORDER BY stream, last, first LIMIT ?4",
    )?;
    let mut rows = find.query(params![stream, last, first, limit])?;
    let mut seals = vec![];
    while let Some(row) = rows.next()? {
        seals.push(seal_of(db.stream(row.get(4)?)?, row)?);
    }
    Ok(seals)
}

/// Where a seal stands in its table; before all rows for none.
fn place(db: &Db, seal: Option<&Seal>) -> Result<(i64, i64, i64), Failure> {
    let Some(seal) = seal else { return Ok((-1, 0, 0)) };
    let stream = db.find_stream(&seal.stream)?.ok_or_else(|| damaged("a stream is missing"))?;
    Ok((stream, seal.last.cast_signed(), seal.first.cast_signed()))
}

/// Paths with their seals, by chart and seal, after one.
pub(crate) fn seal_paths_after(
    db: &Db,
    after: Option<&(Seal, SealedPath)>,
    limit: i64,
) -> Result<Vec<(Seal, SealedPath)>, Failure> {
    let chart = match after {
        Some((_, path)) => db.find_chart(&path.chart)?,
        None => Some(-1),
    };
    let chart = chart.ok_or_else(|| damaged("a chart's row is missing"))?;
    let (stream, last, first) = place(db, after.map(|(seal, _)| seal))?;
    let mut find = db.conn.prepare_cached(
        "SELECT s.first, s.last, s.root, s.signature, s.stream, p.chart, p.chart_number, p.path \
         FROM seal_paths p JOIN seals s \
           ON s.stream = p.stream AND s.last = p.last AND s.first = p.first \
         WHERE (p.chart, p.stream, p.last, p.first) > (?1, ?2, ?3, ?4) \
         ORDER BY p.chart, p.stream, p.last, p.first LIMIT ?5",
    )?;
    let mut rows = find.query(params![chart, stream, last, first, limit])?;
    let mut paths = vec![];
    while let Some(row) = rows.next()? {
        let path: Vec<u8> = row.get(7)?;
        let path = SealedPath {
            chart: db.chart(row.get(5)?)?,
            chart_number: row.get::<_, i64>(6)?.cast_unsigned(),
            path: read_path(&mut Reader::new(&path))?,
        };
        paths.push((seal_of(db.stream(row.get(4)?)?, row)?, path));
    }
    Ok(paths)
}

pub(crate) fn record_reading(db: &Db, reading: &Reading) -> Result<(), Failure> {
    let mut last = db.conn.prepare_cached("SELECT readings, readings_hash FROM state")?;
    let (count, before): (i64, Vec<u8>) =
        last.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let hash = reading.hash(&before);
    db.conn
        .prepare_cached("INSERT INTO readings VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?
        .execute(params![
            count + 1,
            db.intern_chart(&reading.chart)?,
            reading.at.0,
            db.intern(&reading.who)?,
            db.intern(&reading.role)?,
            db.intern(&reading.action)?,
            db.intern(&reading.relation)?,
            reading.reason,
            hash,
        ])?;
    db.conn
        .prepare_cached("UPDATE state SET readings = ?1, readings_hash = ?2")?
        .execute(params![count + 1, hash])?;
    Ok(())
}

const READING: &str = "SELECT number, chart, at, who, role, action, relation, reason FROM readings";

fn reading(db: &Db, row: &Row<'_>) -> Result<(u64, Reading), Failure> {
    Ok((
        row.get::<_, i64>(0)?.cast_unsigned(),
        Reading {
            at: Millis(row.get(2)?),
            who: db.name(row.get(3)?)?,
            role: db.name(row.get(4)?)?,
            chart: db.chart(row.get(1)?)?,
            action: db.name(row.get(5)?)?,
            relation: db.name(row.get(6)?)?,
            reason: row.get(7)?,
        },
    ))
}

/// Who read a chart, newest first.
pub(crate) fn readings(db: &Db, chart: &ChartId, limit: usize) -> Result<Vec<Reading>, Failure> {
    let Some(chart) = db.find_chart(chart)? else { return Ok(vec![]) };
    let mut find = db
        .conn
        .prepare_cached(&format!("{READING} WHERE chart = ?1 ORDER BY number DESC LIMIT ?2"))?;
    let mut rows = find.query(params![chart, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut readings = vec![];
    while let Some(row) = rows.next()? {
        readings.push(reading(db, row)?.1);
    }
    Ok(readings)
}

/// Readings in the order in which they were recorded, after a number.
pub(crate) fn readings_after(
    db: &Db,
    after: u64,
    limit: usize,
) -> Result<Vec<(u64, Reading)>, Failure> {
    let mut find =
        db.conn.prepare_cached(&format!("{READING} WHERE number > ?1 ORDER BY number LIMIT ?2"))?;
    let key = params![after.cast_signed(), i64::try_from(limit).unwrap_or(i64::MAX)];
    let mut rows = find.query(key)?;
    let mut readings = vec![];
    while let Some(row) = rows.next()? {
        readings.push(reading(db, row)?);
    }
    Ok(readings)
}
