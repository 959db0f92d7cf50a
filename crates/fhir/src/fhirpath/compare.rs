//! Equality, equivalence and order.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use serde_json::Value;

use super::{
    EvaluateError, Quantity, Units, convert,
    moment::{Moment, MomentKind},
    units::Canonical,
    values::{Item, Node},
};
use crate::definitions::Kind;

/// `=` of two items; `None` if their precision leaves it open.
pub(super) fn equal(left: &Item, right: &Item, units: &dyn Units) -> Option<bool> {
    if let (Some(a), Some(b)) = (left.as_str(), right.as_str()) {
        return Some(a == b);
    }
    match (left.to_system(), right.to_system()) {
        (Item::Boolean(a), Item::Boolean(b)) => Some(a == b),
        (Item::Moment(a), Item::Moment(b)) => {
            if (a.kind() == MomentKind::Time) != (b.kind() == MomentKind::Time) {
                return Some(false);
            }
            a.compare(&b).map(Ordering::is_eq)
        }
        (Item::Quantity(a), Item::Quantity(b)) => equal_quantities(&a, &b, units),
        (Item::Quantity(a), b @ (Item::Integer(_) | Item::Decimal(_)))
        | (b @ (Item::Integer(_) | Item::Decimal(_)), Item::Quantity(a)) => {
            let b = convert::to_quantity(&b)?;
            equal_quantities(&a, &b, units)
        }
        (Item::Node(a), Item::Node(b)) => Some(equal_nodes(&a, &b)),
        (
            Item::Type { namespace, name },
            Item::Type { namespace: other_namespace, name: other_name },
        ) => Some(namespace == other_namespace && name == other_name),
        (a, b) => match (number(&a), number(&b)) {
            (Some(a), Some(b)) => Some(a == b),
            _ => Some(false),
        },
    }
}

fn number(item: &Item) -> Option<Decimal> {
    match item {
        Item::Integer(number) => Some(Decimal::from(*number)),
        Item::Decimal(number) => Some(*number),
        _ => None,
    }
}

fn equal_nodes(left: &Node, right: &Node) -> bool {
    let is_primitive = |node: &Node| matches!(node.kind, Kind::Primitive(_));
    if is_primitive(left) != is_primitive(right) {
        return false;
    }
    let scalars = match (left.scalar, right.scalar) {
        (Some(a), Some(b)) => same_json(a, b),
        (None, None) => true,
        _ => false,
    };
    scalars
        && match (left.object, right.object) {
            (Some(a), Some(b)) => same_objects(a, b),
            (a, b) => is_primitive(left) || a.is_none() == b.is_none(),
        }
}

fn same_objects(a: &serde_json::Map<String, Value>, b: &serde_json::Map<String, Value>) -> bool {
    std::ptr::eq(a, b)
        || (a.len() == b.len()
            && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same_json(value, other))))
}

/// JSON that says the same: numbers by their value.
fn same_json(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b
                || matches!(
                    (convert::decimal(a.as_str()), convert::decimal(b.as_str())),
                    (Some(a), Some(b)) if a == b
                )
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_json(a, b))
        }
        (Value::Object(a), Value::Object(b)) => same_objects(a, b),
        (a, b) => a == b,
    }
}

/// Both in base units, if they can be compared.
fn canonical(a: &Quantity, b: &Quantity, units: &dyn Units) -> Option<(Canonical, Canonical)> {
    let (a, b) = (units.canonical(a.ucum()?)?, units.canonical(b.ucum()?)?);
    (a.dimension == b.dimension).then_some((a, b))
}

/// Whether two units measure the same thing.
pub(super) fn comparable(a: &Quantity, b: &Quantity, units: &dyn Units) -> bool {
    (a.unit == b.unit && a.is_calendar == b.is_calendar) || canonical(a, b, units).is_some()
}

fn order_quantities(a: &Quantity, b: &Quantity, units: &dyn Units) -> Option<Ordering> {
    if a.unit == b.unit && a.is_calendar == b.is_calendar {
        return Some(a.value.cmp(&b.value));
    }
    if let (Some(a), Some(b)) = (months(a), months(b)) {
        return Some(a.cmp(&b));
    }
    let (x, y) = canonical(a, b, units)?;
    Some(a.value.checked_mul(x.factor)?.cmp(&b.value.checked_mul(y.factor)?))
}

/// Months of a quantity of calendar years or months.
fn months(quantity: &Quantity) -> Option<Decimal> {
    match (quantity.is_calendar, &*quantity.unit) {
        (true, "year") => quantity.value.checked_mul(Decimal::from(12)),
        (true, "month") => Some(quantity.value),
        _ => None,
    }
}

fn equal_quantities(a: &Quantity, b: &Quantity, units: &dyn Units) -> Option<bool> {
    match order_quantities(a, b, units) {
        Some(order) => Some(order.is_eq()),
        // A month or a year of the calendar against one of UCUM: nobody knows.
        None if a.is_calendar != b.is_calendar => None,
        None => Some(false),
    }
}

/// `~` of two items.
pub(super) fn equivalent(left: &Item, right: &Item, units: &dyn Units) -> bool {
    if let (Some(a), Some(b)) = (left.as_str(), right.as_str()) {
        return same_words(a, b);
    }
    match (left.to_system(), right.to_system()) {
        (Item::Quantity(a), Item::Quantity(b)) => equivalent_quantities(&a, &b, units),
        (Item::Node(a), Item::Node(b)) => match (a.object, b.object) {
            (Some(a), Some(b)) => similar_objects(a, b),
            _ => equal_nodes(&a, &b),
        },
        (a, b) => match (number(&a), number(&b)) {
            (Some(a), Some(b)) => equivalent_numbers(a, b),
            _ => equal(&a, &b, units) == Some(true),
        },
    }
}

/// Rounded to the fewer digits.
fn equivalent_numbers(a: Decimal, b: Decimal) -> bool {
    let scale = a.scale().min(b.scale());
    round(a, scale) == round(b, scale)
}

/// Half away from zero.
pub(super) fn round(number: Decimal, digits: u32) -> Decimal {
    number.round_dp_with_strategy(digits, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
}

/// In the coarser of the two units.
fn equivalent_quantities(a: &Quantity, b: &Quantity, units: &dyn Units) -> bool {
    if a.unit == b.unit && a.is_calendar == b.is_calendar {
        return equivalent_numbers(a.value, b.value);
    }
    // Here a month and a year of the calendar are UCUM's.
    let code = |q: &Quantity| {
        let found = super::quantity::CALENDAR.into_iter().find(|(word, _)| *word == q.unit);
        found
            .filter(|_| q.is_calendar)
            .map_or_else(|| q.unit.to_string(), |found| found.1.to_owned())
    };
    let (Some(x), Some(y)) = (units.canonical(&code(a)), units.canonical(&code(b))) else {
        return false;
    };
    if x.dimension != y.dimension {
        return false;
    }
    let (fine, coarse, ratio) = if x.factor <= y.factor {
        (a.value, b.value, x.factor.checked_div(y.factor))
    } else {
        (b.value, a.value, y.factor.checked_div(x.factor))
    };
    let Some(converted) = ratio.and_then(|ratio| fine.checked_mul(ratio)) else { return false };
    equivalent_numbers(converted, coarse)
}

/// Case and the width of white space aside.
fn same_words(a: &str, b: &str) -> bool {
    let words =
        |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ");
    a == b || words(a) == words(b)
}

fn similar_objects(a: &serde_json::Map<String, Value>, b: &serde_json::Map<String, Value>) -> bool {
    std::ptr::eq(a, b)
        || (a.len() == b.len()
            && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| similar(value, other))))
}

/// JSON that says the same, the order of lists and the case of words aside.
fn similar(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => same_words(a, b),
        (Value::Array(a), Value::Array(b)) => {
            let mut left: Vec<&Value> = b.iter().collect();
            a.len() == b.len()
                && a.iter().all(|a| match left.iter().position(|b| similar(a, b)) {
                    Some(at) => {
                        left.swap_remove(at);
                        true
                    }
                    None => false,
                })
        }
        (Value::Object(a), Value::Object(b)) => similar_objects(a, b),
        (a, b) => same_json(a, b),
    }
}

/// The order of two items; `None` if it is open.
pub(super) fn order(
    left: &Item,
    right: &Item,
    units: &dyn Units,
    what: &'static str,
) -> Result<Option<Ordering>, EvaluateError> {
    let (left, right) = (left.to_system(), right.to_system());
    match (&left, &right) {
        (Item::String(a), Item::String(b)) => Ok(Some(a.cmp(b))),
        (Item::Moment(a), Item::Moment(b)) => order_moments(a, b, what),
        // A string of the document, where a date is meant, is read as one.
        (Item::Moment(a), Item::String(b)) => {
            match convert::to_moment(&Item::String(b.clone()), a.kind()) {
                Some(b) => order_moments(a, &b, what),
                None => Err(EvaluateError::Type(what)),
            }
        }
        (Item::Quantity(a), Item::Quantity(b)) => Ok(order_quantities(a, b, units)),
        (Item::Quantity(a), Item::Integer(_) | Item::Decimal(_)) => {
            let b = convert::to_quantity(&right).ok_or(EvaluateError::Type(what))?;
            Ok(order_quantities(a, &b, units))
        }
        (Item::Integer(_) | Item::Decimal(_), Item::Quantity(b)) => {
            let a = convert::to_quantity(&left).ok_or(EvaluateError::Type(what))?;
            Ok(order_quantities(&a, b, units))
        }
        (a, b) => match (number(a), number(b)) {
            (Some(a), Some(b)) => Ok(Some(a.cmp(&b))),
            _ => Err(EvaluateError::Type(what)),
        },
    }
}

fn order_moments(
    a: &Moment,
    b: &Moment,
    what: &'static str,
) -> Result<Option<Ordering>, EvaluateError> {
    if (a.kind() == MomentKind::Time) != (b.kind() == MomentKind::Time) {
        return Err(EvaluateError::Type(what));
    }
    Ok(a.compare(b))
}
