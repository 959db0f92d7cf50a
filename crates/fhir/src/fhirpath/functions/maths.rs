//! Numbers. Roots, powers and logarithms are computed in binary floating point (15 digits).

use rust_decimal::{
    Decimal,
    prelude::{FromPrimitive, ToPrimitive},
};

use super::{Answer, Collection, EvaluateError, Frame, Function, Item, one};
use crate::fhirpath::{boundaries, compare, convert, quantity::Quantity};

pub(super) fn call<'a>(frame: &Frame<'a, '_>) -> Option<Answer<'a>> {
    let function = frame.call.function;
    Some(match function {
        Function::Abs
        | Function::Ceiling
        | Function::Floor
        | Function::Truncate
        | Function::Round => whole(frame),
        Function::Exp | Function::Ln | Function::Sqrt => real(frame, None),
        Function::Log | Function::Power => frame.argument(0).and_then(|value| {
            match one(value.as_slice(), frame.name())?.map(Item::to_system) {
                None => Ok(Collection::empty()),
                Some(argument) => real(frame, Some(&argument)),
            }
        }),
        Function::LowBoundary | Function::HighBoundary => {
            frame.integer_argument(0).and_then(|to| {
                let Some(item) = frame.one()? else { return Ok(Collection::empty()) };
                boundaries::boundary(item, to, function == Function::LowBoundary)
                    .map(Collection::from)
            })
        }
        Function::Precision => frame.one().and_then(|item| {
            item.map(boundaries::precision).transpose().map(|p| p.map(Item::Integer).into())
        }),
        Function::Comparable => comparable(frame),
        _ => return None,
    })
}

fn comparable<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let other = frame.argument(0)?;
    let (Some(a), Some(b)) = (frame.one()?, one(other.as_slice(), "comparable")?) else {
        return Ok(Collection::empty());
    };
    let quantity = |item: &Item| {
        convert::to_quantity(&item.to_system()).ok_or(EvaluateError::Type("comparable"))
    };
    Ok(compare::comparable(&quantity(a)?, &quantity(b)?, frame.run.units()).into())
}

fn whole<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let digits = frame.integer_argument(0)?.unwrap_or(0);
    let digits = u32::try_from(digits).map_err(|_| EvaluateError::Type(frame.name()))?;
    let Some(item) = frame.one()? else { return Ok(Collection::empty()) };
    let function = frame.call.function;
    let to_integer = |number: Decimal| number.to_i32().map(Item::Integer).into();
    Ok(match (function, item.to_system()) {
        (Function::Abs, Item::Integer(number)) => number.checked_abs().map(Item::Integer).into(),
        (Function::Abs, Item::Decimal(number)) => Collection::one(Item::Decimal(number.abs())),
        (Function::Abs, Item::Quantity(quantity)) => {
            let value = quantity.value.abs();
            Collection::one(Item::Quantity(Box::new(Quantity { value, ..*quantity })))
        }
        (Function::Round, Item::Integer(number)) => {
            Collection::one(Item::Decimal(Decimal::from(number)))
        }
        (Function::Round, Item::Decimal(number)) => {
            Collection::one(Item::Decimal(compare::round(number, digits)))
        }
        (_, Item::Integer(number)) => Collection::one(Item::Integer(number)),
        (Function::Ceiling, Item::Decimal(number)) => to_integer(number.ceil()),
        (Function::Floor, Item::Decimal(number)) => to_integer(number.floor()),
        (Function::Truncate, Item::Decimal(number)) => to_integer(number.trunc()),
        _ => return Err(EvaluateError::Type(frame.name())),
    })
}

/// Functions that leave the rationals; empty where they have no value.
fn real<'a>(frame: &Frame<'a, '_>, argument: Option<&Item<'a>>) -> Answer<'a> {
    let wrong = EvaluateError::Type(frame.name());
    let number = |item: &Item| match item {
        Item::Integer(_) | Item::Decimal(_) => convert::to_decimal(item),
        _ => None,
    };
    let Some(item) = frame.one()?.map(Item::to_system) else { return Ok(Collection::empty()) };
    let base = number(&item).ok_or(wrong)?;
    let argument = argument.map(|item| number(item).ok_or(wrong)).transpose()?;
    if frame.call.function == Function::Power
        && let (Item::Integer(base), Some(power)) = (&item, argument)
        && power.is_integer()
        && let Some(power) = power.to_u32()
    {
        return Ok(base.checked_pow(power).map(Item::Integer).into());
    }
    let (x, y) = (base.to_f64().ok_or(wrong)?, argument.and_then(|y| y.to_f64()));
    let value = match (frame.call.function, y) {
        (Function::Exp, _) => x.exp(),
        (Function::Ln, _) => x.ln(),
        (Function::Sqrt, _) => x.sqrt(),
        (Function::Log, Some(y)) => x.log(y),
        (Function::Power, Some(y)) => x.powf(y),
        _ => return Err(wrong),
    };
    if !value.is_finite() {
        return Ok(Collection::empty());
    }
    Ok(Decimal::from_f64(value).map(Item::Decimal).into())
}
