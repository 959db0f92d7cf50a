//! OBX as an Observation.

use serde_json::{Value, json};

use super::{
    About,
    message::{Part, Segment},
    report::{OfOrder, Reading},
    tables,
    time::clock_only,
    types::{self, Context, Object},
    value::{Unit, compared, reference_range, structured},
};
use crate::id_of;

/// Makes the Observation of a result, and its id. None if it does not say what was observed.
pub(super) fn observation(
    reading: &Reading<'_>,
    order: &OfOrder,
    about: &About,
    context: Context<'_>,
) -> Option<(String, Value)> {
    let obx = reading.obx;
    let part = obx.part(3);
    let code = part.as_ref().and_then(|part| types::concept(part, context.source));
    let (Some(part), Some(code)) = (part, code) else {
        obx.leave("OBX-3 is empty: it does not say what was observed");
        return None;
    };
    obx.pass(1);
    let observed = part.get(1).or_else(|| part.get(2)).unwrap_or_default();
    let numbers = [obx.raw(1), &observed, obx.raw(4)];
    // OBX-4 tells results of one kind from each other; R4 has no other place for it.
    obx.pass(4);
    let key: Vec<&str> = order.key.iter().map(String::as_str).chain(numbers).collect();
    let id = id_of(context.source, "Observation", &key);
    let unit = Unit::of(obx);
    let (name, value) = value(reading, &unit, context).unzip();
    let at = obx.part(14).and_then(|part| types::date_time(&part, 1, context)).map(Value::from);
    let range =
        obx.lines(7).and_then(types::text).map(|text| json!([reference_range(&text, &unit)]));
    let performers: Vec<Value> =
        obx.parts(16).filter_map(|part| types::practitioner(&part, context.source)).collect();
    let method = obx.part(17).and_then(|part| types::concept(&part, context.source));
    let mut resource = Object::of("Observation", &id)
        .with("status", status(obx).into())
        .with("code", code)
        .with("subject", about.subject())
        .maybe("encounter", about.visit())
        .maybe("effectiveDateTime", at.or_else(|| order.effective.clone()))
        .list("performer", performers);
    if let (Some(name), Some(value)) = (name, value) {
        let has_unit = matches!(name, "valueQuantity" | "valueRange" | "valueRatio")
            || (name == "valueString" && !value.as_str().is_some_and(|text| text.contains('\n')));
        if unit.name().is_some() && !has_unit {
            obx.leave_field(6, "a unit of what is no number");
        }
        resource = resource.with(name, value);
    } else {
        resource = resource.maybe("dataAbsentReason", absent(obx));
        if unit.name().is_some() {
            obx.leave_field(6, "a unit without a number");
        }
    }
    let resource = resource
        .list("interpretation", interpretations(obx))
        .list("note", notes(reading))
        .maybe("method", method)
        .maybe("referenceRange", range);
    Some((id, resource.done()))
}

fn status(obx: &Segment<'_>) -> &'static str {
    let code = obx.get(11);
    let known = code.as_deref().and_then(tables::observation_status);
    // N, not asked, says why there is no value.
    if !matches!(code.as_deref(), None | Some("N")) && known.is_none() {
        obx.leave_field(11, "this code has no counterpart: the status is given as unknown");
    }
    known.unwrap_or("unknown")
}

fn absent(obx: &Segment<'_>) -> Option<Value> {
    const REASON: &str = "http://terminology.hl7.org/CodeSystem/data-absent-reason";
    (obx.raw(11) == "N").then(|| json!({"coding": [{"system": REASON, "code": "not-asked"}]}))
}

/// OBX-8 (table 0078). A code that version 3 does not have stays as a text.
fn interpretations(obx: &Segment<'_>) -> Vec<Value> {
    const SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
    obx.parts(8)
        .filter_map(|part| {
            let code = part.get(1).or_else(|| part.get(2)).and_then(types::text)?;
            let text = part.get(2).and_then(types::text);
            part.pass(3);
            if tables::is_interpretation(&code) {
                let coding = json!([{"system": SYSTEM, "code": code}]);
                return Some(Object::default().with("coding", coding).maybe("text", text).done());
            }
            Some(json!({"text": text.unwrap_or(code)}))
        })
        .collect()
}

/// The comments on a result (NTE), as the lines of one note.
fn notes(reading: &Reading<'_>) -> Vec<Value> {
    let lines = reading.notes.iter().filter_map(|nte| {
        nte.pass(1);
        nte.lines(3)
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let text = if text.is_empty() { None } else { Some(text) };
    let is_any = text.is_some();
    let text = text.and_then(types::text);
    if is_any && text.is_none() {
        for nte in &reading.notes {
            nte.leave("the comment is longer than a text may be");
        }
    }
    text.map(|text| json!({"text": text})).into_iter().collect()
}

/// The value (OBX-5) by its type (OBX-2): the name of the element and what stands in it.
fn value(
    reading: &Reading<'_>,
    unit: &Unit,
    context: Context<'_>,
) -> Option<(&'static str, Value)> {
    let obx = reading.obx;
    let kind = obx.get(2).unwrap_or_default();
    let part = obx.part(5);
    match kind.as_str() {
        "" | "ST" | "TX" | "FT" | "ID" | "SI" => string(reading, unit),
        "NM" => number(reading, part?, unit),
        "SN" => structured_number(reading, &part?, unit),
        "CE" | "CWE" | "CNE" | "IS" => {
            let concept = types::concept(&part?, context.source)?;
            Some(("valueCodeableConcept", concept))
        }
        "DT" | "TS" | "DTM" => {
            let at = types::date_time(&part?, 1, context)?;
            Some(("valueDateTime", at.into()))
        }
        "TM" => match clock_only(&part?.get(1)?) {
            Some(time) => Some(("valueTime", time.into())),
            None => string(reading, unit),
        },
        "ED" | "RP" => {
            if part.is_some() {
                obx.leave_field(5, "documents and pointers to them are not taken over");
            }
            None
        }
        _ => {
            if part.is_some() {
                obx.leave_field(5, "values of the type in OBX-2 are not taken over");
            }
            None
        }
    }
}

/// The text of a result and of those that continue it.
///
/// A unit belongs to a text of one line that is a number for those who read it.
fn string(reading: &Reading<'_>, unit: &Unit) -> Option<(&'static str, Value)> {
    let continued = reading.continued.iter().filter_map(|obx| {
        // The first one has said the rest.
        for field in [1, 2, 3, 4, 6, 7, 8, 11, 14] {
            obx.pass(field);
        }
        obx.lines(5)
    });
    let lines: Vec<String> = reading.obx.lines(5).into_iter().chain(continued).collect();
    if lines.is_empty() {
        return None;
    }
    let text = lines.join("\n");
    let unit = unit.name().filter(|_| !text.contains('\n'));
    let text = types::text(unit.map_or(text.clone(), |unit| format!("{text} {unit}")));
    if text.is_none() {
        reading.obx.leave_field(5, "the text is longer than a text may be");
    }
    Some(("valueString", text?.into()))
}

fn number(reading: &Reading<'_>, part: Part<'_>, unit: &Unit) -> Option<(&'static str, Value)> {
    let read = part.get(1).and_then(|text| compared(&text));
    match read {
        Some((comparator, value)) => Some(("valueQuantity", unit.quantity(value, comparator))),
        None => as_text(reading, unit, "this is no number: it is taken as text"),
    }
}

fn structured_number(
    reading: &Reading<'_>,
    part: &Part<'_>,
    unit: &Unit,
) -> Option<(&'static str, Value)> {
    let pieces = [1, 2, 3, 4].map(|at| part.get(at));
    let [a, b, c, d] = &pieces;
    let read = structured([a.as_deref(), b.as_deref(), c.as_deref(), d.as_deref()], unit);
    read.or_else(|| {
        let pieces: Vec<String> = pieces.into_iter().flatten().chain(unit.name()).collect();
        let text = types::text(pieces.join(" ")).filter(|text| !text.is_empty());
        if text.is_none() {
            reading.obx.leave_field(5, "this is no structured number");
        }
        Some(("valueString", text?.into()))
    })
}

/// The text of what should have been a number, with its unit.
fn as_text(reading: &Reading<'_>, unit: &Unit, why: &'static str) -> Option<(&'static str, Value)> {
    let text = reading.obx.lines(5)?;
    let text = types::text(unit.name().map_or(text.clone(), |unit| format!("{text} {unit}")));
    reading.obx.leave_field(5, why);
    Some(("valueString", text?.into()))
}
