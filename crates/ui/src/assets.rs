//! Static files: embedded, named by their content, compressed once, cached for ever.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::texts::static_files;

/// One static file, ready to be served.
#[derive(Debug)]
pub struct Asset {
    /// Its name in the folder `static`.
    pub name: &'static str,
    /// The address under which pages name it: it changes with the content.
    pub url: String,
    /// The file as it is.
    pub plain: &'static [u8],
    /// The file gzipped.
    pub gzipped: Vec<u8>,
}

static ASSETS: LazyLock<Vec<Asset>> =
    LazyLock::new(|| static_files().iter().map(|(name, plain)| asset(name, plain)).collect());

fn asset(name: &'static str, plain: &'static [u8]) -> Asset {
    let hash = blake3::hash(plain).to_hex();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "bin"));
    let url = format!("/static/{stem}.{}.{extension}", &hash[..12]);
    Asset { name, url, plain, gzipped: gzip(plain, flate2::Compression::best()) }
}

/// Bytes gzipped (RFC 1952).
pub(crate) fn gzip(plain: &[u8], level: flate2::Compression) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    // A vector takes every byte: writing to it cannot fail.
    let _ = encoder.write_all(plain);
    encoder.finish().unwrap_or_default()
}

/// All static files.
pub fn all() -> &'static [Asset] {
    &ASSETS
}

/// The address of a static file by its name in the folder; a name that does not exist gives an
/// address that is answered 404 (and fails the test of the templates).
pub fn url(name: &str) -> &'static str {
    ASSETS.iter().find(|a| a.name == name).map_or("/static/missing", |a| a.url.as_str())
}

/// `GET /static/{file}`.
pub(crate) async fn serve(Path(file): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|a| a.url.strip_prefix("/static/") == Some(&file)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = if accepts_gzip(&headers) {
        let mut response = asset.gzipped.as_slice().into_response();
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response
    } else {
        asset.plain.into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(asset.name)));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(header::CACHE_CONTROL, forever);
    response
}

/// Whether the client takes gzip (a weight of 0 means no).
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            let gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
            gzip && !parts.any(|p| matches!(p, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("wasm") => "application/wasm",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_the_content() {
        let css = all().iter().find(|a| a.name == "app.css").unwrap();
        assert!(css.url.starts_with("/static/app."), "{}", css.url);
        assert_eq!(css.url.rsplit_once('.').unwrap().1, "css");
        assert_eq!(url("app.css"), css.url);
        assert!(css.gzipped.len() < css.plain.len());
    }

    #[test]
    fn gzip_is_sent_only_to_who_takes_it() {
        let with = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            accepts_gzip(&headers)
        };
        assert!(with("br, gzip"));
        assert!(with("gzip;q=0.5"));
        assert!(!with("gzip;q=0"));
        assert!(!with("br"));
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
