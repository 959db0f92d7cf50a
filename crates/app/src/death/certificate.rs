//! What a certificate says, to and from its resource.

use ondol_kernel::{Date, Millis};
use serde_json::{Value, json};

use crate::{
    App, AppError, coding,
    encounter::concept_words,
    people::{Birth, extension, items},
};

/// Lines of the chain of causes: immediate, two between, underlying (WHO's form, part 1, a to d).
pub const CAUSES_MAX: usize = 4;

/// The codes of the lines, in the order of the form. They stand in records.
const LINES: [&str; CAUSES_MAX] = ["cause-a", "cause-b", "cause-c", "cause-d"];

/// Manners of death (WHO's form, 'manner of death').
pub const MANNERS: [&str; 9] = [
    "disease",
    "accident",
    "self-harm",
    "assault",
    "legal-intervention",
    "war",
    "undetermined",
    "pending",
    "unknown",
];

/// Where somebody died.
pub const PLACES: [&str; 5] = ["home", "here", "other-facility", "on-the-way", "elsewhere"];

/// Answers to the form's questions about surgery in the last four weeks and autopsy.
pub const ANSWERS: [&str; 3] = ["yes", "no", "unknown"];

/// Answers to the form's question about a pregnancy: none, at the time of death, within 42 days
/// before, between 43 days and a year before, not known.
pub const PREGNANCIES: [&str; 5] = ["no", "at-death", "42-days", "year", "unknown"];

/// Units of the time between onset and death (UCUM).
pub const INTERVAL_UNITS: [&str; 6] = ["min", "h", "d", "wk", "mo", "a"];

/// From onset to death.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// How many, in plain form.
    pub value: String,
    /// One of [`INTERVAL_UNITS`].
    pub unit: String,
}

/// A cause, as it was certified. It has no `Debug`: it tells of somebody.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Cause {
    /// The ICD-10 code, if it has one.
    pub code: Option<String>,
    /// In words; may be empty beside a code.
    pub words: String,
    /// How long before death it began, if anybody knows.
    pub interval: Option<Interval>,
}

impl Cause {
    /// Whether the line says nothing.
    pub fn is_empty(&self) -> bool {
        self.code.is_none() && self.words.trim().is_empty()
    }
}

/// When somebody died, as exactly as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DiedAt {
    /// Day and time.
    Moment(Millis),
    /// The day.
    Day(Date),
    /// Nobody knows.
    #[default]
    NotKnown,
}

/// A certificate. It has no `Debug`: it tells of somebody.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Certificate {
    /// When.
    pub died: DiedAt,
    /// The chain: the immediate cause first, each due to the next; the last is the underlying one.
    pub causes: Vec<Cause>,
    /// Other significant conditions that contributed (part 2).
    pub others: Vec<Cause>,
    /// One of [`MANNERS`].
    pub manner: String,
    /// One of [`PLACES`]; empty if nobody said.
    pub place: String,
    /// The place in words.
    pub place_words: String,
    /// How an external cause came about, in words.
    pub external: String,
    /// Surgery in the last four weeks: one of [`ANSWERS`], or empty.
    pub surgery: String,
    /// Autopsy: one of [`ANSWERS`], or empty.
    pub autopsy: String,
    /// Pregnancy: one of [`PREGNANCIES`], or empty.
    pub pregnancy: String,
}

impl Certificate {
    /// The underlying cause: the last line that is filled in.
    pub fn underlying(&self) -> Option<&Cause> {
        self.causes.last()
    }

    /// Lines without the empty ones at the end; an empty one between is asked about.
    pub(super) fn checked(mut self, app: &App, birth: Birth) -> Result<Self, AppError> {
        let wrong = |field, why| Err(AppError::Field { field, why });
        while self.causes.last().is_some_and(Cause::is_empty) {
            self.causes.pop();
        }
        self.others.retain(|cause| !cause.is_empty());
        if self.causes.is_empty() {
            return wrong("cause-a", "missing");
        }
        if self.causes.len() > CAUSES_MAX {
            return wrong("cause-d", "too-long");
        }
        if let Some(at) = self.causes.iter().position(Cause::is_empty) {
            return wrong(LINES[at], "gap");
        }
        if !MANNERS.contains(&&*self.manner) {
            return wrong("manner", "missing");
        }
        let listed = |text: &str, list: &[&str]| text.is_empty() || list.contains(&text);
        if !listed(&self.place, &PLACES)
            || !listed(&self.surgery, &ANSWERS)
            || !listed(&self.autopsy, &ANSWERS)
            || !listed(&self.pregnancy, &PREGNANCIES)
        {
            return Err(AppError::Unexpected("an answer that is on no list"));
        }
        self.check_time(app, birth)?;
        Ok(self)
    }

    fn check_time(&self, app: &App, birth: Birth) -> Result<(), AppError> {
        let day = match self.died {
            DiedAt::Moment(at) if at > app.now() => {
                return Err(AppError::Field { field: "died", why: "future" });
            }
            DiedAt::Moment(at) => at.local(app.utc_offset_minutes()).0,
            DiedAt::Day(day) => day,
            DiedAt::NotKnown => return Ok(()),
        };
        if day > app.today() {
            return Err(AppError::Field { field: "died", why: "future" });
        }
        if birth.doubt(day) == Some(crate::people::BirthDoubt::Ahead) {
            return Err(AppError::Field { field: "died", why: "before-birth" });
        }
        Ok(())
    }

    /// When, as R4's `dateTime`.
    pub(super) fn died_text(&self, offset_minutes: i32) -> Option<String> {
        match self.died {
            DiedAt::Moment(at) => Some(at.to_fhir(offset_minutes)),
            DiedAt::Day(day) => Some(day.to_string()),
            DiedAt::NotKnown => None,
        }
    }

    /// The Observation; `subject` and `performer` as references.
    pub(super) fn to_json(&self, subject: &Value, performer: &str, offset_minutes: i32) -> Value {
        let mut parts = vec![];
        for (line, cause) in LINES.iter().zip(&self.causes) {
            parts.push(part_of(line, cause));
        }
        parts.extend(self.others.iter().map(|cause| part_of("other-condition", cause)));
        let coded = [
            ("manner", &self.manner, ""),
            ("place", &self.place, self.place_words.trim()),
            ("surgery", &self.surgery, ""),
            ("autopsy", &self.autopsy, ""),
            ("pregnancy", &self.pregnancy, ""),
        ];
        for (name, code, words) in coded {
            if code.is_empty() && words.is_empty() {
                continue;
            }
            let mut value = json!({});
            if !code.is_empty() {
                value = coding::concept(&format!("{}/{name}", coding::DEATH), code);
            }
            if !words.is_empty() {
                value["text"] = json!(words);
            }
            let code = coding::concept(coding::DEATH, name);
            parts.push(json!({ "code": code, "valueCodeableConcept": value }));
        }
        if !self.external.trim().is_empty() {
            parts.push(json!({
                "code": coding::concept(coding::DEATH, "external"),
                "valueString": self.external.trim(),
            }));
        }
        let mut observation = json!({
            "resourceType": "Observation",
            "status": "final",
            "code": coding::concept(coding::DEATH, coding::CERTIFICATE),
            "subject": subject,
            "performer": [{ "reference": performer }],
            "component": parts,
        });
        if let Some(died) = self.died_text(offset_minutes) {
            observation["effectiveDateTime"] = json!(died);
        }
        observation
    }

    /// Reads the Observation.
    pub(super) fn read(observation: &Value) -> Self {
        let mut read = Self {
            died: observation["effectiveDateTime"].as_str().map_or(DiedAt::NotKnown, died_at),
            ..Self::default()
        };
        for part in items(&observation["component"]) {
            let Some(name) = coding::code_of(&part["code"], coding::DEATH) else { continue };
            let value = &part["valueCodeableConcept"];
            let system = format!("{}/{name}", coding::DEATH);
            let code = || coding::code_of(value, &system).unwrap_or("").to_owned();
            match name {
                line if LINES.contains(&line) => read.causes.push(cause_in(part)),
                "other-condition" => read.others.push(cause_in(part)),
                "manner" => read.manner = code(),
                "place" => {
                    read.place = code();
                    value["text"].as_str().unwrap_or("").clone_into(&mut read.place_words);
                }
                "surgery" => read.surgery = code(),
                "autopsy" => read.autopsy = code(),
                "pregnancy" => read.pregnancy = code(),
                "external" => {
                    part["valueString"].as_str().unwrap_or("").clone_into(&mut read.external);
                }
                _ => {}
            }
        }
        read
    }
}

fn part_of(line: &str, cause: &Cause) -> Value {
    let mut value = json!({});
    if let Some(code) = &cause.code {
        value = coding::concept(coding::ICD10, code);
    }
    if !cause.words.trim().is_empty() {
        value["text"] = json!(cause.words.trim());
    }
    let mut part =
        json!({ "code": coding::concept(coding::DEATH, line), "valueCodeableConcept": value });
    if let Some(interval) = &cause.interval
        && let Ok(number) = serde_json::from_str::<serde_json::Number>(&interval.value)
    {
        part["extension"] = json!([{
            "url": coding::INTERVAL,
            "valueQuantity": {
                "value": number,
                "unit": interval.unit,
                "system": coding::UCUM,
                "code": interval.unit,
            },
        }]);
    }
    part
}

fn cause_in(part: &Value) -> Cause {
    let value = &part["valueCodeableConcept"];
    let interval = extension(part, coding::INTERVAL).and_then(|of| {
        let of = &of["valueQuantity"];
        let (value, unit) = (of["value"].as_number()?, of["code"].as_str()?);
        Some(Interval { value: value.to_string(), unit: unit.to_owned() })
    });
    Cause {
        code: coding::code_of(value, coding::ICD10).map(str::to_owned),
        words: value["text"].as_str().map_or_else(
            || if value["coding"].is_array() { String::new() } else { concept_words(value) },
            str::to_owned,
        ),
        interval,
    }
}

fn died_at(text: &str) -> DiedAt {
    match (Date::parse(text), Millis::parse_fhir(text)) {
        (Some(day), _) if text.len() == 10 => DiedAt::Day(day),
        (_, Some(at)) => DiedAt::Moment(at),
        _ => DiedAt::NotKnown,
    }
}

/// A cause as it was typed: a code of ICD-10 before or behind the words is its code, and words that
/// are just the name of an entry of the list have its code.
pub fn cause_of_words(typed: &str) -> Cause {
    use ondol_terms::hangul::fold;
    let typed = typed.trim();
    let words: Vec<&str> = typed.split_whitespace().collect();
    let (first, last) = (words.first().copied(), words.last().copied());
    let (code, rest) = match (first.and_then(icd10), last.and_then(icd10)) {
        (Some(code), _) => (Some(code), words[1..].join(" ")),
        (None, Some(code)) => (Some(code), words[..words.len() - 1].join(" ")),
        (None, None) => (None, typed.to_owned()),
    };
    if code.is_some() {
        return Cause { code, words: rest, interval: None };
    }
    let asked = fold(&rest);
    let named = ondol_terms::diagnoses()
        .iter()
        .find(|entry| !asked.is_empty() && (fold(entry.ko) == asked || fold(entry.en) == asked));
    match named {
        Some(entry) => {
            Cause { code: Some(entry.code.to_owned()), words: String::new(), interval: None }
        }
        None => Cause { code: None, words: rest, interval: None },
    }
}

/// A code of ICD-10: a letter, two digits, and perhaps one or two behind a point.
fn icd10(word: &str) -> Option<String> {
    let word = word.trim_matches(|c: char| "()[],;·".contains(c)).to_uppercase();
    let bytes = word.as_bytes();
    let digits = |at: &[u8]| !at.is_empty() && at.iter().all(u8::is_ascii_digit);
    let fits = match bytes {
        [letter, a, b] => letter.is_ascii_uppercase() && digits(&[*a, *b]),
        [letter, a, b, b'.', rest @ ..] => {
            letter.is_ascii_uppercase() && digits(&[*a, *b]) && rest.len() <= 2 && digits(rest)
        }
        _ => false,
    };
    fits.then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_told_from_words_wherever_it_stands() {
        for (typed, code, words) in [
            ("I21.9 심근경색", Some("I21.9"), "심근경색"),
            ("심근경색 (I21.9)", Some("I21.9"), "심근경색"),
            ("i21", Some("I21"), ""),
            ("의식을 잃음", None, "의식을 잃음"),
            ("B12 결핍", Some("B12"), "결핍"),
            ("I21.", None, "I21."),
            ("", None, ""),
        ] {
            let cause = cause_of_words(typed);
            assert_eq!((cause.code.as_deref(), cause.words.as_str()), (code, words), "{typed}");
        }
    }

    #[test]
    fn a_certificate_comes_back_from_its_resource() {
        let cause = |words: &str, interval| Cause { interval, ..cause_of_words(words) };
        let hours = Interval { value: "3".into(), unit: "h".into() };
        let certificate = Certificate {
            died: DiedAt::Moment(Millis(1_772_406_000_000)),
            causes: vec![cause("의식을 잃음", Some(hours)), cause("I61.9 뇌출혈", None)],
            others: vec![cause("E11.9", None)],
            manner: "disease".into(),
            place: "home".into(),
            place_words: "새마을리".into(),
            external: "넘어짐".into(),
            surgery: "no".into(),
            autopsy: "unknown".into(),
            pregnancy: String::new(),
        };
        let subject = json!({ "reference": "Patient/a" });
        let resource = certificate.to_json(&subject, "Practitioner/b", 540);
        assert!(Certificate::read(&resource) == certificate);
        assert_eq!(certificate.underlying().unwrap().code.as_deref(), Some("I61.9"));
    }
}
