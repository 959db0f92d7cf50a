//! A person as the record has it.

use ondol_kernel::{Date, ResourceId};
use ondol_store::blobs::BlobHash;
use serde_json::{Value, json};

use crate::{coding, road};

/// Sex as recorded (R4 administrative-gender).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Neither of the two.
    Other,
    /// Asked for, and not known.
    Unknown,
}

impl Sex {
    /// R4's code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Female => "female",
            Self::Male => "male",
            Self::Other => "other",
            Self::Unknown => "unknown",
        }
    }

    /// The sex with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Female, Self::Male, Self::Other, Self::Unknown]
            .into_iter()
            .find(|sex| sex.code() == code)
    }
}

/// When a person was born, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Birth {
    /// The day.
    Day(Date),
    /// Year and month.
    Month(i32, u8),
    /// The year.
    Year(i32),
    /// The year was worked out from an age that somebody guessed.
    About(i32),
    /// Nobody knows.
    Unknown,
}

/// How old a person is, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Born on this day.
    Born(Date),
    /// About so many completed years.
    About {
        /// Completed years.
        years: u32,
    },
    /// Nobody knows.
    Unknown,
    /// What was written of the birth cannot be: to be asked again.
    Doubted(BirthDoubt),
}

/// Why a date of birth is not believed. Limits that depend on the age are then not guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BirthDoubt {
    /// It lies after the day in question.
    Ahead,
    /// The person would be older than [`OLDEST_YEARS`].
    TooOld,
}

/// The highest age in completed years that is believed without a question. Our own guard against
/// slips, not a clinical limit.
pub const OLDEST_YEARS: u32 = 120;

impl Birth {
    /// Reads `birthDate` (R4 `date`) and whether it was guessed.
    pub fn parse(text: &str, guessed: bool) -> Self {
        let year = text.get(..4).and_then(|year| year.parse::<i32>().ok());
        match (text.len(), year) {
            (10, _) => Date::parse(text).map_or(Self::Unknown, Self::Day),
            (7, Some(year)) => {
                let month = text.get(5..).and_then(|month| month.parse::<u8>().ok());
                let month = month.filter(|month| (1..=12).contains(month));
                month.map_or(Self::Unknown, |month| Self::Month(year, month))
            }
            (4, Some(year)) if guessed => Self::About(year),
            (4, Some(year)) => Self::Year(year),
            _ => Self::Unknown,
        }
    }

    /// The year that a guessed age in completed years leads to.
    pub fn of_age(years: u32, today: Date) -> Self {
        let years = i32::try_from(years).unwrap_or(i32::MAX);
        Self::About(today.year().saturating_sub(years).max(1))
    }

    /// As R4's `date`.
    pub fn to_fhir(self) -> Option<String> {
        match self {
            Self::Day(date) => Some(date.to_string()),
            Self::Month(year, month) => Some(format!("{year:04}-{month:02}")),
            Self::Year(year) | Self::About(year) => Some(format!("{year:04}")),
            Self::Unknown => None,
        }
    }

    /// The year, if it is known.
    pub const fn year(self) -> Option<i32> {
        match self {
            Self::Day(date) => Some(date.year()),
            Self::Month(year, _) | Self::Year(year) | Self::About(year) => Some(year),
            Self::Unknown => None,
        }
    }

    /// Why this birth is not believed on a day, if it is not. Of an inexact birth the most
    /// likely reading counts: somebody born in this year may be born by now.
    pub fn doubt(self, on: Date) -> Option<BirthDoubt> {
        let ahead = match self {
            Self::Day(date) => date > on,
            Self::Month(year, month) => (year, month) > (on.year(), on.month()),
            Self::Year(year) | Self::About(year) => year > on.year(),
            Self::Unknown => return None,
        };
        let oldest = i32::try_from(OLDEST_YEARS).unwrap_or(i32::MAX);
        // The youngest that the person can be.
        let least = match self {
            Self::Day(date) => i32::try_from(date.age_years(on)).unwrap_or(i32::MAX),
            Self::Month(year, month) => on.year() - year - i32::from(month >= on.month()),
            Self::Year(year) | Self::About(year) => on.year() - year - 1,
            Self::Unknown => 0,
        };
        if ahead { Some(BirthDoubt::Ahead) } else { (least > oldest).then_some(BirthDoubt::TooOld) }
    }

    /// Completed years on a day, as the most that they can be; `None` if nobody knows, or if what
    /// was written cannot be.
    pub fn years(self, on: Date) -> Option<u32> {
        if self.doubt(on).is_some() {
            return None;
        }
        match self {
            Self::Day(date) => Some(date.age_years(on)),
            Self::Month(year, month) => Date::new(year, month, 1).map(|first| first.age_years(on)),
            Self::Year(year) | Self::About(year) => u32::try_from(on.year() - year).ok(),
            Self::Unknown => None,
        }
    }

    /// The age on a day, for a banner.
    pub fn age(self, today: Date) -> Age {
        match (self.doubt(today), self) {
            (Some(doubt), _) => Age::Doubted(doubt),
            (None, Self::Day(date)) => Age::Born(date),
            (None, birth) => birth.years(today).map_or(Age::Unknown, |years| Age::About { years }),
        }
    }

    /// All ages that the person may have on a day, as exactly as the limits of vital signs ask.
    /// Of a birth that cannot be no age is guessed, least of all the youngest.
    pub fn ages(self, today: Date) -> Vec<ondol_terms::Age> {
        let unknown = vec![ondol_terms::Age::Unknown];
        let Some(most) = self.years(today) else { return unknown };
        match self {
            Self::Day(date) => vec![ondol_terms::Age::Months(date.age_months(today))],
            Self::Month(year, month) => {
                let Some(first) = Date::new(year, month, 1) else { return unknown };
                let first = first.age_months(today);
                vec![
                    ondol_terms::Age::Months(first.saturating_sub(1)),
                    ondol_terms::Age::Months(first),
                ]
            }
            _ if most == 0 => vec![ondol_terms::Age::Years(0)],
            _ => vec![ondol_terms::Age::Years(most - 1), ondol_terms::Age::Years(most)],
        }
    }
}

/// An identifier.
#[derive(Clone, PartialEq, Eq)]
pub struct Number {
    /// Its system.
    pub system: String,
    /// Its value.
    pub value: String,
    /// What it is called on the paper it comes from; empty if nobody said.
    pub label: String,
}

/// What is noted of somebody whom nobody knows.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Stranger {
    /// By what the person can be told from others.
    pub description: String,
    /// Where the person was found.
    pub found_at: String,
}

/// How a chart is linked to another one (R4 link-type).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// The other chart is the one to use.
    ReplacedBy,
    /// This chart is the one to use.
    Replaces,
    /// Both say something.
    SeeAlso,
}

/// A link to another chart of the same person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The other Patient.
    pub other: ResourceId,
    /// How.
    pub kind: LinkKind,
}

/// What the banner and the lists say of a person. It has no `Debug`: it names somebody.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// The Patient's id.
    pub id: ResourceId,
    /// The name; empty if nobody knows it.
    pub name: String,
    /// Other names that the person is or was known by.
    pub other_names: Vec<String>,
    /// Sex as recorded; `None` if nobody asked.
    pub sex: Option<Sex>,
    /// When born.
    pub birth: Birth,
    /// The moment of birth, as recorded, for a newborn.
    pub birth_time: Option<String>,
    /// The mother's name; empty if nobody knows it.
    pub mother: String,
    /// The place among twins, from 1.
    pub birth_order: Option<u64>,
    /// All numbers.
    pub numbers: Vec<Number>,
    /// The village (ri) or town.
    pub ri: String,
    /// House, people's unit: the rest of the address.
    pub house: String,
    /// A telephone number.
    pub phone: String,
    /// `Organization/…` of the home facility.
    pub home: Option<String>,
    /// `Practitioner/…` of the section doctors.
    pub doctors: Vec<String>,
    /// The photograph.
    pub photo: Option<BlobHash>,
    /// Whether the person has died.
    pub died: bool,
    /// When, as it was written (R4 `dateTime`); empty if nobody said.
    pub died_at: String,
    /// Set for somebody whom nobody knows.
    pub stranger: Option<Stranger>,
    /// Other charts of the same person.
    pub links: Vec<Link>,
    /// Whether two versions of the person's own data stand side by side.
    pub two_versions: bool,
}

impl Person {
    /// Reads a Patient's document.
    pub fn read(id: &ResourceId, patient: &Value, two_versions: bool) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let mut names = names(patient);
        let name = if names.is_empty() { String::new() } else { names.remove(0) };
        let address = &patient["address"][0];
        let stranger = extension(patient, coding::STRANGER).map(|of| Stranger {
            description: extension(of, "description")
                .map_or(String::new(), |e| text(&e["valueString"])),
            found_at: extension(of, "found-at").map_or(String::new(), |e| text(&e["valueString"])),
        });
        Self {
            id: id.clone(),
            name,
            other_names: names,
            sex: patient["gender"].as_str().and_then(Sex::from_code),
            birth: Self::read_birth(patient),
            birth_time: extension(&patient["_birthDate"], coding::BIRTH_TIME)
                .and_then(|e| e["valueDateTime"].as_str().map(str::to_owned)),
            mother: extension(patient, coding::MOTHER_NAME)
                .map_or(String::new(), |e| text(&e["valueString"])),
            birth_order: patient["multipleBirthInteger"].as_u64(),
            numbers: items(&patient["identifier"])
                .filter_map(|of| {
                    Some(Number {
                        system: text(&of["system"]),
                        value: of["value"].as_str()?.to_owned(),
                        label: text(&of["type"]["text"]),
                    })
                })
                .collect(),
            ri: text(&address["city"]),
            house: house(address),
            phone: items(&patient["telecom"])
                .find(|of| of["system"] == "phone")
                .map_or(String::new(), |of| text(&of["value"])),
            home: patient["managingOrganization"]["reference"].as_str().map(str::to_owned),
            doctors: items(&patient["generalPractitioner"])
                .filter_map(|of| of["reference"].as_str().map(str::to_owned))
                .collect(),
            photo: items(&patient["photo"]).find_map(|of| road::hash_of(of["url"].as_str()?)),
            died: patient["deceasedBoolean"] == true || patient["deceasedDateTime"].is_string(),
            died_at: text(&patient["deceasedDateTime"]),
            stranger,
            links: links_of(patient),
            two_versions,
        }
    }

    /// When a Patient's document says that the person was born.
    pub(crate) fn read_birth(patient: &Value) -> Birth {
        let guessed = extension(&patient["_birthDate"], coding::BIRTH_GUESSED)
            .is_some_and(|e| e["valueBoolean"] == true);
        Birth::parse(patient["birthDate"].as_str().unwrap_or(""), guessed)
    }

    /// The number to be read aloud: the provisional one first, as it stands on the card.
    pub fn number(&self) -> Option<&Number> {
        self.numbers
            .iter()
            .find(|number| number.system == coding::PROVISIONAL_NUMBER)
            .or_else(|| self.numbers.first())
    }

    /// Whether the only number is a provisional one.
    pub fn is_provisional(&self) -> bool {
        self.numbers.iter().all(|number| number.system == coding::PROVISIONAL_NUMBER)
    }

    /// Whether the person was registered as a newborn and has no name yet.
    pub fn is_unnamed_newborn(&self) -> bool {
        self.name.is_empty() && self.birth_time.is_some()
    }

    /// The chart in whose place this one is not to be used, if it was linked to one.
    pub fn replaced_by(&self) -> Option<&ResourceId> {
        self.links.iter().find(|link| link.kind == LinkKind::ReplacedBy).map(|link| &link.other)
    }
}

/// The elements of an array, none if it is none.
pub(crate) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The extension of an element with this URL.
pub(crate) fn extension<'a>(element: &'a Value, url: &str) -> Option<&'a Value> {
    element["extension"].as_array()?.iter().find(|extension| extension["url"] == url)
}

/// Sets, replaces or (with `None`) removes the extension with this URL.
pub(crate) fn set_extension(element: &mut Value, url: &str, value: Option<Value>) {
    let mut all: Vec<Value> = items(&element["extension"]).cloned().collect();
    all.retain(|extension| extension["url"] != url);
    if let Some(mut value) = value {
        value["url"] = json!(url);
        all.push(value);
    }
    match element.as_object_mut() {
        Some(members) if all.is_empty() => {
            members.shift_remove("extension");
        }
        Some(members) => {
            members.insert("extension".into(), Value::Array(all));
        }
        None => {}
    }
}

/// The names to show, the one in use first.
fn names(patient: &Value) -> Vec<String> {
    let rank = |name: &Value| match name["use"].as_str() {
        Some("official") => 0,
        Some("usual") => 1,
        Some("old" | "maiden") => 3,
        _ => 2,
    };
    let mut all: Vec<&Value> = items(&patient["name"]).collect();
    all.sort_by_key(|name| rank(name));
    all.into_iter()
        .filter_map(|name| ondol_fhir::views::HumanName::of(name.as_object()?).display())
        .filter(|name| !name.trim().is_empty())
        .collect()
}

/// House and people's unit: the address without the ri.
fn house(address: &Value) -> String {
    let lines: Vec<&str> = items(&address["line"]).filter_map(Value::as_str).collect();
    match (lines.is_empty(), address["city"].is_string()) {
        (false, _) => lines.join(" "),
        (true, false) => address["text"].as_str().unwrap_or("").to_owned(),
        (true, true) => String::new(),
    }
}

/// The links of a Patient to other Patients.
pub(crate) fn links_of(patient: &Value) -> Vec<Link> {
    items(&patient["link"]).filter_map(link).collect()
}

fn link(link: &Value) -> Option<Link> {
    let other = link["other"]["reference"].as_str()?.strip_prefix("Patient/")?;
    let kind = match link["type"].as_str()? {
        "replaced-by" => LinkKind::ReplacedBy,
        "replaces" => LinkKind::Replaces,
        _ => LinkKind::SeeAlso,
    };
    Some(Link { other: ResourceId::new(other).ok()?, kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn a_birth_is_never_more_exact_than_what_was_said() {
        for (text, guessed, birth) in [
            ("1961", false, Birth::Year(1961)),
            ("1961", true, Birth::About(1961)),
            ("1961-12", false, Birth::Month(1961, 12)),
            ("1961-12-03", false, Birth::Day(day("1961-12-03"))),
            ("", false, Birth::Unknown),
            ("1961-13", false, Birth::Unknown),
        ] {
            assert_eq!(Birth::parse(text, guessed), birth, "{text}");
            if birth != Birth::Unknown {
                assert_eq!(birth.to_fhir().as_deref(), Some(text));
            }
        }
        assert_eq!(Birth::of_age(40, day("2026-03-02")), Birth::About(1986));
        assert_eq!(Birth::About(1986).age(day("2026-03-02")), Age::About { years: 40 });
    }

    #[test]
    fn all_ages_that_are_possible_are_judged() {
        use ondol_terms::Age::{Months, Unknown, Years};
        let today = day("2026-03-02");
        assert_eq!(Birth::Day(day("2026-01-03")).ages(today), [Months(1)]);
        assert_eq!(Birth::Year(2014).ages(today), [Years(11), Years(12)]);
        assert_eq!(Birth::Year(2026).ages(today), [Years(0)]);
        assert_eq!(Birth::Unknown.ages(today), [Unknown]);
    }

    #[test]
    fn a_birth_that_cannot_be_is_no_age_and_least_of_all_the_youngest() {
        use ondol_terms::Age::Unknown;
        let today = day("2026-03-02");
        for (birth, doubt) in [
            (Birth::Year(2027), BirthDoubt::Ahead),
            (Birth::About(2031), BirthDoubt::Ahead),
            (Birth::Month(2026, 4), BirthDoubt::Ahead),
            (Birth::Day(day("2026-03-03")), BirthDoubt::Ahead),
            (Birth::Year(1904), BirthDoubt::TooOld),
            (Birth::Month(1905, 2), BirthDoubt::TooOld),
            (Birth::Day(day("1905-03-01")), BirthDoubt::TooOld),
            (Birth::Year(1), BirthDoubt::TooOld),
        ] {
            assert_eq!(birth.doubt(today), Some(doubt), "{birth:?}");
            assert_eq!(birth.ages(today), [Unknown], "{birth:?}");
            assert_eq!((birth.age(today), birth.years(today)), (Age::Doubted(doubt), None));
        }
        for birth in [
            Birth::Year(2026),
            Birth::Month(2026, 3),
            Birth::Day(today),
            Birth::Year(1905),
            Birth::Month(1905, 3),
            Birth::Day(day("1905-03-03")),
            Birth::Unknown,
        ] {
            assert_eq!(birth.doubt(today), None, "{birth:?}");
        }
    }

    #[test]
    fn an_extension_is_set_once_and_removed_whole() {
        let mut patient = json!({ "extension": [{ "url": "a", "valueString": "1" }] });
        set_extension(&mut patient, "b", Some(json!({ "valueString": "2" })));
        set_extension(&mut patient, "b", Some(json!({ "valueString": "3" })));
        assert_eq!(extension(&patient, "b").unwrap()["valueString"], "3");
        set_extension(&mut patient, "a", None);
        set_extension(&mut patient, "b", None);
        assert_eq!(patient, json!({}));
    }
}
