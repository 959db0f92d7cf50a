//! One node: memory and disk, and when the one becomes the other.

use std::{collections::BTreeMap, sync::Arc};

use ondol_kernel::{Class, Millis};
use ondol_record::{Entry, Stream};
use ondol_replicate::{Batch, Parcel, holdings::Holdings, message::Message, parcel};

use super::{
    compare::Gives,
    end::End,
    faults::Faults,
    library::Library,
    select::seal,
    slip::Slip,
    state::{Chain, Done, Head, Op, State, place},
    tree::Tree,
};
use crate::chance::Chance;

/// A parcel takes no further batch when it has so many entries, or so many bytes of texts.
const PARCEL_ENTRIES: usize = 32;
const PARCEL_BYTES: usize = 48 << 10;
/// So many messages of a class are packed ahead.
const PACKED_AHEAD: usize = 4;
/// One sync in so many is skipped where that bug is planted.
const SKIPPED_EVERY: u64 = 5;

/// What a node needs to do anything.
pub struct Around<'a> {
    /// Monotonic time, ms.
    pub now: u64,
    /// Who is who.
    pub tree: &'a Tree,
    /// What was ever written.
    pub library: &'a Library,
    /// Chance.
    pub chance: &'a Chance,
    /// What goes wrong is counted here.
    pub faults: &'a mut Faults,
    /// What is planted.
    pub slip: Option<Slip>,
    /// The longest datagram.
    pub mtu: usize,
}

/// How far a chain is saved.
#[derive(Debug, Clone, Copy)]
pub struct Saved {
    /// On the node's own disk.
    pub here: u64,
    /// With everybody whom it concerns, when all is at rest.
    pub everywhere: Head,
}

/// A node.
pub struct Machine {
    /// Its place in the tree.
    pub at: usize,
    /// What it holds as its program sees it.
    pub memory: State,
    /// What it holds if the power goes now.
    pub disk: State,
    /// Whether its power is on, and since when.
    pub on: bool,
    /// Since when.
    pub since: u64,
    /// Until when its disk is full, ms.
    pub full_until: u64,
    /// How far its wall clock is from monotonic time, ms.
    pub wall_offset: i64,
    /// The newest format of parcels that its program reads.
    pub format: u8,
    /// A backup that somebody took.
    pub backup: Option<Box<State>>,
    /// The backup that was put back the last time.
    pub put_back: Option<Box<State>>,
    /// Its ends of lines, by neighbour; none while the power is off.
    pub ends: BTreeMap<usize, Box<End>>,
    /// What it told its neighbours that it holds: (neighbour, epoch, class). It stands in no disk.
    pub promised: BTreeMap<(usize, u64, Class), u64>,
    /// What its writers were told is saved.
    pub ledger: BTreeMap<Chain, Saved>,
    /// How often it started.
    pub lives: u64,
    /// Entries that were acknowledged to their writers.
    pub written: u64,
    /// New messages that came, by neighbour.
    pub taken: BTreeMap<usize, u64>,
    unsynced: Vec<Op>,
    tell: Vec<(usize, Class, u64, u32)>,
    syncs: u64,
}

impl Machine {
    /// A new node, whose neighbours read a format each.
    pub fn new(at: usize, format: u8, neighbours: impl Iterator<Item = (usize, u8)>) -> Self {
        let mut disk = State::default();
        for (peer, reads) in neighbours {
            disk.neighbours.entry(peer).or_default().reads = reads;
        }
        Self {
            at,
            memory: disk.clone(),
            disk,
            on: false,
            since: 0,
            full_until: 0,
            wall_offset: 0,
            format,
            backup: None,
            put_back: None,
            ends: BTreeMap::new(),
            promised: BTreeMap::new(),
            ledger: BTreeMap::new(),
            lives: 0,
            written: 0,
            taken: BTreeMap::new(),
            unsynced: vec![],
            tell: vec![],
            syncs: 0,
        }
    }

    /// What its wall clock says.
    pub fn wall(&self, now: u64) -> Millis {
        Millis(i64::try_from(now).unwrap_or(0).saturating_add(self.wall_offset).max(0))
    }

    /// Makes a change in memory; the disk follows with the next sync.
    pub fn change(&mut self, op: Op, tree: &Tree) -> Done {
        let done = self.memory.apply(&op, self.at, tree);
        self.unsynced.push(op);
        done
    }

    /// Whether a sync is wanted.
    pub const fn is_dirty(&self) -> bool {
        !self.unsynced.is_empty()
    }

    /// Says something to a neighbour's link once it is synced.
    pub fn tell_when_synced(&mut self, peer: usize, class: Class, number: u64, length: u32) {
        self.tell.push((peer, class, number, length));
    }

    /// Syncs: from now on what was changed survives, writers are told, and neighbours.
    pub fn sync(&mut self, around: &Around<'_>) {
        self.syncs += 1;
        let skipped =
            around.slip == Some(Slip::SkippedSync) && self.syncs.is_multiple_of(SKIPPED_EVERY);
        for op in std::mem::take(&mut self.unsynced) {
            if !skipped {
                self.disk.apply(&op, self.at, around.tree);
            }
            self.note(&op);
        }
        for (peer, class, number, length) in std::mem::take(&mut self.tell) {
            if let Some(end) = self.ends.get_mut(&peer) {
                end.link.durable(class, number, length);
                self.promise(peer, class);
            }
        }
    }

    /// Remembers, outside of any disk, how far a neighbour was told that everything is here.
    pub fn promise(&mut self, peer: usize, class: Class) {
        if let Some(neighbour) = self.memory.neighbours.get(&peer) {
            let up_to = neighbour.up_to(neighbour.epoch, class);
            self.promised.insert((peer, neighbour.epoch, class), up_to);
        }
    }

    /// Enters what was written into the ledger.
    fn note(&mut self, op: &Op) {
        if let Op::Wrote(entry) = op {
            self.written += 1;
            let chain = (entry.address.stream, entry.chart.clone());
            let everywhere = Head { number: entry.chart_number, hash: entry.hash() };
            self.ledger.insert(chain, Saved { here: everywhere.number, everywhere });
        }
    }

    /// The power goes. Of what was not synced the first so many changes may be on the disk; one
    /// may be there by half, which is as good as not at all.
    pub fn power_off(&mut self, around: &mut Around<'_>) {
        (self.on, self.since) = (false, around.now);
        self.ends.clear();
        self.tell.clear();
        let unsynced = std::mem::take(&mut self.unsynced);
        let there = around.chance.place(unsynced.len() + 1);
        for op in &unsynced[..there] {
            self.disk.apply(op, self.at, around.tree);
            self.note(op);
        }
        let gone = (unsynced.len() - there) as u64;
        let torn = u64::from(gone > 0 && around.chance.happens(50));
        around.faults.torn += torn;
        around.faults.unsynced += gone - torn;
        self.memory = self.disk.clone();
    }

    /// What must hold when it starts again: what it said is here is here.
    pub fn check_promises(&self) -> Result<(), String> {
        for (&(peer, epoch, class), &promised) in &self.promised {
            let neighbour = self.disk.neighbours.get(&peer);
            if neighbour.is_none_or(|neighbour| neighbour.up_to(epoch, class) < promised) {
                return Err(format!("what node {} told {peer} is here is gone", self.at));
            }
        }
        for (chain, saved) in &self.ledger {
            if self.disk.head(chain).number < saved.here {
                return Err(format!("node {} lost {chain:?}, which was acknowledged", self.at));
            }
        }
        Ok(())
    }

    /// Seals what was written in a class, and packs what waits for a neighbour.
    pub fn pack(&mut self, peer: usize, class: Class, around: &Around<'_>) {
        while let Some(first) = self.memory.unsealed[place(class)].first() {
            let stream: Stream = first.address.stream;
            let unsealed = self.memory.unsealed[place(class)].iter();
            let same: Vec<Arc<Entry>> =
                unsealed.take_while(|entry| entry.address.stream == stream).cloned().collect();
            let Some(batch) = seal(&around.tree.seats[self.at].signing, stream, &same) else {
                return;
            };
            let batch = Arc::new(batch);
            around.library.sealed(&batch);
            self.change(Op::Sealed(class, batch), around.tree);
        }
        loop {
            let Some(neighbour) = self.memory.neighbours.get(&peer) else { return };
            if neighbour.kept[place(class)].len() >= PACKED_AHEAD {
                return;
            }
            let (mut batches, mut entries, mut bytes) = (vec![], 0, 0);
            for batch in &neighbour.queue[place(class)] {
                entries += batch.entries.len();
                bytes += batch.entries.iter().map(text_bytes).sum::<usize>();
                if !batches.is_empty() && (entries > PARCEL_ENTRIES || bytes > PARCEL_BYTES) {
                    break;
                }
                batches.push(Batch::clone(batch));
            }
            if batches.is_empty() {
                return;
            }
            let count = batches.len();
            let old = neighbour.reads == parcel::FORMAT_1 || self.format == parcel::FORMAT_1;
            let parcel = Parcel { certificates: vec![], batches };
            let packed = if old && around.slip != Some(Slip::VersionForgotten) {
                parcel.encode_1()
            } else {
                parcel.encode()
            };
            let bytes = Arc::new(Message::Parcel(packed).encode());
            self.change(Op::Packed { to: peer, class, batches: count, bytes }, around.tree);
        }
    }

    /// Sends a part of a picture.
    pub fn picture(&mut self, to: usize, part: Vec<u8>, tree: &Tree) {
        let hash = blake3_of(&part);
        let size = part.len() as u64;
        let bytes = Message::BlobPart { hash, size, offset: 0, bytes: part }.encode();
        self.change(Op::Pictured { to, bytes: Arc::new(bytes), sum: sum_of(&hash) }, tree);
    }

    /// Takes in a message. When the change that this makes is synced, it may be acknowledged.
    pub fn take_in(
        &mut self,
        (from, epoch, class, number): (usize, u64, Class, u64),
        bytes: &[u8],
        around: &Around<'_>,
    ) -> Result<(), String> {
        let known = self.memory.neighbours.get(&from);
        if known.is_some_and(|neighbour| neighbour.has(epoch, class, number)) {
            return Ok(());
        }
        let fault = |what: &str| format!("node {}: {what} from {from}", self.at);
        let (mut batches, mut picture, mut gives) = (vec![], None, None);
        let message = Message::decode(bytes).map_err(|_| fault("no message"))?;
        if around.slip == Some(Slip::DroppedClass) && class == Class::Bulk {
            // It is said to be here, and is thrown away.
        } else if let Message::BlobPart { hash, bytes, .. } = &message {
            if blake3_of(bytes) != *hash {
                return Err(fault("a part of a picture that is none"));
            }
            picture = Some(sum_of(hash));
        } else if let Message::Holdings(holdings) = &message {
            gives = self.gives((from, class), holdings, around)?.map(Arc::new);
        } else {
            let Message::Parcel(parcel) = message else { return Err(fault("no parcel")) };
            if self.format == parcel::FORMAT_1 && parcel.first() != Some(&parcel::FORMAT_1) {
                return Err(fault("a parcel that this version does not read"));
            }
            let parcel = Parcel::decode(&parcel).map_err(|why| fault(&why.to_string()))?;
            for batch in parcel.batches {
                let origin = around.tree.node(&batch.seal.stream.origin);
                let origin = origin.ok_or_else(|| fault("entries of nobody"))?;
                batch.check(&origin.verifying).map_err(|why| fault(&why.to_string()))?;
                let ours = |entry: &Entry| around.tree.concerns(self.at, &entry.chart);
                if !batch.entries.iter().all(ours) {
                    return Err(fault("a chart that does not concern it"));
                }
                batches.push(Arc::new(batch));
            }
        }
        let (batches, wall) = (Arc::new(batches), self.wall(around.now));
        let is_late = known.is_some_and(|from| from.epoch != epoch && !from.counts_later_in(epoch))
            && around.slip != Some(Slip::OldSticksBelieved);
        let op = Op::Took { from, epoch, class, number, batches, picture, gives, is_late, wall };
        match self.change(op, around.tree) {
            Done::Clash => Err(format!("node {} and {from} differ", self.at)),
            Done::Known => Ok(()),
            Done::New => {
                *self.taken.entry(from).or_default() += 1;
                Ok(())
            }
        }
    }
}

impl Machine {
    /// What a neighbour is given that told what it holds.
    fn gives(
        &self,
        (from, class): (usize, Class),
        holdings: &Holdings,
        around: &Around<'_>,
    ) -> Result<Option<Gives>, String> {
        if around.slip == Some(Slip::NothingGiven) {
            return Ok(None);
        }
        let known = (around.library, around.tree);
        let gives = self.memory.gives((from, class), holdings, known);
        let mut gives = gives.map_err(|why| format!("node {}: {why}", self.at))?;
        if around.slip == Some(Slip::NotesNotLowered) {
            gives.lowered.clear();
        }
        Ok(Some(gives))
    }
}

/// Bytes of an entry's texts, nearly.
fn text_bytes(entry: &Entry) -> usize {
    use ondol_record::entry::Content;
    let length = |content: &Content| match content {
        Content::Put(body) => body.as_str().len(),
        Content::Retract(_) | Content::Forward(_) => 32,
    };
    entry.changes.iter().map(|change| length(&change.content)).sum()
}

fn blake3_of(bytes: &[u8]) -> [u8; 32] {
    *blake3::hash(bytes).as_bytes()
}

fn sum_of(hash: &[u8; 32]) -> u64 {
    hash.first_chunk().map_or(0, |front| u64::from_le_bytes(*front))
}
