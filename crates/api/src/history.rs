//! Histories of a resource, of a type and of everything.

use axum::{body::Body, http::Response};
use ondol_app::{
    Actor, App,
    rest::{self, BundleText, JournalRequest, ParameterFault, Past, RestError, quoted},
};
use ondol_fhir::ResourceType;
use ondol_kernel::ResourceId;

use crate::{answer, dispatch::Asked, error::ApiError};

/// Versions of one page of a history where the client asks for no number, and at most.
const HISTORY_PAGE: usize = 100;

impl Asked {
    pub(crate) fn history(&self, app: &App, actor: &Actor) -> Result<Response<Body>, ApiError> {
        let (kind, id) = (self.kind()?, self.id()?);
        let (mut since, mut left, mut count) = (None, None, HISTORY_PAGE);
        for (name, value) in self.parameters(&["_since", "_count", "_page"])? {
            let number = || {
                let parsed = value.parse::<usize>();
                parsed.map_err(|_| RestError::parameter(name, ParameterFault::Value))
            };
            match name {
                "_since" => since = Some((value, rest::since(value)?)),
                "_count" => count = number()?.min(HISTORY_PAGE),
                _ => left = Some(number()?),
            }
        }
        let at = since.map(|(_, at)| at);
        let found = app.rest_history(actor, kind, id, at, (left, count))?;
        let url = format!("{}/{kind}/{id}", self.base);
        let link = |left: Option<usize>| {
            let since = since.map(|(text, _)| format!("&_since={}", text.replace('+', "%2B")));
            let page = left.map(|left| format!("&_page={left}")).unwrap_or_default();
            format!("{url}/_history?_count={count}{}{page}", since.unwrap_or_default())
        };
        let mut bundle = BundleText::new("history");
        bundle.total(found.total as u64);
        let mut links = vec![("self", link(left))];
        links.extend(found.next.filter(|_| count > 0).map(|next| ("next", link(Some(next)))));
        bundle.links(&links);
        for past in &found.versions {
            past_entry(&mut bundle, past, &url, kind, id);
        }
        Ok(answer::bundle(bundle.finish()))
    }

    /// The history of a type, or of everything here.
    pub(crate) fn journal(&self, app: &App, actor: &Actor) -> Result<Response<Body>, ApiError> {
        let request = self.journal_request()?;
        let found = app.rest_journal(actor, &request)?;
        let place = match request.kind {
            Some(kind) => format!("{}/{kind}/_history", self.base),
            None => format!("{}/_history", self.base),
        };
        let page = |after| format!("{place}?_page={}", request.token(after));
        let mut bundle = BundleText::new("history");
        if found.next.is_none() && request.after.is_none() && request.count > 0 {
            bundle.total(found.versions.len() as u64);
        }
        let since = request.since.map(|since| format!("&_since={}", since.to_fhir(0)));
        let own = match request.after {
            Some(after) => page(after),
            None => format!("{place}?_count={}{}", request.count, since.unwrap_or_default()),
        };
        let mut links = vec![("self", own)];
        links.extend(found.next.map(|next| ("next", page(next))));
        bundle.links(&links);
        for (kind, id, past) in &found.versions {
            past_entry(&mut bundle, past, &format!("{}/{kind}/{id}", self.base), *kind, id);
        }
        Ok(answer::bundle(bundle.finish()))
    }

    fn journal_request(&self) -> Result<JournalRequest, ApiError> {
        let kind = self.address.kind;
        if let Some((_, token)) = self.pairs.iter().find(|(name, _)| name == "_page") {
            // A page goes on with its own request; nothing can be added to it on the way.
            self.parameters(&["_page"])?;
            let read = JournalRequest::from_token(kind, token)?;
            return Ok(JournalRequest { count: read.count.min(HISTORY_PAGE), ..read });
        }
        let mut request = JournalRequest { kind, since: None, count: HISTORY_PAGE, after: None };
        for (name, value) in self.parameters(&["_since", "_count"])? {
            if name == "_since" {
                request.since = Some(rest::since(value)?);
            } else {
                let count = value.parse::<usize>();
                let bad = |_| RestError::parameter(name, ParameterFault::Value);
                request.count = count.map_err(bad)?.min(HISTORY_PAGE);
            }
        }
        Ok(request)
    }
}

/// One version in a history bundle.
fn past_entry(
    bundle: &mut BundleText,
    past: &Past,
    url: &str,
    kind: ResourceType,
    id: &ResourceId,
) {
    let full_url = quoted(url);
    let to = if past.method == "POST" { kind.to_string() } else { format!("{kind}/{id}") };
    let request = format!(r#"{{"method":"{}","url":{}}}"#, past.method, quoted(&to));
    let status = match past.method {
        "POST" => "201 Created",
        "DELETE" => "204 No Content",
        _ => "200 OK",
    };
    let response = format!(
        r#"{{"status":"{status}","etag":{},"lastModified":"{}"}}"#,
        quoted(&format!("W/\"{}\"", past.version)),
        past.updated.to_fhir(0)
    );
    let mut members = vec![("fullUrl", full_url.as_str())];
    if let Some(json) = &past.json {
        members.push(("resource", json.as_str()));
    }
    members.extend([("request", request.as_str()), ("response", response.as_str())]);
    bundle.entry(&members);
}
