//! Sticks that come as they were sent, to the right and to the wrong node.

mod stick_world;

use ondol_kernel::{Class, Millis, NodeId};
use ondol_replicate::{
    message::MESSAGE_BYTES_MAX,
    sealed::CannotSeal,
    stick::{
        BadStick, CONTENT_BYTES_MAX, CannotWrite, FILE_BYTES_MAX, Item, NationId, Party,
        READERS_MAX, Recipient, StickContent, label, read, write,
    },
};
use proptest::prelude::*;
use stick_world::*;

fn try_write(content: &StickContent) -> Result<Vec<u8>, CannotWrite> {
    let private = CLINIC.private();
    write(content, &Party { nation: NATION, node: CLINIC.id(), link_private: &private }, &[9; 32])
}

#[test]
fn items_come_back_most_urgent_first() {
    let mut content = content(&[3_000, 0, 5]);
    content.items.push(message(COUNTY, Class::Emergency, 1, 700));
    let read = read_back(&written(&content)).unwrap();
    let classes: Vec<Class> = read.items.iter().map(Item::class).collect();
    let (care, routine) = (Class::Care, Class::Routine);
    assert_eq!(classes, [Class::Emergency, care, routine, routine, routine]);
    assert_eq!((read.lost_frames, read.mended_frames, read.truncated), (0, 0, false));
    content.items.sort_by_key(Item::class);
    assert_eq!(read.items, content.items);
    assert_nothing_false(&read, &content);
}

#[test]
fn a_stick_without_items_still_says_who_and_when() {
    let mut content = content(&[]);
    content.items.clear();
    let bytes = written(&content);
    assert_eq!(bytes.len(), 3 * 1_024);
    let read = read_back(&bytes).unwrap();
    assert_eq!((read.items.len(), read.sequence), (0, 41));
}

#[test]
fn messages_of_the_greatest_size_round_trip() {
    let content = content(&[MESSAGE_BYTES_MAX, 1, MESSAGE_BYTES_MAX]);
    assert_eq!(read_back(&written(&content)).unwrap().items, content.items);
}

#[test]
fn a_full_file_is_not_longer_than_a_reader_needs_to_read() {
    // 64 readers, and 32 MiB in frames of 990 bytes, each 236 of which have 20 of parity.
    let frames = CONTENT_BYTES_MAX.div_ceil(990);
    assert_eq!(FILE_BYTES_MAX, (3 * 13 + frames + frames.div_ceil(236) * 20) << 10);
}

#[test]
fn more_than_a_file_holds_is_refused() {
    let content = content(&[MESSAGE_BYTES_MAX; CONTENT_BYTES_MAX / MESSAGE_BYTES_MAX]);
    let Err(CannotWrite::TooLong { bytes }) = try_write(&content) else { panic!() };
    assert!(bytes > CONTENT_BYTES_MAX);
}

#[test]
fn every_reader_reads_and_nobody_else() {
    let mut content = content(&[10]);
    content.to.push(HUB.recipient());
    content.items.push(message(HUB, Class::Routine, 1, 2_000));
    let bytes = written(&content);
    for reader in [COUNTY, HUB] {
        assert_eq!(read_by(reader, &[&bytes]).unwrap().items, content.items);
    }
    let to = vec![COUNTY.id(), HUB.id()];
    assert_eq!(read_by(CLINIC, &[&bytes]), Err(BadStick::NotForUs { to }));
}

#[test]
fn a_stick_that_does_not_belong_here_says_why() {
    let bytes = written(&content(&[10]));
    let (county, clinic) = (COUNTY.private(), CLINIC.private());
    let me = Party { nation: NATION, node: COUNTY.id(), link_private: &county };
    let foreign = Party { nation: NationId([1; 16]), ..me };
    let another_key = Party { link_private: &clinic, ..me };
    let nobody = |_: &NodeId| None;
    let wrongly_known = |_: &NodeId| Some(HUB.public());
    let from = CLINIC.id();
    let not_ours = Err(BadStick::ForeignNation { nation: NATION });
    assert_eq!(read(&[&bytes], &foreign, &known), not_ours);
    assert_eq!(read(&[&bytes], &me, &nobody), Err(BadStick::UnknownSender { from }));
    assert_eq!(read(&[&bytes], &me, &wrongly_known), Err(BadStick::NotFromSender { from }));
    let not_opened = read(&[&bytes], &another_key, &known);
    assert!(matches!(not_opened, Err(BadStick::NotOpened { .. })));
    assert_eq!(read_back(b"holiday.jpg"), Err(BadStick::NotAStick));
    assert_eq!(read_by(COUNTY, &[]), Err(BadStick::NotAStick));
}

#[test]
fn the_label_can_be_read_by_anyone() {
    let bytes = written(&content(&[10]));
    let label = label(&bytes).unwrap();
    assert_eq!((label.from, label.to, label.sequence), (CLINIC.id(), vec![COUNTY.id()], 41));
    assert_eq!((label.nation, label.made_at), (NATION, Millis(1_760_000_000_000)));
}

#[test]
fn what_cannot_be_written_is_said() {
    let mut nobody = content(&[]);
    nobody.to.clear();
    assert_eq!(try_write(&nobody), Err(CannotWrite::Readers { readers: 0 }));
    let mut many = content(&[]);
    many.to = vec![COUNTY.recipient(); READERS_MAX];
    let bytes = try_write(&many).unwrap();
    assert!(read_back(&bytes).is_ok());
    assert_eq!(bytes.len(), (3 * 13 + 1 + 20) << 10);
    many.to.push(HUB.recipient());
    assert_eq!(try_write(&many), Err(CannotWrite::Readers { readers: READERS_MAX + 1 }));
    let mut stranger = content(&[]);
    stranger.items.push(message(HUB, Class::Bulk, 1, 1));
    assert_eq!(try_write(&stranger), Err(CannotWrite::NoSuchReader { to: HUB.id() }));
    let bytes = MESSAGE_BYTES_MAX + 1;
    assert_eq!(try_write(&content(&[bytes])), Err(CannotWrite::MessageTooLong { bytes }));
    let mut keyless = content(&[]);
    keyless.to = vec![Recipient { node: COUNTY.id(), link_key: [0; 32] }];
    let source = CannotSeal::Key;
    assert_eq!(try_write(&keyless), Err(CannotWrite::Reader { to: COUNTY.id(), source }));
}

#[test]
fn one_seed_for_unlike_content_gives_unlike_keys() {
    // Were the file key the same, so would be the key stream: the first 990 bytes are alike.
    let (one, two) = (written(&content(&[2_000, 1])), written(&content(&[2_000, 2])));
    assert_ne!(one[1_024 + 8..1_024 + 500], two[1_024 + 8..1_024 + 500]);
}

fn any_item() -> impl Strategy<Value = Item> {
    let reader = prop_oneof![Just(COUNTY), Just(HUB)];
    let class = prop::sample::select(Class::ALL.to_vec());
    (reader, class, any::<u64>(), any::<u64>(), 0..3, 0usize..4_000).prop_map(
        |(to, class, epoch, number, kind, length)| {
            let to = to.id();
            match kind {
                0 => Item::Ack { to, class, epoch, up_to: number },
                1 => Item::First { to, class, epoch, number },
                _ => Item::Message { to, class, epoch, number, bytes: chance(number, length) },
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn reading_gives_back_what_was_written(
        items in prop::collection::vec(any_item(), 0..30),
        made_at: i64,
        sequence: u64,
    ) {
        let to = vec![COUNTY.recipient(), HUB.recipient()];
        let mut content = StickContent { to, made_at: Millis(made_at), sequence, items };
        let bytes = written(&content);
        content.items.sort_by_key(Item::class);
        for reader in [COUNTY, HUB] {
            let read = read_by(reader, &[&bytes]).unwrap();
            prop_assert_eq!(&read.items, &content.items);
            prop_assert_eq!((read.made_at, read.sequence), (content.made_at, sequence));
        }
    }
}
