//! Units as UCUM writes them (case sensitive): which are valid, which can be compared, and what
//! a value is in another unit.
//!
//! A thin module over `octofhir-ucum`, which carries UCUM's table (version 2.2) and reads its
//! grammar; `docs/adr/0016-ucum.md` says why. What is added here: a bound on the length, errors
//! that repeat nothing of what was written, decimals that keep their digits where that library
//! takes binary fractions, and one canonical form for the index of quantities.
//!
//! ```
//! use ondol_ucum::{Unit, Value};
//!
//! let (mg_dl, g_l) = (Unit::parse("mg/dL")?, Unit::parse("g/L")?);
//! let value = Value::parse("90")?;
//! assert_eq!(value.convert(&mg_dl, &g_l)?.to_string(), "0.9");
//! assert_eq!(value.canonical(&mg_dl)?.to_string(), "900");
//! assert_eq!(mg_dl.canonical(), "g.m-3");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod unit;
mod value;

pub use error::{ConvertError, UnitError, ValueError};
pub use unit::{CODE_BYTES_MAX, SYSTEM, Unit, display_name};
pub use value::Value;
