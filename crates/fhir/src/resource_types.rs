//! Sets of resource types.

use crate::ResourceType;

/// A set of resource types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResourceTypes([u64; 3]);

impl ResourceTypes {
    /// No type.
    pub const NONE: Self = Self([0; 3]);

    /// All 146 types.
    pub fn all() -> Self {
        ResourceType::ALL.iter().copied().collect()
    }

    /// Whether a type is in the set.
    pub const fn contains(&self, kind: ResourceType) -> bool {
        let number = kind.number() as usize;
        self.0[number / 64] >> (number % 64) & 1 == 1
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// The types in alphabetical order.
    pub fn iter(self) -> impl Iterator<Item = ResourceType> {
        ResourceType::ALL.iter().copied().filter(move |&kind| self.contains(kind))
    }

    /// Reads names separated by `|`.
    pub(crate) fn from_names(names: &str) -> Option<Self> {
        names.split('|').map(ResourceType::from_name).collect()
    }
}

impl FromIterator<ResourceType> for ResourceTypes {
    fn from_iter<I: IntoIterator<Item = ResourceType>>(kinds: I) -> Self {
        let mut set = Self::NONE;
        for kind in kinds {
            let number = usize::from(kind.number());
            set.0[number / 64] |= 1 << (number % 64);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let ends =
            [ResourceType::Account, ResourceType::Observation, ResourceType::VisionPrescription];
        let set: ResourceTypes = ends.into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), ends);
        assert!(!set.contains(ResourceType::Patient));
        assert_eq!(ResourceTypes::all().iter().count(), 146);
        assert!(ResourceTypes::NONE.is_empty());
    }
}
