//! The roster's resources, and what they say.

use ondol_kernel::{Millis, ResourceId};
use serde_json::{Value, json};

use crate::{accounts::Colleague, coding};

/// Somebody on the roster, with what is needed to call them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// `Practitioner/…`.
    pub reference: String,
    /// The name.
    pub name: String,
    /// The telephone number; empty if none is known.
    pub phone: String,
}

/// A service that somebody is on duty for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The `HealthcareService`.
    pub id: ResourceId,
    /// A code of `ondol_terms::specialties`; `emergency` among them.
    pub code: String,
    /// The duty telephone; empty if there is none.
    pub phone: String,
    /// Who coordinates.
    pub coordinator: Option<Person>,
}

/// A turn of duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The `Slot`.
    pub id: ResourceId,
    /// The service's code.
    pub service: String,
    /// Who is listed.
    pub who: Person,
    /// Who takes their place.
    pub deputy: Option<Person>,
    /// From.
    pub from: Millis,
    /// To, excluded.
    pub to: Millis,
}

/// Somebody checked in or out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Who.
    pub who: Person,
    /// The service's code.
    pub service: String,
    /// When.
    pub at: Millis,
    /// In (true) or out.
    pub here: bool,
}

const COORDINATOR: &str = "urn:ondol:duty:coordinator";
const WHO: &str = "urn:ondol:duty:who";
const DEPUTY: &str = "urn:ondol:duty:deputy";
const AT: &str = "urn:ondol:duty:at";
const HERE: &str = "urn:ondol:duty:here";
const SERVICE: &str = "urn:ondol:duty:service";
const PHONE: &str = "urn:ondol:duty:phone";

impl From<&Colleague> for Person {
    fn from(colleague: &Colleague) -> Self {
        Self {
            reference: colleague.reference(),
            name: colleague.name.clone(),
            phone: colleague.phone.clone(),
        }
    }
}

impl Person {
    /// Name and telephone travel with the reference: the tiers that call do not all hold the
    /// practitioner's chart.
    fn extension(&self, url: &str) -> Value {
        let mut reference = json!({ "reference": self.reference, "display": self.name });
        if !self.phone.is_empty() {
            reference["extension"] = json!([{ "url": PHONE, "valueString": self.phone }]);
        }
        json!({ "url": url, "valueReference": reference })
    }

    fn of(reference: &Value) -> Option<Self> {
        Some(Self {
            reference: reference["reference"].as_str()?.to_owned(),
            name: reference["display"].as_str()?.to_owned(),
            phone: extension(reference, PHONE)
                .and_then(|phone| phone["valueString"].as_str())
                .unwrap_or("")
                .to_owned(),
        })
    }
}

fn extension<'a>(resource: &'a Value, url: &str) -> Option<&'a Value> {
    resource["extension"].as_array()?.iter().find(|extension| extension["url"] == url)
}

fn person(resource: &Value, url: &str) -> Option<Person> {
    Person::of(&extension(resource, url)?["valueReference"])
}

impl Service {
    /// The resource.
    pub(super) fn to_json(&self, organization: &str) -> Value {
        let name = ondol_terms::specialty(&self.code).map_or(self.code.as_str(), |known| known.ko);
        let mut service = json!({
            "resourceType": "HealthcareService",
            "active": true,
            "providedBy": { "reference": organization },
            "specialty": [coding::concept(coding::SPECIALTY, &self.code)],
            "name": name,
        });
        if let Some(coordinator) = &self.coordinator {
            service["extension"] = json!([coordinator.extension(COORDINATOR)]);
        }
        if !self.phone.is_empty() {
            service["telecom"] = json!([{ "system": "phone", "value": self.phone }]);
        }
        service
    }

    pub(super) fn of(id: &ResourceId, service: &Value) -> Option<Self> {
        if service["active"] == false {
            return None;
        }
        Some(Self {
            id: id.clone(),
            code: coding::code_of(&service["specialty"], coding::SPECIALTY)?.to_owned(),
            phone: service["telecom"][0]["value"].as_str().unwrap_or("").to_owned(),
            coordinator: person(service, COORDINATOR),
        })
    }
}

/// The resource of a service's roster.
pub(super) fn schedule(service: &Value) -> Value {
    json!({ "resourceType": "Schedule", "active": true, "actor": [service] })
}

impl Turn {
    /// The resource. `schedule` is a reference.
    pub(super) fn to_json(&self, schedule: &Value, utc_offset_minutes: i32) -> Value {
        let mut extensions = vec![self.who.extension(WHO)];
        extensions.extend(self.deputy.iter().map(|deputy| deputy.extension(DEPUTY)));
        json!({
            "resourceType": "Slot",
            "extension": extensions,
            "specialty": [coding::concept(coding::SPECIALTY, &self.service)],
            "schedule": schedule,
            "status": "busy",
            "start": self.from.to_fhir(utc_offset_minutes),
            "end": self.to.to_fhir(utc_offset_minutes),
        })
    }

    pub(super) fn of(id: &ResourceId, slot: &Value) -> Option<Self> {
        Some(Self {
            id: id.clone(),
            service: coding::code_of(&slot["specialty"], coding::SPECIALTY)?.to_owned(),
            who: person(slot, WHO)?,
            deputy: person(slot, DEPUTY),
            from: Millis::parse_fhir(slot["start"].as_str()?)?,
            to: Millis::parse_fhir(slot["end"].as_str()?)?,
        })
    }
}

impl Mark {
    /// The resource.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "resourceType": "Basic",
            "extension": [
                self.who.extension(WHO),
                { "url": SERVICE, "valueCode": self.service },
                { "url": AT, "valueInstant": self.at.to_fhir(0) },
                { "url": HERE, "valueBoolean": self.here },
            ],
            "code": coding::concept(coding::DUTY, "presence"),
        })
    }

    pub(super) fn of(basic: &Value) -> Option<Self> {
        coding::code_of(&basic["code"], coding::DUTY)?;
        Some(Self {
            who: person(basic, WHO)?,
            service: extension(basic, SERVICE)?["valueCode"].as_str()?.to_owned(),
            at: Millis::parse_fhir(extension(basic, AT)?["valueInstant"].as_str()?)?,
            here: extension(basic, HERE)?["valueBoolean"].as_bool()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ri() -> Person {
        Person { reference: "Practitioner/1".into(), name: "리철민".into(), phone: "123".into() }
    }

    fn id() -> ResourceId {
        ResourceId::new("x").unwrap()
    }

    fn check(resource: Value) {
        let resource = ondol_fhir::Resource::from_json(resource).unwrap();
        assert!(ondol_fhir::validate(&resource).is_empty());
    }

    #[test]
    fn what_is_written_is_valid_and_read_as_it_was() {
        let service = Service {
            id: id(),
            code: "emergency".into(),
            phone: "02-111".into(),
            coordinator: Some(ri()),
        };
        let json = service.to_json("Organization/f");
        assert_eq!(Service::of(&id(), &json), Some(service));
        check(json);
        let turn = Turn {
            id: id(),
            service: "surgery".into(),
            who: ri(),
            deputy: None,
            from: Millis(0),
            to: Millis(3_600_000),
        };
        let json = turn.to_json(&json!({ "reference": "Schedule/s" }), 540);
        assert_eq!(Turn::of(&id(), &json), Some(turn));
        check(json);
        let mark = Mark { who: ri(), service: "surgery".into(), at: Millis(5), here: true };
        assert_eq!(Mark::of(&mark.to_json()), Some(mark.clone()));
        check(mark.to_json());
        check(schedule(&json!({ "reference": "HealthcareService/h" })));
    }
}
