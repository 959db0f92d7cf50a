//! Asking a specialist: the draft with its parts, and the sending.

use std::{collections::BTreeMap, sync::Arc};

use ondol_access::Action;
use ondol_kernel::{Class, ResourceId};
use ondol_record::{ChartId, Entry};
use ondol_store::View;
use serde_json::{Value, json};

use super::{
    request::{Means, Named, note, priority_of},
    step::each,
};
use crate::{
    Actor, App, AppError, Changes,
    attachment::{self, Part},
    coding,
    people::document,
    stock::Stock,
};

/// The most parts of one case.
const PARTS_MAX: usize = 12;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The specialty's code.
    pub specialty: String,
    /// The facility that is asked.
    pub facility: ResourceId,
    /// How urgent it is.
    pub urgency: Class,
    /// The question.
    pub question: String,
    /// What the asking place has at hand.
    pub means: Means,
}

/// A question that is being written: the fields as typed, and the parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsultDraft {
    /// What was typed, by the names of the fields.
    pub fields: BTreeMap<String, String>,
    /// Pictures and sound.
    pub parts: Vec<Part>,
}

impl ConsultDraft {
    fn to_json(&self) -> Value {
        let parts: Vec<Value> = self.parts.iter().map(Part::to_json).collect();
        json!({ "fields": self.fields, "parts": parts })
    }

    fn from_json(value: &Value) -> Self {
        let fields = value["fields"].as_object();
        let fields = fields.into_iter().flatten();
        Self {
            fields: fields
                .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                .collect(),
            parts: each(&value["parts"]).filter_map(Part::from_json).collect(),
        }
    }
}

fn draft_key(patient: &ResourceId) -> String {
    format!("consult/{patient}")
}

impl App {
    /// The question that this person has begun to write about a patient.
    pub fn consult_draft(
        &self,
        actor: &Actor,
        patient: &ResourceId,
    ) -> Result<ConsultDraft, AppError> {
        let Some((_, bytes)) = self.draft(actor, &draft_key(patient))? else {
            return Ok(ConsultDraft::default());
        };
        let value = serde_json::from_slice(&bytes)
            .map_err(|_| AppError::Unexpected("a draft of a consult"))?;
        Ok(ConsultDraft::from_json(&value))
    }

    /// Keeps a question that is being written.
    pub fn save_consult_draft(
        &self,
        actor: &Actor,
        patient: &ResourceId,
        draft: &ConsultDraft,
    ) -> Result<(), AppError> {
        let chart = ChartId::Patient(patient.clone());
        self.may(&*self.view()?, actor, Action::OpenConsult, &chart, None)?;
        self.save_draft(actor, &draft_key(patient), draft.to_json().to_string().as_bytes())
    }

    /// Throws a question away.
    pub fn drop_consult_draft(&self, actor: &Actor, patient: &ResourceId) -> Result<(), AppError> {
        self.drop_draft(actor, &draft_key(patient))
    }

    /// Checks an upload and keeps it as a part of a case about a patient.
    pub fn prepare_part(
        &self,
        actor: &Actor,
        patient: &ResourceId,
        upload: &[u8],
    ) -> Result<Part, AppError> {
        let chart = ChartId::Patient(patient.clone());
        let view = self.view()?;
        self.may(&*view, actor, Action::OpenConsult, &chart, None)?;
        let found = view.resource("Patient", patient)?.ok_or(AppError::NotFound)?;
        attachment::prepare(&*self.blobs, upload, &document(&found)?)
    }

    /// Asks. Gives the request's id.
    pub fn ask(
        self: &Arc<Self>,
        actor: &Actor,
        patient: &ResourceId,
        ask: Ask,
        parts: Vec<Part>,
    ) -> Result<ResourceId, AppError> {
        check(&ask, &parts)?;
        let stock = self.stock(actor)?;
        let chart = ChartId::Patient(patient.clone());
        let (app, who, subject) = (self.clone(), actor.clone(), format!("Patient/{patient}"));
        let entries = self.writing(actor, Action::OpenConsult, &chart, move |view| {
            let to = app.asked_place(view, &ask.facility)?;
            let from = app.named(view, &app.place.facility)?;
            let overseer = app.overseer(view)?;
            let mut extensions = vec![json!({
                "url": coding::ASKED_FROM, "valueReference": from.to_json()
            })];
            extensions.extend(overseer.map(|overseer| {
                json!({ "url": coding::OVERSEEN_BY, "valueReference": overseer.to_json() })
            }));
            extensions.extend(ask.means.to_extension());
            extensions.extend(stock.as_ref().map(Stock::to_extension));
            let at = app.now().to_fhir(app.utc_offset_minutes());
            let mut changes = Changes::new(ask.urgency);
            let request = changes.create(json!({
                "resourceType": "ServiceRequest",
                "extension": extensions,
                "status": "active",
                "intent": "order",
                "category": [coding::concept(coding::REQUEST_CATEGORY, coding::CONSULT)],
                "priority": priority_of(ask.urgency),
                "code": coding::concept(coding::SPECIALTY, &ask.specialty),
                "subject": { "reference": subject },
                "authoredOn": at,
                "requester": { "reference": who.reference(), "display": who.name() },
                "performer": [to.to_json()],
                "note": [note("", &ask.question)],
            }));
            for part in &parts {
                changes.create(attachment::resource(part, &request, &subject, &at));
            }
            Ok(changes)
        })?;
        new_request(&entries)
    }

    /// Adds pictures to a consult that was sent.
    pub fn add_parts(
        self: &Arc<Self>,
        actor: &Actor,
        request: &ResourceId,
        parts: Vec<Part>,
    ) -> Result<(), AppError> {
        if parts.is_empty() {
            return Err(AppError::Field { field: "file", why: "missing" });
        }
        self.act(actor, Action::OpenConsult, None, request, move |acting| {
            acting.refuse_closed()?;
            let subject = acting.request.subject();
            let on = json!({ "reference": acting.request.reference() });
            let at = acting.app.now().to_fhir(acting.app.utc_offset_minutes());
            let mut changes = Changes::new(acting.state.urgency);
            for part in &parts {
                changes.create(attachment::resource(part, &on, &subject, &at));
            }
            Ok(changes)
        })
    }

    /// A facility that can be asked, with its name.
    pub(crate) fn asked_place(
        &self,
        view: &dyn View,
        facility: &ResourceId,
    ) -> Result<Named, AppError> {
        let nation = self.nation();
        let known = nation.of_facility(facility).filter(|known| known.tier.treats());
        if known.is_none() || *facility == self.place.facility {
            return Err(AppError::Field { field: "facility", why: "unknown" });
        }
        self.named(view, facility)
    }
}

fn check(ask: &Ask, parts: &[Part]) -> Result<(), AppError> {
    if ask.question.trim().chars().count() < 2 {
        return Err(AppError::Field { field: "question", why: "missing" });
    }
    if ondol_terms::specialty(&ask.specialty).is_none() {
        return Err(AppError::Field { field: "specialty", why: "unknown" });
    }
    if ask.urgency == Class::Bulk {
        return Err(AppError::Field { field: "urgency", why: "unknown" });
    }
    if parts.len() > PARTS_MAX {
        return Err(AppError::Field { field: "file", why: "too-many" });
    }
    Ok(())
}

/// The id of the `ServiceRequest` that a transaction made.
pub(crate) fn new_request(entries: &[Entry]) -> Result<ResourceId, AppError> {
    entries
        .iter()
        .flat_map(|entry| &entry.changes)
        .find(|change| &*change.resource_type == "ServiceRequest")
        .map(|change| change.id.clone())
        .ok_or(AppError::Unexpected("a request was not made"))
}
