//! A unit, read and brought to its canonical form.

use octofhir_ucum::{Dimension, Number, evaluate, parse_expression};

use crate::error::{ConvertError, UnitError};

/// The system of UCUM's codes in FHIR.
pub const SYSTEM: &str = "http://unitsofmeasure.org";

/// The longest code that is read, in bytes. The longest of UCUM's own tests has 32.
pub const CODE_BYTES_MAX: usize = 256;

/// In which order base units stand in a canonical code: `g.m.s-2`.
const ORDER: [usize; 7] = [2, 0, 1, 3, 4, 5, 6];

/// A valid unit of UCUM.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    pub(crate) scale: Scale,
    dimension: Dimension,
    /// Units of assays with their powers, which are dimensions of their own.
    assays: Vec<(&'static str, i32)>,
    canonical: String,
}

/// How a value in the unit becomes one in the canonical unit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scale {
    /// `value × factor + offset`; the offset is that of temperatures.
    Straight { factor: Number, offset: Number },
    /// By a logarithm, a root or an angle: the code, for the library that knows the function.
    Curved { code: String },
}

impl Unit {
    /// Reads a case sensitive code of UCUM: `mg/dL`, `10*9/L`, `mm[Hg]`, `{beats}/min`.
    ///
    /// Text in braces says what is counted and changes nothing. `mol` is a number, as UCUM has
    /// it, so that `mol/L` and `/L` can be compared.
    pub fn parse(code: &str) -> Result<Self, UnitError> {
        if code.is_empty() {
            return Err(UnitError::Empty);
        }
        if code.len() > CODE_BYTES_MAX {
            return Err(UnitError::TooLong);
        }
        let term = evaluate(&parse_expression(code)?)?;
        let scale = match term.special {
            None => Scale::Straight { factor: term.factor, offset: Number::ZERO },
            Some(_) => match octofhir_ucum::get_canonical_units(code) {
                Ok(found) => Scale::Straight { factor: found.factor, offset: found.offset },
                Err(_) => Scale::Curved { code: code.to_owned() },
            },
        };
        Ok(Self::from_parts(scale, term.dim, term.arbitrary))
    }

    /// The unit of plain numbers, `1`.
    pub fn one() -> Self {
        let scale = Scale::Straight { factor: Number::ONE, offset: Number::ZERO };
        Self::from_parts(scale, Dimension::zero(), Vec::new())
    }

    fn from_parts(scale: Scale, dimension: Dimension, assays: Vec<(&'static str, i32)>) -> Self {
        let canonical = canonical_code(dimension, &assays);
        Self { scale, dimension, assays, canonical }
    }

    /// The canonical unit of everything that this one can be compared with, as a code of UCUM:
    /// base units in the order `g m s rad K C cd`, then units of assays: `g.m-3`, `K`, `1`.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The powers of `m`, `s`, `g`, `rad`, `K`, `C` and `cd`.
    pub fn dimension(&self) -> [i8; 7] {
        self.dimension.0
    }

    /// Whether values in the two units can be compared and converted.
    pub fn is_commensurable(&self, other: &Self) -> bool {
        self.dimension == other.dimension && self.assays == other.assays
    }

    /// Whether it has a zero of its own (`Cel`) or is not on a straight scale (`[pH]`, `dB`).
    /// Such a unit takes no part in products and quotients (UCUM §22.1).
    pub fn is_special(&self) -> bool {
        !matches!(&self.scale, Scale::Straight { offset, .. } if offset.is_zero())
    }

    /// Whether it is on a straight scale, so that larger values stay the larger ones in the
    /// canonical unit: all but logarithms, roots and angles.
    pub fn is_straight(&self) -> bool {
        matches!(self.scale, Scale::Straight { .. })
    }

    /// The product of two units.
    pub fn multiply(&self, other: &Self) -> Result<Self, ConvertError> {
        self.combine(other, 1, Number::checked_mul)
    }

    /// The quotient of two units.
    pub fn divide(&self, other: &Self) -> Result<Self, ConvertError> {
        self.combine(other, -1, Number::checked_div)
    }

    fn combine(
        &self,
        other: &Self,
        sign: i8,
        joined: fn(Number, Number) -> Option<Number>,
    ) -> Result<Self, ConvertError> {
        let factor = joined(self.factor()?, other.factor()?).ok_or(ConvertError::TooLarge)?;
        let mut powers = self.dimension.0;
        for (power, added) in powers.iter_mut().zip(other.dimension.0) {
            *power = added
                .checked_mul(sign)
                .and_then(|added| power.checked_add(added))
                .ok_or(ConvertError::TooLarge)?;
        }
        let mut assays = self.assays.clone();
        for &(name, added) in &other.assays {
            let added = added.checked_mul(i32::from(sign)).ok_or(ConvertError::TooLarge)?;
            match assays.iter_mut().find(|(known, _)| *known == name) {
                Some((_, power)) => {
                    *power = power.checked_add(added).ok_or(ConvertError::TooLarge)?;
                }
                None => assays.push((name, added)),
            }
        }
        assays.retain(|(_, power)| *power != 0);
        assays.sort_unstable();
        let scale = Scale::Straight { factor, offset: Number::ZERO };
        Ok(Self::from_parts(scale, Dimension(powers), assays))
    }

    /// How many canonical units it is.
    fn factor(&self) -> Result<Number, ConvertError> {
        match &self.scale {
            Scale::Straight { factor, offset } if offset.is_zero() => Ok(*factor),
            _ => Err(ConvertError::Special),
        }
    }
}

fn canonical_code(dimension: Dimension, assays: &[(&'static str, i32)]) -> String {
    let bases = ORDER.iter().map(|&i| (Dimension::BASE_UNITS[i], i32::from(dimension.0[i])));
    let mut code = String::new();
    for (symbol, power) in bases.chain(assays.iter().copied()).filter(|(_, power)| *power != 0) {
        if !code.is_empty() {
            code.push('.');
        }
        code.push_str(symbol);
        if power != 1 {
            code.push_str(&power.to_string());
        }
    }
    if code.is_empty() { "1".to_owned() } else { code }
}

/// A unit in words, in English, as UCUM's tests write it: `(milligram) / (deciliter)`. Nothing
/// for the screen of a health worker, who reads `mg/dL`.
pub fn display_name(code: &str) -> Result<String, UnitError> {
    if code.len() > CODE_BYTES_MAX {
        return Err(UnitError::TooLong);
    }
    Ok(octofhir_ucum::display_name(code)?)
}
