//! The lists are complete, their codes well-formed and unique, and their Korean that of the north.

use ondol_terms::{
    Kind, diagnoses, diagnosis, medicine, medicines, specialties, specialty, vitals,
};
use std::collections::HashSet;

fn assert_unique<'a>(codes: impl Iterator<Item = &'a str>) {
    let mut seen = HashSet::new();
    for code in codes {
        assert!(seen.insert(code), "{code} stands twice");
    }
}

fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.chars().zip(shape.chars()).all(|(c, kind)| match kind {
            'A' => c.is_ascii_uppercase(),
            '0' => c.is_ascii_digit(),
            other => c == other,
        })
}

/// Every Korean text of the lists, with the code it belongs to.
fn korean() -> Vec<(&'static str, &'static str)> {
    let mut texts = Vec::new();
    for entry in diagnoses() {
        texts.push((entry.code, entry.ko));
        texts.extend(entry.synonyms_ko.iter().map(|word| (entry.code, *word)));
    }
    for entry in medicines() {
        texts.push((entry.atc, entry.ko));
        texts.extend(entry.synonyms_ko.iter().map(|word| (entry.atc, *word)));
        texts.extend(
            entry.forms.iter().flat_map(|f| [(entry.atc, f.form_ko), (entry.atc, f.route_ko)]),
        );
    }
    texts.extend(vitals().iter().map(|entry| (entry.key, entry.ko)));
    texts.extend(specialties().iter().map(|entry| (entry.code, entry.ko)));
    texts
}

#[test]
fn no_code_stands_twice() {
    assert_unique(diagnoses().iter().map(|entry| entry.code));
    assert_unique(medicines().iter().map(|entry| entry.atc));
    assert_unique(vitals().iter().flat_map(|entry| [entry.key, entry.loinc]));
    assert_unique(specialties().iter().map(|entry| entry.code));
}

#[test]
fn no_name_stands_for_two_codes() {
    assert_unique(medicines().iter().map(|entry| entry.inn));
    assert_unique(specialties().iter().flat_map(|entry| [entry.ko, entry.en]));
    assert_unique(vitals().iter().flat_map(|entry| [entry.ko, entry.en]));
    assert_unique(diagnoses().iter().map(|entry| entry.en));
    assert_unique(diagnoses().iter().map(|entry| entry.ko));
}

#[test]
fn codes_have_the_shape_of_their_system() {
    for entry in diagnoses() {
        assert!(has_shape(entry.code, "A00") || has_shape(entry.code, "A00.0"), "{}", entry.code);
    }
    for entry in medicines() {
        let shapes = ["A00AA00", "A00AA", "A00A"];
        assert!(shapes.iter().any(|shape| has_shape(entry.atc, shape)), "{}", entry.atc);
    }
    for entry in specialties() {
        assert!(entry.code.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", entry.code);
    }
}

#[test]
fn english_is_plain_ascii_and_korean_has_hangul() {
    let english = diagnoses().iter().map(|entry| entry.en).chain(medicines().iter().map(|m| m.inn));
    for text in english {
        assert!(text.is_ascii() && !text.is_empty(), "{text}");
    }
    for (code, text) in korean() {
        assert!(text.chars().any(|c| ('가'..='힣').contains(&c)), "{code}: {text}");
    }
}

#[test]
fn korean_is_written_as_in_the_north() {
    // Southern forms that would slip in: initial sounds dropped, ㅅ between words, 폐, loanwords.
    let southern = [
        "여성",
        "노인",
        "유산",
        "임질",
        "요로",
        "요도",
        "요실금",
        "이질",
        "냉증",
        "난소",
        "난관",
        "늑골",
        "늑막",
        "녹내장",
        "염좌",
        "익수",
        "연탄",
        "유행",
        "임파",
        "임상진단",
        "임상검사",
        "요소",
        "노쇠",
        "폐",
        "콧",
        "잇몸",
        "핏",
        "뒷",
        "귓",
        "바이러스",
        "백신",
        "칼슘",
        "나트륨",
        "칼륨",
        "마그네슘",
        "요오드",
        "류머티",
        "티푸스",
        "알코올",
        "황산",
    ];
    let texts = korean();
    let slips: Vec<_> =
        texts.iter().filter(|(_, text)| southern.iter().any(|form| text.contains(form))).collect();
    assert!(slips.is_empty(), "{slips:?}");
    for (code, ko) in [("H40.9", "록내장"), ("A54.9", "림질"), ("N97.9", "녀성불임증")] {
        assert_eq!(diagnosis(code).unwrap().ko, ko);
    }
    assert_eq!(medicine("A12CB01").unwrap().ko, "류산아연");
}

#[test]
fn symptoms_of_the_r_chapter_are_complaints() {
    for entry in diagnoses().iter().filter(|entry| entry.code.starts_with('R')) {
        assert_eq!(entry.kind, Kind::Complaint, "{}", entry.code);
    }
    assert_eq!(diagnosis("J18.9").unwrap().kind, Kind::Diagnosis);
}

#[test]
fn a_danger_is_marked_with_its_source_alone() {
    let marked: Vec<_> = diagnoses().iter().filter(|entry| entry.danger.is_some()).collect();
    assert!(!marked.is_empty());
    for entry in marked {
        let (_, source) = entry.danger.unwrap();
        assert!(source.contains("Interagency Integrated Triage Tool (2020)"), "{}", entry.code);
    }
    assert!(diagnosis("T63.0").unwrap().danger.is_some());
    assert_eq!(diagnosis("J00").unwrap().danger, None);
}

#[test]
fn medicines_name_the_list_and_section_of_their_strengths() {
    for entry in medicines() {
        let section = entry.source.strip_prefix("WHO EML 18 (2013) ").unwrap();
        assert!(section.starts_with(|c: char| c.is_ascii_digit()), "{}: {section}", entry.inn);
        assert!(!entry.forms.is_empty(), "{}", entry.inn);
    }
    let amoxicillin = medicine("J01CA04").unwrap();
    assert_eq!(amoxicillin.forms[0].strengths, ["250 mg", "500 mg"]);
    assert_eq!(amoxicillin.forms[1].route, "oral");
}

#[test]
fn the_specialties_that_a_village_asks_are_there() {
    for code in ["womens-health", "breast", "child-health", "surgery", "koryo", "dental"] {
        assert!(specialty(code).is_some(), "{code}");
    }
}
