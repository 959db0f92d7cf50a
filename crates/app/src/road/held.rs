//! What a peer holds durably of what was sent to it, so that it is not sent again (ADR 0013).
//!
//! A parcel may build upon entries that its receiver holds. The sender builds upon those alone
//! that were in messages which the receiver acknowledged, since what is acknowledged is durable.
//! Whoever is told to build upon an entry that is not there after all (a backup was put back)
//! sends the parcel back, and gets it in full.

use std::{cell::RefCell, collections::BTreeMap};

use ondol_kernel::{
    Class, NodeId,
    bytes::{BadBytes, Reader, put_number},
};
use ondol_record::{Address, Entry, Stream};
use ondol_replicate::{Batch, Parcel, columns::Shared, message::Message};
use ondol_store::{Space, StoreError, View, WriteTx};

use super::{keys, queue, relay, scope};
use crate::{App, AppError};

/// Which numbers of a stream are told and held, of one chart or of all.
#[derive(Debug, Default, PartialEq, Eq)]
struct Note {
    /// The newest number that the peer holds.
    held: u64,
    /// The newest numbers of messages that are not known to have arrived, and the messages. The
    /// first stays until it is acknowledged, the last is the newest of all: so what was told in
    /// one go is held as soon as its end is acknowledged, and something is while more is told.
    told: [Option<Told>; 2],
}

type Told = (u64, Class, u64);

impl Note {
    fn read(value: &[u8]) -> Result<Self, BadBytes> {
        let mut from = Reader::new(value);
        let mut note = Self { held: from.number()?, told: [None; 2] };
        for told in &mut note.told {
            if from.is_empty() {
                break;
            }
            let number = from.number()?;
            let class = Class::from_code(from.byte()?).ok_or(BadBytes)?;
            *told = Some((number, class, from.number()?));
        }
        Ok(note)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut to = vec![];
        put_number(&mut to, self.held);
        for (number, class, message) in self.told.into_iter().flatten() {
            put_number(&mut to, number);
            to.push(class.code());
            put_number(&mut to, message);
        }
        to
    }

    /// Reads a note, and counts what was acknowledged since.
    fn of(view: &dyn View, peer: &NodeId, key: &[u8]) -> Result<Self, AppError> {
        let Some(value) = view.value(Space::Peer, key)? else { return Ok(Self::default()) };
        let mut note = Self::read(&value).map_err(|_| AppError::Unexpected("a note of entries"))?;
        while let Some((number, class, message)) = note.told[0]
            && keys::number(view, &keys::acknowledged(peer, class))? >= message
        {
            note = Self { held: note.held.max(number), told: [note.told[1], None] };
        }
        Ok(note)
    }
}

/// Notes what a message brings to a peer.
pub fn tell(
    tx: &mut dyn WriteTx,
    peer: &NodeId,
    (class, message): (Class, u64),
    batches: &[Batch],
) -> Result<(), AppError> {
    let mut newest: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
    for entry in batches.iter().flat_map(|batch| &batch.entries) {
        let Address { stream, number } = &entry.address;
        for key in [keys::held(peer, stream, Some(&entry.chart)), keys::held(peer, stream, None)] {
            let newest = newest.entry(key).or_default();
            *newest = (*newest).max(*number);
        }
    }
    for (key, number) in newest {
        let mut note = Note::of(&*tx, peer, &key)?;
        let known = note.told.into_iter().flatten().map(|(number, ..)| number);
        if number > known.fold(note.held, u64::max) {
            note.told[usize::from(note.told[0].is_some())] = Some((number, class, message));
            tx.set_value(Space::Peer, &key, Some(&note.to_bytes()))?;
        }
    }
    Ok(())
}

/// Forgets what a peer holds: it counts anew, or says that it does not.
pub fn forget(tx: &mut dyn WriteTx, peer: &NodeId) -> Result<(), AppError> {
    forget_all(tx, &keys::held_prefix(peer))
}

/// Forgets which certificates a peer was told: it counts anew.
pub fn forget_certificates(tx: &mut dyn WriteTx, peer: &NodeId) -> Result<(), AppError> {
    forget_all(tx, &keys::knows_prefix(peer))
}

fn forget_all(tx: &mut dyn WriteTx, prefix: &[u8]) -> Result<(), AppError> {
    for (key, _) in tx.values(Space::Peer, prefix, None, usize::MAX)? {
        tx.set_value(Space::Peer, &key, None)?;
    }
    Ok(())
}

/// What a sender and a receiver of parcels share, as the log and the notes of one of them say.
pub struct Log<'a> {
    view: &'a dyn View,
    ends: [NodeId; 2],
    /// The first failure of the store.
    failure: RefCell<Option<AppError>>,
}

impl<'a> Log<'a> {
    /// Of parcels from one node to another; this is one of them.
    pub const fn new(view: &'a dyn View, ends: [NodeId; 2]) -> Self {
        Self { view, ends, failure: RefCell::new(None) }
    }

    /// Whether the store could be read.
    pub fn into_result(self) -> Result<(), AppError> {
        self.failure.into_inner().map_or(Ok(()), Err)
    }

    fn or_none<T>(&self, outcome: Result<Option<T>, AppError>) -> Option<T> {
        outcome.unwrap_or_else(|why| {
            self.failure.borrow_mut().get_or_insert(why);
            None
        })
    }

    fn find(&self, address: &Address) -> Result<Option<Entry>, StoreError> {
        Ok(self.view.entry(address)?.map(|row| row.entry))
    }

    fn find_newest(&self, stream: &Stream) -> Result<Option<Entry>, AppError> {
        let peer = &self.ends[1];
        let note = Note::of(self.view, peer, &keys::held(peer, stream, None))?;
        if note.held == 0 { Ok(None) } else { Ok(self.find(&stream.at(note.held))?) }
    }

    fn find_before(&self, entry: &Entry) -> Result<Option<Entry>, AppError> {
        let (peer, stream) = (&self.ends[1], &entry.address.stream);
        let Some(before) = entry.chart_number.checked_sub(1).filter(|&n| n > 0) else {
            return Ok(None);
        };
        let held = Note::of(self.view, peer, &keys::held(peer, stream, Some(&entry.chart)))?.held;
        let rows = self.view.chart_entries(stream, &entry.chart, before, 1)?;
        let row = rows.into_iter().next().map(|row| row.entry);
        Ok(row.filter(|row| row.chart_number == before && row.address.number <= held))
    }
}

impl Shared for Log<'_> {
    fn ends(&self) -> Option<[NodeId; 2]> {
        Some(self.ends)
    }

    fn newest(&self, stream: &Stream) -> Option<Entry> {
        self.or_none(self.find_newest(stream))
    }

    fn before(&self, entry: &Entry) -> Option<Entry> {
        self.or_none(self.find_before(entry))
    }

    fn entry(&self, address: &Address) -> Option<Entry> {
        self.or_none(self.find(address).map_err(AppError::from))
    }
}

/// Sends a parcel back that builds upon what is not here.
pub fn send_back(
    app: &App,
    tx: &mut dyn WriteTx,
    peer: &NodeId,
    class: Class,
    parcel: &[u8],
) -> Result<(), AppError> {
    relay::send_on(app, tx, peer, class, &Message::Unread(parcel.to_vec()))
}

/// A parcel of this node's came back. The peer gets its entries in full, as far as they stand in
/// the log here and go to the peer anyway; gives whether it was such a parcel.
pub fn send_in_full(
    app: &App,
    tx: &mut dyn WriteTx,
    peer: &NodeId,
    bytes: &[u8],
) -> Result<bool, AppError> {
    let log = Log::new(&*tx, [app.place.node, *peer]);
    let parcel = Parcel::decode_with(bytes, &log);
    log.into_result()?;
    let Ok(parcel) = parcel else { return Ok(false) };
    forget(tx, peer)?;
    let nation = app.nation();
    for entry in parcel.batches.iter().flat_map(|batch| &batch.entries) {
        let is_here = tx.entry(&entry.address)?.is_some_and(|row| row.entry == *entry);
        if is_here
            && scope::goes_to(app, &nation, &*tx, peer, &entry.chart)?
            && !queue::is_beyond(&nation, &*tx, &entry.address)?
        {
            queue::push_entry(tx, peer, &entry.address)?;
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_round_trip() {
        let (first, last) = (Some((700, Class::Bulk, 3)), Some((701, Class::Care, 4)));
        for told in [[None, None], [first, None], [first, last]] {
            let note = Note { held: 650, told };
            assert_eq!(Note::read(&note.to_bytes()), Ok(note));
        }
    }
}
