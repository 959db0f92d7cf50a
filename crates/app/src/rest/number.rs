//! Numbers of searches: compared as decimals, with the precision that they are written in
//! (R4 3.1.1.4.6).

use std::str::FromStr;

use rust_decimal::Decimal;

use super::criteria::Prefix;

/// A number, and the span that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    value: Decimal,
    low: Decimal,
    high: Decimal,
}

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
        let is_number = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
            && text.bytes().any(|b| b.is_ascii_digit());
        if !is_number || text.len() > 40 {
            return None;
        }
        let value = decimal(text)?;
        let half = Decimal::new(5, value.scale().checked_add(1)?.min(28));
        Some(Self { value, low: value.checked_sub(half)?, high: value.checked_add(half)? })
    }
}

/// Whether a number of a resource passes. Numbers beyond 28 digits pass nothing.
pub(super) fn passes(prefix: Prefix, span: &Span, text: &str) -> bool {
    let Some(number) = decimal(text) else { return false };
    let is_equal = span.low <= number && number < span.high;
    match prefix {
        Prefix::Eq => is_equal,
        Prefix::Ne => !is_equal,
        Prefix::Gt | Prefix::Sa => number > span.value,
        Prefix::Lt | Prefix::Eb => number < span.value,
        Prefix::Ge => number >= span.value,
        Prefix::Le => number <= span.value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(prefix: Prefix, wanted: &str, number: &str) -> bool {
        passes(prefix, &Span::read(wanted).unwrap(), number)
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
    fn what_is_no_number_is_refused_and_huge_ones_pass_nothing() {
        for text in ["", "x", "1,5", "--", "1e999", &"9".repeat(41)] {
            assert_eq!(Span::read(text), None, "{text}");
        }
        assert!(!is(Prefix::Gt, "1", &"9".repeat(40)));
    }
}
