//! A facility whose computer was stolen is invited again and gets a new one: its records come back
//! from its neighbours (ADR 0026).

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use ondol_app::{
    Actor, App, AppError, NodeKeys, Parts,
    founding::{self, Ticket},
    road::{Revoking, Trusted, Why},
};
use ondol_kernel::{Millis, NodeId, ResourceId};
use ondol_record::ChartId;
use ondol_store::Store;
use ondol_store_sqlite::{FileBlobs, OpenOptions, SqliteStore};
use serde_json::json;
use support::{Country, Facility, Folder, MONDAY_8, SeededRng, root, x25519_public};

use crate::support;

struct New {
    app: Arc<App>,
    store: Arc<SqliteStore>,
    _folder: Folder,
}

fn joined(ticket: &Ticket, like: &Facility) -> New {
    let folder = Folder::new("again");
    let path = folder.path().join("record.db");
    let store = Arc::new(SqliteStore::open(&path, OpenOptions::default()).unwrap());
    let keys = NodeKeys { signing: SigningKey::from_bytes(&[44; 32]), link: [45; 32] };
    let public = x25519_public(&keys.link);
    let (place, _) = founding::join(&*store, ticket, &keys, public, MONDAY_8).unwrap();
    let parts = Parts {
        store: store.clone(),
        blobs: Arc::new(FileBlobs::open(&folder.path().join("blobs")).unwrap()),
        clock: like.clock.clone(),
        rng: Arc::new(SeededRng::new("again")),
        keys,
        place,
        practice: false,
    };
    New { app: Arc::new(App::open(parts).unwrap()), store, _folder: folder }
}

impl New {
    fn has(&self, kind: &str, id: &str) -> bool {
        let view = self.store.read().unwrap();
        view.resource(kind, &ResourceId::new(id).unwrap()).unwrap().is_some()
    }
}

fn as_node(node: NodeId) -> Actor {
    Actor::node(node, "node")
}

/// Sticks go up and down until nothing new is on them.
fn carry(county: &Facility, new: &New) {
    let (above, below) = (county.seat.node(), new.app.place().node);
    for _ in 0..6 {
        let up = new.app.sticks_out(&as_node(below)).unwrap();
        let brought = county.app.sticks_in(&as_node(above), &[&up[0].bytes]).unwrap();
        assert!(brought.refused.is_empty(), "{brought:?}");
        let down = county.app.stick_for(&as_node(above), below).unwrap();
        let brought = new.app.sticks_in(&as_node(below), &[&down.bytes]).unwrap();
        assert!(brought.refused.is_empty(), "{brought:?}");
    }
}

fn put(at: &Facility, id: &str, mut resource: serde_json::Value) {
    if resource["resourceType"] == "Patient" {
        let home = at.app.place().organization();
        resource["managingOrganization"] = json!({ "reference": home });
    } else {
        resource["subject"] = json!({ "reference": "Patient/p1" });
    }
    at.put(id, resource);
}

#[test]
fn a_new_computer_gets_the_facilitys_records_back_from_above() {
    let country = Country::new();
    let (ministry, county, clinic) = (country.ministry(), country.county(), country.clinic());
    put(clinic, "p1", json!({"resourceType": "Patient", "name": [{"text": "리영희"}]}));
    put(clinic, "c1", json!({"resourceType": "Condition", "code": {"text": "기침"}}));
    country.carry();
    put(county, "c2", json!({"resourceType": "Condition", "code": {"text": "열"}}));
    country.carry();
    let stolen = clinic.seat.node();
    let later = Millis(county.app.now().0 + 1_000);
    let trusted = county.app.came_before(&as_node(county.seat.node()), &stolen, later).unwrap();
    put(clinic, "late", json!({"resourceType": "Condition", "code": {"text": "거짓"}}));
    put(clinic, "never-came", json!({"resourceType": "Patient", "name": [{"text": "김보배"}]}));

    let actor = as_node(ministry.seat.node());
    let again =
        |parent: &str| ministry.app.invite_again(&actor, &root(), (&stolen, parent), vec![]);
    assert!(matches!(again(""), Err(AppError::State("not-revoked"))));
    let revoking = Revoking { node: stolen, why: Why::Stolen, trusted, reason: String::new() };
    ministry.app.revoke_with(&actor, &root(), &revoking).unwrap();
    country.carry_but(&["clinic"]);
    // Written while the facility had no computer.
    put(county, "c3", json!({"resourceType": "Condition", "code": {"text": "폐염"}}));
    country.carry_but(&["clinic"]);

    let ticket = Ticket::from_bytes(&again("").unwrap().to_bytes()).unwrap();
    assert_eq!(ticket.name, "새마을리진료소");
    let new = joined(&ticket, county);
    assert_ne!(new.app.place().node, stolen);
    assert_eq!(new.app.place().facility.as_str(), "clinic");
    carry(county, &new);
    country.carry_but(&["clinic"]);

    // It hears first of all that the other one is not trusted.
    assert!(new.app.nation().is_revoked(&stolen));
    for id in ["c1", "c2", "c3"] {
        assert!(new.has("Condition", id), "{id}");
    }
    assert!(new.has("Patient", "p1") && new.has("Organization", "clinic"));
    // What nobody else had, and what is not trusted, does not come back.
    assert!(!new.has("Patient", "never-came") && !new.has("Condition", "late"));
    for facility in [county, country.province(), ministry] {
        let serving = facility.app.nation();
        let serving = serving.serving(&ResourceId::new("clinic").unwrap()).unwrap();
        assert_eq!(serving.node, new.app.place().node, "{}", facility.seat.id);
    }
    // A second one is not invited beside it.
    assert!(matches!(again(""), Err(AppError::State("not-revoked"))));
    // From then on it is a facility like any other.
    put(county, "c4", json!({"resourceType": "Condition", "code": {"text": "회복"}}));
    carry(county, &new);
    country.carry_but(&["clinic"]);
    assert!(new.has("Condition", "c4"));
    assert!(county.app.road_status().unwrap().iter().all(|peer| !peer.is_waiting()));
    let view = new.store.read().unwrap();
    let chart = ChartId::Patient(ResourceId::new("p1").unwrap());
    assert_eq!(view.chart_heads(&chart).unwrap().len(), 2);
}

#[test]
fn a_case_that_waited_for_the_facility_goes_to_its_new_computer() {
    let country = Country::new();
    let (ministry, county, clinic) = (country.ministry(), country.county(), country.clinic());
    country.carry();
    put(county, "p1", json!({"resourceType": "Patient", "name": [{"text": "리영희"}]}));
    let actor = as_node(ministry.seat.node());
    let (node, why, trusted) = (clinic.seat.node(), Why::Lost, Trusted::new());
    let revoking = Revoking { node, why, trusted, reason: String::new() };
    ministry.app.revoke_with(&actor, &root(), &revoking).unwrap();
    country.carry_but(&["clinic"]);
    let performer = json!([{ "reference": "Organization/clinic" }]);
    put(
        county,
        "s1",
        json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order",
            "performer": performer}),
    );
    let ticket = ministry.app.invite_again(&actor, &root(), (&node, ""), vec![]).unwrap();
    let new = joined(&ticket, county);
    carry(county, &new);
    assert!(new.has("ServiceRequest", "s1") && new.has("Patient", "p1"));
}

#[test]
fn a_hospital_that_burnt_down_is_replaced_and_those_below_it_find_the_new_one() {
    let country = Country::new();
    let (ministry, province) = (country.ministry(), country.province());
    let (county, clinic) = (country.county(), country.clinic());
    put(clinic, "p1", json!({"resourceType": "Patient", "name": [{"text": "리영희"}]}));
    put(clinic, "c1", json!({"resourceType": "Condition", "code": {"text": "기침"}}));
    country.carry();
    put(county, "c2", json!({"resourceType": "Condition", "code": {"text": "열"}}));
    country.carry();
    let (actor, burnt) = (as_node(ministry.seat.node()), county.seat.node());
    let later = Millis(province.app.now().0 + 1_000);
    let trusted = province.app.came_before(&as_node(province.seat.node()), &burnt, later).unwrap();
    // The clinic works on, cut off.
    put(clinic, "c3", json!({"resourceType": "Condition", "code": {"text": "폐염"}}));
    let revoking = Revoking { node: burnt, why: Why::Closed, trusted, reason: String::new() };
    let file = ministry.app.revoke_with(&actor, &root(), &revoking).unwrap();
    country.carry_but(&["county"]);
    let ticket = ministry.app.invite_again(&actor, &root(), (&burnt, ""), vec![]).unwrap();
    let new = joined(&ticket, province);
    carry(province, &new);
    country.carry_but(&["county"]);
    for id in ["c1", "c2"] {
        assert!(new.has("Condition", id), "{id}");
    }
    let (hospital, below) = (new.app.place().node, clinic.seat.node());
    assert!(new.app.nation().neighbours().contains(&below));
    assert_eq!(province.app.nation().way_to(&below), [hospital, below]);

    // The clinic hears of both by what a courier brings.
    let down = new.app.stick_for(&as_node(hospital), below).unwrap();
    let brought = clinic.app.sticks_in(&as_node(below), &[&down.bytes, &file]).unwrap();
    assert!(brought.refused.is_empty() && brought.revocations == 1, "{brought:?}");
    assert_eq!(clinic.app.nation().neighbours(), [hospital]);
    for _ in 0..4 {
        let up = clinic.app.stick_for(&as_node(below), hospital).unwrap();
        new.app.sticks_in(&as_node(hospital), &[&up.bytes]).unwrap();
        let down = new.app.stick_for(&as_node(hospital), below).unwrap();
        clinic.app.sticks_in(&as_node(below), &[&down.bytes]).unwrap();
    }
    carry(province, &new);
    assert!(new.has("Condition", "c3") && province.get("Condition", "c3").is_some());
    let chart = ChartId::Patient(ResourceId::new("p1").unwrap());
    assert_eq!(province.all(&chart, "Condition").len(), 3);
    assert!(clinic.app.road_status().unwrap().iter().all(|peer| !peer.is_waiting()));
    assert!(new.app.road_status().unwrap().iter().all(|peer| !peer.is_waiting()));
}
