//! One signature over many entries, whether they travel together or apart (ADR 0004).
//!
//! A seal covers a range of numbers of one stream. Its leaves are the charts that the range
//! changed, each with the count and the hash of its newest entry there; since a chart's entries
//! are chained, that hash covers all of them. The origin signs the Merkle root over the leaves.
//! Who hands on only some charts adds the path from their leaf to the root.

use std::collections::BTreeMap;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use ondol_kernel::bytes::{BadBytes, Reader, put_bytes, put_number};
use thiserror::Error;

use crate::{ChartId, EntryHash, Stream, signature};

/// The newest entry of a chart within a sealed range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedHead {
    /// The chart.
    pub chart: ChartId,
    /// The count of that entry in (stream, chart).
    pub chart_number: u64,
    /// Its hash.
    pub hash: EntryHash,
}

/// A signed range of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Whose entries, of which class.
    pub stream: Stream,
    /// The first number of the range.
    pub first: u64,
    /// The last number of the range.
    pub last: u64,
    /// The Merkle root over the charts that changed.
    pub root: [u8; 32],
    /// The origin's Ed25519 signature (RFC 8032).
    pub signature: [u8; 64],
}

/// One step from a leaf to the root: the hash beside it, and on which side it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The neighbour's hash.
    pub hash: [u8; 32],
    /// Whether the neighbour stands to the left.
    pub left: bool,
}

/// The seal does not vouch for the entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadSeal {
    /// The range is empty or begins at 0.
    #[error("the sealed range is empty")]
    Range,
    /// The entries are not those that were sealed.
    #[error("the entries are not those that their origin sealed")]
    Root,
    /// The signature is not the origin's.
    #[error("the signature is not that of the entries' origin")]
    Signature,
}

impl SealedHead {
    fn leaf(&self) -> [u8; 32] {
        let mut bytes = vec![];
        self.chart.put(&mut bytes);
        put_number(&mut bytes, self.chart_number);
        bytes.extend_from_slice(&self.hash.0);
        blake3::derive_key("ondol 1 seal leaf", &bytes)
    }
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    blake3::derive_key("ondol 1 seal node", &[left.as_slice(), right.as_slice()].concat())
}

/// The Merkle tree over heads in the order of their charts. Odd nodes move up unchanged, as in
/// RFC 6962, 2.1, with its own domains for leaves and nodes.
pub struct Tree {
    levels: Vec<Vec<[u8; 32]>>,
    charts: BTreeMap<ChartId, usize>,
}

impl Tree {
    /// Builds the tree. Each chart once; the order given does not matter.
    pub fn new(heads: &[SealedHead]) -> Self {
        let sorted: BTreeMap<&ChartId, &SealedHead> =
            heads.iter().map(|head| (&head.chart, head)).collect();
        let charts = sorted.keys().enumerate().map(|(at, &chart)| (chart.clone(), at)).collect();
        let mut levels = vec![sorted.values().map(|head| head.leaf()).collect::<Vec<_>>()];
        while levels[levels.len() - 1].len() > 1 {
            let below = &levels[levels.len() - 1];
            let above = below
                .chunks(2)
                .map(|pair| if let [left, right] = pair { node(left, right) } else { pair[0] })
                .collect();
            levels.push(above);
        }
        Self { levels, charts }
    }

    /// The root; all zeros for no heads.
    pub fn root(&self) -> [u8; 32] {
        self.levels.last().and_then(|top| top.first()).copied().unwrap_or([0; 32])
    }

    /// The way from a chart's leaf to the root.
    pub fn path(&self, chart: &ChartId) -> Option<Vec<Step>> {
        let mut at = *self.charts.get(chart)?;
        let mut steps = vec![];
        for level in &self.levels {
            let left = at % 2 == 1;
            let beside = if left { at - 1 } else { at + 1 };
            if let Some(hash) = level.get(beside) {
                steps.push(Step { hash: *hash, left });
            }
            at /= 2;
        }
        Some(steps)
    }
}

/// The root that a leaf and its path lead to.
pub fn climb(head: &SealedHead, path: &[Step]) -> [u8; 32] {
    path.iter().fold(head.leaf(), |hash, step| {
        if step.left { node(&step.hash, &hash) } else { node(&hash, &step.hash) }
    })
}

impl Seal {
    /// Signs the charts that the numbers `first..=last` of `stream` changed.
    pub fn sign(key: &SigningKey, stream: Stream, first: u64, last: u64, root: [u8; 32]) -> Self {
        let mut seal = Self { stream, first, last, root, signature: [0; 64] };
        seal.signature = key.sign(&seal.signed_bytes()).to_bytes();
        seal
    }

    /// Checks the signature alone.
    pub fn check(&self, key: &VerifyingKey) -> Result<(), BadSeal> {
        if self.first == 0 || self.last < self.first {
            return Err(BadSeal::Range);
        }
        let right = signature::is_right(key, &self.signed_bytes(), &self.signature);
        if right { Ok(()) } else { Err(BadSeal::Signature) }
    }

    /// Checks that the seal is over exactly these heads.
    pub fn covers(&self, heads: &[SealedHead]) -> Result<(), BadSeal> {
        if Tree::new(heads).root() == self.root { Ok(()) } else { Err(BadSeal::Root) }
    }

    /// Checks that the seal is over this head among others.
    pub fn covers_one(&self, head: &SealedHead, path: &[Step]) -> Result<(), BadSeal> {
        if climb(head, path) == self.root { Ok(()) } else { Err(BadSeal::Root) }
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut to = b"ondol 1 seal".to_vec();
        self.put_range(&mut to);
        to.extend_from_slice(&self.root);
        to
    }

    fn put_range(&self, to: &mut Vec<u8>) {
        self.stream.put(to);
        put_number(to, self.first);
        put_number(to, self.last);
    }

    /// Appends the seal (ADR 0004).
    pub fn put(&self, to: &mut Vec<u8>) {
        self.put_range(to);
        to.extend_from_slice(&self.root);
        to.extend_from_slice(&self.signature);
    }

    /// Reads what [`Seal::put`] wrote.
    pub fn read(from: &mut Reader<'_>) -> Result<Self, BadBytes> {
        let stream = Stream::read(from)?;
        let (first, last) = (from.number()?, from.number()?);
        Ok(Self { stream, first, last, root: from.array()?, signature: from.array()? })
    }
}

/// Appends a path: its length, a bit mask of left neighbours, the hashes.
pub fn put_path(to: &mut Vec<u8>, path: &[Step]) {
    put_number(to, path.len() as u64);
    let lefts: Vec<u8> = path
        .chunks(8)
        .map(|steps| steps.iter().rev().fold(0, |mask, step| mask << 1 | u8::from(step.left)))
        .collect();
    put_bytes(to, &lefts);
    for step in path {
        to.extend_from_slice(&step.hash);
    }
}

/// Reads what [`put_path`] wrote. A path of more than 64 steps cannot be.
pub fn read_path(from: &mut Reader<'_>) -> Result<Vec<Step>, BadBytes> {
    let length = from.size(64)?;
    let lefts = from.bytes()?;
    if lefts.len() != length.div_ceil(8) {
        return Err(BadBytes);
    }
    (0..length)
        .map(|at| Ok(Step { left: lefts[at / 8] >> (at % 8) & 1 == 1, hash: from.array()? }))
        .collect()
}
