//! Making the derived tables again from the log.
//!
//! Resource by resource, in small transactions, while care goes on: the rows that stand are
//! compared with those that the body gives, and what differs is changed. A write meanwhile does
//! the same for its resource, so that it does not matter which came first. Until the end the index
//! is said to be of no rules, so that what old rows cannot answer is not asked of them.

use std::sync::{Arc, Mutex, PoisonError};

use ondol_store::index::RULES;

use crate::{
    db::{Db, resource_id},
    derived::Derived,
    entries,
    error::Failure,
    index,
    insert::Resource,
    rows::{Place, place},
    value::{get, values},
    writer::Writer,
};

/// Resources in one transaction: short enough that nobody waits noticeably for it.
const BATCH: i64 = 100;

/// How far a rebuild is: the id and type of the last place that was done, and how many were.
#[derive(Clone, Default)]
struct Reached {
    last: (Vec<u8>, i64),
    done: u64,
    all: u64,
}

/// Makes everything again; gives the number of entries.
pub(crate) fn reindex(
    writer: &Writer,
    utc_offset_minutes: i32,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, Failure> {
    let shared = Arc::new(Mutex::new(Reached::default()));
    let look = || shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let told = shared.clone();
    writer.work(Box::new(move |db| {
        let all = begin(db, utc_offset_minutes)?;
        told.lock().unwrap_or_else(PoisonError::into_inner).all = all;
        Ok(())
    }))?;
    loop {
        let told = shared.clone();
        let before = look().done;
        writer.work(Box::new(move |db| {
            let mut reached = told.lock().unwrap_or_else(PoisonError::into_inner);
            // Of a batch that is undone nothing may be remembered.
            *reached = batch(db, reached.clone())?;
            Ok(())
        }))?;
        let Reached { done, all, .. } = look();
        if done == before {
            break;
        }
        // What is written meanwhile may be more than was there at the beginning.
        progress(done, all.max(done));
    }
    let entries = Arc::new(Mutex::new(0));
    let told = entries.clone();
    writer.work(Box::new(move |db| {
        finish(db)?;
        *told.lock().unwrap_or_else(PoisonError::into_inner) = entries::last_arrival(db)?;
        Ok(())
    }))?;
    let Reached { done, .. } = look();
    progress(done, done);
    let entries = *entries.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(entries)
}

fn begin(db: &Db, utc_offset_minutes: i32) -> Result<u64, Failure> {
    db.session.query(
        "UPDATE ondol SET utc_offset_minutes = $1, index_rules = \
         CASE WHEN index_rules = $2 AND utc_offset_minutes = $1 THEN $2 ELSE 0 END",
        values![i64::from(utc_offset_minutes), RULES],
    )?;
    db.utc_offset_minutes.set(None);
    let row = db.session.one("SELECT count(*) FROM places", vec![])?;
    Ok(row.map_or(Ok(0), |row| get::<i64>(&row, 0))?.cast_unsigned())
}

/// A resource as `places` has it.
pub(crate) struct Placed {
    pub(crate) id: Vec<u8>,
    pub(crate) name: i64,
    pub(crate) place: Place,
}

/// The places behind one, in the order of their keys. A resource never leaves its place there.
pub(crate) fn places_after(
    db: &Db,
    (id, name): &(Vec<u8>, i64),
    limit: i64,
) -> Result<Vec<Placed>, Failure> {
    let rows = db.session.query(
        "SELECT resource, chart, others, id, type FROM places WHERE (id, type) > ($1, $2) \
         ORDER BY id, type LIMIT $3",
        values![&**id, *name, limit],
    )?;
    rows.iter()
        .map(|row| Ok(Placed { place: place(row, 0)?, id: get(row, 3)?, name: get(row, 4)? }))
        .collect()
}

/// Does the next resources.
fn batch(db: &Db, mut reached: Reached) -> Result<Reached, Failure> {
    for Placed { id, name, place } in places_after(db, &reached.last, BATCH)? {
        let resource_type = db.name(name)?;
        resource_id(&id)?;
        let (derived, standing) = Derived::of(db, name, &place)?;
        derived.write_marks(db, &place, &standing)?;
        let resource = Resource { kind: &resource_type, name, id: &id, place: &place };
        resource.settle(db, false)?;
        reached.last = (id, name);
        reached.done += 1;
    }
    Ok(reached)
}

/// Takes out what belongs to no resource, and counts again what is counted over entries.
fn finish(db: &Db) -> Result<(), Failure> {
    for table in index::TABLES {
        db.session.later(
            format!(
                "DELETE FROM {table} t WHERE NOT EXISTS (SELECT 1 FROM resources r \
                 WHERE r.chart = t.chart AND r.resource = t.resource AND r.live)"
            ),
            vec![],
        )?;
    }
    db.session.later(
        "UPDATE charts c SET first = e.first FROM (SELECT chart, min(arrival) AS first \
         FROM entries GROUP BY chart) e WHERE e.chart = c.chart AND c.first IS DISTINCT FROM e.first",
        vec![],
    )?;
    db.session.later("UPDATE ondol SET index_rules = $1", values![RULES])?;
    db.tails.borrow_mut().clear();
    let rows = db.session.query("SELECT stream FROM streams", vec![])?;
    for row in rows {
        let stream: i64 = get(&row, 0)?;
        let reached = entries::frontier_from(db, stream, 0)?;
        let set = "UPDATE streams SET frontier = $2 WHERE stream = $1 AND frontier <> $2";
        db.session.later(set, values![stream, reached])?;
    }
    Ok(())
}
