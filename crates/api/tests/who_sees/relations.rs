//! Makes the relations of `charts.tsv` true: by what stands in the record, and where there is a step
//! of its own for it, by that.

use ondol_access::{Coded, Role};
use ondol_app::{Actor, coding};
use ondol_kernel::ResourceId;
use serde_json::{Value, json};

use super::{page::Chart, setting::Who};
use crate::door::Facility;

const HERE: &str = "Organization/county";
const ELSEWHERE: &str = "Organization/specialist";

fn to(reference: &str) -> Value {
    json!({ "reference": reference })
}

/// What a Patient says besides what is planted: whose people they belong to, and who else they are.
pub fn of_patient(chart: &Chart, people: &[Who]) -> Value {
    let home = ["home", "linked-here"].contains(&chart.name);
    let mut more = json!({ "managingOrganization": to(if home { HERE } else { ELSEWHERE }) });
    if chart.name == "section" {
        let all = people.iter().map(|who| to(&who.actor.reference()));
        more["generalPractitioner"] = all.collect();
    }
    let link = |other: &str, kind: &str| json!([{ "other": to(&format!("Patient/{other}")), "type": kind }]);
    match chart.name {
        "linked-here" => more["link"] = link("linked-far", "replaces"),
        "linked-far" => more["link"] = link("linked-here", "replaced-by"),
        // Nobody at home says so.
        "linked-once" => more["link"] = link("home", "replaced-by"),
        _ => {}
    }
    more
}

pub fn encounter(patient: &str, provider: &str, status: &str) -> Value {
    json!({ "resourceType": "Encounter", "status": status, "class": { "code": "AMB" },
        "subject": to(&format!("Patient/{patient}")), "serviceProvider": to(provider) })
}

fn request(patient: &str, category: &str, from: &str, performer: &str) -> Value {
    json!({ "resourceType": "ServiceRequest", "status": "active", "intent": "order",
        "category": [coding::concept(coding::REQUEST_CATEGORY, category)],
        "subject": to(&format!("Patient/{patient}")), "performer": [to(performer)],
        "extension": [{ "url": coding::ASKED_FROM, "valueReference": to(from) }] })
}

/// Puts what makes the relation of a chart.
pub fn put(facility: &Facility, chart: &Chart, people: &[Who]) {
    let patient = chart.name;
    let put = |what: &str, resource: Value| {
        facility.put(&format!("{what}-{patient}"), resource);
    };
    match patient {
        "encounter" => put("visit", encounter(patient, HERE, "in-progress")),
        "ended" => put("visit", encounter(patient, HERE, "finished")),
        "emergency" => {
            let mut visit = encounter(patient, ELSEWHERE, "in-progress");
            visit["class"]["code"] = "EMER".into();
            visit["location"] = json!([{ "location": to("Location/room") }]);
            put("visit", visit);
        }
        "referred" => put("request", request(patient, "referral", ELSEWHERE, HERE)),
        "sent" => put("request", request(patient, "referral", HERE, ELSEWHERE)),
        "asked" => put("request", request(patient, "consult", HERE, ELSEWHERE)),
        "addressed" => put("request", request(patient, "consult", ELSEWHERE, HERE)),
        "overseen" => {
            put("request", request(patient, "consult", "Organization/clinic", ELSEWHERE));
        }
        "taken" => {
            put("request", request(patient, "consult", ELSEWHERE, ELSEWHERE));
            for who in people {
                let step = json!({ "resourceType": "Communication", "status": "completed",
                    "category": [coding::concept(coding::STEP, "taken")],
                    "basedOn": [to("ServiceRequest/request-taken")],
                    "subject": to("Patient/taken"), "sender": to(&who.actor.reference()) });
                put(&format!("step-{}", who.role.code()), step);
            }
        }
        "colleague" => put(
            "role",
            json!({ "resourceType": "PractitionerRole",
            "practitioner": to("Practitioner/practitioner-colleague"), "organization": to(HERE) }),
        ),
        _ => {}
    }
}

/// What people do themselves: they come on duty, and they break the glass.
pub fn step(facility: &Facility, people: &[Who]) {
    let (app, of) = (&facility.app, |role| actor(people, role));
    let doctor = of(Role::Doctor);
    app.set_duty_service(of(Role::FacilityManager), "emergency", "02-381-119", Some(doctor.id()))
        .unwrap();
    let glass = ResourceId::new("glass").unwrap();
    let (mut on_duty, mut broke) = (0, 0);
    for who in people {
        on_duty += usize::from(app.check_in(&who.actor, "emergency").is_ok());
        broke += usize::from(app.break_glass(&who.actor, &glass, "의식이 없다").is_ok());
    }
    // `check-in` under `own-facility`, `break-glass` under `stranger`.
    assert_eq!((on_duty, broke), (7, 5));
}

pub fn actor(people: &[Who], role: Role) -> &Actor {
    &people.iter().find(|who| who.role == role).unwrap().actor
}
