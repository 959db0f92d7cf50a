//! What is found for what somebody types, and in which order.

use ondol_terms::{search_diagnoses, search_medicines};

fn codes(query: &str) -> Vec<&'static str> {
    search_diagnoses(query, &[]).iter().map(|entry| entry.code).collect()
}

fn atc(query: &str) -> Vec<&'static str> {
    search_medicines(query, &[]).iter().map(|entry| entry.atc).collect()
}

#[test]
fn an_exact_name_stands_first() {
    assert_eq!(codes("기침")[0], "R05");
    assert_eq!(codes("cough")[0], "R05");
    assert_eq!(codes("페염")[0], "J18.9");
    assert_eq!(atc("아스피린")[0], "N02BA01");
    assert_eq!(atc("morphine")[0], "N02AA01");
}

#[test]
fn synonyms_of_both_languages_are_found() {
    assert_eq!(codes("두통")[0], "R51");
    assert_eq!(codes("pertussis")[0], "A37.9");
    assert_eq!(codes("맹장염")[0], "K35.8");
    assert_eq!(atc("acetaminophen")[0], "N02BE01");
    assert_eq!(atc("클로람페니콜")[0], "J01BA01");
}

#[test]
fn codes_are_found_with_and_without_point_in_either_case() {
    assert_eq!(codes("j189")[0], "J18.9");
    assert_eq!(codes("J18.9")[0], "J18.9");
    assert!(codes("A15").contains(&"A15.0"));
    assert_eq!(atc("j01ca04"), ["J01CA04"]);
}

#[test]
fn initial_consonants_find_words_that_begin_so() {
    let found = codes("ㄱㅊ");
    assert!(found.contains(&"R05"));
    assert_eq!(search_diagnoses("ㅎㅇ", &[])[0].code, "B05.9");
    // The input method joins ㄱ and ㅅ into one letter.
    assert_eq!(codes("ㄳ"), codes("ㄱㅅ"));
    assert!(atc("ㅇㅁㅅㅅㄹ").contains(&"J01CA04"));
}

#[test]
fn initial_consonants_keep_to_the_north() {
    assert!(codes("ㄹㅈ").contains(&"A54.9"), "림질 begins with ㄹ");
    assert!(!codes("ㅇㅈ").contains(&"A54.9"));
}

#[test]
fn a_syllable_that_is_still_being_typed_already_finds() {
    for typed in ["페", "페ㄱ", "페겨", "페결", "페결ㅎ", "페결해", "페결핵"] {
        assert!(codes(typed).contains(&"A15.0"), "{typed}");
    }
}

#[test]
fn composed_and_decomposed_hangul_find_the_same() {
    // 기침 as conjoining letters.
    let decomposed = "\u{1100}\u{1175}\u{110E}\u{1175}\u{11B7}";
    assert_eq!(codes(decomposed), codes("기침"));
    assert_eq!(codes(decomposed)[0], "R05");
}

#[test]
fn spaces_do_not_matter_in_korean() {
    assert_eq!(codes("배 아픔")[0], "R10.4");
    assert_eq!(codes("심한영양실조")[0], "E43");
}

#[test]
fn words_may_come_in_any_order() {
    assert!(codes("chest pain").contains(&"R07.4"));
    assert!(codes("pain chest").contains(&"R07.4"));
    assert!(!codes("pain xyz").contains(&"R07.4"));
}

#[test]
fn beginnings_of_words_come_before_insides() {
    let found = codes("fever");
    assert_eq!(found[0], "R50.9");
    let hay = found.iter().position(|code| *code == "J30.4").unwrap();
    let typhoid = found.iter().position(|code| *code == "A38").unwrap();
    assert!(hay > 0 && typhoid > 0);
    assert_eq!(atc("amox")[0], "J01CA04");
    let inside = atc("oxacillin");
    assert_eq!(inside, ["J01CF02"]);
}

#[test]
fn preferred_entries_stand_before_all_but_exact_hits() {
    let plain = codes("배");
    assert_ne!(plain[0], "T62.0");
    let liked = search_diagnoses("중독", &["T60.0"]);
    let order: Vec<_> = liked.iter().map(|entry| entry.code).collect();
    assert_eq!(order[0], "T65.9", "the exact name stays first");
    assert_eq!(order[1], "T60.0", "then what the facility uses");
}

#[test]
fn an_empty_query_gives_the_preferred_ones_in_their_order() {
    let found = search_diagnoses("  ", &["J00", "nonsense", "A09.9"]);
    let order: Vec<_> = found.iter().map(|entry| entry.code).collect();
    assert_eq!(order, ["J00", "A09.9"]);
    assert!(search_medicines("", &[]).is_empty());
}

#[test]
fn nonsense_finds_nothing_and_does_not_fail() {
    for query in ["zzzz", "...", "((((", "ㅏㅏㅏㅏ", "\u{0}", "💊", "%_'\"; drop", "\u{301}"]
    {
        assert_eq!(codes(query), Vec::<&str>::new(), "{query:?}");
    }
}

#[test]
fn every_entry_is_found_first_or_among_its_namesakes_by_its_own_names() {
    for entry in ondol_terms::diagnoses() {
        for name in [entry.ko, entry.en, entry.code] {
            let found = codes(name);
            let place = found.iter().position(|code| *code == entry.code);
            assert!(place.is_some_and(|place| place < 3), "{name}: {found:?}");
        }
    }
    for entry in ondol_terms::medicines() {
        for name in [entry.ko, entry.inn, entry.atc] {
            let place = atc(name).iter().position(|code| *code == entry.atc);
            assert!(place.is_some_and(|place| place < 3), "{name}");
        }
    }
}
