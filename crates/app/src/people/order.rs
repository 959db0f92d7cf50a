//! The order of Korean names as it is taught in the north, and names that sound alike.
//!
//! Initial consonants: ㄱ ㄴ ㄷ ㄹ ㅁ ㅂ ㅅ ㅈ ㅊ ㅋ ㅌ ㅍ ㅎ ㄲ ㄸ ㅃ ㅆ ㅉ and last the empty ㅇ.
//! Vowels: ㅏ ㅑ ㅓ ㅕ ㅗ ㅛ ㅜ ㅠ ㅡ ㅣ ㅐ ㅒ ㅔ ㅖ ㅚ ㅟ ㅢ ㅘ ㅝ ㅙ ㅞ (조선말규범집).

use ondol_terms::hangul::fold;

const LEADS: [char; 19] = [
    'ᄀ', 'ᄂ', 'ᄃ', 'ᄅ', 'ᄆ', 'ᄇ', 'ᄉ', 'ᄌ', 'ᄎ', 'ᄏ', 'ᄐ', 'ᄑ', 'ᄒ', 'ᄁ', 'ᄄ', 'ᄈ',
    'ᄊ', 'ᄍ', 'ᄋ',
];
const VOWELS: [char; 21] =
    ['ᅡ', 'ᅣ', 'ᅥ', 'ᅧ', 'ᅩ', 'ᅭ', 'ᅮ', 'ᅲ', 'ᅳ', 'ᅵ', 'ᅢ', 'ᅤ', 'ᅦ', 'ᅨ', 'ᅬ', 'ᅱ', 'ᅴ', 'ᅪ', 'ᅯ', 'ᅫ', 'ᅰ'];
const TAILS: [char; 27] = [
    'ᆨ', 'ᆪ', 'ᆫ', 'ᆬ', 'ᆭ', 'ᆮ', 'ᆯ', 'ᆰ', 'ᆱ', 'ᆲ', 'ᆳ', 'ᆴ', 'ᆵ', 'ᆶ', 'ᆷ', 'ᆸ', 'ᆹ', 'ᆺ', 'ᆼ', 'ᆽ', 'ᆾ', 'ᆿ', 'ᇀ', 'ᇁ',
    'ᇂ', 'ᆩ', 'ᆻ',
];

/// A key by which names stand in the north's order; other scripts stand before Hangul.
pub fn key(name: &str) -> Vec<u32> {
    let place = |list: &[char], letter: char, base: u32| {
        let at = list.iter().position(|c| *c == letter)?;
        u32::try_from(at).ok().map(|at| base + at)
    };
    // Above all of Unicode, so that Hangul keeps its own order behind other scripts.
    let hangul = 0x20_0000;
    fold(name)
        .chars()
        .map(|letter| {
            place(&TAILS, letter, hangul)
                .or_else(|| place(&VOWELS, letter, hangul + 100))
                .or_else(|| place(&LEADS, letter, hangul + 200))
                .unwrap_or(u32::from(letter))
        })
        .collect()
}

/// A name without the differences of the initial sound: 리 and 이, 로 and 노, 녀 and 여 are one.
/// The north writes the sound, the south and many ears do not.
pub fn sound(name: &str) -> String {
    let folded = fold(name);
    let mut letters: Vec<char> = folded.chars().collect();
    if let [lead, vowel, ..] = letters[..] {
        let soft = matches!(vowel, 'ᅣ' | 'ᅤ' | 'ᅧ' | 'ᅨ' | 'ᅭ' | 'ᅲ' | 'ᅵ');
        letters[0] = match (lead, soft) {
            ('ᄅ' | 'ᄂ', true) => 'ᄋ',
            ('ᄅ', false) => 'ᄂ',
            (other, _) => other,
        };
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_order_of_the_north() {
        let mut names = ["안철수", "리용희", "김복순", "까치", "박영", "로철호", "Ri Yong Hui"];
        names.sort_by_key(|name| key(name));
        assert_eq!(names, ["Ri Yong Hui", "김복순", "로철호", "리용희", "박영", "까치", "안철수"]);
    }

    #[test]
    fn a_shorter_name_stands_before_its_longer_one() {
        assert!(key("김복") < key("김복순"));
        assert!(key("가") < key("각") && key("각") < key("개"));
    }

    #[test]
    fn names_with_either_initial_sound_are_one() {
        for (north, other) in [("리용희", "이용희"), ("로철호", "노철호"), ("녀희", "여희")]
        {
            assert_eq!(sound(north), sound(other));
        }
        assert_ne!(sound("김철"), sound("임철"));
        assert_eq!(sound("림철"), sound("임철"));
    }
}
