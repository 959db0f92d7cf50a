//! `toX()` and `convertsToX()`.

use super::{Answer, Collection, Frame, Function, Item};
use crate::fhirpath::{compare, convert, moment::MomentKind};

pub(super) fn call<'a>(frame: &Frame<'a, '_>) -> Option<Answer<'a>> {
    let converted = |make: &dyn Fn(&Item<'a>) -> Option<Item<'a>>, asks: bool| -> Answer<'a> {
        let Some(item) = frame.one()? else { return Ok(Collection::empty()) };
        let made = make(&item.to_system());
        Ok(if asks { made.is_some().into() } else { made.into() })
    };
    let moment = |kind: MomentKind, asks: bool| {
        converted(&|item| convert::to_moment(item, kind).map(Item::Moment), asks)
    };
    let boolean = |item: &Item<'a>| convert::to_boolean(item).map(Item::Boolean);
    let integer = |item: &Item<'a>| convert::to_integer(item).map(Item::Integer);
    let decimal = |item: &Item<'a>| convert::to_decimal(item).map(Item::Decimal);
    let text = |item: &Item<'a>| convert::to_text(item).map(Item::String);
    Some(match frame.call.function {
        Function::ToBoolean => converted(&boolean, false),
        Function::ConvertsToBoolean => converted(&boolean, true),
        Function::ToInteger => converted(&integer, false),
        Function::ConvertsToInteger => converted(&integer, true),
        Function::ToDecimal => converted(&decimal, false),
        Function::ConvertsToDecimal => converted(&decimal, true),
        Function::ToText => converted(&text, false),
        Function::ConvertsToText => converted(&text, true),
        Function::ToQuantity => quantity(frame, false),
        Function::ConvertsToQuantity => quantity(frame, true),
        Function::ToDate => moment(MomentKind::Date, false),
        Function::ConvertsToDate => moment(MomentKind::Date, true),
        Function::ToDateTime => moment(MomentKind::DateTime, false),
        Function::ConvertsToDateTime => moment(MomentKind::DateTime, true),
        Function::ToTime => moment(MomentKind::Time, false),
        Function::ConvertsToTime => moment(MomentKind::Time, true),
        _ => return None,
    })
}

/// With a unit as argument, the amount in that unit.
fn quantity<'a>(frame: &Frame<'a, '_>, asks: bool) -> Answer<'a> {
    let unit = frame.text_argument(0)?;
    let Some(item) = frame.one()? else { return Ok(Collection::empty()) };
    let units = frame.run.units();
    let made = convert::to_quantity(&item.to_system()).and_then(|quantity| match &unit {
        None => Some(quantity),
        Some(unit) => {
            let wanted = crate::fhirpath::Quantity::with_unit(quantity.value, unit);
            compare::comparable(&quantity, &wanted, units)
                .then(|| crate::fhirpath::arithmetic::in_unit_of(&quantity, &wanted, units))?
                .map(|value| crate::fhirpath::Quantity { value, ..wanted })
        }
    });
    Ok(match made {
        made if asks => made.is_some().into(),
        made => made.map(|quantity| Item::Quantity(Box::new(quantity))).into(),
    })
}
