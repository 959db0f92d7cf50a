//! Bugs of the protocol that are planted, to see that countries find them.
//!
//! Each stands between the real link and what a node holds, where a node's program could have it.

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slip {
    /// A node that starts says that it holds one message more than it does.
    FrontierOffByOne,
    /// What came is acknowledged before it is synced.
    EarlyAcknowledgement,
    /// What came in the slowest class is acknowledged and thrown away.
    DroppedClass,
    /// Now and then the disk is said to be synced, and is not.
    SkippedSync,
    /// A node that is put back from a backup goes on counting as if nothing had happened.
    ReusedIncarnation,
    /// Messages go out before their numbers are synced.
    SentUnsynced,
    /// The most urgent class waits until nothing else does.
    UrgentLast,
    /// Everything goes to every neighbour.
    ScopeForgotten,
    /// A node sends the newest parcels to everybody, whatever they read.
    VersionForgotten,
    /// What an acknowledgement names is let go of, and one message more.
    DeliveredOffByOne,
    /// A program that started for the third time does not look for what waits.
    ForgottenQueue,
    /// Whoever says what it holds is given nothing of the rest.
    NothingGiven,
    /// A neighbour that lost what it once gave is believed to hold it still.
    NotesNotLowered,
    /// What a neighbour sent before it lost it, it is believed to hold.
    OldSticksBelieved,
}

impl Slip {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::FrontierOffByOne,
        Self::EarlyAcknowledgement,
        Self::DroppedClass,
        Self::SkippedSync,
        Self::ReusedIncarnation,
        Self::SentUnsynced,
        Self::UrgentLast,
        Self::ScopeForgotten,
        Self::VersionForgotten,
        Self::DeliveredOffByOne,
        Self::ForgottenQueue,
        Self::NothingGiven,
        Self::NotesNotLowered,
        Self::OldSticksBelieved,
    ];

    /// The bug of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|slip| format!("{slip:?}") == name)
    }
}
