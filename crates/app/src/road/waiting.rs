//! Entries that are kept apart: until the certificate of their origin comes, until the entry
//! before them comes, or because another stands at their address.

use std::sync::Arc;

use ondol_kernel::NodeId;
use ondol_record::Entry;
use ondol_replicate::{Batch, Parcel};
use ondol_store::{Ingested, Space};

use super::{
    arrive::{Arrival, Stop, Taking},
    keys, scope,
};
use crate::{App, AppError, arrivals};

/// In [`Space::Quarantine`]: entries of an origin whose certificate is not here yet.
const UNKNOWN: &[u8] = b"u";

impl App {
    /// Takes in the entries whose origin was not known when they came, and leads on the cases
    /// whose way was not known.
    pub(super) fn take_what_waited(self: &Arc<Self>) -> Result<(), AppError> {
        if !self.view()?.values(Space::Peer, keys::ASKED, None, 1)?.is_empty() {
            let app = self.clone();
            self.transact(move |tx| scope::lead_what_waited(&app, tx))?;
        }
        if !self.view()?.values(Space::Peer, keys::ONWARD, None, 1)?.is_empty() {
            let app = self.clone();
            self.transact(move |tx| scope::lead_onward(&app, tx))?;
        }
        let waiting = self.view()?.values(Space::Quarantine, UNKNOWN, None, usize::MAX)?;
        for (key, value) in waiting {
            let origin = key.get(UNKNOWN.len()..UNKNOWN.len() + 16);
            let Some(origin) = origin.and_then(|id| id.try_into().ok()).map(NodeId) else {
                continue;
            };
            let Some((peer, bytes)) = value.split_first_chunk::<16>() else { continue };
            if self.nation().node(&origin).is_none() {
                continue;
            }
            let (app, peer, bytes) = (self.clone(), NodeId(*peer), bytes.to_vec());
            let outcome = ondol_store::transact(&*self.store, move |tx| {
                tx.set_value(Space::Quarantine, &key, None)?;
                // Whoever brought it may have lost it meanwhile: it is given back once too often.
                let mut taking = Taking { app: &app, tx, is_late: true };
                match Parcel::decode(&bytes) {
                    Ok(parcel) => taking.parcel(peer, parcel, &bytes).map(drop),
                    Err(_) => Ok(taking.quarantine(&peer, &bytes).map(drop)?),
                }
            });
            match outcome {
                // These parcels carry no certificates.
                Ok(()) | Err(Stop::Meet(_) | Stop::Heed(_) | Stop::Place(_)) => {}
                Err(Stop::Failed(why)) => return Err(why),
            }
        }
        Ok(())
    }
}

impl Taking<'_> {
    /// Keeps a batch until the certificate of its origin comes.
    pub(super) fn wait_for_origin(
        &mut self,
        peer: &NodeId,
        batch: Batch,
    ) -> Result<Arrival, AppError> {
        let origin = batch.seal.stream.origin;
        let bytes = Parcel { certificates: vec![], batches: vec![batch] }.encode();
        let hash = blake3::hash(&bytes);
        let key = [UNKNOWN, &origin.0, &hash.as_bytes()[..8]].concat();
        self.tx.set_value(Space::Quarantine, &key, Some(&[&peer.0[..], &bytes].concat()))?;
        Ok(Arrival::Quarantined)
    }

    /// Takes in the entries that waited for this one.
    pub(super) fn followers(&mut self, entry: &Entry) -> Result<(), AppError> {
        let mut number = entry.chart_number + 1;
        loop {
            let key = keys::waiting(&entry.address.stream, &entry.chart, number);
            let Some(bytes) = self.tx.value(Space::Quarantine, &key)? else { return Ok(()) };
            self.tx.set_value(Space::Quarantine, &key, None)?;
            let Ok(waited) = Entry::from_bytes(&bytes) else {
                return Err(AppError::Unexpected("an entry that waited"));
            };
            arrivals::mark(self.app, self.tx)?;
            match self.tx.ingest(&waited, &bytes, self.app.now())? {
                Ingested::New | Ingested::Known => number += 1,
                Ingested::Gap { .. } => {
                    self.tx.set_value(Space::Quarantine, &key, Some(&bytes))?;
                    return Ok(());
                }
                Ingested::Clash => return self.clash(&waited.address.stream.origin, &waited),
            }
        }
    }

    /// Another entry stands at this address: a cloned disk or a forgery. Both are kept apart.
    pub(super) fn clash(&mut self, peer: &NodeId, entry: &Entry) -> Result<(), AppError> {
        let mut key = b"clash/".to_vec();
        key.extend_from_slice(&peer.0);
        entry.address.put(&mut key);
        Ok(self.tx.set_value(Space::Quarantine, &key, Some(&entry.to_bytes()))?)
    }
}
