//! HL7's 2,906 examples of R4, Synthea's bundles and the clinic days: round trip and validation.

mod shared_data;

use std::collections::{BTreeMap, BTreeSet};

use ondol_fhir::{
    Limits, Resource, extract,
    fhirpath::{Environment, FhirPath, Item},
    parse_json, validate,
};

const EXAMPLES: &str = "fhir_r4_examples.tar.gz";

fn resource(name: &str, bytes: &[u8]) -> Resource {
    Resource::parse_within(bytes, Limits::IMPORT).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn every_example_survives_a_round_trip() {
    let Some(files) = examples() else { return };
    for (name, bytes) in files {
        let resource = resource(&name, &bytes);
        let written = resource.to_bytes();
        assert_eq!(written, squeeze(&bytes), "{name}");
        assert_eq!(parse_json(&written, Limits::IMPORT).unwrap(), resource.into_json(), "{name}");
    }
}

/// HL7's examples that are resources.
fn examples() -> Option<Vec<(String, Vec<u8>)>> {
    let mut files = shared_data::archive(EXAMPLES)?;
    assert_eq!(files.len(), 2_906);
    // The manifest of an npm package.
    files.retain(|(name, _)| name != "package-min-ver.json");
    Some(files)
}

/// The document with the white space between its tokens and its optional escapes taken out, by
/// other means than the parser's, so that order and the text of decimals are compared.
fn squeeze(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut in_string = false;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        at += 1;
        if byte == b'\\' {
            match (bytes[at], bytes.get(at + 1..at + 5)) {
                (b'/', _) => out.push(b'/'),
                (b'u', Some(digits)) => {
                    let code = u32::from_str_radix(std::str::from_utf8(digits).unwrap(), 16);
                    let mut utf8 = [0; 4];
                    let text = char::from_u32(code.unwrap()).unwrap().encode_utf8(&mut utf8);
                    match &*text {
                        "\n" => out.extend_from_slice(b"\\n"),
                        "\"" => out.extend_from_slice(b"\\\""),
                        text => out.extend_from_slice(text.as_bytes()),
                    }
                    at += 4;
                }
                (escaped, _) => out.extend_from_slice(&[b'\\', escaped]),
            }
            at += 1;
            continue;
        }
        in_string ^= byte == b'"';
        if in_string || !byte.is_ascii_whitespace() {
            out.push(byte);
        }
    }
    out
}

/// What the examples really do wrong: (issue, location without indexes, files, why).
const VIOLATIONS: &[(&str, &str, usize, &str)] = &[
    (
        "element-missing",
        "Questionnaire.item…linkId",
        187,
        "the questionnaires that HL7 generated from the structure definitions leave out the \
         linkId of groups, which is 1..1",
    ),
    ("too-many-issues", "Questionnaire", 1, "one of them leaves out more than 500"),
    ("error que-1", "Questionnaire.item…", 33, "they have groups without items"),
    ("error que-2", "Questionnaire", 117, "and the same linkId several times (value[x]._null)"),
    (
        "error sdf-4",
        "StructureDefinition",
        4,
        "the logical models of the patterns are neither abstract nor have a base",
    ),
    ("error txt-2", "ActivityDefinition.text.div", 2, "a div with nothing in it"),
    ("error txt-2", "EventDefinition.text.div", 1, "the same"),
    ("error txt-2", "Questionnaire.text.div", 1, "the same"),
    ("warning csd-0", "CodeSystem", 13, "names with hyphens or in small letters"),
    ("warning nsd-0", "Bundle.entry.resource", 1, "the same"),
    ("warning pdf-0", "PlanDefinition", 6, "the same"),
    ("warning sdf-0", "Bundle.entry.resource", 1, "the same"),
    ("warning sdf-0", "StructureDefinition", 188, "the same"),
    ("warning spd-0", "Bundle.entry.resource", 1, "the same"),
    ("warning spd-0", "SearchParameter", 19, "the same"),
    ("warning tst-0", "TestScript", 1, "the same"),
    ("warning vsd-0", "ValueSet", 12, "the same"),
    ("too-many-issues", "Bundle", 2, "more than 100 warnings of that kind"),
    (
        "element-missing",
        "SearchParameter.base",
        10,
        "the search parameters for extensions leave out the mandatory base",
    ),
    ("format", "SearchParameter.id", 1, "an id of 67 characters"),
    ("reference-target", "DeviceMetric.parent", 1, "leads to a DeviceDefinition"),
    ("reference-target", "DeviceUseStatement.reasonReference", 1, "leads to a Procedure"),
    ("reference-target", "MedicationRequest.dispenseRequest.performer", 1, "to a Practitioner"),
    ("reference-target", "Observation.performer", 1, "leads to an Encounter"),
];

#[test]
fn the_examples_are_valid_but_for_their_own_mistakes() {
    let Some(files) = examples() else { return };
    let mut classes: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for (name, bytes) in &files {
        for issue in validate(&resource(name, bytes)) {
            let mut place = issue.location.replace(|c: char| "[]0123456789".contains(c), "");
            if place.starts_with("Questionnaire.item.") && place.ends_with(".linkId") {
                "Questionnaire.item…linkId".clone_into(&mut place);
            }
            if place.starts_with("Questionnaire.item.item") && place.ends_with("item") {
                "Questionnaire.item…".clone_into(&mut place);
            }
            // An invariant is named by its key.
            let code = match issue.diagnostics.split_once(": ") {
                Some((key, _)) if issue.code.code().starts_with("invariant") => {
                    format!("{} {key}", issue.severity.code())
                }
                _ => issue.code.code().to_owned(),
            };
            let class = (code, place);
            classes.entry(class).or_default().insert(name.clone());
        }
    }
    let found: BTreeMap<_, _> = classes.iter().map(|(class, names)| (class, names.len())).collect();
    let known: Vec<_> = VIOLATIONS
        .iter()
        .map(|(code, place, files, _)| (((*code).to_owned(), (*place).to_owned()), *files))
        .collect();
    let known: BTreeMap<_, _> = known.iter().map(|(class, files)| (class, *files)).collect();
    for (class, count) in &found {
        if known.get(class) != Some(count) {
            println!("{class:?} {count} {:?}", classes[class].iter().take(3).collect::<Vec<_>>());
        }
    }
    assert_eq!(found, known);
}

#[test]
fn the_pass_for_contained_resources_agrees_with_the_published_expression() {
    let Some(files) = examples() else { return };
    // dom-3, with `ofType` where it says `as` of many items, which FHIRPath refuses.
    let path = FhirPath::compile(
        "contained.where((('#'+id in (%resource.descendants().reference | \
         %resource.descendants().ofType(canonical) | %resource.descendants().ofType(uri) | \
         %resource.descendants().ofType(url))) or descendants().where(reference = '#').exists() \
         or descendants().where(ofType(canonical) = '#').exists()).not()).empty()",
    )
    .unwrap();
    let agree = |resource: &Resource| {
        let by_hand = validate(resource).iter().all(|i| !i.diagnostics.starts_with("dom-3: "));
        let environment = Environment { steps: u32::MAX, ..Environment::plain() };
        let value = path.evaluate(resource.body(), &environment).unwrap();
        let published = matches!(value.as_slice(), [Item::Boolean(true)]);
        assert_eq!(by_hand, published, "{}", resource.id().unwrap_or("?"));
        by_hand
    };
    let (mut sound, mut broken) = (0, 0);
    for (name, bytes) in &files {
        let mut resource = resource(name, bytes);
        if resource.get("contained").is_empty() || bytes.len() > 200_000 {
            continue;
        }
        sound += u32::from(agree(&resource));
        // Nobody refers to it by its new name.
        resource.edit(|body| body["contained"][0]["id"] = "unheard-of".into());
        broken += u32::from(!agree(&resource));
    }
    assert!(sound >= 90 && broken >= 90, "{sound} {broken}");
}

#[test]
fn synthetic_patients_of_another_project_are_valid() {
    let Some(files) = shared_data::archive("synthea_r4.tar.gz") else { return };
    assert!(files.len() >= 80);
    for (name, bytes) in &files {
        let bundle = resource(name, bytes);
        assert_eq!(validate(&bundle), [], "{name}");
        assert_eq!(resource(name, &bundle.to_bytes()), bundle, "{name}");
    }
}

#[test]
fn five_days_of_four_clinics_are_valid_and_survive_a_round_trip() {
    let mut count = 0;
    for clinic in 1..=4 {
        let name = format!("clinic_days/clinic_{clinic}_population.json");
        let Some(path) = shared_data::find(&name) else { return };
        let population = std::fs::read(path).unwrap();
        let name = format!("clinic_days/clinic_{clinic}_encounters.ndjson.gz");
        let Some(path) = shared_data::find(&name) else { return };
        let days = shared_data::gunzip(&path);
        let lines = days.split(|&b| b == b'\n').filter(|line| !line.is_empty());
        for bytes in lines.chain([population.as_slice()]) {
            let resource = resource(&name, bytes);
            assert_eq!(validate(&resource), [], "{name}");
            assert_eq!(Resource::parse(&resource.to_bytes()).unwrap(), resource);
            count += 1;
        }
    }
    assert_eq!(count, 4 * 301);
}

#[test]
fn search_parameters_find_their_values_in_the_examples() {
    let Some(files) = examples() else { return };
    let (mut found, mut values) = (BTreeSet::new(), 0u32);
    for (name, bytes) in &files {
        let resource = resource(name, bytes);
        extract(&resource, 0, |param, _| {
            found.insert((resource.resource_type(), param.code));
            values += 1;
        });
    }
    // Where a value is found was compared once with fhirpath.js on all examples below 60 kB:
    // beyond it there are only references to contained resources, concepts without a code,
    // references that are a display alone, and dates in words.
    println!("{} parameters, {values} values", found.len());
    assert_eq!(found.len(), 1_575);
}
