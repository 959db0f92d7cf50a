//! Visits to the clinic in the last weeks. They look like visits; they advise nothing, and no
//! dose stands in them.

use ondol_kernel::{DAY_MS, Date, Millis};
use serde_json::{Value, json};

use super::{Chance, Resident};

const LOINC: &str = "http://loinc.org";
/// Korea's time, minutes east of UTC.
const OFFSET_MINUTES: i32 = 540;
const MINUTE_MS: i64 = 60_000;

/// Why somebody comes.
struct Reason {
    /// Completed years, from and to.
    ages: (i64, i64),
    complaint: &'static str,
    icd10: &'static str,
    /// Tenths of a degree above 36.5 °C at the most.
    fever: i64,
    /// Whether blood pressure is taken, and around which upper value.
    pressure: Option<i64>,
    atc: &'static str,
    medicine: &'static str,
}

const fn reason(
    ages: (i64, i64),
    complaint: &'static str,
    icd10: &'static str,
    fever: i64,
    pressure: Option<i64>,
    (atc, medicine): (&'static str, &'static str),
) -> Reason {
    Reason { ages, complaint, icd10, fever, pressure, atc, medicine }
}

const REASONS: &[Reason] = &[
    reason((0, 90), "기침이 나고 열이 남", "J06.9", 22, None, ("N02BE01", "파라세타몰")),
    reason((1, 15), "목이 아프고 열이 남", "J03.9", 24, None, ("J01CA04", "아목시실린")),
    reason((0, 10), "설사를 자주 함", "A09.9", 12, None, ("A07CA", "먹는 보액염")),
    reason((0, 70), "살갗이 가렵고 붉음", "L30.9", 2, None, ("R06AB04", "클로르페니라민")),
    reason((35, 90), "머리가 무겁고 어지러움", "I10", 3, Some(158), ("C09AA02", "에날라프릴")),
    reason((30, 90), "허리가 아픔", "M54.5", 2, Some(128), ("M01AE01", "이부프로펜")),
    reason((45, 90), "무릎이 아파 걷기 힘듦", "M17.9", 2, Some(134), ("M01AE01", "이부프로펜")),
    reason((20, 80), "명치가 쓰리고 아픔", "K29.5", 3, Some(118), ("A02BA02", "라니티딘")),
    reason((15, 50), "쉽게 피곤하고 얼굴이 창백함", "D50.9", 2, Some(108), ("B03AA07", "류산철")),
];

/// The visits of somebody, as resources.
pub(super) fn of(chance: &mut Chance, who: &Resident, today: Date) -> Vec<Value> {
    let mut all = vec![];
    let fitting: Vec<&Reason> =
        REASONS.iter().filter(|r| (r.ages.0..=r.ages.1).contains(&who.age)).collect();
    let often = if who.age < 6 || who.age > 55 { 70 } else { 35 };
    if fitting.is_empty() || !chance.percent(often) {
        return all;
    }
    let reason = *chance.one_of(&fitting);
    let days = today.days() - chance.from_to(2, 60);
    let minute = chance.from_to(8 * 60, 17 * 60) - i64::from(OFFSET_MINUTES);
    let at = Millis(days * DAY_MS + minute * MINUTE_MS).to_fhir(OFFSET_MINUTES);
    let subject = json!({ "reference": format!("Patient/{}", who.id) });
    let encounter_id = chance.uuid();
    let encounter = json!({ "reference": format!("Encounter/{encounter_id}") });
    all.push(json!({
        "resourceType": "Encounter", "id": encounter_id, "status": "finished",
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB",
        },
        "subject": subject, "period": { "start": at, "end": at },
        "reasonCode": [{ "text": reason.complaint }],
    }));
    let around = json!({
        "status": "final",
        "category": [{ "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "vital-signs",
        }] }],
        "subject": subject, "encounter": encounter, "effectiveDateTime": at,
    });
    all.extend(signs(chance, who, reason, &around));
    all.push(json!({
        "resourceType": "Condition", "id": chance.uuid(),
        "clinicalStatus": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active",
        }] },
        "category": [{ "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/condition-category",
            "code": "encounter-diagnosis",
        }] }],
        "code": { "coding": [{
            "system": "http://hl7.org/fhir/sid/icd-10", "code": reason.icd10,
        }] },
        "subject": subject, "encounter": encounter, "recordedDate": at,
    }));
    all.push(json!({
        "resourceType": "MedicationRequest", "id": chance.uuid(), "status": "completed",
        "intent": "order",
        "medicationCodeableConcept": {
            "coding": [{ "system": "http://www.whocc.no/atc", "code": reason.atc }],
            "text": reason.medicine,
        },
        "subject": subject, "encounter": encounter, "authoredOn": at,
    }));
    all
}

fn signs(chance: &mut Chance, who: &Resident, reason: &Reason, around: &Value) -> Vec<Value> {
    let tenths = 365 + chance.from_to(0, reason.fever + 1);
    let pulse = match who.age {
        0..=2 => chance.from_to(105, 135),
        3..=10 => chance.from_to(85, 110),
        _ => chance.from_to(64, 90),
    };
    let temperature = format!("{}.{}", tenths / 10, tenths % 10);
    let mut all = vec![
        sign(chance, around, "8310-5", &temperature, "Cel"),
        sign(chance, around, "8867-4", &pulse.to_string(), "/min"),
    ];
    if let Some(around_upper) = reason.pressure {
        let upper = around_upper + chance.from_to(-8, 9);
        let lower = upper * 6 / 10 + chance.from_to(-4, 5);
        let part = |code: &str, value: i64| {
            json!({
                "code": { "coding": [{ "system": LOINC, "code": code }] },
                "valueQuantity": quantity(&value.to_string(), "mm[Hg]"),
            })
        };
        let mut panel = observation(chance, around, "85354-9");
        panel["component"] = json!([part("8480-6", upper), part("8462-4", lower)]);
        all.push(panel);
    }
    all
}

fn sign(chance: &mut Chance, around: &Value, code: &str, value: &str, unit: &str) -> Value {
    let mut sign = observation(chance, around, code);
    sign["valueQuantity"] = quantity(value, unit);
    sign
}

fn observation(chance: &mut Chance, around: &Value, code: &str) -> Value {
    let mut observation = json!({ "resourceType": "Observation", "id": chance.uuid() });
    for (name, value) in around.as_object().into_iter().flatten() {
        observation[name] = value.clone();
    }
    observation["code"] = json!({ "coding": [{ "system": LOINC, "code": code }] });
    observation
}

/// A quantity whose digits stay as they are written.
fn quantity(value: &str, unit: &str) -> Value {
    let number: Value = serde_json::from_str(value).unwrap_or(Value::Null);
    json!({ "value": number, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit })
}
