//! Packages of terminology: one SQLite file each, written once and never changed (ADR 0021).
//!
//! The files stand in one folder, called by the BLAKE3 hash of their bytes. The file
//! `packages` beside them says which of them count: one that it does not name is nothing. Whoever
//! writes packages makes a file durable first, and then the list.

mod list;
mod read;
mod write;

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use ondol_terms::library::{Library, LibraryError, System};
use serde_json::Value;

pub use list::{Listed, parse as parse_list, write as write_list};
pub use read::{Contents, Package};
pub use write::{PackageError, PackageWriter};

/// The name of the file that says which packages count.
pub const LIST: &str = "packages";

/// The packages of a node, as they are at each moment: one that is added or taken away while the
/// node runs counts at once.
pub struct Packages {
    folder: PathBuf,
    now: RwLock<Now>,
}

/// What tells one state of the list from another: its inode, length and time.
type Mark = Option<(u64, u64, i64, i64)>;

#[derive(Default)]
struct Now {
    mark: Mark,
    /// The newest last.
    packages: Vec<Arc<Package>>,
}

impl Packages {
    /// The packages in a folder. It may be missing or come later.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), now: RwLock::new(Now::default()) }
    }

    fn mark(&self) -> Result<Mark, LibraryError> {
        match fs::metadata(self.folder.join(LIST)) {
            Ok(of) => Ok(Some((of.ino(), of.len(), of.mtime(), of.mtime_nsec()))),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(_) => Err(LibraryError::Unreadable),
        }
    }

    fn packages(&self) -> Result<Vec<Arc<Package>>, LibraryError> {
        let mark = self.mark()?;
        {
            let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
            if now.mark == mark {
                return Ok(now.packages.clone());
            }
        }
        let packages = match mark {
            None => vec![],
            Some(_) => {
                let text = fs::read_to_string(self.folder.join(LIST));
                let text = text.map_err(|_| LibraryError::Unreadable)?;
                let listed = list::parse(&text).ok_or(LibraryError::Unreadable)?;
                let open = |one: &Listed| Package::open(&one.file_in(&self.folder), &one.name);
                listed.iter().map(|one| open(one).map(Arc::new)).collect::<Result<_, _>>()?
            }
        };
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        *now = Now { mark, packages: packages.clone() };
        Ok(packages)
    }
}

impl Library for Packages {
    fn system<'a>(
        &'a self,
        url: &str,
        version: Option<&str>,
    ) -> Result<Option<Box<dyn System + 'a>>, LibraryError> {
        let mut part = None;
        for package in self.packages()?.iter().rev() {
            let Some(found) = package.system(url, version)? else { continue };
            if found.head().content == ondol_terms::library::Content::Complete {
                return Ok(Some(Box::new(found)));
            }
            part.get_or_insert(found);
        }
        Ok(part.map(|found| Box::new(found) as Box<dyn System>))
    }

    fn value_set(&self, url: &str, version: Option<&str>) -> Result<Option<Value>, LibraryError> {
        for package in self.packages()?.iter().rev() {
            if let Some(found) = package.resource("ValueSet", url, version)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
