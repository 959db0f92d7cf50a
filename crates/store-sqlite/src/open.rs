//! Opening and making the database file.

use std::{fs::File, io, path::Path};

use ondol_store::{StoreError, index::RULES};
use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::{
    db::Db,
    error::{Failure, damaged},
    index, reindex,
};

/// `PRAGMA application_id` of Ondol's stores: the letters `Ondl`.
const APPLICATION_ID: i32 = 0x4f6e_646c;

/// `PRAGMA user_version`: the format of the tables.
pub(crate) const FORMAT: u32 = 2;

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The SQLite VFS by name; `None` is the machine's own files. Tests put a faulty one here.
    pub vfs: Option<Box<str>>,
    /// So many idle connections for reading are kept: opening one and preparing its statements
    /// costs more than most reads.
    pub idle_readers_max: usize,
    /// After so many pages the log is carried over into the database.
    pub checkpoint_pages: u32,
    /// Makes the names in a directory durable.
    pub sync_directory: fn(&Path) -> io::Result<()>,
    /// The page cache of the writer, KiB. It fills only as far as it is used, and stays small: the
    /// system keeps the file's pages too, once for all connections.
    pub writer_cache_kib: u32,
    /// The page cache of each reader, KiB.
    pub reader_cache_kib: u32,
    /// Minutes east of UTC at which a new store reads dates without a zone for its searches. An
    /// old one keeps its own until it is indexed again.
    pub utc_offset_minutes: i32,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            vfs: None,
            idle_readers_max: 16,
            checkpoint_pages: 4000,
            sync_directory: |directory| File::open(directory)?.sync_all(),
            writer_cache_kib: 4 * 1024,
            reader_cache_kib: 512,
            utc_offset_minutes: 9 * 60,
        }
    }
}

/// The writer's connection. Makes the file, its tables and its directory if they are missing.
pub(crate) fn writer(path: &Path, options: &OpenOptions) -> Result<Db, Failure> {
    if options.vfs.is_none() {
        make_directory(path, options)?;
        make_private_file(path)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = connect(path, flags, options)?;
    if conn.is_readonly("main")? {
        return Err(StoreError::ReadOnly.into());
    }
    // Before the first read, which may roll back the journal of a file that was being made:
    // EXTRA syncs the directory after the journal's name is removed. Without that the journal
    // can come back with a later power cut and undo everything (`tests/power.rs`). In WAL mode
    // EXTRA is FULL: each commit is on the disk before it is answered, and a checkpoint syncs
    // log and database before the log is used again.
    conn.execute_batch("PRAGMA synchronous = EXTRA")?;
    let standing = check_format(&conn)?;
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(damaged("the database cannot use a write-ahead log"));
    }
    conn.execute_batch(&format!(
        "PRAGMA wal_autocheckpoint = {};
         PRAGMA journal_size_limit = 33554432;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -{};",
        options.checkpoint_pages, options.writer_cache_kib
    ))?;
    match standing {
        Some(FORMAT) => {}
        Some(_) => add_numbers(&conn)?,
        None => {
            make_tables(&conn, options)?;
            if options.vfs.is_none() {
                sync_parent(path, options)?;
            }
        }
    }
    let db = Db::new(conn, true);
    reindex::forget(&db)?;
    Ok(db)
}

/// A connection for reading.
pub(crate) fn reader(path: &Path, options: &OpenOptions) -> Result<Db, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = connect(path, flags, options)?;
    conn.execute_batch(&format!(
        "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{};",
        options.reader_cache_kib
    ))?;
    Ok(Db::new(conn, false))
}

/// Whether a file can be read: it is there, and in a format that this program knows.
pub(crate) fn check_reader(path: &Path, options: &OpenOptions) -> Result<(), Failure> {
    let db = reader(path, options)?;
    if check_format(&db.conn)?.is_none() {
        return Err(damaged("the database file holds nothing"));
    }
    Ok(())
}

fn connect(path: &Path, flags: OpenFlags, options: &OpenOptions) -> Result<Connection, Failure> {
    let conn = match &options.vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, &**vfs)?,
        None => Connection::open_with_flags(path, flags)?,
    };
    conn.busy_timeout(std::time::Duration::from_secs(10))?;
    // A plan is made once: without this every other value that is bound to a LIMIT makes SQLite
    // parse and plan its statement again.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(conn)
}

/// The format of the file, none if it is new; an error if it is another's or a newer Ondol's.
fn check_format(conn: &Connection) -> Result<Option<u32>, Failure> {
    let number = |pragma: &str| conn.query_row(pragma, [], |row| row.get::<_, i32>(0));
    let application = number("PRAGMA application_id")?;
    let format = number("PRAGMA user_version")?;
    if application == 0 && format == 0 {
        let tables = number("SELECT count(*) FROM sqlite_schema")?;
        if tables == 0 {
            return Ok(None);
        }
    }
    if application != APPLICATION_ID {
        return Err(damaged("the database file is not a store of Ondol"));
    }
    let found = u32::try_from(format).map_err(|_| damaged("the store's format is negative"))?;
    if found > FORMAT {
        return Err(StoreError::Newer { found, known: FORMAT }.into());
    }
    if found == 0 {
        return Err(damaged("the store's format never existed"));
    }
    Ok(Some(found))
}

/// From format 1 to 2, in one transaction: the table of numbers, still empty. The rules of the
/// index tell that it has to be made again, which `reindex` does while care goes on.
fn add_numbers(conn: &Connection) -> Result<(), Failure> {
    conn.execute_batch(&format!(
        "BEGIN IMMEDIATE;
         {}
         PRAGMA user_version = {FORMAT};
         COMMIT;",
        index::table_of_numbers(index::live_by_resource(conn)?),
    ))?;
    Ok(())
}

/// All tables in one transaction, so that a crash leaves none or all.
fn make_tables(conn: &Connection, options: &OpenOptions) -> Result<(), Failure> {
    conn.execute_batch(&format!(
        "BEGIN IMMEDIATE;
         {}
         {}
         INSERT INTO state(one, newest_hlc, index_rules, utc_offset_minutes, readings,
           readings_hash) VALUES (1, 0, {}, {}, 0, zeroblob(32));
         PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {FORMAT};
         COMMIT;",
        include_str!("schema.sql"),
        index::tables("", index::BY_RESOURCE[0]),
        RULES,
        options.utc_offset_minutes,
    ))?;
    Ok(())
}

/// Makes the directory of the file, and each above it, durable.
fn make_directory(path: &Path, options: &OpenOptions) -> io::Result<()> {
    let Some(directory) = parent(path) else { return Ok(()) };
    let missing: Vec<&Path> = directory
        .ancestors()
        .take_while(|above| !above.as_os_str().is_empty() && !above.is_dir())
        .collect();
    std::fs::create_dir_all(directory)?;
    for made in missing.into_iter().rev() {
        sync_parent(made, options)?;
    }
    Ok(())
}

/// Makes the file if it is missing, readable by the node's own account alone: SQLite gives its
/// log the same rights.
fn make_private_file(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(why) if why.kind() != io::ErrorKind::AlreadyExists => Err(why),
        _ => Ok(()),
    }
}

/// A new name is durable once its directory is synced.
fn sync_parent(path: &Path, options: &OpenOptions) -> io::Result<()> {
    (options.sync_directory)(parent(path).unwrap_or(Path::new(".")))
}

fn parent(path: &Path) -> Option<&Path> {
    path.parent().filter(|parent| !parent.as_os_str().is_empty())
}
