//! What the test bodies act with: nodes, resources, drafts, and a picture of a whole store.

use std::collections::BTreeSet;

use ondol_kernel::{Class, Millis, NodeId, ResourceId};
use ondol_record::{ChartId, Draft, DraftChange, DraftId, Entry, VersionId, draft::DraftContent};
use serde_json::{Value, json};

use super::Opened;
use crate::{
    AppendError, Filter, Found, Identity, Ingested, Order, Query, Store, StoreError, Test, View,
    transact,
};

/// The time at which the tests' clocks stand.
pub const NOW: Millis = Millis(1_770_000_000_000);

/// Opens an empty store.
pub type Open<'a> = &'a dyn Fn() -> Opened;

/// An id.
pub fn id(text: &str) -> ResourceId {
    ResourceId::new(text).expect("the tests' ids are FHIR ids")
}

/// A UUID of one number.
pub fn uuid(number: u8) -> ResourceId {
    ResourceId::from_uuid([number; 16])
}

/// The identity of a node by a number.
pub fn identity(node: u8) -> Identity {
    let facility = id(&format!("facility-{node}"));
    Identity { node: NodeId([node; 16]), incarnation: 0, facility }
}

/// An empty store that belongs to a node.
pub fn node(open: Open<'_>, number: u8) -> Opened {
    let opened = open();
    act(&opened, move |tx| tx.set_identity(&identity(number))).expect("an empty store takes it");
    opened
}

/// Runs a job.
pub fn act<T: Send + 'static>(
    opened: &Opened,
    job: impl FnOnce(&mut dyn crate::WriteTx) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    transact(&*opened.store, job)
}

/// A view of now.
pub fn see(opened: &Opened) -> Box<dyn View + '_> {
    opened.store.read().expect("a store can be read")
}

/// Saves a resource with a given id and the heads it replaces.
pub fn put(resource: &Value, supersedes: &[VersionId]) -> DraftChange {
    DraftChange {
        resource_type: resource["resourceType"].as_str().expect("a type").into(),
        id: DraftId::Given(id(resource["id"].as_str().expect("an id"))),
        supersedes: supersedes.to_vec(),
        chart: None,
        content: DraftContent::Put(resource.clone()),
    }
}

/// Another change of an existing resource in a chart.
pub fn change(
    resource_type: &str,
    of: &ResourceId,
    chart: ChartId,
    supersedes: &[VersionId],
    content: DraftContent,
) -> DraftChange {
    DraftChange {
        resource_type: resource_type.into(),
        id: DraftId::Given(of.clone()),
        supersedes: supersedes.to_vec(),
        chart: Some(chart),
        content,
    }
}

/// A draft of routine changes.
pub fn draft(changes: Vec<DraftChange>) -> Draft {
    Draft {
        class: Class::Routine,
        care_time: None,
        author: "Practitioner/author".into(),
        typist: "".into(),
        changes,
    }
}

/// Appends changes at a time.
pub fn append_at(
    opened: &Opened,
    changes: Vec<DraftChange>,
    wall: Millis,
) -> Result<Vec<Entry>, AppendError> {
    transact(&*opened.store, move |tx| tx.append(draft(changes), wall, false))
}

/// Appends changes that must be taken.
pub fn append(opened: &Opened, changes: Vec<DraftChange>) -> Vec<Entry> {
    append_at(opened, changes, NOW).expect("the draft is sound")
}

/// Takes an entry in.
pub fn ingest(opened: &Opened, entry: &Entry) -> Ingested {
    let entry = entry.clone();
    act(opened, move |tx| tx.ingest(&entry, &entry.to_bytes(), NOW)).expect("a store ingests")
}

/// All entries of a store in the order of arrival.
pub fn entries(opened: &Opened) -> Vec<Entry> {
    let rows = see(opened).arrived_after(0, usize::MAX).expect("entries are read");
    rows.into_iter().map(|row| row.entry).collect()
}

/// A patient.
pub fn patient(of: &str, family: &str, given: &str) -> Value {
    json!({
        "resourceType": "Patient", "id": of,
        "identifier": [{"system": "http://example.org/card", "value": format!("card-{of}")}],
        "active": true,
        "name": [{"family": family, "given": [given]}],
        "gender": "female", "birthDate": "1990-05-17",
    })
}

/// A measurement of a patient.
pub fn observation(of: &str, subject: &str, code: &str, when: &str, value: u32) -> Value {
    json!({
        "resourceType": "Observation", "id": of, "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": format!("Patient/{subject}")},
        "effectiveDateTime": when,
        "valueQuantity": {"value": value, "unit": "kg"},
    })
}

/// The chart of a patient.
pub fn chart_of(patient: &str) -> ChartId {
    ChartId::Patient(id(patient))
}

/// What is shown of a resource that must be there.
pub fn found(opened: &Opened, resource_type: &str, of: &str) -> Found {
    let found = see(opened).resource(resource_type, &id(of)).expect("a resource is read");
    found.unwrap_or_else(|| panic!("{resource_type}/{of} is here"))
}

/// A query with filters.
pub fn query(resource_type: &str, filters: &[(&str, Vec<Test>)]) -> Query {
    Query {
        resource_type: resource_type.into(),
        chart: None,
        filters: filters
            .iter()
            .map(|(parameter, any)| Filter { parameter: (*parameter).into(), any: any.clone() })
            .collect(),
        order: Order::Arrival,
        limit: 1000,
        after: None,
    }
}

/// The ids that a query finds, sorted.
pub fn ids(view: &dyn View, query: &Query) -> Vec<String> {
    let page = view.search(query).expect("a search runs");
    let mut ids: Vec<String> =
        page.hits.iter().map(|hit| hit.found.shown.id.as_str().to_owned()).collect();
    ids.sort();
    ids
}

/// One test on one parameter.
pub fn one(parameter: &'static str, test: Test) -> Vec<(&'static str, Vec<Test>)> {
    vec![(parameter, vec![test])]
}

/// A token test.
pub fn token(system: Option<&str>, code: Option<&str>) -> Test {
    Test::Token { system: system.map(Into::into), code: code.map(Into::into) }
}

/// Everything that a reader can see of resources, charts and streams, without what depends on
/// the order of arrival.
pub fn picture(view: &dyn View) -> Vec<String> {
    let rows = view.arrived_after(0, usize::MAX).expect("entries are read");
    let mut lines: Vec<String> =
        rows.iter().map(|row| format!("entry {} {:?}", row.entry.address, row.entry)).collect();
    let mut resources = BTreeSet::new();
    let mut charts = BTreeSet::new();
    for row in &rows {
        charts.insert(row.entry.chart.clone());
        for change in &row.entry.changes {
            resources.insert((change.resource_type.clone(), change.id.clone()));
        }
    }
    for (resource_type, of) in &resources {
        let found = view.resource(resource_type, of).expect("a resource is read");
        let heads = found.map(|found| {
            let stored = std::iter::once(&found.shown).chain(&found.rivals);
            stored
                .map(|stored| (stored.version, stored.chart.clone(), stored.json()))
                .collect::<Vec<_>>()
        });
        lines.push(format!("resource {resource_type}/{of} {heads:?}"));
        let mut history: Vec<String> = view
            .history(resource_type, of)
            .expect("a history is read")
            .iter()
            .map(|stored| format!("version {} {:?} {:?}", stored.version, stored.kind, stored.body))
            .collect();
        history.sort();
        lines.append(&mut history);
    }
    for chart in &charts {
        let found = view.chart(chart, &[]).expect("a chart is read");
        let listed: Vec<_> =
            found.iter().map(|found| (found.shown.id.as_str(), found.heads())).collect();
        lines.push(format!("chart {chart:?} {listed:?}"));
        lines.push(format!("heads {:?}", view.chart_heads(chart).expect("heads are read")));
    }
    lines.push(format!("frontiers {:?}", view.frontiers().expect("frontiers are read")));
    let types: BTreeSet<_> = resources.iter().map(|(resource_type, _)| resource_type).collect();
    for resource_type in types {
        for filters in searches() {
            let query = query(resource_type, &filters);
            lines.push(format!("search {resource_type} {filters:?} {:?}", ids(view, &query)));
        }
    }
    lines.sort();
    lines
}

/// Searches of every kind, for [`picture`].
fn searches() -> Vec<Vec<(&'static str, Vec<Test>)>> {
    let day = |day: i64| Millis(day * 86_400_000);
    vec![
        vec![],
        one("name", Test::Prefix("a".into())),
        one("name", Test::Contains("b".into())),
        one("family", Test::Exact("Beta".into())),
        one("identifier", token(Some("http://example.org/card"), Some("card-p1"))),
        one("code", token(None, Some("29463-7"))),
        one("code", token(Some("http://loinc.org"), None)),
        one("subject", Test::Reference("Patient/p1".into())),
        one("date", Test::Overlaps { from: day(20_000), to: day(20_500) }),
        one("date", Test::Within { from: day(20_000), to: day(20_500) }),
        one("birthdate", Test::Present(true)),
        one("birthdate", Test::Present(false)),
    ]
}

/// Takes every entry of one store into another, each chart in its order.
pub fn copy(from: &dyn Store, to: &Opened) {
    let rows = from.read().and_then(|view| view.arrived_after(0, usize::MAX));
    let rows = rows.expect("entries are read");
    act(to, move |tx| {
        for row in &rows {
            let done = tx.ingest(&row.entry, &row.entry.to_bytes(), NOW)?;
            assert!(matches!(done, Ingested::New | Ingested::Known), "{done:?}");
        }
        Ok(())
    })
    .expect("a store ingests");
}
