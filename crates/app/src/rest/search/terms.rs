//! Codes that a value set has (`:in`, `:not-in`) or that stand above or below another one
//! (`:above`, `:below`), as far as this node holds the value set or the code system whole and the
//! one who asks may read it.

use std::collections::BTreeSet;

use ondol_fhir::SearchParam;

use crate::rest::{
    criteria::{Criterion, VALUES_MAX},
    error::{ParameterFault, RestError},
    sight::Sight,
    terminology::Terminology,
};

/// Codes that one parameter may ask for.
const CODES_MAX: usize = 5_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    In,
    NotIn,
    Above,
    Below,
}

/// `parameter:in=…` and its like, read and not yet looked up.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    name: String,
    param: &'static SearchParam,
    how: How,
    value: String,
}

impl Terms {
    /// None if the modifier is another one.
    pub(super) fn read(param: &'static SearchParam, name: &str, value: &str) -> Option<Self> {
        let how = match name.split_once(':')?.1 {
            "in" => How::In,
            "not-in" => How::NotIn,
            "above" => How::Above,
            "below" => How::Below,
            _ => return None,
        };
        Some(Self { name: name.to_owned(), param, how, value: value.to_owned() })
    }

    pub(super) fn met(self, sight: &mut Sight<'_>) -> Result<Criterion, RestError> {
        if self.value.split(',').count() > VALUES_MAX {
            return Err(RestError::TooCostly);
        }
        let mut codes = BTreeSet::new();
        let mut terms = Terminology::new(sight, false);
        for text in self.value.split(',') {
            let found = match self.how {
                How::In | How::NotIn => terms.codes(text)?,
                How::Above => terms.relatives(text, true)?,
                How::Below => terms.relatives(text, false)?,
            };
            let Some(found) = found else {
                return Err(RestError::parameter(&self.name, ParameterFault::NotHeld));
            };
            codes.extend(found);
            if codes.len() > CODES_MAX {
                return Err(RestError::TooCostly);
            }
        }
        let negated = self.how == How::NotIn;
        Ok(Criterion::coded(self.param, negated, codes))
    }
}
