//! `Patient/$match` (R4, operation of Patient): who of those whom the asker may see is somebody.

use ondol_access::Action;
use ondol_fhir::Resource;
use serde_json::Value;

use super::{
    error::{ElementFault, RestError},
    read::Answer,
    sight::Sight,
    text::{BundleText, quoted},
};
use crate::{
    Actor, App,
    people::{Person, items, nobody},
};

/// How sure a match is (R4 value set `match-grade`), with the probability from which it is given
/// (ADR 0015). Less than possible is not told.
const GRADES: [(&str, f64); 3] = [("certain", 0.99), ("probable", 0.9), ("possible", 0.1)];

/// Matches that are told at most, unless fewer are asked for.
const MATCHES_MAX: usize = 50;

/// What is asked.
struct Asked {
    person: Person,
    only_certain: bool,
    count: usize,
}

/// The extension that grades a match.
const MATCH_GRADE: &str = "http://hl7.org/fhir/StructureDefinition/match-grade";

impl App {
    /// Whom somebody may be: a searchset with the likeliest first, each with its probability and
    /// grade. Nobody is told of whom the actor may not read; whoever is told of was read, and that
    /// is recorded.
    pub fn rest_match(
        &self,
        actor: &Actor,
        parameters: Resource,
        base: &str,
    ) -> Result<String, RestError> {
        let asked = Asked::read(parameters)?;
        let (answers, seen) = {
            let view = self.view()?;
            self.may_somewhere(actor, Action::SearchPerson)?;
            let mut sight = Sight::new(self, actor, &*view);
            let mut answers = vec![];
            for alike in self.alike(&*view, &asked.person)? {
                let Some(grade) = grade(alike.probability) else { continue };
                let Some(found) = view.resource("Patient", &alike.id)? else { continue };
                if sight.may_see(&found.shown)? {
                    answers.push((found, grade, alike.probability));
                }
            }
            if asked.only_certain {
                // One is certain only while nobody else is near to it.
                let near = answers.iter().filter(|(_, grade, _)| *grade != "possible").count();
                answers.retain(|(_, grade, _)| near == 1 && *grade == "certain");
            }
            answers.truncate(asked.count);
            let mut told = vec![];
            for (found, grade, probability) in answers {
                sight.see(&found.shown)?;
                told.push((Answer::of(&found)?, grade, probability));
            }
            (told, sight.seen())
        };
        seen.record(self, actor)?;
        Ok(bundle(&answers, base))
    }
}

fn grade(probability: f64) -> Option<&'static str> {
    GRADES.iter().find(|(_, from)| probability >= *from).map(|(grade, _)| *grade)
}

fn bundle(answers: &[(Answer, &str, f64)], base: &str) -> String {
    let mut bundle = BundleText::new("searchset");
    bundle.total(answers.len() as u64);
    for (answer, grade, probability) in answers {
        let url = quoted(&format!("{base}/{}/{}", answer.resource_type, answer.id));
        let search = format!(
            r#"{{"extension":[{{"url":"{MATCH_GRADE}","valueCode":"{grade}"}}],"mode":"match","score":{probability:.4}}}"#
        );
        bundle.entry(&[("fullUrl", &url), ("resource", &answer.json), ("search", &search)]);
    }
    bundle.finish()
}

impl Asked {
    /// Reads `Parameters`, or the Patient alone.
    fn read(parameters: Resource) -> Result<Self, RestError> {
        let bad = |at: &str| RestError::element(at, ElementFault::MatchParameters);
        let body = parameters.into_json();
        let (mut patient, mut only_certain, mut count) = (None, false, MATCHES_MAX);
        if body["resourceType"] == "Patient" {
            patient = Some(&body);
        } else if body["resourceType"] != "Parameters" {
            return Err(bad("Parameters"));
        }
        for (at, parameter) in items(&body["parameter"]).enumerate() {
            let wrong = || bad(&format!("Parameters.parameter[{at}]"));
            match parameter["name"].as_str() {
                Some("resource") if patient.is_none() => patient = Some(&parameter["resource"]),
                Some("onlyCertainMatches") => {
                    only_certain = parameter["valueBoolean"].as_bool().ok_or_else(wrong)?;
                }
                Some("count") => {
                    let number = [&parameter["valueInteger"], &parameter["valuePositiveInt"]];
                    let number = number.into_iter().find_map(Value::as_u64);
                    let number = number.filter(|n| *n > 0).ok_or_else(wrong)?;
                    count = usize::try_from(number).unwrap_or(MATCHES_MAX).min(MATCHES_MAX);
                }
                _ => return Err(wrong()),
            }
        }
        let patient = patient.filter(|of| of["resourceType"] == "Patient");
        let patient = patient.ok_or_else(|| bad("Parameters.parameter"))?;
        Ok(Self { person: Person::read(&nobody()?, patient, false), only_certain, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn asked(parameter: &Value) -> Result<Asked, RestError> {
        let body = json!({ "resourceType": "Parameters", "parameter": parameter });
        Asked::read(Resource::from_json(body)?)
    }

    #[test]
    fn parameters_are_read_and_what_is_wrong_is_named() {
        let patient = json!({ "resourceType": "Patient", "name": [{ "text": "리용희" }] });
        let whole = asked(&json!([
            { "name": "resource", "resource": patient },
            { "name": "onlyCertainMatches", "valueBoolean": true },
            { "name": "count", "valueInteger": 3 }
        ]));
        let whole = whole.ok().unwrap();
        assert!(whole.person.name == "리용희" && whole.only_certain && whole.count == 3);
        for (parameter, at) in [
            (json!([]), "Parameters.parameter"),
            (
                json!([{ "name": "resource", "resource": { "resourceType": "Group" } }]),
                "Parameters.parameter",
            ),
            (json!([{ "name": "count", "valueInteger": 0 }]), "Parameters.parameter[0]"),
            (json!([{ "name": "who", "valueString": "x" }]), "Parameters.parameter[0]"),
        ] {
            let Err(RestError::Element { expression, fault }) = asked(&parameter) else { panic!() };
            assert_eq!((expression.as_str(), fault), (at, ElementFault::MatchParameters));
        }
    }

    #[test]
    fn grades_are_given_from_their_limits_on() {
        let grades = [0.999, 0.99, 0.95, 0.9, 0.5, 0.1, 0.0999].map(grade);
        let [certain, probable, possible] = ["certain", "probable", "possible"].map(Some);
        assert_eq!(grades, [certain, certain, probable, probable, possible, possible, None]);
    }
}
