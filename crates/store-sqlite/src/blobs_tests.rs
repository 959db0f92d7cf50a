use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::*;

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ondol-blobs-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn blobs() -> (FileBlobs, Folder) {
    let folder = Folder::new();
    (FileBlobs::open(&folder.0).unwrap(), folder)
}

fn hash_of(bytes: &[u8]) -> BlobHash {
    *blake3::hash(bytes).as_bytes()
}

#[test]
fn a_blob_comes_back_by_the_hash_of_its_bytes() {
    let (blobs, folder) = blobs();
    let hash = blobs.put(b"picture").unwrap();
    assert_eq!(hash, hash_of(b"picture"));
    assert_eq!(blobs.put(b"picture").unwrap(), hash);
    assert!(blobs.has(&hash).unwrap());
    assert!(!blobs.has(&hash_of(b"other")).unwrap());
    assert_eq!(blobs.get(&hash_of(b"other")).unwrap(), None);
    drop(blobs);
    let again = FileBlobs::open(&folder.0).unwrap();
    assert_eq!(again.get(&hash).unwrap().as_deref(), Some(&b"picture"[..]));
}

#[test]
fn damaged_bytes_are_not_given() {
    let (blobs, _folder) = blobs();
    let hash = blobs.put(b"picture").unwrap();
    fs::write(blobs.place(&hash).1, b"pictuer").unwrap();
    assert_eq!(blobs.get(&hash).unwrap(), None);
}

#[test]
fn parts_add_up_and_go_on_after_a_restart() {
    let (blobs, folder) = blobs();
    let bytes = b"a long voice note";
    let (hash, size) = (hash_of(bytes), bytes.len() as u64);
    assert_eq!(blobs.put_part(&hash, size, 0, &bytes[..6]).unwrap(), 6);
    assert!(!blobs.has(&hash).unwrap());
    drop(blobs);
    let blobs = FileBlobs::open(&folder.0).unwrap();
    assert_eq!(blobs.partial(&hash).unwrap(), 6);
    assert_eq!(blobs.put_part(&hash, size, 9, &bytes[9..]).unwrap(), 6, "a gap is not written");
    assert_eq!(blobs.put_part(&hash, size, 0, &bytes[..6]).unwrap(), 6, "nor is a repetition");
    assert_eq!(blobs.put_part(&hash, size, 6, &bytes[6..]).unwrap(), size);
    assert_eq!(blobs.get(&hash).unwrap().as_deref(), Some(&bytes[..]));
    assert_eq!(blobs.partial(&hash).unwrap(), 0);
    assert_eq!(blobs.put_part(&hash, size, 0, &bytes[..6]).unwrap(), size);
}

#[test]
fn a_whole_that_does_not_fit_its_name_is_dropped() {
    let (blobs, _folder) = blobs();
    let hash = hash_of(b"right");
    assert_eq!(blobs.put_part(&hash, 5, 0, b"wro").unwrap(), 3);
    assert_eq!(blobs.put_part(&hash, 5, 3, b"ng").unwrap(), 0);
    assert!(!blobs.has(&hash).unwrap());
    assert_eq!(blobs.partial(&hash).unwrap(), 0);
    assert_eq!(blobs.put_part(&hash, 5, 0, b"too long").unwrap(), 0);
}

#[test]
fn temporary_files_of_an_earlier_run_are_removed() {
    let (blobs, folder) = blobs();
    drop(blobs);
    // No process of Linux has the highest number; the first one of all always runs.
    let (ended, running) = (folder.0.join("4294967295-7.new"), folder.0.join("1-7.new"));
    let before = folder.0.join("7.new");
    for file in [&ended, &running, &before] {
        fs::write(file, b"half").unwrap();
    }
    drop(FileBlobs::open(&folder.0).unwrap());
    assert!(!ended.exists() && !before.exists());
    assert!(running.exists(), "what another process writes is left alone");
}

/// What would be left if the power went now: bytes and names that were synced.
#[derive(Default)]
struct Left {
    bytes: BTreeMap<PathBuf, u64>,
    names: BTreeSet<PathBuf>,
}

/// Remembers what was synced.
#[derive(Clone, Default)]
struct Forgetful(Arc<Mutex<Left>>);

impl Forgetful {
    /// Whether a file and all of its bytes would be there.
    fn keeps(&self, file: &Path) -> bool {
        let left = self.0.lock().unwrap();
        let written = fs::metadata(file).unwrap().len();
        let folders = file.ancestors().skip(1).take_while(|f| !f.ends_with("blobs"));
        left.bytes.get(file) == Some(&written)
            && left.names.contains(file)
            && folders.into_iter().all(|folder| left.names.contains(folder))
    }
}

impl Disk for Forgetful {
    fn append(&self, file: &Path, bytes: &[u8]) -> io::Result<()> {
        OwnFiles.append(file, bytes)
    }

    fn sync(&self, file: &Path) -> io::Result<()> {
        let length = fs::metadata(file)?.len();
        self.0.lock().unwrap().bytes.insert(file.to_owned(), length);
        Ok(())
    }

    fn sync_names(&self, folder: &Path) -> io::Result<()> {
        let mut left = self.0.lock().unwrap();
        left.names.retain(|name| name.parent() != Some(folder));
        for file in fs::read_dir(folder)? {
            left.names.insert(file?.path());
        }
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut left = self.0.lock().unwrap();
        if let Some(length) = left.bytes.remove(from) {
            left.bytes.insert(to.to_owned(), length);
        }
        OwnFiles.rename(from, to)
    }
}

#[test]
fn what_was_answered_outlives_a_power_cut() {
    let folder = Folder::new();
    let disk = Forgetful::default();
    let inside = folder.0.join("blobs");
    let blobs = FileBlobs::over(&inside, Box::new(disk.clone())).unwrap();
    assert!(disk.0.lock().unwrap().names.contains(&inside), "the folder itself");

    let hash = blobs.put(b"picture").unwrap();
    assert!(disk.keeps(&blobs.place(&hash).1), "a whole blob");

    let hash = hash_of(b"voice note");
    let part = part_of(&blobs.place(&hash).1);
    assert_eq!(blobs.put_part(&hash, 10, 0, b"voi").unwrap(), 3);
    assert!(disk.keeps(&part), "a first part");
    assert_eq!(blobs.put_part(&hash, 10, 3, b"ce").unwrap(), 5);
    assert!(disk.keeps(&part), "a later part");
    assert_eq!(blobs.put_part(&hash, 10, 5, b" note").unwrap(), 10);
    assert!(disk.keeps(&blobs.place(&hash).1), "a blob that arrived");

    // Somebody else wrote the file and was cut off before its name was durable.
    let hash = hash_of(b"again");
    let (place, file) = blobs.place(&hash);
    fs::create_dir_all(&place).unwrap();
    disk.append(&file, b"again").unwrap();
    disk.sync(&file).unwrap();
    disk.sync_names(&inside).unwrap();
    blobs.put(b"again").unwrap();
    assert!(disk.keeps(&file), "a blob that was there already");
}

/// The kernel cannot sync these and says so: to whoever asks.
#[cfg(target_os = "linux")]
#[test]
fn the_machines_own_files_do_ask_the_kernel_to_sync() {
    assert!(OwnFiles.sync(Path::new("/dev/null")).is_err());
    assert!(OwnFiles.sync_names(Path::new("/proc/self")).is_err());
}
