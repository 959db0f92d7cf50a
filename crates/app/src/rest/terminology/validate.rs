//! `ValueSet/$validate-code` and `CodeSystem/$validate-code`.

use ondol_terms::library::{Concept, Listed, System};
use serde_json::{Value, json};

use super::{
    Named, TermFault,
    has::Truth,
    inputs::{Inputs, missing, wrong},
    members::list,
    sources::Terminology,
};
use crate::rest::error::RestError;

const UNSUPPORTED: [&str; 2] = ["context", "date"];

/// A code that is to be validated.
struct Asked {
    system: Option<String>,
    version: Option<String>,
    code: String,
    display: Option<String>,
}

/// What is known about a code.
enum Verdict {
    Good { display: Option<String> },
    Bad { message: String, display: Option<String> },
}

/// How codes are judged.
struct How {
    /// Codes that are there for their children alone will do.
    abstract_too: bool,
    language: Option<String>,
}

impl How {
    fn read(inputs: &mut Inputs) -> Result<Self, RestError> {
        Ok(Self {
            abstract_too: inputs.flag("abstract")?.unwrap_or(false),
            language: inputs.text("displayLanguage")?,
        })
    }
}

impl Asked {
    /// Exactly one of `code`, `coding` and `codeableConcept`.
    fn read(
        inputs: &mut Inputs,
        system: Option<&str>,
        version: &str,
    ) -> Result<Vec<Self>, RestError> {
        let of = |coding: &Value| {
            let text = |key: &str| coding[key].as_str().map(str::to_owned);
            Some(Self {
                system: text("system"),
                version: text("version"),
                code: text("code")?,
                display: text("display"),
            })
        };
        let code = inputs.text("code")?;
        let coding = inputs.object("coding", "valueCoding")?;
        let concept = inputs.object("codeableConcept", "valueCodeableConcept")?;
        let own_system = if system.is_none() { inputs.text("system")? } else { None };
        let (version, display) = (inputs.text(version)?, inputs.text("display")?);
        match (code, coding, concept) {
            (Some(code), None, None) => {
                let system = system.map(str::to_owned).or(own_system);
                Ok(vec![Self { system, version, code, display }])
            }
            (None, Some(coding), None) => Ok(vec![of(&coding).ok_or_else(|| wrong("coding"))?]),
            (None, None, Some(concept)) => {
                let all: Vec<Self> = list(&concept, "coding").iter().filter_map(of).collect();
                if all.is_empty() { Err(wrong("codeableConcept")) } else { Ok(all) }
            }
            (None, None, None) => Err(missing("code")),
            (Some(_), _, _) => Err(wrong("code")),
            _ => Err(wrong("coding")),
        }
    }
}

/// Whether a value set has a code.
pub(super) fn in_value_set(
    terms: &mut Terminology<'_, '_>,
    id: Option<&str>,
    inputs: &mut Inputs,
) -> Result<Value, RestError> {
    let named = Named::read(id, inputs, "ValueSet", "valueSet", "valueSetVersion")?;
    let all = Asked::read(inputs, None, "systemVersion")?;
    let how = How::read(inputs)?;
    inputs.finish(&UNSUPPORTED)?;
    let set = named.set(terms)?;
    terms.open.extend(set["url"].as_str().map(str::to_owned));
    any_of(&all, |asked| {
        // Two systems may have one code: which is meant is never guessed.
        let system = asked.system.as_deref().ok_or_else(|| missing("system"))?;
        match terms.has(&set, system, &asked.code)? {
            Truth::Yes => {}
            Truth::No => {
                let message = "the code is not in the value set".to_owned();
                return Ok(Verdict::Bad { message, display: None });
            }
            Truth::Unknown(why) => return Err(why.into()),
        }
        let concept = match terms.system(system, asked.version.as_deref())? {
            Some(held) => held.concept(&asked.code)?,
            None => None,
        };
        let mut concept = concept.unwrap_or_else(|| nameless(&asked.code));
        name_by_set(&set, system, &mut concept);
        Ok(judged(&concept, asked, &how))
    })
}

/// Whether a code system has a code.
pub(super) fn in_code_system(
    terms: &mut Terminology<'_, '_>,
    id: Option<&str>,
    inputs: &mut Inputs,
) -> Result<Value, RestError> {
    let url = match (id, inputs.resource("codeSystem", "CodeSystem")?) {
        (Some(_), Some(_)) => return Err(wrong("codeSystem")),
        (Some(_), None) if inputs.has("url") => return Err(wrong("url")),
        (Some(id), None) => Some(format!("CodeSystem/{id}")),
        (None, Some(sent)) => {
            let sent = Listed::from_fhir(&sent).ok_or_else(|| wrong("codeSystem"))?;
            let url = sent.head().url.clone();
            terms.suppose(sent);
            Some(url)
        }
        (None, None) => inputs.text("url")?,
    };
    let all = Asked::read(inputs, url.as_deref(), "version")?;
    let how = How::read(inputs)?;
    inputs.finish(&UNSUPPORTED)?;
    any_of(&all, |asked| {
        let system = url.as_deref().or(asked.system.as_deref()).ok_or_else(|| missing("url"))?;
        let version = asked.version.as_deref().filter(|_| id.is_none());
        let held = terms.system(system, version)?.ok_or(TermFault::NoSystem)?;
        let is_of = |known: &str| {
            let own = held.codes().map_or(ondol_ucum::SYSTEM, |codes| &codes.head().url);
            known == own
        };
        if asked.system.as_deref().is_some_and(|known| known != system && !is_of(known)) {
            let message = "the code is of another system".to_owned();
            return Ok(Verdict::Bad { message, display: None });
        }
        match held.concept(&asked.code)? {
            Some(concept) => Ok(judged(&concept, asked, &how)),
            None if held.is_part() => Err(TermFault::CodeNotInPart.into()),
            None => {
                let message = "the code system does not have this code".to_owned();
                Ok(Verdict::Bad { message, display: None })
            }
        }
    })
}

/// One good code is enough. What cannot be told is only said if nothing else is good.
fn any_of(
    all: &[Asked],
    mut judge: impl FnMut(&Asked) -> Result<Verdict, RestError>,
) -> Result<Value, RestError> {
    let (mut worst, mut unknown) = (None, None);
    for asked in all {
        match judge(asked) {
            Ok(Verdict::Good { display }) => return Ok(told(true, None, display)),
            Ok(Verdict::Bad { message, display }) => worst = worst.or(Some((message, display))),
            Err(why @ RestError::Terminology(_)) => unknown = unknown.or(Some(why)),
            Err(why) => return Err(why),
        }
    }
    if let Some(why) = unknown {
        return Err(why);
    }
    let (message, display) = worst.unwrap_or_default();
    Ok(told(false, Some(message), display))
}

fn told(result: bool, message: Option<String>, display: Option<String>) -> Value {
    let mut parameters = vec![json!({ "name": "result", "valueBoolean": result })];
    if let Some(message) = message {
        parameters.push(json!({ "name": "message", "valueString": message }));
    }
    if let Some(display) = display {
        parameters.push(json!({ "name": "display", "valueString": display }));
    }
    json!({ "resourceType": "Parameters", "parameter": parameters })
}

fn nameless(code: &str) -> Concept {
    Concept { code: code.to_owned(), ..Concept::default() }
}

/// What the value set itself calls a code that it lists.
fn name_by_set(set: &Value, system: &str, concept: &mut Concept) {
    let parts = list(&set["compose"], "include").iter().filter(|part| part["system"] == system);
    let listed = parts.flat_map(|part| list(part, "concept"));
    if let Some(listed) = listed.into_iter().find(|one| one["code"] == concept.code.as_str()) {
        if let Some(display) = listed["display"].as_str() {
            // Both names are good.
            if let Some(known) = concept.display.replace(display.to_owned()) {
                let other = json!({ "value": known });
                concept.designations.extend(ondol_terms::library::designation(&other));
            }
        }
        let own = list(listed, "designation").iter();
        concept.designations.extend(own.filter_map(ondol_terms::library::designation));
    }
}

fn judged(concept: &Concept, asked: &Asked, how: &How) -> Verdict {
    let display = concept.called(how.language.as_deref()).map(str::to_owned);
    if concept.is_abstract() && !how.abstract_too {
        let message = "the code is there for those below it, and not to be used itself".to_owned();
        return Verdict::Bad { message, display };
    }
    // Capitals and spaces in names are not told apart.
    let folded = |text: &str| ondol_fhir::fold(text);
    if let Some(said) = asked.display.as_deref()
        && concept.names().next().is_some()
        && !concept.names().any(|name| folded(name) == folded(said))
    {
        let message = "the display is not a name of this code".to_owned();
        return Verdict::Bad { message, display };
    }
    Verdict::Good { display }
}
