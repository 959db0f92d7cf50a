//! Nodes and content for the tests of sticks.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::sync::LazyLock;

use ondol_kernel::{Class, Millis, NodeId};
use ondol_replicate::{
    link,
    stick::{
        BadStick, Item, NationId, Party, Recipient, StickContent, StickRead, label, read, write,
    },
};

/// Content that makes a file of exactly 64 KiB: 41 frames of data, 20 of parity, 3 superblocks.
pub const LENGTHS_64K: [usize; 12] =
    [900, 3_000, 10, 5_000, 2_000, 950, 1, 7_000, 4_000, 6_000, 6_000, 5_000];

/// Set, the tests go through every position instead of a seeded tenth.
pub fn exhaustive() -> bool {
    std::env::var_os("ONDOL_EXHAUSTIVE").is_some()
}

/// Bytes that follow from a seed.
pub fn chance(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// Numbers that follow from a seed.
pub struct Dice(blake3::OutputReader);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(blake3::Hasher::new().update(b"dice").update(&seed.to_le_bytes()).finalize_xof())
    }

    pub fn below(&mut self, bound: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % bound as u64).unwrap()
    }
}

/// A node of the nation.
#[derive(Debug, Clone, Copy)]
pub struct Node(pub u8);

pub const CLINIC: Node = Node(1);
pub const COUNTY: Node = Node(2);
pub const HUB: Node = Node(3);
pub const NATION: NationId = NationId([0x4e; 16]);

impl Node {
    pub fn id(self) -> NodeId {
        NodeId([self.0; 16])
    }

    pub fn private(self) -> [u8; 32] {
        [0x40 | self.0; 32]
    }

    pub fn public(self) -> [u8; 32] {
        link::public_key(&self.private()).unwrap()
    }

    pub fn recipient(self) -> Recipient {
        Recipient { node: self.id(), link_key: self.public() }
    }
}

/// The keys of the three nodes.
pub fn known(node: &NodeId) -> Option<[u8; 32]> {
    // Computed once: half a million files are read below.
    static KEYS: LazyLock<[(NodeId, [u8; 32]); 3]> =
        LazyLock::new(|| [CLINIC, COUNTY, HUB].map(|node| (node.id(), node.public())));
    KEYS.iter().find(|(id, _)| id == node).map(|(_, key)| *key)
}

pub fn message(to: Node, class: Class, number: u64, length: usize) -> Item {
    let bytes = chance(number << 8 | u64::from(class.code()), length);
    Item::Message { to: to.id(), class, epoch: 3, number, bytes }
}

/// What the clinic sends to the county: messages of these lengths, and an acknowledgement.
pub fn content(lengths: &[usize]) -> StickContent {
    let (to, class) = (COUNTY.id(), Class::Care);
    let mut items = vec![Item::Ack { to, class, epoch: 200, up_to: 17 }];
    items.extend(
        (1..).zip(lengths).map(|(number, &length)| message(COUNTY, Class::Routine, number, length)),
    );
    StickContent {
        to: vec![COUNTY.recipient()],
        made_at: Millis(1_760_000_000_000),
        sequence: 41,
        items,
    }
}

/// Written by the clinic.
pub fn written(content: &StickContent) -> Vec<u8> {
    let private = CLINIC.private();
    let from = Party { nation: NATION, node: CLINIC.id(), link_private: &private };
    write(content, &from, &[9; 32]).unwrap()
}

/// Read by a node.
pub fn read_by(node: Node, copies: &[&[u8]]) -> Result<StickRead, BadStick> {
    let private = node.private();
    read(copies, &Party { nation: NATION, node: node.id(), link_private: &private }, &known)
}

/// Read by the county.
pub fn read_back(copy: &[u8]) -> Result<StickRead, BadStick> {
    read_by(COUNTY, &[copy])
}

/// Every item that was read is one that was written, and they come in their order.
pub fn assert_nothing_false(read: &StickRead, content: &StickContent) {
    let mut written = content.items.iter();
    for item in &read.items {
        assert!(written.any(|one| one == item), "an item was read that was not written");
    }
    let whole = (CLINIC.id(), content.made_at, content.sequence);
    assert_eq!((read.from, read.made_at, read.sequence), whole);
}

/// Of a file that was cut, a longer part never has less; what is kept is what was written, and no
/// error says anything else than that the file is damaged.
pub fn assert_cuts_keep_what_is_sound(
    content: &StickContent,
    bytes: &[u8],
    cuts: impl Iterator<Item = usize>,
) {
    let whole = content.items.len();
    let frames = label(bytes).unwrap().frames as usize;
    let mut before = 0;
    for cut in cuts {
        let items = match read_back(&bytes[..cut]) {
            Ok(read) => {
                assert!(read.truncated, "cut to {cut} bytes");
                assert_nothing_false(&read, content);
                assert_eq!(read.lost_frames == 0, read.items.len() == whole, "cut to {cut} bytes");
                // Data frames stand first, behind the superblock; another superblock stands after
                // half of all frames.
                let here = cut / 1_024 - 1;
                let here = here - usize::from(here > usize::midpoint(frames, 20));
                let lost = frames.saturating_sub(here);
                assert_eq!(read.lost_frames as usize, lost, "cut to {cut} bytes");
                read.items.len()
            }
            // Nothing is a stick before its first bytes, and nothing can be read of one before its
            // superblock.
            Err(BadStick::NotAStick) if cut < 16 => 0,
            Err(BadStick::Damaged) if cut < 2 * 1_024 => 0,
            Err(other) => panic!("cut to {cut} bytes: {other}"),
        };
        assert!(items >= before, "a longer part has less: {items} < {before} at {cut}");
        before = items;
        // A superblock before and one in the middle.
        if cut >= (frames + 2) * 1_024 {
            assert_eq!(items, whole, "as many frames as there are of data suffice");
        }
    }
    assert!(!read_back(bytes).unwrap().truncated);
}
