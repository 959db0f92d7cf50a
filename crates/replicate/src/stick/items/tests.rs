use super::*;

const ME: NodeId = NodeId([1; 16]);
const OTHER: NodeId = NodeId([2; 16]);
const KEYS: [ProofKey; 2] = [[0x11; 32], [0x22; 32]];

fn ack(to: NodeId, up_to: u64) -> Item {
    Item::Ack { to, class: Class::Care, epoch: 1, up_to }
}

fn message(number: u64, length: usize) -> Item {
    Item::Message { to: ME, class: Class::Routine, epoch: 1, number, bytes: vec![0x5a; length] }
}

fn packed(items: &[Item], keys: &[ProofKey]) -> Vec<Plain> {
    let mut packed = Packed::default();
    for item in items {
        packed.push(item, usize::from(item.to() == OTHER));
    }
    packed.prove(keys);
    packed.plains().collect()
}

fn unpacked(plains: &[Plain], lost: &[usize]) -> Vec<Item> {
    let mut unpacker = Unpacker::new(ME, &KEYS[0]);
    for (number, plain) in plains.iter().enumerate() {
        if lost.contains(&number) {
            unpacker.lost();
        } else {
            unpacker.frame(plain);
        }
    }
    unpacker.items
}

#[test]
fn an_item_for_me_that_another_reader_proved_is_not_taken() {
    // All that another reader has is the key of the file and its own.
    let forged = packed(&[ack(ME, 900), ack(OTHER, 5), message(1, 10)], &[KEYS[1], KEYS[1]]);
    assert_eq!(unpacked(&forged, &[]), [ack(OTHER, 5)]);
    let genuine = packed(&[ack(ME, 900), ack(OTHER, 5)], &KEYS);
    assert_eq!(unpacked(&genuine, &[]), [ack(ME, 900), ack(OTHER, 5)]);
}

#[test]
fn a_proof_holds_for_its_own_item_alone() {
    let plains = packed(&[ack(ME, 17)], &KEYS);
    // Kind, node, class and epoch stand before the number.
    assert_eq!(plains[0][2 + 18..2 + 20], [1, 17]);
    for at in [18, 19] {
        let mut altered = plains.clone();
        altered[0][2 + at] = 99;
        assert!(unpacked(&altered, &[]).is_empty());
    }
}

#[test]
fn reading_goes_on_with_the_next_item_after_any_lost_frame() {
    let lengths = [10, 2_000, 900, 40, 3_000, 0, 947, 990, 1];
    let items: Vec<Item> = (0..).zip(lengths).map(|(n, length)| message(n, length)).collect();
    let plains = packed(&items, &KEYS);
    let mut at = 0;
    let mut frames_of = vec![];
    for (item, length) in items.iter().zip(lengths) {
        // Kind, node, class, epoch, number, length of the length, proof.
        let bytes = 1 + 16 + 1 + 1 + 1 + if length < 128 { 1 } else { 2 } + length + 16;
        let (first, last) = (at / FRAME_CONTENT_BYTES, (at + bytes - 1) / FRAME_CONTENT_BYTES);
        frames_of.push((item, first..=last));
        at += bytes;
    }
    assert_eq!(plains.len(), at.div_ceil(FRAME_CONTENT_BYTES));
    for one in 0..plains.len() {
        for other in one..plains.len() {
            let lost = [one, other];
            let whole = frames_of.iter().filter(|(_, span)| !lost.iter().any(|n| span.contains(n)));
            let whole: Vec<Item> = whole.map(|&(item, _)| item.clone()).collect();
            assert_eq!(unpacked(&plains, &lost), whole, "without {one} and {other}");
        }
    }
}

#[test]
fn frames_that_make_no_sense_give_no_items() {
    let mut hostile = [0xff; PLAIN_BYTES];
    assert!(unpacked(&[hostile; 3], &[]).is_empty());
    hostile[..2].fill(0);
    for kind in 0..=255 {
        hostile[2] = kind;
        assert!(unpacked(&[hostile; 3], &[]).is_empty());
    }
    // A message that says it is longer than any.
    let mut endless = packed(&[message(1, 50)], &KEYS)[0];
    endless[2 + 20..2 + 25].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x0f]);
    assert!(unpacked(&[endless; 3], &[]).is_empty());
}
