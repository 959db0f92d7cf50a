//! As much of FHIRPath as the expressions of R4's search parameters have.

use serde_json::Value;

/// What was found, and its type if the expression or the key of a choice says it.
pub struct Node<'a> {
    pub value: &'a Value,
    pub kind: Option<String>,
}

enum Step {
    Name(String),
    As(String),
    Is(String),
    Equals(String, String),
    First,
}

/// What an expression finds from `at`, a resource or an element of it.
pub fn evaluate<'a>(expression: &str, at: &'a Value, resource: &'a Value) -> Vec<Node<'a>> {
    if expression == "Patient.deceased.exists() and Patient.deceased != false" {
        static BOTH: [Value; 2] = [Value::Bool(false), Value::Bool(true)];
        let died = resource.get("deceasedDateTime").is_some()
            || resource.get("deceasedBoolean").is_some_and(|died| *died != false);
        return vec![Node { value: &BOTH[usize::from(died)], kind: Some("boolean".into()) }];
    }
    let mut found = vec![];
    for alternative in expression.split('|').map(str::trim) {
        let (from, alternative) = match alternative.strip_prefix("%resource.") {
            Some(rest) => (resource, rest.to_owned()),
            None => (at, alternative.to_owned()),
        };
        let mut nodes = vec![Node { value: from, kind: None }];
        let steps = steps(&alternative);
        let mut steps = steps.as_slice();
        if let [Step::Name(name), rest @ ..] = steps
            && name.starts_with(|c: char| c.is_ascii_uppercase())
        {
            let is_base = matches!(name.as_str(), "Resource" | "DomainResource");
            if !is_base && from["resourceType"] != name.as_str() {
                continue;
            }
            steps = rest;
        }
        for step in steps {
            if matches!(step, Step::First) {
                nodes.truncate(1);
                continue;
            }
            nodes = nodes.into_iter().flat_map(|node| follow(node, step)).collect();
        }
        found.extend(nodes);
    }
    found
}

/// Splits at points that stand in no parentheses; a cast in parentheses becomes a step.
fn steps(expression: &str) -> Vec<Step> {
    let text = expression.trim();
    if let Some(inner) = text.strip_prefix('(')
        && let Some((inner, rest)) = inner.split_once(')')
    {
        let (path, kind) = inner.split_once(" as ").unwrap();
        let mut all = steps(path);
        all.push(Step::As(kind.to_owned()));
        all.extend(steps(rest.trim_start_matches('.')));
        return all;
    }
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '.' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(c);
    }
    parts.iter().filter(|part| !part.is_empty()).flat_map(|part| step(part)).collect()
}

fn step(text: &str) -> Vec<Step> {
    let inside = |name: &str| {
        text.strip_prefix(name).and_then(|rest| rest.strip_prefix('(')?.strip_suffix(')'))
    };
    if let Some(kind) = inside("as") {
        return vec![Step::As(kind.trim().to_owned())];
    }
    if let Some(condition) = inside("where") {
        if let Some(kind) = condition.strip_prefix("resolve() is ") {
            return vec![Step::Is(kind.to_owned())];
        }
        let (key, literal) = condition.split_once('=').unwrap();
        return vec![Step::Equals(key.to_owned(), literal.trim_matches('\'').to_owned())];
    }
    if let Some(name) = text.strip_suffix("[0]") {
        return vec![Step::Name(name.to_owned()), Step::First];
    }
    assert!(!text.contains('('), "{text} is not understood");
    vec![Step::Name(text.to_owned())]
}

fn follow<'a>(node: Node<'a>, step: &Step) -> Vec<Node<'a>> {
    let flat = |value: &'a Value, kind: Option<String>| -> Vec<Node<'a>> {
        match value {
            Value::Array(items) => {
                items.iter().map(|value| Node { value, kind: kind.clone() }).collect()
            }
            value => vec![Node { value, kind }],
        }
    };
    match step {
        Step::Name(name) => {
            let Some(body) = node.value.as_object() else { return vec![] };
            if let Some(value) = body.get(name) {
                return flat(value, None);
            }
            // A choice: the rest of the key is the type.
            let choice = |(key, value): (&'a String, &'a Value)| {
                let kind = key.strip_prefix(name.as_str())?;
                let is_type = kind.starts_with(|c: char| c.is_ascii_uppercase());
                (is_type && is_choice(name)).then(|| flat(value, Some(kind.to_owned())))
            };
            body.iter().filter_map(choice).flatten().collect()
        }
        Step::As(kind) => {
            let is_so = |is: &String| {
                // A canonical URL is a URI (R4 2.24.0).
                is.eq_ignore_ascii_case(kind) || (kind == "uri" && is == "Canonical")
            };
            let same = node.kind.as_ref().is_none_or(is_so);
            if same { vec![node] } else { vec![] }
        }
        Step::Is(kind) => {
            let text = |key: &str| node.value.get(key).and_then(Value::as_str).unwrap_or_default();
            let reference = text("reference");
            let is = reference.starts_with(&format!("{kind}/"))
                || reference.contains(&format!("/{kind}/"))
                || (!reference.contains('/') && text("type") == kind.as_str());
            if is { vec![node] } else { vec![] }
        }
        Step::Equals(key, literal) => {
            if node.value[key] == literal.as_str() {
                vec![node]
            } else {
                vec![]
            }
        }
        Step::First => vec![node],
    }
}

/// The elements with a choice of types that search parameters go through.
fn is_choice(name: &str) -> bool {
    matches!(
        name,
        "value"
            | "code"
            | "start"
            | "due"
            | "created"
            | "event"
            | "definition"
            | "collected"
            | "substance"
            | "effective"
            | "onset"
            | "abatement"
            | "performed"
            | "occurrence"
            | "deceased"
            | "medication"
            | "product"
            | "item"
            | "reported"
            | "serviced"
            | "subject"
            | "entity"
            | "target"
            | "scheduled"
            | "timing"
            | "probability"
            | "source"
            | "consent"
            | "age"
            | "chargeItem"
            | "occurred"
            | "content"
            | "identified"
            | "legallyBinding"
            | "topic"
    )
}
