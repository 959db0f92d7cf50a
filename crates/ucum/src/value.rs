//! A decimal value, and what it is in another unit.

use std::fmt;

use octofhir_ucum::Number;

use crate::{
    error::{ConvertError, ValueError},
    unit::{Scale, Unit},
};

/// The largest exponent that is read or left by a calculation, either way.
const EXPONENT_MAX: i32 = 10_000;

/// Digits that are read and calculated with.
const DIGITS_MAX: usize = 28;

/// Digits of a result: what lies behind them is the noise of thirds and ninths.
const DIGITS_TRUE: usize = 25;

/// A decimal number of at most 28 significant digits. What is calculated is rounded to 25, half
/// away from zero; factors of ten and other short decimals are exact, so that 6.3 mg is 0.0063 g
/// and not a binary fraction beside it. Through logarithms and roots some 15 digits are true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value(Number);

impl Value {
    /// Reads a decimal as FHIR writes it: `-1.50`, `6.02e23`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let (digits, exponent) = split(text).ok_or(ValueError::Form)?;
        let significant = digits.bytes().filter(u8::is_ascii_digit).skip_while(|b| *b == b'0');
        if significant.count() > DIGITS_MAX {
            return Err(ValueError::TooLarge);
        }
        let small = exponent.parse::<i32>().is_ok_and(|e| e.abs() <= EXPONENT_MAX);
        if !small || text.len() > 2 * DIGITS_MAX + 1_000 {
            return Err(ValueError::TooLarge);
        }
        Number::parse(text).map(Self).ok_or(ValueError::TooLarge)
    }

    /// The nearest binary fraction: infinite where the number is beyond its range.
    pub fn to_f64(self) -> f64 {
        self.0.to_f64()
    }

    /// What it is in the canonical unit, for instance to compare it with others.
    pub fn canonical(self, unit: &Unit) -> Result<Self, ConvertError> {
        bounded(self.in_canonical(unit)?)
    }

    fn in_canonical(self, unit: &Unit) -> Result<Number, ConvertError> {
        Ok(match &unit.scale {
            Scale::Straight { factor, offset } => self
                .0
                .checked_mul(*factor)
                .and_then(|product| product.checked_add(*offset))
                .ok_or(ConvertError::TooLarge)?,
            Scale::Curved { code } => curved(self.0, code, unit.canonical())?,
        })
    }

    /// What it is in another unit of the same kind.
    pub fn convert(self, from: &Unit, to: &Unit) -> Result<Self, ConvertError> {
        if !from.is_commensurable(to) {
            return Err(ConvertError::NotCommensurable);
        }
        let canonical = self.in_canonical(from)?;
        let number = match &to.scale {
            Scale::Straight { factor, offset } => canonical
                .checked_sub(*offset)
                .and_then(|rest| rest.checked_div(*factor))
                .ok_or(ConvertError::TooLarge)?,
            Scale::Curved { code } => curved(canonical, to.canonical(), code)?,
        };
        bounded(number)
    }

    /// The product with another value; units are multiplied with [`Unit::multiply`].
    pub fn multiply(self, other: Self) -> Result<Self, ConvertError> {
        bounded(self.0.checked_mul(other.0).ok_or(ConvertError::TooLarge)?)
    }

    /// The quotient by another value; units are divided with [`Unit::divide`].
    pub fn divide(self, other: Self) -> Result<Self, ConvertError> {
        if other.0.is_zero() {
            return Err(ConvertError::Zero);
        }
        bounded(self.0.checked_div(other.0).ok_or(ConvertError::TooLarge)?)
    }

    /// Rounded to so many significant digits, half away from zero, and written as
    /// `digits × 10^exponent`.
    pub fn rounded(self, significant: usize) -> (i128, i32) {
        rounded(self.0, significant)
    }
}

fn rounded(number: Number, significant: usize) -> (i128, i32) {
    let (mut digits, mut exponent) = number.to_integer_and_exponent();
    let limit = 10_i128.pow(u32::try_from(significant.clamp(1, DIGITS_MAX)).unwrap_or(1));
    let mut last = 0;
    while digits.abs() >= limit {
        last = digits % 10;
        digits /= 10;
        exponent += 1;
    }
    digits += if last.abs() >= 5 { last.signum() } else { 0 };
    while digits != 0 && digits % 10 == 0 {
        digits /= 10;
        exponent += 1;
    }
    (digits, if digits == 0 { 0 } else { exponent })
}

/// By the function of a special unit, which knows binary fractions only.
fn curved(number: Number, from: &str, to: &str) -> Result<Number, ConvertError> {
    let found = octofhir_ucum::convert(number.to_f64(), from, to)?;
    Number::from_f64(found).ok_or(ConvertError::TooLarge)
}

fn bounded(number: Number) -> Result<Value, ConvertError> {
    let (digits, exponent) = rounded(number, DIGITS_TRUE);
    if exponent.abs() > EXPONENT_MAX {
        return Err(ConvertError::TooLarge);
    }
    if (digits, exponent) == number.to_integer_and_exponent() {
        return Ok(Value(number));
    }
    Number::parse(&format!("{digits}e{exponent}")).map(Value).ok_or(ConvertError::TooLarge)
}

/// The digits and the exponent of a decimal of FHIR; none if it is no such thing.
fn split(text: &str) -> Option<(&str, &str)> {
    let (body, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let digits = body.strip_prefix('-').unwrap_or(body);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let unsigned = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let plain = whole == "0" || !whole.starts_with('0');
    let sound = plain && [whole, fraction, unsigned].into_iter().all(all_digits);
    sound.then_some((digits, exponent))
}

impl fmt::Display for Value {
    /// Plain digits where there are few zeros (`0.0063`, `946073047258080000`), else with an
    /// exponent (`1e-26`). Zeros at the end are not kept.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (digits, exponent) = self.0.to_integer_and_exponent();
        let sign = if digits < 0 { "-" } else { "" };
        let digits = digits.unsigned_abs().to_string();
        let point = i64::try_from(digits.len()).unwrap_or(0) + i64::from(exponent);
        match (exponent, point) {
            (0..=20, _) => {
                write!(f, "{sign}{digits}{}", "0".repeat(usize::try_from(exponent).unwrap_or(0)))
            }
            (_, 1..) if exponent < 0 => {
                let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
                write!(f, "{sign}{whole}.{fraction}")
            }
            (_, -20..=0) => {
                let zeros = "0".repeat(usize::try_from(-point).unwrap_or(0));
                write!(f, "{sign}0.{zeros}{digits}")
            }
            _ => write!(f, "{sign}{digits}e{exponent}"),
        }
    }
}
