//! Who belongs under whom, and whose chart concerns whom.

use std::collections::HashMap;

use ed25519_dalek::{SigningKey, VerifyingKey};
use ondol_kernel::{NodeId, ResourceId};
use ondol_record::{ChartId, certificate::Tier};
use ondol_replicate::link;

/// A node's place in the tree.
pub struct Seat {
    /// Its tier.
    pub tier: Tier,
    /// The node above.
    pub above: Option<usize>,
    /// The nodes below.
    pub below: Vec<usize>,
    /// Its id.
    pub id: NodeId,
    /// What it signs with.
    pub signing: SigningKey,
    /// What its seals are checked with.
    pub verifying: VerifyingKey,
    /// Its link key.
    pub private: [u8; 32],
    /// The public half.
    pub public: [u8; 32],
}

/// A ministry, its provinces, their counties, their clinics.
pub struct Tree {
    /// All of them, the ministry first.
    pub seats: Vec<Seat>,
    /// A bug: everything goes to everybody.
    pub leaks: bool,
    by_id: HashMap<NodeId, usize>,
}

impl Tree {
    /// A tree of so many nodes. From some thousands on it has the shape of the country for which
    /// this is made: 12 provinces, some 200 counties, the rest clinics.
    pub fn new(nodes: usize) -> Self {
        let nodes = nodes.max(4);
        let provinces = (nodes / 60).clamp(1, 12);
        let counties = (nodes / 12).clamp(provinces, 210);
        let mut tree = Self { seats: vec![], leaks: false, by_id: HashMap::new() };
        tree.add(Tier::Ministry, None);
        for _ in 0..provinces {
            tree.add(Tier::Province, Some(0));
        }
        for county in 0..counties {
            tree.add(Tier::County, Some(1 + county % provinces));
        }
        for clinic in 0..nodes.saturating_sub(tree.seats.len()) {
            tree.add(Tier::Clinic, Some(1 + provinces + clinic % counties));
        }
        tree
    }

    fn add(&mut self, tier: Tier, above: Option<usize>) {
        let at = self.seats.len();
        let mut private = [0x40; 32];
        private[..8].copy_from_slice(&(at as u64).to_le_bytes());
        let signing = SigningKey::from_bytes(&private);
        let verifying = signing.verifying_key();
        let public = link::public_key(&private).expect("X25519 is built in");
        let id = NodeId::of_key(&verifying.to_bytes());
        if let Some(above) = above {
            self.seats[above].below.push(at);
        }
        self.by_id.insert(id, at);
        self.seats.push(Seat {
            tier,
            above,
            below: vec![],
            id,
            signing,
            verifying,
            private,
            public,
        });
    }

    /// The node of an id.
    pub fn node(&self, id: &NodeId) -> Option<&Seat> {
        self.seats.get(self.place_of(id)?)
    }

    /// Where the node of an id stands.
    pub fn place_of(&self, id: &NodeId) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// How many nodes there are.
    pub const fn count(&self) -> usize {
        self.seats.len()
    }

    /// A node and those above it.
    pub fn line_up(&self, at: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(at), |&below| self.seats[below].above)
    }

    /// The neighbours of a node: the one above, then those below.
    pub fn neighbours(&self, at: usize) -> impl Iterator<Item = usize> {
        self.seats[at].above.into_iter().chain(self.seats[at].below.iter().copied())
    }

    /// Whether a node is `other` or stands above it.
    pub fn is_over(&self, at: usize, other: usize) -> bool {
        self.line_up(other).any(|above| above == at)
    }

    /// Whether a chart concerns a node. A person's: the clinic at home and those above it that
    /// treat. A facility's: itself and all above it. The nation's: everybody.
    pub fn concerns(&self, at: usize, chart: &ChartId) -> bool {
        match chart {
            ChartId::Nation => true,
            ChartId::Patient(_) => {
                self.seats[at].tier.treats()
                    && home(chart).is_some_and(|home| self.is_over(at, home))
            }
            ChartId::Facility(_) | ChartId::Practitioner(_) => {
                home(chart).is_some_and(|home| self.is_over(at, home))
            }
        }
    }

    /// All whom a chart concerns.
    pub fn concerned(&self, chart: &ChartId) -> Vec<usize> {
        match home(chart) {
            Some(home) => self.line_up(home).filter(|&at| self.concerns(at, chart)).collect(),
            None => (0..self.count()).filter(|&at| self.concerns(at, chart)).collect(),
        }
    }

    /// Whether a node hands a chart on to another.
    pub fn goes_to(&self, to: usize, chart: &ChartId) -> bool {
        self.leaks || self.concerns(to, chart)
    }
}

/// The chart of a person at home at a node.
pub fn person(home: usize, number: usize) -> ChartId {
    ChartId::Patient(ResourceId::new(&format!("p-{home}-{number}")).expect("a short id"))
}

/// The chart of a node's facility.
pub fn facility(home: usize) -> ChartId {
    ChartId::Facility(ResourceId::new(&format!("f-{home}")).expect("a short id"))
}

/// At which node a chart is at home.
pub fn home(chart: &ChartId) -> Option<usize> {
    chart.subject().split('-').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_concern_those_on_their_line() {
        let tree = Tree::new(40);
        let clinics: Vec<usize> =
            (0..tree.count()).filter(|&at| tree.seats[at].tier == Tier::Clinic).collect();
        let (one, other) = (clinics[0], clinics[1]);
        let chart = person(one, 3);
        assert!(tree.concerns(one, &chart) && !tree.concerns(other, &chart));
        assert!(!tree.concerns(0, &chart) && tree.concerns(0, &facility(one)));
        assert!(tree.concerns(other, &ChartId::Nation));
    }
}
