//! Dates of HTTP (RFC 9110 5.6.7).

use ondol_kernel::{DAY_MS, Date, Millis};

/// 1970 began on a Thursday.
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 5.6.7).
pub(crate) fn write(at: Millis) -> String {
    let (date, ms) = at.local(0);
    let weekday = usize::try_from(date.days().rem_euclid(7)).unwrap_or(0);
    let s = ms / 1_000;
    format!(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        DAYS[weekday],
        date.day(),
        MONTHS[usize::from(date.month()) - 1],
        date.year(),
        s / 3_600,
        s / 60 % 60,
        s % 60
    )
}

/// Reads the form that is written today. None for the two that were given up in 1994, and for
/// what is no date.
pub(crate) fn parse(text: &str) -> Option<Millis> {
    let (weekday, rest) = text.split_once(", ")?;
    let parts: Vec<&str> = rest.split(' ').collect();
    let [day, month, year, time, "GMT"] = parts[..] else { return None };
    let number = |text: &str, length: usize| -> Option<i64> {
        let is_plain = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
        is_plain.then(|| text.parse().ok()).flatten()
    };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let (year, day) = (i32::try_from(number(year, 4)?), u8::try_from(number(day, 2)?));
    let date = Date::new(year.ok()?, u8::try_from(month).ok()?, day.ok()?)?;
    let clock: Vec<&str> = time.split(':').collect();
    let [hours, minutes, seconds] = clock[..] else { return None };
    let (hours, minutes, seconds) = (number(hours, 2)?, number(minutes, 2)?, number(seconds, 2)?);
    let is_time = hours < 24 && minutes < 60 && seconds <= 60;
    let at = usize::try_from(date.days().rem_euclid(7)).ok()?;
    let is_day = DAYS.get(at) == Some(&weekday);
    (is_time && is_day)
        .then(|| Millis(date.days() * DAY_MS + ((hours * 60 + minutes) * 60 + seconds) * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_their_weekday_and_come_back() {
        for (at, text) in [
            (784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (-1_000, "Wed, 31 Dec 1969 23:59:59 GMT"),
            (4_102_444_799_000, "Thu, 31 Dec 2099 23:59:59 GMT"),
        ] {
            assert_eq!(write(Millis(at)), text);
            assert_eq!(parse(text), Some(Millis(at)));
        }
        assert_eq!(write(Millis(-1)), "Wed, 31 Dec 1969 23:59:59 GMT");
    }

    #[test]
    fn what_is_no_date_of_today_is_none() {
        for text in [
            "",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "2026-03-02T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
