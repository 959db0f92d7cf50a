//! AL1 as an `AllergyIntolerance` and DG1 as a Condition.

use serde_json::{Value, json};

use super::{
    About,
    message::{Part, Segment},
    reference, tables,
    types::{self, Context, Id, Object},
};
use crate::id_of;

/// The code of a coded element, or its text, with the name of the system.
fn key(part: &Part<'_>) -> Option<[String; 2]> {
    let code = part.get(1).or_else(|| part.get(2))?;
    Some([code, part.get(3).unwrap_or_default()])
}

/// An allergy (AL1).
pub(super) fn allergy(
    al1: &Segment<'_>,
    about: &About,
    context: Context<'_>,
) -> Option<(String, Value)> {
    const CLINICAL: &str = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical";
    al1.pass(1);
    let part = al1.part(3);
    let code = part.as_ref().and_then(|part| types::concept(part, context.source));
    let (Some([code_key, system]), Some(code)) = (part.as_ref().and_then(key), code) else {
        al1.leave("AL1-3 is empty: it does not say to what the allergy is");
        return None;
    };
    let id = id_of(context.source, "AllergyIntolerance", &[&about.patient, &code_key, &system]);
    let known = |field: usize, table: fn(&str) -> Option<&'static str>| {
        let code = al1.get(field)?;
        let known = table(&code);
        if known.is_none() {
            al1.leave_field(field, "this code has no counterpart");
        }
        known
    };
    let category = known(2, tables::allergy_category).map(Value::from).into_iter().collect();
    let reactions: Vec<Value> = al1
        .parts(5)
        .filter_map(|part| part.get(1).and_then(types::text))
        .map(|text| json!({"text": text}))
        .collect();
    let reaction = (!reactions.is_empty()).then(|| json!([{"manifestation": reactions}]));
    let onset = al1.part(6).and_then(|part| types::date_time(&part, 1, context));
    let resource = Object::of("AllergyIntolerance", &id)
        // AL1 lists what there is now; the guide says so too.
        .with("clinicalStatus", json!({"coding": [{"system": CLINICAL, "code": "active"}]}))
        .list("category", category)
        .maybe("criticality", known(4, tables::criticality))
        .with("code", code)
        .with("patient", about.subject())
        .maybe("onsetDateTime", onset)
        .maybe("reaction", reaction);
    Some((id, resource.done()))
}

/// A diagnosis (DG1): its id, the Condition, and its place among the diagnoses of the visit.
pub(super) fn condition(
    dg1: &Segment<'_>,
    about: &About,
    context: Context<'_>,
) -> Option<(String, Value, Option<Value>)> {
    const VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/condition-ver-status";
    const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/condition-category";
    dg1.pass(1);
    let part = dg1.part(3);
    let code = part.as_ref().and_then(|part| types::concept(part, context.source));
    let description = dg1.lines(4).and_then(types::text);
    let identifier = dg1.part(20).and_then(|part| Id::ei(&part, context.source));
    let [code_key, system] = part
        .as_ref()
        .and_then(key)
        .or(description.clone().map(|text| [text, String::new()]))
        .unwrap_or_default();
    let code = match (code, description) {
        (Some(Value::Object(mut code)), Some(text)) => {
            code.insert("text".into(), text.into());
            Some(Value::Object(code))
        }
        (code, None) => code,
        (_, Some(text)) => Some(json!({"text": text})),
    };
    let Some(code) = code else {
        dg1.leave("DG1-3 and DG1-4 are empty: there is no diagnosis in it");
        return None;
    };
    let within = about.encounter.as_deref().unwrap_or(&about.patient);
    let id = match &identifier {
        Some(number) => {
            let [system, value, _] = number.key();
            id_of(context.source, "Condition", &[&about.patient, system, value])
        }
        None => id_of(context.source, "Condition", &["DG1", within, &code_key, &system]),
    };
    // Segment action (table 0206): D takes the diagnosis back.
    let is_deleted = dg1.get(21).as_deref() == Some("D");
    let verification = is_deleted
        .then(|| json!({"coding": [{"system": VERIFICATION, "code": "entered-in-error"}]}));
    let category = about
        .encounter
        .as_ref()
        .map(|_| json!([{"coding": [{"system": CATEGORY, "code": "encounter-diagnosis"}]}]));
    let asserter = dg1.part(16).and_then(|part| types::practitioner(&part, context.source));
    let date = |field| dg1.part(field).and_then(|part| types::date_time(&part, 1, context));
    let resource = Object::of("Condition", &id)
        .list("identifier", identifier.iter().map(|id| id.to_fhir(None).done()).collect())
        .maybe("verificationStatus", verification)
        .maybe("category", category)
        .with("code", code)
        .with("subject", about.subject())
        .maybe("encounter", about.visit())
        .maybe("onsetDateTime", date(5))
        .maybe("recordedDate", date(19))
        .maybe("asserter", asserter);
    let role = (about.encounter.is_some() && !is_deleted).then(|| role(dg1, &id));
    Some((id, resource.done(), role))
}

/// What a diagnosis is in a visit: admission diagnosis (table 0052, A) and its rank.
fn role(dg1: &Segment<'_>, id: &str) -> Value {
    const ROLE: &str = "http://terminology.hl7.org/CodeSystem/diagnosis-role";
    let kind = dg1.get(6);
    let usage =
        (kind.as_deref() == Some("A")).then(|| json!({"coding": [{"system": ROLE, "code": "AD"}]}));
    if kind.is_some() && usage.is_none() {
        dg1.leave_field(6, "this code has no counterpart");
    }
    let rank = dg1.get(15).map(|rank| rank.parse::<u16>().ok().filter(|rank| *rank > 0));
    if rank == Some(None) {
        dg1.leave_field(15, "this is no rank from 1 on");
    }
    Object::default()
        .with("condition", reference("Condition", id))
        .maybe("use", usage)
        .maybe("rank", rank.flatten())
        .done()
}
