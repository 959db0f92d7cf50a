//! Essential medicines, coded in ATC, with the forms and strengths of WHO's model list.

use crate::search::{Indexed, ranked};
use crate::table::{Row, TableError, rows};
use std::sync::OnceLock;

const TABLE: &str = include_str!("../data/medicines.tsv");
const COLUMNS: &[&str] = &["atc", "inn", "ko", "forms", "synonyms_ko", "synonyms_en", "source"];
const WORDS: &str = include_str!("../data/medicine_words.tsv");

/// Words of strengths and their Korean, longest first, so that no word is cut by a shorter one.
const STRENGTH_WORDS: &[(&str, &str)] = &[
    ("trisodium citrate dihydrate", "구연산나트리움"),
    ("potassium chloride", "염화칼리움"),
    ("sodium chloride", "염화나트리움"),
    ("micrograms", "마이크로그람"),
    ("per dose", "(한번 분무량)"),
    ("-ml ampoule", " ml 암풀"),
    ("in ampoule", "암풀"),
    ("-ml vial", " ml 병"),
    ("in sachet", "봉지"),
    ("in vial", "병"),
    ("million IU", "백만 국제단위"),
    ("glucose", "포도당"),
    ("iodine", "요드"),
    ("iron", "철"),
    (" in ", " / "),
    (" to ", " – "),
    ("IU", "국제단위"),
];

/// A medicine under its international name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Medicine {
    /// The ATC code, such as `J01CA04`; unique in the list. A medicine that ATC codes by the way
    /// it is given has a row for each code. Where ATC has no substance, the group (`A07CA`).
    pub atc: &'static str,
    /// The international nonproprietary name in English; in brackets, what this row is for.
    pub inn: &'static str,
    /// The name in Korean, as written in the north.
    pub ko: &'static str,
    /// Forms and strengths, never empty.
    pub forms: Vec<Form>,
    /// Other Korean names.
    pub synonyms_ko: Vec<&'static str>,
    /// Other English names.
    pub synonyms_en: Vec<&'static str>,
    /// List, edition and sections where forms and strengths stand.
    pub source: &'static str,
}

/// A form of a medicine, with the strengths in which it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The form in English, such as `tablet`.
    pub form: &'static str,
    /// The form in Korean.
    pub form_ko: &'static str,
    /// The way it is given in English, such as `oral`, as far as the form tells it.
    pub route: &'static str,
    /// The way it is given in Korean.
    pub route_ko: &'static str,
    /// The strengths as the list gives them, such as `250 mg` or `125 mg/5 ml`; empty where the
    /// list gives none.
    pub strengths: Vec<&'static str>,
}

impl Form {
    /// The strengths with their English words put into Korean; figures and units stay.
    pub fn strengths_ko(&self) -> Vec<String> {
        let put = |strength: &&str| {
            STRENGTH_WORDS
                .iter()
                .fold((*strength).to_owned(), |text, (en, ko)| text.replace(en, ko))
        };
        self.strengths.iter().map(put).collect()
    }
}

/// All medicines, by code.
pub fn medicines() -> &'static [Medicine] {
    static LIST: OnceLock<Vec<Medicine>> = OnceLock::new();
    LIST.get_or_init(|| parse().expect("the compiled-in table is read by a test"))
}

/// The medicine with exactly this ATC code.
pub fn medicine(atc: &str) -> Option<&'static Medicine> {
    medicines().iter().find(|entry| entry.atc == atc)
}

/// Medicines whose code, names or synonyms fit what was typed, best first; the rules are those of
/// [`search_diagnoses`](crate::search_diagnoses).
pub fn search_medicines(query: &str, preferred_codes: &[&str]) -> Vec<&'static Medicine> {
    static INDEX: OnceLock<(Vec<Indexed>, Vec<&str>)> = OnceLock::new();
    let list = medicines();
    let (index, codes) = INDEX.get_or_init(|| {
        let index = list.iter().map(|entry| {
            let synonyms: [&[&str]; 2] = [&entry.synonyms_ko, &entry.synonyms_en];
            Indexed::new(entry.atc, &[entry.ko, entry.inn], &synonyms)
        });
        (index.collect(), list.iter().map(|entry| entry.atc).collect())
    });
    ranked(index, codes, query, preferred_codes).into_iter().map(|i| &list[i]).collect()
}

fn parse() -> Result<Vec<Medicine>, TableError> {
    let words = rows(WORDS, &["kind", "en", "ko"])?;
    rows(TABLE, COLUMNS)?.iter().map(|row| read(row, &words)).collect()
}

fn read(row: &Row, words: &[Row]) -> Result<Medicine, TableError> {
    let forms: Vec<_> = row
        .list("forms")
        .iter()
        .map(|text| read_form(row, text, words))
        .collect::<Result<_, _>>()?;
    if forms.is_empty() {
        return Err(TableError::Empty { line: row.line(), column: "forms" });
    }
    Ok(Medicine {
        atc: row.filled("atc")?,
        inn: row.filled("inn")?,
        ko: row.filled("ko")?,
        forms,
        synonyms_ko: row.list("synonyms_ko"),
        synonyms_en: row.list("synonyms_en"),
        source: row.filled("source")?,
    })
}

fn read_form(row: &Row, text: &'static str, words: &[Row]) -> Result<Form, TableError> {
    let korean = |kind: &str, en: &str| {
        let word = words.iter().find(|word| word.cell("kind") == kind && word.cell("en") == en);
        word.map(|word| word.cell("ko")).filter(|ko| !ko.is_empty())
    };
    let mut parts = text.split('|');
    let (Some(form), Some(route), Some(strengths), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(row.wrong("forms"));
    };
    let (Some(form_ko), Some(route_ko)) = (korean("form", form), korean("route", route)) else {
        return Err(row.wrong("forms"));
    };
    let strengths = strengths.split(", ").filter(|strength| !strength.is_empty()).collect();
    Ok(Form { form, form_ko, route, route_ko, strengths })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_can_be_read() {
        assert!(parse().unwrap().len() > 250);
    }

    #[test]
    fn strengths_in_korean_keep_no_english_word() {
        for medicine in medicines() {
            for strength in medicine.forms.iter().flat_map(Form::strengths_ko) {
                let mut words = strength.split(|c: char| !c.is_ascii_alphabetic());
                let left = words.find(|word| !matches!(*word, "" | "mg" | "g" | "ml" | "L"));
                assert_eq!(left, None, "{}: {strength}", medicine.inn);
            }
        }
    }
}
