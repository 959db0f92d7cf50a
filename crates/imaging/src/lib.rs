//! Pictures and sound that belong to a case: photographs, DICOM files and voice notes.
//!
//! Bytes come in and bytes go out; nothing here reads a file, a socket or a clock. Every upload
//! is treated as hostile: it is walked and measured before a decoder sees it, it never panics,
//! and what may be allocated for it is bounded by [`MAX_PIXELS`] and [`MAX_WORK_BYTES`].
//! The choices are written down in `docs/adr/0007-pictures.md`.

pub mod dicom;
mod jpeg_in;
mod jpeg_out;
pub mod kind;
pub mod photo;
mod png_in;
mod raster;
pub mod sound;

pub use jpeg_out::{EncodeError, Jpeg, PREVIEW_MAX_BYTES};
pub use kind::Kind;

/// The most pixels of a picture that is decoded: 40 million, above what phones of the day save
/// and above a mammogram (about 30 million).
pub const MAX_PIXELS: u64 = 40_000_000;

/// The most bytes that a decoder may need for the pixels of one picture. Turning them into the
/// three channels that are kept takes at most four bytes a pixel more.
pub const MAX_WORK_BYTES: u64 = 256_000_000;
