//! Opus in `WebM` (RFC 8794, RFC 9559).

use super::CheckError;

const EBML: u32 = 0x1a45_dfa3;
const DOC_TYPE: u32 = 0x4282;
const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_a966;
const TIMESTAMP_SCALE: u32 = 0x2a_d7b1;
const DURATION: u32 = 0x4489;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK: u32 = 0xae;
const TRACK_TYPE: u32 = 0x83;
const CODEC: u32 = 0x86;
const CLUSTER: u32 = 0x1f43_b675;
const TIMESTAMP: u32 = 0xe7;
const GROUP: u32 = 0xa0;
const BLOCK: u32 = 0xa1;
const SIMPLE_BLOCK: u32 = 0xa3;

/// Nanoseconds of a tick where the file states none (RFC 9559 §5.1.2.9).
const DEFAULT_SCALE: u64 = 1_000_000;
const AUDIO: u64 = 2;

/// What the elements of a file told.
struct Told {
    scale: u64,
    duration_ticks: Option<f64>,
    cluster: u64,
    last: Option<u64>,
    opus: bool,
}

/// Whether the file begins as `WebM` does; a Matroska file is not one.
pub(super) fn is_webm(bytes: &[u8]) -> bool {
    bytes.starts_with(&EBML.to_be_bytes())
        && bytes.get(4..64.min(bytes.len())).is_some_and(|head| {
            head.windows(7).any(|window| window == [0x42, 0x82, 0x84, b'w', b'e', b'b', b'm'])
        })
}

/// The duration in milliseconds, if it can be told. A recorder that streams states none: then
/// the time of the last block counts.
pub(super) fn check(bytes: &[u8]) -> Result<Option<u64>, CheckError> {
    let mut told =
        Told { scale: DEFAULT_SCALE, duration_ticks: None, cluster: 0, last: None, opus: false };
    let mut at = 0;
    while at < bytes.len() {
        let (id, after_id) = number(bytes, at, true)?;
        let (size, start) = number(bytes, after_id, false)?;
        let id = u32::try_from(id).map_err(|_| CheckError::Malformed)?;
        let inside = matches!(id, EBML | SEGMENT | INFO | TRACKS | TRACK | CLUSTER | GROUP);
        // All bits set: the size was not known when the head was written (RFC 8794 §6.2).
        let unknown = size == (1 << (7 * (start - after_id))) - 1;
        at = start;
        if unknown && matches!(id, SEGMENT | CLUSTER) {
            continue;
        }
        let size = usize::try_from(size).map_err(|_| CheckError::CutOff)?;
        let end = start.checked_add(size).ok_or(CheckError::CutOff)?;
        let body = bytes.get(start..end).ok_or(CheckError::CutOff)?;
        if !inside {
            told.leaf(id, body)?;
            at = end;
        }
    }
    if !told.opus || told.last.is_none() {
        return Err(CheckError::Empty);
    }
    Ok(told.duration_ms())
}

impl Told {
    fn leaf(&mut self, id: u32, body: &[u8]) -> Result<(), CheckError> {
        match id {
            DOC_TYPE if body != b"webm" => return Err(CheckError::NotSound),
            TIMESTAMP_SCALE => self.scale = unsigned(body)?,
            DURATION => self.duration_ticks = Some(float(body)?),
            TRACK_TYPE if unsigned(body)? != AUDIO => return Err(CheckError::Video),
            CODEC if body == b"A_OPUS" => self.opus = true,
            CODEC if body.starts_with(b"V_") => return Err(CheckError::Video),
            CODEC => return Err(CheckError::Codec),
            TIMESTAMP => self.cluster = unsigned(body)?,
            BLOCK | SIMPLE_BLOCK => {
                let (_, after_track) = number(body, 0, false)?;
                let offset = body.get(after_track..after_track + 2).ok_or(CheckError::Malformed)?;
                let offset = i16::from_be_bytes([offset[0], offset[1]]);
                let time = self.cluster.checked_add_signed(offset.into());
                self.last = self.last.max(Some(time.ok_or(CheckError::Malformed)?));
            }
            _ => {}
        }
        Ok(())
    }

    fn duration_ms(&self) -> Option<u64> {
        let ticks = match self.duration_ticks {
            Some(ticks) if (1.0..1e12).contains(&ticks) => whole(ticks),
            _ => self.last?,
        };
        Some(ticks.checked_mul(self.scale)? / 1_000_000)
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held to 1 to 1e12")]
fn whole(ticks: f64) -> u64 {
    ticks as u64
}

/// A number of one to eight bytes whose leading zeros tell how many (RFC 8794 §4), with the
/// marking bit in an element's id and without it elsewhere; and the place behind it.
fn number(bytes: &[u8], at: usize, with_mark: bool) -> Result<(u64, usize), CheckError> {
    let first = *bytes.get(at).ok_or(CheckError::CutOff)?;
    let length = first.leading_zeros() + 1;
    if length > if with_mark { 4 } else { 8 } {
        return Err(CheckError::Malformed);
    }
    let mark = if with_mark { 0 } else { 0x80 >> (length - 1) };
    let end = at + usize::try_from(length).map_err(|_| CheckError::Malformed)?;
    let rest = bytes.get(at + 1..end).ok_or(CheckError::CutOff)?;
    let start = u64::from(first & !mark);
    Ok((rest.iter().fold(start, |sum, byte| sum << 8 | u64::from(*byte)), end))
}

fn unsigned(body: &[u8]) -> Result<u64, CheckError> {
    if body.len() > 8 {
        return Err(CheckError::Malformed);
    }
    Ok(body.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

fn float(body: &[u8]) -> Result<f64, CheckError> {
    let single = |bytes: &[u8; 4]| f64::from(f32::from_be_bytes(*bytes));
    let double = |bytes: &[u8; 8]| f64::from_be_bytes(*bytes);
    let value = body.as_array().map(single).or_else(|| body.as_array().map(double));
    value.ok_or(CheckError::Malformed)
}
