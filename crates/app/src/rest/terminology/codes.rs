//! Codes for a search: those that a value set has, and those above and below another one.

use std::collections::BTreeSet;

use ondol_terms::library::{Content, Visit, Words, above, below};
use serde_json::Value;

use super::{
    TermFault,
    members::{is_whole_system, list},
    sources::Terminology,
};
use crate::rest::{criteria::Code, error::RestError};

/// Codes that one parameter may ask for.
const CODES_MAX: usize = 5_000;

impl Terminology<'_, '_> {
    /// All codes of a value set; a whole system as one. None if that cannot be told here.
    pub(in crate::rest) fn codes(
        &mut self,
        name: &str,
    ) -> Result<Option<BTreeSet<Code>>, RestError> {
        let Some(set) = self.value_set(name)? else { return Ok(None) };
        let mut codes = BTreeSet::new();
        self.open.push(name.to_owned());
        let told = match whole_systems(&set) {
            Some((systems, rest)) => {
                let of = |system: String| (Some(system.into()), None);
                codes.extend(systems.into_iter().map(of));
                rest.map_or(Ok(()), |rest| self.gather(&rest, &mut codes))
            }
            None => self.gather(&set, &mut codes),
        };
        self.open.pop();
        match told {
            Ok(()) => Ok(Some(codes)),
            Err(RestError::Terminology(TermFault::TooMany | TermFault::Endless(_))) => {
                Err(RestError::TooCostly)
            }
            Err(RestError::Terminology(TermFault::Library(why))) => {
                Err(TermFault::Library(why).into())
            }
            Err(RestError::Terminology(_)) => Ok(None),
            Err(why) => Err(why),
        }
    }

    fn gather(&mut self, set: &Value, codes: &mut BTreeSet<Code>) -> Result<(), RestError> {
        self.walk(set, &Words::default(), &mut |_, member| {
            codes.insert((Some(member.system.into()), Some(member.concept.code.into())));
            if codes.len() > CODES_MAX { Err(TermFault::TooMany.into()) } else { Ok(Visit::On) }
        })?;
        Ok(())
    }

    /// A code with those above or below it, `system|code`; none if the code system is not here
    /// whole or does not have the code.
    pub(in crate::rest) fn relatives(
        &mut self,
        token: &str,
        upwards: bool,
    ) -> Result<Option<BTreeSet<Code>>, RestError> {
        let Some((system, code)) = token.split_once('|').filter(|(_, code)| !code.is_empty())
        else {
            return Ok(None);
        };
        let Some(held) = self.system(system, None)? else { return Ok(None) };
        let Some(codes) = held.codes().filter(|codes| codes.head().content == Content::Complete)
        else {
            return Ok(None);
        };
        let found = if upwards { above(codes, code) } else { below(codes, code) };
        let Some(found) = found.map_err(TermFault::from)? else { return Ok(None) };
        if found.len() > CODES_MAX {
            return Err(RestError::TooCostly);
        }
        let of = |code: String| (Some(system.into()), Some(code.into()));
        Ok(Some(found.into_iter().map(of).collect()))
    }
}

/// The systems that a value set has whole, and the value set without them; none if it has no
/// such, or leaves something out of them.
fn whole_systems(set: &Value) -> Option<(Vec<String>, Option<Value>)> {
    if !list(&set["compose"], "exclude").is_empty() || set["compose"]["inactive"] == false {
        return None;
    }
    let (whole, rest): (Vec<&Value>, Vec<&Value>) =
        list(&set["compose"], "include").iter().partition(|part| is_whole_system(part));
    let of = |part: &&Value| part["system"].as_str().map(str::to_owned);
    let systems: Option<Vec<String>> = whole.iter().map(of).collect();
    let systems = systems.filter(|systems| !systems.is_empty())?;
    let mut other = set.clone();
    other["compose"]["include"] = rest.iter().map(|part| (*part).clone()).collect();
    Some((systems, (!rest.is_empty()).then_some(other)))
}
