//! What several may open, and nobody else.

use proptest::prelude::*;
use snow::{
    params::DHChoice,
    resolvers::{CryptoResolver as _, DefaultResolver},
};

use super::*;

fn public(private: &[u8; 32]) -> [u8; 32] {
    let mut dh = DefaultResolver.resolve_dh(&DHChoice::Curve25519).unwrap();
    dh.set(private);
    dh.pubkey().try_into().unwrap()
}

const CLINIC: [u8; 32] = [1; 32];
const HOSPITAL: [u8; 32] = [2; 32];
const STRANGER: [u8; 32] = [3; 32];

fn piece(plain: &[u8]) -> Vec<u8> {
    let readers = [public(&CLINIC), public(&HOSPITAL), public(&CLINIC)];
    seal_for(&readers, &CLINIC, b"chart", plain, &[9; 32]).unwrap()
}

#[test]
fn those_who_were_named_open_it_and_learn_who_sealed_it() {
    let piece = piece(b"what was said");
    for mine in [&CLINIC, &HOSPITAL] {
        let (sender, plain) = open_for(mine, b"chart", &piece).unwrap();
        assert_eq!((sender, plain.as_slice()), (public(&CLINIC), b"what was said".as_slice()));
    }
    assert_eq!(open_for(&STRANGER, b"chart", &piece), Err(BadSealed::NotOpened));
    assert_eq!(open_for(&CLINIC, b"another chart", &piece), Err(BadSealed::NotOpened));
}

#[test]
fn neither_what_was_said_nor_to_whom_nor_how_long_it_was_can_be_seen() {
    let short = piece(b"HIV");
    let longer = piece("가나다라마바사".repeat(8).as_bytes());
    assert_eq!(short.len(), longer.len());
    let keys = [public(&CLINIC), public(&HOSPITAL)];
    for key in &keys {
        assert!(!short.windows(32).any(|window| window == key));
    }
    let one = seal_for(&[keys[0], keys[1]], &CLINIC, b"", b"x", &[7; 32]).unwrap();
    let other = seal_for(&[keys[1], keys[0]], &CLINIC, b"", b"x", &[7; 32]).unwrap();
    assert_eq!(one, other, "the order in which readers were named shows");
}

#[test]
fn too_many_readers_none_and_too_much_are_refused() {
    let none = seal_for(&[], &CLINIC, b"", b"x", &[9; 32]);
    assert_eq!(none, Err(CannotSeal::Readers { count: 0 }));
    let many: Vec<[u8; 32]> = (0..17).map(|n| public(&[n + 1; 32])).collect();
    let many = seal_for(&many, &CLINIC, b"", b"x", &[9; 32]);
    assert_eq!(many, Err(CannotSeal::Readers { count: 17 }));
    let long = vec![0; PLAIN_BYTES_MAX + 1];
    let long = seal_for(&[public(&CLINIC)], &CLINIC, b"", &long, &[9; 32]);
    assert_eq!(long, Err(CannotSeal::TooLong { bytes: PLAIN_BYTES_MAX + 1 }));
    let nothing = seal_for(&[[0; 32]], &CLINIC, b"", b"x", &[9; 32]);
    assert_eq!(nothing, Err(CannotSeal::Key));
}

#[test]
fn every_bit_counts_and_every_cut_is_noticed() {
    let piece = piece(b"what was said");
    for at in 0..piece.len() {
        assert!(open_for(&CLINIC, b"chart", &piece[..at]).is_err(), "cut at {at}");
        let mut bad = piece.clone();
        bad[at] ^= 1 << (at % 8);
        if let Ok((_, plain)) = open_for(&CLINIC, b"chart", &bad) {
            panic!("byte {at} was changed and it opened: {} bytes", plain.len());
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_come_back(plain in proptest::collection::vec(any::<u8>(), 0..3000)) {
        let (_, opened) = open_for(&HOSPITAL, b"chart", &piece(&plain)).unwrap();
        prop_assert_eq!(opened, plain);
    }

    #[test]
    fn any_bytes_are_opened_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(open_for(&CLINIC, b"chart", &bytes).is_err());
    }
}
