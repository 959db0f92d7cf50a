//! What a number looked like when it was written is what it looks like for everybody, for ever:
//! its digits say how exactly it was measured (FHIR R4, 2.24.0.1).

use ondol_fhir::{Limits, parse_json};
use ondol_kernel::{Class, ResourceId};
use ondol_record::Entry;
use ondol_replicate::{Parcel, columns::Between, message::Message};
use ondol_store::View;
use proptest::prelude::*;
use serde_json::json;
use support::Country;

use crate::support;

/// Every form of a number that JSON knows (RFC 8259, section 6).
const NUMBER: &str = "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?([eE][+-]?[0-9]{1,4})?";

fn observation(numbers: &[String]) -> String {
    let parts: Vec<String> = numbers
        .iter()
        .map(|number| format!(r#"{{"code":{{"text":"x"}},"valueQuantity":{{"value":{number}}}}}"#))
        .collect();
    let parts = parts.join(",");
    format!(
        r#""status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/p1"}},"component":[{parts}]"#
    )
}

/// The text of an Observation as a node shows it, from `status` on.
fn shown(view: &dyn View, id: &str) -> String {
    let found = view.resource("Observation", &ResourceId::new(id).unwrap()).unwrap().unwrap();
    let text = found.shown.json().unwrap();
    let from = text.find(r#""status""#).unwrap();
    text[from..text.len() - 1].to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]
    #[test]
    fn every_number_of_json_survives_writing_parcels_and_reading(
        numbers in prop::collection::vec(NUMBER, 40..120),
    ) {
        let country = Country::new();
        let (clinic, county) = (country.clinic(), country.county());
        clinic.put("p1", json!({"resourceType": "Patient", "managingOrganization":
            {"reference": clinic.app.place().organization()}}));
        let text = observation(&numbers);
        let whole = format!(r#"{{"resourceType":"Observation",{text}}}"#);
        let resource = parse_json(whole.as_bytes(), Limits::RESOURCE).unwrap();
        let entries = clinic.put("o1", resource);
        for entry in &entries {
            let bytes = entry.to_bytes();
            prop_assert_eq!(&Entry::from_bytes(&bytes).unwrap(), entry);
        }
        prop_assert_eq!(shown(&*clinic.store().read().unwrap(), "o1"), text.clone());

        let sent = clinic.app.outgoing(county.seat.node(), Class::Routine, 100).unwrap();
        let mut travelled = vec![];
        for message in &sent {
            if let Ok(Message::Parcel(parcel)) = Message::decode(&message.bytes) {
                let ends = Between([clinic.seat.node(), county.seat.node()]);
                let parcel = Parcel::decode_with(&parcel, &ends).unwrap();
                travelled.extend(parcel.batches.into_iter().flat_map(|batch| batch.entries));
            }
        }
        prop_assert!(entries.iter().all(|entry| travelled.contains(entry)));
        country.carry();
        prop_assert_eq!(shown(&*county.store().read().unwrap(), "o1"), text.clone());
        prop_assert_eq!(shown(&*country.province().store().read().unwrap(), "o1"), text);
    }
}
