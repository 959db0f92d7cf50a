//! Bulk import: whole, resumable, and nothing dropped without a word.

use std::{
    io::{BufReader, Cursor, Read},
    path::PathBuf,
};

use ondol_access::Role;
use ondol_app::rest::import::{ImportError, Imported, Problem, Shape, Source};
use ondol_kernel::ResourceId;
use serde_json::json;
use support::Facility;

use crate::support;

fn import(
    facility: &Facility,
    name: &str,
    shape: Shape,
    text: &str,
) -> (Result<Imported, ImportError>, Vec<Problem>) {
    let mut problems = vec![];
    let home = ResourceId::new("clinic").unwrap();
    let source = Source { name, shape, home: &home };
    let imported = facility
        .app
        .import(source, &mut Cursor::new(text), &mut |problem| problems.push(problem.clone()));
    (imported, problems)
}

fn patients(ids: std::ops::Range<usize>) -> String {
    ids.map(|n| json!({"resourceType":"Patient","id":format!("p{n}")}).to_string() + "\n").collect()
}

#[test]
fn patients_get_a_home_and_care_stands_in_their_charts() {
    let facility = Facility::new();
    let bundle = json!({"resourceType":"Bundle","type":"transaction","entry":[
        {"fullUrl":"urn:uuid:1e2feb89-414c-443c-9027-c4d1c386bbc4",
         "resource":{"resourceType":"Patient","name":[{"family":"리"}]},
         "request":{"method":"POST","url":"Patient"}},
        {"fullUrl":"urn:uuid:2e2feb89-414c-443c-9027-c4d1c386bbc4",
         "resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},
            "subject":{"reference":"urn:uuid:1e2feb89-414c-443c-9027-c4d1c386bbc4"}},
         "request":{"method":"POST","url":"Observation"}}]});
    let (imported, problems) = import(&facility, "a.json", Shape::Document, &bundle.to_string());
    assert_eq!(problems, []);
    assert_eq!(imported.unwrap().saved, 2);
    let id = "1e2feb89-414c-443c-9027-c4d1c386bbc4";
    let patient = facility.get("Patient", id).unwrap();
    assert_eq!(patient["managingOrganization"]["reference"], "Organization/clinic");
    let doctor = facility.person(Role::Doctor);
    let id = ResourceId::new(id).unwrap();
    let chart = facility.app.rest_everything(&doctor, &id, &[]).unwrap();
    assert_eq!(chart.len(), 2);
}

#[test]
fn a_huge_bundle_comes_in_parts_and_its_references_hold() {
    let facility = Facility::new();
    let url = |n: usize| format!("urn:uuid:{n:08x}-0000-4000-8000-000000000000");
    let patient = json!({"fullUrl":url(0),"resource":{"resourceType":"Patient"}});
    let notes = (1..=4_500).map(|n| {
        json!({"fullUrl":url(n),"resource":{"resourceType":"Observation","status":"final",
            "code":{"text":"x"},"subject":{"reference":url(0)}}})
    });
    let entries: Vec<_> = notes.chain([patient]).collect();
    let bundle = json!({"resourceType":"Bundle","type":"collection","entry":entries}).to_string();
    let (imported, problems) = import(&facility, "a.json", Shape::Document, &bundle);
    let imported = imported.unwrap();
    assert_eq!((imported.saved, imported.left_out, imported.lines), (4_501, 0, 1));
    assert_eq!(problems, [], "whom they are about comes first");
    let chart = ondol_record::ChartId::Patient(
        ResourceId::new("00000000-0000-4000-8000-000000000000").unwrap(),
    );
    assert_eq!(facility.all(&chart, "Observation").len(), 4_500);
    let (again, _) = import(&facility, "b.json", Shape::Document, &bundle);
    assert_eq!(again.unwrap().unchanged, 4_501);
}

#[test]
fn what_is_wrong_is_told_line_by_line_and_kept_where_it_can_be() {
    let facility = Facility::new();
    let lines = [
        r#"{"resourceType":"Patient","id":"p","gender":"비밀"}"#,
        "",
        r#"{"resourceType":"Banana"}"#,
        "not json",
        r#"{"resourceType":"Observation","id":"o","subject":{"reference":"Patient/nobody"}}"#,
        r#"{"resourceType":"Patient","id":"a b"}"#,
        r#"{"resourceType":"Basic","code":{"coding":[{"system":"urn:ondol:account","code":"x"}]}}"#,
        r#"{"resourceType":"Patient","id":"p","active":true}"#,
        r#"{"resourceType":"Condition","id":"c","subject":{"reference":"Patient?identifier=x"}}"#,
    ];
    let (imported, problems) = import(&facility, "a.ndjson", Shape::Lines, &lines.join("\n"));
    let told: Vec<(u64, &str, bool)> =
        problems.iter().map(|p| (p.line, p.code.as_str(), p.kept)).collect();
    assert_eq!(
        told.iter().filter(|(_, _, kept)| !kept).copied().collect::<Vec<_>>(),
        [
            (3, "resource-type-unknown", false),
            (4, "not-json", false),
            (7, "own-steps", false),
            (8, "same-twice", false),
        ]
    );
    for expected in [
        (1, "code-unknown", true),
        (5, "element-missing", true),
        (5, "reference-dangling", true),
        (6, "format", true),
        (6, "id-changed", true),
        (9, "reference-dangling", true),
    ] {
        assert!(told.contains(&expected), "{expected:?} in {told:?}");
    }
    let imported = imported.unwrap();
    assert_eq!((imported.lines, imported.saved, imported.left_out), (9, 4, 4));
    assert_eq!(facility.get("Patient", "p").unwrap()["gender"], "비밀", "as it was");
    let texts: String = problems.iter().map(ToString::to_string).collect();
    assert!(!texts.contains("비밀") && !texts.contains("nobody"), "{texts}");
}

/// The disk that is read from goes away at the end.
struct Cut<'a>(Cursor<&'a str>);
impl Read for Cut<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(to)? {
            0 => Err(std::io::Error::other("gone")),
            count => Ok(count),
        }
    }
}

#[test]
fn a_run_that_was_cut_off_goes_on_where_it_was() {
    let facility = Facility::new();
    let whole = patients(0..250);
    let end: usize = whole.lines().take(220).map(|line| line.len() + 1).sum();
    let home = ResourceId::new("clinic").unwrap();
    let source = Source { name: "a.ndjson", shape: Shape::Lines, home: &home };
    let mut cut = BufReader::new(Cut(Cursor::new(&whole[..end])));
    let cut = facility.app.import(source, &mut cut, &mut |_| {});
    assert!(matches!(cut, Err(ImportError::Read(_))));
    let facility = facility.restarted();
    let (second, problems) = import(&facility, "a.ndjson", Shape::Lines, &whole);
    let second = second.unwrap();
    assert_eq!(problems, []);
    assert_eq!((second.lines_known, second.lines, second.saved), (200, 50, 50));
    let (third, _) = import(&facility, "a.ndjson", Shape::Lines, &whole);
    assert_eq!(third.unwrap(), Imported { lines_known: 250, ..Imported::default() });
    let (more, _) = import(&facility, "a.ndjson", Shape::Lines, &(whole + &patients(250..260)));
    assert_eq!(more.unwrap().saved, 10, "what was added to the file is imported");
}

#[test]
fn a_file_that_changed_under_its_name_is_refused_and_under_another_adds_only_what_is_new() {
    let facility = Facility::new();
    import(&facility, "a.ndjson", Shape::Lines, &patients(0..5)).0.unwrap();
    let changed = patients(3..10);
    let (refused, _) = import(&facility, "a.ndjson", Shape::Lines, &changed);
    assert!(matches!(refused, Err(ImportError::Changed)));
    let (imported, _) = import(&facility, "b.ndjson", Shape::Lines, &changed);
    let imported = imported.unwrap();
    assert_eq!((imported.saved, imported.unchanged), (5, 2));
}

#[test]
fn what_somebody_here_wrote_since_is_not_written_over() {
    let facility = Facility::new();
    import(&facility, "a.ndjson", Shape::Lines, &patients(0..1)).0.unwrap();
    let doctor = facility.person(Role::Doctor);
    let id = ResourceId::new("p0").unwrap();
    let mut patient = facility.get("Patient", "p0").unwrap();
    patient["gender"] = "female".into();
    let write = ondol_app::rest::Write {
        at: None,
        verb: ondol_app::rest::Verb::Update {
            id,
            resource: ondol_fhir::Resource::from_json(patient).unwrap(),
        },
        kind: ondol_fhir::ResourceType::Patient,
        full_url: None,
        if_match: None,
    };
    let how = facility.app.rest_how("http://a/fhir", None);
    facility.app.rest_write(&doctor, write, how).unwrap();
    let newer = r#"{"resourceType":"Patient","id":"p0","gender":"male"}"#;
    let (imported, problems) = import(&facility, "b.ndjson", Shape::Lines, newer);
    assert_eq!((imported.unwrap().saved, problems[0].code.as_str()), (0, "conflict"));
    assert_eq!(facility.get("Patient", "p0").unwrap()["gender"], "female");
}

#[test]
fn the_population_and_days_of_a_clinic_come_in_whole() {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/clinic_days");
    if !data.exists() {
        assert!(std::env::var_os("CI").is_none(), "clinic_days is expected in CI");
        eprintln!("skipped: clinic_days is not in ../shared/data");
        return;
    }
    let facility = Facility::new();
    let population = std::fs::read_to_string(data.join("clinic_1_population.json")).unwrap();
    let (people, problems) = import(&facility, "population", Shape::Document, &population);
    assert_eq!(people.unwrap().left_out, 0, "{problems:?}");
    let file = std::fs::read(data.join("clinic_1_encounters.ndjson.gz")).unwrap();
    let mut days = String::new();
    flate2::read::GzDecoder::new(&file[..]).read_to_string(&mut days).unwrap();
    let (imported, problems) = import(&facility, "days", Shape::Lines, &days);
    let imported = imported.unwrap();
    assert_eq!((imported.lines, imported.left_out), (300, 0), "{problems:?}");
    assert!(imported.saved > 2_000);
    assert!(problems.iter().all(|problem| problem.code != "reference-dangling"), "{problems:?}");
}
