//! Where a node keeps its own small things: state that is no record and is never shared.

/// A named set of small values. The numbers stand on disk and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Space {
    /// Settings and keys of the node.
    Node = 0,
    /// Neighbours: certificate, cursors, counters.
    Peer = 1,
    /// Which charts go to which neighbour.
    Scope = 2,
    /// Parcels that wait for a neighbour.
    ParcelOut = 3,
    /// Parcels that are arriving.
    ParcelIn = 4,
    /// Parcels handed through for others.
    Relay = 5,
    /// Who is signed in.
    Session = 6,
    /// Forms that are half filled in.
    FormDraft = 7,
    /// Timers of treatment and of escalation.
    Timer = 8,
    /// Pictures and sound: what is here, what is wanted.
    Blob = 9,
    /// Entries that could not be taken in.
    Quarantine = 10,
    /// Work lists derived from the record.
    Worklist = 11,
    /// Provisional numbers given to forms and cards.
    Number = 12,
    /// Counters for reports.
    Count = 13,
    /// When what arrived.
    Arrival = 14,
    /// The nation's index of persons: what was told of whom, and what it answered.
    Index = 15,
}

impl Space {
    /// All of them, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        std::iter::successors(Some(Self::Node), |space| space.next())
    }

    /// The space with a number, if there is one.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::all().find(|space| *space as u8 == code)
    }

    /// A match, so that a new space is left out nowhere: a backup takes all of them.
    const fn next(self) -> Option<Self> {
        match self {
            Self::Node => Some(Self::Peer),
            Self::Peer => Some(Self::Scope),
            Self::Scope => Some(Self::ParcelOut),
            Self::ParcelOut => Some(Self::ParcelIn),
            Self::ParcelIn => Some(Self::Relay),
            Self::Relay => Some(Self::Session),
            Self::Session => Some(Self::FormDraft),
            Self::FormDraft => Some(Self::Timer),
            Self::Timer => Some(Self::Blob),
            Self::Blob => Some(Self::Quarantine),
            Self::Quarantine => Some(Self::Worklist),
            Self::Worklist => Some(Self::Number),
            Self::Number => Some(Self::Count),
            Self::Count => Some(Self::Arrival),
            Self::Arrival => Some(Self::Index),
            Self::Index => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_have_the_numbers_of_their_places() {
        for (at, space) in (0u8..).zip(Space::all()) {
            assert_eq!(space as u8, at);
            assert_eq!(Space::from_code(at), Some(space));
        }
        assert_eq!(Space::all().count(), 16);
    }
}
