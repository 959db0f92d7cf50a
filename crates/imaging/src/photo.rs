//! Photographs: what was uploaded becomes a clean picture and a small preview.
//!
//! Both are written anew from the pixels, so that nothing of the upload's metadata (place,
//! camera, owner, thumbnails) remains.

use image::ImageError;

use crate::jpeg_in::{self, Fault};
use crate::jpeg_out::{EncodeError, Jpeg, encode, preview};
use crate::png_in;
use crate::raster::Raster;

/// The most bytes of an upload.
pub const MAX_BYTES: usize = 25_000_000;

/// The long side of the picture that is kept, in pixels.
pub const MAX_SIDE: u16 = 2560;

/// The quality of the picture that is kept (libjpeg's scale, 1 to 100).
const QUALITY: u8 = 88;

/// A photograph, ready to be stored and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The picture that is kept, turned upright, its long side at most [`MAX_SIDE`].
    pub original: Jpeg,
    /// The picture that goes first, at most [`crate::PREVIEW_MAX_BYTES`].
    pub preview: Jpeg,
}

/// Why an upload was refused.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// More than [`MAX_BYTES`].
    #[error("the file has {bytes} bytes, more than {MAX_BYTES}")]
    TooLarge {
        /// What was uploaded.
        bytes: usize,
    },
    /// Neither JPEG nor PNG.
    #[error("the file is neither JPEG nor PNG")]
    NotAPhoto,
    /// The file ends too early: it was probably not copied completely.
    #[error("the file ends too early")]
    CutOff,
    /// The file breaks the rules of its format.
    #[error("the file breaks the rules of its format")]
    Malformed,
    /// A JPEG of a kind that is not read: lossless, arithmetic or of twelve bits.
    #[error("this kind of JPEG is not read")]
    Unsupported,
    /// More pixels than [`crate::MAX_PIXELS`], or more memory than [`crate::MAX_WORK_BYTES`].
    #[error("a picture of {width} × {height} pixels is too large")]
    TooManyPixels {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The decoder could not read it.
    #[error("the picture cannot be decoded")]
    Undecodable(#[source] ImageError),
    /// The result could not be written.
    #[error("the picture cannot be written")]
    Encode(#[from] EncodeError),
}

impl From<Fault> for PrepareError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::CutOff => Self::CutOff,
            Fault::Malformed => Self::Malformed,
            Fault::Process => Self::Unsupported,
            Fault::TooManyPixels { width, height } => Self::TooManyPixels { width, height },
        }
    }
}

/// Prepares an upload.
///
/// The colours are read as sRGB: an embedded profile is dropped with the other metadata.
pub fn prepare(upload: &[u8]) -> Result<Prepared, PrepareError> {
    if upload.len() > MAX_BYTES {
        return Err(PrepareError::TooLarge { bytes: upload.len() });
    }
    let decoded = if jpeg_in::is_jpeg(upload) {
        jpeg_in::decode(upload, jpeg_in::outline(upload)?)
    } else if png_in::is_png(upload) {
        png_in::decode(upload, png_in::outline(upload)?)
    } else {
        return Err(PrepareError::NotAPhoto);
    };
    let (picture, orientation) = decoded.map_err(PrepareError::Undecodable)?;
    // It is made small before it is turned: turning needs a second copy.
    let kept = Raster::from_decoded(picture)
        .map(|raster| raster.shrunk(MAX_SIDE))
        .and_then(|raster| raster.turned(orientation))
        .ok_or(PrepareError::Malformed)?;
    Ok(Prepared { original: encode(&kept, QUALITY)?, preview: preview(&kept)? })
}
