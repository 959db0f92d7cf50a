//! OBR with what follows it as a `DiagnosticReport` with its Observations.

use serde_json::{Value, json};

use super::{
    About, Making,
    message::Segment,
    observation, reference, tables,
    types::{self, Context, Id, Object},
};
use crate::id_of;

/// An order with its results.
struct Order<'s> {
    orc: Option<&'s Segment<'s>>,
    obr: &'s Segment<'s>,
    results: Vec<Reading<'s>>,
}

/// A result: an OBX, those that continue its text, and the comments on it.
pub(super) struct Reading<'s> {
    pub(super) obx: &'s Segment<'s>,
    pub(super) continued: Vec<&'s Segment<'s>>,
    pub(super) notes: Vec<&'s Segment<'s>>,
}

/// What the results of an order have in common.
pub(super) struct OfOrder {
    /// What tells the order from others.
    pub(super) key: Vec<String>,
    pub(super) effective: Option<Value>,
}

/// Makes the reports of a patient.
pub(super) fn reports(
    segments: &[Segment<'_>],
    about: &About,
    context: Context<'_>,
    making: &mut Making,
) {
    for order in orders(segments) {
        report(&order, about, context, making);
    }
}

fn orders<'s>(segments: &'s [Segment<'s>]) -> Vec<Order<'s>> {
    let mut orders: Vec<Order<'s>> = vec![];
    let mut orc = None;
    // An NTE is about the OBX before it, if nothing else stands between them.
    let mut is_about_result = false;
    for segment in segments {
        let results = orders.last_mut().map(|order| &mut order.results);
        match (segment.name, results) {
            ("ORC", _) => {
                orc = Some(segment);
                is_about_result = false;
            }
            ("OBR", _) => {
                orders.push(Order { orc: orc.take(), obr: segment, results: vec![] });
                is_about_result = false;
            }
            ("OBX", Some(results)) => {
                is_about_result = true;
                match results.last_mut().filter(|last| last.is_continued_by(segment)) {
                    Some(last) => last.continued.push(segment),
                    None => {
                        let (continued, notes) = (vec![], vec![]);
                        results.push(Reading { obx: segment, continued, notes });
                    }
                }
            }
            ("OBX", None) => segment.leave("no OBR before it says which order it belongs to"),
            ("NTE", Some(results)) if is_about_result => {
                if let Some(last) = results.last_mut() {
                    last.notes.push(segment);
                }
            }
            ("NTE", _) => segment.leave("a comment on a patient or an order has no place in R4"),
            _ => is_about_result = false,
        }
    }
    orders
}

impl Reading<'_> {
    /// Reports of text come as several OBX that differ in their number and text only.
    fn is_continued_by(&self, next: &Segment<'_>) -> bool {
        let is_text = matches!(next.raw(2), "TX" | "FT" | "ST");
        is_text
            && self.notes.is_empty()
            && [2, 3, 4, 6, 7, 8, 11, 14].iter().all(|at| self.obx.raw(*at) == next.raw(*at))
    }
}

/// The numbers of the filler (OBR-3) and of the placer (OBR-2) of an order, or those of its ORC.
fn numbers(order: &Order<'_>, context: Context<'_>) -> [Option<Id>; 2] {
    [3, 2].map(|field| {
        let part = order.obr.part(field);
        let part = part.or_else(|| order.orc?.part(field))?;
        Id::ei(&part, context.source)
    })
}

/// What tells an order from others: its number, or else the patient, the service and the time.
fn key_of(order: &Order<'_>, numbers: &[Option<Id>; 2], about: &About) -> Option<Vec<String>> {
    if let Some(number) = numbers.iter().flatten().next() {
        let [system, value, _] = number.key();
        return Some(vec![system.to_owned(), value.to_owned()]);
    }
    let begun = order.obr.get(7)?;
    let service = order.obr.part(4).and_then(|part| part.get(1).or_else(|| part.get(2)))?;
    Some(vec![about.patient.clone(), service, begun])
}

fn report(order: &Order<'_>, about: &About, context: Context<'_>, making: &mut Making) {
    let obr = order.obr;
    let numbers = numbers(order, context);
    let part = obr.part(4);
    let code = part.as_ref().and_then(|part| types::concept(part, context.source));
    let (Some(key), Some(code)) = (key_of(order, &numbers, about), code) else {
        let why = "without OBR-4, and OBR-3, OBR-2 or OBR-7, nothing tells which report this is";
        obr.leave(why);
        for reading in &order.results {
            reading.leave("its OBR does not tell which report it is");
        }
        return;
    };
    obr.pass(1);
    // One number may be that of all services that were ordered together.
    let service = part.and_then(|part| part.get(1).or_else(|| part.get(2))).unwrap_or_default();
    let parts: Vec<&str> = key.iter().map(String::as_str).chain([service.as_str()]).collect();
    let id = id_of(context.source, "DiagnosticReport", &parts);
    let effective = effective(obr, context);
    let of_order = OfOrder { key, effective: effective.clone().map(|(_, at)| at) };
    let mut results = vec![];
    for reading in &order.results {
        let made = observation::observation(reading, &of_order, about, context);
        let Some((id, observation)) = made else { continue };
        if making.add(&id, observation) {
            results.push(reference("Observation", &id));
        } else {
            reading.leave("the same result stands in the message before; the first one is taken");
        }
    }
    let identifier: Vec<Value> = numbers
        .iter()
        .zip(["FILL", "PLAC"])
        .filter_map(|(number, kind)| Some(number.as_ref()?.to_fhir(Some(kind)).done()))
        .collect();
    let issued = obr.part(22).and_then(|part| {
        let issued = types::stamp(&part, 1)?;
        if issued.clock.is_none() {
            part.leave(1, "a day without a time of day is no instant");
        }
        issued.clock.as_ref()?;
        Some(issued.date_time(context.offset_minutes))
    });
    let mut report = Object::of("DiagnosticReport", &id)
        .list("identifier", identifier)
        .with("status", status(obr).into())
        .list("category", section(obr).into_iter().collect())
        .with("code", code)
        .with("subject", about.subject())
        .maybe("encounter", about.visit());
    if let Some((name, effective)) = effective {
        let span = (name == "effectivePeriod").then(|| period(obr, context)).flatten();
        report = report.with(name, span.unwrap_or(effective));
    }
    let report = report.maybe("issued", issued).list("result", results).done();
    if !making.add(&id, report) {
        obr.leave("the same report stands in the message before; the first one is taken");
    }
}

impl Reading<'_> {
    fn leave(&self, why: &'static str) {
        for segment in [self.obx].iter().chain(&self.continued).chain(&self.notes) {
            segment.leave(why);
        }
    }
}

/// When it was observed (OBR-7): the element of the report, and the time for its results.
fn effective(obr: &Segment<'_>, context: Context<'_>) -> Option<(&'static str, Value)> {
    let begun = obr.part(7).and_then(|part| types::date_time(&part, 1, context))?;
    let name = if period(obr, context).is_some() { "effectivePeriod" } else { "effectiveDateTime" };
    Some((name, begun.into()))
}

/// From OBR-7 to OBR-8, if both are there.
fn period(obr: &Segment<'_>, context: Context<'_>) -> Option<Value> {
    let read = |field: usize| {
        let text = obr.part(field)?.get(1)?;
        super::time::Stamp::read(&text)
    };
    let (start, end) = (read(7)?, obr.part(8).map(|_| read(8))?);
    let period = end.and_then(|end| types::period_of(Some(&start), Some(&end), context)).flatten();
    if period.is_none() {
        obr.leave_field(8, "this is no date that exists, or it is before OBR-7");
    }
    period
}

fn status(obr: &Segment<'_>) -> &'static str {
    let code = obr.get(25);
    let known = code.as_deref().and_then(tables::report_status);
    if code.is_some() && known.is_none() {
        obr.leave_field(25, "this code has no counterpart: the status is given as unknown");
    }
    known.unwrap_or("unknown")
}

/// The section that made it (OBR-24, table 0074).
fn section(obr: &Segment<'_>) -> Option<Value> {
    const SECTIONS: &str = "http://terminology.hl7.org/CodeSystem/v2-0074";
    let code = obr.get(24)?;
    if tables::is_section(&code) {
        return Some(json!({"coding": [{"system": SECTIONS, "code": code}]}));
    }
    types::text(code).map(|text| json!({"text": text}))
}
