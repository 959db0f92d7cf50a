//! What every screen says about the road, and it is always true.

use ondol_kernel::{Class, NodeId};
use ondol_store::{Space, View};

use super::{keys, scope};
use crate::{App, AppError};

/// How a peer is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The node above.
    Above,
    /// A node below.
    Below,
    /// Through others, sealed.
    Through,
}

/// What waits for a peer in one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClassStatus {
    /// Entries that are not packed yet.
    pub entries_queued: u64,
    /// Messages that the peer does not hold durably yet.
    pub messages_waiting: u64,
    /// Their bytes.
    pub bytes_waiting: u64,
}

/// What waits for a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerStatus {
    /// The peer.
    pub node: NodeId,
    /// How it is reached.
    pub reach: Reach,
    /// By class, most urgent first.
    pub classes: [ClassStatus; 4],
}

impl PeerStatus {
    /// Whether anything waits.
    pub fn is_waiting(&self) -> bool {
        self.classes.iter().any(|class| class.entries_queued + class.messages_waiting > 0)
    }
}

impl App {
    /// What waits for each peer.
    pub fn road_status(&self) -> Result<Vec<PeerStatus>, AppError> {
        let nation = self.nation();
        let view = self.view()?;
        let mut all = vec![];
        for node in scope::peers(&nation, &*view)? {
            let below =
                nation.node(&node).is_some_and(|k| k.certificate.parent == Some(self.place.node));
            let reach = match () {
                () if nation.parent() == Some(node) => Reach::Above,
                () if below => Reach::Below,
                () => Reach::Through,
            };
            let mut classes = [ClassStatus::default(); 4];
            for class in Class::ALL {
                classes[usize::from(class.code())] = of_class(&*view, &node, class)?;
            }
            all.push(PeerStatus { node, reach, classes });
        }
        Ok(all)
    }

    /// How much waits for any peer, for the chip on every page: entries and messages. A store
    /// that cannot be asked counts as something that waits.
    pub fn waiting_count(&self) -> u32 {
        let Ok(peers) = self.road_status() else { return 1 };
        let all: u64 = peers
            .iter()
            .flat_map(|peer| peer.classes)
            .map(|class| class.entries_queued + class.messages_waiting)
            .sum();
        u32::try_from(all).unwrap_or(u32::MAX)
    }

    /// Whether an entry is held durably by a peer: nothing of its stream's class waits any more
    /// that was sent before or with it.
    pub fn is_waiting_for(&self, peer: &NodeId, class: Class) -> Result<bool, AppError> {
        let status = of_class(&*self.view()?, peer, class)?;
        Ok(status.entries_queued + status.messages_waiting > 0)
    }
}

fn of_class(view: &dyn View, node: &NodeId, class: Class) -> Result<ClassStatus, AppError> {
    let queued =
        view.values(Space::ParcelOut, &keys::queue_prefix(node, class), None, usize::MAX)?;
    let packed =
        view.values(Space::ParcelOut, &keys::message_prefix(node, class), None, usize::MAX)?;
    Ok(ClassStatus {
        entries_queued: queued.len() as u64,
        messages_waiting: packed.len() as u64,
        bytes_waiting: packed.iter().map(|(_, bytes)| bytes.len() as u64).sum(),
    })
}
