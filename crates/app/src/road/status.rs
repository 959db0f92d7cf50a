//! What every screen says about the road, and it is always true.

use ondol_kernel::{Class, NodeId};
use ondol_store::{Space, View};

use super::{blobs, keys, scope};
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
    /// Pictures and sounds of which some bytes are no message yet.
    pub pictures_waiting: u64,
    /// Those bytes, as far as they are known.
    pub picture_bytes_waiting: u64,
}

/// Bytes that an entry takes on the road before it is packed, as it is guessed: the mean of a
/// visit's entries when they travel a few at a time.
pub const ENTRY_BYTES_ASSUMED: u64 = 250;

impl ClassStatus {
    /// Whether nothing waits.
    pub const fn is_empty(&self) -> bool {
        self.entries_queued + self.messages_waiting + self.pictures_waiting == 0
    }

    /// All bytes that wait; those of entries that are not packed yet are guessed.
    pub const fn bytes(&self) -> u64 {
        self.bytes_waiting + self.picture_bytes_waiting + self.entries_queued * ENTRY_BYTES_ASSUMED
    }

    /// All that waits, counted: entries, messages, pictures.
    pub const fn items(&self) -> u64 {
        self.entries_queued + self.messages_waiting + self.pictures_waiting
    }
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
        self.classes.iter().any(|class| !class.is_empty())
    }
}

impl App {
    /// What waits for each peer.
    pub fn road_status(&self) -> Result<Vec<PeerStatus>, AppError> {
        let nation = self.nation();
        let view = self.view()?;
        let mut all = vec![];
        for node in scope::peers(&nation, &*view)? {
            let below = nation.parent_of(&node) == Some(self.place.node);
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
        let all: u64 = peers.iter().flat_map(|peer| peer.classes).map(|class| class.items()).sum();
        u32::try_from(all).unwrap_or(u32::MAX)
    }

    /// Whether an entry is held durably by a peer: nothing of its stream's class waits any more
    /// that was sent before or with it.
    pub fn is_waiting_for(&self, peer: &NodeId, class: Class) -> Result<bool, AppError> {
        let status = of_class(&*self.view()?, peer, class)?;
        Ok(!status.is_empty())
    }
}

/// What waits in a class. Every page asks this: it reads counters, not what they count.
pub(super) fn of_class(
    view: &(impl View + ?Sized),
    node: &NodeId,
    class: Class,
) -> Result<ClassStatus, AppError> {
    let sent = keys::number(view, &keys::sent(node, class))?;
    let acknowledged = keys::number(view, &keys::acknowledged(node, class))?;
    let first = view.values(Space::ParcelOut, &keys::queue_prefix(node, class), None, 1)?;
    let entries_queued = match first.first() {
        // The queue is emptied from its front.
        Some((key, _)) => {
            let last = keys::number(view, &keys::queued(node, class))?;
            (last + 1).saturating_sub(keys::last_number(key)?)
        }
        None => 0,
    };
    let (pictures_waiting, picture_bytes_waiting) = blobs::waiting(view, node, class)?;
    Ok(ClassStatus {
        entries_queued,
        messages_waiting: sent.saturating_sub(acknowledged),
        bytes_waiting: keys::number(view, &keys::kept_bytes(node, class))?,
        pictures_waiting,
        picture_bytes_waiting,
    })
}
