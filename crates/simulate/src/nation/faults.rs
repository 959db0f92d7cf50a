//! What went wrong in a country, counted.

use std::{fmt, ops::AddAssign};

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident: $says:literal,)*) => {
        /// Everything that was done to a country, by kind. One is one: a datagram that was lost, a
        /// commit that a power cut dropped, a clock that was set wrong.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Faults {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Faults {
            /// All of them.
            pub const fn total(&self) -> u64 {
                0 $(+ self.$name)*
            }

            /// Kinds that never happened.
            pub fn missing(&self) -> Vec<&'static str> {
                let mut missing = vec![];
                $(if self.$name == 0 { missing.push($says); })*
                missing
            }
        }

        impl AddAssign for Faults {
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)*
            }
        }

        impl fmt::Display for Faults {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let all = [$(($says, self.$name)),*];
                write!(f, "{} faults", self.total())?;
                for (says, count) in all.iter().filter(|(_, count)| *count > 0) {
                    write!(f, ", {count} {says}")?;
                }
                Ok(())
            }
        }
    };
}

faults! {
    /// A datagram that a line swallowed, for noise, a cut or a full queue.
    lost: "datagrams lost",
    /// A datagram that arrived twice.
    doubled: "datagrams doubled",
    /// A datagram that arrived before one that was sent earlier.
    overtaken: "datagrams out of order",
    /// A datagram that was seconds late.
    late: "datagrams late",
    /// A datagram of which a bit was changed.
    forged: "datagrams forged",
    /// A line that was cut.
    cuts: "lines cut",
    /// A power cut.
    power_cuts: "power cuts",
    /// A commit that was not synced when the power went, and is gone.
    unsynced: "unsynced commits dropped",
    /// A commit that was half on the disk when the power went, and is no commit.
    torn: "commits torn",
    /// What a full disk refused.
    refused: "refused by full disks",
    /// A sync that failed, and ended the program.
    failed_syncs: "syncs failed",
    /// A clock that was set wrong or lost its battery.
    clocks: "clocks wrong",
    /// A copy on a stick that was cut short or lost bits or sectors.
    worn_copies: "copies on sticks damaged",
    /// A stick that arrived again.
    doubled_sticks: "sticks delivered again",
    /// A stick that lay in a drawer while others went.
    old_sticks: "old sticks",
    /// A stick that was not for its reader, or not of whom it says.
    foreign_sticks: "sticks of others",
    /// A stick that never arrived.
    lost_sticks: "sticks lost",
    /// A node that was put back from a backup.
    restored: "backups put back",
    /// A node that went on on a copy of its disk.
    cloned: "disks cloned",
    /// A session between a node and one of the program's version before.
    skewed: "sessions of unlike versions",
}
