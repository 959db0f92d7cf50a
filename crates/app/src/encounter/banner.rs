//! What stands at the head of every page and print about a person.

use ondol_access::Action;
use ondol_kernel::ResourceId;
use ondol_record::ChartId;
use ondol_store::View;

use super::safety::{self, Allergies};
use crate::{
    Actor, App, AppError,
    people::{Person, one_person, person_of},
};

/// The banner. It has no `Debug`: it names somebody.
#[derive(Clone, PartialEq, Eq)]
pub struct Banner {
    /// The person.
    pub person: Person,
    /// What is known of allergies.
    pub allergies: Allergies,
}

impl App {
    /// The banner of a person, for whoever may read the safety summary.
    pub fn banner(&self, actor: &Actor, id: &ResourceId) -> Result<Banner, AppError> {
        let chart = ChartId::Patient(id.clone());
        self.reading(actor, Action::ReadSafetySummary, &chart, |view| self.banner_in(view, id))
    }

    /// The banner of a person, for use cases that decided on their own grounds.
    pub(crate) fn banner_in(&self, view: &dyn View, id: &ResourceId) -> Result<Banner, AppError> {
        let person = person_of(view, id)?;
        // An allergy in any chart of the person counts.
        let mut stated = vec![];
        for chart in one_person(view, id)?.charts() {
            stated.extend(view.chart(&chart, &["AllergyIntolerance"])?);
        }
        let allergies = safety::fold(&stated, self.now())?.allergies;
        Ok(Banner { person, allergies })
    }
}
