//! Questions with values of a parameter, and which values answer them.

use ondol_fhir::{Temporal, fold};
use serde_json::Value as Json;

use super::{Parameter, expression::Node};

/// A value that is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Code { system: String, code: String },
    Reference { text: String, identifier: Option<(String, String)> },
    Time { from: i64, to: i64, text: String },
    Number { text: String, system: String, code: String, unit: String },
    Uri(String),
    Place(String, String),
}

/// A query and whether a resource is to be found by it.
pub struct Question {
    pub query: String,
    pub finds: Box<dyn Fn(&Values) -> bool>,
}

/// What a parameter finds in a resource.
pub type Values = Vec<Vec<Vec<Value>>>;

fn text(value: &Json, key: &str) -> String {
    value.get(key).and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn list<'a>(value: &'a Json, key: &str) -> &'a [Json] {
    value.get(key).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// The values of a node for a kind of parameter (R4 3.1.1.4.7 to 3.1.1.4.15).
pub fn values(kind: &str, node: &Node<'_>) -> Vec<Value> {
    let value = node.value;
    match kind {
        "string" => texts(value),
        "token" => codes(value, node.kind.as_deref()),
        "reference" => references(value),
        "date" => times(value, node.kind.as_deref()).into_iter().collect(),
        "number" | "quantity" => numbers(kind, value),
        "uri" => value.as_str().map(|uri| Value::Uri(uri.to_owned())).into_iter().collect(),
        "special" => {
            let degrees = |key: &str| value[key].as_number().map(ToString::to_string);
            degrees("latitude")
                .zip(degrees("longitude"))
                .map(|(a, b)| Value::Place(a, b))
                .into_iter()
                .collect()
        }
        other => panic!("{other}"),
    }
}

fn texts(value: &Json) -> Vec<Value> {
    const PARTS: [&str; 12] = [
        "text",
        "family",
        "given",
        "prefix",
        "suffix",
        "line",
        "city",
        "district",
        "state",
        "postalCode",
        "country",
        "",
    ];
    if let Some(text) = value.as_str() {
        return vec![Value::Text(text.to_owned())];
    }
    let parts = PARTS.iter().filter_map(|part| value.get(part));
    let parts = parts.flat_map(|part| match part {
        Json::Array(items) => items.clone(),
        other => vec![other.clone()],
    });
    parts.filter_map(|part| part.as_str().map(|text| Value::Text(text.to_owned()))).collect()
}

fn codes(value: &Json, kind: Option<&str>) -> Vec<Value> {
    let code = |system: String, code: String| Value::Code { system, code };
    match value {
        // The system of a plain code follows from its binding, which is not looked up here.
        Json::String(text) => vec![code("?".to_owned(), text.clone())],
        Json::Bool(is) => vec![code(String::new(), is.to_string())],
        Json::Object(_) if kind.is_some_and(|kind| matches!(kind, "Reference" | "Quantity" | "Range")) => vec![],
        Json::Object(body) if body.contains_key("coding") => list(value, "coding")
            .iter()
            .map(|coding| code(text(coding, "system"), text(coding, "code")))
            .filter(|c| !matches!(c, Value::Code { system, code } if system.is_empty() && code.is_empty()))
            .collect(),
        Json::Object(body) if body.contains_key("code") => {
            vec![code(text(value, "system"), text(value, "code"))]
        }
        Json::Object(body) if body.contains_key("value") => {
            const CONTACT: [&str; 7] = ["phone", "fax", "email", "pager", "url", "sms", "other"];
            let system = text(value, "system");
            let system = if CONTACT.contains(&&*system) { String::new() } else { system };
            vec![code(system, text(value, "value"))]
        }
        Json::Object(body) if body.contains_key("system") => {
            vec![code(text(value, "system"), String::new())]
        }
        _ => vec![],
    }
}

fn references(value: &Json) -> Vec<Value> {
    let of = |text: &str, identifier| Value::Reference { text: text.to_owned(), identifier };
    if let Some(url) = value.as_str() {
        let bare = url.split('|').next().unwrap_or(url);
        let mut all = vec![of(url, None)];
        if bare != url {
            all.push(of(bare, None));
        }
        return all;
    }
    if let (Some(kind), Some(id)) = (value["resourceType"].as_str(), value["id"].as_str()) {
        return vec![of(&format!("{kind}/{id}"), None)];
    }
    let reference = text(value, "reference");
    let identifier = value.get("identifier").and_then(|identifier| {
        Some((text(identifier, "system"), identifier.get("value")?.as_str()?.to_owned()))
    });
    // References to contained resources lead out of nothing.
    let text = if reference.starts_with('#') { String::new() } else { reference };
    let text = text.split("/_history/").next().unwrap_or_default().to_owned();
    if text.is_empty() && identifier.is_none() { vec![] } else { vec![of(&text, identifier)] }
}

fn times(value: &Json, kind: Option<&str>) -> Option<Value> {
    let span = |value: &Json| -> Option<(i64, i64)> {
        let (from, to) = Temporal::parse(value.as_str()?)?.range(540);
        Some((from.0, to.0))
    };
    let period = |value: &Json| -> Option<(i64, i64)> {
        let (start, end) = (span(&value["start"]), span(&value["end"]));
        (start.is_some() || end.is_some())
            .then(|| (start.map_or(i64::MIN, |s| s.0), end.map_or(i64::MAX, |e| e.1)))
    };
    if kind == Some("String") {
        return None;
    }
    let (from, to) = match value {
        Json::String(_) => span(value)?,
        Json::Object(body) if body.contains_key("event") || body.contains_key("repeat") => {
            let mut all: Vec<(i64, i64)> = list(value, "event").iter().filter_map(span).collect();
            all.extend(period(&value["repeat"]["boundsPeriod"]));
            (all.iter().map(|s| s.0).min()?, all.iter().map(|s| s.1).max()?)
        }
        value => period(value)?,
    };
    Some(Value::Time { from, to, text: value.as_str().unwrap_or_default().to_owned() })
}

fn numbers(kind: &str, value: &Json) -> Vec<Value> {
    let number = |value: &Json, of: &Json| -> Option<Value> {
        let text_of = |key| if kind == "number" { String::new() } else { text(of, key) };
        Some(Value::Number {
            text: value.as_number()?.to_string(),
            system: text_of("system"),
            code: text_of("code"),
            unit: text_of("unit"),
        })
    };
    if value.is_number() {
        return number(value, &Json::Null).into_iter().collect();
    }
    if let Some(currency) = value.get("currency").and_then(Json::as_str) {
        let money = serde_json::json!({ "system": "urn:iso:std:iso:4217", "code": currency });
        return number(&value["value"], &money).into_iter().collect();
    }
    let parts = [value, &value["low"], &value["high"], &value["origin"]];
    parts.into_iter().filter_map(|part| number(part.get("value")?, part)).collect()
}

/// Values of which one does.
type Test = Box<dyn Fn(&Value) -> bool>;

fn escaped(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        if "\\,|$".contains(c) {
            plain.push('\\');
        }
        plain.push(c);
    }
    form_urlencoded::byte_serialize(plain.as_bytes()).collect()
}

/// What may be asked with a value: modifier, value of the query, and what answers.
fn asked(value: &Value) -> Vec<(&'static str, String, Test)> {
    match value.clone() {
        // Names that are written together are found in more ways than their parts say.
        Value::Text(text) if text.is_ascii() && !text.trim().is_empty() => about_text(&text),
        Value::Text(_) => vec![],
        Value::Code { system, code } => about_code(system, code),
        Value::Reference { text, identifier } => about_reference(text, identifier),
        Value::Time { from, to, text } => about_time(from, to, &text),
        Value::Number { text, system, code, unit } => about_number(&text, system, code, unit),
        Value::Uri(uri) => {
            let (own, above) = (uri.clone(), uri.clone());
            let cut = uri.rfind('/').filter(|at| *at > 10).unwrap_or(uri.len());
            let start = uri[..cut].to_owned();
            let below = start.clone();
            vec![
                ("", escaped(&uri), Box::new(move |v| matches!(v, Value::Uri(is) if *is == own))),
                (
                    ":below",
                    escaped(&start),
                    Box::new(move |v| {
                        matches!(v, Value::Uri(is)
                    if *is == below || is.starts_with(&format!("{below}/")))
                    }),
                ),
                (
                    ":above",
                    format!("{}/x", escaped(&uri)),
                    Box::new(move |v| {
                        matches!(v, Value::Uri(is)
                    if *is == above || above.starts_with(&format!("{}/", is.trim_end_matches('/'))))
                    }),
                ),
            ]
        }
        Value::Place(a, b) => {
            let (latitude, longitude) = (a.clone(), b.clone());
            vec![(
                "",
                format!("{a}%7C{b}%7C0.001%7Ckm"),
                Box::new(
                    move |v| matches!(v, Value::Place(a, b) if *a == latitude && *b == longitude),
                ),
            )]
        }
    }
}

fn about_text(text: &str) -> Vec<(&'static str, String, Test)> {
    let (start, whole) = (text.trim().chars().take(3).collect::<String>(), text.to_owned());
    let (begins, part) = (fold(&start), fold(&start));
    vec![
        (
            "",
            escaped(&start),
            Box::new(move |v| matches!(v, Value::Text(is) if fold(is).starts_with(&begins))),
        ),
        (
            ":contains",
            escaped(&start),
            Box::new(move |v| matches!(v, Value::Text(is) if fold(is).contains(&part))),
        ),
        (":exact", escaped(text), Box::new(move |v| matches!(v, Value::Text(is) if *is == whole))),
    ]
}

fn about_code(system: String, code: String) -> Vec<(&'static str, String, Test)> {
    let own = code.clone();
    let is: fn(&Value, &str) -> bool =
        |v, own| matches!(v, Value::Code { code, .. } if code == own);
    let mut all: Vec<(&'static str, String, Test)> = vec![];
    if !code.is_empty() {
        all.push(("", escaped(&code), Box::new(move |v| is(v, &own))));
    }
    if system != "?" && !(system.is_empty() && code.is_empty()) {
        let query = format!("{}%7C{}", escaped(&system), escaped(&code));
        all.push(("", query, Box::new(move |v| {
            matches!(v, Value::Code { system: s, code: c }
                if (*s == system || s == "?" && system.is_empty()) && (code.is_empty() || *c == code))
        })));
    }
    all
}

fn about_reference(
    text: String,
    identifier: Option<(String, String)>,
) -> Vec<(&'static str, String, Test)> {
    let mut all: Vec<(&'static str, String, Test)> = vec![];
    if let Some((system, value)) = identifier {
        let query = format!("{}%7C{}", escaped(&system), escaped(&value));
        all.push((":identifier", query, Box::new(move |v| {
            matches!(v, Value::Reference { identifier: Some((s, i)), .. } if *s == system && *i == value)
        })));
    }
    // What is neither an address nor `Type/id` cannot be asked for.
    if text.contains([':', '/']) {
        all.push((
            "",
            escaped(&text),
            Box::new(move |v| matches!(v, Value::Reference { text: is, .. } if *is == text)),
        ));
    }
    all
}

fn about_time(from: i64, to: i64, text: &str) -> Vec<(&'static str, String, Test)> {
    type Holds = fn((i64, i64), (i64, i64)) -> bool;
    let prefixes: [(&str, Holds); 8] = [
        ("eq", |asked, is| asked.0 <= is.0 && is.1 <= asked.1),
        ("ne", |asked, is| asked.0 > is.0 || is.1 > asked.1),
        ("gt", |asked, is| is.1 > asked.1),
        ("lt", |asked, is| is.0 < asked.0),
        ("ge", |asked, is| is.1 > asked.1 || asked.0 <= is.0),
        ("le", |asked, is| is.0 < asked.0 || is.1 <= asked.1),
        ("sa", |asked, is| is.0 >= asked.1),
        ("eb", |asked, is| is.1 <= asked.0),
    ];
    // Of a period its day is asked.
    let (text, from, to) = if text.is_empty() {
        let at = if from == i64::MIN { to - 1 } else { from };
        let day = ondol_kernel::Millis(at).to_fhir(540)[..10].to_owned();
        let (from, to) = Temporal::parse(&day).unwrap().range(540);
        (day, from.0, to.0)
    } else {
        (text.to_owned(), from, to)
    };
    let of = |(prefix, holds): (&str, Holds)| -> (&'static str, String, Test) {
        let test: Test = Box::new(
            move |v| matches!(v, Value::Time { from: low, to: high, .. } if holds((from, to), (*low, *high))),
        );
        ("", format!("{prefix}{}", escaped(&text)), test)
    };
    prefixes.into_iter().map(of).collect()
}

fn about_number(
    text: &str,
    system: String,
    code: String,
    unit: String,
) -> Vec<(&'static str, String, Test)> {
    let Ok(number) = text.parse::<f64>() else { return vec![] };
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    let exponent = text.split_once(['e', 'E']).map_or(0, |(_, e)| e.parse::<i32>().unwrap());
    let places = mantissa.split_once('.').map_or(0, |(_, digits)| digits.len());
    let half = 0.5 * 10f64.powi(exponent - i32::try_from(places).unwrap());
    // What double precision leaves open at a bound.
    let slack = half * 1e-6;
    let with: fn(&Value, &dyn Fn(f64) -> bool) -> bool = |value, holds| match value {
        Value::Number { text, .. } => text.parse::<f64>().is_ok_and(holds),
        _ => false,
    };
    let is_equal = move |is: f64| number - half - slack <= is && is < number + half - slack;
    let text = escaped(text);
    let mut all: Vec<(&'static str, String, Test)> = vec![
        ("", text.clone(), Box::new(move |v| with(v, &is_equal))),
        ("", format!("ne{text}"), Box::new(move |v| with(v, &|is| !is_equal(is)))),
        ("", format!("gt{text}"), Box::new(move |v| with(v, &|is| is > number))),
        ("", format!("le{text}"), Box::new(move |v| with(v, &|is| is <= number))),
        (
            "",
            format!("ap{text}"),
            Box::new(move |v| {
                let about = number.abs() / 10.0 + slack;
                with(v, &|is| (is - number).abs() <= about)
            }),
        ),
    ];
    if !code.is_empty() {
        let (own_system, own) = (system, code);
        let query = format!("ge{text}%7C{}%7C{}", escaped(&own_system), escaped(&own));
        all.push(("", query, Box::new(move |v| {
            let same = matches!(v, Value::Number { system, code, unit, .. }
                if if own_system.is_empty() { *code == own || *unit == own } else { *system == own_system && *code == own });
            same && with(v, &|is| is >= number)
        })));
    } else if !unit.is_empty() {
        let query = format!("{text}%7C%7C{}", escaped(&unit));
        all.push((
            "",
            query,
            Box::new(move |v| {
                let same =
                    matches!(v, Value::Number { code, unit: u, .. } if *code == unit || *u == unit);
                same && with(v, &is_equal)
            }),
        ));
    }
    all
}

/// Values that nobody has, by the kind of parameter.
fn nothing(kind: &str) -> &'static str {
    match kind {
        "string" => "zzqqxx",
        "date" => "1066-10-14",
        "number" | "quantity" => "-987654321.25",
        "uri" | "reference" => "urn:nobody:has:this",
        "special" => "-89%7C1%7C0.1%7Ckm",
        _ => "no-such-code-anywhere",
    }
}

/// Questions about a parameter with what some of the resources have.
pub fn questions(parameter: &Parameter, found: &[Values]) -> Vec<Question> {
    let mut all: Vec<Question> = vec![];
    let code = &parameter.code;
    let mut ask = |query: String, finds: Box<dyn Fn(&Values) -> bool>| {
        if all.iter().all(|known| known.query != query) {
            all.push(Question { query, finds });
        }
    };
    ask(format!("{code}:missing=true"), Box::new(Vec::is_empty));
    ask(format!("{code}:missing=false"), Box::new(|values| !values.is_empty()));
    let none: Vec<&str> = if parameter.components.is_empty() {
        vec![nothing(&parameter.kind)]
    } else {
        parameter.components.iter().map(|component| nothing(&component.kind)).collect()
    };
    ask(format!("{code}={}", none.join("$")), Box::new(|_| false));
    let mut asked_of = 0;
    for values in found {
        let Some(parts) = values.first() else { continue };
        asked_of += 1;
        if asked_of > 3 {
            break;
        }
        if let [values] = &**parts {
            let value = &values[0];
            for (modifier, query, test) in asked(value) {
                let test = std::rc::Rc::new(test);
                let any = test.clone();
                ask(
                    format!("{code}{modifier}={query}"),
                    Box::new(move |all| all.iter().any(|parts| parts[0].iter().any(|v| any(v)))),
                );
                if parameter.kind == "token" && code != "_id" {
                    ask(
                        format!("{code}:not={query}"),
                        Box::new(move |all| {
                            !all.iter().any(|parts| parts[0].iter().any(|v| test(v)))
                        }),
                    );
                }
            }
        } else {
            let mut tests = vec![];
            for values in parts {
                tests.extend(
                    asked(&values[0]).into_iter().find(|(modifier, ..)| modifier.is_empty()),
                );
            }
            if tests.len() < parts.len() {
                continue;
            }
            let query: Vec<&str> = tests.iter().map(|(_, query, _)| query.as_str()).collect();
            let query = format!("{code}={}", query.join("$"));
            let tests: Vec<Test> = tests.into_iter().map(|(.., test)| test).collect();
            ask(
                query,
                Box::new(move |all| {
                    all.iter().any(|parts| {
                        parts.iter().zip(&tests).all(|(values, test)| values.iter().any(test))
                    })
                }),
            );
        }
    }
    all
}
