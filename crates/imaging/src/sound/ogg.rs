//! Opus in Ogg (RFC 3533, RFC 7845).

use super::CheckError;

/// Ogg counts Opus in samples of 48 kHz, whatever the recorder's rate (RFC 7845 §4).
const SAMPLES_PER_MS: u64 = 48;

/// A page on which no packet ends (RFC 3533 §6).
const NO_POSITION: u64 = u64::MAX;

struct Page<'a> {
    begins_stream: bool,
    position: u64,
    serial: [u8; 4],
    body: &'a [u8],
    after: usize,
}

fn page(bytes: &[u8], at: usize) -> Result<Page<'_>, CheckError> {
    let head = bytes.get(at..).and_then(|rest| rest.first_chunk::<27>());
    let head = head.ok_or(CheckError::CutOff)?;
    if &head[..4] != b"OggS" || head[4] != 0 {
        return Err(CheckError::Malformed);
    }
    let [_, _, _, _, _, flags, p1, p2, p3, p4, p5, p6, p7, p8, s1, s2, s3, s4, ..] = *head;
    let table = at + head.len();
    let table_end = table + usize::from(head[26]);
    let lengths = bytes.get(table..table_end).ok_or(CheckError::CutOff)?;
    let after = table_end + lengths.iter().map(|length| usize::from(*length)).sum::<usize>();
    Ok(Page {
        begins_stream: flags & 2 != 0,
        position: u64::from_le_bytes([p1, p2, p3, p4, p5, p6, p7, p8]),
        serial: [s1, s2, s3, s4],
        body: bytes.get(table_end..after).ok_or(CheckError::CutOff)?,
        after,
    })
}

/// The duration in milliseconds.
pub(super) fn check(bytes: &[u8]) -> Result<u64, CheckError> {
    let first = page(bytes, 0)?;
    if !first.body.starts_with(b"OpusHead") {
        return Err(CheckError::Codec);
    }
    let [s1, s2] = *first.body.get(10..12).and_then(<[u8]>::as_array).ok_or(CheckError::CutOff)?;
    let skipped = u64::from(u16::from_le_bytes([s1, s2]));
    let mut last = 0;
    let mut at = first.after;
    while at < bytes.len() {
        let next = page(bytes, at)?;
        at = next.after;
        // A second stream may be anything, pictures too.
        if next.begins_stream || next.serial != first.serial {
            return Err(CheckError::Codec);
        }
        if next.position != NO_POSITION {
            last = next.position;
        }
    }
    match last.saturating_sub(skipped) / SAMPLES_PER_MS {
        0 => Err(CheckError::Empty),
        duration => Ok(duration),
    }
}
