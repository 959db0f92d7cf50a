//! Templates as answers.

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::trouble::Trouble;

/// A template as an HTML answer: `Screen(List { t, page, people })`. With a status:
/// `(StatusCode::UNPROCESSABLE_ENTITY, Screen(…))`.
#[derive(Debug, Clone)]
pub struct Screen<T>(pub T);

impl<T: Template> IntoResponse for Screen<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(html) => {
                let kind = HeaderValue::from_static("text/html; charset=utf-8");
                ([(header::CONTENT_TYPE, kind)], html).into_response()
            }
            Err(error) => Trouble::from(error).into_response(),
        }
    }
}
