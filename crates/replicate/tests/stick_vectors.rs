//! The layout of a stick's file, taken apart by hand: these bytes are final (ADR 0010).

mod stick_world;

use ondol_kernel::bytes::to_hex;
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
        "85ecf9c641231a700d38b2baf989b2ca7061337fe0d829ff9b25866be6b4a8c7"
    );
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
