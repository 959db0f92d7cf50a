//! Making the derived tables again from the log.

use crate::{db::Db, error::Failure};

/// Whether a rebuild that goes on has been at a resource already.
pub(crate) fn has_passed(_db: &Db, _resource: i64) -> Result<bool, Failure> {
    Ok(false)
}
