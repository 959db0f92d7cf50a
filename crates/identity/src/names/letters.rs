//! The letters of a name: Hangul by its syllables, everything else by its base letters.
//!
//! The arithmetic of syllables is that of the Unicode Standard, section 3.12, 'Conjoining Jamo
//! Behavior'.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

const BASE: u32 = 0xAC00;
const VOWELS: u32 = 21;
const TAILS: u32 = 28;

/// Places of initial consonants in Unicode's order.
pub(crate) mod lead {
    pub(crate) const K: u8 = 0;
    pub(crate) const N: u8 = 2;
    pub(crate) const T: u8 = 3;
    pub(crate) const R: u8 = 5;
    pub(crate) const M: u8 = 6;
    pub(crate) const P: u8 = 7;
    pub(crate) const S: u8 = 9;
    pub(crate) const NONE: u8 = 11;
    pub(crate) const J: u8 = 12;
}

/// A Hangul syllable by the places of its letters: 19 leads, 21 vowels, 28 tails (0 is none).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Syllable {
    pub(crate) lead: u8,
    pub(crate) vowel: u8,
    pub(crate) tail: u8,
}

impl Syllable {
    pub(crate) fn of(letter: char) -> Option<Self> {
        let index = u32::from(letter).checked_sub(BASE)?;
        let place = |n: u32| u8::try_from(n).ok();
        if index >= 19 * VOWELS * TAILS {
            return None;
        }
        Some(Self {
            lead: place(index / (VOWELS * TAILS))?,
            vowel: place(index / TAILS % VOWELS)?,
            tail: place(index % TAILS)?,
        })
    }

    pub(crate) fn letter(self) -> char {
        let (lead, vowel, tail) = (self.lead.into(), u32::from(self.vowel), u32::from(self.tail));
        let lead: u32 = lead;
        char::from_u32(BASE + (lead * VOWELS + vowel) * TAILS + tail).unwrap_or('\u{FFFD}')
    }

    /// Before these vowels the south drops ㄹ and ㄴ at the beginning of a word.
    fn is_soft(self) -> bool {
        // ㅑ ㅒ ㅕ ㅖ ㅛ ㅠ ㅣ
        matches!(self.vowel, 2 | 3 | 6 | 7 | 12 | 17 | 20)
    }

    /// The syllable without the difference of the initial sound: ㄹ and ㄴ before soft vowels
    /// become ㅇ, other ㄹ become ㄴ.
    pub(crate) fn sounded(self) -> Self {
        let lead = match self.lead {
            lead::R | lead::N if self.is_soft() => lead::NONE,
            lead::R => lead::N,
            other => other,
        };
        Self { lead, ..self }
    }
}

/// The single letters of a keyboard (U+3131 …) with the initial consonants that each stands for:
/// an input method joins ㄱㅅ into ㄳ, which in a search by initials is two consonants again.
fn keyboard(letter: char) -> Option<&'static [u8]> {
    Some(match letter {
        'ㄱ' => &[0],
        'ㄲ' => &[1],
        'ㄳ' => &[0, 9],
        'ㄴ' => &[2],
        'ㄵ' => &[2, 12],
        'ㄶ' => &[2, 18],
        'ㄷ' => &[3],
        'ㄸ' => &[4],
        'ㄹ' => &[5],
        'ㄺ' => &[5, 0],
        'ㄻ' => &[5, 6],
        'ㄼ' => &[5, 7],
        'ㄽ' => &[5, 9],
        'ㄾ' => &[5, 16],
        'ㄿ' => &[5, 17],
        'ㅀ' => &[5, 18],
        'ㅁ' => &[6],
        'ㅂ' => &[7],
        'ㅃ' => &[8],
        'ㅄ' => &[7, 9],
        'ㅅ' => &[9],
        'ㅆ' => &[10],
        'ㅇ' => &[11],
        'ㅈ' => &[12],
        'ㅉ' => &[13],
        'ㅊ' => &[14],
        'ㅋ' => &[15],
        'ㅌ' => &[16],
        'ㅍ' => &[17],
        'ㅎ' => &[18],
        _ => return None,
    })
}

/// The initial consonant with this place, as a conjoining letter.
fn conjoining(place: u8) -> Option<char> {
    char::from_u32(0x1100 + u32::from(place))
}

/// The place of a conjoining initial consonant.
pub(crate) fn lead_of(letter: char) -> Option<u8> {
    let place = u32::from(letter).checked_sub(0x1100)?;
    u8::try_from(place).ok().filter(|place| *place < 19)
}

/// Whether a letter is a Hangul syllable or an initial consonant that stands alone.
pub(crate) fn is_hangul(letter: char) -> bool {
    Syllable::of(letter).is_some() || lead_of(letter).is_some()
}

/// A name in the form in which names are compared: Hangul as composed syllables (a consonant alone
/// as a conjoining letter), all else in lower case without accents; no spaces, hyphens, points.
///
/// ```
/// use ondol_identity::names::folded;
/// assert_eq!(folded("\u{1105}\u{1175} 용희"), folded("리용희"));
/// assert_eq!(folded("Ri Yong-hŭi"), folded("riyonghui"));
/// ```
pub fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.nfc() {
        if Syllable::of(letter).is_some() {
            out.push(letter);
        } else if let Some(leads) = keyboard(letter) {
            out.extend(leads.iter().filter_map(|place| conjoining(*place)));
        } else if !letter.is_whitespace() {
            let base = std::iter::once(letter).nfkd().filter(|letter| !is_combining_mark(*letter));
            out.extend(base.flat_map(char::to_lowercase).filter(|letter| !is_separator(*letter)));
        }
    }
    out
}

fn is_separator(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '-' | '.' | ',' | '\'' | '’' | '‘' | 'ʼ' | '·' | '‐')
}

/// A folded name without the differences of the initial sound: 리 and 이, 로 and 노, 녀 and 여 are
/// one. It holds for each syllable, since a given name begins a word too (룡철, 용철) and is often
/// typed without the surname.
pub fn sounded(folded: &str) -> String {
    folded.chars().map(|c| Syllable::of(c).map_or(c, |of| of.sounded().letter())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_syllable_comes_back_from_its_letters() {
        for code in 0xAC00..=0xD7A3 {
            let letter = char::from_u32(code).unwrap();
            assert_eq!(Syllable::of(letter).unwrap().letter(), letter);
            let apart: String = std::iter::once(letter).nfd().collect();
            assert_eq!(folded(&apart), letter.to_string());
        }
        assert_eq!(Syllable::of('\u{D7A4}'), None);
    }

    #[test]
    fn names_with_either_initial_sound_are_one() {
        let sound = |name: &str| sounded(&folded(name));
        for (north, other) in [
            ("리용희", "이용희"),
            ("로철호", "노철호"),
            ("녀희", "여희"),
            ("룡강", "용강"),
            ("림철", "임철"),
            ("김룡철", "김용철"),
            ("최렬", "최열"),
        ] {
            assert_eq!(sound(north), sound(other));
        }
        assert_ne!(sound("김철"), sound("임철"));
        assert_ne!(sound("라선"), sound("아선"));
    }
}
