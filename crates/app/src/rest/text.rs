//! Bundles as text: resources are put in as they are, so that nothing of them is read again.

use ondol_fhir::Resource;

/// Writes a bundle.
#[derive(Debug)]
pub struct BundleText {
    text: String,
    entries: usize,
}

/// A JSON string with its quotes.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl BundleText {
    /// A bundle of a type: a code of R4's `bundle-type`.
    pub fn new(bundle_type: &str) -> Self {
        let text = format!(r#"{{"resourceType":"Bundle","type":{}"#, quoted(bundle_type));
        Self { text, entries: 0 }
    }

    /// What names a document, and when it was made.
    pub fn identified(&mut self, system: &str, value: &str, at: &str) {
        self.text.extend([
            r#","identifier":{"system":"#,
            &quoted(system),
            r#","value":"#,
            &quoted(value),
            r#"},"timestamp":"#,
            &quoted(at),
        ]);
    }

    /// How many there are in all.
    pub fn total(&mut self, total: u64) {
        self.text.extend([r#","total":"#, &total.to_string()]);
    }

    /// The links: relation and URL.
    pub fn links(&mut self, links: &[(&str, String)]) {
        let links: Vec<String> = links
            .iter()
            .map(|(relation, url)| {
                format!(r#"{{"relation":{},"url":{}}}"#, quoted(relation), quoted(url))
            })
            .collect();
        if !links.is_empty() {
            self.text.extend([r#","link":["#, &links.join(","), "]"]);
        }
    }

    /// An entry: its members as JSON text, each with its name. Nothing may follow entries.
    pub fn entry(&mut self, members: &[(&str, &str)]) {
        self.text.push_str(if self.entries == 0 { r#","entry":["# } else { "," });
        self.entries += 1;
        let members: Vec<String> =
            members.iter().map(|(name, json)| format!(r#""{name}":{json}"#)).collect();
        self.text.push('{');
        self.text.push_str(&members.join(","));
        self.text.push('}');
    }

    /// An entry of a searchset that is no resource of the record.
    pub fn outcome(&mut self, outcome: &Resource) {
        self.entry(&[("resource", &outcome.to_string()), ("search", r#"{"mode":"outcome"}"#)]);
    }

    /// The text.
    pub fn finish(mut self) -> String {
        if self.entries > 0 {
            self.text.push(']');
        }
        self.text.push('}');
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_are_valid_and_keep_resources_as_they_are() {
        let mut bundle = BundleText::new("searchset");
        bundle.total(1);
        bundle.links(&[("self", "http://a/fhir/Patient?name=\"x\"".to_owned())]);
        let observation = r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.50E2}}"#;
        bundle.entry(&[
            ("fullUrl", &quoted("http://a/fhir/Observation/1")),
            ("resource", observation),
        ]);
        let text = bundle.finish();
        assert!(text.contains("1.50E2"));
        let read = Resource::parse(text.as_bytes()).unwrap();
        assert_eq!(ondol_fhir::validate(&read), []);
        let empty = BundleText::new("batch-response").finish();
        assert_eq!(empty, r#"{"resourceType":"Bundle","type":"batch-response"}"#);
    }
}
