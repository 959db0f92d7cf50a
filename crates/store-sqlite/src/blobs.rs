//! Pictures and sound in a folder: one file each, called by its hash.
//!
//! What is whole stands under its own name; what is still arriving has `.part` behind it. A file
//! gets its name only after its bytes are on the disk, and the name counts only after its folder
//! is, so that a power cut leaves all of a blob or none.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use ondol_kernel::bytes::{hex_to, to_hex};
use ondol_store::{
    StoreError,
    blobs::{BlobHash, Blobs},
};

use crate::error::Failure;

/// What is asked of the disk. Tests put one here that forgets what was not synced.
trait Disk: Send + Sync + 'static {
    /// Appends to a file, which is made if it is missing.
    fn append(&self, file: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Makes the bytes of a file durable.
    fn sync(&self, file: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_names(&self, folder: &Path) -> io::Result<()>;
    /// Gives a file another name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
}

/// The machine's own files.
struct OwnFiles;

impl Disk for OwnFiles {
    fn append(&self, file: &Path, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().append(true).create(true).open(file)?.write_all(bytes)
    }

    fn sync(&self, file: &Path) -> io::Result<()> {
        File::open(file)?.sync_all()
    }

    fn sync_names(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }
}

/// Blobs in a folder.
pub struct FileBlobs {
    folder: PathBuf,
    disk: Box<dyn Disk>,
    /// Parts of one blob may arrive over two links at once, and two blobs may need one folder.
    arriving: Mutex<()>,
    next_temporary: AtomicU64,
}

impl FileBlobs {
    /// Opens the folder, or makes it. Temporary files of an earlier run are removed.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self::over(folder, Box::new(OwnFiles))?)
    }

    /// The folder of a node that may run: nothing is made or removed, so that what is being
    /// written there is left alone.
    pub fn beside(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            disk: Box::new(OwnFiles),
            arriving: Mutex::new(()),
            next_temporary: AtomicU64::new(0),
        }
    }

    /// The names of all blobs that are here whole, in their order.
    pub fn names(&self) -> Result<Vec<BlobHash>, StoreError> {
        Ok(self.list()?)
    }

    fn list(&self) -> Result<Vec<BlobHash>, Failure> {
        let mut names = vec![];
        let folders = match fs::read_dir(&self.folder) {
            Ok(folders) => folders,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(names),
            Err(why) => return Err(why.into()),
        };
        for folder in folders {
            let folder = folder?;
            if !folder.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(folder.path())? {
                let (name, mut hash) = (file?.file_name(), [0; 32]);
                // What is still arriving has another name.
                if name.to_str().is_some_and(|name| hex_to(name, &mut hash)) {
                    names.push(hash);
                }
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn over(folder: &Path, disk: Box<dyn Disk>) -> Result<Self, Failure> {
        fs::create_dir_all(folder)?;
        if let Some(above) = folder.parent().filter(|above| !above.as_os_str().is_empty()) {
            disk.sync_names(above)?;
        }
        for file in fs::read_dir(folder)? {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "new") {
                fs::remove_file(path)?;
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            disk,
            arriving: Mutex::new(()),
            next_temporary: AtomicU64::new(0),
        })
    }

    /// The folder of 256 in which a blob stands, and its file there.
    fn place(&self, hash: &BlobHash) -> (PathBuf, PathBuf) {
        let name = to_hex(hash);
        let folder = self.folder.join(&name[..2]);
        let file = folder.join(name);
        (folder, file)
    }

    fn make_folder(&self, folder: &Path) -> Result<(), Failure> {
        if !folder.is_dir() {
            fs::create_dir_all(folder)?;
            self.disk.sync_names(&self.folder)?;
        }
        Ok(())
    }

    fn keep(&self, bytes: &[u8]) -> Result<BlobHash, Failure> {
        let hash = *blake3::hash(bytes).as_bytes();
        let (folder, file) = self.place(&hash);
        if file.is_file() {
            // Whoever put it first may not have come as far as this.
            self.disk.sync_names(&folder)?;
            return Ok(hash);
        }
        {
            let _one_at_a_time = self.arriving.lock().unwrap_or_else(PoisonError::into_inner);
            self.make_folder(&folder)?;
        }
        let number = self.next_temporary.fetch_add(1, Ordering::Relaxed);
        let temporary = self.folder.join(format!("{number}.new"));
        self.disk.append(&temporary, bytes)?;
        self.disk.sync(&temporary)?;
        self.disk.rename(&temporary, &file)?;
        self.disk.sync_names(&folder)?;
        Ok(hash)
    }

    fn add(&self, hash: &BlobHash, size: u64, offset: u64, bytes: &[u8]) -> Result<u64, Failure> {
        let _one_at_a_time = self.arriving.lock().unwrap_or_else(PoisonError::into_inner);
        let (folder, file) = self.place(hash);
        if file.is_file() {
            return Ok(size);
        }
        let part = part_of(&file);
        let here = length(&part)?;
        let after = here.saturating_add(bytes.len() as u64);
        if offset != here || after > size {
            return Ok(here);
        }
        self.make_folder(&folder)?;
        let is_new = !part.is_file();
        self.disk.append(&part, bytes)?;
        self.disk.sync(&part)?;
        if after < size {
            if is_new {
                self.disk.sync_names(&folder)?;
            }
            return Ok(after);
        }
        if blake3::hash(&fs::read(&part)?).as_bytes() != hash {
            fs::remove_file(&part)?;
            return Ok(0);
        }
        self.disk.rename(&part, &file)?;
        self.disk.sync_names(&folder)?;
        Ok(size)
    }
}

impl Blobs for FileBlobs {
    fn put(&self, bytes: &[u8]) -> Result<BlobHash, StoreError> {
        Ok(self.keep(bytes)?)
    }

    fn get(&self, hash: &BlobHash) -> Result<Option<Vec<u8>>, StoreError> {
        match fs::read(self.place(hash).1) {
            Ok(bytes) => Ok((blake3::hash(&bytes).as_bytes() == hash).then_some(bytes)),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(Failure::from(why).into()),
        }
    }

    fn has(&self, hash: &BlobHash) -> Result<bool, StoreError> {
        Ok(self.place(hash).1.is_file())
    }

    fn put_part(
        &self,
        hash: &BlobHash,
        size: u64,
        offset: u64,
        bytes: &[u8],
    ) -> Result<u64, StoreError> {
        Ok(self.add(hash, size, offset, bytes)?)
    }

    fn partial(&self, hash: &BlobHash) -> Result<u64, StoreError> {
        Ok(length(&part_of(&self.place(hash).1))?)
    }
}

fn part_of(file: &Path) -> PathBuf {
    file.with_extension("part")
}

/// How long a file is, 0 if there is none.
fn length(file: &Path) -> Result<u64, Failure> {
    match fs::metadata(file) {
        Ok(found) => Ok(found.len()),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(why) => Err(why.into()),
    }
}

#[cfg(test)]
#[path = "blobs_tests.rs"]
mod tests;
