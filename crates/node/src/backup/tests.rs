//! What is put back is what was there; what was interrupted, damaged or is foreign is said.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Result;
use ed25519_dalek::SigningKey;
use ondol_app::{
    App, founding,
    rest::import::{Shape, Source as Lines},
};
use ondol_kernel::{Class, Millis, NodeId};
use ondol_record::{ChartId, ChartKind, Seal, Stream};
use ondol_replicate::link;
use ondol_store::{Reading, SealedPath, Space, View, blobs::Blobs as _, transact};

use super::{
    FOLDER, Restoring,
    envelope::BackupKey,
    medium::Medium,
    new_code,
    object::Keys,
    restore, sweep,
    take::{Report, Source, take},
};
use crate::{
    data_dir::{DataDir, Settings},
    durable::{
        Disk, Stick,
        tests::{Folder, Remembering},
    },
    private,
};

const NOW: Millis = Millis(1_770_000_000_000);

/// A node with people, accounts, pictures, readings and settings, and the code of its backups.
struct Scene {
    top: Folder,
    data: DataDir,
    code: String,
}

impl Scene {
    fn new() -> Self {
        let top = Folder::new();
        let data = DataDir::at(&top.0.join("data")).unwrap();
        let (root, keys) = (SigningKey::from_bytes(&[1; 32]), private::new_keys());
        private::write_keys(&data.keys(), &keys).unwrap();
        private::write(&data.root_key(), &root.to_bytes()).unwrap();
        data.form_secret().unwrap();
        data.write_settings(&Settings { utc_offset_minutes: 480, ..data.settings().unwrap() })
            .unwrap();
        let store = data.store().unwrap();
        let public = link::public_key(&keys.link).unwrap();
        founding::found_nation(&*store, &root, &keys, public, "보건성", Millis(0)).unwrap();
        drop(store);
        let app = data.app().unwrap();
        app.provision_account(
            "kim",
            "김성철",
            &["administrator".into()],
            "봄날의 따뜻한 온돌",
            None,
        )
        .unwrap();
        drop(app);
        let code = new_code(&data, false).unwrap();
        let scene = Self { top, data, code };
        scene.work(0, 30);
        scene
    }

    /// More people, a picture, a reading, small values.
    fn work(&self, from: u32, people: u32) {
        let app = self.data.app().unwrap();
        import(&app, from, people);
        drop(app);
        self.data.blobs().unwrap().put(format!("picture {from}").repeat(900).as_bytes()).unwrap();
        let store = self.data.store().unwrap();
        let chart = store.read().unwrap().charts(ChartKind::Patient, None, 1).unwrap().remove(0);
        transact(&*store, move |tx| {
            tx.record_reading(&reading(chart, from))?;
            tx.set_value(Space::FormDraft, &from.to_be_bytes(), Some(b"half a form"))?;
            tx.set_value(Space::Quarantine, b"one", Some(&from.to_be_bytes()))
        })
        .unwrap();
    }

    fn key(&self) -> BackupKey {
        BackupKey::of(&self.data).unwrap().unwrap()
    }

    fn stick(&self) -> PathBuf {
        self.top.0.join("stick")
    }

    fn back_up(&self) -> Report {
        self.back_up_on(&Stick).unwrap()
    }

    fn back_up_on(&self, disk: &dyn Disk) -> Result<Report> {
        let key = self.key();
        let mut medium = Medium::at(self.stick().join(FOLDER).join(key.folder()), disk);
        take(&Source::of(&self.data)?, &key, &mut medium, NOW, &mut |_, _, _| {})
    }

    fn restore(&self, from: &Path, to: &Path) -> Result<u64> {
        let what = Restoring { from, to, backup: None, snapshot: None };
        let code = self.code.to_lowercase();
        Ok(restore(&what, &mut || Ok(code.clone()), &mut |_, _, _| {})?.entries)
    }

    /// The files of the backup's objects.
    fn objects(&self) -> Vec<PathBuf> {
        files(&self.stick())
            .into_iter()
            .filter(|file| file.to_string_lossy().contains("/objects/"))
            .collect()
    }
}

fn import(app: &Arc<App>, from: u32, people: u32) {
    let lines: Vec<String> = (from..from + people)
        .map(|at| {
            let id = format!("p{at}");
            let born = format!("19{:02}-03-04", 20 + at % 80);
            serde_json::json!({ "resourceType": "Bundle", "type": "transaction", "entry": [{
                "resource": { "resourceType": "Patient", "id": id, "gender": "female",
                    "birthDate": born, "name": [{ "text": format!("리영희{at}") }] },
                "request": { "method": "PUT", "url": format!("Patient/{id}") } }] })
            .to_string()
        })
        .collect();
    let text = lines.join("\n");
    let home = app.place().facility.clone();
    // An import by the same name would go on where the last one ended.
    let name = format!("people-{from}");
    let source = Lines { name: &name, shape: Shape::Lines, home: &home };
    let imported = app.import(source, &mut text.as_bytes(), &mut |_| {}).unwrap();
    assert_eq!(imported.saved, u64::from(people));
}

fn reading(chart: ChartId, at: u32) -> Reading {
    Reading {
        at: Millis(NOW.0 + i64::from(at)),
        who: "Practitioner/kim".into(),
        role: "doctor".into(),
        chart,
        action: "read".into(),
        relation: "home".into(),
        reason: "급한 환자".into(),
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for file in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = file.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// All that a node holds, as it can be compared.
#[derive(Debug, PartialEq)]
struct Everything {
    node: NodeId,
    entries: Vec<(u64, Vec<u8>)>,
    shown: Vec<(String, String)>,
    readings: Vec<(u64, Reading)>,
    seals: Vec<Seal>,
    paths: Vec<(Seal, SealedPath)>,
    values: BTreeMap<(u8, Vec<u8>), Vec<u8>>,
    blobs: BTreeMap<[u8; 32], Vec<u8>>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Everything {
    fn of(data: &DataDir) -> Self {
        let store = data.beside().unwrap();
        let view = store.read().unwrap();
        let entries = view.arrived_after(0, usize::MAX).unwrap();
        let charts: BTreeSet<_> = entries.iter().map(|row| row.entry.chart.clone()).collect();
        let shown = charts.iter().flat_map(|chart| view.chart(chart, &[]).unwrap());
        let blobs = data.blobs_beside();
        let named = blobs.names().unwrap().into_iter();
        let entries = entries.into_iter().map(|row| (row.arrival, row.entry.to_bytes()));
        Self {
            node: view.identity().unwrap().unwrap().node,
            entries: entries.collect(),
            shown: shown.map(|f| (f.shown.version.to_string(), f.shown.body.to_string())).collect(),
            readings: view.readings_after(0, usize::MAX).unwrap(),
            seals: view.seals_after(None, usize::MAX).unwrap(),
            paths: view.seal_paths_after(None, usize::MAX).unwrap(),
            values: values(&*view),
            blobs: named.map(|hash| (hash, blobs.get(&hash).unwrap().unwrap())).collect(),
            files: super::FILES
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), fs::read(data.0.join(name)).ok()?)))
                .collect(),
        }
    }
}

/// All small values but by what the place of the record is recognised, which is another one.
fn values(view: &dyn View) -> BTreeMap<(u8, Vec<u8>), Vec<u8>> {
    let of = |space: Space| {
        let some = view.values(space, &[], None, usize::MAX).unwrap();
        some.into_iter().map(move |(key, value)| ((space as u8, key), value))
    };
    let mut all: BTreeMap<_, _> = Space::all().flat_map(of).collect();
    for of_this_place in [&b"home"[..], b"put-back"] {
        all.remove(&(Space::Node as u8, of_this_place.to_vec()));
    }
    all
}

#[test]
fn everything_is_put_back_and_the_node_begins_a_new_incarnation() {
    let scene = Scene::new();
    let stream = Stream { origin: NodeId([5; 16]), incarnation: 2, class: Class::Care };
    let seal = Seal { stream, first: 1, last: 4, root: [7; 32], signature: [8; 64] };
    let store = scene.data.store().unwrap();
    transact(&*store, move |tx| tx.put_seal(&seal, &[])).unwrap();
    drop(store);
    let first = scene.back_up();
    scene.work(100, 20);
    let second = scene.back_up();
    assert_eq!(second.entries, first.entries + 20);
    assert_eq!((first.blobs, second.blobs), (1, 2));
    let before = Everything::of(&scene.data);
    assert!(before.entries.len() > 50 && before.readings.len() == 2 && before.blobs.len() == 2);
    for file in ["node.key", "nation-root.key", "form.key", "ondol.json", "backup.key"] {
        assert!(before.files.contains_key(file), "{file}");
    }

    let to = DataDir(scene.top.0.join("new"), None);
    assert_eq!(scene.restore(&scene.stick(), &to.0).unwrap(), second.entries);
    assert_eq!(Everything::of(&to), before);
    assert!(to.store().unwrap().verify(&mut |_, _| {}).unwrap().is_empty());
    assert!(!to.0.join("restoring").exists());
    let epoch = |data: &DataDir| data.app().unwrap().own_epoch().unwrap();
    assert!(epoch(&to) > epoch(&scene.data));
    assert_eq!(epoch(&to), epoch(&to));

    // It goes on backing up into the same folder, though its log went another way.
    let app = to.app().unwrap();
    import(&app, 300, 5);
    drop(app);
    let restored = Scene { data: to, top: Folder::new(), code: scene.code.clone() };
    let key = restored.key();
    let mut medium = Medium::at(scene.stick().join(FOLDER).join(key.folder()), &Stick);
    let source = Source::of(&restored.data).unwrap();
    take(&source, &key, &mut medium, NOW, &mut |_, _, _| {}).unwrap();
    let again = restored.top.0.join("again");
    scene.restore(&scene.stick(), &again).unwrap();
    assert_eq!(Everything::of(&DataDir(again, None)), Everything::of(&restored.data));
}

#[test]
fn what_is_there_is_not_written_again_and_what_is_old_goes() {
    let scene = Scene::new();
    let first = scene.back_up();
    assert!(first.written.objects >= 4, "{first:?}");
    assert_eq!(scene.back_up().written.objects, 0);
    scene.work(50, 1);
    let more = scene.back_up();
    // The end of the log, of the readings, a draft and what is in quarantine, a picture and a list.
    assert!((4..=8).contains(&more.written.objects), "{more:?}");
    for round in 0..6 {
        scene.work(60 + round, 1);
        scene.back_up();
    }
    let (key, keys) = (scene.key(), Keys::new(&scene.key().secret));
    let medium = Medium::at(scene.stick().join(FOLDER).join(key.folder()), &Stick);
    assert_eq!(medium.snapshots().unwrap(), [9, 8, 7]);
    let mut needed = BTreeSet::new();
    for number in [9, 8, 7] {
        let snapshot = super::snapshot::Snapshot::read(&keys, &medium, number).unwrap();
        let held = sweep::objects(&keys, &medium, &snapshot).unwrap();
        needed.extend(held.into_iter().map(|held| held.name.to_hex()));
    }
    assert_eq!(scene.objects().len(), needed.len());
}

#[test]
fn nothing_of_a_person_can_be_read_on_the_stick() {
    let scene = Scene::new();
    scene.back_up();
    for file in files(&scene.stick()) {
        let bytes = fs::read(&file).unwrap();
        for secret in ["리영희", "Patient", "picture 0", "김성철"] {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} stands in {}", file.display());
        }
    }
}

#[test]
fn what_is_missing_foreign_damaged_or_newer_is_said_in_plain_words_and_nothing_is_half_done() {
    let scene = Scene::new();
    let to = scene.top.0.join("new");
    let complaint = |from: &Path| {
        let why = scene.restore(from, &to).unwrap_err();
        assert!(!to.join("ondol.db").exists(), "{why:#}");
        format!("{why:#}")
    };
    assert!(complaint(&scene.stick()).contains("is the stick plugged in"));
    fs::create_dir_all(scene.stick()).unwrap();
    assert!(complaint(&scene.stick()).contains("no backup of Ondol"));
    scene.back_up();
    let key_file = files(&scene.stick()).into_iter().find(|f| f.ends_with("key")).unwrap();
    let with = |file: &Path, change: &dyn Fn(&mut Vec<u8>)| {
        let sound = fs::read(file).unwrap();
        let mut bytes = sound.clone();
        change(&mut bytes);
        fs::write(file, bytes).unwrap();
        let said = complaint(&scene.stick());
        fs::write(file, sound).unwrap();
        said
    };
    assert!(with(&key_file, &|bytes| bytes[16] = 9).contains("a newer Ondol"));
    assert!(with(&key_file, &|bytes| bytes.truncate(40)).contains("cut off or damaged"));
    assert!(with(&key_file, &|bytes| bytes[0] = 0).contains("no backup key of Ondol"));
    for file in scene.objects() {
        assert!(with(&file, &|bytes| bytes.truncate(bytes.len() - 1)).contains("cut off"));
        let said = with(&file, &|bytes| *bytes.last_mut().unwrap() ^= 1);
        assert!(said.contains("damaged") || said.contains("another one"), "{said}");
        assert!(with(&file, &|bytes| bytes[6] = 7).contains("a newer Ondol"));
    }
    for gone in scene.objects() {
        fs::rename(&gone, gone.with_extension("away")).unwrap();
        let said = complaint(&scene.stick());
        assert!(said.contains("lacks 1 files"), "{said}");
        fs::rename(gone.with_extension("away"), &gone).unwrap();
    }

    let mut other = Scene { top: Folder::new(), data: scene.data.clone(), code: String::new() };
    other.code = "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE".into();
    let wrong = other.restore(&scene.stick(), &to).unwrap_err();
    assert!(format!("{wrong:#}").contains("does not open this backup"), "{wrong:#}");
    let occupied = scene.restore(&scene.stick(), &scene.data.0).unwrap_err();
    assert!(format!("{occupied:#}").contains("holds a record already"), "{occupied:#}");
    scene.restore(&scene.stick(), &to).unwrap();
}

/// The newest snapshot is damaged: the one before it is used; reading back mends what is damaged.
#[test]
fn a_damaged_snapshot_leaves_the_one_before_and_checking_mends() {
    let scene = Scene::new();
    let first = scene.back_up();
    scene.work(50, 3);
    let second = scene.back_up();
    let key = scene.key();
    let folder = scene.stick().join(FOLDER).join(key.folder());
    let newest = folder.join("snapshot-0000000002");
    let sound = fs::read(&newest).unwrap();
    fs::write(&newest, &sound[..sound.len() / 2]).unwrap();
    assert_eq!(scene.restore(&scene.stick(), &scene.top.0.join("a")).unwrap(), first.entries);
    fs::write(&newest, &sound).unwrap();

    for file in scene.objects() {
        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&file, bytes).unwrap();
    }
    let (keys, medium) = (Keys::new(&key.secret), Medium::at(folder, &Stick));
    let snapshot = super::snapshot::Snapshot::read(&keys, &medium, 2).unwrap();
    let damaged = sweep::check(&keys, &medium, &snapshot, &mut |_, _| {}).unwrap();
    assert!(damaged > 3, "{damaged}");
    scene.back_up();
    assert_eq!(scene.restore(&scene.stick(), &scene.top.0.join("b")).unwrap(), second.entries);
    assert_eq!(Everything::of(&DataDir(scene.top.0.join("b"), None)), Everything::of(&scene.data));
}

/// A stick that remembers what was forced to it, and is pulled out after so many steps.
struct PulledOut {
    of: Remembering,
    left: Cell<u32>,
}

impl PulledOut {
    fn step(&self) -> io::Result<()> {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        if left == 0 { Err(io::Error::other("pulled out")) } else { Ok(()) }
    }
}

impl Disk for PulledOut {
    fn make(&self, file: &Path, mode: u32) -> io::Result<File> {
        self.step()?;
        self.of.make(file, mode)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        self.of.rename(from, to)
    }

    fn sync(&self, file: &File, path: &Path) -> io::Result<()> {
        self.step()?;
        self.of.sync(file, path)
    }

    fn sync_names(&self, folder: &Path) -> io::Result<()> {
        self.step()?;
        self.of.sync_names(folder)
    }
}

/// Whatever moment the stick is pulled out at: what was forced to it is a whole backup of before
/// or of now, and the next run makes it one of now.
#[test]
fn a_stick_that_is_pulled_out_at_any_moment_holds_the_backup_of_before_or_of_now() {
    let scene = Scene::new();
    let before = scene.back_up();
    let whole = scene.top.0.join("whole");
    fs::rename(scene.stick(), &whole).unwrap();
    scene.work(200, 2);
    let mut ended = false;
    let mut steps = 0;
    while !ended {
        let _ = fs::remove_dir_all(scene.stick());
        copy(&whole, &scene.stick());
        let disk = PulledOut { of: Remembering::default(), left: Cell::new(steps) };
        let known = files(&scene.stick());
        let folders: BTreeSet<&Path> = known.iter().flat_map(|file| file.ancestors()).collect();
        let run = scene.back_up_on(&disk);
        ended = run.is_ok();
        for file in files(&scene.stick()) {
            let top = file.ancestors().find(|above| folders.contains(above)).unwrap();
            if !known.contains(&file) && !disk.of.keeps(&file, top) {
                // Its name or some of its bytes never came to the stick.
                fs::remove_file(&file).unwrap();
            }
        }
        let to = scene.top.0.join(format!("step-{steps}"));
        let entries = scene.restore(&scene.stick(), &to).unwrap();
        let expected = if ended { run.unwrap().entries } else { entries };
        assert_eq!(entries, expected, "step {steps}: an announced backup is not there");
        assert!([before.entries, before.entries + 2].contains(&entries), "step {steps}");
        fs::remove_dir_all(to).unwrap();
        if steps % 7 == 3 {
            scene.back_up();
            let after = scene.top.0.join(format!("after-{steps}"));
            assert_eq!(scene.restore(&scene.stick(), &after).unwrap(), before.entries + 2);
        }
        steps += 1;
    }
    assert!(steps > 15, "only {steps} steps were tried");
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let path = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(file, path).unwrap();
    }
}

/// A restoration that was stopped at any moment leaves no record, and begins anew.
#[test]
fn a_restoration_that_was_stopped_begins_anew() {
    let scene = Scene::new();
    let report = scene.back_up();
    let to = scene.top.0.join("new");
    let what = Restoring { from: &scene.stick(), to: &to, backup: None, snapshot: None };
    for stop_at in ["log", "check", "pictures"] {
        let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            restore(&what, &mut || Ok(scene.code.clone()), &mut |step, _, _| {
                assert!(step != stop_at, "stopped");
            })
        }));
        assert!(stopped.is_err(), "{stop_at}");
        assert!(!to.join("ondol.db").exists());
    }
    // Even when keys and pictures had moved already.
    fs::copy(to.join("restoring").join("node.key"), to.join("node.key")).unwrap();
    fs::create_dir_all(to.join("blobs")).unwrap();
    assert_eq!(scene.restore(&scene.stick(), &to).unwrap(), report.entries);
    assert_eq!(Everything::of(&DataDir(to, None)), Everything::of(&scene.data));
}
