//! Being there: in and out.

use std::sync::Arc;

use ondol_access::Action;
use ondol_kernel::Class;

use super::{Mark, roster};
use crate::{Actor, App, AppError, Changes};

impl App {
    /// Says that somebody is there for a service from now on. Whoever is there hears emergencies.
    pub fn check_in(self: &Arc<Self>, actor: &Actor, service: &str) -> Result<(), AppError> {
        self.mark(actor, service, true)
    }

    /// Says that somebody is no longer there for a service.
    pub fn check_out(self: &Arc<Self>, actor: &Actor, service: &str) -> Result<(), AppError> {
        self.mark(actor, service, false)
    }

    fn mark(self: &Arc<Self>, actor: &Actor, service: &str, here: bool) -> Result<(), AppError> {
        let (app, who, service) = (self.clone(), actor.clone(), service.to_owned());
        let chart = self.facility_chart();
        self.writing(actor, Action::CheckIn, &chart.clone(), move |view| {
            let services = roster::services(view, &chart)?;
            if services.iter().all(|known| known.code != service) {
                return Err(AppError::Field { field: "service", why: "unknown" });
            }
            let person = app.own_person(view, &who)?;
            let mut marks = roster::marks(view, &chart)?.into_iter();
            let own = marks.find(|(mark, _)| {
                mark.service == service && mark.who.reference == person.reference
            });
            // Two marks of one person never have the same time, whatever the clock does.
            let after = own.as_ref().map_or(app.now(), |(mark, _)| mark.at.plus(1));
            let at = app.now().max(after);
            let json = Mark { who: person, service, at, here }.to_json();
            // Who is there decides whom the next emergency goes to: it travels with care.
            let mut changes = Changes::new(Class::Care);
            match own {
                Some((_, found)) => changes.update(&found, json),
                None => {
                    changes.create(json);
                }
            }
            Ok(changes)
        })?;
        Ok(())
    }
}
