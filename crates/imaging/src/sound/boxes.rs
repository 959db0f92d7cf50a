//! AAC in MP4 (ISO/IEC 14496-12).

use super::CheckError;

/// What the boxes of a file told.
#[derive(Default)]
struct Told {
    film: bool,
    aac: bool,
    data: bool,
    duration_ms: Option<u64>,
}

/// Whether the file begins as MP4 does. Pictures of phones (HEIC, AVIF) begin alike and are none.
pub(super) fn is_mp4(bytes: &[u8]) -> bool {
    const BRANDS: [&[u8; 4]; 9] =
        [b"M4A ", b"M4B ", b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42"];
    bytes.get(4..8) == Some(b"ftyp")
        && bytes.get(8..12).is_some_and(|brand| BRANDS.iter().any(|known| *known == brand))
}

/// The duration in milliseconds; a recorder that streams in fragments states none.
pub(super) fn check(bytes: &[u8]) -> Result<Option<u64>, CheckError> {
    let mut told = Told::default();
    told.walk(bytes, 0)?;
    if !told.film {
        return Err(CheckError::CutOff);
    }
    if !told.aac || !told.data {
        return Err(CheckError::Empty);
    }
    Ok(told.duration_ms)
}

impl Told {
    fn walk(&mut self, bytes: &[u8], depth: u8) -> Result<(), CheckError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (kind, body, after) = split(rest)?;
            rest = after;
            match (&kind, depth) {
                (b"moov", 0) => {
                    self.film = true;
                    self.walk(body, 1)?;
                }
                (b"mdat", 0) => self.data |= !body.is_empty(),
                (b"mvhd", 1) => self.duration_ms = duration(body)?,
                (b"trak", 1) | (b"mdia", 2) | (b"minf", 3) | (b"stbl", 4) => {
                    self.walk(body, depth + 1)?;
                }
                (b"hdlr", 3) if body.get(8..12) == Some(b"vide") => return Err(CheckError::Video),
                // One sample description, of AAC: version, flags and count come before it.
                (b"stsd", 5) => match body.get(12..16) {
                    Some(b"mp4a") => self.aac = true,
                    Some(_) => return Err(CheckError::Codec),
                    None => return Err(CheckError::Malformed),
                },
                _ => {}
            }
        }
        Ok(())
    }
}

/// The first box: its kind, what it holds, and what follows it.
type Split<'a> = ([u8; 4], &'a [u8], &'a [u8]);

fn split(bytes: &[u8]) -> Result<Split<'_>, CheckError> {
    let (head, behind) = bytes.split_first_chunk::<8>().ok_or(CheckError::CutOff)?;
    let [l1, l2, l3, l4, k1, k2, k3, k4] = *head;
    let (length, behind) = match u32::from_be_bytes([l1, l2, l3, l4]) {
        // To the end of the file.
        0 => (behind.len(), behind),
        1 => {
            let (long, behind) = behind.split_first_chunk::<8>().ok_or(CheckError::CutOff)?;
            let length = u64::from_be_bytes(*long).checked_sub(16);
            let length = length.ok_or(CheckError::Malformed)?;
            (usize::try_from(length).map_err(|_| CheckError::CutOff)?, behind)
        }
        length => {
            let length = length.checked_sub(8).ok_or(CheckError::Malformed)?;
            (usize::try_from(length).map_err(|_| CheckError::CutOff)?, behind)
        }
    };
    let (body, after) = behind.split_at_checked(length).ok_or(CheckError::CutOff)?;
    Ok(([k1, k2, k3, k4], body, after))
}

/// From the film's header (§8.2.2): version 0 counts in 32 bits, version 1 in 64.
fn duration(body: &[u8]) -> Result<Option<u64>, CheckError> {
    let four = |at: usize| {
        let chunk = body.get(at..).and_then(|rest| rest.first_chunk::<4>());
        chunk.map(|chunk| u64::from(u32::from_be_bytes(*chunk))).ok_or(CheckError::Malformed)
    };
    let (per_second, ticks) = match body.first() {
        Some(0) => (four(12)?, four(16)?),
        Some(1) => (four(20)?, four(24)? << 32 | four(28)?),
        _ => return Err(CheckError::Malformed),
    };
    let stated = per_second > 0 && ticks > 0 && ticks < u64::from(u32::MAX);
    Ok(stated.then(|| ticks * 1000 / per_second))
}
