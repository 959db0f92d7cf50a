//! PV1 as an Encounter.

use serde_json::{Value, json};

use super::{
    About,
    message::Segment,
    tables,
    types::{self, Context, Id, Object},
};
use crate::id_of;

const UNKNOWN: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";

/// A visit that can be told from others.
#[derive(Debug)]
pub(super) struct Visit<'s> {
    pub(super) id: String,
    pub(super) segment: &'s Segment<'s>,
    number: Option<Id>,
}

impl<'s> Visit<'s> {
    /// By its number (PV1-19), or else by the patient and when it began (PV1-44).
    pub(super) fn of(pv1: &'s Segment<'s>, about: &About, context: Context<'_>) -> Option<Self> {
        let number = pv1.part(19).and_then(|part| Id::cx(&part, context.source));
        let begun = pv1.part(44).and_then(|part| part.get(1));
        let id = match (&number, begun) {
            (Some(number), _) => id_of(context.source, "Encounter", &number.key()),
            (None, Some(begun)) => id_of(context.source, "Encounter", &[&about.patient, &begun]),
            (None, None) => {
                let is_said = (2..=52).any(|field| !pv1.raw(field).is_empty());
                if is_said {
                    pv1.leave("no visit is made: neither PV1-19 nor PV1-44 tells which one it is");
                }
                return None;
            }
        };
        Some(Self { id, segment: pv1, number })
    }

    pub(super) fn to_fhir(
        &self,
        about: &About,
        diagnoses: Vec<Value>,
        context: Context<'_>,
    ) -> Value {
        let pv1 = self.segment;
        pv1.pass(1);
        let stamp = |field| pv1.part(field).and_then(|part| types::stamp(&part, 1));
        let (start, end) = (stamp(44), stamp(45));
        let period = types::period_of(start.as_ref(), end.as_ref(), context);
        let period = period.unwrap_or_else(|| {
            pv1.leave_field(45, "the end is before the beginning");
            types::period_of(start.as_ref(), None, context).flatten()
        });
        let class = pv1.get(2);
        let status = tables::visit_status(context.event).unwrap_or_else(|| {
            let by_class = tables::class_status(class.as_deref().unwrap_or_default());
            if end.is_some() { "finished" } else { by_class }
        });
        let identifier =
            self.number.iter().map(|number| number.to_fhir(Some("VN")).done()).collect();
        let location: Vec<Value> = location(pv1).into_iter().collect();
        Object::of("Encounter", &self.id)
            .list("identifier", identifier)
            .with("status", status.into())
            .with("class", class_of(class.as_deref(), context))
            .with("subject", about.subject())
            .list("participant", participants(pv1, context))
            .maybe("period", period)
            .list("diagnosis", diagnoses)
            .list("location", location)
            .done()
    }
}

fn class_of(code: Option<&str>, context: Context<'_>) -> Value {
    let Some(code) = code else {
        return json!({"extension": [{"url": UNKNOWN, "valueCode": "unknown"}]});
    };
    match tables::class(code) {
        Some((system, code)) => json!({"system": system, "code": code}),
        // Table 0004 is the users' own: a code of theirs stays one.
        None => Object::default()
            .with("system", types::local(context.source, Some("0004")).into())
            .maybe("code", types::as_code(code))
            .with("display", code.into())
            .done(),
    }
}

/// Attending, referring, consulting and admitting doctors (PV1-7, 8, 9, 17).
fn participants(pv1: &Segment<'_>, context: Context<'_>) -> Vec<Value> {
    let roles = [(7, "ATND"), (8, "REF"), (9, "CON"), (17, "ADM")].into_iter();
    roles
        .flat_map(|(field, role)| pv1.parts(field).map(move |part| (part, role)))
        .filter_map(|(part, role)| {
            let individual = types::practitioner(&part, context.source)?;
            let kind = json!([{"coding": [{"system": PARTICIPATION, "code": role}]}]);
            Some(json!({"type": kind, "individual": individual}))
        })
        .collect()
}

/// Ward, room, bed and facility (PV1-3) by their names: no Location is made of them.
fn location(pv1: &Segment<'_>) -> Option<Value> {
    let part = pv1.part(3)?;
    let words: Vec<String> = [4, 7, 8, 1, 2, 3].into_iter().filter_map(|at| part.get(at)).collect();
    let display = (!words.is_empty()).then(|| words.join(" ")).and_then(types::text)?;
    Some(json!({"location": {"display": display}}))
}
