//! One form of a name for all ways of writing it, for comparisons in which nothing but 'the same'
//! can be asked (ADR 0027).
//!
//! It is coarser than a skeleton: what two systems of romanisation write differently where
//! syllables meet (bok-nam, pongnam), and what depends on where a word was cut (Ri Ryong Hui, Ri
//! Ryonghui), is one. So it is shared by more names, and never enough by itself.

use super::{
    latin::{bones, words},
    roman::{System, split, write},
};

/// The forms of a name: one of a name in Hangul, and of one in Latin letters a second with the
/// last word first, since the surname may stand last. None if next to nothing was typed.
///
/// ```
/// use ondol_identity::names::exact_forms;
/// assert_eq!(exact_forms("리용희"), exact_forms("이 룡희"));
/// assert!(exact_forms("Lee Yong-hee").contains(&exact_forms("리용희")[0]));
/// ```
pub fn exact_forms(name: &str) -> Vec<String> {
    let skeletons: Vec<String> = match split(name) {
        Some((surname, given)) => {
            let syllables = surname.iter().chain(&given);
            let apart = syllables.map(|one| bones(&write(System::North, &[*one]).concat()));
            vec![apart.collect()]
        }
        None => of_words(&words(name)),
    };
    let whole = skeletons.iter().filter(|one| one.chars().count() >= LETTERS_MIN);
    let mut forms: Vec<String> = whole.map(|one| plain(one)).collect();
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// A single letter names nobody.
const LETTERS_MIN: usize = 2;

fn of_words(words: &[String]) -> Vec<String> {
    let joined = |words: &[String]| words.iter().map(|word| bones(word)).collect::<String>();
    let mut skeletons = vec![joined(words)];
    if let [others @ .., last] = words
        && !others.is_empty()
    {
        skeletons.push(joined(&[std::slice::from_ref(last), others].concat()));
    }
    skeletons
}

/// What of a skeleton does not depend on where syllables were cut.
fn plain(skeleton: &str) -> String {
    // ㅎ between sounds is lost in speech, and after k, t, p it is written in their place.
    let mut letters = skeleton.chars();
    let first = letters.next();
    let bare: Vec<char> = first.into_iter().chain(letters.filter(|&one| one != 'h')).collect();
    // The initial sound within a name: ㄹ and ㄴ before soft vowels are lost, other ㄹ are ㄴ.
    let mut sounded: Vec<char> = vec![];
    for (at, &letter) in bare.iter().enumerate() {
        let next = bare.get(at + 1);
        match letter {
            'l' | 'n' if matches!(next, Some('y' | 'i')) => {}
            'l' => sounded.push('n'),
            other => sounded.push(other),
        }
    }
    // Stops before nasals are nasals: k is ng (`nk` here), t is n, p is m.
    let mut met: Vec<char> = vec![];
    for (at, &letter) in sounded.iter().enumerate() {
        let nasal = matches!(sounded.get(at + 1), Some('n' | 'm'));
        match letter {
            'k' if nasal && met.last() != Some(&'n') => met.extend(['n', 'k']),
            't' if nasal => met.push('n'),
            'p' if nasal => met.push('m'),
            other => met.push(other),
        }
    }
    let mut out = String::with_capacity(met.len());
    for (at, &letter) in met.iter().enumerate() {
        let is_lost = letter == 'y' && met.get(at + 1) == Some(&'i');
        if !is_lost && !out.ends_with(letter) {
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{romanise, sounded};

    fn one(name: &str) -> String {
        let forms = exact_forms(name);
        assert_eq!(forms.len(), 1, "{name}");
        forms.into_iter().next().unwrap()
    }

    #[test]
    fn the_same_name_has_the_same_form_however_it_is_typed() {
        for (name, others) in [
            (
                "리용희",
                &[
                    "이용희",
                    "리룡희",
                    "리 용희",
                    "\u{1105}\u{1175}용희",
                    "Ri Yong-hŭi",
                    "RI YONGHUI",
                    "Lee Yong Hee",
                    "Yong Hee Lee",
                    "ri  yong  hui",
                ][..],
            ),
            ("박명록", &["Pak Myŏng-nok", "Pak Myong Rok", "Bak Myeongrok", "Park Myong-nok"]),
            ("한복남", &["Han Pong-nam", "Han Pok Nam", "Han Boknam"]),
            ("김철룡", &["김철용", "Kim Chol Ryong", "Kim Ch'ŏl-lyong", "Kim Cheolryong"]),
            ("로철호", &["노철호", "Ro Chol Ho", "Noh Chol-ho"]),
            ("최태복", &["Ch'oe T'ae-bok", "Choe Thae Bok", "Choi Tae Bok"]),
            ("남궁옥", &["Namgung Ok"]),
            ("백희순", &["Paek Hui Sun", "Baek Huisun"]),
        ] {
            for other in others {
                assert!(exact_forms(other).contains(&one(name)), "{name}: {other}");
            }
        }
        assert_ne!(one("리용희"), one("리철수"));
        assert_ne!(one("김금옥"), one("김은희"));
    }

    #[test]
    fn initials_and_nothing_have_no_form() {
        for name in ["", " ", "K", "-", "오"] {
            assert!(exact_forms(name).is_empty(), "{name}");
        }
    }

    /// Surnames and syllables of given names that are frequent in the north.
    const SURNAMES: [&str; 20] = [
        "김", "리", "박", "최", "정", "강", "조", "윤", "장", "림", "한", "오", "서", "신", "권",
        "황", "안", "송", "류", "로",
    ];
    const SYLLABLES: [&str; 40] = [
        "영", "철", "희", "순", "옥", "명", "금", "성", "은", "경", "정", "남", "광", "혁", "일",
        "국", "수", "룡", "진", "태", "학", "원", "현", "련", "화", "춘", "미", "향", "설", "별",
        "복", "실", "해", "연", "유", "심", "봉", "숙", "분", "녀",
    ];

    /// What a system writes apart always has the form of the Hangul. Joined words leave open where a
    /// syllable ends (보은: Boeun), and what is spoken may be another sound (복룡: Pongnyong).
    #[test]
    fn names_in_latin_letters_have_the_form_of_the_hangul_but_for_a_few() {
        let (mut all, mut other) = (0_u32, [0_u32; 3]);
        for surname in SURNAMES {
            for first in SYLLABLES {
                for second in SYLLABLES {
                    let name = format!("{surname}{first}{second}");
                    let form = one(&name);
                    assert_eq!(form, one(&sounded(&name)), "{name}");
                    all += 1;
                    for (system, count) in System::ALL.into_iter().zip(&mut other) {
                        let latin = romanise(&name, system).unwrap();
                        *count += u32::from(!exact_forms(&latin).contains(&form));
                    }
                }
            }
        }
        println!("of {all} names other forms: {other:?}");
        assert_eq!(other[2], 0, "the north's system writes syllables apart");
        assert!(other[..2].iter().all(|count| count * 100 < all * 5), "{other:?} of {all}");
    }

    #[test]
    fn a_form_stays_as_it_is_since_digests_are_made_of_it() {
        for (name, form) in [
            ("리용희", "iyonki"),
            ("박명록", "pankmyonknok"),
            ("김철룡", "kimjoyonk"),
            ("황보순", "hwankposun"),
            ("Hwangbo Sun", "hwankposun"),
        ] {
            let forms = exact_forms(name);
            assert!(forms.iter().any(|one| one == form), "{name} {forms:?}");
        }
    }
}
