//! A look at the markers of a JPEG file (ITU-T T.81 Annex B) before it is decoded: how large it
//! is, whether all of it is there, and where it ends.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError};

use crate::{MAX_PIXELS, MAX_WORK_BYTES};

/// What the markers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outline {
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// Bytes up to and with the end marker; anything behind it is not part of the picture.
    pub(crate) end: usize,
    /// Whether a JFIF or Adobe segment says what the colours mean.
    pub(crate) colours_stated: bool,
}

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It ends too early.
    CutOff,
    /// It breaks the rules of the format.
    Malformed,
    /// A kind of JPEG that is not read: lossless, arithmetic or twelve bits.
    Process,
    /// More pixels than may be decoded.
    TooManyPixels { width: u32, height: u32 },
}

const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;

/// Whether the file begins as a JPEG file does.
pub(crate) fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, START, 0xff])
}

/// Walks the markers from the first to the end marker.
pub(crate) fn outline(bytes: &[u8]) -> Result<Outline, Fault> {
    if !is_jpeg(bytes) {
        return Err(if bytes.len() < 3 { Fault::CutOff } else { Fault::Malformed });
    }
    let mut at = 2;
    let mut size = None;
    let mut scans = 0_u32;
    let mut colours_stated = false;
    loop {
        let (marker, after) = next_marker(bytes, at).ok_or(Fault::CutOff)?;
        at = after;
        if marker == END {
            let (width, height) = size.ok_or(Fault::Malformed)?;
            if scans == 0 {
                return Err(Fault::Malformed);
            }
            return Ok(Outline { width, height, end: at, colours_stated });
        }
        let length = bytes.get(at..at + 2).ok_or(Fault::CutOff)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let body = at.checked_add(2).ok_or(Fault::Malformed)?;
        let after = at + length;
        if length < 2 {
            return Err(Fault::Malformed);
        }
        let body = bytes.get(body..after).ok_or(Fault::CutOff)?;
        at = after;
        match marker {
            START => return Err(Fault::Malformed),
            SCAN => scans += 1,
            0xe0 => colours_stated |= body.starts_with(b"JFIF\0"),
            0xee => colours_stated |= body.starts_with(b"Adobe"),
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let before = size.replace(frame(marker, body)?);
                if before.is_some() {
                    return Err(Fault::Malformed);
                }
            }
            _ => {}
        }
    }
}

/// The next marker at or after `at` and the place behind it. Stuffed zeros, fill bytes and
/// restart markers are part of the data between markers (T.81 B.1.1.2–B.1.1.5).
fn next_marker(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let pairs = bytes.get(at..)?.windows(2);
    for (offset, pair) in pairs.enumerate() {
        if pair[0] == 0xff && !matches!(pair[1], 0x00 | 0x01 | 0xff | 0xd0..=0xd7) {
            return Some((pair[1], at + offset + 2));
        }
    }
    None
}

/// Reads a frame header (T.81 B.2.2) and refuses what the decoder should not see.
fn frame(marker: u8, body: &[u8]) -> Result<(u16, u16), Fault> {
    let [bits, h1, h2, w1, w2, components, ..] = *body else { return Err(Fault::Malformed) };
    let (width, height) = (u16::from_be_bytes([w1, w2]), u16::from_be_bytes([h1, h2]));
    if marker > 0xc2 || bits != 8 {
        return Err(Fault::Process);
    }
    if width == 0 || height == 0 || !matches!(components, 1 | 3 | 4) {
        return Err(Fault::Malformed);
    }
    let pixels = u64::from(width) * u64::from(height);
    // A progressive file is kept as coefficients of two bytes until its last scan.
    let per_pixel = if marker == 0xc2 { 3 } else { 1 } * u64::from(components);
    if pixels > MAX_PIXELS || pixels * per_pixel > MAX_WORK_BYTES {
        return Err(Fault::TooManyPixels { width: width.into(), height: height.into() });
    }
    Ok((width, height))
}

/// Decodes a file whose outline was found, and says how the camera was held.
pub(crate) fn decode(
    bytes: &[u8],
    outline: Outline,
) -> Result<(DynamicImage, Orientation), ImageError> {
    let bytes = bytes.get(..outline.end).unwrap_or(bytes);
    let mut decoder = JpegDecoder::new(Cursor::new(bytes))?;
    let orientation = decoder.orientation()?;
    Ok((DynamicImage::from_decoder(decoder)?, orientation))
}
