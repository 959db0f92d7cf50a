//! Files and folders that outlive a power cut, or a stick that is pulled out too early.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// What is asked of a disk. Tests put one here that remembers what was synced.
pub trait Disk {
    /// Makes a file, or empties it. The mode is who may read it.
    fn make(&self, file: &Path, mode: u32) -> io::Result<File> {
        OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(file)
    }

    /// Gives a file another name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Makes the bytes of a file durable.
    fn sync(&self, file: &File, path: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable.
    fn sync_names(&self, folder: &Path) -> io::Result<()>;
}

/// The machine's own disk.
pub struct OwnDisk;

impl Disk for OwnDisk {
    fn sync(&self, file: &File, _: &Path) -> io::Result<()> {
        file.sync_all()
    }

    fn sync_names(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

/// A stick.
pub struct Stick;

impl Disk for Stick {
    fn sync(&self, file: &File, path: &Path) -> io::Result<()> {
        OwnDisk.sync(file, path)
    }

    fn sync_names(&self, folder: &Path) -> io::Result<()> {
        // Some file systems of sticks cannot do this; the bytes of the file are forced already.
        let _ = OwnDisk.sync_names(folder);
        Ok(())
    }
}

/// Makes a folder and those above it that are missing, each name durably.
pub fn make_folders(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|above| !above.as_os_str().is_empty() && !above.is_dir())
        .collect();
    fs::create_dir_all(folder)?;
    for made in missing.into_iter().rev() {
        disk.sync_names(folder_of(made))?;
    }
    Ok(())
}

/// The folder in which a path stands.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
pub mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        path::PathBuf,
        sync::{
            Mutex,
            atomic::{AtomicU32, Ordering},
        },
    };

    use super::*;

    /// A folder that goes away with the test.
    pub struct Folder(pub PathBuf);

    impl Folder {
        pub fn new() -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("ondol-durable-{}-{number}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// A disk that remembers what would be left if the power went now.
    #[derive(Default)]
    pub struct Remembering {
        bytes: Mutex<BTreeMap<PathBuf, u64>>,
        names: Mutex<BTreeSet<PathBuf>>,
    }

    impl Remembering {
        /// Whether a path, and the folders above it up to `top`, would be there, with all bytes.
        pub fn keeps(&self, path: &Path, top: &Path) -> bool {
            let names = self.names.lock().unwrap();
            let mut above = path.ancestors().take_while(|above| *above != top);
            let is_whole = path.is_dir()
                || self.bytes.lock().unwrap().get(path) == Some(&fs::metadata(path).unwrap().len());
            is_whole && above.all(|above| names.contains(above))
        }
    }

    impl Disk for Remembering {
        fn sync(&self, file: &File, path: &Path) -> io::Result<()> {
            self.bytes.lock().unwrap().insert(path.to_owned(), file.metadata()?.len());
            Ok(())
        }

        fn sync_names(&self, folder: &Path) -> io::Result<()> {
            for file in fs::read_dir(folder)? {
                self.names.lock().unwrap().insert(file?.path());
            }
            Ok(())
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            let mut bytes = self.bytes.lock().unwrap();
            if let Some(length) = bytes.remove(from) {
                bytes.insert(to.to_owned(), length);
            }
            fs::rename(from, to)
        }
    }

    #[test]
    fn folders_that_are_made_outlive_a_power_cut() {
        let (top, disk) = (Folder::new(), Remembering::default());
        let folder = top.0.join("a").join("b").join("c");
        make_folders(&disk, &folder).unwrap();
        assert!(disk.keeps(&folder, &top.0));
    }

    /// The kernel cannot sync these and says so: to whoever asks.
    #[test]
    fn disks_and_sticks_do_ask_the_kernel_to_sync() {
        let (path, folder) = (Path::new("/dev/null"), Path::new("/proc/self"));
        let file = File::open(path).unwrap();
        assert!(OwnDisk.sync(&file, path).is_err());
        assert!(OwnDisk.sync_names(folder).is_err());
        assert!(Stick.sync(&file, path).is_err());
        assert!(Stick.sync_names(folder).is_ok(), "a stick that cannot sync names is still one");
    }
}
