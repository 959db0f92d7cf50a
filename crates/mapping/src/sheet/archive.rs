//! The ZIP archive that a workbook is, read where it lies: its parts by name, unpacked as they are
//! read.

use std::{
    cell::Cell,
    io::{self, BufRead, BufReader, Read},
    rc::Rc,
};

use flate2::{Crc, read::DeflateDecoder};

use super::{SheetError, UNPACKED_BYTES_MAX};

/// More parts than any workbook has.
const PARTS_MAX: usize = 10_000;

/// The longest comment after the directory, with what stands before it.
const TAIL_BYTES_MAX: usize = 22 + 0xffff;

/// Where a part lies, and what the directory says about it.
#[derive(Debug, Clone, Copy)]
struct Place {
    packed: bool,
    at: usize,
    length: usize,
    unpacked: u64,
    crc: u32,
}

/// The parts of an archive.
pub(super) struct Archive<'b> {
    bytes: &'b [u8],
    parts: Vec<(String, Place)>,
    /// What may still be unpacked, of all parts together.
    left: Rc<Cell<u64>>,
}

impl<'b> Archive<'b> {
    /// Reads the directory.
    pub(super) fn open(bytes: &'b [u8]) -> Result<Self, SheetError> {
        let end = end_of_directory(bytes).ok_or(SheetError::Archive)?;
        let count = usize::from(short(bytes, end + 10).ok_or(SheetError::Archive)?);
        if count > PARTS_MAX {
            return Err(SheetError::Archive);
        }
        let mut at = long(bytes, end + 16).ok_or(SheetError::Archive)? as usize;
        let mut parts = Vec::with_capacity(count);
        let mut unpacked = 0;
        for _ in 0..count {
            let (name, place, next) = entry(bytes, at).ok_or(SheetError::Archive)?;
            unpacked += place.unpacked;
            parts.push((name, place));
            at = next;
        }
        if unpacked > UNPACKED_BYTES_MAX {
            return Err(SheetError::Unpacked);
        }
        Ok(Self { bytes, parts, left: Rc::new(Cell::new(UNPACKED_BYTES_MAX)) })
    }

    /// Whether a part is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// A part as a reader, if it is there.
    pub(super) fn part(&self, name: &str) -> Option<Result<Part<'b>, SheetError>> {
        let place = self.place(name)?;
        let bytes = self.bytes.get(place.at..).and_then(|rest| rest.get(..place.length));
        Some(bytes.ok_or(SheetError::Archive).map(|bytes| {
            let inner: Box<dyn Read + 'b> =
                if place.packed { Box::new(DeflateDecoder::new(bytes)) } else { Box::new(bytes) };
            let checked = Checked { inner, crc: Crc::new(), place, left: self.left.clone() };
            Part { inner: BufReader::new(checked), event: 0 }
        }))
    }

    /// Names differ in capitals and slashes between programs.
    fn place(&self, name: &str) -> Option<Place> {
        let found = self.parts.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, place)| *place)
    }
}

/// Where the record stands that ends the directory.
fn end_of_directory(bytes: &[u8]) -> Option<usize> {
    let from = bytes.len().saturating_sub(TAIL_BYTES_MAX);
    let tail = bytes[from..].windows(4).rposition(|window| window == b"PK\x05\x06")?;
    Some(from + tail)
}

/// One entry of the directory: its name, its place and where the next one begins.
fn entry(bytes: &[u8], at: usize) -> Option<(String, Place, usize)> {
    let head = bytes.get(at..)?.get(..46).filter(|head| head.starts_with(b"PK\x01\x02"))?;
    let flags = short(head, 8)?;
    let packed = match short(head, 10)? {
        0 => false,
        8 => true,
        _ => return None,
    };
    if flags & 1 != 0 {
        return None;
    }
    let name_length = usize::from(short(head, 28)?);
    let name = bytes.get(at + 46..)?.get(..name_length)?;
    let name = String::from_utf8_lossy(name).replace('\\', "/");
    let next =
        at + 46 + name_length + usize::from(short(head, 30)?) + usize::from(short(head, 32)?);
    let local = long(head, 42)? as usize;
    let own = bytes.get(local..)?.get(..30).filter(|own| own.starts_with(b"PK\x03\x04"))?;
    let place = Place {
        packed,
        at: local + 30 + usize::from(short(own, 26)?) + usize::from(short(own, 28)?),
        length: long(head, 20)? as usize,
        unpacked: u64::from(long(head, 24)?),
        crc: long(head, 16)?,
    };
    Some((name, place, next))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_le_bytes(*two))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*four))
}

/// Bytes of a part, no more than the directory says, and at the end compared with its checksum.
struct Checked<'b> {
    inner: Box<dyn Read + 'b>,
    crc: Crc,
    place: Place,
    left: Rc<Cell<u64>>,
}

impl Read for Checked<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(to)?;
        self.crc.update(&to[..count]);
        let so_far = u64::from(self.crc.amount());
        let whole = so_far == self.place.unpacked && self.crc.sum() == self.place.crc;
        if so_far > self.place.unpacked || (count == 0 && !to.is_empty() && !whole) {
            return Err(io::Error::other("not what the directory says"));
        }
        let left = self.left.get().checked_sub(count as u64);
        self.left.set(left.ok_or_else(|| io::Error::other("too much"))?);
        Ok(count)
    }
}

/// A part, read by an XML parser that holds one event at a time.
pub(super) struct Part<'b> {
    inner: BufReader<Checked<'b>>,
    event: usize,
}

/// The longest text, tag or comment that the parser may hold, bytes.
const EVENT_BYTES_MAX: usize = 1 << 20;

impl Part<'_> {
    /// The parser has let go of what it held.
    pub(super) fn let_go(&mut self) {
        self.event = 0;
    }
}

impl Read for Part<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.inner.read(to)
    }
}

impl BufRead for Part<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.event > EVENT_BYTES_MAX {
            return Err(io::Error::other("a text too long"));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.event += count;
        self.inner.consume(count);
    }
}
