//! Connecting, making the tables, and being the only one who writes.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use ondol_store::{StoreError, index::RULES};
use tokio_postgres::Config;

use crate::{
    db::Db,
    driver::Driver,
    error::{Failure, damaged, defect},
    plan::schema,
    session::Session,
    tls::{self, Tls},
    value::{bytes, get, values},
};

/// The format of the tables.
pub(crate) const FORMAT: u32 = 1;

/// How often the lock is tried, and how long between: a server needs a moment to notice that the
/// node that had it is gone.
const LOCK_TRIES: u32 = 15;
const LOCK_WAIT: Duration = Duration::from_millis(100);

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// So many idle connections for reading are kept.
    pub idle_readers_max: usize,
    /// Minutes east of UTC at which a new store reads dates without a zone for its searches. An
    /// old one keeps its own until it is indexed again.
    pub utc_offset_minutes: i32,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { idle_readers_max: 16, utc_offset_minutes: 9 * 60 }
    }
}

/// What is needed to connect again.
#[derive(Clone)]
pub(crate) struct Opening {
    pub(crate) driver: Arc<Driver>,
    config: Arc<Config>,
    tls: Option<Tls>,
    pub(crate) options: Arc<OpenOptions>,
    /// Which database it was when the writer connected first.
    home: Arc<OnceLock<Vec<u8>>>,
}

impl Opening {
    pub(crate) fn new(url: &str, options: OpenOptions) -> Result<Self, Failure> {
        let (config, tls) = tls::read(url)?;
        Ok(Self {
            driver: Arc::new(Driver::start()?),
            config: Arc::new(config),
            tls,
            options: Arc::new(options),
            home: Arc::default(),
        })
    }

    /// The writer's connection. The first one makes the tables if they are missing; a later one
    /// has to lead to the same database, as it was: one that was put back, or a standby that took
    /// over, may lack what was acknowledged, and the node has to begin a new incarnation.
    pub(crate) fn writer(&self) -> Result<Db, Failure> {
        let session = self.session()?;
        check_server(&session)?;
        lock(&session)?;
        let is_first = self.home.get().is_none();
        if !check_format(&session)? {
            if !is_first {
                return Err(damaged("the tables of the record are gone"));
            }
            make_tables(&session, self.options.utc_offset_minutes)?;
        }
        let home = home(&session)?;
        if *self.home.get_or_init(|| home.clone()) != home {
            let why = "the database is another one than before, or was put back: start the node \
                again";
            return Err(StoreError::Io(why.into()).into());
        }
        Ok(Db::new(session, true))
    }

    fn session(&self) -> Result<Session, Failure> {
        Session::connect(&self.driver, &self.config, self.tls.as_ref())
    }

    /// Which database it was when the writer connected first.
    pub(crate) fn home(&self) -> Vec<u8> {
        self.home.get().cloned().unwrap_or_default()
    }

    /// A connection for reading.
    pub(crate) fn reader(&self) -> Result<Db, Failure> {
        Ok(Db::new(self.session()?, false))
    }

    /// A connection for reading tables that have to be there.
    pub(crate) fn checked_reader(&self) -> Result<Db, Failure> {
        let db = self.reader()?;
        if check_format(&db.session)? {
            Ok(db)
        } else {
            Err(damaged("the database holds no store of Ondol"))
        }
    }
}

/// Refuses a server that answers before the disk has what was written.
fn check_server(session: &Session) -> Result<(), Failure> {
    let row = session.one(
        "SELECT (current_setting('fsync') || current_setting('full_page_writes') \
         || current_setting('server_version_num'))::bytea, pg_is_in_recovery()",
        vec![],
    )?;
    let row = row.ok_or_else(|| defect("the server does not tell its settings"))?;
    let said: Vec<u8> = get(&row, 0)?;
    let said = String::from_utf8(said).unwrap_or_default();
    let Some(rest) = said.strip_prefix("on") else {
        return Err(defect("the server runs with fsync = off: a power cut would lose records"));
    };
    let Some(version) = rest.strip_prefix("on") else {
        return Err(defect(
            "the server runs with full_page_writes = off: a power cut would \
                           damage records",
        ));
    };
    if version.parse::<u32>().is_ok_and(|version| version < 130_000) {
        return Err(defect("the server is older than PostgreSQL 13"));
    }
    if get(&row, 1)? {
        return Err(StoreError::ReadOnly.into());
    }
    Ok(())
}

/// By what a store is told from a copy of it: the system, how often it was put back or taken over
/// by a standby, the database, and the schema.
fn home(session: &Session) -> Result<Vec<u8>, Failure> {
    let row = session.one(
        "SELECT (system_identifier::text || ' ' \
         || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) || ' ' \
         || (SELECT oid FROM pg_database WHERE datname = current_database()) || ' ' \
         || current_schema()::regnamespace::oid)::bytea FROM pg_control_system()",
        vec![],
    )?;
    let row = row.ok_or_else(|| defect("the server does not tell what it is"))?;
    Ok([b"postgres ", bytes(&row, 0)?].concat())
}

/// Takes the lock that is held as long as the connection lives: one node writes in a schema.
fn lock(session: &Session) -> Result<(), Failure> {
    for _ in 0..LOCK_TRIES {
        let row = session.one(
            "SELECT pg_try_advisory_lock(hashtextextended('ondol store ' || \
             coalesce(current_schema(), ''), 0))",
            vec![],
        )?;
        if row.map_or(Ok(false), |row| get(&row, 0))? {
            return Ok(());
        }
        std::thread::sleep(LOCK_WAIT);
    }
    Err(defect("another node writes in this database; each node needs a schema of its own"))
}

/// Whether the tables are there; an error if they are a newer Ondol's.
fn check_format(session: &Session) -> Result<bool, Failure> {
    let tables = session.one(
        "SELECT count(*) FROM pg_catalog.pg_class c WHERE c.relname = 'ondol' \
         AND c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace",
        vec![],
    )?;
    if tables.map_or(Ok(0), |row| get::<i64>(&row, 0))? == 0 {
        return Ok(false);
    }
    let Some(row) = session.one("SELECT format FROM ondol", vec![])? else { return Ok(false) };
    let found = u32::try_from(get::<i64>(&row, 0)?);
    let found = found.map_err(|_| damaged("the store's format is impossible"))?;
    match found {
        FORMAT => Ok(true),
        0 => Err(damaged("the store's format never existed")),
        _ => Err(StoreError::Newer { found, known: FORMAT }.into()),
    }
}

/// All tables in one transaction, so that a crash leaves none or all. Tables that a plan made are
/// there already, without a row.
fn make_tables(session: &Session, utc_offset_minutes: i32) -> Result<(), Failure> {
    let planned = session.one("SELECT to_regclass('ondol') IS NOT NULL", vec![])?;
    let is_planned: bool = planned.map_or(Ok(false), |row| get(&row, 0))?;
    let tables = if is_planned { "" } else { schema() };
    session.batch(format!("BEGIN; {tables}"))?;
    let made = session.later(
        "INSERT INTO ondol VALUES (1, $1, NULL, NULL, NULL, 0, 0, $2, $3, 0, $4)",
        values![i64::from(FORMAT), RULES, i64::from(utc_offset_minutes), [0; 32]],
    );
    made.and_then(|()| session.query("COMMIT", vec![]))?;
    Ok(())
}
