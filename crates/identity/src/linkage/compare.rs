//! On which level two values agree.

use super::{
    Kind, Record, Schema, Value,
    text::{jaro_winkler, slips},
    value::Day,
};

/// How far two values agree. The limits were fixed before any figure was taken (ADR 0015).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// The same letters.
    Same,
    /// The same by rule: the other initial sound, other letters; a date as far as both are known.
    Alike,
    /// One slip: Jaro–Winkler 0.94 or more, one letter, day and month exchanged.
    Near,
    /// Jaro–Winkler 0.88 or more, two slips of a code; a guessed year within three.
    Close,
    /// Jaro–Winkler 0.75 or more; two slips of a date, the same year.
    Loose,
    /// Nothing of these.
    Apart,
    /// The value stands in the field with which this one is mixed up.
    Crossed,
    /// The same, with a slip.
    CrossedNear,
}

/// How many levels there are.
pub(crate) const LEVELS: usize = 8;

/// On which level each field agrees, four bits a field; 15 if a value is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Pattern(u64);

const MISSING: u64 = 15;

impl Pattern {
    pub(crate) fn of(schema: &Schema, a: &Record, b: &Record) -> Self {
        let mut pattern = 0;
        for at in 0..schema.fields().len() {
            let level = level(schema, a, b, at).map_or(MISSING, |level| level as u64);
            pattern |= level << (at * 4);
        }
        Self(pattern)
    }

    /// The place of each level that is known, with the field's.
    pub(crate) fn known(self, fields: usize) -> impl Iterator<Item = (usize, usize)> {
        (0..fields).filter_map(move |at| {
            let level = self.0 >> (at * 4) & 15;
            (level != MISSING).then_some((at, usize::try_from(level).unwrap_or(0)))
        })
    }
}

/// How a field agrees in two records; None if nothing can be said.
fn level(schema: &Schema, a: &Record, b: &Record, at: usize) -> Option<Level> {
    let field = schema.fields().get(at)?;
    let (own, other) = (a.get(at)?.as_ref(), b.get(at)?.as_ref());
    let straight = match (own, other) {
        (Some(own), Some(other)) => Some(of_kind(field.kind, own, other)),
        _ => None,
    };
    if straight.is_some_and(|level| level < Level::Close) {
        return straight;
    }
    // Each crossing counts once: where the first record has the value.
    let crossed = || match (own, b.get(field.crosses?)?.as_ref()) {
        (Some(own), Some(other)) => match of_kind(field.kind, own, other) {
            Level::Same => Some(Level::Crossed),
            Level::Alike | Level::Near => Some(Level::CrossedNear),
            _ => None,
        },
        _ => None,
    };
    crossed().or(straight)
}

/// On which level two values of a kind agree.
pub(crate) fn of_kind(kind: Kind, a: &Value, b: &Value) -> Level {
    if kind == Kind::Date {
        return match (a.date, b.date) {
            (Some(a), Some(b)) => days(a, b),
            _ if a.written == b.written => Level::Same,
            _ => Level::Apart,
        };
    }
    if a.written == b.written {
        return Level::Same;
    }
    match kind {
        Kind::Name => names(a, b),
        Kind::Words => by_likeness(jaro_winkler(&a.letters, &b.letters)),
        Kind::Code | Kind::Date => match slips(&a.letters, &b.letters, 2) {
            // A code of one or two letters is another code with any slip.
            0 | 1 if a.letters.len().min(b.letters.len()) > 2 => Level::Near,
            2 if a.letters.len().min(b.letters.len()) > 3 => Level::Close,
            _ => Level::Apart,
        },
    }
}

fn by_likeness(likeness: f64) -> Level {
    match () {
        () if likeness >= 0.94 => Level::Near,
        () if likeness >= 0.88 => Level::Close,
        () if likeness >= 0.75 => Level::Loose,
        () => Level::Apart,
    }
}

fn names(a: &Value, b: &Value) -> Level {
    if a.hangul == b.hangul {
        if a.sounded == b.sounded || (!a.hangul && a.same == b.same) {
            return Level::Alike;
        }
        return by_likeness(jaro_winkler(&a.letters, &b.letters));
    }
    let pairs = a.skeletons.iter().flat_map(|one| b.skeletons.iter().map(move |two| (one, two)));
    let mut best = 0.0_f64;
    for (one, two) in pairs {
        if one == two {
            return Level::Alike;
        }
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        best = best.max(jaro_winkler(&letters(one), &letters(two)));
    }
    by_likeness(best)
}

fn days(a: Day, b: Day) -> Level {
    let known = a.known.min(b.known);
    let agree = a.digits[..known] == b.digits[..known];
    let years = a.year().abs_diff(b.year());
    if a.guessed || b.guessed {
        return match years {
            0 => Level::Alike,
            1..=3 => Level::Close,
            _ => Level::Apart,
        };
    }
    if known < 8 {
        return match (agree, years) {
            (true, _) => Level::Alike,
            (false, 0 | 1) => Level::Loose,
            (false, _) => Level::Apart,
        };
    }
    let letters = |day: Day| day.digits.map(char::from);
    match slips(&letters(a), &letters(b), 2) {
        0 => Level::Same,
        1 => Level::Near,
        _ if a.turned() == b.digits => Level::Near,
        2 => Level::Loose,
        _ if years == 0 => Level::Loose,
        _ => Level::Apart,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linkage::{Field, Shared};

    fn level(kind: Kind, a: &str, b: &str) -> Level {
        of_kind(kind, &Value::of(kind, a).unwrap(), &Value::of(kind, b).unwrap())
    }

    #[test]
    fn names_agree_whatever_letters_they_stand_in() {
        for (a, b, want) in [
            ("리용희", "리 용희", Level::Same),
            ("리용희", "이용희", Level::Alike),
            ("리용희", "Ri Yong-hŭi", Level::Alike),
            ("Ri Yonghui", "Ri Yong Hui", Level::Same),
            ("Lee Yong-hee", "Ri Yong Hui", Level::Alike),
            // One letter of eight.
            ("김영희", "김경희", Level::Near),
            ("김철수", "박영희", Level::Apart),
        ] {
            assert_eq!(level(Kind::Name, a, b), want, "{a} {b}");
        }
    }

    #[test]
    fn dates_agree_as_far_as_they_are_known() {
        for (a, b, want) in [
            ("1961-03-02", "19610302", Level::Same),
            ("1961-03-02", "1961", Level::Alike),
            ("1961-03-02", "1961-03", Level::Alike),
            ("1961-03-02", "1961-04", Level::Loose),
            ("1961-03-12", "1961-12-03", Level::Near),
            ("1961-03-02", "1961-03-20", Level::Near),
            ("1961-03-02", "1916-03-02", Level::Near),
            ("1961-03-02", "~1963", Level::Close),
            ("1961-03-02", "~1965", Level::Apart),
            ("1961-03-02", "1961-11-19", Level::Loose),
            ("1961-03-02", "1988-11-19", Level::Apart),
            ("1961", "1962", Level::Loose),
        ] {
            assert_eq!(level(Kind::Date, a, b), want, "{a} {b}");
        }
    }

    #[test]
    fn what_stands_in_the_other_field_is_a_crossing_and_counts_once() {
        let field = |crosses| Field {
            name: String::new(),
            kind: Kind::Words,
            crosses: Some(crosses),
            alone: false,
            shared: Shared::default(),
            chance: None,
        };
        let schema = Schema::new(vec![field(1), field(0)]).unwrap();
        let levels = |a: [&str; 2], b: [&str; 2]| {
            let pattern = Pattern::of(&schema, &schema.record(&a), &schema.record(&b));
            pattern.known(2).map(|(_, level)| level).collect::<Vec<_>>()
        };
        let crossed = Level::Crossed as usize;
        assert_eq!(levels(["sarah", "white"], ["white", "sarah"]), [crossed, crossed]);
        assert_eq!(levels(["sarah", "white"], ["white", "bruno"]), [5, crossed]);
        assert_eq!(levels(["sarah", ""], ["", "sarah"]), [crossed]);
    }
}
