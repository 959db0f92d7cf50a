//! Forms with files.

use axum::extract::{FromRequest, Multipart, Request};

use crate::form::Form;
use crate::trouble::Trouble;

/// The most bytes of a form with its files: a DICOM study of some frames.
pub const BYTES_MAX: usize = 96 * 1024 * 1024;

/// The most bytes of a text field.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// What was typed, and the files that were chosen. Names of files are not looked at.
#[derive(Default)]
pub struct Upload {
    /// The fields.
    pub form: Form,
    /// The files, those that are not empty.
    pub files: Vec<Vec<u8>>,
}

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Trouble;

    async fn from_request(request: Request, state: &S) -> Result<Self, Trouble> {
        let parts = Multipart::from_request(request, state).await;
        let mut parts = parts.map_err(|_| Trouble::BadRequest)?;
        let mut upload = Self::default();
        let mut fields = vec![];
        loop {
            let part = match parts.next_field().await {
                Ok(Some(part)) => part,
                Ok(None) => break,
                Err(why) => return Err(trouble(&why)),
            };
            let Some(name) = part.name().map(str::to_owned) else { continue };
            let is_file = part.file_name().is_some();
            let bytes = part.bytes().await.map_err(|why| trouble(&why))?;
            if is_file {
                if !bytes.is_empty() {
                    upload.files.push(bytes.to_vec());
                }
            } else if bytes.len() <= TEXT_BYTES_MAX {
                fields.push((name, String::from_utf8_lossy(&bytes).into_owned()));
            } else {
                return Err(Trouble::TooLarge);
            }
        }
        upload.form = Form::of(fields);
        Ok(upload)
    }
}

fn trouble(why: &axum::extract::multipart::MultipartError) -> Trouble {
    if why.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        Trouble::TooLarge
    } else {
        Trouble::BadRequest
    }
}
