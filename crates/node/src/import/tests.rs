use std::{cell::RefCell, fs, os::unix::fs::PermissionsExt as _};

use ed25519_dalek::SigningKey;
use ondol_app::founding;
use ondol_kernel::Millis;
use ondol_replicate::link;

use super::{files::MAPPING as MAPPING_FILE, *};
use crate::{durable::tests::Folder, private};

const MAPPING: &str = r#"{ "source": "ri-clinic", "tables": [
  { "file": "visits*.csv", "key": ["no"], "dates": ["DD.MM.YYYY"],
    "words": { "sex": { "남": "male", "녀": "female" } },
    "resources": [
      { "name": "person", "key": ["card"], "resource": {
          "resourceType": "Patient", "name": [{ "text": "{name}" }],
          "identifier": [{ "system": "urn:x:card", "value": "{card}" }],
          "gender": "{sex|word}", "birthDate": "{born|date}" } },
      { "name": "visit", "resource": {
          "resourceType": "Encounter", "status": "finished",
          "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB" },
          "subject": { "reference": "{>person}" }, "period": { "start": "{day|date}" } } }
    ] }] }"#;

const VISITS: &str = "no,card,name,sex,born,day\n\
    1,K1,리영희,녀,7.3.1961,1.11.2024\n\
    2,K2,김철,남,31.12.1970,2.11.2024\n\
    3,K1,리영희,녀,7.3.1961,3.11.2024\n\
    4,K3,\"박, 순\",녀,7/3/1955,3.11.2024\n\
    5,K4,최남,모름,1.1.1980,3.11.2024\n";

/// A founded node, and a folder of what it had before.
struct Scene {
    top: Folder,
    data: DataDir,
    /// The files of what the last import left out.
    refused: RefCell<Vec<PathBuf>>,
}

impl Scene {
    fn new() -> Self {
        let top = Folder::new();
        let data = DataDir::at(&top.0.join("data")).unwrap();
        let (root, keys) = (SigningKey::from_bytes(&[1; 32]), private::new_keys());
        private::write_keys(&data.keys(), &keys).unwrap();
        data.form_secret().unwrap();
        let store = data.store().unwrap();
        let public = link::public_key(&keys.link).unwrap();
        founding::found_nation(&*store, &root, &keys, public, "보건성", Millis(0)).unwrap();
        let scene = Self { top, data, refused: RefCell::default() };
        scene.write(MAPPING_FILE, MAPPING);
        scene
    }

    fn folder(&self) -> PathBuf {
        self.top.0.join("had")
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::create_dir_all(self.folder()).unwrap();
        let path = self.folder().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn import(&self, mode: Mode) -> Result<(Imported, usize)> {
        let summary = run(&self.data, &[self.folder()], mode)?;
        let count = summary.refused.len();
        *self.refused.borrow_mut() = summary.refused;
        Ok((summary.all, count))
    }

    fn count(&self, kind: &str) -> u64 {
        let store = self.data.store().unwrap();
        let query = ondol_store::Query {
            resource_type: kind.into(),
            chart: None,
            filters: vec![],
            order: ondol_store::Order::default(),
            limit: 1,
            after: None,
        };
        store.read().unwrap().count(&query).unwrap()
    }

    fn refused(&self, name: &str) -> (PathBuf, String) {
        let all = self.refused.borrow();
        let is_of = |path: &&PathBuf| {
            path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(name))
        };
        let path = all.iter().find(is_of).unwrap().clone();
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    }

    fn problems(&self) -> String {
        fs::read_to_string(self.data.0.join("import-problems.txt")).unwrap()
    }
}

#[test]
fn a_register_is_tried_imported_mended_and_grows() {
    let scene = Scene::new();
    scene.write("visits.csv", VISITS);
    let (tried, refused) = scene.import(Mode::Try).unwrap();
    assert_eq!((tried.saved, tried.left_out, refused), (5, 2, 0));
    assert!(!scene.data.0.join("import-refused").exists(), "a trial writes no rows anywhere");
    assert_eq!((scene.count("Patient"), scene.count("Encounter")), (0, 0), "nothing was written");

    let (first, _) = scene.import(Mode::Write).unwrap();
    assert_eq!((first.saved, first.unchanged, first.left_out), (5, 1, 2));
    assert_eq!((scene.count("Patient"), scene.count("Encounter")), (2, 3));
    let told = scene.problems();
    assert!(told.contains("visits.csv: line 5: left out: row-date at born"), "{told}");
    assert!(told.contains("line 6: left out: row-word at sex"), "{told}");
    assert!(!told.contains("모름") && !told.contains("박") && !told.contains("1955"), "{told}");

    // What was left out is mended where it stands, and that folder is imported.
    let (path, refused) = scene.refused("visits.csv");
    assert_eq!(refused.lines().count(), 3, "{refused}");
    assert!(refused.starts_with("no,card,name,sex,born,day,ondol-problem\n"), "{refused}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(&path, refused.replace("7/3/1955", "7.3.1955")).unwrap();
    let again = run(&scene.data, &[path.parent().unwrap().to_owned()], Mode::Write).unwrap();
    assert_eq!((again.all.saved, again.all.left_out), (2, 1));
    let left = fs::read_to_string(&again.refused[0]).unwrap();
    assert_eq!(left.lines().count(), 2, "{left}");
    fs::write(&again.refused[0], left.replace("모름", "남")).unwrap();
    let last = run(&scene.data, &again.refused, Mode::Write).unwrap();
    assert_eq!((last.all.saved, last.all.left_out, last.refused.len()), (2, 0, 0));
    // What an earlier run left out is told of again, though its rows are passed over.
    let (known, refused) = scene.import(Mode::Write).unwrap();
    assert_eq!((known.saved, known.lines_known, refused), (0, 5, 1));

    // The register as it is now: what stands is not written again.
    let grown = VISITS.replace("7/3/1955", "7.3.1955").replace("모름", "남")
        + "6,K2,김철,남,31.12.1970,4.11.2024\n";
    scene.write("visits.csv", &grown);
    let (third, _) = scene.import(Mode::Write).unwrap();
    assert_eq!((third.saved, third.unchanged, third.left_out), (1, 11, 0));
    let (again, _) = scene.import(Mode::Write).unwrap();
    assert_eq!((again.saved, again.lines_known, again.problems), (0, 6, 0));
    assert_eq!((scene.count("Patient"), scene.count("Encounter")), (4, 6));
}

#[test]
fn a_row_that_is_refused_keeps_no_other_from_being_saved() {
    let scene = Scene::new();
    scene.write("visits.csv", VISITS);
    scene.import(Mode::Write).unwrap();
    // The first visit would move to another person; the second is corrected; one is new.
    let changed = VISITS.replace("1,K1,리영희", "1,K9,리영희").replace("2.11.2024", "4.11.2024")
        + "6,K2,김철,남,31.12.1970,5.11.2024\n";
    scene.write("visits.csv", &changed);
    let (imported, _) = scene.import(Mode::Write).unwrap();
    assert_eq!((imported.saved, imported.left_out), (2, 3), "{}", scene.problems());
    assert!(scene.problems().contains("visits.csv: line 2: left out"), "{}", scene.problems());
    assert_eq!(scene.refused("visits.csv").1.lines().count(), 4);
}

#[test]
fn two_files_of_one_table_do_not_write_over_each_other() {
    let scene = Scene::new();
    scene.write("visits.csv", VISITS);
    scene.write("visits-2025.csv", &VISITS.replace("3.11.2024", "3.11.2025"));
    let (imported, refused) = scene.import(Mode::Write).unwrap();
    assert_eq!((imported.saved, imported.left_out, refused), (5, 5, 2), "{}", scene.problems());
    assert!(scene.problems().contains("visits.csv: line 4: left out: row-key-twice"));
    assert_eq!(scene.count("Encounter"), 3);
}

#[test]
fn what_cannot_be_read_is_said_before_anything_is_written() {
    let scene = Scene::new();
    let says = |scene: &Scene| {
        let why = scene.import(Mode::Write).err().unwrap();
        why.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
    };
    scene.write("staff.csv", "a,b\n1,2\n");
    assert!(says(&scene).contains("no table of the mapping.json beside it is for"));
    fs::remove_file(scene.folder().join("staff.csv")).unwrap();
    scene.write("visits.csv", "no,card,name\n1,K1,x\n");
    let told = says(&scene);
    assert!(told.contains("no column is called [\"sex\", \"born\", \"day\"]"), "{told}");
    scene.write("visits.csv", VISITS);
    scene.write(MAPPING_FILE, "{ \"source\": 1 }");
    assert!(says(&scene).contains("the mapping cannot be read"));
    fs::remove_file(scene.folder().join(MAPPING_FILE)).unwrap();
    assert!(says(&scene).contains("a file mapping.json beside it"));
    assert_eq!(scene.count("Patient"), 0);
    // A file that ends in the middle: what came before is there, and it goes on when it is whole.
    scene.write(MAPPING_FILE, MAPPING);
    scene.write("visits.csv", &(VISITS.to_owned() + "6,K5,\"cut"));
    assert!(says(&scene).contains("does not end"));
    scene.write("visits.csv", VISITS);
    assert_eq!(scene.import(Mode::Write).unwrap().0.left_out, 2);
    assert_eq!(scene.count("Encounter"), 3);
}

#[test]
fn lines_and_entries_that_were_left_out_can_be_mended_too() {
    let scene = Scene::new();
    scene.write("people.ndjson", "{\"resourceType\":\"Patient\",\"id\":\"a\"}\nnot json\n{}\n");
    let bundle = r#"{"resourceType":"Bundle","type":"collection","entry":[
        {"resource":{"resourceType":"Patient","id":"b"}},{"resource":{"resourceType":"Banana"}}]}"#;
    scene.write("all.json", bundle);
    let (imported, refused) = scene.import(Mode::Write).unwrap();
    assert_eq!((imported.saved, imported.left_out, refused), (2, 3, 2));
    assert_eq!(scene.refused("people.ndjson").1, "not json\n{}\n");
    let left: serde_json::Value = serde_json::from_str(&scene.refused("all.json").1).unwrap();
    assert_eq!(left["entry"].as_array().unwrap().len(), 1);
    assert_eq!(left["entry"][0]["resource"]["resourceType"], "Banana");
}

/// A ZIP archive of parts that are not packed (APPNOTE 6.3.10, 4.3).
fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let (mut bytes, mut directory) = (vec![], vec![]);
    for (name, text) in parts {
        let mut crc = flate2::Crc::new();
        crc.update(text.as_bytes());
        let size = u32::try_from(text.len()).unwrap().to_le_bytes();
        let mut about = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        about.extend([crc.sum().to_le_bytes(), size, size].concat());
        about.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        about.extend([0, 0]);
        let at = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&about);
        directory.extend([0; 10]);
        directory.extend(at);
        directory.extend(name.as_bytes());
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&about);
        bytes.extend(name.as_bytes());
        bytes.extend(text.as_bytes());
    }
    let (at, size) = (bytes.len(), directory.len());
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    let count = u16::try_from(parts.len()).unwrap().to_le_bytes();
    bytes.extend([count, count].concat());
    bytes.extend(u32::try_from(size).unwrap().to_le_bytes());
    bytes.extend(u32::try_from(at).unwrap().to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

#[test]
fn a_workbook_is_a_table_too() {
    let scene = Scene::new();
    let of = |row: &str, number: usize| {
        let cells: Vec<String> = row
            .split('|')
            .map(|cell| format!("<c t=\"inlineStr\"><is><t>{cell}</t></is></c>"))
            .collect();
        format!("<row r=\"{number}\">{}</row>", cells.concat())
    };
    let rows = [
        of("no|card|name|sex|born|day", 2),
        of("1|K1|리영희|녀|7.3.1961|1.11.2024", 3),
        of("2|K2|김철|남|31.2.1970|2.11.2024", 5),
    ];
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let packed = "http://schemas.openxmlformats.org/package/2006/relationships";
    let book = archive(&[
        (
            "_rels/.rels",
            &format!(
                "<Relationships xmlns=\"{packed}\"><Relationship Id=\"a\" \
                 Type=\"{relations}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            &format!(
                "<workbook xmlns=\"{main}\" xmlns:r=\"{relations}\"><sheets>\
                 <sheet name=\"s\" sheetId=\"1\" r:id=\"b\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            &format!(
                "<Relationships xmlns=\"{packed}\"><Relationship Id=\"b\" \
                 Type=\"{relations}/worksheet\" Target=\"worksheets/one.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/worksheets/one.xml",
            &format!(
                "<worksheet xmlns=\"{main}\"><sheetData>{}</sheetData></worksheet>",
                rows.concat()
            ),
        ),
    ]);
    fs::write(scene.folder().join("visits.xlsx"), book).unwrap();
    let mapping = MAPPING.replace("visits*.csv", "visits*");
    scene.write(MAPPING_FILE, &mapping);
    let (imported, refused) = scene.import(Mode::Write).unwrap();
    assert_eq!((imported.saved, imported.left_out, refused), (2, 1, 1));
    assert!(scene.problems().contains("visits.xlsx: line 5: left out: row-date at born"));
    assert_eq!(scene.refused("visits.xlsx").1.lines().count(), 2);
}

#[test]
fn messages_come_in_order_and_a_file_that_grows_adds_what_is_new() {
    let scene = Scene::new();
    let message = |event: &str, name: &str, number: u32| {
        format!(
            "MSH|^~\\&|LAB|RI|||20241102101500+0830||ADT^{event}|{number}|P|2.5|||||||UNICODE UTF-8\r\
             EVN|{event}|20241102101500\r\
             PID|1||K7^^^RI^MR||{name}||19610307|F\r\
             PV1|1|O|||||||||||||||||V{number}\r"
        )
    };
    let result = "MSH|^~\\&|LAB|RI|||20241102111500+0830||ORU^R01|9|P|2.5|||||||UNICODE UTF-8\r\
        PID|1||K7^^^RI^MR||리^영희\r\
        OBR|1||L-77|718-7^Hemoglobin^LN|||20241102103000+0830|||||||||||||||||F\r\
        OBX|1|NM|718-7^Hemoglobin^LN||10.50|g/dL^^UCUM|12.0-15.5|L|||F\r";
    let first = message("A04", "리^영희", 1) + &message("A08", "리^영희2", 1);
    scene.write("day.hl7", &(first.clone() + "MSH|broken\r"));
    let (imported, refused) = scene.import(Mode::Write).unwrap();
    assert_eq!((imported.left_out, refused), (1, 1), "{}", scene.problems());
    assert!(!scene.problems().contains("영희"), "{}", scene.problems());
    assert_eq!((scene.count("Patient"), scene.count("Encounter")), (1, 1));
    scene.write("day.hl7", &(first + "MSH|broken\r" + result));
    let (grown, _) = scene.import(Mode::Write).unwrap();
    assert_eq!(grown.lines_known, 3);
    assert_eq!((scene.count("Patient"), scene.count("Observation")), (1, 1));
    let store = scene.data.store().unwrap();
    let charts = store.read().unwrap().charts(ondol_record::ChartKind::Patient, None, 2).unwrap();
    let people = store.read().unwrap().chart(&charts[0], &["Patient"]).unwrap();
    assert!(people[0].shown.body.contains("1961-03-07"), "a result takes nothing away");
    drop(store);
    let (again, _) = scene.import(Mode::Write).unwrap();
    assert_eq!((again.saved, again.lines_known), (0, 4));
}
