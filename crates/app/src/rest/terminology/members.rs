//! What a value set has (R4 4.9.5), one after the other.

use std::{collections::HashSet, rc::Rc};

use ondol_terms::library::{Concept, Content, Visit, Words, designation};
use serde_json::Value;

use super::{TermFault, has::Truth, rule::Rule, sources::Terminology};
use crate::rest::error::RestError;

/// Concepts that one request looks at, at most.
const LOOK_MAX: usize = 1_000_000;

/// Value sets that draw from each other, so many deep.
const DEPTH_MAX: usize = 16;

/// A code that a value set has.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) system: String,
    pub(super) version: Option<String>,
    /// The concept, with what the value set itself calls it.
    pub(super) concept: Concept,
}

/// Called with each member.
type Visitor<'v, 's, 'a> =
    &'v mut dyn FnMut(&mut Terminology<'s, 'a>, Member) -> Result<Visit, RestError>;

pub(super) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn names(part: &Value) -> Vec<&str> {
    list(part, "valueSet").iter().filter_map(Value::as_str).collect()
}

pub(super) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}

/// The stored expansion, if it says that it is whole.
pub(super) fn whole_expansion(set: &Value) -> Option<&[Value]> {
    let expansion = &set["expansion"];
    let contains = list(expansion, "contains");
    let is_whole = expansion["total"].as_u64().is_none_or(|total| total <= contains.len() as u64)
        && expansion.get("offset").is_none_or(|offset| offset.as_u64() == Some(0));
    (!contains.is_empty() && is_whole).then_some(contains)
}

/// Whether an expansion can stand for rules that cannot be followed here.
fn is_unheld(why: &RestError) -> bool {
    matches!(
        why,
        RestError::Terminology(
            TermFault::NeedsSystem(_) | TermFault::NeedsWhole(_) | TermFault::NeedsSet(_)
        )
    )
}

/// A concept that a value set lists, with the names that it gives it.
fn named_by_set(listed: &Value, held: Option<Concept>) -> Option<Concept> {
    let code = text(listed, "code")?.to_owned();
    let mut concept = held.unwrap_or_else(|| Concept { code, ..Concept::default() });
    if let Some(display) = text(listed, "display") {
        concept.display = Some(display.to_owned());
    }
    let own: Vec<_> = list(listed, "designation").iter().filter_map(designation).collect();
    concept.designations.splice(0..0, own);
    Some(concept)
}

impl<'s, 'a> Terminology<'s, 'a> {
    /// Looks into a value set by name from within another one.
    pub(super) fn imported(&mut self, name: &str) -> Result<Rc<Value>, RestError> {
        if self.open.iter().any(|open| open == name) {
            return Err(TermFault::Circle.into());
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(TermFault::TooMany.into());
        }
        // Few that import many, many times over, are a lot of work too.
        self.look(1)?;
        self.value_set(name)?.ok_or_else(|| TermFault::NeedsSet(name.to_owned()).into())
    }

    /// Visits all that a value set has. One code may come twice.
    pub(super) fn walk(
        &mut self,
        set: &Value,
        words: &Words,
        visit: Visitor<'_, 's, 'a>,
    ) -> Result<Visit, RestError> {
        let includes = list(&set["compose"], "include");
        let Some(contains) = whole_expansion(set) else {
            if includes.is_empty() {
                return Err(TermFault::Says.into());
            }
            return self.walk_rules(set, words, visit);
        };
        if !includes.is_empty() {
            // Rules that this node can follow tell more than what somebody once made of them.
            let mut members = vec![];
            match self.walk_rules(set, words, &mut |_, member| {
                members.push(member);
                Ok(Visit::On)
            }) {
                Ok(_) => {
                    for member in members {
                        if visit(self, member)? == Visit::Enough {
                            return Ok(Visit::Enough);
                        }
                    }
                    return Ok(Visit::On);
                }
                Err(why) if is_unheld(&why) => {}
                Err(why) => return Err(why),
            }
        }
        self.walk_expansion(contains, words, visit)
    }

    fn walk_expansion(
        &mut self,
        contains: &[Value],
        words: &Words,
        visit: Visitor<'_, 's, 'a>,
    ) -> Result<Visit, RestError> {
        for one in contains {
            if let (Some(concept), Some(system)) = (named_by_set(one, None), text(one, "system"))
                && one["abstract"] != true
                && words.fit(&concept.code, concept.names())
            {
                let version = text(one, "version").map(str::to_owned);
                let member = Member { system: system.to_owned(), version, concept };
                if visit(self, member)? == Visit::Enough {
                    return Ok(Visit::Enough);
                }
            }
            if self.walk_expansion(list(one, "contains"), words, visit)? == Visit::Enough {
                return Ok(Visit::Enough);
            }
        }
        Ok(Visit::On)
    }

    fn walk_rules(
        &mut self,
        set: &Value,
        words: &Words,
        visit: Visitor<'_, 's, 'a>,
    ) -> Result<Visit, RestError> {
        let compose = &set["compose"];
        let excludes = list(compose, "exclude");
        let wants_active = compose["inactive"] == false;
        for part in list(compose, "include") {
            let went = self.walk_part(part, words, &mut |this, member| {
                if wants_active && member.concept.is_inactive() {
                    return Ok(Visit::On);
                }
                for exclude in excludes {
                    match this.part_has(exclude, &member.system, &member.concept.code)? {
                        Truth::Yes => return Ok(Visit::On),
                        Truth::Unknown(why) => return Err(why.into()),
                        Truth::No => {}
                    }
                }
                visit(this, member)
            })?;
            if went == Visit::Enough {
                return Ok(Visit::Enough);
            }
        }
        Ok(Visit::On)
    }

    fn walk_part(
        &mut self,
        part: &Value,
        words: &Words,
        visit: Visitor<'_, 's, 'a>,
    ) -> Result<Visit, RestError> {
        let sets = names(part);
        let system = text(part, "system");
        if !list(part, "concept").is_empty() {
            return self.walk_listed(part, &sets, words, visit);
        }
        if list(part, "filter").is_empty()
            && let Some((first, others)) = sets.split_first()
        {
            let set = self.imported(first)?;
            self.open.push((*first).to_owned());
            let went = self.walk(&set, words, &mut |this, member| {
                let is_of = system.is_none_or(|system| system == member.system);
                if is_of && this.all_have(others, &member)? {
                    visit(this, member)
                } else {
                    Ok(Visit::On)
                }
            });
            self.open.pop();
            return went;
        }
        self.walk_system(part, &sets, words, visit)
    }

    /// The concepts that a value set lists itself.
    fn walk_listed(
        &mut self,
        part: &Value,
        sets: &[&str],
        words: &Words,
        visit: Visitor<'_, 's, 'a>,
    ) -> Result<Visit, RestError> {
        let Some(url) = text(part, "system") else { return Ok(Visit::On) };
        let held = self.system(url, text(part, "version"))?;
        let version = held.as_ref().and_then(|held| held.version()).map(str::to_owned);
        for listed in list(part, "concept") {
            self.look(1)?;
            let known = match (&held, text(listed, "code")) {
                (Some(held), Some(code)) => held.concept(code)?,
                _ => None,
            };
            let Some(concept) = named_by_set(listed, known) else { continue };
            if !words.fit(&concept.code, concept.names()) {
                continue;
            }
            let member = Member { system: url.to_owned(), version: version.clone(), concept };
            if self.all_have(sets, &member)? && visit(self, member)? == Visit::Enough {
                return Ok(Visit::Enough);
            }
        }
        Ok(Visit::On)
    }

    /// A whole system, or what rules select from it.
    fn walk_system(
        &mut self,
        part: &Value,
        sets: &[&str],
        words: &Words,
        visit: Visitor<'_, 's, 'a>,
    ) -> Result<Visit, RestError> {
        let url = text(part, "system").ok_or(TermFault::Says)?;
        let held = self.system(url, text(part, "version"))?;
        let held = held.ok_or_else(|| TermFault::NeedsSystem(url.to_owned()))?;
        let codes = held.codes().ok_or_else(|| TermFault::Endless(url.to_owned()))?;
        if codes.head().content != Content::Complete {
            return Err(TermFault::NeedsWhole(url.to_owned()).into());
        }
        let rules: Vec<Rule<'_>> = list(part, "filter")
            .iter()
            .map(|filter| Rule::read(codes, filter))
            .collect::<Result<_, _>>()?;
        let mut only: Option<HashSet<String>> = None;
        let mut others = vec![];
        for rule in &rules {
            match (rule.codes(codes)?, &mut only) {
                (None, _) => others.push(rule),
                (Some(found), None) => only = Some(found),
                (Some(found), Some(known)) => known.retain(|code| found.contains(code)),
            }
        }
        let (mut went, mut failure) = (Visit::On, None);
        codes
            .each(only.as_ref(), words, &mut |concept| {
                let mut one = || -> Result<Visit, RestError> {
                    self.look(1)?;
                    for rule in &others {
                        if !rule.passes(codes, &concept)? {
                            return Ok(Visit::On);
                        }
                    }
                    let version = codes.head().version.clone();
                    let member =
                        Member { system: url.to_owned(), version, concept: concept.clone() };
                    if self.all_have(sets, &member)? { visit(self, member) } else { Ok(Visit::On) }
                };
                went = one().unwrap_or_else(|why| {
                    failure = Some(why);
                    Visit::Enough
                });
                went
            })
            .map_err(TermFault::from)?;
        failure.map_or(Ok(went), Err)
    }

    pub(super) fn look(&mut self, concepts: usize) -> Result<(), RestError> {
        self.looked += concepts;
        if self.looked > LOOK_MAX { Err(TermFault::TooMany.into()) } else { Ok(()) }
    }
}

/// What a value set is, for those who only look through its parts.
pub(super) fn is_whole_system(part: &Value) -> bool {
    list(part, "filter").is_empty() && list(part, "concept").is_empty() && names(part).is_empty()
}
