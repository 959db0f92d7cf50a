//! The VFS itself: opening, deleting and naming files.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    mem::size_of,
    ptr::null_mut,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use rusqlite::ffi::{
    self, SQLITE_CANTOPEN, SQLITE_IOERR, SQLITE_IOERR_DELETE_NOENT, SQLITE_OK, SQLITE_OPEN_CREATE,
    SQLITE_OPEN_MAIN_DB, SQLITE_OPEN_WAL, sqlite3_file, sqlite3_int64, sqlite3_vfs,
};

use crate::{FileKind, Inner, Shared, Trouble, file, lock};

const PATH_MAX: c_int = 512;

/// A registered VFS. Its structure is never freed, since a connection may still point to it; it
/// keeps no disk alive.
pub(crate) struct Registered(*mut sqlite3_vfs);

// SAFETY: the pointer is given to SQLite's own functions only, which take a lock.
unsafe impl Send for Registered {}
// SAFETY: as above; nothing is read through it.
unsafe impl Sync for Registered {}

impl Drop for Registered {
    fn drop(&mut self) {
        // SAFETY: it was registered and the structure is still there.
        unsafe { ffi::sqlite3_vfs_unregister(self.0) };
    }
}

/// Registers a VFS.
pub(crate) fn register(name: &str, shared: &Shared) -> Registered {
    let name = CString::new(name).expect("a VFS's name has no zero byte");
    let vfs = Box::into_raw(Box::new(sqlite3_vfs {
        iVersion: 2,
        szOsFile: c_int::try_from(size_of::<file::Handle>()).expect("a handle is small"),
        mxPathname: PATH_MAX,
        pNext: null_mut(),
        zName: name.into_raw(),
        pAppData: Box::into_raw(Box::new(Arc::downgrade(shared))).cast::<c_void>(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: Some(last_error),
        xCurrentTimeInt64: Some(current_time_ms),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }));
    // SAFETY: the structure is never freed, so that SQLite's pointer to it stays valid, and all of
    // its methods keep to the interface.
    let done = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
    assert_eq!(done, SQLITE_OK, "SQLite takes a VFS");
    Registered(vfs)
}

/// The disk behind a VFS, if it is still there.
///
/// # Safety
/// `vfs` was made by [`register`].
unsafe fn shared(vfs: *mut sqlite3_vfs) -> Option<Shared> {
    // SAFETY: `pAppData` points to a `Weak` that is never freed.
    unsafe { &*(*vfs).pAppData.cast::<Weak<Mutex<Inner>>>() }.upgrade()
}

/// The text of a name from SQLite.
///
/// # Safety
/// `name` points to a text that ends with a zero byte.
unsafe fn text(name: *const c_char) -> String {
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    to: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives our VFS, a name or null, and room for `szOsFile` bytes.
    unsafe {
        (*to).pMethods = std::ptr::null();
        let Some(shared) = shared(vfs) else { return SQLITE_CANTOPEN };
        let mut inner = lock(&shared);
        inner.next_handle += 1;
        let handle = inner.next_handle;
        let name = if name.is_null() { format!("temporary-{handle}") } else { text(name) };
        if inner.is_cut || !inner.platter.exists(&name) && flags & SQLITE_OPEN_CREATE == 0 {
            return SQLITE_CANTOPEN;
        }
        let kind = match flags {
            flags if flags & SQLITE_OPEN_MAIN_DB != 0 => FileKind::Database,
            flags if flags & SQLITE_OPEN_WAL != 0 => FileKind::Log,
            _ => FileKind::Other,
        };
        inner.platter.create(&name);
        drop(inner);
        let is_passing = flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0;
        let open = file::Open { shared, name, handle, kind, is_passing };
        file::place(to, open);
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    SQLITE_OK
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: SQLite gives our VFS and a name.
    let (shared, name) = unsafe { (shared(vfs), text(name)) };
    let Some(shared) = shared else { return SQLITE_IOERR };
    let mut inner = lock(&shared);
    match inner.change() {
        Trouble::None | Trouble::Full => {}
        Trouble::Cut | Trouble::Io => return SQLITE_IOERR,
    }
    if inner.platter.delete(&name, sync != 0) { SQLITE_OK } else { SQLITE_IOERR_DELETE_NOENT }
}

unsafe extern "C" fn access(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    _flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives our VFS, a name and a place for the answer.
    unsafe {
        let exists = shared(vfs).is_some_and(|disk| lock(&disk).platter.exists(&text(name)));
        *out = c_int::from(exists);
    }
    SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _vfs: *mut sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite gives a name and `room` bytes at `out`.
    unsafe {
        let bytes = CStr::from_ptr(name).to_bytes_with_nul();
        if bytes.len() > usize::try_from(room).unwrap_or(0) {
            return SQLITE_CANTOPEN;
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr().cast::<c_char>(), out, bytes.len());
    }
    SQLITE_OK
}

unsafe extern "C" fn randomness(_vfs: *mut sqlite3_vfs, count: c_int, out: *mut c_char) -> c_int {
    // SQLite's own randomness comes from the machine's VFS.
    let length = usize::try_from(count).unwrap_or(0);
    // SAFETY: SQLite gives `count` bytes at `out`.
    unsafe { std::ptr::write_bytes(out, 0x5a, length) };
    count
}

unsafe extern "C" fn sleep(_vfs: *mut sqlite3_vfs, microseconds: c_int) -> c_int {
    std::thread::sleep(Duration::from_micros(u64::from(microseconds.unsigned_abs())));
    microseconds
}

/// Always the same day: 2026-01-01 as a Julian day, in ms.
const NOW_MS: sqlite3_int64 = 2_461_041_500 * 86_400;

unsafe extern "C" fn current_time(_vfs: *mut sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: SQLite gives a place for the answer.
    unsafe { *out = 2_461_041.5 };
    SQLITE_OK
}

unsafe extern "C" fn current_time_ms(_vfs: *mut sqlite3_vfs, out: *mut sqlite3_int64) -> c_int {
    // SAFETY: SQLite gives a place for the answer.
    unsafe { *out = NOW_MS };
    SQLITE_OK
}

unsafe extern "C" fn last_error(_vfs: *mut sqlite3_vfs, _room: c_int, _out: *mut c_char) -> c_int {
    SQLITE_OK
}
