//! Who the accounts belong to, remembered as long as nothing new has arrived: every request asks,
//! and three documents would be read for each.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use ondol_kernel::ResourceId;
use ondol_store::View;

use super::{SignedIn, session};
use crate::{App, AppError, Nation};

/// What was read at one moment of the record.
#[derive(Default)]
pub(crate) struct Standings(Mutex<AsOf>);

#[derive(Default)]
struct AsOf {
    /// The newest entry then. Accounts, people and roles change by entries alone.
    arrival: u64,
    /// The nodes that were known then: an account counts if this facility wrote it.
    nation: Option<Arc<Nation>>,
    of: HashMap<ResourceId, SignedIn>,
}

impl AsOf {
    fn is_of(&self, arrival: u64, nation: &Arc<Nation>) -> bool {
        self.arrival == arrival && self.nation.as_ref().is_some_and(|own| Arc::ptr_eq(own, nation))
    }
}

/// Who a session belongs to. `view` shows what is committed: what a transaction has only begun
/// to write must not be remembered.
pub(super) fn who(
    app: &App,
    view: &dyn View,
    record: &session::Record,
) -> Result<Option<SignedIn>, AppError> {
    let (arrival, nation) = (view.last_arrival()?, app.nation());
    let lock = || app.standings.0.lock().unwrap_or_else(PoisonError::into_inner);
    let known = {
        let as_of = lock();
        as_of.of.get(&record.account).filter(|_| as_of.is_of(arrival, &nation)).cloned()
    };
    if let Some(known) = known {
        let (locked, since) = (record.locked, record.since);
        let lock_after_s = session::lock_after_s(view)?;
        return Ok(Some(SignedIn { locked, lock_after_s, since, ..known }));
    }
    let read = session::who(app, view, record)?;
    if let Some(signed_in) = &read {
        let mut as_of = lock();
        if !as_of.is_of(arrival, &nation) && as_of.arrival <= arrival {
            *as_of = AsOf { arrival, nation: Some(nation.clone()), of: HashMap::new() };
        }
        if as_of.is_of(arrival, &nation) {
            as_of.of.insert(record.account.clone(), signed_in.clone());
        }
    }
    Ok(read)
}
