//! What the browser asked of the network, from Chromium's own log.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Browser, BrowserError};

/// One answer that came over the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// What was asked for.
    pub url: String,
    /// Chromium's word for what it is: `Document`, `Stylesheet`, `Script`, `Image` …
    pub kind: String,
    /// Bytes on the wire, headers included; 0 for what came from the browser's store.
    pub bytes: u64,
    /// The status code, 0 if no answer came.
    pub status: u64,
}

/// All that was asked since the log was read last.
#[derive(Debug, Clone, Default)]
pub struct Visit {
    /// In the order of asking.
    pub loaded: Vec<Loaded>,
}

impl Visit {
    /// Bytes on the wire of everything.
    pub fn bytes(&self) -> u64 {
        self.loaded.iter().map(|loaded| loaded.bytes).sum()
    }

    /// What was asked of anyone but `base` (`http://127.0.0.1:8001`).
    pub fn outside<'a>(&'a self, base: &'a str) -> impl Iterator<Item = &'a str> {
        self.loaded
            .iter()
            .map(|loaded| loaded.url.as_str())
            .filter(move |url| !url.starts_with("data:") && !url.starts_with("blob:"))
            .filter(move |url| !url.strip_prefix(base).is_some_and(|rest| rest.starts_with('/')))
    }
}

impl Browser {
    /// Takes what was asked of the network since the last call.
    pub fn take_network(&self) -> Result<Visit, BrowserError> {
        let log = self.driver.post("/se/log", &serde_json::json!({ "type": "performance" }))?;
        let lines = log.as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(read(lines.iter().filter_map(|line| line["message"].as_str())))
    }

    /// Takes what the pages' scripts and the browser complained about since the last call.
    pub fn take_complaints(&self) -> Result<Vec<String>, BrowserError> {
        let log = self.driver.post("/se/log", &serde_json::json!({ "type": "browser" }))?;
        let lines = log.as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(lines.iter().filter_map(|line| line["message"].as_str().map(str::to_owned)).collect())
    }
}

fn read<'a>(messages: impl Iterator<Item = &'a str>) -> Visit {
    let mut loaded: Vec<Loaded> = vec![];
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for message in messages {
        let Ok(event) = serde_json::from_str::<Value>(message) else { continue };
        let event = &event["message"];
        let parameters = &event["params"];
        let Some(id) = parameters["requestId"].as_str() else { continue };
        let at = places.get(id).copied();
        match (event["method"].as_str(), at) {
            (Some("Network.requestWillBeSent"), _) => {
                // A redirect goes on under the same id: what it weighed counts too.
                if let Some(before) = at.and_then(|at| loaded.get_mut(at)) {
                    before.bytes += number(&parameters["redirectResponse"]["encodedDataLength"]);
                    before.status = number(&parameters["redirectResponse"]["status"]);
                }
                let url = parameters["request"]["url"].as_str().unwrap_or_default().to_owned();
                // The browser's own pages, from its own files.
                if url.starts_with("chrome") {
                    continue;
                }
                let kind = parameters["type"].as_str().unwrap_or_default().to_owned();
                places.insert(id.to_owned(), loaded.len());
                loaded.push(Loaded { url, kind, bytes: 0, status: 0 });
            }
            (Some("Network.responseReceived"), Some(at)) => {
                loaded[at].status = number(&parameters["response"]["status"]);
            }
            (Some("Network.loadingFinished"), Some(at)) => {
                loaded[at].bytes += number(&parameters["encodedDataLength"]);
            }
            _ => {}
        }
    }
    Visit { loaded }
}

/// Chromium writes whole numbers of bytes, sometimes as `12.0`.
fn number(value: &Value) -> u64 {
    let text = value.to_string();
    text.split('.').next().and_then(|whole| whole.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_weighed_and_strangers_are_seen() {
        let lines = [
            r#"{"message":{"method":"Network.requestWillBeSent","params":{"requestId":"1","type":"Document","request":{"url":"http://127.0.0.1:80/a"}}}}"#,
            r#"{"message":{"method":"Network.requestWillBeSent","params":{"requestId":"1","type":"Document","request":{"url":"http://127.0.0.1:80/b"},"redirectResponse":{"status":303,"encodedDataLength":120}}}}"#,
            r#"{"message":{"method":"Network.loadingFinished","params":{"requestId":"1","encodedDataLength":900.0}}}"#,
            r#"{"message":{"method":"Network.requestWillBeSent","params":{"requestId":"2","type":"Image","request":{"url":"http://127.0.0.1:8012/x"}}}}"#,
        ];
        let visit = read(lines.into_iter());
        assert_eq!(visit.bytes(), 1_020);
        assert_eq!(visit.outside("http://127.0.0.1:80").collect::<Vec<_>>().len(), 1);
    }
}
