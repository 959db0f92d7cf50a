//! What fills the holes of shapes: dates, times and numbers, as they are written (ADR 0013).

use ondol_kernel::Date;

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeForm {
    /// Whether it is a date alone.
    pub date: bool,
    /// Whether thousandths of a second stand there.
    pub thousandths: bool,
    /// Minutes east of UTC; `None` for a `Z`.
    pub offset: Option<i16>,
}

/// A FHIR date with a day, or an instant to the second or to its thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// How it is written.
    pub form: TimeForm,
    /// Seconds since 1970 in UTC; of a date its days since then.
    pub at: i64,
    /// Thousandths.
    pub thousandths: u16,
}

fn two(text: &str, at: usize) -> Option<i64> {
    let digits = text.get(at..at + 2)?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

impl Time {
    /// Reads a text; `None` if it is not one that [`Time::spell`] gives back.
    pub fn parse(text: &str) -> Option<Self> {
        let read = Self::read(text)?;
        (read.spell() == text).then_some(read)
    }

    fn read(text: &str) -> Option<Self> {
        if !matches!(text.len(), 10 | 20 | 24 | 25 | 29) || !text.is_ascii() {
            return None;
        }
        let days = Date::parse(&text[..10])?.days();
        if text.len() == 10 {
            let form = TimeForm { date: true, thousandths: false, offset: None };
            return Some(Self { form, at: days, thousandths: 0 });
        }
        let (hour, minute, second) = (two(text, 11)?, two(text, 14)?, two(text, 17)?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let (thousandths, zone) = match &text[19..] {
            rest if rest.starts_with('.') => {
                let digits = rest.get(1..4).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
                (Some(digits.parse().ok()?), rest.get(4..)?)
            }
            rest => (None, rest),
        };
        let offset = match zone {
            "Z" => None,
            _ => {
                let minutes = two(zone, 1)? * 60 + two(zone, 4)?;
                let sign = if zone.starts_with('-') { -1 } else { 1 };
                Some(i16::try_from(minutes * sign).ok()?)
            }
        };
        let local = days * DAY_S + hour * 3_600 + minute * 60 + second;
        let form = TimeForm { date: false, thousandths: thousandths.is_some(), offset };
        let at = local - i64::from(offset.unwrap_or(0)) * 60;
        Some(Self { form, at, thousandths: thousandths.unwrap_or(0) })
    }

    /// The text. What cannot be a time is spelled as nothing.
    pub fn spell(&self) -> String {
        if self.form.date {
            return Date::from_days(self.at).map_or_else(String::new, |date| date.to_string());
        }
        let offset = i64::from(self.form.offset.unwrap_or(0));
        let Some(local) = self.at.checked_add(offset * 60) else { return String::new() };
        let Some(date) = Date::from_days(local.div_euclid(DAY_S)) else { return String::new() };
        let second = local.rem_euclid(DAY_S);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let mut text = format!("{date}T{hour:02}:{minute:02}:{second:02}");
        if self.form.thousandths {
            text = format!("{text}.{:03}", self.thousandths);
        }
        match self.form.offset {
            None => text + "Z",
            Some(offset) => {
                let sign = if offset < 0 { '-' } else { '+' };
                let minutes = offset.unsigned_abs();
                format!("{text}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

/// The most digits of a number that is taken apart.
const DIGITS_MAX: usize = 18;

/// A JSON number without exponent, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// Whether a minus stands before it.
    pub minus: bool,
    /// All digits as one number.
    pub digits: u64,
    /// How many of them stand behind the point; at most 15.
    pub places: u8,
}

impl Decimal {
    /// Reads a text; `None` if it is not one that [`Decimal::spell`] gives back.
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        if whole.len() + part.len() > DIGITS_MAX || part.len() > 15 {
            return None;
        }
        let digits = [whole, part].concat();
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let places = u8::try_from(part.len()).ok()?;
        let minus = unsigned.len() < text.len();
        let read = Self { minus, digits: digits.parse().ok()?, places };
        (read.spell() == text).then_some(read)
    }

    /// The text.
    pub fn spell(&self) -> String {
        let sign = if self.minus { "-" } else { "" };
        let Some(one) = 10u64.checked_pow(self.places.into()) else { return String::new() };
        let (whole, part) = (self.digits / one, self.digits % one);
        match usize::from(self.places) {
            0 => format!("{sign}{whole}"),
            places => format!("{sign}{whole}.{part:0places$}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spelled_as_they_were_written() {
        for text in [
            "2026-03-02",
            "0001-01-01",
            "9999-12-31",
            "2026-03-02T08:12:11+03:00",
            "2026-03-02T08:12:11.605-09:30",
            "2026-03-02T00:00:00Z",
            "1969-12-31T23:59:59.999Z",
            "2026-03-02T08:12:11+00:00",
        ] {
            assert_eq!(Time::parse(text).expect(text).spell(), text);
        }
        for text in [
            "2026",
            "2026-03",
            "2026-02-30",
            "2026-03-02T24:00:00Z",
            "2026-03-02T08:12:60Z",
            "2026-03-02T08:12:11-00:00",
            "2026-03-02 08:12:11Z",
            "2026-03-02T08:12:11.6Z",
            "2026-03-02T08:12:11+3:000",
            "0001-01-01T00:00:00+99:99",
        ] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_spelled_as_they_were_written() {
        for text in ["0", "-0", "1.50", "0.001", "-36.6", "999999999999999999", "0.0"] {
            assert_eq!(Decimal::parse(text).expect(text).spell(), text);
        }
        for text in ["1e5", "1E-3", "9999999999999999999", "0.0000000000000000001", "", "-", "1."] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
