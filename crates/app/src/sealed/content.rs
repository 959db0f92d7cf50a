//! What stands within a seal: a Bundle (`collection`) of the resources, and a Provenance for each
//! step. Labels of security say what it is: very restricted, and why.

use std::collections::HashMap;

use ondol_kernel::{Millis, ResourceId, bytes::put_bytes};
use ondol_record::{ChartId, DraftChange, DraftId, draft, draft::DraftContent};
use ondol_replicate::sealed_for_several::{open_for, seal_for};
use ondol_store::Stored;
use serde_json::{Value, json};

use super::SealKind;
use crate::{Actor, App, AppError, coding, people::items};

/// What was done with a sealed piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Sealed,
    Shared,
    TakenBack,
}

impl Step {
    const fn code(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Shared => "shared",
            Self::TakenBack => "taken-back",
        }
    }
}

/// The Bundle within a seal.
pub struct Content(pub Value);

impl Content {
    /// Of resources that are not written yet; they name each other by URNs.
    pub fn new(app: &App, kind: SealKind, drafts: &[DraftChange]) -> Self {
        let urns: Vec<String> = drafts.iter().map(|_| urn(app)).collect();
        let named = drafts.iter().zip(&urns).filter_map(|(draft, urn)| match &draft.id {
            DraftId::New(url) => Some((url.clone(), urn.clone())),
            DraftId::Given(_) => None,
        });
        let named: HashMap<Box<str>, String> = named.collect();
        let mut entries = vec![];
        for (draft, urn) in drafts.iter().zip(&urns) {
            let DraftContent::Put(resource) = &draft.content else { continue };
            let mut resource = resource.clone();
            draft::resolve(&mut resource, &named);
            entries.push(json!({ "fullUrl": urn, "resource": resource }));
        }
        Self(json!({
            "resourceType": "Bundle",
            "meta": { "security": [
                { "system": coding::CONFIDENTIALITY, "code": "V" },
                { "system": coding::SEAL, "code": kind.code() },
            ] },
            "type": "collection",
            "timestamp": app.now().to_fhir(app.utc_offset_minutes()),
            "entry": entries,
        }))
    }

    /// Adds that `actor` did something just now: sealed it for `readers`, or took it back.
    pub fn add(
        &mut self,
        app: &App,
        actor: &Actor,
        step: Step,
        readers: &[ResourceId],
        reason: Option<&str>,
    ) {
        let now = app.now().to_fhir(app.utc_offset_minutes());
        let target: Vec<Value> = self.entries().take(1).map(|(urn, _)| of(urn)).collect();
        let mut provenance = json!({
            "resourceType": "Provenance",
            "target": target,
            "recorded": now,
            "activity": { "coding": [{ "system": coding::SEAL_STEP, "code": step.code() }] },
            "agent": [{
                "who": { "reference": actor.reference() },
                "onBehalfOf": { "reference": app.place.organization() },
            }],
        });
        let named = |id: &ResourceId| {
            let organization = json!({ "reference": format!("Organization/{id}") });
            json!({ "url": coding::SEALED_FOR, "valueReference": organization })
        };
        if !readers.is_empty() {
            provenance["extension"] = readers.iter().map(named).collect();
        }
        if let Some(reason) = reason {
            provenance["reason"] = json!([{ "text": reason }]);
        }
        if let Some(entries) = self.0["entry"].as_array_mut() {
            entries.push(json!({ "fullUrl": urn(app), "resource": provenance }));
        }
    }

    /// Why it is sealed.
    pub fn kind(&self) -> SealKind {
        let code = items(&self.0["meta"]["security"])
            .find(|label| label["system"] == coding::SEAL)
            .and_then(|label| label["code"].as_str());
        code.and_then(SealKind::from_code).unwrap_or(SealKind::Other)
    }

    /// The resources with their URNs, first the one that all is about.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Value)> {
        items(&self.0["entry"])
            .filter_map(|entry| Some((entry["fullUrl"].as_str()?, &entry["resource"])))
    }

    /// The steps so far.
    pub fn steps(&self) -> impl Iterator<Item = &Value> {
        let all = self.entries().map(|(_, resource)| resource);
        all.filter(|resource| coding::code_of(&resource["activity"], coding::SEAL_STEP).is_some())
    }

    /// The facilities for which it was sealed.
    pub fn readers(&self) -> Vec<ResourceId> {
        let mut readers: Vec<ResourceId> = vec![];
        for step in self.steps() {
            for named in items(&step["extension"]).filter(|of| of["url"] == coding::SEALED_FOR) {
                let chart =
                    named["valueReference"]["reference"].as_str().and_then(ChartId::from_reference);
                match chart {
                    Some(ChartId::Facility(id)) if !readers.contains(&id) => readers.push(id),
                    _ => {}
                }
            }
        }
        readers
    }

    /// The step by which it was taken back.
    pub fn taken_back(&self) -> Option<&Value> {
        let is = |step: &&Value| {
            coding::code_of(&step["activity"], coding::SEAL_STEP) == Some(Step::TakenBack.code())
        };
        self.steps().find(is)
    }

    /// Who wrote it: a FHIR reference.
    pub fn author(&self) -> &str {
        self.steps()
            .next()
            .and_then(|step| step["agent"][0]["who"]["reference"].as_str())
            .unwrap_or("")
    }

    /// Takes in the steps of another version that was written at the same time.
    pub fn join(&mut self, other: &Self) {
        let mine: Vec<Value> = self.steps().cloned().collect();
        let more: Vec<Value> = items(&other.0["entry"])
            .filter(|entry| {
                let step = &entry["resource"];
                coding::code_of(&step["activity"], coding::SEAL_STEP).is_some()
                    && !mine.contains(step)
            })
            .cloned()
            .collect();
        if let Some(entries) = self.0["entry"].as_array_mut() {
            entries.extend(more);
        }
    }

    /// The body of a sealed piece that `readers` open, and this facility. Nothing is sealed for a
    /// node that was revoked: such a reader is passed over, until its facility has another node.
    pub fn seal(
        &self,
        app: &App,
        (chart, id): (&ChartId, &ResourceId),
        readers: &[ResourceId],
    ) -> Result<Value, AppError> {
        let nation = app.nation();
        let mut keys = vec![];
        let own = nation.node(&app.place.node).map(|known| known.certificate.link_key);
        keys.push(own.ok_or(AppError::State("seal-reader-unknown"))?);
        for facility in readers.iter().filter(|reader| **reader != app.place.facility) {
            match (nation.serving(facility), nation.of_facility(facility)) {
                (Some(node), _) => keys.push(node.link_key),
                (None, Some(_)) => {}
                (None, None) => return Err(AppError::State("seal-reader-unknown")),
            }
        }
        let mut seed = [0; 32];
        app.rng.fill(&mut seed);
        let plain = self.0.to_string();
        let bytes = seal_for(&keys, &app.keys.link, &context(chart, id), plain.as_bytes(), &seed)
            .map_err(|_| AppError::State("seal-impossible"))?;
        let data = data_encoding::BASE64.encode(&bytes);
        Ok(json!({ "resourceType": ondol_record::sealed::SEALED_ENTRY, "data": data }))
    }

    /// What a version says, if this node may open it. Damaged ones, those for others and those of
    /// a newer format are `None` alike: nobody but those who may learns what it is.
    pub fn open(app: &App, stored: &Stored) -> Option<Self> {
        let body: Value = serde_json::from_str(&stored.body).ok()?;
        let bytes = data_encoding::BASE64.decode(body["data"].as_str()?.as_bytes()).ok()?;
        let context = context(&stored.chart, &stored.id);
        let (sender, plain) = open_for(&app.keys.link, &context, &bytes).ok()?;
        // Whoever sealed it has to be the node that wrote the entry, as its certificate says.
        let nation = app.nation();
        let writer = nation.node(&stored.address.stream.origin)?;
        if writer.certificate.link_key != sender {
            return None;
        }
        let bundle: Value = serde_json::from_slice(&plain).ok()?;
        (bundle["resourceType"] == "Bundle").then_some(Self(bundle))
    }
}

/// Where a piece belongs: put elsewhere it does not open.
fn context(chart: &ChartId, id: &ResourceId) -> Vec<u8> {
    let mut context = vec![];
    chart.put(&mut context);
    put_bytes(&mut context, id.as_str().as_bytes());
    context
}

fn urn(app: &App) -> String {
    format!("urn:uuid:{}", new_id(app))
}

fn of(urn: &str) -> Value {
    json!({ "reference": urn })
}

/// A random id (a UUID of version 4, RFC 9562, 5.4): nothing of what is sealed may follow from
/// what is not.
pub fn new_id(app: &App) -> ResourceId {
    let mut bytes = [0; 16];
    app.rng.fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    ResourceId::from_uuid(bytes)
}

/// When a step was done.
pub fn recorded(step: &Value) -> Option<Millis> {
    Millis::parse_fhir(step["recorded"].as_str()?)
}
