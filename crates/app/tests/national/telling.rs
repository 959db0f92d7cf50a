//! What facilities tell of, what changes it, and what cuts, repeats and disorder do to it.

use ondol_access::Role;
use ondol_app::{
    Actor,
    national::Where,
    people::Registration,
    road::{Revoking, Why},
};
use ondol_kernel::{Class, Millis};
use ondol_replicate::message::Message;
use ondol_store::Space;
use serde_json::json;

use super::{
    both, country, found, here, of, places, question, register, settle, settle_but,
    support::{Country, Facility, root},
    there, waiting_bytes,
};

fn patient(name: &str, birth: &str) -> serde_json::Value {
    json!({"resourceType": "Patient", "name": [{"text": name}], "gender": "female",
        "birthDate": birth, "extension": [{"url": ondol_app::coding::MOTHER_NAME,
            "valueString": "김복순"}],
        "managingOrganization": {"reference": "Organization/clinic"}})
}

#[test]
fn who_was_registered_before_is_told_of_once_in_few_bytes_a_person() {
    let country = Country::new();
    let (_, doctor) = both(&country);
    let clinic = country.clinic();
    for n in 0..1_000 {
        let birth = format!("{}-{:02}-{:02}", 1930 + n / 13, n % 12 + 1, n % 27 + 1);
        clinic.put(&format!("p{n}"), patient("박명록", &birth));
    }
    clinic.put("known", patient("리용희", "1961-03-02"));
    country.carry();
    for _ in 0..3 {
        for above in [country.ministry(), country.province(), country.county()] {
            above.app.national_tick().unwrap();
        }
        country.carry();
    }
    // The key comes to all below; then who is here is told of.
    let mut bytes = 0;
    for _ in 0..3 {
        clinic.app.national_tick().unwrap();
        bytes += waiting_bytes(clinic);
        country.carry();
    }
    println!("1001 people were told of in {bytes} B");
    assert!((20_000..30_000).contains(&bytes), "{bytes}");
    let two = register(country.specialist(), &doctor, there());
    settle(&country);
    assert_eq!(places(country.specialist(), &doctor, &two), [Where::NotAsked]);
    // Nothing is told again.
    clinic.app.national_tick().unwrap();
    assert_eq!(waiting_bytes(clinic), 0);
}

#[test]
fn another_name_a_death_and_taking_back_change_what_is_found() {
    let country = country();
    let (clinic, specialist) = (country.clinic(), country.specialist());
    let (worker, doctor) = both(&country);
    let one = register(clinic, &worker, here());
    clinic.app.edit_person(&worker, &one, of("리철수", "1961-03-02", "김복순")).unwrap();
    settle(&country);
    let try_again = |of: Registration| {
        let id = register(specialist, &doctor, of);
        settle(&country);
        found(specialist, &doctor, &id).len()
    };
    assert_eq!(try_again(there()), 0, "by her former name she is not found");
    assert_eq!(try_again(of("Ri Chol Su", "1961-03-02", "김복순")), 1);

    let two = clinic.put("dead", patient("최은별", "1950-05-05"));
    assert_eq!(two.len(), 1);
    settle(&country);
    assert_eq!(try_again(of("최은별", "1950-05-05", "김복순")), 1);
    let mut dead = patient("최은별", "1950-05-05");
    dead["deceasedBoolean"] = json!(true);
    clinic.put("dead", dead);
    settle(&country);
    assert_eq!(try_again(of("Choe Un Byol", "1950-05-05", "김복순")), 0, "found are the living");
}

#[test]
fn repeats_and_disorder_change_nothing() {
    for seed in 1..=6 {
        let country = country();
        let (clinic, specialist) = (country.clinic(), country.specialist());
        let (worker, doctor) = both(&country);
        let one = register(clinic, &worker, of("최은별", "1961-03-02", "김복순"));
        clinic.app.national_tick().unwrap();
        // What was told first may come last.
        clinic.clock.pass_minutes(1);
        clinic.app.edit_person(&worker, &one, here()).unwrap();
        let two = register(specialist, &doctor, there());
        let mut chance = seed;
        for _ in 0..12 {
            for facility in country.all() {
                facility.app.national_tick().unwrap();
            }
            carry_wildly(&country, &mut chance);
        }
        settle(&country);
        assert_eq!(places(clinic, &worker, &one), [Where::NotAsked], "seed {seed}");
        assert_eq!(places(specialist, &doctor, &two), [Where::NotAsked], "seed {seed}");
        assert_eq!(question(clinic, &worker, &one), None);
        let token = found(clinic, &worker, &one)[0].token.clone();
        clinic.app.ask_for_chart(&worker, &one, &token).unwrap();
        for _ in 0..12 {
            carry_wildly(&country, &mut chance);
            country.all().iter().for_each(|one| one.app.national_tick().unwrap());
        }
        settle(&country);
        assert_eq!(places(clinic, &worker, &one), [Where::Here { is_open: false }], "seed {seed}");
    }
}

/// Carries some of what waits between neighbours, backwards, some of it twice; acknowledges nothing.
fn carry_wildly(country: &Country, chance: &mut u64) {
    let mut next = |of: u64| {
        *chance =
            chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*chance >> 33) % of
    };
    let pairs =
        country.all().iter().flat_map(|from| country.all().iter().map(move |to| (from, to)));
    for (from, to) in pairs {
        let neighbours = |a: &Facility, b: &Facility| a.seat.above == Some(b.seat.id);
        if !neighbours(from, to) && !neighbours(to, from) {
            continue;
        }
        let (sender, receiver) = (from.app.place().node, to.app.place().node);
        for class in Class::ALL {
            let mut messages = from.app.outgoing(receiver, class, 1_000).unwrap();
            messages.reverse();
            for message in messages {
                for _ in 0..next(3) {
                    to.app.arrive(sender, class, message.number, &message.bytes).unwrap();
                }
            }
        }
    }
}

#[test]
fn without_a_road_everybody_is_registered_as_before() {
    let country = Country::new();
    let (worker, _) = both(&country);
    let clinic = country.clinic();
    clinic.app.national_tick().unwrap();
    let one = register(clinic, &worker, here());
    assert_eq!(question(clinic, &worker, &one), None, "the key has not come yet");
    assert_eq!(of_index(clinic), 0, "nothing waits where nothing was ever heard");
    country.carry();
    settle(&country);
    // Asked for or not, she is told of when the key has come.
    let doctor = country.specialist().person(ondol_access::Role::Doctor);
    let two = register(country.specialist(), &doctor, there());
    settle(&country);
    assert_eq!(places(country.specialist(), &doctor, &two), [Where::NotAsked]);
    assert_eq!(places(clinic, &worker, &one), [Where::NotAsked]);
}

/// Messages about the index that wait for the node above.
fn of_index(at: &Facility) -> usize {
    let parent = at.app.place().parent.unwrap();
    let classes = Class::ALL.iter().map(|class| at.app.outgoing(parent, *class, 1_000).unwrap());
    let of_index = |bytes: &[u8]| matches!(Message::decode(bytes), Ok(Message::Index(_)));
    classes.flatten().filter(|message| of_index(&message.bytes)).count()
}

#[test]
fn a_question_that_got_lost_is_asked_again_after_a_day() {
    let mut country = country();
    let (worker, _) = both(&country);
    let doctor = country.specialist().person(ondol_access::Role::Doctor);
    register(country.specialist(), &doctor, there());
    settle(&country);
    let backup = country.county().backup();
    let one = register(country.clinic(), &worker, here());
    // The county takes the question in, and is put back to before it handed it on.
    settle_but(&country, &["province"]);
    country.again("county", |county| county.put_back(&backup));
    settle(&country);
    let clinic = country.clinic();
    assert_eq!(question(clinic, &worker, &one), Some(ondol_app::national::Question::Open));
    country.pass_minutes(25 * 60);
    settle(&country);
    assert_eq!(question(clinic, &worker, &one), None);
    assert_eq!(places(clinic, &worker, &one), [Where::NotAsked]);
}

#[test]
fn a_ministry_that_was_put_back_or_takes_another_key_is_told_again() {
    let mut country = country();
    let (worker, doctor) = both(&country);
    let backup = country.ministry().backup();
    register(country.clinic(), &worker, here());
    settle(&country);
    country.again("ministry", |ministry| ministry.put_back(&backup));
    settle(&country);
    let two = register(country.specialist(), &doctor, there());
    settle(&country);
    assert_eq!(places(country.specialist(), &doctor, &two), [Where::NotAsked]);

    let administrator = country.ministry().administrator();
    country.ministry().app.renew_index_key(&administrator).unwrap();
    settle(&country);
    settle(&country);
    assert_eq!(places(country.specialist(), &doctor, &two), [Where::NotAsked]);
    let refused = country.clinic().app.renew_index_key(&country.clinic().administrator());
    assert!(refused.is_err());
}

/// Which key a node has.
fn epoch(at: &Facility) -> u64 {
    let key = at.store().read().unwrap().value(Space::Index, b"key").unwrap().unwrap();
    u64::from_be_bytes(key[..8].try_into().unwrap())
}

#[test]
fn after_a_theft_the_index_takes_another_key_that_the_thief_is_not_told() {
    let country = country();
    let (worker, doctor) = both(&country);
    register(country.clinic(), &worker, here());
    settle(&country);
    let before = epoch(country.county());
    assert_eq!(before, epoch(country.clinic()));
    let (ministry, county) = (country.ministry(), country.county());
    let by = Actor::node(ministry.seat.node(), "node");
    let of = Actor::node(county.seat.node(), "node");
    let stolen = country.clinic().seat.node();
    let trusted = county.app.came_before(&of, &stolen, Millis(county.app.now().0 + 1_000)).unwrap();
    let revoking = Revoking { node: stolen, why: Why::Stolen, trusted, reason: String::new() };
    ministry.app.revoke_with(&by, &root(), &revoking).unwrap();
    settle_but(&country, &["clinic"]);
    settle_but(&country, &["clinic"]);
    assert_eq!(epoch(county), before + 1);
    assert_eq!(epoch(country.specialist()), before + 1);
    settle(&country);
    assert_eq!(epoch(country.clinic()), before, "the thief has the new key");
    // The others go on with the new one.
    register(county, &county.person(Role::Doctor), here());
    let two = register(country.specialist(), &doctor, there());
    settle(&country);
    assert_eq!(places(country.specialist(), &doctor, &two), [Where::NotAsked]);
}
