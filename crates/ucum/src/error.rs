//! What can be wrong with a unit, a value, and a conversion. No error repeats what was written.

use octofhir_ucum::{ErrorKind, UcumError};

/// Why a text is no unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Nothing is written. The unit of a plain number is `1`.
    #[error("the unit is empty; a plain number has the unit 1")]
    Empty,
    /// More bytes than [`crate::CODE_BYTES_MAX`].
    #[error("the unit is longer than {} bytes", crate::CODE_BYTES_MAX)]
    TooLong,
    /// Not the grammar of UCUM, at this byte if the place is known.
    #[error("this is not how UCUM writes a unit{}", place(*.0))]
    Grammar(Option<usize>),
    /// A symbol that UCUM's table does not have, or a prefix where none may stand.
    #[error("UCUM knows no such unit")]
    Unknown,
    /// A unit with a zero of its own or a logarithm (`Cel`, `[pH]`, `dB`) multiplied with
    /// another, divided or raised: UCUM §22.1 gives that no meaning.
    #[error("a unit like Cel, pH or dB stands alone or with a plain factor")]
    Special,
    /// Parentheses or quotients deeper than the parser goes, or powers that are beyond counting.
    #[error("the unit is nested too deep, or its powers are too large")]
    TooLarge,
}

fn place(byte: Option<usize>) -> String {
    byte.map_or_else(String::new, |byte| format!(" (at byte {byte})"))
}

/// Why a text is no decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not the form of a decimal in FHIR (and JSON).
    #[error("this is no decimal number")]
    Form,
    /// More than 28 digits, or an exponent beyond ±10,000: kept in a record as it is, but not
    /// calculated with.
    #[error("the number has more than 28 digits, or an exponent beyond 10,000")]
    TooLarge,
}

/// Why a value cannot be had in another unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// They measure different things (`g` and `m`), or one is a unit of a biological assay
    /// (`[iU]`), which converts to nothing but itself.
    #[error("the two units measure different things")]
    NotCommensurable,
    /// The value has no meaning on the scale: no logarithm of nothing.
    #[error("the value lies outside the unit's scale")]
    OutOfScale,
    /// A unit with a zero of its own or a logarithm takes no part in products and quotients.
    #[error("a unit like Cel, pH or dB cannot be multiplied or divided")]
    Special,
    /// Divided by zero.
    #[error("divided by zero")]
    Zero,
    /// The result is beyond what can be counted.
    #[error("the result is too large or too small")]
    TooLarge,
}

impl From<UcumError> for UnitError {
    fn from(error: UcumError) -> Self {
        match error.kind {
            ErrorKind::UnitNotFound { .. } => Self::Unknown,
            ErrorKind::InvalidExpression { position, .. } => Self::Grammar(position),
            ErrorKind::SpecialUnitError { .. } => Self::Special,
            ErrorKind::NestingTooDeep { .. } | ErrorKind::PrecisionOverflow { .. } => {
                Self::TooLarge
            }
            _ => Self::Grammar(None),
        }
    }
}

impl From<UcumError> for ConvertError {
    fn from(error: UcumError) -> Self {
        match error.kind {
            ErrorKind::OutOfDomain { .. } => Self::OutOfScale,
            ErrorKind::SpecialUnitError { .. } => Self::Special,
            ErrorKind::DivisionByZero { .. } => Self::Zero,
            ErrorKind::DimensionMismatch { .. } | ErrorKind::ConversionError { .. } => {
                Self::NotCommensurable
            }
            _ => Self::TooLarge,
        }
    }
}
