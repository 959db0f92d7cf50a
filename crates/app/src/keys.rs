//! The private keys of a node.

use ed25519_dalek::SigningKey;
use ondol_kernel::NodeId;

/// Signs entries, and opens links and sticks. Debug shows nothing of it.
#[derive(Clone)]
pub struct NodeKeys {
    /// Signs seals.
    pub signing: SigningKey,
    /// The X25519 private key of links and sticks.
    pub link: [u8; 32],
}

impl NodeKeys {
    /// The id of the node whose first key this is.
    pub fn node(&self) -> NodeId {
        NodeId::of_key(&self.signing.verifying_key().to_bytes())
    }
}

impl std::fmt::Debug for NodeKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NodeKeys([hidden])")
    }
}
