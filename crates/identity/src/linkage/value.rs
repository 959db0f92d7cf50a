//! A value of a record in the forms in which it is compared.

use super::Kind;
use crate::names::{self, Syllable};

/// A record: for each field of the schema its value, if there is one.
pub type Record = Vec<Option<Value>>;

/// A value, prepared to be compared. It has no `Debug`: it says something of a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Value {
    /// As it stands, without spaces, case and accents.
    pub(crate) written: Box<str>,
    /// What counts as the same by rule; the same as `written` for most.
    pub(crate) same: Box<str>,
    /// The letters that are compared: of Hangul those of its syllables.
    pub(crate) letters: Box<[char]>,
    /// Of a name: the initial sound left aside.
    pub(crate) sounded: Box<str>,
    /// Of a name: what its romanisations have in common.
    pub(crate) skeletons: Box<[Box<str>]>,
    pub(crate) hangul: bool,
    pub(crate) date: Option<Day>,
}

/// A date as digits, whether there is such a day or not: a slip may have made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) digits: [u8; 8],
    /// Digits that are known: 4, 6 or 8.
    pub(crate) known: usize,
    pub(crate) guessed: bool,
}

impl Day {
    fn parse(text: &str) -> Option<Self> {
        let guessed = text.starts_with('~');
        let mut digits = [0; 8];
        let mut known = 0;
        for letter in text.trim_start_matches('~').chars().filter(|c| !matches!(c, '-' | '.')) {
            let digit = letter.to_digit(10).and_then(|digit| u8::try_from(digit).ok())?;
            *digits.get_mut(known)? = digit;
            known += 1;
        }
        matches!(known, 4 | 6 | 8).then_some(Self { digits, known, guessed })
    }

    pub(crate) fn year(self) -> i32 {
        self.digits[..4].iter().fold(0, |year, digit| year * 10 + i32::from(*digit))
    }

    /// Day and month exchanged.
    pub(crate) fn turned(self) -> [u8; 8] {
        let mut turned = self.digits;
        turned[4..].rotate_left(2);
        turned
    }
}

impl Value {
    /// A value of its text; None if the text says nothing.
    pub fn of(kind: Kind, text: &str) -> Option<Self> {
        let written = match kind {
            Kind::Date => text.trim().to_owned(),
            Kind::Name | Kind::Words | Kind::Code => names::folded(text),
        };
        if written.is_empty() {
            return None;
        }
        let hangul = written.chars().any(names::is_hangul);
        let (mut sounded, mut skeletons) = (String::new(), vec![]);
        let mut same = written.clone();
        if kind == Kind::Name {
            sounded = names::sounded(&written);
            skeletons = names::latin_keys(text);
            same = names::one_skeleton(text);
            if same.is_empty() {
                same.clone_from(&sounded);
            }
        }
        let letters = if kind == Kind::Name { apart(&sounded) } else { apart(&written) };
        Some(Self {
            letters: letters.into(),
            sounded: sounded.into(),
            skeletons: skeletons.into_iter().map(Into::into).collect(),
            date: if kind == Kind::Date { Day::parse(&written) } else { None },
            same: same.into(),
            written: written.into(),
            hangul,
        })
    }
}

/// The letters of syllables, those of leads, vowels and tails told apart.
fn apart(text: &str) -> Vec<char> {
    let mut letters = Vec::with_capacity(text.len());
    for letter in text.chars() {
        let Some(Syllable { lead, vowel, tail }) = Syllable::of(letter) else {
            letters.push(letter);
            continue;
        };
        letters.extend(char::from_u32(0x1100 + u32::from(lead)));
        letters.extend(char::from_u32(0x1161 + u32::from(vowel)));
        if tail > 0 {
            letters.extend(char::from_u32(0x11A7 + u32::from(tail)));
        }
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_as_exactly_as_it_is_written() {
        for (text, known, guessed) in [
            ("19610302", Some(8), false),
            ("1961-03-02", Some(8), false),
            ("1961-03", Some(6), false),
            ("~1961", Some(4), true),
            ("19405603", Some(8), false),
            ("196", None, false),
            ("1961-3-2", Some(6), false),
            ("in spring", None, false),
        ] {
            let day = Day::parse(text);
            assert_eq!(day.map(|day| day.known), known, "{text}");
            assert_eq!(day.is_some_and(|day| day.guessed), guessed, "{text}");
        }
    }

    #[test]
    fn one_name_in_several_letters_is_the_same_by_rule() {
        let same = |name| Value::of(Kind::Name, name).unwrap().same;
        for other in ["이용희", "Ri Yong Hui", "Lee Yong-hee", "Ri Yonghui"] {
            assert_eq!(same("리용희"), same(other), "{other}");
        }
        assert_ne!(same("리용희"), same("리용수"));
    }
}
