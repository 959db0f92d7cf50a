//! The order of Korean names as it is taught in the north.
//!
//! Initial consonants: ㄱ ㄴ ㄷ ㄹ ㅁ ㅂ ㅅ ㅈ ㅊ ㅋ ㅌ ㅍ ㅎ ㄲ ㄸ ㅃ ㅆ ㅉ and last the empty ㅇ.
//! Vowels: ㅏ ㅑ ㅓ ㅕ ㅗ ㅛ ㅜ ㅠ ㅡ ㅣ ㅐ ㅒ ㅔ ㅖ ㅚ ㅟ ㅢ ㅘ ㅝ ㅙ ㅞ (조선말규범집).

use super::letters::{Syllable, folded, lead_of};

/// For each initial consonant in Unicode's order its place in the north's.
const LEADS: [u8; 19] = [0, 13, 1, 2, 14, 3, 4, 5, 15, 6, 16, 18, 7, 17, 8, 9, 10, 11, 12];
/// For each vowel in Unicode's order its place in the north's.
const VOWELS: [u8; 21] = [0, 10, 1, 11, 2, 12, 3, 13, 4, 17, 19, 14, 5, 6, 18, 20, 15, 7, 8, 16, 9];
/// For each tail in Unicode's order its place in the north's; none stands first.
const TAILS: [u8; 28] = [
    0, 1, 26, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 27, 19, 20, 21, 22, 23,
    24, 25,
];

/// A key by which names stand in the north's order; other scripts stand before Hangul.
pub fn order(name: &str) -> Vec<u32> {
    // Above all of Unicode, so that Hangul keeps its own order behind other scripts.
    let hangul = 0x20_0000;
    let place = |list: &[u8], at: u8| u32::from(list.get(usize::from(at)).copied().unwrap_or(0));
    folded(name)
        .chars()
        .map(|letter| match (Syllable::of(letter), lead_of(letter)) {
            (Some(of), _) => {
                let lead = place(&LEADS, of.lead);
                hangul + ((lead * 32 + place(&VOWELS, of.vowel)) * 32) + place(&TAILS, of.tail) + 1
            }
            (None, Some(lead)) => hangul + place(&LEADS, lead) * 1024,
            (None, None) => letter.into(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_order_of_the_north() {
        let mut names = ["안철수", "리용희", "김복순", "까치", "박영", "로철호", "Ri Yong Hui"];
        names.sort_by_key(|name| order(name));
        assert_eq!(names, ["Ri Yong Hui", "김복순", "로철호", "리용희", "박영", "까치", "안철수"]);
    }

    #[test]
    fn a_shorter_name_stands_before_its_longer_one() {
        assert!(order("김복") < order("김복순"));
        assert!(order("가") < order("각") && order("각") < order("개"));
        assert!(order("갛") < order("갂") && order("갂") < order("갔"));
    }

    #[test]
    fn every_place_is_taken_once() {
        let all = |list: &[u8]| {
            let mut list = list.to_vec();
            list.sort_unstable();
            list.iter().enumerate().all(|(at, place)| at == usize::from(*place))
        };
        assert!(all(&LEADS) && all(&VOWELS) && all(&TAILS));
    }
}
