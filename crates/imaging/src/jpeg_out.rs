//! JPEG files that we write, and the preview that always fits.

use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder, SamplingFactor};

use crate::raster::{Colour, Raster};

/// The most bytes of a preview: at 9.6 kbit/s it is through in under half a minute.
pub const PREVIEW_MAX_BYTES: usize = 30_000;

/// A JPEG file made here: no metadata but a bare JFIF header, progressive, so that the first
/// part of it already shows the whole picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Jpeg {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its width in pixels.
    pub width: u16,
    /// Its height in pixels.
    pub height: u16,
}

impl std::fmt::Debug for Jpeg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Jpeg({} × {}, {} B)", self.width, self.height, self.bytes.len())
    }
}

/// Why a JPEG file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The encoder refused.
    #[error("the picture cannot be written as JPEG")]
    Encoder(#[from] jpeg_encoder::EncodingError),
    /// No size on the ladder fits into [`PREVIEW_MAX_BYTES`].
    #[error("no preview of at most {PREVIEW_MAX_BYTES} bytes can be made")]
    NeverFits,
}

/// Sizes tried for a preview, the long side in pixels, and the least quality that is worth
/// showing at that size. 480 is held on to: its quality may fall far before the size does.
const LADDER: [(u16, u8); 11] = [
    (1280, 50),
    (1024, 45),
    (800, 38),
    (640, 30),
    (480, 8),
    (400, 8),
    (320, 8),
    (240, 8),
    (160, 5),
    (96, 5),
    (48, 1),
];

/// Above this quality a preview grows without showing more.
const BEST_PREVIEW: u8 = 85;

/// Writes a picture. `quality` is 1 to 100.
pub(crate) fn encode(raster: &Raster, quality: u8) -> Result<Jpeg, EncodeError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    encoder.set_progressive(true);
    encoder.set_optimized_huffman_tables(true);
    let colour = match raster.colour() {
        Colour::Grey => ColorType::Luma,
        Colour::Rgb => ColorType::Rgb,
    };
    encoder.encode(raster.samples(), raster.width(), raster.height(), colour)?;
    Ok(Jpeg { bytes, width: raster.width(), height: raster.height() })
}

/// The largest picture, and for its size the best one, of at most [`PREVIEW_MAX_BYTES`].
pub(crate) fn preview(raster: &Raster) -> Result<Jpeg, EncodeError> {
    for (side, least) in LADDER {
        let small = raster.shrunk(side);
        let fits = |quality| {
            encode(&small, quality)
                .map(|jpeg| (jpeg.bytes.len() <= PREVIEW_MAX_BYTES).then_some(jpeg))
        };
        let Some(mut best) = fits(least)? else { continue };
        let (mut low, mut high) = (least, BEST_PREVIEW);
        while low < high {
            let middle = (low + high).div_ceil(2);
            match fits(middle)? {
                Some(jpeg) => (best, low) = (jpeg, middle),
                None => high = middle - 1,
            }
        }
        return Ok(best);
    }
    Err(EncodeError::NeverFits)
}
