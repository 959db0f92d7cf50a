//! Codes that a value set has (`:in`, `:not-in`) or that stand above or below another one
//! (`:above`, `:below`), as far as this node holds the value set or the code system whole and the
//! one who asks may read it.

use std::collections::{BTreeSet, HashMap};

use ondol_fhir::{Limits, Resource, ResourceType, SearchParam};
use ondol_store::{Filter, Order, Query, Test};
use serde_json::Value;

use super::look_up;
use crate::rest::{
    criteria::{Code, Criterion},
    error::{ParameterFault, RestError},
    sight::Sight,
};

/// Codes that one parameter may ask for.
const CODES_MAX: usize = 5_000;

/// Value sets within value sets.
const DEPTH_MAX: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    In,
    NotIn,
    Above,
    Below,
}

/// `parameter:in=…` and its like, read and not yet looked up.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    name: String,
    param: &'static SearchParam,
    how: How,
    value: String,
}

impl Terms {
    /// None if the modifier is another one.
    pub(super) fn read(param: &'static SearchParam, name: &str, value: &str) -> Option<Self> {
        let how = match name.split_once(':')?.1 {
            "in" => How::In,
            "not-in" => How::NotIn,
            "above" => How::Above,
            "below" => How::Below,
            _ => return None,
        };
        Some(Self { name: name.to_owned(), param, how, value: value.to_owned() })
    }

    pub(super) fn met(self, sight: &mut Sight<'_>) -> Result<Criterion, RestError> {
        let mut codes = BTreeSet::new();
        for text in self.value.split(',') {
            let found = match self.how {
                How::In | How::NotIn => value_set(sight, text, 0)?,
                How::Above => hierarchy(sight, text, true)?,
                How::Below => hierarchy(sight, text, false)?,
            };
            let Some(found) = found else {
                return Err(RestError::parameter(&self.name, ParameterFault::NotHeld));
            };
            codes.extend(found);
            if codes.len() > CODES_MAX {
                return Err(RestError::TooCostly);
            }
        }
        let negated = self.how == How::NotIn;
        Ok(Criterion::coded(self.param, negated, codes))
    }
}

/// A resource that is named by its canonical URL, with or without a version, or by `Type/id`.
fn named(
    sight: &mut Sight<'_>,
    kind: ResourceType,
    name: &str,
) -> Result<Option<Resource>, RestError> {
    let own = name.strip_prefix(kind.name()).and_then(|rest| rest.strip_prefix('/'));
    let found = match own {
        Some(id) => look_up(sight, kind, id)?,
        None => {
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
            let page = sight.view.search(&Query {
                resource_type: kind.name().into(),
                chart: None,
                filters,
                order: Order::NewestArrival,
                limit: 20,
                after: None,
            })?;
            let mut seen = None;
            for hit in page.hits {
                if seen.is_none() && !hit.found.is_retracted() && sight.may_see(&hit.found.shown)? {
                    seen = Some(hit.found);
                }
            }
            seen
        }
    };
    let Some(text) = found.and_then(|found| found.shown.json()) else { return Ok(None) };
    Ok(Some(Resource::parse_within(text.as_bytes(), Limits::IMPORT)?))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: &Value, key: &str) -> Option<Box<str>> {
    value.get(key)?.as_str().map(Into::into)
}

/// All codes of a value set; none if it is not here, or says by rules what it has.
fn value_set(
    sight: &mut Sight<'_>,
    name: &str,
    depth: usize,
) -> Result<Option<BTreeSet<Code>>, RestError> {
    let Some(set) = named(sight, ResourceType::ValueSet, name)? else {
        // The sets that R4's required bindings name are part of the program.
        let codes = ondol_fhir::codes_of(name).map(|codes| {
            let code = |(system, code): (String, &str)| (Some(system.into()), Some(code.into()));
            codes.into_iter().map(code).collect()
        });
        return Ok(codes);
    };
    let set = set.into_json();
    let expansion = &set["expansion"];
    let contains = list(expansion, "contains");
    let is_whole = expansion["total"].as_u64().is_none_or(|total| total <= contains.len() as u64)
        && expansion.get("offset").is_none_or(|offset| offset.as_u64() == Some(0));
    if !contains.is_empty() && is_whole {
        let mut codes = BTreeSet::new();
        expanded(contains, &mut codes);
        return Ok(Some(codes));
    }
    composed(sight, &set["compose"], depth)
}

fn expanded(contains: &[Value], to: &mut BTreeSet<Code>) {
    for one in contains {
        if let Some(code) = text(one, "code").filter(|_| one["abstract"] != true) {
            to.insert((text(one, "system"), Some(code)));
        }
        expanded(list(one, "contains"), to);
    }
}

fn composed(
    sight: &mut Sight<'_>,
    compose: &Value,
    depth: usize,
) -> Result<Option<BTreeSet<Code>>, RestError> {
    let (mut codes, mut excluded) = (BTreeSet::new(), BTreeSet::new());
    if list(compose, "include").is_empty() || depth > DEPTH_MAX {
        return Ok(None);
    }
    for (key, to) in [("include", &mut codes), ("exclude", &mut excluded)] {
        for part in list(compose, key) {
            let Some(found) = one_part(sight, part, depth)? else { return Ok(None) };
            to.extend(found);
        }
    }
    // A whole system without some of its codes cannot be said as a list.
    let is_whole = |code: &Code| code.1.is_none();
    if !excluded.is_empty() && (codes.iter().any(is_whole) || excluded.iter().any(is_whole)) {
        return Ok(None);
    }
    Ok(Some(codes.difference(&excluded).cloned().collect()))
}

/// What one `include` names: its concepts, its whole system, or what all its value sets have.
fn one_part(
    sight: &mut Sight<'_>,
    part: &Value,
    depth: usize,
) -> Result<Option<BTreeSet<Code>>, RestError> {
    if !list(part, "filter").is_empty() {
        return Ok(None);
    }
    let system = text(part, "system");
    let concepts = list(part, "concept");
    let mut all: Option<BTreeSet<Code>> = system.as_ref().map(|system| {
        let of = |code| (Some(system.clone()), code);
        if concepts.is_empty() {
            BTreeSet::from([of(None)])
        } else {
            concepts.iter().map(|concept| of(text(concept, "code"))).collect()
        }
    });
    for name in list(part, "valueSet").iter().filter_map(Value::as_str) {
        let Some(found) = value_set(sight, name, depth + 1)? else { return Ok(None) };
        all = Some(match all {
            None => found,
            Some(known) => both(&known, &found),
        });
    }
    Ok(all)
}

/// What two sets have in common; a whole system has every code of it.
fn both(a: &BTreeSet<Code>, b: &BTreeSet<Code>) -> BTreeSet<Code> {
    let has = |set: &BTreeSet<Code>, code: &Code| {
        set.contains(code) || set.contains(&(code.0.clone(), None))
    };
    let in_both = |from: &BTreeSet<Code>, other: &BTreeSet<Code>| -> Vec<Code> {
        from.iter().filter(|code| has(other, code)).cloned().collect()
    };
    in_both(a, b).into_iter().chain(in_both(b, a)).collect()
}

/// A code with those above or below it, `system|code`; none if the code system is not here whole
/// or does not have the code.
fn hierarchy(
    sight: &mut Sight<'_>,
    token: &str,
    above: bool,
) -> Result<Option<BTreeSet<Code>>, RestError> {
    let Some((system, code)) = token.split_once('|').filter(|(_, code)| !code.is_empty()) else {
        return Ok(None);
    };
    let Some(held) = named(sight, ResourceType::CodeSystem, system)? else { return Ok(None) };
    let held = held.into_json();
    if held["content"] != "complete" {
        return Ok(None);
    }
    let mut parents: HashMap<&str, Vec<&str>> = HashMap::new();
    gather_parents(list(&held, "concept"), None, &mut parents);
    if !parents.contains_key(code) {
        return Ok(None);
    }
    let mut found = BTreeSet::from([code]);
    loop {
        let before = found.len();
        for (child, of) in &parents {
            if above && found.contains(child) {
                found.extend(of);
            } else if !above && of.iter().any(|parent| found.contains(parent)) {
                found.insert(*child);
            }
        }
        if found.len() == before {
            break;
        }
    }
    let code = |code: &str| (Some(system.into()), Some(code.into()));
    Ok(Some(found.into_iter().map(code).collect()))
}

/// The parents of each concept: those it stands inside of, and those that its properties name.
fn gather_parents<'a>(
    concepts: &'a [Value],
    inside: Option<&'a str>,
    parents: &mut HashMap<&'a str, Vec<&'a str>>,
) {
    for concept in concepts {
        let Some(code) = concept["code"].as_str() else { continue };
        let of = parents.entry(code).or_default();
        of.extend(inside);
        let properties = list(concept, "property").iter();
        of.extend(
            properties.filter(|p| p["code"] == "parent").filter_map(|p| p["valueCode"].as_str()),
        );
        gather_parents(list(concept, "concept"), Some(code), parents);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_sets_have_in_common_knows_whole_systems() {
        let code = |system: &str, code: Option<&str>| -> Code {
            (Some(system.into()), code.map(Into::into))
        };
        let a = BTreeSet::from([code("s", None), code("t", Some("1"))]);
        let b = BTreeSet::from([code("s", Some("x")), code("t", Some("2")), code("t", Some("1"))]);
        assert_eq!(both(&a, &b), BTreeSet::from([code("s", Some("x")), code("t", Some("1"))]));
    }

    #[test]
    fn parents_are_those_around_and_those_named() {
        let concepts = serde_json::json!([
            { "code": "a", "concept": [{ "code": "b" }] },
            { "code": "c", "property": [{ "code": "parent", "valueCode": "b" }] }
        ]);
        let mut parents = HashMap::new();
        gather_parents(concepts.as_array().unwrap(), None, &mut parents);
        assert_eq!((&*parents["b"], &*parents["c"]), (&["a"][..], &["b"][..]));
    }
}
