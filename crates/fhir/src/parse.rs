//! Reads JSON as FHIR needs it: numbers keep their text, keys keep their order, a key given
//! twice is refused, and size and depth have limits. An error names the place in the document
//! and never repeats a value of it.
//!
//! `serde_json`'s own parser is not used: it rewrites `1E5` to `1e+5`, which FHIR forbids for
//! decimals (R4 2.24.0.1, precision is kept), and lets the last of two equal keys win.

use std::fmt::Write;

use serde_json::{Map, Number, Value};

/// What a document may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the document.
    pub bytes: usize,
    /// Objects and arrays inside each other.
    pub depth: usize,
}

impl Limits {
    /// One resource: 16 MiB, 64 levels. Pictures travel as blobs, not inside resources.
    pub const RESOURCE: Self = Self { bytes: 16 << 20, depth: 64 };
    /// A bundle that is imported: 256 MiB, 64 levels.
    pub const IMPORT: Self = Self { bytes: 256 << 20, depth: 64 };
}

/// Why a document was refused. `path` is like `Patient.name[0].given` without the type
/// (`name[0].given`), empty for the document itself; `offset` is in bytes from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The document is longer than the limit.
    #[error("the document has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// Bytes of the document.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Objects and arrays lie deeper than the limit.
    #[error("nested more than {limit} deep at {path} (byte {offset})")]
    TooDeep {
        /// Where.
        path: String,
        /// The byte.
        offset: usize,
        /// The limit.
        limit: usize,
    },
    /// The text is not JSON (RFC 8259) there.
    #[error("not JSON at {path} (byte {offset}): {expected} expected")]
    Syntax {
        /// Where.
        path: String,
        /// The byte.
        offset: usize,
        /// What should have been there.
        expected: &'static str,
    },
    /// The same key twice in one object.
    #[error("a key stands twice at {path} (byte {offset})")]
    DuplicateKey {
        /// Where, with the key at its end.
        path: String,
        /// The byte after the second one.
        offset: usize,
    },
    /// A key that the JSON library keeps for itself.
    #[error("a reserved key at {path} (byte {offset})")]
    ReservedKey {
        /// Where the object is.
        path: String,
        /// The byte after the key.
        offset: usize,
    },
    /// The document is JSON but no object.
    #[error("a resource is a JSON object")]
    NotAnObject,
    /// No `resourceType`, or it is no string.
    #[error("resourceType is missing or not a string")]
    NoResourceType,
    /// `resourceType` names no resource type of R4.
    #[error("resourceType is not one of FHIR R4's")]
    UnknownResourceType,
}

/// Reads a JSON document within limits.
pub fn parse_json(bytes: &[u8], limits: Limits) -> Result<Value, ParseError> {
    if bytes.len() > limits.bytes {
        return Err(ParseError::TooLarge { bytes: bytes.len(), limit: limits.bytes });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| ParseError::Syntax {
        path: String::new(),
        offset: error.valid_up_to(),
        expected: "UTF-8",
    })?;
    let mut parser = Parser { text, at: 0, depth: limits.depth, path: Vec::new() };
    parser.space();
    let value = parser.value()?;
    parser.space();
    if parser.at < text.len() {
        return Err(parser.syntax("the end"));
    }
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    path: Vec<Step>,
}

enum Step {
    Key(String),
    Index(usize),
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn place(&self) -> String {
        let mut place = String::new();
        for step in &self.path {
            match step {
                Step::Key(key) => {
                    if !place.is_empty() {
                        place.push('.');
                    }
                    place.push_str(sayable(key));
                }
                Step::Index(at) => {
                    let _ = write!(place, "[{at}]");
                }
            }
        }
        place
    }

    fn syntax(&self, expected: &'static str) -> ParseError {
        ParseError::Syntax { path: self.place(), offset: self.at, expected }
    }

    fn value(&mut self) -> Result<Value, ParseError> {
        match self.peek() {
            Some(b'{') => self.object().map(Value::Object),
            Some(b'[') => self.array().map(Value::Array),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.syntax("a value")),
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, ParseError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.syntax("a value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn enter(&mut self) -> Result<(), ParseError> {
        // The path has one step for each level, so its length is the depth.
        if self.path.len() >= self.depth {
            let (path, offset, limit) = (self.place(), self.at, self.depth);
            return Err(ParseError::TooDeep { path, offset, limit });
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    fn object(&mut self) -> Result<Map<String, Value>, ParseError> {
        self.enter()?;
        let mut map = Map::new();
        if self.eat(b'}') {
            return Ok(map);
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.syntax("a key"));
            }
            let key = self.string()?;
            if key.starts_with("$serde_json") {
                return Err(ParseError::ReservedKey { path: self.place(), offset: self.at });
            }
            self.path.push(Step::Key(key));
            self.space();
            if !self.eat(b':') {
                return Err(self.syntax("':'"));
            }
            self.space();
            let value = self.value()?;
            let (path_before, offset) = (self.path.len(), self.at);
            let Some(Step::Key(key)) = self.path.pop() else { return Err(self.syntax("a key")) };
            debug_assert_eq!(path_before, self.path.len() + 1, "each level pops what it pushed");
            if map.contains_key(&key) {
                self.path.push(Step::Key(key));
                return Err(ParseError::DuplicateKey { path: self.place(), offset });
            }
            map.insert(key, value);
            self.space();
            if self.eat(b'}') {
                return Ok(map);
            }
            if !self.eat(b',') {
                return Err(self.syntax("',' or '}'"));
            }
            self.space();
        }
    }

    fn array(&mut self) -> Result<Vec<Value>, ParseError> {
        self.enter()?;
        let mut items = Vec::new();
        if self.eat(b']') {
            return Ok(items);
        }
        loop {
            self.path.push(Step::Index(items.len()));
            items.push(self.value()?);
            self.path.pop();
            self.space();
            if self.eat(b']') {
                return Ok(items);
            }
            if !self.eat(b',') {
                return Err(self.syntax("',' or ']'"));
            }
            self.space();
        }
    }

    fn digits(&mut self) -> Result<(), ParseError> {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == from { Err(self.syntax("a digit")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Number, ParseError> {
        let from = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        } else if matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.syntax("a number without a leading zero"));
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            self.digits()?;
        }
        // The grammar above is JSON's, so the text is a number as it stands; the checked
        // constructor would rewrite its exponent.
        Ok(Number::from_string_unchecked(self.text[from..self.at].to_owned()))
    }

    fn string(&mut self) -> Result<String, ParseError> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let plain = rest.iter().position(|&b| b == b'"' || b == b'\\' || b < 0x20);
            let Some(plain) = plain else {
                self.at = self.text.len();
                return Err(self.syntax("the end of the string"));
            };
            if plain > 0 {
                string.push_str(&self.text[self.at..self.at + plain]);
                self.at += plain;
            }
            match self.text.as_bytes()[self.at] {
                b'"' => {
                    self.at += 1;
                    return Ok(string);
                }
                b'\\' => {
                    self.at += 1;
                    string.push(self.escape()?);
                }
                _ => return Err(self.syntax("an escaped control character")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ParseError> {
        let letter = self.peek().ok_or_else(|| self.syntax("an escape"))?;
        let plain = match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(self.syntax("an escape")),
        };
        self.at += 1;
        Ok(plain)
    }

    fn unicode(&mut self) -> Result<char, ParseError> {
        let high = self.code_unit()?;
        if let Some(plain) = char::from_u32(high) {
            return Ok(plain);
        }
        // A surrogate: only a high one followed by a low one is a character.
        if high < 0xdc00 && self.eat(b'\\') {
            let low = self.code_unit()?;
            if (0xdc00..0xe000).contains(&low) {
                let joined = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return char::from_u32(joined).ok_or_else(|| self.syntax("a character"));
            }
        }
        Err(self.syntax("a pair of surrogates"))
    }

    /// Reads `uXXXX` after the backslash.
    fn code_unit(&mut self) -> Result<u32, ParseError> {
        let digits = self.text.as_bytes().get(self.at..self.at + 5);
        let unit = digits.filter(|d| d[0] == b'u').and_then(|d| {
            d[1..].iter().try_fold(0, |unit, &b| Some(unit << 4 | char::from(b).to_digit(16)?))
        });
        let unit = unit.ok_or_else(|| self.syntax("four hexadecimal digits"))?;
        self.at += 5;
        Ok(unit)
    }
}

/// A key as it may be repeated in an error: names of elements are letters and digits, anything
/// else may be somebody's data in the wrong place.
pub(crate) fn sayable(key: &str) -> &str {
    let fits = key.len() <= 64 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if fits { key } else { "?" }
}

#[cfg(test)]
mod tests;
