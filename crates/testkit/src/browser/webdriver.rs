//! The wire of W3C `WebDriver` (<https://www.w3.org/TR/webdriver2/>) to chromedriver.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use thiserror::Error;

use crate::{
    http::{HttpError, Request},
    patience::Stopwatch,
};

/// The key under which the protocol names an element (`WebDriver` §12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// A page may take so long: two cores share several browsers and nodes.
const PATIENCE: Duration = Duration::from_secs(90);

/// The browser did not do what was asked.
#[derive(Debug, Error)]
pub enum BrowserError {
    /// No Chromium or no driver for it on this machine.
    #[error("{0} is not installed (Debian: apt install chromium chromium-driver)")]
    Missing(&'static str),
    /// The driver did not start.
    #[error("chromedriver did not start: {0}")]
    Start(String),
    /// The driver cannot be reached.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The driver refused: `WebDriver`'s error code and what it says.
    #[error("{code}: {message}")]
    Refused {
        /// `no such element`, `stale element reference` …
        code: String,
        /// For people.
        message: String,
    },
    /// Nothing on the page is what was looked for.
    #[error("{what} is not on the page {url}; it says:\n{page}")]
    NotThere {
        /// What was looked for.
        what: String,
        /// Where.
        url: String,
        /// The page's text.
        page: String,
    },
}

/// An element of the page, until the page changes.
#[derive(Debug, Clone)]
pub struct Element(pub(super) String);

/// A running chromedriver with one session.
#[derive(Debug)]
pub(super) struct WebDriver {
    process: Child,
    address: String,
    session: String,
}

impl WebDriver {
    /// Starts a driver and a browser with these capabilities, whose user's home is `home`.
    pub fn start(driver: &str, home: &Path, capabilities: &Value) -> Result<Self, BrowserError> {
        let (process, port) = listening(driver, home)?;
        let address = format!("127.0.0.1:{port}");
        let mut started = Self { process, address, session: String::new() };
        let body = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let value = started.send("POST", "/session", Some(&body))?;
        value["sessionId"].as_str().unwrap_or_default().clone_into(&mut started.session);
        Ok(started)
    }

    /// A command of the session: `/url`, `/element` …
    pub fn post(&self, command: &str, body: &Value) -> Result<Value, BrowserError> {
        self.send("POST", &format!("/session/{}{command}", self.session), Some(body))
    }

    /// A question to the session.
    pub fn get(&self, command: &str) -> Result<Value, BrowserError> {
        self.send("GET", &format!("/session/{}{command}", self.session), None)
    }

    /// Takes something back.
    pub fn delete(&self, command: &str) -> Result<Value, BrowserError> {
        self.send("DELETE", &format!("/session/{}{command}", self.session), None)
    }

    /// A command of Chromium's own protocol.
    pub fn chromium(&self, command: &str, parameters: &Value) -> Result<Value, BrowserError> {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// All elements that an `XPath` finds.
    pub fn elements(&self, xpath: &str) -> Result<Vec<Element>, BrowserError> {
        let found = self.post("/elements", &json!({ "using": "xpath", "value": xpath }))?;
        let elements = found.as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(elements.iter().filter_map(element).collect())
    }

    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, BrowserError> {
        let mut request = Request::new(method, path);
        request.patience = PATIENCE;
        if let Some(body) = body {
            request = request.body("application/json; charset=utf-8", body.to_string());
        }
        let answer = request.send(&self.address)?;
        let value: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        let value = value.get("value").cloned().unwrap_or(Value::Null);
        if answer.status == 200 {
            return Ok(value);
        }
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let message = text("message").lines().next().unwrap_or_default().to_owned();
        Err(BrowserError::Refused { code: text("error"), message })
    }
}

/// Reads an element from an answer.
pub(super) fn element(value: &Value) -> Option<Element> {
    value.get(ELEMENT)?.as_str().map(|id| Element(id.to_owned()))
}

/// Names an element in a question.
pub(super) fn named(element: &Element) -> Value {
    json!({ ELEMENT: element.0 })
}

impl Drop for WebDriver {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let mut request = Request::new("DELETE", "");
            let path = format!("/session/{}", self.session);
            request.path = &path;
            request.patience = Duration::from_secs(10);
            let _ = request.send(&self.address);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// So long a driver may take until it listens: two cores share several browsers and nodes.
const LISTENS: Duration = Duration::from_mins(1);
/// A driver takes a free port of IPv4 and then the same one of IPv6. If somebody else has that one
/// it ends, so that it is started again.
const STARTS: usize = 5;

/// A driver that listens, and its port.
fn listening(driver: &str, home: &Path) -> Result<(Child, String), BrowserError> {
    let mut said = String::new();
    for _ in 0..STARTS {
        let mut process = Command::new(driver)
            .arg("--port=0")
            .env("HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|why| BrowserError::Start(why.to_string()))?;
        match port_of(&mut process) {
            Ok(port) => return Ok((process, port)),
            Err(why) => said = why,
        }
        let _ = process.kill();
        let _ = process.wait();
    }
    Err(BrowserError::Start(format!("{STARTS} times it did not say its port, but: {said}")))
}

/// Reads the port from what the driver says when it is ready; or all that it said instead.
fn port_of(process: &mut Child) -> Result<String, String> {
    let stdout = process.stdout.take().ok_or("nothing, since it has no output")?;
    let (sender, receiver) = mpsc::channel();
    // It goes on to read: nobody else empties the pipe.
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let (watch, mut said) = (Stopwatch::start(), String::new());
    while let Ok(line) = receiver.recv_timeout(LISTENS.saturating_sub(watch.elapsed())) {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return Ok(port.trim_end_matches('.').to_owned());
        }
        said.push_str(&line);
        said.push('\n');
    }
    Err(said)
}
