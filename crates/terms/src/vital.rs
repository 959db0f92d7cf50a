//! Vital signs: codes, units and what can be typed.

use crate::danger::{self, Age, Judgement, Rule, Subject};
use crate::table::{Row, TableError, rows};
use rust_decimal::Decimal;
use std::sync::OnceLock;

const TABLE: &str = include_str!("../data/vitals.tsv");
const COLUMNS: &[&str] = &[
    "key",
    "loinc",
    "ko",
    "en",
    "unit",
    "decimals",
    "impossible_below",
    "impossible_above",
    "source",
];

/// A vital sign or another measure of the body.
#[derive(Clone, Debug)]
pub struct Vital {
    /// Our own key, such as `heart-rate`; unique in the list, never reused.
    pub key: &'static str,
    /// The LOINC code; unique in the list.
    pub loinc: &'static str,
    /// The name in Korean, as written in the north.
    pub ko: &'static str,
    /// The name in plain English.
    pub en: &'static str,
    /// The UCUM unit in which the value is given here and in every function of this crate, and
    /// the guard of its box; `None` for a coded sign (see [`Alertness`](crate::Alertness)).
    pub measure: Option<Guard>,
    pub(crate) rules: Vec<Rule>,
}

/// The unit of a box that takes a number, and what it refuses as a slip of the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The UCUM unit of the value.
    pub unit: &'static str,
    /// How many decimals the box takes.
    pub decimals: u32,
    /// Values below this are taken for slips. Our own guard, not a clinical limit.
    pub lowest: Decimal,
    /// Values above this are taken for slips. Our own guard, not a clinical limit.
    pub highest: Decimal,
}

impl Vital {
    /// Judges a value given in the unit of [`Guard::unit`], with the age in whole years.
    ///
    /// In the first year some limits depend on months: use [`Vital::judge_for`] where they are
    /// known. Pregnancy is taken as absent. A coded sign judges every number as impossible.
    pub fn judge(&self, value: Decimal, age_years: Option<u32>) -> Judgement {
        let age = age_years.map_or(Age::Unknown, Age::Years);
        self.judge_for(value, Subject { age, pregnant: false })
    }

    /// Judges a value given in the unit of [`Guard::unit`] for somebody of this age.
    pub fn judge_for(&self, value: Decimal, subject: Subject) -> Judgement {
        match self.measure {
            Some(guard) if guard.holds(value) => danger::judge(&self.rules, value, subject),
            _ => Judgement::Impossible,
        }
    }
}

impl Guard {
    /// Whether a value lies within the guard, bounds included.
    pub fn holds(&self, value: Decimal) -> bool {
        (self.lowest..=self.highest).contains(&value)
    }
}

/// All vital signs, in the order in which they are asked.
pub fn vitals() -> &'static [Vital] {
    static LIST: OnceLock<Vec<Vital>> = OnceLock::new();
    LIST.get_or_init(|| parse().expect("the compiled-in table is read by a test"))
}

/// The vital sign with exactly this key.
pub fn vital(key: &str) -> Option<&'static Vital> {
    vitals().iter().find(|entry| entry.key == key)
}

/// The vital sign with exactly this LOINC code.
pub fn vital_by_loinc(code: &str) -> Option<&'static Vital> {
    vitals().iter().find(|entry| entry.loinc == code)
}

fn parse() -> Result<Vec<Vital>, TableError> {
    let mut rules = danger::parse()?;
    let list: Vec<_> =
        rows(TABLE, COLUMNS)?.iter().map(|row| read(row, &mut rules)).collect::<Result<_, _>>()?;
    match rules.first() {
        // A rule for a sign that is not in the list would be a danger that is never shown.
        Some((line, key, _)) => {
            Err(TableError::Value { line: *line, column: "vital", value: (*key).to_owned() })
        }
        None => Ok(list),
    }
}

fn read(row: &Row, rules: &mut Vec<(usize, &'static str, Rule)>) -> Result<Vital, TableError> {
    let key = row.filled("key")?;
    row.filled("source")?;
    let mine = rules.extract_if(.., |(_, vital, _)| *vital == key).map(|(_, _, rule)| rule);
    Ok(Vital {
        key,
        loinc: row.filled("loinc")?,
        ko: row.filled("ko")?,
        en: row.filled("en")?,
        rules: mine.collect(),
        measure: read_guard(row)?,
    })
}

fn read_guard(row: &Row) -> Result<Option<Guard>, TableError> {
    let unit = row.filled("unit")?;
    let cells =
        (row.whole("decimals")?, row.number("impossible_below")?, row.number("impossible_above")?);
    match (unit, cells) {
        ("-", (None, None, None)) => Ok(None),
        ("-", _) => Err(row.wrong("unit")),
        (_, (Some(decimals), Some(lowest), Some(highest))) if lowest < highest => {
            Ok(Some(Guard { unit, decimals, lowest, highest }))
        }
        _ => Err(row.wrong("impossible_below")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_can_be_read() {
        assert!(parse().unwrap().len() > 10);
    }
}
