//! The card and the wristband of a person.

use ondol_access::Action;
use ondol_kernel::ResourceId;
use ondol_record::ChartId;

use crate::{
    Actor, App, AppError,
    encounter::Banner,
    people::{facility_name, practitioner_name},
};

/// What stands on a card. It has no `Debug`: it names somebody.
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    /// Whose it is.
    pub banner: Banner,
    /// The name of the home facility; empty if there is none.
    pub home: String,
    /// The names of the section doctors.
    pub doctors: Vec<String>,
}

impl App {
    /// What stands on a person's card and wristband.
    pub fn card(&self, actor: &Actor, id: &ResourceId) -> Result<Card, AppError> {
        let chart = ChartId::Patient(id.clone());
        self.reading(actor, Action::PrintChart, &chart, |view| {
            let banner = self.banner_in(view, id)?;
            let home = match &banner.person.home {
                Some(reference) => facility_name(self, view, reference)?,
                None => String::new(),
            };
            let mut doctors = vec![];
            for reference in &banner.person.doctors {
                doctors.push(practitioner_name(view, reference)?);
            }
            doctors.retain(|name| !name.is_empty());
            Ok(Card { banner, home, doctors })
        })
    }
}
