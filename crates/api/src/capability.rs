//! The `CapabilityStatement`, written from the tables that dispatch requests and read searches.

use std::{io::Write, sync::OnceLock};

use flate2::{Compression, write::GzEncoder};
use ondol_app::rest;
use ondol_fhir::{ParamKind, ResourceType, compartment::COMPARTMENTS};
use serde_json::{Value, json};

use crate::routes::{Interaction, ROUTES};

/// When what this server can do last changed.
const CHANGED: &str = "2026-03-01";

const SECURITY: &str = "HTTP Basic with an account of the facility, or the token of a session as \
    Bearer. Who may read and write what follows from the relation to the patient; a search shows \
    and counts only what the one who asks may read. Every reading of a chart is recorded.";

const LIMITS: &str = "JSON only; patches are JSON Patch. Not here: XML, FHIRPath Patch, conditional \
    delete of several, _filter, _query, _contained, _type. A search by quantity compares the unit as \
    it is written. The compartments of Patient, Encounter, RelatedPerson, Practitioner and Device \
    are searched.";

/// The `CapabilityStatement` (R4 5.2).
pub fn statement() -> Value {
    let resources: Vec<Value> = ResourceType::ALL
        .iter()
        .copied()
        .filter(|kind| rest::is_served(*kind))
        .map(of_type)
        .collect();
    let of_system = ROUTES.iter().flat_map(|route| route.interaction.system_codes());
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": CHANGED,
        "kind": "instance",
        "software": { "name": "Ondol", "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": "The record of one health facility" },
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "patchFormat": ["application/json-patch+json"],
        "rest": [{
            "mode": "server",
            "documentation": LIMITS,
            "security": {
                "cors": false,
                "service": [{ "coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                    "code": "Basic"
                }] }],
                "description": SECURITY
            },
            "resource": resources,
            "interaction": of_system.map(|code| json!({ "code": code })).collect::<Vec<_>>(),
            "searchParam": rest::COMMON.iter().map(|(name, kind)| json!({
                "name": name,
                "type": kind
            })).collect::<Vec<_>>(),
            "compartment": COMPARTMENTS.iter().map(|kind| {
                let name = kind.name().to_ascii_lowercase();
                format!("http://hl7.org/fhir/CompartmentDefinition/{name}")
            }).collect::<Vec<_>>()
        }]
    })
}

fn of_type(kind: ResourceType) -> Value {
    let mut interactions: Vec<&str> = ROUTES
        .iter()
        .filter(|route| route.interaction.allows(kind))
        .filter_map(|route| route.interaction.type_code())
        .collect();
    interactions.dedup();
    let params = ondol_fhir::params(kind);
    let includes: Vec<String> = params
        .iter()
        .filter(|param| param.kind == ParamKind::Reference)
        .map(|param| format!("{kind}:{}", param.code))
        .collect();
    let includes =
        if includes.is_empty() { includes } else { [vec!["*".to_owned()], includes].concat() };
    let search: Vec<Value> = params
        .iter()
        .map(|param| json!({ "name": param.code, "type": param.kind.code() }))
        .collect();
    let codes: Vec<Value> = interactions.iter().map(|code| json!({ "code": code })).collect();
    let mut resource = json!({
        "type": kind.name(),
        "interaction": codes,
        "versioning": "versioned-update",
        "readHistory": true,
        "updateCreate": rest::is_written(kind),
        "conditionalCreate": rest::is_written(kind),
        "conditionalRead": "full-support",
        "conditionalUpdate": rest::is_written(kind),
        "conditionalDelete": if rest::is_written(kind) { "single" } else { "not-supported" },
        "referencePolicy": ["literal", "logical", "local"],
        "searchParam": search
    });
    if !includes.is_empty() {
        resource["searchInclude"] = includes.into();
    }
    let mut operations = vec![json!({
        "name": "validate",
        "definition": "http://hl7.org/fhir/OperationDefinition/Resource-validate"
    })];
    if Interaction::Latest.allows(kind) {
        operations.push(json!({
            "name": "lastn",
            "definition": "http://hl7.org/fhir/OperationDefinition/Observation-lastn"
        }));
    }
    if Interaction::Everything.allows(kind) {
        operations.push(json!({
            "name": "everything",
            "definition": "http://hl7.org/fhir/OperationDefinition/Patient-everything"
        }));
        operations.push(json!({
            "name": "summary",
            "definition": "http://hl7.org/fhir/uv/ips/OperationDefinition/summary"
        }));
        operations.push(json!({
            "name": "sealed",
            "definition": "urn:ondol:operation:sealed"
        }));
        operations.push(json!({
            "name": "match",
            "definition": "http://hl7.org/fhir/OperationDefinition/Patient-match"
        }));
    }
    operations.extend(of_terminology(kind));
    resource["operation"] = operations.into();
    resource
}

/// The operations of a terminology service (R4 4.6).
fn of_terminology(kind: ResourceType) -> Vec<Value> {
    [
        (Interaction::Expand, "expand"),
        (Interaction::ValidateCode, "validate-code"),
        (Interaction::Lookup, "lookup"),
    ]
    .into_iter()
    .filter(|(interaction, _)| interaction.allows(kind))
    .map(|(_, name)| {
        let definition = format!("http://hl7.org/fhir/OperationDefinition/{kind}-{name}");
        json!({ "name": name, "definition": definition })
    })
    .collect()
}

/// The statement as it is sent: plain, and packed with gzip.
pub(crate) fn bytes() -> &'static (Vec<u8>, Vec<u8>) {
    static BYTES: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
    BYTES.get_or_init(|| {
        let plain = statement().to_string().into_bytes();
        let mut packer = GzEncoder::new(vec![], Compression::best());
        let packed = packer.write_all(&plain).and_then(|()| packer.finish());
        let packed = packed.expect("writing to memory does not fail");
        (plain, packed)
    })
}

#[cfg(test)]
mod tests {
    use ondol_fhir::{Resource, validate};

    use super::*;

    #[test]
    fn the_statement_is_valid_and_small() {
        let resource = Resource::from_json(statement()).unwrap();
        assert_eq!(validate(&resource), []);
        let (plain, packed) = bytes();
        println!("metadata: {} bytes, gzip {}", plain.len(), packed.len());
        assert!(!packed.is_empty() && packed.len() < 30_000);
    }

    #[test]
    fn what_clients_do_not_write_is_not_offered() {
        let statement = statement();
        let resources = statement["rest"][0]["resource"].as_array().unwrap();
        let of = |name: &str| resources.iter().find(|r| r["type"] == name);
        let codes = |name: &str| -> Vec<String> {
            let interactions = of(name).unwrap()["interaction"].as_array().unwrap();
            interactions.iter().map(|i| i["code"].as_str().unwrap().to_owned()).collect()
        };
        assert!(of("Parameters").is_none());
        assert_eq!(
            codes("AuditEvent"),
            ["read", "vread", "history-instance", "history-type", "search-type"]
        );
        assert!(codes("Patient").contains(&"delete".to_owned()));
        assert_eq!(of("Group").unwrap()["operation"].as_array().map(Vec::len), Some(1));
    }
}
