//! Which characters the bytes of a message stand for (MSH-18, table 0211).

/// The character sets that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    Ascii,
    Utf8,
    Latin1,
    EucKr,
}

impl Charset {
    /// The one that a code of table 0211 names. `KS X 1001` is sent in the form of EUC-KR.
    pub(super) fn named(code: &str) -> Option<Self> {
        let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
        Some(match plain.to_ascii_uppercase().as_str() {
            "ASCII" | "USASCII" => Self::Ascii,
            "UNICODEUTF8" | "UTF8" => Self::Utf8,
            "88591" | "ISO88591" => Self::Latin1,
            "KSX1001" | "KSC5601" | "EUCKR" => Self::EucKr,
            _ => return None,
        })
    }

    /// The text, if the bytes are in this character set.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Ascii if !bytes.is_ascii() => None,
            Self::Ascii | Self::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
            Self::Latin1 => Some(bytes.iter().copied().map(char::from).collect()),
            Self::EucKr => encoding_rs::EUC_KR
                .decode_without_bom_handling_and_without_replacement(bytes)
                .map(std::borrow::Cow::into_owned),
        }
    }
}

/// MSH-18 of a first segment, its first repetition; none if it is empty.
pub(super) fn msh_18(segment: &[u8]) -> Option<&[u8]> {
    let separator = *segment.get(3)?;
    // MSH-1 is the separator itself, so that MSH-18 is the 18th piece from `MSH` on.
    let field = segment.split(|byte| *byte == separator).nth(17)?;
    let repetition = segment.get(5).copied();
    let first = field.split(|byte| Some(*byte) == repetition).next()?.trim_ascii();
    (!first.is_empty() && first != b"\"\"").then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_character_set_is_read_and_others_are_not_guessed() {
        assert_eq!(Charset::named("UNICODE UTF-8"), Some(Charset::Utf8));
        assert_eq!(Charset::named("8859/1"), Some(Charset::Latin1));
        assert_eq!(Charset::named("KS X 1001"), Some(Charset::EucKr));
        assert_eq!(Charset::named("ISO IR87"), None);
        assert_eq!(Charset::Latin1.decode(b"M\xfcller").as_deref(), Some("Müller"));
        assert_eq!(Charset::EucKr.decode(b"\xb1\xe8").as_deref(), Some("김"));
        assert_eq!(Charset::EucKr.decode(b"\xff\xff"), None);
        assert_eq!(Charset::Ascii.decode(b"\xb1"), None);
        assert_eq!(Charset::Utf8.decode(b"\xb1\xe8"), None);
    }

    #[test]
    fn the_field_is_found_by_the_messages_own_separators() {
        assert_eq!(
            msh_18(b"MSH|^~\\&|a|b|c|d|1||T|2|P|2.5||||||8859/1~ASCII"),
            Some(&b"8859/1"[..])
        );
        assert_eq!(msh_18(b"MSH#^~\\&#a#b#c#d#1##T#2#P#2.5######ASCII#x"), Some(&b"ASCII"[..]));
        assert_eq!(msh_18(b"MSH|^~\\&|a"), None);
        assert_eq!(msh_18(b"MSH"), None);
    }
}
