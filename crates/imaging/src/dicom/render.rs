//! The pictures of a file that a screen can show.

use std::borrow::Cow;

use image::ImageError;

use super::fragments;
use super::layout::{Cell, Layout, Photometric};
use super::read::File;
use super::tags::{NUMBER_OF_FRAMES, Tag};
use super::values::BadValue;
use super::walk::Pixels;
use super::window::{Brightness, Scale};
use crate::jpeg_in::{self, Fault};
use crate::jpeg_out::{EncodeError, Jpeg, encode, preview};
use crate::raster::{Colour, Raster};

/// The long side of the picture for looking at, in pixels.
pub const MAX_VIEW_SIDE: u16 = 2048;

/// Its quality: fine lines of a radiograph survive, at about a tenth of the bytes.
const VIEW_QUALITY: u8 = 92;

/// Transfer syntaxes whose frames are shown (PS3.6 Annex A).
const UNCOMPRESSED: [&str; 2] = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"];
const JPEG_BASELINE: &str = "1.2.840.10008.1.2.4.50";

/// A file made visible. It is for looking at; the file itself stays what was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// For looking at: the long side at most [`MAX_VIEW_SIDE`].
    pub view: Jpeg,
    /// What goes first, at most [`crate::PREVIEW_MAX_BYTES`].
    pub preview: Jpeg,
    /// Which frame is shown, from 1: the middle one.
    pub frame: u32,
    /// How many there are.
    pub frames: u32,
    /// How the shades were chosen.
    pub brightness: Brightness,
}

/// Why a file that was read is stored and not shown here.
#[derive(Debug, thiserror::Error)]
pub enum NotShown {
    /// It holds no picture: a report, a waveform, a document.
    #[error("the file holds no picture")]
    NoPixels,
    /// A compression that is not read here, such as JPEG 2000.
    #[error("pictures coded as {uid} are not shown here")]
    Compression {
        /// The transfer syntax.
        uid: String,
    },
    /// Colours that are not read here, such as a palette.
    #[error("a picture with this photometric interpretation is not shown here")]
    Photometric {
        /// As the file states it.
        code: String,
    },
    /// Neither eight nor sixteen bits a sample, or colour of other than eight.
    #[error("a picture of {bits} bits a sample is not shown here")]
    Depth {
        /// Bits of a sample.
        bits: u16,
    },
    /// More than [`crate::MAX_PIXELS`], or more memory than [`crate::MAX_WORK_BYTES`].
    #[error("a picture of {columns} × {rows} pixels is too large to be shown here")]
    TooManyPixels {
        /// Pixels in a row.
        columns: u16,
        /// Rows.
        rows: u16,
    },
    /// An attribute that is needed is absent. Nothing is assumed in its place.
    #[error("{tag} is missing")]
    Missing {
        /// Which.
        tag: Tag,
    },
    /// An attribute breaks its rules.
    #[error("the value of {tag} breaks its rules")]
    BadValue {
        /// Which.
        tag: Tag,
    },
    /// Fewer bytes than the frames need.
    #[error("the pixel data is too short")]
    TooShort,
    /// Several frames, and no telling where each begins.
    #[error("the file does not tell where its frames begin")]
    FrameBounds,
    /// The compressed frame is not a whole JPEG of the stated kind.
    #[error("the compressed frame is damaged")]
    Damaged,
    /// The compressed frame and the attributes state different sizes or colours.
    #[error("the compressed frame is not what the file states")]
    Disagrees,
    /// The decoder could not read the frame.
    #[error("the compressed frame cannot be decoded")]
    Undecodable(#[source] ImageError),
    /// The result could not be written.
    #[error("the picture cannot be written")]
    Encode(#[from] EncodeError),
}

impl From<BadValue> for NotShown {
    fn from(BadValue(tag): BadValue) -> Self {
        Self::BadValue { tag }
    }
}

impl File<'_> {
    /// Makes the middle frame visible.
    pub fn render(&self) -> Result<Rendered, NotShown> {
        let pixels = self.pixels.ok_or(NotShown::NoPixels)?;
        let uid = self.header().transfer_syntax_uid.as_str();
        // A file of one frame need not state their number (PS3.3 §C.7.6.6).
        let frames = self.values.count(NUMBER_OF_FRAMES)?.unwrap_or(1);
        let wanted = frames / 2;
        let layout;
        let (picture, brightness) = match pixels {
            Pixels::Native(bytes) if UNCOMPRESSED.contains(&uid) => {
                layout = Layout::of(self)?;
                let code = || "YBR_FULL_422".to_owned();
                let size = layout.frame_bytes();
                let size = size.ok_or_else(|| NotShown::Photometric { code: code() })?;
                let start = usize::try_from(wanted).ok().and_then(|at| at.checked_mul(size));
                let frame = start.and_then(|start| bytes.get(start..start.checked_add(size)?));
                self.native(layout, frame.ok_or(NotShown::TooShort)?)?
            }
            Pixels::Encapsulated(items) if uid == JPEG_BASELINE => {
                layout = Layout::of(self)?;
                let frame = fragments::frame(items, wanted, frames);
                self.compressed(layout, &frame.ok_or(NotShown::FrameBounds)?)?
            }
            _ => return Err(NotShown::Compression { uid: uid.to_owned() }),
        };
        let view = picture.shrunk(MAX_VIEW_SIDE);
        drop(picture);
        Ok(Rendered {
            preview: preview(&view)?,
            view: encode(&view, VIEW_QUALITY)?,
            frame: wanted + 1,
            frames,
            brightness,
        })
    }

    fn native(&self, layout: Layout, frame: &[u8]) -> Result<(Raster, Brightness), NotShown> {
        match layout.photometric {
            Photometric::Grey { inverted } => self.grey(layout, layout.cell, inverted, frame),
            Photometric::Rgb => raster(layout, Colour::Rgb, together(layout, frame).into_owned())
                .map(|raster| (raster, Brightness::AsStored)),
            Photometric::Ybr { .. } => {
                let mut samples = together(layout, frame).into_owned();
                for pixel in samples.as_chunks_mut::<3>().0 {
                    *pixel = rgb(*pixel);
                }
                raster(layout, Colour::Rgb, samples).map(|raster| (raster, Brightness::AsStored))
            }
        }
    }

    fn grey(
        &self,
        layout: Layout,
        cell: Cell,
        inverted: bool,
        frame: &[u8],
    ) -> Result<(Raster, Brightness), NotShown> {
        let scale = Scale::of(self, cell)?;
        let wide = || frame.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
        let mut histogram = vec![0_u32; if cell.wide { 1 << 16 } else { 1 << 8 }];
        let (samples, brightness) = if cell.wide {
            for raw in wide() {
                histogram[usize::from(raw)] += 1;
            }
            let (shades, brightness) = scale.shades(cell, &histogram, inverted);
            (wide().map(|raw| shades[usize::from(raw)]).collect(), brightness)
        } else {
            for raw in frame {
                histogram[usize::from(*raw)] += 1;
            }
            let (shades, brightness) = scale.shades(cell, &histogram, inverted);
            (frame.iter().map(|raw| shades[usize::from(*raw)]).collect(), brightness)
        };
        Ok((raster(layout, Colour::Grey, samples)?, brightness))
    }

    fn compressed(&self, layout: Layout, frame: &[u8]) -> Result<(Raster, Brightness), NotShown> {
        let outline = jpeg_in::outline(frame).map_err(|fault| match fault {
            Fault::CutOff | Fault::Malformed | Fault::Process => NotShown::Damaged,
            Fault::TooManyPixels { .. } => {
                NotShown::TooManyPixels { columns: layout.columns, rows: layout.rows }
            }
        })?;
        if (outline.width, outline.height) != (layout.columns, layout.rows) {
            return Err(NotShown::Disagrees);
        }
        let told;
        let (frame, outline) = if layout.photometric == Photometric::Rgb && !outline.colours_stated
        {
            told = as_rgb(frame);
            (told.as_slice(), jpeg_in::outline(&told).map_err(|_| NotShown::Damaged)?)
        } else {
            (frame, outline)
        };
        let (picture, _) = jpeg_in::decode(frame, outline).map_err(NotShown::Undecodable)?;
        let picture = Raster::from_decoded(picture).ok_or(NotShown::Disagrees)?;
        match (layout.photometric, picture.colour()) {
            (Photometric::Grey { inverted }, Colour::Grey) if !layout.cell.wide => {
                self.grey(layout, layout.cell, inverted, &picture.into_samples())
            }
            (Photometric::Rgb | Photometric::Ybr { .. }, Colour::Rgb) => {
                Ok((picture, Brightness::AsStored))
            }
            _ => Err(NotShown::Disagrees),
        }
    }
}

fn raster(layout: Layout, colour: Colour, samples: Vec<u8>) -> Result<Raster, NotShown> {
    Raster::new(layout.columns, layout.rows, colour, samples).ok_or(NotShown::TooShort)
}

/// The samples of each pixel side by side, whether or not the file has them in planes.
fn together(layout: Layout, frame: &[u8]) -> Cow<'_, [u8]> {
    if !layout.planar {
        return Cow::Borrowed(frame);
    }
    let (first, others) = frame.split_at(layout.pixels());
    let (second, third) = others.split_at(layout.pixels());
    let pixels = first.iter().zip(second).zip(third);
    Cow::Owned(pixels.flat_map(|((first, second), third)| [*first, *second, *third]).collect())
}

/// Colour from luminance and differences (PS3.3 §C.7.6.3.1.2, with ITU-T T.871 §7's inverse) in
/// parts of 65,536.
fn rgb([luminance, blue, red]: [u8; 3]) -> [u8; 3] {
    let luminance = i32::from(luminance) << 16;
    let (blue, red) = (i32::from(blue) - 128, i32::from(red) - 128);
    [luminance + 91_881 * red, luminance - 22_554 * blue - 46_802 * red, luminance + 116_130 * blue]
        .map(|sum| u8::try_from(((sum + (1 << 15)) >> 16).clamp(0, 255)).unwrap_or(u8::MAX))
}

/// Says in an Adobe segment that the three components are red, green and blue: without one,
/// decoders take them for luminance and differences.
fn as_rgb(frame: &[u8]) -> Vec<u8> {
    const SEGMENT: [u8; 16] =
        [0xff, 0xee, 0, 14, b'A', b'd', b'o', b'b', b'e', 0, 100, 0, 0, 0, 0, 0];
    let mut told = Vec::with_capacity(frame.len() + SEGMENT.len());
    let (start, rest) = frame.split_at(2.min(frame.len()));
    told.extend_from_slice(start);
    told.extend_from_slice(&SEGMENT);
    told.extend_from_slice(rest);
    told
}
