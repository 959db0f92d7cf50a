//! What this facility writes most stands first in its lists.

use ondol_store::{Space, View, WriteTx};

use super::visit::Visit;
use crate::{App, AppError};

/// How many of the newest entries are remembered.
const REMEMBERED: usize = 300;
/// How many stand first.
const FIRST: usize = 20;

const DIAGNOSES: &[u8] = b"recent/diagnoses";
const MEDICINES: &[u8] = b"recent/medicines";

/// What stands first until a facility has written something itself: our own choice of what a
/// village clinic often meets, in no order of importance.
const AT_FIRST: [&str; 12] = [
    "J06.9", "J20.9", "J18.9", "A09.9", "K29.1", "I10", "R50.9", "R51", "M54.5", "L03.9", "K30",
    "D50.9",
];

/// Remembers what a visit named.
pub(super) fn remember(tx: &mut dyn WriteTx, visit: &Visit) -> Result<(), AppError> {
    let diagnoses: Vec<&str> = visit.diagnoses.iter().filter_map(|d| d.code.as_deref()).collect();
    let medicines: Vec<&str> = visit.medicines.iter().filter_map(|m| m.atc.as_deref()).collect();
    append(tx, DIAGNOSES, &diagnoses)?;
    append(tx, MEDICINES, &medicines)
}

fn append(tx: &mut dyn WriteTx, key: &[u8], codes: &[&str]) -> Result<(), AppError> {
    if codes.is_empty() {
        return Ok(());
    }
    let mut all = recent(&*tx, key)?;
    all.extend(codes.iter().map(|code| (*code).to_owned()));
    let from = all.len().saturating_sub(REMEMBERED);
    tx.set_value(Space::Count, key, Some(all[from..].join(" ").as_bytes()))?;
    Ok(())
}

fn recent(view: &dyn View, key: &[u8]) -> Result<Vec<String>, AppError> {
    let Some(value) = view.value(Space::Count, key)? else { return Ok(vec![]) };
    let text = String::from_utf8(value).map_err(|_| AppError::Unexpected("a list of codes"))?;
    Ok(text.split_whitespace().map(str::to_owned).collect())
}

/// The codes that stand most often in a list, newest list's end counting first among equals.
fn most(recent: &[String]) -> Vec<String> {
    let mut counted: Vec<(usize, usize, &String)> = vec![];
    for (at, code) in recent.iter().enumerate() {
        match counted.iter_mut().find(|(_, _, known)| *known == code) {
            Some((count, last, _)) => (*count, *last) = (*count + 1, at),
            None => counted.push((1, at, code)),
        }
    }
    counted.sort_by_key(|(count, last, _)| std::cmp::Reverse((*count, *last)));
    counted.into_iter().take(FIRST).map(|(_, _, code)| code.clone()).collect()
}

impl App {
    /// The codes of the diagnoses that this facility writes most, at most twenty.
    pub fn local_diagnoses(&self) -> Result<Vec<String>, AppError> {
        let mut codes = most(&recent(&*self.view()?, DIAGNOSES)?);
        for code in AT_FIRST {
            if codes.len() < AT_FIRST.len()
                && !codes.iter().any(|known| known == code)
                && ondol_terms::diagnosis(code).is_some()
            {
                codes.push(code.to_owned());
            }
        }
        Ok(codes)
    }

    /// The codes of the medicines that this facility gives most, at most twenty.
    pub fn local_medicines(&self) -> Result<Vec<String>, AppError> {
        Ok(most(&recent(&*self.view()?, MEDICINES)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_stands_first_and_the_newer_of_equals() {
        let recent: Vec<String> =
            ["I10", "A09.9", "I10", "J06.9"].iter().map(|code| (*code).to_owned()).collect();
        assert_eq!(most(&recent), ["I10", "J06.9", "A09.9"]);
        let many: Vec<String> = (0..50).map(|n| format!("C{n}")).collect();
        assert_eq!(most(&many).len(), FIRST);
    }

    #[test]
    fn what_stands_first_on_the_first_day_is_in_the_list() {
        let missing: Vec<_> =
            AT_FIRST.iter().filter(|code| ondol_terms::diagnosis(code).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
