//! FHIR's primitive types and the form of their values (R4 2.24.0.1).

use serde_json::Value;

use crate::temporal::{self, Temporal};

macro_rules! primitives {
    ($($variant:ident $name:literal),* $(,)?) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Primitive {
            $($variant),*
        }

        impl Primitive {
            pub(crate) fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),*
                }
            }
        }
    };
}

primitives! {
    Base64Binary "base64Binary", Boolean "boolean", Canonical "canonical", Code "code",
    Date "date", DateTime "dateTime", Decimal "decimal", Id "id", Instant "instant",
    Integer "integer", Markdown "markdown", Oid "oid", PositiveInt "positiveInt",
    String "string", Time "time", UnsignedInt "unsignedInt", Uri "uri", Url "url", Uuid "uuid",
    Xhtml "xhtml",
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It is not the kind of JSON that the type is written in.
    Json,
    /// An empty string.
    Empty,
    /// Its form is not that of the type.
    Form,
}

/// Characters that a string may have at most: R4 says 1 MB, which HL7's definition counts as
/// characters.
const STRING_MAX: usize = 1_048_576;

impl Primitive {
    /// The kind of JSON that the type is written in, in words.
    pub(crate) const fn json(self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::Decimal | Self::Integer | Self::PositiveInt | Self::UnsignedInt => "a number",
            _ => "a string",
        }
    }

    /// Checks a value.
    pub(crate) fn check(self, value: &Value) -> Result<(), Wrong> {
        let fits = match (self, value) {
            (Self::Boolean, Value::Bool(_)) | (Self::Decimal, Value::Number(_)) => true,
            (Self::Integer, Value::Number(number)) => is_integer(number.as_str(), i32::MIN),
            (Self::UnsignedInt, Value::Number(number)) => is_integer(number.as_str(), 0),
            (Self::PositiveInt, Value::Number(number)) => is_integer(number.as_str(), 1),
            (
                Self::Boolean
                | Self::Decimal
                | Self::Integer
                | Self::UnsignedInt
                | Self::PositiveInt,
                _,
            ) => {
                return Err(Wrong::Json);
            }
            (_, Value::String(text)) if text.is_empty() => return Err(Wrong::Empty),
            (_, Value::String(text)) => self.fits(text),
            _ => return Err(Wrong::Json),
        };
        if fits { Ok(()) } else { Err(Wrong::Form) }
    }

    fn fits(self, text: &str) -> bool {
        match self {
            Self::Base64Binary => is_base64(text),
            Self::Code => is_code(text),
            Self::Date => Temporal::parse(text).is_some_and(|t| !t.has_time()),
            Self::DateTime => Temporal::parse(text).is_some(),
            Self::Instant => Temporal::parse(text).is_some_and(|t| t.has_time()),
            Self::Time => temporal::is_time(text),
            Self::Id => ondol_kernel::ResourceId::new(text).is_ok(),
            Self::Oid => is_oid(text),
            Self::Uuid => is_uuid(text),
            Self::Uri | Self::Url | Self::Canonical => !text.contains(char::is_whitespace),
            Self::Xhtml => text.trim_start().starts_with("<div"),
            Self::Markdown | Self::String => {
                text.chars().all(|c| c >= ' ' || matches!(c, '\t' | '\n' | '\r'))
                    && (text.len() <= STRING_MAX || text.chars().count() <= STRING_MAX)
            }
            // Checked as JSON above.
            Self::Boolean
            | Self::Decimal
            | Self::Integer
            | Self::PositiveInt
            | Self::UnsignedInt => false,
        }
    }
}

/// Digits only, with a minus before a number other than 0, from `least` to 2^31 - 1.
fn is_integer(text: &str, least: i32) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.bytes().all(|b| b.is_ascii_digit())
        && text != "-0"
        && text.parse::<i32>().is_ok_and(|number| number >= least)
}

/// No space at the ends, and no two together.
fn is_code(text: &str) -> bool {
    let mut was_space = true;
    for c in text.chars() {
        let is_space = c.is_whitespace();
        if is_space && was_space {
            return false;
        }
        was_space = is_space;
    }
    !was_space
}

fn is_oid(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("urn:oid:") else { return false };
    let mut arcs = rest.split('.');
    let root = arcs.next().is_some_and(|root| matches!(root, "0" | "1" | "2"));
    let mut count = 0;
    let others = arcs.all(|arc| {
        count += 1;
        !arc.is_empty()
            && arc.bytes().all(|b| b.is_ascii_digit())
            && (arc == "0" || !arc.starts_with('0'))
    });
    root && others && count > 0
}

fn is_uuid(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("urn:uuid:") else { return false };
    ondol_kernel::ResourceId::new(rest).is_ok_and(|id| id.as_uuid().is_some())
}

/// Groups of four, white space between them, `=` at the end only.
fn is_base64(text: &str) -> bool {
    let mut count = 0usize;
    let mut padding = 0usize;
    for byte in text.bytes() {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            b'=' => padding += 1,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => {}
            _ => return false,
        }
        count += 1;
    }
    count > 0 && count.is_multiple_of(4) && padding <= 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fits(kind: Primitive, value: &Value) -> bool {
        kind.check(value).is_ok()
    }

    #[test]
    fn texts_keep_to_the_form_of_their_type() {
        use Primitive as P;
        for (kind, good, bad) in [
            (P::Code, vec!["a", "a b", "final"], vec![" a", "a ", "a  b", "a\t b"]),
            (P::Id, vec!["a-1.B"], vec!["a_b", "a b"]),
            (
                P::Oid,
                vec!["urn:oid:1.2.0.10"],
                vec!["1.2.3", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:1", "urn:oid:1."],
            ),
            (
                P::Uuid,
                vec!["urn:uuid:0e2feb89-414c-843c-9027-c4d1c386bbc4"],
                vec!["urn:uuid:0E2FEB89-414c-843c-9027-c4d1c386bbc4", "urn:uuid:0"],
            ),
            (P::Uri, vec!["http://a.kp/x", "x"], vec!["a b"]),
            (
                P::Base64Binary,
                vec!["QUJD", "QUI=", "QQ==", "QUJD\n QUJD"],
                vec!["QUJ", "Q===", "QU=D", "Q-JD"],
            ),
            (
                P::Date,
                vec!["2024", "2024-02", "2024-02-29"],
                vec!["2023-02-29", "2024-02-29T10:00:00Z"],
            ),
            (P::DateTime, vec!["2024", "2024-02-29T10:00:00Z"], vec!["2024-02-29T10:00Z"]),
            (P::Instant, vec!["2024-02-29T10:00:00.123+09:00"], vec!["2024-02-29"]),
            (P::Time, vec!["10:00:00", "10:00:00.5"], vec!["10:00", "24:00:00", "10:00:00Z"]),
            (P::String, vec!["한 줄\n둘째 줄"], vec!["a\u{0}b", "a\u{1b}"]),
            (P::Xhtml, vec!["<div xmlns=\"x\">a</div>"], vec!["plain"]),
        ] {
            for text in good {
                assert!(fits(kind, &json!(text)), "{kind:?} {text}");
            }
            for text in bad {
                assert_eq!(kind.check(&json!(text)), Err(Wrong::Form), "{kind:?} {text}");
            }
            assert_eq!(kind.check(&json!("")), Err(Wrong::Empty));
            assert_eq!(kind.check(&json!(1)), Err(Wrong::Json));
        }
    }

    #[test]
    fn numbers_keep_to_the_range_of_their_type() {
        use Primitive as P;
        let number =
            |text: &str| crate::parse_json(text.as_bytes(), crate::Limits::RESOURCE).unwrap();
        for (kind, good, bad) in [
            (P::Integer, vec!["0", "-1", "2147483647"], vec!["2147483648", "1.0", "1e2", "-0"]),
            (P::UnsignedInt, vec!["0", "1"], vec!["-1", "1.5"]),
            (P::PositiveInt, vec!["1"], vec!["0", "-1"]),
            (P::Decimal, vec!["0.00", "-1e-5", "123456789012345678901234567890.1"], vec![]),
        ] {
            for text in good {
                assert!(fits(kind, &number(text)), "{kind:?} {text}");
            }
            for text in bad {
                assert_eq!(kind.check(&number(text)), Err(Wrong::Form), "{kind:?} {text}");
            }
            assert_eq!(kind.check(&json!("1")), Err(Wrong::Json));
        }
        assert_eq!(P::Boolean.check(&json!("true")), Err(Wrong::Json));
    }
}
