//! What the ministry knows, what goes over the road, and what nobody may say.

use std::fs;

use ondol_app::national::Where;
use ondol_kernel::{Class, NodeId, bytes};
use ondol_record::ChartId;
use ondol_replicate::{
    message::Message,
    national::{Answer, Index, Person},
    sealed,
};
use ondol_store::Space;

use super::{both, country, found, here, of, places, register, settle, support::Facility, there};

const PLANTED: [&str; 6] =
    ["리용희", "Ri Yong-hui", "김복순", "김 복순", "1961-03-02", "AB1234567"];

fn numbered() -> ondol_app::people::Registration {
    let paper =
        ondol_app::people::PaperNumber { label: "공민증".into(), value: "AB1234567".into() };
    ondol_app::people::Registration { paper: Some(paper), ..here() }
}

#[test]
fn the_ministry_has_no_name_no_number_and_no_key_to_try_names_with() {
    let country = country();
    let (worker, doctor) = both(&country);
    let one = register(country.clinic(), &worker, numbered());
    let two = register(country.specialist(), &doctor, there());
    settle(&country);
    assert_eq!(places(country.specialist(), &doctor, &two), [Where::NotAsked]);
    let key =
        country.clinic().store().read().unwrap().value(Space::Index, b"key").unwrap().unwrap();
    let (_, key) = key.split_first_chunk::<8>().unwrap();
    let mut planted: Vec<Vec<u8>> = PLANTED.iter().map(|text| text.as_bytes().to_vec()).collect();
    planted.push(key.to_vec());
    planted.extend([&one, &two].map(|id| id.as_str().as_bytes().to_vec()));
    planted.extend([&one, &two].map(|id| id.as_str().replace('-', "").into_bytes()));

    let has = |files: &Facility, what: &[u8]| {
        let copy = files.backup();
        let all = fs::read_dir(copy.path()).unwrap().map(|file| file.unwrap().path());
        let mut all = all.filter(|path| path.is_file());
        all.any(|path| fs::read(path).unwrap().windows(what.len()).any(|at| at == what))
    };
    for what in &planted {
        let shown = String::from_utf8_lossy(what);
        assert!(!has(country.ministry(), what), "the ministry has {shown}");
    }
    // The search finds what is there.
    assert!(has(country.clinic(), key));
    assert!(has(country.ministry(), &country.specialist().seat.node().0), "it knows who told");
}

#[test]
fn an_answer_names_no_facility_and_no_person() {
    let country = country();
    let (worker, doctor) = both(&country);
    let one = register(country.clinic(), &worker, numbered());
    settle(&country);
    register(country.specialist(), &doctor, there());
    let specialist = country.specialist();
    let ministry = country.ministry();
    country.carry_but(&["specialist"]);
    let to = specialist.app.place().node;
    let question = specialist.app.outgoing(ministry.app.place().node, Class::Care, 100).unwrap();
    for message in &question {
        ministry.app.arrive(to, Class::Care, message.number, &message.bytes).unwrap();
    }
    let answers: Vec<Vec<u8>> = ministry
        .app
        .outgoing(to, Class::Care, 100)
        .unwrap()
        .into_iter()
        .filter(|message| {
            matches!(Message::decode(&message.bytes), Ok(Message::Index(Index::Found { .. })))
        })
        .map(|message| message.bytes)
        .collect();
    assert_eq!(answers.len(), 1);
    let clinic = country.clinic().seat.clone();
    let named = [clinic.node().0.to_vec(), b"clinic".to_vec(), one.as_str().as_bytes().to_vec()];
    for what in named.iter().chain(&PLANTED.map(|text| text.as_bytes().to_vec())) {
        assert!(!answers[0].windows(what.len()).any(|at| at == &what[..]));
    }
    let asked = question
        .iter()
        .find(|one| matches!(Message::decode(&one.bytes), Ok(Message::Index(Index::Tell { .. }))));
    let asked = asked.expect("a question");
    println!("question {} B, answer {} B", asked.bytes.len(), answers[0].len());
    assert!(asked.bytes.len() + answers[0].len() <= 80, "what a slow link has room for");
}

/// Gives a facility a message as if a neighbour had sent it.
fn says(from: NodeId, to: &Facility, index: Index) {
    let number = to.app.arrived_up_to(from, Class::Care).unwrap() + 1;
    to.app.arrive(from, Class::Care, number, &Message::Index(index).encode()).unwrap();
}

fn epoch(at: &Facility) -> u64 {
    let key = at.store().read().unwrap().value(Space::Index, b"key").unwrap().unwrap();
    u64::from_be_bytes(*key.first_chunk().unwrap())
}

#[test]
fn answers_and_orders_come_from_above_alone_and_questions_from_below() {
    let country = country();
    let (worker, doctor) = both(&country);
    let (clinic, county) = (country.clinic(), country.county());
    let one = register(clinic, &worker, here());
    let two = register(country.specialist(), &doctor, of("최은별", "1950-05-05", "박영순"));
    settle(&country);
    let node = |at: &Facility| at.app.place().node;
    let epoch = epoch(clinic);
    let lead = |to| Index::Lead { to, epoch, token: [9; 8] };
    // Sealed by the clinic for the county, as only the node above may do it.
    let of = [&u64::MAX.to_be_bytes()[..], &[1; 32]].concat();
    let sealed = sealed::seal(&county.seat.link_public(), &clinic.seat.keys().link, &of, &[3; 32]);
    let sealed = sealed.unwrap();
    let key = Index::Key { epoch: u64::MAX, sealed: sealed.clone() };
    let quarantined = |at: &Facility| {
        at.store().read().unwrap().values(Space::Quarantine, b"x", None, 100).unwrap().len()
    };
    // A clinic gives its county no key, no order, no answer.
    let found =
        Index::Found { to: None, epoch, answer: Answer::News, token: [1; 8], others: vec![[2; 8]] };
    for (at, index) in [lead(node(clinic)), key, found].into_iter().enumerate() {
        says(node(clinic), county, index);
        assert_eq!(quarantined(county), at + 1);
    }
    // Nor does a county ask its clinic, or a specialist hospital speak for a clinic.
    let persons = vec![Person { token: [1; 8], stamp: 1, digests: vec![[1; 6]] }];
    let tell = |from| Index::Tell { from, epoch, asks: true, persons: persons.clone() };
    says(node(county), clinic, tell(None));
    says(node(country.specialist()), country.ministry(), tell(Some(node(clinic))));
    // A key that somebody else sealed is none, whoever brings it.
    says(node(country.province()), county, Index::Key { epoch: u64::MAX, sealed });
    assert_eq!(quarantined(county), 4);
    assert_eq!((quarantined(clinic), quarantined(country.ministry())), (1, 1));

    // Who guesses a token of a person with whom nothing is in common gets nothing.
    let token = |at: &Facility, id: &ondol_kernel::ResourceId| -> [u8; 8] {
        let view = at.store().read().unwrap();
        let all = view.values(Space::Index, b"m/", None, 1_000).unwrap();
        let (key, _) = all.iter().find(|(_, chart)| chart == id.as_str().as_bytes()).unwrap();
        key[key.len() - 8..].try_into().unwrap()
    };
    let (own, other) = (token(clinic, &one), token(country.specialist(), &two));
    says(node(clinic), county, Index::Want { from: None, epoch, token: own, other });
    settle(&country);
    assert!(clinic.get("Patient", two.as_str()).is_none());
    assert!(country.province().get("Patient", two.as_str()).is_none());
}

#[test]
fn what_is_found_leads_nowhere_without_the_right_to_the_chart() {
    let country = country();
    let (clinic, specialist) = (country.clinic(), country.specialist());
    let (worker, doctor) = both(&country);
    let two = register(specialist, &doctor, there());
    let one = register(clinic, &worker, here());
    settle(&country);
    let token = found(clinic, &worker, &one)[0].token.clone();
    assert!(bytes::hex_to(&token, &mut [0; 8]));
    clinic.app.ask_for_chart(&worker, &one, &token).unwrap();
    settle(&country);
    // It has come, and is as closed as any chart of a stranger.
    let chart = ChartId::Patient(two.clone());
    assert_eq!(clinic.all(&chart, "Patient").len(), 1);
    assert!(clinic.app.chart(&worker, &two, 0).is_err());
    assert!(clinic.app.compare_people(&worker, &one, &two).is_err());
}
