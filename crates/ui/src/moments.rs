//! Times, dates and ages as people read them.

use std::borrow::Borrow;

use ondol_kernel::{Date, Millis};

use crate::lang::Lang;
use crate::texts::T;

/// How old a person is, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// The day of birth is known.
    Born(Date),
    /// Somebody guessed the completed years.
    About {
        /// Completed years, guessed.
        years: u32,
    },
    /// Nobody knows.
    Unknown,
    /// The birth on record lies ahead: to be asked.
    Ahead,
    /// By the birth on record the person would be older than anybody: to be asked.
    TooOld,
}

impl Age {
    /// The age on a day: days in the first month, months below three years, then completed
    /// years. A day of birth still to come says so.
    pub fn say(self, t: impl Borrow<T>, today: Date) -> String {
        let t = *t.borrow();
        match self {
            Self::Unknown => t.get("age-unknown"),
            Self::Ahead => t.get("age-ahead"),
            Self::TooOld => t.get("age-too-old"),
            Self::About { years } => t.msg("age-about").arg("n", years).to_string(),
            Self::Born(born) if born > today => t.get("age-ahead"),
            Self::Born(born) => {
                let (years, months) = (born.age_years(today), born.age_months(today));
                match (years, months) {
                    (0, 0) => t.msg("age-days").arg("n", today.days() - born.days()).to_string(),
                    (0..3, months) => t.msg("age-months").arg("n", months).to_string(),
                    (years, _) => t.msg("age-years").arg("n", years).to_string(),
                }
            }
        }
    }
}

/// A date in words: `2026년 3월 2일`, `2 Mar 2026`.
pub fn date(t: T, date: Date) -> String {
    let (year, month, day) = (date.year(), date.month(), date.day());
    match t.lang() {
        Lang::Ko => format!("{year}년 {month}월 {day}일"),
        Lang::En => format!("{day} {} {year}", month_name(month)),
    }
}

/// A date without its year.
fn day(t: T, date: Date) -> String {
    match t.lang() {
        Lang::Ko => format!("{}월 {}일", date.month(), date.day()),
        Lang::En => format!("{} {}", date.day(), month_name(date.month())),
    }
}

/// The time of the day, `08:12`, at an offset from UTC in minutes.
pub fn clock(at: Millis, utc_offset_minutes: i32) -> String {
    let (_, ms) = at.local(utc_offset_minutes);
    format!("{:02}:{:02}", ms / 3_600_000, ms / 60_000 % 60)
}

/// A moment as it is said at `now`: `오늘 08:12`, `어제 08:12`, `3월 2일 08:12`, and with its year
/// when that is another one.
pub fn when(t: T, at: Millis, now: Millis, utc_offset_minutes: i32) -> String {
    let ((on, _), (today, _)) = (at.local(utc_offset_minutes), now.local(utc_offset_minutes));
    let clock = clock(at, utc_offset_minutes);
    let day = match today.days() - on.days() {
        0 => t.get("time-today"),
        1 => t.get("time-yesterday"),
        _ if on.year() == today.year() => day(t, on),
        _ => date(t, on),
    };
    format!("{day} {clock}")
}

/// A moment with its whole date, for paper and for anything that is read on another day:
/// `2026년 3월 2일 08:12`.
pub fn stamp(t: T, at: Millis, utc_offset_minutes: i32) -> String {
    let (on, _) = at.local(utc_offset_minutes);
    format!("{} {}", date(t, on), clock(at, utc_offset_minutes))
}

/// How long ago a moment was, in one unit: `방금`, `5분 전`, `3시간 전`, `2일 전`. A moment still
/// to come (a doubtful clock) is given as [`when`].
pub fn ago(t: T, at: Millis, now: Millis, utc_offset_minutes: i32) -> String {
    let minutes = (now.0 - at.0).div_euclid(60_000);
    match minutes {
        i64::MIN..0 => when(t, at, now, utc_offset_minutes),
        0 => t.get("time-now"),
        1..60 => t.msg("time-ago-minutes").arg("n", minutes).to_string(),
        60..1_440 => t.msg("time-ago-hours").arg("n", minutes / 60).to_string(),
        _ => t.msg("time-ago-days").arg("n", minutes / 1_440).to_string(),
    }
}

const fn month_name(month: u8) -> &'static str {
    match month {
        1 => "Jan",
        2 => "Feb",
        3 => "Mar",
        4 => "Apr",
        5 => "May",
        6 => "Jun",
        7 => "Jul",
        8 => "Aug",
        9 => "Sep",
        10 => "Oct",
        11 => "Nov",
        _ => "Dec",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KO: T = T::new(Lang::Ko);
    const EN: T = T::new(Lang::En);

    fn d(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    fn m(text: &str) -> Millis {
        Millis::parse_fhir(text).unwrap()
    }

    #[test]
    fn ages_are_said_in_the_unit_that_fits() {
        let today = d("2026-03-02");
        for (born, ko, en) in [
            ("2026-03-02", "생후 0일", "0 days"),
            ("2026-03-01", "생후 1일", "1 day"),
            ("2026-01-03", "1개월", "1 month"),
            ("2023-03-03", "35개월", "35 months"),
            ("2023-03-02", "3살", "3 years"),
            ("1958-05-01", "67살", "67 years"),
            (
                "2026-03-03",
                "나이 모름: 적힌 난 날이 앞날임, 다시 물을것",
                "age unknown: the birth on record lies ahead, ask",
            ),
        ] {
            assert_eq!(Age::Born(d(born)).say(KO, today), ko, "{born}");
            assert_eq!(Age::Born(d(born)).say(EN, today), en, "{born}");
        }
        assert_eq!(Age::About { years: 40 }.say(KO, today), "약 40살");
        assert_eq!(Age::Unknown.say(EN, today), "age unknown");
    }

    #[test]
    fn moments_are_said_in_local_time() {
        let now = m("2026-03-02T00:30:00+09:00");
        let at = |text| when(KO, m(text), now, 540);
        assert_eq!(at("2026-03-01T15:12:00Z"), "오늘 00:12");
        assert_eq!(at("2026-03-01T14:59:00Z"), "어제 23:59");
        assert_eq!(at("2026-02-01T03:00:00Z"), "2월 1일 12:00");
        assert_eq!(at("2025-12-31T14:59:00Z"), "2025년 12월 31일 23:59");
        let en = when(EN, m("2025-12-31T14:59:00Z"), now, 540);
        assert_eq!(en, "31 Dec 2025 23:59");
    }

    #[test]
    fn what_is_ahead_of_the_clock_is_never_called_ago() {
        let now = m("2026-03-02T08:00:00+09:00");
        assert_eq!(ago(KO, now, now, 540), "방금");
        assert_eq!(ago(KO, now.plus(-59 * 60_000), now, 540), "59분 전");
        assert_eq!(ago(EN, now.plus(-3_600_000), now, 540), "1 h ago");
        assert_eq!(ago(EN, now.plus(-49 * 3_600_000), now, 540), "2 d ago");
        assert_eq!(ago(KO, now.plus(60_000), now, 540), "오늘 08:01");
    }
}
