//! Entries, put together again from their rows.

use ondol_kernel::{Hlc, Millis, bytes::Reader};
use ondol_record::{
    Address, Body, Change, ChartId, Entry, EntryHash, Group, Stream, VersionId,
    entry::{ChangeKind, Content},
};
use ondol_store::EntryRow;
use rusqlite::{OptionalExtension, Params, Row, params};

use crate::{
    db::{Db, resource_id},
    error::{Failure, damaged},
    rows::{CLOCK_DOUBTFUL, ID_DERIVED, blob, change_kind},
};

const ENTRY: &str = "SELECT arrival, stream, number, chart, chart_number, hlc, flags, care_time, \
    author, typist, group_size, group_index, first, count FROM entries";

/// The entries that a condition selects.
pub(crate) fn select(
    db: &Db,
    condition: &str,
    values: impl Params,
) -> Result<Vec<EntryRow>, Failure> {
    let mut find = db.conn.prepare_cached(&format!("{ENTRY} {condition}"))?;
    let mut rows = find.query(values)?;
    let mut entries = vec![];
    while let Some(row) = rows.next()? {
        entries.push(entry(db, row)?);
    }
    Ok(entries)
}

/// The entry with an arrival number.
pub(crate) fn at(db: &Db, arrival: i64) -> Result<Option<EntryRow>, Failure> {
    Ok(select(db, "WHERE arrival = ?1", [arrival])?.pop())
}

/// The entry with an address.
pub(crate) fn find(db: &Db, address: &Address) -> Result<Option<EntryRow>, Failure> {
    let Some(stream) = db.find_stream(&address.stream)? else { return Ok(None) };
    let number = address.number.cast_signed();
    Ok(select(db, "WHERE stream = ?1 AND number = ?2", params![stream, number])?.pop())
}

fn entry(db: &Db, row: &Row<'_>) -> Result<EntryRow, Failure> {
    let (stream, chart): (i64, i64) = (row.get(1)?, row.get(3)?);
    let chart_number: i64 = row.get(4)?;
    let flags: u8 = row.get(6)?;
    let group = match (row.get(10)?, row.get(11)?) {
        (Some(size), Some(index)) => Some(Group { size, index }),
        _ => None,
    };
    let entry = Entry {
        address: db.stream(stream)?.at(row.get::<_, i64>(2)?.cast_unsigned()),
        chart: db.chart(chart)?,
        chart_number: chart_number.cast_unsigned(),
        previous: previous(db, stream, chart, chart_number)?,
        hlc: Hlc::from_bits(row.get::<_, i64>(5)?.cast_unsigned()),
        clock_doubtful: flags & CLOCK_DOUBTFUL != 0,
        care_time: row.get::<_, Option<i64>>(7)?.map(Millis),
        author: db.name(row.get(8)?)?,
        typist: db.name(row.get(9)?)?,
        group,
        changes: changes(db, row.get(12)?, row.get(13)?)?,
    };
    Ok(EntryRow { arrival: row.get::<_, i64>(0)?.cast_unsigned(), entry })
}

/// The hash before an entry in its chart. It is not kept twice.
fn previous(db: &Db, stream: i64, chart: i64, chart_number: i64) -> Result<EntryHash, Failure> {
    if chart_number == 1 {
        return Ok(EntryHash::NONE);
    }
    hash_at(db, stream, chart, chart_number.wrapping_sub(1))?
        .ok_or_else(|| damaged("an entry's predecessor in its chart is missing"))
}

/// The hash of an entry by its place in a chart.
pub(crate) fn hash_at(
    db: &Db,
    stream: i64,
    chart: i64,
    chart_number: i64,
) -> Result<Option<EntryHash>, Failure> {
    let mut find = db.conn.prepare_cached(
        "SELECT hash FROM entries WHERE chart = ?1 AND stream = ?2 AND chart_number = ?3",
    )?;
    let key = params![chart, stream, chart_number];
    let hash: Option<Vec<u8>> = find.query_row(key, |row| row.get(0)).optional()?;
    hash.map(hash_of).transpose()
}

/// The hash under which the entry with an address is kept.
pub(crate) fn hash_of_address(db: &Db, address: &Address) -> Result<Option<EntryHash>, Failure> {
    let Some(stream) = db.find_stream(&address.stream)? else { return Ok(None) };
    let mut find =
        db.conn.prepare_cached("SELECT hash FROM entries WHERE stream = ?1 AND number = ?2")?;
    let key = params![stream, address.number.cast_signed()];
    let hash: Option<Vec<u8>> = find.query_row(key, |row| row.get(0)).optional()?;
    hash.map(hash_of).transpose()
}

pub(crate) fn hash_of(bytes: Vec<u8>) -> Result<EntryHash, Failure> {
    Ok(EntryHash(bytes.try_into().map_err(|_| damaged("a hash is not in its format"))?))
}

fn changes(db: &Db, first: i64, count: i64) -> Result<Vec<Change>, Failure> {
    let mut find = db.conn.prepare_cached(
        "SELECT v.kind, v.supersedes, v.body, r.type, r.id \
         FROM versions v JOIN resources r ON r.resource = v.resource \
         WHERE v.version >= ?1 AND v.version < ?2 ORDER BY v.version",
    )?;
    let end = first.checked_add(count).ok_or_else(|| damaged("an entry's count is impossible"))?;
    let mut rows = find.query([first, end])?;
    let mut changes = vec![];
    while let Some(row) = rows.next()? {
        changes.push(change(db, row)?);
    }
    if i64::try_from(changes.len()) != Ok(count) {
        return Err(damaged("an entry's version is missing"));
    }
    Ok(changes)
}

fn change(db: &Db, row: &Row<'_>) -> Result<Change, Failure> {
    let kind: u8 = row.get(0)?;
    let bytes = blob(row, 2)?;
    let content = match change_kind(kind)? {
        ChangeKind::Put => {
            let text = db.packer.unpack(bytes)?;
            let body = Body::from_canonical(&text);
            Content::Put(body.ok_or_else(|| damaged("a body is not in its canonical form"))?)
        }
        ChangeKind::Retract => Content::Retract(db.packer.unpack(bytes)?),
        ChangeKind::Forward => Content::Forward(ChartId::read(&mut Reader::new(bytes))?),
    };
    let supersedes: Option<Vec<u8>> = row.get(1)?;
    Ok(Change {
        resource_type: db.name(row.get(3)?)?,
        id: resource_id(row.get_ref(4)?)?,
        id_is_derived: kind & ID_DERIVED != 0,
        supersedes: supersedes_of(&supersedes.unwrap_or_default())?,
        content,
    })
}

pub(crate) fn supersedes_of(bytes: &[u8]) -> Result<Vec<VersionId>, Failure> {
    let mut reader = Reader::new(bytes);
    let mut ids = Vec::with_capacity(bytes.len() / 8);
    while !reader.is_empty() {
        ids.push(VersionId(reader.array()?));
    }
    Ok(ids)
}

/// Count and hash of the newest entry of a stream in a chart, by rows.
pub(crate) fn head(db: &Db, stream: i64, chart: i64) -> Result<Option<(u64, EntryHash)>, Failure> {
    let mut find = db.conn.prepare_cached(
        "SELECT chart_number, hash FROM entries WHERE chart = ?1 AND stream = ?2 \
         ORDER BY chart_number DESC LIMIT 1",
    )?;
    let found: Option<(i64, Vec<u8>)> =
        find.query_row([chart, stream], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found.map(|(count, hash)| Ok((count.cast_unsigned(), hash_of(hash)?))).transpose()
}

/// Count and hash of the newest entry of a stream in a chart.
pub(crate) fn chart_head(
    db: &Db,
    stream: &Stream,
    chart: &ChartId,
) -> Result<Option<(u64, EntryHash)>, Failure> {
    match (db.find_stream(stream)?, db.find_chart(chart)?) {
        (Some(stream), Some(chart)) => head(db, stream, chart),
        _ => Ok(None),
    }
}

/// The heads of all streams in a chart.
pub(crate) fn chart_heads(
    db: &Db,
    chart: &ChartId,
) -> Result<Vec<(Stream, u64, EntryHash)>, Failure> {
    let Some(chart) = db.find_chart(chart)? else { return Ok(vec![]) };
    let mut find =
        db.conn.prepare_cached("SELECT DISTINCT stream FROM entries WHERE chart = ?1")?;
    let streams: Vec<i64> =
        find.query_map([chart], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut heads = vec![];
    for stream in streams {
        if let Some((count, hash)) = head(db, stream, chart)? {
            heads.push((db.stream(stream)?, count, hash));
        }
    }
    heads.sort_by_key(|(stream, ..)| *stream);
    Ok(heads)
}

/// The newest number of a stream, 0 if none.
pub(crate) fn last_number(db: &Db, stream: i64) -> Result<u64, Failure> {
    let mut find = db.conn.prepare_cached("SELECT max(number) FROM entries WHERE stream = ?1")?;
    let last: Option<i64> = find.query_row([stream], |row| row.get(0))?;
    Ok(last.map_or(0, i64::cast_unsigned))
}

/// The newest arrival number, 0 for an empty store.
pub(crate) fn last_arrival(db: &Db) -> Result<u64, Failure> {
    let mut find = db.conn.prepare_cached("SELECT max(arrival) FROM entries")?;
    let last: Option<i64> = find.query_row([], |row| row.get(0))?;
    Ok(last.map_or(0, i64::cast_unsigned))
}

/// The last number up to which a stream is here without a gap, counted on from one that is.
pub(crate) fn frontier_from(db: &Db, stream: i64, known: i64) -> Result<i64, Failure> {
    let mut find = db.conn.prepare_cached(
        "SELECT number FROM entries WHERE stream = ?1 AND number > ?2 ORDER BY number",
    )?;
    let mut numbers = find.query([stream, known])?;
    let mut reached = known;
    while let Some(row) = numbers.next()? {
        if row.get::<_, i64>(0)? != reached + 1 {
            break;
        }
        reached += 1;
    }
    Ok(reached)
}
