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
        BundleText, Inputs, PageToken, ParameterFault, RestError, SearchRequest, TermQuestion,
        Validation, VersionId, Within, pairs_of, quoted, searchset, searchset_at,
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

/// A request that was read.
pub(crate) struct Asked {
    pub(crate) interaction: Interaction,
    pub(crate) address: Address,
    pub(crate) headers: HeaderMap,
    pub(crate) pairs: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) base: String,
    pub(crate) prefer: Prefer,
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
        (&Method::POST, Shape::TypeSearch | Shape::CompartmentSearch | Shape::Latest) => {
            headers::check_form(&parts.headers)?;
            let form = body::read(&parts.headers, body, body::FORM_MAX).await?;
            pairs.extend(pairs_of(&String::from_utf8_lossy(&form)));
            vec![]
        }
        (&Method::PATCH, _) => {
            headers::check_patch(&parts.headers)?;
            body::read(&parts.headers, body, body::PATCH_MAX).await?
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
    pub(crate) fn kind(&self) -> Result<ResourceType, ApiError> {
        self.address.kind.ok_or(ApiError::NoAddress)
    }

    pub(crate) fn id(&self) -> Result<&ResourceId, ApiError> {
        self.address.id.as_ref().ok_or(ApiError::NoAddress)
    }

    pub(crate) fn resource(&self) -> Result<Resource, ApiError> {
        Ok(Resource::parse_within(&self.body, Limits::RESOURCE).map_err(RestError::from)?)
    }

    /// Parameters of an address that has only `known` ones, besides `_format` and `_pretty`.
    pub(crate) fn parameters(&self, known: &[&str]) -> Result<Vec<(&str, &str)>, ApiError> {
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
            Interaction::Search | Interaction::SearchWithin => self.search(app, actor),
            Interaction::Read => {
                self.parameters(&[])?;
                let found = app.rest_read(actor, self.kind()?, self.id()?)?;
                Ok(answer::read(found, &headers::known(&self.headers)))
            }
            Interaction::Vread => {
                self.parameters(&[])?;
                let version = self.address.version.as_deref().and_then(VersionId::from_hex);
                let version = version.ok_or(RestError::NotFound)?;
                let found = app.rest_version(actor, self.kind()?, self.id()?, version)?;
                Ok(answer::read(found, &headers::known(&self.headers)))
            }
            Interaction::History => self.history(app, actor),
            Interaction::TypeHistory | Interaction::SystemHistory => self.journal(app, actor),
            Interaction::Everything => self.everything(app, actor),
            Interaction::Match => {
                self.parameters(&[])?;
                Ok(answer::bundle(app.rest_match(actor, self.resource()?, &self.base)?))
            }
            Interaction::Summary => {
                self.parameters(&[])?;
                let summary = app.rest_summary(actor, self.id()?)?;
                Ok(answer::bundle(summary.document(&self.base)))
            }
            Interaction::Sealed => {
                self.parameters(&[])?;
                Ok(answer::bundle(app.rest_sealed(actor, self.id()?)?))
            }
            Interaction::Latest => self.latest(app, actor),
            Interaction::Validate => self.validate(app, actor),
            Interaction::Expand => self.terminology(app, actor, TermQuestion::Expand),
            Interaction::ValidateCode => self.terminology(app, actor, TermQuestion::ValidateCode),
            Interaction::Lookup => self.terminology(app, actor, TermQuestion::Lookup),
            Interaction::Bundle => {
                self.parameters(&[])?;
                let how = app.rest_how(&self.base, headers::reason(&self.headers));
                let bundle = self.resource()?;
                Ok(answer::bundle(app.rest_bundle(actor, bundle, &how, self.prefer.back)?))
            }
            Interaction::Create
            | Interaction::Update
            | Interaction::Patch
            | Interaction::Delete => self.write(app, actor),
        }
    }

    fn search(self, app: &App, actor: &Actor) -> Result<Response<Body>, ApiError> {
        let kind = self.kind()?;
        let page = self.pairs.iter().find(|(name, _)| name == "_page");
        let page = page.map(|(_, text)| PageToken::from_text(app, text)).transpose()?;
        let pairs = match &page {
            // A page goes on with its own search; nothing can be added to it on the way.
            Some(token) => {
                self.parameters(&["_page"])?;
                token.pairs().to_vec()
            }
            None => self.pairs,
        };
        let (kind, within) = match (self.interaction, &self.address.id) {
            (Interaction::SearchWithin, Some(id)) => {
                let inner = self.address.inner;
                let within = Within { of: kind, id: id.clone(), every_type: inner.is_none() };
                (inner.unwrap_or(kind), Some(within))
            }
            _ => (kind, None),
        };
        let lenient = self.prefer.lenient;
        let request = SearchRequest { kind, pairs, lenient, base: &self.base, page, within };
        let found = app.rest_search(actor, &request)?;
        Ok(answer::bundle(searchset(&found, &request)))
    }

    fn latest(self, app: &App, actor: &Actor) -> Result<Response<Body>, ApiError> {
        let kind = self.kind()?;
        let lenient = self.prefer.lenient;
        let request =
            SearchRequest { lenient, ..SearchRequest::of(kind, self.pairs.clone(), &self.base) };
        let found = app.rest_latest(actor, request)?;
        // Its own address is that of the operation.
        let asked = SearchRequest::of(kind, self.pairs, &self.base);
        Ok(answer::bundle(searchset_at(&found, &asked, "Observation/$lastn")))
    }

    fn validate(&self, app: &App, actor: &Actor) -> Result<Response<Body>, ApiError> {
        let query = self.parameters(&["mode", "profile"])?;
        let body = if self.body.is_empty() && self.address.shape == Shape::Validate {
            None
        } else {
            Some(self.resource()?)
        };
        let asked = Validation::read(self.kind()?, self.address.id.clone(), body, &query)?;
        Ok(answer::outcome(&app.rest_validate(actor, asked)?))
    }

    fn terminology(
        self,
        app: &App,
        actor: &Actor,
        question: TermQuestion,
    ) -> Result<Response<Body>, ApiError> {
        let body = if self.body.is_empty() { None } else { Some(self.resource()?) };
        let of = (self.kind()?, self.address.id.as_ref().map(ResourceId::as_str));
        let inputs = Inputs::read(self.pairs, body, self.prefer.lenient)?;
        Ok(answer::bundle(app.rest_terminology(actor, question, of, inputs)?))
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
