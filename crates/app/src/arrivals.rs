//! When what arrived here. `_since` of a history follows arrival (DESIGN §4): what was written
//! elsewhere last week and came today is new to whoever asks each day what is new.
//!
//! Before the first change of a second is committed, a mark says how many entries were here. Marks
//! stand in [`Space::Arrival`], newest first: key `u64::MAX` minus milliseconds since 1970, big-endian;
//! value the number of the last arrival before it (8, big-endian) and, once it is known, that of the
//! last one in its second (8). One byte in its place says that the clock went back behind the mark: what
//! arrived after it may have come at any later time.

use std::sync::atomic::{AtomicI64, Ordering};

use ondol_kernel::Millis;
use ondol_store::{Space, View, WriteTx};

use crate::{App, AppError};

/// Marks are at least this far apart, ms.
const STEP_MS: i64 = 1_000;

/// When the newest mark was made, as far as this process knows.
#[derive(Debug)]
pub(crate) struct Arrivals(AtomicI64);

impl Default for Arrivals {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

fn key(at: Millis) -> [u8; 8] {
    (u64::MAX - u64::try_from(at.0).unwrap_or(0)).to_be_bytes()
}

/// A mark as it stands.
struct Mark {
    at: i64,
    /// The last arrival before it.
    start: u64,
    /// The last one in its second.
    end: Option<u64>,
    /// Whether the clock went back behind it.
    open: bool,
}

impl Mark {
    fn read((key, value): &(Vec<u8>, Vec<u8>)) -> Result<Self, AppError> {
        let bad = || AppError::Unexpected("a mark of arrivals");
        let number = |bytes: &[u8]| bytes.try_into().map(u64::from_be_bytes).map_err(|_| bad());
        let (start, rest) = value.split_at_checked(8).ok_or_else(bad)?;
        Ok(Self {
            at: i64::try_from(u64::MAX - number(key)?).map_err(|_| bad())?,
            start: number(start)?,
            end: if rest.len() == 8 { Some(number(rest)?) } else { None },
            open: rest.len() == 1,
        })
    }

    fn put(&self, tx: &mut dyn WriteTx) -> Result<(), AppError> {
        let mut value = self.start.to_be_bytes().to_vec();
        match self.end {
            Some(end) => value.extend_from_slice(&end.to_be_bytes()),
            None if self.open => value.push(1),
            None => {}
        }
        Ok(tx.set_value(Space::Arrival, &key(Millis(self.at)), Some(&value))?)
    }
}

/// The newest mark that was made at `upto` or before.
fn newest(view: &dyn View, upto: Option<Millis>) -> Result<Option<Mark>, AppError> {
    let from = upto.map(|upto| u64::from_be_bytes(key(upto)).saturating_sub(1).to_be_bytes());
    let after = from.as_ref().map(<[u8; 8]>::as_slice);
    let marks = view.values(Space::Arrival, &[], after, 1)?;
    marks.first().map(Mark::read).transpose()
}

/// Marks how much is here before something is added now.
pub(crate) fn mark(app: &App, tx: &mut dyn WriteTx) -> Result<(), AppError> {
    let now = app.now().0;
    let known = app.arrivals.0.load(Ordering::Relaxed);
    if (known..known.saturating_add(STEP_MS)).contains(&now) {
        return Ok(());
    }
    let here = tx.last_arrival()?;
    match newest(&*tx, None)? {
        Some(mark) if now < mark.at => {
            if !mark.open {
                Mark { open: true, end: None, ..mark }.put(tx)?;
            }
            return Ok(());
        }
        Some(mark) if now < mark.at.saturating_add(STEP_MS) => {
            app.arrivals.0.store(mark.at, Ordering::Relaxed);
            return Ok(());
        }
        Some(mark) if !mark.open => Mark { end: Some(here), ..mark }.put(tx)?,
        Some(_) | None => {}
    }
    Mark { at: now, start: here, end: None, open: false }.put(tx)
}

/// The number of an arrival such that all that arrived at `since` or later has a larger one. What
/// arrived within the second before may have one too, and so may all before the first mark.
pub(crate) fn before(view: &dyn View, since: Millis) -> Result<u64, AppError> {
    let Some(mark) = newest(view, Some(since))? else { return Ok(0) };
    if mark.open || since.0 < mark.at.saturating_add(STEP_MS) {
        return Ok(mark.start);
    }
    match mark.end {
        Some(end) => Ok(end),
        None => Ok(view.last_arrival()?),
    }
}
