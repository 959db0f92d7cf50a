//! Numbers, quantities and reference ranges.

use ondol_fhir::DecimalKey;
use serde_json::{Number, Value};

use super::{message::Segment, tables, types::Object};

/// Characters of a number at most; a longer one is taken as text.
const NUMBER_MAX: usize = 64;

const COMPARATORS: [&str; 4] = ["<=", ">=", "<", ">"];

/// A number with the digits that it has. JSON wants a digit on either side of the point, no plus
/// and no zeros before others.
pub(super) fn number(text: &str) -> Option<Value> {
    let text = text.trim();
    let (minus, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = is_digits(whole) && is_digits(fraction) && whole.len() + fraction.len() > 0;
    if !is_number || text.len() > NUMBER_MAX {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    let number = format!("{minus}{whole}{point}{fraction}");
    serde_json::from_str::<Number>(&number).ok().map(Value::Number)
}

/// A number with a comparator before it, if there is one: `<5`.
pub(super) fn compared(text: &str) -> Option<(Option<&'static str>, Value)> {
    let text = text.trim();
    let found = COMPARATORS.into_iter().find(|sign| text.starts_with(sign));
    let rest = &text[found.map_or(0, str::len)..];
    Some((found, number(rest)?))
}

/// Whether the first is not greater than the second.
pub(super) fn is_ordered(low: &Value, high: &Value) -> bool {
    let key = |value: &Value| DecimalKey::parse(&value.to_string());
    matches!((key(low), key(high)), (Some(low), Some(high)) if low <= high)
}

/// The unit of an observation (OBX-6).
#[derive(Debug, Clone, Default)]
pub(super) struct Unit {
    name: Option<String>,
    /// Its code, if it is one of UCUM.
    code: Option<String>,
}

impl Unit {
    pub(super) fn of(obx: &Segment<'_>) -> Self {
        let Some(part) = obx.part(6) else { return Self::default() };
        let (code, name, system) = (part.get(1), part.get(2), part.get(3));
        let ucum = tables::code_system("UCUM");
        let is_ucum = system.is_some() && system.as_deref().and_then(tables::code_system) == ucum;
        if system.is_some() && !is_ucum {
            part.leave(3, "the unit is taken as text: its code is not one of UCUM");
        }
        let is_code = |code: &String| !code.contains(char::is_whitespace);
        Self { name: name.or_else(|| code.clone()), code: code.filter(|_| is_ucum).filter(is_code) }
    }

    /// What it is called.
    pub(super) fn name(&self) -> Option<String> {
        self.name.clone()
    }

    /// A quantity in this unit.
    pub(super) fn quantity(&self, value: Value, comparator: Option<&str>) -> Value {
        let system = self.code.as_ref().and_then(|_| tables::code_system("UCUM"));
        Object::default()
            .with("value", value)
            .maybe("comparator", comparator)
            .maybe("unit", self.name.clone())
            .maybe("system", system)
            .maybe("code", self.code.clone())
            .done()
    }
}

/// A structured number (SN) as `value[x]`: the name of the element and its value.
pub(super) fn structured(pieces: [Option<&str>; 4], unit: &Unit) -> Option<(&'static str, Value)> {
    let [comparator, first, separator, second] = pieces;
    let first = number(first?);
    let comparator = match comparator {
        None | Some("=") => None,
        Some(sign) => Some(COMPARATORS.into_iter().find(|known| *known == sign)?),
    };
    match (separator, second, comparator) {
        (None, None, comparator) => Some(("valueQuantity", unit.quantity(first?, comparator))),
        (Some("-"), Some(second), None) => {
            let (low, high) = (first?, number(second)?);
            let range = Object::default()
                .with("low", unit.quantity(low.clone(), None))
                .with("high", unit.quantity(high.clone(), None));
            is_ordered(&low, &high).then(|| ("valueRange", range.done()))
        }
        (Some(":" | "/"), Some(second), None) => {
            let ratio = Object::default()
                .with("numerator", unit.quantity(first?, None))
                .with("denominator", unit.quantity(number(second)?, None));
            Some(("valueRatio", ratio.done()))
        }
        _ => None,
    }
}

/// A reference range (OBX-7): always its text, and its bounds where it reads as `a-b`, `<a` or
/// `>a`.
pub(super) fn reference_range(text: &str, unit: &Unit) -> Value {
    let (low, high) = bounds(text);
    Object::default()
        .maybe("low", low.map(|low| unit.quantity(low, None)))
        .maybe("high", high.map(|high| unit.quantity(high, None)))
        .with("text", text.into())
        .done()
}

fn bounds(text: &str) -> (Option<Value>, Option<Value>) {
    let text = text.trim();
    if let Some((Some(sign), bound)) = compared(text) {
        return if sign.starts_with('<') { (None, Some(bound)) } else { (Some(bound), None) };
    }
    // A minus may stand before either number: `-2 - -1`.
    for (at, _) in text.match_indices('-').filter(|(at, _)| *at > 0).take(3) {
        let (low, high) = (number(&text[..at]), number(&text[at + 1..]));
        if let (Some(low), Some(high)) = (low, high) {
            return if is_ordered(&low, &high) { (Some(low), Some(high)) } else { (None, None) };
        }
    }
    (None, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        for (text, means) in [
            ("7.40", "7.40"),
            ("+5", "5"),
            (".50", "0.50"),
            ("5.", "5"),
            ("-007.10", "-7.10"),
            ("000", "0"),
            ("12345678901234567890.123456789", "12345678901234567890.123456789"),
        ] {
            assert_eq!(number(text).unwrap().to_string(), means, "{text}");
        }
        for text in ["", ".", "-", "1e5", "1,5", "<5", "١", "1.2.3", "NaN", "--1"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_are_read_where_they_can_be() {
        let read = |text: &str| {
            let (low, high) = bounds(text);
            let said = |value: Option<Value>| value.map_or("?".into(), |value| value.to_string());
            format!("{}..{}", said(low), said(high))
        };
        for (text, means) in [
            ("3.50-5.0", "3.50..5.0"),
            ("3.5 - 5", "3.5..5"),
            ("-2-3", "-2..3"),
            ("-2--1", "-2..-1"),
            ("<10", "?..10"),
            ("<=10", "?..10"),
            ("> 1.0", "1.0..?"),
            ("5-3", "?..?"),
            ("negative", "?..?"),
            ("3-5 (adults)", "?..?"),
        ] {
            assert_eq!(read(text), means, "{text}");
        }
    }
}
