//! The layout of a stick's file, taken apart by hand: these bytes are final (ADR 0010).

mod stick_world;

use chacha20poly1305::{AeadInPlace, ChaCha20Poly1305, KeyInit};
use ondol_kernel::{Class, bytes::to_hex};
use ondol_replicate::stick::{Item, StickContent};
use stick_world::*;

/// Two frames of data: a heading, a message of 1,200 bytes, an acknowledgement.
fn file() -> Vec<u8> {
    written(&content(&[1_200]))
}

fn file_id(file: &[u8]) -> [u8; 32] {
    file[268..300].try_into().unwrap()
}

/// The frames in order, without the superblocks: at 0, in the middle and at the end.
fn frames(file: &[u8]) -> Vec<&[u8]> {
    let all: Vec<&[u8]> = file.chunks(1_024).collect();
    assert_eq!(all.len(), 3 + 2 + 20);
    assert!(all[0] == all[1 + 11] && all[0] == all[24]);
    [&all[1..12], &all[13..24]].concat()
}

#[test]
fn the_superblock_stays_as_it_is() {
    let file = file();
    let fields = [
        "896f6e646f6c20737469636b0d0a1a0a", // magic
        "01",                               // format
        "0000010c",                         // length: 74 + 194
        "4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e", // nation
        "01010101010101010101010101010101", // sender
        "00000199c82cc000",                 // 1,760,000,000,000 ms
        "0000000000000029",                 // sequence 41
        "00000002",                         // frames of data
        "01",                               // readers
        "02020202020202020202020202020202", // the reader
        "01",                               // its keys: a sealed piece of format 1
    ];
    assert_eq!(to_hex(&file[..91]), fields.concat());
    assert_eq!(blake3::hash(&file[..268]).as_bytes(), &file_id(&file));
    assert!(file[300..1_024].iter().all(|&byte| byte == 0));
}

#[test]
fn the_frames_stay_as_they_are() {
    let file = file();
    let id = file_id(&file);
    for (number, frame) in (0u32..).zip(frames(&file)) {
        assert_eq!(to_hex(&frame[..4]), "f74f6ed1");
        assert_eq!(frame[4..8], number.to_be_bytes());
        let check = blake3::keyed_hash(&id, &frame[4..1_016]);
        assert_eq!(check.as_bytes()[..8], frame[1_016..]);
    }
    assert_eq!(
        blake3::hash(&file).to_hex().as_str(),
        "976a48807c5880d9da0731f37bf58b6f08929b393cccc6a8eb5e32a8a04e34ff"
    );
}

/// The key of the file and the county's own key: opened as ADR 0010 says, with a library of Noise.
fn keys(file: &[u8]) -> Vec<u8> {
    let prologue = [b"ondol sealed 1", &file[..74], &COUNTY.id().0].concat();
    let private = COUNTY.private();
    let mut handshake = snow::Builder::new("Noise_X_25519_ChaChaPoly_BLAKE2s".parse().unwrap())
        .local_private_key(&private)
        .and_then(|builder| builder.prologue(&prologue))
        .and_then(snow::Builder::build_responder)
        .unwrap();
    let sealed = &file[90..268];
    assert_eq!(sealed[0], 1);
    handshake.read_message(&sealed[1..97], &mut [0; 16]).unwrap();
    let mut keys = [0; 65];
    handshake.into_transport_mode().unwrap().read_message(&sealed[97..], &mut keys).unwrap();
    assert_eq!(keys[0], 1);
    keys[1..].to_vec()
}

/// The plain bytes of the first frame.
fn opened(file: &[u8]) -> Vec<u8> {
    let frame = &file[1_024..2_048];
    let (mut plain, tag) = (frame[8..1_000].to_vec(), &frame[1_000..1_016]);
    ChaCha20Poly1305::new_from_slice(&keys(file)[..32])
        .unwrap()
        .decrypt_in_place_detached(&[0; 12].into(), &file_id(file), &mut plain, tag.into())
        .unwrap();
    plain
}

/// An item, read with nothing but ADR 0010 and its keys: how a third party would.
#[test]
fn the_items_stay_as_they_are() {
    let mut heading = vec![2];
    heading.extend_from_slice(&COUNTY.id().0);
    heading.push(1); // care
    heading.extend_from_slice(&[0xc8, 0x01]); // epoch 200
    heading.push(17);
    let mut first = vec![3];
    first.extend_from_slice(&COUNTY.id().0);
    first.extend_from_slice(&[3, 3, 0x90, 0x03]); // bulk, epoch 3, number 400
    let mut message = vec![1];
    message.extend_from_slice(&COUNTY.id().0);
    message.extend_from_slice(&[2, 3, 1, 2, b'h', b'i']); // routine, epoch 3, number 1, 2 bytes
    let (to, class) = (COUNTY.id(), Class::Care);
    let items = [
        Item::Ack { to, class, epoch: 200, up_to: 17 },
        Item::Message { to, class: Class::Routine, epoch: 3, number: 1, bytes: b"hi".to_vec() },
        Item::First { to, class: Class::Bulk, epoch: 3, number: 400 },
    ];
    for (item, bytes) in items.into_iter().zip([heading, message, first]) {
        let content = StickContent { items: vec![item], ..content(&[]) };
        let file = written(&content);
        let plain = opened(&file);
        assert_eq!(plain[..2], [0, 0]);
        assert_eq!(to_hex(&plain[2..2 + bytes.len()]), to_hex(&bytes));
        let proof = blake3::keyed_hash(keys(&file)[32..].try_into().unwrap(), &bytes);
        assert_eq!(plain[2 + bytes.len()..18 + bytes.len()], proof.as_bytes()[..16]);
        assert!(plain[18 + bytes.len()..].iter().all(|&byte| byte == 0));
    }
}

/// Multiplication in GF(2^8) modulo 0x11d by the school's method: shift, add, then divide.
fn times(a: u8, b: u8) -> u8 {
    let mut product = 0u32;
    for bit in 0..8 {
        product ^= (u32::from(a) << bit) * u32::from(b >> bit & 1);
    }
    for bit in (8..16).rev() {
        if product >> bit & 1 == 1 {
            product ^= 0x11d << (bit - 8);
        }
    }
    u8::try_from(product).unwrap()
}

#[test]
fn parity_is_the_sum_of_quotients_that_is_documented() {
    let file = file();
    let frames = frames(&file);
    for i in 0..20u8 {
        let factors: Vec<u8> =
            (0..2u8).map(|j| (1..=255).find(|&r| times(r, i ^ (20 + j)) == 1).unwrap()).collect();
        let [one, two, sum] = [0, 1, 2 + usize::from(i)].map(|n| &frames[n][8..1_016]);
        for ((one, two), sum) in one.iter().zip(two).zip(sum) {
            assert_eq!(times(*one, factors[0]) ^ times(*two, factors[1]), *sum, "parity {i}");
        }
    }
}
