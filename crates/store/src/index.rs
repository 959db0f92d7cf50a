//! Search values as rows. What a value is, `ondol_fhir` says; here stands what is kept of it.
//!
//! Tokens, references and uris are kept as the first 64 bits of their BLAKE3 hash: equality is
//! all that is asked of them, and a row stays near 20 bytes. Strings are kept folded, and their
//! exact forms as tokens; times as half-open ranges in ms; numbers as bytes that sort as they do,
//! with the unit as it is written, and once more in its canonical unit where UCUM knows it.

use std::collections::BTreeSet;

use ondol_fhir::{DecimalKey, IndexValue, ResourceType, SearchParam, extract_members};
use ondol_record::Body;
use serde_json::{Map, Value};

use crate::{StoreError, Test, Unit};

/// The numbers that a store gives to texts that come again and again.
pub trait Numbers {
    /// The number of a text: given now by a writer, one that no row has for a reader if it has
    /// none; 0 for the empty text.
    fn number(&self, text: &str) -> Result<i64, StoreError>;
}

/// Rises whenever the same resource gives other rows, so that an old index is made again.
pub const RULES: i64 = 3;

/// A range up to this long is short, ms. Its row's parameter is twice the number, that of a
/// longer one twice the number plus one: so a search for recent times passes over few rows.
pub const RANGE_SHORT_MS: i64 = 32 * 24 * 60 * 60 * 1000;

/// Longer strings are compared by their beginning, so that a page of prose does not fill the
/// index.
pub const TEXT_CHARS_MAX: usize = 160;

/// One row of the index, without its resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum IndexRow {
    /// A token, reference, uri or exact string.
    Token {
        /// The parameter's number.
        param: i64,
        /// The hash of the code.
        code: i64,
        /// The system's number.
        system: i64,
    },
    /// A folded string.
    Text {
        /// The parameter's number.
        param: i64,
        /// The string, or its beginning.
        value: Box<str>,
    },
    /// A time.
    Range {
        /// Twice the parameter's number, plus one for a long range.
        param: i64,
        /// From, ms.
        low: i64,
        /// To, excluded.
        high: i64,
    },
    /// A number or a quantity.
    Number {
        /// Twice the parameter's number; plus one for a quantity in its canonical unit.
        param: i64,
        /// The bytes of `ondol_fhir::DecimalKey`.
        value: Box<[u8]>,
        /// The number of the unit's system.
        system: i64,
        /// The number of the unit's code.
        code: i64,
        /// The number of the unit in words.
        unit: i64,
    },
}

/// What stands in a column for the identifier of a logical reference: never what stands there for
/// a code or a literal reference.
pub fn logical_hash(value: &str) -> i64 {
    hash(&["\u{1}", value].concat())
}

/// What stands in a column for a text that is only compared.
pub fn hash(text: &str) -> i64 {
    let hash = blake3::hash(text.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    i64::from_le_bytes(first)
}

/// A quantity of UCUM in its canonical unit, to be compared with quantities in others: 6.3 mg is
/// 0.0063 in `g`. `None` for other systems, for codes that UCUM does not have, for units that are
/// not on a straight scale (`[pH]`), and for more digits than are calculated with.
pub fn canonical(
    value: &str,
    system: Option<&str>,
    code: Option<&str>,
) -> Option<(DecimalKey, Box<str>)> {
    if system != Some(ondol_ucum::SYSTEM) {
        return None;
    }
    let unit = ondol_ucum::Unit::parse(code?).ok().filter(ondol_ucum::Unit::is_straight)?;
    let value = ondol_ucum::Value::parse(value).ok()?.canonical(&unit).ok()?;
    Some((DecimalKey::parse(&value.to_string())?, unit.canonical().into()))
}

/// Under which number a parameter's numbers stand: as they are written, or in canonical units.
pub fn numbers_of(param: i64, unit: Option<&Unit>) -> i64 {
    2 * param + i64::from(matches!(unit, Some(Unit::Canonical(_))))
}

/// As much of a folded string as is kept and compared.
pub fn indexed_text(folded: &str) -> &str {
    folded.char_indices().nth(TEXT_CHARS_MAX).map_or(folded, |(end, _)| &folded[..end])
}

/// The name under which a parameter of a type is interned.
pub fn param_name(resource_type: &str, code: &str) -> String {
    [resource_type, ".", code].concat()
}

/// The rows of one version, each once, in order; dates without a zone are read at an offset from
/// UTC. A type that is not of R4 has none.
pub fn rows(
    numbers: &dyn Numbers,
    utc_offset_minutes: i32,
    resource_type: &str,
    body: &str,
    into: &mut BTreeSet<IndexRow>,
) -> Result<(), StoreError> {
    let body = serde_json::from_str::<Map<String, Value>>(body);
    let body = body.map_err(|_| StoreError::Damaged("a body is not a JSON object"))?;
    rows_of_members(numbers, utc_offset_minutes, resource_type, &body, into)
}

/// The same of a body as it is written, without reading its text where that can be spared.
pub fn rows_of(
    numbers: &dyn Numbers,
    utc_offset_minutes: i32,
    resource_type: &str,
    body: &Body,
    into: &mut BTreeSet<IndexRow>,
) -> Result<(), StoreError> {
    match body.members() {
        Some(of) => rows_of_members(numbers, utc_offset_minutes, resource_type, of, into),
        None => rows(numbers, utc_offset_minutes, resource_type, body.as_str(), into),
    }
}

fn rows_of_members(
    numbers: &dyn Numbers,
    utc_offset_minutes: i32,
    resource_type: &str,
    members: &Map<String, Value>,
    into: &mut BTreeSet<IndexRow>,
) -> Result<(), StoreError> {
    let Some(kind) = ResourceType::from_name(resource_type) else { return Ok(()) };
    let mut rows = Rows { numbers, resource_type, last: None, into, failure: None };
    extract_members(kind, members, utc_offset_minutes, |param, value| {
        if rows.failure.is_none()
            && let Err(why) = rows.add(param, value)
        {
            rows.failure = Some(why);
        }
    });
    rows.failure.map_or(Ok(()), Err)
}

struct Rows<'a> {
    numbers: &'a dyn Numbers,
    resource_type: &'a str,
    /// The parameter that was seen last: values come parameter by parameter.
    last: Option<(&'static str, i64)>,
    into: &'a mut BTreeSet<IndexRow>,
    failure: Option<StoreError>,
}

impl Rows<'_> {
    fn add(
        &mut self,
        param: &'static SearchParam,
        value: IndexValue<'_>,
    ) -> Result<(), StoreError> {
        match value {
            IndexValue::String { folded, exact } => {
                let value = indexed_text(&folded).into();
                let param = self.param(param)?;
                self.into.insert(IndexRow::Text { param, value });
                self.token(param, &exact, None)
            }
            IndexValue::Token { system, code } => {
                let param = self.param(param)?;
                self.token(param, code.unwrap_or(""), system.as_deref())
            }
            IndexValue::Reference { kind, id, url, identifier } => {
                let param = self.param(param)?;
                match (url, kind, id) {
                    (Some(url), ..) => self.url(param, url)?,
                    (None, Some(kind), Some(id)) => {
                        self.token(param, &format!("{}/{id}", kind.name()), None)?;
                    }
                    _ => {}
                }
                let Some((system, value)) = identifier else { return Ok(()) };
                let system = self.numbers.number(system.unwrap_or(""))?;
                self.into.insert(IndexRow::Token { param, code: logical_hash(value), system });
                Ok(())
            }
            IndexValue::Uri(uri) => {
                let param = self.param(param)?;
                self.token(param, uri, None)
            }
            IndexValue::Date { from, to } => {
                let is_long = to.0.saturating_sub(from.0) > RANGE_SHORT_MS;
                let param = 2 * self.param(param)? + i64::from(is_long);
                self.into.insert(IndexRow::Range { param, low: from.0, high: to.0 });
                Ok(())
            }
            IndexValue::Number(value) => self.number(param, value, None, None, None),
            IndexValue::Quantity { value, system, code, unit } => {
                self.number(param, value, system, code, unit)
            }
            // What is asked of them is looked up in the documents.
            IndexValue::Together(_) | IndexValue::Position { .. } => Ok(()),
        }
    }

    fn number(
        &mut self,
        param: &'static SearchParam,
        value: &str,
        system: Option<&str>,
        code: Option<&str>,
        unit: Option<&str>,
    ) -> Result<(), StoreError> {
        let Some(written) = DecimalKey::parse(value) else { return Ok(()) };
        let of = self.param(param)?;
        if let Some((value, unit)) = canonical(value, system, code) {
            let (value, code) = (value.as_bytes().into(), self.numbers.number(&unit)?);
            let param = numbers_of(of, Some(&Unit::Canonical(unit)));
            self.into.insert(IndexRow::Number { param, value, system: 0, code, unit: 0 });
        }
        let param = numbers_of(of, None);
        let number = |text: Option<&str>| self.numbers.number(text.unwrap_or(""));
        let (system, code, unit) = (number(system)?, number(code)?, number(unit)?);
        let value = written.as_bytes().into();
        self.into.insert(IndexRow::Number { param, value, system, code, unit });
        Ok(())
    }

    fn param(&mut self, param: &'static SearchParam) -> Result<i64, StoreError> {
        if let Some((code, number)) = self.last
            && code == param.code
        {
            return Ok(number);
        }
        let number = self.numbers.number(&param_name(self.resource_type, param.code))?;
        self.last = Some((param.code, number));
        Ok(number)
    }

    fn token(&mut self, param: i64, code: &str, system: Option<&str>) -> Result<(), StoreError> {
        let system = self.numbers.number(system.unwrap_or(""))?;
        self.into.insert(IndexRow::Token { param, code: hash(code), system });
        Ok(())
    }

    /// A URL, and without its version if it is a canonical one (R4 2.24.0.3).
    fn url(&mut self, param: i64, url: &str) -> Result<(), StoreError> {
        if let Some((unversioned, _)) = url.split_once('|') {
            self.token(param, unversioned, None)?;
        }
        self.token(param, url, None)
    }
}

/// Whether a test asks for rows that the rules before these did not make.
pub fn asks_new_rules(test: &Test) -> bool {
    match test {
        Test::Number { .. } | Test::Logical { .. } | Test::Present(_) => true,
        Test::Not(tests) | Test::Of { any: tests, .. } => tests.iter().any(asks_new_rules),
        _ => false,
    }
}
