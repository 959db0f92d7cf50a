//! Sticks that were cut short, scratched, mixed up and forged.

mod stick_world;

use ondol_replicate::stick::{BadStick, group};
use stick_world::*;

#[test]
fn a_small_file_cut_at_every_length_keeps_what_is_sound() {
    let content = content(&[700, 300, 1_200]);
    let bytes = written(&content);
    let cuts = 0..bytes.len();
    assert_cuts_keep_what_is_sound(&content, &bytes, cuts);
}

#[test]
fn many_flipped_bits_never_make_a_false_item() {
    let content = content(&LENGTHS_64K);
    let whole = written(&content);
    let mut with_loss = 0;
    for round in 0..300 {
        let mut dice = Dice::new(100 + round);
        let mut bytes = whole.clone();
        for _ in 0..dice.below(120) {
            let bit = dice.below(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        match read_back(&bytes) {
            Ok(read) => {
                assert_nothing_false(&read, &content);
                assert_eq!(read.lost_frames == 0, read.items == content.items);
                with_loss += usize::from(read.lost_frames > 0 && !read.items.is_empty());
            }
            Err(BadStick::Damaged) => {}
            Err(other) => panic!("round {round}: {other}"),
        }
    }
    assert!(with_loss > 30, "only {with_loss} rounds lost a part: the test tests little");
}

#[test]
fn a_run_of_16_kib_lost_in_every_256_kib_is_restored() {
    let content = content(&[10_000; 60]);
    let whole = written(&content);
    let mut dice = Dice::new(3);
    for byte in [0x00, 0xff] {
        let mut bytes = whole.clone();
        for part in bytes.chunks_mut(256 << 10).filter(|part| part.len() > 32 << 10) {
            let start = dice.below(part.len() - (16 << 10));
            part[start..start + (16 << 10)].fill(byte);
        }
        let read = read_back(&bytes).unwrap();
        assert_eq!((read.items.len(), read.lost_frames), (content.items.len(), 0));
        assert!(read.mended_frames >= 30);
    }
}

#[test]
fn bytes_that_went_missing_or_came_in_between_move_the_rest_and_lose_little() {
    let content = content(&LENGTHS_64K);
    let whole = written(&content);
    for at in [5, 1_500, 20_000, 40_001] {
        let shorter = [&whole[..at], &whole[at + 700..]].concat();
        let longer = [&whole[..at], &[0xf7; 333], &whole[at..]].concat();
        for bytes in [shorter, longer] {
            assert_eq!(read_back(&bytes).unwrap().items, content.items);
        }
    }
}

#[test]
fn an_item_whose_frames_are_whole_is_kept_when_others_are_lost() {
    let content = content(&LENGTHS_64K);
    let mut bytes = written(&content);
    // Data frames 20 to 23, and so much of the parity that nothing is restored.
    bytes[21 * 1_024..25 * 1_024].fill(0);
    let parity = bytes.len() - 19 * 1_024;
    bytes[parity..].fill(0);
    let read = read_back(&bytes).unwrap();
    assert_nothing_false(&read, &content);
    assert_eq!((read.lost_frames, read.mended_frames), (4, 0));
    assert!(read.items.len() >= content.items.len() - 2);
    assert_eq!(read.items.last(), content.items.last());
}

#[test]
fn two_damaged_copies_make_one_whole() {
    let content = content(&[30_000; 10]);
    let whole = written(&content);
    let (mut one, mut two) = (whole.clone(), whole.clone());
    let half = whole.len() / 2;
    // The first loses its front, and with it all that one copy could restore.
    one[..half].fill(0);
    two[half - 9_000..].fill(0xff);
    two.truncate(whole.len() - 5_000);
    let alone = |copy: &[u8]| read_back(copy).unwrap().lost_frames;
    assert!(alone(&one) > 0 && alone(&two) > 0);
    let read = read_by(COUNTY, &[&one, &two]).unwrap();
    assert_eq!((read.items, read.lost_frames), (content.items, 0));
    assert!(!read.truncated);
}

#[test]
fn copies_find_each_other_and_a_headless_one_helps() {
    let (first, mut second) = (content(&[40_000]), content(&[2_000]));
    second.sequence += 1;
    let (one, two) = (written(&first), written(&second));
    let mut headless = one.clone();
    for at in (0..headless.len() - 16).filter(|&at| one[at..].starts_with(b"\x89ondol stick")) {
        headless[at] = 0;
    }
    let mut broken = one.clone();
    broken[2_048..50_000].fill(0);
    let files: [&[u8]; 5] = [&headless, &two, &broken, b"notes.txt", &two[..5_000]];
    assert_eq!(group(&files), [vec![1, 4, 0, 3], vec![2, 0, 3]]);
    assert_eq!(read_back(&headless), Err(BadStick::Damaged));
    let read = read_by(COUNTY, &[&broken, &headless, b"notes.txt"]).unwrap();
    assert_eq!(read.items, first.items);
    let read = read_by(COUNTY, &[&two, &headless]).unwrap();
    assert_eq!(read.items, second.items);
}

#[test]
fn frames_of_another_file_are_passed_over() {
    let (ours, mut other) = (content(&LENGTHS_64K), content(&LENGTHS_64K));
    other.sequence += 1;
    let (whole, other) = (written(&ours), written(&other));
    let mut mixed = whole.clone();
    mixed[10 << 10..20 << 10].copy_from_slice(&other[10 << 10..20 << 10]);
    let read = read_back(&mixed).unwrap();
    assert_eq!((&read.items, read.mended_frames), (&ours.items, 10));
    // So many that not all can be restored, and the other's superblock comes before ours.
    mixed[..30 << 10].copy_from_slice(&other[..30 << 10]);
    let read = read_back(&mixed).unwrap();
    assert_nothing_false(&read, &ours);
    assert!(read.lost_frames > 0);
}
