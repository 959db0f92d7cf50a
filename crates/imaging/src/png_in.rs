//! A look at the chunks of a PNG file (W3C PNG, third edition, §5) before it is decoded.

use std::io::Cursor;

use image::codecs::png::PngDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, Limits};

use crate::jpeg_in::Fault;
use crate::{MAX_PIXELS, MAX_WORK_BYTES};

const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'];

/// Whether the file begins as a PNG file does.
pub(crate) fn is_png(bytes: &[u8]) -> bool {
    bytes.starts_with(&SIGNATURE)
}

/// Walks the chunks to the last one and gives the file's length up to there.
pub(crate) fn outline(bytes: &[u8]) -> Result<usize, Fault> {
    if !is_png(bytes) {
        return Err(Fault::Malformed);
    }
    let mut at = SIGNATURE.len();
    let mut first = true;
    loop {
        let head = bytes.get(at..at + 8).ok_or(Fault::CutOff)?;
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        let length = usize::try_from(length).map_err(|_| Fault::Malformed)?;
        let body = at + 8;
        let end = body.checked_add(length).and_then(|end| end.checked_add(4));
        let end = end.ok_or(Fault::Malformed)?;
        if end > bytes.len() {
            return Err(Fault::CutOff);
        }
        match (first, &head[4..]) {
            (true, b"IHDR") => measure(&bytes[body..body + length])?,
            (true, _) | (false, b"IHDR") => return Err(Fault::Malformed),
            (false, b"IEND") => return Ok(end),
            (false, _) => {}
        }
        first = false;
        at = end;
    }
}

/// Reads the header (§11.2.1) and refuses what the decoder should not see.
fn measure(header: &[u8]) -> Result<(), Fault> {
    let [w1, w2, w3, w4, h1, h2, h3, h4, bits, colour, ..] = *header else {
        return Err(Fault::Malformed);
    };
    let (width, height) =
        (u32::from_be_bytes([w1, w2, w3, w4]), u32::from_be_bytes([h1, h2, h3, h4]));
    if width == 0 || height == 0 {
        return Err(Fault::Malformed);
    }
    // Palettes and keyed transparency are decoded to four channels.
    let samples = if colour & 2 == 0 { 2 } else { 4 };
    let pixels = u64::from(width) * u64::from(height);
    let work = pixels.saturating_mul(samples * if bits == 16 { 2 } else { 1 });
    let sides = u16::try_from(width.max(height)).is_ok();
    if !sides || pixels > MAX_PIXELS || work > MAX_WORK_BYTES {
        return Err(Fault::TooManyPixels { width, height });
    }
    Ok(())
}

/// Decodes a file of which `end` bytes were walked.
pub(crate) fn decode(bytes: &[u8], end: usize) -> Result<(DynamicImage, Orientation), ImageError> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_WORK_BYTES);
    let bytes = bytes.get(..end).unwrap_or(bytes);
    let mut decoder = PngDecoder::with_limits(Cursor::new(bytes), limits)?;
    let orientation = decoder.orientation()?;
    Ok((DynamicImage::from_decoder(decoder)?, orientation))
}
