//! The values that a walk kept, and how numbers, dates and identifiers are read from them.

use std::collections::BTreeMap;

use ondol_kernel::Date;

use super::read::ReadError;
use super::tags::Tag;

/// The most bytes of a value that is kept; those that are asked for have some hundred at most.
const MAX_VALUE: usize = 16 * 1024;

/// An attribute is there, and its value breaks the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadValue(pub(super) Tag);

/// Values by tag, as slices of the upload.
#[derive(Default)]
pub(super) struct Values<'a>(BTreeMap<Tag, &'a [u8]>);

impl<'a> Values<'a> {
    /// Keeps a value; the first one of a tag counts.
    pub(super) fn keep(&mut self, tag: Tag, value: &'a [u8]) -> Result<(), ReadError> {
        if value.len() > MAX_VALUE {
            return Err(ReadError::ValueTooLong { tag });
        }
        self.0.entry(tag).or_insert(value);
        Ok(())
    }

    /// Whether the attribute is there, even if empty.
    pub(super) fn has(&self, tag: Tag) -> bool {
        self.0.contains_key(&tag)
    }

    /// The value without the blanks and zeros around it; nothing if it is empty.
    pub(super) fn bytes(&self, tag: Tag) -> Option<&'a [u8]> {
        let value: &'a [u8] = self.0.get(&tag)?;
        let blank = |byte: &u8| matches!(byte, b' ' | 0);
        let start = value.iter().position(|byte| !blank(byte))?;
        let end = value.iter().rposition(|byte| !blank(byte))? + 1;
        value.get(start..end)
    }

    /// A value of one unsigned short (US), or of one signed short as its bits (SS).
    pub(super) fn short(&self, tag: Tag) -> Result<Option<u16>, BadValue> {
        match self.0.get(&tag) {
            None | Some([]) => Ok(None),
            Some([low, high]) => Ok(Some(u16::from_le_bytes([*low, *high]))),
            Some(_) => Err(BadValue(tag)),
        }
    }

    fn ascii(&self, tag: Tag) -> Result<Option<&'a str>, BadValue> {
        let Some(bytes) = self.bytes(tag) else { return Ok(None) };
        let text = std::str::from_utf8(bytes).map_err(|_| BadValue(tag))?;
        if text.is_ascii() { Ok(Some(text)) } else { Err(BadValue(tag)) }
    }

    /// The first of one or more decimal strings (DS).
    pub(super) fn decimal(&self, tag: Tag) -> Result<Option<f64>, BadValue> {
        let Some(text) = self.ascii(tag)? else { return Ok(None) };
        let first = text.split('\\').next().ok_or(BadValue(tag))?.trim();
        let number: f64 = first.parse().map_err(|_| BadValue(tag))?;
        if number.is_finite() { Ok(Some(number)) } else { Err(BadValue(tag)) }
    }

    /// An integer string (IS) above zero.
    pub(super) fn count(&self, tag: Tag) -> Result<Option<u32>, BadValue> {
        let Some(text) = self.ascii(tag)? else { return Ok(None) };
        match text.parse() {
            Ok(count) if count > 0 => Ok(Some(count)),
            _ => Err(BadValue(tag)),
        }
    }

    /// A unique identifier (UI): digits and dots, at most 64 (PS3.5 §9.1).
    pub(super) fn uid(&self, tag: Tag) -> Result<Option<String>, BadValue> {
        let Some(text) = self.ascii(tag)? else { return Ok(None) };
        let allowed = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if allowed && text.len() <= 64 { Ok(Some(text.to_owned())) } else { Err(BadValue(tag)) }
    }

    /// A code string (CS). Devices write lower case and more than sixteen letters; what cannot
    /// be printed is refused.
    pub(super) fn code(&self, tag: Tag) -> Result<Option<&'a str>, BadValue> {
        let Some(text) = self.ascii(tag)? else { return Ok(None) };
        let printable = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if printable && text.len() <= 64 { Ok(Some(text)) } else { Err(BadValue(tag)) }
    }

    /// A date (DA): eight digits, or ten signs with dots as ACR-NEMA had it (PS3.5 §6.2).
    pub(super) fn date(&self, tag: Tag) -> Result<Option<Date>, BadValue> {
        let Some(text) = self.ascii(tag)? else { return Ok(None) };
        let joined = match (text.len(), text.as_bytes().get(4)) {
            (8, _) => format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]),
            (10, Some(b'.')) => text.replace('.', "-"),
            _ => return Err(BadValue(tag)),
        };
        Date::parse(&joined).map(Some).ok_or(BadValue(tag))
    }
}
