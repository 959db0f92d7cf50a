//! HL7 v2 messages on their way into the record.

use std::{fs::File, io::BufReader};

use anyhow::{Context, Result};
use ondol_app::rest::import::{Row, RowRefused};
use ondol_mapping::hl7::{self, Hl7Error, Messages};
use serde_json::{Value, json};

use super::files::Found;

/// The messages of a file.
pub(super) fn messages(file: &Found) -> Result<Messages<BufReader<File>>> {
    let from = File::open(&file.path).with_context(|| file.path.display().to_string())?;
    Ok(hl7::messages(BufReader::new(from)))
}

/// What messages become, one by one.
pub(super) struct Made<'f> {
    messages: Messages<BufReader<File>>,
    source: &'f str,
    utc_offset_minutes: i32,
    /// Why the file cannot be read on.
    pub(super) failed: Option<Hl7Error>,
}

impl<'f> Made<'f> {
    pub(super) fn of(file: &'f Found, utc_offset_minutes: i32) -> Result<Self> {
        let (messages, source) = (messages(file)?, file.source());
        Ok(Self { messages, source, utc_offset_minutes, failed: None })
    }
}

impl Iterator for Made<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        let refused = |line: u64, why: &Hl7Error| {
            let why = RowRefused { code: "hl7-refused", at: None, says: why.to_string() };
            Some(Row { line, made: Err(why), left: vec![] })
        };
        let raw = match self.messages.next()? {
            Ok(raw) => raw,
            Err(why) => match why.line() {
                Some(line) => return refused(line, &why),
                None => {
                    self.failed = Some(why);
                    return None;
                }
            },
        };
        let made = match hl7::resources(&raw.text, self.source, self.utc_offset_minutes) {
            Ok(made) => made,
            Err(why) => return refused(raw.line, &why),
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
        Some(Row { line: raw.line, made: Ok(bundle), left: left.collect() })
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
