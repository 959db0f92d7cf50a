//! A client of any FHIR server, for measuring: bodies are made before the clock runs.

use std::{cell::RefCell, collections::BTreeMap};

use anyhow::{Context, Result, bail};
use data_encoding::BASE64;
use ondol_testkit::http::{Answer, Line, Request};
use serde_json::Value;

const JSON: &str = "application/fhir+json";

thread_local! {
    /// The connections of this thread, one to each server: as programs that ask often keep theirs.
    static LINES: RefCell<BTreeMap<String, Line>> = const { RefCell::new(BTreeMap::new()) };
}

/// Where a FHIR server is, and who asks.
#[derive(Debug, Clone)]
pub struct Server {
    address: String,
    path: String,
    credentials: Option<String>,
}

impl Server {
    /// At `http://HOST:PORT/PATH`.
    pub fn new(base: &str, account: Option<(&str, &str)>) -> Result<Self> {
        let rest = base.strip_prefix("http://").context("the address begins with http://")?;
        let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = path.trim_end_matches('/');
        let path = if path.is_empty() { String::new() } else { format!("/{path}") };
        let credentials =
            account.map(|(login, word)| BASE64.encode(format!("{login}:{word}").as_bytes()));
        Ok(Self { address: address.to_owned(), path, credentials })
    }

    /// Sends a request to a path below the base and gives the answer, whatever its status.
    pub fn send(&self, method: &str, path: &str, body: Option<&[u8]>) -> Result<Answer> {
        let path = format!("{}{path}", self.path);
        let mut request = Request::new(method, &path).header("Accept", JSON);
        if let Some(credentials) = &self.credentials {
            request = request.header("Authorization", &format!("Basic {credentials}"));
        }
        if let Some(body) = body {
            request = request.body(JSON, body);
        }
        LINES.with_borrow_mut(|lines| {
            let line = lines.entry(self.address.clone()).or_insert_with(|| Line::to(&self.address));
            Ok(line.send(&request)?)
        })
    }

    /// The same; anything but success is an error that shows the server's own words.
    pub fn done(&self, method: &str, path: &str, body: Option<&[u8]>) -> Result<Answer> {
        let answer = self.send(method, path, body)?;
        if !(200..300).contains(&answer.status) {
            let said: String = answer.text().chars().take(300).collect();
            bail!("{method} {path}: {} {said}", answer.status);
        }
        Ok(answer)
    }

    /// Reads JSON.
    pub fn json(&self, method: &str, path: &str, body: Option<&[u8]>) -> Result<Value> {
        let answer = self.done(method, path, body)?;
        serde_json::from_slice(&answer.body).context("the answer is no JSON")
    }
}
