//! When what arrived here. `_since` of a history follows arrival (DESIGN §4): what was written
//! elsewhere last week and came today is new to whoever asks each day what is new.
//!
//! Before the first change of a second is committed, a mark says how many entries were here. Marks
//! stand in [`Space::Arrival`], newest first: key `u64::MAX` minus milliseconds since 1970, value the
//! number of the last arrival, both big-endian.

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

/// Marks how much is here before something is added now. A clock that goes back makes no marks
/// until it has come as far again: what arrives meanwhile counts as arrived after the last mark, so
/// that nobody misses it.
pub(crate) fn mark(app: &App, tx: &mut dyn WriteTx) -> Result<(), AppError> {
    let now = app.now();
    if now.0 < app.arrivals.0.load(Ordering::Relaxed).saturating_add(STEP_MS) {
        return Ok(());
    }
    let newest = tx.values(Space::Arrival, &[], None, 1)?;
    let newest = newest
        .first()
        .and_then(|(key, _)| Some(u64::from_be_bytes(key.as_slice().try_into().ok()?)));
    let newest = newest.map(|rest| i64::try_from(u64::MAX - rest).unwrap_or(i64::MAX));
    app.arrivals.0.store(newest.unwrap_or(i64::MIN), Ordering::Relaxed);
    if newest.is_some_and(|newest| now.0 < newest.saturating_add(STEP_MS)) {
        return Ok(());
    }
    let here = tx.last_arrival()?;
    Ok(tx.set_value(Space::Arrival, &key(now), Some(&here.to_be_bytes()))?)
}

/// The number of an arrival such that all that arrived at `since` or later has a larger one. Of
/// what arrived in the second before, and of all before the first mark, some may have one too.
pub(crate) fn before(app: &App, view: &dyn View, since: Millis) -> Result<u64, AppError> {
    if since > app.now() {
        return Ok(u64::MAX);
    }
    let from = u64::from_be_bytes(key(since)).checked_sub(1).map(u64::to_be_bytes);
    let after = from.as_ref().map(<[u8; 8]>::as_slice);
    let mark = view.values(Space::Arrival, &[], after, 1)?;
    let number = mark.first().and_then(|(_, value)| value.as_slice().try_into().ok());
    Ok(number.map_or(0, u64::from_be_bytes))
}
