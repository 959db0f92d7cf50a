//! Instants and calendar dates, and how FHIR writes them.

use std::fmt;

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub i64);

/// Milliseconds in a day.
pub const DAY_MS: i64 = 86_400_000;

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: i32,
    month: u8,
    day: u8,
}

impl Date {
    /// A date, if year (1–9999), month and day exist.
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let exists = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && day >= 1
            && day <= days_in_month(year, month);
        exists.then_some(Self { year, month, day })
    }

    /// Reads `YYYY-MM-DD`; nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' || !text.is_ascii() {
            return None;
        }
        let number = |range: std::ops::Range<usize>| -> Option<u32> {
            let part = &text[range];
            part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten()
        };
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        Self::new(i32::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
    }

    /// The year.
    pub const fn year(self) -> i32 {
        self.year
    }

    /// The month, 1 to 12.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    pub const fn day(self) -> u8 {
        self.day
    }

    /// Days since 1970-01-01 (negative before).
    pub fn days(self) -> i64 {
        // Days from civil: counts from 0000-03-01, so that the leap day ends a year.
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// The date that is `days` after 1970-01-01, if its year is 1 to 9999.
    pub fn from_days(days: i64) -> Option<Self> {
        let days = days.checked_add(719_468)?;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self::new(i32::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
    }

    /// Completed years from this date of birth to `on` (0 if `on` is earlier).
    pub fn age_years(self, on: Self) -> u32 {
        let had_birthday = (on.month, on.day) >= (self.month, self.day);
        u32::try_from(on.year - self.year - i32::from(!had_birthday)).unwrap_or(0)
    }

    /// Completed months from this date of birth to `on` (0 if `on` is earlier).
    pub fn age_months(self, on: Self) -> u32 {
        let months = (on.year - self.year) * 12 + i32::from(on.month) - i32::from(self.month);
        u32::try_from(months - i32::from(on.day < self.day)).unwrap_or(0)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

fn days_in_month(year: i32, month: u8) -> u8 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Millis {
    /// This instant moved by some milliseconds.
    #[must_use]
    pub const fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The calendar date and the milliseconds of the day at an offset from UTC in minutes.
    /// Instants outside the years 1–9999 are given as the nearest day inside.
    pub fn local(self, utc_offset_minutes: i32) -> (Date, i64) {
        let local = self.0.saturating_add(i64::from(utc_offset_minutes) * 60_000);
        let first = Date { year: 1, month: 1, day: 1 };
        let last = Date { year: 9999, month: 12, day: 31 };
        let date = Date::from_days(local.div_euclid(DAY_MS));
        let date = date.unwrap_or(if local < 0 { first } else { last });
        (date, local.rem_euclid(DAY_MS))
    }

    /// A FHIR instant with milliseconds: `2026-03-02T08:12:11.355+09:00`, `Z` for UTC.
    pub fn to_fhir(self, utc_offset_minutes: i32) -> String {
        let (date, ms) = self.local(utc_offset_minutes);
        let (s, ms) = (ms / 1_000, ms % 1_000);
        let clock = format!("{:02}:{:02}:{:02}.{ms:03}", s / 3_600, s / 60 % 60, s % 60);
        if utc_offset_minutes == 0 {
            return format!("{date}T{clock}Z");
        }
        let sign = if utc_offset_minutes < 0 { '-' } else { '+' };
        let off = utc_offset_minutes.abs();
        format!("{date}T{clock}{sign}{:02}:{:02}", off / 60, off % 60)
    }

    /// Reads a FHIR instant or a `dateTime` with time and zone
    /// (`2026-03-02T08:12:11[.fraction]Z` or `±HH:MM`). Digits beyond milliseconds are dropped.
    pub fn parse_fhir(text: &str) -> Option<Self> {
        let date = Date::parse(text.get(..10)?)?;
        let rest = text.get(10..)?.strip_prefix('T')?;
        let two = |at: usize| -> Option<i64> {
            let part = rest.get(at..at + 2)?;
            part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten()
        };
        let (hour, minute, second) = (two(0)?, two(3)?, two(6)?);
        let separators =
            rest.as_bytes().get(2) == Some(&b':') && rest.as_bytes().get(5) == Some(&b':');
        if !separators || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let (fraction, zone) = split_fraction(rest.get(8..)?)?;
        let offset = parse_zone(zone)?;
        let ms = ((hour * 60 + minute) * 60 + second) * 1_000 + fraction;
        Some(Self(date.days() * DAY_MS + ms - offset * 60_000))
    }
}

/// Splits `.355+09:00` into 355 ms and `+09:00`.
fn split_fraction(text: &str) -> Option<(i64, &str)> {
    let Some(digits) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    if end == 0 {
        return None;
    }
    let ms: String = digits[..end].chars().chain("00".chars()).take(3).collect();
    Some((ms.parse().ok()?, &digits[end..]))
}

/// Minutes east of UTC of `Z` or `±HH:MM`.
fn parse_zone(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let all_digits = (hours.len(), minutes.len()) == (2, 2)
        && hours.bytes().chain(minutes.bytes()).all(|b| b.is_ascii_digit());
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (all_digits && hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn instants_round_trip_as_text() {
        for (text, offset) in [
            ("2026-03-02T08:12:11.355+09:00", 540),
            ("1969-12-31T23:59:59.999Z", 0),
            ("2024-02-29T00:00:00.000-03:30", -210),
        ] {
            assert_eq!(Millis::parse_fhir(text).unwrap().to_fhir(offset), text);
        }
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "2026-02-30T08:00:00Z",
            "2026-03-02",
            "2026-03-02T25:00:00Z",
            "2026-03-02T08:00:00",
            "2026-03-02T08:00:00.Z",
            "2026-03-02T08-00-00Z",
            "2026-03-02T08:00:00+0900",
            "２026-03-02T08:00:00Z",
        ] {
            assert_eq!(Millis::parse_fhir(text), None, "{text}");
        }
    }

    #[test]
    fn ages_count_completed_years_and_months() {
        let born = Date::parse("2024-02-29").unwrap();
        assert_eq!(born.age_years(Date::parse("2025-02-28").unwrap()), 0);
        assert_eq!(born.age_years(Date::parse("2025-03-01").unwrap()), 1);
        assert_eq!(born.age_months(Date::parse("2024-04-28").unwrap()), 1);
        assert_eq!(born.age_months(Date::parse("2020-01-01").unwrap()), 0);
    }

    proptest! {
        #[test]
        fn days_and_dates_agree(days in -719_162i64..2_932_896) {
            prop_assert_eq!(Date::from_days(days).unwrap().days(), days);
        }

        #[test]
        fn parsing_never_panics(text in "\\PC{0,40}") {
            let _ = Millis::parse_fhir(&text);
            let _ = Date::parse(&text);
        }
    }
}
