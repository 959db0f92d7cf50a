//! The node's own: identity, small values, seals, and who read which chart.

use ondol_kernel::{Millis, NodeId, bytes::Reader};
use ondol_record::{
    Address, ChartId, Seal, Stream,
    seal::{Step, put_path, read_path},
};
use ondol_store::{Identity, KeyValue, Reading, SealedPath, Space};
use tokio_postgres::Row;

use crate::{
    db::{Db, id_column, resource_id},
    error::{Failure, damaged},
    value::{bytes, get, number, values},
};

/// Who the store belongs to.
pub(crate) fn identity(db: &Db) -> Result<Option<Identity>, Failure> {
    let row = db.session.one("SELECT node, incarnation, facility FROM ondol", vec![])?;
    let row = row.ok_or_else(|| damaged("the state is missing"))?;
    let node: Option<&[u8]> = row.try_get(0)?;
    let Some(node) = node else { return Ok(None) };
    let bad = || damaged("the node's id is not in its format");
    Ok(Some(Identity {
        node: NodeId(node.try_into().map_err(|_| bad())?),
        incarnation: u32::try_from(get::<i64>(&row, 1)?).map_err(|_| bad())?,
        facility: resource_id(bytes(&row, 2)?)?,
    }))
}

pub(crate) fn set_identity(db: &Db, identity: &Identity) -> Result<(), Failure> {
    db.session.later(
        "UPDATE ondol SET node = $1, incarnation = $2, facility = $3",
        values![identity.node.0, i64::from(identity.incarnation), id_column(&identity.facility)],
    )
}

pub(crate) fn value(db: &Db, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
    let find = "SELECT value FROM small_values WHERE space = $1 AND key = $2";
    let row = db.session.one(find, values![i64::from(space as u8), key])?;
    row.map(|row| get(&row, 0)).transpose()
}

pub(crate) fn set_value(
    db: &Db,
    space: Space,
    key: &[u8],
    value: Option<&[u8]>,
) -> Result<(), Failure> {
    let space = i64::from(space as u8);
    match value {
        Some(value) => db.session.later(
            "INSERT INTO small_values VALUES ($1, $2, $3) \
             ON CONFLICT (space, key) DO UPDATE SET value = excluded.value",
            values![space, key, value],
        ),
        None => db
            .session
            .later("DELETE FROM small_values WHERE space = $1 AND key = $2", values![space, key]),
    }
}

/// The first key that no longer begins with a prefix; none if all that follow do.
fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

/// Values whose keys begin with `prefix` and are greater than `after`, in key order.
pub(crate) fn values(
    db: &Db,
    space: Space,
    prefix: &[u8],
    after: Option<&[u8]>,
    limit: i64,
) -> Result<Vec<KeyValue>, Failure> {
    // Four texts: an index goes from one bound to the other only if both are said plainly.
    let from = match after {
        Some(after) if after >= prefix => ("key > $2", after),
        _ => ("key >= $2", prefix),
    };
    let end = end_of(prefix);
    let until = if end.is_some() { " AND key < $4" } else { "" };
    let text = format!(
        "SELECT key, value FROM small_values WHERE space = $1 AND {}{until} \
         ORDER BY key LIMIT $3",
        from.0
    );
    let mut key = values![i64::from(space as u8), from.1, limit];
    key.extend(end.map(crate::value::Value::from));
    let rows = db.session.query(text, key)?;
    rows.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?))).collect()
}

pub(crate) fn put_seal(db: &Db, seal: &Seal, paths: &[SealedPath]) -> Result<(), Failure> {
    let stream = db.intern_stream(&seal.stream)?;
    let (first, last) = (seal.first.cast_signed(), seal.last.cast_signed());
    db.session.later(
        "INSERT INTO seals VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        values![stream, last, first, seal.root, seal.signature],
    )?;
    for sealed in paths {
        let chart = db.intern_chart(&sealed.chart, None)?;
        let mut path = vec![];
        put_path(&mut path, &sealed.path);
        db.session.later(
            "INSERT INTO seal_paths VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (chart, stream, last, first) \
             DO UPDATE SET chart_number = excluded.chart_number, path = excluded.path",
            values![chart, stream, last, first, sealed.chart_number.cast_signed(), path],
        )?;
    }
    Ok(())
}

/// The seal whose range has a number; the shortest of those that end first, if there are several.
pub(crate) fn seal(db: &Db, address: &Address) -> Result<Option<Seal>, Failure> {
    let Some(stream) = db.find_stream(&address.stream)? else { return Ok(None) };
    let row = db.session.one(
        "SELECT first, last, root, signature FROM seals \
         WHERE stream = $1 AND last >= $2 AND first <= $2 ORDER BY last, first DESC LIMIT 1",
        values![stream, address.number.cast_signed()],
    )?;
    row.map(|row| seal_of(address.stream, &row)).transpose()
}

pub(crate) fn seal_of(stream: Stream, row: &Row) -> Result<Seal, Failure> {
    let bad = || damaged("a seal is not in its format");
    Ok(Seal {
        stream,
        first: number(row, 0)?,
        last: number(row, 1)?,
        root: bytes(row, 2)?.try_into().map_err(|_| bad())?,
        signature: bytes(row, 3)?.try_into().map_err(|_| bad())?,
    })
}

pub(crate) fn last_sealed(db: &Db, stream: &Stream) -> Result<u64, Failure> {
    let Some(stream) = db.find_stream(stream)? else { return Ok(0) };
    let row = db.session.one("SELECT max(last) FROM seals WHERE stream = $1", values![stream])?;
    let last = row.map_or(Ok(None), |row| get::<Option<i64>>(&row, 0))?;
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
    let row = db.session.one(
        "SELECT path FROM seal_paths \
         WHERE chart = $1 AND stream = $2 AND last = $3 AND first = $4",
        values![chart, stream, seal.last.cast_signed(), seal.first.cast_signed()],
    )?;
    row.map(|row| Ok(read_path(&mut Reader::new(bytes(&row, 0)?))?)).transpose()
}

/// Seals by stream, last and first number, after one.
pub(crate) fn seals_after(db: &Db, after: Option<&Seal>, limit: i64) -> Result<Vec<Seal>, Failure> {
    let (stream, last, first) = place(db, after)?;
    let rows = db.session.query(
        "SELECT first, last, root, signature, stream FROM seals \
         WHERE (stream, last, first) > ($1, $2, $3) ORDER BY stream, last, first LIMIT $4",
        values![stream, last, first, limit],
    )?;
    rows.iter().map(|row| seal_of(db.stream(get(row, 4)?)?, row)).collect()
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
    const PATHS: &str = "SELECT s.first, s.last, s.root, s.signature, s.stream, p.chart, \
        p.chart_number, p.path FROM seal_paths p JOIN seals s \
        ON s.stream = p.stream AND s.last = p.last AND s.first = p.first";
    const ORDER: &str = "ORDER BY p.chart, p.stream, p.last, p.first";
    // Keys of charts use all 64 bits, so that nothing is before all of them.
    let rows = match after {
        None => db.session.query(format!("{PATHS} {ORDER} LIMIT $1"), values![limit])?,
        Some((seal, path)) => {
            let chart = db.find_chart(&path.chart)?;
            let chart = chart.ok_or_else(|| damaged("a chart's row is missing"))?;
            let (stream, last, first) = place(db, Some(seal))?;
            let text = format!(
                "{PATHS} WHERE (p.chart, p.stream, p.last, p.first) > ($1, $2, $3, $4) \
                 {ORDER} LIMIT $5"
            );
            db.session.query(text, values![chart, stream, last, first, limit])?
        }
    };
    let mut paths = vec![];
    for row in &rows {
        let path = SealedPath {
            chart: db.chart(get(row, 5)?)?,
            chart_number: number(row, 6)?,
            path: read_path(&mut Reader::new(bytes(row, 7)?))?,
        };
        paths.push((seal_of(db.stream(get(row, 4)?)?, row)?, path));
    }
    Ok(paths)
}

pub(crate) fn record_reading(db: &Db, reading: &Reading) -> Result<(), Failure> {
    let row = db.session.one("SELECT readings, readings_hash FROM ondol", vec![])?;
    let row = row.ok_or_else(|| damaged("the state is missing"))?;
    let (next, hash) = (get::<i64>(&row, 0)? + 1, reading.hash(bytes(&row, 1)?));
    let chart = db.intern_chart(&reading.chart, None)?;
    let columns = values![
        chart,
        next,
        reading.at.0,
        db.intern(&reading.who)?,
        db.intern(&reading.role)?,
        db.intern(&reading.action)?,
        db.intern(&reading.relation)?,
        &*reading.reason,
        hash,
    ];
    db.session
        .later("INSERT INTO readings VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", columns)?;
    db.session.later("UPDATE ondol SET readings = $1, readings_hash = $2", values![next, hash])
}

/// The columns that [`reading`] reads, and the hash behind them.
pub(crate) const READING: &str =
    "SELECT number, chart, at, who, role, action, relation, reason, hash FROM readings";

pub(crate) fn reading(db: &Db, row: &Row) -> Result<(u64, Reading), Failure> {
    let reason = std::str::from_utf8(bytes(row, 7)?);
    Ok((
        number(row, 0)?,
        Reading {
            at: Millis(get(row, 2)?),
            who: db.name(get(row, 3)?)?,
            role: db.name(get(row, 4)?)?,
            chart: db.chart(get(row, 1)?)?,
            action: db.name(get(row, 5)?)?,
            relation: db.name(get(row, 6)?)?,
            reason: reason.map_err(|_| damaged("a reason is not text"))?.into(),
        },
    ))
}

/// Who read a chart, newest first.
pub(crate) fn readings(db: &Db, chart: &ChartId, limit: i64) -> Result<Vec<Reading>, Failure> {
    let Some(chart) = db.find_chart(chart)? else { return Ok(vec![]) };
    let text = format!("{READING} WHERE chart = $1 ORDER BY number DESC LIMIT $2");
    let rows = db.session.query(text, values![chart, limit])?;
    rows.iter().map(|row| Ok(reading(db, row)?.1)).collect()
}

/// Readings in the order in which they were recorded, after a number.
pub(crate) fn readings_after(
    db: &Db,
    after: u64,
    limit: i64,
) -> Result<Vec<(u64, Reading)>, Failure> {
    let text = format!("{READING} WHERE number > $1 ORDER BY number LIMIT $2");
    let rows = db.session.query(text, values![after.cast_signed(), limit])?;
    rows.iter().map(|row| reading(db, row)).collect()
}
