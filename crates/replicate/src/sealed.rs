//! Bytes for one node, from a node that proves who it is, which nodes in between can forward
//! and cannot read (ADR 0010, 'Sealed').
//!
//! Layout: a format byte, the one message of the handshake `Noise_X_25519_ChaChaPoly_BLAKE2s`
//! (the Noise Protocol Framework, revision 34, section 7.4), then chunks. A chunk is a Noise
//! transport message whose plain bytes are a marker (0: another chunk follows; 1: this is the
//! last) and at most [`CHUNK_BYTES`]; every chunk but the last is full, so that no lengths are
//! needed and a cut is noticed.

use snow::{
    Builder, HandshakeState,
    params::{CipherChoice, DHChoice, HashChoice, NoiseParams},
    resolvers::{CryptoResolver, DefaultResolver},
    types::{Cipher, Dh, Hash, Random},
};

/// The most plain bytes in one sealed piece.
pub const PLAIN_BYTES_MAX: usize = 64 << 20;
/// Plain bytes in a full chunk.
pub const CHUNK_BYTES: usize = 60 << 10;
/// The format that [`seal`] writes.
pub const FORMAT: u8 = 1;

const PATTERN: &str = "Noise_X_25519_ChaChaPoly_BLAKE2s";
const PROLOGUE: &[u8] = b"ondol sealed 1";
const TAG_BYTES: usize = 16;
/// A new public key, the sender's public key sealed, an empty payload sealed.
const HANDSHAKE_BYTES: usize = 32 + (32 + TAG_BYTES) + TAG_BYTES;
const MARKER_BYTES: usize = 1;
const FULL_CHUNK_BYTES: usize = MARKER_BYTES + CHUNK_BYTES + TAG_BYTES;
const MORE: u8 = 0;
const LAST: u8 = 1;

/// How many bytes `plain_bytes` take once sealed: 97 more, and 17 for each begun chunk.
pub const fn sealed_bytes(plain_bytes: usize) -> usize {
    let chunks = if plain_bytes == 0 { 1 } else { plain_bytes.div_ceil(CHUNK_BYTES) };
    1 + HANDSHAKE_BYTES + plain_bytes + chunks * (MARKER_BYTES + TAG_BYTES)
}

/// The bytes cannot be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotSeal {
    /// More than [`PLAIN_BYTES_MAX`].
    #[error("{bytes} bytes are too many for one sealed piece")]
    TooLong {
        /// How many they are.
        bytes: usize,
    },
    /// Nobody could open it, or more than a piece has room for.
    #[error("a piece is sealed for 1 to 16 readers, not {count}")]
    Readers {
        /// How many they are.
        count: usize,
    },
    /// With this key of the recipient everybody could read it.
    #[error("the recipient's key is no usable X25519 public key")]
    Key,
    /// The library refused.
    #[error("the Noise library refused to seal")]
    Noise,
}

/// Sealed bytes cannot be opened. Nothing of them may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSealed {
    /// Made by a program of another version.
    #[error("sealed in format {format}, which this node does not read")]
    Format {
        /// Its first byte.
        format: u8,
    },
    /// More than [`PLAIN_BYTES_MAX`] of plain bytes.
    #[error("the sealed piece is longer than any that a node makes")]
    TooLong,
    /// For another key, damaged or forged: which of them cannot be told.
    #[error("not sealed for this key, damaged or forged")]
    NotOpened,
    /// What is there is sound, and the end is missing or followed by something.
    #[error("the sealed piece does not end where it says it ends")]
    Cut,
}

/// Seals `plain` for the holder of `to_link_key` in the name of the holder of
/// `from_link_private`.
///
/// `seed` is 32 fresh random bytes. Were they ever used twice, unlike bytes would still be
/// sealed under unlike keys.
pub fn seal(
    to_link_key: &[u8; 32],
    from_link_private: &[u8; 32],
    plain: &[u8],
    seed: &[u8; 32],
) -> Result<Vec<u8>, CannotSeal> {
    seal_in(&[], to_link_key, from_link_private, plain, seed)
}

/// Opens what [`seal`] made: the sender's public key, and the plain bytes.
///
/// That the key belongs to a node of the nation, and to the one it should, the caller checks.
/// The same sealed bytes may come twice: the caller counts by what is inside.
pub fn open(my_link_private: &[u8; 32], bytes: &[u8]) -> Result<([u8; 32], Vec<u8>), BadSealed> {
    open_in(&[], my_link_private, bytes)
}

/// [`seal`], opened only by who knows the `context` in which it was sealed.
pub(crate) fn seal_in(
    context: &[u8],
    to_link_key: &[u8; 32],
    from_link_private: &[u8; 32],
    plain: &[u8],
    seed: &[u8; 32],
) -> Result<Vec<u8>, CannotSeal> {
    if plain.len() > PLAIN_BYTES_MAX {
        return Err(CannotSeal::TooLong { bytes: plain.len() });
    }
    if !is_usable(to_link_key, from_link_private) {
        return Err(CannotSeal::Key);
    }
    let seed = *blake3::Hasher::new_keyed(seed)
        .update(to_link_key)
        .update(blake3::hash(context).as_bytes())
        .update(plain)
        .finalize()
        .as_bytes();
    write(context, to_link_key, from_link_private, plain, seed).map_err(|_| CannotSeal::Noise)
}

fn write(
    context: &[u8],
    to_link_key: &[u8; 32],
    from_link_private: &[u8; 32],
    plain: &[u8],
    seed: [u8; 32],
) -> Result<Vec<u8>, snow::Error> {
    let prologue = [PROLOGUE, context].concat();
    let mut handshake = builder(seed, from_link_private, &prologue)?
        .remote_public_key(to_link_key)?
        .build_initiator()?;
    let mut sealed = vec![0; sealed_bytes(plain.len())];
    sealed[0] = FORMAT;
    let mut at = 1 + handshake.write_message(&[], &mut sealed[1..])?;
    let mut noise = handshake.into_transport_mode()?;
    let mut rest = plain;
    let mut marked = Vec::with_capacity(MARKER_BYTES + CHUNK_BYTES.min(plain.len()));
    loop {
        let (chunk, after) = rest.split_at(rest.len().min(CHUNK_BYTES));
        marked.clear();
        marked.push(if after.is_empty() { LAST } else { MORE });
        marked.extend_from_slice(chunk);
        at += noise.write_message(&marked, &mut sealed[at..])?;
        if after.is_empty() {
            debug_assert_eq!(at, sealed.len());
            return Ok(sealed);
        }
        rest = after;
    }
}

/// [`open`], for what was sealed in a `context`.
pub(crate) fn open_in(
    context: &[u8],
    my_link_private: &[u8; 32],
    bytes: &[u8],
) -> Result<([u8; 32], Vec<u8>), BadSealed> {
    let (&format, bytes) = bytes.split_first().ok_or(BadSealed::Cut)?;
    if format != FORMAT {
        return Err(BadSealed::Format { format });
    }
    let (message, chunks) = bytes.split_at_checked(HANDSHAKE_BYTES).ok_or(BadSealed::Cut)?;
    if chunks.len() > sealed_bytes(PLAIN_BYTES_MAX) - 1 - HANDSHAKE_BYTES {
        return Err(BadSealed::TooLong);
    }
    let prologue = [PROLOGUE, context].concat();
    let (handshake, sender) = read_handshake(my_link_private, &prologue, message)?;
    let mut noise = handshake.into_transport_mode().map_err(|_| BadSealed::NotOpened)?;
    let mut plain = Vec::with_capacity(chunks.len());
    let mut marked = vec![0; (MARKER_BYTES + CHUNK_BYTES).min(chunks.len())];
    let mut ended = false;
    for chunk in chunks.chunks(FULL_CHUNK_BYTES) {
        if ended || chunk.len() < MARKER_BYTES + TAG_BYTES {
            return Err(BadSealed::Cut);
        }
        let length = noise.read_message(chunk, &mut marked).map_err(|_| BadSealed::NotOpened)?;
        ended = match marked[0] {
            LAST => true,
            MORE => false,
            _ => return Err(BadSealed::NotOpened),
        };
        plain.extend_from_slice(&marked[MARKER_BYTES..length]);
    }
    if ended { Ok((sender, plain)) } else { Err(BadSealed::Cut) }
}

fn read_handshake(
    my_link_private: &[u8; 32],
    prologue: &[u8],
    message: &[u8],
) -> Result<(HandshakeState, [u8; 32]), BadSealed> {
    let mut handshake = builder([0; 32], my_link_private, prologue)
        .and_then(Builder::build_responder)
        .map_err(|_| BadSealed::NotOpened)?;
    let mut payload = [0; TAG_BYTES];
    handshake.read_message(message, &mut payload).map_err(|_| BadSealed::NotOpened)?;
    let sender = handshake.get_remote_static().and_then(|key| key.try_into().ok());
    Ok((handshake, sender.ok_or(BadSealed::NotOpened)?))
}

fn builder<'a>(
    seed: [u8; 32],
    private: &'a [u8; 32],
    prologue: &'a [u8],
) -> Result<Builder<'a>, snow::Error> {
    let params: NoiseParams = PATTERN.parse()?;
    Builder::with_resolver(params, Box::new(Seeded(seed)))
        .local_private_key(private)?
        .prologue(prologue)
}

/// RFC 7748, section 6.1: a shared secret of zeros comes from a key of low order, which hides
/// nothing from anybody.
fn is_usable(public: &[u8; 32], private: &[u8; 32]) -> bool {
    let Some(mut dh) = DefaultResolver.resolve_dh(&DHChoice::Curve25519) else { return false };
    let mut shared = [0; 32];
    dh.set(private);
    dh.dh(public, &mut shared).is_ok() && shared != [0; 32]
}

/// snow's primitives, with chance from a seed instead of the operating system.
struct Seeded([u8; 32]);

impl CryptoResolver for Seeded {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(SeededRandom(blake3::Hasher::new_keyed(&self.0).finalize_xof())))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        DefaultResolver.resolve_dh(choice)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        DefaultResolver.resolve_cipher(choice)
    }
}

struct SeededRandom(blake3::OutputReader);

impl Random for SeededRandom {
    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), snow::Error> {
        self.0.fill(to);
        Ok(())
    }
}
