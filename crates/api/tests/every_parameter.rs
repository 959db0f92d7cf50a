//! Every search parameter of R4 for every type, asked of the specification's own examples with
//! their own values and with ones that nobody has: what the server finds is what evaluating HL7's
//! expression over every document finds.

use std::collections::{BTreeMap, BTreeSet};

use brute::{Parameter, Values, archive, made, parameters, questions};
use door::Door;
use ondol_access::Role;
use ondol_app::{AppError, rest};
use ondol_fhir::{Resource, ResourceType};
use ondol_kernel::{Class, ResourceId};
use ondol_record::{ChartId, Draft, DraftChange, DraftId, draft::DraftContent};
use serde_json::{Value, json};

use crate::{brute, door};

/// Examples of one type at most, and the largest of them, bytes of JSON.
const OF_A_TYPE: usize = 12;
const LARGEST: usize = 100_000;

/// Puts resources into the chart of somebody at home here, past all checks.
fn put(door: &Door, resources: &[(ResourceType, String, Value)]) {
    door.facility.put(
        "everybody",
        json!({ "resourceType": "Patient",
            "managingOrganization": { "reference": "Organization/clinic" } }),
    );
    let chart = ChartId::Patient(ResourceId::new("everybody").unwrap());
    for some in resources.chunks(100) {
        let changes = some
            .iter()
            .map(|(kind, id, body)| DraftChange {
                resource_type: kind.name().into(),
                id: DraftId::Given(ResourceId::new(id).unwrap()),
                supersedes: vec![],
                chart: Some(chart.clone()),
                content: DraftContent::Put(body.clone()),
            })
            .collect();
        let draft = Draft {
            class: Class::Routine,
            care_time: None,
            author: "".into(),
            typist: "".into(),
            changes,
        };
        let app = door.facility.app.clone();
        ondol_store::transact(door.facility.store(), move |tx| -> Result<_, AppError> {
            Ok(tx.append(draft, app.now(), false)?)
        })
        .unwrap();
    }
}

/// Examples and made resources, without what only a server writes.
fn resources() -> Option<Vec<(ResourceType, String, Value)>> {
    let files = archive("fhir_r4_examples.tar.gz", |name| name != "package-min-ver.json")?;
    let mut count = BTreeMap::<ResourceType, usize>::new();
    let mut ids = BTreeSet::new();
    let mut found = vec![];
    let made = made();
    let by_hand = made.len();
    for (at, value) in made.into_iter().chain(files.into_values()).enumerate() {
        let Ok(mut resource) = Resource::from_json(value) else { continue };
        let kind = resource.resource_type();
        let count = count.entry(kind).or_default();
        if !rest::is_served(kind)
            || resource.to_string().len() > LARGEST
            || (at >= by_hand && *count == OF_A_TYPE)
        {
            continue;
        }
        let id = resource.remove_id().unwrap_or_default();
        if ResourceId::new(&id).is_err() || !ids.insert((kind, id.clone())) {
            continue;
        }
        *count += usize::from(at >= by_hand);
        resource.strip_server_meta();
        found.push((kind, id, resource.into_json()));
    }
    Some(found)
}

#[tokio::test]
async fn every_parameter_finds_what_its_expression_finds() {
    let (Some(resources), Some(parameters)) = (resources(), parameters()) else { return };
    let door = Door::new();
    door.person("all", &[Role::Doctor, Role::FacilityManager]);
    put(&door, &resources);
    let (mut asked, mut hits, mut wrong) = (0, 0, vec![]);
    let mut known: BTreeMap<bool, BTreeSet<String>> = BTreeMap::new();
    for &kind in ResourceType::ALL.iter().filter(|kind| rest::is_served(**kind)) {
        let page = door.get_as("all", &format!("/{kind}?_count=1000")).await.expect(200);
        let entries = page["entry"].as_array().cloned().unwrap_or_default();
        let seen: Vec<Value> = entries.into_iter().map(|mut e| e["resource"].take()).collect();
        let is_of = |parameter: &&Parameter| {
            // What every type has is asked of one.
            parameter.base == kind.name()
                || (parameter.base == "Resource" && kind == ResourceType::Basic)
        };
        for parameter in parameters.iter().filter(is_of) {
            let mut has_match = false;
            let values: Vec<Values> = seen.iter().map(|one| parameter.values(one)).collect();
            for question in questions(parameter, &values) {
                let expected: BTreeSet<String> = seen
                    .iter()
                    .zip(&values)
                    .filter(|(_, values)| (question.finds)(values))
                    .map(|(resource, _)| resource["id"].as_str().unwrap().to_owned())
                    .collect();
                let path = format!("/{kind}?{}&_count=1000", question.query);
                let reply = door.get_as("all", &path).await;
                asked += 1;
                hits += expected.len();
                if reply.status != 200 {
                    wrong.push(format!("{path}: {}", reply.text()));
                    continue;
                }
                let found: BTreeSet<String> = door::ids(&reply.json()).into_iter().collect();
                has_match |= !found.is_empty() && !question.query.contains(":missing");
                if found != expected {
                    let less: Vec<_> = expected.difference(&found).take(3).collect();
                    let more: Vec<_> = found.difference(&expected).take(3).collect();
                    wrong.push(format!("{path}: missing {less:?}, too many {more:?}"));
                }
            }
            known.entry(has_match).or_default().insert(format!("{kind}.{}", parameter.code));
        }
    }
    let (found, nothing) =
        (known.remove(&true).unwrap_or_default(), known.remove(&false).unwrap_or_default());
    println!("{asked} questions with {hits} answers about {} parameters", found.len());
    println!("no resource has a value for {} more: {nothing:?}", nothing.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(nothing.is_empty(), "parameters without a match");
}
