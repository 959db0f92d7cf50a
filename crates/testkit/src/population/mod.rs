//! A small made-up village for the demo: households with names as they are written in the north,
//! ages, and some visits of the last weeks. The same seed and day give the same village.

mod names;
mod visits;

use ondol_kernel::Date;
use serde_json::{Value, json};

/// The village. It is made up.
pub const RI: &str = "은정리";

/// Numbers by chance, from a seed (`SplitMix64`, Steele and others 2014).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// Begins with a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A whole number from `from` to below `to`.
    pub const fn from_to(&mut self, from: i64, to: i64) -> i64 {
        from + (self.bits() >> 1).cast_signed() % (to - from)
    }

    /// One of some things.
    pub fn one_of<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        let length = i64::try_from(things.len()).unwrap_or(1);
        &things[usize::try_from(self.from_to(0, length)).unwrap_or(0)]
    }

    /// Whether something happens that happens so often in a hundred.
    pub const fn percent(&mut self, often: i64) -> bool {
        self.from_to(0, 100) < often
    }

    /// A UUID (version 8, as the record's own).
    pub fn uuid(&mut self) -> String {
        let (a, b) = (self.bits(), self.bits());
        format!(
            "{:08x}-{:04x}-8{:03x}-9{:03x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }
}

/// Somebody who lives in the village, as the visits need it.
struct Resident {
    id: String,
    age: i64,
}

/// A village of about `people` residents as transaction bundles, one for each household. Times
/// of visits lie in the sixty days before `today`.
pub fn village(seed: u64, people: usize, today: Date) -> Vec<Value> {
    let mut chance = Chance::new(seed);
    let mut bundles = vec![];
    let mut count = 0;
    while count < people {
        let number = bundles.len() + 1;
        let (bundle, size) = household(&mut chance, number, today);
        count += size;
        bundles.push(bundle);
    }
    bundles
}

fn household(chance: &mut Chance, number: usize, today: Date) -> (Value, usize) {
    let father = chance.from_to(24, 62);
    let mother = father - chance.from_to(0, 5);
    let family = *chance.one_of(names::FAMILIES);
    let maiden = *chance.one_of(names::FAMILIES);
    let mother_name = names::woman(chance, maiden);
    let mut members = vec![
        (names::man(chance, family), "male", father, names::woman(chance, "김")),
        (mother_name.clone(), "female", mother, names::woman(chance, "리")),
    ];
    for age in [mother - 21, mother - 24, mother - 28] {
        if (0..20).contains(&age) && chance.percent(75) {
            let girl = chance.percent(49);
            let name = if girl { names::woman(chance, family) } else { names::man(chance, family) };
            let sex = if girl { "female" } else { "male" };
            members.push((name, sex, age, mother_name.clone()));
        }
    }
    if chance.percent(30) {
        let name = names::old_woman(chance);
        members.push((name, "female", father + chance.from_to(20, 28), String::new()));
    }
    let house = format!("{}인민반 {}호", number % 7 + 1, number);
    let mut entries = vec![];
    for (name, sex, age, mother) in &members {
        let id = chance.uuid();
        let birth = birth_of(chance, *age, today);
        let card = format!("{:06}", chance.from_to(100_000, 999_999));
        entries.push(put(&patient(&id, name, sex, &birth, mother, &house, &card)));
        let resident = Resident { id, age: *age };
        for resource in visits::of(chance, &resident, today) {
            entries.push(put(&resource));
        }
    }
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
    (bundle, members.len())
}

/// The day of birth; old people often know only the year.
fn birth_of(chance: &mut Chance, age: i64, today: Date) -> String {
    let days = today.days() - age * 365 - age / 4 - chance.from_to(1, 360);
    let day = Date::from_days(days).unwrap_or(today);
    if age > 75 { day.year().to_string() } else { day.to_string() }
}

fn patient(
    id: &str,
    name: &str,
    sex: &str,
    birth: &str,
    mother: &str,
    house: &str,
    card: &str,
) -> Value {
    let mut patient = json!({
        "resourceType": "Patient",
        "id": id,
        "identifier": [{
            "system": "urn:ondol:paper-number",
            "type": { "text": "진료카드" },
            "value": card,
        }],
        "active": true,
        "name": [{ "use": "official", "text": name }],
        "gender": sex,
        "birthDate": birth,
        "address": [{ "city": RI, "line": [house] }],
    });
    if !mother.is_empty() {
        patient["extension"] = json!([{
            "url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName",
            "valueString": mother,
        }]);
    }
    patient
}

fn put(resource: &Value) -> Value {
    let kind = resource["resourceType"].as_str().unwrap_or_default();
    let id = resource["id"].as_str().unwrap_or_default();
    json!({ "resource": resource, "request": { "method": "PUT", "url": format!("{kind}/{id}") } })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all(seed: u64) -> Vec<Value> {
        village(seed, 120, Date::parse("2026-03-02").unwrap())
    }

    fn resources(bundles: &[Value]) -> Vec<&Value> {
        let entries = bundles.iter().flat_map(|bundle| bundle["entry"].as_array().unwrap());
        entries.map(|entry| &entry["resource"]).collect()
    }

    #[test]
    fn a_village_is_the_same_each_time_and_has_people_of_all_ages_and_visits() {
        assert_eq!(all(1), all(1));
        assert_ne!(all(1), all(2));
        let bundles = all(1);
        let resources = resources(&bundles);
        let of = |kind: &str| resources.iter().filter(|r| r["resourceType"] == kind).count();
        assert!((120..130).contains(&of("Patient")), "{}", of("Patient"));
        assert!(of("Encounter") > 40, "{}", of("Encounter"));
        assert!(of("Observation") > of("Encounter"));
        let years: BTreeSet<&str> =
            resources.iter().filter_map(|r| r["birthDate"].as_str()?.get(..3)).collect();
        assert!(years.len() >= 7, "{years:?}");
        let ids: BTreeSet<&str> = resources.iter().filter_map(|r| r["id"].as_str()).collect();
        assert_eq!(ids.len(), resources.len());
    }

    #[test]
    fn every_code_of_the_village_is_in_our_tables_and_no_sign_is_impossible() {
        let bundles = all(3);
        for resource in resources(&bundles) {
            let code = &resource["code"]["coding"][0]["code"];
            match resource["resourceType"].as_str().unwrap() {
                "Condition" => {
                    assert!(ondol_terms::diagnosis(code.as_str().unwrap()).is_some(), "{code}");
                }
                "MedicationRequest" => {
                    let atc = &resource["medicationCodeableConcept"]["coding"][0]["code"];
                    assert!(ondol_terms::medicine(atc.as_str().unwrap()).is_some(), "{atc}");
                }
                "Observation" if resource["valueQuantity"].is_object() => {
                    let vital = ondol_terms::vital_by_loinc(code.as_str().unwrap()).unwrap();
                    let value = resource["valueQuantity"]["value"].to_string().parse().unwrap();
                    assert!(vital.measure.unwrap().holds(value), "{resource}");
                }
                _ => {}
            }
        }
    }

    #[test]
    fn every_resource_of_the_village_is_valid_r4() {
        let bundles = all(5);
        for resource in resources(&bundles) {
            let issues = ondol_fhir::validate_body(resource.as_object().unwrap());
            assert!(issues.is_empty(), "{issues:?} in {resource}");
        }
    }
}
