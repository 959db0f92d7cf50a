//! By what a person is looked for in the nation's index: digests that are the same at each facility,
//! and tell a name to nobody who has not the key (ADR 0027).
//!
//! All of it is part of what nodes of unlike versions say to each other: a digest never changes.

use crate::names::exact_forms;

/// A digest is so long: among 25 million people with three digests each, one question in a million
/// meets another person's by chance.
pub const DIGEST_BYTES: usize = 6;

/// One thing by which a person is looked for.
pub type Digest = [u8; DIGEST_BYTES];

/// So many digests has a person at the most.
pub const DIGESTS_MAX: usize = 8;

/// Shorter numbers are those of one facility's own register: many people have them.
const NUMBER_LENGTH_MIN: usize = 7;

/// Names, and numbers, of a person that count at the most.
const NAMES_MAX: usize = 3;
const NUMBERS_MAX: usize = 3;

/// What is known of a person. Empty texts are not known. It has no `Debug`: it names somebody.
#[derive(Clone, Default)]
pub struct Known {
    /// The name in use, then others.
    pub names: Vec<String>,
    /// `F` or `M`, else empty.
    pub sex: String,
    /// The day of birth, `YYYY-MM-DD`; empty if only the year is known.
    pub birth: String,
    /// The mother's name.
    pub mother: String,
    /// The village or town.
    pub ri: String,
    /// The system and the letters and digits of each number; the system is empty for a number that was
    /// read off a paper.
    pub numbers: Vec<(String, String)>,
}

impl Known {
    /// The digests, sorted; none if too little is known. `key` is the nation's.
    ///
    /// - a number of at least seven letters and digits;
    /// - name, day of birth, sex and mother's name;
    /// - name, day of birth, sex and village.
    ///
    /// Name, day and sex alone are shared by too many: every seventh person has a namesake born on
    /// the same day.
    pub fn digests(&self, key: &[u8; 32]) -> Vec<Digest> {
        let mut digests = vec![];
        let numbers = self.numbers.iter().filter(|(_, number)| tells_apart(number));
        for (system, number) in numbers.take(NUMBERS_MAX) {
            digests.push(digest(key, "number", &[system, number]));
        }
        let is_exact = self.birth.len() == 10 && matches!(&*self.sex, "F" | "M");
        let names = self.names.iter().take(NAMES_MAX).flat_map(|name| exact_forms(name));
        let names: Vec<String> = names.filter(|_| is_exact).collect();
        let by = |what: &str, of: &str, digests: &mut Vec<Digest>| {
            for other in exact_forms(of) {
                for name in &names {
                    let of = [name, &*self.birth, &*self.sex, &*other];
                    digests.push(digest(key, what, &of));
                }
            }
        };
        by("mother", &self.mother, &mut digests);
        by("ri", &self.ri, &mut digests);
        digests.truncate(DIGESTS_MAX);
        digests.sort_unstable();
        digests.dedup();
        digests
    }
}

/// Whether a number is one person's: long enough, and none that is typed to get past a box.
fn tells_apart(number: &str) -> bool {
    let mut letters: Vec<char> = number.chars().collect();
    let counts = letters.windows(2).all(|two| u32::from(two[0]) + 1 == u32::from(two[1]));
    let length = letters.len();
    letters.sort_unstable();
    letters.dedup();
    length >= NUMBER_LENGTH_MIN && letters.len() > 2 && !counts
}

fn digest(key: &[u8; 32], what: &str, parts: &[&str]) -> Digest {
    let mut hash = blake3::Hasher::new_keyed(key);
    for part in std::iter::once(&what).chain(parts) {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let mut digest = [0; DIGEST_BYTES];
    hash.finalize_xof().fill(&mut digest);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn person(name: &str, mother: &str) -> Known {
        Known {
            names: vec![name.into()],
            sex: "F".into(),
            birth: "1961-03-02".into(),
            mother: mother.into(),
            ..Known::default()
        }
    }

    fn meet(one: &Known, two: &Known) -> bool {
        let two = two.digests(&KEY);
        one.digests(&KEY).iter().any(|digest| two.contains(digest))
    }

    #[test]
    fn the_same_person_has_the_same_digest_however_she_is_typed() {
        let known = person("리용희", "김복순");
        for (name, mother) in [
            ("이용희", "김복순"),
            ("리룡희", "김 복순"),
            ("Ri Yong-hŭi", "Kim Pok-sun"),
            ("Lee Yong Hee", "김복순"),
            ("Yong Hui Ri", "Kim Boksun"),
        ] {
            assert!(meet(&known, &person(name, mother)), "{name} {mother}");
        }
        let other = |change: fn(&mut Known)| {
            let mut other = person("리용희", "김복순");
            change(&mut other);
            meet(&known, &other)
        };
        assert!(!other(|of| of.birth = "1961-03-03".into()));
        assert!(!other(|of| of.sex = "M".into()));
        assert!(!other(|of| of.mother = "박영순".into()));
        assert!(!other(|of| of.names = vec!["리철수".into()]));
        assert!(other(|of| of.names.insert(0, "리철수".into())), "a former name counts");
    }

    #[test]
    fn too_little_is_looked_for_by_nothing() {
        let mut vague = person("리용희", "");
        assert!(vague.digests(&KEY).is_empty(), "every seventh has such a namesake");
        vague.ri = "룡강리".into();
        assert_eq!(vague.digests(&KEY).len(), 1);
        vague.birth = "1961".into();
        assert!(vague.digests(&KEY).is_empty());
        vague.numbers = vec![(String::new(), "AB1234567".into())];
        assert_eq!(vague.digests(&KEY).len(), 1);
        for number in ["123", "12345678", "0000000", "1212121", "23456789"] {
            vague.numbers = vec![(String::new(), number.into())];
            assert!(vague.digests(&KEY).is_empty(), "{number}");
        }
    }

    #[test]
    fn without_the_key_a_name_cannot_be_tried() {
        let one = person("리용희", "김복순");
        assert_ne!(one.digests(&KEY), one.digests(&[8; 32]));
    }

    /// What nodes of other versions made has to be found for good. Worked out a second time by a
    /// program of its own from BLAKE3's paper.
    #[test]
    fn digests_never_change() {
        let number = |digest: &Digest| digest.iter().fold(0_u64, |n, one| n << 8 | u64::from(*one));
        let hex = |of: &Known| {
            let all = of.digests(&KEY);
            all.iter().map(|digest| format!("{:012x}", number(digest))).collect::<Vec<_>>()
        };
        let mut whole = person("리용희", "김복순");
        whole.ri = "룡강리".into();
        whole.numbers =
            vec![(String::new(), "AB1234567".into()), ("urn:x".into(), "AB1234567".into())];
        assert_eq!(hex(&whole), ["008ed3d29c5c", "2931ceb67c21", "db34a470638a", "f2190cd8c365"]);
        assert_eq!(
            hex(&person("Lee Yong-hee", "Kim Pok Sun")),
            ["008ed3d29c5c", "110b44a3caba", "31a7ce84d8fc", "c822796412b3"]
        );
    }
}
