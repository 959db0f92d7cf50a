//! The texts of the screens, by key: steps of tests say what a button means, not what it says,
//! and so run in every language.

use std::{collections::BTreeMap, fs, path::Path};

use crate::browser::Lang;

/// The texts of one language.
#[derive(Debug, Clone)]
pub struct Words(BTreeMap<String, String>);

impl Words {
    /// Reads the texts of a language from the source tree.
    pub fn of(lang: Lang) -> Self {
        let locales = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/locales");
        let mut words = BTreeMap::new();
        for file in fs::read_dir(locales.join(lang.tag())).into_iter().flatten().flatten() {
            words.extend(read(&fs::read_to_string(file.path()).unwrap_or_default()));
        }
        assert!(!words.is_empty(), "the texts of {} are not where they were", lang.tag());
        Self(words)
    }

    /// The text of a key; where something stands in its place (`{ $name }`), the longest part
    /// without it.
    #[track_caller]
    pub fn say(&self, key: &str) -> &str {
        let text = self.0.get(key);
        text.map_or_else(|| panic!("no text has the key '{key}'"), |text| longest_part(text))
    }
}

/// `key = text`, without attributes and without selections.
fn read(file: &str) -> impl Iterator<Item = (String, String)> {
    file.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase())).filter_map(|l| {
        let (key, text) = l.split_once('=')?;
        Some((key.trim().to_owned(), text.trim().to_owned()))
    })
}

fn longest_part(text: &str) -> &str {
    let parts = text.split('{').enumerate().map(|(at, part)| match part.split_once('}') {
        Some((_, rest)) if at > 0 => rest.trim(),
        _ => part.trim(),
    });
    parts.max_by_key(|part| part.chars().count()).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_and_the_part_that_is_always_there_is_given() {
        let read: Vec<_> = read("# note\na-b = Save\n  more\nc = { $n } people wait\n").collect();
        assert_eq!(read[0], ("a-b".into(), "Save".into()));
        assert_eq!(longest_part(&read[1].1), "people wait");
        assert_eq!(longest_part("From { $name } to"), "From");
    }

    #[test]
    fn both_languages_are_there() {
        for lang in Lang::ALL {
            assert!(!Words::of(lang).say("door-enter").is_empty());
        }
    }
}
