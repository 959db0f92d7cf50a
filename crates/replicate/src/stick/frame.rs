//! Frames: the pieces of a stick that are sealed, found and lost one by one (ADR 0010,
//! 'Frames').
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | marker `f7 4f 6e d1` |
//! | 4 | number in the file, big endian |
//! | 1008 | shard: 992 sealed bytes and their 16-byte tag, or 1008 bytes of parity |
//! | 8 | check: the front of keyed BLAKE3 (key: the file's id) of number and shard |
//!
//! The check finds what was damaged, for anybody and without a key; whether a frame is genuine
//! says the tag alone. A shard is sealed with ChaCha20-Poly1305 (RFC 8439) under the file's
//! key; the nonce is eight zeros and the number, the associated data the file's id.

use chacha20poly1305::{AeadInPlace, ChaCha20Poly1305, KeyInit, Nonce, Tag};

/// Bytes of a frame.
pub(super) const FRAME_BYTES: usize = 1024;
/// Bytes of a shard.
pub(super) const SHARD_BYTES: usize = 1008;
/// Plain bytes in a shard of data.
pub(super) const PLAIN_BYTES: usize = SHARD_BYTES - TAG_BYTES;

const TAG_BYTES: usize = 16;
const MARKER: [u8; 4] = [0xf7, b'O', b'n', 0xd1];
const SHARD_AT: usize = 8;
const CHECK_AT: usize = SHARD_AT + SHARD_BYTES;

/// What error correction works on.
pub(super) type Shard = [u8; SHARD_BYTES];
/// What a shard of data holds once opened.
pub(super) type Plain = [u8; PLAIN_BYTES];
/// The BLAKE3 hash of a file's superblock.
pub(super) type FileId = [u8; 32];

/// The key that seals the frames of one file.
pub(super) struct FrameKey {
    cipher: ChaCha20Poly1305,
    file: FileId,
}

impl FrameKey {
    pub fn new(key: &[u8; 32], file: FileId) -> Self {
        Self { cipher: ChaCha20Poly1305::new(key.into()), file }
    }

    /// Seals a frame; `None` if the library refuses, which it does for far longer ones alone.
    pub fn seal(&self, number: u32, plain: &Plain) -> Option<Shard> {
        let mut shard = [0; SHARD_BYTES];
        let (bytes, tag) = shard.split_at_mut(PLAIN_BYTES);
        bytes.copy_from_slice(plain);
        let sealed = self.cipher.encrypt_in_place_detached(&nonce(number), &self.file, bytes);
        tag.copy_from_slice(&sealed.ok()?);
        Some(shard)
    }

    /// Opens a frame; `None` if it is not genuine.
    pub fn open(&self, number: u32, shard: &Shard) -> Option<Plain> {
        let (bytes, tag) = shard.split_at(PLAIN_BYTES);
        let mut plain: Plain = bytes.try_into().ok()?;
        self.cipher
            .decrypt_in_place_detached(&nonce(number), &self.file, &mut plain, Tag::from_slice(tag))
            .ok()?;
        Some(plain)
    }
}

fn nonce(number: u32) -> Nonce {
    let mut nonce = Nonce::default();
    nonce[8..].copy_from_slice(&number.to_be_bytes());
    nonce
}

/// Appends a frame.
pub(super) fn put(file: &FileId, number: u32, shard: &Shard, to: &mut Vec<u8>) {
    to.extend_from_slice(&MARKER);
    to.extend_from_slice(&number.to_be_bytes());
    to.extend_from_slice(shard);
    to.extend_from_slice(&check(file, number, shard));
}

fn check(file: &FileId, number: u32, shard: &[u8]) -> [u8; 8] {
    let hash =
        blake3::Hasher::new_keyed(file).update(&number.to_be_bytes()).update(shard).finalize();
    let mut check = [0; 8];
    check.copy_from_slice(&hash.as_bytes()[..8]);
    check
}

/// The undamaged frames of a file, wherever in its copies they stand: a place for each of the
/// file's `total` numbers.
///
/// Frames of other files are passed over. Whoever fills a file with false markers makes it
/// lose frames, not time: after a number of them that no accident brings the rest of that copy
/// is left unread.
pub(super) fn gather<'a>(
    copies: &[&'a [u8]],
    file: &FileId,
    total: usize,
) -> Vec<Option<&'a Shard>> {
    let mut found = vec![None; total];
    for copy in copies {
        scan(copy, file, &mut found);
    }
    found
}

fn scan<'a>(copy: &'a [u8], file: &FileId, found: &mut [Option<&'a Shard>]) {
    let mut false_markers_left = 64 + copy.len() / 256;
    let mut at = 0;
    while let Some(frame) = copy.get(at..at + FRAME_BYTES) {
        if frame.starts_with(&MARKER) {
            if let Some((number, shard)) = read(frame, file)
                && let Some(place) = found.get_mut(number)
            {
                place.get_or_insert(shard);
                at += FRAME_BYTES;
                continue;
            }
            let Some(left) = false_markers_left.checked_sub(1) else { return };
            false_markers_left = left;
        }
        let next = copy[at + 1..].iter().position(|&byte| byte == MARKER[0]);
        at += 1 + next.unwrap_or(copy.len());
    }
}

fn read<'a>(frame: &'a [u8], file: &FileId) -> Option<(usize, &'a Shard)> {
    let number = u32::from_be_bytes(frame.get(4..SHARD_AT)?.try_into().ok()?);
    let shard: &Shard = frame.get(SHARD_AT..CHECK_AT)?.try_into().ok()?;
    let sound = frame.get(CHECK_AT..)? == check(file, number, shard);
    sound.then_some((usize::try_from(number).ok()?, shard))
}

/// Whether two frames stand one after the other: what is left of a stick whose superblocks are
/// all gone.
pub(super) fn any_in(copy: &[u8]) -> bool {
    let mut starts = copy.windows(MARKER.len()).enumerate();
    starts.any(|(at, window)| {
        window == MARKER && copy.get(at + FRAME_BYTES..).is_some_and(|b| b.starts_with(&MARKER))
    })
}
