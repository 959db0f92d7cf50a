//! Answers as HTTP.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use ondol_app::rest::{Answer, Done, Outcome, PreferReturn, VersionId, outcome_of_done};
use ondol_kernel::Millis;

use crate::{capability, error::ApiError};

type Reply = Response<Body>;

const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 5.6.7).
pub(crate) fn http_date(at: Millis) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (date, ms) = at.local(0);
    let weekday = usize::try_from(date.days().rem_euclid(7)).unwrap_or(0);
    let s = ms / 1_000;
    format!(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        DAYS[weekday],
        date.day(),
        MONTHS[usize::from(date.month()) - 1],
        date.year(),
        s / 3_600,
        s / 60 % 60,
        s % 60
    )
}

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
    put(&mut reply, header::LAST_MODIFIED, &http_date(updated));
    reply
}

/// A bundle.
pub(crate) fn bundle(json: String) -> Reply {
    with_json(reply(200), json)
}

/// A resource that was read; nothing but its version if the client has that already.
pub(crate) fn read(answer: Answer, known: &[VersionId]) -> Reply {
    let is_known = known.contains(&answer.version);
    let reply = reply(if is_known { 304 } else { 200 });
    let reply = with_version(reply, answer.version, answer.updated);
    if is_known { reply } else { with_json(reply, answer.json) }
}

/// A resource that was written.
pub(crate) fn written(done: &Done, back: PreferReturn, base: &str) -> Reply {
    let status = match done.outcome {
        Outcome::Created => 201,
        Outcome::Updated | Outcome::Unchanged | Outcome::Spared => 200,
        Outcome::Deleted => 204,
    };
    let mut answer = with_version(reply(status), done.version, done.updated);
    if done.outcome == Outcome::Deleted {
        return answer;
    }
    let location = format!("{base}/{}/{}/_history/{}", done.kind, done.id, done.version);
    put(&mut answer, header::LOCATION, &location);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_dates_have_their_weekday() {
        assert_eq!(http_date(Millis(784_111_777_000)), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(Millis(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(Millis(-1)), "Wed, 31 Dec 1969 23:59:59 GMT");
    }
}
