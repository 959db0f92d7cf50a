//! What somebody typed about a visit, and what is asked back before it is saved.

use ondol_kernel::{Date, Millis};
use ondol_terms::{Alertness, Judgement, Level, Subject, Vital};
use rust_decimal::Decimal;

use crate::{
    AppError,
    people::{Birth, BirthDoubt},
};

/// How far ahead of the clock a time of care may be, ms: clocks of rooms differ.
const AHEAD_MS: i64 = 10 * 60_000;

/// What a question about the date of birth is called, where values have the keys of their signs.
const BORN: &str = "born";

/// A visit as it was typed. The complaint alone is enough.
#[derive(Clone, Default)]
pub struct Visit {
    /// Why the person came, in plain words.
    pub complaint: String,
    /// What was measured.
    pub vitals: Vec<TypedVital>,
    /// How alert the person is; `None` if nobody looked.
    pub alertness: Option<Alertness>,
    /// Whether the person is pregnant; `None` if nobody asked.
    pub pregnant: Option<bool>,
    /// Whether somebody looked again at values that seem impossible.
    pub checked: bool,
    /// Whether somebody knows that the chart is closed: the person was recorded as dead before the
    /// time of care.
    pub after_death: bool,
    /// What is wrong, from the list or in plain words.
    pub diagnoses: Vec<TypedDiagnosis>,
    /// What was prescribed, or is taken already.
    pub medicines: Vec<TypedMedicine>,
    /// Anything else.
    pub note: String,
    /// When the care was given; `None` for now.
    pub at: Option<Millis>,
    /// Whether the person stays here.
    pub stays: bool,
}

/// A measured value.
#[derive(Clone, PartialEq, Eq)]
pub struct TypedVital {
    /// The key of `ondol_terms::vitals`.
    pub key: &'static str,
    /// The number in plain form (`36.5`), in the unit of the box.
    pub value: String,
}

/// A diagnosis or a coded complaint.
#[derive(Clone, PartialEq, Eq)]
pub struct TypedDiagnosis {
    /// The code of `ondol_terms::diagnoses`; `None` for plain words.
    pub code: Option<String>,
    /// The words; may be empty beside a code.
    pub words: String,
    /// Whether it lasts: it then stands in the list of problems.
    pub lasting: bool,
}

/// A medicine.
#[derive(Clone, PartialEq, Eq)]
pub struct TypedMedicine {
    /// The code of `ondol_terms::medicines`; `None` for plain words.
    pub atc: Option<String>,
    /// The name as it is to be read.
    pub name: String,
    /// Form and strength, such as `250 mg`.
    pub strength: String,
    /// How it is taken.
    pub dose: String,
    /// For how many days; `None` if nobody said.
    pub days: Option<u32>,
    /// Whether the person takes it already, from elsewhere: then nothing is prescribed.
    pub taken_already: bool,
}

/// What a value says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No source that is followed calls it dangerous.
    Fine,
    /// It looks like a slip of the keyboard.
    Impossible,
    /// Dangerous at some of the ages that the person may have.
    AgeNeeded,
    /// The date of birth cannot be, on the day of care: no limit that depends on the age is
    /// followed before somebody has asked again.
    Birth(BirthDoubt),
    /// Dangerous, by a source.
    Danger {
        /// How urgent.
        level: Level,
        /// Tool, edition, chart and step.
        source: &'static str,
    },
}

/// A value with what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// The key of `ondol_terms::vitals`.
    pub key: &'static str,
    /// What it says.
    pub verdict: Verdict,
}

/// Whose values are judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whose {
    pub birth: Birth,
    pub on: Date,
    pub pregnant: bool,
}

/// Judges a value at every age that the person may have.
pub(crate) fn judge(vital: &Vital, value: Decimal, whose: Whose) -> Verdict {
    let said = |age| vital.judge_for(value, Subject { age, pregnant: whose.pregnant });
    let all: Vec<Judgement> = whose.birth.ages(whose.on).into_iter().map(said).collect();
    worst(&all)
}

/// One verdict from those at all possible ages.
fn worst(all: &[Judgement]) -> Verdict {
    if all.contains(&Judgement::Impossible) {
        return Verdict::Impossible;
    }
    let dangers = all.iter().filter_map(|judgement| match judgement {
        Judgement::Danger { level, source } => Some((*level, *source)),
        _ => None,
    });
    match dangers.clone().min_by_key(|(level, _)| *level) {
        Some((level, source)) if dangers.count() == all.len() => Verdict::Danger { level, source },
        Some(_) => Verdict::AgeNeeded,
        None if all.contains(&Judgement::AgeNeeded) => Verdict::AgeNeeded,
        None => Verdict::Fine,
    }
}

impl Visit {
    /// Whether nothing was typed.
    pub(crate) fn is_empty(&self) -> bool {
        self.complaint.trim().is_empty()
            && self.vitals.is_empty()
            && self.alertness.is_none()
            && self.pregnant.is_none()
            && self.diagnoses.is_empty()
            && self.medicines.is_empty()
            && self.note.trim().is_empty()
    }

    /// What the values say; those that are fine are left out.
    pub(crate) fn judged(&self, whose: Whose) -> Result<Vec<Judged>, AppError> {
        let whose = Whose { pregnant: self.pregnant.unwrap_or(whose.pregnant), ..whose };
        let mut all = vec![];
        if let Some(doubt) = whose.birth.doubt(whose.on) {
            all.push(Judged { key: BORN, verdict: Verdict::Birth(doubt) });
        }
        for typed in &self.vitals {
            let (vital, value) = typed.read()?;
            let verdict = judge(vital, value, whose);
            all.push(Judged { key: typed.key, verdict });
        }
        if let Some(alertness) = self.alertness {
            all.push(Judged { key: "consciousness", verdict: worst(&[alertness.judge()]) });
        }
        if self.pressures_are_crossed()? {
            all.retain(|judged| judged.key != "diastolic-pressure");
            all.push(Judged { key: "diastolic-pressure", verdict: Verdict::Impossible });
        }
        all.retain(|judged| judged.verdict != Verdict::Fine);
        Ok(all)
    }

    fn pressures_are_crossed(&self) -> Result<bool, AppError> {
        let value = |key| {
            let typed = self.vitals.iter().find(|typed| typed.key == key);
            typed.map(TypedVital::read).transpose()
        };
        let upper = value("systolic-pressure")?;
        let lower = value("diastolic-pressure")?;
        Ok(matches!((upper, lower), (Some((_, upper)), Some((_, lower))) if lower >= upper))
    }

    /// Refuses what cannot be saved as it is.
    pub(crate) fn check(&self, whose: Whose, now: Millis) -> Result<(), AppError> {
        if self.is_empty() {
            return Err(AppError::Field { field: "complaint", why: "missing" });
        }
        if self.at.is_some_and(|at| at > now.plus(AHEAD_MS)) {
            return Err(AppError::Field { field: "at", why: "future" });
        }
        let nameless = |d: &TypedDiagnosis| d.code.is_none() && d.words.trim().is_empty();
        if self.diagnoses.iter().any(nameless) {
            return Err(AppError::Field { field: "diagnosis", why: "missing" });
        }
        let unknown = |code: &String| ondol_terms::diagnosis(code).is_none();
        if self.diagnoses.iter().filter_map(|d| d.code.as_ref()).any(unknown) {
            return Err(AppError::Field { field: "diagnosis", why: "unknown" });
        }
        let nameless = |m: &TypedMedicine| m.atc.is_none() && m.name.trim().is_empty();
        if self.medicines.iter().any(nameless) {
            return Err(AppError::Field { field: "medicine", why: "missing" });
        }
        if self.medicines.iter().any(|m| m.days.is_some_and(|days| !(1..=3_660).contains(&days))) {
            return Err(AppError::Field { field: "days", why: "days" });
        }
        let judged = self.judged(whose)?;
        let question = |judged: &Judged| match judged.verdict {
            Verdict::Impossible => Some("impossible"),
            Verdict::Birth(BirthDoubt::Ahead) => Some("before-birth"),
            Verdict::Birth(BirthDoubt::TooOld) => Some("too-old"),
            Verdict::Fine | Verdict::AgeNeeded | Verdict::Danger { .. } => None,
        };
        let asked = judged.iter().find_map(|judged| Some((judged.key, question(judged)?)));
        match asked {
            Some((field, why)) if !self.checked => Err(AppError::Field { field, why }),
            _ => Ok(()),
        }
    }
}

impl TypedVital {
    /// The sign and the number.
    pub(crate) fn read(&self) -> Result<(&'static Vital, Decimal), AppError> {
        let wrong = |why| AppError::Field { field: self.key, why };
        let vital = ondol_terms::vital(self.key).ok_or(wrong("unknown"))?;
        let guard = vital.measure.ok_or(wrong("number"))?;
        let value: Decimal = self.value.parse().map_err(|_| wrong("number"))?;
        if value.normalize().scale() > guard.decimals {
            return Err(wrong("decimals"));
        }
        Ok((vital, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whose(birth: Birth) -> Whose {
        Whose { birth, on: Date::parse("2026-03-02").unwrap(), pregnant: false }
    }

    fn visit(vitals: &[(&'static str, &str)]) -> Visit {
        let vitals = vitals.iter().map(|(key, value)| TypedVital { key, value: (*value).into() });
        Visit { vitals: vitals.collect(), ..Visit::default() }
    }

    fn verdict(vitals: &[(&'static str, &str)], birth: Birth) -> Option<Verdict> {
        visit(vitals).judged(whose(birth)).unwrap().first().map(|judged| judged.verdict)
    }

    #[test]
    fn a_dangerous_value_names_its_source() {
        let adult = Birth::Year(1961);
        let Some(Verdict::Danger { level, source }) = verdict(&[("heart-rate", "160")], adult)
        else {
            panic!("160 beats are dangerous for an adult");
        };
        assert_eq!(level, Level::Red);
        assert!(source.contains("Interagency Integrated Triage Tool"));
        assert_eq!(verdict(&[("heart-rate", "80")], adult), None);
    }

    #[test]
    fn where_the_age_decides_it_is_asked() {
        let pulse = [("heart-rate", "140")];
        assert_eq!(verdict(&pulse, Birth::Unknown), Some(Verdict::AgeNeeded));
        assert_eq!(verdict(&pulse, Birth::Year(2022)), None);
        assert_eq!(verdict(&pulse, Birth::Year(2014)), Some(Verdict::AgeNeeded));
        assert!(matches!(verdict(&pulse, Birth::Year(1990)), Some(Verdict::Danger { .. })));
    }

    #[test]
    fn a_birth_after_the_day_of_care_is_asked_about_and_its_limits_are_not_guessed() {
        let pulse = [("heart-rate", "140")];
        for (birth, doubt, why) in [
            (Birth::Year(2031), BirthDoubt::Ahead, "before-birth"),
            (Birth::Day(Date::parse("2026-03-03").unwrap()), BirthDoubt::Ahead, "before-birth"),
            (Birth::Year(1880), BirthDoubt::TooOld, "too-old"),
        ] {
            let mut visit = visit(&pulse);
            let said = visit.judged(whose(birth)).unwrap();
            let said: Vec<_> = said.iter().map(|judged| (judged.key, judged.verdict)).collect();
            let pulse = ("heart-rate", Verdict::AgeNeeded);
            assert_eq!(said, [("born", Verdict::Birth(doubt)), pulse], "{birth:?}");
            assert!(matches!(
                visit.check(whose(birth), Millis(0)),
                Err(AppError::Field { field: "born", why: w }) if w == why
            ));
            visit.checked = true;
            visit.check(whose(birth), Millis(0)).unwrap();
        }
        // A pulse that is dangerous at every age needs no birth to be called so.
        let fast = visit(&[("heart-rate", "220")]).judged(whose(Birth::Year(2031))).unwrap();
        assert!(matches!(fast[1].verdict, Verdict::Danger { .. }), "{fast:?}");
    }

    #[test]
    fn pregnancy_changes_what_a_pressure_says() {
        let mut visit = visit(&[("systolic-pressure", "165"), ("diastolic-pressure", "90")]);
        let woman = whose(Birth::Year(1998));
        assert_eq!(visit.judged(woman).unwrap(), []);
        visit.pregnant = Some(true);
        assert!(matches!(visit.judged(woman).unwrap()[0].verdict, Verdict::Danger { .. }));
    }

    #[test]
    fn a_slip_is_asked_about_and_saved_once_somebody_looked_again() {
        let mut visit = visit(&[("body-temperature", "385")]);
        let adult = whose(Birth::Year(1961));
        let refused = visit.check(adult, Millis(0));
        assert!(matches!(
            refused,
            Err(AppError::Field { field: "body-temperature", why: "impossible" })
        ));
        visit.checked = true;
        visit.check(adult, Millis(0)).unwrap();
    }

    #[test]
    fn a_lower_pressure_above_the_upper_one_is_asked_about() {
        let crossed = [("systolic-pressure", "80"), ("diastolic-pressure", "120")];
        assert_eq!(verdict(&crossed, Birth::Year(1961)), Some(Verdict::Impossible));
    }

    #[test]
    fn numbers_beyond_the_box_are_refused() {
        for (value, why) in [("36.55", "decimals"), ("36,5", "number"), ("NaN", "number")] {
            let refused = visit(&[("body-temperature", value)]).judged(whose(Birth::Unknown));
            assert!(matches!(refused, Err(AppError::Field { why: w, .. }) if w == why), "{value}");
        }
        visit(&[("body-temperature", "36.50")]).judged(whose(Birth::Unknown)).unwrap();
    }

    #[test]
    fn a_visit_with_nothing_in_it_is_refused_and_a_complaint_is_enough() {
        let adult = whose(Birth::Year(1961));
        assert!(Visit::default().check(adult, Millis(0)).is_err());
        let visit = Visit { complaint: "기침".into(), ..Visit::default() };
        visit.check(adult, Millis(0)).unwrap();
        let ahead = Visit { at: Some(Millis(3_600_000)), ..visit };
        assert!(matches!(
            ahead.check(adult, Millis(0)),
            Err(AppError::Field { field: "at", why: "future" })
        ));
    }
}
