//! PID as a Patient.

use serde_json::{Value, json};

use super::{
    message::Segment,
    tables,
    types::{self, Context, Id, Object},
};
use crate::id_of;

const BIRTH_TIME: &str = "http://hl7.org/fhir/StructureDefinition/patient-birthTime";

/// Reads PID; gives the id of the patient and the resource. None without an identifier.
pub(super) fn patient(pid: &Segment<'_>, context: Context<'_>) -> Option<(String, Value)> {
    pid.pass(1);
    let (chosen, identifiers) = identifiers(pid, context)?;
    let id = id_of(context.source, "Patient", &chosen.key());
    let names: Vec<Value> = pid.parts(5).filter_map(|p| types::human_name(&p, context)).collect();
    let reach = [(13, Some("home")), (14, Some("work")), (40, None)].into_iter();
    let telecom: Vec<Value> = reach
        .flat_map(|(field, usage)| pid.parts(field).map(move |part| (part, usage)))
        .filter_map(|(part, usage)| types::telecom(&part, usage))
        .collect();
    let addresses: Vec<Value> =
        pid.parts(11).filter_map(|part| types::address(&part, context)).collect();
    let gender = pid.get(8);
    let known = gender.as_deref().and_then(tables::gender);
    if gender.is_some() && known.is_none() {
        pid.leave_field(8, "this is no code of table 0001");
    }
    let patient = Object::of("Patient", &id)
        .list("identifier", identifiers)
        .list("name", names)
        .list("telecom", telecom)
        .maybe("gender", known);
    let patient = deceased(pid, context, birth(pid, context, patient)).list("address", addresses);
    let patient = patient.maybe("maritalStatus", marital(pid, context));
    Some((id, multiple_birth(pid, patient).done()))
}

/// The identifier that the patient is told by, and all that there are.
fn identifiers(pid: &Segment<'_>, context: Context<'_>) -> Option<(Id, Vec<Value>)> {
    let mut all = vec![];
    let mut ids = vec![];
    // PID-2 and PID-4 are where identifiers stood before 2.3.1, PID-18 is the account (AN) and
    // PID-19 the number of the social insurance (SS).
    for (field, kind) in [(3, None), (2, None), (4, None), (18, Some("AN")), (19, Some("SS"))] {
        for part in pid.parts(field) {
            let Some(id) = Id::cx(&part, context.source) else { continue };
            if ids.iter().any(|(_, known)| *known == id) {
                continue;
            }
            let valid = [part.clone().get(7), part.get(8)];
            let mut valid = valid
                .into_iter()
                .enumerate()
                .map(|(at, text)| text.is_some().then(|| types::stamp(&part, 7 + at)).flatten());
            let (start, end) = (valid.next().flatten(), valid.next().flatten());
            let period = types::period_of(start.as_ref(), end.as_ref(), context);
            if period.is_none() {
                part.leave(8, "the end is before the beginning");
            }
            all.push(id.to_fhir(kind).maybe("period", period.flatten()).done());
            ids.push((field, id));
        }
    }
    let of_patient = |field: &usize| matches!(field, 2..=4);
    let is_record = |id: &Id| id.kind.as_deref() == Some("MR");
    let mut candidates = ids.iter().filter(|(field, _)| of_patient(field));
    let first = candidates.next()?;
    let record = ids.iter().find(|(field, id)| *field == 3 && is_record(id));
    Some((record.unwrap_or(first).1.clone(), all))
}

fn birth(pid: &Segment<'_>, context: Context<'_>, patient: Object) -> Object {
    let Some(stamp) = pid.part(7).and_then(|part| types::stamp(&part, 1)) else { return patient };
    let time = stamp.clock.is_some().then(|| {
        let time = stamp.date_time(context.offset_minutes);
        json!({"extension": [{"url": BIRTH_TIME, "valueDateTime": time}]})
    });
    patient.with("birthDate", stamp.date.into()).maybe("_birthDate", time)
}

fn flag(pid: &Segment<'_>, field: usize) -> Option<bool> {
    // Yes/no (table 0136).
    match pid.get(field)?.as_str() {
        "Y" => Some(true),
        "N" => Some(false),
        _ => {
            pid.leave_field(field, "this is neither Y nor N");
            None
        }
    }
}

fn deceased(pid: &Segment<'_>, context: Context<'_>, patient: Object) -> Object {
    let at = pid.part(29).and_then(|part| types::date_time(&part, 1, context));
    match (at, flag(pid, 30)) {
        (Some(_), Some(false)) => {
            pid.leave_field(29, "a time of death, and PID-30 says that there was none");
            patient.with("deceasedBoolean", false.into())
        }
        (Some(at), _) => patient.with("deceasedDateTime", at.into()),
        (None, flag) => patient.maybe("deceasedBoolean", flag),
    }
}

fn multiple_birth(pid: &Segment<'_>, patient: Object) -> Object {
    let flag = flag(pid, 24);
    if flag == Some(false) {
        return patient.with("multipleBirthBoolean", false.into());
    }
    let order = pid.get(25).map(|order| order.parse::<u8>().ok().filter(|order| *order > 0));
    if order == Some(None) {
        pid.leave_field(25, "this is no order of birth");
    }
    match order.flatten() {
        Some(order) => patient.with("multipleBirthInteger", order.into()),
        None => patient.maybe("multipleBirthBoolean", flag),
    }
}

fn marital(pid: &Segment<'_>, context: Context<'_>) -> Option<Value> {
    let part = pid.part(16)?;
    let code = part.get(1);
    match code.as_deref().and_then(tables::marital) {
        Some((system, code)) => {
            part.pass(3);
            let text = part.get(2).and_then(types::text);
            let coding = json!([{"system": system, "code": code}]);
            Some(Object::default().with("coding", coding).maybe("text", text).done())
        }
        None => types::concept(&part, context.source),
    }
}
