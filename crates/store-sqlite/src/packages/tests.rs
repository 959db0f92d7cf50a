use std::{fmt::Write as _, io::Write as _};

use ondol_terms::{
    library::{Content, Words, above, below},
    load::{LoadError, TableAsked, json, table},
};

use super::*;

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("ondol-packages-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// Makes a package count after those that do.
    fn add(
        &self,
        name: &str,
        load: impl FnOnce(&mut PackageWriter) -> Result<(), LoadError>,
    ) -> Result<(), LoadError> {
        let fresh = self.0.join("fresh");
        let _ = fs::remove_file(&fresh);
        let mut writer = PackageWriter::create(&fresh).unwrap();
        load(&mut writer)?;
        writer.finish().unwrap();
        let hash = blake3::hash(&fs::read(&fresh).unwrap()).to_hex().to_string();
        let listed = Listed { hash, name: name.to_owned() };
        fs::rename(&fresh, listed.file_in(&self.0)).unwrap();
        let mut all =
            fs::read_to_string(self.0.join(LIST)).map_or(vec![], |text| parse_list(&text).unwrap());
        all.push(listed);
        let list = self.0.join("list");
        fs::File::create(&list).unwrap().write_all(write_list(&all).as_bytes()).unwrap();
        fs::rename(list, self.0.join(LIST)).unwrap();
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A table of `tens` categories with ten codes each.
fn icd_10(tens: usize) -> String {
    let mut text = "icd10,title,ko\n".to_owned();
    for category in 0..tens {
        let code = format!("X{category:05}");
        writeln!(text, "{code},Category {category},갈래 {category}").unwrap();
        for ten in 0..10 {
            writeln!(text, "{code}.{ten},Kind {ten} of category {category},").unwrap();
        }
    }
    text
}

fn codes(system: &dyn System, words: &str) -> Vec<String> {
    let mut all = vec![];
    system
        .each(None, &Words::new(words), &mut |concept| {
            all.push(concept.code);
            ondol_terms::library::Visit::On
        })
        .unwrap();
    all
}

#[test]
fn packages_count_as_soon_as_the_list_names_them_and_the_newest_goes_first() {
    let folder = Folder::new("count");
    let packages = Packages::at(&folder.0);
    assert!(packages.system(ondol_terms::ICD_10, None).unwrap().is_none());
    folder.add("one", |to| table(icd_10(2).as_bytes(), TableAsked::default(), to)).unwrap();
    let held = packages.system(ondol_terms::ICD_10, None).unwrap().unwrap();
    assert_eq!(held.head().content, Content::Complete);
    assert_eq!(codes(&*held, "").len(), 22);
    assert_eq!(codes(&*held, "갈래 1"), ["X00001"]);
    assert_eq!(codes(&*held, "kind cat 1 3"), ["X00001.3"]);
    assert_eq!(held.parents("X00001.3").unwrap(), ["X00001"]);
    assert_eq!(held.children("X00001").unwrap().len(), 10);
    assert_eq!(below(&*held, "X00001").unwrap().unwrap().len(), 11);
    assert_eq!(above(&*held, "X00001.3").unwrap().unwrap().len(), 2);
    assert!(!held.knows_property("banana").unwrap());
    // What was held stays readable while another one takes its place.
    folder
        .add("two", |to| {
            let asked = TableAsked { version: Some("2019"), ..TableAsked::default() };
            table(icd_10(3).as_bytes(), asked, to)
        })
        .unwrap();
    let newer = packages.system(ondol_terms::ICD_10, None).unwrap().unwrap();
    assert_eq!((codes(&*newer, "").len(), codes(&*held, "").len()), (33, 22));
    assert_eq!(newer.head().version.as_deref(), Some("2019"));
    assert!(packages.system(ondol_terms::ICD_10, Some("2020")).unwrap().is_none());
    fs::remove_file(folder.0.join(LIST)).unwrap();
    assert!(packages.system(ondol_terms::ICD_10, None).unwrap().is_none());
}

#[test]
fn resources_are_kept_whole_and_what_is_of_no_system_is_dropped() {
    let folder = Folder::new("resources");
    let bundle = r#"{"resourceType":"Bundle","entry":[
        {"resource":{"concept":[{"code":"lost"}],"resourceType":"Basic"}},
        {"resource":{"resourceType":"CodeSystem","url":"urn:x","content":"fragment","caseSensitive":false,
          "concept":[{"code":"Ab","display":"Name","property":[{"code":"p","valueInteger":7}]}]}},
        {"resource":{"resourceType":"ValueSet","url":"urn:v","version":"2","compose":{"include":[{"system":"urn:x"}]}}}]}"#;
    folder.add("b", |to| json(bundle.as_bytes(), to)).unwrap();
    let packages = Packages::at(&folder.0);
    let held = packages.system("urn:x", None).unwrap().unwrap();
    assert_eq!(held.head().content, Content::Part);
    assert_eq!(held.concept("aB").unwrap().unwrap().display.as_deref(), Some("Name"));
    assert!(held.knows_property("p").unwrap());
    assert_eq!(codes(&*held, ""), ["Ab"]);
    assert!(packages.value_set("urn:v", Some("1")).unwrap().is_none());
    assert_eq!(packages.value_set("urn:v", None).unwrap().unwrap()["version"], "2");
    let package = packages.packages().unwrap().remove(0);
    let contents = package.contents().unwrap();
    assert_eq!((contents.systems.len(), contents.value_sets, contents.concept_maps), (1, 1, 0));
}

#[test]
fn a_damaged_file_is_said_and_not_taken_for_an_empty_one() {
    let folder = Folder::new("damaged");
    folder.add("one", |to| table(icd_10(200).as_bytes(), TableAsked::default(), to)).unwrap();
    let listed = parse_list(&fs::read_to_string(folder.0.join(LIST)).unwrap()).unwrap().remove(0);
    fs::write(listed.file_in(&folder.0), b"no database").unwrap();
    let damaged = Packages::at(&folder.0).system(ondol_terms::ICD_10, None).err();
    assert_eq!(damaged, Some(LibraryError::Damaged { package: "one".to_owned() }));
    fs::remove_file(listed.file_in(&folder.0)).unwrap();
    assert!(Packages::at(&folder.0).system(ondol_terms::ICD_10, None).is_err());
}

#[test]
fn each_code_of_many_is_found_with_what_stands_above_it() {
    let folder = Folder::new("many");
    let text = icd_10(910);
    folder.add("large", |to| table(text.as_bytes(), TableAsked::default(), to)).unwrap();
    let packages = Packages::at(&folder.0);
    let held = packages.system(ondol_terms::ICD_10, None).unwrap().unwrap();
    for number in 0..910 {
        let code = format!("X{number:05}.7");
        assert!(held.concept(&code).unwrap().is_some());
        assert_eq!(held.parents(&code).unwrap(), [format!("X{number:05}")]);
    }
    assert_eq!(codes(&*held, "category 909").len(), 11);
}
