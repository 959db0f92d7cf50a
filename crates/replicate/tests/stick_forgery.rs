//! Sticks made by somebody who is not who the stick says, or who wants to harm the reader.

mod stick_world;

use ondol_replicate::stick::BadStick;
use proptest::prelude::*;
use stick_world::*;

/// Puts the right check behind an altered superblock of one reader.
fn with_check(mut bytes: Vec<u8>) -> Vec<u8> {
    let length = usize::try_from(u32::from_be_bytes(bytes[17..21].try_into().unwrap())).unwrap();
    let check = blake3::hash(&bytes[..length]);
    bytes[length..length + 32].copy_from_slice(check.as_bytes());
    bytes
}

#[test]
fn an_altered_label_opens_nothing() {
    let bytes = written(&content(&[10]));
    // When it was made, its sequence number, how many frames: with a check that holds.
    for at in [60, 68, 72] {
        let mut altered = bytes[..1_024].to_vec();
        altered[at] ^= 1;
        let altered = [&with_check(altered), &bytes[1_024..13 << 10]].concat();
        let read = read_back(&altered);
        assert!(matches!(read, Err(BadStick::NotOpened { .. })), "byte {at}: {read:?}");
    }
}

#[test]
fn a_newer_format_is_told_from_damage() {
    let bytes = written(&content(&[10]))[..1_024].to_vec();
    let mut newer = bytes.clone();
    newer[16] = 2;
    assert_eq!(read_back(&newer), Err(BadStick::Damaged));
    assert_eq!(read_back(&with_check(newer)), Err(BadStick::Newer { format: 2 }));
    let mut never = bytes;
    never[16] = 0;
    assert_eq!(read_back(&with_check(never)), Err(BadStick::Damaged));
}

#[test]
fn claims_beyond_every_bound_are_refused() {
    let bytes = written(&content(&[10]))[..1_024].to_vec();
    let altered = |at: usize, by: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[at..at + by.len()].copy_from_slice(by);
        read_back(&with_check(bytes))
    };
    assert_eq!(altered(69, &[0xff; 4]), Err(BadStick::Damaged), "frames");
    assert_eq!(altered(73, &[0xff]), Err(BadStick::Damaged), "readers");
    assert_eq!(altered(73, &[0]), Err(BadStick::Damaged), "no readers");
    let mut long = bytes.clone();
    long[17..21].fill(0xff);
    assert_eq!(read_back(&long), Err(BadStick::Damaged), "length");
}

#[test]
fn a_file_full_of_false_markers_is_read_in_bounded_work() {
    let bytes = written(&content(&[10]));
    let mut hostile = bytes[..1_024].to_vec();
    while hostile.len() < 2 << 20 {
        hostile.extend_from_slice(&bytes[1_024..1_028]);
    }
    assert_eq!(read_back(&hostile), Err(BadStick::Damaged));
    let mut hostile = vec![];
    while hostile.len() < 2 << 20 {
        hostile.extend_from_slice(&bytes[..16]);
    }
    assert_eq!(read_back(&hostile), Err(BadStick::Damaged));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn hostile_bytes_never_make_a_stick(
        bytes in prop::collection::vec(any::<u8>(), 0..6_000),
        at in 0usize..30_000,
    ) {
        prop_assert!(read_back(&bytes).is_err());
        let content = content(&[700, 300, 1_200]);
        let mut overwritten = written(&content);
        let at = at.min(overwritten.len());
        overwritten.splice(at..(at + bytes.len()).min(overwritten.len()), bytes);
        if let Ok(read) = read_back(&overwritten) {
            assert_nothing_false(&read, &content);
        }
    }
}
