//! Complaints and diagnoses, coded in ICD-10.

use crate::search::{Indexed, ranked};
use crate::table::{Row, TableError, rows};
use crate::{Level, danger};
use std::sync::OnceLock;

const TABLE: &str = include_str!("../data/diagnoses.tsv");
const COLUMNS: &[&str] =
    &["code", "ko", "en", "synonyms_ko", "synonyms_en", "kind", "danger", "danger_source"];

/// What somebody says is wrong, or what is found to be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The ICD-10 code (WHO version), such as `A09.9`; unique in the list.
    pub code: &'static str,
    /// The name in Korean, as written in the north.
    pub ko: &'static str,
    /// The name in plain English words of our own; not WHO's title.
    pub en: &'static str,
    /// Other Korean words for it.
    pub synonyms_ko: Vec<&'static str>,
    /// Other English words for it.
    pub synonyms_en: Vec<&'static str>,
    /// A complaint or a diagnosis.
    pub kind: Kind,
    /// How dangerous a sourced triage tool calls it while it lasts, and that source. `None` means
    /// that no source was found, not that it is harmless.
    pub danger: Option<(Level, &'static str)>,
}

/// Whether an entry is what a patient complains of or what a clinician concludes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A symptom, a sign or another reason to come.
    Complaint,
    /// A disease, an injury or a state.
    Diagnosis,
}

/// All complaints and diagnoses, by code.
pub fn diagnoses() -> &'static [Diagnosis] {
    static LIST: OnceLock<Vec<Diagnosis>> = OnceLock::new();
    LIST.get_or_init(|| parse().expect("the compiled-in table is read by a test"))
}

/// The entry with exactly this code.
pub fn diagnosis(code: &str) -> Option<&'static Diagnosis> {
    diagnoses().iter().find(|entry| entry.code == code)
}

/// Entries whose code, names or synonyms fit what was typed, best first.
///
/// Korean may be typed in part ('페겨'), by initial consonants ('ㄱㅊ' finds 기침), composed or
/// decomposed, with or without spaces. `preferred_codes` are those this facility uses most: they
/// stand before all but exact hits, and alone answer an empty query.
pub fn search_diagnoses(query: &str, preferred_codes: &[&str]) -> Vec<&'static Diagnosis> {
    static INDEX: OnceLock<(Vec<Indexed>, Vec<&str>)> = OnceLock::new();
    let list = diagnoses();
    let (index, codes) = INDEX.get_or_init(|| {
        let index = list.iter().map(|entry| {
            let synonyms: [&[&str]; 2] = [&entry.synonyms_ko, &entry.synonyms_en];
            Indexed::new(entry.code, &[entry.ko, entry.en], &synonyms)
        });
        (index.collect(), list.iter().map(|entry| entry.code).collect())
    });
    ranked(index, codes, query, preferred_codes).into_iter().map(|i| &list[i]).collect()
}

fn parse() -> Result<Vec<Diagnosis>, TableError> {
    rows(TABLE, COLUMNS)?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Diagnosis, TableError> {
    let kind = match row.filled("kind")? {
        "complaint" => Kind::Complaint,
        "diagnosis" => Kind::Diagnosis,
        _ => return Err(row.wrong("kind")),
    };
    let danger = match row.cell("danger") {
        "" => None,
        _ => Some((danger::read_level(row, "danger")?, row.filled("danger_source")?)),
    };
    Ok(Diagnosis {
        code: row.filled("code")?,
        ko: row.filled("ko")?,
        en: row.filled("en")?,
        synonyms_ko: row.list("synonyms_ko"),
        synonyms_en: row.list("synonyms_en"),
        kind,
        danger,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_can_be_read() {
        assert!(parse().unwrap().len() > 400);
    }
}
