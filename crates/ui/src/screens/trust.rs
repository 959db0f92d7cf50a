//! How a computer or a telephone comes to trust the nation's root, so that the pages travel
//! sealed and microphone and camera work. Reached without signing in, and over plain HTTP.

use std::sync::Arc;

use askama::Template;
use askama::filters::Safe;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use data_encoding::{BASE64, HEXUPPER};
use sha2::{Digest as _, Sha256};

use crate::page::Page;
use crate::qr;
use crate::screen::Screen;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;

/// What a device has to trust, and where the sealed pages are.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The nation's root certificate, X.509 DER; empty if this node has none.
    pub root_der: Vec<u8>,
    /// `https://host:port` as others on the local network reach it; empty if there is none.
    pub https: String,
}

/// Tells the pages what devices have to trust: a layer around all of them.
pub fn with_trust(pages: Router, trust: Trust) -> Router {
    pages.layer(Extension(Arc::new(trust)))
}

/// What [`with_trust`] told; nothing if it did not.
type Told = Option<Extension<Arc<Trust>>>;

fn told(trust: Told) -> Arc<Trust> {
    trust.map(|Extension(trust)| trust).unwrap_or_default()
}

/// `/trust…`.
pub fn routes() -> Router<Ui> {
    Router::new()
        .route("/trust", get(show))
        .route("/trust/ondol-root.crt", get(der))
        .route("/trust/ondol-root.pem", get(pem))
}

#[derive(Template)]
#[template(path = "trust/trust.html")]
struct TrustPage {
    t: T,
    page: Page,
    has_root: bool,
    /// SHA-256 of the certificate, in groups of two.
    fingerprint: Vec<String>,
    https: String,
    qr: Option<Safe<String>>,
}

async fn show(page: Page, trust: Told) -> Result<impl IntoResponse, Trouble> {
    let t = page.t;
    let trust = told(trust);
    let qr = if trust.https.is_empty() {
        None
    } else {
        Some(qr::svg(&format!("{}/trust", trust.https), &trust.https).map_err(Trouble::broken)?)
    };
    let has_root = !trust.root_der.is_empty();
    let fingerprint = fingerprint(&trust.root_der);
    let https = trust.https.clone();
    Ok(Screen(TrustPage { t, page, has_root, fingerprint, https, qr }))
}

/// As Windows and Android show it: SHA-256, in hexadecimal digits two by two; here four bytes
/// to a group, so that two people can compare it aloud.
fn fingerprint(der: &[u8]) -> Vec<String> {
    let bytes: Vec<String> =
        Sha256::digest(der).iter().map(|byte| HEXUPPER.encode(&[*byte])).collect();
    bytes.chunks(4).map(|group| group.join(" ")).collect()
}

async fn der(trust: Told) -> Result<Response, Trouble> {
    file(told(trust).root_der.clone(), "ondol-root.crt")
}

async fn pem(trust: Told) -> Result<Response, Trouble> {
    file(to_pem(&told(trust).root_der), "ondol-root.pem")
}

/// RFC 7468: base64 in lines of 64 characters.
fn to_pem(der: &[u8]) -> Vec<u8> {
    if der.is_empty() {
        return vec![];
    }
    let base64 = BASE64.encode(der);
    let mut pem = b"-----BEGIN CERTIFICATE-----\n".to_vec();
    for line in base64.as_bytes().chunks(64) {
        pem.extend_from_slice(line);
        pem.push(b'\n');
    }
    pem.extend_from_slice(b"-----END CERTIFICATE-----\n");
    pem
}

fn file(bytes: Vec<u8>, name: &'static str) -> Result<Response, Trouble> {
    if bytes.is_empty() {
        return Err(Trouble::NotFound);
    }
    // RFC 2585: browsers and telephones offer to install what has this type.
    let kind = HeaderValue::from_static("application/x-x509-ca-cert");
    let named = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let named = named.map_err(Trouble::broken)?;
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, named)];
    Ok((headers, bytes).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_can_be_compared_aloud() {
        // FIPS 180-4, the empty message.
        let groups = fingerprint(b"");
        assert_eq!(groups.len(), 8);
        assert_eq!(groups[0], "E3 B0 C4 42");
        assert_eq!(groups[7], "78 52 B8 55");
    }

    #[test]
    fn pem_has_short_lines_and_its_frame() {
        let pem = String::from_utf8(to_pem(&[7; 100])).unwrap();
        let lines: Vec<&str> = pem.lines().collect();
        assert_eq!(lines.first(), Some(&"-----BEGIN CERTIFICATE-----"));
        assert_eq!(lines.last(), Some(&"-----END CERTIFICATE-----"));
        assert!(lines.iter().all(|line| line.len() <= 64));
        let body: String = lines[1..lines.len() - 1].concat();
        assert_eq!(BASE64.decode(body.as_bytes()).unwrap(), [7; 100]);
        assert!(to_pem(&[]).is_empty());
    }
}
