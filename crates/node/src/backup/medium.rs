//! The folder of one backup on a stick or disk.

use std::{
    collections::BTreeSet,
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::object::Name;
use crate::durable::{Disk, folder_of, make_folders};

/// The file with the key, sealed under the code.
pub const KEY: &str = "key";
const OBJECTS: &str = "objects";
const SNAPSHOT: &str = "snapshot-";
/// What is being written; a run that was stopped leaves it behind.
const PART: &str = "part";

/// An object and its file's length: by it one that was cut off is noticed without being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The name.
    pub name: Name,
    /// The length of its file, bytes.
    pub bytes: u64,
}

/// The folder of one backup.
pub struct Medium<'a> {
    folder: PathBuf,
    disk: &'a dyn Disk,
    /// Folders in which names were made that are not forced to the disk yet.
    touched: BTreeSet<PathBuf>,
}

impl<'a> Medium<'a> {
    /// A folder, which is made when something is written.
    pub fn at(folder: PathBuf, disk: &'a dyn Disk) -> Self {
        Self { folder, disk, touched: BTreeSet::new() }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether an object's file is there in its full length.
    pub fn has(&self, held: &Held) -> bool {
        self.length(&held.name) == Some(held.bytes)
    }

    /// The length of an object's file, if it is there.
    pub fn length(&self, name: &Name) -> Option<u64> {
        fs::metadata(self.object(name)).ok().filter(fs::Metadata::is_file).map(|file| file.len())
    }

    /// The bytes of an object's file.
    pub fn read(&self, name: &Name) -> io::Result<Vec<u8>> {
        fs::read(self.object(name))
    }

    /// Writes an object: its bytes are forced to the disk before it has its name.
    pub fn put(&mut self, name: &Name, bytes: &[u8]) -> Result<Held> {
        let path = self.object(name);
        let folder = folder_of(&path).to_owned();
        if !folder.is_dir() {
            make_folders(self.disk, &folder).with_context(|| cannot_write(&self.folder))?;
        }
        self.write(&path, bytes)?;
        self.touched.insert(folder);
        Ok(Held { name: *name, bytes: bytes.len() as u64 })
    }

    /// Removes an object's file: a damaged one, in whose place a sound one comes.
    pub fn remove(&self, name: &Name) -> Result<()> {
        match fs::remove_file(self.object(name)) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => {
                Err(why).with_context(|| cannot_write(&self.folder))
            }
            _ => Ok(()),
        }
    }

    /// Forces all names to the disk that objects got since the last time.
    pub fn settle(&mut self) -> Result<()> {
        for folder in std::mem::take(&mut self.touched) {
            self.disk.sync_names(&folder).with_context(|| too_early(&self.folder))?;
        }
        Ok(())
    }

    /// Puts the sealed key beside the objects, unless it is there.
    pub fn put_key(&self, envelope: &[u8]) -> Result<()> {
        if fs::read(self.folder.join(KEY)).is_ok_and(|there| there == envelope) {
            return Ok(());
        }
        make_folders(self.disk, &self.folder).with_context(|| cannot_write(&self.folder))?;
        self.write(&self.folder.join(KEY), envelope)?;
        self.disk.sync_names(&self.folder).with_context(|| too_early(&self.folder))
    }

    /// Writes a snapshot. From then on it counts.
    pub fn put_snapshot(&self, number: u64, bytes: &[u8]) -> Result<()> {
        self.write(&self.snapshot(number), bytes)?;
        self.disk.sync_names(&self.folder).with_context(|| too_early(&self.folder))
    }

    /// The bytes of a snapshot's file.
    pub fn read_snapshot(&self, number: u64) -> io::Result<Vec<u8>> {
        fs::read(self.snapshot(number))
    }

    /// The numbers of the snapshots, the newest first.
    pub fn snapshots(&self) -> io::Result<Vec<u64>> {
        let mut numbers = vec![];
        for file in list(&self.folder)? {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let number = name.strip_prefix(SNAPSHOT);
            numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
        }
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        Ok(numbers)
    }

    /// Removes a snapshot.
    pub fn remove_snapshot(&self, number: u64) -> io::Result<()> {
        fs::remove_file(self.snapshot(number))
    }

    /// Removes every object but those that are to be kept, and what runs that were stopped left.
    pub fn keep_only(&self, kept: &BTreeSet<String>) -> io::Result<()> {
        for folder in list(&self.folder.join(OBJECTS))? {
            for file in list(&folder)? {
                let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                if !kept.contains(name) {
                    fs::remove_file(&file)?;
                }
            }
        }
        Ok(())
    }

    fn object(&self, name: &Name) -> PathBuf {
        let name = name.to_hex();
        self.folder.join(OBJECTS).join(&name[..2]).join(name)
    }

    fn snapshot(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{SNAPSHOT}{number:010}"))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let part = path.with_extension(PART);
        let mut file = self.disk.make(&part, 0o600).with_context(|| cannot_write(&self.folder))?;
        file.write_all(bytes).with_context(|| too_early(&self.folder))?;
        self.disk.sync(&file, &part).with_context(|| too_early(&self.folder))?;
        self.disk.rename(&part, path).with_context(|| too_early(&self.folder))
    }
}

fn cannot_write(folder: &Path) -> String {
    format!("{} cannot be written to", folder.display())
}

fn too_early(folder: &Path) -> String {
    format!("{} is full, failed, or was pulled out too early", folder.display())
}

/// What stands in a folder; nothing if there is none.
fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(files) => files.map(|file| Ok(file?.path())).collect(),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(vec![]),
        Err(why) => Err(why),
    }
}
