//! A place kept for a node that does not exist yet (ADR 0004).
//!
//! The root key signs the public half of a one-time key together with the place. The secret half
//! travels as text or QR to the new facility, whose node makes its own keys and signs its own
//! certificate with the invitation: no private key of a node ever leaves it, and no link to the
//! ministry is needed to join.

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use ondol_kernel::{
    Millis, NodeId, ResourceId,
    bytes::{BadBytes, Reader, put_bytes},
};

use crate::{
    certificate::{BadCertificate, Tier},
    signature::is_right,
};

/// The public half of an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The one-time public key.
    pub key: [u8; 32],
    /// The Organization that the new node will serve.
    pub facility: ResourceId,
    /// Its place.
    pub tier: Tier,
    /// The node above it.
    pub parent: NodeId,
    /// A certificate has to be issued before.
    pub expires: Millis,
    /// The root key's signature.
    pub signature: [u8; 64],
}

const MAGIC: &[u8; 16] = b"ondol invitation";
const FORMAT: u8 = 1;

impl Invitation {
    /// Signs what the other fields say with the root key.
    #[must_use]
    pub fn signed(mut self, root: &SigningKey) -> Self {
        self.signature = root.sign(&self.signed_bytes()).to_bytes();
        self
    }

    /// Checks the root's signature and gives the one-time key.
    pub fn check(&self, root: &VerifyingKey) -> Result<VerifyingKey, BadCertificate> {
        if !is_right(root, &self.signed_bytes(), &self.signature) {
            return Err(BadCertificate::Signature);
        }
        VerifyingKey::from_bytes(&self.key).map_err(|_| BadCertificate::Key)
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut to = MAGIC.to_vec();
        to.push(FORMAT);
        to.extend_from_slice(&self.key);
        put_bytes(&mut to, self.facility.as_str().as_bytes());
        to.push(self.tier as u8);
        to.extend_from_slice(&self.parent.0);
        to.extend_from_slice(&self.expires.0.to_le_bytes());
        to
    }

    /// Appends the signed bytes and the signature.
    pub fn put(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.signed_bytes());
        to.extend_from_slice(&self.signature);
    }

    /// Reads what [`Invitation::put`] wrote. The signature is not checked here.
    pub fn read(from: &mut Reader<'_>) -> Result<Self, BadBytes> {
        if from.take(MAGIC.len())? != MAGIC || from.byte()? != FORMAT {
            return Err(BadBytes);
        }
        Ok(Self {
            key: from.array()?,
            facility: ResourceId::new(from.text()?).map_err(|_| BadBytes)?,
            tier: Tier::from_code(from.byte()?).ok_or(BadBytes)?,
            parent: NodeId(from.array()?),
            expires: Millis(i64::from_le_bytes(from.array()?)),
            signature: from.array()?,
        })
    }
}
