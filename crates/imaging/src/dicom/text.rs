//! Text in the character sets that devices write (PS3.3 §C.12.1.1.2, PS3.5 §6.1).

use encoding_rs::{
    EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5,
    ISO_8859_6, ISO_8859_7, ISO_8859_8, SHIFT_JIS, UTF_8, WINDOWS_874, WINDOWS_1252, WINDOWS_1254,
};

const ESCAPE: u8 = 0x1b;

/// How the text of a file is read.
#[derive(Clone, Copy)]
pub(super) enum Charset {
    /// Nothing was declared: ASCII. Devices that write UTF-8 without saying so are understood,
    /// since text of another set is next to never valid UTF-8.
    Undeclared,
    /// A set that is known.
    Known(&'static Encoding),
    /// A set that is not known, or several that are not understood together.
    Unknown,
}

impl Charset {
    /// Reads Specific Character Set, one or more values.
    pub(super) fn declared(value: Option<&[u8]>) -> Self {
        let Some(value) = value else { return Self::Undeclared };
        let mut several = Self::Undeclared;
        for term in value.split(|byte| *byte == b'\\') {
            let Ok(term) = std::str::from_utf8(term) else { return Self::Unknown };
            // A first value may be empty: ASCII until the first escape.
            let found = match term.trim() {
                "" | "ISO_IR 6" | "ISO 2022 IR 6" => continue,
                term => by_term(term),
            };
            match (found, several) {
                (None, _) => return Self::Unknown,
                // Of several, one of more than one byte is the one that the escapes switch to.
                (Some(encoding), Self::Undeclared) => several = Self::Known(encoding),
                (Some(encoding), _) if !encoding.is_single_byte() => {
                    several = Self::Known(encoding);
                }
                (Some(_), _) => {}
            }
        }
        several
    }

    /// The text, if all of it can be read and printed.
    pub(super) fn read(self, bytes: &[u8]) -> Option<String> {
        let text = match self {
            Self::Unknown => return bytes.is_ascii().then(|| printable(bytes)).flatten(),
            Self::Undeclared => UTF_8.decode_without_bom_handling_and_without_replacement(bytes)?,
            Self::Known(encoding) => {
                let bytes = without_escapes(bytes, encoding)?;
                let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes)?;
                text.into_owned().into()
            }
        };
        printable(text.as_bytes())
    }
}

fn printable(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let fine = text.chars().all(|sign| !sign.is_control() || matches!(sign, '\r' | '\n' | '\t'));
    fine.then(|| text.trim().to_owned())
}

/// Takes out the escapes that announce a set which is written with the high bit, as Korean and
/// Chinese are; those of Japanese are part of its encoding. Any other is not understood.
fn without_escapes(bytes: &[u8], encoding: &'static Encoding) -> Option<Vec<u8>> {
    let announced: &[u8] = match encoding {
        encoding if encoding == ISO_2022_JP => return Some(bytes.to_vec()),
        encoding if encoding == EUC_KR => b"$)C",
        encoding if encoding == GBK => b"$)A",
        _ => b"(B",
    };
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        if *first == ESCAPE {
            rest = after.strip_prefix(announced).or_else(|| after.strip_prefix(b"(B"))?;
        } else {
            plain.push(*first);
            rest = after;
        }
    }
    Some(plain)
}

fn by_term(term: &str) -> Option<&'static Encoding> {
    let number = term
        .strip_prefix("ISO_IR ")
        .or_else(|| term.strip_prefix("ISO 2022 IR "))
        .or_else(|| term.strip_prefix("ISO_IR_"));
    Some(match number.unwrap_or(term) {
        // Latin 1 and 5 are read as the supersets of them that browsers read, too.
        "100" => WINDOWS_1252,
        "148" => WINDOWS_1254,
        "101" => ISO_8859_2,
        "109" => ISO_8859_3,
        "110" => ISO_8859_4,
        "144" => ISO_8859_5,
        "127" => ISO_8859_6,
        "126" => ISO_8859_7,
        "138" => ISO_8859_8,
        "166" => WINDOWS_874,
        "13" => SHIFT_JIS,
        "87" | "159" => ISO_2022_JP,
        "149" => EUC_KR,
        "58" | "GBK" => GBK,
        "192" => UTF_8,
        "GB18030" => GB18030,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(charset: Option<&[u8]>, text: &[u8]) -> Option<String> {
        Charset::declared(charset).read(text)
    }

    #[test]
    fn korean_with_escapes_is_read() {
        // The example of PS3.5 §I.2: Hong^Gildong in Latin, Chinese signs and Hangul.
        let name = b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf";
        let read = read(Some(b"\\ISO 2022 IR 149"), name).unwrap();
        assert_eq!(read, "Hong^Gildong=洪^吉洞=홍^길동");
    }

    #[test]
    fn utf_8_declared_and_not_is_read() {
        assert_eq!(read(Some(b"ISO_IR 192"), "리^룡희".as_bytes()).unwrap(), "리^룡희");
        assert_eq!(read(None, "리^룡희".as_bytes()).unwrap(), "리^룡희");
    }

    #[test]
    fn bytes_of_another_set_are_not_guessed() {
        assert_eq!(read(None, b"\xb1\xe6\xb5\xbf"), None);
        assert_eq!(read(Some(b"KPS 9566"), b"\xb1\xe6"), None);
        assert_eq!(read(Some(b"KPS 9566"), b"RI").as_deref(), Some("RI"));
        assert_eq!(read(Some(b"ISO_IR 100"), b"a\x1b$)C"), None);
    }

    #[test]
    fn control_signs_are_refused() {
        assert_eq!(read(None, b"a\x07b"), None);
    }
}
