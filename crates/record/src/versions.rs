//! Versions of a resource, and which of several is shown.

use std::{collections::HashSet, fmt};

use ondol_kernel::{Hlc, bytes};

use crate::{Address, entry::ChangeKind};

/// The name of a version: the first 8 bytes of the BLAKE3 derivation of (address, stamp,
/// ordinal). It names a version within its resource only, so that 64 bits are plenty (ADR 0002).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId(pub [u8; 8]);

impl VersionId {
    /// Reads the 16 hexadecimal digits that FHIR's `versionId` shows.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut id = [0; 8];
        bytes::hex_to(text, &mut id).then_some(Self(id))
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bytes::to_hex(&self.0))
    }
}

impl fmt::Debug for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VersionId({self})")
    }
}

/// What has to be known of a version to choose between several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its name.
    pub id: VersionId,
    /// When it was written.
    pub hlc: Hlc,
    /// The entry that brought it.
    pub address: Address,
    /// Its place in that entry.
    pub ordinal: u32,
    /// What it did.
    pub kind: ChangeKind,
    /// The versions that its author had seen and replaced.
    pub supersedes: Vec<VersionId>,
}

/// The versions that no other one supersedes, the shown one first.
///
/// The order depends on the set alone, never on the order of arrival: a version with content
/// goes before a retraction (nothing is hidden that somebody still wrote on), then the later
/// stamp, then the address, then the ordinal.
pub fn heads(versions: &[Version]) -> Vec<&Version> {
    let replaced: HashSet<VersionId> =
        versions.iter().flat_map(|version| version.supersedes.iter().copied()).collect();
    let mut heads: Vec<&Version> =
        versions.iter().filter(|version| !replaced.contains(&version.id)).collect();
    heads.sort_by_key(|version| std::cmp::Reverse(rank(version)));
    heads
}

/// The order among rivals; the greatest is shown.
fn rank(version: &Version) -> (bool, Hlc, Address, u32) {
    (version.kind == ChangeKind::Put, version.hlc, version.address, version.ordinal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stream;
    use ondol_kernel::{Class, NodeId};
    use proptest::prelude::*;

    fn version(id: u8, hlc: u64, kind: ChangeKind, supersedes: &[u8]) -> Version {
        let stream = Stream { origin: NodeId([id; 16]), incarnation: 0, class: Class::Routine };
        Version {
            id: VersionId([id; 8]),
            hlc: Hlc::from_bits(hlc),
            address: stream.at(1),
            ordinal: 0,
            kind,
            supersedes: supersedes.iter().map(|&s| VersionId([s; 8])).collect(),
        }
    }

    #[test]
    fn concurrent_changes_both_stay_and_the_later_is_shown() {
        let all = [
            version(1, 10, ChangeKind::Put, &[]),
            version(2, 20, ChangeKind::Put, &[1]),
            version(3, 21, ChangeKind::Put, &[1]),
        ];
        let ids: Vec<_> = heads(&all).iter().map(|v| v.id.0[0]).collect();
        assert_eq!(ids, [3, 2]);
    }

    #[test]
    fn a_change_goes_before_a_concurrent_retraction() {
        let all = [
            version(1, 10, ChangeKind::Put, &[]),
            version(2, 20, ChangeKind::Put, &[1]),
            version(3, 30, ChangeKind::Retract, &[1]),
        ];
        assert_eq!(heads(&all)[0].id.0[0], 2);
    }

    #[test]
    fn whoever_names_all_heads_settles_them() {
        let all = [
            version(2, 20, ChangeKind::Put, &[1]),
            version(3, 21, ChangeKind::Put, &[1]),
            version(4, 5, ChangeKind::Put, &[2, 3]),
        ];
        assert_eq!(heads(&all).len(), 1);
    }

    proptest! {
        #[test]
        fn heads_do_not_depend_on_the_order_of_arrival(
            edges in prop::collection::vec((0u8..12, 0u64..5, any::<bool>()), 1..12),
            seed: u64,
        ) {
            let mut all: Vec<Version> = edges.iter().enumerate().map(|(at, &(parent, hlc, put))| {
                let id = u8::try_from(at).unwrap() + 1;
                let kind = if put { ChangeKind::Put } else { ChangeKind::Retract };
                let parents = if parent < id { vec![parent] } else { vec![] };
                version(id, hlc, kind, &parents)
            }).collect();
            let before: Vec<VersionId> = heads(&all).iter().map(|v| v.id).collect();
            let turn = usize::try_from(seed % 11).unwrap() % all.len();
            all.rotate_left(turn);
            all.reverse();
            let after: Vec<VersionId> = heads(&all).iter().map(|v| v.id).collect();
            prop_assert!(!before.is_empty());
            prop_assert_eq!(before, after);
        }
    }
}
