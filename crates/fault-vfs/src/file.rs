//! The methods of an open file.

use std::{
    ffi::{c_int, c_void},
    sync::atomic::{Ordering, fence},
};

use rusqlite::ffi::{
    SQLITE_BUSY, SQLITE_FULL, SQLITE_IOCAP_POWERSAFE_OVERWRITE, SQLITE_IOERR, SQLITE_IOERR_READ,
    SQLITE_IOERR_SHORT_READ, SQLITE_NOTFOUND, SQLITE_OK, SQLITE_SHM_EXCLUSIVE, SQLITE_SHM_UNLOCK,
    sqlite3_file, sqlite3_int64, sqlite3_io_methods,
};

use crate::{FileKind, Shared, Trouble, lock};

/// What a handle is of.
pub(crate) struct Open {
    pub(crate) shared: Shared,
    pub(crate) name: String,
    pub(crate) handle: u64,
    pub(crate) kind: FileKind,
    /// Deleted when it is closed.
    pub(crate) is_passing: bool,
}

/// What SQLite keeps for us.
#[repr(C)]
pub(crate) struct Handle {
    base: sqlite3_file,
    open: *mut Open,
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(raise),
    xUnlock: Some(lower),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Puts an open file where SQLite wants it.
///
/// # Safety
/// `to` has room for a [`Handle`].
pub(crate) unsafe fn place(to: *mut sqlite3_file, open: Open) {
    let handle = Handle {
        base: sqlite3_file { pMethods: &raw const METHODS },
        open: Box::into_raw(Box::new(open)),
    };
    // SAFETY: as the caller promises.
    unsafe { to.cast::<Handle>().write(handle) };
}

/// The open file behind a handle.
///
/// # Safety
/// `file` was filled by [`place`] and not closed since.
unsafe fn of<'a>(file: *mut sqlite3_file) -> &'a Open {
    // SAFETY: as the caller promises.
    unsafe { &*(*file.cast::<Handle>()).open }
}

const fn code(trouble: Trouble) -> c_int {
    match trouble {
        Trouble::None => SQLITE_OK,
        Trouble::Full => SQLITE_FULL,
        Trouble::Cut | Trouble::Io => SQLITE_IOERR,
    }
}

fn place_of(at: sqlite3_int64) -> usize {
    usize::try_from(at).unwrap_or(0)
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file that is open, once.
    let open = unsafe { Box::from_raw((*file.cast::<Handle>()).open) };
    let mut inner = lock(&open.shared);
    inner.locks.lower(&open.name, open.handle, 0);
    inner.shm.unmap(&open.name, open.handle);
    if open.is_passing {
        inner.platter.delete(&open.name, true);
    }
    SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    to: *mut c_void,
    count: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite gives an open file and `count` bytes at `to`.
    let (open, to) = unsafe {
        let length = usize::try_from(count).unwrap_or(0);
        (of(file), std::slice::from_raw_parts_mut(to.cast::<u8>(), length))
    };
    let inner = lock(&open.shared);
    if inner.is_cut {
        return SQLITE_IOERR_READ;
    }
    if inner.platter.read(&open.name, place_of(at), to) {
        SQLITE_OK
    } else {
        SQLITE_IOERR_SHORT_READ
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    from: *const c_void,
    count: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite gives an open file and `count` bytes at `from`.
    let (open, from) = unsafe {
        let length = usize::try_from(count).unwrap_or(0);
        (of(file), std::slice::from_raw_parts(from.cast::<u8>(), length))
    };
    let mut inner = lock(&open.shared);
    let trouble = inner.change();
    if trouble == Trouble::None {
        inner.counts.bytes += from.len() as u64;
        inner.platter.write(&open.name, place_of(at), from);
    }
    code(trouble)
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    // SAFETY: SQLite gives an open file.
    let open = unsafe { of(file) };
    let mut inner = lock(&open.shared);
    let trouble = inner.change();
    if trouble == Trouble::None {
        inner.platter.truncate(&open.name, place_of(size));
    }
    code(trouble)
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: SQLite gives an open file.
    let open = unsafe { of(file) };
    let mut inner = lock(&open.shared);
    let delay = inner.faults.sync_delay;
    if !delay.is_zero() {
        drop(inner);
        std::thread::sleep(delay);
        inner = lock(&open.shared);
    }
    let trouble = inner.change();
    // A full disk can still sync what it took.
    if matches!(trouble, Trouble::Cut | Trouble::Io) {
        return code(trouble);
    }
    match open.kind {
        FileKind::Database => inner.counts.database_syncs += 1,
        FileKind::Log => inner.counts.log_syncs += 1,
        FileKind::Other => {}
    }
    if !inner.faults.ignore_syncs_of.contains(&open.kind) {
        let with_directory = open.kind != FileKind::Database;
        inner.platter.sync(&open.name, with_directory);
    }
    SQLITE_OK
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, out: *mut sqlite3_int64) -> c_int {
    // SAFETY: SQLite gives an open file and a place for the answer.
    unsafe {
        let open = of(file);
        let size = lock(&open.shared).platter.size(&open.name);
        *out = sqlite3_int64::try_from(size).unwrap_or(sqlite3_int64::MAX);
    }
    SQLITE_OK
}

unsafe extern "C" fn raise(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite gives an open file.
    let open = unsafe { of(file) };
    let granted = lock(&open.shared).locks.raise(&open.name, open.handle, level);
    if granted { SQLITE_OK } else { SQLITE_BUSY }
}

unsafe extern "C" fn lower(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite gives an open file.
    let open = unsafe { of(file) };
    lock(&open.shared).locks.lower(&open.name, open.handle, level);
    SQLITE_OK
}

unsafe extern "C" fn check_reserved(file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: SQLite gives an open file and a place for the answer.
    unsafe {
        let open = of(file);
        *out = c_int::from(lock(&open.shared).locks.is_reserved(&open.name));
    }
    SQLITE_OK
}

unsafe extern "C" fn control(_file: *mut sqlite3_file, _what: c_int, _of: *mut c_void) -> c_int {
    SQLITE_NOTFOUND
}

/// What SQLite takes a sector to be on unix; the platter tears at 512 bytes all the same.
unsafe extern "C" fn sector_size(_file: *mut sqlite3_file) -> c_int {
    4096
}

/// As SQLite assumes on unix: a write does not harm the bytes beside it.
unsafe extern "C" fn characteristics(_file: *mut sqlite3_file) -> c_int {
    SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite gives an open file.
    let open = unsafe { of(file) };
    let mut inner = lock(&open.shared);
    let (region, size) = (place_of(region.into()), place_of(size.into()));
    let at = inner.shm.map(&open.name, open.handle, region, size, extend != 0);
    // SAFETY: SQLite gives a place for the answer. The region does not move while it is mapped.
    unsafe { *out = at.map_or(std::ptr::null_mut(), <*mut u8>::cast::<c_void>) };
    SQLITE_OK
}

unsafe extern "C" fn shm_lock(
    file: *mut sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: SQLite gives an open file.
    let open = unsafe { of(file) };
    let mut inner = lock(&open.shared);
    let slots = place_of(first.into())..place_of((first + count).into());
    if flags & SQLITE_SHM_UNLOCK != 0 {
        inner.shm.release(&open.name, open.handle, slots);
        return SQLITE_OK;
    }
    let exclusive = flags & SQLITE_SHM_EXCLUSIVE != 0;
    if inner.shm.take(&open.name, open.handle, slots, exclusive) { SQLITE_OK } else { SQLITE_BUSY }
}

unsafe extern "C" fn shm_barrier(_file: *mut sqlite3_file) {
    fence(Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, _delete: c_int) -> c_int {
    // SAFETY: SQLite gives an open file.
    let open = unsafe { of(file) };
    lock(&open.shared).shm.unmap(&open.name, open.handle);
    SQLITE_OK
}
