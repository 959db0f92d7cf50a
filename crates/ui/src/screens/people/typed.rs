//! What is typed about a person: the same fields when registering and when correcting.

use ondol_app::people::{Birth, PaperNumber, Person, Registration, Sex, Stranger, plain};
use ondol_kernel::{Date, Millis, ResourceId};

use crate::form::{Choice, Form, PartialDate, TypedDate};
use crate::page::Page;
use crate::texts::T;

/// The kinds of registration, as the form's field `kind` has them.
pub const KINDS: [&str; 3] = ["known", "newborn", "stranger"];

/// The kind that a form is of.
pub fn kind(form: &Form) -> &'static str {
    KINDS.into_iter().find(|kind| form.value("kind") == *kind).unwrap_or("known")
}

/// The names of the fields on the page.
pub fn labels(t: T) -> Vec<(&'static str, String)> {
    vec![
        ("name", t.get("people-name")),
        ("born", t.get("people-born")),
        ("age", t.get("people-age")),
        ("time", t.get("people-birth-time")),
        ("mother-number", t.get("people-mother-number")),
        ("number", t.get("people-number")),
        ("reason", t.get("people-reason")),
        ("photo", t.get("people-photo")),
    ]
}

/// Choices of sex.
pub fn sexes(t: T) -> Vec<Choice> {
    vec![
        Choice::new("female", t.get("sex-female")),
        Choice::new("male", t.get("sex-male")),
        Choice::new("unknown", t.get("sex-unknown")),
    ]
}

/// Choices among twins.
pub fn orders(t: T) -> Vec<Choice> {
    vec![
        Choice::new("", t.get("people-single")),
        Choice::new("1", t.get("people-twin-a")),
        Choice::new("2", t.get("people-twin-b")),
        Choice::new("3", t.get("people-twin-c")),
    ]
}

/// The year of a date that may lack month and day.
pub const fn year_of(date: PartialDate) -> i32 {
    match date {
        PartialDate::Year(year) | PartialDate::Month(year, _) => year,
        PartialDate::Day(date) => date.year(),
    }
}

/// Reads a form; what cannot be read becomes a complaint.
pub fn read(page: &Page, form: &mut Form) -> Registration {
    let t = page.t;
    let kind = kind(form);
    let text = |form: &Form, name: &str| form.value(name).to_owned();
    let birth = birth(page, form);
    let birth_time = if kind == "newborn" { birth_time(page, form, birth) } else { None };
    let paper = (!form.value("paper").is_empty())
        .then(|| PaperNumber { label: text(form, "paper-kind"), value: text(form, "paper") });
    let doctor = form.value("doctor");
    let doctor = if doctor.is_empty() { None } else { ResourceId::new(doctor).ok() };
    if !form.value("doctor").is_empty() && doctor.is_none() {
        form.complain("doctor", t.get("people-doctor"), t.get("people-error-choose"));
    }
    Registration {
        name: text(form, "name"),
        sex: Sex::from_code(form.value("sex")),
        birth,
        birth_time,
        birth_order: if kind == "newborn" { form.value("order").parse().ok() } else { None },
        mother_name: text(form, "mother"),
        mother: None,
        ri: text(form, "ri"),
        house: text(form, "house"),
        phone: text(form, "phone"),
        doctor,
        paper,
        resident: form.value("resident") == "yes",
        stranger: (kind == "stranger").then(|| Stranger {
            description: text(form, "description"),
            found_at: text(form, "found-at"),
        }),
        photo: None,
        number: None,
    }
}

fn birth(page: &Page, form: &mut Form) -> Option<Birth> {
    let t = page.t;
    match form.date("born") {
        TypedDate::Valid(PartialDate::Day(date)) => return Some(Birth::Day(date)),
        TypedDate::Valid(PartialDate::Month(year, month)) => {
            return Some(Birth::Month(year, month));
        }
        TypedDate::Valid(PartialDate::Year(year)) => return Some(Birth::Year(year)),
        TypedDate::Wrong => {
            form.complain("born", t.get("people-born"), t.get("people-error-date"));
            return None;
        }
        TypedDate::Empty => {}
    }
    if form.value("age").is_empty() {
        return None;
    }
    let age = form.number("age").and_then(|age| age.parse::<u32>().ok());
    match age.filter(|age| *age <= 130) {
        Some(age) => Some(Birth::of_age(age, page.today())),
        None => {
            form.complain("age", t.get("people-age"), t.get("people-error-number"));
            None
        }
    }
}

fn birth_time(page: &Page, form: &mut Form, birth: Option<Birth>) -> Option<Millis> {
    let t = page.t;
    let date = match birth {
        Some(Birth::Day(date)) => date,
        _ => page.today(),
    };
    let typed = form.value("time");
    // Of a newborn at least the day is known: it is today unless another one was typed.
    let minutes = if typed.is_empty() { Some(0) } else { minutes_of(typed) };
    let Some(minutes) = minutes else {
        form.complain("time", t.get("people-birth-time"), t.get("people-error-time"));
        return None;
    };
    Some(at(page, date, minutes))
}

/// The moment of a day, in minutes after midnight, where the node stands.
pub fn at(page: &Page, date: Date, minutes: i64) -> Millis {
    let offset = i64::from(page.utc_offset_minutes);
    Millis(date.days() * ondol_kernel::DAY_MS + (minutes - offset) * 60_000)
}

/// Reads `8:12`, `08.12` or `0812`, also with full-width digits.
pub fn minutes_of(typed: &str) -> Option<i64> {
    let digits = plain(typed);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) || digits.len() > 4 {
        return None;
    }
    let (hour, minute) =
        if digits.len() <= 2 { (digits.as_str(), "0") } else { digits.split_at(digits.len() - 2) };
    let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

/// A form that holds what is known of a person.
pub fn form_of(person: &Person) -> Form {
    let mut fields: Vec<(&str, String)> = vec![
        ("kind", if person.stranger.is_some() { "stranger" } else { "known" }.to_owned()),
        ("name", person.name.clone()),
        ("sex", person.sex.map_or_else(String::new, |sex| sex.code().to_owned())),
        ("mother", person.mother.clone()),
        ("ri", person.ri.clone()),
        ("house", person.house.clone()),
        ("phone", person.phone.clone()),
    ];
    match person.birth {
        Birth::Day(date) => {
            fields.push(("born-year", date.year().to_string()));
            fields.push(("born-month", date.month().to_string()));
            fields.push(("born-day", date.day().to_string()));
        }
        Birth::Month(year, month) => {
            fields.push(("born-year", year.to_string()));
            fields.push(("born-month", month.to_string()));
        }
        Birth::Year(year) | Birth::About(year) => fields.push(("born-year", year.to_string())),
        Birth::Unknown => {}
    }
    if let Some(doctor) = person.doctors.first() {
        let id = doctor.strip_prefix("Practitioner/").unwrap_or(doctor);
        fields.push(("doctor", id.to_owned()));
    }
    if let Some(stranger) = &person.stranger {
        fields.push(("description", stranger.description.clone()));
        fields.push(("found-at", stranger.found_at.clone()));
    }
    fields.push(("resident", if person.home.is_some() { "yes" } else { "no" }.to_owned()));
    Form::of(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (typed, minutes) in [
            ("8:12", Some(492)),
            ("08.12", Some(492)),
            ("0812", Some(492)),
            ("８：１２", Some(492)),
            ("8", Some(480)),
            ("23:59", Some(1_439)),
            ("24:00", None),
            ("8:60", None),
            ("", None),
            ("아침", None),
        ] {
            assert_eq!(minutes_of(typed), minutes, "{typed}");
        }
    }
}
