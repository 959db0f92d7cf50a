//! UCUM's functional tests, as published.
//!
//! The file has 575 cases. Two of them stand in XML comments, so 573 run. They are held here
//! nevertheless: 1-103 says that nothing at all is no unit, as we say too; 3-130 expects
//! 0.1877 where arithmetic gives 0.1874, which is why its author took it out.

use std::path::{Path, PathBuf};

use ondol_ucum::{Unit, UnitError, Value, display_name};
use quick_xml::{Reader, events::Event};

struct Case {
    section: String,
    attributes: Vec<(String, String)>,
}

impl Case {
    fn get(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        &found.unwrap_or_else(|| panic!("{name} is missing in {}", self.section)).1
    }

    fn value(&self, name: &str) -> Value {
        Value::parse(self.get(name)).unwrap()
    }

    fn unit(&self, name: &str) -> Unit {
        match self.get(name) {
            "" => Unit::one(),
            code => Unit::parse(code).unwrap(),
        }
    }
}

fn file() -> Option<PathBuf> {
    let data = std::env::var_os("ONDOL_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = data.join("ucum/UcumFunctionalTests.xml");
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "ucum is missing in ../shared/data");
    eprintln!("skipped: ucum is not in ../shared/data");
    None
}

fn cases(text: &str) -> Vec<Case> {
    let mut reader = Reader::from_str(text);
    let mut sections = Vec::new();
    let mut found = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                sections.push(String::from_utf8(tag.name().0.to_vec()).unwrap());
            }
            Event::End(_) => {
                sections.pop();
            }
            Event::Empty(tag) if tag.name().0 == b"case" => {
                let attributes = tag.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    let value = std::str::from_utf8(&attribute.value).unwrap();
                    let value = quick_xml::escape::unescape(value).unwrap().into_owned();
                    (String::from_utf8(attribute.key.0.to_vec()).unwrap(), value)
                });
                let attributes = attributes.collect();
                found.push(Case { section: sections.last().unwrap().clone(), attributes });
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

/// How many significant digits an outcome is given with.
fn digits(text: &str) -> usize {
    let body = text.split(['e', 'E']).next().unwrap().replace(['.', '-'], "");
    body.trim_start_matches('0').len().max(1)
}

/// Whether a value is the expected one in as many digits as are given.
fn agrees(found: Value, expected: &str) -> bool {
    let count = digits(expected);
    found.rounded(count) == Value::parse(expected).unwrap().rounded(count)
}

fn product(case: &Case) -> (Value, Unit) {
    let (left, right) = (case.value("v1"), case.value("v2"));
    let (a, b) = (case.unit("u1"), case.unit("u2"));
    match case.section.as_str() {
        "multiplication" => (left.multiply(right).unwrap(), a.multiply(&b).unwrap()),
        _ => (left.divide(right).unwrap(), a.divide(&b).unwrap()),
    }
}

fn passes(case: &Case) -> bool {
    match case.section.as_str() {
        "validation" => Unit::parse(case.get("unit")).is_ok() == (case.get("valid") == "true"),
        "displayNameGeneration" => {
            display_name(case.get("unit")).as_deref() == Ok(case.get("display"))
        }
        "conversion" => {
            let (from, to) = (case.unit("srcUnit"), case.unit("dstUnit"));
            agrees(case.value("value").convert(&from, &to).unwrap(), case.get("outcome"))
        }
        "multiplication" | "division" => {
            let (value, unit) = product(case);
            agrees(value.convert(&unit, &case.unit("uRes")).unwrap(), case.get("vRes"))
        }
        other => panic!("a section that nobody here knows: {other}"),
    }
}

#[test]
fn ucums_functional_tests_pass_in_all_digits_that_they_give() {
    let Some(path) = file() else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let cases = cases(&text);
    let failed: Vec<&str> =
        cases.iter().filter(|case| !passes(case)).map(|case| case.get("id")).collect();
    assert_eq!(failed, Vec::<&str>::new());
    assert_eq!(cases.len(), 573);
    assert_eq!(text.matches("<case ").count(), 575);
}

#[test]
fn the_two_cases_that_are_commented_out_are_known() {
    assert_eq!(Unit::parse(""), Err(UnitError::Empty));
    let (from, to) = (Unit::parse("[oz_av]/[gal_us]").unwrap(), Unit::parse("g/L").unwrap());
    let found = Value::parse("0.02502").unwrap().convert(&from, &to).unwrap();
    assert!(agrees(found, "0.1874"), "{found}");
}
