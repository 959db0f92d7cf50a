//! Decimal numbers in the order of their values, however many digits they have.

/// Digits that are compared; further ones do not change the order of what fits.
const DIGITS_MAX: usize = 64;

/// Powers of ten that are told apart; what is greater or smaller counts as the outermost.
const EXPONENT_MAX: i64 = 16_000;

/// A decimal number as bytes that sort as the numbers do, equal for equal numbers (`1.50` and
/// `15e-1`). 2 bytes and one for each two digits:
///
/// A positive number is `0.d1d2… × 10^e` with `d1` not 0: the big-endian `0xc000 + e`, then each
/// two digits plus one. Of a negative number every byte is inverted, and `0xff` follows. Zero is
/// `0x8000`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecimalKey(Box<[u8]>);

impl DecimalKey {
    /// Reads a number of JSON: `-12.50`, `1e3`.
    pub fn parse(text: &str) -> Option<Self> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|b| b - b'0').collect();
        let first = digits.iter().position(|digit| *digit != 0);
        let last = digits.iter().rposition(|digit| *digit != 0);
        let (Some(first), Some(last)) = (first, last) else {
            return Some(Self([0x80, 0].into()));
        };
        let point = i64::try_from(whole.len()).ok()? - i64::try_from(first).ok()?;
        let exponent = exponent.saturating_add(point).clamp(-EXPONENT_MAX, EXPONENT_MAX);
        let header = u16::try_from(0xc000 + exponent).ok()?;
        let mut bytes = header.to_be_bytes().to_vec();
        let digits = &digits[first..=last];
        for pair in digits[..digits.len().min(DIGITS_MAX)].chunks(2) {
            bytes.push(pair[0] * 10 + pair.get(1).unwrap_or(&0) + 1);
        }
        if is_negative {
            for byte in &mut bytes {
                *byte = !*byte;
            }
            bytes.push(0xff);
        }
        Some(Self(bytes.into()))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn read_exponent(text: &str) -> Option<i64> {
    let digits = text.trim_start_matches(['+', '-']);
    if digits.is_empty()
        || text.len() - digits.len() > 1
        || !digits.bytes().all(|b| b.is_ascii_digit())
    {
        return None;
    }
    // More digits than fit mean more than can be told apart.
    let size = digits.parse::<i64>().unwrap_or(2 * EXPONENT_MAX).min(1_000_000_000);
    Some(if text.starts_with('-') { -size } else { size })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> DecimalKey {
        DecimalKey::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn keys_sort_as_numbers_do() {
        let sorted = [
            "-1e99999999999999999999",
            "-1000",
            "-999.5",
            "-5.01",
            "-5",
            "-0.5",
            "-0.05",
            "-1e-30",
            "0",
            "1e-30",
            "0.05",
            "0.5",
            "0.50001",
            "5",
            "5.01",
            "36.5",
            "36.55",
            "50",
            "99",
            "100",
            "101",
            "123456789012345678901234567890",
            "1e31",
        ];
        for pair in sorted.windows(2) {
            assert!(key(pair[0]) < key(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn equal_numbers_have_one_key() {
        for (a, b) in
            [("1.50", "15e-1"), ("0", "-0.000"), ("100", "1E+2"), ("36.5", "36.500"), ("007", "7")]
        {
            assert_eq!(key(a), key(b), "{a} {b}");
        }
        assert_eq!(key("36.5").as_bytes().len(), 4);
    }

    #[test]
    fn what_is_no_number_has_none() {
        for text in ["", "-", ".5", "1e", "1e+-2", "x", "1,5", "--1", "+1", "1.x"] {
            assert_eq!(DecimalKey::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_the_numbers(
            a in -1_000_000i64..1_000_000, b in -1_000_000i64..1_000_000, scale in 0usize..9,
        ) {
            let text = |n: i64| {
                let digits = format!("{:0>10}", n.unsigned_abs());
                let (whole, fraction) = digits.split_at(digits.len() - scale);
                format!("{}{whole}.{fraction}0", if n < 0 { "-" } else { "" })
            };
            prop_assert_eq!(key(&text(a)).cmp(&key(&text(b))), a.cmp(&b));
        }
    }
}
