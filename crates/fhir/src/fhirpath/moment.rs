//! Dates, dates with times, and times, each as precise as it was written.

use std::{cmp::Ordering, fmt};

use ondol_kernel::{Date, time::DAY_MS};

/// What a moment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MomentKind {
    /// A date.
    Date,
    /// A date and perhaps a time of day, perhaps in a zone.
    DateTime,
    /// A time of day.
    Time,
}

/// The smallest part that is written. Seconds and their fraction are one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Precision {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

/// A `Date`, `DateTime` or `Time` of FHIRPath. Parts that are not written have their lowest
/// value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub(super) kind: MomentKind,
    pub(super) day: Date,
    /// Nanoseconds of the day, below 24 hours and a leap second.
    pub(super) nanos: i64,
    pub(super) precision: Precision,
    /// Digits of the fraction of a second, up to 9.
    pub(super) digits: u8,
    /// Minutes east of UTC.
    pub(super) zone: Option<i16>,
}

pub(super) const SECOND: i64 = 1_000_000_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = DAY_MS * 1_000_000;

impl Moment {
    /// An instant as `now()` answers it: milliseconds since 1970 in a zone (minutes east).
    pub fn from_millis(at: ondol_kernel::Millis, utc_offset_minutes: i16) -> Self {
        let (day, ms) = at.local(i32::from(utc_offset_minutes));
        Self {
            kind: MomentKind::DateTime,
            day,
            nanos: ms * 1_000_000,
            precision: Precision::Second,
            digits: 3,
            zone: Some(utc_offset_minutes),
        }
    }

    /// What it is.
    pub const fn kind(&self) -> MomentKind {
        self.kind
    }

    /// Reads what stands after `@` in an expression.
    pub(super) fn parse_literal(text: &str) -> Option<Self> {
        match text.strip_prefix('T') {
            Some(time) => Self::parse_time(time),
            None if text.contains('T') => Self::parse_date_time(text),
            None => Self::parse_date(text),
        }
    }

    /// `2014`, `2014-01`, `2014-01-31`.
    pub fn parse_date(text: &str) -> Option<Self> {
        let number = |from: usize, to: usize| -> Option<u32> {
            let digits = text.get(from..to)?;
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
        };
        let part = |at: usize| -> Option<u8> {
            let dash = text.as_bytes().get(at) == Some(&b'-');
            dash.then(|| u8::try_from(number(at + 1, at + 3)?).ok())?
        };
        let year = i32::try_from(number(0, 4)?).ok()?;
        let (day, precision) = match text.len() {
            4 => (Date::new(year, 1, 1)?, Precision::Year),
            7 => (Date::new(year, part(4)?, 1)?, Precision::Month),
            10 => (Date::new(year, part(4)?, part(7)?)?, Precision::Day),
            _ => return None,
        };
        let kind = MomentKind::Date;
        Some(Self { kind, day, nanos: 0, precision, digits: 0, zone: None })
    }

    /// A date, or a date, `T`, and as much of a time as is known.
    pub fn parse_date_time(text: &str) -> Option<Self> {
        let kind = MomentKind::DateTime;
        let Some((date, time)) = text.split_once('T') else {
            return Some(Self { kind, ..Self::parse_date(text)? });
        };
        let date = Self { kind, ..Self::parse_date(date)? };
        if time.is_empty() {
            return Some(date);
        }
        if date.precision < Precision::Day {
            return None;
        }
        let zone_at = time.find(['Z', '+', '-']);
        let (clock, zone) = time.split_at(zone_at.unwrap_or(time.len()));
        let zone = if zone.is_empty() { None } else { Some(parse_zone(zone)?) };
        let time = Self::parse_time(clock)?;
        Some(Self { day: date.day, kind, zone, ..time })
    }

    /// `14`, `14:30`, `14:30:15`, `14:30:15.123`.
    pub fn parse_time(text: &str) -> Option<Self> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        let mut parts = whole.split(':').map(two);
        let hour = parts.next()??;
        let minute = parts.next();
        let second = parts.next();
        if parts.next().is_some() || (fraction.is_some() && second.is_none()) {
            return None;
        }
        let precision = match (minute, second) {
            (None, _) => Precision::Hour,
            (Some(_), None) => Precision::Minute,
            (Some(_), Some(_)) => Precision::Second,
        };
        let (minute, second) = (minute.unwrap_or(Some(0))?, second.unwrap_or(Some(0))?);
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let fraction = fraction.unwrap_or("");
        if (text.ends_with('.')) || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let kept = &fraction[..fraction.len().min(9)];
        let nanos = kept.bytes().fold(0, |sum, b| sum * 10 + i64::from(b - b'0'));
        let digits = u8::try_from(kept.len()).ok()?;
        let nanos = nanos * 10_i64.pow(u32::from(9 - digits));
        let nanos = hour * HOUR + minute * MINUTE + second * SECOND + nanos;
        let day = Date::new(1970, 1, 1)?;
        Some(Self { kind: MomentKind::Time, day, nanos, precision, digits, zone: None })
    }

    /// Nanoseconds since 1970 as they are written, the zone aside.
    pub(super) fn written(&self) -> i128 {
        i128::from(self.day.days()) * i128::from(DAY) + i128::from(self.nanos)
    }

    /// The order of two moments; `None` if their precision or zones leave it open, or if one is
    /// a time and the other is not.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        if (self.kind == MomentKind::Time) != (other.kind == MomentKind::Time) {
            return None;
        }
        let (mut left, mut right) = (*self, *other);
        match (self.zone, other.zone) {
            (Some(a), Some(b)) if a != b => {
                left = left.shifted(-i64::from(a) * MINUTE)?;
                right = right.shifted(-i64::from(b) * MINUTE)?;
            }
            // The zone of one is not known: only what holds in every zone is known.
            (Some(_), None) | (None, Some(_)) => return left.compare_without_zone(&right),
            _ => {}
        }
        left.compare_parts(&right)
    }

    fn compare_without_zone(&self, other: &Self) -> Option<Ordering> {
        let offset = |moment: &Self| i128::from(moment.zone.unwrap_or(0)) * i128::from(MINUTE);
        let reach = i128::from(14 * HOUR);
        let width = |moment: &Self| i128::from(moment.width());
        let (a, b) = (self.written() - offset(self), other.written() - offset(other));
        if a + width(self) + reach <= b {
            return Some(Ordering::Less);
        }
        (b + width(other) + reach <= a).then_some(Ordering::Greater)
    }

    /// Nanoseconds that the moment lasts, at most.
    const fn width(&self) -> i64 {
        match self.precision {
            Precision::Year => 366 * DAY,
            Precision::Month => 31 * DAY,
            Precision::Day => DAY,
            Precision::Hour => HOUR,
            Precision::Minute => MINUTE,
            Precision::Second => 1,
        }
    }

    fn shifted(self, nanos: i64) -> Option<Self> {
        let sum = self.nanos + nanos;
        let day = Date::from_days(self.day.days() + sum.div_euclid(DAY))?;
        Some(Self { day, nanos: sum.rem_euclid(DAY), ..self })
    }

    fn compare_parts(&self, other: &Self) -> Option<Ordering> {
        let last = self.precision.min(other.precision);
        let parts = |m: &Self| {
            [
                (Precision::Year, i64::from(m.day.year())),
                (Precision::Month, i64::from(m.day.month())),
                (Precision::Day, i64::from(m.day.day())),
                (Precision::Hour, m.nanos / HOUR),
                (Precision::Minute, m.nanos % HOUR / MINUTE),
                (Precision::Second, m.nanos % MINUTE),
            ]
        };
        for ((precision, a), (_, b)) in parts(self).into_iter().zip(parts(other)) {
            if precision > last {
                break;
            }
            if a != b {
                return Some(a.cmp(&b));
            }
        }
        (self.precision == other.precision).then_some(Ordering::Equal)
    }

    /// The date of a date with a time.
    pub(super) fn date(self) -> Self {
        let precision = self.precision.min(Precision::Day);
        Self { kind: MomentKind::Date, nanos: 0, precision, digits: 0, zone: None, ..self }
    }

    /// Digits that are written, separators and zone aside (`precision()`).
    pub(super) const fn digits_written(&self) -> u8 {
        let date = match self.precision {
            Precision::Year => 4,
            Precision::Month => 6,
            Precision::Day => 8,
            Precision::Hour => 10,
            Precision::Minute => 12,
            Precision::Second => 14 + self.digits,
        };
        match self.kind {
            MomentKind::Time => date - 8,
            MomentKind::Date | MomentKind::DateTime => date,
        }
    }
}

fn two(digits: &str) -> Option<i64> {
    let fits = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| digits.parse().ok())?
}

fn parse_zone(text: &str) -> Option<i16> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':')?;
    let total = two(hours)? * 60 + two(minutes)?;
    if total > 14 * 60 {
        return None;
    }
    i16::try_from(if sign == "-" { -total } else { total }).ok()
}

/// As in an expression, without the `@`, and times without the `T`.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind != MomentKind::Time {
            write!(f, "{:04}", self.day.year())?;
            if self.precision >= Precision::Month {
                write!(f, "-{:02}", self.day.month())?;
            }
            if self.precision >= Precision::Day {
                write!(f, "-{:02}", self.day.day())?;
            }
            if self.precision < Precision::Hour {
                return Ok(());
            }
            f.write_str("T")?;
        }
        // A leap second is written as the sixtieth.
        let minutes = (self.nanos / MINUTE).min(24 * 60 - 1);
        write!(f, "{:02}", minutes / 60)?;
        if self.precision >= Precision::Minute {
            write!(f, ":{:02}", minutes % 60)?;
        }
        if self.precision >= Precision::Second {
            let within = self.nanos - minutes * MINUTE;
            write!(f, ":{:02}", within / SECOND)?;
            if self.digits > 0 {
                let fraction = within % SECOND / 10_i64.pow(u32::from(9 - self.digits.min(9)));
                write!(f, ".{fraction:0width$}", width = usize::from(self.digits))?;
            }
        }
        match self.zone {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(zone) => {
                let sign = if zone < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", zone.abs() / 60, zone.abs() % 60)
            }
        }
    }
}
