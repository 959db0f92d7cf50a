//! 'Send her': the referral is written.

use std::sync::Arc;

use ondol_access::Action;
use ondol_kernel::{Class, Millis, ResourceId};
use ondol_record::ChartId;
use serde_json::json;

use crate::{
    Actor, App, AppError, Changes, coding,
    consult::{
        self,
        request::{note, priority_of},
    },
};

/// What a patient may need on the way and on arrival.
pub const NEEDS: [&str; 9] = [
    "stretcher",
    "oxygen",
    "drip",
    "escort",
    "blood",
    "operation",
    "isolation",
    "incubator",
    "birth",
];

/// A referral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refer {
    /// The receiving facility.
    pub facility: ResourceId,
    /// The specialty there.
    pub specialty: String,
    /// How urgent it is.
    pub urgency: Class,
    /// Why.
    pub reason: String,
    /// What was done already.
    pub done: String,
    /// What the receiving facility is asked to do.
    pub wish: String,
    /// When she is expected there.
    pub expected: Option<Millis>,
    /// Codes of [`NEEDS`].
    pub needs: Vec<String>,
    /// Who goes along.
    pub escort: String,
    /// Whether transport is asked for.
    pub transport: bool,
}

impl App {
    /// Sends a patient to another facility. Gives the request's id.
    pub fn refer(
        self: &Arc<Self>,
        actor: &Actor,
        patient: &ResourceId,
        refer: Refer,
    ) -> Result<ResourceId, AppError> {
        check(&refer, self.now())?;
        let chart = ChartId::Patient(patient.clone());
        let (app, who, subject) = (self.clone(), actor.clone(), format!("Patient/{patient}"));
        let entries = self.writing(actor, Action::Refer, &chart, move |view| {
            let to = app.asked_place(view, &refer.facility)?;
            let from = app.named(view, &app.place.facility)?;
            let mut extensions = vec![json!({
                "url": coding::ASKED_FROM, "valueReference": from.to_json()
            })];
            if let Some(overseer) = app.overseer(view)? {
                extensions.push(json!({
                    "url": coding::OVERSEEN_BY, "valueReference": overseer.to_json()
                }));
            }
            let needs = refer.needs.iter();
            extensions.extend(needs.map(|need| json!({ "url": coding::NEEDS, "valueCode": need })));
            let texts = [
                ("", &refer.reason),
                ("done", &refer.done),
                ("wish", &refer.wish),
                ("escort", &refer.escort),
            ];
            let notes = texts.iter().filter(|(_, said)| !said.trim().is_empty());
            let notes: Vec<_> = notes.map(|(part, said)| note(part, said)).collect();
            let offset = app.utc_offset_minutes();
            let mut request = json!({
                "resourceType": "ServiceRequest",
                "extension": extensions,
                "status": "active",
                "intent": "order",
                "category": [coding::concept(coding::REQUEST_CATEGORY, coding::REFERRAL)],
                "priority": priority_of(refer.urgency),
                "code": coding::concept(coding::SPECIALTY, &refer.specialty),
                "subject": { "reference": subject },
                "authoredOn": app.now().to_fhir(offset),
                "requester": { "reference": who.reference(), "display": who.name() },
                "performer": [to.to_json()],
                "note": notes,
            });
            if let Some(expected) = refer.expected {
                request["occurrenceDateTime"] = json!(expected.to_fhir(offset));
            }
            // A patient on the way is waited for: never slower than care.
            let mut changes = Changes::new(refer.urgency.min(Class::Care));
            let reference = changes.create(request);
            if refer.transport {
                let code = consult::StepCode::TransportAsked;
                let on = reference["reference"].as_str().unwrap_or("");
                let step = consult::step::NewStep::new(&app, &who, code, on, &subject);
                changes.create(step.into_json());
            }
            Ok(changes)
        })?;
        consult::new_request(&entries)
    }
}

fn check(refer: &Refer, now: Millis) -> Result<(), AppError> {
    if refer.reason.trim().chars().count() < 2 {
        return Err(AppError::Field { field: "reason", why: "missing" });
    }
    if ondol_terms::specialty(&refer.specialty).is_none() {
        return Err(AppError::Field { field: "specialty", why: "unknown" });
    }
    if refer.urgency == Class::Bulk {
        return Err(AppError::Field { field: "urgency", why: "unknown" });
    }
    if refer.needs.iter().any(|need| !NEEDS.contains(&need.as_str())) {
        return Err(AppError::Field { field: "needs", why: "unknown" });
    }
    if refer.expected.is_some_and(|expected| expected < now) {
        return Err(AppError::Field { field: "expected", why: "past" });
    }
    Ok(())
}
