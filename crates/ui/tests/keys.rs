//! Templates and sources use texts, icons and files that exist, and nothing lies about unused.
//!
//! The check reads the text of the files: it finds `t.get("…")`, `t.msg("…")`, `key!("…")`,
//! `t.icon("…")`, `asset("…")`. A handle on texts is therefore always called `t`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

fn files(folder: &Path, extension: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

fn templates() -> Vec<(PathBuf, String)> {
    files(&root("templates"), "html")
}

/// Sources without their tests: a test may name a key that is missing on purpose.
fn sources() -> Vec<(PathBuf, String)> {
    let mut all = files(&root("src"), "rs");
    all.extend(files(&root("examples"), "rs"));
    for (_, text) in &mut all {
        if let Some(at) = text.find("#[cfg(test)]") {
            text.truncate(at);
        }
        let code = |line: &&str| !line.trim_start().starts_with("//");
        *text = text.lines().filter(code).collect::<Vec<_>>().join("\n");
    }
    all
}

/// Literals that stand right after `call(`, where `call` is a whole word.
fn literals<'a>(text: &'a str, call: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(call) {
        let before = text[..at].chars().next_back();
        let rest = text[at + call.len()..].trim_start();
        let Some(rest) = rest.strip_prefix('(') else { continue };
        let Some(rest) = rest.trim_start().strip_prefix('"') else { continue };
        if before.is_none_or(|c| !c.is_alphanumeric() && c != '_') {
            found.extend(rest.split('"').next());
        }
    }
    found
}

/// Without the white space with which rustfmt breaks a chain of calls.
fn unbroken(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let part = line.trim_start();
        if part.starts_with('.') {
            out.push_str(part);
        } else {
            out.push('\n');
            out.push_str(part);
        }
    }
    out
}

fn used(calls: &[&str]) -> BTreeMap<String, PathBuf> {
    let mut used = BTreeMap::new();
    for (path, text) in templates().into_iter().chain(sources()) {
        let text = unbroken(&text);
        for call in calls {
            for literal in literals(&text, call) {
                used.insert(literal.to_owned(), path.clone());
            }
        }
    }
    used
}

/// The keys of a language with the names of their arguments; a key twice is an error.
fn keys(lang: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut keys = BTreeMap::new();
    let mut last = String::new();
    for (path, text) in files(&root("locales").join(lang), "ftl") {
        for line in text.lines().filter(|l| !l.starts_with('#')) {
            if !line.starts_with([' ', '\t', '}'])
                && let Some((key, _)) = line.split_once('=')
            {
                key.trim().clone_into(&mut last);
                let twice = keys.insert(last.clone(), BTreeSet::new()).is_some();
                assert!(!twice, "{last} stands twice, last in {}", path.display());
            }
            for part in line.split('$').skip(1) {
                let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
                let name = part[..end.unwrap_or(part.len())].to_owned();
                keys.entry(last.clone()).or_default().insert(name);
            }
        }
    }
    keys
}

#[test]
fn both_languages_have_the_same_keys_and_arguments() {
    let (korean, english) = (keys("ko-KP"), keys("en"));
    let names = |k: &BTreeMap<String, _>| k.keys().cloned().collect::<BTreeSet<String>>();
    let (ko, en) = (names(&korean), names(&english));
    let lacking: Vec<_> = ko.symmetric_difference(&en).collect();
    assert!(lacking.is_empty(), "in one language only: {lacking:?}");
    for (key, arguments) in &korean {
        // A text may use fewer arguments than the other (plural forms), but no unknown ones.
        assert_eq!(arguments, &english[key], "arguments of {key}");
    }
}

#[test]
fn every_key_that_is_used_exists_and_every_key_that_exists_is_used() {
    let used = used(&["t.get", "t.msg", "key!"]);
    let known = keys("ko-KP");
    let missing: Vec<_> = used.iter().filter(|(key, _)| !known.contains_key(*key)).collect();
    assert!(missing.is_empty(), "no such keys: {missing:#?}");
    let idle: Vec<_> = known.keys().filter(|key| !used.contains_key(*key)).collect();
    assert!(idle.is_empty(), "nothing uses: {idle:#?}");
}

#[test]
fn files_of_both_languages_have_the_same_names() {
    let names = |lang: &str| {
        let all = files(&root("locales").join(lang), "ftl");
        let names = all.iter().map(|(path, _)| path.file_name().unwrap().to_owned());
        names.collect::<BTreeSet<_>>()
    };
    assert_eq!(names("ko-KP"), names("en"));
}

#[test]
fn icons_and_static_files_exist() {
    let sprite = std::fs::read_to_string(root("static/icons.svg")).unwrap();
    for (icon, path) in used(&["icon"]) {
        let found = sprite.contains(&format!("id=\"{icon}\""));
        assert!(found, "no icon {icon} for {}", path.display());
    }
    for (file, path) in used(&["asset"]) {
        assert!(root("static").join(&file).exists(), "no file {file} for {}", path.display());
    }
}

#[test]
fn templates_hold_no_text_script_or_style_of_their_own() {
    for (path, text) in templates() {
        let name = path.display();
        let lower = text.to_lowercase();
        for banned in ["<script>", "<style", " style=", " onclick=", " onload=", " onsubmit="] {
            assert!(!lower.contains(banned), "{banned} in {name}: the policy forbids it");
        }
        for banned in ["http://", "https://", "src=\"//", "href=\"//"] {
            assert!(!lower.contains(banned), "{banned} in {name}: nothing is asked outside");
        }
        let gallery = path.components().any(|c| c.as_os_str() == "gallery");
        let hangul = text.chars().any(|c| ('가'..='힣').contains(&c));
        assert!(gallery || !hangul, "{name} holds Korean text: it belongs into locales");
        for form in text.split("<form").skip(1) {
            let tag = form.split('>').next().unwrap();
            let body = form.split("</form>").next().unwrap();
            let post = tag.contains("method=\"post\"");
            let token = body.contains("csrf(") || body.contains("name=\"csrf\"");
            assert!(!post || token, "a form in {name} has no token");
        }
    }
}
