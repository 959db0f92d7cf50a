//! `lowBoundary`, `highBoundary` and `precision`.

use ondol_kernel::Date;
use rust_decimal::{Decimal, RoundingStrategy};

use super::{
    EvaluateError, Quantity,
    moment::{HOUR, MINUTE, Moment, MomentKind, Precision, SECOND},
    values::Item,
};

/// The least (or greatest) value that an item may mean, to a precision; `None` for a precision
/// that there is not.
pub(super) fn boundary<'a>(
    item: &Item<'a>,
    precision: Option<i32>,
    is_low: bool,
) -> Result<Option<Item<'a>>, EvaluateError> {
    Ok(match item.to_system() {
        Item::Integer(number) => {
            of_decimal(Decimal::from(number), precision, is_low).map(Item::Decimal)
        }
        Item::Decimal(number) => of_decimal(number, precision, is_low).map(Item::Decimal),
        Item::Quantity(quantity) => of_decimal(quantity.value, precision, is_low)
            .map(|value| Item::Quantity(Box::new(Quantity { value, ..*quantity }))),
        Item::Moment(moment) => of_moment(&moment, precision, is_low).map(Item::Moment),
        _ => return Err(EvaluateError::Type("boundary")),
    })
}

/// As HL7's cases have it: towards zero the edge is cut off, away from zero it is rounded.
fn of_decimal(number: Decimal, precision: Option<i32>, is_low: bool) -> Option<Decimal> {
    let digits = u32::try_from(precision.unwrap_or(8)).ok().filter(|digits| *digits <= 28)?;
    let half = Decimal::new(5, number.scale().checked_add(1).filter(|scale| *scale <= 28)?);
    let edge = if is_low { number.checked_sub(half)? } else { number.checked_add(half)? };
    let is_outwards = is_low == number.is_sign_negative();
    let strategy = if digits > number.scale() || is_outwards {
        RoundingStrategy::MidpointAwayFromZero
    } else if is_low {
        RoundingStrategy::ToNegativeInfinity
    } else {
        RoundingStrategy::ToPositiveInfinity
    };
    let mut rounded = edge.round_dp_with_strategy(digits, strategy);
    rounded.rescale(digits);
    if rounded.is_zero() {
        rounded.set_sign_negative(number.is_sign_negative());
    }
    (rounded.scale() == digits).then_some(rounded)
}

fn of_moment(moment: &Moment, precision: Option<i32>, is_low: bool) -> Option<Moment> {
    let full = match moment.kind {
        MomentKind::Date => 8,
        MomentKind::DateTime => 17,
        MomentKind::Time => 9,
    };
    let wanted = precision.unwrap_or(full);
    if wanted > full {
        return None;
    }
    let on_date = if moment.kind == MomentKind::Time { 8 } else { 0 };
    let (precision, digits) = match wanted + on_date {
        4 => (Precision::Year, 0),
        6 => (Precision::Month, 0),
        8 => (Precision::Day, 0),
        10 => (Precision::Hour, 0),
        12 => (Precision::Minute, 0),
        14 => (Precision::Second, 0),
        17 => (Precision::Second, 3),
        _ => return None,
    };
    let filled = if is_low { *moment } else { last(moment)? };
    let has_time = precision >= Precision::Hour && moment.kind == MomentKind::DateTime;
    // Without a zone it may be the one furthest east or west.
    let zone = if is_low { 14 * 60 } else { -12 * 60 };
    let zone = has_time.then(|| moment.zone.unwrap_or(zone));
    let day = match precision {
        Precision::Year => Date::new(filled.day.year(), 1, 1)?,
        Precision::Month => Date::new(filled.day.year(), filled.day.month(), 1)?,
        _ => filled.day,
    };
    let nanos = match (precision, digits) {
        (Precision::Hour, _) => filled.nanos / HOUR * HOUR,
        (Precision::Minute, _) => filled.nanos / MINUTE * MINUTE,
        (Precision::Second, 0) => filled.nanos / SECOND * SECOND,
        (Precision::Second, _) => filled.nanos,
        _ => 0,
    };
    Some(Moment { day, nanos, precision, digits, zone, ..*moment })
}

/// The moment with the parts that are not written at their greatest.
fn last(moment: &Moment) -> Option<Moment> {
    let month = if moment.precision < Precision::Month { 12 } else { moment.day.month() };
    let day = if moment.precision < Precision::Day {
        (28..=31).rev().find_map(|day| Date::new(moment.day.year(), month, day))?
    } else {
        moment.day
    };
    let rest = match moment.precision {
        Precision::Year | Precision::Month | Precision::Day => 24 * HOUR,
        Precision::Hour => HOUR,
        Precision::Minute => MINUTE,
        Precision::Second => SECOND / 10_i64.pow(u32::from(moment.digits.min(9))),
    };
    Some(Moment { day, nanos: moment.nanos + rest - 1, ..*moment })
}

/// Digits that are written.
pub(super) fn precision(item: &Item) -> Result<i32, EvaluateError> {
    let digits = match item.to_system() {
        Item::Decimal(number) => number.scale(),
        Item::Integer(_) => 0,
        Item::Moment(moment) => u32::from(moment.digits_written()),
        _ => return Err(EvaluateError::Type("precision")),
    };
    i32::try_from(digits).map_err(|_| EvaluateError::Limit)
}
