//! A disk in memory for SQLite that fails, fills up and loses power by a seed. Never shipped.
//!
//! SIGKILL does not lose what the operating system already has; a power cut does. Here every
//! write waits until its file is synced. [`Disk::image`] gives what a cut at this moment could
//! leave: synced bytes for certain, of the others any sectors of 512 bytes, in any order.

mod file;
mod locks;
mod platter;
mod vfs;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use locks::{FileLocks, Shm};
pub use platter::Image;
use platter::Platter;

/// Which of SQLite's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// The database itself.
    Database,
    /// The write-ahead log.
    Log,
    /// Journals and temporary files.
    Other,
}

/// What is wrong with the disk.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// A sync of such a file answers success and does nothing: proof that it is needed.
    pub ignore_syncs_of: Vec<FileKind>,
    /// Each sync takes so much longer.
    pub sync_delay: Duration,
    /// After so many further changes the power is cut: everything fails from then on.
    pub cut_after: Option<u64>,
    /// After so many further changes the disk is full until this is taken back.
    pub full_after: Option<u64>,
    /// After so many further changes writes and syncs report an error of the disk.
    pub io_error_after: Option<u64>,
}

/// What happened so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Writes, truncations, syncs and deletions that were asked for.
    pub changes: u64,
    /// Syncs of the write-ahead log.
    pub log_syncs: u64,
    /// Syncs of the database.
    pub database_syncs: u64,
    /// Bytes written.
    pub bytes: u64,
}

/// Everything behind one VFS.
struct Inner {
    platter: Platter,
    faults: Faults,
    counts: Counts,
    is_cut: bool,
    locks: FileLocks,
    shm: Shm,
    next_handle: u64,
}

/// What a change meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    Cut,
    Full,
    Io,
}

impl Inner {
    /// Counts a change and says what becomes of it.
    fn change(&mut self) -> Trouble {
        if self.is_cut {
            return Trouble::Cut;
        }
        self.counts.changes += 1;
        let runs_out = |left: &mut Option<u64>| match left {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        };
        let faults = &mut self.faults;
        if runs_out(&mut faults.cut_after) {
            self.is_cut = true;
            return Trouble::Cut;
        }
        if runs_out(&mut faults.io_error_after) {
            return Trouble::Io;
        }
        if runs_out(&mut faults.full_after) { Trouble::Full } else { Trouble::None }
    }
}

type Shared = Arc<Mutex<Inner>>;

fn lock(shared: &Shared) -> MutexGuard<'_, Inner> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A disk in memory with its own VFS, which is there as long as this is. Connections that are
/// open then keep their files.
pub struct Disk {
    shared: Shared,
    name: String,
    _registered: vfs::Registered,
}

impl Disk {
    /// An empty disk. The name has to be new in this process.
    pub fn new(name: &str) -> Self {
        Self::with_image(name, Image::default())
    }

    /// A disk that holds what another one left.
    pub fn with_image(name: &str, image: Image) -> Self {
        let shared: Shared = Arc::new(Mutex::new(Inner {
            platter: Platter::new(image),
            faults: Faults::default(),
            counts: Counts::default(),
            is_cut: false,
            locks: FileLocks::default(),
            shm: Shm::default(),
            next_handle: 0,
        }));
        let registered = vfs::register(name, &shared);
        Self { shared, name: name.to_owned(), _registered: registered }
    }

    /// The VFS's name, for SQLite.
    pub fn vfs_name(&self) -> &str {
        &self.name
    }

    /// What is wrong from now on. A cut cannot be taken back.
    pub fn set_faults(&self, faults: Faults) {
        lock(&self.shared).faults = faults;
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        lock(&self.shared).counts
    }

    /// Whether the power is cut.
    pub fn is_cut(&self) -> bool {
        lock(&self.shared).is_cut
    }

    /// Cuts the power now.
    pub fn cut(&self) {
        lock(&self.shared).is_cut = true;
    }

    /// What stands on the disk when the power comes back; another seed, another outcome.
    pub fn image(&self, seed: u64) -> Image {
        lock(&self.shared).platter.image(seed)
    }
}
