//! Entries, put together again from their rows.

use std::collections::HashMap;

use ondol_kernel::{Hlc, Millis, bytes::Reader};
use ondol_record::{
    Address, Body, Change, ChartId, Entry, EntryHash, Group, Stream, VersionId,
    entry::{ChangeKind, Content},
};
use ondol_store::EntryRow;
use tokio_postgres::Row;

use crate::{
    db::{Db, resource_id},
    error::{Failure, damaged},
    rows::{CLOCK_DOUBTFUL, ID_DERIVED, change_kind},
    value::{Value, bytes, get, number, values},
};

/// So many entries are put together at a time, so that a long answer needs no second copy of all.
const AT_A_TIME: usize = 256;

const ENTRY: &str = "SELECT e.chart, e.arrival, e.stream, e.number, e.chart_number, e.hlc, \
    e.flags, e.care_time, e.author, e.typist, e.group_size, e.group_index, e.count, p.hash \
    FROM entries e LEFT JOIN entries p ON p.chart = e.chart AND p.stream = e.stream \
    AND p.chart_number = e.chart_number - 1";

/// The entries that a condition on `e` selects.
pub(crate) fn select(
    db: &Db,
    condition: &str,
    values: Vec<Value>,
) -> Result<Vec<EntryRow>, Failure> {
    let rows = db.session.query(format!("{ENTRY} {condition}"), values)?;
    let mut entries = Vec::with_capacity(rows.len());
    for rows in rows.chunks(AT_A_TIME) {
        let mut changes = changes(db, rows)?;
        for row in rows {
            let changes = changes.remove(&get(row, 1)?).unwrap_or_default();
            entries.push(entry(db, row, changes)?);
        }
    }
    Ok(entries)
}

/// The entry with an address.
pub(crate) fn find(db: &Db, address: &Address) -> Result<Option<EntryRow>, Failure> {
    let Some(stream) = db.find_stream(&address.stream)? else { return Ok(None) };
    let key = values![stream, address.number.cast_signed()];
    Ok(select(db, "WHERE e.stream = $1 AND e.number = $2", key)?.pop())
}

fn entry(db: &Db, row: &Row, changes: Vec<Change>) -> Result<EntryRow, Failure> {
    let small = |column| -> Result<Option<u32>, Failure> {
        let value: Option<i64> = get(row, column)?;
        let value = value.map(u32::try_from).transpose();
        value.map_err(|_| damaged("a group is not in its format"))
    };
    let group = match (small(10)?, small(11)?) {
        (Some(size), Some(index)) => Some(Group { size, index }),
        _ => None,
    };
    if i64::try_from(changes.len()) != Ok(get(row, 12)?) {
        return Err(damaged("an entry's version is missing"));
    }
    let chart_number = number(row, 4)?;
    let previous: Option<&[u8]> = row.try_get(13)?;
    let previous = match previous {
        Some(hash) => hash_of(hash)?,
        None if chart_number == 1 => EntryHash::NONE,
        None => return Err(damaged("an entry's predecessor in its chart is missing")),
    };
    let entry = Entry {
        address: db.stream(get(row, 2)?)?.at(number(row, 3)?),
        chart: db.chart(get(row, 0)?)?,
        chart_number,
        previous,
        hlc: Hlc::from_bits(number(row, 5)?),
        clock_doubtful: get::<i64>(row, 6)? & CLOCK_DOUBTFUL != 0,
        care_time: get::<Option<i64>>(row, 7)?.map(Millis),
        author: db.name(get(row, 8)?)?,
        typist: db.name(get(row, 9)?)?,
        group,
        changes,
    };
    Ok(EntryRow { arrival: number(row, 1)?, entry })
}

/// The changes of entries, by arrival.
fn changes(db: &Db, entries: &[Row]) -> Result<HashMap<i64, Vec<Change>>, Failure> {
    let column = |at| entries.iter().map(|row| get(row, at)).collect::<Result<Vec<i64>, _>>();
    let rows = db.session.query(
        "SELECT v.arrival, v.kind, v.supersedes, v.body, v.type, v.id \
         FROM unnest($1::bigint[], $2::bigint[]) AS w(chart, arrival) \
         JOIN versions v ON v.chart = w.chart AND v.arrival = w.arrival \
         ORDER BY v.arrival, v.ordinal",
        values![column(0)?, column(1)?],
    )?;
    let mut changes: HashMap<i64, Vec<Change>> = HashMap::new();
    for row in rows {
        changes.entry(get(&row, 0)?).or_default().push(change(db, &row)?);
    }
    Ok(changes)
}

fn change(db: &Db, row: &Row) -> Result<Change, Failure> {
    let kind: i64 = get(row, 1)?;
    let content = bytes(row, 3)?;
    let content = match change_kind(kind)? {
        ChangeKind::Put => {
            let text = db.packer.unpack(content)?;
            let body = Body::from_canonical(&text);
            Content::Put(body.ok_or_else(|| damaged("a body is not in its canonical form"))?)
        }
        ChangeKind::Retract => Content::Retract(db.packer.unpack(content)?),
        ChangeKind::Forward => Content::Forward(ChartId::read(&mut Reader::new(content))?),
    };
    Ok(Change {
        resource_type: db.name(get(row, 4)?)?,
        id: resource_id(bytes(row, 5)?)?,
        id_is_derived: kind & ID_DERIVED != 0,
        supersedes: supersedes_of(row, 2)?,
        content,
    })
}

/// The version ids of a column; none for NULL.
pub(crate) fn supersedes_of(row: &Row, column: usize) -> Result<Vec<VersionId>, Failure> {
    let bytes: Option<&[u8]> = row.try_get(column)?;
    let bytes = bytes.unwrap_or_default();
    let mut reader = Reader::new(bytes);
    let mut ids = Vec::with_capacity(bytes.len() / 8);
    while !reader.is_empty() {
        ids.push(VersionId(reader.array()?));
    }
    Ok(ids)
}

pub(crate) fn hash_of(bytes: &[u8]) -> Result<EntryHash, Failure> {
    Ok(EntryHash(bytes.try_into().map_err(|_| damaged("a hash is not in its format"))?))
}

/// The hash of an entry by its place in a chart.
pub(crate) fn hash_at(
    db: &Db,
    stream: i64,
    chart: i64,
    chart_number: i64,
) -> Result<Option<EntryHash>, Failure> {
    let find = "SELECT hash FROM entries WHERE chart = $1 AND stream = $2 AND chart_number = $3";
    let row = db.session.one(find, values![chart, stream, chart_number])?;
    row.map(|row| hash_of(bytes(&row, 0)?)).transpose()
}

/// The hash under which the entry with an address is kept.
pub(crate) fn hash_of_address(db: &Db, address: &Address) -> Result<Option<EntryHash>, Failure> {
    let Some(stream) = db.find_stream(&address.stream)? else { return Ok(None) };
    let find = "SELECT hash FROM entries WHERE stream = $1 AND number = $2";
    let row = db.session.one(find, values![stream, address.number.cast_signed()])?;
    row.map(|row| hash_of(bytes(&row, 0)?)).transpose()
}

/// Count and hash of the newest entry of a stream in a chart.
pub(crate) fn chart_head(
    db: &Db,
    stream: &Stream,
    chart: &ChartId,
) -> Result<Option<(u64, EntryHash)>, Failure> {
    let (Some(stream), Some(chart)) = (db.find_stream(stream)?, db.find_chart(chart)?) else {
        return Ok(None);
    };
    let find = "SELECT chart_number, hash FROM entries WHERE chart = $1 AND stream = $2 \
        ORDER BY chart_number DESC LIMIT 1";
    let row = db.session.one(find, values![chart, stream])?;
    row.map(|row| Ok((number(&row, 0)?, hash_of(bytes(&row, 1)?)?))).transpose()
}

/// The heads of all streams in a chart.
pub(crate) fn chart_heads(
    db: &Db,
    chart: &ChartId,
) -> Result<Vec<(Stream, u64, EntryHash)>, Failure> {
    let Some(chart) = db.find_chart(chart)? else { return Ok(vec![]) };
    let find = "SELECT DISTINCT ON (stream) stream, chart_number, hash FROM entries \
        WHERE chart = $1 ORDER BY stream, chart_number DESC";
    let mut heads = vec![];
    for row in db.session.query(find, values![chart])? {
        heads.push((db.stream(get(&row, 0)?)?, number(&row, 1)?, hash_of(bytes(&row, 2)?)?));
    }
    heads.sort_by_key(|(stream, ..)| *stream);
    Ok(heads)
}

/// The newest number of a stream, 0 if none.
pub(crate) fn last_number(db: &Db, stream: i64) -> Result<i64, Failure> {
    if let Some(tail) = db.tails.borrow().get(&stream) {
        return Ok(tail.last);
    }
    let row =
        db.session.one("SELECT max(number) FROM entries WHERE stream = $1", values![stream])?;
    Ok(row.map_or(Ok(None), |row| get::<Option<i64>>(&row, 0))?.unwrap_or(0))
}

/// The newest arrival number, 0 for an empty store.
pub(crate) fn last_arrival(db: &Db) -> Result<u64, Failure> {
    let row = db.session.one("SELECT max(arrival) FROM entries", vec![])?;
    let last = row.map_or(Ok(None), |row| get::<Option<i64>>(&row, 0))?;
    Ok(last.map_or(0, i64::cast_unsigned))
}

/// The last number up to which a stream is here without a gap, counted on from one that is.
pub(crate) fn frontier_from(db: &Db, stream: i64, known: i64) -> Result<i64, Failure> {
    let mut reached = known;
    loop {
        let find = "SELECT number FROM entries WHERE stream = $1 AND number > $2 \
            ORDER BY number LIMIT 1000";
        let rows = db.session.query(find, values![stream, reached])?;
        for row in &rows {
            if get::<i64>(row, 0)? != reached + 1 {
                return Ok(reached);
            }
            reached += 1;
        }
        if rows.is_empty() {
            return Ok(reached);
        }
    }
}
