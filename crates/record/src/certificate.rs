//! Which key speaks for which node: signed by the nation's root key (ADR 0004).

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use ondol_kernel::{
    Millis, NodeId, ResourceId,
    bytes::{BadBytes, Reader, put_bytes},
};
use thiserror::Error;

/// The place of a node in the line of responsibility. The numbers are part of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Tier {
    /// A clinic (ri, workplace).
    Clinic = 0,
    /// A county or city hospital.
    County = 1,
    /// A provincial hospital.
    Province = 2,
    /// The ministry: counts, registry, policies; treats nobody.
    Ministry = 3,
    /// A specialist hospital directly under the ministry.
    Specialist = 4,
}

impl Tier {
    /// The tier of a number, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Clinic),
            1 => Some(Self::County),
            2 => Some(Self::Province),
            3 => Some(Self::Ministry),
            4 => Some(Self::Specialist),
            _ => None,
        }
    }

    /// The word for this tier in configuration and machine-readable output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clinic => "clinic",
            Self::County => "county",
            Self::Province => "province",
            Self::Ministry => "ministry",
            Self::Specialist => "specialist",
        }
    }

    /// Whether this tier treats people and so holds the charts of those it treats (DESIGN §5).
    pub const fn treats(self) -> bool {
        !matches!(self, Self::Ministry)
    }
}

/// What the nation says about a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The node.
    pub node: NodeId,
    /// The Ed25519 key that signs its entries now.
    pub signing_key: [u8; 32],
    /// The X25519 key under which its links and sticks are sealed.
    pub link_key: [u8; 32],
    /// The Organization that the node serves.
    pub facility: ResourceId,
    /// Its place in the line of responsibility.
    pub tier: Tier,
    /// The node above; `None` for the ministry.
    pub parent: Option<NodeId>,
    /// When it was issued. Of two certificates for a node the later counts.
    pub issued: Millis,
    /// The root key's signature.
    pub signature: [u8; 64],
}

/// The certificate does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadCertificate {
    /// Damaged, or of a newer format.
    #[error("the bytes are no certificate that this node reads")]
    Bytes(#[from] BadBytes),
    /// The nation's root key did not sign it.
    #[error("the certificate is not signed by this nation's root key")]
    Signature,
    /// One of its keys is no key.
    #[error("a key of the certificate is not a valid public key")]
    Key,
}

const FORMAT: u8 = 1;

impl Certificate {
    /// Signs with the root key what the other fields say.
    #[must_use]
    pub fn signed(mut self, root: &SigningKey) -> Self {
        self.signature = root.sign(&self.signed_bytes()).to_bytes();
        self
    }

    /// Checks the root's signature and gives the key that verifies the node's seals.
    pub fn check(&self, root: &VerifyingKey) -> Result<VerifyingKey, BadCertificate> {
        let signature = Signature::from_bytes(&self.signature);
        root.verify_strict(&self.signed_bytes(), &signature)
            .map_err(|_| BadCertificate::Signature)?;
        VerifyingKey::from_bytes(&self.signing_key).map_err(|_| BadCertificate::Key)
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut to = b"ondol certificate".to_vec();
        to.push(FORMAT);
        to.extend_from_slice(&self.node.0);
        to.extend_from_slice(&self.signing_key);
        to.extend_from_slice(&self.link_key);
        put_bytes(&mut to, self.facility.as_str().as_bytes());
        to.push(self.tier as u8);
        match self.parent {
            None => to.push(0),
            Some(parent) => {
                to.push(1);
                to.extend_from_slice(&parent.0);
            }
        }
        to.extend_from_slice(&self.issued.0.to_le_bytes());
        to
    }

    /// The bytes that travel: the signed ones and the signature.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = self.signed_bytes();
        to.extend_from_slice(&self.signature);
        to
    }

    /// Reads what [`Certificate::to_bytes`] wrote. The signature is not checked here.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadCertificate> {
        let mut from = Reader::new(bytes);
        if from.take(17)? != b"ondol certificate" || from.byte()? != FORMAT {
            return Err(BadBytes.into());
        }
        let node = NodeId(from.array()?);
        let signing_key = from.array()?;
        let link_key = from.array()?;
        let facility = ResourceId::new(from.text()?).map_err(|_| BadBytes)?;
        let tier = Tier::from_code(from.byte()?).ok_or(BadBytes)?;
        let parent = match from.byte()? {
            0 => None,
            1 => Some(NodeId(from.array()?)),
            _ => return Err(BadBytes.into()),
        };
        let issued = Millis(i64::from_le_bytes(from.array()?));
        let signature = from.array()?;
        if !from.is_empty() {
            return Err(BadBytes.into());
        }
        Ok(Self { node, signing_key, link_key, facility, tier, parent, issued, signature })
    }
}
