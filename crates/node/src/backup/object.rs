//! Objects: sealed bytes that are called by what they hold.
//!
//! A file is a magic, a format byte, a byte for how the bytes are packed, a salt, the packed bytes
//! under ChaCha20-Poly1305 (RFC 8439), and the tag. Name and salt come from the content by keyed
//! BLAKE3: the same content is the same file, no key is used for two contents, and a name tells
//! nothing to whoever lacks the key.

use std::io::Cursor;

use chacha20poly1305::{AeadInPlace, ChaCha20Poly1305, KeyInit, Nonce, Tag};
use ondol_kernel::bytes::to_hex;

const MAGIC: &[u8; 6] = b"ondolB";
/// The newest format that this program reads, and the only one that there ever was.
const FORMAT: u8 = 1;
const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
const SALT_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
const HEAD_BYTES: usize = MAGIC.len() + 2 + SALT_BYTES;

/// More than any object holds, bytes: a blob is at most a document, a piece of the log a few MiB.
const PLAIN_BYTES_MAX: usize = 256 << 20;

/// The level of zstd: what is packed once is carried for years.
const LEVEL: i32 = 9;

/// What an object holds. The numbers go into names and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Entries in the order of their arrival.
    Entries = 0,
    /// Who read which chart.
    Readings = 1,
    /// Seals.
    Seals = 2,
    /// Paths from charts to seals.
    Paths = 3,
    /// Small values.
    Values = 4,
    /// Files of the data directory.
    Files = 5,
    /// Which pictures there are.
    BlobList = 6,
    /// One picture.
    Blob = 7,
    /// What belongs to one moment. It is called by its number.
    Snapshot = 8,
}

/// The name of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub [u8; 32]);

impl Name {
    /// As it stands in names of files.
    pub fn to_hex(self) -> String {
        to_hex(&self.0)
    }
}

/// An object cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadObject {
    /// It does not begin like one.
    #[error("it is no file of a backup")]
    Foreign,
    /// Made by a program of another version.
    #[error("a newer Ondol wrote it (format {0})")]
    Newer(u8),
    /// Cut off, altered, or of another backup.
    #[error("it is damaged or cut off")]
    Damaged,
}

/// The keys of a backup.
pub struct Keys {
    name: [u8; 32],
    seal: [u8; 32],
}

impl Keys {
    /// The keys that come from a backup key.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self {
            name: blake3::derive_key("ondol 1 backup name", secret),
            seal: blake3::derive_key("ondol 1 backup seal", secret),
        }
    }

    /// The name of what has a BLAKE3 hash.
    pub fn name(&self, kind: Kind, hash: &[u8; 32]) -> Name {
        let mut named = blake3::Hasher::new_keyed(&self.name);
        Name(*named.update(&[kind as u8]).update(hash).finalize().as_bytes())
    }

    /// The name of a snapshot.
    pub fn snapshot_name(&self, number: u64) -> Name {
        let mut hash = [0; 32];
        hash[24..].copy_from_slice(&number.to_be_bytes());
        self.name(Kind::Snapshot, &hash)
    }

    /// Seals an object under its name. Pictures are packed already.
    pub fn seal(&self, kind: Kind, name: &Name, plain: &[u8]) -> Result<Vec<u8>, std::io::Error> {
        let (how, mut packed) = match kind {
            Kind::Blob => (PLAIN, plain.to_vec()),
            _ => (ZSTD, zstd::encode_all(Cursor::new(plain), LEVEL)?),
        };
        let mut salt = [0; SALT_BYTES];
        let mut from = blake3::Hasher::new_keyed(&self.seal);
        from.update(b"salt").update(&name.0).update(&[how]).update(&packed);
        from.finalize_xof().fill(&mut salt);
        let mut file = [&MAGIC[..], &[FORMAT, how], &salt].concat();
        let cipher = self.cipher(name, &salt);
        let tag = cipher
            .encrypt_in_place_detached(&Nonce::default(), &file, &mut packed)
            .map_err(|_| std::io::Error::other("an object is too long to be sealed"))?;
        file.extend_from_slice(&packed);
        file.extend_from_slice(&tag);
        Ok(file)
    }

    /// Opens an object that was found under a name.
    pub fn open(&self, name: &Name, file: &[u8]) -> Result<Vec<u8>, BadObject> {
        if !file.starts_with(MAGIC) {
            return Err(if file.is_empty() { BadObject::Damaged } else { BadObject::Foreign });
        }
        match file.get(MAGIC.len()) {
            Some(&FORMAT) => {}
            Some(&format) if format > FORMAT => return Err(BadObject::Newer(format)),
            _ => return Err(BadObject::Damaged),
        }
        let (head, rest) = file.split_at_checked(HEAD_BYTES).ok_or(BadObject::Damaged)?;
        let at = rest.len().checked_sub(TAG_BYTES).ok_or(BadObject::Damaged)?;
        let (packed, tag) = rest.split_at(at);
        let salt = head[HEAD_BYTES - SALT_BYTES..].try_into().map_err(|_| BadObject::Damaged)?;
        let mut packed = packed.to_vec();
        self.cipher(name, &salt)
            .decrypt_in_place_detached(&Nonce::default(), head, &mut packed, Tag::from_slice(tag))
            .map_err(|_| BadObject::Damaged)?;
        match head[MAGIC.len() + 1] {
            PLAIN => Ok(packed),
            ZSTD => unpack(&packed),
            _ => Err(BadObject::Damaged),
        }
    }

    fn cipher(&self, name: &Name, salt: &[u8; SALT_BYTES]) -> ChaCha20Poly1305 {
        let mut key = blake3::Hasher::new_keyed(&self.seal);
        key.update(b"key").update(&name.0).update(salt);
        ChaCha20Poly1305::new(key.finalize().as_bytes().into())
    }
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, BadObject> {
    use std::io::Read as _;
    let decoder = zstd::Decoder::new(Cursor::new(packed)).map_err(|_| BadObject::Damaged)?;
    let mut plain = vec![];
    let most = PLAIN_BYTES_MAX as u64 + 1;
    decoder.take(most).read_to_end(&mut plain).map_err(|_| BadObject::Damaged)?;
    if plain.len() > PLAIN_BYTES_MAX { Err(BadObject::Damaged) } else { Ok(plain) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_opens_under_its_own_name_and_key_alone_and_whole() {
        let (keys, other) = (Keys::new(&[1; 32]), Keys::new(&[2; 32]));
        for (kind, plain) in
            [(Kind::Values, vec![7; 5_000]), (Kind::Blob, vec![]), (Kind::Blob, vec![1, 2])]
        {
            let name = keys.name(kind, blake3::hash(&plain).as_bytes());
            let file = keys.seal(kind, &name, &plain).unwrap();
            assert_eq!(keys.open(&name, &file).unwrap(), plain);
            assert_eq!(keys.seal(kind, &name, &plain).unwrap(), file, "the same file again");
            assert_eq!(other.open(&name, &file), Err(BadObject::Damaged));
            assert_eq!(keys.open(&keys.snapshot_name(1), &file), Err(BadObject::Damaged));
            for at in 0..file.len() {
                let mut altered = file.clone();
                altered[at] ^= 1;
                assert!(keys.open(&name, &altered).is_err(), "byte {at}");
                assert!(keys.open(&name, &file[..at]).is_err(), "cut at {at}");
            }
            let mut newer = file.clone();
            newer[MAGIC.len()] = 2;
            assert_eq!(keys.open(&name, &newer), Err(BadObject::Newer(2)));
        }
        assert_eq!(keys.open(&keys.snapshot_name(1), b"a letter"), Err(BadObject::Foreign));
    }
}
