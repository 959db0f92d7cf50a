//! A facility hangs below another one from now on: what goes to whom follows it (ADR 0030).

use ed25519_dalek::SigningKey;
use ondol_app::{Actor, AppError, road::Moving};
use ondol_kernel::{Class, Millis, NodeId};
use ondol_record::Placement;
use serde_json::json;
use support::{
    Country, Facility, root,
    scenes::{courier, note, notes, patient_at, put_aside, waits},
};

use crate::support;

fn as_node(at: &Facility) -> Actor {
    Actor::node(at.seat.node(), "node")
}

fn moving(country: &Country, node: &str, parent: &str) -> Moving {
    let of = |id: &str| country.all().iter().find(|one| one.seat.id == id).unwrap().seat.node();
    Moving { node: of(node), parent: of(parent), address: "hospital.example:7464".into() }
}

/// At the ministry: `node` hangs below `parent`.
fn hang(country: &Country, node: &str, parent: &str) -> Vec<u8> {
    let ministry = country.ministry();
    let moving = moving(country, node, parent);
    ministry.app.move_node_with(&as_node(ministry), &root(), &moving).unwrap()
}

fn rests(country: &Country) {
    // So long the one that moved keeps its old link.
    country.pass_minutes(11);
    country.carry();
    for facility in country.all() {
        assert!(!waits(facility), "{} still has something", facility.seat.id);
        assert_eq!(put_aside(facility), 0, "{}", facility.seat.id);
        assert!(facility.app.parting().unwrap().is_empty(), "{}", facility.seat.id);
    }
}

fn neighbours(at: &Facility) -> Vec<NodeId> {
    at.app.nation().neighbours()
}

#[test]
fn a_clinic_is_looked_after_by_another_hospital_and_its_charts_go_there() {
    let country = Country::new();
    let (clinic, county, specialist) = (country.clinic(), country.county(), country.specialist());
    let chart = patient_at(clinic, "p1");
    note(clinic, "p1", "a1");
    country.carry();
    note(county, "p1", "b1");
    country.carry();

    hang(&country, "clinic", "specialist");
    country.carry();
    for facility in country.all() {
        let nation = facility.app.nation();
        let above = nation.parent_of(&clinic.seat.node());
        assert_eq!(above, Some(specialist.seat.node()), "{}", facility.seat.id);
    }
    assert_eq!(neighbours(clinic), [specialist.seat.node()]);
    assert!(neighbours(specialist).contains(&clinic.seat.node()));
    assert!(!neighbours(county).contains(&clinic.seat.node()));
    assert_eq!(clinic.app.parent_address().as_deref(), Some("hospital.example:7464"));
    // The whole chart is there, what the county wrote included; and what follows goes there alone.
    assert_eq!(notes(specialist, &chart), ["a1", "b1"]);
    note(clinic, "p1", "a2");
    note(specialist, "p1", "c1");
    country.carry();
    assert_eq!(notes(clinic, &chart), ["a1", "a2", "b1", "c1"]);
    assert_eq!(notes(specialist, &chart), ["a1", "a2", "b1", "c1"]);
    assert_eq!(notes(county, &chart), ["a1", "b1"]);
    assert!(country.ministry().get("Patient", "p1").is_none());
    let organization = clinic.get("Organization", "clinic").unwrap();
    assert_eq!(organization["partOf"]["reference"], "Organization/specialist");
    rests(&country);

    // And back again: the county gets what it did not see.
    hang(&country, "clinic", "county");
    country.carry();
    assert_eq!(notes(county, &chart), ["a1", "a2", "b1", "c1"]);
    assert_eq!(neighbours(clinic), [county.seat.node()]);
    rests(&country);
}

#[test]
fn a_county_moves_with_those_below_it() {
    let country = Country::new();
    let (clinic, county, specialist) = (country.clinic(), country.county(), country.specialist());
    let chart = patient_at(clinic, "p1");
    note(clinic, "p1", "a1");
    country.carry();
    hang(&country, "county", "specialist");
    country.carry();
    assert_eq!(notes(specialist, &chart), ["a1"]);
    assert!(specialist.get("Organization", "clinic").is_some());
    assert_eq!(
        specialist.app.nation().way_to(&clinic.seat.node()),
        [county.seat.node(), clinic.seat.node()]
    );
    // The province reaches the clinic past the ministry.
    country.province().put(
        "s1",
        json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order",
            "subject": {"reference": "Patient/p1"},
            "performer": [{"reference": "Organization/clinic"}]}),
    );
    country.carry();
    assert!(clinic.get("ServiceRequest", "s1").is_some());
    rests(&country);
}

#[test]
fn what_waited_for_the_old_neighbour_goes_the_new_way() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let chart = patient_at(clinic, "p1");
    country.carry();
    // The line is cut; both write.
    note(clinic, "p1", "a1");
    note(county, "p1", "b1");
    for class in Class::ALL {
        county.app.outgoing(clinic.seat.node(), class, 100).unwrap();
        clinic.app.outgoing(county.seat.node(), class, 100).unwrap();
    }
    let file = hang(&country, "clinic", "specialist");
    country.carry_but(&["clinic"]);
    assert_eq!(county.app.parting().unwrap(), [clinic.seat.node()]);

    // The clinic hears by a file that somebody brings; a forged one changes nothing.
    let mut forged = file.clone();
    forged[40] ^= 1;
    let brought = clinic.app.sticks_in(&courier(), &[&forged]).unwrap();
    assert_eq!(brought.placements, 0);
    assert_eq!(neighbours(clinic), [county.seat.node()]);
    let brought = clinic.app.sticks_in(&courier(), &[&file]).unwrap();
    assert!(brought.is_news() && brought.placements == 1);
    assert_eq!(clinic.app.sticks_in(&courier(), &[&file]).unwrap().placements, 0);

    // It calls its new hospital only; the old one waits for it in vain, for a week.
    country.carry_but(&["county"]);
    assert_eq!(notes(country.specialist(), &chart), ["a1"]);
    country.pass_minutes(8 * 24 * 60);
    country.carry();
    for facility in [clinic, country.specialist()] {
        assert_eq!(notes(facility, &chart), ["a1", "b1"], "{}", facility.seat.id);
    }
    rests(&country);
}

#[test]
fn what_cannot_be_is_refused() {
    let country = Country::new();
    country.carry();
    let ministry = country.ministry();
    let try_with = |moving: &Moving, key: &SigningKey| {
        ministry.app.move_node_with(&as_node(ministry), key, moving)
    };
    let refused = |moving: &Moving| try_with(moving, &root()).unwrap_err();
    let parent = |why| AppError::Field { field: "parent", why };
    let is = |why: AppError, other: AppError| assert_eq!(why.to_string(), other.to_string());
    // Below itself, below one below it, where it hangs already, somewhere unknown.
    is(refused(&moving(&country, "county", "county")), parent("unknown"));
    is(refused(&moving(&country, "county", "clinic")), parent("unknown"));
    is(refused(&moving(&country, "county", "province")), parent("same"));
    let nowhere = Moving { parent: NodeId([9; 16]), ..moving(&country, "clinic", "county") };
    is(refused(&nowhere), parent("unknown"));
    assert!(matches!(
        refused(&moving(&country, "ministry", "county")),
        AppError::State("own-node")
    ));
    for wrong in ["hospital", "hospital:0", ":7464", "a b:1", "hospital:99999"] {
        let there = Moving { address: wrong.into(), ..moving(&country, "clinic", "province") };
        is(refused(&there), AppError::Field { field: "address", why: "wrong" });
    }
    let other_key = SigningKey::from_bytes(&[3; 32]);
    let there = moving(&country, "clinic", "province");
    assert!(matches!(try_with(&there, &other_key), Err(AppError::State("root-key"))));
    assert!(ministry.app.nation().placements().next().is_none());

    // Whoever hands a later word about, the earlier one comes too late.
    let early = hang(&country, "clinic", "province");
    let late = hang(&country, "clinic", "specialist");
    let clinic = country.clinic();
    assert!(clinic.app.take_placement(&late).unwrap());
    assert!(!clinic.app.take_placement(&early).unwrap());
    assert_eq!(neighbours(clinic), [country.specialist().seat.node()]);
    country.carry();
    // The province waited for a clinic that never called it.
    country.pass_minutes(8 * 24 * 60);
    rests(&country);
}

#[test]
fn who_was_put_back_or_is_new_is_told_where_everybody_hangs() {
    let mut country = Country::new();
    country.carry();
    let backup = country.specialist().backup();
    hang(&country, "clinic", "specialist");
    country.carry();
    country.again("specialist", |specialist| specialist.put_back(&backup));
    assert!(!neighbours(country.specialist()).contains(&country.clinic().seat.node()));
    country.carry();
    assert!(neighbours(country.specialist()).contains(&country.clinic().seat.node()));
    rests(&country);
}

#[test]
fn of_two_words_of_one_moment_everybody_takes_the_same() {
    let country = Country::new();
    let clinic = country.clinic().seat.node();
    let to = |parent: NodeId| {
        let (at, address) = (Millis(5_000), "".into());
        Placement { node: clinic, parent, at, address, signature: [0; 64] }.signed(&root())
    };
    let one = to(country.province().seat.node()).to_bytes();
    let two = to(country.specialist().seat.node()).to_bytes();
    let (ministry, county) = (&country.ministry().app, &country.county().app);
    for (app, [first, second]) in [(ministry, [&one, &two]), (county, [&two, &one])] {
        app.take_placement(first).unwrap();
        app.take_placement(second).unwrap();
    }
    assert_eq!(ministry.nation().parent_of(&clinic), county.nation().parent_of(&clinic));
}
