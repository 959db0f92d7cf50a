//! A walk over the elements of a data set (PS3.5 §7), which checks every length against the
//! bytes at hand before anything is believed.

use super::read::ReadError;
use super::tags::{ITEM, ITEM_END, PIXEL_DATA, SEQUENCE_END, Tag, wanted};
use super::values::Values;

/// How deep sequences may nest. Reports of the structured kind reach about ten.
const MAX_DEPTH: u32 = 32;

/// A length that is not known beforehand (PS3.5 §7.1.1).
const UNDEFINED: u32 = u32::MAX;

/// Value representations whose length takes two bytes (PS3.5 §7.1.2, table 7.1-2). All others,
/// those of later editions too, have four after two that are reserved.
const SHORT: [&[u8; 2]; 21] = [
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN",
    b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US",
];

/// Where the picture is.
#[derive(Clone, Copy)]
pub(super) enum Pixels<'a> {
    /// Frames one after another, uncompressed.
    Native(&'a [u8]),
    /// Items: the offset table and then fragments, each walked (PS3.5 §A.4).
    Encapsulated(&'a [u8]),
}

/// What a walk over a data set found.
pub(super) struct Found<'a> {
    pub(super) values: Values<'a>,
    pub(super) pixels: Option<Pixels<'a>>,
}

/// The head of an element.
struct Element {
    tag: Tag,
    vr: Option<[u8; 2]>,
    length: u32,
}

/// A place in the file.
pub(super) struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    /// A walk that begins at `at`.
    pub(super) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// Walks the file meta information, group 0002, always explicit little endian (PS3.10 §7.1).
    /// It ends where the group does: the group length of many devices is wrong.
    pub(super) fn meta(&mut self) -> Result<Values<'a>, ReadError> {
        let mut values = Values::default();
        while self.bytes.get(self.at..self.at + 2) == Some(&[0x02, 0x00]) {
            let element = self.element(true)?;
            let value = self.take(element.length)?;
            values.keep(element.tag, value)?;
        }
        Ok(values)
    }

    /// Walks the data set to the end of the file.
    pub(super) fn data_set(&mut self, explicit: bool) -> Result<Found<'a>, ReadError> {
        let mut found = Found { values: Values::default(), pixels: None };
        while self.at < self.bytes.len() {
            // Some devices fill up the last block of their disk.
            if found.pixels.is_some() && self.bytes[self.at..].iter().all(|byte| *byte == 0) {
                break;
            }
            let from = self.at;
            let element = self.element(explicit)?;
            if element.tag.0 == ITEM.0 {
                return Err(ReadError::Malformed { offset: from });
            }
            let start = self.at;
            if element.length == UNDEFINED {
                self.skip_items(inner(explicit, &element), 1)?;
                if element.tag == PIXEL_DATA {
                    found.pixels = Some(Pixels::Encapsulated(&self.bytes[start..self.at]));
                } else if wanted(element.tag) {
                    found.values.keep(element.tag, &[])?;
                }
                continue;
            }
            let value = self.take(element.length)?;
            if element.tag == PIXEL_DATA {
                found.pixels = Some(Pixels::Native(value));
            } else if wanted(element.tag) {
                let sequence = element.tag == super::tags::MODALITY_LUT_SEQUENCE;
                found.values.keep(element.tag, if sequence { &[] } else { value })?;
            }
        }
        Ok(found)
    }

    fn take(&mut self, length: u32) -> Result<&'a [u8], ReadError> {
        let cut_off = ReadError::CutOff { offset: self.at };
        let Ok(length) = usize::try_from(length) else { return Err(cut_off) };
        let Some(end) = self.at.checked_add(length) else { return Err(cut_off) };
        let Some(value) = self.bytes.get(self.at..end) else { return Err(cut_off) };
        self.at = end;
        Ok(value)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let cut_off = ReadError::CutOff { offset: self.at };
        let chunk = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        let chunk = *chunk.ok_or(cut_off)?;
        self.at += N;
        Ok(chunk)
    }

    /// Reads tag and length, as items and implicit elements have them.
    fn plain(&mut self) -> Result<Element, ReadError> {
        let [g1, g2, e1, e2, l1, l2, l3, l4] = self.fixed::<8>()?;
        let tag = Tag(u16::from_le_bytes([g1, g2]), u16::from_le_bytes([e1, e2]));
        Ok(Element { tag, vr: None, length: u32::from_le_bytes([l1, l2, l3, l4]) })
    }

    fn element(&mut self, explicit: bool) -> Result<Element, ReadError> {
        let offset = self.at;
        let head = self.plain()?;
        if !explicit || head.tag.0 == ITEM.0 {
            return Ok(head);
        }
        let [v1, v2, l1, l2] = head.length.to_le_bytes();
        let vr = [v1, v2];
        if !vr.iter().all(u8::is_ascii_uppercase) {
            return Err(ReadError::Malformed { offset });
        }
        let length = if SHORT.contains(&&vr) {
            u16::from_le_bytes([l1, l2]).into()
        } else {
            u32::from_le_bytes(self.fixed::<4>()?)
        };
        Ok(Element { tag: head.tag, vr: Some(vr), length })
    }

    /// Passes over items up to the delimiter of their sequence.
    fn skip_items(&mut self, explicit: bool, depth: u32) -> Result<(), ReadError> {
        if depth > MAX_DEPTH {
            return Err(ReadError::TooDeep { offset: self.at });
        }
        loop {
            let offset = self.at;
            let item = self.plain()?;
            match item.tag {
                SEQUENCE_END => return Ok(()),
                ITEM if item.length == UNDEFINED => self.skip_item(explicit, depth)?,
                ITEM => {
                    self.take(item.length)?;
                }
                _ => return Err(ReadError::Malformed { offset }),
            }
        }
    }

    /// Passes over the elements of an item up to its delimiter.
    fn skip_item(&mut self, explicit: bool, depth: u32) -> Result<(), ReadError> {
        loop {
            let offset = self.at;
            let element = self.element(explicit)?;
            match element.tag {
                ITEM_END => return Ok(()),
                tag if tag.0 == ITEM.0 => return Err(ReadError::Malformed { offset }),
                _ if element.length == UNDEFINED => {
                    self.skip_items(inner(explicit, &element), depth + 1)?;
                }
                _ => {
                    self.take(element.length)?;
                }
            }
        }
    }
}

/// Whether what an element of undefined length holds is explicit: a value of unknown
/// representation is implicit inside (PS3.5 §6.2.2).
fn inner(explicit: bool, element: &Element) -> bool {
    explicit && element.vr != Some(*b"UN")
}
