//! Cookies: `SameSite=Strict`, and out of reach of scripts.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// The language that was chosen.
pub const LANG: &str = "ondol_lang";
/// The browser: the token of its forms derives from this.
pub(crate) const VISIT: &str = "ondol_visit";
/// What to say once on the next page.
pub(crate) const NOTE: &str = "ondol_note";

/// The value of a cookie of a request.
pub fn read<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// A header that sets a cookie for a number of seconds (0 removes it), or until the browser is
/// closed. A value that cannot stand in a header removes the cookie.
pub fn set(
    name: &str,
    value: &str,
    max_age_s: Option<u32>,
    https: bool,
) -> (HeaderName, HeaderValue) {
    let age = max_age_s.map_or(String::new(), |s| format!("; Max-Age={s}"));
    let secure = if https { "; Secure" } else { "" };
    let fixed = "Path=/; HttpOnly; SameSite=Strict";
    let clean = value.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b';' | b',' | b'"'));
    let text = if clean {
        format!("{name}={value}; {fixed}{age}{secure}")
    } else {
        format!("{name}=; {fixed}; Max-Age=0{secure}")
    };
    let value = HeaderValue::from_str(&text);
    (header::SET_COOKIE, value.unwrap_or_else(|_| HeaderValue::from_static("")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_read_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        let pairs = "xondol_lang=ko; ondol_lang=en; ondol_lang_2=ko";
        headers.insert(header::COOKIE, HeaderValue::from_static(pairs));
        assert_eq!(read(&headers, LANG), Some("en"));
        assert_eq!(read(&headers, VISIT), None);
    }

    #[test]
    fn a_value_cannot_smuggle_attributes() {
        let (_, value) = set(LANG, "en; Domain=elsewhere", None, true);
        let value = value.to_str().unwrap();
        assert!(!value.contains("Domain") && value.contains("Max-Age=0"), "{value}");
        let (_, value) = set(LANG, "en", Some(9), true);
        let want = "ondol_lang=en; Path=/; HttpOnly; SameSite=Strict; Max-Age=9; Secure";
        assert_eq!(value.to_str().unwrap(), want);
    }
}
