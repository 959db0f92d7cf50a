//! Amounts with units.

use std::{borrow::Cow, fmt};

use rust_decimal::Decimal;

/// A `Quantity` of FHIRPath: a number and a unit, of UCUM or a word of the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quantity {
    /// The number.
    pub value: Decimal,
    /// The unit: a UCUM code, or a word of the calendar in its singular.
    pub unit: Cow<'static, str>,
    /// Whether the unit is a word of the calendar (`1 year`, which is not `1 'a'`).
    pub is_calendar: bool,
}

/// The words of the calendar and the UCUM codes that mean as much, if a second or a multiple
/// of it does; a month and a year have no fixed length.
pub(super) const CALENDAR: [(&str, &str); 8] = [
    ("year", "a"),
    ("month", "mo"),
    ("week", "wk"),
    ("day", "d"),
    ("hour", "h"),
    ("minute", "min"),
    ("second", "s"),
    ("millisecond", "ms"),
];

fn singular(word: &str) -> Option<&'static str> {
    CALENDAR
        .into_iter()
        .map(|(name, _)| name)
        .find(|name| word.strip_prefix(name).is_some_and(|rest| matches!(rest, "" | "s")))
}

pub(super) fn is_calendar_word(word: &str) -> bool {
    singular(word).is_some()
}

impl Quantity {
    /// A number of a UCUM unit. A word of the calendar in quotes is still that word.
    pub fn with_unit(value: Decimal, unit: &str) -> Self {
        match singular(unit) {
            Some(word) => Self { value, unit: word.into(), is_calendar: true },
            None => Self { value, unit: unit.to_owned().into(), is_calendar: false },
        }
    }

    /// A number of days, months and so on.
    pub(super) fn with_word(value: Decimal, word: &str) -> Self {
        Self::with_unit(value, word)
    }

    /// A number alone.
    pub const fn plain(value: Decimal) -> Self {
        Self { value, unit: Cow::Borrowed("1"), is_calendar: false }
    }

    /// Reads `4.5 'mg'`, `4 days`, `4`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text
            .char_indices()
            .find(|(at, c)| {
                !(c.is_ascii_digit() || *c == '.' || (*at == 0 && matches!(c, '+' | '-')))
            })
            .map_or(text.len(), |(at, _)| at);
        let (number, unit) = text.split_at(end);
        let value = super::convert::decimal(number.strip_prefix('+').unwrap_or(number))?;
        let unit = unit.trim();
        if unit.is_empty() {
            return Some(Self::plain(value));
        }
        if let Some(inside) = unit.strip_prefix('\'').and_then(|unit| unit.strip_suffix('\'')) {
            return (!inside.is_empty() && !inside.contains('\''))
                .then(|| Self::with_unit(value, inside));
        }
        is_calendar_word(unit).then(|| Self::with_word(value, unit))
    }

    /// The UCUM code that is compared with others; `None` for a month or a year of the calendar,
    /// which UCUM does not have.
    pub(super) fn ucum(&self) -> Option<&str> {
        if !self.is_calendar {
            return Some(&self.unit);
        }
        let code = CALENDAR.into_iter().find(|(word, _)| *word == self.unit)?.1;
        (!matches!(code, "a" | "mo")).then_some(code)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_calendar {
            write!(f, "{} {}", self.value, self.unit)
        } else {
            write!(f, "{} '{}'", self.value, self.unit)
        }
    }
}
