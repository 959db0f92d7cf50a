//! Numbers as text, by their format: a date is a number that is shown as one.

use std::{iter::Peekable, str::Chars};

use ondol_kernel::Date;

/// What a number format shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Number,
    Date,
    DateTime,
    /// A time of the day.
    Time,
    /// Hours that go on after 24.
    Elapsed,
}

/// Formats that are known by their number. Those from 27 on are as in Korean workbooks.
pub(super) fn built_in(id: u32) -> Shown {
    match id {
        14..=17 | 27..=31 | 34..=36 | 50..=58 => Shown::Date,
        18..=21 | 32 | 33 | 45 | 47 => Shown::Time,
        22 => Shown::DateTime,
        46 => Shown::Elapsed,
        _ => Shown::Number,
    }
}

/// What a format's code shows, by its first section.
pub(super) fn custom(code: &str) -> Shown {
    let section = Section::of(code);
    if section.digits {
        return Shown::Number;
    }
    let runs = &section.runs;
    let is_month = |at: usize| {
        let minutes = runs[at].1 <= 2
            && (at > 0 && runs[at - 1].0 == 'h'
                || runs.get(at + 1).is_some_and(|(letter, _)| *letter == 's'));
        !minutes
    };
    let day = runs.iter().enumerate().any(|(at, (letter, _))| match letter {
        'm' => is_month(at),
        letter => !matches!(letter, 'h' | 's'),
    });
    let clock = section.elapsed || runs.iter().any(|(letter, _)| matches!(letter, 'h' | 's'));
    match (day, clock) {
        (true, true) => Shown::DateTime,
        (true, false) => Shown::Date,
        (false, true) if section.elapsed => Shown::Elapsed,
        (false, true) => Shown::Time,
        (false, false) => Shown::Number,
    }
}

/// What counts in the first section of a code.
#[derive(Default)]
struct Section {
    /// Letters of dates and times, and how often each stands there in a row.
    runs: Vec<(char, usize)>,
    elapsed: bool,
    /// Places for digits, but for those of seconds. Letters beside them are units.
    digits: bool,
}

impl Section {
    fn of(code: &str) -> Self {
        let lower = code.to_ascii_lowercase().replace("general", "").replace("g/표준", "");
        let mut section = Self::default();
        let mut letters = lower.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                ';' => break,
                '"' => drop(letters.by_ref().find(|letter| *letter == '"')),
                '\\' | '_' | '*' => drop(letters.next()),
                '[' => section.bracket(&mut letters),
                '#' | '?' | '0' => {
                    section.digits |= section.runs.last().is_none_or(|run| run.0 != 's');
                }
                'a' if after_noon(&mut letters) => section.runs.push(('h', 1)),
                'e' if matches!(letters.peek(), Some('+' | '-')) => {}
                'y' | 'm' | 'd' | 'h' | 's' | 'e' | 'g' | 'b' | 'a' => {
                    let mut times = 1;
                    while letters.next_if_eq(&letter).is_some() {
                        times += 1;
                    }
                    section.runs.push((letter, times));
                }
                _ => {}
            }
        }
        section
    }

    /// `[h]` and the like; colours, conditions and languages are passed over.
    fn bracket(&mut self, letters: &mut Peekable<Chars<'_>>) {
        let inside: String = letters.take_while(|letter| *letter != ']').collect();
        let first = inside.chars().next();
        let unit = first.filter(|first| matches!(first, 'h' | 'm' | 's'));
        if unit.is_some_and(|unit| inside.chars().all(|letter| letter == unit)) {
            self.elapsed = true;
            self.runs.push((if unit == Some('s') { 's' } else { 'h' }, inside.len()));
        }
    }
}

/// The rest of `AM/PM` or `A/P`.
fn after_noon(letters: &mut Peekable<Chars<'_>>) -> bool {
    let rest: String = letters.clone().take(4).collect();
    let length = match rest.as_str() {
        "m/pm" => 4,
        short if short.starts_with("/p") => 2,
        _ => return false,
    };
    letters.nth(length - 1);
    true
}

const DAY_SECONDS: i64 = 86_400;

/// Days that any of the date systems has.
const DAYS_MAX: f64 = 2_958_466.0;

/// A number as a cell with this format shows it, in ISO's forms. What is no date in the workbook's
/// date system stays a number.
pub(super) fn text_of(value: f64, shown: Shown, since_1904: bool) -> String {
    if shown == Shown::Number || !(0.0..DAYS_MAX).contains(&value) {
        return number(value);
    }
    #[expect(clippy::cast_possible_truncation, reason = "within the bounds above")]
    let seconds = (value * 86_400.0).round() as i64;
    let (day, second) = (seconds / DAY_SECONDS, seconds % DAY_SECONDS);
    let date = date(day, since_1904);
    match (shown, date) {
        (Shown::Date, Some(date)) => date.to_string(),
        (Shown::DateTime, Some(date)) => format!("{date}T{}", clock(second)),
        (Shown::Elapsed, _) => clock(seconds),
        (Shown::Time, _) => clock(second),
        (Shown::DateTime, None) if day == 0 => clock(second),
        _ => number(value),
    }
}

fn date(day: i64, since_1904: bool) -> Option<Date> {
    // 1970-01-01 is day 24,107 of the one system and 25,569 of the other, which counts a
    // 29 February 1900 that never was (day 60), and has no day 0.
    match day {
        day if since_1904 => Date::from_days(day - 24_107),
        0 | 60 => None,
        1..60 => Date::from_days(day - 25_568),
        _ => Date::from_days(day - 25_569),
    }
}

fn clock(seconds: i64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The shortest text that reads as the same number.
pub(super) fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if (1e-7..1e21).contains(&value.abs()) { value.to_string() } else { format!("{value:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart() {
        for (code, shown) in [
            ("General", Shown::Number),
            ("0.00E+00", Shown::Number),
            ("#,##0\"명\"", Shown::Number),
            ("0.0 mg", Shown::Number),
            ("[Red]0.0;[Blue]-0.0", Shown::Number),
            ("@", Shown::Number),
            ("\"day\" 0", Shown::Number),
            ("yyyy\"년\" m\"월\" d\"일\"", Shown::Date),
            ("[$-412]yyyy\\-mm\\-dd;@", Shown::Date),
            ("mmmm", Shown::Date),
            ("gggee\"年\"", Shown::Date),
            ("mm:ss", Shown::Time),
            ("h:mm AM/PM", Shown::Time),
            ("[$-412]AM/PM h:mm", Shown::Time),
            ("a/p h", Shown::Time),
            ("[h]:mm:ss", Shown::Elapsed),
            ("yyyy-mm-dd h:mm", Shown::DateTime),
            ("m/d h:mm:ss.000", Shown::DateTime),
        ] {
            assert_eq!(custom(code), shown, "{code}");
        }
    }

    #[test]
    fn both_systems_know_their_first_days() {
        let in_1900 = |value| text_of(value, Shown::Date, false);
        assert_eq!(in_1900(1.0), "1900-01-01");
        assert_eq!(in_1900(59.0), "1900-02-28");
        assert_eq!(in_1900(60.0), "60");
        assert_eq!(in_1900(61.0), "1900-03-01");
        assert_eq!(in_1900(45_306.0), "2024-01-15");
        assert_eq!(in_1900(2_958_465.0), "9999-12-31");
        assert_eq!(in_1900(2_958_466.0), "2958466");
        assert_eq!(in_1900(-1.5), "-1.5");
        assert_eq!(text_of(0.0, Shown::Date, true), "1904-01-01");
        assert_eq!(text_of(43_844.0, Shown::Date, true), "2024-01-15");
    }

    #[test]
    fn times_are_rounded_to_seconds() {
        assert_eq!(text_of(0.999_999_9, Shown::Elapsed, false), "24:00:00");
        assert_eq!(text_of(1.5, Shown::Time, false), "12:00:00");
        assert_eq!(text_of(1.5, Shown::Elapsed, false), "36:00:00");
        assert_eq!(text_of(0.5, Shown::DateTime, false), "12:00:00");
        assert_eq!(text_of(45_306.354_166_666_664, Shown::DateTime, false), "2024-01-15T08:30:00");
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (17.0, "17"),
            (-0.0, "0"),
            (0.1, "0.1"),
            (36.6, "36.6"),
            (12_345_678.0, "12345678"),
            (9_001_011_234_567.0, "9001011234567"),
            (1e21, "1e21"),
            (0.000_000_01, "1e-8"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
