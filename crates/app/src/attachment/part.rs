//! From an upload to a part of a case: checked, made small, kept as blobs.

use ondol_imaging::{Kind, dicom, photo, sound};
use ondol_kernel::bytes;
use ondol_store::blobs::{BlobHash, Blobs};
use serde_json::{Value, json};

use super::{cost::Cost, identity};
use crate::{AppError, attachment::Differs, consult::step::each};

/// The most bytes of a document. Ondol's own choice: some 30 scanned pages.
const DOCUMENT_BYTES_MAX: usize = 25_000_000;

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// A photograph.
    Photo,
    /// A DICOM file.
    Dicom,
    /// A voice note.
    Voice,
    /// A document (PDF).
    Document,
}

impl PartKind {
    const ALL: [Self; 4] = [Self::Photo, Self::Dicom, Self::Voice, Self::Document];

    /// The code in drafts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Dicom => "dicom",
            Self::Voice => "voice",
            Self::Document => "document",
        }
    }
}

/// A blob, as resources name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobRef {
    /// Its name.
    pub hash: BlobHash,
    /// Its length.
    pub bytes: u64,
    /// Its media type.
    pub media_type: String,
}

impl BlobRef {
    fn to_json(&self) -> Value {
        json!({
            "hash": bytes::to_hex(&self.hash), "bytes": self.bytes, "type": self.media_type
        })
    }

    fn from_json(value: &Value) -> Option<Self> {
        let mut hash = [0; 32];
        let media_type = value["type"].as_str()?.to_owned();
        bytes::hex_to(value["hash"].as_str()?, &mut hash)
            .then_some(())
            .and_then(|()| Some(Self { hash, bytes: value["bytes"].as_u64()?, media_type }))
    }
}

/// A part of a case that is being written or was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// The file as it is kept.
    pub original: BlobRef,
    /// A picture for looking at, where browsers do not show the original.
    pub view: Option<BlobRef>,
    /// What goes first.
    pub preview: Option<BlobRef>,
    /// In what the file's patient differs from the chart's.
    pub differs: Vec<Differs>,
    /// How long a voice note is, ms.
    pub duration_ms: Option<u64>,
    /// Modality of a DICOM file, such as `CR`.
    pub modality: Option<String>,
}

impl Part {
    /// The bytes that travel with the case.
    pub fn bytes_at_once(&self) -> u64 {
        self.preview.as_ref().map_or(0, |preview| preview.bytes)
    }

    /// What travels with the case costs this much.
    pub fn cost(&self, rate_bps: u64) -> Cost {
        Cost::of(self.bytes_at_once(), rate_bps)
    }

    /// The original costs this much, when somebody asks for it.
    pub fn cost_of_original(&self, rate_bps: u64) -> Cost {
        Cost::of(self.original.bytes, rate_bps)
    }

    /// For drafts.
    pub(crate) fn to_json(&self) -> Value {
        let blob = |blob: &Option<BlobRef>| blob.as_ref().map_or(Value::Null, BlobRef::to_json);
        json!({
            "kind": self.kind.code(),
            "original": self.original.to_json(),
            "view": blob(&self.view),
            "preview": blob(&self.preview),
            "differs": self.differs.iter().map(|d| d.code()).collect::<Vec<_>>(),
            "duration": self.duration_ms,
            "modality": self.modality,
        })
    }

    /// Reads what [`Part::to_json`] wrote.
    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let kind = PartKind::ALL.into_iter().find(|kind| value["kind"] == kind.code())?;
        Some(Self {
            kind,
            original: BlobRef::from_json(&value["original"])?,
            view: BlobRef::from_json(&value["view"]),
            preview: BlobRef::from_json(&value["preview"]),
            differs: each(&value["differs"])
                .filter_map(|code| Differs::from_code(code.as_str()?))
                .collect(),
            duration_ms: value["duration"].as_u64(),
            modality: value["modality"].as_str().map(str::to_owned),
        })
    }
}

/// Checks an upload and keeps what is made of it. `patient` is the chart's Patient, with which
/// a DICOM file is compared.
pub(crate) fn prepare(blobs: &dyn Blobs, upload: &[u8], patient: &Value) -> Result<Part, AppError> {
    let keep = |bytes: &[u8], media_type: &str| -> Result<BlobRef, AppError> {
        let hash = blobs.put(bytes)?;
        Ok(BlobRef { hash, bytes: bytes.len() as u64, media_type: media_type.to_owned() })
    };
    let plain = |kind, original| Part {
        kind,
        original,
        view: None,
        preview: None,
        differs: vec![],
        duration_ms: None,
        modality: None,
    };
    match Kind::detect(upload) {
        Kind::Photo => {
            let made = photo::prepare(upload).map_err(|why| field(photo_why(&why)))?;
            let mut part = plain(PartKind::Photo, keep(&made.original.bytes, "image/jpeg")?);
            part.preview = Some(keep(&made.preview.bytes, "image/jpeg")?);
            Ok(part)
        }
        Kind::Dicom => {
            let file = dicom::read(upload).map_err(|why| field(dicom_why(&why)))?;
            let mut part = plain(PartKind::Dicom, keep(upload, "application/dicom")?);
            part.differs = identity::compare(&file.header().patient, patient);
            part.modality = match &file.header().modality {
                Some(dicom::Stated::Read(modality)) => Some(modality.clone()),
                Some(dicom::Stated::Unreadable) | None => None,
            };
            // What cannot be shown is kept and sent all the same.
            if let Ok(made) = file.render() {
                part.view = Some(keep(&made.view.bytes, "image/jpeg")?);
                part.preview = Some(keep(&made.preview.bytes, "image/jpeg")?);
            }
            Ok(part)
        }
        Kind::Sound => {
            let checked = sound::check(upload).map_err(|why| field(sound_why(&why)))?;
            let original = keep(upload, checked.format.media_type())?;
            let mut part = plain(PartKind::Voice, original.clone());
            part.duration_ms = checked.duration_ms;
            // A voice note is part of the question: it goes along whole.
            part.preview = Some(original);
            Ok(part)
        }
        Kind::Pdf if upload.len() > DOCUMENT_BYTES_MAX => Err(field("attachment-too-large")),
        Kind::Pdf => Ok(plain(PartKind::Document, keep(upload, "application/pdf")?)),
        Kind::Unknown => Err(field("attachment-unknown")),
    }
}

fn field(why: &'static str) -> AppError {
    AppError::Field { field: "file", why }
}

fn photo_why(why: &photo::PrepareError) -> &'static str {
    use photo::PrepareError as E;
    match why {
        E::TooLarge { .. } | E::TooManyPixels { .. } => "attachment-too-large",
        E::CutOff => "attachment-cut-off",
        E::NotAPhoto | E::Unsupported => "attachment-unknown",
        E::Malformed | E::Undecodable(_) | E::Encode(_) => "attachment-damaged",
    }
}

fn dicom_why(why: &dicom::ReadError) -> &'static str {
    use dicom::ReadError as E;
    match why {
        E::TooLarge { .. } => "attachment-too-large",
        E::CutOff { .. } => "attachment-cut-off",
        _ => "attachment-damaged",
    }
}

fn sound_why(why: &sound::CheckError) -> &'static str {
    use sound::CheckError as E;
    match why {
        E::TooLarge { .. } => "attachment-too-large",
        E::CutOff => "attachment-cut-off",
        E::NotSound | E::Codec | E::Video => "attachment-unknown",
        E::Malformed | E::Empty => "attachment-damaged",
    }
}
