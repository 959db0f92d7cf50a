//! What happens, and when.

use super::courier::Carried;

/// What happens.
#[derive(Debug)]
pub(super) enum What {
    Datagram { child: usize, to: usize, from: usize, bytes: Vec<u8> },
    Timer { at: usize, peer: usize },
    Sync(usize),
    Write(usize),
    Picture(usize),
    Open(usize),
    Cut(usize),
    Idle(usize),
    PowerOff { at: usize, life: u64 },
    PowerOn(usize),
    Clock(usize),
    Backup(usize),
    Restore(usize),
    Full(usize),
    Upgrade(usize),
    Courier(usize),
    Stick(Box<Carried>),
    Look,
}

/// Something at its time; of two at the same time the one that was put there first.
pub(super) struct Due {
    pub at: u64,
    pub order: u64,
    pub what: What,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
