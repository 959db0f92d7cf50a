//! Numbers of searches: compared as decimals, with the precision that they are written in
//! (R4 3.1.1.4.6).

use std::{ops::Bound, str::FromStr};

use ondol_fhir::DecimalKey;
use ondol_store::{Unit, index::canonical};
use rust_decimal::Decimal;

use super::criteria::Prefix;

/// A number, and the spans that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    value: DecimalKey,
    low: DecimalKey,
    high: DecimalKey,
    /// A tenth less and a tenth more, for `ap`.
    about: (DecimalKey, DecimalKey),
}

/// Bounds of numbers as the store takes them.
type Bounds = (Bound<Box<[u8]>>, Bound<Box<[u8]>>);

fn decimal(text: &str) -> Option<Decimal> {
    if text.contains(['e', 'E']) {
        Decimal::from_scientific(text).ok()
    } else {
        Decimal::from_str(text).ok()
    }
}

impl Span {
    /// Reads a number: `100` is 99.5 to 100.5, `100.00` is 99.995 to 100.005.
    pub(super) fn read(text: &str) -> Option<Self> {
        Self::of(text, |number| DecimalKey::parse(&number.to_string()))
    }

    /// The same spans in the canonical unit of a unit of UCUM, and that unit; none where nothing
    /// can be converted (`ondol_store::index::canonical`).
    pub(super) fn read_canonical(text: &str, system: &str, code: &str) -> Option<(Self, Unit)> {
        let mut unit = None;
        let span = Self::of(text, |number| {
            let (key, of) = canonical(&number.to_string(), Some(system), Some(code))?;
            unit = Some(of);
            Some(key)
        })?;
        Some((span, Unit::Canonical(unit?)))
    }

    fn of(text: &str, mut key: impl FnMut(Decimal) -> Option<DecimalKey>) -> Option<Self> {
        let is_number = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
            && text.bytes().any(|b| b.is_ascii_digit());
        if !is_number || text.len() > 40 {
            return None;
        }
        let value = decimal(text)?;
        let half = Decimal::new(5, value.scale().checked_add(1)?.min(28));
        let tenth = value.abs().checked_div(Decimal::TEN)?;
        Some(Self {
            value: key(value)?,
            low: key(value.checked_sub(half)?)?,
            high: key(value.checked_add(half)?)?,
            about: (key(value.checked_sub(tenth)?)?, key(value.checked_add(tenth)?)?),
        })
    }

    /// Within which bounds a number passes; any of them does.
    pub(super) fn bounds(&self, prefix: Prefix) -> Vec<Bounds> {
        let key = |key: &DecimalKey| -> Box<[u8]> { key.as_bytes().into() };
        let from = |of: &DecimalKey| Bound::Included(key(of));
        let below = |of: &DecimalKey| Bound::Excluded(key(of));
        let open = Bound::Unbounded;
        match prefix {
            Prefix::Eq => vec![(from(&self.low), below(&self.high))],
            Prefix::Ne => vec![(open.clone(), below(&self.low)), (from(&self.high), open)],
            Prefix::Gt | Prefix::Sa => vec![(below(&self.value), open)],
            Prefix::Lt | Prefix::Eb => vec![(open, below(&self.value))],
            Prefix::Ge => vec![(from(&self.value), open)],
            Prefix::Le => vec![(open, from(&self.value))],
            Prefix::Ap => vec![(from(&self.about.0), from(&self.about.1))],
        }
    }

    /// Whether a number of a resource passes.
    pub(super) fn passes(&self, prefix: Prefix, text: &str) -> bool {
        DecimalKey::parse(text).is_some_and(|number| self.takes(prefix, &number))
    }

    /// Whether a number passes.
    pub(super) fn takes(&self, prefix: Prefix, number: &DecimalKey) -> bool {
        let number = number.as_bytes();
        self.bounds(prefix).iter().any(|(from, to)| {
            let above = match from {
                Bound::Included(from) => number >= &**from,
                Bound::Excluded(from) => number > &**from,
                Bound::Unbounded => true,
            };
            above
                && match to {
                    Bound::Included(to) => number <= &**to,
                    Bound::Excluded(to) => number < &**to,
                    Bound::Unbounded => true,
                }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(prefix: Prefix, wanted: &str, number: &str) -> bool {
        Span::read(wanted).unwrap().passes(prefix, number)
    }

    #[test]
    fn equality_follows_the_precision_that_is_written() {
        assert!(is(Prefix::Eq, "100", "99.5") && is(Prefix::Eq, "100", "100.4"));
        assert!(!is(Prefix::Eq, "100", "100.5") && !is(Prefix::Eq, "100.00", "100.4"));
        assert!(is(Prefix::Eq, "100.00", "100.004") && is(Prefix::Eq, "5.4", "5.40"));
        assert!(is(Prefix::Eq, "-2.5", "-2.50") && is(Prefix::Ne, "5.4", "5.5"));
    }

    #[test]
    fn comparisons_take_the_number_as_it_is() {
        assert!(is(Prefix::Gt, "100", "100.1") && !is(Prefix::Gt, "100", "100.0"));
        assert!(is(Prefix::Ge, "100", "100.0") && is(Prefix::Le, "1E2", "100"));
        assert!(is(Prefix::Lt, "0.1", "0.09") && is(Prefix::Eb, "38", "37.9"));
    }

    #[test]
    fn about_is_a_tenth_either_way() {
        assert!(is(Prefix::Ap, "100", "90") && is(Prefix::Ap, "100", "110.0"));
        assert!(!is(Prefix::Ap, "100", "89.9") && !is(Prefix::Ap, "-100", "-110.1"));
        assert!(is(Prefix::Ap, "-100", "-90"));
    }

    #[test]
    fn what_is_no_number_is_refused_and_numbers_of_any_size_are_compared() {
        for text in ["", "x", "1,5", "--", "1e999", &"9".repeat(41)] {
            assert_eq!(Span::read(text), None, "{text}");
        }
        assert!(is(Prefix::Gt, "1", &"9".repeat(40)) && is(Prefix::Lt, "1", "1e-400"));
    }
}
