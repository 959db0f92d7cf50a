//! What is entered: transactions of a clinic, from files or made up.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use ondol_kernel::Date;
use ondol_testkit::population;
use serde_json::{Value, json};

/// People made up where no file is given.
const PEOPLE: usize = 400;

/// The people and the days of a clinic, one transaction bundle each.
#[derive(Debug, Clone)]
pub struct ClinicDays {
    /// Where it comes from, for the table.
    pub source: String,
    /// Everybody who is known before.
    pub population: Value,
    /// Encounters in the order of their time.
    pub encounters: Vec<Value>,
}

/// The folder of public test data: `ONDOL_DATA`, else `../shared/data`.
pub fn data_dir() -> PathBuf {
    env::var_os("ONDOL_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from)
}

/// Reads a file, gzipped or not.
pub fn read(path: &Path) -> Result<String> {
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut text = String::new();
    let mut file = BufReader::new(file);
    if path.extension().is_some_and(|extension| extension == "gz") {
        GzDecoder::new(file).read_to_string(&mut text)?;
    } else {
        file.read_to_string(&mut text)?;
    }
    Ok(text)
}

/// Bytes after gzip at its best.
pub fn gzipped(bytes: &[u8]) -> Result<usize> {
    use std::io::Write as _;

    let mut encoder = GzEncoder::new(vec![], Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

impl ClinicDays {
    /// From the named files, else the first clinic of the test data, else made up from a seed.
    pub fn load(population: Option<&Path>, encounters: Option<&Path>, seed: u64) -> Result<Self> {
        let folder = data_dir().join("clinic_days");
        let (people, days) = match (population, encounters) {
            (Some(people), Some(days)) => (people.to_owned(), days.to_owned()),
            (None, None) => (
                folder.join("clinic_1_population.json"),
                folder.join("clinic_1_encounters.ndjson.gz"),
            ),
            _ => bail!("--population and --encounters go together"),
        };
        if population.is_none() && !fs::exists(&people)? {
            return Self::made_up(seed);
        }
        let name = days.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        Ok(Self {
            source: name,
            population: serde_json::from_str(&read(&people)?).context("the population")?,
            encounters: read(&days)?
                .lines()
                .filter(|line| !line.is_empty())
                .map(serde_json::from_str)
                .collect::<Result<_, _>>()
                .context("the encounters")?,
        })
    }

    fn made_up(seed: u64) -> Result<Self> {
        let day = Date::parse("2026-03-02").context("a day")?;
        let mut people = vec![];
        let mut visits: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for bundle in population::village(seed, PEOPLE, day) {
            for entry in bundle["entry"].as_array().into_iter().flatten() {
                let resource = &entry["resource"];
                let own = format!("Encounter/{}", resource["id"].as_str().unwrap_or_default());
                match resource["resourceType"].as_str() {
                    Some("Patient") => people.push(entry.clone()),
                    Some("Encounter") => visits.entry(own).or_default().insert(0, entry.clone()),
                    _ => {
                        let of = resource["encounter"]["reference"].as_str().unwrap_or_default();
                        visits.entry(of.to_owned()).or_default().push(entry.clone());
                    }
                }
            }
        }
        let bundle = |entries: Vec<Value>| json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
        let mut encounters: Vec<Value> = visits.into_values().map(bundle).collect();
        encounters.sort_by_key(start_of);
        let source = format!("made up, seed {seed}");
        Ok(Self { source, population: bundle(people), encounters })
    }

    /// The encounters of each day.
    pub fn days(&self) -> Vec<&[Value]> {
        self.encounters.chunk_by(|a, b| start_of(a)[..10] == start_of(b)[..10]).collect()
    }
}

/// When the encounter of a transaction began, as its file says; ten characters are its day.
fn start_of(bundle: &Value) -> String {
    let entries = bundle["entry"].as_array().into_iter().flatten();
    let start = entries
        .map(|entry| &entry["resource"])
        .find(|resource| resource["resourceType"] == "Encounter")
        .and_then(|encounter| encounter["period"]["start"].as_str());
    start.filter(|start| start.len() >= 10).unwrap_or("0000-00-00").to_owned()
}

/// Whether the ids of a file are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// They are fullUrls, and the node gives its own, as in a clinic's work.
    Own,
    /// They are kept.
    Foreign,
}

/// Rewrites the transactions of a file as a clinician of a node enters them: the facility and
/// its people are those of the node, and what the server writes itself is left out.
#[derive(Debug, Clone)]
pub struct Desk {
    ids: Ids,
    organization: String,
    practitioner: String,
    /// References of the file to what the node made of them.
    known: BTreeMap<String, String>,
}

impl Desk {
    /// At a node's facility, for somebody of it (`Organization/…`, `Practitioner/…`).
    pub fn new(ids: Ids, organization: &str, practitioner: &str) -> Self {
        let (organization, practitioner) = (organization.to_owned(), practitioner.to_owned());
        Self { ids, organization, practitioner, known: BTreeMap::new() }
    }

    /// The transaction to send.
    pub fn enter(&self, bundle: &Value) -> Value {
        let entries = bundle["entry"].as_array().map_or(&[][..], Vec::as_slice);
        let kept: Vec<&Value> = entries
            .iter()
            .map(|entry| &entry["resource"])
            .filter(|r| {
                !matches!(r["resourceType"].as_str(), Some("Organization" | "Practitioner"))
            })
            .collect();
        let within: BTreeMap<String, String> =
            kept.iter().map(|r| (reference(r), full_url(r))).collect();
        let entries: Vec<Value> = kept
            .into_iter()
            .map(|resource| {
                let (kind, id) = (text(resource, "resourceType"), text(resource, "id"));
                let url = full_url(resource);
                let mut resource = resource.clone();
                self.rewrite(&mut resource, &within);
                if let Some(meta) = resource.get_mut("meta").and_then(Value::as_object_mut) {
                    meta.shift_remove("versionId");
                    meta.shift_remove("lastUpdated");
                }
                if self.ids == Ids::Foreign {
                    let request = json!({ "method": "PUT", "url": format!("{kind}/{id}") });
                    return json!({ "resource": resource, "request": request });
                }
                if let Some(fields) = resource.as_object_mut() {
                    fields.shift_remove("id");
                }
                let request = json!({ "method": "POST", "url": kind });
                json!({ "fullUrl": url, "resource": resource, "request": request })
            })
            .collect();
        json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries })
    }

    fn rewrite(&self, value: &mut Value, within: &BTreeMap<String, String>) {
        match value {
            Value::Array(all) => all.iter_mut().for_each(|one| self.rewrite(one, within)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value {
                        Value::String(to) if name == "reference" => *to = self.leads(to, within),
                        other => self.rewrite(other, within),
                    }
                }
            }
            _ => {}
        }
    }

    fn leads(&self, to: &str, within: &BTreeMap<String, String>) -> String {
        if to.starts_with("Organization/") {
            return self.organization.clone();
        }
        if to.starts_with("Practitioner/") {
            return self.practitioner.clone();
        }
        let made = within.get(to).filter(|_| self.ids == Ids::Own).or_else(|| self.known.get(to));
        made.map_or_else(|| to.to_owned(), Clone::clone)
    }

    /// Learns from the server's answer what it called the people of this transaction.
    pub fn learn(&mut self, bundle: &Value, answer: &Value) -> Result<()> {
        let entries = bundle["entry"].as_array().into_iter().flatten();
        let kept = entries.map(|entry| &entry["resource"]).filter(|r| {
            !matches!(r["resourceType"].as_str(), Some("Organization" | "Practitioner"))
        });
        let answers = answer["entry"].as_array().map_or(&[][..], Vec::as_slice);
        for (resource, answer) in kept.zip(answers) {
            if resource["resourceType"] != "Patient" {
                continue;
            }
            let location = answer["response"]["location"].as_str().context("no location")?;
            let path = location.split("/_history").next().unwrap_or_default();
            let id = path.rsplit('/').next().unwrap_or_default();
            self.known.insert(reference(resource), format!("Patient/{id}"));
        }
        Ok(())
    }

    /// Whether everybody whom a transaction is about is known at the node, and nobody is new.
    pub fn knows(&self, bundle: &Value) -> bool {
        let mut entries = bundle["entry"].as_array().into_iter().flatten();
        entries.all(|entry| {
            let resource = &entry["resource"];
            let about = [&resource["subject"], &resource["patient"]];
            let mut about = about.into_iter().filter_map(|to| to["reference"].as_str());
            resource["resourceType"] != "Patient" && about.all(|to| self.known.contains_key(to))
        })
    }

    /// The people whom the node knows, as references.
    pub fn people(&self) -> Vec<String> {
        self.known.values().cloned().collect()
    }
}

fn text(resource: &Value, name: &str) -> String {
    resource[name].as_str().unwrap_or_default().to_owned()
}

fn reference(resource: &Value) -> String {
    format!("{}/{}", text(resource, "resourceType"), text(resource, "id"))
}

fn full_url(resource: &Value) -> String {
    format!("urn:uuid:{}", text(resource, "id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit() -> Value {
        json!({"resourceType":"Bundle","type":"transaction","entry":[
            {"resource":{"resourceType":"Practitioner","id":"d"}},
            {"resource":{"resourceType":"Encounter","id":"e","meta":{"versionId":"1","profile":["p"]},
                "subject":{"reference":"Patient/a"},"serviceProvider":{"reference":"Organization/o"},
                "period":{"start":"2026-03-02T08:12:11+03:00"}}},
            {"resource":{"resourceType":"Observation","id":"f",
                "encounter":{"reference":"Encounter/e"}}}]})
    }

    #[test]
    fn the_nodes_own_ids_replace_those_of_the_file() {
        let mut desk = Desk::new(Ids::Own, "Organization/here", "Practitioner/me");
        let people = json!({"entry":[{"resource":{"resourceType":"Patient","id":"a"}}]});
        let answer = json!({"entry":[{"response":{
            "location":"http://node/fhir/Patient/new/_history/1"}}]});
        desk.learn(&people, &answer).unwrap();
        assert!(desk.knows(&visit()) && !desk.knows(&people));
        let entered = desk.enter(&visit());
        let entries = entered["entry"].as_array().unwrap();
        assert_eq!(entries.len(), 2, "staff are not entered");
        let encounter = &entries[0]["resource"];
        assert_eq!(encounter.get("id"), None);
        assert_eq!(encounter["meta"], json!({"profile":["p"]}));
        assert_eq!(encounter["subject"]["reference"], "Patient/new");
        assert_eq!(encounter["serviceProvider"]["reference"], "Organization/here");
        assert_eq!(entries[0]["request"], json!({"method":"POST","url":"Encounter"}));
        assert_eq!(entries[1]["resource"]["encounter"]["reference"], "urn:uuid:e");
    }

    #[test]
    fn foreign_ids_are_kept() {
        let desk = Desk::new(Ids::Foreign, "Organization/here", "Practitioner/me");
        let entered = desk.enter(&visit());
        assert_eq!(entered["entry"][1]["request"]["url"], "Observation/f");
        assert_eq!(entered["entry"][1]["resource"]["encounter"]["reference"], "Encounter/e");
        assert_eq!(entered["entry"][0]["resource"]["subject"]["reference"], "Patient/a");
    }

    #[test]
    fn a_made_up_village_has_visits_by_days() {
        let days = ClinicDays::made_up(1).unwrap();
        assert!(days.encounters.len() > 50);
        assert!(days.days().len() > 5);
        assert_eq!(days.days().iter().map(|day| day.len()).sum::<usize>(), days.encounters.len());
    }
}
