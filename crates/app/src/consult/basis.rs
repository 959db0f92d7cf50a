//! From which version of the chart an answer was written, and what came after.
//!
//! The basis is a frontier: for every log that wrote in the chart, the number of its newest entry
//! that was here. It is exact whatever the clocks said, and two nodes that hold different parts
//! of the chart agree on what an answer had seen.

use std::collections::BTreeMap;

use ondol_kernel::{Class, Millis, NodeId, ResourceId};
use ondol_record::{Address, ChartId, Stream, entry::ChangeKind};
use ondol_store::{Found, View};
use serde_json::Value;

use super::step::{each, text};
use crate::{
    App, AppError, coding,
    encounter::{Banner, Lack, Safety, fold_safety, lacks_of, stated_of_person},
    people::OPEN,
};

/// The newest number of each log in a chart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Basis(BTreeMap<Stream, u64>);

impl Basis {
    /// The basis of what is here now.
    pub fn now(view: &dyn View, chart: &ChartId) -> Result<Self, AppError> {
        let mut newest = BTreeMap::new();
        for (stream, count, _) in view.chart_heads(chart)? {
            let rows = view.chart_entries(&stream, chart, count, 1)?;
            let number = rows.first().map(|row| row.entry.address.number);
            newest.insert(stream, number.ok_or(AppError::Unexpected("a chart's newest entry"))?);
        }
        Ok(Self(newest))
    }

    /// Whether an entry was among what was seen.
    pub fn holds(&self, address: &Address) -> bool {
        self.0.get(&address.stream).is_some_and(|newest| address.number <= *newest)
    }

    /// The text in records: `node.incarnation.class.number`, parted by blanks.
    pub fn to_text(&self) -> String {
        let parts: Vec<String> = self
            .0
            .iter()
            .map(|(stream, number)| {
                let class = stream.class.code();
                format!("{}.{}.{class}.{number}", stream.origin, stream.incarnation)
            })
            .collect();
        parts.join(" ")
    }

    /// Reads what [`Basis::to_text`] wrote; `None` if it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut newest = BTreeMap::new();
        for part in text.split_ascii_whitespace() {
            let mut parts = part.split('.');
            let origin = NodeId::from_hex(parts.next()?)?;
            let incarnation = parts.next()?.parse().ok()?;
            let class = Class::from_code(parts.next()?.parse().ok()?)?;
            let number = parts.next()?.parse().ok()?;
            if parts.next().is_some() {
                return None;
            }
            newest.insert(Stream { origin, incarnation, class }, number);
        }
        Some(Self(newest))
    }
}

/// What may change what an answer would have said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LaterKind {
    /// The patient died.
    Died,
    /// An allergy.
    Allergy,
    /// The patient was sent on, or received elsewhere.
    Transfer,
    /// A vital sign.
    Vital,
}

/// A fact of the chart that matters to an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What kind.
    pub kind: LaterKind,
    /// The entry that brought it.
    pub address: Address,
    /// When it was written.
    pub at: Millis,
    /// The code (LOINC of a vital sign) or the words of an allergy.
    pub what: String,
    /// The value with its unit, as it was written; empty if there is none.
    pub value: String,
}

/// The facts that were not among what the answer had seen, most weighty first, then newest.
pub fn later_than<'a>(basis: &Basis, facts: &'a [Fact]) -> Vec<&'a Fact> {
    let mut later: Vec<&Fact> = facts.iter().filter(|fact| !basis.holds(&fact.address)).collect();
    later.sort_by_key(|fact| (fact.kind, std::cmp::Reverse(fact.at), fact.address));
    later
}

/// The newest value of each vital sign, in the order of the list of signs.
pub fn newest_vitals(facts: &[Fact]) -> Vec<Fact> {
    let mut newest: BTreeMap<&str, &Fact> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.kind == LaterKind::Vital) {
        let known = newest.entry(&fact.what).or_insert(fact);
        if (known.at, known.address) < (fact.at, fact.address) {
            *known = fact;
        }
    }
    let place = |fact: &Fact| ondol_terms::vitals().iter().position(|v| v.loinc == fact.what);
    let mut newest: Vec<Fact> = newest.into_values().cloned().collect();
    newest.sort_by_key(place);
    newest
}

/// What stands around a case about a patient, for both ends.
#[derive(Clone)]
pub struct About {
    /// Whom it is about.
    pub banner: Banner,
    /// Allergies, medicines, problems.
    pub safety: Safety,
    /// The newest vital signs.
    pub vitals: Vec<Fact>,
    /// How far what others wrote is here.
    pub lacks: Vec<Lack>,
    /// When the record was put back from a backup, if that was lately: what came before may lack.
    pub put_back: Option<Millis>,
}

impl App {
    /// What stands around a case, for use cases that decided on their own grounds.
    pub(crate) fn about(&self, view: &dyn View, chart: &ChartId) -> Result<About, AppError> {
        let unknown = || AppError::Unexpected("a case that is about no patient");
        let id = ResourceId::new(chart.subject()).map_err(|_| unknown())?;
        let banner = self.banner_in(view, &id)?;
        let mut lacks = lacks_of(self, view, chart, &banner.person)?;
        let names = names(view, chart)?;
        for lack in lacks.iter_mut().filter(|lack| lack.facility.is_empty()) {
            lack.facility = names.get(&lack.reference).cloned().unwrap_or_default();
        }
        Ok(About {
            safety: fold_safety(&stated_of_person(view, &id)?, self.now())?,
            vitals: newest_vitals(&facts(view, chart, "")?),
            lacks,
            put_back: crate::road::put_back_at(view, self.now())?,
            banner,
        })
    }
}

/// The names of facilities as requests and steps in a chart say them: far away the facilities
/// themselves are not known.
fn names(view: &dyn View, chart: &ChartId) -> Result<BTreeMap<String, String>, AppError> {
    let mut names = BTreeMap::new();
    for found in view.chart(chart, &["ServiceRequest", "Communication"])? {
        let body: Value = serde_json::from_str(&found.shown.body)
            .map_err(|_| AppError::Unexpected("a request or step"))?;
        let places = each(&body["extension"]).map(|extension| &extension["valueReference"]);
        for place in places.chain(each(&body["performer"])) {
            let (reference, name) = (text(&place["reference"]), text(&place["display"]));
            if !reference.is_empty() && !name.is_empty() {
                names.insert(reference, name);
            }
        }
    }
    Ok(names)
}

/// The facts of a chart that matter to an answer. `from` is the asking facility
/// (`Organization/…`): a visit there is no transfer.
pub fn facts(view: &dyn View, chart: &ChartId, from: &str) -> Result<Vec<Fact>, AppError> {
    let types = ["Patient", "Observation", "AllergyIntolerance", "Encounter", "ServiceRequest"];
    let found = view.chart(chart, &types)?;
    let mut facts = vec![];
    for found in found.iter().filter(|found| found.shown.kind == ChangeKind::Put) {
        // An allergy that cannot be read is not an allergy that is not there.
        let body: Value = serde_json::from_str(&found.shown.body)
            .map_err(|_| AppError::Unexpected("a fact of a chart"))?;
        facts.extend(fact(found, &body, from));
    }
    Ok(facts)
}

fn fact(found: &Found, body: &Value, from: &str) -> Option<Fact> {
    let (kind, what, value) = match &*found.shown.resource_type {
        "Patient" if is_dead(body) => (LaterKind::Died, String::new(), String::new()),
        "AllergyIntolerance" => (LaterKind::Allergy, words(&body["code"]), String::new()),
        "Encounter"
            if body["status"].as_str().is_some_and(|status| OPEN.contains(&status))
                && body["serviceProvider"]["reference"] != *from =>
        {
            (LaterKind::Transfer, text(&body["serviceProvider"]["display"]), String::new())
        }
        "ServiceRequest"
            if coding::has_code(&body["category"], coding::REQUEST_CATEGORY, coding::REFERRAL) =>
        {
            let to = each(&body["performer"]).next();
            let to = to.map_or_else(String::new, |to| text(&to["display"]));
            (LaterKind::Transfer, to, String::new())
        }
        "Observation" => {
            let code = coding::code_of(&body["code"], coding::LOINC)?;
            ondol_terms::vital_by_loinc(code).or_else(|| {
                // Blood pressure is one Observation of two components.
                (code == "85354-9").then(|| ondol_terms::vital("systolic-pressure")).flatten()
            })?;
            (LaterKind::Vital, code.to_owned(), value_of(body))
        }
        _ => return None,
    };
    let at = found.shown.care_time.unwrap_or_else(|| found.shown.hlc.millis());
    Some(Fact { kind, address: found.shown.address, at, what, value })
}

/// Whether a Patient is known to have died.
pub(crate) fn is_dead(patient: &Value) -> bool {
    patient["deceasedBoolean"] == true || patient["deceasedDateTime"].is_string()
}

/// The words of a `CodeableConcept`.
pub(crate) fn words(concept: &Value) -> String {
    let coded = || each(&concept["coding"]).find_map(|coding| coding["display"].as_str());
    let code = || each(&concept["coding"]).find_map(|coding| coding["code"].as_str());
    concept["text"].as_str().or_else(coded).or_else(code).unwrap_or("").to_owned()
}

/// An Observation's value with its unit, components parted by a stroke.
pub(crate) fn value_of(observation: &Value) -> String {
    let quantity = |value: &Value| {
        let number = &value["valueQuantity"]["value"];
        (!number.is_null()).then(|| number.to_string())
    };
    let unit = |value: &Value| {
        let unit = &value["valueQuantity"];
        let unit = unit["unit"].as_str().or_else(|| unit["code"].as_str());
        unit.map_or_else(String::new, |unit| format!(" {unit}"))
    };
    if let Some(number) = quantity(observation) {
        return number + &unit(observation);
    }
    let parts: Vec<String> = each(&observation["component"]).filter_map(quantity).collect();
    if let Some(first) = each(&observation["component"]).next() {
        return parts.join("/") + &unit(first);
    }
    let concept = words(&observation["valueCodeableConcept"]);
    if concept.is_empty() { text(&observation["valueString"]) } else { concept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stream(node: u8) -> Stream {
        Stream { origin: NodeId([node; 16]), incarnation: 0, class: Class::Care }
    }

    fn fact(kind: LaterKind, node: u8, number: u64, at: i64) -> Fact {
        let address = stream(node).at(number);
        Fact { kind, address, at: Millis(at), what: String::new(), value: String::new() }
    }

    #[test]
    fn only_what_was_not_seen_came_later_whatever_the_clocks_said() {
        let basis = Basis([(stream(1), 5)].into());
        let facts = [
            fact(LaterKind::Vital, 1, 5, 9_999),
            fact(LaterKind::Vital, 1, 6, 10),
            fact(LaterKind::Allergy, 2, 1, 5),
            fact(LaterKind::Vital, 2, 2, 50),
            fact(LaterKind::Died, 3, 1, 1),
        ];
        let later: Vec<_> = later_than(&basis, &facts).iter().map(|f| (f.kind, f.at.0)).collect();
        assert_eq!(
            later,
            [
                (LaterKind::Died, 1),
                (LaterKind::Allergy, 5),
                (LaterKind::Vital, 50),
                (LaterKind::Vital, 10)
            ]
        );
    }

    #[test]
    fn what_is_no_basis_is_not_guessed() {
        assert_eq!(Basis::parse(""), Some(Basis::default()));
        for text in ["x", "00.0.1.2", "01010101010101010101010101010101.0.9.1", "1 2"] {
            assert_eq!(Basis::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_text_gives_the_basis_back(
            logs in prop::collection::btree_map((any::<u8>(), 0u32..3, 0u8..4), any::<u64>(), 0..6),
        ) {
            let basis = Basis(logs.into_iter().map(|((node, incarnation, class), number)| {
                let class = Class::from_code(class).unwrap();
                (Stream { origin: NodeId([node; 16]), incarnation, class }, number)
            }).collect());
            prop_assert_eq!(Basis::parse(&basis.to_text()), Some(basis));
        }

        #[test]
        fn more_seen_means_less_later(number in 1u64..9, seen in 0u64..9, more in 0u64..9) {
            let facts = [fact(LaterKind::Vital, 1, number, 0)];
            let count = |n| later_than(&Basis([(stream(1), n)].into()), &facts).len();
            prop_assert!(count(seen + more) <= count(seen));
        }
    }
}
