//! Whether a name fits what somebody typed, and how well.

use super::{
    latin,
    letters::{Syllable, folded, is_hangul, lead, lead_of, sounded},
};

/// How a name fits what was typed; the smaller the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameFit {
    /// The whole name as it is written.
    Written,
    /// The whole name with the other initial sound.
    Sound,
    /// The whole name just as one of the three systems writes it in Latin letters.
    Roman,
    /// The whole name in other letters, by what all systems have in common.
    Skeleton,
    /// The name begins so, the last syllable perhaps not finished.
    Start,
    /// All initial consonants, perhaps with whole syllables between.
    Initials,
    /// The name begins so, with the other initial sound.
    SoundStart,
    /// The initial consonants begin so.
    InitialsStart,
    /// Initial consonants with the other initial sound.
    InitialsSound,
    /// The name begins so in other letters.
    SkeletonStart,
    /// Somewhere in the name.
    Inside,
    /// Somewhere in the name, with the other initial sound.
    SoundInside,
}

/// The forms of a name in which it is looked for.
#[derive(Clone, PartialEq, Eq)]
pub struct NameKeys {
    written: Box<[char]>,
    sounded: Box<[char]>,
    skeletons: Box<[Box<str>]>,
    hangul: bool,
}

impl NameKeys {
    /// The keys of a name as it stands in the record.
    pub fn of(name: &str) -> Self {
        let written = folded(name);
        Self {
            sounded: sounded(&written).chars().collect(),
            skeletons: latin::keys(name).into_iter().map(Into::into).collect(),
            hangul: written.chars().any(is_hangul),
            written: written.chars().collect(),
        }
    }
}

/// A name as somebody typed it, whole or in part.
#[derive(Clone)]
pub struct NameQuestion {
    typed: String,
    written: Vec<char>,
    sounded: Vec<char>,
    /// Consonants stand alone in it.
    by_initials: bool,
    skeletons: Vec<String>,
    hangul: bool,
}

impl NameQuestion {
    /// What was typed; None if nothing of it can be looked for.
    pub fn of(typed: &str) -> Option<Self> {
        let written = folded(typed);
        if written.is_empty() {
            return None;
        }
        Some(Self {
            typed: typed.to_owned(),
            by_initials: written.chars().any(|c| lead_of(c).is_some()),
            skeletons: latin::keys(typed),
            hangul: written.chars().any(is_hangul),
            sounded: sounded(&written).chars().collect(),
            written: written.chars().collect(),
        })
    }

    /// How a name fits; None if it does not.
    pub fn fit(&self, name: &NameKeys) -> Option<NameFit> {
        let best = [self.as_written(name), self.in_other_letters(name)];
        best.into_iter().flatten().min()
    }

    fn as_written(&self, name: &NameKeys) -> Option<NameFit> {
        let whole = self.written.len() == name.written.len();
        let starts = |asked: &[char], of: &[char]| starts(asked, of);
        if self.by_initials {
            return match (starts(&self.written, &name.written), whole) {
                (true, true) => Some(NameFit::Initials),
                (true, false) => Some(NameFit::InitialsStart),
                (false, _) => self.sounds_by_initials(name).then_some(NameFit::InitialsSound),
            };
        }
        Some(match () {
            () if *self.written == *name.written => NameFit::Written,
            () if *self.sounded == *name.sounded => NameFit::Sound,
            () if starts(&self.written, &name.written) => NameFit::Start,
            () if starts(&self.sounded, &name.sounded) => NameFit::SoundStart,
            () if is_inside(&self.written, &name.written) => NameFit::Inside,
            () if is_inside(&self.sounded, &name.sounded) => NameFit::SoundInside,
            () => return None,
        })
    }

    /// ㅇㅇㅎ for 리용희, and ㄹㅇㅎ for 이용희: a consonant alone has no vowel by which to know
    /// what became of it.
    fn sounds_by_initials(&self, name: &NameKeys) -> bool {
        let letters = self.written.iter().zip(&self.sounded);
        let fits = |((asked, sounded), of): ((&char, &char), &char)| match lead_of(*asked) {
            Some(lead::R | lead::N | lead::NONE) => is_lead(*of, &[lead::R, lead::N, lead::NONE]),
            Some(lead) => is_lead(*of, &[lead]),
            None => Syllable::of(*of).is_some_and(|of| of.sounded().letter() == *sounded),
        };
        self.written.len() <= name.written.len() && letters.zip(&name.written).all(fits)
    }

    fn in_other_letters(&self, name: &NameKeys) -> Option<NameFit> {
        // Of two Hangul names the letters themselves say more.
        if self.by_initials || (self.hangul && name.hangul) {
            return None;
        }
        let any = |fits: fn(&str, &str) -> bool| {
            let asked = self.skeletons.iter();
            asked.into_iter().any(|asked| name.skeletons.iter().any(|own| fits(own, asked)))
        };
        if any(|own, asked| own == asked) {
            let name: String = name.written.iter().collect();
            let just_so = if self.hangul {
                latin::is_written_so(&name, &self.typed)
            } else {
                latin::is_written_so(&self.typed, &name)
            };
            return Some(if just_so { NameFit::Roman } else { NameFit::Skeleton });
        }
        // One letter would find half of the village.
        any(|own, asked| asked.len() > 1 && own.starts_with(asked))
            .then_some(NameFit::SkeletonStart)
    }
}

fn is_lead(letter: char, leads: &[u8]) -> bool {
    Syllable::of(letter).is_some_and(|of| leads.contains(&of.lead))
}

/// Whether a name begins as was asked. A consonant alone stands for each syllable that begins with
/// it; the last syllable may be one that is still being typed.
fn starts(asked: &[char], of: &[char]) -> bool {
    let Some((last, first)) = asked.split_last() else { return true };
    let fits = |(asked, of): (&char, &char)| {
        asked == of || lead_of(*asked).is_some_and(|lead| is_lead(*of, &[lead]))
    };
    if of.len() < asked.len() || !first.iter().zip(of).all(fits) {
        return false;
    }
    let Some((at, after)) = of.get(first.len()..).and_then(<[char]>::split_first) else {
        return false;
    };
    fits((last, at)) || is_becoming(*last, *at, after.first().copied())
}

/// Whether a syllable can become another by typing on: 요 becomes 용, and 용 becomes 요 with the
/// next syllable's ㅇ.
fn is_becoming(typed: char, of: char, next: Option<char>) -> bool {
    let (Some(typed), Some(of)) = (Syllable::of(typed), Syllable::of(of)) else { return false };
    if (typed.lead, typed.vowel) != (of.lead, of.vowel) {
        return false;
    }
    let next = next.and_then(Syllable::of).map(|next| next.lead);
    typed.tail == 0 || (of.tail == 0 && next.is_some() && lead_of_tail(typed.tail) == next)
}

/// The initial consonant with the same letter as a simple tail.
fn lead_of_tail(tail: u8) -> Option<u8> {
    Some(match tail {
        1 => 0,
        2 => 1,
        4 => 2,
        7 => 3,
        8 => 5,
        16 => 6,
        17 => 7,
        19 => 9,
        20 => 10,
        21 => 11,
        22 => 12,
        23 => 14,
        24 => 15,
        25 => 16,
        26 => 17,
        27 => 18,
        _ => return None,
    })
}

fn is_inside(asked: &[char], of: &[char]) -> bool {
    (1..of.len()).any(|at| starts(asked, &of[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(typed: &str, name: &str) -> Option<NameFit> {
        NameQuestion::of(typed)?.fit(&NameKeys::of(name))
    }

    #[test]
    fn a_name_is_found_however_it_is_typed() {
        for (typed, want) in [
            ("리용희", Some(NameFit::Written)),
            ("리 용희", Some(NameFit::Written)),
            ("\u{1105}\u{1175}용희", Some(NameFit::Written)),
            ("이용희", Some(NameFit::Sound)),
            ("Ri Yong-hŭi", Some(NameFit::Roman)),
            ("Ri Yonghui", Some(NameFit::Roman)),
            ("ri yong hui", Some(NameFit::Roman)),
            ("Lee Yong Hee", Some(NameFit::Skeleton)),
            ("Yong Hui Ri", Some(NameFit::Skeleton)),
            ("리용", Some(NameFit::Start)),
            ("리요", Some(NameFit::Start)),
            ("이요", Some(NameFit::SoundStart)),
            ("ㄹㅇㅎ", Some(NameFit::Initials)),
            ("리ㅇㅎ", Some(NameFit::Initials)),
            ("ㄹㅇ", Some(NameFit::InitialsStart)),
            ("ㅇㅇㅎ", Some(NameFit::InitialsSound)),
            ("이ㅇㅎ", Some(NameFit::InitialsSound)),
            ("Ri Yo", Some(NameFit::SkeletonStart)),
            ("용희", Some(NameFit::Inside)),
            ("리영희", None),
            ("Ri Yong Su", None),
            ("ㅎㅇ", None),
        ] {
            assert_eq!(fit(typed, "리용희"), want, "{typed}");
        }
        assert_eq!(fit("ㄹㅇㅎ", "이용희"), Some(NameFit::InitialsSound));
        assert_eq!(fit("룡철", "김용철"), Some(NameFit::SoundInside));
        assert_eq!(fit("", "김용철"), None);
    }

    #[test]
    fn a_syllable_that_is_still_being_typed_finds_the_name() {
        for typed in ["가", "강", "가아", "강아"] {
            assert_eq!(fit(typed, "강안").is_some(), typed != "가아", "{typed}");
        }
        // 강 on the way to 가안.
        assert_eq!(fit("강", "가안"), Some(NameFit::Start));
        assert_eq!(fit("ㄱㅅ", "김수"), fit("ㄳ", "김수"));
    }

    #[test]
    fn who_stands_in_latin_letters_is_found_by_hangul() {
        assert_eq!(fit("리용희", "RI Yong Hui"), Some(NameFit::Roman));
        assert_eq!(fit("리용희", "Lee Yong Hee"), Some(NameFit::Skeleton));
        assert_eq!(fit("리용", "Ri Yong Hui"), Some(NameFit::SkeletonStart));
        assert_eq!(fit("ㄹㅇㅎ", "Ri Yong Hui"), None);
    }

    #[test]
    fn of_two_names_that_sound_alike_in_latin_the_closer_stands_first() {
        assert_eq!(fit("Ri Yeonghui", "리영희"), Some(NameFit::Roman));
        assert_eq!(fit("Ri Yeonghui", "리용희"), Some(NameFit::Skeleton));
    }
}
