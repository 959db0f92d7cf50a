//! What two people are compared by, in one short word: so that it can be told later whether
//! anything of it has changed.

use super::{number::plain, person::Person};

/// How many characters of the hash are kept: enough for a comparison of two states of one chart.
const LENGTH: usize = 24;

/// A word for all by which a person is told from others. It stands in records.
pub(crate) fn described(person: &Person) -> String {
    let mut hash = blake3::Hasher::new_derive_key("ondol 1 what a person is told apart by");
    let mut put = |text: &str| {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    put(&person.name);
    for name in &person.other_names {
        put(name);
    }
    put(person.sex.map_or("", super::person::Sex::code));
    put(&person.birth.to_fhir().unwrap_or_default());
    for text in [&person.mother, &person.ri, &person.house, &person.phone] {
        put(text);
    }
    for number in &person.numbers {
        put(&number.system);
        put(&plain(&number.value));
    }
    hash.finalize().to_hex()[..LENGTH].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ondol_kernel::ResourceId;
    use serde_json::json;

    #[test]
    fn it_changes_with_what_is_compared_and_with_nothing_else() {
        let of = |more: serde_json::Value| {
            let mut patient = json!({ "name": [{ "text": "리용희" }], "birthDate": "1961" });
            for (name, value) in more.as_object().unwrap() {
                patient[name] = value.clone();
            }
            described(&Person::read(&ResourceId::new("a").unwrap(), &patient, false))
        };
        let known = of(json!({}));
        assert_eq!(known.len(), LENGTH);
        assert_eq!(known, of(json!({ "link": [], "active": true, "deceasedBoolean": true })));
        for changed in [
            json!({ "birthDate": "1962" }),
            json!({ "gender": "female" }),
            json!({ "telecom": [{ "system": "phone", "value": "123" }] }),
            json!({ "identifier": [{ "value": "AB1" }] }),
        ] {
            assert_ne!(known, of(changed.clone()), "{changed}");
        }
    }
}
