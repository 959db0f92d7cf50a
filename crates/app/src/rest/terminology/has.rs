//! Whether a value set has one code (R4 4.9.5), without looking at all the others.

use serde_json::Value;

use super::{
    TermFault,
    members::{Member, list, names, text, whole_expansion},
    rule::Rule,
    sources::Terminology,
};
use crate::rest::error::RestError;

/// Whether a value set has a code.
#[derive(Debug)]
pub(super) enum Truth {
    Yes,
    No,
    /// What would have to be held to tell.
    Unknown(TermFault),
}

impl Terminology<'_, '_> {
    /// Whether all of these value sets have a member.
    pub(super) fn all_have(&mut self, sets: &[&str], member: &Member) -> Result<bool, RestError> {
        match self.all_have_code(sets, &member.system, &member.concept.code)? {
            Truth::Yes => Ok(true),
            Truth::No => Ok(false),
            Truth::Unknown(why) => Err(why.into()),
        }
    }

    fn all_have_code(
        &mut self,
        sets: &[&str],
        system: &str,
        code: &str,
    ) -> Result<Truth, RestError> {
        let mut unknown = None;
        for name in sets {
            let set = self.imported(name)?;
            self.open.push((*name).to_owned());
            let found = self.has(&set, system, code);
            self.open.pop();
            match found? {
                Truth::Yes => {}
                Truth::No => return Ok(Truth::No),
                Truth::Unknown(why) => unknown = Some(why),
            }
        }
        Ok(unknown.map_or(Truth::Yes, Truth::Unknown))
    }

    /// Whether a value set has a code.
    pub(super) fn has(
        &mut self,
        set: &Value,
        system: &str,
        code: &str,
    ) -> Result<Truth, RestError> {
        self.look(1)?;
        let compose = &set["compose"];
        let expansion = whole_expansion(set);
        let in_expansion =
            |contains| if stands_in(contains, system, code) { Truth::Yes } else { Truth::No };
        if list(compose, "include").is_empty() {
            return expansion.map(in_expansion).ok_or_else(|| TermFault::Says.into());
        }
        let mut found = Truth::No;
        for part in list(compose, "include") {
            match self.part_has(part, system, code)? {
                Truth::Yes => {
                    found = Truth::Yes;
                    break;
                }
                Truth::No => {}
                unknown @ Truth::Unknown(_) => found = unknown,
            }
        }
        if let Truth::Unknown(why) = found {
            return Ok(expansion.map_or(Truth::Unknown(why), in_expansion));
        }
        if matches!(found, Truth::Yes) {
            for part in list(compose, "exclude") {
                match self.part_has(part, system, code)? {
                    Truth::Yes => return Ok(Truth::No),
                    Truth::No => {}
                    unknown @ Truth::Unknown(_) => return Ok(unknown),
                }
            }
            if compose["inactive"] == false
                && let Some(held) = self.system(system, None)?
                && held.concept(code)?.is_some_and(|concept| concept.is_inactive())
            {
                return Ok(Truth::No);
            }
        }
        Ok(found)
    }

    pub(super) fn part_has(
        &mut self,
        part: &Value,
        system: &str,
        code: &str,
    ) -> Result<Truth, RestError> {
        let sets = names(part);
        let Some(url) = text(part, "system") else {
            return if sets.is_empty() {
                Ok(Truth::No)
            } else {
                self.all_have_code(&sets, system, code)
            };
        };
        if url != system {
            return Ok(Truth::No);
        }
        let (concepts, filters) = (list(part, "concept"), list(part, "filter"));
        let own = if !concepts.is_empty() {
            // Comparing a code is a small part of the work of looking a concept up.
            self.look(concepts.len() / 64)?;
            let is_listed = concepts.iter().any(|concept| text(concept, "code") == Some(code));
            if is_listed { Truth::Yes } else { Truth::No }
        } else if filters.is_empty() && !sets.is_empty() {
            Truth::Yes
        } else {
            self.selected(part, url, code)?
        };
        match own {
            Truth::Yes => self.all_have_code(&sets, system, code),
            other => Ok(other),
        }
    }

    /// Whether rules select a code, or the whole system has it.
    fn selected(&mut self, part: &Value, url: &str, code: &str) -> Result<Truth, RestError> {
        let Some(held) = self.system(url, text(part, "version"))? else {
            return Ok(Truth::Unknown(TermFault::NeedsSystem(url.to_owned())));
        };
        let unknown = || Ok(Truth::Unknown(TermFault::NeedsWhole(url.to_owned())));
        let Some(concept) = held.concept(code)? else {
            return if held.is_part() { unknown() } else { Ok(Truth::No) };
        };
        let filters = list(part, "filter");
        let Some(codes) = held.codes() else {
            return match filters {
                [] => Ok(Truth::Yes),
                [filter, ..] => Ok(Truth::Unknown(no_filter(url, filter))),
            };
        };
        for filter in filters {
            if !Rule::read(codes, filter)?.passes(codes, &concept)? {
                return if held.is_part() { unknown() } else { Ok(Truth::No) };
            }
        }
        Ok(Truth::Yes)
    }
}

fn no_filter(system: &str, filter: &Value) -> TermFault {
    let text = |key| text(filter, key).unwrap_or("").to_owned();
    TermFault::Filter { system: system.to_owned(), property: text("property"), op: text("op") }
}

fn stands_in(contains: &[Value], system: &str, code: &str) -> bool {
    contains.iter().any(|one| {
        let is_it = text(one, "code") == Some(code) && text(one, "system") == Some(system);
        (is_it && one["abstract"] != true) || stands_in(list(one, "contains"), system, code)
    })
}
