//! RIFF/WAVE with plain samples.

use super::CheckError;

/// Plain samples, and the form that names its kind in a longer header.
const PCM: u16 = 1;
const EXTENSIBLE: u16 = 0xfffe;

/// The duration in milliseconds.
pub(super) fn check(bytes: &[u8]) -> Result<u64, CheckError> {
    let mut at = 12;
    let mut rate = None;
    loop {
        let head = bytes.get(at..at + 8).ok_or(CheckError::CutOff)?;
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        let length = usize::try_from(length).map_err(|_| CheckError::Malformed)?;
        let rest = bytes.get(at + 8..).ok_or(CheckError::CutOff)?;
        if &head[..4] == b"data" {
            let rate: u64 = rate.ok_or(CheckError::Malformed)?;
            // A recorder that streams does not know the length when it writes the header.
            let unknown = matches!(u32::try_from(length), Ok(0 | u32::MAX));
            let length = if unknown { rest.len() } else { length };
            if length > rest.len() {
                return Err(CheckError::CutOff);
            }
            let sound = u64::try_from(length).map_err(|_| CheckError::Malformed)?;
            return if sound == 0 { Err(CheckError::Empty) } else { Ok(sound * 1000 / rate) };
        }
        let body = rest.get(..length).ok_or(CheckError::CutOff)?;
        if &head[..4] == b"fmt " {
            let [k1, k2, _, _, _, _, _, _, r1, r2, r3, r4, ..] = *body else {
                return Err(CheckError::Malformed);
            };
            let kind = match (u16::from_le_bytes([k1, k2]), body.get(24..26)) {
                (EXTENSIBLE, Some(kind)) => u16::from_le_bytes([kind[0], kind[1]]),
                (kind, _) => kind,
            };
            if kind != PCM {
                return Err(CheckError::Codec);
            }
            let per_second = u64::from(u32::from_le_bytes([r1, r2, r3, r4]));
            if per_second == 0 {
                return Err(CheckError::Malformed);
            }
            rate = Some(per_second);
        }
        // Chunks begin at even bytes.
        at += 8 + length + length % 2;
    }
}
