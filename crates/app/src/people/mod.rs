//! People: found, registered with or without a name, linked when it turns out who they are.
//!
//! Care never waits for identity. Whoever cannot say a name gets a provisional number with a
//! check digit, and is linked to the known chart later; both charts stay whole.

mod alike;
mod belongs;
mod compare;
mod decided;
mod described;
mod find;
mod index;
mod link;
mod names;
mod number;
mod one;
mod pairs;
mod person;
mod photo;
mod receive;
mod register;

pub use compare::{Compared, Difference, Side};
pub(crate) use decided::ended_links;
pub use decided::{Decided, DecidedKind, Unlinked};
pub(crate) use find::nobody;
pub use find::{Find, Finding, RESULTS_MAX};
pub(crate) use index::Index;
pub(crate) use names::{facility_name, practitioner_name};
pub(crate) use number::next as next_number;
pub use number::{grouped, plain};
pub(crate) use one::{OnePerson, living, one_person};
pub use pairs::{PAIRS_MAX, Pair, Pairs};
pub use person::{Age, Birth, BirthDoubt, Link, LinkKind, Number, Person, Sex, Stranger};
pub(crate) use person::{extension, items, set_extension};
pub(crate) use receive::{OPEN, encounter as encounter_of, open_here};
pub use register::{PaperNumber, Registered, Registration};
pub(crate) use register::{new_patient, register_within};

use ondol_store::{Found, View};
use serde_json::Value;

use crate::AppError;

/// The document of a found resource, without type and id.
pub(crate) fn document(found: &Found) -> Result<Value, AppError> {
    ondol_record::body::read(&found.shown.body)
        .ok_or(AppError::Unexpected("a resource in the store"))
}

/// The person of a chart.
pub(crate) fn person_of(
    view: &dyn View,
    id: &ondol_kernel::ResourceId,
) -> Result<Person, AppError> {
    let found = view.resource("Patient", id)?.ok_or(AppError::NotFound)?;
    if found.is_retracted() {
        return Err(AppError::Gone);
    }
    Ok(Person::read(id, &document(&found)?, !found.rivals.is_empty()))
}

/// Whether the person of a chart is recorded as dead; not if nothing of the person is here.
pub(crate) fn has_died(view: &dyn View, chart: &ondol_record::ChartId) -> Result<bool, AppError> {
    let ondol_record::ChartId::Patient(id) = chart else { return Ok(false) };
    match person_of(view, id) {
        Ok(person) => Ok(person.died),
        Err(AppError::NotFound | AppError::Gone) => Ok(false),
        Err(other) => Err(other),
    }
}
