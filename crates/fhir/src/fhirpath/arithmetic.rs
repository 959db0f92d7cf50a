//! `+ - * / div mod &` and the sign.

use std::borrow::Cow;

use ondol_kernel::Date;
use rust_decimal::{Decimal, prelude::ToPrimitive};

use super::{
    EvaluateError, Quantity, STRING_MAX,
    ast::Op,
    convert,
    moment::{DAY, HOUR, MINUTE, Moment, MomentKind, Precision, SECOND},
    units::Units,
    values::Item,
};

/// Two numbers as the wider type of both.
enum Pair {
    Integers(i32, i32),
    Decimals(Decimal, Decimal),
}

fn numbers(left: &Item, right: &Item) -> Option<Pair> {
    match (left, right) {
        (Item::Integer(a), Item::Integer(b)) => Some(Pair::Integers(*a, *b)),
        (Item::Integer(_) | Item::Decimal(_), Item::Integer(_) | Item::Decimal(_)) => {
            Some(Pair::Decimals(convert::to_decimal(left)?, convert::to_decimal(right)?))
        }
        _ => None,
    }
}

/// The value of two items under an operator; `None` beyond the range, and for a division by zero.
pub(super) fn binary<'a>(
    op: Op,
    left: &Item<'a>,
    right: &Item<'a>,
    units: &dyn Units,
) -> Result<Option<Item<'a>>, EvaluateError> {
    let wrong = EvaluateError::Type(op.text());
    let (left, right) = (left.to_system(), right.to_system());
    if let Some(pair) = numbers(&left, &right) {
        return Ok(on_numbers(op, &pair));
    }
    match (op, &left, &right) {
        (Op::Add | Op::Concatenate, Item::String(a), Item::String(b)) => {
            if a.len() + b.len() > STRING_MAX {
                return Err(EvaluateError::Limit);
            }
            Ok(Some(Item::String(Cow::Owned(format!("{a}{b}")))))
        }
        (Op::Add, Item::Moment(moment), Item::Quantity(quantity)) => {
            plus(moment, quantity, 1).map(|sum| sum.map(Item::Moment))
        }
        (Op::Subtract, Item::Moment(moment), Item::Quantity(quantity)) => {
            plus(moment, quantity, -1).map(|sum| sum.map(Item::Moment))
        }
        (_, Item::Quantity(_), Item::Quantity(_) | Item::Integer(_) | Item::Decimal(_))
        | (_, Item::Integer(_) | Item::Decimal(_), Item::Quantity(_)) => {
            let a = convert::to_quantity(&left).ok_or(wrong)?;
            let b = convert::to_quantity(&right).ok_or(wrong)?;
            let made = on_quantities(op, &a, &b, units)?;
            Ok(made.map(|quantity| Item::Quantity(Box::new(quantity))))
        }
        _ => Err(wrong),
    }
}

fn on_numbers<'a>(op: Op, pair: &Pair) -> Option<Item<'a>> {
    match *pair {
        Pair::Integers(a, b) => match op {
            Op::Add => a.checked_add(b).map(Item::Integer),
            Op::Subtract => a.checked_sub(b).map(Item::Integer),
            Op::Multiply => a.checked_mul(b).map(Item::Integer),
            Op::Div => a.checked_div(b).map(Item::Integer),
            Op::Mod => a.checked_rem(b).map(Item::Integer),
            Op::Divide => Decimal::from(a).checked_div(Decimal::from(b)).map(Item::Decimal),
            _ => None,
        },
        Pair::Decimals(a, b) => match op {
            Op::Add => a.checked_add(b).map(Item::Decimal),
            Op::Subtract => a.checked_sub(b).map(Item::Decimal),
            Op::Multiply => a.checked_mul(b).map(Item::Decimal),
            Op::Divide => a.checked_div(b).map(Item::Decimal),
            Op::Div => a.checked_div(b)?.trunc().to_i32().map(Item::Integer),
            Op::Mod => a.checked_rem(b).map(Item::Decimal),
            _ => None,
        },
    }
}

fn on_quantities(
    op: Op,
    a: &Quantity,
    b: &Quantity,
    units: &dyn Units,
) -> Result<Option<Quantity>, EvaluateError> {
    let composed = |sign: char| {
        // Words of the calendar are written as UCUM's codes inside a composed unit.
        let code = |quantity: &Quantity| quantity.ucum().map(str::to_owned);
        let (a, b) = (code(a)?, code(b)?);
        if b == "1" {
            return Some(a);
        }
        let b = if b.contains(['/', '.']) { format!("({b})") } else { b };
        Some(if a == "1" && sign == '.' { b } else { format!("{a}{sign}{b}") })
    };
    let (value, unit) = match op {
        Op::Multiply => (a.value.checked_mul(b.value), composed('.')),
        Op::Divide => (a.value.checked_div(b.value), composed('/')),
        Op::Add | Op::Subtract => {
            let Some(b) = in_unit_of(b, a, units) else { return Ok(None) };
            let value = match op {
                Op::Add => a.value.checked_add(b),
                _ => a.value.checked_sub(b),
            };
            return Ok(value.map(|value| Quantity { value, ..a.clone() }));
        }
        _ => return Err(EvaluateError::Type(op.text())),
    };
    let (Some(value), Some(unit)) = (value, unit) else { return Ok(None) };
    Ok((unit.len() <= 256).then(|| Quantity::with_unit(value, &unit)))
}

/// The number of an amount in the unit of another.
pub(super) fn in_unit_of(from: &Quantity, to: &Quantity, units: &dyn Units) -> Option<Decimal> {
    if from.unit == to.unit && from.is_calendar == to.is_calendar {
        return Some(from.value);
    }
    let (a, b) = (units.canonical(from.ucum()?)?, units.canonical(to.ucum()?)?);
    (a.dimension == b.dimension).then_some(())?;
    from.value.checked_mul(a.factor)?.checked_div(b.factor)
}

/// `-x`
pub(super) fn negate<'a>(item: &Item<'a>) -> Result<Option<Item<'a>>, EvaluateError> {
    Ok(match item.to_system() {
        Item::Integer(number) => number.checked_neg().map(Item::Integer),
        Item::Decimal(number) if number.is_zero() => Some(Item::Decimal(number.abs())),
        Item::Decimal(number) => Some(Item::Decimal(-number)),
        Item::Quantity(quantity) => {
            Some(Item::Quantity(Box::new(Quantity { value: -quantity.value, ..*quantity })))
        }
        _ => return Err(EvaluateError::Type("-")),
    })
}

/// A moment and an amount of the calendar, or of those units of UCUM that have a fixed length.
/// Fractions are dropped; the day is the month's last if the month is too short.
fn plus(moment: &Moment, quantity: &Quantity, sign: i64) -> Result<Option<Moment>, EvaluateError> {
    let unit = match (quantity.is_calendar, &*quantity.unit) {
        (true, word) => word,
        (false, "wk") => "week",
        (false, "d") => "day",
        (false, "h") => "hour",
        (false, "min") => "minute",
        (false, "s") => "second",
        (false, "ms") => "millisecond",
        _ => return Err(EvaluateError::Type("a unit of time")),
    };
    let Some(count) = quantity.value.trunc().to_i64() else { return Ok(None) };
    // Far beyond any date, and small enough for what follows.
    if count.unsigned_abs() > 400_000_000_000_000 {
        return Ok(None);
    }
    Ok(add(moment, unit, sign * count))
}

fn add(moment: &Moment, unit: &str, count: i64) -> Option<Moment> {
    if moment.kind == MomentKind::Time {
        let nanos = nanos(unit)?.checked_mul(i128::from(count))?;
        let sum = (i128::from(moment.nanos) + nanos).rem_euclid(i128::from(DAY));
        return Some(Moment { nanos: i64::try_from(sum).ok()?, ..*moment });
    }
    // What is finer than the moment is taken in whole units of its precision.
    let (unit, count) = coarsen(unit, count, moment.precision);
    match unit {
        "year" => months_later(moment, count.checked_mul(12)?),
        "month" => months_later(moment, count),
        _ => {
            let nanos = nanos(unit)?.checked_mul(i128::from(count))?;
            let sum = moment.written() + nanos;
            let day = i64::try_from(sum.div_euclid(i128::from(DAY))).ok()?;
            let nanos = i64::try_from(sum.rem_euclid(i128::from(DAY))).ok()?;
            // Years of five digits are none that could be written.
            let day = Date::from_days(day).filter(|day| (1..=9999).contains(&day.year()))?;
            let digits = if unit == "millisecond" { moment.digits.max(3) } else { moment.digits };
            Some(Moment { day, nanos, digits, ..*moment })
        }
    }
}

fn nanos(unit: &str) -> Option<i128> {
    Some(i128::from(match unit {
        "week" => 7 * DAY,
        "day" => DAY,
        "hour" => HOUR,
        "minute" => MINUTE,
        "second" => SECOND,
        "millisecond" => SECOND / 1_000,
        _ => return None,
    }))
}

/// To a year or a month nothing finer can be added: days are counted as twelfths of 365.
fn coarsen(unit: &str, count: i64, precision: Precision) -> (&str, i64) {
    let days = |count: i64| match unit {
        "week" => count * 7,
        "day" => count,
        "hour" => count / 24,
        "minute" => count / (24 * 60),
        "second" => count / 86_400,
        _ => count / 86_400_000,
    };
    match (precision, unit) {
        (Precision::Year, "month") => ("year", count / 12),
        (Precision::Year | Precision::Month, "year" | "month") => (unit, count),
        (Precision::Year, _) => ("year", days(count) / 365),
        (Precision::Month, _) => ("month", days(count) / 30),
        (Precision::Day, "hour" | "minute" | "second" | "millisecond") => ("day", days(count)),
        _ => (unit, count),
    }
}

fn months_later(moment: &Moment, count: i64) -> Option<Moment> {
    let months = i64::from(moment.day.year()) * 12 + i64::from(moment.day.month()) - 1;
    let sum = months.checked_add(count)?;
    let year = i32::try_from(sum.div_euclid(12)).ok().filter(|year| (1..=9999).contains(year))?;
    let month = u8::try_from(sum.rem_euclid(12)).ok()? + 1;
    let last = (28..=moment.day.day()).rev();
    let day = last.chain([moment.day.day()]).find_map(|day| Date::new(year, month, day))?;
    Some(Moment { day, ..*moment })
}
