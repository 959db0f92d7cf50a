//! Finding an entry of a list by what somebody typed.

use crate::hangul::{fold, initials, is_initials};

/// The folded forms of one entry of a list.
pub(crate) struct Indexed {
    code: String,
    names: Vec<Name>,
}

struct Name {
    folded: String,
    initials: String,
    /// Where the words after the first begin in `folded`.
    word_starts: Vec<usize>,
    /// Whether it is one of the entry's names, not a synonym.
    main: bool,
}

/// How well an entry fits, best first. The order of the variants is the order of the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Exact,
    Start,
    WordStart,
    Inside,
    Initials,
    InitialsInside,
    AllWords,
}

impl Indexed {
    /// The index of one entry: its code, its names and its synonyms.
    pub(crate) fn new(code: &str, names: &[&str], synonyms: &[&[&str]]) -> Self {
        let main = names.iter().map(|name| Name::new(name, true));
        let other = synonyms.iter().flat_map(|list| list.iter().map(|name| Name::new(name, false)));
        Self { code: fold(code), names: main.chain(other).collect() }
    }

    fn best(&self, query: &Query) -> Option<(Fit, bool, usize)> {
        let code = if self.code == query.folded {
            Some((Fit::Exact, false, 0))
        } else if self.code.starts_with(&query.folded) {
            Some((Fit::Start, false, self.code.len()))
        } else {
            None
        };
        let names = self.names.iter().filter_map(|name| {
            name.fit(query).map(|fit| (fit, !name.main, name.folded.chars().count()))
        });
        names.chain(code).min().or_else(|| self.has_all_words(query))
    }

    fn has_all_words(&self, query: &Query) -> Option<(Fit, bool, usize)> {
        let held = |word: &String| self.names.iter().any(|name| name.folded.contains(word));
        let all = query.words.len() > 1 && query.words.iter().all(held);
        all.then_some((Fit::AllWords, false, 0))
    }
}

impl Name {
    fn new(name: &str, main: bool) -> Self {
        let mut folded = String::new();
        let mut word_starts = Vec::new();
        for word in name.split(|c: char| c.is_whitespace() || matches!(c, '-' | '(' | '+' | ',')) {
            let word = fold(word);
            if !folded.is_empty() && !word.is_empty() {
                word_starts.push(folded.len());
            }
            folded.push_str(&word);
        }
        Self { initials: initials(name), folded, word_starts, main }
    }

    fn fit(&self, query: &Query) -> Option<Fit> {
        let asked = query.folded.as_str();
        if query.by_initials {
            return match self.initials.find(asked) {
                Some(0) => Some(Fit::Initials),
                Some(_) => Some(Fit::InitialsInside),
                None => None,
            };
        }
        if self.folded == asked {
            return Some(Fit::Exact);
        }
        if self.folded.starts_with(asked) {
            return Some(Fit::Start);
        }
        if self.word_starts.iter().any(|start| self.folded[*start..].starts_with(asked)) {
            return Some(Fit::WordStart);
        }
        self.folded.contains(asked).then_some(Fit::Inside)
    }
}

struct Query {
    folded: String,
    words: Vec<String>,
    by_initials: bool,
}

impl Query {
    fn new(text: &str) -> Self {
        let words = text.split_whitespace().map(fold).filter(|word| !word.is_empty()).collect();
        // Brackets and signs between words are not part of a folded name either.
        let folded: String = fold(text).replace(['(', '+', ','], "");
        Self { folded, words, by_initials: is_initials(text) }
    }
}

/// The entries that fit a query, best first; `codes` are the codes of the entries.
///
/// Exact hits stand first, then the preferred entries, then the rest; within each, by how well
/// they fit, names before synonyms, shorter names before longer ones. An empty query gives the
/// preferred entries, in the order of `preferred`.
pub(crate) fn ranked(
    index: &[Indexed],
    codes: &[&str],
    query: &str,
    preferred: &[&str],
) -> Vec<usize> {
    let place = |entry: usize| preferred.iter().position(|code| *code == codes[entry]);
    let query = Query::new(query);
    if query.folded.is_empty() {
        return preferred
            .iter()
            .filter_map(|code| codes.iter().position(|held| held == code))
            .collect();
    }
    let mut found: Vec<_> = (0..index.len())
        .filter_map(|entry| {
            let (fit, synonym, length) = index[entry].best(&query)?;
            let liked = place(entry).unwrap_or(usize::MAX);
            let exact = fit == Fit::Exact;
            Some(((!exact, liked == usize::MAX, fit, synonym, liked, length, entry), entry))
        })
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, entry)| entry).collect()
}
