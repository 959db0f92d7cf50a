//! A visitor of pages without a browser: cookies, forms with their tokens, redirects. For tests
//! that do the same thing a thousand times, and for filling the demo through the real screens.

use std::collections::BTreeMap;

use crate::http::{Answer, HttpError, Request};

/// So many redirects are followed.
const REDIRECTS_MAX: usize = 6;

/// Somebody with a browser's memory, at one node.
#[derive(Debug, Clone)]
pub struct Visitor {
    address: String,
    language: &'static str,
    cookies: BTreeMap<String, String>,
    /// The token of the forms of the page that was seen last.
    token: String,
}

/// A page that was seen.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The status code, after redirects.
    pub status: u16,
    /// Path and query, after redirects.
    pub path: String,
    /// The page.
    pub body: String,
}

impl Visitor {
    /// A visitor of `http://127.0.0.1:8001`, who asks for a language (BCP 47).
    pub fn new(base: &str, language: &'static str) -> Self {
        let address = base.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { address, language, cookies: BTreeMap::new(), token: String::new() }
    }

    /// Goes to a page.
    pub fn get(&mut self, path: &str) -> Result<Seen, HttpError> {
        self.follow("GET", path, None)
    }

    /// Sends a form of the page that was seen last, and follows where it leads.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Seen, HttpError> {
        let token = self.token.clone();
        let all = std::iter::once(("csrf", token.as_str())).chain(fields.iter().copied());
        let pairs: Vec<String> =
            all.map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
        let form = ("application/x-www-form-urlencoded".to_owned(), pairs.join("&"));
        self.follow("POST", path, Some(form))
    }

    /// The same for a form that could hold files too.
    pub fn post_multipart(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Seen, HttpError> {
        const BOUNDARY: &str = "ondol-6b1f0c52";
        let token = self.token.clone();
        let all = std::iter::once(("csrf", token.as_str())).chain(fields.iter().copied());
        let parts: Vec<String> = all
            .map(|(name, value)| {
                let head = format!("Content-Disposition: form-data; name=\"{name}\"");
                format!("--{BOUNDARY}\r\n{head}\r\n\r\n{value}\r\n")
            })
            .collect();
        let body = parts.concat() + &format!("--{BOUNDARY}--\r\n");
        self.follow("POST", path, Some((format!("multipart/form-data; boundary={BOUNDARY}"), body)))
    }

    /// Signs in with a password.
    pub fn sign_in(&mut self, login: &str, password: &str) -> Result<Seen, HttpError> {
        self.get("/sign-in")?;
        self.post("/sign-in", &[("login", login), ("password", password)])
    }

    fn follow(
        &mut self,
        method: &str,
        path: &str,
        form: Option<(String, String)>,
    ) -> Result<Seen, HttpError> {
        let mut path = path.to_owned();
        let mut answer = self.ask(method, &path, form)?;
        for _ in 0..REDIRECTS_MAX {
            let Some(next) = answer.header("location") else { break };
            if !(300..400).contains(&answer.status) {
                break;
            }
            let own = format!("http://{}", self.address);
            next.trim_start_matches(&own).clone_into(&mut path);
            answer = self.ask("GET", &path, None)?;
        }
        let body = answer.text();
        if let Some(token) = token_of(&body) {
            token.clone_into(&mut self.token);
        }
        Ok(Seen { status: answer.status, path, body })
    }

    fn ask(
        &mut self,
        method: &str,
        path: &str,
        form: Option<(String, String)>,
    ) -> Result<Answer, HttpError> {
        let mut request = Request::new(method, path).header("Accept-Language", self.language);
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header("Cookie", &cookies.join("; "));
        }
        if let Some((content_type, form)) = form {
            request = request.body(&content_type, form);
        }
        let answer = request.send(&self.address)?;
        for (_, value) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let pair = value.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
        Ok(answer)
    }
}

impl Seen {
    /// The values of the fields and choices of a name.
    pub fn values_of(&self, name: &str) -> Vec<&str> {
        let start = format!("name=\"{name}\" value=\"");
        let parts = self.body.split(start.as_str()).skip(1);
        parts.filter_map(|rest| rest.split('"').next()).collect()
    }

    /// The value of the entry of a list that says these words.
    pub fn choice(&self, words: &str) -> Option<&str> {
        let (before, _) = self.body.split_once(&format!(">{words}<"))?;
        let (_, value) = before.rsplit_once("value=\"")?;
        value.split('"').next()
    }
}

fn token_of(body: &str) -> Option<&str> {
    let (_, rest) = body.split_once("name=\"csrf\" value=\"")?;
    rest.split('"').next()
}

/// As a form writes a value.
fn escaped(text: &str) -> String {
    use std::fmt::Write as _;

    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                escaped.push(char::from(byte));
            }
            b' ' => escaped.push('+'),
            _ => {
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_forms_write_them() {
        assert_eq!(escaped("리 a&b=1"), "%EB%A6%AC+a%26b%3D1");
    }

    #[test]
    fn the_token_of_a_page_is_found() {
        let page = r#"<form><input type="hidden" name="csrf" value="ab12"><input name="x">"#;
        assert_eq!(token_of(page), Some("ab12"));
        assert_eq!(token_of("<p>"), None);
    }
}
