//! Shapes: what texts of resources have in common, with holes for what differs (ADR 0013).
//!
//! JSON text has no bytes below 0x20, so that some of them can mark holes. A shape says nothing
//! about what its holes mean: it is filled with cells, and the text comes back as it was.

use ondol_kernel::ResourceId;

use super::{
    cells::{Decimal, Time},
    model::number_of,
};

/// A UUID in lower case.
pub const ID: u8 = 1;
/// What is between the quotes of a date, or of a date with time.
pub const TIME: u8 = 2;
/// A number.
pub const NUMBER: u8 = 3;
/// What is between the quotes of a string.
pub const TEXT: u8 = 4;

/// Texts longer than this are not taken apart, bytes.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// A text with more holes is not taken apart.
const HOLES_MAX: usize = 512;

/// Members whose values stay in the shape: codes and what belongs to them. All others are holes.
const KEPT: [&[u8]; 22] = [
    b"code",
    b"contentType",
    b"criticality",
    b"display",
    b"gender",
    b"intent",
    b"kind",
    b"language",
    b"linkId",
    b"mode",
    b"priority",
    b"profile",
    b"rank",
    b"reference",
    b"relationship",
    b"severity",
    b"status",
    b"system",
    b"type",
    b"unit",
    b"url",
    b"use",
];

/// What fills a hole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A UUID.
    Id([u8; 16]),
    /// A date or time.
    Time(Time),
    /// A number.
    Number(Decimal),
    /// Bytes between quotes, as they stand in the JSON text.
    Text(Vec<u8>),
}

/// A hole of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// What it takes.
    pub mark: u8,
    /// Which member of which type of resource it belongs to, as a number.
    pub column: u32,
}

/// A type of resource and a text with holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The resource type's name.
    pub resource_type: Box<str>,
    /// The text, holes as their marks.
    pub text: Vec<u8>,
    /// The holes in their order.
    pub holes: Vec<Hole>,
}

impl Shape {
    /// A shape of a text with marks.
    pub fn of(resource_type: &str, text: Vec<u8>) -> Self {
        let kind = number_of(resource_type.as_bytes());
        let mut holes = vec![];
        let mut key = 0;
        let mut string = 0;
        for (at, &byte) in text.iter().enumerate() {
            match byte {
                b'"' if text.get(at + 1) == Some(&b':') => {
                    key = number_of(&text[string..at]);
                }
                b'"' => string = at + 1,
                ID | TIME | NUMBER | TEXT => {
                    holes.push(Hole { mark: byte, column: kind.wrapping_mul(31) ^ key });
                }
                _ => {}
            }
        }
        Self { resource_type: resource_type.into(), text, holes }
    }

    /// Fills the holes. There are as many cells as holes, each of its hole's sort.
    pub fn fill(&self, cells: &[Cell]) -> Vec<u8> {
        let mut filled = Vec::with_capacity(self.text.len() + cells.len() * 24);
        let mut cells = cells.iter();
        for &byte in &self.text {
            if !matches!(byte, ID | TIME | NUMBER | TEXT) {
                filled.push(byte);
                continue;
            }
            match cells.next() {
                Some(Cell::Id(id)) => {
                    filled.extend_from_slice(ResourceId::from_uuid(*id).as_str().as_bytes());
                }
                Some(Cell::Time(time)) => filled.extend_from_slice(time.spell().as_bytes()),
                Some(Cell::Number(number)) => filled.extend_from_slice(number.spell().as_bytes()),
                Some(Cell::Text(text)) => filled.extend_from_slice(text),
                None => {}
            }
        }
        filled
    }
}

/// The UUID in lower case that begins at `at`.
pub fn uuid_at(bytes: &[u8], at: usize) -> Option<[u8; 16]> {
    let text = bytes.get(at..at + 36)?;
    if text[8] != b'-' || text[13] != b'-' || text[18] != b'-' || text[23] != b'-' {
        return None;
    }
    ResourceId::new(std::str::from_utf8(text).ok()?).ok()?.as_uuid()
}

/// Takes canonical JSON text apart into a text with marks and its cells; `None` if it is better
/// left whole.
pub fn take_apart(text: &str) -> Option<(Vec<u8>, Vec<Cell>)> {
    let bytes = text.as_bytes();
    if bytes.len() > TEXT_BYTES_MAX {
        return None;
    }
    let mut apart = Apart { text: Vec::with_capacity(bytes.len()), cells: vec![] };
    let (mut at, mut key) = (0, &bytes[..0]);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let end = end_of_string(bytes, at + 1)?;
                let inner = &bytes[at + 1..end];
                apart.text.push(b'"');
                if bytes.get(end + 1) == Some(&b':') {
                    key = inner;
                    apart.text.extend_from_slice(inner);
                } else {
                    apart.string(key, inner);
                }
                apart.text.push(b'"');
                at = end + 1;
            }
            b'-' | b'0'..=b'9' => {
                let length = bytes[at..].iter().take_while(|b| !matches!(b, b',' | b']' | b'}'));
                let end = at + length.count();
                apart.number(&bytes[at..end]);
                at = end;
            }
            byte => {
                apart.text.push(byte);
                at += 1;
            }
        }
    }
    (apart.cells.len() <= HOLES_MAX).then_some((apart.text, apart.cells))
}

fn end_of_string(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

struct Apart {
    text: Vec<u8>,
    cells: Vec<Cell>,
}

impl Apart {
    fn hole(&mut self, mark: u8, cell: Cell) {
        self.text.push(mark);
        self.cells.push(cell);
    }

    fn number(&mut self, token: &[u8]) {
        match std::str::from_utf8(token).ok().and_then(Decimal::parse) {
            Some(number) => self.hole(NUMBER, Cell::Number(number)),
            None => self.text.extend_from_slice(token),
        }
    }

    fn string(&mut self, key: &[u8], inner: &[u8]) {
        if let Some(time) = std::str::from_utf8(inner).ok().and_then(Time::parse) {
            return self.hole(TIME, Cell::Time(time));
        }
        let ids = (0..inner.len().saturating_sub(35)).any(|at| uuid_at(inner, at).is_some());
        if ids {
            return self.with_ids(inner);
        }
        if KEPT.contains(&key) {
            return self.text.extend_from_slice(inner);
        }
        self.hole(TEXT, Cell::Text(inner.to_vec()));
    }

    fn with_ids(&mut self, inner: &[u8]) {
        let mut at = 0;
        while at < inner.len() {
            if let Some(id) = uuid_at(inner, at) {
                self.hole(ID, Cell::Id(id));
                at += 36;
            } else {
                self.text.push(inner[at]);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn holes_are_where_values_differ() {
        let text = r#"{"status":"final","subject":{"reference":"Patient/39455353-8cde-4e75-921e-bce6139f7110"},"at":"2026-03-02T08:14:08+03:00","born":"1962-01-31","v":[36.50,-0,1e5],"note":"a\"b","flag":true}"#;
        let (shape, cells) = take_apart(text).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&shape),
            "{\"status\":\"final\",\"subject\":{\"reference\":\"Patient/\u{1}\"},\"at\":\"\u{2}\",\"born\":\"\u{2}\",\"v\":[\u{3},\u{3},1e5],\"note\":\"\u{4}\",\"flag\":true}"
        );
        let shape = Shape::of("Observation", shape);
        assert_eq!(shape.fill(&cells), text.as_bytes());
        let marks: Vec<u8> = shape.holes.iter().map(|hole| hole.mark).collect();
        assert_eq!(marks, [ID, TIME, TIME, NUMBER, NUMBER, TEXT]);
        assert_eq!(shape.holes[3].column, shape.holes[4].column);
        assert_ne!(shape.holes[1].column, shape.holes[2].column);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
            ".{0,6}".prop_map(Value::from),
            "[0-9]{4}-[01][0-9]-[0-3][0-9](T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{3})?(Z|[+-][01][0-9]:[0-5][0-9]))?".prop_map(Value::from),
            "[A-Z]{0,3}/?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}.?".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            let key = prop_oneof!["[a-z]{1,6}", ".{0,4}", Just("code".to_owned())];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(key, inner, 0..6).prop_map(|members| json!(members)),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_text_comes_back(value in any_json()) {
            let text = json!({"v": value}).to_string();
            let (shape, cells) = take_apart(&text).unwrap();
            let shape = Shape::of("Basic", shape);
            prop_assert_eq!(shape.holes.len(), cells.len());
            prop_assert_eq!(String::from_utf8(shape.fill(&cells)).unwrap(), text);
        }
    }
}
