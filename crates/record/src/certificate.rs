//! Which key speaks for which node: signed by the nation's root key, directly or through an
//! invitation (ADR 0004).

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use ondol_kernel::{
    Millis, NodeId, ResourceId,
    bytes::{BadBytes, Reader, put_bytes},
};
use thiserror::Error;

use crate::{invitation::Invitation, signature::is_right};

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
    /// All tiers.
    pub const ALL: [Self; 5] =
        [Self::Clinic, Self::County, Self::Province, Self::Ministry, Self::Specialist];

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

    /// The tier of a word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == name)
    }

    /// Whether this tier treats people and so holds the charts of those it treats (DESIGN §5).
    pub const fn treats(self) -> bool {
        !matches!(self, Self::Ministry)
    }
}

/// Who vouches for a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issuer {
    /// The nation's root key.
    Root,
    /// The key of an invitation that the root key signed.
    Invitation(Invitation),
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
    /// Who vouches.
    pub issuer: Issuer,
    /// The issuer's signature.
    pub signature: [u8; 64],
    /// The signing key's own signature: whoever asked for the certificate holds that key, and
    /// means this link key and this place.
    pub possession: [u8; 64],
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
    /// Its signing key did not sign it: whoever asked for it does not hold that key.
    #[error("the certificate is not signed by the key that it is for")]
    Possession,
    /// One of its keys is no key.
    #[error("a key of the certificate is not a valid public key")]
    Key,
    /// The invitation was for another facility or place, or had expired.
    #[error("the invitation does not fit the node, or it has expired")]
    Invitation,
}

const FORMAT: u8 = 1;
const MAGIC: &[u8; 17] = b"ondol certificate";

/// What stands before the signed bytes when the certificate's own key signs them: nothing that
/// it signs elsewhere begins so.
const POSSESSION: &[u8; 16] = b"ondol possession";

impl Certificate {
    /// Signs what the other fields say with the issuer's key, and with the key that the
    /// certificate is for.
    #[must_use]
    pub fn signed(mut self, issuer: &SigningKey, own: &SigningKey) -> Self {
        let said = self.signed_bytes();
        self.signature = issuer.sign(&said).to_bytes();
        self.possession = own.sign(&[&POSSESSION[..], &said].concat()).to_bytes();
        self
    }

    /// Checks the whole way up to the root key, and gives the key that verifies the node's seals.
    pub fn check(&self, root: &VerifyingKey) -> Result<VerifyingKey, BadCertificate> {
        let issuer = match &self.issuer {
            Issuer::Root => *root,
            Issuer::Invitation(invitation) => {
                let key = invitation.check(root)?;
                let fits = invitation.facility == self.facility
                    && invitation.tier == self.tier
                    && Some(invitation.parent) == self.parent
                    && self.issued <= invitation.expires;
                if !fits {
                    return Err(BadCertificate::Invitation);
                }
                key
            }
        };
        let said = self.signed_bytes();
        if !is_right(&issuer, &said, &self.signature) {
            return Err(BadCertificate::Signature);
        }
        let own = VerifyingKey::from_bytes(&self.signing_key).map_err(|_| BadCertificate::Key)?;
        // Without this, whoever holds an invitation could have a place for another's key.
        let possessed = [&POSSESSION[..], &said].concat();
        if is_right(&own, &possessed, &self.possession) {
            Ok(own)
        } else {
            Err(BadCertificate::Possession)
        }
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut to = MAGIC.to_vec();
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
        match &self.issuer {
            Issuer::Root => to.push(0),
            Issuer::Invitation(invitation) => {
                to.push(1);
                invitation.put(&mut to);
            }
        }
        to
    }

    /// The bytes that travel: the signed ones and both signatures.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = self.signed_bytes();
        to.extend_from_slice(&self.signature);
        to.extend_from_slice(&self.possession);
        to
    }

    /// Reads what [`Certificate::to_bytes`] wrote. No signature is checked here.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadCertificate> {
        let mut from = Reader::new(bytes);
        if from.take(MAGIC.len())? != MAGIC || from.byte()? != FORMAT {
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
        let issuer = match from.byte()? {
            0 => Issuer::Root,
            1 => Issuer::Invitation(Invitation::read(&mut from)?),
            _ => return Err(BadBytes.into()),
        };
        let signature = from.array()?;
        let possession = from.array()?;
        if !from.is_empty() {
            return Err(BadBytes.into());
        }
        Ok(Self {
            node,
            signing_key,
            link_key,
            facility,
            tier,
            parent,
            issued,
            issuer,
            signature,
            possession,
        })
    }
}
