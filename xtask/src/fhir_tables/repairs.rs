//! The archive of definitions is R4 4.0.1 with additions of whoever packed it and backports
//! from R5. These repairs undo them, so that the tables say what R4 4.0.1 says. They were found
//! by comparing every element, type, binding and top-level reference target with the models of
//! two other libraries that were made from HL7's own files (`fhirclient` from `PyPI`, and `fhir`
//! from npm).

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{Definitions, list, text};

/// Elements, with everything below them, that R4 4.0.1 does not have.
const NOT_IN_R4: &[&str] = &[
    "Binary.url",
    "DeviceDefinition.bodySite",
    "DeviceDefinition.classification",
    "EvidenceVariable.characteristic.definition[x]",
    "EvidenceVariable.characteristic.definitionByCombination",
    "EvidenceVariable.characteristic.definitionByTypeAndValue",
    "EvidenceVariable.characteristic.definitionCanonical",
    "EvidenceVariable.characteristic.definitionCodeableConcept",
    "EvidenceVariable.characteristic.definitionExpression",
    "EvidenceVariable.characteristic.definitionId",
    "EvidenceVariable.characteristic.definitionReference",
    "EvidenceVariable.characteristic.duration[x]",
    "EvidenceVariable.characteristic.instances[x]",
    "EvidenceVariable.characteristic.linkId",
    "EvidenceVariable.characteristic.note",
    "EvidenceVariable.characteristic.timeFromEvent",
    "Meta.account",
    "Meta.accounts",
    "Meta.author",
    "Meta.compartment",
    "Meta.onBehalfOf",
    "Meta.project",
    "ObservationDefinition.publisher",
    "ResearchStudy.associatedParty",
    "ResearchStudy.classifier",
    "ResearchStudy.comparisonGroup",
    "ResearchStudy.descriptionSummary",
    "ResearchStudy.label",
    "ResearchStudy.name",
    "ResearchStudy.objective.description",
    "ResearchStudy.outcomeMeasure",
    "ResearchStudy.progressStatus",
    "ResearchStudy.recruitment",
    "ResearchStudy.region",
    "ResearchStudy.result",
    "ResearchStudy.studyDesign",
    "ResearchStudy.whyStopped",
];

/// Reference targets that R4 4.0.1 does not have there: (element, targets).
const NOT_TARGETS: &[(&str, &[&str])] = &[
    ("AuditEvent.source.observer", &["Subscription"]),
    ("MeasureReport.subject", &["CareTeam", "HealthcareService", "Organization"]),
    ("ResearchStudy.site", &["Organization", "ResearchStudy"]),
];

/// Types of R4B and later.
const NOT_TYPES: &[&str] = &["SubscriptionStatus", "MetadataResource"];

pub(super) fn apply(definitions: &mut Definitions) -> Result<()> {
    for name in NOT_TYPES {
        definitions.types.remove(*name);
    }
    for definition in definitions.types.values_mut() {
        let elements = definition["snapshot"]["element"].as_array_mut().context("elements")?;
        elements.retain(|element| !is_dropped(text(&element["path"])));
        for element in elements {
            repair(element);
        }
    }
    let evidence = definitions.types.get_mut("EvidenceVariable").context("EvidenceVariable")?;
    let elements = evidence["snapshot"]["element"].as_array_mut().context("elements")?;
    elements.extend(characteristic());
    // DeviceDefinition-classification and the like: parameters of a later version.
    definitions.search_parameters.retain(|parameter| parameter["version"] == "4.0.1");
    Ok(())
}

fn is_dropped(path: &str) -> bool {
    NOT_IN_R4.iter().any(|dropped| {
        path.strip_prefix(dropped).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn repair(element: &mut Value) {
    let path = text(&element["path"]).to_owned();
    if path == "EvidenceVariable.characteristic" {
        element["min"] = json!(1);
        // evv-1 is about elements of R5.
        element["constraint"] = json!([]);
    }
    if path == "EvidenceVariable.characteristic.description" {
        element["type"] = json!([{ "code": "string" }]);
    }
    if path == "Bundle.entry.response.outcome" {
        element["type"] = json!([{ "code": "Resource" }]);
    }
    // R4 4.0.1 binds it to observation-status; the narrower set is R5's.
    if path == "DetectedIssue.status" {
        element["binding"]["valueSet"] = json!("http://hl7.org/fhir/ValueSet/observation-status");
    }
    let Some((_, dropped)) = NOT_TARGETS.iter().find(|(at, _)| *at == path) else { return };
    for kind in element["type"].as_array_mut().into_iter().flatten() {
        let kept: Vec<Value> = list(&kind["targetProfile"])
            .iter()
            .filter(|target| !dropped.contains(&super::tail(text(target))))
            .cloned()
            .collect();
        kind["targetProfile"] = Value::Array(kept);
    }
}

/// `EvidenceVariable.characteristic` as R4 4.0.1 has it.
fn characteristic() -> Vec<Value> {
    let target = |name: &str| format!("http://hl7.org/fhir/StructureDefinition/{name}");
    let element = |name: &str, min: u8, max: &str, types: Value| {
        let path = format!("EvidenceVariable.characteristic.{name}");
        json!({
            "path": path, "min": min, "max": max, "type": types,
            "base": { "path": path, "min": min, "max": max },
        })
    };
    let mut measure = element("groupMeasure", 0, "1", json!([{ "code": "code" }]));
    measure["binding"] = json!({
        "strength": "required",
        "valueSet": "http://hl7.org/fhir/ValueSet/group-measure",
    });
    vec![
        element(
            "definition[x]",
            1,
            "1",
            json!([
                { "code": "Reference", "targetProfile": [target("Group")] },
                { "code": "canonical" },
                { "code": "CodeableConcept" },
                { "code": "Expression" },
                { "code": "DataRequirement" },
                { "code": "TriggerDefinition" },
            ]),
        ),
        element("usageContext", 0, "*", json!([{ "code": "UsageContext" }])),
        element(
            "participantEffective[x]",
            0,
            "1",
            json!([
                { "code": "dateTime" },
                { "code": "Period" },
                { "code": "Duration" },
                { "code": "Timing" },
            ]),
        ),
        element("timeFromStart", 0, "1", json!([{ "code": "Duration" }])),
        measure,
    ]
}
