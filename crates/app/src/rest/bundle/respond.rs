//! What the answer says of each entry.

use ondol_fhir::{Resource, Severity, views::OutcomeBuilder};

use crate::rest::{
    error::RestError,
    read::Answer,
    text::{BundleText, quoted},
    write::{DANGLING, Done, Outcome},
};

/// What the client wants back of what it wrote (`Prefer: return=…`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PreferReturn {
    /// Headers only.
    Minimal,
    /// The resource as it stands now.
    #[default]
    Representation,
    /// An `OperationOutcome`.
    Outcome,
}

/// The answer to one entry.
#[derive(Debug, Default)]
pub(super) struct Response {
    status: String,
    /// `Type/id`.
    resource_url: Option<String>,
    /// `Type/id/_history/version`, for what was written.
    location: Option<String>,
    etag: Option<String>,
    updated: Option<String>,
    resource: Option<String>,
    outcome: Option<String>,
}

/// The `OperationOutcome` of something that was written: what its references lack, or that all
/// is well.
pub fn outcome_of_done(done: &Done) -> Resource {
    let mut outcome = OutcomeBuilder::default();
    for (kind, count) in &done.dangling {
        let says = match *kind {
            "urn" => format!("{count} reference(s) name a full URL that no entry has"),
            kind => format!("{count} reference(s) to {kind} lead to nothing that is here"),
        };
        let at = done.kind.name();
        outcome.push(Severity::Warning, "not-found", DANGLING, &says, Some(at));
    }
    outcome.build()
}

/// The status of HTTP for something that was written.
pub(super) const fn status_of(outcome: Outcome) -> u16 {
    match outcome {
        Outcome::Created => 201,
        Outcome::Updated | Outcome::Unchanged | Outcome::Spared => 200,
        Outcome::Deleted => 204,
    }
}

const fn status_text(status: u16) -> &'static str {
    match status {
        200 => "200 OK",
        201 => "201 Created",
        204 => "204 No Content",
        304 => "304 Not Modified",
        400 => "400 Bad Request",
        401 => "401 Unauthorized",
        403 => "403 Forbidden",
        404 => "404 Not Found",
        409 => "409 Conflict",
        410 => "410 Gone",
        412 => "412 Precondition Failed",
        413 => "413 Content Too Large",
        422 => "422 Unprocessable Content",
        503 => "503 Service Unavailable",
        507 => "507 Insufficient Storage",
        _ => "500 Internal Server Error",
    }
}

pub(super) fn of_done(done: &Done, prefer: PreferReturn) -> Response {
    let stands = done.stands.as_ref();
    let url = stands.map(|stands| format!("{}/{}", done.kind, stands.id));
    let is_deleted = done.outcome == Outcome::Deleted;
    let warns = !done.dangling.is_empty();
    let wants_outcome = warns || prefer == PreferReturn::Outcome;
    Response {
        status: status_text(status_of(done.outcome)).to_owned(),
        location: stands
            .filter(|_| !is_deleted)
            .map(|stands| format!("{}/{}/_history/{}", done.kind, stands.id, stands.version)),
        etag: stands.map(|stands| format!("W/\"{}\"", stands.version)),
        updated: stands.map(|stands| stands.updated.to_fhir(0)),
        resource: done.json.clone().filter(|_| prefer == PreferReturn::Representation),
        outcome: wants_outcome.then(|| outcome_of_done(done).to_string()),
        resource_url: url.filter(|_| !is_deleted),
    }
}

impl Response {
    pub(super) fn refused(why: &RestError) -> Self {
        Self {
            status: status_text(why.status()).to_owned(),
            outcome: Some(why.outcome().to_string()),
            ..Self::default()
        }
    }

    /// Without the resource where the client has it already.
    pub(super) fn read(answer: &Answer, is_known: bool) -> Self {
        Self {
            status: status_text(if is_known { 304 } else { 200 }).to_owned(),
            resource_url: Some(format!("{}/{}", answer.resource_type, answer.id)),
            etag: Some(format!("W/\"{}\"", answer.version)),
            updated: Some(answer.updated.to_fhir(0)),
            resource: (!is_known).then(|| answer.json.clone()),
            ..Self::default()
        }
    }

    pub(super) fn found(searchset: String) -> Self {
        Self { status: status_text(200).to_owned(), resource: Some(searchset), ..Self::default() }
    }

    pub(super) fn write(&self, bundle: &mut BundleText, base: &str) {
        let mut response = format!(r#"{{"status":{}"#, quoted(&self.status));
        let location = self.location.as_ref().map(|url| quoted(&format!("{base}/{url}")));
        for (name, json) in [
            ("location", location),
            ("etag", self.etag.as_deref().map(quoted)),
            ("lastModified", self.updated.as_deref().map(quoted)),
            ("outcome", self.outcome.clone()),
        ] {
            if let Some(json) = json {
                response.extend([r#",""#, name, r#"":"#, &json]);
            }
        }
        response.push('}');
        let full_url = self.resource_url.as_ref().map(|url| quoted(&format!("{base}/{url}")));
        let mut members = vec![];
        if let Some(url) = &full_url {
            members.push(("fullUrl", url.as_str()));
        }
        if let Some(resource) = &self.resource {
            members.push(("resource", resource.as_str()));
        }
        members.push(("response", response.as_str()));
        bundle.entry(&members);
    }
}
