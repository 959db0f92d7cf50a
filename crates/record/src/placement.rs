//! A node hangs below another one than its certificate says: its county moved to another province, or
//! its clinic is looked after by another hospital (ADR 0030). Signed by the nation's root key.

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use ondol_kernel::{
    Millis, NodeId,
    bytes::{BadBytes, Reader, put_bytes},
};
use thiserror::Error;

use crate::{Certificate, signature::is_right};

/// The nation says where a node hangs from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The node.
    pub node: NodeId,
    /// The node above it.
    pub parent: NodeId,
    /// When it was signed. Of several for a node, and of these and its certificate, the latest
    /// counts.
    pub at: Millis,
    /// Where the node above listens on the road, `host:port`; empty if nobody said.
    pub address: Box<str>,
    /// The root key's signature.
    pub signature: [u8; 64],
}

/// The placement does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadPlacement {
    /// Damaged, or of a newer format.
    #[error("the bytes are no placement that this node reads")]
    Bytes(#[from] BadBytes),
    /// The nation's root key did not sign it.
    #[error("the placement is not signed by this nation's root key")]
    Signature,
}

/// How a placement begins, in a file too.
pub const MAGIC: &[u8; 15] = b"ondol placement";
const FORMAT: u8 = 1;

/// The longest address, bytes: a host name of 253 and a port.
pub const ADDRESS_BYTES_MAX: usize = 260;

impl Placement {
    /// Signs what the other fields say with the root key.
    #[must_use]
    pub fn signed(mut self, root: &SigningKey) -> Self {
        self.signature = root.sign(&self.signed_bytes()).to_bytes();
        self
    }

    /// Checks the root key's signature.
    pub fn check(&self, root: &VerifyingKey) -> Result<(), BadPlacement> {
        if is_right(root, &self.signed_bytes(), &self.signature) {
            Ok(())
        } else {
            Err(BadPlacement::Signature)
        }
    }

    /// Whether this one counts and not the other. Of two of one millisecond the greater bytes do, so
    /// that everybody takes the same whatever came first.
    pub fn counts_before(&self, other: &Self) -> bool {
        let order = |of: &Self| (of.at, of.to_bytes());
        order(self) > order(other)
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut to = MAGIC.to_vec();
        to.push(FORMAT);
        to.extend_from_slice(&self.node.0);
        to.extend_from_slice(&self.parent.0);
        to.extend_from_slice(&self.at.0.to_le_bytes());
        put_bytes(&mut to, self.address.as_bytes());
        to
    }

    /// The signed bytes and the signature.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = self.signed_bytes();
        to.extend_from_slice(&self.signature);
        to
    }

    /// The bytes that travel: behind the placement the certificate of the node above, which the
    /// moved one may not know.
    pub fn with_certificate(&self, parent: Option<&Certificate>) -> Vec<u8> {
        let mut to = self.to_bytes();
        to.extend(parent.map(Certificate::to_bytes).unwrap_or_default());
        to
    }

    /// Reads what [`Placement::with_certificate`] wrote. No signature is checked here; a certificate
    /// that cannot be read is left out.
    pub fn read(bytes: &[u8]) -> Result<(Self, Option<Certificate>), BadPlacement> {
        let mut from = Reader::new(bytes);
        if from.take(MAGIC.len())? != MAGIC || from.byte()? != FORMAT {
            return Err(BadBytes.into());
        }
        let node = NodeId(from.array()?);
        let parent = NodeId(from.array()?);
        let at = Millis(i64::from_le_bytes(from.array()?));
        let address = from.text()?;
        if address.len() > ADDRESS_BYTES_MAX || node == parent {
            return Err(BadBytes.into());
        }
        let signature = from.array()?;
        let placement = Self { node, parent, at, address: address.into(), signature };
        let certificate = Certificate::from_bytes(from.rest()).ok();
        Ok((placement, certificate.filter(|certificate| certificate.node == parent)))
    }
}
