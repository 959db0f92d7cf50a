//! Where the index stands among the small values of a store ([`Space::Index`]). What belongs to an
//! epoch of the key stands behind its number, so that a new key begins with nothing.

use ondol_kernel::{
    NodeId,
    bytes::{BadBytes, Reader, put_number},
};
use ondol_replicate::national::{Digest, Token};
use ondol_store::{Space, View, WriteTx};

use crate::AppError;

/// The key of this node's nation: epoch (8, big-endian), key (32).
pub const KEY: &[u8] = b"key";
/// That the key was asked for.
pub const KEY_ASKED: &[u8] = b"key-asked";
/// At the top: how many keys there were in this incarnation.
pub const KEYS_BEFORE: &[u8] = b"keys-before";
/// At the top: the epoch of the key that was handed out last.
pub const ANNOUNCED: &[u8] = b"key-announced";

/// The first bytes of all keys that belong to an epoch.
pub const OF_EPOCHS: [&[u8]; 9] = [b"m/", b"t/", b"c/", b"q/", b"f/", b"l/", b"p/", b"d/", b"o/"];

fn of(name: &[u8], epoch: u64, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = [name, &epoch.to_be_bytes()].concat();
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}

/// The chart of a token, as text.
pub fn chart(epoch: u64, token: &[u8]) -> Vec<u8> {
    of(b"m/", epoch, &[token])
}

/// What was told of a chart: a word for it.
pub fn told(epoch: u64, token: &[u8]) -> Vec<u8> {
    of(b"t/", epoch, &[token])
}

/// Up to which arrival people were told of (8, big-endian).
pub fn cursor(epoch: u64) -> Vec<u8> {
    of(b"c/", epoch, &[])
}

/// A question that is not answered: 0, or 1 if too much was asked; and when it was asked (ms, 8,
/// big-endian).
pub fn question(epoch: u64, token: &[u8]) -> Vec<u8> {
    of(b"q/", epoch, &[token])
}

/// Who was found for a chart: see [`super::found`].
pub fn found(epoch: u64, token: &[u8], other: &[u8]) -> Vec<u8> {
    of(b"f/", epoch, &[token, other])
}

/// A chart that goes towards a node when it is here: 1 if the next node on the way was told.
pub fn lead(epoch: u64, token: &[u8], to: &[u8]) -> Vec<u8> {
    of(b"l/", epoch, &[token, to])
}

/// At the top: a person, [`Row`].
pub fn person(epoch: u64, token: &[u8]) -> Vec<u8> {
    of(b"p/", epoch, &[token])
}

/// At the top: who has a digest.
pub fn digest(epoch: u64, digest: &[u8], token: &[u8]) -> Vec<u8> {
    of(b"d/", epoch, &[digest, token])
}

/// At the top: an answer that is owed.
pub fn owed(epoch: u64, node: &[u8], token: &[u8]) -> Vec<u8> {
    of(b"o/", epoch, &[node, token])
}

/// At the top: how much a node asked.
pub fn asked(node: &[u8]) -> Vec<u8> {
    [USED, node].concat()
}

/// The prefix of [`asked`].
pub const USED: &[u8] = b"n/";

/// A person in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Who told.
    pub teller: NodeId,
    /// The stamp of what was told.
    pub stamp: u64,
    /// By which the person is found.
    pub digests: Vec<Digest>,
}

impl Row {
    /// The row of a person.
    pub fn read(
        view: &(impl View + ?Sized),
        epoch: u64,
        token: Token,
    ) -> Result<Option<Self>, AppError> {
        let Some(value) = view.value(Space::Index, &person(epoch, &token))? else {
            return Ok(None);
        };
        let damaged = |_| AppError::Unexpected("a row of the index of persons");
        Self::of(&value).map(Some).map_err(damaged)
    }

    fn of(value: &[u8]) -> Result<Self, BadBytes> {
        let mut from = Reader::new(value);
        let (teller, stamp) = (NodeId(from.array()?), from.number()?);
        let mut digests = vec![];
        while !from.is_empty() {
            digests.push(from.array()?);
        }
        Ok(Self { teller, stamp, digests })
    }

    /// Puts the row in the place of the one before.
    pub fn put(&self, tx: &mut dyn WriteTx, epoch: u64, token: Token) -> Result<(), AppError> {
        let mut value = self.teller.0.to_vec();
        put_number(&mut value, self.stamp);
        value.extend(self.digests.iter().flatten());
        Ok(tx.set_value(Space::Index, &person(epoch, &token), Some(&value))?)
    }
}

/// The last `N` bytes of a key.
pub fn end<const N: usize>(key: &[u8]) -> Result<[u8; N], AppError> {
    let at = key.len().checked_sub(N);
    let end = at.and_then(|at| key.get(at..)).and_then(|end| end.try_into().ok());
    end.ok_or(AppError::Unexpected("a key of the index of persons"))
}

/// A number that stands alone, 0 if it was never set.
pub fn number(view: &(impl View + ?Sized), key: &[u8]) -> Result<u64, AppError> {
    match view.value(Space::Index, key)? {
        None => Ok(0),
        Some(bytes) => {
            let bytes = bytes.try_into();
            let damaged = |_| AppError::Unexpected("a number of the index of persons");
            Ok(u64::from_be_bytes(bytes.map_err(damaged)?))
        }
    }
}
