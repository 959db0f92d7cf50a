//! From the primitives of a document to System types, and between those.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde_json::Value;

use super::{
    Moment, Quantity,
    moment::MomentKind,
    values::{Item, Node},
};
use crate::{definitions::Kind, primitive::Primitive};

/// A decimal as it is written, its zeros kept; `None` beyond 28 digits.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.contains(['e', 'E']) {
        return Decimal::from_scientific(text).ok();
    }
    let fits = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    fits.then(|| Decimal::from_str_exact(text).ok())?
}

impl<'a> Node<'a> {
    /// The System value of a primitive, or of a FHIR quantity; `None` for anything else, and for
    /// a primitive whose text is not of its type.
    pub(crate) fn system(&self) -> Option<Item<'a>> {
        let Kind::Primitive(primitive) = self.kind else { return self.quantity() };
        match (primitive, self.scalar?) {
            (Primitive::Boolean, Value::Bool(is)) => Some(Item::Boolean(*is)),
            (Primitive::Decimal, Value::Number(number)) => {
                decimal(number.as_str()).map(Item::Decimal)
            }
            (_, Value::Number(number)) => number.as_str().parse().ok().map(Item::Integer),
            (Primitive::Date, Value::String(text)) => Moment::parse_date(text).map(Item::Moment),
            (Primitive::DateTime | Primitive::Instant, Value::String(text)) => {
                Moment::parse_date_time(text).map(Item::Moment)
            }
            (Primitive::Time, Value::String(text)) => Moment::parse_time(text).map(Item::Moment),
            (_, Value::String(text)) => Some(Item::String(Cow::Borrowed(text))),
            _ => None,
        }
    }

    fn quantity(&self) -> Option<Item<'a>> {
        if !self.is_a("Quantity") {
            return None;
        }
        let body = self.object?;
        let Value::Number(value) = body.get("value")? else { return None };
        let value = decimal(value.as_str())?;
        let unit = body.get("code").or(body.get("unit")).and_then(Value::as_str);
        // A FHIR quantity has UCUM codes, never words of the calendar.
        let unit = Cow::Owned(unit.unwrap_or("1").to_owned());
        Some(Item::Quantity(Box::new(Quantity { value, unit, is_calendar: false })))
    }
}

impl Item<'_> {
    /// The item as a System value; a node that is none stays what it is.
    pub(crate) fn to_system(&self) -> Self {
        match self {
            Self::Node(node) => node.system().unwrap_or(Self::Node(*node)),
            other => other.clone(),
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Node(node) => node.text(),
            _ => None,
        }
    }
}

impl<'a> Node<'a> {
    /// The text of a primitive that is a System string.
    pub(crate) fn text(&self) -> Option<&'a str> {
        match self.kind {
            Kind::Primitive(
                Primitive::Date | Primitive::DateTime | Primitive::Instant | Primitive::Time,
            ) => None,
            Kind::Primitive(_) => self.scalar?.as_str(),
            _ => None,
        }
    }
}

/// `toBoolean()`
pub(super) fn to_boolean(item: &Item) -> Option<bool> {
    match item {
        Item::Boolean(is) => Some(*is),
        Item::Integer(0) => Some(false),
        Item::Integer(1) => Some(true),
        Item::Decimal(number) if number.is_zero() => Some(false),
        Item::Decimal(number) if *number == Decimal::ONE => Some(true),
        Item::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(true),
            "false" | "f" | "no" | "n" | "0" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// `toInteger()`
pub(super) fn to_integer(item: &Item) -> Option<i32> {
    match item {
        Item::Integer(number) => Some(*number),
        Item::Boolean(is) => Some(i32::from(*is)),
        Item::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// `toDecimal()`
pub(super) fn to_decimal(item: &Item) -> Option<Decimal> {
    match item {
        Item::Integer(number) => Some(Decimal::from(*number)),
        Item::Decimal(number) => Some(*number),
        Item::Boolean(is) => Some(Decimal::from(i32::from(*is))),
        Item::String(text) => decimal(text.strip_prefix('+').unwrap_or(text)),
        _ => None,
    }
}

/// `toQuantity()`
pub(super) fn to_quantity(item: &Item) -> Option<Quantity> {
    match item {
        Item::Quantity(quantity) => Some((**quantity).clone()),
        Item::String(text) => Quantity::parse(text),
        Item::Integer(_) | Item::Decimal(_) | Item::Boolean(_) => {
            to_decimal(item).map(Quantity::plain)
        }
        _ => None,
    }
}

/// `toDate()`, `toDateTime()`, `toTime()`
pub(super) fn to_moment(item: &Item, kind: MomentKind) -> Option<Moment> {
    match item {
        Item::String(text) => match kind {
            MomentKind::Date => {
                let date = text.split_once('T').map_or(&**text, |(date, _)| date);
                Moment::parse_date_time(text)?;
                Moment::parse_date(date)
            }
            MomentKind::DateTime => Moment::parse_date_time(text),
            MomentKind::Time => Moment::parse_time(text.strip_prefix('T').unwrap_or(text)),
        },
        Item::Moment(moment) => match (moment.kind(), kind) {
            (from, to) if from == to => Some(*moment),
            (MomentKind::Date, MomentKind::DateTime) => Some(Moment { kind, ..*moment }),
            (MomentKind::DateTime, MomentKind::Date) => Some(moment.date()),
            _ => None,
        },
        _ => None,
    }
}

/// `toString()`
pub(super) fn to_text<'a>(item: &Item<'a>) -> Option<Cow<'a, str>> {
    Some(match item {
        Item::String(text) => text.clone(),
        Item::Boolean(is) => Cow::Owned(is.to_string()),
        Item::Integer(number) => Cow::Owned(number.to_string()),
        Item::Decimal(number) => Cow::Owned(number.to_string()),
        Item::Moment(moment) => Cow::Owned(moment.to_string()),
        Item::Quantity(quantity) => Cow::Owned(quantity.to_string()),
        Item::Node(_) | Item::Type { .. } => return None,
    })
}
