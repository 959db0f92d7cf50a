//! What goes wrong before a use case is asked, and how every error is answered.

use ondol_app::rest::RestError;
use ondol_fhir::{Resource, Severity, views::OutcomeBuilder};
use thiserror::Error;

use crate::authenticate::Refusal;

/// A request that was not carried out.
#[derive(Debug, Error)]
pub(crate) enum ApiError {
    #[error(transparent)]
    Rest(#[from] RestError),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("there is nothing at this address")]
    NoAddress,
    #[error("this address has other methods")]
    OtherMethods(Vec<&'static str>),
    #[error("this server answers in JSON only (application/fhir+json, FHIR 4.0)")]
    NotAcceptable,
    #[error("the body's type has to be application/fhir+json, for a search a form")]
    UnsupportedMediaType,
    #[error("the body's type has to be application/json-patch+json")]
    PatchMediaType,
    #[error("the header {0} does not have the form that it asks")]
    BadHeader(&'static str),
    #[error("the body is longer than {0} bytes")]
    TooLarge(usize),
    #[error("the body ended before it was complete")]
    Interrupted,
    #[error("the server failed")]
    Failed,
}

impl ApiError {
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Rest(why) => why.status(),
            Self::Refused(why) => why.status(),
            Self::NoAddress => 404,
            Self::OtherMethods(_) => 405,
            Self::NotAcceptable => 406,
            Self::UnsupportedMediaType | Self::PatchMediaType => 415,
            Self::BadHeader(_) | Self::Interrupted => 400,
            Self::TooLarge(_) => 413,
            Self::Failed => 500,
        }
    }

    /// The code of R4's `issue-type`, and our stable one.
    fn codes(&self) -> (&'static str, &'static str) {
        match self {
            Self::Rest(why) => ("processing", why.code()),
            Self::Refused(why) => (why.issue_type(), why.code()),
            Self::NoAddress => ("not-found", "no-address"),
            Self::OtherMethods(_) => ("not-supported", "method"),
            Self::NotAcceptable => ("not-supported", "not-acceptable"),
            Self::UnsupportedMediaType | Self::PatchMediaType => ("not-supported", "media-type"),
            Self::BadHeader(_) => ("value", "header"),
            Self::TooLarge(_) => ("too-long", "too-large"),
            Self::Interrupted => ("incomplete", "interrupted"),
            Self::Failed => ("exception", "defect"),
        }
    }

    pub(crate) fn outcome(&self) -> Resource {
        if let Self::Rest(why) = self {
            return why.outcome();
        }
        let (issue_type, code) = self.codes();
        let at = match self {
            Self::BadHeader(name) => Some(format!("http.{name}")),
            _ => None,
        };
        let mut outcome = OutcomeBuilder::default();
        outcome.push(Severity::Error, issue_type, code, &self.to_string(), at.as_deref());
        outcome.build()
    }
}
