//! Which crates do no IO and read no clock (ARCHITECTURE.md, 'The arrows').

use anyhow::{Context, Result};
use toml::Table;

use super::{
    Finding, arrows,
    config::Purity,
    house::House,
    rust_code::{line_of, skip_space, without_tests, word_at, words},
};

pub fn check(purity: &Purity, house: &House) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (name, manifest) in house.crates() {
        if !purity.crates.iter().any(|pure| pure == name) {
            continue;
        }
        let table: Table = toml::from_str(&manifest.text).with_context(|| manifest.path.clone())?;
        for used in arrows::shipped_dependencies(&table) {
            if purity.dependencies.contains(&used) {
                let what = format!("'{name}' is pure and may not depend on '{used}'");
                findings.push(Finding::of_file(&manifest.path, what));
            }
        }
        for file in house.sources(name).filter(|file| !file.is_test()) {
            for (line, path) in std_paths(&without_tests(&file.code)) {
                if purity.std_paths.iter().any(|banned| touches(&path, banned)) {
                    let what = format!("'{name}' is pure and may not use std::{path}");
                    findings.push(Finding::at(&file.path, line, what));
                }
            }
        }
    }
    Ok(findings)
}

/// Whether a path leads into the banned one, or opens a module that holds it.
fn touches(path: &str, banned: &str) -> bool {
    let opens = path.strip_suffix("*").or(path.strip_suffix("self"));
    let path: Vec<&str> = opens.unwrap_or(path).split("::").filter(|s| !s.is_empty()).collect();
    path.iter().zip(banned.split("::")).all(|(a, b)| *a == b)
}

/// Every path below `std::`, groups taken apart, with its line. Masked code only.
fn std_paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for at in words(code, "std") {
        let after = skip_space(code, at + 3);
        if code[after..].starts_with("::") {
            let mut paths = Vec::new();
            read_tree(code, after + 2, "", &mut paths);
            found.extend(paths.into_iter().map(|path| (line_of(code, at), path)));
        }
    }
    found
}

/// Reads what may follow `prefix::` (The Rust Reference, 'Use declarations') and returns the
/// position behind it.
fn read_tree(code: &str, at: usize, prefix: &str, found: &mut Vec<String>) -> usize {
    let mut at = skip_space(code, at);
    match code.as_bytes().get(at) {
        Some(b'{') => {
            while !matches!(code.as_bytes().get(at), None | Some(b'}')) {
                at = read_tree(code, at + 1, prefix, found);
                // A name given with `as` is of no interest.
                while !matches!(code.as_bytes().get(at), None | Some(b',' | b'}')) {
                    at += 1;
                }
            }
            (at + 1).min(code.len())
        }
        Some(b'*') => {
            found.push(format!("{prefix}*"));
            at + 1
        }
        _ => {
            let word = word_at(code, at);
            let end = at + word.len();
            let after = skip_space(code, end);
            if word.is_empty() {
                return at;
            }
            if code[after..].starts_with("::") && !code[after + 2..].starts_with('<') {
                return read_tree(code, after + 2, &format!("{prefix}{word}::"), found);
            }
            found.push(format!("{prefix}{word}"));
            end
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rust_code::mask;

    fn findings(manifest: &str, source: &str) -> Vec<Finding> {
        let purity: Purity = toml::from_str(concat!(
            "crates = ['record']\ndependencies = ['tokio']\n",
            "std_paths = ['net', 'fs', 'thread', 'time::SystemTime', 'time::Instant']"
        ))
        .unwrap();
        let house = House::of(&[
            ("crates/record/Cargo.toml", manifest),
            ("crates/record/src/a.rs", source),
        ]);
        check(&purity, &house).unwrap()
    }

    #[test]
    fn paths_are_taken_apart() {
        let code = mask("use std::{fmt, io::{self, Read as R}, collections::BTreeMap};");
        let paths: Vec<String> = std_paths(&code).into_iter().map(|(_, path)| path).collect();
        assert_eq!(paths, ["fmt", "io::self", "io::Read", "collections::BTreeMap"]);
    }

    #[test]
    fn files_sockets_threads_and_clocks_are_found() {
        for source in [
            "use std::fs;",
            "use std::fs::File;",
            "use std::{fmt, net::{IpAddr, TcpStream}};",
            "fn f() { std::thread::spawn(|| ()); }",
            "use std::time::{Duration, Instant};",
            "use std::time;",
            "use std::{time::{self}};",
            "use std::time::*;",
            "use std::*;",
            "fn f() { let t = ::std::time::SystemTime::now(); }",
        ] {
            assert!(!findings("", source).is_empty(), "{source}");
        }
    }

    #[test]
    fn what_needs_no_machine_is_let_be() {
        for source in [
            "use std::time::Duration;",
            "use std::{fmt, str::FromStr};",
            "/// `std::fs` is not used here.\nfn f() -> &'static str { \"std::net\" }",
            "#[cfg(test)]\nmod tests { use std::fs; }",
        ] {
            assert_eq!(findings("", source), [], "{source}");
        }
    }

    #[test]
    fn a_runtime_below_the_record_is_found() {
        assert_eq!(findings("[dependencies]\ntokio.workspace = true", "").len(), 1);
        assert_eq!(findings("[dev-dependencies]\ntokio.workspace = true", ""), []);
    }
}
