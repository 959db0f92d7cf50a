//! Folding of texts, so that what is typed finds what was written.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// A text as string searches compare it (R4 3.1.1.4.8): compatibility forms unified (full-width
/// letters are plain ones), lower case, accents of Latin letters dropped, white space at the
/// ends dropped and between words one space. Hangul is composed to syllables and otherwise as it
/// was. Folding a folded text changes nothing.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut was_space = true;
    let mut was_latin = false;
    // Lower case can come apart again (and so be accented again), so it is decomposed twice.
    for c in text.nfkd().flat_map(char::to_lowercase).nfkd() {
        if c.is_whitespace() {
            if !was_space {
                folded.push(' ');
            }
            was_space = true;
            continue;
        }
        if is_combining_mark(c) {
            if was_latin {
                continue;
            }
        } else {
            was_latin = is_latin(c);
        }
        was_space = false;
        folded.push(c);
    }
    if folded.ends_with(' ') {
        folded.pop();
    }
    if folded.is_ascii() { folded } else { folded.nfc().collect() }
}

const fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
}

/// Whether a text begins with a Hangul syllable or a Chinese character, as names do that are
/// written without a space between family and given name.
pub(crate) fn is_written_together(text: &str) -> bool {
    text.starts_with(|c| matches!(c, '\u{ac00}'..='\u{d7a3}' | '\u{4e00}'..='\u{9fff}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_accents_width_and_spaces_fold() {
        for (text, folded) in [
            ("  José  GARCÍA ", "jose garcia"),
            ("Ｒｉ　Ｙｏｎｇ", "ri yong"),
            ("리용희", "리용희"),
            ("\u{1105}\u{1175}용희", "리용희"),
            ("Đỗ", "đo"),
            ("ЙОД", "йод"),
            ("", ""),
        ] {
            assert_eq!(fold(text), folded);
        }
    }

    #[test]
    fn unlike_syllables_stay_unlike() {
        assert_ne!(fold("녀성"), fold("여성"));
        assert_ne!(fold("리"), fold("이"));
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,24}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
