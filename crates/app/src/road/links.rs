//! What carriers tell and keep: the measured state of each link, and parts of messages that are
//! still arriving.

use std::sync::Arc;

use ondol_kernel::{Class, Millis, NodeId};
use ondol_store::Space;

use super::keys;
use crate::{App, AppError};

/// What a carrier measured of a link. It is memory, not record: gone with a restart.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LinkReport {
    /// Whether the peer is heard.
    pub is_up: bool,
    /// Since when it is so.
    pub since: Millis,
    /// What the road passes outwards, bits per second.
    pub rate_bps: u64,
    /// The round trip, ms.
    pub rtt_ms: Option<u64>,
    /// The share of packets lost, 0 to 1.
    pub loss: f64,
    /// Bytes received since the start, with IP and UDP.
    pub bytes_in: u64,
    /// Bytes sent since the start, with IP and UDP.
    pub bytes_out: u64,
    /// When the peer last held something durably that we sent.
    pub acknowledged: Option<Millis>,
}

/// Assumed where nothing was measured yet, bits per second: the slowest line of the plan, so
/// that no estimate promises too much.
pub const RATE_ASSUMED_BPS: u64 = 9_600;

impl App {
    /// A carrier says how a link does.
    pub fn report_link(&self, peer: NodeId, report: LinkReport) {
        match self.links.write() {
            Ok(mut links) => drop(links.insert(peer, report)),
            Err(poisoned) => drop(poisoned.into_inner().insert(peer, report)),
        }
    }

    /// How the link to a peer does; `None` before it was ever tried.
    pub fn link(&self, peer: &NodeId) -> Option<LinkReport> {
        match self.links.read() {
            Ok(links) => links.get(peer).copied(),
            Err(poisoned) => poisoned.into_inner().get(peer).copied(),
        }
    }

    /// Bits per second towards the node above: measured, or assumed as slow.
    pub fn rate_up_bps(&self) -> u64 {
        let above = self.nation().parent().and_then(|parent| self.link(&parent));
        above.map(|link| link.rate_bps).filter(|rate| *rate > 0).unwrap_or(RATE_ASSUMED_BPS)
    }

    /// Keeps what arrived of a message durably, so that a cut repeats little of it.
    pub fn keep_part(
        self: &Arc<Self>,
        peer: NodeId,
        class: Class,
        number: u64,
        bytes: &[u8],
    ) -> Result<(), AppError> {
        let value = [&number.to_be_bytes()[..], bytes].concat();
        ondol_store::transact(&*self.store, move |tx| {
            Ok(tx.set_value(Space::ParcelIn, &keys::part(&peer, class), Some(&value))?)
        })
    }

    /// The message of a class that was arriving from a peer: its number and its first bytes.
    pub fn kept_part(
        &self,
        peer: NodeId,
        class: Class,
    ) -> Result<Option<(u64, Vec<u8>)>, AppError> {
        let Some(value) = self.view()?.value(Space::ParcelIn, &keys::part(&peer, class))? else {
            return Ok(None);
        };
        let Some((number, bytes)) = value.split_first_chunk::<8>() else {
            return Err(AppError::Unexpected("a part of a message"));
        };
        let number = u64::from_be_bytes(*number);
        Ok((number > self.arrived_up_to(peer, class)?).then(|| (number, bytes.to_vec())))
    }
}
