//! Writing an entry's rows, and keeping what is derived from them.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry as Slot};

use ondol_kernel::Hlc;
use ondol_record::{
    Change, Entry, EntryHash,
    entry::{ChangeKind, Content},
};
use ondol_store::{StoreError, index::IndexRow};
use rusqlite::{OptionalExtension, params};

use crate::{
    db::{Db, IdColumn, version_column},
    entries,
    error::{Failure, defect},
    index::{self, Set},
    reindex,
    rows::{CLOCK_DOUBTFUL, ID_DERIVED, ResourceRow, blob, find_resource, heads_of},
};

/// A resource that an entry touches.
struct Touched<'a> {
    resource_type: &'a str,
    row: i64,
    /// What the index has of it.
    indexed: BTreeSet<IndexRow>,
    /// The one change that it has so far, if the resource is new with this entry.
    only: Option<&'a Change>,
}

/// Writes an entry that belongs here. Its place was checked.
pub(crate) fn entry(db: &Db, entry: &Entry, hash: EntryHash) -> Result<(), Failure> {
    let stream = db.intern_stream(&entry.address.stream)?;
    let chart = db.intern_chart(&entry.chart)?;
    let first = next_version(db)?;
    db.conn
        .prepare_cached(
            "INSERT INTO entries(stream, number, chart, chart_number, hlc, hash, flags, \
             care_time, author, typist, group_size, group_index, first, count) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute(params![
            stream,
            entry.address.number.cast_signed(),
            chart,
            entry.chart_number.cast_signed(),
            entry.hlc.bits().cast_signed(),
            hash.0,
            if entry.clock_doubtful { CLOCK_DOUBTFUL } else { 0 },
            entry.care_time.map(|at| at.0),
            db.intern(&entry.author)?,
            db.intern(&entry.typist)?,
            entry.group.map(|group| group.size),
            entry.group.map(|group| group.index),
            first,
            i64::try_from(entry.changes.len()).map_err(|_| defect("an entry is too large"))?,
        ])?;
    let arrival = db.conn.last_insert_rowid();
    db.conn
        .prepare_cached("UPDATE charts SET first = ?2 WHERE chart = ?1 AND first IS NULL")?
        .execute([chart, arrival])?;
    let mut touched: BTreeMap<i64, Touched<'_>> = BTreeMap::new();
    for (version, change) in (first..).zip(&entry.changes) {
        let known = find_resource(db, &change.resource_type, &change.id)?;
        let resource = match known {
            Some(known) => {
                match touched.entry(known.row) {
                    Slot::Vacant(slot) => {
                        slot.insert(touch(db, change, known)?);
                    }
                    Slot::Occupied(mut slot) => slot.get_mut().only = None,
                }
                known.row
            }
            None => {
                let row = new_resource(db, change, chart, version)?;
                let (resource_type, indexed) = (&*change.resource_type, BTreeSet::new());
                let new = Touched { resource_type, row, indexed, only: Some(change) };
                touched.insert(row, new);
                row
            }
        };
        let id = version_column(entry.version_id(to_ordinal(version - first)?));
        let superseded = known.is_some() && is_awaited(db, resource, id)?;
        insert_version(db, [resource, version, id, arrival], superseded, change)?;
    }
    touched.into_values().try_for_each(|touched| settle(db, &touched))?;
    advance_frontier(db, stream)
}

fn to_ordinal(offset: i64) -> Result<u32, Failure> {
    u32::try_from(offset).map_err(|_| defect("an entry is too large"))
}

fn next_version(db: &Db) -> Result<i64, Failure> {
    let mut last = db.conn.prepare_cached("SELECT max(version) FROM versions")?;
    let last: Option<i64> = last.query_row([], |row| row.get(0))?;
    Ok(last.unwrap_or(0) + 1)
}

fn touch<'a>(db: &Db, change: &'a Change, known: ResourceRow) -> Result<Touched<'a>, Failure> {
    let resource_type = &*change.resource_type;
    let indexed = if known.live { wanted(db, resource_type, known.row)? } else { BTreeSet::new() };
    Ok(Touched { resource_type, row: known.row, indexed, only: None })
}

fn new_resource(db: &Db, change: &Change, chart: i64, version: i64) -> Result<i64, Failure> {
    let name = db.intern(&change.resource_type)?;
    db.conn
        .prepare_cached(
            "INSERT INTO resources(type, id, chart, shown, rivals, live) \
             VALUES (?1, ?2, ?3, ?4, 0, ?5)",
        )?
        .execute(params![
            name,
            IdColumn(change.id.as_str()),
            chart,
            version,
            change.kind() == ChangeKind::Put,
        ])?;
    Ok(db.conn.last_insert_rowid())
}

/// Whether somebody said already that this version is superseded; said once, that is used up.
fn is_awaited(db: &Db, resource: i64, id: i64) -> Result<bool, Failure> {
    let taken = db
        .conn
        .prepare_cached("DELETE FROM awaited WHERE resource = ?1 AND id = ?2")?
        .execute([resource, id])?;
    Ok(taken > 0)
}

fn insert_version(
    db: &Db,
    [resource, version, id, arrival]: [i64; 4],
    superseded: bool,
    change: &Change,
) -> Result<(), Failure> {
    let content = match &change.content {
        Content::Put(body) => db.packer.pack(body.as_str())?,
        Content::Retract(reason) => db.packer.pack(reason)?,
        Content::Forward(chart) => {
            let mut bytes = vec![];
            chart.put(&mut bytes);
            bytes
        }
    };
    let derived = if change.id_is_derived { ID_DERIVED } else { 0 };
    let supersedes: Vec<u8> = change.supersedes.iter().flat_map(|id| id.0).collect();
    db.conn
        .prepare_cached(
            "INSERT INTO versions(version, resource, superseded, id, arrival, kind, supersedes, \
             body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            version,
            resource,
            superseded,
            id,
            arrival,
            change.kind() as u8 | derived,
            (!supersedes.is_empty()).then_some(supersedes),
            content,
        ])?;
    for id in &change.supersedes {
        supersede(db, resource, version_column(*id))?;
    }
    Ok(())
}

/// Marks a version as superseded, or notes that it will be when it arrives.
fn supersede(db: &Db, resource: i64, id: i64) -> Result<(), Failure> {
    let marked = db
        .conn
        .prepare_cached(
            "UPDATE versions SET superseded = 1 WHERE resource = ?1 AND superseded = 0 AND id = ?2",
        )?
        .execute([resource, id])?;
    if marked > 0 {
        return Ok(());
    }
    let mut find = db.conn.prepare_cached(
        "SELECT 1 FROM versions WHERE resource = ?1 AND superseded = 1 AND id = ?2",
    )?;
    if find.query_row([resource, id], |_| Ok(())).optional()?.is_none() {
        db.conn
            .prepare_cached("INSERT OR IGNORE INTO awaited(resource, id) VALUES (?1, ?2)")?
            .execute([resource, id])?;
    }
    Ok(())
}

/// The index rows that a resource should have: those of all its heads with content.
pub(crate) fn wanted(
    db: &Db,
    resource_type: &str,
    resource: i64,
) -> Result<BTreeSet<IndexRow>, Failure> {
    let mut rows = BTreeSet::new();
    let mut find = db.conn.prepare_cached(
        "SELECT body FROM versions WHERE resource = ?1 AND superseded = 0 AND kind & 3 = 0",
    )?;
    let mut heads = find.query([resource])?;
    while let Some(head) = heads.next()? {
        let body = blob(head, 0).and_then(|packed| Ok(db.packer.unpack(packed)?));
        match body.and_then(|body: Box<str>| index::rows(db, resource_type, &body, &mut rows)) {
            // A body that went bad on the disk must not keep the next version from being saved;
            // `verify` tells about it.
            Ok(()) | Err(Failure(StoreError::Damaged(_))) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(rows)
}

/// Chooses the shown version again and brings the index up to date.
fn settle(db: &Db, touched: &Touched<'_>) -> Result<(), Failure> {
    let wanted = match touched.only.map(|change| (&change.content, &change.supersedes)) {
        // The only version is shown as it was written; a version that supersedes others may
        // supersede itself.
        Some((Content::Put(body), supersedes)) if supersedes.is_empty() => {
            let mut rows = BTreeSet::new();
            index::rows_of(db, touched.resource_type, body, &mut rows)?;
            rows
        }
        _ if place(db, touched.row)? => wanted(db, touched.resource_type, touched.row)?,
        _ => BTreeSet::new(),
    };
    let added = || wanted.difference(&touched.indexed);
    let gone = || touched.indexed.difference(&wanted);
    index::change(db, Set::Live, touched.row, gone(), added())?;
    if reindex::has_passed(db, touched.row)? {
        index::change(db, Set::Next, touched.row, gone(), added())?;
    }
    Ok(())
}

/// Writes which version of a resource is shown; whether it has content.
pub(crate) fn place(db: &Db, resource: i64) -> Result<bool, Failure> {
    let heads = heads_of(db, resource)?;
    let (shown, chart, live) = match heads.first() {
        Some(head) => (head.row, head.chart, head.version.kind == ChangeKind::Put),
        // Versions that supersede each other in a circle: nothing can be shown.
        None => (0, 0, false),
    };
    let rivals = i64::try_from(heads.len().saturating_sub(1)).unwrap_or(i64::MAX);
    db.conn
        .prepare_cached(
            "UPDATE resources SET shown = ?2, rivals = ?3, live = ?4, \
             chart = CASE ?2 WHEN 0 THEN chart ELSE ?5 END WHERE resource = ?1",
        )?
        .execute(params![resource, shown, rivals, live, chart])?;
    Ok(live)
}

/// Moves the frontier of a stream over the numbers that are here without a gap.
fn advance_frontier(db: &Db, stream: i64) -> Result<(), Failure> {
    let mut read = db.conn.prepare_cached("SELECT frontier FROM streams WHERE stream = ?1")?;
    let frontier: i64 = read.query_row([stream], |row| row.get(0))?;
    let reached = entries::frontier_from(db, stream, frontier)?;
    if reached > frontier {
        db.conn
            .prepare_cached("UPDATE streams SET frontier = ?2 WHERE stream = ?1")?
            .execute([stream, reached])?;
    }
    Ok(())
}

/// The newest stamp that was written or believed.
pub(crate) fn newest_hlc(db: &Db) -> Result<Hlc, Failure> {
    let mut read = db.conn.prepare_cached("SELECT newest_hlc FROM state")?;
    Ok(Hlc::from_bits(read.query_row([], |row| row.get::<_, i64>(0))?.cast_unsigned()))
}

pub(crate) fn set_newest_hlc(db: &Db, hlc: Hlc) -> Result<(), Failure> {
    db.conn
        .prepare_cached("UPDATE state SET newest_hlc = ?1")?
        .execute([hlc.bits().cast_signed()])?;
    Ok(())
}
