//! The request itself: a `ServiceRequest` that asks a specialist or sends a patient.

use ondol_kernel::{Class, Millis, ResourceId};
use ondol_record::ChartId;
use ondol_store::{Found, View};
use serde_json::{Value, json};

use super::step::{Who, each, extension, part, text};
use crate::{AppError, coding, stock::Stock};

/// A place that is named in a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// Reference.
    pub reference: String,
    /// The name for pages.
    pub name: String,
}

impl Named {
    fn of(reference: &Value) -> Self {
        Self { reference: text(&reference["reference"]), name: text(&reference["display"]) }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({ "reference": self.reference, "display": self.name })
    }
}

/// Whether there is power at the asking place now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// From the grid.
    Mains,
    /// From a battery, the sun or a generator.
    Battery,
    /// None.
    None,
}

impl Power {
    /// All.
    pub const ALL: [Self; 3] = [Self::Mains, Self::Battery, Self::None];

    /// The code in records.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Mains => "mains",
            Self::Battery => "battery",
            Self::None => "none",
        }
    }

    /// The power with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|power| power.code() == code)
    }
}

/// What the asking place has at hand, so that the advice can be followed. `None` and empty
/// mean: not said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Means {
    /// Power now.
    pub power: Option<Power>,
    /// Equipment that works, in the words of who asks.
    pub equipment: String,
    /// Medicines in stock.
    pub medicines: String,
    /// Who is there to help.
    pub people: String,
}

impl Means {
    pub(crate) fn to_extension(&self) -> Option<Value> {
        let mut parts = vec![];
        if let Some(power) = self.power {
            parts.push(json!({ "url": "power", "valueCode": power.code() }));
        }
        let texts = [
            ("equipment", &self.equipment),
            ("medicines", &self.medicines),
            ("people", &self.people),
        ];
        for (url, said) in texts {
            if !said.trim().is_empty() {
                parts.push(json!({ "url": url, "valueString": said.trim() }));
            }
        }
        (!parts.is_empty()).then(|| json!({ "url": coding::MEANS, "extension": parts }))
    }

    fn of(request: &Value) -> Self {
        let Some(means) = extension(request, coding::MEANS) else { return Self::default() };
        let said =
            |url| extension(means, url).map_or_else(String::new, |said| text(&said["valueString"]));
        Self {
            power: extension(means, "power")
                .and_then(|power| Power::from_code(power["valueCode"].as_str()?)),
            equipment: said("equipment"),
            medicines: said("medicines"),
            people: said("people"),
        }
    }
}

/// What kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// A case sent to a specialist.
    Consult,
    /// A patient sent to a facility.
    Referral,
}

/// A consult's or referral's request, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The id.
    pub id: ResourceId,
    /// The chart.
    pub chart: ChartId,
    /// Consult or referral.
    pub kind: RequestKind,
    /// Whether it is open by its own status.
    pub open: bool,
    /// The urgency with which it was asked.
    pub urgency: Class,
    /// The specialty that is asked.
    pub specialty: String,
    /// The facilities that are asked, the first one first.
    pub to: Vec<Named>,
    /// Who asks, from where.
    pub from: Who,
    /// The facility that watches over the asking one.
    pub overseer: Option<Named>,
    /// When.
    pub at: Millis,
    /// The question, or the reason for sending.
    pub question: String,
    /// What the asking place has at hand.
    pub means: Means,
    /// Which medicines the asking place had then; `None` where nobody had said it.
    pub stock: Option<Stock>,
    /// When it shall happen: the expected arrival of a referred patient.
    pub expected: Option<Millis>,
    /// What a referred patient needs, as codes.
    pub needs: Vec<String>,
    /// The texts of the notes by part (`done`: what was done before sending …).
    pub notes: Vec<(String, String)>,
}

impl Request {
    /// Reads a `ServiceRequest`; `None` if it is no consult or referral of ours.
    pub fn of(found: &Found) -> Option<Self> {
        let body: Value = serde_json::from_str(&found.shown.body).ok()?;
        let kind = match coding::code_of(&body["category"], coding::REQUEST_CATEGORY)? {
            coding::CONSULT => RequestKind::Consult,
            coding::REFERRAL => RequestKind::Referral,
            _ => return None,
        };
        let stamp = found.shown.hlc;
        let from = extension(&body, coding::ASKED_FROM)
            .map_or_else(Named::default, |from| Named::of(&from["valueReference"]));
        let notes: Vec<(String, String)> = each(&body["note"])
            .map(|note| {
                let part = extension(note, coding::PART);
                let part = part.map_or("", |p| p["valueCode"].as_str().unwrap_or(""));
                (part.to_owned(), text(&note["text"]))
            })
            .collect();
        let question = notes.iter().find(|(part, _)| part.is_empty());
        let at = body["authoredOn"].as_str().and_then(Millis::parse_fhir);
        Some(Self {
            id: found.shown.id.clone(),
            chart: found.shown.chart.clone(),
            kind,
            open: matches!(body["status"].as_str(), Some("active" | "on-hold")),
            urgency: urgency_of(body["priority"].as_str().unwrap_or("routine")),
            specialty: coding::code_of(&body["code"], coding::SPECIALTY).unwrap_or("").to_owned(),
            to: each(&body["performer"]).map(Named::of).collect(),
            from: Who {
                reference: text(&body["requester"]["reference"]),
                name: text(&body["requester"]["display"]),
                place: from.reference,
                place_name: from.name,
            },
            overseer: extension(&body, coding::OVERSEEN_BY)
                .map(|overseer| Named::of(&overseer["valueReference"])),
            at: at.unwrap_or_else(|| stamp.millis()),
            question: question.map(|(_, text)| text.clone()).unwrap_or_default(),
            means: Means::of(&body),
            stock: Stock::sent_with(&body),
            expected: body["occurrenceDateTime"].as_str().and_then(Millis::parse_fhir),
            needs: each_needs(&body),
            notes,
        })
    }

    /// `ServiceRequest/…`.
    pub fn reference(&self) -> String {
        format!("ServiceRequest/{}", self.id)
    }

    /// `Patient/…`.
    pub fn subject(&self) -> String {
        format!("Patient/{}", self.chart.subject())
    }

    /// A note of a part; empty if there is none.
    pub fn note(&self, part: &str) -> &str {
        self.notes.iter().find(|(of, _)| of == part).map_or("", |(_, text)| text)
    }
}

fn each_needs(body: &Value) -> Vec<String> {
    let needs = each(&body["extension"]).filter(|e| e["url"] == coding::NEEDS);
    needs.map(|need| text(&need["valueCode"])).collect()
}

/// The class of a FHIR request priority.
pub fn urgency_of(priority: &str) -> Class {
    match priority {
        "stat" => Class::Emergency,
        "urgent" | "asap" => Class::Care,
        _ => Class::Routine,
    }
}

/// The FHIR request priority of a class.
pub const fn priority_of(urgency: Class) -> &'static str {
    match urgency {
        Class::Emergency => "stat",
        Class::Care => "urgent",
        Class::Routine | Class::Bulk => "routine",
    }
}

/// A note with the part that it is.
pub(crate) fn note(part_code: &str, said: &str) -> Value {
    let mut note = json!({ "text": said.trim() });
    if !part_code.is_empty() {
        note["extension"] = part(part_code);
    }
    note
}

/// The chart and the request with this id.
pub(crate) fn find(
    view: &dyn View,
    kind: RequestKind,
    id: &ResourceId,
) -> Result<(Found, Request), AppError> {
    let found = view.resource("ServiceRequest", id)?.ok_or(AppError::NotFound)?;
    if found.is_retracted() {
        return Err(AppError::Gone);
    }
    let request = Request::of(&found).filter(|request| request.kind == kind);
    let request = request.ok_or(AppError::NotFound)?;
    Ok((found, request))
}
