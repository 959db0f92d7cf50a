//! The definitions of R4 as one flat table, read once from the text that is built in.
//!
//! `data/elements.txt`, made by `cargo xtask fhir-tables` from HL7's structure definitions:
//!
//! ```text
//! @Patient:DomainResource        a type and the type whose elements it inherits
//! active?boolean                 an element: name, cardinality, type
//! name*HumanName                 ? 0..1   * 0..n   ! 1..1   + 1..n
//! gender?code=administrative-gender    a required binding, by its line in codes.txt
//! deceased~?boolean,dateTime     a choice, deceased[x]
//! managingOrganization?Reference(Organization)
//! contact*.                      a backbone: the type Patient.contact, further down
//! link*#Bundle.link              the same content as another element
//! value~?*                       a choice of every type that Extension.value[x] may have
//! ```
//!
//! `data/codes.txt`: a value set a line, `name |system code code |system code`, where `~`
//! stands for `http://hl7.org/fhir/` and `^` for `http://terminology.hl7.org/CodeSystem/`.

use std::{collections::HashMap, ops::Range, sync::OnceLock};

use crate::{ResourceType, primitive::Primitive, resource_types::ResourceTypes};

/// A type or a backbone, by its place in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TypeId(u16);

impl TypeId {
    /// Its place.
    pub(crate) fn number(self) -> usize {
        usize::from(self.0)
    }
}

/// What an element holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Primitive(Primitive),
    Complex(TypeId),
    /// A Reference, by its place among the sets of targets.
    Reference(u16),
    /// A resource of any type.
    Resource,
}

#[derive(Debug)]
struct Type {
    name: &'static str,
    base: Option<TypeId>,
    elements: Range<usize>,
}

/// An element of a type.
#[derive(Debug)]
pub(crate) struct Element {
    /// The name, for a choice without the type (`value`).
    pub(crate) name: &'static str,
    pub(crate) is_choice: bool,
    pub(crate) is_required: bool,
    pub(crate) is_list: bool,
    pub(crate) binding: Option<ValueSet>,
    /// `None`: those of `Extension.value[x]`.
    kinds: Option<Range<usize>>,
}

/// The codes that a required binding allows: a line of the table, read as it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ValueSet {
    pub(crate) name: &'static str,
    codes: &'static str,
}

#[derive(Debug)]
pub(crate) struct Definitions {
    types: Vec<Type>,
    elements: Vec<Element>,
    kinds: Vec<Kind>,
    open: Range<usize>,
    targets: Vec<ResourceTypes>,
    by_name: HashMap<&'static str, TypeId>,
    /// The type of each resource type, by number.
    resources: Vec<TypeId>,
    pub(crate) element: TypeId,
    pub(crate) reference: TypeId,
    pub(crate) coding: TypeId,
    pub(crate) codeable_concept: TypeId,
}

const ELEMENTS: &str = include_str!("../data/elements.txt");
const CODES: &str = include_str!("../data/codes.txt");

/// The definitions, read at the first call.
pub(crate) fn get() -> &'static Definitions {
    static DEFINITIONS: OnceLock<Definitions> = OnceLock::new();
    // The text is part of the program and a test reads it, so this cannot fail where it runs.
    DEFINITIONS.get_or_init(|| load().expect("the built-in table is well formed"))
}

fn value_set_lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    CODES.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '))
}

/// The names of the value sets that required bindings name.
pub(crate) fn value_set_names() -> impl Iterator<Item = &'static str> {
    value_set_lines().map(|(name, _)| name)
}

/// The value set of a name, if a required binding names it.
pub(crate) fn value_set(name: &str) -> Option<ValueSet> {
    static SETS: OnceLock<HashMap<&'static str, ValueSet>> = OnceLock::new();
    let sets = SETS.get_or_init(|| {
        value_set_lines().map(|(name, codes)| (name, ValueSet { name, codes })).collect()
    });
    sets.get(name).copied()
}

fn lines() -> impl Iterator<Item = &'static str> {
    ELEMENTS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn load() -> Option<Definitions> {
    let headers: Vec<&'static str> = lines().filter_map(|line| line.strip_prefix('@')).collect();
    let name_of = |header: &'static str| header.split_once(':').map_or(header, |(name, _)| name);
    let by_name: HashMap<&'static str, TypeId> =
        headers.iter().zip(0..).map(|(header, number)| (name_of(header), TypeId(number))).collect();
    let named = |name: &str| by_name.get(name).copied();
    let resources: Option<Vec<TypeId>> =
        ResourceType::ALL.iter().map(|kind| named(kind.name())).collect();
    let mut to = Definitions {
        types: Vec::with_capacity(headers.len()),
        elements: Vec::with_capacity(6_000),
        kinds: Vec::with_capacity(8_000),
        open: 0..0,
        targets: vec![ResourceTypes::all()],
        resources: resources?,
        element: named("Element")?,
        reference: named("Reference")?,
        coding: named("Coding")?,
        codeable_concept: named("CodeableConcept")?,
        by_name,
    };
    for line in lines() {
        if let Some(header) = line.strip_prefix('@') {
            let base = match header.split_once(':') {
                Some((_, base)) => Some(*to.by_name.get(base)?),
                None => None,
            };
            let at = to.elements.len();
            to.types.push(Type { name: name_of(header), base, elements: at..at });
        } else {
            let element = to.read_element(line)?;
            to.elements.push(element);
            to.types.last_mut()?.elements.end += 1;
        }
    }
    let extension = *to.by_name.get("Extension")?;
    to.open = to.own(extension).iter().find(|e| e.name == "value")?.kinds.clone()?;
    Some(to)
}

impl Definitions {
    fn read_element(&mut self, line: &'static str) -> Option<Element> {
        let end = line.find(['?', '*', '!', '+'])?;
        let (name, rest) = line.split_at(end);
        let (sign, rest) = rest.split_at(1);
        let (types, binding) = match rest.split_once('=') {
            Some((types, set)) => (types, Some(value_set(set)?)),
            None => (rest, None),
        };
        let is_choice = name.ends_with('~');
        let name = name.trim_end_matches('~');
        let from = self.kinds.len();
        for kind in types.split(',').filter(|&kind| kind != "*") {
            let kind = self.read_kind(name, kind)?;
            self.kinds.push(kind);
        }
        let to = self.kinds.len();
        Some(Element {
            name,
            is_choice,
            is_required: matches!(sign, "!" | "+"),
            is_list: matches!(sign, "*" | "+"),
            binding,
            kinds: (types != "*").then_some(from..to),
        })
    }

    fn read_kind(&mut self, element: &str, kind: &str) -> Option<Kind> {
        if let Some(primitive) = Primitive::from_name(kind) {
            return Some(Kind::Primitive(primitive));
        }
        if let Some(names) = kind.strip_prefix("Reference(") {
            let set = ResourceTypes::from_names(names.strip_suffix(')')?)?;
            let known = self.targets.iter().position(|known| *known == set);
            let at = known.unwrap_or_else(|| {
                self.targets.push(set);
                self.targets.len() - 1
            });
            return u16::try_from(at).ok().map(Kind::Reference);
        }
        let named = |name: &str| self.by_name.get(name).copied().map(Kind::Complex);
        match kind {
            "Reference" => Some(Kind::Reference(0)),
            "Resource" => Some(Kind::Resource),
            "." => named(&format!("{}.{element}", self.types.last()?.name)),
            _ => named(kind.trim_start_matches('#')),
        }
    }

    fn own(&self, of: TypeId) -> &[Element] {
        &self.elements[self.types[usize::from(of.0)].elements.clone()]
    }

    /// All elements of a type, its own first, then those it inherits.
    pub(crate) fn elements(&self, of: TypeId) -> impl Iterator<Item = &Element> {
        let bases = std::iter::successors(Some(of), |of| self.types[usize::from(of.0)].base);
        bases.flat_map(|of| self.own(of))
    }

    /// The types that an element may have.
    pub(crate) fn kinds(&self, element: &Element) -> &[Kind] {
        &self.kinds[element.kinds.clone().unwrap_or(self.open.clone())]
    }

    /// The element that a JSON key stands for, and its type.
    pub(crate) fn find(&self, of: TypeId, key: &str) -> Option<(&Element, Kind)> {
        self.elements(of).find_map(|element| {
            let rest = key.strip_prefix(element.name)?;
            let kinds = self.kinds(element);
            if !element.is_choice {
                return rest.is_empty().then(|| Some((element, *kinds.first()?)))?;
            }
            let kind = kinds.iter().find(|kind| is_capitalised(self.name(**kind), rest))?;
            Some((element, *kind))
        })
    }

    /// The type of a choice that a JSON key names, if it is one of this choice's.
    pub(crate) fn choice(&self, element: &Element, key: &str) -> Option<Kind> {
        let rest = key.strip_prefix(element.name).filter(|rest| !rest.is_empty())?;
        self.kinds(element).iter().copied().find(|kind| is_capitalised(self.name(*kind), rest))
    }

    /// A type by its name.
    pub(crate) fn named(&self, name: &str) -> Option<TypeId> {
        self.by_name.get(name).copied()
    }

    /// All types and backbones, in the order of the table.
    pub(crate) fn types(&self) -> impl Iterator<Item = TypeId> {
        (0..).map(TypeId).take(self.types.len())
    }

    /// A type or backbone and those that it is derived from.
    pub(crate) fn lineage(&self, of: TypeId) -> impl Iterator<Item = TypeId> {
        std::iter::successors(Some(of), |of| self.types[usize::from(of.0)].base)
    }

    /// A type and those that it is derived from, with their names; a backbone itself has none.
    pub(crate) fn bases(&self, of: TypeId) -> impl Iterator<Item = (TypeId, &'static str)> {
        self.lineage(of)
            .map(|of| (of, self.types[usize::from(of.0)].name))
            .filter(|(_, name)| !name.contains('.'))
    }

    /// The name of a type; for a backbone its path.
    pub(crate) fn name(&self, kind: Kind) -> &'static str {
        match kind {
            Kind::Primitive(primitive) => primitive.name(),
            Kind::Complex(of) => self.types[usize::from(of.0)].name,
            Kind::Reference(_) => "Reference",
            Kind::Resource => "Resource",
        }
    }

    /// The type of a resource type.
    pub(crate) fn resource(&self, kind: ResourceType) -> TypeId {
        self.resources[usize::from(kind.number())]
    }

    /// The targets of a reference.
    pub(crate) fn targets(&self, reference: u16) -> ResourceTypes {
        self.targets[usize::from(reference)]
    }
}

/// Whether `text` is `name` with a capital at its front.
fn is_capitalised(name: &str, text: &str) -> bool {
    let (Some(&first), Some(&found)) = (name.as_bytes().first(), text.as_bytes().first()) else {
        return false;
    };
    found == first.to_ascii_uppercase() && name.as_bytes()[1..] == text.as_bytes()[1..]
}

impl ValueSet {
    /// Whether a code is in the set, of `system` if one is given.
    pub(crate) fn contains(self, system: Option<&str>, code: &str) -> bool {
        let mut is_system = true;
        self.codes.split(' ').any(|word| match word.strip_prefix('|') {
            Some(short) => {
                is_system = system.is_none_or(|system| is_short_for(short, system));
                false
            }
            None => is_system && word == code,
        })
    }

    /// All codes.
    pub(crate) fn codes(self) -> impl Iterator<Item = &'static str> {
        self.codes.split(' ').filter(|word| !word.starts_with('|'))
    }

    /// Each code with its system, in the order of the set.
    pub(crate) fn coded(self) -> Vec<(String, &'static str)> {
        let mut system = String::new();
        let mut all = vec![];
        for word in self.codes.split(' ') {
            match word.strip_prefix('|') {
                Some(short) => system = lengthen(short),
                None => all.push((system.clone(), word)),
            }
        }
        all
    }

    /// The system of a code of the set.
    pub(crate) fn system_of(self, code: &str) -> Option<String> {
        let mut system = "";
        self.codes
            .split(' ')
            .any(|word| match word.strip_prefix('|') {
                Some(short) => {
                    system = short;
                    false
                }
                None => word == code,
            })
            .then(|| lengthen(system))
    }
}

const STEMS: [(&str, &str); 2] =
    [("~", "http://hl7.org/fhir/"), ("^", "http://terminology.hl7.org/CodeSystem/")];

pub(crate) fn lengthen(short: &str) -> String {
    let stem = STEMS.iter().find_map(|(sign, stem)| Some((stem, short.strip_prefix(sign)?)));
    stem.map_or_else(|| short.to_owned(), |(stem, rest)| format!("{stem}{rest}"))
}

fn is_short_for(short: &str, system: &str) -> bool {
    STEMS
        .iter()
        .find_map(|(sign, stem)| Some((stem, short.strip_prefix(sign)?)))
        .map_or(short == system, |(stem, rest)| system.strip_prefix(stem) == Some(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(of: ResourceType, key: &str) -> Option<(bool, bool, &'static str)> {
        let definitions = get();
        let (element, kind) = definitions.find(definitions.resource(of), key)?;
        Some((element.is_required, element.is_list, definitions.name(kind)))
    }

    #[test]
    fn elements_are_found_through_inheritance_choices_and_backbones() {
        use ResourceType::{Bundle, Observation, Patient};
        assert_eq!(find(Patient, "gender"), Some((false, false, "code")));
        assert_eq!(find(Patient, "contained"), Some((false, true, "Resource")));
        assert_eq!(find(Patient, "id"), Some((false, false, "id")));
        assert_eq!(find(Patient, "contact"), Some((false, true, "Patient.contact")));
        assert_eq!(find(Observation, "valueQuantity"), Some((false, false, "Quantity")));
        assert_eq!(find(Observation, "valueString"), Some((false, false, "string")));
        assert_eq!(find(Observation, "valueAddress"), None);
        assert_eq!(find(Observation, "value"), None);
        assert_eq!(find(Observation, "status"), Some((true, false, "code")));
        assert_eq!(find(Bundle, "text"), None);
    }

    #[test]
    fn additions_to_the_definitions_are_not_in_the_table() {
        let definitions = get();
        let meta = definitions.by_name["Meta"];
        assert!(definitions.find(meta, "versionId").is_some());
        assert!(definitions.find(meta, "project").is_none());
        assert_eq!(find(ResourceType::Binary, "url"), None);
    }

    #[test]
    fn value_sets_know_codes_and_systems() {
        let gender = value_set("administrative-gender").unwrap();
        assert!(gender.contains(None, "female"));
        assert!(!gender.contains(None, "banana"));
        assert!(!gender.contains(None, "|~administrative-gender"));
        let system = "http://hl7.org/fhir/administrative-gender";
        assert!(gender.contains(Some(system), "male"));
        assert!(!gender.contains(Some("http://hl7.org/fhir/other"), "male"));
        assert_eq!(gender.system_of("male").as_deref(), Some(system));
        let clinical = value_set("condition-clinical").unwrap();
        let system = "http://terminology.hl7.org/CodeSystem/condition-clinical";
        assert!(clinical.contains(Some(system), "active"));
    }

    #[test]
    fn the_elements_called_reference_that_are_no_references_are_the_known_three() {
        // `reference::is_reference` tells exactly these apart.
        let definitions = get();
        let is_text = |of: &&Type| {
            let own = &definitions.elements[of.elements.clone()];
            let found = own.iter().find(|element| element.name == "reference");
            found.is_some_and(|e| matches!(definitions.kinds(e)[0], Kind::Primitive(_)))
        };
        let names: Vec<_> = definitions.types.iter().filter(is_text).map(|of| of.name).collect();
        assert_eq!(names, ["DetectedIssue", "Expression", "Immunization.education", "Reference"]);
    }
}
