//! `Patient/$summary`: the International Patient Summary (HL7 FHIR IPS 2.0.0) of a chart, as a
//! document that stands alone.
//!
//! What is safe to know first is folded by the same rules as on the screens
//! ([`crate::encounter::Safety`]). Nothing is left out silently: a section that everybody looks
//! for and that is empty says why.

mod section;

use ondol_fhir::ResourceType;
use ondol_kernel::{Millis, ResourceId};
use ondol_record::ChartId;
use ondol_store::Found;
use serde_json::{Value, json};

pub use self::section::{Item, Listed};
use self::section::{Section, sections};
use super::{
    error::RestError,
    read::Answer,
    sight::Sight,
    text::{BundleText, quoted},
};
use crate::{Actor, App, AppError, coding, encounter::fold_safety, people::one_person};

/// The types that a summary is made of.
const TYPES: [&str; 10] = [
    "AllergyIntolerance",
    "Condition",
    "DeviceUseStatement",
    "DiagnosticReport",
    "Immunization",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Patient",
    "Procedure",
];

/// A summary.
pub struct Summary {
    patient: Answer,
    author: Option<Answer>,
    sections: Vec<Section>,
    at: Millis,
    offset: i32,
}

impl App {
    /// The summary of a chart, of what the actor may read in it.
    ///
    /// # Errors
    ///
    /// [`RestError::NotFound`] without the patient, and the denial of who may not read the chart.
    pub fn rest_summary(&self, actor: &Actor, id: &ResourceId) -> Result<Summary, RestError> {
        let (summary, seen) = {
            let view = self.view()?;
            let chart = ChartId::Patient(id.clone());
            let mut sight = Sight::new(self, actor, &*view);
            let patient = view.resource("Patient", id)?.ok_or(RestError::NotFound)?;
            if patient.is_retracted() {
                return Err(RestError::Gone { version: patient.shown.version });
            }
            sight.ask(&chart, ondol_access::Action::ReadChart)?;
            let mut all = vec![];
            for found in view.chart(&chart, &TYPES)? {
                if !found.is_retracted() && sight.may_see(&found.shown)? {
                    all.push(found);
                }
            }
            // What other charts of the same person say stands beside it.
            for other in one_person(&*view, id)?.others(id) {
                let other = ChartId::Patient(other.clone());
                for found in view.chart(&other, &TYPES)? {
                    if !found.is_retracted()
                        && &*found.shown.resource_type != "Patient"
                        && sight.may_see(&found.shown)?
                    {
                        sight.see(&found.shown)?;
                        all.push(found);
                    }
                }
            }
            let author = self.author(&mut sight)?;
            let at = self.now();
            let safety = fold_safety(&all, at)?;
            let sections = sections(&all, &safety)?;
            let offset = self.utc_offset_minutes();
            let patient = Answer::of(&patient)?;
            (Summary { patient, author, sections, at, offset }, sight.seen())
        };
        seen.record(self, actor)?;
        Ok(summary)
    }

    /// As [`App::rest_summary`], to be printed.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] without the patient, and the denial of who may not read the chart.
    pub fn printed_summary(&self, actor: &Actor, id: &ResourceId) -> Result<Summary, AppError> {
        self.rest_summary(actor, id).map_err(|why| match why {
            RestError::App(why) => why,
            RestError::NotFound => AppError::NotFound,
            RestError::Gone { .. } => AppError::Gone,
            _ => AppError::Unexpected("a summary"),
        })
    }

    /// The facility that answers for the summary.
    fn author(&self, sight: &mut Sight<'_>) -> Result<Option<Answer>, RestError> {
        let facility = &self.place().facility;
        let Some(found) = sight.view.resource("Organization", facility)? else { return Ok(None) };
        Ok(if sight.may_see(&found.shown)? { Some(Answer::of(&found)?) } else { None })
    }
}

impl Summary {
    /// The document: a Bundle whose first entry is the Composition, in JSON text. `base` is this
    /// server's address.
    pub fn document(&self, base: &str) -> String {
        let id = self.id();
        let mut bundle = BundleText::new("document");
        let urn = format!("urn:uuid:{id}");
        bundle.identified("urn:ietf:rfc:3986", &urn, &self.at.to_fhir(self.offset));
        bundle
            .entry(&[("fullUrl", &quoted(&urn)), ("resource", &self.composition(&id).to_string())]);
        let mut told = std::collections::HashSet::new();
        let items = self.sections.iter().flat_map(|section| &section.items);
        let answers = std::iter::once(&self.patient).chain(&self.author);
        for answer in answers.chain(items.map(|item| &item.answer)) {
            // A resource stands once, in however many sections it is named.
            if told.insert((answer.resource_type, answer.id.clone())) {
                let url = quoted(&format!("{base}/{}/{}", answer.resource_type, answer.id));
                bundle.entry(&[("fullUrl", &url), ("resource", &answer.json)]);
            }
        }
        bundle.finish()
    }

    /// An id of its own for each state of the chart and each moment.
    fn id(&self) -> ResourceId {
        let mut hash = blake3::Hasher::new();
        let items = self.sections.iter().flat_map(|section| &section.items);
        for answer in std::iter::once(&self.patient).chain(items.map(|item| &item.answer)) {
            hash.update(answer.json.as_bytes());
        }
        hash.update(&self.at.0.to_be_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize().as_bytes()[..16]);
        // Version 8 of RFC 9562: of an own making.
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        ResourceId::from_uuid(bytes)
    }

    fn composition(&self, id: &ResourceId) -> Value {
        let of = |answer: &Answer| format!("{}/{}", answer.resource_type, answer.id);
        let author = match &self.author {
            Some(author) => json!({ "reference": of(author) }),
            None => json!({ "display": "unknown" }),
        };
        json!({
            "resourceType": "Composition",
            "id": id.as_str(),
            "status": "final",
            "type": { "coding": [{
                "system": coding::LOINC,
                "code": "60591-5",
                "display": "Patient summary Document"
            }] },
            "subject": { "reference": of(&self.patient) },
            "date": self.at.to_fhir(self.offset),
            "author": [author],
            "title": "Patient summary",
            "section": self.sections.iter().map(|section| section.to_json(self.offset)).collect::<Vec<_>>()
        })
    }

    /// The sections by their LOINC codes, with what stands in each, the newest first.
    pub fn sections(&self) -> impl Iterator<Item = (&'static str, &[Item])> {
        self.sections.iter().map(|section| (section.code, &section.items[..]))
    }
}

/// Whether it is of a type.
fn is(found: &Found, kind: ResourceType) -> bool {
    &*found.shown.resource_type == kind.name()
}
