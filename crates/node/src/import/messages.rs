//! HL7 v2 messages on their way into the record.

use std::{
    io::{self, BufReader},
    sync::Arc,
};

use anyhow::Result;
use ondol_app::rest::import::{Row, RowRefused};
use ondol_mapping::hl7::{self, Hl7Error, Messages};
use serde_json::{Value, json};

use super::{
    files::Found,
    gauge::{Counted, Gauge},
};

/// The messages of a file.
pub(super) fn messages(file: &Found, gauge: &Arc<Gauge>) -> Result<Messages<BufReader<Counted>>> {
    Ok(hl7::messages(file.open(gauge)?))
}

/// What messages become, one by one.
pub(super) struct Made<'f> {
    messages: Messages<BufReader<Counted>>,
    source: &'f str,
    utc_offset_minutes: i32,
}

impl<'f> Made<'f> {
    pub(super) fn of(file: &'f Found, gauge: &Arc<Gauge>, utc_offset_minutes: i32) -> Result<Self> {
        let (messages, source) = (messages(file, gauge)?, file.source());
        Ok(Self { messages, source, utc_offset_minutes })
    }
}

impl Iterator for Made<'_> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<io::Result<Row>> {
        let refused = |line: u64, seen: String, why: &Hl7Error| {
            let why = RowRefused { code: why.code(), at: None, says: why.to_string() };
            Some(Ok(Row { line, seen, made: Err(why), left: vec![] }))
        };
        let raw = match self.messages.next()? {
            Ok(raw) => raw,
            Err(why) => match why.line() {
                // What stands there is no text: the message says which it was.
                Some(line) => return refused(line, why.to_string(), &why),
                None => return Some(Err(io::Error::new(io::ErrorKind::InvalidData, why))),
            },
        };
        let made = match hl7::resources(&raw.text, self.source, self.utc_offset_minutes) {
            Ok(made) => made,
            Err(why) => return refused(raw.line, raw.text, &why),
        };
        let left = made.left.into_iter().map(|left| RowRefused {
            code: "hl7-left",
            at: Some(left.at),
            says: left.why.to_owned(),
        });
        // What a result says of its patient and of the visit is less than others have said.
        let is_result = made.resources.iter().any(|one| one["resourceType"] == "DiagnosticReport");
        let entries = made.resources.iter().map(|one| entry(one, is_result));
        let entries: Vec<Value> = entries.collect();
        let bundle = json!({ "resourceType": "Bundle", "type": "batch", "entry": entries });
        let left = left.collect();
        Some(Ok(Row { line: raw.line, seen: raw.text, made: Ok(bundle), left }))
    }
}

fn entry(resource: &Value, of_result: bool) -> Value {
    let text = |key: &str| resource[key].as_str().unwrap_or_default();
    let url = [text("resourceType"), "/", text("id")].concat();
    let mut request = json!({ "method": "PUT", "url": url });
    if of_result && matches!(text("resourceType"), "Patient" | "Encounter") {
        request["ifNoneMatch"] = json!("*");
    }
    json!({ "request": request, "resource": resource })
}

/// A message as it is written where it was refused: in UTF-8, and saying so.
pub(super) fn in_utf_8(text: &str) -> String {
    let (header, rest) = text.split_once('\r').unwrap_or((text, ""));
    let Some(between) = header.chars().nth(3) else { return text.to_owned() };
    let mut fields: Vec<&str> = header.split(between).collect();
    // MSH-1 is what stands between the fields, so that MSH-18 is the 18th of them.
    if fields.get(17).is_some_and(|named| !named.is_empty()) {
        fields[17] = "UNICODE UTF-8";
    }
    let mut header = String::new();
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            header.push(between);
        }
        header.push_str(field);
    }
    [header.as_str(), "\r", rest].concat()
}
