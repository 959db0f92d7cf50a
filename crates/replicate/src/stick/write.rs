//! Making the file.

use super::{
    CONTENT_BYTES_MAX, CannotWrite, Item, Party, READERS_MAX, StickContent,
    frame::{self, FrameKey, Shard},
    items::{Packed, ProofKey},
    parity,
    superblock::{KEYS_BYTES, Label, Wrap},
};
use crate::{message::MESSAGE_BYTES_MAX, sealed};

/// Writes a stick: the bytes of the file.
///
/// Items are laid down most urgent first, because a file that is cut short keeps its front.
/// `seed` is 32 fresh random bytes. Were they ever used twice, unlike content would still be
/// sealed under unlike keys.
pub fn write(
    content: &StickContent,
    from: &Party<'_>,
    seed: &[u8; 32],
) -> Result<Vec<u8>, CannotWrite> {
    let readers = content.to.len();
    if !(1..=READERS_MAX).contains(&readers) {
        return Err(CannotWrite::Readers { readers });
    }
    let mut packed = pack(content)?;
    let bytes = packed.bytes().len();
    if bytes > CONTENT_BYTES_MAX {
        return Err(CannotWrite::TooLong { bytes });
    }
    let label = Label {
        nation: from.nation,
        from: from.node,
        to: content.to.iter().map(|reader| reader.node).collect(),
        made_at: content.made_at,
        sequence: content.sequence,
        frames: u32::try_from(packed.frames()).map_err(|_| CannotWrite::TooLong { bytes })?,
    };
    let keys = Keys::derive(seed, &label, packed.bytes());
    packed.prove(&keys.proofs);
    let (superblock, file) = label.encode(&wraps(content, from, &label, &keys)?);
    let frame_key = FrameKey::new(&keys.file, file);
    let sealed = (0..).zip(packed.plains()).map(|(number, plain)| frame_key.seal(number, &plain));
    let mut shards: Vec<Shard> = sealed.collect::<Option<_>>().ok_or(CannotWrite::Cipher)?;
    shards.extend(parity::parity(&shards));

    let mut bytes = Vec::with_capacity(label.file_bytes());
    bytes.extend_from_slice(&superblock);
    for (number, shard) in (0..).zip(&shards) {
        if number as usize == shards.len() / 2 {
            bytes.extend_from_slice(&superblock);
        }
        frame::put(&file, number, shard, &mut bytes);
    }
    if shards.is_empty() {
        bytes.extend_from_slice(&superblock);
    }
    bytes.extend_from_slice(&superblock);
    Ok(bytes)
}

fn pack(content: &StickContent) -> Result<Packed, CannotWrite> {
    let mut items: Vec<&Item> = content.items.iter().collect();
    items.sort_by_key(|item| item.class());
    let mut packed = Packed::default();
    for item in items {
        if let Item::Message { bytes, .. } = item
            && bytes.len() > MESSAGE_BYTES_MAX
        {
            return Err(CannotWrite::MessageTooLong { bytes: bytes.len() });
        }
        let to = item.to();
        let reader = content.to.iter().position(|reader| reader.node == to);
        packed.push(item, reader.ok_or(CannotWrite::NoSuchReader { to })?);
    }
    Ok(packed)
}

/// All keys of one file.
struct Keys {
    file: [u8; 32],
    proofs: Vec<ProofKey>,
    wrap_seeds: Vec<[u8; 32]>,
}

impl Keys {
    /// From the seed and from all that they will protect.
    fn derive(seed: &[u8; 32], label: &Label, packed: &[u8]) -> Self {
        let mut stream =
            blake3::Hasher::new_keyed(seed).update(&label.context()).update(packed).finalize_xof();
        let mut next = || {
            let mut key = [0; 32];
            stream.fill(&mut key);
            key
        };
        let file = next();
        let proofs = label.to.iter().map(|_| next()).collect();
        Self { file, proofs, wrap_seeds: label.to.iter().map(|_| next()).collect() }
    }
}

fn wraps(
    content: &StickContent,
    from: &Party<'_>,
    label: &Label,
    keys: &Keys,
) -> Result<Vec<Wrap>, CannotWrite> {
    let context = label.context();
    let mut wraps = Vec::with_capacity(content.to.len());
    for ((reader, proof), seed) in content.to.iter().zip(&keys.proofs).zip(&keys.wrap_seeds) {
        let mut plain = [0; KEYS_BYTES];
        plain[..32].copy_from_slice(&keys.file);
        plain[32..].copy_from_slice(proof);
        let wrap = sealed::seal_in(&context, &reader.link_key, from.link_private, &plain, seed)
            .map_err(|source| CannotWrite::Reader { to: reader.node, source })?;
        wraps.push(wrap.try_into().map_err(|_| CannotWrite::Cipher)?);
    }
    Ok(wraps)
}
