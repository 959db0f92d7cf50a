//! What a person typed into a form, and what is to be mended in it.

use axum::extract::{FromRequest, RawForm, Request};
use ondol_kernel::Date;

use crate::trouble::Trouble;

/// The fields of a form as they were typed, with complaints. A form with complaints is shown
/// again (status 422) with everything that was typed.
///
/// As an extractor it takes any urlencoded body (or the query of a GET): wrong input is a
/// complaint beside the field, never a refusal of the whole page.
#[derive(Clone, Default)]
pub struct Form {
    fields: Vec<(String, String)>,
    complaints: Vec<Complaint>,
}

/// What is wrong in one field, and what to do.
#[derive(Clone)]
pub struct Complaint {
    /// The name of the field, to which the summary links.
    pub field: String,
    /// What the label says.
    pub label: String,
    /// What to do, as a sentence.
    pub text: String,
}

/// One of several answers, as a chip, an option or a tick.
#[derive(Clone)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
}

impl Choice {
    /// An answer.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into() }
    }
}

/// A date of which the day, or the month and the day, may be unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartialDate {
    /// Only the year is known.
    Year(i32),
    /// Year and month are known.
    Month(i32, u8),
    /// The whole date is known.
    Day(Date),
}

/// What three boxes for a date hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypedDate {
    /// Nothing was typed.
    Empty,
    /// A date that exists.
    Valid(PartialDate),
    /// Something that is no date.
    Wrong,
}

impl Form {
    /// A form that holds some fields already, as from a draft or a record.
    pub fn of<N: Into<String>, V: Into<String>>(fields: impl IntoIterator<Item = (N, V)>) -> Self {
        let fields = fields.into_iter().map(|(n, v)| (n.into(), v.into())).collect();
        Self { fields, complaints: Vec::new() }
    }

    /// A form from `application/x-www-form-urlencoded` bytes (WHATWG URL §5).
    pub fn parse(body: &[u8]) -> Self {
        Self::of(form_urlencoded::parse(body))
    }

    /// What was typed into a field, without blanks around it; empty if nothing was.
    pub fn value(&self, name: &str) -> &str {
        self.values(name).next().unwrap_or_default()
    }

    /// What was typed into fields of the same name, in their order.
    pub fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.trim())
    }

    /// Whether an answer was chosen.
    pub fn chose(&self, name: &str, value: &str) -> bool {
        self.values(name).any(|v| v == value)
    }

    /// All fields, as they came.
    pub fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    /// Puts a value into a field in place of what was there.
    pub fn put(&mut self, name: &str, value: impl Into<String>) {
        self.fields.retain(|(n, _)| n != name);
        self.fields.push((name.to_owned(), value.into()));
    }

    /// A typed number in plain form: `36,5` and full-width digits become `36.5`. `None` if it is
    /// empty or no number, or if a comma could mean thousands (`1,000`): that is never guessed.
    pub fn number(&self, name: &str) -> Option<String> {
        plain_number(self.value(name))
    }

    /// What was typed into one of several boxes of a field: `NAME-PART`.
    pub fn part(&self, name: &str, part: &str) -> &str {
        self.value(&format!("{name}-{part}"))
    }

    /// The date in the boxes `NAME-year`, `NAME-month`, `NAME-day`.
    pub fn date(&self, name: &str) -> TypedDate {
        let part = |part: &str| self.part(name, part);
        let whole = |text: &str| plain_number(text).and_then(|n| n.parse::<i32>().ok());
        let small = |text: &str| whole(text).and_then(|n| u8::try_from(n).ok());
        let (year, month, day) = (part("year"), part("month"), part("day"));
        let exists = |year, month, day| Date::new(year, month, day);
        let date = match (year.is_empty(), month.is_empty(), day.is_empty()) {
            (true, true, true) => return TypedDate::Empty,
            (false, true, true) => {
                whole(year).filter(|y| exists(*y, 1, 1).is_some()).map(PartialDate::Year)
            }
            (false, false, true) => whole(year)
                .zip(small(month))
                .filter(|(y, m)| exists(*y, *m, 1).is_some())
                .map(|(y, m)| PartialDate::Month(y, m)),
            (false, false, false) => whole(year)
                .zip(small(month))
                .zip(small(day))
                .and_then(|((y, m), d)| exists(y, m, d))
                .map(PartialDate::Day),
            _ => None,
        };
        date.map_or(TypedDate::Wrong, TypedDate::Valid)
    }

    /// Notes what is to be mended: the field, its label, and a sentence that says what to do.
    pub fn complain(
        &mut self,
        field: &str,
        label: impl Into<String>,
        text: impl std::fmt::Display,
    ) {
        let (field, text) = (field.to_owned(), text.to_string());
        self.complaints.push(Complaint { field, label: label.into(), text });
    }

    /// What is to be mended, in the order it was found.
    pub fn complaints(&self) -> &[Complaint] {
        &self.complaints
    }

    /// The complaint about a field; empty if there is none.
    pub fn complaint(&self, field: &str) -> &str {
        self.complaints.iter().find(|c| c.field == field).map_or("", |c| &c.text)
    }

    /// Whether nothing is to be mended.
    pub fn is_fine(&self) -> bool {
        self.complaints.is_empty()
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Trouble;

    async fn from_request(request: Request, state: &S) -> Result<Self, Trouble> {
        match RawForm::from_request(request, state).await {
            Ok(RawForm(bytes)) => Ok(Self::parse(&bytes)),
            Err(_) => Err(Trouble::BadRequest),
        }
    }
}

fn plain_number(text: &str) -> Option<String> {
    let ascii: String = text
        .trim()
        .chars()
        .map(|c| match c {
            '０'..='９' => char::from(b'0' + u8::try_from(c as u32 - '０' as u32).unwrap_or(0)),
            '，' => ',',
            '．' | '。' => '.',
            other => other,
        })
        .collect();
    let (sign, digits) = ascii.strip_prefix('-').map_or(("", ascii.as_str()), |rest| ("-", rest));
    let (whole, fraction) = match digits.split_once(['.', ',']) {
        Some((_, fraction)) if digits.contains(',') && fraction.len() == 3 => return None,
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    match fraction {
        None => all_digits(whole).then(|| format!("{sign}{whole}")),
        Some(fraction) => {
            (all_digits(whole) && all_digits(fraction)).then(|| format!("{sign}{whole}.{fraction}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_type_them_and_never_guessed() {
        for (typed, plain) in [
            ("36.5", Some("36.5")),
            ("36,5", Some("36.5")),
            (" 120 ", Some("120")),
            ("３６．５", Some("36.5")),
            ("３６，５", Some("36.5")),
            ("-2", Some("-2")),
            ("1,000", None),
            ("1.000", Some("1.000")),
            ("", None),
            ("120/80", None),
            ("12a", None),
            (".5", None),
            ("5.", None),
            ("1.2.3", None),
            ("1e3", None),
            ("٣", None),
        ] {
            assert_eq!(plain_number(typed).as_deref(), plain, "{typed}");
        }
    }

    #[test]
    fn a_date_may_lack_its_day_but_not_its_year() {
        let typed = |body: &str| Form::parse(body.as_bytes()).date("born");
        assert_eq!(typed(""), TypedDate::Empty);
        assert_eq!(typed("born-year=1961"), TypedDate::Valid(PartialDate::Year(1961)));
        assert_eq!(
            typed("born-year=1961&born-month=12&born-day="),
            TypedDate::Valid(PartialDate::Month(1961, 12))
        );
        assert_eq!(
            typed("born-year=2024&born-month=2&born-day=29"),
            TypedDate::Valid(PartialDate::Day(Date::new(2024, 2, 29).unwrap()))
        );
        for wrong in [
            "born-month=3",
            "born-year=2023&born-month=2&born-day=29",
            "born-year=1961&born-day=3",
            "born-year=abc",
            "born-year=1961&born-month=300",
        ] {
            assert_eq!(typed(wrong), TypedDate::Wrong, "{wrong}");
        }
    }

    #[test]
    fn what_was_typed_stays_and_complaints_name_their_field() {
        let mut form = Form::parse("weight=7%2C&sign=cough&sign=fever&name=+리용희+".as_bytes());
        form.complain("weight", "몸무게", "수자로 쓰십시오.");
        assert_eq!(form.value("weight"), "7,");
        assert_eq!(form.value("name"), "리용희");
        assert!(form.chose("sign", "cough") && form.chose("sign", "fever"));
        assert!(!form.chose("sign", "rash"));
        assert_eq!(form.complaint("weight"), "수자로 쓰십시오.");
        assert_eq!(form.complaint("name"), "");
        assert!(!form.is_fine());
    }
}
