//! FHIR's dates and times of any precision, and the span of time that each of them means.

use ondol_kernel::{Date, Millis, time::DAY_MS};

/// A `date`, `dateTime` or `instant` (R4 2.24.0.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Temporal {
    first_day: Date,
    last_day: Date,
    clock: Option<Clock>,
    /// Minutes east of UTC, if a zone is given.
    zone: Option<i64>,
    /// Digits of the year alone, the month too, or the day too: 4, 7 or 10.
    date_length: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Clock {
    /// Milliseconds of the day, further digits dropped.
    ms: i64,
    /// What the last digit stands for, ms: 1000, 100, 10 or 1.
    precision_ms: i64,
}

impl Temporal {
    /// Reads a year, a month, a day, or a day with a time to the second or finer. A time has a
    /// zone.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let (first_day, last_day) = days(date)?;
        let read = Self { first_day, last_day, clock: None, zone: None, date_length: date.len() };
        let Some(time) = time else { return Some(read) };
        if date.len() != 10 {
            return None;
        }
        let zone_at = time.find(['Z', '+', '-'])?;
        let (clock, zone) = time.split_at(zone_at);
        Some(Self { clock: Some(parse_clock(clock)?), zone: Some(parse_zone(zone)?), ..read })
    }

    /// Whether there is a time of day.
    pub const fn has_time(&self) -> bool {
        self.clock.is_some()
    }

    /// The milliseconds that the text may mean, from the first to the one after the last. Without
    /// a zone it is read at `utc_offset_minutes` east of UTC.
    pub fn range(&self, utc_offset_minutes: i32) -> (Millis, Millis) {
        let offset = self.zone.unwrap_or(i64::from(utc_offset_minutes)) * 60_000;
        let start = self.first_day.days() * DAY_MS - offset;
        match self.clock {
            Some(clock) => {
                let from = start + clock.ms;
                (Millis(from), Millis(from + clock.precision_ms))
            }
            None => (Millis(start), Millis((self.last_day.days() + 1) * DAY_MS - offset)),
        }
    }

    /// Whether the text goes down to the day at least.
    pub const fn has_day(&self) -> bool {
        self.date_length == 10
    }
}

/// Whether the text is a FHIR `time`: `hh:mm:ss` with an optional fraction.
pub(crate) fn is_time(text: &str) -> bool {
    parse_clock(text).is_some()
}

/// The first and last day of a year, a month or a day.
fn days(text: &str) -> Option<(Date, Date)> {
    let last_of =
        |year: i32, month: u8| (28..=31).rev().find_map(|day| Date::new(year, month, day));
    let year = number(text.get(..4)?)?;
    match text.len() {
        4 => Some((Date::new(year, 1, 1)?, last_of(year, 12)?)),
        7 => {
            let month = u8::try_from(number(text.get(4..)?.strip_prefix('-')?)?).ok()?;
            Some((Date::new(year, month, 1)?, last_of(year, month)?))
        }
        _ => Date::parse(text).map(|day| (day, day)),
    }
}

fn number(digits: &str) -> Option<i32> {
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn parse_clock(text: &str) -> Option<Clock> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let bytes = whole.as_bytes();
    if bytes.len() != 8 || bytes[2] != b':' || bytes[5] != b':' || !whole.is_ascii() {
        return None;
    }
    let two = |at: usize| number(&whole[at..at + 2]).map(i64::from);
    let (hour, minute, second) = (two(0)?, two(3)?, two(6)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds_ms = ((hour * 60 + minute) * 60 + second) * 1_000;
    let Some(digits) = fraction else {
        return Some(Clock { ms: seconds_ms, precision_ms: 1_000 });
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let known = digits.len().min(3);
    let scale = [1_000, 100, 10, 1][known];
    Some(Clock {
        ms: seconds_ms + i64::from(number(&digits[..known])?) * scale,
        precision_ms: scale,
    })
}

/// `Z` or `±hh:mm` up to 14:00, in minutes.
fn parse_zone(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    if (hours.len(), minutes.len()) != (2, 2) {
        return None;
    }
    let (hours, minutes) = (i64::from(number(hours)?), i64::from(number(minutes)?));
    (minutes < 60 && hours * 60 + minutes <= 14 * 60).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(text: &str) -> (String, String) {
        let (from, to) = Temporal::parse(text).unwrap().range(540);
        (from.to_fhir(0), to.to_fhir(0))
    }

    #[test]
    fn every_precision_means_its_span() {
        for (text, from, to) in [
            ("2024", "2023-12-31T15:00:00.000Z", "2024-12-31T15:00:00.000Z"),
            ("2024-02", "2024-01-31T15:00:00.000Z", "2024-02-29T15:00:00.000Z"),
            ("2024-02-29", "2024-02-28T15:00:00.000Z", "2024-02-29T15:00:00.000Z"),
            ("2024-02-29T10:00:00Z", "2024-02-29T10:00:00.000Z", "2024-02-29T10:00:01.000Z"),
            ("2024-02-29T10:00:00.5+01:00", "2024-02-29T09:00:00.500Z", "2024-02-29T09:00:00.600Z"),
            ("2024-02-29T10:00:00.1239Z", "2024-02-29T10:00:00.123Z", "2024-02-29T10:00:00.124Z"),
            ("2024-06-30T23:59:60Z", "2024-07-01T00:00:00.000Z", "2024-07-01T00:00:01.000Z"),
        ] {
            assert_eq!(range(text), (from.to_owned(), to.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "24",
            "0000",
            "2024-13",
            "2024-00",
            "2023-02-29",
            "2024-2",
            "2024-02-",
            "2024-02T10:00:00Z",
            "2024-02-29T10:00Z",
            "2024-02-29T10:00:00",
            "2024-02-29T24:00:00Z",
            "2024-02-29T10:00:00+15:00",
            "2024-02-29T10:00:00+14:01",
            "2024-02-29T10:00:00.Z",
            "2024-02-29 10:00:00Z",
            "+024",
            "2024-02-29T10:00:00z",
            "２０２４",
        ] {
            assert_eq!(Temporal::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_range_is_never_empty_and_parsing_never_panics(text in "[0-9TZ:.+\\-]{0,30}") {
            if let Some(temporal) = Temporal::parse(&text) {
                let (from, to) = temporal.range(0);
                prop_assert!(from < to);
            }
        }
    }
}
