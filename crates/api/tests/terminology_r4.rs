//! Terminology against R4's own definitions: the value sets of required bindings as they are
//! built in, and all value sets with the definitions loaded as packages.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use door::Door;
use ondol_fhir::terminology::value_sets;
use ondol_store_sqlite::packages::{LIST, Listed, PackageWriter, Packages, write_list};
use ondol_terms::load::{TableAsked, json, table};
use serde_json::Value;

use crate::brute::archive;
use crate::door;

type Code = (String, String);

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("").to_owned()
}

/// The definitions of a type by their URLs.
struct Definitions {
    sets: BTreeMap<String, Value>,
    systems: BTreeMap<String, Value>,
}

const FILES: [&str; 3] = ["valuesets.json", "v3-codesystems.json", "v2-tables.json"];

fn definitions() -> Option<Definitions> {
    let files = archive::archive("fhir_r4_definitions.tar.gz", |name| FILES.contains(&name))?;
    let mut found = Definitions { sets: BTreeMap::new(), systems: BTreeMap::new() };
    for file in files.values() {
        for entry in list(file, "entry") {
            let resource = &entry["resource"];
            let to = match resource["resourceType"].as_str() {
                Some("ValueSet") => &mut found.sets,
                Some("CodeSystem") => &mut found.systems,
                _ => continue,
            };
            to.insert(text(&resource["url"]), resource.clone());
        }
    }
    Some(found)
}

/// Codes of a tree in their order, and (above, below) for all that stand directly so: nested, or
/// named as a child or parent.
fn tree(concepts: &[Value], inside: Option<&str>, to: &mut (Vec<String>, Vec<Code>)) {
    for concept in concepts {
        let code = text(&concept["code"]);
        to.1.extend(inside.map(|above| (above.to_owned(), code.clone())));
        for property in list(concept, "property") {
            let other = text(&property["valueCode"]);
            match property["code"].as_str() {
                Some("child") => to.1.push((code.clone(), other)),
                Some("parent") => to.1.push((other, code.clone())),
                _ => {}
            }
        }
        to.0.push(code.clone());
        tree(list(concept, "concept"), Some(&code), to);
    }
}

/// A code and all below it.
fn below(top: &str, edges: &[Code]) -> BTreeSet<String> {
    let mut found = BTreeSet::from([top.to_owned()]);
    loop {
        let more = edges.iter().filter(|(above, _)| found.contains(above));
        let more: Vec<String> = more.map(|(_, below)| below.clone()).collect();
        let before = found.len();
        found.extend(more);
        if found.len() == before {
            return found;
        }
    }
}

impl Definitions {
    /// What a value set has by a plain reading of its rules. None where the definitions do not
    /// have what it draws on, or it has rules that this reading does not know.
    fn plain(&self, url: &str) -> Option<BTreeSet<Code>> {
        let url = url.split('|').next()?;
        let compose = &self.sets.get(url)?["compose"];
        let mut codes = BTreeSet::new();
        for part in list(compose, "include") {
            codes.extend(self.part(part)?);
        }
        for part in list(compose, "exclude") {
            for code in self.part(part)? {
                codes.remove(&code);
            }
        }
        Some(codes)
    }

    fn part(&self, part: &Value) -> Option<BTreeSet<Code>> {
        let mut all: Option<BTreeSet<Code>> = None;
        if let Some(system) = part["system"].as_str() {
            let of = |code: String| (system.to_owned(), code);
            let listed = list(part, "concept");
            all = Some(if listed.is_empty() {
                let held = self.systems.get(system)?;
                let is_version =
                    part.get("version").is_none_or(|version| *version == held["version"]);
                if held["content"] != "complete" || !is_version {
                    return None;
                }
                let mut whole = (vec![], vec![]);
                tree(list(held, "concept"), None, &mut whole);
                let (mut codes, edges) = whole;
                for filter in list(part, "filter") {
                    let value = text(&filter["value"]);
                    if filter["property"] != "concept" {
                        return None;
                    }
                    let below = below(&value, &edges);
                    match filter["op"].as_str()? {
                        "is-a" => codes.retain(|code| below.contains(code)),
                        "descendent-of" => {
                            codes.retain(|code| *code != value && below.contains(code));
                        }
                        "is-not-a" => codes.retain(|code| !below.contains(code)),
                        _ => return None,
                    }
                }
                codes.into_iter().map(of).collect()
            } else {
                listed.iter().map(|concept| of(text(&concept["code"]))).collect()
            });
        }
        for other in list(part, "valueSet") {
            let other = self.plain(other.as_str()?)?;
            all = Some(match all {
                None => other,
                Some(known) => known.intersection(&other).cloned().collect(),
            });
        }
        all
    }
}

fn codes(expansion: &Value) -> Vec<Code> {
    let contains = list(&expansion["expansion"], "contains").iter();
    contains.map(|one| (text(&one["system"]), text(&one["code"]))).collect()
}

#[tokio::test]
async fn every_value_set_of_a_required_binding_expands_to_what_the_definitions_say() {
    let Some(definitions) = definitions() else { return };
    let door = Door::new();
    let mut count = 0;
    for url in value_sets() {
        let set = door.get(&format!("/ValueSet/$expand?url={url}")).await.expect(200);
        let (found, plain) = (codes(&set), definitions.plain(&url).unwrap());
        assert_eq!(found.len(), plain.len(), "{url}: a code twice");
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), plain, "{url}");
        for one in list(&set["expansion"], "contains") {
            let display = one["display"].as_str();
            assert!(display.is_some_and(|display| !display.is_empty()), "{url}: {one}");
        }
        count += 1;
    }
    assert!(count > 200);
}

/// A folder of packages that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("ondol-terminology-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// Makes one package count, loaded by a function.
    fn fill(&self, name: &str, load: impl Fn(&mut PackageWriter)) {
        let fresh = self.0.join("fresh");
        let mut writer = PackageWriter::create(&fresh).unwrap();
        load(&mut writer);
        writer.finish().unwrap();
        let hash = blake3::hash(&fs::read(&fresh).unwrap()).to_hex().to_string();
        let listed = Listed { hash, name: name.to_owned() };
        fs::rename(&fresh, listed.file_in(&self.0)).unwrap();
        fs::write(self.0.join(LIST), write_list(&[listed])).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn with_packages(folder: &Path) -> Door {
    let door = Door::new();
    door.facility.app.use_library(Arc::new(Packages::at(folder)));
    door
}

#[tokio::test]
async fn every_value_set_of_r4_expands_as_a_plain_reading_of_its_rules() {
    let Some(definitions) = definitions() else { return };
    let files =
        archive::archive("fhir_r4_definitions.tar.gz", |name| FILES.contains(&name)).unwrap();
    let folder = Folder::new("r4");
    let load = |to: &mut PackageWriter| {
        for file in files.values() {
            json(file.to_string().as_bytes(), to).unwrap();
        }
    };
    folder.fill("hl7.fhir.r4.core", load);
    let door = with_packages(&folder.0);
    let (mut same, mut refused) = (0, 0);
    for url in definitions.sets.keys() {
        let reply = door.get(&format!("/ValueSet/$expand?count=10000&url={url}")).await;
        let Some(plain) = definitions.plain(url) else {
            // What the definitions do not have is refused, unless the set has its own expansion,
            // or rules that the server knows and this test does not.
            refused += usize::from(reply.status == 422);
            assert!(matches!(reply.status, 200 | 422), "{url}: {}", reply.text());
            continue;
        };
        let found: BTreeSet<Code> = codes(&reply.expect(200)).into_iter().collect();
        assert_eq!(found, plain, "{url}");
        same += 1;
    }
    println!(
        "{same} value sets are as a plain reading has them, {refused} draw on what is not held"
    );
    assert!(same > 500 && refused > 80);
    // What a package has is searched by too.
    let query = "/Observation?code:below=http://terminology.hl7.org/CodeSystem/v3-ActCode|_ActBillingArrangementCode";
    door.get(query).await.expect(200);
}

#[tokio::test]
async fn codes_of_a_table_are_expanded_validated_looked_up_and_searched_by() {
    let folder = Folder::new("table");
    let rows = "icd10,title\nA00,Cholera\nA00.0,Cholera by one vibrio\nA00.9,Cholera of no named kind\n\
        A01,Typhoid\nA01.0,Typhoid proper\n";
    let load = |to: &mut PackageWriter| {
        let asked = TableAsked { version: Some("2019"), ..TableAsked::default() };
        table(rows.as_bytes(), asked, to).unwrap();
    };
    folder.fill("icd", load);
    let door = with_packages(&folder.0);
    let icd = "http://hl7.org/fhir/sid/icd-10";
    let all = door.get(&format!("/ValueSet/$expand?url={icd}/vs&filter=typh")).await.expect(200);
    let found: Vec<String> = codes(&all).into_iter().map(|(_, code)| code).collect();
    assert_eq!(found, ["A01", "A01.0"]);
    let told =
        door.get(&format!("/CodeSystem/$lookup?system={icd}&code=A00.9&displayLanguage=ko")).await;
    let told = told.expect(200).to_string();
    // The starter list knows its Korean name, the table what stands above it.
    assert!(told.contains("콜레라") && told.contains(r#""valueCode":"A00""#), "{told}");
    let check = async |code: &str| {
        let path = format!("/CodeSystem/$validate-code?url={icd}&code={code}");
        door.get(&path).await.expect(200)["parameter"][0]["valueBoolean"].clone()
    };
    assert_eq!((check("A01.0").await, check("A02").await), (true.into(), false.into()));
    door.patient("p", "Ri").await;
    for (id, code) in [("c1", "A00.9"), ("c2", "A01.0")] {
        let condition = serde_json::json!({ "resourceType": "Condition",
            "subject": { "reference": "Patient/p" },
            "code": { "coding": [{ "system": icd, "code": code }] } });
        door.facility.put(id, condition);
    }
    for (query, expected) in [
        (format!("code:below={icd}|A00"), vec!["c1"]),
        (format!("code:above={icd}|A01.0"), vec!["c2"]),
        (format!("code:in={icd}/vs"), vec!["c1", "c2"]),
    ] {
        assert_eq!(door.ids("doctor", &format!("/Condition?{query}")).await, expected, "{query}");
    }
}
