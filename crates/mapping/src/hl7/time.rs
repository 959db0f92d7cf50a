//! Dates and times of HL7 v2 (TS, DTM, DT, TM) as those of FHIR.

use ondol_fhir::Temporal;

/// Digits of a fraction of a second at most; HL7 has four.
const FRACTION_MAX: usize = 9;

/// Minutes from UTC that a zone may be away at most.
const OFFSET_MAX: i32 = 14 * 60;

/// `YYYY[MM[DD[HH[MM[SS[.S…]]]]]][+/-ZZZZ]`, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    /// To the year, the month or the day, as FHIR writes it.
    pub(super) date: String,
    /// `hh:mm:ss` with what fraction there was. Without seconds they are 0: FHIR asks for them.
    pub(super) clock: Option<String>,
    /// There is an hour without minutes, which FHIR cannot say.
    pub(super) is_hour_only: bool,
    /// `±hh:mm`.
    pub(super) zone: Option<String>,
}

impl Stamp {
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let at = text.find(['+', '-']).unwrap_or(text.len());
        let (moment, zone) = text.split_at_checked(at)?;
        let zone = if zone.is_empty() { None } else { Some(zone_of(zone)?) };
        let (digits, fraction) = match moment.split_once('.') {
            Some((digits, fraction)) => (digits, Some(fraction)),
            None => (moment, None),
        };
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let length = digits.len();
        if !matches!(length, 4 | 6 | 8 | 10 | 12 | 14) || !is_digits(digits) {
            return None;
        }
        let pair = |from: usize| digits.get(from..from + 2);
        let date: Vec<&str> = digits.get(..4).into_iter().chain(pair(4)).chain(pair(6)).collect();
        let mut clock = (length >= 12).then(|| clock_of(&digits[8..])).flatten();
        if let Some(fraction) = fraction {
            if length != 14 || !is_fraction(fraction) {
                return None;
            }
            clock = clock.map(|clock| format!("{clock}.{fraction}"));
        }
        let hour = pair(8).map(|hour| hour.parse::<u8>());
        if hour.is_some_and(|hour| hour.map_or(true, |hour| hour > 23)) {
            return None;
        }
        let stamp = Self { date: date.join("-"), clock, is_hour_only: length == 10, zone };
        Temporal::parse(&stamp.date_time(0)).is_some().then_some(stamp)
    }

    /// A dateTime. A time without a zone is one of the place that is so many minutes east of UTC.
    pub(super) fn date_time(&self, offset_minutes: i32) -> String {
        let Some(clock) = &self.clock else { return self.date.clone() };
        let zone = self.zone.clone().unwrap_or_else(|| zone_at(offset_minutes));
        format!("{}T{clock}{zone}", self.date)
    }

    /// Minutes east of UTC of its own zone.
    pub(super) fn offset_minutes(&self) -> Option<i32> {
        let zone = self.zone.as_deref()?;
        let minutes =
            zone.get(1..3)?.parse::<i32>().ok()? * 60 + zone.get(4..6)?.parse::<i32>().ok()?;
        Some(if zone.starts_with('-') { -minutes } else { minutes })
    }
}

/// `HH[MM[SS[.S…]]]` of type TM as a time of FHIR; none if there are no minutes, or a zone, which
/// FHIR's times do not have.
pub(super) fn clock_only(text: &str) -> Option<String> {
    let (digits, fraction) = match text.split_once('.') {
        Some((digits, fraction)) => (digits, Some(fraction)),
        None => (text, None),
    };
    if !matches!(digits.len(), 4 | 6) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let clock = match fraction {
        None => clock_of(digits)?,
        Some(fraction) if digits.len() == 6 && is_fraction(fraction) => {
            format!("{}.{fraction}", clock_of(digits)?)
        }
        Some(_) => return None,
    };
    Temporal::parse(&format!("2000-01-01T{clock}Z")).map(|_| clock)
}

fn is_fraction(text: &str) -> bool {
    (1..=FRACTION_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn clock_of(digits: &str) -> Option<String> {
    let seconds = digits.get(4..6).unwrap_or("00");
    Some(format!("{}:{}:{seconds}", digits.get(..2)?, digits.get(2..4)?))
}

fn zone_of(zone: &str) -> Option<String> {
    let digits = zone.get(1..)?;
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let sign = if digits == "0000" { "+" } else { zone.get(..1)? };
    let zone = format!("{sign}{}:{}", &digits[..2], &digits[2..]);
    Temporal::parse(&format!("2000-01-01T00:00:00{zone}")).map(|_| zone)
}

fn zone_at(offset_minutes: i32) -> String {
    let minutes = offset_minutes.clamp(-OFFSET_MAX, OFFSET_MAX);
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_precision_is_kept() {
        for (text, means) in [
            ("2024", "2024"),
            ("202402", "2024-02"),
            ("20240229", "2024-02-29"),
            ("20240229+0900", "2024-02-29"),
            ("2024022910", "2024-02-29"),
            ("202402291030", "2024-02-29T10:30:00+08:30"),
            ("20240229103015", "2024-02-29T10:30:15+08:30"),
            ("20240229103015.1230-0500", "2024-02-29T10:30:15.1230-05:00"),
            ("20240229103015-0000", "2024-02-29T10:30:15+00:00"),
        ] {
            assert_eq!(Stamp::read(text).unwrap().date_time(510), means, "{text}");
        }
        let own = Stamp::read("20240229103015-0330").unwrap();
        assert_eq!(own.offset_minutes(), Some(-210));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "0",
            "20230229",
            "20241301",
            "202402292400",
            "2024022925",
            "20240229103015.",
            "202402291030.5",
            "20240229103015+9",
            "20240229103015+1500",
            "2024-02-29",
            "２０２４",
            "0000",
            "abcd",
        ] {
            assert_eq!(Stamp::read(text), None, "{text}");
        }
    }

    #[test]
    fn times_alone_have_minutes_and_no_zone() {
        assert_eq!(clock_only("1030").as_deref(), Some("10:30:00"));
        assert_eq!(clock_only("103015.25").as_deref(), Some("10:30:15.25"));
        for text in ["10", "2560", "1030+0900", "", "1030.5", "가나"] {
            assert_eq!(clock_only(text), None, "{text}");
        }
    }
}
