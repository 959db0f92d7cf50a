use flate2::{Compression, write::GzEncoder};
use ondol_terms::library::Library as _;

use super::*;
use crate::durable::tests::{Folder, Remembering};

const ICD_10: &str = "icd10,title\nA00,Cholera\nA00.9,Cholera of no named kind\n";

const SYSTEM: &str = r#"{"resourceType":"CodeSystem","url":"urn:x","version":"1","status":"active",
    "content":"complete","concept":[{"code":"a","display":"A"}]}"#;

fn written(folder: &Folder, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.0.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(vec![], Compression::fast()));
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *bytes).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// How many codes a node has of a system.
fn codes(data: &Folder, url: &str) -> Option<usize> {
    let library = library(&data.0);
    let system = library.system(url, None).unwrap()?;
    let mut count = 0;
    system
        .each(None, &ondol_terms::library::Words::default(), &mut |_| {
            count += 1;
            ondol_terms::library::Visit::On
        })
        .unwrap();
    Some(count)
}

fn names(data: &Folder) -> Vec<String> {
    Shelf::open(&data.0).unwrap().all().unwrap().into_iter().map(|found| found.name).collect()
}

/// Adds a file and expects a sentence.
fn refused(data: &Folder, file: &Path) -> String {
    let why = Shelf::open(&data.0).unwrap().add(file, &Asked::default()).err().unwrap();
    let left = fs::read_dir(data.0.join(FOLDER)).unwrap().flatten();
    let left: Vec<_> =
        left.filter(|file| file.path().extension().is_some_and(|e| e == "new")).collect();
    assert!(left.is_empty(), "{left:?}");
    why.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[test]
fn tables_resources_and_archives_are_added_listed_and_removed() {
    let (data, files) = (Folder::new(), Folder::new());
    let table = written(&files, "icd.csv", ICD_10);
    let resource = written(&files, "x.json", format!("\u{feff}{SYSTEM}"));
    let archive = packed(&[
        ("package/package.json", br#"{"name":"kp.terms","version":"1.0.0"}"#),
        ("package/.index.json", b"{"),
        ("package/CodeSystem-y.json", SYSTEM.replace("urn:x", "urn:y").as_bytes()),
        ("package/StructureDefinition-z.json", br#"{"resourceType":"StructureDefinition"}"#),
        ("package/example/bad.json", b"{"),
    ]);
    let archive = written(&files, "terms.tgz", archive);
    for (file, name) in
        [(&table, ondol_terms::ICD_10), (&resource, "urn:x"), (&archive, "kp.terms")]
    {
        let (added, _) = Shelf::open(&data.0).unwrap().add(file, &Asked::default()).unwrap();
        assert_eq!(added, name);
    }
    assert_eq!(names(&data), [ondol_terms::ICD_10, "urn:x", "kp.terms"]);
    for (url, count) in [(ondol_terms::ICD_10, 2), ("urn:x", 1), ("urn:y", 1)] {
        assert_eq!(codes(&data, url), Some(count), "{url}");
    }
    Shelf::open(&data.0).unwrap().remove("urn:x").unwrap();
    assert_eq!((codes(&data, "urn:x"), names(&data).len()), (None, 2));
    assert!(Shelf::open(&data.0).unwrap().remove("urn:x").is_err());
    let files = fs::read_dir(data.0.join(FOLDER)).unwrap().flatten();
    assert_eq!(files.filter(|file| file.path().extension().is_some_and(|e| e == "db")).count(), 2);
}

#[test]
fn a_damaged_file_is_refused_with_a_sentence_and_the_older_package_stays() {
    let (data, files) = (Folder::new(), Folder::new());
    let good = written(&files, "icd.csv", ICD_10);
    Shelf::open(&data.0).unwrap().add(&good, &Asked::default()).unwrap();
    // Noise does not pack: the archive is long enough to be cut in the middle of a file.
    let noise: String = (0..60_000_u32)
        .map(|n| char::from(b'a' + (n.wrapping_mul(2_654_435_761) >> 27) as u8 % 26))
        .collect();
    let archive = packed(&[(
        "package/CodeSystem-x.json",
        SYSTEM.replace("\"A\"", &format!("\"{noise}\"")).as_bytes(),
    )]);
    let mut flipped = archive.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x40;
    for (name, bytes, says) in [
        (
            "icd.csv",
            format!("{ICD_10}A00,again\n").into_bytes(),
            "line 4: the code A00 stands there twice",
        ),
        ("icd.csv", b"icd10,title\nA00\n".to_vec(), "line 2 has 1 cells"),
        ("icd.csv", b"icd10,title\nA00,\xff\n".to_vec(), "line 2: this is not UTF-8"),
        (
            "icd.csv",
            [b"icd10,title\n".to_vec(), vec![b'x'; 2 << 20]].concat(),
            "line 2: a text is longer",
        ),
        ("x.json", SYSTEM[..SYSTEM.len() - 5].into(), "line 2, character"),
        ("x.json", b"{\"resourceType\":\"Patient\"}".to_vec(), "no code and no value set"),
        ("a.tgz", archive[..archive.len() / 2].to_vec(), "cut short or damaged"),
        ("a.tgz", archive[..archive.len() - 4].to_vec(), "cut short or damaged"),
        ("a.tgz", flipped, ""),
        ("a.zip", b"PK\x03\x04".to_vec(), "zip file or a spreadsheet"),
        ("empty", vec![], "the first line has to name the columns"),
    ] {
        let why = refused(&data, &written(&files, name, bytes));
        assert!(why.contains(says), "{why} / {says}");
        assert_eq!((codes(&data, ondol_terms::ICD_10), names(&data).len()), (Some(2), 1));
    }
}

#[test]
fn a_bomb_is_stopped_and_leaves_nothing() {
    let folder = Folder::new();
    let path = folder.0.join("p.db");
    let bomb = packed(&[("package/CodeSystem-x.json", &vec![b' '; 4 << 20])]);
    assert!(bomb.len() < 100_000);
    let mut to = PackageWriter::create(&path).unwrap();
    let why = archive::read(&*bomb, 1 << 20, &mut to).err().unwrap();
    let why = why.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ");
    assert!(why.contains("cannot be read to its end") || why.contains("unpacks to more"), "{why}");
    let inside = packed(&[("package/readme.md", &vec![b' '; 4 << 20])]);
    let why = archive::read(&*inside, 1 << 20, &mut to).err().unwrap();
    assert!(why.to_string().contains("unpacks to more"), "{why}");
}

#[test]
fn the_new_version_counts_once_it_is_durable_and_outlives_a_power_cut() {
    let (data, files, disk) = (Folder::new(), Folder::new(), Remembering::default());
    for (round, rows) in [1, 2].into_iter().enumerate() {
        let text =
            "icd10,title\nA00,a\nA01,b\n".lines().take(rows + 1).collect::<Vec<_>>().join("\n");
        let file = written(&files, "icd.csv", text);
        let shelf = Shelf::on(&disk, &data.0).unwrap();
        shelf.add(&file, &Asked::default()).unwrap();
        let listed = shelf.listed().unwrap();
        assert_eq!(listed.len(), 1, "{round}");
        assert!(disk.keeps(&listed[0].file_in(&shelf.folder), &data.0));
        assert!(disk.keeps(&shelf.folder.join(LIST), &data.0));
        assert_eq!(codes(&data, ondol_terms::ICD_10), Some(rows));
    }
}

#[test]
fn a_package_that_was_damaged_on_disk_is_listed_as_such() {
    let (data, files) = (Folder::new(), Folder::new());
    let table = written(&files, "icd.csv", ICD_10);
    let shelf = Shelf::open(&data.0).unwrap();
    shelf.add(&table, &Asked::default()).unwrap();
    let place = shelf.listed().unwrap()[0].file_in(&shelf.folder);
    let mut bytes = fs::read(&place).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&place, bytes).unwrap();
    assert!(shelf.all().unwrap()[0].contents.is_none());
}
