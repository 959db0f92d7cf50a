//! A real small disk that fills up under a clinic at work, and has room again. It is a file system
//! in memory that is mounted for the test: where that is not allowed, the test says so.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use ondol_testkit::{
    fhir::FhirClient,
    node::{Country, CountryConfig, PASSWORD, Seat},
    patience,
    visitor::Visitor,
};
use serde_json::{Value, json};

/// A small disk at a folder; it goes with the test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, size: &str) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(at)
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(at.to_owned())),
            other => {
                println!("no small disk can be mounted here, so this is not tested: {other:?}");
                None
            }
        }
    }

    /// Writes until nothing more fits.
    fn fill(&self) {
        let mut file = File::create(self.0.join("ballast")).unwrap();
        while file.write_all(&[7; 4096]).is_ok() {}
    }

    fn empty(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["--lazy"]).arg(&self.0).status();
    }
}

fn copy(from: &Path, to: &Path) {
    for file in fs::read_dir(from).unwrap().flatten() {
        let (path, place) = (file.path(), to.join(file.file_name()));
        if path.is_dir() {
            fs::create_dir_all(&place).unwrap();
            copy(&path, &place);
        } else {
            fs::copy(path, place).unwrap();
        }
    }
}

fn stranger(number: u32, home: &str) -> Value {
    let text = format!("{number} ").repeat(1_500);
    json!({ "resourceType": "Patient", "gender": "female", "birthDate": "1980-01-02",
        "managingOrganization": { "reference": format!("Organization/{home}") },
        "name": [{ "text": format!("리영희{number}") }], "address": [{ "text": text }] })
}

#[test]
fn a_clinic_on_a_full_disk_says_so_on_every_page_reads_on_and_recovers_by_itself() {
    let mut country = Country::stopped_for_test("disk", CountryConfig::for_tests()).unwrap();
    let data = country.data(Seat::Clinic);
    let away = data.with_extension("away");
    fs::rename(&data, &away).unwrap();
    fs::create_dir_all(&data).unwrap();
    let Some(disk) = SmallDisk::mount(&data, "64m") else { return };
    copy(&away, &data);
    country.start_nodes(&mut |_| {}).unwrap();
    let base = country.url(Seat::Clinic).to_owned();
    let home = country.ready(Seat::Clinic).facility.clone();
    let api = FhirClient::new(&base, "yonghui", PASSWORD);
    let mut page = Visitor::new(&base, "en");
    page.sign_in("yonghui", PASSWORD).unwrap();
    let saved = api.post("Patient", &stranger(0, &home)).unwrap();
    assert_eq!(saved.status, 201, "{}", saved.body);
    let first = saved.id().to_owned();
    let says = |page: &mut Visitor| page.get("/").unwrap().body.contains("node is full");
    assert!(!says(&mut page));

    disk.fill();
    let mut acknowledged = vec![];
    let refused = (1..4_000).find_map(|number| {
        let answer = api.post("Patient", &stranger(number, &home)).unwrap();
        if answer.status == 201 {
            acknowledged.push(answer.id().to_owned());
            return None;
        }
        Some(answer)
    });
    let refused = refused.expect("a full disk refuses in the end");
    assert_eq!(refused.status, 507, "{}", refused.body);
    assert_eq!(refused.body["issue"][0]["code"], "no-store", "{}", refused.body);

    // Every page says so, in both languages, and reading goes on, with its audit and new sign-ins.
    assert!(says(&mut page));
    let mut korean = Visitor::new(&base, "ko-KP");
    korean.sign_in("songchol", PASSWORD).unwrap();
    assert!(korean.get("/").unwrap().body.contains("디스크가 꽉 차서"));
    for id in acknowledged.iter().chain([&first]) {
        assert_eq!(api.get(&format!("Patient/{id}")).unwrap().status, 200);
    }
    assert_eq!(api.post("Patient", &stranger(9_001, &home)).unwrap().status, 507);

    disk.empty();
    let well = patience::until(Duration::from_secs(60), || (!says(&mut page)).then_some(()));
    assert!(well.is_some(), "it does not recover by itself");
    let saved = api.post("Patient", &stranger(9_002, &home)).unwrap();
    assert_eq!(saved.status, 201, "{}", saved.body);
    for id in acknowledged.iter().chain([&first]) {
        assert_eq!(api.get(&format!("Patient/{id}")).unwrap().status, 200, "{id} is lost");
    }
    assert!(country.terminate(Seat::Clinic));
    country.command(Seat::Clinic, &["verify"]).unwrap();
    drop(country);
    drop(disk);
}
