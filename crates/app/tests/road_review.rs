//! What could go wrong on the road: facilities that do not know each other, messages that
//! overtake, forged acknowledgements and certificates, entries that are too large, links that
//! stay down.

use ed25519_dalek::SigningKey;
use ondol_app::{Actor, NodeKeys, road::Arrival};
use ondol_kernel::{Class, Millis, NodeId, ResourceId};
use ondol_record::{
    Certificate, ChartId, Draft, DraftChange, DraftId, Entry, Invitation, Seal,
    certificate::{Issuer, Tier},
    draft::DraftContent,
    seal::Tree,
};
use ondol_replicate::{
    Batch, Parcel,
    columns::Between,
    message::{MESSAGE_BYTES_MAX, Message},
    relay::Receipt,
};
use ondol_store::Space;
use serde_json::{Value, json};
use support::{Facility, SEATS, root};

use crate::support;

/// The five facilities, each of which knows itself, those above and the specialist hospital,
/// and, if `children`, the one below.
struct Strangers(Vec<Facility>);

impl Strangers {
    fn new() -> Self {
        let all = SEATS.iter().map(|seat| {
            let facility = Facility::at(seat.id);
            let known: &[&str] = match seat.id {
                "specialist" => &["specialist", "ministry"],
                "ministry" => &["ministry", "province", "specialist"],
                "province" => &["province", "ministry", "county", "specialist"],
                _ => &["county", "province", "ministry", "specialist", "clinic"],
            };
            let gone: Vec<NodeId> = SEATS
                .iter()
                .filter(|other| !known.contains(&other.id))
                .map(support::Seat::node)
                .collect();
            forget(&facility, gone);
            facility.restarted()
        });
        Self(all.collect())
    }

    fn at(&self, id: &str) -> &Facility {
        self.0.iter().find(|facility| facility.seat.id == id).unwrap()
    }

    fn carry(&self) {
        self.carry_without("");
    }

    /// Carries, but not from and to one facility.
    fn carry_without(&self, cut: &str) {
        let reached = || self.0.iter().filter(|facility| facility.seat.id != cut);
        for _ in 0..60 {
            let mut moved = false;
            for from in reached() {
                let neighbours = reached().filter(|to| {
                    from.seat.above == Some(to.seat.id) || to.seat.above == Some(from.seat.id)
                });
                for to in neighbours {
                    for class in Class::ALL {
                        moved |= hand_over(from, to, class);
                    }
                }
            }
            if !moved {
                return;
            }
        }
        panic!("the road does not come to rest");
    }
}

fn forget(facility: &Facility, gone: Vec<NodeId>) {
    ondol_store::transact(facility.store(), move |tx| -> Result<_, ondol_store::StoreError> {
        for node in gone {
            tx.set_value(Space::Peer, &[b"cert/".as_slice(), &node.0].concat(), None)?;
        }
        Ok(())
    })
    .unwrap();
}

fn node(facility: &Facility) -> NodeId {
    facility.app.place().node
}

fn hand_over(from: &Facility, to: &Facility, class: Class) -> bool {
    from.app.feed_blobs(node(to), class, 1_000).unwrap();
    let messages = from.app.outgoing(node(to), class, 1_000).unwrap();
    for message in &messages {
        to.app.arrive(node(from), class, message.number, &message.bytes).unwrap();
    }
    let got = to.app.arrived_up_to(node(from), class).unwrap();
    from.app.delivered(node(to), class, got).unwrap();
    !messages.is_empty()
}

fn patient(facility: &Facility, id: &str) -> ChartId {
    let here = facility.app.place().organization();
    facility.put(
        id,
        json!({"resourceType": "Patient", "name": [{"text": "리영희"}],
            "managingOrganization": {"reference": here}}),
    );
    ChartId::Patient(ResourceId::new(id).unwrap())
}

fn condition(patient: &str, text: &str) -> Value {
    json!({"resourceType": "Condition", "subject": {"reference": format!("Patient/{patient}")},
        "code": {"text": text}})
}

fn put_as(facility: &Facility, class: Class, id: &str, resource: Value) -> Vec<Entry> {
    let change = DraftChange {
        resource_type: resource["resourceType"].as_str().unwrap().into(),
        id: DraftId::Given(ResourceId::new(id).unwrap()),
        supersedes: vec![],
        chart: None,
        content: DraftContent::Put(resource),
    };
    let draft = Draft {
        class,
        care_time: None,
        author: "".into(),
        typist: "".into(),
        changes: vec![change],
    };
    let app = facility.app.clone();
    ondol_store::transact(facility.store(), move |tx| -> Result<_, ondol_app::AppError> {
        let entries = tx.append(draft, app.now(), false)?;
        ondol_app::road::distribute(&app, tx)?;
        Ok(entries)
    })
    .unwrap()
}

fn consult(facility: &Facility, patient: &str, id: &str) {
    put_as(
        facility,
        Class::Care,
        id,
        json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order",
            "subject": {"reference": format!("Patient/{patient}")},
            "performer": [{"reference": "Organization/specialist"}]}),
    );
}

fn put_aside(facility: &Facility) -> usize {
    let view = facility.store().read().unwrap();
    view.values(Space::Quarantine, b"", None, usize::MAX).unwrap().len()
}

#[test]
fn a_specialist_who_never_heard_of_the_clinic_can_answer_it() {
    let all = Strangers::new();
    patient(all.at("clinic"), "p1");
    consult(all.at("clinic"), "p1", "s1");
    all.carry();
    let specialist = all.at("specialist");
    assert!(specialist.get("ServiceRequest", "s1").is_some());
    specialist.put("a1", condition("p1", "안정"));
    all.carry();
    assert!(all.at("clinic").get("Condition", "a1").is_some());
    for facility in &all.0 {
        let waits =
            facility.app.road_status().unwrap().iter().any(ondol_app::road::PeerStatus::is_waiting);
        assert!(!waits, "{} still has something", facility.seat.id);
        assert_eq!(put_aside(facility), 0, "{}", facility.seat.id);
    }
}

#[test]
fn an_urgent_parcel_that_overtakes_its_senders_certificate_is_believed() {
    let all = Strangers::new();
    let (clinic, county, province) = (all.at("clinic"), all.at("county"), all.at("province"));
    patient(clinic, "p1");
    hand_over(clinic, county, Class::Routine);
    let slow = county.app.outgoing(node(province), Class::Routine, 100).unwrap();
    assert!(!slow.is_empty());
    put_as(clinic, Class::Emergency, "e1", condition("p1", "쇼크"));
    hand_over(clinic, county, Class::Emergency);
    assert!(hand_over(county, province, Class::Emergency));
    assert!(province.get("Condition", "e1").is_some());
    all.carry();
    assert!(province.get("Patient", "p1").is_some());
    assert_eq!(put_aside(province), 0);
}

#[test]
fn entries_whose_origin_is_not_known_yet_wait_for_its_certificate() {
    let all = Strangers::new();
    let (clinic, county, province) = (all.at("clinic"), all.at("county"), all.at("province"));
    patient(clinic, "p1");
    hand_over(clinic, county, Class::Routine);
    let sent = county.app.outgoing(node(province), Class::Routine, 100).unwrap();
    for message in &sent {
        let Ok(Message::Parcel(parcel)) = Message::decode(&message.bytes) else { continue };
        let ends = Between([node(county), node(province)]);
        let parcel = Parcel::decode_with(&parcel, &ends).unwrap();
        let parcel = Parcel { certificates: vec![], ..parcel };
        let bytes = Message::Parcel(parcel.encode()).encode();
        province.app.arrive(node(county), Class::Routine, message.number, &bytes).unwrap();
    }
    assert!(province.get("Patient", "p1").is_none());
    let certificate = clinic.app.own_certificate();
    let message = Message::Certificate(certificate).encode();
    province.app.arrive(node(county), Class::Care, 1, &message).unwrap();
    assert!(province.get("Patient", "p1").is_some());
    assert_eq!(put_aside(province), 0);
}

#[test]
fn the_chart_of_a_facility_goes_up_with_the_parcel_that_introduces_it() {
    let all = Strangers::new();
    all.carry();
    assert!(all.at("ministry").get("Organization", "clinic").is_some());
}

#[test]
fn a_certificate_that_comes_after_the_facilitys_chart_opens_the_way_for_it() {
    let all = Strangers::new();
    forget(all.at("province"), vec![node(all.at("specialist"))]);
    let all = Strangers(all.0.into_iter().map(Facility::restarted).collect());
    let (ministry, province, county) = (all.at("ministry"), all.at("province"), all.at("county"));
    let organization = json!({"resourceType": "Organization", "active": true, "name": "심장병원"});
    ministry.put("specialist", organization);
    hand_over(ministry, province, Class::Routine);
    assert!(province.get("Organization", "specialist").is_some());
    hand_over(province, county, Class::Routine);
    assert!(county.get("Organization", "specialist").is_none());
    province.app.introduced(&all.at("specialist").app.own_certificate()).unwrap();
    hand_over(province, county, Class::Routine);
    assert!(county.get("Organization", "specialist").is_some());
}

fn invitation_to(facility: &str, secret: [u8; 32], above: &Facility) -> Invitation {
    Invitation {
        key: SigningKey::from_bytes(&secret).verifying_key().to_bytes(),
        facility: ResourceId::new(facility).unwrap(),
        tier: Tier::Clinic,
        parent: node(above),
        expires: Millis(i64::MAX),
        signature: [0; 64],
    }
    .signed(&root())
}

fn certificate_of(
    node: NodeId,
    signing_key: [u8; 32],
    holder: &SigningKey,
    invitation: &Invitation,
    secret: [u8; 32],
) -> Certificate {
    Certificate {
        node,
        signing_key,
        link_key: *blake3::hash(&node.0).as_bytes(),
        facility: invitation.facility.clone(),
        tier: invitation.tier,
        parent: Some(invitation.parent),
        issued: Millis(1_000),
        issuer: Issuer::Invitation(invitation.clone()),
        signature: [0; 64],
        possession: [0; 64],
    }
    .signed(&SigningKey::from_bytes(&secret), holder)
}

/// A parcel with one sealed entry of a node that signs with `key`, and its certificate.
fn parcel_of(entry: &Entry, key: &SigningKey, certificate: Certificate) -> Vec<u8> {
    let mut entry = entry.clone();
    entry.address.stream.origin = certificate.node;
    entry.address.number = 1;
    entry.chart_number = 1;
    entry.previous = ondol_record::EntryHash([0; 32]);
    let head = ondol_record::SealedHead {
        chart: entry.chart.clone(),
        chart_number: 1,
        hash: entry.hash(),
    };
    let stream = entry.address.stream;
    let seal = Seal::sign(key, stream, 1, 1, Tree::new(&[head]).root());
    let batches = vec![Batch { seal, entries: vec![entry], paths: None }];
    Message::Parcel(Parcel { certificates: vec![certificate], batches }.encode()).encode()
}

#[test]
fn a_second_node_with_a_used_invitation_is_not_believed() {
    let county = Facility::at("county");
    let template = county.put("c1", condition("p1", "기침")).remove(0);
    let secret = [5; 32];
    let invitation = invitation_to("new", secret, &county);
    for (at, believed) in [(1u8, true), (2, false)] {
        let keys = NodeKeys { signing: SigningKey::from_bytes(&[at; 32]), link: [at; 32] };
        let public = keys.signing.verifying_key().to_bytes();
        let certificate = certificate_of(keys.node(), public, &keys.signing, &invitation, secret);
        let mut entry = template.clone();
        let id = ResourceId::new(&format!("from-{at}")).unwrap();
        entry.changes[0].id = id;
        let bytes = parcel_of(&entry, &keys.signing, certificate);
        county.app.arrive(node(&county), Class::Care, u64::from(at), &bytes).unwrap();
        assert_eq!(county.get("Condition", &format!("from-{at}")).is_some(), believed, "{at}");
    }
}

#[test]
fn an_invitation_cannot_take_over_a_node_that_exists() {
    let county = Facility::at("county");
    let nation = county.app.nation();
    let secret = [5; 32];
    let invitation = invitation_to("new", secret, &county);
    let victim = SEATS.iter().find(|seat| seat.id == "province").unwrap().node();
    let known = nation.node(&victim).unwrap().certificate.clone();
    let own = SigningKey::from_bytes(&[3; 32]);
    let own_key = own.verifying_key().to_bytes();
    for signing_key in [known.signing_key, own_key] {
        let forged = certificate_of(victim, signing_key, &own, &invitation, secret);
        county.app.introduced(&forged.to_bytes()).unwrap();
        assert_eq!(county.app.nation().node(&victim).unwrap().certificate, known);
    }
    // Nor, once more, a node that is not known here yet: its key is not held by who asks.
    let unknown = SigningKey::from_bytes(&[33; 32]).verifying_key().to_bytes();
    let stolen = certificate_of(NodeId::of_key(&unknown), unknown, &own, &invitation, secret);
    assert!(!county.app.introduced(&stolen.to_bytes()).unwrap());
    assert!(county.app.nation().node(&NodeId::of_key(&unknown)).is_none());
    // Nor a link key that is another's: what the other sends would pass for the thief's.
    let mut borrowed = certificate_of(NodeId::of_key(&own_key), own_key, &own, &invitation, secret);
    borrowed.link_key = known.link_key;
    let borrowed = borrowed.signed(&SigningKey::from_bytes(&secret), &own);
    assert!(!county.app.introduced(&borrowed.to_bytes()).unwrap());
    // Nor one of which whoever shows it does not hold the link key.
    let honest = certificate_of(NodeId::of_key(&own_key), own_key, &own, &invitation, secret);
    assert!(!county.app.introduced_by(&[9; 32], &honest.to_bytes()).unwrap());
    // Nor a name that is not its own key's.
    let forged = certificate_of(NodeId([8; 16]), own_key, &own, &invitation, secret);
    assert!(!county.app.introduced(&forged.to_bytes()).unwrap());
    assert!(county.app.introduced_by(&honest.link_key, &honest.to_bytes()).unwrap());
}

/// Text that does not compress below three quarters.
fn noise(bytes: usize, seed: u8) -> String {
    let mut raw = vec![0; bytes / 2];
    blake3::Hasher::new_keyed(&[seed; 32]).finalize_xof().fill(&mut raw);
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    raw.iter().map(|b| char::from(letters[usize::from(b & 63)])).collect()
}

#[test]
fn large_entries_travel_in_messages_that_carriers_take() {
    let country = support::Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let chart = patient(clinic, "p1");
    for at in 0..40u8 {
        let text = noise(600_000, at);
        clinic.put(&format!("c{at}"), condition("p1", &text));
    }
    for class in Class::ALL {
        for message in clinic.app.outgoing(node(county), class, 1_000).unwrap() {
            assert!(message.bytes.len() <= MESSAGE_BYTES_MAX);
        }
    }
    country.carry();
    assert_eq!(county.all(&chart, "Condition").len(), 40);
}

#[test]
fn each_entry_goes_to_a_neighbour_once() {
    let country = support::Country::new();
    let clinic = country.clinic();
    patient(clinic, "p1");
    patient(clinic, "p2");
    for at in 0..200 {
        let whose = ["p1", "p2"][at % 2];
        clinic.put(&format!("c{at}"), condition(whose, "기침"));
    }
    let sent = clinic.app.outgoing(node(country.county()), Class::Routine, 100).unwrap();
    let mut entries = 0;
    for message in &sent {
        let Ok(Message::Parcel(parcel)) = Message::decode(&message.bytes) else { continue };
        let ends = Between([node(clinic), node(country.county())]);
        let parcel = Parcel::decode_with(&parcel, &ends).unwrap();
        entries += parcel.batches.iter().map(|batch| batch.entries.len()).sum::<usize>();
    }
    assert!((200..=206).contains(&entries), "{entries}");
    let status = clinic.app.road_status().unwrap();
    assert!(status.iter().all(|peer| peer.classes.iter().all(|c| c.entries_queued == 0)));
}

#[test]
fn a_receipt_counts_only_from_where_its_sender_is_reached() {
    let country = support::Country::new();
    let (county, province) = (country.county(), country.province());
    patient(country.clinic(), "p1");
    consult(country.clinic(), "p1", "s1");
    country.carry_but(&["ministry"]);
    let specialist = node(country.specialist());
    // It is on its way, and not yet at the ministry.
    province.app.outgoing(node(country.ministry()), Class::Care, 100).unwrap();
    let waits = || province.app.is_waiting_for(&specialist, Class::Care).unwrap();
    assert!(waits());
    // Even if the proof is the specialist's own.
    let receipt = Receipt {
        from: specialist,
        to: node(province),
        class: Class::Care,
        epoch: province.app.own_epoch().unwrap(),
        up_to: u64::MAX,
    };
    let key = country.specialist().seat.keys().link;
    let forged = receipt.prove(&province.seat.link_public(), &key, &[1; 32]).unwrap();
    let number = province.app.arrived_up_to(node(county), Class::Care).unwrap() + 1;
    province.app.arrive(node(county), Class::Care, number, &forged.encode()).unwrap();
    assert!(waits());
}

#[test]
fn what_is_relayed_again_does_not_pile_up() {
    let country = support::Country::new();
    let (province, ministry) = (country.province(), country.ministry());
    patient(country.clinic(), "p1");
    consult(country.clinic(), "p1", "s1");
    country.carry_but(&["ministry"]);
    let waiting = |facility: &Facility, to: &Facility| -> u64 {
        let status = facility.app.road_status().unwrap();
        let peer = status.iter().find(|peer| peer.node == node(to)).unwrap();
        peer.classes.iter().map(|class| class.messages_waiting).sum()
    };
    let first: usize = Class::ALL
        .iter()
        .map(|class| province.app.outgoing(node(ministry), *class, 1_000).unwrap().len())
        .sum();
    for _ in 0..24 {
        province.app.relay_again().unwrap();
    }
    assert_eq!(waiting(province, ministry), first as u64);
    // The province reaches the ministry; the specialist stays away for a day.
    country.carry_but(&["specialist"]);
    let relayed = waiting(ministry, country.specialist());
    for _ in 0..24 {
        province.app.relay_again().unwrap();
        country.carry_but(&["specialist"]);
    }
    assert_eq!(waiting(ministry, country.specialist()), relayed);
    country.carry();
    assert!(country.specialist().get("ServiceRequest", "s1").is_some());
}

#[test]
fn pictures_that_are_not_here_hold_up_none_that_are() {
    let country = support::Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let here = clinic.app.keep_blob(&[7; 9_000]).unwrap();
    for at in 0..40u8 {
        county.app.want_blob([at; 32], Class::Care).unwrap();
    }
    county.app.want_blob(here, Class::Care).unwrap();
    country.carry();
    assert_eq!(county.app.blob(&here).unwrap().unwrap(), vec![7; 9_000]);
}

#[test]
fn parts_of_a_picture_that_overtake_each_other_still_make_it() {
    let country = support::Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let hash = clinic.app.keep_blob(&vec![7; 20_000]).unwrap();
    county.app.want_blob(hash, Class::Care).unwrap();
    hand_over(county, clinic, Class::Care);
    clinic.app.feed_blobs(node(county), Class::Care, 100).unwrap();
    let parts = clinic.app.outgoing(node(county), Class::Care, 100).unwrap();
    assert!(parts.len() > 3);
    for part in parts.iter().rev() {
        county.app.arrive(node(clinic), Class::Care, part.number, &part.bytes).unwrap();
    }
    country.carry();
    assert_eq!(county.app.blob(&hash).unwrap().unwrap(), vec![7; 20_000]);
}

#[test]
fn a_picture_that_nobody_has_is_asked_for_once_on_each_way() {
    let country = support::Country::new();
    let county = country.county();
    let ask = Message::BlobWanted { hash: [1; 32], from: 0 }.encode();
    let up = node(country.province());
    let sent = || county.app.outgoing(up, Class::Care, 100).unwrap().len();
    let before = sent();
    for number in 1..=5 {
        county.app.arrive(node(country.clinic()), Class::Care, number, &ask).unwrap();
    }
    assert_eq!(sent(), before + 1);
}

#[test]
fn numbers_that_a_neighbour_will_never_send_again_are_not_waited_for() {
    let country = support::Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    patient(clinic, "p1");
    let actor = Actor::node(node(clinic), "node");
    let stick = clinic.app.stick_for(&actor, node(county)).unwrap();
    let reader = Actor::node(node(county), "node");
    county.app.stick_in(&reader, &[&stick.bytes]).unwrap();
    let got = county.app.arrived_up_to(node(clinic), Class::Routine).unwrap();
    assert!(got > 0);
    clinic.app.delivered(node(county), Class::Routine, got).unwrap();
    // Now they meet on a link for the first time, and the clinic tells its epoch.
    county.app.renumbered(node(clinic), 2).unwrap();
    clinic.put("c1", condition("p1", "기침"));
    let next = clinic.app.outgoing(node(county), Class::Routine, 10).unwrap();
    county.app.skipped(node(clinic), Class::Routine, next[0].number).unwrap();
    for message in &next {
        let arrival =
            county.app.arrive(node(clinic), Class::Routine, message.number, &message.bytes);
        assert_eq!(arrival.unwrap(), Arrival::Done);
    }
    let last = next.last().unwrap().number;
    assert_eq!(county.app.arrived_up_to(node(clinic), Class::Routine).unwrap(), last);
}

#[test]
fn what_came_with_an_entry_that_waits_is_handed_on() {
    let country = support::Country::new();
    let (clinic, county, province) = (country.clinic(), country.county(), country.province());
    patient(clinic, "p1");
    country.carry_but(&["county"]);
    let early = clinic.app.outgoing(node(county), Class::Routine, 100).unwrap();
    clinic.put("c1", condition("p1", "기침"));
    patient(clinic, "p2");
    let late = clinic.app.outgoing(node(county), Class::Routine, 100).unwrap();
    let deliver = |message: &ondol_app::road::Outgoing| {
        let (class, number) = (message.class, message.number);
        county.app.arrive(node(clinic), class, number, &message.bytes).unwrap();
    };
    late.iter().filter(|message| !early.contains(message)).for_each(deliver);
    assert!(county.get("Patient", "p2").is_some() && county.get("Condition", "c1").is_none());
    hand_over(county, province, Class::Routine);
    assert!(province.get("Patient", "p2").is_some());
    country.carry();
    assert!(province.get("Condition", "c1").is_some());
}

/// The facility that is asked was never heard of anywhere but at the specialist hospital itself.
#[test]
fn a_case_for_a_facility_whose_certificate_comes_later_is_led_on_when_it_comes() {
    let all = Strangers::new();
    let specialist = node(all.at("specialist"));
    for id in ["clinic", "county", "province", "ministry"] {
        forget(all.at(id), vec![specialist]);
    }
    let all = Strangers(all.0.into_iter().map(Facility::restarted).collect());
    patient(all.at("clinic"), "p1");
    consult(all.at("clinic"), "p1", "s1");
    all.carry_without("specialist");
    assert!(all.at("province").get("ServiceRequest", "s1").is_some());
    assert!(all.at("specialist").get("ServiceRequest", "s1").is_none());
    assert!(all.at("province").app.nation().node(&specialist).is_none());
    // What the hospital writes in its own chart brings its certificate.
    all.carry();
    assert!(all.at("specialist").get("ServiceRequest", "s1").is_some());
    assert!(all.at("specialist").get("Patient", "p1").is_some());
    assert!(all.at("ministry").get("Patient", "p1").is_none());
    for facility in &all.0 {
        let view = facility.store().read().unwrap();
        let notes = view.values(Space::Peer, b"asked/", None, usize::MAX).unwrap();
        assert!(notes.is_empty(), "{} still waits for the way", facility.seat.id);
    }
}

#[test]
fn a_preview_is_never_in_the_way_of_an_emergency() {
    let country = support::Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    patient(clinic, "p1");
    country.carry();
    let preview = clinic.app.keep_blob(&vec![1; 30_000]).unwrap();
    let original = clinic.app.keep_blob(&vec![2; 200_000]).unwrap();
    let media = |id: &str| {
        put_as(
            clinic,
            Class::Emergency,
            id,
            json!({"resourceType": "Media", "status": "completed",
            "subject": {"reference": "Patient/p1"},
            "content": {"contentType": "image/jpeg", "url": ondol_app::road::url_of(&original),
                "extension": [{"url": ondol_app::road::PREVIEW, "valueAttachment":
                    {"contentType": "image/jpeg", "url": ondol_app::road::url_of(&preview)}}]}}),
        );
    };
    media("m1");
    assert!(!clinic.app.feed_blobs(node(county), Class::Emergency, 100).unwrap());
    let urgent = clinic.app.outgoing(node(county), Class::Emergency, 100).unwrap();
    let bytes: usize = urgent.iter().map(|message| message.bytes.len()).sum();
    // At 9.6 kbit/s a second is 1,200 bytes.
    assert!(!urgent.is_empty() && bytes < 1_200, "{bytes} bytes");
    assert!(clinic.app.feed_blobs(node(county), Class::Care, 100).unwrap());
    country.carry();
    assert_eq!(county.app.blob(&preview).unwrap().unwrap(), vec![1; 30_000]);
}
