//! Sealed pieces: for one node, from one node, cut and altered by nobody.

use ondol_kernel::bytes::to_hex;
use ondol_replicate::{
    link::public_key,
    sealed::{BadSealed, CHUNK_BYTES, CannotSeal, PLAIN_BYTES_MAX, open, seal, sealed_bytes},
};
use proptest::prelude::*;

const FROM: [u8; 32] = [0x11; 32];
const TO: [u8; 32] = [0x22; 32];

fn sealed(plain: &[u8]) -> Vec<u8> {
    seal(&public_key(&TO).unwrap(), &FROM, plain, &[5; 32]).unwrap()
}

#[test]
fn the_overhead_is_what_is_documented() {
    for (plain, overhead) in [
        (0, 114),
        (1, 114),
        (CHUNK_BYTES, 114),
        (CHUNK_BYTES + 1, 131),
        (2 * CHUNK_BYTES, 131),
        (10 * CHUNK_BYTES, 97 + 10 * 17),
    ] {
        let bytes = sealed(&vec![7; plain]);
        assert_eq!(bytes.len(), plain + overhead);
        assert_eq!(bytes.len(), sealed_bytes(plain));
        assert_eq!(open(&TO, &bytes), Ok((public_key(&FROM).unwrap(), vec![7; plain])));
    }
}

#[test]
fn every_cut_of_a_piece_is_noticed() {
    let bytes = sealed(b"for the county");
    for length in 0..bytes.len() {
        assert!(open(&TO, &bytes[..length]).is_err(), "cut to {length} bytes");
    }
    let long = sealed(&vec![1; 3 * CHUNK_BYTES]);
    let chunk = CHUNK_BYTES + 17;
    for chunks in 0..3 {
        assert_eq!(open(&TO, &long[..97 + chunks * chunk]), Err(BadSealed::Cut));
    }
    let more = [&long[..], &long[97..97 + chunk]].concat();
    assert_eq!(open(&TO, &more), Err(BadSealed::Cut));
}

#[test]
fn chunks_in_another_order_are_refused() {
    let mut bytes = sealed(&(0..3 * CHUNK_BYTES).map(|n| n.to_le_bytes()[0]).collect::<Vec<_>>());
    let chunk = CHUNK_BYTES + 17;
    let (first, second) = bytes[97..97 + 2 * chunk].split_at_mut(chunk);
    first.swap_with_slice(second);
    assert_eq!(open(&TO, &bytes), Err(BadSealed::NotOpened));
}

#[test]
fn every_flipped_bit_is_noticed() {
    let bytes = sealed(b"40 mg");
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let opened = open(&TO, &bytes);
        // X25519 leaves out the top bit of a public key (RFC 7748, section 5), but Noise hashes
        // the key as it came.
        assert!(opened.is_err(), "bit {bit}");
    }
}

#[test]
fn only_the_recipient_opens_and_the_sender_is_who_sealed() {
    let bytes = sealed(b"x");
    assert_eq!(open(&[0x33; 32], &bytes), Err(BadSealed::NotOpened));
    assert_eq!(open(&FROM, &bytes), Err(BadSealed::NotOpened));
    assert_eq!(open(&TO, &bytes).unwrap().0, public_key(&FROM).unwrap());
}

#[test]
fn what_cannot_be_sealed_or_read_is_said() {
    let to = public_key(&TO).unwrap();
    let long = vec![0; PLAIN_BYTES_MAX + 1];
    let too_long = CannotSeal::TooLong { bytes: PLAIN_BYTES_MAX + 1 };
    assert_eq!(seal(&to, &FROM, &long, &[5; 32]), Err(too_long));
    // 0 and 1 are points of low order: everybody knows what is shared with them.
    let mut one = [0; 32];
    one[0] = 1;
    for low in [[0; 32], one] {
        assert_eq!(seal(&low, &FROM, b"x", &[5; 32]), Err(CannotSeal::Key));
    }
    let mut newer = sealed(b"x");
    newer[0] = 2;
    assert_eq!(open(&TO, &newer), Err(BadSealed::Format { format: 2 }));
    let mut endless = sealed(b"x");
    endless.resize(sealed_bytes(PLAIN_BYTES_MAX) + 1, 0);
    assert_eq!(open(&TO, &endless), Err(BadSealed::TooLong));
}

#[test]
fn one_seed_for_unlike_bytes_gives_unlike_keys() {
    // Bytes 1 to 32 are the new public key of the piece.
    assert_ne!(sealed(b"a")[1..33], sealed(b"b")[1..33]);
    assert_eq!(sealed(b"a"), sealed(b"a"));
}

#[test]
fn the_format_stays_as_it_is() {
    let bytes = sealed("온돌".as_bytes());
    assert_eq!(
        to_hex(&bytes),
        concat!(
            "01114eeaeca08474a026a29dc049ace0bf83c6d3776a800859adf39b624999274ef646157f3b068d",
            "d203f41d9860f02b6c24193bed42a5455e8868c52d4cde5ad33871e24bb273914f60cd84b99b33ed",
            "3df3cb2c25b1dcce766260c9ee0069ce142ff9439a0261758583ebace5bba39d6dd036d383b1b4e1",
        )
    );
    assert_eq!(open(&TO, &bytes).unwrap().1, "온돌".as_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn opening_gives_back_what_was_sealed(plain: Vec<u8>, seed: [u8; 32]) {
        let bytes = seal(&public_key(&TO).unwrap(), &FROM, &plain, &seed).unwrap();
        prop_assert_eq!(open(&TO, &bytes).unwrap().1, plain);
    }

    #[test]
    fn hostile_bytes_are_refused(bytes: Vec<u8>) {
        prop_assert!(open(&TO, &bytes).is_err());
        prop_assert!(open(&TO, &[&[1][..], &bytes].concat()).is_err());
    }
}
