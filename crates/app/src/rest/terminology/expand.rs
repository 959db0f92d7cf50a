//! `ValueSet/$expand`.

use std::collections::HashSet;

use ondol_terms::library::{Designation, Visit, Words};
use serde_json::{Map, Value, json};

use super::{
    Named, TermFault,
    inputs::Inputs,
    members::{Member, list},
    sources::Terminology,
};
use crate::rest::error::RestError;

/// Codes that are given at once.
const CODES_MAX: usize = 10_000;

/// R4's own parameters that would change the answer and are not understood.
const UNSUPPORTED: [&str; 9] = [
    "context",
    "contextDirection",
    "date",
    "designation",
    "exclude-system",
    "system-version",
    "check-system-version",
    "force-system-version",
    "property",
];

/// How an expansion is wanted.
struct Wanted {
    filter: Option<String>,
    offset: Option<usize>,
    count: Option<usize>,
    active_only: bool,
    designations: bool,
    definition: bool,
    language: Option<String>,
}

/// What an expansion has.
#[derive(Default)]
struct Page {
    total: usize,
    members: Vec<Member>,
}

/// The expansion of the value set that is named, as JSON text.
pub(super) fn expand(
    terms: &mut Terminology<'_, '_>,
    id: Option<&str>,
    inputs: &mut Inputs,
) -> Result<Value, RestError> {
    let named = Named::read(id, inputs, "ValueSet", "valueSet", "valueSetVersion")?;
    let wanted = Wanted::read(inputs)?;
    let set = named.set(terms)?;
    let page = terms.page(&set, &wanted)?;
    let now = terms.sight.app.now().to_fhir(terms.sight.app.utc_offset_minutes());
    Ok(wanted.told(&set, &page, terms, &now))
}

impl Wanted {
    fn read(inputs: &mut Inputs) -> Result<Self, RestError> {
        let wanted = Self {
            filter: inputs.typed("filter")?,
            offset: inputs.number("offset")?,
            count: inputs.number("count")?,
            active_only: inputs.flag("activeOnly")?.unwrap_or(false),
            designations: inputs.flag("includeDesignations")?.unwrap_or(false),
            definition: inputs.flag("includeDefinition")?.unwrap_or(false),
            language: inputs.text("displayLanguage")?,
        };
        // An expansion here is flat, and is the same for a page as for a program.
        for name in ["excludeNested", "excludeNotForUI", "excludePostCoordinated"] {
            inputs.flag(name)?;
        }
        inputs.finish(&UNSUPPORTED)?;
        Ok(wanted)
    }

    fn is_paged(&self) -> bool {
        self.offset.is_some() || self.count.is_some()
    }

    fn told(&self, set: &Value, page: &Page, terms: &Terminology<'_, '_>, now: &str) -> Value {
        let mut told = Map::new();
        told.insert("resourceType".to_owned(), "ValueSet".into());
        let about = ["id", "url", "identifier", "version", "name", "title", "status"];
        let more: &[&str] = if self.definition { &["compose"] } else { &[] };
        for key in about.iter().chain(more) {
            if let Some(value) = set.get(*key) {
                told.insert((*key).to_owned(), value.clone());
            }
        }
        let mut expansion = Map::new();
        expansion.insert("timestamp".to_owned(), now.into());
        expansion.insert("total".to_owned(), page.total.into());
        if self.is_paged() {
            expansion.insert("offset".to_owned(), self.offset.unwrap_or(0).into());
        }
        let parameters = self.parameters(terms);
        if !parameters.is_empty() {
            expansion.insert("parameter".to_owned(), parameters.into());
        }
        let contains: Vec<Value> = page.members.iter().map(|member| self.member(member)).collect();
        if !contains.is_empty() {
            expansion.insert("contains".to_owned(), contains.into());
        }
        told.insert("expansion".to_owned(), expansion.into());
        told.into()
    }

    /// What the expansion rests on: what was asked, and the versions of systems.
    fn parameters(&self, terms: &Terminology<'_, '_>) -> Vec<Value> {
        let mut all = vec![];
        if let Some(filter) = &self.filter {
            all.push(json!({ "name": "filter", "valueString": filter }));
        }
        if let Some(count) = self.count {
            all.push(json!({ "name": "count", "valueInteger": count }));
        }
        if self.active_only {
            all.push(json!({ "name": "activeOnly", "valueBoolean": true }));
        }
        if let Some(language) = &self.language {
            all.push(json!({ "name": "displayLanguage", "valueCode": language }));
        }
        let versions = terms.used.iter();
        all.extend(versions.map(|used| json!({ "name": "version", "valueUri": used })));
        all
    }

    fn member(&self, member: &Member) -> Value {
        let concept = &member.concept;
        let mut told = Map::new();
        told.insert("system".to_owned(), member.system.as_str().into());
        if concept.is_abstract() {
            told.insert("abstract".to_owned(), true.into());
        }
        if concept.is_inactive() {
            told.insert("inactive".to_owned(), true.into());
        }
        if let Some(version) = &member.version {
            told.insert("version".to_owned(), version.as_str().into());
        }
        told.insert("code".to_owned(), concept.code.as_str().into());
        if let Some(display) = concept.called(self.language.as_deref()) {
            told.insert("display".to_owned(), display.into());
        }
        if self.designations && !concept.designations.is_empty() {
            let all: Vec<Value> = concept.designations.iter().map(Designation::to_fhir).collect();
            told.insert("designation".to_owned(), all.into());
        }
        told.into()
    }
}

impl Terminology<'_, '_> {
    fn page(&mut self, set: &Value, wanted: &Wanted) -> Result<Page, RestError> {
        let words = Words::new(wanted.filter.as_deref().unwrap_or(""));
        let offset = wanted.offset.unwrap_or(0);
        let most = wanted.count.unwrap_or(CODES_MAX).min(CODES_MAX);
        let mut page = Page::default();
        let mut seen: HashSet<(String, String)> = HashSet::new();
        self.open.extend(set["url"].as_str().map(str::to_owned));
        self.walk(set, &words, &mut |this, member| {
            if wanted.active_only && member.concept.is_inactive() {
                return Ok(Visit::On);
            }
            if !seen.insert((member.system.clone(), member.concept.code.clone())) {
                return Ok(Visit::On);
            }
            this.note(&member.system, member.version.as_deref());
            page.total += 1;
            if page.total > offset && page.members.len() < most {
                page.members.push(member);
            }
            if wanted.count.is_none() && page.total - offset.min(page.total) > CODES_MAX {
                return Err(TermFault::TooMany.into());
            }
            Ok(Visit::On)
        })?;
        Ok(page)
    }
}

/// Whether a stored set says anything at all.
pub(super) fn says_something(set: &Value) -> bool {
    !list(&set["compose"], "include").is_empty() || set.get("expansion").is_some()
}
