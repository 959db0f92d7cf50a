//! The formats, byte for byte. A change here breaks every record that exists: it needs a new
//! format number, and the old one still has to be read (ADR 0002 to 0004).

use ed25519_dalek::SigningKey;
use ondol_kernel::{Class, Hlc, Millis, NodeId, ResourceId, bytes::to_hex};
use ondol_record::{
    Body, Certificate, Change, ChartId, Entry, EntryHash, Invitation, Revocation, Seal, SealedHead,
    Stream,
    certificate::{BadCertificate, Issuer, Tier},
    entry::{Content, derive_id, derive_version},
    placement::{BadPlacement, Placement},
    revocation::{BadRevocation, Trusted, Why},
    seal::Tree,
};
use serde_json::json;

fn stream() -> Stream {
    let key = SigningKey::from_bytes(&[1; 32]);
    let origin = NodeId::of_key(&key.verifying_key().to_bytes());
    Stream { origin, incarnation: 3, class: Class::Care }
}

fn hlc() -> Hlc {
    Hlc::at(Millis(1_767_225_600_000))
}

fn entry() -> Entry {
    let address = stream().at(300);
    let body = json!({"resourceType": "Observation", "id": "x", "meta": {"versionId": "1",
        "tag": [{"code": "t"}]}, "status": "final", "note": [{"text": "열"}]});
    Entry {
        address,
        chart: ChartId::Patient(derive_id(&stream().at(1), hlc(), 0)),
        chart_number: 1,
        previous: EntryHash::NONE,
        hlc: hlc(),
        clock_doubtful: true,
        care_time: Some(Millis(1_767_222_000_000)),
        author: "Practitioner/a".into(),
        typist: "".into(),
        group: None,
        changes: vec![
            Change {
                resource_type: "Observation".into(),
                id: derive_id(&address, hlc(), 0),
                id_is_derived: true,
                supersedes: vec![],
                content: Content::Put(Body::of(&body).unwrap()),
            },
            Change {
                resource_type: "Condition".into(),
                id: ResourceId::new("given-1").unwrap(),
                id_is_derived: false,
                supersedes: vec![derive_version(&address, hlc(), 9)],
                content: Content::Retract("wrong person".into()),
            },
        ],
    }
}

#[test]
fn ids() {
    assert_eq!(stream().origin.to_string(), "9b8f0a08b1813defd58d4f8efb8e6b10");
    assert_eq!(
        derive_id(&stream().at(300), hlc(), 2).as_str(),
        "04f19a01-abb7-85d2-97d8-623ae82ccf32"
    );
    assert_eq!(derive_version(&stream().at(300), hlc(), 2).to_string(), "784ddeedb5315a0a");
}

#[test]
fn entry_bytes() {
    let bytes = entry().to_bytes();
    assert_eq!(
        to_hex(&bytes),
        "019b8f0a08b1813defd58d4f8efb8e6b100301ac02002432616466383562652d326161622d386131322d393864612d336363363932656531306439010000000000000000000000000000000000000000000000000000000000000000808080c0aadbddcd01010180b9a3769b0100000e50726163746974696f6e65722f610000000002000b4f62736572766174696f6e0000487b226d657461223a7b22746167223a5b7b22636f6465223a2274227d5d7d2c22737461747573223a2266696e616c222c226e6f7465223a5b7b2274657874223a22ec97b4227d5d7d0109436f6e646974696f6e0107676976656e2d3101fb9f28ad030c20ed0c77726f6e6720706572736f6e"
    );
    assert_eq!(
        to_hex(&entry().hash().0),
        "870a8ad9b4744204c6d4f078e9a47333e527e69b6b2f7371f9deb5bc9cc404a1"
    );
    assert_eq!(Entry::from_bytes(&bytes).unwrap(), entry());
}

#[test]
fn every_shortened_or_lengthened_entry_is_refused() {
    let bytes = entry().to_bytes();
    for end in 0..bytes.len() {
        assert!(Entry::from_bytes(&bytes[..end]).is_err(), "{end}");
    }
    assert!(Entry::from_bytes(&[bytes.as_slice(), &[0]].concat()).is_err());
}

#[test]
fn seal_bytes() {
    let head = |name: &str, byte| SealedHead {
        chart: ChartId::Facility(ResourceId::new(name).unwrap()),
        chart_number: 5,
        hash: EntryHash([byte; 32]),
    };
    let heads = [head("b", 2), head("a", 1), head("c", 3)];
    let root = Tree::new(&heads).root();
    assert_eq!(to_hex(&root), "f20816e56f0b79351c46eaa225aa2584f48529df5e4c2581a63ef0a2dc7a4a77");
    let seal = Seal::sign(&SigningKey::from_bytes(&[1; 32]), stream(), 10, 12, root);
    let mut bytes = vec![];
    seal.put(&mut bytes);
    assert_eq!(
        to_hex(&bytes),
        "9b8f0a08b1813defd58d4f8efb8e6b1003010a0cf20816e56f0b79351c46eaa225aa2584f48529df5e4c2581a63ef0a2dc7a4a771d98d44660fbd27257ec2ef8eae214c846a97e152a19e32d84eeeebd91abda608e4ae0d79df0830bc6d60dd1bc1d728f7e626539f58f0726662aa3455631b402"
    );
}

/// The key of the node that the certificates are for.
fn own() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn certificate(issuer: Issuer) -> Certificate {
    Certificate {
        node: stream().origin,
        signing_key: SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes(),
        link_key: [4; 32],
        facility: ResourceId::new("clinic-1").unwrap(),
        tier: Tier::Clinic,
        parent: Some(NodeId([5; 16])),
        issued: Millis(1_767_225_600_000),
        issuer,
        signature: [0; 64],
        possession: [0; 64],
    }
}

#[test]
fn certificate_bytes() {
    let root = SigningKey::from_bytes(&[8; 32]);
    let signed = certificate(Issuer::Root).signed(&root, &own());
    assert_eq!(
        to_hex(&signed.to_bytes()),
        "6f6e646f6c206365727469666963617465019b8f0a08b1813defd58d4f8efb8e6b108a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c040404040404040404040404040404040404040404040404040404040404040408636c696e69632d3100010505050505050505050505050505050500a8da769b01000000b6185dfcfb0150e76cba4ac315d81a568358243cd41af0b229e8d25b17c17e217cd3222e9f896a169d1af20d8137f9f7af30a123feea90348a762d13a333380ef622878d16512f0da19ad76e17bd6f5ae81f0712262aace86439a3f06bc9d11235faa50a077d5f8c15df1012141c720e4365d761a606cddcfc45f88d3382100f"
    );
    let read = Certificate::from_bytes(&signed.to_bytes()).unwrap();
    assert_eq!(read, signed);
    assert!(read.check(&root.verifying_key()).is_ok());
    let mut forged = read;
    forged.tier = Tier::Ministry;
    assert_eq!(forged.check(&root.verifying_key()), Err(BadCertificate::Signature));
}

#[test]
fn an_invited_node_signs_its_own_certificate() {
    let root = SigningKey::from_bytes(&[8; 32]);
    let once = SigningKey::from_bytes(&[6; 32]);
    let invitation = Invitation {
        key: once.verifying_key().to_bytes(),
        facility: ResourceId::new("clinic-1").unwrap(),
        tier: Tier::Clinic,
        parent: NodeId([5; 16]),
        expires: Millis(1_767_225_600_000),
        signature: [0; 64],
    }
    .signed(&root);
    let signed = certificate(Issuer::Invitation(invitation)).signed(&once, &own());
    assert_eq!(
        to_hex(&signed.to_bytes()),
        "6f6e646f6c206365727469666963617465019b8f0a08b1813defd58d4f8efb8e6b108a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c040404040404040404040404040404040404040404040404040404040404040408636c696e69632d3100010505050505050505050505050505050500a8da769b010000016f6e646f6c20696e7669746174696f6e018a875fff1eb38451577acd5afee405456568dd7c89e090863a0557bc7af49f1708636c696e69632d31000505050505050505050505050505050500a8da769b01000057f507f033dd5f61c009f3981faabde42744501485137949888fe237235007d15cdbf4ecdb24e92417edcda05c661209a9637e61b4d14feb54ba5a041515960fb946ca89856a3b7d737239b90a2de136735d07613b6ec27409a46284586cb8471c316cc171885ee3261e5908cfec036011b8cd43397926606e414bee08c66b0cd99bfa56714699a9bc5177e62fdc2322d6602d41c0808ff393ade54069fe1521b1ea3b872e6639cb5c9c539c2b5b0b66f693b9edb16e47a61d510244f945a103"
    );
    assert_eq!(Certificate::from_bytes(&signed.to_bytes()).unwrap(), signed);
    assert!(signed.check(&root.verifying_key()).is_ok());
    let elsewhere = Certificate { tier: Tier::County, ..signed.clone() }.signed(&once, &own());
    assert_eq!(elsewhere.check(&root.verifying_key()), Err(BadCertificate::Invitation));
    let late =
        Certificate { issued: Millis(1_767_225_600_001), ..signed.clone() }.signed(&once, &own());
    assert_eq!(late.check(&root.verifying_key()), Err(BadCertificate::Invitation));
    let other_nation = SigningKey::from_bytes(&[9; 32]);
    assert_eq!(signed.check(&other_nation.verifying_key()), Err(BadCertificate::Signature));
}

/// Whoever copies the public key of another, with an invitation of their own, gets nothing.
#[test]
fn a_certificate_for_a_key_that_its_asker_does_not_hold_is_refused() {
    let root = SigningKey::from_bytes(&[8; 32]);
    let thief = SigningKey::from_bytes(&[66; 32]);
    let stolen = certificate(Issuer::Root).signed(&root, &thief);
    assert_eq!(stolen.check(&root.verifying_key()), Err(BadCertificate::Possession));
    // Nor does the proof of a certificate that was seen serve for another.
    let seen = certificate(Issuer::Root).signed(&root, &own());
    let mut other = Certificate { link_key: [9; 32], ..seen.clone() }.signed(&root, &thief);
    other.possession = seen.possession;
    assert_eq!(other.check(&root.verifying_key()), Err(BadCertificate::Possession));
    // Nor a seal, nor anything else that the key signed.
    other.possession = other.signature;
    assert_eq!(other.check(&root.verifying_key()), Err(BadCertificate::Possession));
}

/// A revocation that trusts two incarnations in part (ADR 0026).
fn revocation() -> Revocation {
    Revocation {
        node: stream().origin,
        at: Millis(1_767_225_600_000),
        why: Why::Stolen,
        trusted: Trusted::from([(3, [2, 300, 70_000, 0]), (0, [0, 0, 0, 9]), (1, [0; 4])]),
        signature: [0; 64],
    }
}

#[test]
fn revocation_bytes() {
    let root = SigningKey::from_bytes(&[8; 32]);
    let signed = revocation().signed(&root);
    assert_eq!(
        to_hex(&signed.to_bytes()),
        "6f6e646f6c207265766f636174696f6e019b8f0a08b1813defd58d4f8efb8e6b1000a8da769b010000000200000000090302ac02f0a2040009d106f138d9e6ad8822e757891638f7a7f219a450162c2fdd09c0e9c62fabb2a0ebdbd41f184651369d2ccd1f2149b5eec7b170102d61b7b7022127194c7903"
    );
    assert_eq!(signed.trusted.len(), 2, "a row that trusts nothing is not written");
    let read = Revocation::from_bytes(&signed.to_bytes()).unwrap();
    assert_eq!(read, signed);
    assert!(read.check(&root.verifying_key()).is_ok());
    let of = |incarnation, class| Stream { incarnation, class, ..stream() };
    assert_eq!(read.last(&of(3, Class::Care)), 300);
    assert_eq!(read.last(&of(0, Class::Bulk)), 9);
    assert_eq!(read.last(&of(1, Class::Emergency)), 0);
    let other_nation = SigningKey::from_bytes(&[9; 32]);
    assert_eq!(read.check(&other_nation.verifying_key()), Err(BadRevocation::Signature));
    let mut forged = read;
    forged.trusted.insert(3, [2, 301, 70_000, 0]);
    assert_eq!(forged.check(&root.verifying_key()), Err(BadRevocation::Signature));
}

#[test]
fn a_revocation_has_one_form_only() {
    let root = SigningKey::from_bytes(&[8; 32]);
    let bytes = revocation().signed(&root).to_bytes();
    for end in 0..bytes.len() {
        assert!(Revocation::from_bytes(&bytes[..end]).is_err(), "{end}");
    }
    assert!(Revocation::from_bytes(&[bytes.as_slice(), &[0]].concat()).is_err());
    // Magic, format, node, time, reason, count; then the row of incarnation 0, five bytes.
    let rows = 16 + 1 + 16 + 8 + 1 + 1;
    let mut nothing = bytes.clone();
    nothing[rows + 4] = 0;
    assert!(Revocation::from_bytes(&nothing).is_err(), "a row that trusts nothing");
    let mut turned = bytes.clone();
    turned[rows] = 7;
    assert!(Revocation::from_bytes(&turned).is_err(), "rows out of order");
    let mut unknown = bytes;
    unknown[rows - 2] = 4;
    assert!(Revocation::from_bytes(&unknown).is_err(), "an unknown reason");
}

/// Every text of a number that JSON knows stays as it was written (ADR 0002).
#[test]
fn numbers_keep_their_text() {
    let body = Body::from_canonical(r#"{"a":1E5,"b":-0,"c":1.50,"d":1e+05}"#).unwrap();
    let mut written = entry();
    written.changes[0].content = Content::Put(body);
    let bytes = written.to_bytes();
    let text = to_hex(br#"{"a":1E5,"b":-0,"c":1.50,"d":1e+05}"#);
    assert!(to_hex(&bytes).contains(&["23", &text].concat()));
    assert_eq!(Entry::from_bytes(&bytes).unwrap(), written);
}

fn placement() -> Placement {
    Placement {
        node: stream().origin,
        parent: NodeId([5; 16]),
        at: Millis(1_767_225_600_000),
        address: "hospital.example:7464".into(),
        signature: [0; 64],
    }
}

#[test]
fn placement_bytes() {
    let root = SigningKey::from_bytes(&[8; 32]);
    let signed = placement().signed(&root);
    assert_eq!(
        to_hex(&signed.to_bytes()),
        "6f6e646f6c20706c6163656d656e74019b8f0a08b1813defd58d4f8efb8e6b100505050505050505050505050505050500a8da769b01000015686f73706974616c2e6578616d706c653a373436349460db1a95279d6c906456a763dfd857abe9bb984c726071bd2682304d9f5af2e94cdc5318b1629ab6ed213be6f0f476afaf151dd476c04f4cf713e951f3880a"
    );
    let (read, certificate) = Placement::read(&signed.to_bytes()).unwrap();
    assert_eq!((&read, certificate), (&signed, None));
    assert!(read.check(&root.verifying_key()).is_ok());
    let other_nation = SigningKey::from_bytes(&[9; 32]);
    assert_eq!(read.check(&other_nation.verifying_key()), Err(BadPlacement::Signature));
    let forged = Placement { parent: NodeId([6; 16]), ..read.clone() };
    assert_eq!(forged.check(&root.verifying_key()), Err(BadPlacement::Signature));
    let forged = Placement { address: "thief.example:7464".into(), ..read.clone() };
    assert_eq!(forged.check(&root.verifying_key()), Err(BadPlacement::Signature));
    for length in 0..signed.to_bytes().len() {
        assert!(Placement::read(&signed.to_bytes()[..length]).is_err(), "{length}");
    }
}

#[test]
fn the_latest_placement_counts_whatever_came_first() {
    let root = SigningKey::from_bytes(&[8; 32]);
    let one = placement().signed(&root);
    let later = Placement { at: Millis(one.at.0 + 1), ..placement() }.signed(&root);
    let other = Placement { parent: NodeId([4; 16]), ..placement() }.signed(&root);
    assert!(later.counts_before(&one) && !one.counts_before(&later));
    assert!(one.counts_before(&other) != other.counts_before(&one));
    assert!(!one.counts_before(&one));
}
