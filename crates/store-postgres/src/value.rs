//! Values on their way to the server, and rows on their way back.

use bytes::BytesMut;
use tokio_postgres::{
    Row,
    types::{FromSqlOwned, IsNull, ToSql, Type, to_sql_checked},
};

use crate::error::Failure;

/// A value of a statement. All numbers are `bigint`, all texts `bytea`: those are compared byte by
/// byte whatever the database's collation, and may hold a NUL, which `text` may not.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Bool(bool),
    Bytes(Vec<u8>),
    Ints(Vec<i64>),
    Bools(Vec<bool>),
    Texts(Vec<Vec<u8>>),
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) => value.to_sql_checked(ty, out),
            Self::Bool(value) => value.to_sql_checked(ty, out),
            Self::Bytes(value) => value.to_sql_checked(ty, out),
            Self::Ints(value) => value.to_sql_checked(ty, out),
            Self::Bools(value) => value.to_sql_checked(ty, out),
            Self::Texts(value) => value.to_sql_checked(ty, out),
        }
    }

    /// Each value asks for itself.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Bytes(value.as_bytes().to_vec())
    }
}

impl From<Vec<i64>> for Value {
    fn from(value: Vec<i64>) -> Self {
        Self::Ints(value)
    }
}

impl From<Vec<bool>> for Value {
    fn from(value: Vec<bool>) -> Self {
        Self::Bools(value)
    }
}

impl From<Vec<Vec<u8>>> for Value {
    fn from(value: Vec<Vec<u8>>) -> Self {
        Self::Texts(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The values of a statement.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::value::Value::from($value)),*] };
}
pub(crate) use values;

/// A column of a row.
pub(crate) fn get<T: FromSqlOwned>(row: &Row, column: usize) -> Result<T, Failure> {
    Ok(row.try_get(column)?)
}

/// A column with a number that never is negative but uses all 64 bits.
pub(crate) fn number(row: &Row, column: usize) -> Result<u64, Failure> {
    Ok(get::<i64>(row, column)?.cast_unsigned())
}

/// A column of bytes without a copy.
pub(crate) fn bytes(row: &Row, column: usize) -> Result<&[u8], Failure> {
    Ok(row.try_get(column)?)
}
