//! Whom to call: who is on duty for a specialty at a facility, the deputy, the coordinator.

use ondol_access::Action;
use ondol_kernel::ResourceId;
use ondol_record::{ChartId, certificate::Tier};
use ondol_store::View;

use super::request::{Named, RequestKind, find};
use crate::{
    Actor, App, AppError,
    duty::{self, Duty},
};

/// The service that is asked where a specialty has no duty of its own.
pub(crate) const EMERGENCY: &str = "emergency";

/// Somebody who can be called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// `Practitioner/…`; empty for a telephone that belongs to a room.
    pub reference: String,
    /// The name for pages.
    pub name: String,
    /// The telephone number; empty if none is known.
    pub phone: String,
}

/// Whom to call at a facility.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contacts {
    /// Who has checked in for duty.
    pub on_duty: Option<Contact>,
    /// Who is listed and has not checked in.
    pub listed: Option<Contact>,
    /// The number to call; empty if none is known.
    pub phone: String,
    /// Who takes the place of the one on duty.
    pub deputy: Option<Contact>,
    /// Who coordinates consults.
    pub coordinator: Option<Contact>,
}

/// A facility that can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Askable {
    /// The Organization.
    pub place: Named,
    /// Its tier.
    pub tier: Tier,
    /// Whom to call for the specialty.
    pub contacts: Contacts,
}

impl App {
    /// The facilities that can be asked for a specialty: first those with somebody on duty, then
    /// those with somebody listed or a number to call, then by nearness.
    pub fn askable(&self, specialty: &str) -> Result<Vec<Askable>, AppError> {
        let view = self.view()?;
        let nation = self.nation();
        let mut all = vec![];
        for known in nation.nodes() {
            let own = known.node == self.place.node;
            let reachable = nation.is_above(&known.facility) || known.tier == Tier::Specialist;
            if own || !reachable || !known.tier.treats() {
                continue;
            }
            all.push((
                nation.way_to(&known.node).len(),
                Askable {
                    place: self.named(&*view, &known.facility)?,
                    tier: known.tier,
                    contacts: self.contacts(&*view, &known.facility, specialty)?,
                },
            ));
        }
        all.sort_by_key(|(steps, askable)| {
            let contacts = &askable.contacts;
            let nobody = (contacts.on_duty.is_none(), contacts.listed.is_none());
            (nobody, contacts.phone.is_empty(), *steps, askable.place.reference.clone())
        });
        Ok(all.into_iter().map(|(_, askable)| askable).collect())
    }

    /// The facilities to which a consult can be sent on: those that this one can ask, and those
    /// on the way to the asking one as far as they are known here.
    pub fn redirect_places(&self, actor: &Actor, id: &ResourceId) -> Result<Vec<Named>, AppError> {
        let view = self.view()?;
        let (_, request) = find(&*view, RequestKind::Consult, id)?;
        self.may(&*view, actor, Action::RedirectConsult, &request.chart, None)?;
        let nation = self.nation();
        let mut all = vec![];
        for known in nation.nodes().filter(|known| known.tier.treats()) {
            let own = known.node == self.place.node;
            let asks = format!("Organization/{}", known.facility) == request.from.place;
            if own || asks || known.tier == Tier::Clinic {
                continue;
            }
            let mut named = self.named(&*view, &known.facility)?;
            if named.name == known.facility.as_str() {
                let said = request.overseer.iter().chain(&request.to);
                let said = said.into_iter().find(|one| one.reference == named.reference);
                let Some(said) = said else { continue };
                named = said.clone();
            }
            all.push((nation.way_to(&known.node).len(), named));
        }
        all.sort_by_key(|(steps, named)| (*steps, named.reference.clone()));
        Ok(all.into_iter().map(|(_, named)| named).collect())
    }

    /// A facility with its name; the id if the name is not known here.
    pub(crate) fn named(&self, view: &dyn View, facility: &ResourceId) -> Result<Named, AppError> {
        let reference = format!("Organization/{facility}");
        let name = crate::people::facility_name(self, view, &reference)?;
        Ok(Named { name: if name.is_empty() { facility.to_string() } else { name }, reference })
    }

    /// Whom to call at a facility for a specialty, as far as its roster is here.
    pub(crate) fn contacts(
        &self,
        view: &dyn View,
        facility: &ResourceId,
        specialty: &str,
    ) -> Result<Contacts, AppError> {
        let Some(duty) = self.duty_for(view, facility, specialty)? else {
            return Ok(Contacts::default());
        };
        let contact = |person: &duty::Person| Contact {
            reference: person.reference.clone(),
            name: person.name.clone(),
            phone: person.phone.clone(),
        };
        Ok(Contacts {
            on_duty: duty.on_duty().map(contact),
            listed: duty.listed.as_ref().map(contact),
            deputy: duty.deputy.as_ref().map(contact),
            coordinator: duty.coordinator.as_ref().map(contact),
            phone: duty.phone,
        })
    }

    /// The duty for a specialty: its own service, else that of the emergency room.
    fn duty_for(
        &self,
        view: &dyn View,
        facility: &ResourceId,
        specialty: &str,
    ) -> Result<Option<Duty>, AppError> {
        let now = self.now();
        match self.duty_at(view, facility, specialty, now)? {
            None => self.duty_at(view, facility, EMERGENCY, now),
            own => Ok(own),
        }
    }

    /// The facility that watches over this one, if it treats.
    pub(crate) fn overseer(&self, view: &dyn View) -> Result<Option<Named>, AppError> {
        let nation = self.nation();
        let above = nation.parent().and_then(|node| nation.node(&node).cloned());
        match above {
            Some(above) if above.certificate.tier.treats() => {
                Ok(Some(self.named(view, &above.certificate.facility)?))
            }
            _ => Ok(None),
        }
    }

    /// Whether a person has checked in here for a specialty, or for the emergency room where the
    /// specialty has no duty of its own.
    pub(crate) fn is_on_duty(
        &self,
        view: &dyn View,
        actor: &Actor,
        specialty: &str,
    ) -> Result<bool, AppError> {
        let duty = self.duty_for(view, &self.place.facility, specialty)?;
        Ok(duty.is_some_and(|duty| duty.is_present(&actor.reference())))
    }
}

/// The chart of a facility that a reference names.
pub(crate) fn facility_of(reference: &str) -> Option<ResourceId> {
    match ChartId::from_reference(reference)? {
        ChartId::Facility(id) => Some(id),
        _ => None,
    }
}
