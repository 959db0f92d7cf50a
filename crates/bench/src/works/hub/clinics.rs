//! The clinics below a hub: keys, certificates, and the days that they send.

use std::collections::HashMap;

use anyhow::Result;
use ed25519_dalek::SigningKey;
use ondol_app::{NodeKeys, Place};
use ondol_kernel::{Class, Hlc, Millis, NodeId, ResourceId};
use ondol_record::{
    Certificate, ChartId, Draft, Entry, EntryHash, Seal, SealedHead, Stream,
    certificate::{Issuer, Tier},
    draft::Ledger,
    seal::Tree,
};
use ondol_replicate::{Batch, Parcel, link, message::Message};

/// Monday 2 March 2026, 08:00 in Pyongyang.
pub const MORNING: Millis = Millis(1_772_406_000_000);
/// A minute of a clinic's day, ms.
const MINUTE_MS: i64 = 60_000;

fn root() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// A node of the nation that is made up for the hub.
pub struct Seat {
    name: String,
    tier: Tier,
    parent: Option<NodeId>,
}

impl Seat {
    /// The ministry.
    pub fn ministry() -> Self {
        Self { name: "ministry".into(), tier: Tier::Ministry, parent: None }
    }

    /// The hub, a province.
    pub fn hub() -> Self {
        Self { name: "hub".into(), tier: Tier::Province, parent: Some(Self::ministry().node()) }
    }

    /// A clinic below the hub.
    pub fn clinic(at: usize) -> Self {
        let parent = Some(Self::hub().node());
        Self { name: format!("clinic-{at}"), tier: Tier::Clinic, parent }
    }

    /// Its keys.
    pub fn keys(&self) -> NodeKeys {
        let secret =
            |what: &str| *blake3::hash(format!("{what} {}", self.name).as_bytes()).as_bytes();
        NodeKeys { signing: SigningKey::from_bytes(&secret("signing")), link: secret("link") }
    }

    /// Its id.
    pub fn node(&self) -> NodeId {
        self.keys().node()
    }

    /// Its facility.
    pub fn facility(&self) -> Result<ResourceId> {
        Ok(ResourceId::new(&self.name)?)
    }

    /// Where it stands.
    pub fn place(&self) -> Result<Place> {
        Ok(Place {
            node: self.node(),
            facility: self.facility()?,
            name: self.name.as_str().into(),
            tier: self.tier,
            parent: self.parent,
            root: root().verifying_key().to_bytes(),
        })
    }

    /// What the nation says of it.
    pub fn certificate(&self) -> Result<Certificate> {
        let keys = self.keys();
        let certificate = Certificate {
            node: self.node(),
            signing_key: keys.signing.verifying_key().to_bytes(),
            link_key: link::public_key(&keys.link)?,
            facility: self.facility()?,
            tier: self.tier,
            parent: self.parent,
            issued: Millis(0),
            issuer: Issuer::Root,
            signature: [0; 64],
            possession: [0; 64],
        };
        Ok(certificate.signed(&root(), &keys.signing))
    }
}

/// A clinic that writes.
pub struct Clinic {
    /// Its id.
    pub node: NodeId,
    facility: ResourceId,
    key: SigningKey,
    log: Log,
    unsealed: Vec<Entry>,
    minutes: i64,
    sent: HashMap<Class, u64>,
}

/// What a clinic's drafts have to know of its log.
struct Log {
    node: NodeId,
    facility: ResourceId,
    last: HashMap<Class, u64>,
    heads: HashMap<(Class, ChartId), (u64, EntryHash)>,
}

impl Ledger for Log {
    fn origin(&self) -> NodeId {
        self.node
    }
    fn incarnation(&self) -> u32 {
        0
    }
    fn facility(&self) -> ResourceId {
        self.facility.clone()
    }
    fn last_number(&self, class: Class) -> u64 {
        self.last.get(&class).copied().unwrap_or(0)
    }
    fn chart_head(&self, class: Class, chart: &ChartId) -> Option<(u64, EntryHash)> {
        self.heads.get(&(class, chart.clone())).copied()
    }
    fn chart_of(&self, _: &str, _: &ResourceId) -> Option<ChartId> {
        None
    }
}

impl Clinic {
    /// With an empty log.
    pub fn new(seat: &Seat) -> Result<Self> {
        let (node, facility) = (seat.node(), seat.facility()?);
        let log =
            Log { node, facility: facility.clone(), last: HashMap::new(), heads: HashMap::new() };
        let key = seat.keys().signing;
        Ok(Self { node, facility, key, log, unsealed: vec![], minutes: 0, sent: HashMap::new() })
    }

    /// `Organization/…`.
    pub fn organization(&self) -> String {
        format!("Organization/{}", self.facility)
    }

    /// Saves a transaction; gives the entries.
    pub fn save(&mut self, draft: Draft) -> Result<&[Entry]> {
        self.minutes += 8;
        let at = Hlc::at(MORNING.plus(self.minutes * MINUTE_MS));
        let entries = draft.finish(&self.log, at, false)?;
        for entry in &entries {
            let class = entry.address.stream.class;
            self.log.last.insert(class, entry.address.number);
            let head = (entry.chart_number, entry.hash());
            self.log.heads.insert((class, entry.chart.clone()), head);
        }
        let from = self.unsealed.len();
        self.unsealed.extend(entries);
        Ok(&self.unsealed[from..])
    }

    /// Seals what was saved since the last time, all of one class, and packs it: the message's
    /// class, number and bytes, and how many entries are in it.
    pub fn send(&mut self) -> Result<Packed> {
        let entries = std::mem::take(&mut self.unsealed);
        let (first, last) = match (entries.first(), entries.last()) {
            (Some(first), Some(last)) => (first.address, last.address),
            _ => anyhow::bail!("nothing was saved"),
        };
        let stream: Stream = first.stream;
        let mut heads: HashMap<&ChartId, SealedHead> = HashMap::new();
        for entry in &entries {
            let (chart, chart_number) = (entry.chart.clone(), entry.chart_number);
            heads.insert(&entry.chart, SealedHead { chart, chart_number, hash: entry.hash() });
        }
        let mut heads: Vec<SealedHead> = heads.into_values().collect();
        heads.sort_by(|a, b| a.chart.cmp(&b.chart));
        let seal =
            Seal::sign(&self.key, stream, first.number, last.number, Tree::new(&heads).root());
        let count = entries.len();
        let parcel =
            Parcel { certificates: vec![], batches: vec![Batch { seal, entries, paths: None }] };
        let number = self.sent.entry(stream.class).or_default();
        *number += 1;
        let bytes = Message::Parcel(parcel.encode()).encode();
        Ok(Packed { from: self.node, class: stream.class, number: *number, bytes, entries: count })
    }
}

/// A parcel on its way.
pub struct Packed {
    /// The clinic.
    pub from: NodeId,
    /// Its class.
    pub class: Class,
    /// Its number.
    pub number: u64,
    /// The message.
    pub bytes: Vec<u8>,
    /// Entries in it.
    pub entries: usize,
}
