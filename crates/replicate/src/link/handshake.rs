//! The handshake: `Noise_IK_25519_ChaChaPoly_BLAKE2s`, two messages (ADR 0005, 'Handshake';
//! the Noise Protocol Framework, revision 34).

use ondol_kernel::bytes::{BadBytes, Reader, put_number};
use snow::{
    Builder, HandshakeState, StatelessTransportState,
    params::{CipherChoice, DHChoice, HashChoice, NoiseParams},
    resolvers::{CryptoResolver, DefaultResolver},
    types::{Cipher, Dh, Hash, Random},
};

use super::{
    LinkError, MAX_MESSAGE_BYTES, Position,
    packet::{MAX_DATAGRAM_BYTES, TAG_BYTES},
};

const PATTERN: &str = "Noise_IK_25519_ChaChaPoly_BLAKE2s";
const PROLOGUE: &[u8] = b"ondol link 1";
const KEY_BYTES: usize = 32;
/// The shortest first message: an ephemeral key, a sealed static key, a sealed payload.
const INIT_BYTES_MIN: usize = KEY_BYTES + KEY_BYTES + TAG_BYTES + TAG_BYTES;
/// The shortest second message: an ephemeral key and a sealed payload.
const REPLY_BYTES_MIN: usize = KEY_BYTES + TAG_BYTES;

/// Random bytes out of a seed, by BLAKE3's extendable output: the chance that a sans-IO link
/// needs for its ephemeral keys.
pub(super) struct Chance {
    seed: [u8; 32],
    used: u64,
}

impl Chance {
    pub const fn new(seed: [u8; 32]) -> Self {
        Self { seed, used: 0 }
    }

    fn next_seed(&mut self) -> [u8; 32] {
        self.used += 1;
        *blake3::keyed_hash(&self.seed, &self.used.to_le_bytes()).as_bytes()
    }
}

/// snow's primitives, with chance from a seed instead of the operating system.
struct Seeded([u8; 32]);

impl CryptoResolver for Seeded {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        let stream = blake3::Hasher::new_keyed(&self.0).finalize_xof();
        Some(Box::new(SeededRandom(stream)))
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

/// The public key of an X25519 private key.
pub fn public_key(private: &[u8; 32]) -> Result<[u8; 32], LinkError> {
    let mut dh = DefaultResolver.resolve_dh(&DHChoice::Curve25519).ok_or(LinkError::NoCrypto)?;
    dh.set(private);
    dh.pubkey().try_into().map_err(|_| LinkError::NoCrypto)
}

/// What each side tells the other while shaking hands. It is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hello {
    /// Under which id the teller wants to be addressed.
    pub connection_id: u16,
    /// The epoch of the teller's message numbers.
    pub epoch: u64,
    /// How many bytes of a class the teller keeps while an earlier byte is missing.
    pub window: u32,
    /// Of which epoch of the other's numbers the positions speak.
    pub known_epoch: u64,
    /// How far the teller received each class, and how far it holds it durably.
    pub classes: [(Position, Position); 4],
    /// The newest format of parcels that the teller reads (ADR 0013). A hello without it is of a
    /// node that reads format 1.
    pub parcels: u8,
}

impl Hello {
    pub fn encode(&self) -> Vec<u8> {
        let mut to = self.connection_id.to_be_bytes().to_vec();
        put_number(&mut to, self.epoch);
        put_number(&mut to, u64::from(self.window));
        put_number(&mut to, self.known_epoch);
        for position in self.classes.iter().flat_map(|(received, durable)| [received, durable]) {
            put_number(&mut to, position.message_no);
            put_number(&mut to, u64::from(position.offset));
        }
        put_number(&mut to, self.parcels.into());
        to
    }

    /// Reads a hello. Bytes behind it are left to later versions that only add.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadBytes> {
        let mut reader = Reader::new(bytes);
        let connection_id = u16::from_be_bytes(reader.array()?);
        let epoch = reader.number()?;
        let window = u32::try_from(reader.number()?).map_err(|_| BadBytes)?;
        let known_epoch = reader.number()?;
        let mut classes = [(Position::START, Position::START); 4];
        for (received, durable) in &mut classes {
            for position in [received, durable] {
                position.message_no = reader.number()?;
                position.offset =
                    u32::try_from(reader.size(MAX_MESSAGE_BYTES)?).map_err(|_| BadBytes)?;
            }
        }
        let parcels = if reader.is_empty() { 1 } else { reader.number()? };
        let parcels = u8::try_from(parcels).unwrap_or(u8::MAX);
        Ok(Self { connection_id, epoch, window, known_epoch, classes, parcels })
    }
}

fn builder(seed: [u8; 32], private: &[u8; 32]) -> Result<Builder<'_>, snow::Error> {
    let params: NoiseParams = PATTERN.parse()?;
    Builder::with_resolver(params, Box::new(Seeded(seed)))
        .local_private_key(private)?
        .prologue(PROLOGUE)
}

/// An initiator that waits for the reply.
pub(super) struct Attempt {
    state: HandshakeState,
    /// The first message; it is sent again, the same, until an answer comes.
    pub init: Vec<u8>,
}

impl Attempt {
    pub fn new(
        chance: &mut Chance,
        private: &[u8; 32],
        remote: &[u8; 32],
        hello: &Hello,
    ) -> Result<Self, snow::Error> {
        let mut state =
            builder(chance.next_seed(), private)?.remote_public_key(remote)?.build_initiator()?;
        let mut init = vec![0; MAX_DATAGRAM_BYTES];
        let length = state.write_message(&hello.encode(), &mut init)?;
        init.truncate(length);
        Ok(Self { state, init })
    }

    /// Reads the reply. A forged one leaves the attempt as it was.
    pub fn finish(&mut self, reply: &[u8]) -> Option<Hello> {
        if !(REPLY_BYTES_MIN..MAX_DATAGRAM_BYTES).contains(&reply.len()) {
            return None;
        }
        let mut payload = vec![0; reply.len()];
        let length = self.state.read_message(reply, &mut payload).ok()?;
        Hello::decode(&payload[..length]).ok()
    }

    /// The keys, once the reply was read.
    pub fn into_keys(self) -> Option<Keys> {
        Keys::new(self.state)
    }
}

/// A responder's answer to a first message.
pub(super) struct Answer {
    pub hello: Hello,
    pub reply: Vec<u8>,
    pub keys: Keys,
}

/// Reads a first message, and answers it if its sender is one of `allowed`.
pub(super) fn answer(
    chance: &mut Chance,
    private: &[u8; 32],
    allowed: &[[u8; 32]],
    init: &[u8],
    ours: &Hello,
) -> Option<Answer> {
    let (mut state, peer, payload) = read_init(chance.next_seed(), private, init)?;
    if !allowed.contains(&peer) {
        return None;
    }
    let hello = Hello::decode(&payload).ok()?;
    let mut reply = vec![0; MAX_DATAGRAM_BYTES];
    let length = state.write_message(&ours.encode(), &mut reply).ok()?;
    reply.truncate(length);
    Some(Answer { hello, reply, keys: Keys::new(state)? })
}

fn read_init(
    seed: [u8; 32],
    private: &[u8; 32],
    init: &[u8],
) -> Option<(HandshakeState, [u8; 32], Vec<u8>)> {
    if !(INIT_BYTES_MIN..MAX_DATAGRAM_BYTES).contains(&init.len()) {
        return None;
    }
    let mut state = builder(seed, private).ok()?.build_responder().ok()?;
    let mut payload = vec![0; init.len()];
    let length = state.read_message(init, &mut payload).ok()?;
    payload.truncate(length);
    let peer = state.get_remote_static()?.try_into().ok()?;
    Some((state, peer, payload))
}

/// Who sent the first message of a handshake: how a socket that serves many neighbours finds
/// the link that should answer. Costs two multiplications on the curve. The sender proved
/// that it is no outsider's forgery, but not yet that it is no replay.
pub fn initiator_of(private: &[u8; 32], datagram: &[u8]) -> Option<[u8; 32]> {
    match super::packet::peek(datagram)? {
        super::Kind::Init => read_init([0; 32], private, &datagram[1..]).map(|(_, peer, _)| peer),
        _ => None,
    }
}

/// The keys of a session, both ways.
pub(super) struct Keys(StatelessTransportState);

impl Keys {
    fn new(state: HandshakeState) -> Option<Self> {
        state.into_stateless_transport_mode().ok().map(Self)
    }

    /// Encrypts a payload as packet `number` and appends it.
    pub fn seal(&self, number: u64, payload: &[u8], to: &mut Vec<u8>) -> Option<()> {
        let start = to.len();
        to.resize(start + payload.len() + TAG_BYTES, 0);
        self.0.write_message(number, payload, &mut to[start..]).ok().map(|_| ())
    }

    /// Decrypts what packet `number` carries.
    pub fn open(&self, number: u64, sealed: &[u8]) -> Option<Vec<u8>> {
        let mut payload = vec![0; sealed.len().checked_sub(TAG_BYTES)?];
        self.0.read_message(number, sealed, &mut payload).ok()?;
        Some(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_of_before_says_that_its_teller_reads_format_1() {
        let hello = Hello {
            connection_id: 7,
            epoch: 1,
            window: 900,
            known_epoch: 0,
            classes: [(Position::START, Position::START); 4],
            parcels: 2,
        };
        let bytes = hello.encode();
        assert_eq!(Hello::decode(&bytes), Ok(hello.clone()));
        let before = &bytes[..bytes.len() - 1];
        assert_eq!(Hello::decode(before), Ok(Hello { parcels: 1, ..hello.clone() }));
        let later = [&bytes[..], &[1, 2]].concat();
        assert_eq!(Hello::decode(&later), Ok(hello));
    }
}
