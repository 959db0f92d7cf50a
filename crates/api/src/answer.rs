//! Answers as HTTP.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use ondol_app::rest::{Answer, Done, Known, Outcome, PreferReturn, VersionId, outcome_of_done};
use ondol_kernel::Millis;

use crate::{capability, error::ApiError, http_date};

type Reply = Response<Body>;

const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";

fn reply(status: u16) -> Reply {
    let mut reply = Response::new(Body::empty());
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // What is about people stays in no cache on the way or on a shared computer.
    put(&mut reply, header::CACHE_CONTROL, "no-store");
    reply
}

fn put(reply: &mut Reply, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}

fn with_json(mut reply: Reply, json: String) -> Reply {
    put(&mut reply, header::CONTENT_TYPE, FHIR_JSON);
    *reply.body_mut() = Body::from(json);
    reply
}

fn with_version(mut reply: Reply, version: VersionId, updated: Millis) -> Reply {
    put(&mut reply, header::ETAG, &format!("W/\"{version}\""));
    put(&mut reply, header::LAST_MODIFIED, &http_date::write(updated));
    reply
}

/// A bundle.
pub(crate) fn bundle(json: String) -> Reply {
    with_json(reply(200), json)
}

/// What an operation found, which is an answer whatever it says.
pub(crate) fn outcome(outcome: &ondol_fhir::Resource) -> Reply {
    with_json(reply(200), outcome.to_string())
}

/// A resource that was read; nothing but its version if the client has that already.
pub(crate) fn read(answer: Answer, known: &Known) -> Reply {
    let is_known = known.covers(&answer);
    let reply = reply(if is_known { 304 } else { 200 });
    let reply = with_version(reply, answer.version, answer.updated);
    if is_known { reply } else { with_json(reply, answer.json) }
}

/// A resource that was written.
pub(crate) fn written(done: &Done, back: PreferReturn, base: &str) -> Reply {
    let is_deleted = done.outcome == Outcome::Deleted;
    let status = match done.outcome {
        Outcome::Created => 201,
        Outcome::Updated | Outcome::Unchanged | Outcome::Spared => 200,
        Outcome::Deleted if back == PreferReturn::Outcome => 200,
        Outcome::Deleted => 204,
    };
    let mut answer = reply(status);
    if let Some(stands) = &done.stands {
        answer = with_version(answer, stands.version, stands.updated);
        if !is_deleted {
            let (kind, id, version) = (done.kind, &stands.id, stands.version);
            put(&mut answer, header::LOCATION, &format!("{base}/{kind}/{id}/_history/{version}"));
        }
    }
    match (back, &done.json) {
        (PreferReturn::Representation, Some(json)) => with_json(answer, json.clone()),
        (PreferReturn::Outcome, _) => with_json(answer, outcome_of_done(done).to_string()),
        _ => answer,
    }
}

/// The `CapabilityStatement`.
pub(crate) fn metadata(gzip: bool) -> Reply {
    let (plain, packed) = capability::bytes();
    let mut answer = reply(200);
    put(&mut answer, header::CONTENT_TYPE, FHIR_JSON);
    put(&mut answer, header::CACHE_CONTROL, "no-cache");
    put(&mut answer, header::VARY, "accept-encoding");
    if gzip && !packed.is_empty() {
        put(&mut answer, header::CONTENT_ENCODING, "gzip");
        *answer.body_mut() = Body::from(packed.as_slice());
    } else {
        *answer.body_mut() = Body::from(plain.as_slice());
    }
    answer
}

/// An error, with what stands where it is about versions.
pub(crate) fn error(why: &ApiError) -> Reply {
    let mut answer = reply(why.status());
    match why {
        ApiError::OtherMethods(methods) => {
            put(&mut answer, header::ALLOW, &methods.join(", "));
        }
        ApiError::Refused(crate::Refusal::Wait { seconds }) => {
            put(&mut answer, header::RETRY_AFTER, &seconds.to_string());
        }
        _ => {}
    }
    if why.status() == 401 {
        put(&mut answer, header::WWW_AUTHENTICATE, r#"Basic realm="Ondol", charset="UTF-8""#);
        if let Ok(bearer) = HeaderValue::from_str(r#"Bearer realm="Ondol""#) {
            answer.headers_mut().append(header::WWW_AUTHENTICATE, bearer);
        }
    }
    with_json(answer, why.outcome().to_string())
}
