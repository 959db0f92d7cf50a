//! Versions as rows, and what a reader gets of them.

use ondol_kernel::{Hlc, Millis, ResourceId, bytes::Reader};
use ondol_record::{ChartId, Version, VersionId, entry::ChangeKind, versions::heads};
use ondol_store::{Found, Stored};
use rusqlite::{OptionalExtension, Row, params};

use crate::{
    db::{Db, IdColumn, resource_id, version_column, version_id},
    error::{Failure, damaged},
};

/// Set in `versions.kind` when the resource's id is derived.
pub(crate) const ID_DERIVED: u8 = 4;

/// Set in `entries.flags` when the clock was in doubt.
pub(crate) const CLOCK_DOUBTFUL: u8 = 1;

/// A row of `resources`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResourceRow {
    pub(crate) row: i64,
    pub(crate) shown: i64,
    pub(crate) rivals: u32,
    pub(crate) chart: i64,
    pub(crate) live: bool,
}

/// A head: what the order among rivals needs, and where it stands.
pub(crate) struct Head {
    pub(crate) row: i64,
    pub(crate) chart: i64,
    pub(crate) version: Version,
}

/// The columns that [`stored`] reads.
const STORED: &str = "SELECT v.version, v.id, v.arrival, v.kind, v.body, e.stream, e.number, \
    e.chart, e.hlc, e.flags, e.care_time, e.author, e.typist, e.first \
    FROM versions v JOIN entries e ON e.arrival = v.arrival";

pub(crate) fn change_kind(column: u8) -> Result<ChangeKind, Failure> {
    match column & !ID_DERIVED {
        0 => Ok(ChangeKind::Put),
        1 => Ok(ChangeKind::Retract),
        2 => Ok(ChangeKind::Forward),
        _ => Err(damaged("a version is of an unknown kind")),
    }
}

/// A column of bytes. One of another type, empty ones among them, is damage: read as nothing it
/// would be a record that is lost without a word.
pub(crate) fn blob<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a [u8], Failure> {
    row.get_ref(column)?.as_blob().map_err(|_| damaged("a column is not of its type"))
}

/// The content column as text: the body, the reason, or the reference of the right chart.
pub(crate) fn content_text(db: &Db, kind: ChangeKind, bytes: &[u8]) -> Result<Box<str>, Failure> {
    match kind {
        ChangeKind::Put | ChangeKind::Retract => Ok(db.packer.unpack(bytes)?),
        ChangeKind::Forward => {
            let chart = ChartId::read(&mut Reader::new(bytes))?;
            let reference = chart.reference();
            Ok(reference.ok_or_else(|| damaged("a forward leads to no chart"))?.into())
        }
    }
}

/// The row of a resource.
pub(crate) fn find_resource(
    db: &Db,
    resource_type: &str,
    id: &ResourceId,
) -> Result<Option<ResourceRow>, Failure> {
    let Some(name) = db.find_name(resource_type)? else { return Ok(None) };
    let mut find = db.conn.prepare_cached(
        "SELECT resource, shown, rivals, chart, live FROM resources WHERE type = ?1 AND id = ?2",
    )?;
    let found = find.query_row(params![name, IdColumn(id.as_str())], resource_row);
    Ok(found.optional()?)
}

fn resource_row(row: &Row<'_>) -> rusqlite::Result<ResourceRow> {
    Ok(ResourceRow {
        row: row.get(0)?,
        shown: row.get(1)?,
        rivals: row.get(2)?,
        chart: row.get(3)?,
        live: row.get(4)?,
    })
}

/// Type, id and row of a resource by its number.
pub(crate) fn resource_at(
    db: &Db,
    row: i64,
) -> Result<Option<(Box<str>, ResourceId, ResourceRow)>, Failure> {
    let mut find = db.conn.prepare_cached(
        "SELECT resource, shown, rivals, chart, live, type, id FROM resources WHERE resource = ?1",
    )?;
    let mut rows = find.query([row])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some((db.name(row.get(5)?)?, resource_id(row.get_ref(6)?)?, resource_row(row)?)))
}

fn stored(db: &Db, resource_type: &str, id: &ResourceId, row: &Row<'_>) -> Result<Stored, Failure> {
    let version: i64 = row.get(0)?;
    let first: i64 = row.get(13)?;
    let kind = change_kind(row.get(3)?)?;
    let flags: u8 = row.get(9)?;
    Ok(Stored {
        resource_type: resource_type.into(),
        id: id.clone(),
        chart: db.chart(row.get(7)?)?,
        version: version_id(row.get(1)?),
        address: db.stream(row.get(5)?)?.at(row.get::<_, i64>(6)?.cast_unsigned()),
        ordinal: ordinal(version, first)?,
        arrival: row.get::<_, i64>(2)?.cast_unsigned(),
        hlc: Hlc::from_bits(row.get::<_, i64>(8)?.cast_unsigned()),
        clock_doubtful: flags & CLOCK_DOUBTFUL != 0,
        care_time: row.get::<_, Option<i64>>(10)?.map(Millis),
        author: db.name(row.get(11)?)?,
        typist: db.name(row.get(12)?)?,
        kind,
        body: content_text(db, kind, blob(row, 4)?)?,
    })
}

pub(crate) fn ordinal(version: i64, first: i64) -> Result<u32, Failure> {
    u32::try_from(version - first).map_err(|_| damaged("a version stands in no entry"))
}

/// The version of a row of `versions`.
pub(crate) fn stored_at(
    db: &Db,
    resource_type: &str,
    id: &ResourceId,
    version: i64,
) -> Result<Stored, Failure> {
    let mut find = db.conn.prepare_cached(&format!("{STORED} WHERE v.version = ?1"))?;
    let mut rows = find.query([version])?;
    let row = rows.next()?.ok_or_else(|| damaged("a resource's version is missing"))?;
    stored(db, resource_type, id, row)
}

/// One version by its id.
pub(crate) fn version(
    db: &Db,
    resource_type: &str,
    id: &ResourceId,
    version: VersionId,
) -> Result<Option<Stored>, Failure> {
    let Some(resource) = find_resource(db, resource_type, id)? else { return Ok(None) };
    let mut find = db.conn.prepare_cached(&format!(
        "{STORED} WHERE v.resource = ?1 AND v.superseded IN (0, 1) AND v.id = ?2"
    ))?;
    let mut rows = find.query(params![resource.row, version_column(version)])?;
    rows.next()?.map(|row| stored(db, resource_type, id, row)).transpose()
}

/// All versions, newest arrival first.
pub(crate) fn history(
    db: &Db,
    resource_type: &str,
    id: &ResourceId,
) -> Result<Vec<Stored>, Failure> {
    let Some(resource) = find_resource(db, resource_type, id)? else { return Ok(vec![]) };
    let mut find = db
        .conn
        .prepare_cached(&format!("{STORED} WHERE v.resource = ?1 ORDER BY v.version DESC"))?;
    let mut rows = find.query([resource.row])?;
    let mut versions = vec![];
    while let Some(row) = rows.next()? {
        versions.push(stored(db, resource_type, id, row)?);
    }
    Ok(versions)
}

/// The versions that no other one supersedes, the shown one first.
pub(crate) fn heads_of(db: &Db, resource: i64) -> Result<Vec<Head>, Failure> {
    let mut find = db.conn.prepare_cached(
        "SELECT v.version, v.id, v.kind, e.stream, e.number, e.hlc, e.first, e.chart \
         FROM versions v JOIN entries e ON e.arrival = v.arrival \
         WHERE v.resource = ?1 AND v.superseded = 0",
    )?;
    let mut rows = find.query([resource])?;
    let (mut places, mut versions) = (vec![], vec![]);
    while let Some(row) = rows.next()? {
        let place: i64 = row.get(0)?;
        places.push((version_id(row.get(1)?), place, row.get::<_, i64>(7)?));
        versions.push(Version {
            id: version_id(row.get(1)?),
            hlc: Hlc::from_bits(row.get::<_, i64>(5)?.cast_unsigned()),
            address: db.stream(row.get(3)?)?.at(row.get::<_, i64>(4)?.cast_unsigned()),
            ordinal: ordinal(place, row.get(6)?)?,
            kind: change_kind(row.get(2)?)?,
            // Superseded versions are not among them, so that nothing is left to replace.
            supersedes: vec![],
        });
    }
    let place = |id: VersionId| places.iter().find(|(of, ..)| *of == id);
    heads(&versions)
        .into_iter()
        .map(|version| {
            let &(_, row, chart) = place(version.id).ok_or_else(|| damaged("a head is missing"))?;
            Ok(Head { row, chart, version: version.clone() })
        })
        .collect()
}

/// The shown version and its rivals.
pub(crate) fn found(
    db: &Db,
    resource_type: &str,
    id: &ResourceId,
    resource: ResourceRow,
) -> Result<Option<Found>, Failure> {
    if resource.shown == 0 {
        return Ok(None);
    }
    let shown = stored_at(db, resource_type, id, resource.shown)?;
    let mut rivals = vec![];
    if resource.rivals > 0 {
        for head in heads_of(db, resource.row)?.iter().skip(1) {
            rivals.push(stored_at(db, resource_type, id, head.row)?);
        }
    }
    Ok(Some(Found { shown, rivals }))
}
