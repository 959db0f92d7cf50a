//! What arrives: each message once, with its effects, in one transaction.

use ondol_kernel::{Class, NodeId};
use ondol_record::{Certificate, Entry, Placement, Revocation};
use ondol_replicate::{Batch, Parcel, message::Message, parcel::BadParcel, relay::Envelope};
use ondol_store::{Ingested, Space, StoreError, WriteTx};

use super::{
    blobs, compare, held, keys,
    numbers::{note, saw, skip},
    pack::{self, sealed_paths},
    queue, relay, scope,
};
use crate::{App, AppError, arrivals, national};

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It was new, and what it says is done.
    Done,
    /// It was here before.
    Known,
    /// It was new and cannot be used; what can be shown of it is in the quarantine.
    Quarantined,
    /// Its sender is revoked: it was not looked at, and its number is not noted.
    Refused,
}

impl App {
    /// [`App::arrive_in`] the epoch in which the neighbour counts now.
    pub fn arrive(
        self: &std::sync::Arc<Self>,
        peer: NodeId,
        class: Class,
        number: u64,
        bytes: &[u8],
    ) -> Result<Arrival, AppError> {
        self.arrive_in(peer, self.peer_epoch(peer)?, class, number, bytes)
    }

    /// Takes in a message from a tree neighbour, with its number in an epoch of the neighbour's.
    /// When this returns, its effects are durable and its number may be acknowledged.
    pub fn arrive_in(
        self: &std::sync::Arc<Self>,
        peer: NodeId,
        epoch: u64,
        class: Class,
        number: u64,
        bytes: &[u8],
    ) -> Result<Arrival, AppError> {
        self.disk.room()?;
        let (mut heeded, mut placed) = (false, false);
        loop {
            let (app, message) = (self.clone(), bytes.to_vec());
            let outcome = ondol_store::transact(&*self.store, move |tx| {
                let nation = app.nation();
                if nation.is_revoked(&peer) {
                    return Ok(Arrival::Refused);
                }
                saw(&app, tx, &nation, (&peer, epoch))?;
                if !note(tx, &peer, epoch, class, number)? {
                    return Ok(Arrival::Known);
                }
                let is_late = epoch != keys::number(tx, &keys::epoch(&peer))?;
                Taking { app: &app, tx, is_late }.message(peer, class, &message)
            });
            match outcome {
                Ok(arrival) => {
                    self.woken();
                    return Ok(arrival);
                }
                Err(Stop::Failed(why @ AppError::Store(_))) => return Err(why),
                // It would fail each time, and nothing may wait for it.
                Err(Stop::Failed(_)) => {
                    return self.put_aside((peer, epoch), class, number, bytes.to_vec());
                }
                // What a message brings is led by what is known of its nodes, so that they are
                // met first. Each certificate is new once.
                Err(Stop::Meet(certificates)) => {
                    for certificate in certificates {
                        self.meet(Some(peer), certificate)?;
                    }
                }
                // It is new once.
                Err(Stop::Heed(_)) if heeded => {
                    return Err(AppError::Unexpected("a revocation was not kept"));
                }
                Err(Stop::Heed(revocation)) => {
                    heeded = true;
                    self.heed(Some(peer), *revocation)?;
                }
                Err(Stop::Place(_)) if placed => {
                    return Err(AppError::Unexpected("a placement was not kept"));
                }
                Err(Stop::Place(placement)) => {
                    placed = true;
                    self.hang(Some(peer), *placement)?;
                }
            }
        }
    }

    /// Notes a message that cannot be taken in, and keeps it for whoever looks after the node.
    fn put_aside(
        self: &std::sync::Arc<Self>,
        (peer, epoch): (NodeId, u64),
        class: Class,
        number: u64,
        bytes: Vec<u8>,
    ) -> Result<Arrival, AppError> {
        let app = self.clone();
        self.transact(move |tx| {
            if !note(tx, &peer, epoch, class, number)? {
                return Ok(Arrival::Known);
            }
            Taking { app: &app, tx, is_late: true }.quarantine(&peer, &bytes)
        })
    }
}

fn is_enveloped(plain: &[u8]) -> bool {
    matches!(Message::decode(plain), Ok(Message::Relay { .. } | Message::RelayDone { .. }))
}

/// Why a message is not taken in now.
pub enum Stop {
    /// It failed.
    Failed(AppError),
    /// These certificates are to be taken in first.
    Meet(Vec<Certificate>),
    /// This revocation is to be taken in first.
    Heed(Box<Revocation>),
    /// This placement is to be taken in first.
    Place(Box<Placement>),
}

impl From<AppError> for Stop {
    fn from(why: AppError) -> Self {
        Self::Failed(why)
    }
}

impl From<StoreError> for Stop {
    fn from(why: StoreError) -> Self {
        Self::Failed(why.into())
    }
}

/// A message being taken in.
pub struct Taking<'a> {
    pub(super) app: &'a App,
    pub(super) tx: &'a mut dyn WriteTx,
    /// Whether its sender may have counted anew since: what it gave then it may have lost, and it
    /// has told already what it holds (ADR 0029).
    pub(super) is_late: bool,
}

impl Taking<'_> {
    fn message(&mut self, peer: NodeId, class: Class, bytes: &[u8]) -> Result<Arrival, Stop> {
        let Ok(message) = Message::decode(bytes) else {
            return Ok(self.quarantine(&peer, bytes)?);
        };
        let nation = self.app.nation();
        let is_used = match &message {
            Message::Parcel(parcel) => return self.parcel_of(peer, class, parcel),
            Message::Relay { envelope, sealed } => return self.relay((&peer, envelope), sealed),
            Message::Certificate(bytes) => {
                if let Ok(certificate) = Certificate::from_bytes(bytes) {
                    self.meet_first(&[certificate])?;
                }
                true
            }
            Message::Revocation(bytes) => self.revocation(bytes)?,
            Message::Placement(bytes) => self.placement(&peer, bytes)?,
            Message::Unread(parcel) => held::send_in_full(self.app, self.tx, &peer, parcel)?,
            Message::RelayDone { receipt, proof } => {
                relay::receipt(self.app, self.tx, &nation, (&peer, receipt), proof)?
            }
            Message::Index(index) => {
                national::arrived(self.app, self.tx, &nation, (&peer, class), index)?
            }
            Message::BlobWanted { hash, from } => {
                blobs::wanted(self.app, self.tx, &peer, class, hash, *from)?;
                true
            }
            Message::BlobPart { hash, size, offset, bytes } => {
                let part = blobs::Part { hash, size: *size, offset: *offset, bytes };
                blobs::part(self.app, self.tx, (&peer, class), &part)?;
                true
            }
            Message::Holdings(holdings) => {
                compare::give(self.app, self.tx, &nation, (&peer, class), holdings)?;
                true
            }
            Message::Lead { to, chart } => {
                scope::lead_on(self.app, self.tx, &nation, &peer, (to, chart))?;
                true
            }
            Message::Anew { node, epoch } => {
                compare::anew(self.app, self.tx, &nation, &peer, (node, *epoch))?;
                true
            }
        };
        if is_used { Ok(Arrival::Done) } else { Ok(self.quarantine(&peer, bytes)?) }
    }

    /// Stops if some certificates are news.
    pub(super) fn meet_first(&self, certificates: &[Certificate]) -> Result<(), Stop> {
        let nation = self.app.nation();
        let mut new = vec![];
        for certificate in certificates {
            if nation.with(&self.app.place, certificate)?.is_some() {
                new.push(certificate.clone());
            }
        }
        if new.is_empty() { Ok(()) } else { Err(Stop::Meet(new)) }
    }

    fn relay(
        &mut self,
        (peer, envelope): (&NodeId, &Envelope),
        sealed: &[u8],
    ) -> Result<Arrival, Stop> {
        let nation = self.app.nation();
        match relay::pass(self.app, self.tx, &nation, (peer, envelope), sealed)? {
            relay::Passed::HandedOn => Ok(Arrival::Done),
            // Its sender keeps it.
            relay::Passed::Refused => Ok(Arrival::Quarantined),
            relay::Passed::Unknown(plain) => {
                // The sender's certificate travels with its parcels.
                if let Ok(Message::Parcel(parcel)) = Message::decode(&plain)
                    && let Ok(certificates) = Parcel::certificates(&parcel)
                {
                    self.meet_first(&certificates)?;
                }
                Ok(Arrival::Quarantined)
            }
            relay::Passed::Opened(plain) => {
                let Envelope { from, class, epoch, number, first, .. } = *envelope;
                saw(self.app, self.tx, &nation, (&from, epoch))?;
                skip(self.tx, &from, epoch, class, first)?;
                let arrival = match note(self.tx, &from, epoch, class, number)? {
                    false => Arrival::Known,
                    // One envelope within another would lead on what came to its end, and as
                    // deep as its sender likes.
                    true if is_enveloped(&plain) => self.quarantine(&from, &plain)?,
                    true => {
                        self.is_late = epoch != keys::number(self.tx, &keys::epoch(&from))?;
                        self.message(from, class, &plain)?
                    }
                };
                relay::acknowledge(self.app, self.tx, &nation, envelope)?;
                Ok(arrival)
            }
        }
    }

    /// Takes in a parcel; one that builds upon what is not here goes back to its sender.
    fn parcel_of(&mut self, peer: NodeId, class: Class, bytes: &[u8]) -> Result<Arrival, Stop> {
        let log = held::Log::new(&*self.tx, [peer, self.app.place.node]);
        let parcel = Parcel::decode_with(bytes, &log);
        log.into_result()?;
        match parcel {
            Ok(parcel) => self.parcel(peer, parcel, bytes),
            Err(BadParcel::NotHeld(_)) => {
                // Who it is from has to be known before it can be answered.
                self.meet_first(&Parcel::certificates(bytes).unwrap_or_default())?;
                held::send_back(self.app, self.tx, &peer, class, bytes)?;
                Ok(Arrival::Done)
            }
            Err(_) => Ok(self.quarantine(&peer, bytes)?),
        }
    }

    /// Takes in a parcel.
    pub(super) fn parcel(
        &mut self,
        peer: NodeId,
        parcel: Parcel,
        bytes: &[u8],
    ) -> Result<Arrival, Stop> {
        self.meet_first(&parcel.certificates)?;
        let nation = self.app.nation();
        let mut arrival = Arrival::Done;
        for batch in parcel.batches {
            match nation.node(&batch.seal.stream.origin) {
                None => arrival = self.wait_for_origin(&peer, batch)?,
                Some(known) if batch.check(&known.key).is_ok() => {
                    if nation.is_beyond(&batch.seal) {
                        arrival = self.set_apart(batch)?;
                    } else {
                        self.batch(&peer, &batch)?;
                    }
                }
                Some(_) => arrival = self.quarantine(&peer, bytes)?,
            }
        }
        queue::distribute(self.app, self.tx)?;
        Ok(arrival)
    }

    /// Takes in the entries of a batch whose seal was checked.
    fn batch(&mut self, peer: &NodeId, batch: &Batch) -> Result<(), AppError> {
        self.tx.put_seal(&batch.seal, &sealed_paths(batch))?;
        let mut all = true;
        for entry in &batch.entries {
            all &= self.entry(peer, entry)?;
        }
        if !all && batch.paths.is_none() {
            // Of a range that is not whole here, each chart needs its path to be handed on.
            self.tx.put_seal(&batch.seal, &pack::every_path(&batch.entries))?;
        }
        Ok(())
    }

    /// Takes in an entry; false if it is not in the log now.
    fn entry(&mut self, peer: &NodeId, entry: &Entry) -> Result<bool, AppError> {
        let stream = &entry.address.stream;
        let source = keys::source(peer, &entry.chart, stream);
        if !self.is_late && keys::number(self.tx, &source)? < entry.chart_number {
            keys::set_number(self.tx, &source, entry.chart_number)?;
        }
        arrivals::mark(self.app, self.tx)?;
        match self.tx.ingest(entry, &entry.to_bytes(), self.app.now())? {
            Ingested::New => {
                // Whoever sends entries of a chart holds it, and gets what follows.
                scope::grant(self.app, self.tx, peer, &entry.chart, Class::Care)?;
                national::came(self.app, self.tx, entry)?;
                self.followers(entry)?;
                Ok(true)
            }
            Ingested::Known => {
                scope::grant(self.app, self.tx, peer, &entry.chart, Class::Care)?;
                Ok(true)
            }
            Ingested::Gap { .. } => {
                let key = keys::waiting(stream, &entry.chart, entry.chart_number);
                self.tx.set_value(Space::Quarantine, &key, Some(&entry.to_bytes()))?;
                Ok(false)
            }
            Ingested::Clash => self.clash(peer, entry).map(|()| false),
        }
    }

    /// Keeps bytes that cannot be used, for whoever looks after the node.
    pub(super) fn quarantine(&mut self, peer: &NodeId, bytes: &[u8]) -> Result<Arrival, AppError> {
        let hash = blake3::hash(bytes);
        let key = [b"x".as_slice(), &peer.0, &hash.as_bytes()[..8]].concat();
        self.tx.set_value(Space::Quarantine, &key, Some(bytes))?;
        Ok(Arrival::Quarantined)
    }
}

impl App {
    /// What a parcel from a neighbour would bring, if it can be read. For tests of forgery.
    pub fn parcel_from(&self, peer: NodeId, bytes: &[u8]) -> Result<Option<Parcel>, AppError> {
        let view = self.view()?;
        let log = held::Log::new(&*view, [peer, self.place.node]);
        let parcel = Parcel::decode_with(bytes, &log);
        log.into_result()?;
        Ok(parcel.ok())
    }

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
