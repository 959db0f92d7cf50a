//! Korean names in Latin letters after three systems.
//!
//! - `McCune` and `Reischauer`, 'The Romanization of the Korean Language', Transactions of the Korea
//!   Branch of the Royal Asiatic Society 29 (1939).
//! - Revised: Ministry of Culture and Tourism, notice 2000-8.
//! - The north's: 'Rules of Latin Alphabetic Transcription of Korean Language' (1992), as it was
//!   handed to the tenth UN conference on geographical names (2012); each syllable of a name apart.

use super::letters::{Syllable, folded, lead};

/// A system of romanisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// `McCune`–Reischauer, with breves and apostrophes.
    McCuneReischauer,
    /// Revised Romanization of the south.
    Revised,
    /// The north's.
    North,
}

impl System {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::McCuneReischauer, Self::Revised, Self::North];
}

const VOWELS_BREVE: [&str; 21] = [
    "a", "ae", "ya", "yae", "ŏ", "e", "yŏ", "ye", "o", "wa", "wae", "oe", "yo", "u", "wŏ", "we",
    "wi", "yu", "ŭ", "ŭi", "i",
];
const VOWELS_REVISED: [&str; 21] = [
    "a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo", "we",
    "wi", "yu", "eu", "ui", "i",
];
const VOWELS_NORTH: [&str; 21] = [
    "a", "ae", "ya", "yae", "o", "e", "yo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo", "we",
    "wi", "yu", "u", "ui", "i",
];
const LEADS_BREVE: [&str; 19] = [
    "k", "kk", "n", "t", "tt", "r", "m", "p", "pp", "s", "ss", "", "ch", "tch", "ch'", "k'", "t'",
    "p'", "h",
];
const LEADS_REVISED: [&str; 19] = [
    "g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", "k", "t", "p",
    "h",
];
const LEADS_NORTH: [&str; 19] = [
    "k", "kk", "n", "t", "tt", "r", "m", "p", "pp", "s", "ss", "", "j", "jj", "ch", "kh", "th",
    "ph", "h",
];

/// For each tail the simple tail as which it is spoken before a pause.
const PLAIN_TAILS: [u8; 28] =
    [0, 1, 1, 1, 4, 4, 4, 7, 8, 1, 16, 8, 8, 8, 17, 8, 16, 17, 17, 7, 7, 21, 7, 7, 1, 7, 17, 7];

/// For each tail what stays of it and the lead that it becomes before a vowel.
const CARRIED: [(u8, u8); 28] = [
    (0, 11),
    (0, 0),
    (0, 1),
    (1, 9),
    (0, 2),
    (4, 12),
    (0, 2),
    (0, 3),
    (0, 5),
    (8, 0),
    (8, 6),
    (8, 7),
    (8, 9),
    (8, 16),
    (8, 17),
    (0, 5),
    (0, 6),
    (0, 7),
    (17, 9),
    (0, 9),
    (0, 10),
    (21, 11),
    (0, 12),
    (0, 14),
    (0, 15),
    (0, 16),
    (0, 17),
    (0, 11),
];

/// Surnames of two syllables.
const LONG_SURNAMES: [&str; 10] =
    ["남궁", "황보", "제갈", "선우", "독고", "사공", "서문", "동방", "어금", "망절"];

/// Surname and given name of a name that is all Hangul.
pub(crate) fn split(name: &str) -> Option<(Vec<Syllable>, Vec<Syllable>)> {
    let all = |text: &str| folded(text).chars().map(Syllable::of).collect::<Option<Vec<_>>>();
    let whole = all(name).filter(|all| !all.is_empty())?;
    let mut words = name.split_whitespace();
    let surname = match (words.next(), words.next()) {
        (Some(first), Some(_)) => all(first)?.len(),
        _ => {
            let starts = LONG_SURNAMES.iter().any(|long| folded(name).starts_with(long));
            if starts && whole.len() > 2 { 2 } else { 1 }
        }
    };
    let (surname, given) = whole.split_at_checked(surname)?;
    Some((surname.to_vec(), given.to_vec()))
}

/// Syllables as they are spoken together: tails carried over, nasals and ㄹ made alike.
pub(crate) fn speak(written: &[Syllable]) -> Vec<Syllable> {
    let mut all = written.to_vec();
    for at in 0..all.len() {
        let Some([a, b]) = all.get_mut(at..at + 2) else { break };
        meet(a, b);
    }
    if let Some(last) = all.last_mut() {
        last.tail = plain(last.tail);
    }
    all
}

fn plain(tail: u8) -> u8 {
    PLAIN_TAILS.get(usize::from(tail)).copied().unwrap_or(0)
}

/// What two syllables do to each other where they meet.
fn meet(a: &mut Syllable, b: &mut Syllable) {
    const I: u8 = 20;
    if b.lead == lead::NONE {
        let (stays, carried) = CARRIED.get(usize::from(a.tail)).copied().unwrap_or((0, lead::NONE));
        // ㄷ and ㅌ before ㅣ become ㅈ and ㅊ.
        (a.tail, b.lead) = match (a.tail, b.vowel) {
            (7, I) => (0, lead::J),
            (25, I) => (0, 14),
            _ => (stays, carried),
        };
        return;
    }
    let tail = plain(a.tail);
    (a.tail, b.lead) = match (tail, b.lead) {
        (1, lead::N | lead::M) => (21, b.lead),
        (7, lead::N | lead::M) => (4, b.lead),
        (17, lead::N | lead::M) => (16, b.lead),
        (8, lead::N) | (4, lead::R) => (8, lead::R),
        (16 | 21, lead::R) => (tail, lead::N),
        (1, lead::R) => (21, lead::N),
        (7, lead::R) => (4, lead::N),
        (17, lead::R) => (16, lead::N),
        (tail, lead) => (tail, lead),
    };
}

/// Each syllable of one word in Latin letters.
pub(crate) fn write(system: System, word: &[Syllable]) -> Vec<String> {
    let mut before: Option<u8> = None;
    let mut written = Vec::with_capacity(word.len());
    for of in word {
        let at = usize::from;
        let (leads, vowels) = match system {
            System::McCuneReischauer => (&LEADS_BREVE, &VOWELS_BREVE),
            System::Revised => (&LEADS_REVISED, &VOWELS_REVISED),
            System::North => (&LEADS_NORTH, &VOWELS_NORTH),
        };
        // After a vowel, ㄴ, ㄹ, ㅁ or ㅇ.
        let voiced = before.is_some_and(|tail| matches!(tail, 0 | 4 | 8 | 16 | 21));
        let first = match (of.lead, system) {
            (lead::R, _) if before == Some(8) => "l",
            (lead::K, System::McCuneReischauer | System::North) if voiced => "g",
            (lead::T, System::McCuneReischauer | System::North) if voiced => "d",
            (lead::P, System::McCuneReischauer | System::North) if voiced => "b",
            (lead::J, System::McCuneReischauer) if voiced => "j",
            // 쉬: the one ㅅ that the system writes otherwise.
            (lead::S, System::McCuneReischauer) if of.vowel == 16 => "sh",
            (other, _) => leads.get(at(other)).copied().unwrap_or(""),
        };
        let tail = plain(of.tail);
        let last = match tail {
            1 => "k",
            4 => "n",
            7 => "t",
            8 => "l",
            16 => "m",
            17 => "p",
            21 => "ng",
            _ => "",
        };
        let vowel = vowels.get(at(of.vowel)).copied().unwrap_or("");
        written.push([first, vowel, last].concat());
        before = Some(tail);
    }
    written
}

/// A Hangul name in Latin letters as the system writes names: `Ri Yong-hŭi`, `Ri Yonghui`,
/// `Ri Yong Hui`. None if not all of it is Hangul.
///
/// ```
/// use ondol_identity::names::{System, romanise};
/// assert_eq!(romanise("김정은", System::North).as_deref(), Some("Kim Jong Un"));
/// assert_eq!(romanise("조명록", System::McCuneReischauer).as_deref(), Some("Cho Myŏng-nok"));
/// ```
pub fn romanise(name: &str, system: System) -> Option<String> {
    let (surname, given) = split(name)?;
    let surname = capital(&write(system, &surname).concat());
    let given = match system {
        System::McCuneReischauer => capital(&write(system, &speak(&given)).join("-")),
        System::Revised => capital(&write(system, &given).concat()),
        System::North => {
            let all: Vec<String> = write(system, &given).iter().map(|one| capital(one)).collect();
            all.join(" ")
        }
    };
    Some([surname, given].join(" ").trim_end().to_owned())
}

/// Hangul in small Latin letters by the Revised system, without changes of sound where syllables
/// meet. None if not all of it is Hangul.
pub fn letter_by_letter(text: &str) -> Option<String> {
    let all: Vec<Syllable> = folded(text).chars().map(Syllable::of).collect::<Option<_>>()?;
    let apart = all.iter().map(|one| write(System::Revised, &[*one]).concat());
    Some(apart.collect::<Vec<_>>().concat())
}

/// Hangul in small Latin letters by the Revised system, as it is spoken. None if not all of it is
/// Hangul.
pub fn spoken(text: &str) -> Option<String> {
    let all: Vec<Syllable> = folded(text).chars().map(Syllable::of).collect::<Option<_>>()?;
    Some(write(System::Revised, &speak(&all)).concat())
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of well known people as the north's and foreign papers write them.
    #[test]
    fn known_names_are_written_as_papers_write_them() {
        for (name, breve, revised, north) in [
            ("김일성", "Kim Il-sŏng", "Gim Ilseong", "Kim Il Song"),
            ("박봉주", "Pak Pong-ju", "Bak Bongju", "Pak Pong Ju"),
            ("최태복", "Ch'oe T'ae-bok", "Choe Taebok", "Choe Thae Bok"),
            ("장성택", "Chang Sŏng-t'aek", "Jang Seongtaek", "Jang Song Thaek"),
            ("김영대", "Kim Yŏng-dae", "Gim Yeongdae", "Kim Yong Dae"),
            ("리설주", "Ri Sŏl-ju", "Ri Seolju", "Ri Sol Ju"),
            ("남궁옥", "Namgung Ok", "Namgung Ok", "Namgung Ok"),
        ] {
            let of = |system| romanise(name, system).unwrap();
            assert_eq!(of(System::McCuneReischauer), breve, "{name}");
            assert_eq!(of(System::Revised), revised, "{name}");
            assert_eq!(of(System::North), north, "{name}");
        }
        assert_eq!(romanise("Kim", System::North), None);
    }

    #[test]
    fn sounds_change_where_syllables_meet() {
        for (text, said) in [
            ("박명수", "bangmyeongsu"),
            ("한복남", "hanbongnam"),
            ("철룡", "cheollyong"),
            ("신라", "silla"),
            ("조명록", "jomyeongnok"),
            ("독립", "dongnip"),
            ("국어", "gugeo"),
            ("같이", "gachi"),
            ("정은", "jeongeun"),
        ] {
            assert_eq!(spoken(text).as_deref(), Some(said), "{text}");
        }
        assert_eq!(letter_by_letter("박명수").as_deref(), Some("bakmyeongsu"));
    }
}
