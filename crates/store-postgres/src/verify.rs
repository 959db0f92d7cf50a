//! Checking the log against itself.

mod chains;

use std::collections::HashSet;

use ondol_record::{
    Address, Entry,
    entry::{derive_id, derive_version},
};
use ondol_store::{Finding, StoreError};
use tokio_postgres::Row;

use crate::{
    db::{Db, version_column},
    derived::Derived,
    entries,
    error::Failure,
    index,
    reindex::{Placed, places_after},
    rows::heads_of,
    value::{bytes, get, number, values},
};

/// Enough to know that a disk is to be replaced.
const FINDINGS_MAX: usize = 1_000;

/// After so many steps the progress is told.
const TELL_EVERY: u64 = 256;

/// So many rows are looked at at a time.
const BATCH: i64 = 200;

struct Check<'a> {
    db: &'a Db,
    findings: Vec<Finding>,
    progress: &'a mut dyn FnMut(u64, u64),
    done: u64,
    all: u64,
}

/// Everything that is wrong. One moment is looked at, while writes go on.
pub(crate) fn verify(db: &Db, progress: &mut dyn FnMut(u64, u64)) -> Result<Vec<Finding>, Failure> {
    // The connection may have served before the writer changed it.
    db.utc_offset_minutes.set(None);
    let mut check = Check { db, findings: vec![], progress, done: 0, all: 0 };
    check.all = check.count("entries")? + check.count("places")? + check.count("readings")? + 1;
    for step in [Check::entries, Check::streams, Check::resources, Check::seals, Check::readings] {
        check.step(step)?;
    }
    (check.progress)(check.all, check.all);
    Ok(check.findings)
}

impl Check<'_> {
    fn count(&self, table: &str) -> Result<u64, Failure> {
        let row = self.db.session.one(format!("SELECT count(*) FROM {table}"), vec![])?;
        Ok(row.map_or(Ok(0), |row| get::<i64>(&row, 0))?.cast_unsigned())
    }

    /// Damage that stops a step is a finding like others.
    fn step(&mut self, step: fn(&mut Self) -> Result<(), Failure>) -> Result<(), Failure> {
        match step(self) {
            Err(Failure(StoreError::Damaged(what))) => {
                self.find(None, what);
                Ok(())
            }
            other => other,
        }
    }

    fn find(&mut self, address: Option<Address>, what: &'static str) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { address, what });
        }
    }

    fn tell(&mut self) {
        self.done += 1;
        if self.done.is_multiple_of(TELL_EVERY) {
            (self.progress)(self.done, self.all);
        }
    }

    fn entries(&mut self) -> Result<(), Failure> {
        let (mut last, mut versions) = (0, 0);
        let mut addresses = HashSet::new();
        loop {
            let rows = self.db.session.query(
                "SELECT arrival, stream, number, hash, count FROM entries WHERE arrival > $1 \
                 ORDER BY arrival LIMIT $2",
                values![last, BATCH],
            )?;
            let Some(end) = rows.last() else { break };
            let before = last;
            last = get(end, 0)?;
            // All at once, or one by one if something of them is damaged.
            let all = entries::select(
                self.db,
                "WHERE e.arrival > $1 AND e.arrival <= $2 ORDER BY e.arrival",
                values![before, last],
            );
            let mut all = match all {
                Ok(all) => Some(all.into_iter()),
                Err(Failure(StoreError::Damaged(_))) => None,
                Err(failure) => return Err(failure),
            };
            for row in &rows {
                versions += number(row, 4)?;
                let place: (i64, i64) = (get(row, 1)?, get(row, 2)?);
                let address = self.db.stream(place.0).ok().map(|of| of.at(place.1.cast_unsigned()));
                if !addresses.insert(place) {
                    self.find(address, "two entries have one address");
                }
                let entry = match &mut all {
                    Some(all) => Ok(all.next()),
                    None => entries::select(
                        self.db,
                        "WHERE e.arrival = $1",
                        values![get::<i64>(row, 0)?],
                    )
                    .map(|mut one| one.pop()),
                };
                match entry.map(|entry| entry.map(|entry| self.entry(&entry.entry, row))) {
                    Ok(Some(checked)) => checked?,
                    Ok(None) => self.find(address, "an entry cannot be read"),
                    Err(Failure(StoreError::Damaged(what))) => self.find(address, what),
                    Err(failure) => return Err(failure),
                }
                self.tell();
            }
        }
        if self.count("versions")? != versions {
            self.find(None, "there are versions that stand in no entry");
        }
        Ok(())
    }

    fn entry(&mut self, entry: &Entry, row: &Row) -> Result<(), Failure> {
        if &entry.hash().0[..] != bytes(row, 3)? {
            self.find(Some(entry.address), "an entry's bytes do not give its hash");
        }
        for (ordinal, change) in (0u32..).zip(&entry.changes) {
            let derived = derive_id(&entry.address, entry.hlc, ordinal);
            if change.id_is_derived && change.id != derived {
                self.find(Some(entry.address), "a resource's id is not the one it was given");
            }
        }
        let chart = self.db.find_chart(&entry.chart)?;
        let rows = self.db.session.query(
            "SELECT version FROM versions WHERE chart = $1 AND arrival = $2 ORDER BY ordinal",
            values![chart, get::<i64>(row, 0)?],
        )?;
        for (ordinal, version) in (0u32..).zip(&rows) {
            let id = derive_version(&entry.address, entry.hlc, ordinal);
            if get::<i64>(version, 0)? != version_column(id) {
                self.find(Some(entry.address), "a version is not named after its entry");
            }
        }
        Ok(())
    }

    fn streams(&mut self) -> Result<(), Failure> {
        let rows = self.db.session.query("SELECT stream, frontier FROM streams", vec![])?;
        for row in rows {
            let (stream, frontier): (i64, i64) = (get(&row, 0)?, get(&row, 1)?);
            let reached = entries::frontier_from(self.db, stream, 0)?;
            let missing = self.db.stream(stream)?.at((reached + 1).cast_unsigned());
            if reached < frontier {
                self.find(Some(missing), "an entry is missing that was here");
            } else if reached > frontier {
                self.find(Some(missing), "a stream's frontier lags behind its entries");
            }
        }
        Ok(())
    }

    fn resources(&mut self) -> Result<(), Failure> {
        let (mut wanted_rows, mut versions, mut places) = (0, 0, 0);
        let mut last = (vec![], 0);
        loop {
            let batch = places_after(self.db, &last, BATCH)?;
            if batch.is_empty() {
                break;
            }
            for placed in batch {
                let (rows, of) = match self.resource(&placed) {
                    Err(Failure(StoreError::Damaged(what))) => {
                        self.find(None, what);
                        (0, 0)
                    }
                    other => other?,
                };
                wanted_rows += rows;
                versions += of;
                places += 1;
                last = (placed.id, placed.name);
                self.tell();
            }
        }
        let mut standing = 0;
        for table in index::TABLES {
            standing += self.count(table)?;
        }
        if standing > wanted_rows {
            self.find(None, "a search value is there that no resource has; index again");
        }
        if self.count("resources")? != places || self.count("versions")? != versions {
            self.find(None, "a resource is not where it should be");
        }
        Ok(())
    }

    /// One resource; how many rows of the index and how many versions it has.
    fn resource(&mut self, placed: &Placed) -> Result<(u64, u64), Failure> {
        let Placed { name, place, .. } = placed;
        let (derived, standing) = Derived::of(self.db, *name, place)?;
        if derived != standing {
            self.find(None, "a resource does not show the version that it should");
        }
        let count = |of: usize| u64::try_from(of).unwrap_or(u64::MAX);
        let versions = count(derived.versions());
        if !derived.is_live() {
            return Ok((0, versions));
        }
        let heads = heads_of(self.db, place)?;
        let wanted = index::wanted(self.db, &self.db.name(*name)?, &heads)?;
        let there = index::standing(self.db, place.chart, place.resource)?;
        if wanted.difference(&there).next().is_some() {
            self.find(None, "a search value is missing; index again");
        }
        Ok((count(wanted.len()), versions))
    }
}
