//! Bringing records along, as administrators do it: on the pages of a node, without script.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    thread::sleep,
    time::Duration,
};

use axum::http::StatusCode;
use ed25519_dalek::SigningKey;
use ondol_app::{
    App,
    access::{Role, RoleSet},
    accounts::NewPerson,
    founding,
    intake::{Intake as _, Phase, Seen},
};
use ondol_kernel::Millis;
use ondol_replicate::link;

use super::NodeIntake;
use crate::{data_dir::DataDir, durable::tests::Folder, private, serve};

#[path = "../../../../ui/tests/browser/mod.rs"]
mod browser;

use browser::{Browser, Shown};

const PASSWORD: &str = "봄날의 따뜻한 온돌";

const MAPPING: &str = r#"{ "source": "ri-clinic", "tables": [
  { "file": "visits*.csv", "key": ["no"], "dates": ["DD.MM.YYYY"],
    "words": { "sex": { "남": "male", "녀": "female" } },
    "resources": [
      { "name": "person", "key": ["card"], "resource": {
          "resourceType": "Patient", "name": [{ "text": "{name}" }],
          "gender": "{sex|word}", "birthDate": "{born|date}" } },
      { "name": "visit", "resource": {
          "resourceType": "Encounter", "status": "finished",
          "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB" },
          "subject": { "reference": "{>person}" }, "period": { "start": "{day|date}" } } }
    ] }] }"#;

const VISITS: &str = "no,card,name,sex,born,day\n\
    1,K1,리영희,녀,7.3.1961,1.11.2024\n\
    2,K2,김철,남,31.12.1970,2.11.2024\n\
    3,K3,\"박, 순\",녀,7/3/1955,3.11.2024\n";

const PEOPLE: &str = "{\"resourceType\":\"Patient\",\"id\":\"a\",\"name\":[{\"text\":\"최남\"}]}\n\
    not json\n";

const ADT: &str = "MSH|^~\\&|LAB|RI|||20241102101500+0830||ADT^A04|1|P|2.5|||||||UNICODE UTF-8\r\
    EVN|A04|20241102101500\r\
    PID|1||K7^^^RI^MR||리^영희||19610307|F\r\
    PV1|1|O|||||||||||||||||V1\r";

/// A facility's data, and the node that runs over them.
struct Node {
    data: DataDir,
    app: Arc<App>,
    intake: Arc<NodeIntake>,
}

fn found(top: &Path) -> DataDir {
    let data = DataDir::at(&top.join("data")).unwrap();
    let (root, keys) = (SigningKey::from_bytes(&[1; 32]), private::new_keys());
    private::write_keys(&data.keys(), &keys).unwrap();
    let store = data.store().unwrap();
    let public = link::public_key(&keys.link).unwrap();
    founding::found_nation(&*store, &root, &keys, public, "보건성", Millis(0)).unwrap();
    drop(store);
    let app = data.app().unwrap();
    let person = |login: &str, role: Role| {
        let person = NewPerson {
            name: format!("일군 {login}"),
            login: login.to_owned(),
            roles: RoleSet::EMPTY.with(role),
            specialties: vec![],
            phone: String::new(),
        };
        (person, PASSWORD.to_owned())
    };
    let people = vec![
        person("admin1", Role::Administrator),
        person("admin2", Role::Administrator),
        person("manager", Role::FacilityManager),
    ];
    app.first_run(people).unwrap();
    data
}

impl Node {
    fn start(data: DataDir) -> Self {
        Self::with(data, 1 << 30)
    }

    fn with(data: DataDir, bytes_max: u64) -> Self {
        let app = data.app().unwrap();
        let intake = NodeIntake::with(&data.0, bytes_max).unwrap();
        app.use_intake(intake.clone());
        Self { data, app, intake }
    }

    /// The node ends, and starts again.
    fn again(self) -> Self {
        self.intake.halt();
        let Self { data, app, intake } = self;
        drop((app, intake));
        Self::start(data)
    }

    fn at(&self, login: &str) -> Browser {
        let practice = self.data.practice(&self.app).unwrap();
        let pages = serve::pages(&self.data, &self.app, &practice, false).unwrap();
        let entered = self.app.sign_in(login, PASSWORD, None, None).unwrap();
        let mut browser = Browser::at(pages);
        browser.cookies.insert("ondol_session".into(), entered.session);
        browser.cookies.insert("ondol_station".into(), entered.station);
        browser
    }

    fn seen(&self) -> Seen {
        self.intake.seen()
    }

    /// Waits until something holds.
    fn until(&self, holds: impl Fn(&Seen) -> bool) -> Seen {
        for _ in 0..60_000 {
            let seen = self.seen();
            if holds(&seen) {
                return seen;
            }
            sleep(Duration::from_millis(2));
        }
        panic!("it does not come to that: {:?}", self.seen());
    }

    fn ended(&self) -> Seen {
        self.until(|seen| !matches!(seen.phase, Phase::Running { .. }))
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.data.0.join("import").join(name)
    }
}

async fn bring(browser: &mut Browser, wish: &str, files: &[(&str, &str)]) -> Shown {
    let files: Vec<_> =
        files.iter().map(|(name, text)| ("files", *name, text.as_bytes())).collect();
    let body = browser.form_with(&[], &files).await;
    // The button stands behind the files.
    let end = body.len() - b"--part--\r\n".len();
    let button = "--part\r\nContent-Disposition: form-data; name=\"do\"\r\n\r\n";
    let body = [&body[..end], button.as_bytes(), wish.as_bytes(), b"\r\n--part--\r\n"].concat();
    browser.send_parts("/import", body).await
}

async fn press(browser: &mut Browser, wish: &str) -> Shown {
    browser.send("/import/do", &[("do", wish)]).await
}

/// What can be taken: names and texts.
async fn refused(browser: &mut Browser, node: &Node) -> Vec<(String, String)> {
    let mut all = vec![];
    for file in node.seen().refused {
        let shown = browser.get(&format!("/import/refused/{}", file.number)).await;
        assert_eq!((shown.status, shown.html.len() as u64), (StatusCode::OK, file.bytes));
        all.push((file.name, shown.html));
    }
    all
}

fn numbers(seen: &Seen) -> (u64, u64, u64) {
    (seen.progress.saved, seen.progress.unchanged, seen.progress.left_out)
}

#[tokio::test]
async fn what_a_facility_has_is_tried_imported_mended_and_grows() {
    let top = Folder::new();
    let node = Node::start(found(&top.0));
    let mut browser = node.at("admin1");
    assert!(browser.get("/settings").await.says(&["href=\"/import\"", "Bring records along"]));
    let files =
        [("mapping.json", MAPPING), ("visits.csv", VISITS), ("a.ndjson", PEOPLE), ("b.hl7", ADT)];
    let before = node.app.last_arrival().unwrap();
    bring(&mut browser, "try", &files).await;
    let tried = node.ended();
    assert_eq!((tried.phase.clone(), tried.is_trial), (Phase::Done, true), "{tried:?}");
    assert_eq!(numbers(&tried), (7, 0, 2));
    assert_eq!(node.app.last_arrival().unwrap(), before, "nothing was written");
    assert!(!node.folder("refused").exists());
    let page = browser.get("/import").await;
    assert!(page.says(&["Tried. Nothing was written.", "visits.csv, line 4", "Column ‘born’"]));
    assert!(page.says(&["a.ndjson, line 2", "no valid JSON", "Import these files now"]));

    press(&mut browser, "import").await;
    let first = node.ended();
    assert_eq!((first.phase.clone(), numbers(&first)), (Phase::Done, (7, 0, 2)), "{first:?}");
    assert!(!node.folder("files").exists(), "what is imported is taken away");
    browser.lang = "ko";
    let page = browser.get("/import").await;
    assert!(page.says(&["아래것은 빠졌습니다", "‘born’렬", "visits.csv, 4째 줄"]), "{}", page.html);
    for name in ["영희", "김철", "최남", "1955"] {
        assert!(!page.html.contains(name), "{name}");
    }

    // What was left out goes back to the one who brought it, and to nobody else.
    let left = refused(&mut browser, &node).await;
    let names: Vec<&str> = left.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(left.len(), 3, "{names:?}");
    let mut other = node.at("admin2");
    assert!(other.get("/import").await.says(&["goes back to that person alone"]));
    assert_eq!(other.get("/import/refused/1").await.status, StatusCode::FORBIDDEN);
    let find = |name: &str| left.iter().find(|(file, _)| file.starts_with(name)).unwrap().clone();
    let (table, rows) = find("visits.csv");
    assert_eq!(rows.lines().count(), 2, "{rows}");
    assert_eq!(find("a.ndjson").1, "not json\n");
    let mended = rows.replace("7/3/1955", "7.3.1955");
    let files = [(table.as_str(), mended.as_str()), ("mapping.json", &find("mapping.json").1)];
    bring(&mut browser, "import", &files).await;
    let second = node.ended();
    assert_eq!((second.phase.clone(), numbers(&second)), (Phase::Done, (2, 0, 0)), "{second:?}");
    assert_eq!(second.refused.len(), 3, "what was left out stays until it is taken away");
    press(&mut browser, "discard-refused").await;
    assert!(!node.folder("refused").exists());

    // The register as it is now: what is new is added, and what stands is not written again.
    let grown = VISITS.replace("7/3/1955", "7.3.1955") + "4,K2,김철,남,31.12.1970,4.11.2024\n";
    bring(&mut browser, "import", &[("visits.csv", &grown), ("mapping.json", MAPPING)]).await;
    let third = node.ended();
    assert_eq!((third.phase.clone(), numbers(&third)), (Phase::Done, (1, 7, 0)), "{third:?}");
    bring(&mut browser, "import", &[("visits.csv", &grown), ("mapping.json", MAPPING)]).await;
    let again = node.ended();
    assert_eq!((numbers(&again), again.progress.lines_known), ((0, 0, 0), 4));
}

#[tokio::test]
async fn who_may_not_is_refused_at_every_door() {
    let top = Folder::new();
    let node = Node::start(found(&top.0));
    let mut manager = node.at("manager");
    assert!(!manager.get("/settings").await.says(&["href=\"/import\""]));
    for path in ["/import", "/import/watch", "/import/refused/1"] {
        assert_eq!(manager.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    for wish in ["try", "import", "stop", "discard", "discard-refused"] {
        assert_eq!(press(&mut manager, wish).await.status, StatusCode::FORBIDDEN, "{wish}");
    }
    let page = bring(&mut manager, "import", &[("a.ndjson", PEOPLE)]).await;
    assert_eq!((page.status, node.seen()), (StatusCode::FORBIDDEN, Seen::default()));
    assert!(!node.folder("files").exists() && !node.folder("incoming").exists());
    // In the practice room nothing is brought along, whoever it is.
    let mut browser = node.at("admin1");
    browser.cookies.insert("ondol_room".into(), "practice".into());
    assert!(browser.get("/import").await.says(&["In practice mode no records"]));
    let page = bring(&mut browser, "import", &[("a.ndjson", PEOPLE)]).await;
    assert_eq!((page.status, node.seen()), (StatusCode::UNPROCESSABLE_ENTITY, Seen::default()));
}

fn many(count: u32) -> String {
    let line = |n: u32| format!("{{\"resourceType\":\"Patient\",\"id\":\"p{n}\"}}\n");
    let mut lines: Vec<String> = (0..count).map(line).collect();
    lines.push("{}\n".to_owned());
    lines.concat()
}

#[tokio::test]
async fn a_node_that_ends_in_the_middle_says_so_and_goes_on() {
    let top = Folder::new();
    let node = Node::start(found(&top.0));
    let mut browser = node.at("admin1");
    bring(&mut browser, "import", &[("many.ndjson", &many(1_500))]).await;
    let running = node.until(|seen| seen.progress.saved >= 100);
    assert_eq!(running.phase, Phase::Running { is_stopping: false });
    let page = browser.get("/import").await;
    assert!(
        page.says(&["it goes on", "http-equiv=\"refresh\"", "value=\"stop\""]),
        "{}",
        page.html
    );
    // Only one at once.
    let page = bring(&mut browser, "import", &[("b.ndjson", PEOPLE)]).await;
    assert!(page.says(&["imported already"]), "{}", page.html);
    assert!(press(&mut browser, "discard").await.says(&["imported already"]));

    let node = node.again();
    let cut = node.seen();
    assert_eq!((cut.phase, cut.files.len()), (Phase::Cut, 1));
    let mut browser = node.at("admin1");
    let page = browser.get("/import").await;
    assert!(page.says(&["switched off in the middle", "Go on", "many.ndjson"]), "{}", page.html);
    press(&mut browser, "import").await;
    node.until(|seen| seen.progress.saved > 0);
    press(&mut browser, "stop").await;
    let stopped = node.ended();
    let known = stopped.progress.lines_known;
    assert!(stopped.phase == Phase::Stopped && known >= 100, "{stopped:?}");
    assert!(browser.get("/import").await.says(&["It was stopped", "Go on"]));
    press(&mut browser, "import").await;
    let done = node.ended();
    assert_eq!(done.phase, Phase::Done);
    assert!(done.progress.lines_known > known);
    assert_eq!(done.progress.lines_known + done.progress.lines, 1_501);
    assert_eq!(done.progress.lines_known + done.progress.saved, 1_500);
    assert_eq!(done.progress.left_out, 1, "{done:?}");
    // The result, and what was left out, are there after a restart too.
    let node = node.again();
    assert_eq!(node.seen(), done);
    assert!(
        node.at("admin1").get("/import").await.says(&["Some was left out", "many.ndjson.refused"])
    );
}

#[tokio::test]
async fn what_was_left_out_before_a_cut_is_told_of_after_it() {
    let top = Folder::new();
    let node = Node::start(found(&top.0));
    let mut browser = node.at("admin1");
    let text = "nonsense\n".to_owned() + &many(1_000);
    bring(&mut browser, "import", &[("many.ndjson", &text)]).await;
    node.until(|seen| seen.progress.saved >= 100);
    let node = node.again();
    assert_eq!(fs::read_dir(node.folder("refused")).unwrap().count(), 0);
    let mut browser = node.at("admin1");
    press(&mut browser, "import").await;
    let done = node.ended();
    assert_eq!((done.phase.clone(), done.progress.left_out), (Phase::Done, 2));
    let codes: Vec<&str> = done.left_out.iter().map(|left| left.code.as_str()).collect();
    assert_eq!(codes, ["not-json", "resource-type-missing"]);
    assert_eq!(refused(&mut browser, &node).await[0].1, "nonsense\n{}\n");
}

#[tokio::test]
async fn hostile_names_cut_uploads_and_what_is_too_much_leave_nothing() {
    let top = Folder::new();
    let node = Node::with(found(&top.0), 4_000);
    let mut browser = node.at("admin1");
    let nothing_is_there = |page: &Shown, says: &str| {
        assert!(page.says(&[says]), "{says}: {}", page.html);
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(node.seen().phase, Phase::Empty);
        assert!(!node.folder("incoming").exists() && !node.folder("files").exists());
    };
    let ndjson = "{\"resourceType\":\"Patient\",\"id\":\"x\"}\n";
    for (name, says) in [
        ("../../..", "no name that can be used"),
        ("..\\..\\evil.exe", "evil.exe cannot be read"),
        ("/etc/passwd", "passwd cannot be read"),
    ] {
        let page = bring(&mut browser, "import", &[(name, ndjson)]).await;
        nothing_is_there(&page, says);
    }
    let page =
        bring(&mut browser, "import", &[("a.ndjson", ndjson), ("../a.ndjson", ndjson)]).await;
    nothing_is_there(&page, "Two files are called a.ndjson");
    let large = ndjson.repeat(200);
    nothing_is_there(&bring(&mut browser, "try", &[("a.ndjson", &large)]).await, "larger than");
    nothing_is_there(&bring(&mut browser, "try", &[]).await, "Choose the files first");
    let page = bring(&mut browser, "try", &[("visits.csv", VISITS)]).await;
    nothing_is_there(&page, "Choose mapping.json together with it");
    let wrong = MAPPING.replace("visits*", "others*");
    let page =
        bring(&mut browser, "try", &[("visits.csv", VISITS), ("mapping.json", &wrong)]).await;
    nothing_is_there(&page, "No table of mapping.json is for visits.csv");
    let page =
        bring(&mut browser, "try", &[("visits.csv", VISITS), ("mapping.json", "{\n?")]).await;
    nothing_is_there(&page, "mapping.json cannot be read: line 2");

    // Cut off in the middle of a file.
    let body = browser.form_with(&[], &[("files", "a.ndjson", large.as_bytes())]).await;
    let page = browser.send_parts("/import", body[..body.len() / 3].to_vec()).await;
    assert_eq!((page.status, node.seen().phase), (StatusCode::BAD_REQUEST, Phase::Empty));
    assert!(!node.folder("incoming").exists() && !node.folder("files").exists());

    // Names that lead elsewhere, are endless, or hold what no name holds.
    let page = bring(&mut browser, "import", &[("n\0ul.ndjson", ndjson)]).await;
    assert_eq!((page.status, node.seen().phase), (StatusCode::BAD_REQUEST, Phase::Empty));
    let long = "나".repeat(200) + ".ndjson";
    let names = ["../../../outside.ndjson", "C:\\x\\y.ndjson", "n\u{202e}l.ndjson", &long];
    let files: Vec<_> = names.iter().map(|name| (*name, ndjson)).collect();
    let page = bring(&mut browser, "try", &files).await;
    let seen = node.ended();
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    assert_eq!((seen.phase.clone(), seen.files.len()), (Phase::Done, 4), "{seen:?}");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&node.folder("")), mode(&node.folder("files"))), (0o700, 0o700));
    for file in fs::read_dir(node.folder("files")).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
    assert!(!top.0.join("outside.ndjson").exists() && !node.data.0.join("outside.ndjson").exists());
    press(&mut browser, "discard").await;
    assert_eq!(node.seen(), Seen::default());
    assert!(!node.folder("files").exists());
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_said_in_plain_words_and_the_rest_stays() {
    let top = Folder::new();
    let node = Node::start(found(&top.0));
    let mut browser = node.at("admin1");
    let latin = "no,card,name,sex,born,day\n1,K1,".as_bytes();
    let bytes = [latin, &[0xb1, 0xe8], b",x,1.1.1970,1.1.2024\n"].concat();
    for (table, says, korean) in [
        (bytes.as_slice(), "visits.csv, line 2: this is not UTF-8", "2째 줄: UTF-8이 아닙니다"),
        (b"no,card\n1,K1\n", "mapping.json names: name, sex, born, day", "렬이 없습니다: name"),
        (b"no,card,name,sex,born,day\n1,\"K1\n", "line 2: a text in quotes", "따옴표로 시작된"),
    ] {
        let files: [(&str, &str, &[u8]); 3] = [
            ("files", "visits.csv", table),
            ("files", "mapping.json", MAPPING.as_bytes()),
            ("files", "a.ndjson", b"{\"resourceType\":\"Patient\",\"id\":\"a\"}\n"),
        ];
        let body = browser.form_with(&[("do", "import")], &files).await;
        browser.send_parts("/import", body).await;
        let seen = node.ended();
        assert!(matches!(seen.phase, Phase::Failed(_)), "{seen:?}");
        assert_eq!(seen.progress.files_done, 1, "{seen:?}");
        assert!(browser.get("/import").await.says(&[says, "Go on"]), "{says}");
        browser.lang = "ko";
        assert!(browser.get("/import").await.says(&[korean]), "{korean}");
        browser.lang = "en";
        press(&mut browser, "discard").await;
    }
}

#[tokio::test]
async fn another_file_of_one_name_is_another_file() {
    let top = Folder::new();
    let node = Node::start(found(&top.0));
    let mut browser = node.at("admin1");
    let of = |id: &str| format!("{{\"resourceType\":\"Patient\",\"id\":\"{id}\"}}\n");
    bring(&mut browser, "import", &[("people.ndjson", &(of("a") + &of("b")))]).await;
    assert_eq!(numbers(&node.ended()), (2, 0, 0));
    bring(&mut browser, "import", &[("people.ndjson", &(of("c") + &of("b")))]).await;
    assert_eq!(numbers(&node.ended()), (1, 1, 0));
    bring(&mut browser, "import", &[("people.ndjson", &(of("a") + &of("b") + &of("d")))]).await;
    let grown = node.ended();
    assert_eq!((numbers(&grown), grown.progress.lines_known), ((1, 0, 0), 2));
    bring(&mut browser, "import", &[("people.ndjson", &(of("a") + &of("e")))]).await;
    assert!(browser.get("/import").await.says(&["Give the file another name"]));
}

/// A small disk at a folder; it goes with the test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let mut mount = std::process::Command::new("mount");
        let done = mount.args(["-t", "tmpfs", "-o", "size=128k", "tmpfs"]).arg(at).output();
        if done.as_ref().is_ok_and(|done| done.status.success()) {
            return Some(Self(at.to_owned()));
        }
        println!("no small disk can be mounted here, so this is not tested: {done:?}");
        None
    }

    fn fill(&self) {
        use std::io::Write as _;
        let mut file = fs::File::create(self.0.join("ballast")).unwrap();
        while file.write_all(&[7; 4096]).is_ok() {}
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_said_and_loses_nothing() {
    let top = Folder::new();
    let data = found(&top.0);
    let Some(disk) = SmallDisk::mount(&data.0.join("import")) else { return };
    let node = Node::start(data);
    let mut browser = node.at("admin1");
    let page = bring(&mut browser, "try", &[("a.ndjson", &many(8_000))]).await;
    assert!(page.says(&["The disk is full"]), "{}", page.html);
    assert_eq!(node.seen().phase, Phase::Empty);
    assert!(!node.folder("incoming").exists() && !node.folder("files").exists());

    // There is room for the files, and then for nothing more: what is there stays.
    bring(&mut browser, "try", &[("a.ndjson", &many(300))]).await;
    assert_eq!(node.ended().phase, Phase::Done);
    disk.fill();
    let page = press(&mut browser, "import").await;
    assert!(page.says(&["The disk is full", "a.ndjson"]), "{}", page.html);
    assert_eq!(node.seen().files.len(), 1);
    fs::remove_file(disk.0.join("ballast")).unwrap();
    press(&mut browser, "import").await;
    let done = node.ended();
    assert_eq!((done.phase.clone(), numbers(&done)), (Phase::Done, (300, 0, 1)), "{done:?}");
}
