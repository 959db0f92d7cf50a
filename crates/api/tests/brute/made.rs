//! A resource for every path of every parameter: nothing in it but one value at the path's end.

use serde_json::{Map, Value, json};

/// The resources with their types and ids, made along the table of paths that the program has.
pub fn made() -> Vec<Value> {
    let (mut all, mut kind) = (vec![], "");
    for line in include_str!("../../../fhir/data/params.txt").lines() {
        if line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('@') {
            kind = name;
            continue;
        }
        let kind = if kind == "Resource" { "Basic" } else { kind };
        let (own, parts) = line.split_once(" &").unwrap_or((line, ""));
        let mut words = own.split(' ');
        let (code, of) = (words.next().unwrap(), words.next().unwrap());
        for (at, path) in words.enumerate() {
            let mut body = Map::new();
            body.insert("resourceType".to_owned(), kind.into());
            body.insert(
                "id".to_owned(),
                format!("made-{}-{at}", code.trim_start_matches('_')).into(),
            );
            if parts.is_empty() {
                set(&mut body, path, of);
            } else {
                let mut element = Map::new();
                for part in parts.split(" &") {
                    let mut words = part.split(' ').skip(1);
                    let (of, path) = (words.next().unwrap(), words.next().unwrap());
                    match path.strip_prefix('%') {
                        Some(path) => set(&mut body, path, of),
                        None => set(&mut element, path, of),
                    }
                }
                if path == "." {
                    body.extend(element);
                } else {
                    body.insert(path.to_owned(), json!([element]));
                }
            }
            // Ids are given on their own.
            if code != "_id" {
                all.push(Value::Object(body));
            }
        }
    }
    all
}

/// Sets the value of a path: `a.b{system=phone}.c<Patient>:Type`.
fn set(body: &mut Map<String, Value>, path: &str, of: &str) {
    match path {
        "!deceased" => {
            body.insert("deceasedBoolean".to_owned(), true.into());
            return;
        }
        "!first" => {
            let kind = if of.contains("MessageHeader") { "MessageHeader" } else { "Composition" };
            let first = json!([{ "resource": { "resourceType": kind, "id": "first" } }]);
            body.insert("entry".to_owned(), first);
            return;
        }
        _ => {}
    }
    let (path, leaf) = path.split_once(':').unwrap();
    let leaf = leaf.split('=').next().unwrap();
    let mut steps: Vec<&str> = path.split('.').collect();
    let last = steps.pop().unwrap();
    let mut at = body;
    for step in steps {
        let (key, condition) = condition(step);
        let inner = at.entry(key).or_insert_with(|| json!({}));
        at = inner.as_object_mut().unwrap();
        at.extend(condition);
    }
    let (key, condition) = condition(last);
    let target = last.split_once('<').map(|(_, kind)| kind.trim_end_matches('>'));
    let mut value = value(leaf, of, target);
    if let Some(body) = value.as_object_mut() {
        body.extend(condition);
    }
    at.insert(key.to_owned(), value);
}

fn condition(step: &str) -> (&str, Map<String, Value>) {
    let mut set = Map::new();
    let key = match step.split_once('{') {
        Some((key, equation)) => {
            let (name, literal) = equation.trim_end_matches('}').split_once('=').unwrap();
            set.insert(name.to_owned(), literal.into());
            key
        }
        None => step.split('<').next().unwrap(),
    };
    (key, set)
}

fn value(leaf: &str, of: &str, target: Option<&str>) -> Value {
    let coding = json!({ "system": "urn:made", "code": "made", "display": "Made so" });
    let quantity = json!({ "value": 7.25, "unit": "milligram", "system": "http://unitsofmeasure.org", "code": "mg" });
    match leaf {
        "boolean" => true.into(),
        "decimal" => json!(7.25),
        "integer" | "positiveInt" | "unsignedInt" => 7.into(),
        "date" => "2021-05".into(),
        "dateTime" => "2021-05-06".into(),
        "instant" => "2021-05-06T07:08:09+09:00".into(),
        "Period" => json!({ "start": "2021-05-06", "end": "2021-06" }),
        "Timing" => json!({ "event": ["2021-05-06", "2021-07-08"] }),
        "Range" => json!({ "low": quantity, "high": { "value": 9, "unit": "g" } }),
        "Quantity" | "Age" | "Duration" | "Count" | "Distance" => quantity,
        "Money" => json!({ "value": 7.25, "currency": "KPW" }),
        "SampledData" => json!({ "origin": quantity }),
        "Coding" => coding,
        "CodeableConcept" => json!({ "coding": [coding], "text": "Made" }),
        "Identifier" => json!({ "system": "urn:made", "value": "made" }),
        "ContactPoint" => json!({ "value": "02-7" }),
        "HumanName" => json!({ "family": "Made", "given": ["Maria"] }),
        "Address" => json!({ "city": "Madetown" }),
        "Reference" => {
            let kinds =
                of.split_once('(').map_or("Patient", |(_, names)| names.trim_end_matches(')'));
            let kind = target.unwrap_or_else(|| kinds.split('|').next().unwrap());
            json!({ "reference": format!("{kind}/made") })
        }
        "Location.position" => json!({ "latitude": 39.25, "longitude": 125.5 }),
        "canonical" => "http://made.example/fhir/made|1".into(),
        "uri" | "url" | "oid" => "http://made.example/fhir/made".into(),
        _ => "made".into(),
    }
}
