//! Whether the patient of a DICOM file is the patient of the chart.

use ondol_imaging::dicom::{Patient, Sex, Stated};
use ondol_kernel::{Date, Sensitive};
use serde_json::Value;

use crate::consult::step::each;

/// In what a file's patient differs from the chart's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Differs {
    /// The name is another.
    Name,
    /// The date of birth is another.
    BirthDate,
    /// The sex is another.
    Sex,
    /// Something stands there that cannot be read.
    Unreadable,
    /// The file names nobody.
    Nobody,
}

impl Differs {
    /// All.
    pub const ALL: [Self; 5] =
        [Self::Name, Self::BirthDate, Self::Sex, Self::Unreadable, Self::Nobody];

    /// The code in records.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::BirthDate => "birth-date",
            Self::Sex => "sex",
            Self::Unreadable => "unreadable",
            Self::Nobody => "nobody",
        }
    }

    /// The difference with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|differs| differs.code() == code)
    }
}

/// Compares. What either side does not state is no difference, but a file that states nothing
/// about its patient is said to name nobody.
pub fn compare(file: &Patient, chart: &Value) -> Vec<Differs> {
    let mut found = vec![];
    let names = file.names();
    let known: Vec<String> = names_of(chart);
    if !names.is_empty()
        && !known.is_empty()
        && !names.iter().any(|name| known.contains(&folded(name.reveal())))
    {
        found.push(Differs::Name);
    }
    if let Some(Stated::Read(born)) = file.birth_date.as_ref().map(Sensitive::reveal)
        && chart["birthDate"].as_str().is_some_and(|known| !same_date(*born, known))
    {
        found.push(Differs::BirthDate);
    }
    if let Some(Stated::Read(sex)) = file.sex.as_ref().map(Sensitive::reveal) {
        let code = match sex {
            Sex::Male => "male",
            Sex::Female => "female",
            Sex::Other => "other",
        };
        let known = chart["gender"].as_str();
        if known.is_some_and(|known| known != "unknown" && known != code) {
            found.push(Differs::Sex);
        }
    }
    if is_unreadable(file) {
        found.push(Differs::Unreadable);
    }
    let silent = names.is_empty() && file.birth_date.is_none() && file.number.is_none();
    if found.is_empty() && silent {
        found.push(Differs::Nobody);
    }
    found
}

fn is_unreadable(file: &Patient) -> bool {
    let name = file.name.as_ref().map(Sensitive::reveal);
    let born = file.birth_date.as_ref().map(Sensitive::reveal);
    matches!(name, Some(Stated::Unreadable)) || matches!(born, Some(Stated::Unreadable))
}

/// A date that is known to the year or month only differs if that part does.
fn same_date(born: Date, known: &str) -> bool {
    born.to_string().starts_with(known)
}

fn names_of(chart: &Value) -> Vec<String> {
    let mut names = vec![];
    for name in each(&chart["name"]) {
        let family = name["family"].as_str().unwrap_or("");
        let given: Vec<&str> = each(&name["given"]).filter_map(Value::as_str).collect();
        let given = given.join(" ");
        names.extend(name["text"].as_str().map(folded));
        names.push(folded(&format!("{family}{given}")));
        names.push(folded(&format!("{given}{family}")));
    }
    names.retain(|name| !name.is_empty());
    names
}

/// Letters alone, lower case: how blanks and marks are set differs from device to device.
fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn file(name: Option<&str>, born: Option<&str>, sex: Option<Sex>) -> Patient {
        Patient {
            name: name.map(|name| Sensitive::new(Stated::Read(name.to_owned()))),
            number: None,
            birth_date: born.map(|d| Sensitive::new(Stated::Read(Date::parse(d).unwrap()))),
            sex: sex.map(|sex| Sensitive::new(Stated::Read(sex))),
        }
    }

    fn chart() -> Value {
        json!({
            "name": [{ "text": "리용희", "family": "리", "given": ["용희"] },
                     { "family": "RI", "given": ["Yong Hui"] }],
            "birthDate": "1961-03", "gender": "female"
        })
    }

    #[test]
    fn the_same_person_differs_in_nothing_however_blanks_are_set() {
        for name in ["리^용희", "RI^YONG HUI=리^용희", "Ri Yonghui"] {
            let file = file(Some(name), Some("1961-03-09"), Some(Sex::Female));
            assert_eq!(compare(&file, &chart()), [], "{name}");
        }
    }

    #[test]
    fn another_name_birth_date_or_sex_is_said() {
        let other = file(Some("Kim^Chol"), Some("1990-01-01"), Some(Sex::Male));
        let found = compare(&other, &chart());
        assert_eq!(found, [Differs::Name, Differs::BirthDate, Differs::Sex]);
    }

    #[test]
    fn a_file_that_names_nobody_is_not_taken_for_this_patient_silently() {
        assert_eq!(compare(&file(None, None, None), &chart()), [Differs::Nobody]);
        let mut unreadable = file(None, None, Some(Sex::Female));
        unreadable.name = Some(Sensitive::new(Stated::Unreadable));
        assert_eq!(compare(&unreadable, &chart()), [Differs::Unreadable]);
    }
}
