//! What a use case wants to save.

use ondol_fhir::Resource;
use ondol_kernel::{Class, Millis, ResourceId};
use ondol_record::{ChartId, Draft, DraftChange, DraftId, draft::DraftContent};
use ondol_store::Found;
use serde_json::{Value, json};

use crate::{Actor, AppError};

/// One transaction in the making.
#[derive(Debug, Clone)]
pub struct Changes {
    class: Class,
    care_time: Option<Millis>,
    /// Who was responsible, where somebody else types.
    author: Option<Box<str>>,
    drafts: Vec<DraftChange>,
}

impl Changes {
    /// Nothing yet. `class` says how urgent it is on the road.
    pub const fn new(class: Class) -> Self {
        Self { class, care_time: None, author: None, drafts: vec![] }
    }

    /// Says when the care was given, where that is not now.
    pub const fn at_care_time(&mut self, at: Millis) {
        self.care_time = Some(at);
    }

    /// Says who gave the care (`Practitioner/…`), where the actor only types.
    pub fn by(&mut self, author: &str) {
        self.author = Some(author.into());
    }

    /// Makes it at least this urgent.
    pub fn hurry(&mut self, class: Class) {
        self.class = self.class.min(class);
    }

    /// Whether nothing is to be saved.
    pub fn is_empty(&self) -> bool {
        self.drafts.is_empty()
    }

    /// Adds a new resource (JSON object with `resourceType`). Gives the reference by which
    /// other resources of this transaction name it.
    pub fn create(&mut self, resource: Value) -> Value {
        let url = format!("urn:ondol:new:{}", self.drafts.len());
        self.push(DraftId::New(url.as_str().into()), vec![], None, resource);
        json!({ "reference": url })
    }

    /// Adds a new resource whose id a client gave.
    pub fn create_as(&mut self, id: ResourceId, resource: Value) {
        self.push(DraftId::Given(id), vec![], None, resource);
    }

    /// Adds a new resource that others of this transaction name by a client's full URL.
    pub fn create_named(&mut self, full_url: &str, resource: Value) {
        self.push(DraftId::New(full_url.into()), vec![], None, resource);
    }

    /// Adds a new version of a resource; it settles all its heads.
    pub fn update(&mut self, found: &Found, resource: Value) {
        let chart = found.shown.chart.clone();
        let id = DraftId::Given(found.shown.id.clone());
        self.push(id, found.heads(), Some(chart), resource);
    }

    /// Takes a resource back.
    pub fn retract(&mut self, found: &Found, reason: &str) {
        self.drafts.push(DraftChange {
            resource_type: found.shown.resource_type.clone(),
            id: DraftId::Given(found.shown.id.clone()),
            supersedes: found.heads(),
            chart: Some(found.shown.chart.clone()),
            content: DraftContent::Retract(reason.into()),
        });
    }

    /// Says that a resource belongs to another chart: written for the wrong person.
    pub fn forward(&mut self, found: &Found, to: &ChartId) {
        self.drafts.push(DraftChange {
            resource_type: found.shown.resource_type.clone(),
            id: DraftId::Given(found.shown.id.clone()),
            supersedes: found.heads(),
            chart: Some(found.shown.chart.clone()),
            content: DraftContent::Forward(to.clone()),
        });
    }

    /// Adds the version of a resource in the chart to which it was forwarded.
    pub fn update_in(&mut self, chart: &ChartId, forwarded: &Found, resource: Value) {
        let id = DraftId::Given(forwarded.shown.id.clone());
        self.push(id, forwarded.heads(), Some(chart.clone()), resource);
    }

    /// Adds a new resource in a chart that its own references do not lead to.
    pub fn create_in(&mut self, chart: &ChartId, resource: Value) {
        let url = format!("urn:ondol:new:{}", self.drafts.len());
        self.push(DraftId::New(url.as_str().into()), vec![], Some(chart.clone()), resource);
    }

    fn push(
        &mut self,
        id: DraftId,
        supersedes: Vec<ondol_record::VersionId>,
        chart: Option<ChartId>,
        resource: Value,
    ) {
        let name = resource.get("resourceType").and_then(Value::as_str).unwrap_or("");
        self.drafts.push(DraftChange {
            resource_type: name.into(),
            id,
            supersedes,
            chart,
            content: DraftContent::Put(resource),
        });
    }

    /// What is to be saved, in the order in which it was added.
    pub(crate) fn drafts(&self) -> &[DraftChange] {
        &self.drafts
    }

    /// Checks every resource against the definitions of R4; all errors at once.
    pub(crate) fn into_draft(self, actor: &Actor) -> Result<Draft, AppError> {
        let mut issues = vec![];
        for change in &self.drafts {
            if let DraftContent::Put(resource) = &change.content {
                match Resource::from_json(resource.clone()) {
                    Ok(resource) => issues.extend(ondol_fhir::validate(&resource)),
                    Err(_) => return Err(AppError::Unexpected("a change is no resource")),
                }
            }
        }
        issues.retain(ondol_fhir::Issue::is_error);
        if !issues.is_empty() {
            return Err(AppError::Invalid(issues));
        }
        Ok(self.into_checked_draft(actor))
    }

    /// The same where the caller has checked the resources, or records what is wrong with them.
    pub(crate) fn into_checked_draft(self, actor: &Actor) -> Draft {
        let typed_by = actor.author();
        let (author, typist) = match self.author {
            Some(author) if *author != *typed_by => (author, typed_by.into()),
            _ => (typed_by.into(), "".into()),
        };
        Draft { class: self.class, care_time: self.care_time, author, typist, changes: self.drafts }
    }
}
