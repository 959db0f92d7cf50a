//! Packs HL7's FHIR R4 (4.0.1) definitions into the small tables that `ondol-fhir` carries.
//!
//! `cargo xtask fhir-tables [ARCHIVE [OUT_DIR [EXAMPLES]]]` reads `profiles-types.json`,
//! `profiles-resources.json`, `valuesets.json`, `v3-codesystems.json`, `v2-tables.json` and
//! `search-parameters.json` from a `.tar.gz` and writes `elements.txt`, `codes.txt`,
//! `systems.txt`, `invariants.txt`, `params.txt` and `summary.txt`; from the archive of the specification's examples
//! it takes the definitions of compartments for `compartments.txt`. Their grammar is described at
//! the top of the modules of `crates/fhir/src` that read them.

mod codes;
mod compartments;
mod composites;
mod elements;
mod invariants;
mod params;
mod repairs;
mod summary;
mod systems;

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The definitions after the repairs: what the tables are made from.
struct Definitions {
    /// Structure definitions by name, in their order; profiles (constraints) left out.
    types: BTreeMap<String, Value>,
    /// Elements by path (`Patient.contact.gender`, `Observation.value[x]`).
    elements: HashMap<String, Value>,
    /// Value sets by canonical URL.
    value_sets: HashMap<String, Value>,
    /// Code systems by canonical URL.
    code_systems: HashMap<String, Value>,
    search_parameters: Vec<Value>,
}

/// Runs the chore.
pub fn run(args: &[String]) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has a parent")?;
    let archive = args
        .first()
        .map_or_else(|| root.join("../shared/data/fhir_r4_definitions.tar.gz"), PathBuf::from);
    let out = args.get(1).map_or_else(|| root.join("crates/fhir/data"), PathBuf::from);
    let examples = args
        .get(2)
        .map_or_else(|| root.join("../shared/data/fhir_r4_examples.tar.gz"), PathBuf::from);
    let definitions = read(&archive)?;
    let elements = elements::table(&definitions)?;
    let codes = codes::table(&definitions, &elements.value_sets)?;
    let systems = systems::table(&definitions, &codes)?;
    let params = params::table(&definitions)?;
    let invariants = invariants::table(&definitions)?;
    let summary = summary::table(&definitions)?;
    let compartments = compartments::table(&examples)?;
    fs::create_dir_all(&out)?;
    for (name, text) in [
        ("elements.txt", &elements.text),
        ("codes.txt", &codes),
        ("systems.txt", &systems),
        ("invariants.txt", &invariants),
        ("params.txt", &params),
        ("summary.txt", &summary),
        ("compartments.txt", &compartments),
    ] {
        println!("{name}: {} bytes", text.len());
        fs::write(out.join(name), text)?;
    }
    Ok(())
}

fn read(archive: &Path) -> Result<Definitions> {
    let file = fs::File::open(archive).with_context(|| format!("{}", archive.display()))?;
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut files = HashMap::new();
    for entry in tar.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.file_name().map(|n| n.to_string_lossy().into_owned());
        let Some(name) = name.filter(|n| WANTED.contains(&n.as_str())) else { continue };
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        files.insert(name, serde_json::from_slice::<Value>(&bytes)?);
    }
    for name in WANTED {
        if !files.contains_key(*name) {
            bail!("{name} is not in the archive");
        }
    }
    let mut definitions = Definitions {
        types: BTreeMap::new(),
        elements: HashMap::new(),
        value_sets: HashMap::new(),
        code_systems: HashMap::new(),
        search_parameters: Vec::new(),
    };
    for name in WANTED {
        for entry in files[*name]["entry"].as_array().context("entry")? {
            definitions.take(entry["resource"].clone());
        }
    }
    repairs::apply(&mut definitions)?;
    for definition in definitions.types.values() {
        for element in list(&definition["snapshot"]["element"]) {
            definitions.elements.insert(text(&element["path"]).to_owned(), element.clone());
        }
    }
    Ok(definitions)
}

const WANTED: &[&str] = &[
    "profiles-types.json",
    "profiles-resources.json",
    "valuesets.json",
    "v3-codesystems.json",
    "v2-tables.json",
    "search-parameters.json",
];

impl Definitions {
    fn take(&mut self, resource: Value) {
        let url = text(&resource["url"]).to_owned();
        match text(&resource["resourceType"]) {
            "StructureDefinition" if resource["derivation"] != "constraint" => {
                self.types.insert(text(&resource["name"]).to_owned(), resource);
            }
            "ValueSet" => {
                self.value_sets.insert(url, resource);
            }
            "CodeSystem" => {
                self.code_systems.insert(url, resource);
            }
            "SearchParameter" => self.search_parameters.push(resource),
            _ => {}
        }
    }

    /// Whether a name is that of a concrete resource type.
    fn is_resource(&self, name: &str) -> bool {
        self.types.get(name).is_some_and(|t| t["kind"] == "resource" && t["abstract"] != true)
    }
}

/// The text of a JSON string; empty if it is something else or absent.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

/// The items of a JSON array; none if it is something else or absent.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The part of a canonical URL after the last slash, without its version.
fn tail(url: &str) -> &str {
    let url = url.split('|').next().unwrap_or(url);
    url.rsplit('/').next().unwrap_or(url)
}

/// `value[x]` with a type: `valueQuantity`.
fn choice_key(name: &str, kind: &str) -> String {
    let mut letters = kind.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().fold(name.to_owned(), |mut key, c| {
        key.push(c);
        key
    }) + letters.as_str()
}
