//! Where value sets and code systems come from: the record as far as the one who asks may read
//! it, packages, what is part of the program, and UCUM by its grammar.

use std::{
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use ondol_fhir::{Limits, Resource, ResourceType};
use ondol_store::{Filter, Found, Order, Query, Test};
use ondol_terms::library::{
    Concept, Content, Head, Listed, Property, System, starter_set, starter_system,
};
use serde_json::{Value, json};

use super::TermFault;
use crate::rest::{error::RestError, search::look_up, sight::Sight};

/// The canonical URLs that mean all codes of a system (R4 4.3, and the pages of the systems).
const WHOLE: [(&str, &str); 5] = [
    ("http://unitsofmeasure.org/vs", ondol_ucum::SYSTEM),
    ("http://hl7.org/fhir/ValueSet/ucum-units", ondol_ucum::SYSTEM),
    ("http://loinc.org/vs", ondol_terms::LOINC),
    ("http://hl7.org/fhir/sid/icd-10/vs", ondol_terms::ICD_10),
    ("http://snomed.info/sct?fhir_vs", "http://snomed.info/sct"),
];

/// A code system that is held.
pub(super) enum Held<'a> {
    /// With codes that can be listed.
    Codes(Box<dyn System + 'a>),
    /// The same, part of the program.
    Built(&'static Listed),
    /// Units, by their grammar.
    Units,
}

impl Held<'_> {
    /// The codes, unless they are made by a grammar.
    pub(super) fn codes(&self) -> Option<&dyn System> {
        match self {
            Self::Codes(system) => Some(&**system),
            Self::Built(system) => Some(*system),
            Self::Units => None,
        }
    }

    fn is_whole(&self) -> bool {
        self.codes().is_none_or(|system| system.head().content == Content::Complete)
    }

    /// The version, if it is known.
    pub(super) fn version(&self) -> Option<&str> {
        self.codes()?.head().version.as_deref()
    }

    /// The concept of a code. None if it does not have it, as far as it is held.
    pub(super) fn concept(&self, code: &str) -> Result<Option<Concept>, RestError> {
        match self.codes() {
            Some(system) => Ok(system.concept(code).map_err(TermFault::from)?),
            None => Ok(unit(code)),
        }
    }

    /// Whether what it does not have may yet be one of its codes.
    pub(super) fn is_part(&self) -> bool {
        !self.is_whole()
    }
}

fn unit(code: &str) -> Option<Concept> {
    let unit = ondol_ucum::Unit::parse(code).ok()?;
    Some(Concept {
        code: code.to_owned(),
        display: ondol_ucum::display_name(code).ok().or_else(|| Some(code.to_owned())),
        properties: vec![Property::text("canonical", unit.canonical())],
        ..Concept::default()
    })
}

/// What one request sees of the terminology.
pub(in crate::rest) struct Terminology<'s, 'a> {
    pub(super) sight: &'s mut Sight<'a>,
    /// Whether what is read is handed out, and so recorded.
    shows: bool,
    systems: HashMap<String, Option<Rc<Held<'a>>>>,
    sets: HashMap<String, Option<Rc<Value>>>,
    /// Value sets that are being read, each because of the one before.
    pub(super) open: Vec<String>,
    /// Concepts that were looked at.
    pub(super) looked: usize,
    /// Systems that were used, with their versions.
    pub(super) used: BTreeSet<String>,
}

impl<'s, 'a> Terminology<'s, 'a> {
    pub(in crate::rest) fn new(sight: &'s mut Sight<'a>, shows: bool) -> Self {
        Self {
            sight,
            shows,
            systems: HashMap::new(),
            sets: HashMap::new(),
            open: vec![],
            looked: 0,
            used: BTreeSet::new(),
        }
    }

    /// Answers as if a code system that was sent were held.
    pub(super) fn suppose(&mut self, system: Listed) {
        let Head { url, version, .. } = system.head().clone();
        let held = Some(Rc::new(Held::Codes(Box::new(system) as Box<dyn System + 'a>)));
        if let Some(version) = version {
            self.systems.insert(format!("{url}|{version}"), held.clone());
        }
        self.systems.insert(url, held);
    }

    /// A code system, of a version if one is named; whole rather than in part.
    pub(super) fn system(
        &mut self,
        url: &str,
        version: Option<&str>,
    ) -> Result<Option<Rc<Held<'a>>>, RestError> {
        let (url, version) = match (url.split_once('|'), version) {
            (Some((url, version)), None) => (url, Some(version)),
            _ => (url, version),
        };
        let name = version.map_or_else(|| url.to_owned(), |version| format!("{url}|{version}"));
        if let Some(known) = self.systems.get(&name) {
            return Ok(known.clone());
        }
        let found = self.find_system(&name, url, version)?.map(Rc::new);
        self.systems.insert(name, found.clone());
        Ok(found)
    }

    fn find_system(
        &mut self,
        name: &str,
        url: &str,
        version: Option<&str>,
    ) -> Result<Option<Held<'a>>, RestError> {
        let own = self.resource(ResourceType::CodeSystem, name)?;
        let mut part =
            own.as_ref().and_then(Listed::from_fhir).map(|own| Held::Codes(Box::new(own)));
        if part.as_ref().is_some_and(Held::is_whole) {
            return Ok(part);
        }
        let library = self.sight.app.library();
        let mut packed = library.system(url, version).map_err(TermFault::from)?;
        if packed.is_none() && version.is_some() {
            // Some of HL7's systems have the version in their own URL (`…/v2-0006|2.1`).
            packed = library.system(name, None).map_err(TermFault::from)?;
        }
        if let Some(found) = packed {
            let found = Held::Codes(found);
            if found.is_whole() || part.is_none() {
                part = Some(found);
            }
        }
        if part.as_ref().is_some_and(Held::is_whole) {
            return Ok(part);
        }
        if let Some(built) = ondol_fhir::terminology::code_system(url)
            && version.is_none_or(|version| version == built.version)
        {
            return Ok(Some(Held::Codes(Box::new(listed(built)))));
        }
        if version.is_some() || part.is_some() {
            return Ok(part);
        }
        Ok(match url {
            ondol_ucum::SYSTEM => Some(Held::Units),
            url => starter_system(url).map(Held::Built),
        })
    }

    /// A value set by its canonical URL, with or without a version, or by `ValueSet/id`.
    pub(super) fn value_set(&mut self, name: &str) -> Result<Option<Rc<Value>>, RestError> {
        if let Some(known) = self.sets.get(name) {
            return Ok(known.clone());
        }
        let (url, version) = match name.split_once('|') {
            Some((url, version)) => (url, Some(version)),
            None => (name, None),
        };
        let found = match self.resource(ResourceType::ValueSet, name)? {
            Some(own) => Some(own),
            None => {
                let library = self.sight.app.library();
                let found = library.value_set(url, version).map_err(TermFault::from)?;
                found.or_else(|| built_set(url, version))
            }
        };
        let found = found.map(Rc::new);
        self.sets.insert(name.to_owned(), found.clone());
        Ok(found)
    }

    /// A resource of the record that is named by its canonical URL, with or without a version,
    /// or by `Type/id`.
    fn resource(&mut self, kind: ResourceType, name: &str) -> Result<Option<Value>, RestError> {
        let own = name.strip_prefix(kind.name()).and_then(|rest| rest.strip_prefix('/'));
        let found = match own {
            Some(id) => look_up(self.sight, kind, id)?,
            None => self.canonical(kind, name)?,
        };
        let Some(found) = found else { return Ok(None) };
        if self.shows {
            self.sight.see(&found.shown)?;
        }
        let Some(text) = found.shown.json() else { return Ok(None) };
        Ok(Some(Resource::parse_within(text.as_bytes(), Limits::IMPORT)?.into_json()))
    }

    fn canonical(&mut self, kind: ResourceType, name: &str) -> Result<Option<Found>, RestError> {
        let (url, version) = match name.split_once('|') {
            Some((url, version)) => (url, Some(version)),
            None => (name, None),
        };
        let filter =
            |parameter: &str, test| Filter { parameter: parameter.into(), any: vec![test] };
        let mut filters = vec![filter("url", Test::Uri(url.into()))];
        if let Some(version) = version {
            let test = Test::Token { system: None, code: Some(version.into()) };
            filters.push(filter("version", test));
        }
        let page = self.sight.view.search(&Query {
            resource_type: kind.name().into(),
            chart: None,
            filters,
            order: Order::NewestArrival,
            limit: 20,
            after: None,
        })?;
        for hit in page.hits {
            if !hit.found.is_retracted() && self.sight.may_see(&hit.found.shown)? {
                return Ok(Some(hit.found));
            }
        }
        Ok(None)
    }

    /// Notes that a system was used.
    pub(super) fn note(&mut self, url: &str, version: Option<&str>) {
        if let Some(version) = version {
            self.used.insert(format!("{url}|{version}"));
        }
    }
}

/// A system of R4's required bindings.
fn listed(built: &ondol_fhir::terminology::CodeSystem) -> Listed {
    let mut listed = Listed::new(Head {
        url: built.url.clone(),
        version: Some(built.version.to_owned()),
        title: built.title.to_owned(),
        content: Content::Complete,
        case_sensitive: true,
    });
    for one in &built.concepts {
        let properties =
            if one.is_abstract { vec![Property::flag("notSelectable", true)] } else { vec![] };
        let concept = Concept {
            code: one.code.to_owned(),
            display: Some(one.display.to_owned()),
            properties,
            ..Concept::default()
        };
        listed.add(concept, one.parent);
    }
    listed
}

/// A value set that is part of the program.
fn built_set(url: &str, version: Option<&str>) -> Option<Value> {
    if let Some((_, system)) = WHOLE.iter().find(|(known, _)| *known == url) {
        return Some(json!({ "resourceType": "ValueSet", "url": url, "status": "active",
            "compose": { "include": [{ "system": system }] } }));
    }
    if let Some(set) = starter_set(url).filter(|_| version.is_none()) {
        return Some(set);
    }
    // The sets of R4 have no version in the table; whoever names one means that of the release.
    let codes = ondol_fhir::codes_of(url).filter(|_| version.is_none_or(|v| v == "4.0.1"))?;
    let mut include: Vec<Value> = vec![];
    for (system, code) in codes {
        let concept = json!({ "code": code });
        match include.last_mut() {
            Some(part) if part["system"] == system.as_str() => {
                if let Some(all) = part["concept"].as_array_mut() {
                    all.push(concept);
                }
            }
            _ => include.push(json!({ "system": system, "concept": [concept] })),
        }
    }
    // Whether HL7 calls it a draft is not in the table.
    Some(json!({ "resourceType": "ValueSet", "url": url, "status": "unknown",
        "compose": { "include": include } }))
}
