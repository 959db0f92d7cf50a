//! Requests that write one resource.

use std::sync::Arc;

use axum::{body::Body, http::Response};
use ondol_app::{
    Actor, App,
    rest::{RestError, Verb, Write},
};
use ondol_fhir::patch::Patch;

use crate::{
    answer,
    dispatch::Asked,
    error::ApiError,
    headers,
    routes::{Interaction, Shape},
};

impl Asked {
    pub(crate) fn write(&self, app: &Arc<App>, actor: &Actor) -> Result<Response<Body>, ApiError> {
        let kind = self.kind()?;
        let is_conditional = self.address.shape == Shape::Type;
        let verb = match (self.interaction, is_conditional) {
            (Interaction::Create, _) => {
                self.parameters(&[])?;
                let if_none_exist = self.if_none_exist()?;
                Verb::Create { resource: self.resource()?, if_none_exist }
            }
            (Interaction::Update, true) => {
                Verb::UpdateWhere { query: self.condition(), resource: self.resource()? }
            }
            (Interaction::Update, false) => {
                Verb::Update { id: self.id()?.clone(), resource: self.resource()? }
            }
            (Interaction::Patch, _) => {
                let patch = Patch::parse(&self.body);
                let patch = patch.map_err(|why| RestError::Patch { kind, why })?;
                if is_conditional {
                    Verb::PatchWhere { query: self.condition(), patch }
                } else {
                    Verb::Patch { id: self.id()?.clone(), patch }
                }
            }
            (_, true) => Verb::DeleteWhere { query: self.condition() },
            (_, false) => Verb::Delete { id: self.id()?.clone() },
        };
        if !is_conditional {
            self.parameters(&[])?;
        }
        let if_match = headers::if_match(&self.headers)?;
        let write = Write { at: None, verb, kind, full_url: None, if_match };
        let how = app.rest_how(&self.base, headers::reason(&self.headers));
        let done = app.rest_write(actor, write, how)?;
        Ok(answer::written(&done, self.prefer.back, &self.base))
    }

    fn if_none_exist(&self) -> Result<Option<String>, ApiError> {
        let Some(value) = self.headers.get("if-none-exist") else { return Ok(None) };
        let text = value.to_str().map_err(|_| ApiError::BadHeader("If-None-Exist"))?;
        Ok(Some(text.to_owned()))
    }

    /// The parameters of the address as the query of a condition.
    fn condition(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let of_answer = |name: &str| matches!(name, "_format" | "_pretty");
        query.extend_pairs(self.pairs.iter().filter(|(name, _)| !of_answer(name)));
        query.finish()
    }
}
