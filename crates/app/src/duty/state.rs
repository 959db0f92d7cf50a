//! What holds at a moment: a pure fold of the roster and of who checked in.

use ondol_kernel::Millis;

use super::{Mark, Person, Service, Turn};

/// Whoever forgot to check out is no longer counted as there after this time, ms: longer than
/// the longest turn of duty.
const PRESENCE_LASTS_MS: i64 = 26 * 3_600_000;
/// So long after the beginning of a turn nobody is missed yet, ms: a handing-over takes time.
const GRACE_MS: i64 = 15 * 60_000;

/// Somebody who has checked in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Who.
    pub who: Person,
    /// Since when.
    pub since: Millis,
}

/// Why nobody can be counted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// No turn covers this moment, and nobody has checked in.
    NobodyListed,
    /// Somebody is listed since this time and has not checked in, and nobody else has.
    NobodyCame(Millis),
}

/// The duty of a service at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// The service's code.
    pub service: String,
    /// Who is listed now.
    pub listed: Option<Person>,
    /// Until when.
    pub until: Option<Millis>,
    /// Who has checked in: the one who is listed first, then by time.
    pub present: Vec<Present>,
    /// Who takes the place of the one who is listed.
    pub deputy: Option<Person>,
    /// Who coordinates.
    pub coordinator: Option<Person>,
    /// The number to call: the duty telephone, else that of whoever is there or listed. Empty if
    /// none is known.
    pub phone: String,
    /// Why nobody can be counted on, if so.
    pub gap: Option<Gap>,
}

impl Duty {
    /// What roster and marks say about a service at a moment. Of overlapping turns the one that
    /// began last counts: whoever is to change a turn lists another over it.
    pub fn of(service: &Service, turns: &[Turn], marks: &[Mark], at: Millis) -> Self {
        let turn = turns
            .iter()
            .filter(|turn| turn.service == service.code && turn.from <= at && at < turn.to)
            .max_by_key(|turn| (turn.from, turn.id.clone()));
        let listed = turn.map(|turn| turn.who.clone());
        let mut present = present(&service.code, marks, at);
        present.sort_by_key(|one| {
            let is_listed = listed.as_ref().is_some_and(|l| l.reference == one.who.reference);
            (!is_listed, one.since)
        });
        let gap = match turn {
            _ if !present.is_empty() => None,
            None => Some(Gap::NobodyListed),
            Some(turn) => (at >= turn.from.plus(GRACE_MS)).then_some(Gap::NobodyCame(turn.from)),
        };
        let phone = [
            Some(service.phone.as_str()),
            present.first().map(|one| one.who.phone.as_str()),
            listed.as_ref().map(|who| who.phone.as_str()),
        ];
        let phone = phone.into_iter().flatten().find(|phone| !phone.is_empty()).unwrap_or("");
        Self {
            service: service.code.clone(),
            until: turn.map(|turn| turn.to),
            deputy: turn.and_then(|turn| turn.deputy.clone()),
            coordinator: service.coordinator.clone(),
            phone: phone.to_owned(),
            listed,
            present,
            gap,
        }
    }

    /// The one on duty: whoever is there, the listed one first.
    pub fn on_duty(&self) -> Option<&Person> {
        self.present.first().map(|one| &one.who)
    }

    /// Whether somebody has checked in.
    pub fn is_present(&self, reference: &str) -> bool {
        self.present.iter().any(|one| one.who.reference == reference)
    }
}

/// Who has checked in and not out: the newest mark of each person counts. A mark from later than
/// `at` tells of a clock that was set back, and counts: nobody vanishes by it.
fn present(service: &str, marks: &[Mark], at: Millis) -> Vec<Present> {
    let own = || marks.iter().filter(|mark| mark.service == service);
    own()
        .filter(|mark| mark.here && at.0.saturating_sub(mark.at.0) < PRESENCE_LASTS_MS)
        .filter(|mark| {
            !own().any(|other| other.who.reference == mark.who.reference && other.at > mark.at)
        })
        .map(|mark| Present { who: mark.who.clone(), since: mark.at })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ondol_kernel::ResourceId;

    const HOUR: i64 = 3_600_000;

    fn person(number: u8) -> Person {
        Person {
            reference: format!("Practitioner/{number}"),
            name: format!("사람 {number}"),
            phone: format!("10{number}"),
        }
    }

    fn service() -> Service {
        Service {
            id: ResourceId::new("s").unwrap(),
            code: "emergency".into(),
            phone: String::new(),
            coordinator: Some(person(9)),
        }
    }

    fn turn(who: u8, from_h: i64, to_h: i64) -> Turn {
        Turn {
            id: ResourceId::new(&format!("t{who}-{from_h}")).unwrap(),
            service: "emergency".into(),
            who: person(who),
            deputy: Some(person(5)),
            from: Millis(from_h * HOUR),
            to: Millis(to_h * HOUR),
        }
    }

    fn mark(who: u8, at_h: i64, here: bool) -> Mark {
        Mark { who: person(who), service: "emergency".into(), at: Millis(at_h * HOUR), here }
    }

    fn duty(turns: &[Turn], marks: &[Mark], at_h: i64) -> Duty {
        Duty::of(&service(), turns, marks, Millis(at_h * HOUR))
    }

    #[test]
    fn to_be_listed_is_not_to_be_there() {
        let turns = [turn(1, 8, 20), turn(2, 20, 32)];
        let found = duty(&turns, &[], 9);
        assert_eq!(found.listed, Some(person(1)));
        assert_eq!(found.on_duty(), None);
        assert_eq!(found.gap, Some(Gap::NobodyCame(Millis(8 * HOUR))));
        assert_eq!((found.deputy, found.coordinator), (Some(person(5)), Some(person(9))));
        let found = duty(&turns, &[mark(1, 8, true)], 9);
        assert_eq!((found.on_duty(), found.gap), (Some(&person(1)), None));
        assert_eq!(duty(&turns, &[], 20).listed, Some(person(2)), "the end is excluded");
    }

    #[test]
    fn a_handing_over_is_no_gap() {
        let turns = [turn(1, 8, 20)];
        let at = |ms| Duty::of(&service(), &turns, &[], Millis(8 * HOUR + ms)).gap;
        assert_eq!(at(GRACE_MS - 1), None);
        assert!(at(GRACE_MS).is_some());
    }

    #[test]
    fn where_nobody_is_listed_there_is_a_gap_unless_somebody_is_there() {
        let turns = [turn(1, 8, 20)];
        assert_eq!(duty(&turns, &[], 7).gap, Some(Gap::NobodyListed));
        let found = duty(&turns, &[mark(3, 6, true)], 7);
        assert_eq!((found.on_duty(), found.gap), (Some(&person(3)), None));
    }

    #[test]
    fn whoever_checked_out_is_gone_and_whoever_forgot_to_is_not_counted_for_ever() {
        let marks = [mark(1, 8, true), mark(1, 19, false), mark(2, 20, true)];
        assert_eq!(duty(&[], &marks[..2], 19).on_duty(), None);
        assert_eq!(duty(&[], &marks, 21).on_duty(), Some(&person(2)));
        assert_eq!(duty(&[], &marks, 47).on_duty(), None);
        assert!(!duty(&[], &marks, 21).is_present("Practitioner/1"));
    }

    #[test]
    fn the_listed_one_stands_before_others_who_are_there() {
        let marks = [mark(3, 6, true), mark(1, 8, true)];
        let found = duty(&[turn(1, 8, 20)], &marks, 9);
        assert_eq!(found.on_duty(), Some(&person(1)));
        assert_eq!(found.present.len(), 2);
    }

    #[test]
    fn a_turn_listed_over_another_replaces_it() {
        let found = duty(&[turn(1, 8, 20), turn(4, 12, 16)], &[], 13);
        assert_eq!(found.listed, Some(person(4)));
    }

    #[test]
    fn the_number_is_the_duty_telephone_or_that_of_whoever_is_there() {
        let turns = [turn(1, 8, 20)];
        assert_eq!(duty(&turns, &[], 9).phone, "101");
        assert_eq!(duty(&turns, &[mark(3, 8, true)], 9).phone, "103");
        let with = Service { phone: "02-111".into(), ..service() };
        assert_eq!(Duty::of(&with, &turns, &[], Millis(9 * HOUR)).phone, "02-111");
        assert_eq!(duty(&[], &[], 9).phone, "");
    }

    #[test]
    fn other_services_are_not_mixed_in() {
        let other = Turn { service: "surgery".into(), ..turn(1, 8, 20) };
        let elsewhere = Mark { service: "surgery".into(), ..mark(1, 8, true) };
        let found = duty(&[other], &[elsewhere], 9);
        assert_eq!((found.listed.clone(), found.gap), (None, Some(Gap::NobodyListed)));
    }
}
