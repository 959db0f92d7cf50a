//! What arrives: each message once, with its effects, in one transaction.

use ondol_kernel::{Class, NodeId};
use ondol_record::{Certificate, Entry};
use ondol_replicate::{Batch, Parcel, message::Message};
use ondol_store::{Ingested, Space, WriteTx};

use super::{blobs, introduce, keys, pack::sealed_paths, queue, relay, scope, send};
use crate::{App, AppError};

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It was new, and what it says is done.
    Done,
    /// It was here before.
    Known,
    /// It was new and cannot be used; what can be shown of it is in the quarantine.
    Quarantined,
}

impl App {
    /// Takes in a message from a tree neighbour. When this returns, its effects are durable and
    /// its number may be acknowledged.
    pub fn arrive(
        self: &std::sync::Arc<Self>,
        peer: NodeId,
        class: Class,
        number: u64,
        bytes: &[u8],
    ) -> Result<Arrival, AppError> {
        let (app, bytes) = (self.clone(), bytes.to_vec());
        let (arrival, certificates) =
            self.transact(move |tx| app.arrive_in(tx, peer, class, number, &bytes))?;
        if certificates {
            self.reload_nation()?;
        }
        Ok(arrival)
    }

    fn arrive_in(
        &self,
        tx: &mut dyn WriteTx,
        peer: NodeId,
        class: Class,
        number: u64,
        bytes: &[u8],
    ) -> Result<(Arrival, bool), AppError> {
        if !note(tx, &peer, class, number)? {
            return Ok((Arrival::Known, false));
        }
        let mut taking = Taking { app: self, tx, new_certificates: false };
        let arrival = taking.message(peer, class, bytes)?;
        let certificates = taking.new_certificates;
        Ok((arrival, certificates))
    }
}

/// Notes a number; false if it was noted before.
fn note(tx: &mut dyn WriteTx, peer: &NodeId, class: Class, number: u64) -> Result<bool, AppError> {
    let counter = keys::got(peer, class);
    let mut got = keys::number(tx, &counter)?;
    let mut key = keys::early_prefix(peer, class);
    key.extend_from_slice(&number.to_be_bytes());
    if number <= got || tx.value(Space::ParcelIn, &key)?.is_some() {
        return Ok(false);
    }
    if number > got + 1 {
        tx.set_value(Space::ParcelIn, &key, Some(&[]))?;
        return Ok(true);
    }
    got = number;
    // Those that came early follow now.
    let early = tx.values(Space::ParcelIn, &keys::early_prefix(peer, class), None, usize::MAX)?;
    for (key, _) in early {
        if keys::last_number(&key)? != got + 1 {
            break;
        }
        got += 1;
        tx.set_value(Space::ParcelIn, &key, None)?;
    }
    keys::set_number(tx, &counter, got)?;
    Ok(true)
}

/// A message being taken in.
struct Taking<'a> {
    app: &'a App,
    tx: &'a mut dyn WriteTx,
    new_certificates: bool,
}

impl Taking<'_> {
    fn message(&mut self, peer: NodeId, class: Class, bytes: &[u8]) -> Result<Arrival, AppError> {
        let Ok(message) = Message::decode(bytes) else {
            return self.quarantine(&peer, bytes);
        };
        match &message {
            Message::Parcel(parcel) => self.parcel(peer, parcel),
            Message::Relay { .. } => self.relay(&message),
            Message::RelayDone { from, to, class, up_to } => {
                if *to == self.app.place.node {
                    super::delivered(self.tx, from, *class, *up_to)?;
                } else if let Some(next) = self.app.nation().way_to(to).first() {
                    send(self.tx, next, Class::Care, &message)?;
                }
                Ok(Arrival::Done)
            }
            Message::BlobWanted { hash, from } => {
                blobs::wanted(self.app, self.tx, &peer, class, hash, *from)?;
                Ok(Arrival::Done)
            }
            Message::BlobPart { hash, size, offset, bytes } => {
                blobs::part(self.app, self.tx, hash, *size, *offset, bytes)?;
                Ok(Arrival::Done)
            }
            Message::Certificate(bytes) => {
                if let Ok(certificate) = Certificate::from_bytes(bytes) {
                    self.certificate(&peer, &certificate)?;
                }
                Ok(Arrival::Done)
            }
        }
    }

    fn certificate(&mut self, peer: &NodeId, certificate: &Certificate) -> Result<(), AppError> {
        self.new_certificates |= introduce::take(self.app, self.tx, Some(peer), certificate)?;
        Ok(())
    }

    fn relay(&mut self, message: &Message) -> Result<Arrival, AppError> {
        let nation = self.app.nation();
        let own = self.app.place.node;
        match relay::pass(self.app, self.tx, &nation, message)? {
            relay::Passed::HandedOn => Ok(Arrival::Done),
            relay::Passed::Refused => self.quarantine(&own, &message.encode()),
            relay::Passed::Opened(from, class, number, plain) => {
                let arrival = if note(self.tx, &from, class, number)? {
                    self.message(from, class, &plain)?
                } else {
                    Arrival::Known
                };
                let up_to = keys::number(self.tx, &keys::got(&from, class))?;
                let done = Message::RelayDone { from: own, to: from, class, up_to };
                if let Some(next) = nation.way_to(&from).first() {
                    send(self.tx, next, class.min(Class::Care), &done)?;
                }
                Ok(arrival)
            }
        }
    }

    fn parcel(&mut self, peer: NodeId, bytes: &[u8]) -> Result<Arrival, AppError> {
        let Ok(parcel) = Parcel::decode(bytes) else {
            return self.quarantine(&peer, bytes);
        };
        for certificate in &parcel.certificates {
            self.certificate(&peer, certificate)?;
        }
        let mut arrival = Arrival::Done;
        for batch in &parcel.batches {
            if !self.batch(&peer, batch, &parcel.certificates)? {
                arrival = self.quarantine(&peer, bytes)?;
            }
        }
        queue::distribute(self.app, self.tx)?;
        Ok(arrival)
    }

    /// Takes in the entries of a batch; false if its seal does not hold.
    fn batch(
        &mut self,
        peer: &NodeId,
        batch: &Batch,
        fresh: &[Certificate],
    ) -> Result<bool, AppError> {
        let origin = batch.seal.stream.origin;
        let nation = self.app.nation();
        let key = match nation.node(&origin) {
            Some(known) => Some(known.key),
            None => fresh.iter().find(|certificate| certificate.node == origin).and_then(|c| {
                let root = ed25519_dalek::VerifyingKey::from_bytes(&self.app.place.root).ok()?;
                c.check(&root).ok()
            }),
        };
        let Some(key) = key else { return Ok(false) };
        if batch.check(&key).is_err() {
            return Ok(false);
        }
        self.tx.put_seal(&batch.seal, &sealed_paths(batch))?;
        for entry in &batch.entries {
            self.entry(peer, entry)?;
        }
        Ok(true)
    }

    fn entry(&mut self, peer: &NodeId, entry: &Entry) -> Result<(), AppError> {
        let stream = &entry.address.stream;
        let source = keys::source(peer, &entry.chart, stream);
        if keys::number(self.tx, &source)? < entry.chart_number {
            keys::set_number(self.tx, &source, entry.chart_number)?;
        }
        match self.tx.ingest(entry, &entry.to_bytes(), self.app.now())? {
            Ingested::New => {
                // Whoever sends entries of a chart holds it, and gets what follows.
                scope::grant(self.app, self.tx, peer, &entry.chart, Class::Care)?;
                self.followers(entry)
            }
            Ingested::Known => scope::grant(self.app, self.tx, peer, &entry.chart, Class::Care),
            Ingested::Gap { .. } => {
                let key = keys::waiting(stream, &entry.chart, entry.chart_number);
                Ok(self.tx.set_value(Space::Quarantine, &key, Some(&entry.to_bytes()))?)
            }
            Ingested::Clash => self.clash(peer, entry),
        }
    }

    /// Takes in the entries that waited for this one.
    fn followers(&mut self, entry: &Entry) -> Result<(), AppError> {
        let mut number = entry.chart_number + 1;
        loop {
            let key = keys::waiting(&entry.address.stream, &entry.chart, number);
            let Some(bytes) = self.tx.value(Space::Quarantine, &key)? else { return Ok(()) };
            self.tx.set_value(Space::Quarantine, &key, None)?;
            let Ok(waited) = Entry::from_bytes(&bytes) else {
                return Err(AppError::Unexpected("an entry that waited"));
            };
            match self.tx.ingest(&waited, &bytes, self.app.now())? {
                Ingested::New | Ingested::Known => number += 1,
                Ingested::Gap { .. } | Ingested::Clash => return Ok(()),
            }
        }
    }

    /// Another entry stands at this address: a cloned disk or a forgery. Both are kept apart.
    fn clash(&mut self, peer: &NodeId, entry: &Entry) -> Result<(), AppError> {
        let mut key = b"clash/".to_vec();
        key.extend_from_slice(&peer.0);
        entry.address.put(&mut key);
        Ok(self.tx.set_value(Space::Quarantine, &key, Some(&entry.to_bytes()))?)
    }

    /// Keeps bytes that cannot be used, for whoever looks after the node.
    fn quarantine(&mut self, peer: &NodeId, bytes: &[u8]) -> Result<Arrival, AppError> {
        let hash = blake3::hash(bytes);
        let key = [b"x".as_slice(), &peer.0, &hash.as_bytes()[..8]].concat();
        self.tx.set_value(Space::Quarantine, &key, Some(bytes))?;
        Ok(Arrival::Quarantined)
    }
}

impl App {
    /// Whether entries that pass their seal are, where they are here already, the same as here.
    /// For tests of forgery.
    pub fn check_known(&self, entries: &[Entry]) -> Result<bool, AppError> {
        let view = self.view()?;
        for entry in entries {
            if let Some(row) = view.entry(&entry.address)?
                && row.entry != *entry
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
