//! The land: twenty places with their keys and certificates, and their disks on the first day.
//!
//! Founding is the same in every world, so that it is done once in a process and each world
//! begins with copies of the disks.

use std::{path::Path, sync::OnceLock};

use ed25519_dalek::SigningKey;
use ondol_app::{NodeKeys, Place};
use ondol_fault_vfs::{Disk, Image};
use ondol_kernel::{Millis, NodeId, ResourceId};
use ondol_record::{
    Certificate, Revocation,
    certificate::{Issuer, Tier},
    revocation::{Trusted, Why},
};
use ondol_replicate::link;
use ondol_store::{Identity, Space, StoreError};
use ondol_store_sqlite::{OpenOptions, SqliteStore};

use crate::node::new_name;

/// Where a node stands.
#[derive(Debug, Clone, Copy)]
pub struct Seat {
    /// Its place in the list.
    pub at: usize,
    /// Its tier.
    pub tier: Tier,
    /// The node above, by its place in the list.
    pub above: Option<usize>,
}

/// Everything about the places that no world changes.
pub struct Land {
    /// Where the nodes stand.
    pub seats: Vec<Seat>,
    /// Their ids.
    pub ids: Vec<NodeId>,
    keys: Vec<NodeKeys>,
    /// Disks of nodes that know everybody's certificate.
    acquainted: Vec<Image>,
    /// Disks of nodes that have just joined: they know themselves, and have to knock above.
    joined: Vec<Image>,
}

/// The land.
pub fn land() -> &'static Land {
    static LAND: OnceLock<Land> = OnceLock::new();
    LAND.get_or_init(|| Land::found().expect("founding on sound disks"))
}

/// The ministry, its provinces and specialist, counties, clinics: 20 nodes.
fn seats() -> Vec<Seat> {
    let mut seats = vec![Seat { at: 0, tier: Tier::Ministry, above: None }];
    let mut add = |tier, above| {
        let at = seats.len();
        seats.push(Seat { at, tier, above: Some(above) });
        at
    };
    add(Tier::Specialist, 0);
    for _ in 0..2 {
        let province = add(Tier::Province, 0);
        for _ in 0..2 {
            let county = add(Tier::County, province);
            for _ in 0..3 {
                add(Tier::Clinic, county);
            }
        }
    }
    seats
}

fn root() -> SigningKey {
    SigningKey::from_bytes(&[255; 32])
}

/// How a store is opened here: its caches are small, so that many nodes fit, and it is carried
/// over from its log often, so that a short life has that too.
pub fn open(disk: &Disk) -> Result<SqliteStore, StoreError> {
    let options = OpenOptions {
        vfs: Some(disk.vfs_name().into()),
        idle_readers_max: 1,
        checkpoint_pages: 60,
        writer_cache_kib: 512,
        reader_cache_kib: 256,
        ..OpenOptions::default()
    };
    SqliteStore::open(Path::new("record.db"), options)
}

impl Land {
    fn found() -> Result<Self, StoreError> {
        let seats = seats();
        let keys: Vec<NodeKeys> = seats
            .iter()
            .map(|seat| {
                let byte = u8::try_from(seat.at + 1).unwrap_or(u8::MAX);
                NodeKeys { signing: SigningKey::from_bytes(&[byte; 32]), link: [byte; 32] }
            })
            .collect();
        let ids: Vec<NodeId> = keys.iter().map(NodeKeys::node).collect();
        let mut land = Self { seats, ids, keys, acquainted: vec![], joined: vec![] };
        let certificates: Vec<Certificate> =
            land.seats.iter().map(|seat| land.certificate(seat)).collect();
        for seat in &land.seats {
            land.joined.push(land.disk_of(seat.at, &[&certificates[seat.at]])?);
            let all: Vec<&Certificate> = certificates.iter().collect();
            land.acquainted.push(land.disk_of(seat.at, &all)?);
        }
        Ok(land)
    }

    fn certificate(&self, seat: &Seat) -> Certificate {
        let keys = &self.keys[seat.at];
        Certificate {
            node: self.ids[seat.at],
            signing_key: keys.signing.verifying_key().to_bytes(),
            link_key: self.link_key(seat.at),
            facility: self.facility(seat.at),
            tier: seat.tier,
            parent: seat.above.map(|above| self.ids[above]),
            issued: Millis(0),
            issuer: Issuer::Root,
            signature: [0; 64],
            possession: [0; 64],
        }
        .signed(&root(), &keys.signing)
    }

    /// The disk of a node that belongs to a place and has certificates, as it is left when the
    /// node was closed.
    fn disk_of(&self, at: usize, known: &[&Certificate]) -> Result<Image, StoreError> {
        let disk = Disk::new(&new_name());
        let identity = Identity { node: self.ids[at], incarnation: 0, facility: self.facility(at) };
        let store = open(&disk)?;
        let certificates: Vec<Certificate> = known.iter().map(|&known| known.clone()).collect();
        ondol_store::transact(&store, move |tx| -> Result<(), StoreError> {
            tx.set_identity(&identity)?;
            for certificate in &certificates {
                let key = [b"cert/".as_slice(), &certificate.node.0].concat();
                tx.set_value(Space::Peer, &key, Some(&certificate.to_bytes()))?;
            }
            Ok(())
        })?;
        drop(store);
        Ok(disk.image(0))
    }

    /// A disk of the first day.
    pub fn disk(&self, at: usize, knows_everybody: bool) -> Image {
        if knows_everybody { self.acquainted[at].clone() } else { self.joined[at].clone() }
    }

    /// The keys of a node.
    pub fn keys(&self, at: usize) -> NodeKeys {
        self.keys[at].clone()
    }

    /// The public key of a node's links.
    pub fn link_key(&self, at: usize) -> [u8; 32] {
        link::public_key(&self.keys[at].link).expect("a key")
    }

    /// The nation's root key.
    pub fn root_key(&self) -> [u8; 32] {
        root().verifying_key().to_bytes()
    }

    /// Signs that a node is believed no more.
    pub fn revoke(&self, at: usize, trusted: Trusted) -> Revocation {
        let (node, why, signature) = (self.ids[at], Why::Stolen, [0; 64]);
        Revocation { node, at: Millis(1), why, trusted, signature }.signed(&root())
    }

    /// The facility of a node.
    pub fn facility(&self, at: usize) -> ResourceId {
        ResourceId::new(&format!("f{at}")).expect("a short id")
    }

    /// `Organization/…` of a node's facility.
    pub fn organization(&self, at: usize) -> String {
        format!("Organization/f{at}")
    }

    /// The place of a node as its use cases know it.
    pub fn place(&self, at: usize) -> Place {
        let seat = &self.seats[at];
        Place {
            node: self.ids[at],
            facility: self.facility(at),
            name: "facility".into(),
            tier: seat.tier,
            parent: seat.above.map(|above| self.ids[above]),
            root: self.root_key(),
        }
    }

    /// A node and those above it.
    pub fn line_up(&self, at: usize) -> Vec<usize> {
        std::iter::successors(Some(at), |&below| self.seats[below].above).collect()
    }

    /// The neighbours of a node in the tree.
    pub fn neighbours(&self, at: usize) -> Vec<usize> {
        let above = self.seats[at].above;
        let below = self.seats.iter().filter(|seat| seat.above == Some(at));
        above.into_iter().chain(below.map(|seat| seat.at)).collect()
    }

    /// Whether a node's tier treats people.
    pub fn treats(&self, at: usize) -> bool {
        self.seats[at].tier.treats()
    }
}
