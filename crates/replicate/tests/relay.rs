//! What is relayed: what stands outside is what was sealed inside, and a receipt is its maker's
//! own. These bytes are final (ADR 0009).

use ondol_kernel::{Class, NodeId, bytes::to_hex};
use ondol_replicate::{
    link::public_key,
    message::Message,
    relay::{Envelope, Receipt},
    sealed::BadSealed,
};
use proptest::prelude::*;

const FROM: [u8; 32] = [0x11; 32];
const TO: [u8; 32] = [0x22; 32];
const MIDDLE: [u8; 32] = [0x33; 32];

fn public(private: &[u8; 32]) -> [u8; 32] {
    public_key(private).unwrap()
}

fn envelope() -> Envelope {
    let (from, to) = (NodeId([1; 16]), NodeId([2; 16]));
    Envelope { from, to, class: Class::Emergency, epoch: 3, number: 300, first: 298 }
}

fn receipt() -> Receipt {
    let (from, to) = (NodeId([2; 16]), NodeId([1; 16]));
    Receipt { from, to, class: Class::Emergency, epoch: 3, up_to: 300 }
}

fn relayed() -> Message {
    envelope().seal(&public(&TO), &FROM, b"for the specialist", &[5; 32]).unwrap()
}

fn receipted() -> Message {
    receipt().prove(&public(&FROM), &TO, &[6; 32]).unwrap()
}

#[test]
fn an_envelope_stays_as_it_is() {
    let bytes = relayed().encode();
    let head = [
        "01",                               // relay
        "01010101010101010101010101010101", // from
        "02020202020202020202020202020202", // to
        "00",                               // emergency
        "03",                               // epoch
        "ac02",                             // number 300
        "aa02",                             // the first that is kept, 298
        "01",                               // a sealed piece of format 1
    ];
    assert_eq!(to_hex(&bytes[..40]), head.concat());
    assert_eq!(bytes.len(), 39 + 114 + 18);
    assert_eq!(
        blake3::hash(&bytes).to_hex().as_str(),
        "c352d1213160f01be4807065c0927b1a94147de9f589219edd3ca17cde16204a"
    );
}

#[test]
fn a_receipt_stays_as_it_is() {
    let bytes = receipted().encode();
    let head = [
        "02",                               // receipt
        "02020202020202020202020202020202", // who has it
        "01010101010101010101010101010101", // who sent it
        "00",                               // emergency
        "03",                               // epoch
        "ac02",                             // up to 300
        "01",                               // a sealed piece of format 1
    ];
    assert_eq!(to_hex(&bytes[..38]), head.concat());
    assert_eq!(bytes.len(), 37 + 114);
    assert_eq!(
        blake3::hash(&bytes).to_hex().as_str(),
        "ea054412fb1135abecc815d3f0ef1c5f765ae3745d0e974e736ebdf654c5669e"
    );
}

/// A relayed piece opened with a library of Noise and ADR 0009 alone.
#[test]
fn the_outside_is_the_context_of_the_inside() {
    let bytes = relayed().encode();
    let (head, sealed) = bytes.split_at(39);
    let prologue = [b"ondol sealed 1", head].concat();
    let mut handshake = snow::Builder::new("Noise_X_25519_ChaChaPoly_BLAKE2s".parse().unwrap())
        .local_private_key(&TO)
        .and_then(|builder| builder.prologue(&prologue))
        .and_then(snow::Builder::build_responder)
        .unwrap();
    handshake.read_message(&sealed[1..97], &mut [0; 16]).unwrap();
    assert_eq!(handshake.get_remote_static(), Some(&public(&FROM)[..]));
    let mut plain = [0; 19];
    handshake.into_transport_mode().unwrap().read_message(&sealed[97..], &mut plain).unwrap();
    assert_eq!(&plain, b"\x01for the specialist");
}

#[test]
fn who_opens_learns_who_sealed() {
    let Message::Relay { envelope, sealed } = relayed() else { panic!() };
    let opened = envelope.open(&TO, &sealed).unwrap();
    assert_eq!(opened, (public(&FROM), b"for the specialist".to_vec()));
    let Message::RelayDone { receipt, proof } = receipted() else { panic!() };
    assert_eq!(receipt.proved_by(&FROM, &proof), Ok(public(&TO)));
}

#[test]
fn a_node_on_the_way_cannot_alter_what_it_passes_on() {
    let bytes = relayed().encode();
    for at in 1..bytes.len() {
        for bit in 0..8 {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << bit;
            let Ok(Message::Relay { envelope, sealed }) = Message::decode(&altered) else {
                continue;
            };
            assert!(envelope.open(&TO, &sealed).is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn a_receipt_that_somebody_on_the_way_makes_or_alters_proves_nothing() {
    let bytes = receipted().encode();
    for at in 1..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 0x10;
        let Ok(Message::RelayDone { receipt, proof }) = Message::decode(&altered) else {
            continue;
        };
        assert_ne!(receipt.proved_by(&FROM, &proof), Ok(public(&TO)), "byte {at}");
    }
    let forged = receipt().prove(&public(&FROM), &MIDDLE, &[6; 32]).unwrap();
    let Message::RelayDone { receipt: named, proof } = forged else { panic!() };
    assert_eq!(named.proved_by(&FROM, &proof), Ok(public(&MIDDLE)));
    // Nor does the proof of one receipt, or a relayed message, serve for another.
    let Message::RelayDone { proof, .. } = receipted() else { panic!() };
    let more = Receipt { up_to: 301, ..receipt() };
    assert_eq!(more.proved_by(&FROM, &proof), Err(BadSealed::NotOpened));
    let later = Receipt { epoch: 4, ..receipt() };
    assert_eq!(later.proved_by(&FROM, &proof), Err(BadSealed::NotOpened));
}

proptest! {
    #[test]
    fn what_is_sealed_is_opened(plain: Vec<u8>, epoch: u64, number: u64, first: u64) {
        let envelope = Envelope { epoch, number, first, ..envelope() };
        let message = envelope.seal(&public(&TO), &FROM, &plain, &[1; 32]).unwrap();
        let again = Message::decode(&message.encode()).unwrap();
        prop_assert_eq!(&again, &message);
        let Message::Relay { envelope: read, sealed } = again else { panic!() };
        prop_assert_eq!(read, envelope);
        prop_assert_eq!(read.open(&TO, &sealed), Ok((public(&FROM), plain)));
    }
}
