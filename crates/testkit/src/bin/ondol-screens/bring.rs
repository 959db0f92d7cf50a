//! The screens of bringing records along, in each state, with files that are made here.

use std::{fs, path::PathBuf, time::Duration};

use ondol_testkit::{desk::Desk, node::Seat};

use crate::scenes::{Scene, scene};

const MAPPING: &str = r#"{ "source": "old-register", "tables": [
  { "file": "대장*.csv", "key": ["번호"], "dates": ["YYYY.MM.DD"],
    "words": { "성별": { "남": "male", "녀": "female" } },
    "resources": [
      { "name": "person", "key": ["카드"], "resource": {
          "resourceType": "Patient", "name": [{ "text": "{이름}" }],
          "gender": "{성별|word}", "birthDate": "{난날|date}" } },
      { "name": "visit", "resource": {
          "resourceType": "Encounter", "status": "finished",
          "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB" },
          "subject": { "reference": "{>person}" }, "period": { "start": "{날자|date}" } } }
    ] }] }"#;

const REGISTER: &str = "번호,카드,이름,성별,난날,날자\n\
    1,K1,오늘란,녀,1961.03.07,2024.11.01\n\
    2,K2,오늘범,남,1970.12.31,2024.11.02\n\
    3,K3,오늘순,녀,1955-3,2024.11.03\n\
    4,K4,오늘남,모름,1980.01.01,2024.11.03\n\
    4,K5,오늘철,남,1980.01.01,2024.11.04\n";

const LINES: &str = "{\"resourceType\":\"Banana\"}\nno JSON\n";

/// The scenes, at the clinic's administrator.
pub fn all() -> Vec<Scene> {
    let at = |name| scene(Seat::Clinic, "songchol", name, "/import");
    vec![
        at("import"),
        at("import-wrong").when(|desk| {
            give(desk, &[("대장 2024.csv", REGISTER)]);
            desk.press("import-try");
            desk.see("import-files");
            desk.browser.shows("//*[@id='errors']");
        }),
        at("import-running").when(running).then(|desk| {
            desk.press("import-stop");
            desk.see("import-trial-stopped");
            desk.press("import-discard");
            desk.see("import-why");
        }),
        at("import-stopped").when(|desk| {
            running(desk);
            desk.press("import-stop");
            desk.see("import-trial-stopped");
        }),
        at("import-tried").when(|desk| {
            // What stands from the scene before gives way.
            if desk.browser.has("//button[@value='discard']") {
                desk.press("import-discard");
                desk.see("import-why");
            }
            bring(desk, "import-try");
            desk.see("import-tried-left");
        }),
        at("import-done")
            .when(|desk| {
                desk.press("import-now");
                desk.see("import-done-left");
            })
            .then(|desk| {
                desk.press("import-discard-refused");
                desk.press("import-finish");
                desk.see("import-why");
            }),
    ]
}

fn bring(desk: &Desk, button: &str) {
    let files = [("대장 2024.csv", REGISTER), ("mapping.json", MAPPING), ("사람들.ndjson", LINES)];
    give(desk, &files);
    desk.press(button);
}

/// Many people are tried: nothing is written, and it takes its time.
fn running(desk: &Desk) {
    let line = |n: u32| format!("{{\"resourceType\":\"Patient\",\"id\":\"tried-{n}\"}}\n");
    let lines: Vec<String> = (0..200_000).map(line).collect();
    give(desk, &[("사람들 2.ndjson", &lines.concat())]);
    desk.press("import-try");
    desk.see("import-goes-on");
    // Some of it is read then.
    std::thread::sleep(Duration::from_secs(3));
    desk.go("/import");
}

/// Chooses files in the page.
fn give(desk: &Desk, files: &[(&str, &str)]) {
    let folder: PathBuf = std::env::temp_dir().join(format!("ondol-bring-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for files");
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).expect("a file");
        desk.browser.attach("files", &path);
    }
}
