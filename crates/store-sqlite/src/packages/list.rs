//! The file that says which packages count.

use std::path::{Path, PathBuf};

/// The first line of the file, with its version.
const FIRST: &str = "ondol-packages 1";

/// A package that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The BLAKE3 hash of its file, in hex.
    pub hash: String,
    /// Its name.
    pub name: String,
}

impl Listed {
    /// Where its file stands.
    pub fn file_in(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.db", self.hash))
    }
}

/// Reads the file; none if it is another one.
pub fn parse(text: &str) -> Option<Vec<Listed>> {
    let rest = text.strip_prefix(FIRST)?.strip_prefix('\n')?;
    let is_hash = |hash: &str| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    rest.lines()
        .map(|line| {
            let (hash, name) = line.split_once(' ')?;
            is_hash(hash).then(|| Listed { hash: hash.to_owned(), name: name.to_owned() })
        })
        .collect()
}

/// The text of the file.
pub fn write(packages: &[Listed]) -> String {
    let mut text = format!("{FIRST}\n");
    for package in packages {
        text.extend([&package.hash, " ", &package.name, "\n"]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_comes_back_and_another_file_is_none() {
        let one = Listed { hash: "0f".repeat(32), name: "hl7.fhir.r4.core 4.0.1".to_owned() };
        let two = Listed { hash: "a0".repeat(32), name: "http://loinc.org".to_owned() };
        let text = write(&[one.clone(), two.clone()]);
        assert_eq!(parse(&text), Some(vec![one, two]));
        assert_eq!(parse(&write(&[])), Some(vec![]));
        for other in
            ["", "ondol-packages 2\n", "ondol-packages 1\nx y\n", "ondol-packages 1\n../../x y\n"]
        {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
