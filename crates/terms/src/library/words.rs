//! Words that were typed, against the names of a concept.

use crate::hangul::{fold, initials, is_initials};

/// What somebody typed to narrow a list: each word has to stand in a name or begin the code.
///
/// Korean may be typed in part or by initial consonants, and Latin letters in any case, as in
/// the lists that are built in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(Vec<Word>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    folded: String,
    by_initials: bool,
}

impl Words {
    /// Reads what was typed. Nothing typed fits everything.
    pub fn new(text: &str) -> Self {
        let word = |text: &str| Word { folded: fold(text), by_initials: is_initials(text) };
        let words = text.split_whitespace().map(word);
        Self(words.filter(|word| !word.folded.is_empty()).collect())
    }

    /// Whether everything fits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a concept fits.
    pub fn fit<'a>(&self, code: &str, names: impl Iterator<Item = &'a str>) -> bool {
        self.is_empty() || self.fit_folded(code, &folded_names(names))
    }

    /// Whether a concept fits whose names were folded before ([`folded_names`]).
    pub fn fit_folded(&self, code: &str, names: &str) -> bool {
        if self.is_empty() {
            return true;
        }
        let code = fold(code);
        let leads = self.0.iter().any(|word| word.by_initials).then(|| initials(names));
        self.0.iter().all(|word| {
            let names = leads.as_deref().filter(|_| word.by_initials).unwrap_or(names);
            names.contains(&word.folded) || code.starts_with(&word.folded)
        })
    }
}

/// Names in the form in which they are compared.
pub fn folded_names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut folded = String::new();
    for name in names {
        if !folded.is_empty() {
            folded.push('/');
        }
        folded.push_str(&fold(name));
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_parts_of_names_initials_or_the_beginning_of_the_code() {
        let names = ["Pulmonary tuberculosis", "페결핵"];
        let fits = |typed: &str| Words::new(typed).fit("A15.0", names.into_iter());
        for typed in ["", " ", "tuber", "TUBER pulm", "페결", "ㅍㄱㅎ", "a15", "A15.0", "페결 tub"]
        {
            assert!(fits(typed), "{typed}");
        }
        for typed in ["tuberx", "5.0", "ㄱㅍ", "결페", "pulm x"] {
            assert!(!fits(typed), "{typed}");
        }
    }
}
