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
}
