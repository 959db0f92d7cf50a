//! From a request to the use case and back.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, Method, Response, request::Parts},
};
use ondol_app::{
    Actor, App,
    rest::{
        self, BundleText, PageToken, ParameterFault, Past, RestError, SearchRequest, Verb,
        VersionId, Write, pairs_of, quoted, searchset,
    },
};
use ondol_fhir::{Limits, Resource, ResourceType};
use ondol_kernel::ResourceId;

use crate::{
    ApiState, answer, body,
    error::ApiError,
    headers::{self, Prefer},
    routes::{Address, Found, Interaction, Shape, find},
};

/// Versions of one page of a history where the client asks for no number, and at most.
const HISTORY_PAGE: usize = 100;

/// A request that was read.
struct Asked {
    interaction: Interaction,
    address: Address,
    headers: HeaderMap,
    pairs: Vec<(String, String)>,
    body: Vec<u8>,
    base: String,
    prefer: Prefer,
}

pub(crate) async fn handle(state: ApiState, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    match answered(&state, parts, body).await {
        Ok(answer) => answer,
        Err(why) => {
            if why.status() >= 500 {
                // The kind of failure only: what was asked may name somebody.
                tracing::error!(code = %why.outcome().get_str("issue.details.coding.code")
                    .unwrap_or("defect"), "a request of the API failed");
            }
            answer::error(&why)
        }
    }
}

async fn answered(state: &ApiState, parts: Parts, body: Body) -> Result<Response<Body>, ApiError> {
    let (interaction, address) = match find(&parts.method, parts.uri.path()) {
        Found::Do(interaction, address) => (interaction, address),
        Found::OtherMethods(methods) => return Err(ApiError::OtherMethods(methods)),
        Found::Nothing => return Err(ApiError::NoAddress),
    };
    let mut pairs = pairs_of(parts.uri.query().unwrap_or(""));
    let format = pairs.iter().find(|(name, _)| name == "_format").map(|(_, value)| value.clone());
    headers::check_accept(&parts.headers, format.as_deref())?;
    if interaction == Interaction::Capabilities {
        return Ok(answer::metadata(headers::takes_gzip(&parts.headers)));
    }
    let bytes = match (&parts.method, address.shape) {
        (&Method::POST, Shape::TypeSearch) => {
            headers::check_form(&parts.headers)?;
            let form = body::read(&parts.headers, body, body::FORM_MAX).await?;
            pairs.extend(pairs_of(&String::from_utf8_lossy(&form)));
            vec![]
        }
        (&(Method::POST | Method::PUT), _) => {
            headers::check_content_type(&parts.headers)?;
            body::read(&parts.headers, body, body::BODY_MAX).await?
        }
        _ => vec![],
    };
    let base = headers::base(&parts.headers, state.scheme)?;
    let prefer = headers::prefer(&parts.headers);
    let asked =
        Asked { interaction, address, headers: parts.headers, pairs, body: bytes, base, prefer };
    let permit = state.permits.clone().acquire_owned().await.map_err(|_| ApiError::Failed)?;
    let (app, authenticate) = (state.app.clone(), state.authenticate.clone());
    let work = move || {
        let _permit = permit;
        let actor = authenticate.authenticate(&asked.headers)?;
        asked.carry_out(&app, &actor)
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| ApiError::Failed)?
}

impl Asked {
    fn kind(&self) -> Result<ResourceType, ApiError> {
        self.address.kind.ok_or(ApiError::NoAddress)
    }

    fn id(&self) -> Result<&ResourceId, ApiError> {
        self.address.id.as_ref().ok_or(ApiError::NoAddress)
    }

    fn resource(&self) -> Result<Resource, ApiError> {
        Ok(Resource::parse_within(&self.body, Limits::RESOURCE).map_err(RestError::from)?)
    }

    /// Parameters of an address that has only `known` ones, besides `_format` and `_pretty`.
    fn parameters(&self, known: &[&str]) -> Result<Vec<(&str, &str)>, ApiError> {
        let mut found = vec![];
        for (name, value) in &self.pairs {
            match name.as_str() {
                "_format" | "_pretty" => {}
                name if known.contains(&name) => found.push((name, value.as_str())),
                _ if self.prefer.lenient => {}
                name => {
                    return Err(RestError::parameter(name, ParameterFault::Unknown).into());
                }
            }
        }
        Ok(found)
    }

    fn carry_out(self, app: &Arc<App>, actor: &Actor) -> Result<Response<Body>, ApiError> {
        match self.interaction {
            Interaction::Capabilities => Ok(answer::metadata(false)),
            Interaction::Search => self.search(app, actor),
            Interaction::Read => {
                self.parameters(&[])?;
                let found = app.rest_read(actor, self.kind()?, self.id()?)?;
                Ok(answer::read(found, &headers::if_none_match(&self.headers)))
            }
            Interaction::Vread => {
                self.parameters(&[])?;
                let version = self.address.version.as_deref().and_then(VersionId::from_hex);
                let version = version.ok_or(RestError::NotFound)?;
                let found = app.rest_version(actor, self.kind()?, self.id()?, version)?;
                Ok(answer::read(found, &headers::if_none_match(&self.headers)))
            }
            Interaction::History => self.history(app, actor),
            Interaction::Everything => self.everything(app, actor),
            Interaction::Match => {
                self.parameters(&[])?;
                Ok(answer::bundle(app.rest_match(actor, self.resource()?, &self.base)?))
            }
            Interaction::Bundle => {
                self.parameters(&[])?;
                let how = app.rest_how(&self.base, headers::reason(&self.headers));
                let bundle = self.resource()?;
                Ok(answer::bundle(app.rest_bundle(actor, bundle, &how, self.prefer.back)?))
            }
            Interaction::Create | Interaction::Update | Interaction::Delete => {
                self.write(app, actor)
            }
        }
    }

    fn write(&self, app: &Arc<App>, actor: &Actor) -> Result<Response<Body>, ApiError> {
        self.parameters(&[])?;
        let verb = match self.interaction {
            Interaction::Create => {
                let if_none_exist = match self.headers.get("if-none-exist") {
                    None => None,
                    Some(value) => {
                        let text = value.to_str();
                        Some(text.map_err(|_| ApiError::BadHeader("If-None-Exist"))?.to_owned())
                    }
                };
                Verb::Create { resource: self.resource()?, if_none_exist }
            }
            Interaction::Update => {
                Verb::Update { id: self.id()?.clone(), resource: self.resource()? }
            }
            _ => Verb::Delete { id: self.id()?.clone() },
        };
        let if_match = headers::if_match(&self.headers)?;
        let write = Write { at: None, verb, kind: self.kind()?, full_url: None, if_match };
        let how = app.rest_how(&self.base, headers::reason(&self.headers));
        let done = app.rest_write(actor, write, how)?;
        Ok(answer::written(&done, self.prefer.back, &self.base))
    }

    fn search(self, app: &App, actor: &Actor) -> Result<Response<Body>, ApiError> {
        let kind = self.kind()?;
        let page = self.pairs.iter().find(|(name, _)| name == "_page");
        let page = page.map(|(_, text)| PageToken::from_text(text)).transpose()?;
        let pairs = match &page {
            // A page goes on with its own search; nothing can be added to it on the way.
            Some(token) => {
                self.parameters(&["_page"])?;
                token.pairs().to_vec()
            }
            None => self.pairs,
        };
        let lenient = self.prefer.lenient;
        let request = SearchRequest { kind, pairs, lenient, base: &self.base, page };
        let found = app.rest_search(actor, &request)?;
        Ok(answer::bundle(searchset(&found, &request)))
    }

    fn history(&self, app: &App, actor: &Actor) -> Result<Response<Body>, ApiError> {
        let (kind, id) = (self.kind()?, self.id()?);
        let (mut since, mut skip, mut count) = (None, 0, HISTORY_PAGE);
        for (name, value) in self.parameters(&["_since", "_count", "_page"])? {
            let number = || {
                let parsed = value.parse::<usize>();
                parsed.map_err(|_| RestError::parameter(name, ParameterFault::Value))
            };
            match name {
                "_since" => since = Some((value, rest::since(value)?)),
                "_count" => count = number()?.min(HISTORY_PAGE),
                _ => skip = number()?,
            }
        }
        let at = since.map(|(_, at)| at);
        let found = app.rest_history(actor, kind, id, at, (skip, count))?;
        let url = format!("{}/{kind}/{id}", self.base);
        let link = |skip: usize| {
            let since = since.map(|(text, _)| format!("&_since={}", text.replace('+', "%2B")));
            format!("{url}/_history?_count={count}{}&_page={skip}", since.unwrap_or_default())
        };
        let mut bundle = BundleText::new("history");
        bundle.total(found.total as u64);
        let mut links = vec![("self", link(skip))];
        links.extend(found.next.filter(|_| count > 0).map(|next| ("next", link(next))));
        bundle.links(&links);
        for past in &found.versions {
            past_entry(&mut bundle, past, &url, kind, id);
        }
        Ok(answer::bundle(bundle.finish()))
    }

    fn everything(&self, app: &App, actor: &Actor) -> Result<Response<Body>, ApiError> {
        let mut types = vec![];
        for (name, value) in self.parameters(&["_type"])? {
            for text in value.split(',') {
                let kind = ResourceType::from_name(text)
                    .ok_or_else(|| RestError::parameter(name, ParameterFault::Value))?;
                types.push(kind);
            }
        }
        let found = app.rest_everything(actor, self.id()?, &types)?;
        let mut bundle = BundleText::new("searchset");
        bundle.total(found.len() as u64);
        for answer in &found {
            let url = quoted(&format!("{}/{}/{}", self.base, answer.resource_type, answer.id));
            let search = r#"{"mode":"match"}"#;
            bundle.entry(&[("fullUrl", &url), ("resource", &answer.json), ("search", search)]);
        }
        Ok(answer::bundle(bundle.finish()))
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
