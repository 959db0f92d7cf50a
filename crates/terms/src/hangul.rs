//! Folding text for searches: Korean by its letters, Latin by lower case.
//!
//! A precomposed syllable (U+AC00 to U+D7A3) and the same syllable written as conjoining letters
//! (U+1100 to U+11FF) fold to one form, so NFC and NFD text find each other, and a syllable that
//! is still being typed ('페겨') already finds the whole ('페결핵'). The arithmetic is that of
//! the Unicode Standard, section 3.12, 'Conjoining Jamo Behavior'.

const SYLLABLE_BASE: u32 = 0xAC00;
const SYLLABLE_LAST: u32 = 0xD7A3;
const LEAD_BASE: u32 = 0x1100;
const VOWEL_BASE: u32 = 0x1161;
const TAIL_BASE: u32 = 0x11A7;
const VOWELS: u32 = 21;
const TAILS: u32 = 28;

/// The single letters of a keyboard (U+3131 ...), each with the initial consonants it stands for.
/// An input method joins ㄱㅅ into ㄳ; in a search by initials that is two consonants again.
const KEYS: &[(char, &[u32])] = &[
    ('ㄱ', &[0]),
    ('ㄲ', &[1]),
    ('ㄳ', &[0, 9]),
    ('ㄴ', &[2]),
    ('ㄵ', &[2, 12]),
    ('ㄶ', &[2, 18]),
    ('ㄷ', &[3]),
    ('ㄸ', &[4]),
    ('ㄹ', &[5]),
    ('ㄺ', &[5, 0]),
    ('ㄻ', &[5, 6]),
    ('ㄼ', &[5, 7]),
    ('ㄽ', &[5, 9]),
    ('ㄾ', &[5, 16]),
    ('ㄿ', &[5, 17]),
    ('ㅀ', &[5, 18]),
    ('ㅁ', &[6]),
    ('ㅂ', &[7]),
    ('ㅃ', &[8]),
    ('ㅄ', &[7, 9]),
    ('ㅅ', &[9]),
    ('ㅆ', &[10]),
    ('ㅇ', &[11]),
    ('ㅈ', &[12]),
    ('ㅉ', &[13]),
    ('ㅊ', &[14]),
    ('ㅋ', &[15]),
    ('ㅌ', &[16]),
    ('ㅍ', &[17]),
    ('ㅎ', &[18]),
];

/// Text in the form in which this crate compares it: lower case, Hangul as conjoining letters,
/// without spaces, hyphens, full stops and combining accents.
///
/// ```
/// use ondol_terms::hangul::fold;
/// assert_eq!(fold("배 아픔"), fold("배아픔"));
/// assert_eq!(fold("A09.9"), fold("a099"));
/// ```
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() * 3);
    for letter in text.chars() {
        push_folded(&mut folded, letter);
    }
    folded
}

/// The initial consonants of the Hangul syllables of a text, as conjoining letters; other
/// letters and digits stay, lower-cased. '기침' gives ㄱㅊ.
pub fn initials(text: &str) -> String {
    fold(text).chars().filter(|letter| !is_vowel(*letter) && !is_tail(*letter)).collect()
}

/// Whether a text asks for a search by initial consonants: it has at least one, and no vowel.
pub fn is_initials(text: &str) -> bool {
    let folded = fold(text);
    folded.chars().any(is_lead) && !folded.chars().any(|c| is_vowel(c) || is_tail(c))
}

fn push_folded(out: &mut String, letter: char) {
    let code = u32::from(letter);
    match code {
        SYLLABLE_BASE..=SYLLABLE_LAST => push_syllable(out, code - SYLLABLE_BASE),
        // The keyboard's vowels, U+314F to U+3163, stand in the order of the conjoining vowels.
        0x314F..=0x3163 => out.extend(char::from_u32(code - 0x314F + VOWEL_BASE)),
        0x0300..=0x036F => {}
        _ if letter.is_whitespace() || matches!(letter, '-' | '.') => {}
        _ => match KEYS.iter().find(|(key, _)| *key == letter) {
            Some((_, leads)) => {
                out.extend(leads.iter().filter_map(|lead| char::from_u32(LEAD_BASE + lead)));
            }
            None => out.extend(letter.to_lowercase()),
        },
    }
}

fn push_syllable(out: &mut String, index: u32) {
    out.extend(char::from_u32(LEAD_BASE + index / (VOWELS * TAILS)));
    out.extend(char::from_u32(VOWEL_BASE + index % (VOWELS * TAILS) / TAILS));
    if !index.is_multiple_of(TAILS) {
        out.extend(char::from_u32(TAIL_BASE + index % TAILS));
    }
}

fn is_lead(letter: char) -> bool {
    ('\u{1100}'..='\u{1112}').contains(&letter)
}

fn is_vowel(letter: char) -> bool {
    ('\u{1161}'..='\u{1175}').contains(&letter)
}

fn is_tail(letter: char) -> bool {
    ('\u{11A8}'..='\u{11C2}').contains(&letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_and_decomposed_hangul_fold_alike() {
        assert_eq!(fold("페결핵"), fold("페\u{1100}\u{1167}\u{11AF}\u{1112}\u{1162}\u{11A8}"));
        assert_eq!(fold("각"), "\u{1100}\u{1161}\u{11A8}");
        assert_eq!(fold("힣"), "\u{1112}\u{1175}\u{11C2}");
        assert_eq!(fold("가"), "\u{1100}\u{1161}");
    }

    #[test]
    fn initials_of_words_and_of_single_keys_are_the_same_letters() {
        assert_eq!(initials("기침"), fold("ㄱㅊ"));
        assert_eq!(initials("림질"), fold("ㄹㅈ"));
        assert_eq!(fold("ㄳ"), fold("ㄱㅅ"));
        assert_eq!(fold("ㅘ"), "\u{116A}");
    }

    #[test]
    fn only_consonants_alone_ask_for_a_search_by_initials() {
        assert!(is_initials("ㄱㅊ"));
        assert!(is_initials("B ㅎ ㄱㅇ"));
        assert!(!is_initials("기ㅊ"));
        assert!(!is_initials("cough"));
        assert!(!is_initials(""));
    }

    #[test]
    fn spaces_case_points_and_accents_do_not_matter() {
        assert_eq!(fold(" Type  2 diabetes"), "type2diabetes");
        assert_eq!(fold("J18.9"), "j189");
        assert_eq!(fold("cafe\u{301}"), "cafe");
    }
}
