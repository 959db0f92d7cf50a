//! What an upload is, told from its content. Names and media types are never asked: they come
//! from outside and are often wrong.

use crate::{dicom, jpeg_in, png_in, sound};

/// What an upload looks like. It is a first sorting only: the module of each kind then checks
/// the whole of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A JPEG or PNG picture, for [`crate::photo::prepare`].
    Photo,
    /// A DICOM file, for [`crate::dicom::read`].
    Dicom,
    /// A voice note, for [`crate::sound::check`].
    Sound,
    /// A PDF document; kept as it is.
    Pdf,
    /// None of these.
    Unknown,
}

impl Kind {
    /// Tells the kind from the first bytes.
    ///
    /// DICOM comes first, because the 128 bytes before its `DICM` are free and may hold the mark
    /// of another format (PS3.10 §7.1).
    pub fn detect(bytes: &[u8]) -> Self {
        if dicom::is_part10(bytes) {
            Self::Dicom
        } else if jpeg_in::is_jpeg(bytes) || png_in::is_png(bytes) {
            Self::Photo
        } else if sound::sniff(bytes).is_some() {
            Self::Sound
        } else if bytes.starts_with(b"%PDF-") {
            Self::Pdf
        } else {
            Self::Unknown
        }
    }
}
