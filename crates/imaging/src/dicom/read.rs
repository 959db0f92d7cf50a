//! Reading a file: preamble, meta information, data set.

use super::header::Header;
use super::tags::{TRANSFER_SYNTAX_UID, Tag};
use super::values::{BadValue, Values};
use super::walk::{Pixels, Walk};

/// The most bytes of a file: a study of several hundred frames; what is larger goes by disk.
pub const MAX_BYTES: usize = 256 * 1024 * 1024;

/// Bytes before the mark `DICM` (PS3.10 §7.1).
const PREAMBLE: usize = 128;
const MARK: &[u8; 4] = b"DICM";

/// Transfer syntaxes that decide how the data set is read (PS3.6 Annex A).
const IMPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// Why a file was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// More than [`MAX_BYTES`].
    #[error("the file has {bytes} bytes, more than {MAX_BYTES}")]
    TooLarge {
        /// What was given.
        bytes: usize,
    },
    /// No preamble with `DICM` behind it.
    #[error("not a DICOM file")]
    NotPart10,
    /// The file ends inside an element: it was probably not copied completely.
    #[error("the file ends too early, at byte {offset}")]
    CutOff {
        /// Where the bytes were missing.
        offset: usize,
    },
    /// Something that is not an element.
    #[error("the file breaks the rules of DICOM at byte {offset}")]
    Malformed {
        /// Where.
        offset: usize,
    },
    /// Sequences in sequences, deeper than any real file has.
    #[error("sequences are nested too deep at byte {offset}")]
    TooDeep {
        /// Where.
        offset: usize,
    },
    /// An attribute that is read is far longer than it may be.
    #[error("the value of {tag} is too long")]
    ValueTooLong {
        /// Which.
        tag: Tag,
    },
    /// An identifier breaks its rules.
    #[error("the value of {tag} breaks its rules")]
    BadValue {
        /// Which.
        tag: Tag,
    },
    /// The meta information does not say how the file is coded.
    #[error("the file does not say how it is coded")]
    NoTransferSyntax,
    /// Deflated and big endian files are not read; the second is retired since 2006.
    #[error("files coded as {uid} are not read")]
    Syntax {
        /// The transfer syntax.
        uid: String,
    },
}

impl From<BadValue> for ReadError {
    fn from(BadValue(tag): BadValue) -> Self {
        Self::BadValue { tag }
    }
}

/// A file that was read; it borrows the upload.
pub struct File<'a> {
    header: Header,
    pub(super) values: Values<'a>,
    pub(super) pixels: Option<Pixels<'a>>,
}

impl std::fmt::Debug for File<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("File").field("header", &self.header).finish_non_exhaustive()
    }
}

impl File<'_> {
    /// What the screens need to know.
    pub const fn header(&self) -> &Header {
        &self.header
    }
}

/// Whether the file has DICOM's preamble and mark.
pub fn is_part10(bytes: &[u8]) -> bool {
    bytes.get(PREAMBLE..PREAMBLE + MARK.len()) == Some(MARK)
}

/// Reads a file (PS3.10 §7). Nothing is copied but the attributes of [`Header`].
pub fn read(bytes: &[u8]) -> Result<File<'_>, ReadError> {
    if bytes.len() > MAX_BYTES {
        return Err(ReadError::TooLarge { bytes: bytes.len() });
    }
    if !is_part10(bytes) {
        return Err(ReadError::NotPart10);
    }
    let mut walk = Walk::new(bytes, PREAMBLE + MARK.len());
    let meta = walk.meta()?;
    let syntax = meta.uid(TRANSFER_SYNTAX_UID)?.ok_or(ReadError::NoTransferSyntax)?;
    if syntax == DEFLATED || syntax == BIG_ENDIAN {
        return Err(ReadError::Syntax { uid: syntax });
    }
    // Every syntax but the implicit one is explicit and little endian (PS3.5 Annex A).
    let found = walk.data_set(syntax != IMPLICIT_LITTLE_ENDIAN)?;
    let header = Header::from_values(&found.values, syntax)?;
    Ok(File { header, values: found.values, pixels: found.pixels })
}
