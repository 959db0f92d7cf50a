//! Voice notes: which kind they are, that they are whole and hold sound alone, and how long they
//! are. Nothing is decoded or written anew: the recorder's file is what is kept and sent.

mod boxes;
mod ebml;
mod ogg;
mod riff;

/// The most bytes of a voice note: an hour of Opus speech, five minutes of plain sound.
pub const MAX_BYTES: usize = 10_000_000;

/// How the sound is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Opus in `WebM`, as Chromium records.
    WebmOpus,
    /// Opus in Ogg, as Firefox records.
    OggOpus,
    /// Plain samples in RIFF/WAVE.
    Wav,
    /// AAC in MP4, as Safari records.
    Mp4Aac,
}

impl Format {
    /// The media type to store and answer with.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::WebmOpus => "audio/webm; codecs=opus",
            Self::OggOpus => "audio/ogg; codecs=opus",
            Self::Wav => "audio/wav",
            Self::Mp4Aac => "audio/mp4",
        }
    }
}

/// A voice note that was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sound {
    /// How it is coded.
    pub format: Format,
    /// How long it is, if the file tells without being decoded.
    pub duration_ms: Option<u64>,
}

/// Why a voice note was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// More than [`MAX_BYTES`].
    #[error("the file has {bytes} bytes, more than {MAX_BYTES}")]
    TooLarge {
        /// What was given.
        bytes: usize,
    },
    /// None of the formats.
    #[error("not a sound file that is known here")]
    NotSound,
    /// The file ends too early: the recording was probably not copied completely.
    #[error("the file ends too early")]
    CutOff,
    /// The file breaks the rules of its format.
    #[error("the file breaks the rules of its format")]
    Malformed,
    /// The right container, with another codec than the one that [`Format`] names.
    #[error("the sound is coded in a way that is not played here")]
    Codec,
    /// There are pictures in it.
    #[error("the file holds moving pictures")]
    Video,
    /// No sound in it at all.
    #[error("the file holds no sound")]
    Empty,
}

/// Tells the format from the first bytes alone.
pub fn sniff(bytes: &[u8]) -> Option<Format> {
    if ebml::is_webm(bytes) {
        Some(Format::WebmOpus)
    } else if bytes.starts_with(b"OggS") {
        Some(Format::OggOpus)
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WAVE") {
        Some(Format::Wav)
    } else if boxes::is_mp4(bytes) {
        Some(Format::Mp4Aac)
    } else {
        None
    }
}

/// Checks a voice note.
pub fn check(bytes: &[u8]) -> Result<Sound, CheckError> {
    if bytes.len() > MAX_BYTES {
        return Err(CheckError::TooLarge { bytes: bytes.len() });
    }
    let format = sniff(bytes).ok_or(CheckError::NotSound)?;
    let duration_ms = match format {
        Format::WebmOpus => ebml::check(bytes)?,
        Format::OggOpus => Some(ogg::check(bytes)?),
        Format::Wav => Some(riff::check(bytes)?),
        Format::Mp4Aac => boxes::check(bytes)?,
    };
    Ok(Sound { format, duration_ms })
}
