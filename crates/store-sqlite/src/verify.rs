//! Checking the log against itself.

mod chains;

use ondol_record::{
    Address, Entry,
    entry::{derive_id, derive_version},
};
use ondol_store::{Finding, StoreError, index::IndexRow};
use rusqlite::{OptionalExtension, params};

use crate::{
    db::{Db, version_column},
    derived::Derived,
    entries,
    error::Failure,
    insert::wanted,
};

/// Enough to know that a disk is to be replaced.
const FINDINGS_MAX: usize = 1_000;

/// After so many steps the progress is told.
const TELL_EVERY: u64 = 256;

struct Check<'a> {
    db: &'a Db,
    findings: Vec<Finding>,
    progress: &'a mut dyn FnMut(u64, u64),
    done: u64,
    all: u64,
}

/// Everything that is wrong. One moment is looked at, while writes go on.
pub(crate) fn verify(db: &Db, progress: &mut dyn FnMut(u64, u64)) -> Result<Vec<Finding>, Failure> {
    let count = |table: &str| -> Result<u64, Failure> {
        let sql = format!("SELECT count(*) FROM {table}");
        Ok(db.conn.query_row(&sql, [], |row| row.get::<_, i64>(0))?.cast_unsigned())
    };
    let mut check = Check { db, findings: vec![], progress, done: 0, all: 0 };
    check.step(Check::file)?;
    check.all = count("entries")? + count("resources")? + count("readings")? + 1;
    for step in [
        Check::entries,
        Check::versions,
        Check::streams,
        Check::resources,
        Check::seals,
        Check::readings,
    ] {
        check.step(step)?;
    }
    (check.progress)(check.all, check.all);
    Ok(check.findings)
}

impl Check<'_> {
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

    fn file(&mut self) -> Result<(), Failure> {
        let mut check = self.db.conn.prepare("PRAGMA quick_check(1)")?;
        let answer: String = check.query_row([], |row| row.get(0))?;
        if answer != "ok" {
            self.find(None, "the database file is not well-formed");
        }
        Ok(())
    }

    fn entries(&mut self) -> Result<(), Failure> {
        let mut find = self
            .db
            .conn
            .prepare("SELECT arrival, stream, number, hash FROM entries ORDER BY arrival")?;
        let mut rows = find.query([])?;
        while let Some(row) = rows.next()? {
            let stream = self.db.stream(row.get(1)?);
            let address = stream
                .ok()
                .map(|stream| stream.at(row.get::<_, i64>(2).unwrap_or(0).cast_unsigned()));
            match self.entry(row.get(0)?, &row.get::<_, Vec<u8>>(3)?) {
                Ok(()) => {}
                Err(Failure(StoreError::Damaged(what))) => self.find(address, what),
                Err(failure) => return Err(failure),
            }
            self.tell();
        }
        Ok(())
    }

    fn entry(&mut self, arrival: i64, hash: &[u8]) -> Result<(), Failure> {
        let Some(row) = entries::at(self.db, arrival)? else { return Ok(()) };
        let entry = &row.entry;
        if entry.hash().0 != hash {
            self.find(Some(entry.address), "an entry's bytes do not give its hash");
        }
        for (ordinal, change) in (0u32..).zip(&entry.changes) {
            let derived = derive_id(&entry.address, entry.hlc, ordinal);
            if change.id_is_derived && change.id != derived {
                self.find(Some(entry.address), "a resource's id is not the one it was given");
            }
        }
        self.version_ids(arrival, entry)
    }

    fn version_ids(&mut self, arrival: i64, entry: &Entry) -> Result<(), Failure> {
        let mut find = self.db.conn.prepare_cached(
            "SELECT v.id, v.arrival FROM entries e JOIN versions v \
             ON v.version >= e.first AND v.version < e.first + e.count \
             WHERE e.arrival = ?1 ORDER BY v.version",
        )?;
        let mut rows = find.query([arrival])?;
        let mut ordinal = 0;
        while let Some(row) = rows.next()? {
            let id = derive_version(&entry.address, entry.hlc, ordinal);
            if row.get::<_, i64>(0)? != version_column(id) || row.get::<_, i64>(1)? != arrival {
                self.find(Some(entry.address), "a version is not named after its entry");
            }
            ordinal += 1;
        }
        Ok(())
    }

    fn versions(&mut self) -> Result<(), Failure> {
        let (versions, named): (i64, Option<i64>) = self.db.conn.query_row(
            "SELECT (SELECT count(*) FROM versions), (SELECT sum(count) FROM entries)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        if versions != named.unwrap_or(0) {
            self.find(None, "there are versions that stand in no entry");
        }
        Ok(())
    }

    fn streams(&mut self) -> Result<(), Failure> {
        let mut find = self.db.conn.prepare("SELECT stream, frontier FROM streams")?;
        let streams: Vec<(i64, i64)> = find
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        for (stream, frontier) in streams {
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
        let mut find = self.db.conn.prepare(
            "SELECT r.resource, coalesce(n.text, '') FROM resources r \
             LEFT JOIN names n ON n.name = r.type ORDER BY r.resource",
        )?;
        let mut rows = find.query([])?;
        let mut wanted_rows = 0i64;
        while let Some(row) = rows.next()? {
            let resource: i64 = row.get(0)?;
            let (derived, standing) = Derived::of(self.db, resource)?;
            if derived != standing {
                self.find(None, "a resource does not show the version that it should");
            }
            if derived.is_live() {
                for row in wanted(self.db, &row.get::<_, String>(1)?, resource)? {
                    wanted_rows += 1;
                    if !is_indexed(self.db, resource, &row)? {
                        self.find(None, "a search value is missing; index again");
                    }
                }
            }
            self.tell();
        }
        let standing: i64 = self.db.conn.query_row(
            "SELECT (SELECT count(*) FROM tokens) + (SELECT count(*) FROM strings) \
             + (SELECT count(*) FROM ranges) + (SELECT count(*) FROM numbers)",
            [],
            |row| row.get(0),
        )?;
        if standing > wanted_rows {
            self.find(None, "a search value is there that no resource has; index again");
        }
        Ok(())
    }
}

fn is_indexed(db: &Db, resource: i64, row: &IndexRow) -> Result<bool, Failure> {
    let found = match row {
        IndexRow::Token { param, code, system } => db
            .conn
            .prepare_cached(
                "SELECT 1 FROM tokens WHERE param = ?1 AND code = ?2 AND resource = ?3 \
                 AND system = ?4",
            )?
            .query_row(params![param, code, resource, system], |_| Ok(()))
            .optional()?,
        IndexRow::Text { param, value } => db
            .conn
            .prepare_cached(
                "SELECT 1 FROM strings WHERE param = ?1 AND value = ?2 AND resource = ?3",
            )?
            .query_row(params![param, value, resource], |_| Ok(()))
            .optional()?,
        IndexRow::Range { param, low, high } => db
            .conn
            .prepare_cached(
                "SELECT 1 FROM ranges WHERE param = ?1 AND low = ?2 AND high = ?3 \
                 AND resource = ?4",
            )?
            .query_row(params![param, low, high, resource], |_| Ok(()))
            .optional()?,
        IndexRow::Number { param, value, system, code, unit } => db
            .conn
            .prepare_cached(
                "SELECT 1 FROM numbers WHERE param = ?1 AND value = ?2 AND resource = ?3 \
                 AND system = ?4 AND code = ?5 AND unit = ?6",
            )?
            .query_row(params![param, value, resource, system, code, unit], |_| Ok(()))
            .optional()?,
    };
    Ok(found.is_some())
}
