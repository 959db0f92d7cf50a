//! A file of 64 KiB, cut at every length and with every one of its bits flipped: nothing is lost by
//! a bit, and by a cut only what stood behind it; nothing is ever taken for what it is not.
//!
//! A seeded tenth of the 65,536 lengths and 524,288 bits; all of them with `ONDOL_EXHAUSTIVE=1`.
//! Shards, which run beside each other.

mod stick_world;

use std::collections::BTreeSet;

use stick_world::*;

const SHARDS: usize = 4;
const FRAME: usize = 1_024;
/// The superblocks: the first, the one after half of the 61 frames, the last.
const SUPERBLOCKS: [usize; 3] = [0, 31, 63];
const DATA_FRAMES: usize = 41;

fn file() -> (ondol_replicate::stick::StickContent, Vec<u8>) {
    let content = content(&LENGTHS_64K);
    let bytes = written(&content);
    assert_eq!(bytes.len(), 64 << 10);
    (content, bytes)
}

/// The positions of a shard: all of them, or a tenth of all by a seed.
fn positions(count: usize, shard: usize) -> BTreeSet<usize> {
    let all = (shard..count).step_by(SHARDS);
    if exhaustive() {
        return all.collect();
    }
    let mut dice = Dice::new(shard as u64);
    let some: BTreeSet<usize> = all.filter(|_| dice.below(10) == 0).collect();
    assert!(some.len() > count / SHARDS / 11, "not a tenth: {}", some.len());
    some
}

/// How many frames have to be restored when a byte is wrong: the one in which it stands, if it is
/// one of data.
fn mended_for(byte: usize) -> u32 {
    let block = byte / FRAME;
    if SUPERBLOCKS.contains(&block) {
        return 0;
    }
    let frame = block - SUPERBLOCKS.iter().filter(|&&at| at < block).count();
    u32::from(frame < DATA_FRAMES)
}

fn flip_bits(shard: usize) {
    let (content, mut bytes) = file();
    let sound = read_back(&bytes).unwrap();
    assert_eq!((&sound.items, sound.mended_frames), (&content.items, 0));
    let bits = positions(bytes.len() * 8, shard);
    for &bit in &bits {
        bytes[bit / 8] ^= 1 << (bit % 8);
        let mut read = read_back(&bytes).unwrap_or_else(|bad| panic!("bit {bit}: {bad}"));
        assert_eq!(read.mended_frames, mended_for(bit / 8), "bit {bit}");
        read.mended_frames = 0;
        // Every item, in its order, once; no other; the same label; nothing lost or cut.
        assert!(read == sound, "bit {bit}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    println!("{} bits of shard {shard} of {SHARDS} lose nothing", bits.len());
}

fn cut(shard: usize) {
    let (content, bytes) = file();
    let mut lengths = positions(bytes.len(), shard);
    // Where something begins or ends, in any case.
    let seams = (0..bytes.len()).step_by(FRAME).flat_map(|at| [at, at + 1, at + FRAME - 1]);
    lengths.extend(seams.filter(|at| at % SHARDS == shard));
    assert_cuts_keep_what_is_sound(&content, &bytes, lengths.iter().copied());
    println!("{} lengths of shard {shard} of {SHARDS} keep what is sound", lengths.len());
}

#[test]
fn one_flipped_bit_anywhere_loses_nothing() {
    flip_bits(0);
}

#[test]
fn a_cut_at_any_length_keeps_what_is_sound() {
    cut(0);
}

macro_rules! shards {
    ($($flips:ident $cuts:ident: $shard:literal;)*) => {
        $(
            #[test]
            fn $flips() {
                flip_bits($shard);
            }

            #[test]
            fn $cuts() {
                cut($shard);
            }
        )*
    };
}

shards! {
    one_flipped_bit_anywhere_loses_nothing_1 a_cut_at_any_length_keeps_what_is_sound_1: 1;
    one_flipped_bit_anywhere_loses_nothing_2 a_cut_at_any_length_keeps_what_is_sound_2: 2;
    one_flipped_bit_anywhere_loses_nothing_3 a_cut_at_any_length_keeps_what_is_sound_3: 3;
}
