//! The superblock: whose file it is and who can open it (ADR 0010, 'Superblock').
//!
//! | at | bytes | what |
//! | --- | --- | --- |
//! | 0 | 16 | magic `89 "ondol" 20 "stick" 0d 0a 1a 0a` |
//! | 16 | 1 | format, 1 |
//! | 17 | 4 | length of everything before the check |
//! | 21 | 16 | the nation |
//! | 37 | 16 | the sender |
//! | 53 | 8 | when it was made, ms since 1970 |
//! | 61 | 8 | the sender's sequence number |
//! | 69 | 4 | how many frames of data there are |
//! | 73 | 1 | how many readers there are |
//! | 74 | 194 each | a reader, and 64 bytes sealed for it: the file's key, its own key |
//! | | 32 | check: BLAKE3 of everything before, which is also the file's id |
//!
//! Numbers are big endian. Zeros fill it up to whole KiB. Magic, format, length and check stay
//! as they are in all formats, so that a newer one is told from damage. The keys are sealed in
//! the context of the bytes 0–73 and the readers' ids: who changes one of these opens nothing.

use ondol_kernel::{
    Millis, NodeId,
    bytes::{BadBytes, Reader},
};

use super::{
    BadStick, CONTENT_BYTES_MAX, NationId, READERS_MAX,
    frame::{self, FRAME_BYTES, FileId},
    items::FRAME_CONTENT_BYTES,
    parity::Groups,
};
use crate::sealed;

pub(super) const FORMAT: u8 = 1;
/// Bytes of the two keys of a reader.
pub(super) const KEYS_BYTES: usize = 64;
const MAGIC: [u8; 16] = *b"\x89ondol stick\r\n\x1a\n";
const PREFIX_BYTES: usize = 74;
const CHECK_BYTES: usize = 32;
const WRAP_BYTES: usize = sealed::sealed_bytes(KEYS_BYTES);
const READER_BYTES: usize = 16 + WRAP_BYTES;
/// Superblocks, whole or seemingly so, that are looked at in one copy.
const CANDIDATES_MAX: usize = 64;
/// Longest superblock of any format that is told from damage.
const LENGTH_MAX: usize = 64 << 10;
/// The most frames of data that a file has.
const FRAMES_MAX: usize = CONTENT_BYTES_MAX.div_ceil(FRAME_CONTENT_BYTES);
/// The most bytes that a file has: from a longer one no more than these need to be read.
pub const FILE_BYTES_MAX: usize = file_bytes(READERS_MAX, FRAMES_MAX);

/// The keys of one reader, sealed for it.
pub(super) type Wrap = [u8; WRAP_BYTES];

/// What is written on the outside of a stick, for anyone to read. Only
/// [`read`](fn@super::read) proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The nation that the sender belongs to.
    pub nation: NationId,
    /// Who wrote it.
    pub from: NodeId,
    /// Who can open it.
    pub to: Vec<NodeId>,
    /// When it was made, by the sender's clock.
    pub made_at: Millis,
    /// The sender's number for it.
    pub sequence: u64,
    /// How many frames of data it has, parity not counted.
    pub frames: u32,
}

impl Label {
    fn prefix(&self) -> Vec<u8> {
        let length = PREFIX_BYTES + self.to.len() * READER_BYTES;
        let mut to = Vec::with_capacity(length + CHECK_BYTES);
        to.extend_from_slice(&MAGIC);
        to.push(FORMAT);
        to.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        to.extend_from_slice(&self.nation.0);
        to.extend_from_slice(&self.from.0);
        to.extend_from_slice(&self.made_at.0.to_be_bytes());
        to.extend_from_slice(&self.sequence.to_be_bytes());
        to.extend_from_slice(&self.frames.to_be_bytes());
        to.push(u8::try_from(self.to.len()).unwrap_or(u8::MAX));
        to
    }

    /// In what context the readers' keys are sealed.
    pub(super) fn context(&self) -> Vec<u8> {
        let mut context = self.prefix();
        self.to.iter().for_each(|node| context.extend_from_slice(&node.0));
        context
    }

    /// The superblock with its padding, and the file's id. `wraps` are in the order of `to`.
    pub(super) fn encode(&self, wraps: &[Wrap]) -> (Vec<u8>, FileId) {
        let mut bytes = self.prefix();
        for (node, wrap) in self.to.iter().zip(wraps) {
            bytes.extend_from_slice(&node.0);
            bytes.extend_from_slice(wrap);
        }
        let file = *blake3::hash(&bytes).as_bytes();
        bytes.extend_from_slice(&file);
        bytes.resize(bytes.len().next_multiple_of(FRAME_BYTES), 0);
        (bytes, file)
    }

    /// How the shards of the file are spread over groups.
    pub(super) const fn groups(&self) -> Groups {
        Groups::of(self.frames as usize)
    }

    /// Bytes of the whole file.
    pub(super) const fn file_bytes(&self) -> usize {
        file_bytes(self.to.len(), self.frames as usize)
    }
}

const fn file_bytes(readers: usize, frames: usize) -> usize {
    let superblock = PREFIX_BYTES + readers * READER_BYTES + CHECK_BYTES;
    3 * superblock.next_multiple_of(FRAME_BYTES) + Groups::of(frames).total() * FRAME_BYTES
}

/// A superblock that was found whole.
#[derive(Debug, Clone)]
pub(super) struct Superblock {
    pub label: Label,
    pub wraps: Vec<Wrap>,
    pub file: FileId,
}

enum Found {
    Ours(Superblock),
    Newer(u8),
}

/// The superblock that most often stands in the copies; of equals the first. It may be one of
/// a file that a broken file system put in the place of ours, but then ours stands there more
/// often.
pub(super) fn find(copies: &[&[u8]]) -> Result<Superblock, BadStick> {
    // They are written at whole KiB. Only when bytes went missing do they stand elsewhere.
    let aligned = copies.iter().flat_map(|copy| candidates(copy, FRAME_BYTES));
    let anywhere = copies.iter().flat_map(|copy| candidates(copy, 1));
    let newer = match most_frequent(aligned).or_else(|_| most_frequent(anywhere)) {
        Ok(superblock) => return Ok(superblock),
        Err(newer) => newer,
    };
    if let Some(format) = newer {
        return Err(BadStick::Newer { format });
    }
    let was_a_stick = |copy: &&[u8]| {
        copy.windows(MAGIC.len()).any(|window| window == MAGIC) || frame::any_in(copy)
    };
    Err(if copies.iter().any(was_a_stick) { BadStick::Damaged } else { BadStick::NotAStick })
}

/// Of those of our format the one found most often; if there is none, the newer format of
/// which there is one.
fn most_frequent(candidates: impl Iterator<Item = Found>) -> Result<Superblock, Option<u8>> {
    let mut ours: Vec<(Superblock, usize)> = vec![];
    let mut newer = None;
    for found in candidates {
        match found {
            Found::Newer(format) => newer = newer.or(Some(format)),
            Found::Ours(superblock) => {
                match ours.iter_mut().find(|(other, _)| other.file == superblock.file) {
                    Some((_, count)) => *count += 1,
                    None => ours.push((superblock, 1)),
                }
            }
        }
    }
    // `max_by_key` gives the last of equals.
    let most = ours.into_iter().rev().max_by_key(|&(_, count)| count);
    most.map(|(superblock, _)| superblock).ok_or(newer)
}

fn candidates(copy: &[u8], step: usize) -> impl Iterator<Item = Found> {
    let starts = (0..copy.len()).step_by(step).map(|at| &copy[at..]);
    let starts = starts.filter(|bytes| bytes[0] == MAGIC[0] && bytes.starts_with(&MAGIC));
    starts.take(CANDIDATES_MAX).filter_map(|bytes| read(bytes).ok())
}

fn read(bytes: &[u8]) -> Result<Found, BadBytes> {
    let mut from = Reader::new(bytes);
    from.take(MAGIC.len())?;
    let format = from.byte()?;
    let length = usize::try_from(u32::from_be_bytes(from.array()?)).map_err(|_| BadBytes)?;
    let body = bytes.get(..length).filter(|_| length <= LENGTH_MAX).ok_or(BadBytes)?;
    let file: FileId = Reader::new(&bytes[length..]).array()?;
    if *blake3::hash(body).as_bytes() != file {
        return Err(BadBytes);
    }
    if format > FORMAT {
        return Ok(Found::Newer(format));
    }
    let mut from = Reader::new(body.get(MAGIC.len() + 5..).ok_or(BadBytes)?);
    let mut label = Label {
        nation: NationId(from.array()?),
        from: NodeId(from.array()?),
        to: vec![],
        made_at: Millis(i64::from_be_bytes(from.array()?)),
        sequence: u64::from_be_bytes(from.array()?),
        frames: u32::from_be_bytes(from.array()?),
    };
    let readers = usize::from(from.byte()?);
    let mut wraps = Vec::with_capacity(readers);
    for _ in 0..readers {
        label.to.push(NodeId(from.array()?));
        wraps.push(from.array()?);
    }
    let sound = format == FORMAT
        && from.is_empty()
        && (1..=READERS_MAX).contains(&readers)
        && label.frames as usize <= FRAMES_MAX;
    if sound { Ok(Found::Ours(Superblock { label, wraps, file })) } else { Err(BadBytes) }
}
