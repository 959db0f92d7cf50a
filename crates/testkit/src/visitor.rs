//! A visitor of pages without a browser: cookies, forms with their tokens, redirects. For tests
//! that do the same thing a thousand times, and for filling the demo through the real screens.

use std::collections::BTreeMap;

use crate::http::{Answer, HttpError, Request};

/// Separates the parts of a form with files.
const BOUNDARY: &str = "ondol-9f1c4f2ab77e41d0";

/// The type of a form's body, and its bytes.
type Form = (String, Vec<u8>);

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
        let form = self.form(fields);
        self.follow("POST", path, Some(form))
    }

    /// The same for a form that takes files. Parts are fields, or `(name, file)` with bytes.
    pub fn post_parts(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &[u8])],
    ) -> Result<Seen, HttpError> {
        let files: Vec<_> = files.iter().map(|(name, bytes)| (*name, "file", *bytes)).collect();
        self.post_files(path, fields, &files)
    }

    /// The same for files whose names count: the field, the file's name, its bytes.
    pub fn post_files(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &str, &[u8])],
    ) -> Result<Seen, HttpError> {
        let mut body = vec![];
        let token = self.token.clone();
        for (name, value) in std::iter::once(("csrf", token.as_str())).chain(fields.iter().copied())
        {
            let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"");
            body.extend_from_slice(format!("{head}\r\n\r\n{value}\r\n").as_bytes());
        }
        for (name, called, bytes) in files {
            let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"");
            body.extend_from_slice(format!("{head}; filename=\"{called}\"\r\n\r\n").as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.follow("POST", path, Some((format!("multipart/form-data; boundary={BOUNDARY}"), body)))
    }

    /// What a form answers, as it is: for files that are downloaded.
    pub fn download(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Answer, HttpError> {
        let form = self.form(fields);
        self.ask("POST", path, Some(form))
    }

    fn form(&self, fields: &[(&str, &str)]) -> Form {
        let token = self.token.as_str();
        let all = std::iter::once(("csrf", token)).chain(fields.iter().copied());
        let pairs: Vec<String> =
            all.map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
        ("application/x-www-form-urlencoded".into(), pairs.join("&").into_bytes())
    }

    /// Signs in with a password.
    pub fn sign_in(&mut self, login: &str, password: &str) -> Result<Seen, HttpError> {
        self.get("/sign-in")?;
        self.post("/sign-in", &[("login", login), ("password", password)])
    }

    fn follow(&mut self, method: &str, path: &str, form: Option<Form>) -> Result<Seen, HttpError> {
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

    fn ask(&mut self, method: &str, path: &str, form: Option<Form>) -> Result<Answer, HttpError> {
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
