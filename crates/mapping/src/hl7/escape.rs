//! Escape sequences (HL7 v2, chapter 2, "Use of escape sequences in text fields").

use super::{charset::Charset, message::Ways};

/// Empty lines that one `\.sp\` makes at most.
const SKIP_MAX: usize = 10;

/// What a text means, and whether all of it could be told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) text: String,
    /// A sequence stands there as it was written, or characters that no text may have were left
    /// out.
    pub(super) is_odd: bool,
}

/// Decodes a text that has no delimiters any more.
pub(super) fn decode(text: &str, ways: &Ways) -> Decoded {
    let mut out = Decoded { text: String::with_capacity(text.len()), is_odd: false };
    let mut rest = text;
    while let Some((before, after)) = ways.escape.and_then(|escape| rest.split_once(escape)) {
        out.push(before);
        let end = ways.escape.and_then(|escape| after.split_once(escape));
        let Some((sequence, after)) = end else {
            // It does not end: what was written stays.
            out.is_odd = true;
            rest = &rest[before.len()..];
            break;
        };
        if let Some(decoded) = sequence_of(sequence, ways) {
            out.push(&decoded);
            rest = after;
        } else {
            // The sign that would end this one may begin the next.
            out.is_odd = true;
            out.text.extend(ways.escape);
            out.push(sequence);
            let kept = after.len() + ways.escape.map_or(0, char::len_utf8);
            rest = if is_sequence(sequence) {
                out.text.extend(ways.escape);
                after
            } else {
                &rest[rest.len() - kept..]
            };
        }
    }
    out.push(rest);
    out
}

impl Decoded {
    /// FHIR's texts have no control characters but these.
    fn push(&mut self, text: &str) {
        for c in text.chars() {
            if c >= ' ' || matches!(c, '\t' | '\n' | '\r') {
                self.text.push(c);
            } else {
                self.is_odd = true;
            }
        }
    }
}

/// Whether it has the form of a sequence that is not known here (`Cxxyy`, `Mxxyyzz`, `Z..`).
fn is_sequence(text: &str) -> bool {
    text.starts_with(['C', 'M', 'Z', 'X', '.'])
        && text.len() < 32
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-'))
}

fn sequence_of(sequence: &str, ways: &Ways) -> Option<String> {
    let one = |c: Option<char>| c.map(String::from);
    match sequence {
        "F" => Some(ways.field.into()),
        "S" => Some(ways.component.into()),
        "T" => one(ways.sub),
        "R" => one(ways.repetition),
        "E" => one(ways.escape),
        // Highlighting, filling and centring: how it looks, not what it says.
        "H" | "N" | ".fi" | ".nf" => Some(String::new()),
        ".br" | ".ce" => Some("\n".into()),
        _ => {
            if let Some(hex) = sequence.strip_prefix('X') {
                return hex_of(hex, ways.charset);
            }
            if let Some(count) = sequence.strip_prefix(".sp") {
                let count = count.trim_start_matches('+');
                let count = if count.is_empty() { 1 } else { count.parse().ok()? };
                return Some("\n".repeat(SKIP_MAX.min(count)));
            }
            let indent = sequence.strip_prefix(".in").or(sequence.strip_prefix(".ti"))?;
            let digits = indent.trim_start_matches(['+', '-']);
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(String::new)
        }
    }
}

fn hex_of(hex: &str, charset: Charset) -> Option<String> {
    if hex.is_empty() || !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    let bytes: Option<Vec<u8>> = (0..hex.len())
        .step_by(2)
        .map(|at| {
            let digits = &hex[at..at + 2];
            let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hex.then(|| u8::from_str_radix(digits, 16).ok())?
        })
        .collect();
    charset.decode(&bytes?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(text: &str) -> (String, bool) {
        let out = decode(text, &Ways::USUAL);
        (out.text, out.is_odd)
    }

    #[test]
    fn sequences_mean_what_they_stand_for() {
        for (text, means) in [
            (r"a\F\b\S\c\T\d\R\e\E\f", "a|b^c&d~e\\f"),
            (r"one\.br\two\.sp2\three", "one\ntwo\n\nthree"),
            (r"\X41\\X42430D\", "ABC\r"),
            (r"\XEAB980\", "김"),
            (r"\H\bold\N\ \.in+4\in", "bold in"),
            ("plain", "plain"),
        ] {
            assert_eq!(decoded(text), (means.to_owned(), false), "{text}");
        }
    }

    #[test]
    fn what_is_not_known_stays_as_written_and_is_told() {
        for (text, means) in [
            (r"a\Z1\b", r"a\Z1\b"),
            (r"C:\dir\F\x", r"C:\dir|x"),
            (r"end\", r"end\"),
            (r"\X4\", r"\X4\"),
            (r"a\X00\b", "ab"),
        ] {
            assert_eq!(decoded(text), (means.to_owned(), true), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_nothing_grows_out_of_hand(text in "[\\\\XFSTREZ.bspin0-9가\u{0}]{0,60}") {
            prop_assert!(decoded(&text).0.len() <= text.len() * 4);
        }
    }
}
