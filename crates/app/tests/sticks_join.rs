//! A new facility joins with an invitation and sticks alone: no line reaches it, now or later.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use ondol_app::{
    Actor, App, NodeKeys, Parts,
    founding::{self, Invite, Ticket},
};
use ondol_kernel::{Class, NodeId, ResourceId};
use ondol_record::{ChartId, Draft, DraftChange, DraftId, certificate::Tier, draft::DraftContent};
use ondol_store::Store;
use ondol_store_sqlite::{FileBlobs, OpenOptions, SqliteStore};
use serde_json::{Value, json};
use support::{Country, Facility, Folder, MONDAY_8, SeededRng, root, x25519_public};

use crate::support;

/// A node as `ondol join` makes it: it has nothing but its invitation.
struct New {
    app: Arc<App>,
    store: Arc<SqliteStore>,
    _folder: Folder,
}

fn joined(ticket: &Ticket, like: &Facility) -> New {
    let folder = Folder::new("joined");
    let path = folder.path().join("record.db");
    let store = Arc::new(SqliteStore::open(&path, OpenOptions::default()).unwrap());
    let keys = NodeKeys { signing: SigningKey::from_bytes(&[44; 32]), link: [45; 32] };
    let public = x25519_public(&keys.link);
    let (place, _) = founding::join(&*store, ticket, &keys, public, MONDAY_8).unwrap();
    let parts = Parts {
        store: store.clone(),
        blobs: Arc::new(FileBlobs::open(&folder.path().join("blobs")).unwrap()),
        clock: like.clock.clone(),
        rng: Arc::new(SeededRng::new("joined")),
        keys,
        place,
        practice: false,
    };
    New { app: Arc::new(App::open(parts).unwrap()), store, _folder: folder }
}

impl New {
    fn node(&self) -> NodeId {
        self.app.place().node
    }

    fn actor(&self) -> Actor {
        Actor::node(self.node(), "new")
    }

    fn put(&self, id: &str, resource: Value) {
        let change = DraftChange {
            resource_type: resource["resourceType"].as_str().unwrap().into(),
            id: DraftId::Given(ResourceId::new(id).unwrap()),
            supersedes: vec![],
            chart: None,
            content: DraftContent::Put(resource),
        };
        let draft = Draft {
            class: Class::Routine,
            care_time: None,
            author: "".into(),
            typist: "".into(),
            changes: vec![change],
        };
        let app = self.app.clone();
        ondol_store::transact(&*self.store, move |tx| -> Result<_, ondol_app::AppError> {
            tx.append(draft, app.now(), false)?;
            ondol_app::road::distribute(&app, tx)
        })
        .unwrap();
    }

    fn has(&self, kind: &str, id: &str) -> bool {
        let view = self.store.read().unwrap();
        view.resource(kind, &ResourceId::new(id).unwrap()).unwrap().is_some()
    }
}

fn invited(country: &Country) -> Ticket {
    let ministry = &country.ministry().app;
    let actor = Actor::node(ministry.place().node, "ministry");
    let invite = Invite {
        name: "산골리진료소".into(),
        tier: Tier::Clinic,
        parent: country.county().seat.node(),
        parent_address: String::new(),
    };
    let ticket = ministry.invite(&actor, &root(), &invite, vec![]).unwrap();
    // The invitation goes on the stick as its text.
    Ticket::from_bytes(&ticket.to_bytes()).unwrap()
}

#[test]
fn a_clinic_that_no_line_reaches_joins_by_stick() {
    let country = Country::new();
    let ticket = invited(&country);
    country.carry();
    let county = country.county();
    let at_county = Actor::node(county.seat.node(), "county");
    let new = joined(&ticket, county);
    new.put(
        "p1",
        json!({"resourceType": "Patient", "name": [{"text": "리영희"}],
            "managingOrganization": {"reference": new.app.place().organization()}}),
    );
    assert!(new.app.nation().node(&county.seat.node()).is_none());

    // Up: the first stick is sealed for the key that the invitation named, and introduces its
    // writer by the certificate behind it.
    let up = new.app.sticks_out(&new.actor()).unwrap();
    assert_eq!(up.len(), 1);
    assert_eq!(up[0].reader, county.seat.node());
    let brought = county.app.sticks_in(&at_county, &[&up[0].bytes]).unwrap();
    assert!(brought.refused.is_empty() && brought.brought.len() == 1, "{brought:?}");
    assert!(county.app.nation().node(&new.node()).is_some());
    country.carry();

    // Down: the new node learns who stands above it and whom it may ask.
    let down = county.app.stick_for(&at_county, new.node()).unwrap();
    let brought = new.app.sticks_in(&new.actor(), &[&down.bytes]).unwrap();
    assert!(brought.refused.is_empty() && brought.is_news(), "{brought:?}");
    let nation = new.app.nation();
    for facility in country.all().iter().filter(|facility| facility.seat.id != "clinic") {
        assert!(nation.node(&facility.seat.node()).is_some(), "{}", facility.seat.id);
    }
    assert!(new.has("Organization", new.app.place().facility.as_str()));

    // Only now it knows that the node above treats people: who was seen meanwhile goes up. From
    // then on it is a facility like any other: a case goes up past everybody.
    new.put(
        "s1",
        json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order",
            "subject": {"reference": "Patient/p1"},
            "performer": [{"reference": "Organization/specialist"}]}),
    );
    let up = new.app.sticks_out(&new.actor()).unwrap();
    county.app.sticks_in(&at_county, &[&up[0].bytes]).unwrap();
    country.carry();
    assert!(county.get("Patient", "p1").is_some());
    let specialist = country.specialist();
    assert_eq!(
        specialist.all(&ChartId::Patient(ResourceId::new("p1").unwrap()), "ServiceRequest").len(),
        1
    );
    // And nothing is left that nobody acknowledged.
    let down = county.app.stick_for(&at_county, new.node()).unwrap();
    new.app.sticks_in(&new.actor(), &[&down.bytes]).unwrap();
    assert!(new.app.road_status().unwrap().iter().all(|peer| !peer.is_waiting()));
}

#[test]
fn the_first_stick_of_a_new_clinic_is_for_the_node_above_alone() {
    let country = Country::new();
    let ticket = invited(&country);
    let new = joined(&ticket, country.county());
    let up = new.app.sticks_out(&new.actor()).unwrap();
    let province = country.province();
    let actor = Actor::node(province.seat.node(), "province");
    let brought = province.app.sticks_in(&actor, &[&up[0].bytes]).unwrap();
    assert!(brought.brought.is_empty() && !brought.refused.is_empty());
}
