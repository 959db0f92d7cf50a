//! Making the derived tables again from the log.
//!
//! A second set of index tables is filled beside the first, batch by batch, while care goes on:
//! writes keep both sets true for resources that the rebuild has passed. One transaction puts
//! the new set in the place of the old. Stopped anywhere, the old set is whole.

use std::sync::{Arc, Mutex, PoisonError};

use ondol_store::index::RULES;
use rusqlite::params;

use crate::{
    db::Db,
    derived::Derived,
    entries,
    error::Failure,
    index::{self, BY_RESOURCE, Set},
    insert::wanted,
    writer::Writer,
};

/// Resources in one transaction: short enough that nobody waits noticeably for it.
const BATCH: i64 = 200;

/// Whether a rebuild that goes on has been at a resource already.
pub(crate) fn has_passed(db: &Db, resource: i64) -> Result<bool, Failure> {
    let mut read = db.conn.prepare_cached("SELECT reindexed FROM state")?;
    let reached: Option<i64> = read.query_row([], |row| row.get(0))?;
    Ok(reached.is_some_and(|reached| resource <= reached))
}

/// Throws away the tables of a rebuild that did not end.
pub(crate) fn forget(db: &Db) -> Result<(), Failure> {
    let reached: Option<i64> =
        db.conn.query_row("SELECT reindexed FROM state", [], |row| row.get(0))?;
    if reached.is_some() {
        db.conn.execute_batch("BEGIN IMMEDIATE")?;
        drop_next(db)?;
        db.conn.execute_batch("COMMIT")?;
    }
    Ok(())
}

fn drop_next(db: &Db) -> Result<(), Failure> {
    db.conn.execute_batch(
        "DROP TABLE IF EXISTS next_tokens;
         DROP TABLE IF EXISTS next_strings;
         DROP TABLE IF EXISTS next_ranges;
         DROP TABLE IF EXISTS next_numbers;
         UPDATE state SET reindexed = NULL;",
    )?;
    Ok(())
}

/// Makes everything again; gives the number of entries.
pub(crate) fn reindex(
    writer: &Writer,
    utc_offset_minutes: i32,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, Failure> {
    writer.work(Box::new(move |db| begin(db, utc_offset_minutes)))?;
    let reached = Arc::new(Mutex::new((0, 0)));
    loop {
        let told = reached.clone();
        writer.work(Box::new(move |db| {
            *told.lock().unwrap_or_else(PoisonError::into_inner) = batch(db)?;
            Ok(())
        }))?;
        let (done, all) = *reached.lock().unwrap_or_else(PoisonError::into_inner);
        progress(done, all);
        if done >= all {
            break;
        }
    }
    let entries = Arc::new(Mutex::new(0));
    let told = entries.clone();
    writer.work(Box::new(move |db| {
        // What was written since the last batch is done here.
        while {
            let (done, all) = batch(db)?;
            done < all
        } {}
        finish(db)?;
        *told.lock().unwrap_or_else(PoisonError::into_inner) = entries::last_arrival(db)?;
        Ok(())
    }))?;
    let entries = *entries.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(entries)
}

fn begin(db: &Db, utc_offset_minutes: i32) -> Result<(), Failure> {
    drop_next(db)?;
    let taken = index::live_by_resource(&db.conn)?;
    let name = BY_RESOURCE[usize::from(taken == BY_RESOURCE[0])];
    db.conn.execute_batch(&index::tables("next_", name))?;
    // From here on the rows of the old set may be computed by other rules than they were made
    // by; what an update leaves behind in it goes with it. Until the new set is in its place, the
    // old one is of no rules that anybody knows.
    db.conn.execute(
        "UPDATE state SET reindexed = 0, utc_offset_minutes = ?1, index_rules = \
         CASE WHEN index_rules = ?2 AND utc_offset_minutes = ?1 THEN ?2 ELSE 0 END",
        params![utc_offset_minutes, RULES],
    )?;
    Ok(())
}

/// Does the next resources; gives how far it is and how far it will go.
fn batch(db: &Db) -> Result<(u64, u64), Failure> {
    let mut next = db.conn.prepare_cached(
        "SELECT r.resource, n.text FROM resources r JOIN names n ON n.name = r.type \
         WHERE r.resource > (SELECT reindexed FROM state) ORDER BY r.resource LIMIT ?1",
    )?;
    let resources: Vec<(i64, String)> = next
        .query_map([BATCH], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (resource, resource_type) in &resources {
        let (derived, standing) = Derived::of(db, *resource)?;
        derived.write(db, *resource, &standing)?;
        if derived.is_live() {
            let rows = wanted(db, resource_type, *resource)?;
            index::change(db, Set::Next, *resource, std::iter::empty(), rows.iter())?;
        }
    }
    if let Some((last, _)) = resources.last() {
        db.conn.prepare_cached("UPDATE state SET reindexed = ?1")?.execute([last])?;
    }
    let mut reached = db.conn.prepare_cached(
        "SELECT reindexed, (SELECT coalesce(max(resource), 0) FROM resources) FROM state",
    )?;
    let (done, all): (i64, i64) = reached.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((done.cast_unsigned(), all.cast_unsigned()))
}

/// Puts the new set in the place of the old, and counts again what is counted over entries.
fn finish(db: &Db) -> Result<(), Failure> {
    db.conn.execute("UPDATE state SET index_rules = ?1", [RULES])?;
    db.conn.execute_batch(
        "DROP TABLE tokens;
         DROP TABLE strings;
         DROP TABLE ranges;
         DROP TABLE numbers;
         ALTER TABLE next_tokens RENAME TO tokens;
         ALTER TABLE next_strings RENAME TO strings;
         ALTER TABLE next_ranges RENAME TO ranges;
         ALTER TABLE next_numbers RENAME TO numbers;
         UPDATE charts SET first = (SELECT min(arrival) FROM entries e WHERE e.chart = charts.chart);
         UPDATE state SET reindexed = NULL;",
    )?;
    let mut streams = db.conn.prepare_cached("SELECT stream FROM streams")?;
    let rows: Vec<i64> =
        streams.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for stream in rows {
        db.conn.execute(
            "UPDATE streams SET frontier = ?2 WHERE stream = ?1",
            params![stream, entries::frontier_from(db, stream, 0)?],
        )?;
    }
    Ok(())
}
