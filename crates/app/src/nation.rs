//! The nodes that are known, and how they hang together.

use std::collections::BTreeMap;

use ed25519_dalek::VerifyingKey;
use ondol_kernel::{NodeId, ResourceId};
use ondol_record::{
    Certificate,
    certificate::{Issuer, Tier},
};
use ondol_store::{Space, View, WriteTx};

use crate::{AppError, Place};

/// Where certificates stand in [`Space::Peer`].
const CERTIFICATE: &[u8] = b"cert/";

/// All certificates that this node holds, each checked against the root.
#[derive(Debug, Clone)]
pub struct Nation {
    own: NodeId,
    /// In an order that does not change from one start to the next, so that what follows from it
    /// can be had again.
    nodes: BTreeMap<NodeId, Known>,
}

/// A node and the key that verifies its seals.
#[derive(Debug, Clone)]
pub struct Known {
    /// What the nation says about it.
    pub certificate: Certificate,
    /// Verifies its seals.
    pub key: VerifyingKey,
}

impl Nation {
    /// Reads the certificates. One that does not hold is left out: nothing of its node is
    /// believed.
    pub(crate) fn load(view: &dyn View, place: &Place) -> Result<Self, AppError> {
        let root = VerifyingKey::from_bytes(&place.root)
            .map_err(|_| AppError::Unexpected("the root key is no key"))?;
        let mut nodes = BTreeMap::new();
        for (_, bytes) in view.values(Space::Peer, CERTIFICATE, None, usize::MAX)? {
            let Ok(certificate) = Certificate::from_bytes(&bytes) else { continue };
            let Ok(key) = certificate.check(&root) else { continue };
            nodes.insert(certificate.node, Known { certificate, key });
        }
        Ok(Self { own: place.node, nodes })
    }

    /// The nodes as they are known with one more certificate; `None` if it does not hold or is
    /// no newer than what is here.
    ///
    /// One invitation makes one node: the first node that is seen with it stays, another one
    /// with the same invitation is refused. Nor does it make a node that is known by another
    /// word, or one whose name is not that of its key: else whoever holds an invitation could
    /// speak for any node.
    pub(crate) fn with(
        &self,
        place: &Place,
        certificate: &Certificate,
    ) -> Result<Option<Self>, AppError> {
        let root = VerifyingKey::from_bytes(&place.root)
            .map_err(|_| AppError::Unexpected("the root key is no key"))?;
        let Ok(key) = certificate.check(&root) else { return Ok(None) };
        let known = self.nodes.get(&certificate.node);
        let invited = matches!(certificate.issuer, Issuer::Invitation(_));
        let of_another = invited
            && (certificate.node != NodeId::of_key(&certificate.signing_key)
                || known.is_some_and(|known| known.certificate.issuer != certificate.issuer));
        let same_place = self.nodes.values().any(|known| {
            known.certificate.node != certificate.node
                && known.certificate.issuer == certificate.issuer
                && invited
        });
        // One link key for two nodes: what comes from the one would pass for the other's.
        let same_key = self.nodes.values().any(|known| {
            known.certificate.node != certificate.node
                && known.certificate.link_key == certificate.link_key
        });
        let older = known.is_some_and(|known| known.certificate.issued >= certificate.issued);
        if of_another || same_place || same_key || older {
            return Ok(None);
        }
        let mut with = self.clone();
        with.nodes.insert(certificate.node, Known { certificate: certificate.clone(), key });
        Ok(Some(with))
    }

    /// Keeps a certificate durably if it is one of [`Nation::with`], which it gives.
    pub(crate) fn keep(
        &self,
        tx: &mut dyn WriteTx,
        place: &Place,
        certificate: &Certificate,
    ) -> Result<Option<Self>, AppError> {
        let with = self.with(place, certificate)?;
        if with.is_some() {
            let key = [CERTIFICATE, &certificate.node.0].concat();
            tx.set_value(Space::Peer, &key, Some(&certificate.to_bytes()))?;
        }
        Ok(with)
    }

    /// A node.
    pub fn node(&self, node: &NodeId) -> Option<&Known> {
        self.nodes.get(node)
    }

    /// All nodes.
    pub fn nodes(&self) -> impl Iterator<Item = &Certificate> {
        self.nodes.values().map(|known| &known.certificate)
    }

    /// The node that serves a facility.
    pub fn of_facility(&self, facility: &ResourceId) -> Option<&Certificate> {
        self.nodes().find(|certificate| certificate.facility == *facility)
    }

    /// The tree neighbours: the node above and those directly below.
    pub fn neighbours(&self) -> Vec<NodeId> {
        let own = self.nodes.get(&self.own).and_then(|known| known.certificate.parent);
        let below = self.nodes().filter(|c| c.parent == Some(self.own)).map(|c| c.node);
        own.into_iter().chain(below).collect()
    }

    /// The node above this one.
    pub fn parent(&self) -> Option<NodeId> {
        self.nodes.get(&self.own)?.certificate.parent
    }

    /// The nodes from `node` up to the ministry, itself first.
    pub fn line_up(&self, node: &NodeId) -> Vec<NodeId> {
        let mut line = vec![*node];
        while let Some(above) = line
            .last()
            .and_then(|last| self.nodes.get(last))
            .and_then(|known| known.certificate.parent)
        {
            // A circle in the tree would be a forged or mistaken certificate.
            if line.contains(&above) {
                break;
            }
            line.push(above);
        }
        line
    }

    /// Whether `node` is `above` or stands somewhere below it.
    pub fn is_within(&self, node: &NodeId, above: &NodeId) -> bool {
        self.line_up(node).contains(above)
    }

    /// The nodes that a parcel passes from here to `to`, the first neighbour first and `to` last.
    pub fn way_to(&self, to: &NodeId) -> Vec<NodeId> {
        let up = self.line_up(&self.own);
        let down = self.line_up(to);
        let Some(meet) = up.iter().find(|node| down.contains(node)) else { return vec![] };
        let climb = up.iter().skip(1).take_while(|_| *meet != self.own).copied();
        let climb: Vec<NodeId> = climb.take_while_inclusive(|node| node != meet);
        let descend = down.iter().take_while(|node| *node != meet);
        climb.into_iter().chain(descend.copied().collect::<Vec<_>>().into_iter().rev()).collect()
    }

    /// The tier of a node.
    pub fn tier(&self, node: &NodeId) -> Option<Tier> {
        Some(self.nodes.get(node)?.certificate.tier)
    }

    /// Whether a facility is this one or somewhere below it.
    pub fn is_below(&self, facility: &ResourceId) -> bool {
        self.of_facility(facility).is_some_and(|node| self.is_within(&node.node, &self.own))
    }

    /// Whether a facility stands above this one.
    pub fn is_above(&self, facility: &ResourceId) -> bool {
        self.of_facility(facility)
            .is_some_and(|node| node.node != self.own && self.is_within(&self.own, &node.node))
    }
}

/// Takes items while the condition holds, and the first for which it does not.
trait TakeWhileInclusive: Iterator + Sized {
    fn take_while_inclusive(self, keep: impl Fn(&Self::Item) -> bool) -> Vec<Self::Item> {
        let mut taken = vec![];
        for item in self {
            let last = !keep(&item);
            taken.push(item);
            if last {
                break;
            }
        }
        taken
    }
}

impl<I: Iterator> TakeWhileInclusive for I {}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use ondol_kernel::Millis;

    fn nation(own: u8) -> Nation {
        // 1 ministry; 2 province, 5 specialist below it; 3 county below 2; 4 clinic below 3.
        let nodes = [(1, None), (2, Some(1)), (3, Some(2)), (4, Some(3)), (5, Some(1))];
        let key = SigningKey::from_bytes(&[1; 32]).verifying_key();
        let nodes = nodes.map(|(node, parent)| {
            let certificate = Certificate {
                node: NodeId([node; 16]),
                signing_key: key.to_bytes(),
                link_key: [0; 32],
                facility: ResourceId::new(&format!("f{node}")).unwrap(),
                tier: Tier::County,
                parent: parent.map(|p| NodeId([p; 16])),
                issued: Millis(0),
                issuer: Issuer::Root,
                signature: [0; 64],
                possession: [0; 64],
            };
            (NodeId([node; 16]), Known { certificate, key })
        });
        Nation { own: NodeId([own; 16]), nodes: nodes.into_iter().collect() }
    }

    fn way(own: u8, to: u8) -> Vec<u8> {
        nation(own).way_to(&NodeId([to; 16])).iter().map(|node| node.0[0]).collect()
    }

    #[test]
    fn the_way_goes_up_to_where_the_lines_meet_and_down_again() {
        assert_eq!(way(4, 5), [3, 2, 1, 5]);
        assert_eq!(way(5, 4), [1, 2, 3, 4]);
        assert_eq!(way(3, 4), [4]);
        assert_eq!(way(3, 1), [2, 1]);
        assert_eq!(way(1, 4), [2, 3, 4]);
        assert_eq!(way(2, 2), Vec::<u8>::new());
        assert_eq!(way(2, 9), Vec::<u8>::new());
    }

    #[test]
    fn who_stands_above_and_below() {
        let county = nation(3);
        let facility = |n: u8| ResourceId::new(&format!("f{n}")).unwrap();
        assert!(county.is_below(&facility(4)) && county.is_below(&facility(3)));
        assert!(!county.is_below(&facility(2)) && !county.is_below(&facility(5)));
        assert!(county.is_above(&facility(1)) && !county.is_above(&facility(3)));
        let mut around = county.neighbours();
        around.sort();
        assert_eq!(around, [NodeId([2; 16]), NodeId([4; 16])]);
    }
}
