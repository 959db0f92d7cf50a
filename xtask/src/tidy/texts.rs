//! What may stand in no file: one machine's paths, registries' hosts, work put off, tests that
//! are switched off, lints that are silenced without a reason.

use super::{
    Finding,
    config::Texts,
    house::{File, House},
    rust_code::{attributes, line_of, skip_space, word_at, words},
};

/// Paths of one machine, each in two halves so that this file does not hold them.
const MACHINE_PATHS: [(&str, &str); 4] =
    [("/wo", "rk/"), ("/ro", "ot/"), ("/ho", "me/"), ("/tm", "p/bash")];

/// Hosts of package registries: name and rest.
const HOSTS: [(&str, &str); 6] = [
    ("crates", ".io"),
    ("pypi", ".org"),
    ("pythonhosted", ".org"),
    ("npmjs", ".org"),
    ("deb.debian", ".org"),
    ("proxy.golang", ".org"),
];

pub fn check(texts: &Texts, house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &house.files {
        if file.extension() != "lock" && !texts.vendored.contains(&file.path) {
            findings.extend(machine_words(file));
        }
        findings.extend(unfinished(file));
        findings.extend(silenced(file));
    }
    findings
}

fn machine_words(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, text) in (1..).zip(file.text.lines()) {
        for (a, b) in MACHINE_PATHS {
            let path = format!("{a}{b}");
            // A path that begins elsewhere (`site/home/`) is not the machine's.
            let begins = |at: usize| {
                let before = text[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || "_-./}*>)".contains(c))
            };
            if text.match_indices(&path).any(|(at, _)| begins(at)) {
                findings.push(Finding::at(&file.path, line, format!("names a path ({path}…)")));
            }
        }
        for (a, b) in HOSTS {
            if text.contains(&format!("{a}{b}")) {
                let what = format!("names a registry's host ({a}{b})");
                findings.push(Finding::at(&file.path, line, what));
            }
        }
    }
    findings
}

fn unfinished(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in ["todo", "unimplemented"] {
        for at in words(&file.code, name) {
            if file.code[at + name.len()..].starts_with('!') {
                let line = line_of(&file.code, at);
                findings.push(Finding::at(&file.path, line, format!("{name}! puts work off")));
            }
        }
    }
    findings
}

fn silenced(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, attribute) in attributes(&file.code) {
        let mut report = |what: &str| {
            findings.push(Finding::at(&file.path, line_of(&file.code, at), what));
        };
        let body = attribute.trim_start_matches(['#', '!', '[']).trim_start();
        let first = word_at(body, 0);
        if matches!(first, "ignore" | "cfg_attr") && words(body, "ignore").next().is_some() {
            report("a test that does not run protects nobody");
        }
        for word in ["allow", "expect"] {
            let silences = words(body, word)
                .any(|at| body[skip_space(body, at + word.len())..].starts_with('('));
            if silences && words(body, "reason").next().is_none() {
                report("a lint is silenced without a reason");
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&Texts { vendored: vec!["vendored.js".to_owned()] }, &House::of(&[(path, text)]))
            .len()
    }

    #[test]
    fn paths_of_one_machine_and_hosts_are_found() {
        for (a, b) in MACHINE_PATHS.into_iter().chain(HOSTS) {
            assert_eq!(count("README.md", &format!("see \"{a}{b}x\"")), 1, "{a}{b}");
            assert_eq!(count("Cargo.lock", &format!("see {a}{b}x")), 0);
            assert_eq!(count("vendored.js", &format!("see {a}{b}x")), 0);
        }
        assert_eq!(count("README.md", &format!("example.org{}{}", "/ho", "me/")), 0);
    }

    #[test]
    fn work_put_off_and_tests_switched_off_are_found() {
        assert_eq!(count("a.rs", "fn f() { todo!() }"), 1);
        assert_eq!(count("a.rs", "fn f() { unimplemented!() }"), 1);
        assert_eq!(count("a.rs", "#[test]\n#[ignore]\nfn f() {}"), 1);
        assert_eq!(count("a.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}"), 1);
        assert_eq!(count("a.rs", "#[cfg_attr(unix, ignore)]\nfn f() {}"), 1);
        assert_eq!(count("a.rs", "// todo! #[ignore]\nfn f() { let todo = \"todo!\"; }"), 0);
    }

    #[test]
    fn a_silenced_lint_gives_its_reason() {
        assert_eq!(count("a.rs", "#[allow(dead_code)]\nfn f() {}"), 1);
        assert_eq!(count("a.rs", "#![expect(\n  dead_code\n)]\nfn f() {}"), 1);
        assert_eq!(count("a.rs", "#[cfg_attr(test, allow(dead_code))]\nfn f() {}"), 1);
        assert_eq!(count("a.rs", "#[allow(dead_code, reason = \"a table\")]\nfn f() {}"), 0);
    }
}
