//! What all romanisations of a name have in common.
//!
//! k and g, t and d, p and b, ch and j are one, aspirates and doubled consonants are plain, and so
//! are ŏ, eo and o, ŭ, eu and u. Many names share such a skeleton: it finds people, and what is
//! closer stands before it.

use super::{
    letters::{Syllable, folded, is_hangul},
    roman::{System, speak, split, write},
};

/// Spellings of surnames that follow no system.
const SPELLINGS: [(&str, &str); 9] = [
    ("park", "pak"),
    ("suh", "so"),
    ("huh", "ho"),
    ("hur", "ho"),
    ("jung", "jong"),
    ("chung", "jong"),
    ("sung", "song"),
    ("byun", "pyon"),
    ("hyun", "hyon"),
];

/// Letters that stand for one, the longer first. `A` and `O` are ㅐ and ㅚ, which are no sums of
/// their letters.
const UNITS: [(&str, &str); 20] = [
    ("eui", "i"),
    ("woo", "u"),
    ("tch", "j"),
    ("eo", "o"),
    ("eu", "u"),
    ("ae", "A"),
    ("ai", "A"),
    ("oe", "O"),
    ("oi", "O"),
    ("oo", "u"),
    ("ee", "i"),
    ("ou", "o"),
    ("ui", "i"),
    ("wu", "u"),
    ("kh", "k"),
    ("th", "t"),
    ("ph", "p"),
    ("ch", "j"),
    ("sh", "s"),
    ("rh", "l"),
];

/// The skeleton of a name in Latin letters; each word by itself. Empty if there is none.
///
/// ```
/// use ondol_identity::names::skeleton;
/// assert_eq!(skeleton("Lee Yong-hee"), skeleton("Ri Yong Hui"));
/// assert_eq!(skeleton("Ch'oe T'ae-bok"), skeleton("Choe Tae Bok"));
/// ```
pub fn skeleton(name: &str) -> String {
    words(name).iter().map(|word| bones(word)).collect()
}

pub(super) fn words(name: &str) -> Vec<String> {
    let between = |c: char| c.is_whitespace() || matches!(c, '-' | '.' | ',' | '·' | '‐');
    name.split(between).map(folded).filter(|word| !word.is_empty()).collect()
}

/// All skeletons of a name, whatever letters it is written in.
pub(crate) fn keys(name: &str) -> Vec<String> {
    let hangul = folded(name).chars().any(is_hangul);
    let mut keys = if hangul { of_hangul(name) } else { of_latin(name) };
    keys.retain(|key| !key.is_empty());
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// A name in Latin letters as it stands, and with its last word first: Europeans put the surname
/// last.
fn of_latin(name: &str) -> Vec<String> {
    let all = words(name);
    let mut keys = vec![skeleton(name)];
    if let [others @ .., last] = &all[..]
        && !others.is_empty()
    {
        let turned = [std::slice::from_ref(last), others].concat();
        keys.push(turned.iter().map(|word| bones(word)).collect());
    }
    keys
}

/// The one skeleton by which a name is counted, whatever letters it is written in: of Hangul the
/// north's, syllable by syllable.
pub(crate) fn one_skeleton(name: &str) -> String {
    match split(name) {
        Some((surname, given)) => {
            let first = write(System::North, &surname).concat();
            let given = write(System::North, &given);
            std::iter::once(&first).chain(&given).map(|part| bones(part)).collect()
        }
        None => skeleton(name),
    }
}

/// The skeletons of a Hangul name: letter by letter and as it is spoken, with its syllables apart,
/// with the given name in one, and all in one. What `McCune`–Reischauer writes has the skeleton of
/// what the north's system writes.
fn of_hangul(name: &str) -> Vec<String> {
    let mut keys = vec![];
    let Some((surname, given)) = split(name) else { return keys };
    let whole = [&surname[..], &given].concat();
    for system in [System::Revised, System::North] {
        for spoken in [false, true] {
            let said = |word: &[Syllable]| if spoken { speak(word) } else { word.to_vec() };
            let first = bones(&write(system, &surname).concat());
            let parts = write(system, &said(&given));
            let apart: String = parts.iter().map(|part| bones(part)).collect();
            keys.push([first.as_str(), &apart].concat());
            keys.push([first, bones(&parts.concat())].concat());
            keys.push(bones(&write(system, &said(&whole)).concat()));
        }
    }
    keys
}

/// The skeleton of one word.
pub(super) fn bones(word: &str) -> String {
    let word = folded(word);
    let known = SPELLINGS.iter().find(|(spelling, _)| *spelling == word);
    let mut rest = known.map_or(word.as_str(), |(_, other)| other);
    let mut out = String::with_capacity(rest.len());
    while let Some(letter) = rest.chars().next() {
        if let Some((unit, one)) = UNITS.iter().find(|(unit, _)| rest.starts_with(unit)) {
            push(&mut out, one);
            rest = &rest[unit.len()..];
            continue;
        }
        rest = &rest[letter.len_utf8()..];
        let mut own = [0; 4];
        let one = match letter {
            'g' | 'q' | 'c' => "k",
            'd' => "t",
            'b' | 'f' | 'v' => "p",
            'z' => "j",
            'x' => "s",
            'r' => "l",
            // Mute unless a vowel follows: Oh, Ahn.
            'h' if !rest.starts_with(['a', 'e', 'i', 'o', 'u', 'y', 'w']) => continue,
            other => other.encode_utf8(&mut own),
        };
        push(&mut out, one);
    }
    soften(&out)
}

/// Adds letters; what is doubled counts once.
fn push(out: &mut String, letters: &str) {
    if !out.ends_with(letters) {
        out.push_str(letters);
    }
}

/// The initial sound: l and n are lost before i and y, another l is n.
fn soften(word: &str) -> String {
    let rest = word.strip_prefix(['l', 'n']).filter(|rest| rest.starts_with(['i', 'y']));
    let word = rest.unwrap_or(word);
    match (word.strip_prefix("yi"), word.strip_prefix('l')) {
        (Some(rest), _) => ["i", rest].concat(),
        (None, Some(rest)) => ["n", rest].concat(),
        (None, None) => word.to_owned(),
    }
}

/// Whether a name was typed exactly as one of the systems writes it, spaces and hyphens aside.
pub(crate) fn is_written_so(typed: &str, hangul: &str) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect()
    };
    let typed = plain(typed);
    System::ALL
        .iter()
        .any(|system| super::romanise(hangul, *system).is_some_and(|own| plain(&own) == typed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::romanise;

    /// By construction; here for each of the names that the clinics of the tests are full of.
    #[test]
    fn every_romanisation_has_a_skeleton_of_the_hangul() {
        for name in ["리용희", "김정일", "최철룡", "박명록", "한복남", "조혁", "남궁옥순", "해옥"]
        {
            let keys = keys(name);
            for system in System::ALL {
                let latin = romanise(name, system).unwrap();
                for typed in [latin.clone(), latin.to_uppercase(), latin.replace(['-', '\''], "")] {
                    assert!(keys.contains(&skeleton(&typed)), "{name} {typed}");
                }
                assert!(is_written_so(&latin, name));
            }
        }
    }

    #[test]
    fn spellings_of_everyday_are_found_too() {
        for (name, typed) in [
            ("리용희", "Lee Yong-hee"),
            ("리용희", "I Yonghui"),
            ("박철", "Park Chol"),
            ("최영", "Choi Young"),
            ("우상호", "Woo Sang Ho"),
            ("오철", "Oh Chol"),
            ("로철호", "Noh Chol Ho"),
        ] {
            assert!(keys(name).contains(&skeleton(typed)), "{name} {typed}");
        }
        assert!(!keys("김철").contains(&skeleton("Kim Chal")));
    }

    #[test]
    fn the_surname_may_stand_last() {
        assert!(keys("Yong Hui Ri").contains(&skeleton("Ri Yong Hui")));
    }
}
