//! From what SQLite says to what the store says.

use ondol_kernel::bytes::BadBytes;
use ondol_store::StoreError;
use rusqlite::ErrorCode;

/// A [`StoreError`] on its way out; it exists so that `?` works on SQLite's errors.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) StoreError);

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl From<BadBytes> for Failure {
    fn from(_: BadBytes) -> Self {
        damaged("a stored value is not in its format")
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(why: rusqlite::Error) -> Self {
        use rusqlite::Error as Sql;
        let is_wrong_type = matches!(
            why,
            Sql::FromSqlConversionFailure(..)
                | Sql::InvalidColumnType(..)
                | Sql::IntegralValueOutOfRange(..)
                | Sql::Utf8Error(..)
        );
        if is_wrong_type {
            return damaged("a row holds a value of another type");
        }
        Self(match why.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::ReadOnly,
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => {
                StoreError::Io(Box::new(why))
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                StoreError::Damaged("the database file is not well-formed")
            }
            _ => StoreError::Internal(Box::new(why)),
        })
    }
}

impl From<std::io::Error> for Failure {
    fn from(why: std::io::Error) -> Self {
        use std::io::ErrorKind;
        Self(match why.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => StoreError::ReadOnly,
            _ => StoreError::Io(Box::new(why)),
        })
    }
}

/// What stands on disk contradicts itself.
pub(crate) fn damaged(what: &'static str) -> Failure {
    Failure(StoreError::Damaged(what))
}

/// A defect of a caller or of this crate.
pub(crate) fn defect(what: &'static str) -> Failure {
    Failure(StoreError::Internal(what.into()))
}

/// The same error again, for each job of a commit that failed. Sources become their text.
pub(crate) fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full => StoreError::Full,
        StoreError::ReadOnly => StoreError::ReadOnly,
        StoreError::Io(source) => StoreError::Io(source.to_string().into()),
        StoreError::Damaged(what) => StoreError::Damaged(what),
        StoreError::Newer { found, known } => StoreError::Newer { found: *found, known: *known },
        StoreError::Closed => StoreError::Closed,
        StoreError::Indexing => StoreError::Indexing,
        StoreError::Internal(source) => StoreError::Internal(source.to_string().into()),
    }
}
