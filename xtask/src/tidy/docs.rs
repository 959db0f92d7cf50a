//! Pages that must stay true: decisions are numbered and listed, crates are described, links lead
//! somewhere, and each invariant names a test that exists.

use super::{Finding, house::House, rust_code::functions};

const MAP: &str = "ARCHITECTURE.md";
const DECISIONS: &str = "docs/adr/";

pub fn check(house: &House) -> Vec<Finding> {
    let mut findings = decisions(house);
    findings.extend(links(house));
    let Some(map) = house.text(MAP) else {
        findings.push(Finding::of_file(MAP, "is missing"));
        return findings;
    };
    findings.extend(described_crates(house, map));
    findings.extend(invariants(house, map));
    findings
}

/// ADRs are numbered from 0001 without a gap, and each stands in the list.
fn decisions(house: &House) -> Vec<Finding> {
    let index = format!("{DECISIONS}README.md");
    let Some(list) = house.text(&index) else {
        return vec![Finding::of_file(&index, "is missing")];
    };
    let mut findings = Vec::new();
    let names = house.files.iter().filter_map(|file| file.path.strip_prefix(DECISIONS));
    let mut names: Vec<&str> = names.filter(|name| *name != "README.md").collect();
    names.sort_unstable();
    for (number, name) in (1..).zip(names) {
        let path = format!("{DECISIONS}{name}");
        if !name.starts_with(&format!("{number:04}-")) {
            let what = format!("decisions are numbered without a gap: here {number:04} is due");
            findings.push(Finding::of_file(&path, what));
        }
        if !list.contains(&format!("]({name})")) {
            findings.push(Finding::of_file(&path, format!("is not listed in {index}")));
        }
    }
    findings
}

/// A link or picture of a page that is no address leads to a file or folder of the tree.
fn links(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in house.files.iter().filter(|file| file.extension() == "md") {
        for (line, text) in (1..).zip(page.text.lines()) {
            for after in text.split("](").skip(1) {
                let link = after.split([')', '#', ' ']).next().unwrap_or("");
                if link.is_empty() || link.contains(':') {
                    continue;
                }
                if !target(&page.path, link).is_some_and(|path| house.has(&path)) {
                    findings.push(Finding::at(&page.path, line, format!("{link} leads nowhere")));
                }
            }
        }
    }
    findings
}

/// The path from the root of a link on a page; `None` if it leaves the tree.
fn target(page: &str, link: &str) -> Option<String> {
    let mut path: Vec<&str> = page.split('/').collect();
    path.pop();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                path.pop()?;
            }
            name => path.push(name),
        }
    }
    Some(path.join("/"))
}

/// Each crate has a paragraph under a heading of its own.
fn described_crates(house: &House, map: &str) -> Vec<Finding> {
    let has_heading = |name: &str| map.lines().any(|line| line == format!("### `{name}`"));
    let missing = house.crates().filter(|(name, _)| !has_heading(name));
    missing.map(|(name, _)| Finding::of_file(MAP, format!("has no heading ### `{name}`"))).collect()
}

/// Each row of the table under '## Invariants' names tests as `path::name` in backquotes.
fn invariants(house: &House, map: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = (1..).zip(map.lines()).skip_while(|(_, line)| *line != "## Invariants").skip(1);
    let section = lines.take_while(|(_, line)| !line.starts_with("## "));
    let rows: Vec<(usize, &str)> =
        section.filter(|(_, line)| line.starts_with('|')).skip(2).collect();
    if rows.is_empty() {
        findings.push(Finding::of_file(MAP, "has no table under ## Invariants"));
    }
    for (line, row) in rows {
        let mut tests = row.split('`').skip(1).step_by(2).filter(|name| name.contains("::"));
        let mut named = 0;
        for test in &mut tests {
            named += 1;
            if !exists(house, test) {
                findings.push(Finding::at(MAP, line, format!("there is no test {test}")));
            }
        }
        if named == 0 {
            findings.push(Finding::at(MAP, line, "an invariant without a test is a wish"));
        }
    }
    findings
}

fn exists(house: &House, test: &str) -> bool {
    test.rsplit_once("::").is_some_and(|(path, name)| {
        let file = house.file(path);
        file.is_some_and(|file| functions(&file.code).iter().any(|f| f.name == name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "[a](0001-a.md) [b](0002-b.md) [c](0003-c.md)";

    fn map(row: &str) -> String {
        format!("## Invariants\n\n| invariant | test |\n| --- | --- |\n{row}\n\n## Next\n| x |\n")
    }

    fn with_map(map: &str) -> Vec<String> {
        let test = "#[cfg(test)]\nmod tests {\n #[test]\n fn it_holds() {}\n}";
        let house =
            House::of(&[("docs/adr/README.md", ""), (MAP, map), ("crates/a/src/lib.rs", test)]);
        check(&house).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_invariant_names_a_test_that_exists() {
        assert_eq!(with_map(&map("| so | `crates/a/src/lib.rs::it_holds` |")), [""; 0]);
        let gone = "ARCHITECTURE.md:5: there is no test crates/a/src/lib.rs::it_held";
        assert_eq!(with_map(&map("| so | `crates/a/src/lib.rs::it_held` |")), [gone]);
        assert_eq!(with_map(&map("| so | later |")).len(), 1);
        assert_eq!(with_map("## Invariants\n").len(), 1);
    }

    #[test]
    fn decisions_have_no_gap_and_are_listed() {
        let count = |names: &[&str]| {
            let mut files = vec![("docs/adr/README.md", LIST)];
            files.extend(names.iter().map(|name| (*name, "")));
            decisions(&House::of(&files)).len()
        };
        assert_eq!(count(&["docs/adr/0001-a.md", "docs/adr/0002-b.md"]), 0);
        assert_eq!(count(&["docs/adr/0001-a.md", "docs/adr/0003-c.md"]), 1);
        assert_eq!(count(&["docs/adr/0001-a.md", "docs/adr/0002-unlisted.md"]), 1);
    }

    #[test]
    fn links_lead_to_files_of_the_tree() {
        let count = |link: &str| {
            let page = format!("see [it]({link})");
            links(&House::of(&[("docs/a/p.md", &page), ("docs/b.md", "")])).len()
        };
        for good in ["p.md", "./p.md#part", "../b.md", "../a", "#part", "https://example.org/x"] {
            assert_eq!(count(good), 0, "{good}");
        }
        for bad in ["q.md", "b.md", "../../../b.md", "../c/"] {
            assert_eq!(count(bad), 1, "{bad}");
        }
    }

    #[test]
    fn every_crate_is_described() {
        let house = House::of(&[("crates/a/Cargo.toml", "")]);
        assert_eq!(described_crates(&house, "### `a`\n"), []);
        assert_eq!(described_crates(&house, "### `b`\n").len(), 1);
    }
}
