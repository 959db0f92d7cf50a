//! When a page cannot be shown: a plain sentence that says what to do.

use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;

use askama::Template;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ondol_app::{AppError, DiskTrouble};

use crate::page::Page;
use crate::screen::Screen;
use crate::texts::T;

/// Why a handler cannot show its page. Answered as an error page in the language of the reader.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The request cannot be read at all; wrong input into fields is no trouble but a complaint
    /// of [`crate::Form`].
    #[error("the request cannot be read")]
    BadRequest,
    /// There is no such page, or nothing that this person may know of.
    #[error("no such page")]
    NotFound,
    /// The person may not do this.
    #[error("not allowed")]
    NotAllowed,
    /// What was sent is too large.
    #[error("the request is too large")]
    TooLarge,
    /// The node's disk takes nothing now: nothing was saved.
    #[error("the disk takes nothing")]
    Disk(DiskTrouble),
    /// A layer is missing: see [`crate::guard`].
    #[error("the layer that makes pages is missing")]
    NoPage,
    /// Something failed that the person cannot mend.
    #[error("a use case failed")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
}

impl Trouble {
    /// Wraps an error that the person cannot mend. Its text is logged: by the rules of the house
    /// it holds nothing about a patient.
    pub fn broken(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Broken(Box::new(error))
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::NotAllowed => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Disk(DiskTrouble::Full) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Disk(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoPage | Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<AppError> for Trouble {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Denied(_) => Self::NotAllowed,
            AppError::NotFound | AppError::Gone => Self::NotFound,
            other => match DiskTrouble::of_app(&other) {
                Some(trouble) => Self::Disk(trouble),
                None => Self::broken(other),
            },
        }
    }
}

impl From<askama::Error> for Trouble {
    fn from(error: askama::Error) -> Self {
        Self::broken(error)
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        if self.status().is_server_error() {
            let source = self.source().map(ToString::to_string);
            tracing::error!(error = %self, source, "a page failed");
        }
        // The body is dressed by `dress`, which knows the page.
        self.status().into_response()
    }
}

#[derive(Template)]
#[template(path = "base/trouble.html")]
struct TroubleScreen {
    t: T,
    page: Page,
    title: String,
    text: String,
}

#[derive(Template)]
#[template(path = "base/trouble_part.html")]
struct TroublePart {
    t: T,
    title: String,
    text: String,
}

/// The page, or the part of a page, for a status.
fn explain(page: Page, status: StatusCode) -> Response {
    let t = page.t;
    let (title, text) = match status {
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::METHOD_NOT_ALLOWED => {
            (t.get("trouble-not-found"), t.get("trouble-not-found-do"))
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            (t.get("trouble-not-allowed"), t.get("trouble-not-allowed-do"))
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            (t.get("trouble-too-large"), t.get("trouble-too-large-do"))
        }
        StatusCode::INSUFFICIENT_STORAGE | StatusCode::SERVICE_UNAVAILABLE => {
            (t.get("trouble-disk"), t.get("trouble-disk-do"))
        }
        s if s.is_client_error() => (t.get("trouble-request"), t.get("trouble-request-do")),
        _ => (t.get("trouble-broken"), t.get("trouble-broken-do")),
    };
    if page.part {
        return (status, Screen(TroublePart { t, title, text })).into_response();
    }
    (status, Screen(TroubleScreen { t, page, title, text })).into_response()
}

/// Gives every failed answer that has no page of its own a page; a handler that panics too.
pub(crate) async fn dress(request: Request, next: Next) -> Response {
    let page = request.extensions().get::<Page>().cloned();
    let mut running = pin!(next.run(request));
    let caught = std::future::poll_fn(|context| {
        let poll = AssertUnwindSafe(|| running.as_mut().poll(context));
        match std::panic::catch_unwind(poll) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(response)) => Poll::Ready(Some(response)),
            Err(_) => Poll::Ready(None),
        }
    });
    let response = caught.await.unwrap_or_else(|| {
        tracing::error!("a handler panicked");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    });
    let status = response.status();
    match page {
        Some(page) if is_bare_failure(&response) => explain(page, status),
        _ => response,
    }
}

/// Whether an answer is a failure without a page: empty, or the plain text of an extractor.
fn is_bare_failure(response: &Response) -> bool {
    let failed = response.status().is_client_error() || response.status().is_server_error();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    failed && kind.is_none_or(|kind| kind.starts_with("text/plain"))
}
