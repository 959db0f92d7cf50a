//! Locks between connections, and the shared memory of the write-ahead log.

use std::collections::BTreeMap;

/// SQLite's lock levels: none, shared, reserved, pending, exclusive.
pub(crate) const SHARED: i32 = 1;
pub(crate) const RESERVED: i32 = 2;
const PENDING: i32 = 3;
#[cfg(test)]
const EXCLUSIVE: i32 = 4;

/// Who holds which level on which file.
#[derive(Debug, Default)]
pub(crate) struct FileLocks {
    held: BTreeMap<String, BTreeMap<u64, i32>>,
}

impl FileLocks {
    /// Raises a lock; false if another connection is in the way.
    pub(crate) fn raise(&mut self, file: &str, handle: u64, level: i32) -> bool {
        let held = self.held.entry(file.to_owned()).or_default();
        let mine = held.get(&handle).copied().unwrap_or(0);
        if mine >= level {
            return true;
        }
        let others = held.iter().filter(|(of, _)| **of != handle).map(|(_, level)| *level);
        let highest = others.max().unwrap_or(0);
        let (granted, now) = match level {
            SHARED => (highest < PENDING, SHARED),
            RESERVED => (highest < RESERVED, RESERVED),
            _ if highest == 0 => (true, level),
            // Nobody new gets in while this one waits.
            _ if highest < RESERVED => (false, PENDING),
            _ => (false, mine),
        };
        if granted || now > mine && level >= PENDING {
            held.insert(handle, now);
        }
        granted
    }

    pub(crate) fn lower(&mut self, file: &str, handle: u64, level: i32) {
        let held = self.held.entry(file.to_owned()).or_default();
        if level == 0 {
            held.remove(&handle);
        } else if let Some(mine) = held.get_mut(&handle) {
            *mine = (*mine).min(level);
        }
    }

    pub(crate) fn is_reserved(&self, file: &str) -> bool {
        self.held.get(file).is_some_and(|held| held.values().any(|level| *level >= RESERVED))
    }
}

/// Slots that SQLite locks in the shared memory.
const SLOTS: usize = 8;

#[derive(Debug, Default)]
struct Area {
    /// Regions, which stay where they are until the last connection lets go.
    /// Of words, as SQLite keeps words there.
    regions: Vec<Box<[u64]>>,
    users: BTreeMap<u64, [Hold; SLOTS]>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Hold {
    #[default]
    None,
    Shared,
    Exclusive,
}

/// The shared memories, by database.
#[derive(Debug, Default)]
pub(crate) struct Shm {
    areas: BTreeMap<String, Area>,
}

impl Shm {
    /// The address of a region; made if it is missing and `extend` is set.
    pub(crate) fn map(
        &mut self,
        file: &str,
        handle: u64,
        region: usize,
        size: usize,
        extend: bool,
    ) -> Option<*mut u8> {
        let area = self.areas.entry(file.to_owned()).or_default();
        area.users.entry(handle).or_default();
        if extend {
            while area.regions.len() <= region {
                area.regions.push(vec![0; size.div_ceil(8)].into_boxed_slice());
            }
        }
        area.regions.get_mut(region).map(|region| region.as_mut_ptr().cast::<u8>())
    }

    /// Takes slots; false if another connection is in the way.
    pub(crate) fn take(
        &mut self,
        file: &str,
        handle: u64,
        slots: std::ops::Range<usize>,
        exclusive: bool,
    ) -> bool {
        let area = self.areas.entry(file.to_owned()).or_default();
        let in_the_way = |hold: Hold| hold == Hold::Exclusive || exclusive && hold == Hold::Shared;
        let is_busy = area
            .users
            .iter()
            .filter(|(of, _)| **of != handle)
            .any(|(_, holds)| holds[slots.clone()].iter().any(|hold| in_the_way(*hold)));
        if !is_busy {
            let hold = if exclusive { Hold::Exclusive } else { Hold::Shared };
            area.users.entry(handle).or_default()[slots].fill(hold);
        }
        !is_busy
    }

    pub(crate) fn release(&mut self, file: &str, handle: u64, slots: std::ops::Range<usize>) {
        if let Some(area) = self.areas.get_mut(file) {
            area.users.entry(handle).or_default()[slots].fill(Hold::None);
        }
    }

    /// Lets go; with the last connection the memory goes.
    pub(crate) fn unmap(&mut self, file: &str, handle: u64) {
        if let Some(area) = self.areas.get_mut(file) {
            area.users.remove(&handle);
            if area.users.is_empty() {
                self.areas.remove(file);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writes_while_others_read_and_nobody_else_writes() {
        let mut locks = FileLocks::default();
        assert!(locks.raise("f", 1, SHARED) && locks.raise("f", 2, SHARED));
        assert!(locks.raise("f", 1, RESERVED) && !locks.raise("f", 2, RESERVED));
        assert!(!locks.raise("f", 1, EXCLUSIVE), "a reader is there");
        assert!(!locks.raise("f", 3, SHARED), "somebody waits for all readers to go");
        locks.lower("f", 2, 0);
        assert!(locks.raise("f", 1, EXCLUSIVE));
        locks.lower("f", 1, SHARED);
        assert!(locks.raise("f", 3, SHARED) && !locks.is_reserved("f"));
    }

    #[test]
    fn slots_are_shared_or_exclusive() {
        let mut shm = Shm::default();
        assert!(shm.map("f", 1, 0, 64, true).is_some() && shm.map("f", 2, 1, 64, false).is_none());
        assert!(shm.take("f", 1, 3..4, false) && shm.take("f", 2, 3..4, false));
        assert!(!shm.take("f", 1, 3..4, true));
        shm.release("f", 2, 3..4);
        assert!(shm.take("f", 1, 3..8, true) && !shm.take("f", 2, 5..6, false));
        shm.unmap("f", 1);
        assert!(shm.take("f", 2, 5..6, false));
    }
}
