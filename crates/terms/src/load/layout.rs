//! Which column of a table says what, by the names in its header.

use super::LoadError;
use crate::{ATC, ICD_10, LOINC};

/// ICD-11 for mortality and morbidity statistics (HL7's registry of code systems).
pub const ICD_11: &str = "http://id.who.int/icd/release/11/mms";

/// The URL of a code system that is called by a short name; anything else is its URL.
pub fn system_called(name: &str) -> &str {
    match name.to_ascii_lowercase().as_str() {
        "icd-10" | "icd10" => ICD_10,
        "icd-11" | "icd11" => ICD_11,
        "atc" => ATC,
        "loinc" => LOINC,
        _ => name,
    }
}

/// What a table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Layout {
    /// WHO's linearization of ICD-11: the place in the tree stands in dashes before the title.
    Icd11 { code: usize, block: Option<usize>, chapter: Option<usize>, title: usize, kind: usize },
    /// `Loinc.csv` of LOINC's distribution.
    Loinc { code: usize, name: usize, short: Option<usize>, status: Option<usize> },
    /// Any other.
    Plain(Plain),
}

/// A table with a column for the code and some for what is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plain {
    pub(super) code: usize,
    pub(super) title: usize,
    /// A Korean name beside the first one.
    pub(super) korean: Option<usize>,
    pub(super) parent: Option<usize>,
    pub(super) definition: Option<usize>,
    /// The system that the header names by the column of the code.
    pub(super) system: Option<&'static str>,
}

const CODES: [(&str, Option<&str>); 16] = [
    ("code", None),
    ("conceptcode", None),
    ("부호", None),
    ("코드", None),
    ("icd10", Some(ICD_10)),
    ("icd10code", Some(ICD_10)),
    ("icd10who", Some(ICD_10)),
    ("icd11", Some(ICD_11)),
    ("icd11code", Some(ICD_11)),
    ("atc", Some(ATC)),
    ("atccode", Some(ATC)),
    ("atc5", Some(ATC)),
    ("loinc", Some(LOINC)),
    ("loinccode", Some(LOINC)),
    ("icd", None),
    ("icdcode", None),
];

const TITLES: [&str; 20] = [
    "display",
    "title",
    "name",
    "description",
    "term",
    "label",
    "atcname",
    "atclevelname",
    "longtitle",
    "longname",
    "longdescription",
    "fulldescription",
    "shortdescription",
    "icd10name",
    "en",
    "english",
    "이름",
    "병명",
    "명칭",
    "의미",
];

const KOREAN: [&str; 7] = ["ko", "kokp", "korean", "titleko", "nameko", "displayko", "조선말"];
const PARENTS: [&str; 4] = ["parent", "parentcode", "상위", "상위부호"];

/// A name of a column without what differs from one table to the next.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Layout {
    pub(super) fn of(header: &[String]) -> Result<Self, LoadError> {
        let names: Vec<String> = header.iter().map(|name| plain(name)).collect();
        let at = |name: &str| names.iter().position(|known| known == name);
        let any = |wanted: &[&str]| wanted.iter().find_map(|name| at(name));
        if let (Some(code), Some(title), Some(kind)) = (at("code"), at("title"), at("classkind")) {
            let (block, chapter) = (at("blockid"), at("chapterno"));
            return Ok(Self::Icd11 { code, block, chapter, title, kind });
        }
        if let Some(code) = at("loincnum") {
            let name = any(&["longcommonname", "displayname", "component"]);
            let (short, status) = (at("shortname"), at("status"));
            return Ok(Self::Loinc { code, name: name.ok_or(LoadError::Header)?, short, status });
        }
        let code = CODES.iter().find_map(|(name, system)| Some((at(name)?, *system)));
        let (code, system) = code.ok_or(LoadError::Header)?;
        let korean = any(&KOREAN);
        let title = any(&TITLES).or(korean).ok_or(LoadError::Header)?;
        Ok(Self::Plain(Plain {
            code,
            title,
            korean: korean.filter(|at| *at != title),
            parent: any(&PARENTS),
            definition: at("definition"),
            system,
        }))
    }

    /// The system that the table itself names.
    pub(super) const fn system(&self) -> Option<&'static str> {
        match self {
            Self::Icd11 { .. } => Some(ICD_11),
            Self::Loinc { .. } => Some(LOINC),
            Self::Plain(plain) => plain.system,
        }
    }
}

/// The code that stands above one by its form; none for the top, or where the form says nothing.
///
/// ICD-10: `A00.1` is one of `A00` (WHO, ICD-10 volume 2, 2.4.1: three characters, then a fourth
/// after a point). ATC: levels of 1, 3, 4, 5 and 7 characters (WHO, Guidelines for ATC
/// classification and DDD assignment 2024, I.B).
pub(super) fn above_by_form<'c>(system: &str, code: &'c str) -> Option<&'c str> {
    if !code.is_ascii() {
        return None;
    }
    match system {
        ICD_10 => {
            let (category, after) = code.split_once('.')?;
            Some(if after.len() > 1 { &code[..code.len() - 1] } else { category })
        }
        ATC => {
            let length = match code.len() {
                7 => 5,
                5 => 4,
                4 => 3,
                3 => 1,
                _ => return None,
            };
            Some(&code[..length])
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(header: &str) -> Result<Layout, LoadError> {
        Layout::of(&header.split(',').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn tables_are_known_by_their_header() {
        for (header, system) in [
            (
                "Foundation URI,Linearization URI,Code,BlockId,Title,ClassKind,DepthInKind",
                Some(ICD_11),
            ),
            ("LOINC_NUM,COMPONENT,PROPERTY,LONG_COMMON_NAME", Some(LOINC)),
            ("atc_code,atc_name,ddd,uom,adm_r,note", Some(ATC)),
            ("ATC code,ATC level name,DDD", Some(ATC)),
            ("ICD-10,Title", Some(ICD_10)),
            ("Code,Description", None),
            ("부호,이름", None),
        ] {
            assert_eq!(layout(header).unwrap().system(), system, "{header}");
        }
        for header in ["a,b", "code,x", "title,x"] {
            assert!(matches!(layout(header), Err(LoadError::Header)), "{header}");
        }
    }

    #[test]
    fn the_form_of_a_code_tells_what_stands_above_it() {
        for (system, code, above) in [
            (ICD_10, "A00.1", Some("A00")),
            (ICD_10, "M10.01", Some("M10.0")),
            (ICD_10, "A00", None),
            (ICD_10, "A00-A09", None),
            (ATC, "J01CA04", Some("J01CA")),
            (ATC, "J01C", Some("J01")),
            (ATC, "J01", Some("J")),
            (ATC, "J", None),
            (LOINC, "8310-5", None),
            (ICD_10, "가.나", None),
        ] {
            assert_eq!(above_by_form(system, code), above, "{code}");
        }
    }
}
