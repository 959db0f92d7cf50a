//! Bodies of requests, within a limit.

use axum::{body::Body, http::HeaderMap};
use ondol_fhir::{Limits, patch};

use crate::error::ApiError;

/// A body at most, bytes. Bulk loads go through `ondol import`.
pub(crate) const BODY_MAX: usize = Limits::RESOURCE.bytes;

/// A patch at most, bytes.
pub(crate) const PATCH_MAX: usize = patch::LIMITS.bytes;

/// A form of a search at most, bytes.
pub(crate) const FORM_MAX: usize = 64 << 10;

/// Reads a body. One that says to be too long is not begun.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Vec<u8>, ApiError> {
    let said = headers.get("content-length").and_then(|value| value.to_str().ok());
    if said.and_then(|text| text.parse::<usize>().ok()).is_some_and(|length| length > limit) {
        return Err(ApiError::TooLarge(limit));
    }
    let bytes = axum::body::to_bytes(body, limit).await.map_err(|why| {
        // The limit is the one error that does not mean that the client went away.
        if why.into_inner().to_string().contains("limit") {
            ApiError::TooLarge(limit)
        } else {
            ApiError::Interrupted
        }
    })?;
    Ok(bytes.into())
}
