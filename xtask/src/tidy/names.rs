//! Names that say nothing about what is inside.

use super::{
    Finding,
    config::Names,
    house::House,
    rust_code::{line_of, skip_space, word_at, words},
};

/// The words in front of a module's or a type's name.
const DEFINES: [&str; 6] = ["mod", "struct", "enum", "trait", "type", "union"];

pub fn check(names: &Names, house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    let empty = |name: &str| parts(name).into_iter().find(|part| names.words.contains(part));
    for file in house.files.iter().filter(|f| names.extensions.iter().any(|e| e == f.extension())) {
        let stem = file.path.rsplit_once('.').map_or(&*file.path, |(stem, _)| stem);
        if let Some(word) = empty(stem) {
            findings.push(Finding::of_file(&file.path, format!("'{word}' says nothing as a name")));
        }
        for keyword in DEFINES {
            for at in words(&file.code, keyword) {
                let name = word_at(&file.code, skip_space(&file.code, at + keyword.len()));
                if let Some(word) = empty(name) {
                    let what = format!("{keyword} {name}: '{word}' says nothing as a name");
                    findings.push(Finding::at(&file.path, line_of(&file.code, at), what));
                }
            }
        }
    }
    findings
}

/// The words of a path, a `snake_case` or a `CamelCase` name, in lower case.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for letter in name.chars() {
        let starts = letter.is_uppercase() || !letter.is_alphanumeric();
        if starts && parts.last().is_some_and(|part| !part.is_empty()) {
            parts.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(part) = parts.last_mut()
        {
            part.extend(letter.to_lowercase());
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, source: &str) -> usize {
        let names: Names =
            toml::from_str("extensions = ['rs']\nwords = ['util', 'manager']").unwrap();
        check(&names, &House::of(&[(path, source)])).len()
    }

    #[test]
    fn empty_names_of_files_modules_and_types_are_found() {
        assert_eq!(count("crates/a/src/util.rs", ""), 1);
        assert_eq!(count("crates/a/src/time_util/mod.rs", ""), 1);
        assert_eq!(count("crates/a/src/a.rs", "struct LinkManager;"), 1);
        assert_eq!(count("crates/a/src/a.rs", "pub mod util { pub trait Manager {} }"), 2);
    }

    #[test]
    fn a_role_or_a_variable_may_be_called_so() {
        assert_eq!(count("crates/a/src/a.rs", "enum Role { FacilityManager }"), 0);
        assert_eq!(count("crates/a/src/futile.rs", "fn f() { let manager = \"util\"; }"), 0);
    }
}
