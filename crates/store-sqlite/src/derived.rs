//! What follows for a resource from its versions: which are superseded, and which is shown.

use std::collections::BTreeSet;

use ondol_kernel::Hlc;
use ondol_record::{
    Version,
    entry::{ChangeKind, derive_version},
    versions::heads,
};
use rusqlite::params;

use crate::{
    db::{Db, version_column},
    entries::supersedes_of,
    error::Failure,
    rows::{change_kind, ordinal},
};

/// A version as it stands, and as it should.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    row: i64,
    id: i64,
    superseded: bool,
}

/// A row of `resources` without what was written by somebody.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    shown: i64,
    chart: i64,
    rivals: i64,
    live: bool,
}

/// All that is derived for one resource.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Derived {
    marks: Vec<Mark>,
    place: Place,
    awaited: BTreeSet<i64>,
}

impl Derived {
    /// Whether the resource is shown with content.
    pub(crate) const fn is_live(&self) -> bool {
        self.place.live
    }

    /// What the tables should say, and what they say.
    pub(crate) fn of(db: &Db, resource: i64) -> Result<(Self, Self), Failure> {
        let mut find = db.conn.prepare_cached(
            "SELECT v.version, v.kind, v.supersedes, v.id, v.superseded, e.stream, e.number, \
             e.hlc, e.first, e.chart FROM versions v JOIN entries e ON e.arrival = v.arrival \
             WHERE v.resource = ?1 ORDER BY v.version",
        )?;
        let mut rows = find.query([resource])?;
        let (mut versions, mut standing, mut charts) = (vec![], vec![], vec![]);
        while let Some(row) = rows.next()? {
            let at: i64 = row.get(0)?;
            standing.push(Mark { row: at, id: row.get(3)?, superseded: row.get(4)? });
            charts.push(row.get(9)?);
            let supersedes: Option<Vec<u8>> = row.get(2)?;
            let address = db.stream(row.get(5)?)?.at(row.get::<_, i64>(6)?.cast_unsigned());
            let hlc = Hlc::from_bits(row.get::<_, i64>(7)?.cast_unsigned());
            let ordinal = ordinal(at, row.get(8)?)?;
            versions.push(Version {
                id: derive_version(&address, hlc, ordinal),
                hlc,
                address,
                ordinal,
                kind: change_kind(row.get(1)?)?,
                supersedes: supersedes_of(&supersedes.unwrap_or_default())?,
            });
        }
        let standing =
            Self { marks: standing, place: place(db, resource)?, awaited: awaited(db, resource)? };
        Ok((Self::from_versions(&versions, &standing, &charts), standing))
    }

    fn from_versions(versions: &[Version], standing: &Self, charts: &[i64]) -> Self {
        let heads = heads(versions);
        let here: BTreeSet<i64> = versions.iter().map(|v| version_column(v.id)).collect();
        let replaced: BTreeSet<i64> =
            versions.iter().flat_map(|v| &v.supersedes).map(|id| version_column(*id)).collect();
        let marks = standing.marks.iter().zip(versions).map(|(mark, version)| {
            let id = version_column(version.id);
            Mark { row: mark.row, id, superseded: replaced.contains(&id) }
        });
        let shown = heads.first().and_then(|head| {
            let at = versions.iter().position(|version| version.id == head.id)?;
            Some((standing.marks[at].row, charts[at], head.kind == ChangeKind::Put))
        });
        let (shown, chart, live) = shown.unwrap_or((0, standing.place.chart, false));
        let rivals = i64::try_from(heads.len().saturating_sub(1)).unwrap_or(i64::MAX);
        Self {
            marks: marks.collect(),
            place: Place { shown, chart, rivals, live },
            awaited: replaced.difference(&here).copied().collect(),
        }
    }

    /// Writes what differs from what stands.
    pub(crate) fn write(&self, db: &Db, resource: i64, standing: &Self) -> Result<(), Failure> {
        for (mark, old) in self.marks.iter().zip(&standing.marks) {
            if mark != old {
                db.conn
                    .prepare_cached(
                        "UPDATE versions SET id = ?2, superseded = ?3 WHERE version = ?1",
                    )?
                    .execute(params![mark.row, mark.id, mark.superseded])?;
            }
        }
        if self.place != standing.place {
            let Place { shown, chart, rivals, live } = self.place;
            db.conn
                .prepare_cached(
                    "UPDATE resources SET shown = ?2, chart = ?3, rivals = ?4, live = ?5 \
                     WHERE resource = ?1",
                )?
                .execute(params![resource, shown, chart, rivals, live])?;
        }
        if self.awaited != standing.awaited {
            db.conn
                .prepare_cached("DELETE FROM awaited WHERE resource = ?1")?
                .execute([resource])?;
            let mut add = db.conn.prepare_cached("INSERT INTO awaited VALUES (?1, ?2)")?;
            for id in &self.awaited {
                add.execute([resource, *id])?;
            }
        }
        Ok(())
    }
}

fn place(db: &Db, resource: i64) -> Result<Place, Failure> {
    let mut find = db
        .conn
        .prepare_cached("SELECT shown, chart, rivals, live FROM resources WHERE resource = ?1")?;
    Ok(find.query_row([resource], |row| {
        Ok(Place { shown: row.get(0)?, chart: row.get(1)?, rivals: row.get(2)?, live: row.get(3)? })
    })?)
}

fn awaited(db: &Db, resource: i64) -> Result<BTreeSet<i64>, Failure> {
    let mut find = db.conn.prepare_cached("SELECT id FROM awaited WHERE resource = ?1")?;
    Ok(find.query_map([resource], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}
