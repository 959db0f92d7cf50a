//! From what PostgreSQL says to what the store says.

use std::error::Error;

use ondol_kernel::bytes::BadBytes;
use ondol_store::StoreError;

use crate::tls;

/// A [`StoreError`] on its way out; it exists so that `?` works on others' errors.
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

impl From<std::io::Error> for Failure {
    fn from(why: std::io::Error) -> Self {
        Self(StoreError::Io(Box::new(why)))
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(why: tokio_postgres::Error) -> Self {
        of_statement(&why, "a row that was read")
    }
}

/// The error of a statement. Of what the server says only the code is kept: its texts quote
/// values.
pub(crate) fn of_statement(why: &tokio_postgres::Error, statement: &str) -> Failure {
    let Some(code) = why.code() else {
        if let Some(refusal) = tls::refusal(why) {
            return Failure(StoreError::Io(refusal.into()));
        }
        let is_io = why.source().is_some_and(<dyn Error>::is::<std::io::Error>);
        return if why.is_closed() || is_io {
            Failure(StoreError::Io("the database cannot be reached, or no longer".into()))
        } else if why.to_string().starts_with("error deserializing") {
            damaged("a row holds a value of another type")
        } else {
            Failure(StoreError::Internal(format!("{why}: {statement}").into()))
        };
    };
    let said = || -> Box<dyn Error + Send + Sync> {
        format!("the database answers {}: {statement}", code.code()).into()
    };
    Failure(match code.code() {
        "53100" => StoreError::Full,
        // A standby, a server that was set so, or tables that this account may only read.
        "25006" | "42501" => StoreError::ReadOnly,
        "XX001" | "XX002" => StoreError::Damaged("the database's files are not well-formed"),
        // Connections, resources, an operator who stops the server, and the system below it.
        code if ["08", "53", "57P", "58"].iter().any(|class| code.starts_with(class)) => {
            StoreError::Io(said())
        }
        _ => StoreError::Internal(said()),
    })
}

/// What stands in the tables contradicts itself.
pub(crate) fn damaged(what: &'static str) -> Failure {
    Failure(StoreError::Damaged(what))
}

/// A defect of a caller, of this crate, or of how the server is set up.
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
