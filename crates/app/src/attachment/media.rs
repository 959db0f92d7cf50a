//! Parts as resources, and back.

use ondol_record::{Address, ChartId};
use ondol_store::{
    Found, View,
    blobs::{BlobHash, Blobs},
};
use serde_json::{Value, json};

use super::{Differs, PartKind, part::Part};
use crate::{
    AppError, coding,
    consult::step::{each, extension, text},
    road::{PREVIEW, hash_of, is_asked_for, url_of},
};

/// How much of a blob is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Here {
    /// All of it.
    Whole,
    /// Some bytes of so many; none yet, if it was asked for and its first bytes are on their way.
    Some(u64, u64),
    /// Nothing of so many bytes, and nobody asked for it.
    Nothing(u64),
}

impl Here {
    /// Whether all of it is here.
    pub const fn is_whole(self) -> bool {
        matches!(self, Self::Whole)
    }
}

/// A blob of a picture: its name, and how much of it is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureBlob {
    /// Its name.
    pub hash: BlobHash,
    /// Its media type.
    pub media_type: String,
    /// Its length.
    pub bytes: u64,
    /// How much of it is here.
    pub here: Here,
}

/// A picture, voice note or document of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// `Media/…` or `DocumentReference/…`.
    pub reference: String,
    /// The id.
    pub id: String,
    /// What it is.
    pub kind: PartKind,
    /// The file.
    pub original: PictureBlob,
    /// For looking at, where that is another.
    pub view: Option<PictureBlob>,
    /// What went first.
    pub preview: Option<PictureBlob>,
    /// In what the file's patient differs from the chart's.
    pub differs: Vec<Differs>,
    /// How long a voice note is, s.
    pub seconds: Option<u64>,
    /// Modality of a DICOM file.
    pub modality: Option<String>,
    /// When it became part of the case: the stamp of writing.
    pub order: u64,
    /// The entry that brought it.
    pub address: Address,
}

impl Picture {
    /// The best that is here: `original`, `view`, `preview`, or nothing.
    pub fn seen_as(&self) -> &'static str {
        let whole = |blob: &Option<PictureBlob>| blob.as_ref().is_some_and(|b| b.here.is_whole());
        match () {
            () if self.original.here.is_whole() => "original",
            () if whole(&self.view) => "view",
            () if whole(&self.preview) => "preview",
            () => "",
        }
    }
}

/// The resource of a part, for a request (`ServiceRequest/…` or its place in the transaction).
pub(crate) fn resource(part: &Part, request: &Value, subject: &str, at: &str) -> Value {
    let mut attachment = json!({
        "contentType": part.original.media_type,
        "url": url_of(&part.original.hash),
        "size": part.original.bytes,
    });
    let small = [(PREVIEW, &part.preview), (coding::VIEW, &part.view)];
    let extensions: Vec<Value> = small
        .into_iter()
        .filter_map(|(url, blob)| {
            let blob = blob.as_ref()?;
            Some(json!({ "url": url, "valueAttachment": {
                "contentType": blob.media_type, "url": url_of(&blob.hash), "size": blob.bytes
            }}))
        })
        .collect();
    if !extensions.is_empty() {
        attachment["extension"] = json!(extensions);
    }
    if part.kind == PartKind::Document {
        return json!({
            "resourceType": "DocumentReference",
            "status": "current",
            "subject": { "reference": subject },
            "date": at,
            "content": [{ "attachment": attachment }],
            "context": { "related": [request] },
        });
    }
    let mut media = json!({
        "resourceType": "Media",
        "basedOn": [request],
        "status": "completed",
        "subject": { "reference": subject },
        "createdDateTime": at,
        "content": attachment,
    });
    if let Some(ms) = part.duration_ms {
        media["duration"] = json!(ms.div_ceil(1_000).max(1));
    }
    if let Some(modality) = &part.modality {
        media["modality"] = json!({ "text": modality });
    }
    if !part.differs.is_empty() {
        let codes = part
            .differs
            .iter()
            .map(|differs| json!({ "url": coding::IDENTITY_DIFFERS, "valueCode": differs.code() }));
        media["extension"] = codes.collect();
    }
    media
}

/// The pictures of a request, oldest first.
pub(crate) fn pictures(
    view: &dyn View,
    blobs: &dyn Blobs,
    chart: &ChartId,
    request: &str,
) -> Result<Vec<Picture>, AppError> {
    let mut all = vec![];
    for found in view.chart(chart, &["Media", "DocumentReference"])? {
        if let Some(picture) = read(view, blobs, &found, request)? {
            all.push(picture);
        }
    }
    all.sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
    Ok(all)
}

fn read(
    view: &dyn View,
    blobs: &dyn Blobs,
    found: &Found,
    request: &str,
) -> Result<Option<Picture>, AppError> {
    let Ok(body) = serde_json::from_str::<Value>(&found.shown.body) else { return Ok(None) };
    let related = if &*found.shown.resource_type == "Media" {
        &body["basedOn"]
    } else {
        &body["context"]["related"]
    };
    if !each(related).any(|on| on["reference"] == request) {
        return Ok(None);
    }
    let attachment = if &*found.shown.resource_type == "Media" {
        &body["content"]
    } else {
        &body["content"][0]["attachment"]
    };
    let Some(original) = blob(view, blobs, attachment)? else { return Ok(None) };
    let small = |url| match extension(attachment, url) {
        Some(extension) => blob(view, blobs, &extension["valueAttachment"]),
        None => Ok(None),
    };
    let kind = match original.media_type.split('/').next() {
        _ if original.media_type == "application/dicom" => PartKind::Dicom,
        Some("image") => PartKind::Photo,
        Some("audio") => PartKind::Voice,
        _ => PartKind::Document,
    };
    Ok(Some(Picture {
        reference: format!("{}/{}", found.shown.resource_type, found.shown.id),
        id: found.shown.id.as_str().to_owned(),
        kind,
        view: small(coding::VIEW)?,
        preview: small(PREVIEW)?,
        original,
        differs: each(&body["extension"])
            .filter(|e| e["url"] == coding::IDENTITY_DIFFERS)
            .filter_map(|e| Differs::from_code(e["valueCode"].as_str()?))
            .collect(),
        seconds: body["duration"].as_u64(),
        modality: body["modality"]["text"].as_str().map(str::to_owned),
        order: found.shown.hlc.bits(),
        address: found.shown.address,
    }))
}

fn blob(
    view: &dyn View,
    blobs: &dyn Blobs,
    attachment: &Value,
) -> Result<Option<PictureBlob>, AppError> {
    let url = attachment["url"].as_str();
    let (Some(hash), Some(bytes)) = (url.and_then(hash_of), attachment["size"].as_u64()) else {
        return Ok(None);
    };
    let here = if blobs.has(&hash)? {
        Here::Whole
    } else {
        match blobs.partial(&hash)? {
            0 if !is_asked_for(view, &hash)? => Here::Nothing(bytes),
            some => Here::Some(some, bytes),
        }
    };
    Ok(Some(PictureBlob { hash, media_type: text(&attachment["contentType"]), bytes, here }))
}
