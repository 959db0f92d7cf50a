//! Bytes as text, and numbers as bytes: the two encodings that every format of Ondol shares.

/// Lower-case hexadecimal.
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]])
        .map(char::from)
        .collect()
}

/// Fills `to` from exactly `2 * to.len()` lower-case hexadecimal digits; false if they are not.
pub fn hex_to(text: &str, to: &mut [u8]) -> bool {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    if text.len() != to.len() * 2 {
        return false;
    }
    for (pair, byte) in text.as_bytes().chunks_exact(2).zip(to.iter_mut()) {
        let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else { return false };
        *byte = high << 4 | low;
    }
    true
}

/// Appends an unsigned LEB128 number: seven bits a byte, low bits first.
pub fn put_number(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 0x80")]
    to.push(number as u8);
}

/// Appends a length as a number, then the bytes.
pub fn put_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    put_number(to, bytes.len() as u64);
    to.extend_from_slice(bytes);
}

/// The bytes are not what the format says: too short, a number too large, or not the shortest
/// form of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes end early or are not in the canonical form")]
pub struct BadBytes;

/// Reads bytes from the front. Every method checks the length; none panics.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What has not been read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Whether all has been read.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], BadBytes> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(BadBytes)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], BadBytes> {
        self.take(N)?.try_into().map_err(|_| BadBytes)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, BadBytes> {
        Ok(self.array::<1>()?[0])
    }

    /// The next LEB128 number. A form longer than needed is refused: canonical bytes have one
    /// way to say a thing.
    pub fn number(&mut self) -> Result<u64, BadBytes> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(BadBytes);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return if byte == 0 && shift > 0 { Err(BadBytes) } else { Ok(number) };
            }
        }
        Err(BadBytes)
    }

    /// The next number as a `usize` no greater than `max`.
    pub fn size(&mut self, max: usize) -> Result<usize, BadBytes> {
        usize::try_from(self.number()?).ok().filter(|&n| n <= max).ok_or(BadBytes)
    }

    /// A length, then that many bytes.
    pub fn bytes(&mut self) -> Result<&'a [u8], BadBytes> {
        let length = self.size(self.0.len())?;
        self.take(length)
    }

    /// A length, then that many bytes of UTF-8.
    pub fn text(&mut self) -> Result<&'a str, BadBytes> {
        std::str::from_utf8(self.bytes()?).map_err(|_| BadBytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_longer_form_of_a_number_is_refused() {
        assert_eq!(Reader::new(&[0x80, 0x00]).number(), Err(BadBytes));
        assert_eq!(Reader::new(&[0x00]).number(), Ok(0));
        assert_eq!(Reader::new(&[0xff; 10]).number(), Err(BadBytes));
        assert_eq!(Reader::new(&[0x80]).number(), Err(BadBytes));
    }

    proptest! {
        #[test]
        fn numbers_and_bytes_round_trip(number: u64, bytes: Vec<u8>) {
            let mut to = Vec::new();
            put_number(&mut to, number);
            put_bytes(&mut to, &bytes);
            let mut reader = Reader::new(&to);
            prop_assert_eq!(reader.number(), Ok(number));
            prop_assert_eq!(reader.bytes(), Ok(&bytes[..]));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn hex_round_trips(bytes: [u8; 16]) {
            let mut back = [0; 16];
            prop_assert!(hex_to(&to_hex(&bytes), &mut back));
            prop_assert_eq!(back, bytes);
        }
    }
}
