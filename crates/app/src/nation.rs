//! The nodes that are known, and how they hang together.

use std::collections::BTreeMap;

use ed25519_dalek::VerifyingKey;
use ondol_kernel::{NodeId, ResourceId};
use ondol_record::{
    Certificate, Placement, Revocation, Revoked, Seal, Stream,
    certificate::{Issuer, Tier},
};
use ondol_store::{Space, View, WriteTx};

use crate::{AppError, Place};

/// Where certificates stand in [`Space::Peer`].
const CERTIFICATE: &[u8] = b"cert/";

/// Where revocations stand in [`Space::Peer`]: then the node, then 8 bytes of their hash.
const REVOKED: &[u8] = b"revoked/";

/// Where placements stand in [`Space::Peer`]: then the node.
const PLACED: &[u8] = b"placed/";

/// All certificates, placements and revocations that this node holds, each checked against the root.
#[derive(Debug, Clone)]
pub struct Nation {
    own: NodeId,
    /// In an order that does not change from one start to the next, so that what follows from it
    /// can be had again.
    nodes: BTreeMap<NodeId, Known>,
    /// Those that are believed no more (ADR 0026), some of them perhaps never met.
    revoked: BTreeMap<NodeId, Revoked>,
    /// Where nodes hang that moved (ADR 0030), some of them perhaps never met.
    placed: BTreeMap<NodeId, Placement>,
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
        let (revoked, placed) = (BTreeMap::new(), BTreeMap::new());
        let mut nation = Self { own: place.node, nodes, revoked, placed };
        for (_, bytes) in view.values(Space::Peer, PLACED, None, usize::MAX)? {
            let Ok((placement, _)) = Placement::read(&bytes) else { continue };
            if placement.check(&root).is_ok() {
                nation.placed.insert(placement.node, placement);
            }
        }
        for (_, bytes) in view.values(Space::Peer, REVOKED, None, usize::MAX)? {
            let Ok(revocation) = Revocation::from_bytes(&bytes) else { continue };
            nation.join(place, &revocation)?;
        }
        Ok(nation)
    }

    /// Adds a revocation; gives whether it holds and says something new.
    fn join(&mut self, place: &Place, revocation: &Revocation) -> Result<bool, AppError> {
        let root = VerifyingKey::from_bytes(&place.root)
            .map_err(|_| AppError::Unexpected("the root key is no key"))?;
        if revocation.check(&root).is_err() {
            return Ok(false);
        }
        let joined = match self.revoked.get(&revocation.node) {
            None => Some(Revoked::new(revocation.clone())),
            Some(known) => known.with(revocation),
        };
        let is_new = joined.is_some();
        self.revoked.extend(joined.map(|joined| (revocation.node, joined)));
        Ok(is_new)
    }

    /// The nodes as they are known with one more revocation; `None` if it does not hold or says
    /// nothing new.
    pub(crate) fn with_revocation(
        &self,
        place: &Place,
        revocation: &Revocation,
    ) -> Result<Option<Self>, AppError> {
        let mut with = self.clone();
        Ok(with.join(place, revocation)?.then_some(with))
    }

    /// Keeps a revocation durably if it is one of [`Nation::with_revocation`], which it gives.
    pub(crate) fn keep_revocation(
        &self,
        tx: &mut dyn WriteTx,
        place: &Place,
        revocation: &Revocation,
    ) -> Result<Option<Self>, AppError> {
        let Some(with) = self.with_revocation(place, revocation)? else { return Ok(None) };
        let of_node = [REVOKED, &revocation.node.0].concat();
        for (key, _) in tx.values(Space::Peer, &of_node, None, usize::MAX)? {
            tx.set_value(Space::Peer, &key, None)?;
        }
        let statements = with.revoked(&revocation.node).map_or(&[][..], Revoked::statements);
        for one in statements {
            let bytes = one.to_bytes();
            let key = [&of_node[..], &blake3::hash(&bytes).as_bytes()[..8]].concat();
            tx.set_value(Space::Peer, &key, Some(&bytes))?;
        }
        Ok(Some(with))
    }

    /// The nodes as they hang with one more placement; `None` if it does not hold or is no later than
    /// what is here.
    pub(crate) fn with_placement(
        &self,
        place: &Place,
        placement: &Placement,
    ) -> Result<Option<Self>, AppError> {
        let root = VerifyingKey::from_bytes(&place.root)
            .map_err(|_| AppError::Unexpected("the root key is no key"))?;
        let known = self.placed.get(&placement.node);
        let is_older = known.is_some_and(|known| !placement.counts_before(known));
        if placement.check(&root).is_err() || is_older {
            return Ok(None);
        }
        let mut with = self.clone();
        with.placed.insert(placement.node, placement.clone());
        Ok(Some(with))
    }

    /// Keeps a placement durably if it is one of [`Nation::with_placement`], which it gives.
    pub(crate) fn keep_placement(
        &self,
        tx: &mut dyn WriteTx,
        place: &Place,
        placement: &Placement,
    ) -> Result<Option<Self>, AppError> {
        let with = self.with_placement(place, placement)?;
        if with.is_some() {
            let key = [PLACED, &placement.node.0].concat();
            tx.set_value(Space::Peer, &key, Some(&placement.to_bytes()))?;
        }
        Ok(with)
    }

    /// Where nodes hang that moved.
    pub fn placements(&self) -> impl Iterator<Item = &Placement> {
        self.placed.values()
    }

    /// What was said last about where a node hangs, if it is later than its certificate.
    pub fn placement(&self, node: &NodeId) -> Option<&Placement> {
        let issued = self.nodes.get(node).map(|known| known.certificate.issued);
        self.placed.get(node).filter(|placed| issued.is_none_or(|issued| placed.at > issued))
    }

    /// Whether what another process wrote is known here: the same placements and as many
    /// revocations.
    pub(crate) fn is_as_written(&self, view: &dyn View) -> Result<bool, AppError> {
        let revoked = view.values(Space::Peer, REVOKED, None, usize::MAX)?;
        let placed = view.values(Space::Peer, PLACED, None, usize::MAX)?;
        let known = self.placed.values().map(Placement::to_bytes);
        Ok(revoked.len() == self.revocations().count()
            && placed.len() == self.placed.len()
            && placed.iter().zip(known).all(|((_, written), known)| *written == known))
    }

    /// The node whose store this stands in.
    pub const fn own(&self) -> NodeId {
        self.own
    }

    /// What was said about a node that is revoked.
    pub fn revoked(&self, node: &NodeId) -> Option<&Revoked> {
        self.revoked.get(node)
    }

    /// Whether a node is believed no more.
    pub fn is_revoked(&self, node: &NodeId) -> bool {
        self.revoked.contains_key(node)
    }

    /// Everything that is said about revoked nodes.
    pub fn revocations(&self) -> impl Iterator<Item = &Revocation> {
        self.revoked.values().flat_map(Revoked::statements)
    }

    /// The last number of a log that is trusted; none if all are.
    pub fn last_trusted(&self, stream: &Stream) -> Option<u64> {
        Some(self.revoked.get(&stream.origin)?.last(stream))
    }

    /// Whether a sealed range holds what a node wrote after it was trusted for the last time.
    pub fn is_beyond(&self, seal: &Seal) -> bool {
        self.revoked.get(&seal.stream.origin).is_some_and(|revoked| revoked.is_beyond(seal))
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
        // Of a revoked node one certificate is needed to check what it wrote before; a new one
        // could only be its thief's.
        let too_late = known.is_some() && self.is_revoked(&certificate.node);
        if of_another || same_place || same_key || older || too_late {
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

    /// The node that serves a facility; one that was revoked if there is no other.
    pub fn of_facility(&self, facility: &ResourceId) -> Option<&Certificate> {
        let any = || self.nodes().find(|certificate| certificate.facility == *facility);
        self.serving(facility).or_else(any)
    }

    /// The node that serves a facility and is trusted.
    pub fn serving(&self, facility: &ResourceId) -> Option<&Certificate> {
        self.nodes().find(|c| c.facility == *facility && !self.is_revoked(&c.node))
    }

    /// The tree neighbours: the node above and those directly below, those that are trusted. A
    /// node that is itself revoked has none.
    pub fn neighbours(&self) -> Vec<NodeId> {
        if self.is_revoked(&self.own) {
            return vec![];
        }
        let own = self.parent();
        let below = self.nodes().map(|known| known.node);
        let below = below.filter(|node| self.parent_of(node) == Some(self.own));
        own.into_iter().chain(below).filter(|node| !self.is_revoked(node)).collect()
    }

    /// The node above this one, also if it is revoked.
    pub fn parent(&self) -> Option<NodeId> {
        self.parent_of(&self.own)
    }

    /// The node above another: if it was revoked and its facility has a new one, that one.
    pub fn parent_of(&self, node: &NodeId) -> Option<NodeId> {
        let parent = self.nodes.get(node)?.certificate.parent;
        let placed = self.placement(node).map(|placed| placed.parent);
        placed.or(parent).map(|parent| self.standing(parent))
    }

    /// The node that stands in a node's place now: another one if it was revoked and its facility
    /// has a new one, so that those below a computer that was stolen or burnt find it there.
    pub fn standing(&self, node: NodeId) -> NodeId {
        if !self.is_revoked(&node) {
            return node;
        }
        let facility = self.nodes.get(&node).map(|known| &known.certificate.facility);
        facility.and_then(|facility| self.serving(facility)).map_or(node, |new| new.node)
    }

    /// The nodes from `node` up to the ministry, itself first.
    pub fn line_up(&self, node: &NodeId) -> Vec<NodeId> {
        let mut line = vec![*node];
        while let Some(above) = line.last().and_then(|last| self.parent_of(last)) {
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
    /// There is no way past a node that is revoked, nor to one, nor from one.
    pub fn way_to(&self, to: &NodeId) -> Vec<NodeId> {
        let way = self.line_to(to);
        let is_barred = |node: &NodeId| self.is_revoked(node);
        if is_barred(&self.own) || way.iter().any(is_barred) { vec![] } else { way }
    }

    fn line_to(&self, to: &NodeId) -> Vec<NodeId> {
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
        let (own, nodes) = (NodeId([own; 16]), nodes.into_iter().collect());
        Nation { own, nodes, revoked: BTreeMap::new(), placed: BTreeMap::new() }
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

    #[test]
    fn a_revoked_node_is_no_neighbour_and_nothing_passes_it() {
        let root = SigningKey::from_bytes(&[9; 32]);
        let place = |own: u8| Place {
            node: NodeId([own; 16]),
            facility: ResourceId::new("f").unwrap(),
            name: "".into(),
            tier: Tier::County,
            parent: None,
            root: root.verifying_key().to_bytes(),
        };
        let revocation = Revocation {
            node: NodeId([3; 16]),
            at: Millis(1),
            why: ondol_record::revocation::Why::Stolen,
            trusted: BTreeMap::from([(0, [1, 2, 3, 4])]),
            signature: [0; 64],
        }
        .signed(&root);
        let with = |own| nation(own).with_revocation(&place(own), &revocation).unwrap().unwrap();
        assert!(with(4).neighbours().is_empty() && with(4).way_to(&NodeId([5; 16])).is_empty());
        assert_eq!(with(2).neighbours(), [NodeId([1; 16])]);
        assert!(with(2).way_to(&NodeId([4; 16])).is_empty());
        assert!(with(3).neighbours().is_empty() && with(3).way_to(&NodeId([1; 16])).is_empty());
        assert_eq!(with(5).way_to(&NodeId([2; 16])).len(), 2);
        // Whose people are whose does not change.
        assert!(with(2).is_below(&ResourceId::new("f4").unwrap()));
        assert!(with(2).serving(&ResourceId::new("f3").unwrap()).is_none());
    }
}
