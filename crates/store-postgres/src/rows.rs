//! Versions as rows, and what a reader gets of them.

use ondol_kernel::{Hlc, Millis, ResourceId, bytes::Reader};
use ondol_record::{ChartId, Version, VersionId, entry::ChangeKind, versions::heads};
use ondol_store::{Found, Stored};
use tokio_postgres::Row;

use crate::{
    db::{Db, id_column, resource_id, version_column, version_id},
    error::{Failure, damaged},
    value::{bytes, get, number, values},
};

/// Set in `versions.kind` when the resource's id is derived.
pub(crate) const ID_DERIVED: i64 = 4;

/// Set in `entries.flags` when the clock was in doubt.
pub(crate) const CLOCK_DOUBTFUL: i64 = 1;

/// Where a resource is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) resource: i64,
    /// The chart of the shown version.
    pub(crate) chart: i64,
    /// Others where versions stand.
    pub(crate) others: Vec<i64>,
}

impl Place {
    /// All charts where versions stand.
    pub(crate) fn charts(&self) -> Vec<i64> {
        [&[self.chart], &*self.others].concat()
    }
}

/// A head: what the order among rivals needs, where it stands, and what it says.
pub(crate) struct Head {
    pub(crate) chart: i64,
    pub(crate) arrival: i64,
    pub(crate) ordinal: i64,
    pub(crate) version: Version,
    pub(crate) body: Vec<u8>,
}

/// The columns that [`stored`] reads.
const STORED: &str = "SELECT v.chart, v.arrival, v.ordinal, v.version, v.kind, v.body, v.type, \
    v.id, e.stream, e.number, e.hlc, e.flags, e.care_time, e.author, e.typist";

pub(crate) fn change_kind(column: i64) -> Result<ChangeKind, Failure> {
    match column & !ID_DERIVED {
        0 => Ok(ChangeKind::Put),
        1 => Ok(ChangeKind::Retract),
        2 => Ok(ChangeKind::Forward),
        _ => Err(damaged("a version is of an unknown kind")),
    }
}

/// The content column as text: the body, the reason, or the reference of the right chart.
fn content_text(db: &Db, kind: ChangeKind, bytes: &[u8]) -> Result<Box<str>, Failure> {
    match kind {
        ChangeKind::Put | ChangeKind::Retract => Ok(db.packer.unpack(bytes)?),
        ChangeKind::Forward => {
            let chart = ChartId::read(&mut Reader::new(bytes))?;
            let reference = chart.reference();
            Ok(reference.ok_or_else(|| damaged("a forward leads to no chart"))?.into())
        }
    }
}

/// Where a resource is, if anything of it is here.
pub(crate) fn find_place(
    db: &Db,
    resource_type: &str,
    id: &ResourceId,
) -> Result<Option<(i64, Place)>, Failure> {
    let Some(name) = db.find_name(resource_type)? else { return Ok(None) };
    let find = "SELECT resource, chart, others FROM places WHERE id = $1 AND type = $2";
    let row = db.session.one(find, values![id_column(id), name])?;
    row.map(|row| Ok((name, place(&row, 0)?))).transpose()
}

/// A place from three columns.
pub(crate) fn place(row: &Row, first: usize) -> Result<Place, Failure> {
    Ok(Place {
        resource: get(row, first)?,
        chart: get(row, first + 1)?,
        others: get(row, first + 2)?,
    })
}

pub(crate) fn ordinal(column: i64) -> Result<u32, Failure> {
    u32::try_from(column).map_err(|_| damaged("a version stands in no entry"))
}

fn stored(db: &Db, row: &Row) -> Result<Stored, Failure> {
    let kind = change_kind(get(row, 4)?)?;
    Ok(Stored {
        resource_type: db.name(get(row, 6)?)?,
        id: resource_id(bytes(row, 7)?)?,
        chart: db.chart(get(row, 0)?)?,
        version: version_id(get(row, 3)?),
        address: db.stream(get(row, 8)?)?.at(number(row, 9)?),
        ordinal: ordinal(get(row, 2)?)?,
        arrival: number(row, 1)?,
        hlc: Hlc::from_bits(number(row, 10)?),
        clock_doubtful: get::<i64>(row, 11)? & CLOCK_DOUBTFUL != 0,
        care_time: get::<Option<i64>>(row, 12)?.map(Millis),
        author: db.name(get(row, 13)?)?,
        typist: db.name(get(row, 14)?)?,
        kind,
        body: content_text(db, kind, bytes(row, 5)?)?,
    })
}

/// Versions of a resource by a further condition.
fn versions_of(
    db: &Db,
    place: &Place,
    further: &str,
    more: Vec<crate::value::Value>,
) -> Result<Vec<Stored>, Failure> {
    let text = format!(
        "{STORED} FROM versions v JOIN entries e ON e.chart = v.chart AND e.arrival = v.arrival \
         WHERE v.chart = ANY($1) AND v.resource = $2 {further}"
    );
    let values = [values![place.charts(), place.resource], more].concat();
    db.session.query(text, values)?.iter().map(|row| stored(db, row)).collect()
}

/// One version by its id.
pub(crate) fn version(
    db: &Db,
    resource_type: &str,
    id: &ResourceId,
    version: VersionId,
) -> Result<Option<Stored>, Failure> {
    let Some((_, place)) = find_place(db, resource_type, id)? else { return Ok(None) };
    let more = values![version_column(version)];
    Ok(versions_of(db, &place, "AND v.version = $3", more)?.pop())
}

/// All versions, newest arrival first.
pub(crate) fn history(
    db: &Db,
    resource_type: &str,
    id: &ResourceId,
) -> Result<Vec<Stored>, Failure> {
    let Some((_, place)) = find_place(db, resource_type, id)? else { return Ok(vec![]) };
    versions_of(db, &place, "ORDER BY v.arrival DESC, v.ordinal DESC", vec![])
}

/// The versions that no other one supersedes, the shown one first.
pub(crate) fn heads_of(db: &Db, place: &Place) -> Result<Vec<Head>, Failure> {
    let rows = db.session.query(
        "SELECT v.chart, v.arrival, v.ordinal, v.version, v.kind, v.body, e.stream, e.number, \
         e.hlc FROM versions v JOIN entries e ON e.chart = v.chart AND e.arrival = v.arrival \
         WHERE v.chart = ANY($1) AND v.resource = $2 AND NOT v.superseded",
        values![place.charts(), place.resource],
    )?;
    let mut all = Vec::with_capacity(rows.len());
    for row in &rows {
        let version = Version {
            id: version_id(get(row, 3)?),
            hlc: Hlc::from_bits(number(row, 8)?),
            address: db.stream(get(row, 6)?)?.at(number(row, 7)?),
            ordinal: ordinal(get(row, 2)?)?,
            kind: change_kind(get(row, 4)?)?,
            // Superseded versions are not among them, so that nothing is left to replace.
            supersedes: vec![],
        };
        all.push(Head {
            chart: get(row, 0)?,
            arrival: get(row, 1)?,
            ordinal: get(row, 2)?,
            version,
            body: bytes(row, 5)?.to_vec(),
        });
    }
    let versions: Vec<Version> = all.iter().map(|head| head.version.clone()).collect();
    let order: Vec<VersionId> = heads(&versions).iter().map(|version| version.id).collect();
    let mut sorted = Vec::with_capacity(order.len());
    for id in order {
        let at = all.iter().position(|head| head.version.id == id);
        sorted.push(all.swap_remove(at.ok_or_else(|| damaged("a head is missing"))?));
    }
    Ok(sorted)
}

/// Chart, type and number of a resource: where its row stands.
pub(crate) type Key = (i64, i64, i64);

/// The shown versions of resources with their rivals, in the order in which they are asked;
/// without those of which nothing can be shown.
pub(crate) fn found_all(db: &Db, keys: &[Key]) -> Result<Vec<(i64, Found)>, Failure> {
    if keys.is_empty() {
        return Ok(vec![]);
    }
    let column = |of: fn(&Key) -> i64| keys.iter().map(of).collect::<Vec<i64>>();
    let rows = db.session.query(
        format!(
            "{STORED}, r.resource, r.rivals \
             FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY \
             AS w(chart, type, resource, at) \
             JOIN resources r ON r.chart = w.chart AND r.type = w.type AND r.resource = w.resource \
             JOIN versions v ON v.chart = r.chart AND v.arrival = r.arrival \
             AND v.ordinal = r.ordinal \
             JOIN entries e ON e.chart = v.chart AND e.arrival = v.arrival ORDER BY w.at"
        ),
        values![column(|key| key.0), column(|key| key.1), column(|key| key.2)],
    )?;
    let mut all = Vec::with_capacity(rows.len());
    for row in &rows {
        let shown = stored(db, row)?;
        let rivals = if get::<i64>(row, 16)? > 0 { rivals(db, &shown)? } else { vec![] };
        all.push((get(row, 15)?, Found { shown, rivals }));
    }
    Ok(all)
}

/// The other heads of a resource, in their order.
fn rivals(db: &Db, shown: &Stored) -> Result<Vec<Stored>, Failure> {
    let place = find_place(db, &shown.resource_type, &shown.id)?;
    let (_, place) = place.ok_or_else(|| damaged("a resource is not where it should be"))?;
    let heads = heads_of(db, &place)?;
    let ids: Vec<i64> = heads.iter().skip(1).map(|head| version_column(head.version.id)).collect();
    let mut rivals = versions_of(db, &place, "AND v.version = ANY($3)", values![ids.clone()])?;
    rivals.sort_by_key(|rival| ids.iter().position(|id| *id == version_column(rival.version)));
    Ok(rivals)
}

/// The shown version and its rivals.
pub(crate) fn found(
    db: &Db,
    resource_type: &str,
    id: &ResourceId,
) -> Result<Option<Found>, Failure> {
    let Some((name, place)) = find_place(db, resource_type, id)? else { return Ok(None) };
    let mut all = found_all(db, &[(place.chart, name, place.resource)])?;
    Ok(all.pop().map(|(_, found)| found))
}
