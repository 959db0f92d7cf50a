//! Bytes that several nodes open and nobody else, for as long as they rest (ADR 0025).
//!
//! Layout: a format byte; how many may open it (1 byte); the key of the content, once for each of
//! them, sealed as [`sealed`](crate::sealed) does; the content under that key, ChaCha20-Poly1305
//! (RFC 8439) with a nonce of zeros, for the key is used once. All before the content is
//! authenticated with it. Inside: how long the packed bytes are (4, little-endian), the bytes
//! packed with zstd, zeros up to the next multiple of [`BLOCK_BYTES`], so that lengths tell little.
//! Who may open it stands nowhere: a node tries each key.

use chacha20poly1305::{AeadInPlace, ChaCha20Poly1305, KeyInit, Nonce, Tag};

use crate::sealed::{BadSealed, CannotSeal, open_in, seal_in, sealed_bytes};

/// The most nodes that may open one piece.
pub const READERS_MAX: usize = 16;
/// The most plain bytes of one piece: a visit has a few thousand.
pub const PLAIN_BYTES_MAX: usize = 4 << 20;
/// What lengths are rounded up to, bytes.
pub const BLOCK_BYTES: usize = 256;
/// The format that [`seal_for`] writes.
pub const FORMAT: u8 = 1;

const CONTEXT: &[u8] = b"ondol sealed for several 1";
const KEY_BYTES: usize = 32;
const WRAPPED_BYTES: usize = sealed_bytes(KEY_BYTES);
const LENGTH_BYTES: usize = 4;
const TAG_BYTES: usize = 16;
/// Texts of records pack well, and few pieces are made.
const LEVEL: i32 = 19;

/// Seals `plain` for the holders of the link keys `readers`, in the name of the holder of
/// `from_link_private`. Only who knows the `context` opens it: a piece that is put elsewhere stays
/// closed. `seed` is 32 fresh random bytes.
pub fn seal_for(
    readers: &[[u8; 32]],
    from_link_private: &[u8; 32],
    context: &[u8],
    plain: &[u8],
    seed: &[u8; 32],
) -> Result<Vec<u8>, CannotSeal> {
    if plain.len() > PLAIN_BYTES_MAX {
        return Err(CannotSeal::TooLong { bytes: plain.len() });
    }
    let mut keyed: Vec<([u8; 32], &[u8; 32])> =
        readers.iter().map(|reader| (mixed(seed, &[b"order", reader]), reader)).collect();
    // In no order that says who wrote it or who was named first.
    keyed.sort_unstable();
    keyed.dedup();
    let count = u8::try_from(keyed.len()).ok().filter(|&n| (1..=READERS_MAX).contains(&n.into()));
    let Some(count) = count else { return Err(CannotSeal::Readers { count: keyed.len() }) };
    let key = mixed(seed, &[b"key", context, plain]);
    let mut piece = vec![FORMAT, count];
    let bound = bound(context);
    for (order, reader) in keyed {
        let wrapped = seal_in(&bound, reader, from_link_private, &key, &order)?;
        piece.extend_from_slice(&wrapped);
    }
    let mut content = pack(plain).ok_or(CannotSeal::Noise)?;
    let aad = [&bound, piece.as_slice()].concat();
    let tag = ChaCha20Poly1305::new(&key.into())
        .encrypt_in_place_detached(&Nonce::default(), &aad, &mut content)
        .map_err(|_| CannotSeal::Noise)?;
    piece.extend_from_slice(&content);
    piece.extend_from_slice(&tag);
    Ok(piece)
}

/// Opens what [`seal_for`] made: the link key of who sealed it, and the plain bytes.
/// [`BadSealed::NotOpened`] if this node is none of those who may, or the bytes are damaged.
pub fn open_for(
    my_link_private: &[u8; 32],
    context: &[u8],
    piece: &[u8],
) -> Result<([u8; 32], Vec<u8>), BadSealed> {
    let (&format, rest) = piece.split_first().ok_or(BadSealed::Cut)?;
    if format != FORMAT {
        return Err(BadSealed::Format { format });
    }
    let (&count, rest) = rest.split_first().ok_or(BadSealed::Cut)?;
    let count = usize::from(count);
    if !(1..=READERS_MAX).contains(&count) {
        return Err(BadSealed::NotOpened);
    }
    let (wrapped, rest) = rest.split_at_checked(count * WRAPPED_BYTES).ok_or(BadSealed::Cut)?;
    let (content, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or(BadSealed::Cut)?;
    if content.len() > 2 * PLAIN_BYTES_MAX {
        return Err(BadSealed::TooLong);
    }
    let bound = bound(context);
    let opened = wrapped
        .chunks_exact(WRAPPED_BYTES)
        .find_map(|wrapped| open_in(&bound, my_link_private, wrapped).ok());
    let (sender, key) = opened.ok_or(BadSealed::NotOpened)?;
    let key: [u8; KEY_BYTES] = key.try_into().map_err(|_| BadSealed::NotOpened)?;
    let head = &piece[..piece.len() - rest.len()];
    let aad = [&bound, head].concat();
    let mut content = content.to_vec();
    ChaCha20Poly1305::new(&key.into())
        .decrypt_in_place_detached(&Nonce::default(), &aad, &mut content, Tag::from_slice(tag))
        .map_err(|_| BadSealed::NotOpened)?;
    Ok((sender, unpack(&content).ok_or(BadSealed::NotOpened)?))
}

fn bound(context: &[u8]) -> Vec<u8> {
    [CONTEXT, context].concat()
}

fn mixed(seed: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(seed);
    for part in parts {
        hasher.update(blake3::hash(part).as_bytes());
    }
    *hasher.finalize().as_bytes()
}

fn pack(plain: &[u8]) -> Option<Vec<u8>> {
    let packed = zstd::bulk::compress(plain, LEVEL).ok()?;
    let length = u32::try_from(packed.len()).ok()?;
    let mut padded = length.to_le_bytes().to_vec();
    padded.extend_from_slice(&packed);
    padded.resize(padded.len().next_multiple_of(BLOCK_BYTES), 0);
    Some(padded)
}

fn unpack(padded: &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = padded.split_at_checked(LENGTH_BYTES)?;
    let length = usize::try_from(u32::from_le_bytes(length.try_into().ok()?)).ok()?;
    let packed = rest.get(..length)?;
    let stated = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten()?;
    let size = usize::try_from(stated).ok().filter(|&size| size <= PLAIN_BYTES_MAX)?;
    zstd::bulk::decompress(packed, size).ok()
}

#[cfg(test)]
#[path = "sealed_for_several_tests.rs"]
mod tests;
