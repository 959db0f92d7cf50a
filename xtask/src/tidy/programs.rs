//! A file of tests that no program of tests names would never run, and nobody would notice.

use super::{Finding, house::House};

pub fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, manifest) in house.crates() {
        if !manifest.text.lines().any(|line| line.trim() == "autotests = false") {
            continue;
        }
        let folder = manifest.path.replace("Cargo.toml", "tests/");
        let all = house.file(&format!("{folder}all.rs")).map_or("", |file| &file.code);
        for file in &house.files {
            let Some(stem) = file.path.strip_prefix(&folder).and_then(|at| at.strip_suffix(".rs"))
            else {
                continue;
            };
            let is_module = all.lines().any(|line| line.trim() == format!("mod {stem};"));
            let is_program = manifest.text.contains(&format!("name = \"{stem}\""));
            if !stem.contains('/') && !is_module && !is_program {
                let what = format!("never runs: tests/all.rs of {name} does not name it");
                findings.push(Finding::of_file(&file.path, what));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_tests_that_nobody_names_is_found() {
        let manifest = "[package]\nautotests = false\n[[test]]\nname = \"all\"\n";
        let house = House::of(&[
            ("crates/app/Cargo.toml", manifest),
            ("crates/app/tests/all.rs", "mod named;\n// mod forgotten;\n"),
            ("crates/app/tests/named.rs", ""),
            ("crates/app/tests/forgotten.rs", ""),
            ("crates/app/tests/support/mod.rs", ""),
            ("crates/other/Cargo.toml", "[package]\n"),
            ("crates/other/tests/found_by_cargo.rs", ""),
        ]);
        let found = check(&house);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].path, "crates/app/tests/forgotten.rs");
    }
}
