//! Data types of HL7 v2 as those of FHIR.

use serde_json::{Map, Value, json};

use super::{message::Part, tables, time::Stamp};

/// What all of a message has in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'c> {
    /// The system that it comes from.
    pub(super) source: &'c str,
    /// Minutes east of UTC where times have no zone.
    pub(super) offset_minutes: i32,
    /// The event (table 0003).
    pub(super) event: &'c str,
}

/// Characters of a FHIR string at most.
const STRING_MAX: usize = 1_048_576;

/// An object that is filled as far as something is known.
#[derive(Debug, Default)]
pub(super) struct Object(Map<String, Value>);

impl Object {
    /// A resource.
    pub(super) fn of(kind: &str, id: &str) -> Self {
        Self::default().with("resourceType", kind.into()).with("id", id.into())
    }

    /// Sets a value.
    pub(super) fn with(mut self, key: &str, value: Value) -> Self {
        self.0.insert(key.to_owned(), value);
        self
    }

    /// Sets a value, if there is one.
    pub(super) fn maybe(self, key: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value.into()),
            None => self,
        }
    }

    /// Sets a list, if there is something in it.
    pub(super) fn list(self, key: &str, values: Vec<Value>) -> Self {
        if values.is_empty() { self } else { self.with(key, values.into()) }
    }

    /// The object, unless it is empty.
    pub(super) fn some(self) -> Option<Value> {
        (!self.0.is_empty()).then_some(Value::Object(self.0))
    }

    pub(super) fn done(self) -> Value {
        Value::Object(self.0)
    }
}

/// A text that is not longer than FHIR allows.
pub(super) fn text(text: String) -> Option<String> {
    (text.len() <= STRING_MAX || text.chars().count() <= STRING_MAX).then_some(text)
}

/// A code as FHIR writes it: no space at its ends, and no two together.
pub(super) fn as_code(text: &str) -> Option<String> {
    let is_code = !text.is_empty()
        && text.split(' ').all(|word| !word.is_empty() && !word.contains(char::is_whitespace));
    (is_code && text.len() <= STRING_MAX).then(|| text.to_owned())
}

/// The URI of a name that only its source gives a meaning to.
pub(super) fn local(source: &str, name: Option<&str>) -> String {
    let mut uri = String::from("urn:ondol:source");
    for part in [Some(source), name].into_iter().flatten() {
        uri.push(':');
        for byte in part.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                uri.push(char::from(byte));
            } else {
                uri += &format!("%{byte:02X}");
            }
        }
    }
    uri
}

/// `urn:oid:` for an object identifier.
fn oid(text: &str) -> Option<String> {
    let mut arcs = text.split('.');
    let is_root = matches!(arcs.next(), Some("0" | "1" | "2"));
    let is_arc = |arc: &str| {
        !arc.is_empty()
            && arc.bytes().all(|byte| byte.is_ascii_digit())
            && (arc == "0" || !arc.starts_with('0'))
    };
    let is_oid = is_root && text.contains('.') && arcs.all(is_arc) && text.len() < 256;
    is_oid.then(|| format!("urn:oid:{text}"))
}

/// An identifier with who gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) system: String,
    pub(super) value: String,
    /// Its type (table 0203).
    pub(super) kind: Option<String>,
    /// Whether somebody is named who gave it.
    is_assigned: bool,
    assigner: Option<String>,
}

impl Id {
    /// An extended composite ID (CX): PID-3, PV1-19.
    pub(super) fn cx(part: &Part<'_>, source: &str) -> Option<Self> {
        let value = part.get(1)?;
        let authority = [part.sub(4, 1), part.sub(4, 2), part.sub(4, 3)];
        Self::new(part, 4, value, authority, part.get(5), source)
    }

    /// An entity identifier (EI): OBR-2, OBR-3.
    pub(super) fn ei(part: &Part<'_>, source: &str) -> Option<Self> {
        let value = part.get(1)?;
        Self::new(part, 3, value, [part.get(2), part.get(3), part.get(4)], None, source)
    }

    fn new(
        part: &Part<'_>,
        at: usize,
        value: String,
        [namespace, universal, form]: [Option<String>; 3],
        kind: Option<String>,
        source: &str,
    ) -> Option<Self> {
        let value = text(value)?;
        let known = universal.as_deref().and_then(|universal| match form.as_deref() {
            Some("ISO") => oid(universal),
            None => oid(universal),
            _ => None,
        });
        let is_assigned = namespace.is_some() || universal.is_some();
        if universal.is_some() && known.is_none() && namespace.is_some() {
            part.leave(at, "the authority is taken by its name: its universal ID is no OID");
        }
        let assigner = namespace.clone().filter(|_| known.is_some());
        let name = namespace.or(universal);
        let system = known.unwrap_or_else(|| local(source, name.as_deref()));
        Some(Self { system, value, kind, is_assigned, assigner })
    }

    /// What tells it from all others. The type does where nobody is named who gave it.
    pub(super) fn key(&self) -> [&str; 3] {
        let kind = self.kind.as_deref().filter(|_| !self.is_assigned).unwrap_or_default();
        [&self.system, &self.value, kind]
    }

    /// As an Identifier. `kind` is its type where it says none.
    pub(super) fn to_fhir(&self, kind: Option<&str>) -> Object {
        const TYPES: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
        let kind = self.kind.as_deref().or(kind).map(|kind| {
            if tables::is_identifier_type(kind) {
                json!({"coding": [{"system": TYPES, "code": kind}]})
            } else {
                json!({"text": kind})
            }
        });
        Object::default()
            .maybe("type", kind)
            .with("system", self.system.clone().into())
            .with("value", self.value.clone().into())
            .maybe("assigner", self.assigner.clone().map(|name| json!({"display": name})))
    }
}

/// A coded element (CE, CWE, CNE) as a `CodeableConcept`: up to three codings and the original
/// text.
pub(super) fn concept(part: &Part<'_>, source: &str) -> Option<Value> {
    // Code, text, system, version, OID of the system.
    const CODINGS: [[usize; 5]; 3] = [[1, 2, 3, 7, 14], [4, 5, 6, 8, 17], [10, 11, 12, 13, 20]];
    let mut codings = vec![];
    let mut texts = vec![];
    for [code, display, system, version, oid_at] in CODINGS {
        let display = part.get(display).and_then(text);
        let Some(code_text) = part.get(code) else {
            texts.extend(display);
            continue;
        };
        let Some(code) = as_code(&code_text) else {
            texts.extend(text(code_text));
            texts.extend(display);
            continue;
        };
        let name = part.get(system);
        let by_oid = || part.get(oid_at).and_then(|text| oid(&text));
        let system = name.as_deref().and_then(tables::code_system).or_else(by_oid);
        let system = system.unwrap_or_else(|| local(source, name.as_deref()));
        let coding = Object::default()
            .with("system", system.into())
            .maybe("version", part.get(version).and_then(text))
            .with("code", code.into())
            .maybe("display", display);
        codings.push(coding.done());
    }
    let original = part.get(9).and_then(text).or_else(|| texts.first().cloned());
    Object::default().list("coding", codings).maybe("text", original).some()
}

/// A dateTime of a component.
pub(super) fn date_time(part: &Part<'_>, at: usize, context: Context<'_>) -> Option<String> {
    stamp(part, at).map(|stamp| stamp.date_time(context.offset_minutes))
}

/// A date or time of a component. What is none is told.
pub(super) fn stamp(part: &Part<'_>, at: usize) -> Option<Stamp> {
    let stamp = Stamp::read(&part.get(at)?);
    match &stamp {
        None => part.leave(at, "this is no date that exists"),
        Some(stamp) if stamp.is_hour_only => {
            part.leave(at, "an hour without minutes: only the date is taken");
        }
        Some(_) => {}
    }
    stamp
}

fn period(part: &Part<'_>, [from, to]: [usize; 2], context: Context<'_>) -> Option<Value> {
    let (start, end) = (stamp(part, from), stamp(part, to));
    period_of(start.as_ref(), end.as_ref(), context).unwrap_or_else(|| {
        part.leave(to, "the end is before the beginning");
        None
    })
}

/// A Period, if there is something of it. The outer one is none if the end is before the start.
pub(super) fn period_of(
    start: Option<&Stamp>,
    end: Option<&Stamp>,
    context: Context<'_>,
) -> Option<Option<Value>> {
    let offset = context.offset_minutes;
    let start = start.map(|stamp| stamp.date_time(offset));
    let end = end.map(|stamp| stamp.date_time(offset));
    if let (Some(start), Some(end)) = (&start, &end) {
        let first = |text: &str| ondol_fhir::Temporal::parse(text).map(|read| read.range(offset));
        let (start, end) = (first(start)?, first(end)?);
        // A day that ends the period may be the one that it begins in.
        if end.1 <= start.0 || (end.0 < start.0 && end.1 <= start.1) {
            return None;
        }
    }
    Some(Object::default().maybe("start", start).maybe("end", end).some())
}

/// A person's name (XPN).
pub(super) fn human_name(part: &Part<'_>, context: Context<'_>) -> Option<Value> {
    let kind = part.get(7);
    let usage = kind.as_deref().and_then(tables::name_use);
    if kind.is_some() && usage.is_none() {
        part.leave(7, "this type of name has no counterpart; the name itself is taken");
    }
    name(part, [1, 2, 3, 4, 5, 6])?
        .maybe("use", usage)
        .maybe("period", period(part, [12, 13], context))
        .some()
}

/// Family, given, further given names, suffix, prefix and degree.
fn name(part: &Part<'_>, at: [usize; 6]) -> Option<Object> {
    let get = |at: usize| part.get(at).and_then(text).map(Value::from);
    let family = get(at[0]);
    let given: Vec<Value> = [get(at[1]), get(at[2])].into_iter().flatten().collect();
    let suffix: Vec<Value> = [get(at[3]), get(at[5])].into_iter().flatten().collect();
    if family.is_none() && given.is_empty() {
        return None;
    }
    let prefix = get(at[4]).into_iter().collect();
    let name = Object::default().maybe("family", family).list("given", given);
    Some(name.list("prefix", prefix).list("suffix", suffix))
}

/// A person with an ID (XCN), as a reference that says who it is.
pub(super) fn practitioner(part: &Part<'_>, source: &str) -> Option<Value> {
    let id = part.get(1).and_then(|value| {
        let authority = [part.sub(9, 1), part.sub(9, 2), part.sub(9, 3)];
        Id::new(part, 9, value, authority, part.get(13), source)
    });
    // Prefix, given names, family, suffix: the order in which names are said in English. A name
    // of characters that are written without spaces is family and given.
    let get = |at: usize| part.get(at).and_then(text);
    let order = if part.text.is_ascii() { [6, 3, 4, 2, 5] } else { [6, 2, 3, 4, 5] };
    let words: Vec<String> = order.into_iter().filter_map(get).collect();
    let display = (!words.is_empty()).then(|| words.join(" "));
    Object::default()
        .maybe("identifier", id.map(|id| id.to_fhir(None).done()))
        .maybe("display", display.and_then(text))
        .some()
}

/// An address (XAD).
pub(super) fn address(part: &Part<'_>, context: Context<'_>) -> Option<Value> {
    let kind = part.get(7);
    let known = kind.as_deref().and_then(tables::address_kind);
    let (usage, form) = match known {
        Some(tables::AddressKind::Elsewhere) => {
            part.leave(7, "the address of a birth or a register is not taken as where one lives");
            return None;
        }
        Some(tables::AddressKind::Use(usage)) => (Some(usage), None),
        Some(tables::AddressKind::Postal) => (None, Some("postal")),
        None => (None, None),
    };
    if kind.is_some() && known.is_none() {
        part.leave(7, "this type of address has no counterpart; the address itself is taken");
    }
    let get = |at: usize| part.get(at).and_then(text);
    let lines = [get(1), get(2)].into_iter().flatten().map(Value::from).collect();
    let address = Object::default()
        .list("line", lines)
        .maybe("city", get(3))
        .maybe("district", get(9))
        .maybe("state", get(4))
        .maybe("postalCode", get(5))
        .maybe("country", get(6))
        .some()?;
    let Value::Object(address) = address else { return None };
    Object(address)
        .maybe("use", usage)
        .maybe("type", form)
        .maybe("period", period(part, [13, 14], context))
        .some()
}

/// A number or an address to reach somebody (XTN). `usage` is what the field is for.
pub(super) fn telecom(part: &Part<'_>, usage: Option<&'static str>) -> Option<Value> {
    let get = |at: usize| part.get(at).and_then(text);
    let (code, equipment) = (part.get(2), part.get(3));
    let system = equipment.as_deref().and_then(tables::telecom_system);
    let email = get(4);
    let number = || {
        let parts = [get(5), get(6), get(7)].into_iter().flatten().collect::<Vec<_>>();
        let number = parts.join(" ");
        let extension = get(8).map(|extension| format!(" x{extension}")).unwrap_or_default();
        (!number.is_empty()).then(|| number + &extension)
    };
    let (system, value) = match (system, email) {
        (Some("email"), Some(email)) | (None, Some(email)) => ("email", email),
        (system, _) => {
            let value = get(12).or_else(|| get(1)).or_else(number)?;
            // Without a word about the equipment it is what the field is called: a phone.
            (system.unwrap_or("phone"), value)
        }
    };
    if equipment.is_some() && equipment.as_deref().and_then(tables::telecom_system).is_none() {
        part.leave(3, "this type of equipment has no counterpart");
    }
    let known = code.as_deref().and_then(tables::telecom_use);
    if code.as_deref().is_some_and(|code| code != "NET") && known.is_none() {
        part.leave(2, "this use has no counterpart");
    }
    let is_mobile = equipment.as_deref() == Some("CP");
    let usage = if is_mobile { Some("mobile") } else { known.or(usage.filter(|_| code.is_none())) };
    Object::default()
        .with("system", system.into())
        .with("value", value.into())
        .maybe("use", usage)
        .some()
}
