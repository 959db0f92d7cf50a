//! A node's key is believed no more: it was stolen, lost or copied, or its place was closed (ADR
//! 0026). Signed by the nation's root key.

use std::collections::BTreeMap;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use ondol_kernel::{
    Class, Millis, NodeId,
    bytes::{BadBytes, Reader, put_number},
};
use thiserror::Error;

use crate::{Seal, Stream, signature::is_right};

/// Why a node is revoked. The numbers are part of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Why {
    /// Somebody took it.
    Stolen = 0,
    /// Nobody knows where it is.
    Lost = 1,
    /// Somebody may have a copy of its disk or its keys.
    Copied = 2,
    /// It is used no more: the place was closed, or the machine broke.
    Closed = 3,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Stolen, Self::Lost, Self::Copied, Self::Closed];

    /// The reason of a number, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Stolen),
            1 => Some(Self::Lost),
            2 => Some(Self::Copied),
            3 => Some(Self::Closed),
            _ => None,
        }
    }

    /// The word for it in forms, on the command line and in machine-readable output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stolen => "stolen",
            Self::Lost => "lost",
            Self::Copied => "copied",
            Self::Closed => "closed",
        }
    }

    /// The reason of a word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.name() == name)
    }
}

/// The last trusted numbers of a node: for each incarnation, by class with the most urgent first.
/// An incarnation that is not named is not trusted at all.
pub type Trusted = BTreeMap<u32, [u64; 4]>;

/// The nation says that a node is believed no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The node.
    pub node: NodeId,
    /// When it was signed.
    pub at: Millis,
    /// Why.
    pub why: Why,
    /// The last numbers that are trusted. No row is all zeros.
    pub trusted: Trusted,
    /// The root key's signature.
    pub signature: [u8; 64],
}

/// The revocation does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadRevocation {
    /// Damaged, or of a newer format.
    #[error("the bytes are no revocation that this node reads")]
    Bytes(#[from] BadBytes),
    /// The nation's root key did not sign it.
    #[error("the revocation is not signed by this nation's root key")]
    Signature,
}

/// How a revocation begins, in a file too.
pub const MAGIC: &[u8; 16] = b"ondol revocation";
const FORMAT: u8 = 1;

/// So many incarnations are named at the most: a node has one more for each time that it was put
/// back from a backup.
pub const INCARNATIONS_MAX: usize = 256;

impl Revocation {
    /// Signs what the other fields say with the root key. Rows that trust nothing are left out:
    /// one statement has one form.
    #[must_use]
    pub fn signed(mut self, root: &SigningKey) -> Self {
        self.trusted.retain(|_, last| *last != [0; 4]);
        self.signature = root.sign(&self.signed_bytes()).to_bytes();
        self
    }

    /// Checks the root key's signature.
    pub fn check(&self, root: &VerifyingKey) -> Result<(), BadRevocation> {
        if is_right(root, &self.signed_bytes(), &self.signature) {
            Ok(())
        } else {
            Err(BadRevocation::Signature)
        }
    }

    /// The last trusted number of a log of the node; 0 if nothing in it is.
    pub fn last(&self, stream: &Stream) -> u64 {
        let row = self.trusted.get(&stream.incarnation);
        row.map_or(0, |last| last[usize::from(stream.class.code())])
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut to = MAGIC.to_vec();
        to.push(FORMAT);
        to.extend_from_slice(&self.node.0);
        to.extend_from_slice(&self.at.0.to_le_bytes());
        to.push(self.why as u8);
        put_number(&mut to, self.trusted.len() as u64);
        for (incarnation, last) in &self.trusted {
            put_number(&mut to, u64::from(*incarnation));
            for number in last {
                put_number(&mut to, *number);
            }
        }
        to
    }

    /// The bytes that travel: the signed ones and the signature.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = self.signed_bytes();
        to.extend_from_slice(&self.signature);
        to
    }

    /// Reads what [`Revocation::to_bytes`] wrote. The signature is not checked here.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadRevocation> {
        let mut from = Reader::new(bytes);
        if from.take(MAGIC.len())? != MAGIC || from.byte()? != FORMAT {
            return Err(BadBytes.into());
        }
        let node = NodeId(from.array()?);
        let at = Millis(i64::from_le_bytes(from.array()?));
        let why = Why::from_code(from.byte()?).ok_or(BadBytes)?;
        let count = from.size(INCARNATIONS_MAX)?;
        let mut trusted = Trusted::new();
        for _ in 0..count {
            let incarnation = u32::try_from(from.number()?).map_err(|_| BadBytes)?;
            let mut last = [0; 4];
            for number in &mut last {
                *number = from.number()?;
            }
            // Rows stand in order, and none says nothing.
            let follows = trusted.last_key_value().is_none_or(|(before, _)| *before < incarnation);
            if !follows || last == [0; 4] {
                return Err(BadBytes.into());
            }
            trusted.insert(incarnation, last);
        }
        let signature = from.array()?;
        if !from.is_empty() {
            return Err(BadBytes.into());
        }
        Ok(Self { node, at, why, trusted, signature })
    }

    /// Whether this statement trusts no number that `other` does not trust.
    fn is_as_strict_as(&self, other: &Self) -> bool {
        self.trusted.iter().all(|(incarnation, last)| {
            let other = other.trusted.get(incarnation).copied().unwrap_or_default();
            last.iter().zip(other).all(|(mine, other)| *mine <= other)
        })
    }

    /// Whether `other` says nothing more beside this one. Of two that trust the same, the older
    /// one counts, so that everybody keeps the same whatever came first.
    fn covers(&self, other: &Self) -> bool {
        let order = |of: &Self| (of.at, of.to_bytes());
        self.is_as_strict_as(other) && (!other.is_as_strict_as(self) || order(self) <= order(other))
    }
}

/// All that was said about one revoked node: a number is trusted if every statement trusts it. It
/// does not depend on the order in which they came, nor on how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked(Vec<Revocation>);

impl Revoked {
    /// By one statement.
    pub fn new(first: Revocation) -> Self {
        Self(vec![first])
    }

    /// With one more statement; `None` if it says nothing that is not said yet, or is about
    /// another node.
    #[must_use]
    pub fn with(&self, one: &Revocation) -> Option<Self> {
        let other_node = self.0.iter().any(|known| known.node != one.node);
        if other_node || self.0.iter().any(|known| known.covers(one)) {
            return None;
        }
        let mut all: Vec<Revocation> =
            self.0.iter().filter(|known| !one.covers(known)).cloned().collect();
        all.push(one.clone());
        all.sort_by_key(|one| (one.at, one.to_bytes()));
        Some(Self(all))
    }

    /// The statements that count, oldest first.
    pub fn statements(&self) -> &[Revocation] {
        &self.0
    }

    /// The last trusted number of a log of the node.
    pub fn last(&self, stream: &Stream) -> u64 {
        self.0.iter().map(|one| one.last(stream)).min().unwrap_or(0)
    }

    /// Whether a sealed range reaches beyond what is trusted. It is then believed in no part:
    /// without its end, nobody could check what is before it.
    pub fn is_beyond(&self, seal: &Seal) -> bool {
        seal.last > self.last(&seal.stream)
    }

    /// The last trusted numbers, all statements taken together.
    pub fn trusted(&self) -> Trusted {
        let Some(first) = self.0.first() else { return Trusted::new() };
        let rows = first.trusted.keys().map(|&incarnation| {
            let of = |class| Stream { origin: first.node, incarnation, class };
            (incarnation, Class::ALL.map(|class| self.last(&of(class))))
        });
        rows.filter(|(_, last)| *last != [0; 4]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(at: i64, why: Why, trusted: &[(u32, [u64; 4])]) -> Revocation {
        let trusted = trusted.iter().copied().collect();
        let (node, signature) = (NodeId([1; 16]), [0; 64]);
        Revocation { node, at: Millis(at), why, trusted, signature }
            .signed(&SigningKey::from_bytes(&[7; 32]))
    }

    fn any_statement() -> impl Strategy<Value = Revocation> {
        let row = (0_u32..3, [0_u64..3, 0_u64..3, 0_u64..2, 0_u64..2]);
        (0_i64..3, 0_u8..4, prop::collection::vec(row, 0..3))
            .prop_map(|(at, why, rows)| said(at, Why::from_code(why).unwrap(), &rows))
    }

    fn fold(all: &[Revocation]) -> Option<Revoked> {
        all.iter().fold(None, |known: Option<Revoked>, one| match known {
            None => Some(Revoked::new(one.clone())),
            Some(known) => Some(known.with(one).unwrap_or(known)),
        })
    }

    proptest! {
        /// Commutative, associative and idempotent: a fold over any order with repetitions is the
        /// same, and trusts what all of them trust.
        #[test]
        fn statements_join_in_any_order(
            all in prop::collection::vec(any_statement(), 1..6),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let once = fold(&all);
            let mut shuffled: Vec<Revocation> =
                order.iter().map(|at| at.get(&all).clone()).collect();
            shuffled.extend(all.iter().rev().cloned());
            let joined = fold(&shuffled);
            prop_assert_eq!(&joined, &once);
            let joined = joined.unwrap();
            for incarnation in 0..4 {
                for class in Class::ALL {
                    let stream = Stream { origin: NodeId([1; 16]), incarnation, class };
                    let least = all.iter().map(|one| one.last(&stream)).min().unwrap();
                    prop_assert_eq!(joined.last(&stream), least);
                    let row = joined.trusted().get(&incarnation).copied().unwrap_or_default();
                    prop_assert_eq!(row[usize::from(class.code())], least);
                }
            }
        }

        #[test]
        fn bytes_round_trip_and_hostile_bytes_are_refused(one in any_statement(), cut: u8) {
            let bytes = one.to_bytes();
            prop_assert_eq!(Revocation::from_bytes(&bytes), Ok(one));
            let cut = usize::from(cut) % bytes.len();
            prop_assert!(Revocation::from_bytes(&bytes[..cut]).is_err());
        }

        #[test]
        fn decoding_never_panics(bytes: Vec<u8>) {
            let _ = Revocation::from_bytes(&bytes);
            let _ = Revocation::from_bytes(&[&MAGIC[..], &[FORMAT], &bytes].concat());
        }
    }

    #[test]
    fn what_is_about_another_node_joins_nothing() {
        let one = said(1, Why::Stolen, &[(0, [1, 1, 1, 1])]);
        let other = Revocation { node: NodeId([2; 16]), ..said(2, Why::Lost, &[]) };
        assert_eq!(Revoked::new(one).with(&other), None);
    }
}
