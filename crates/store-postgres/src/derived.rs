//! What follows for a resource from its versions: which are superseded, and which is shown.

use std::collections::BTreeSet;

use ondol_kernel::Hlc;
use ondol_record::{ChangeKind, Version, entry::derive_version, versions::heads};

use crate::{
    db::{Db, version_column},
    entries::supersedes_of,
    error::{Failure, damaged},
    rows::{Place, change_kind, ordinal},
    value::{get, number, values},
};

/// A version as it stands, and as it should: chart, arrival, ordinal, id, superseded.
type Mark = (i64, i64, i64, i64, bool);

/// A row of `resources` without what was written by somebody: chart, arrival, ordinal, rivals,
/// live.
type Shown = (i64, i64, i64, i64, bool);

/// All that is derived for one resource.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Derived {
    marks: Vec<Mark>,
    shown: Shown,
    awaited: BTreeSet<i64>,
}

impl Derived {
    /// Whether the resource is shown with content.
    pub(crate) const fn is_live(&self) -> bool {
        self.shown.4
    }

    /// How many versions the resource has.
    pub(crate) const fn versions(&self) -> usize {
        self.marks.len()
    }

    /// What the tables should say, and what they say.
    pub(crate) fn of(db: &Db, name: i64, place: &Place) -> Result<(Self, Self), Failure> {
        let rows = db.session.query(
            "SELECT v.chart, v.arrival, v.ordinal, v.version, v.superseded, v.kind, v.supersedes, \
             e.stream, e.number, e.hlc \
             FROM versions v JOIN entries e ON e.chart = v.chart AND e.arrival = v.arrival \
             WHERE v.chart = ANY($1) AND v.resource = $2 ORDER BY v.arrival, v.ordinal",
            values![place.charts(), place.resource],
        )?;
        let (mut versions, mut standing) = (vec![], vec![]);
        for row in &rows {
            standing.push((get(row, 0)?, get(row, 1)?, get(row, 2)?, get(row, 3)?, get(row, 4)?));
            let address = db.stream(get(row, 7)?)?.at(number(row, 8)?);
            let hlc = Hlc::from_bits(number(row, 9)?);
            let ordinal = ordinal(get(row, 2)?)?;
            versions.push(Version {
                id: derive_version(&address, hlc, ordinal),
                hlc,
                address,
                ordinal,
                kind: change_kind(get(row, 5)?)?,
                supersedes: supersedes_of(row, 6)?,
            });
        }
        let awaited = awaited(db, place)?;
        let standing = Self { marks: standing, shown: shown(db, name, place)?, awaited };
        Ok((Self::from_versions(&versions, &standing, place.chart), standing))
    }

    fn from_versions(versions: &[Version], standing: &Self, chart: i64) -> Self {
        let heads = heads(versions);
        let here: BTreeSet<i64> = versions.iter().map(|v| version_column(v.id)).collect();
        let replaced: BTreeSet<i64> =
            versions.iter().flat_map(|v| &v.supersedes).map(|id| version_column(*id)).collect();
        let marks = standing.marks.iter().zip(versions).map(|(mark, version)| {
            let id = version_column(version.id);
            (mark.0, mark.1, mark.2, id, replaced.contains(&id))
        });
        let rivals = i64::try_from(heads.len().saturating_sub(1)).unwrap_or(i64::MAX);
        let shown = heads.first().and_then(|head| {
            let at = versions.iter().position(|version| version.id == head.id)?;
            let mark = standing.marks[at];
            Some((mark.0, mark.1, mark.2, rivals, head.kind == ChangeKind::Put))
        });
        Self {
            marks: marks.collect(),
            shown: shown.unwrap_or((chart, 0, 0, rivals, false)),
            awaited: replaced.difference(&here).copied().collect(),
        }
    }

    /// Writes which versions are superseded and awaited, where that differs from what stands.
    pub(crate) fn write_marks(
        &self,
        db: &Db,
        place: &Place,
        standing: &Self,
    ) -> Result<(), Failure> {
        for (mark, old) in self.marks.iter().zip(&standing.marks) {
            if mark != old {
                db.session.later(
                    "UPDATE versions SET version = $4, superseded = $5 \
                     WHERE chart = $1 AND arrival = $2 AND ordinal = $3",
                    values![mark.0, mark.1, mark.2, mark.3, mark.4],
                )?;
            }
        }
        if self.awaited != standing.awaited {
            db.session.later(
                "DELETE FROM awaited WHERE chart = ANY($1) AND resource = $2",
                values![place.charts(), place.resource],
            )?;
            for id in &self.awaited {
                db.session.later(
                    "INSERT INTO awaited VALUES ($1, $2, $3)",
                    values![place.chart, place.resource, *id],
                )?;
            }
        }
        Ok(())
    }
}

fn shown(db: &Db, name: i64, place: &Place) -> Result<Shown, Failure> {
    let row = db.session.one(
        "SELECT chart, arrival, ordinal, rivals, live FROM resources \
         WHERE chart = $1 AND type = $2 AND resource = $3",
        values![place.chart, name, place.resource],
    )?;
    let row = row.ok_or_else(|| damaged("a resource is not where it should be"))?;
    Ok((get(&row, 0)?, get(&row, 1)?, get(&row, 2)?, get(&row, 3)?, get(&row, 4)?))
}

fn awaited(db: &Db, place: &Place) -> Result<BTreeSet<i64>, Failure> {
    let find = "SELECT version FROM awaited WHERE chart = ANY($1) AND resource = $2";
    let rows = db.session.query(find, values![place.charts(), place.resource])?;
    rows.iter().map(|row| get(row, 0)).collect()
}
