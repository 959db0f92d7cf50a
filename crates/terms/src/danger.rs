//! Which values are dangerous, by sourced limits alone.
//!
//! The limits are those of the WHO/ICRC/MSF Interagency Integrated Triage Tool (2020), charts
//! 'Age ≥ 12' and 'Age < 12'; `data/dangers.tsv` names chart and step in each row.

use crate::table::{Row, TableError, rows};
use crate::vital::vital;
use rust_decimal::Decimal;

const TABLE: &str = include_str!("../data/dangers.tsv");
const COLUMNS: &[&str] =
    &["vital", "test", "limit", "level", "age_months_from", "age_months_below", "who", "source"];

/// What a value says, as far as a source tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// No source that we follow calls the value dangerous. It need not be normal.
    Fine,
    /// Outside our guard against typing errors: ask again, do not save unseen.
    Impossible,
    /// Dangerous at some of the ages that the patient may have and not at others: ask the age.
    AgeNeeded,
    /// Dangerous, by a source. With an age that is not exactly known, the lowest level that holds
    /// at every age in question.
    Danger {
        /// How urgent.
        level: Level,
        /// Tool, edition, chart and step.
        source: &'static str,
    },
}

/// How urgent the triage tool calls a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A high-risk vital sign: a supervising clinician looks at once.
    HighRisk,
    /// A red criterion: to the resuscitation area at once.
    Red,
}

/// An age, as exactly as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Not known.
    Unknown,
    /// Completed years.
    Years(u32),
    /// Completed months.
    Months(u32),
}

/// Whose value is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The age.
    pub age: Age,
    /// Whether she is known to be pregnant.
    pub pregnant: bool,
}

/// The four steps of alertness (AVPU).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alertness {
    /// Alert.
    Alert,
    /// Answers to voice.
    Voice,
    /// Answers to pain only.
    Pain,
    /// Does not answer.
    Unresponsive,
}

impl Alertness {
    /// All four, from alert to unresponsive.
    pub const ALL: [Self; 4] = [Self::Alert, Self::Voice, Self::Pain, Self::Unresponsive];

    /// The letter: A, V, P or U.
    pub fn letter(self) -> char {
        match self {
            Self::Alert => 'A',
            Self::Voice => 'V',
            Self::Pain => 'P',
            Self::Unresponsive => 'U',
        }
    }

    /// The step with this letter, in either case.
    pub fn from_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.letter() == letter.to_ascii_uppercase())
    }

    /// What the step says, at any age.
    pub fn judge(self) -> Judgement {
        let rules = vital("consciousness").map_or(&[][..], |sign| sign.rules.as_slice());
        let hit = rules.iter().find(|rule| rule.test == Test::Is(self));
        hit.map_or(Judgement::Fine, |rule| Judgement::Danger {
            level: rule.level,
            source: rule.source,
        })
    }
}

/// One sourced limit.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    test: Test,
    level: Level,
    from_month: u32,
    /// The first month of age for which it no longer holds.
    below_month: Option<u32>,
    pregnant_only: bool,
    source: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Below(Decimal),
    Above(Decimal),
    AtLeast(Decimal),
    Is(Alertness),
}

impl Rule {
    fn holds(&self, value: Decimal, month: u32, pregnant: bool) -> bool {
        let aged = month >= self.from_month && self.below_month.is_none_or(|end| month < end);
        let hit = match self.test {
            Test::Below(limit) => value < limit,
            Test::Above(limit) => value > limit,
            Test::AtLeast(limit) => value >= limit,
            Test::Is(_) => false,
        };
        aged && hit && (pregnant || !self.pregnant_only)
    }
}

/// Judges a possible value by the rules of its sign, at each age that the patient may have.
pub(crate) fn judge(rules: &[Rule], value: Decimal, subject: Subject) -> Judgement {
    let (first, last) = match subject.age {
        Age::Unknown => (0, u32::MAX),
        Age::Years(years) => {
            (years.saturating_mul(12), years.saturating_mul(12).saturating_add(11))
        }
        Age::Months(months) => (months, months),
    };
    // Between two of these months no rule begins or ends.
    let turns = rules.iter().flat_map(|rule| [Some(rule.from_month), rule.below_month]).flatten();
    let months = turns.filter(|month| (first..=last).contains(month)).chain([first]);
    let worst_at = |month| {
        let held = rules.iter().filter(|rule| rule.holds(value, month, subject.pregnant));
        held.max_by_key(|rule| rule.level)
    };
    let found: Vec<_> = months.map(worst_at).collect();
    let dangerous = found.iter().flatten().min_by_key(|rule| rule.level);
    match dangerous {
        None => Judgement::Fine,
        Some(_) if found.iter().any(Option::is_none) => Judgement::AgeNeeded,
        Some(rule) => Judgement::Danger { level: rule.level, source: rule.source },
    }
}

/// The rules with their line and the key of their sign.
pub(crate) fn parse() -> Result<Vec<(usize, &'static str, Rule)>, TableError> {
    rows(TABLE, COLUMNS)?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<(usize, &'static str, Rule), TableError> {
    let test = match (row.filled("test")?, row.filled("limit")?) {
        ("=", letter) => {
            let step = letter.chars().next().and_then(Alertness::from_letter);
            Test::Is(step.ok_or_else(|| row.wrong("limit"))?)
        }
        (sign, _) => {
            let limit = row.number("limit")?.ok_or_else(|| row.wrong("limit"))?;
            match sign {
                "<" => Test::Below(limit),
                ">" => Test::Above(limit),
                ">=" => Test::AtLeast(limit),
                _ => return Err(row.wrong("test")),
            }
        }
    };
    let pregnant_only = match row.filled("who")? {
        "any" => false,
        "pregnant" => true,
        _ => return Err(row.wrong("who")),
    };
    let rule = Rule {
        test,
        level: read_level(row, "level")?,
        from_month: row.whole("age_months_from")?.ok_or_else(|| row.wrong("age_months_from"))?,
        below_month: row.whole("age_months_below")?,
        pregnant_only,
        source: row.filled("source")?,
    };
    Ok((row.line(), row.filled("vital")?, rule))
}

pub(crate) fn read_level(row: &Row, column: &'static str) -> Result<Level, TableError> {
    match row.filled(column)? {
        "high-risk" => Ok(Level::HighRisk),
        "red" => Ok(Level::Red),
        _ => Err(row.wrong(column)),
    }
}
