//! Writing a package, a concept at a time.

use std::path::Path;

use ondol_terms::{
    library::{Content, folded_names},
    load::{ConceptRead, Sink, SinkError, SystemRead},
};
use rusqlite::{Connection, ErrorCode, OpenFlags, params};
use serde_json::Value;
use thiserror::Error;

/// The format of the file: `user_version` of the database.
pub(super) const FORMAT: i64 = 1;

/// Concepts of a package at most: ten times what the largest systems have.
const CONCEPTS_MAX: u64 = 5_000_000;

const SCHEMA: &str = "
    PRAGMA page_size = 8192;
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA user_version = 1;
    CREATE TABLE system (
        id INTEGER PRIMARY KEY, url TEXT NOT NULL, version TEXT, title TEXT NOT NULL,
        is_whole INTEGER NOT NULL, is_case_sensitive INTEGER NOT NULL, concepts INTEGER NOT NULL
    );
    CREATE TABLE concept (
        system INTEGER NOT NULL, number INTEGER NOT NULL, code TEXT NOT NULL,
        folded TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (system, number)
    ) WITHOUT ROWID;
    CREATE TABLE link (
        system INTEGER NOT NULL, child TEXT NOT NULL, parent TEXT NOT NULL,
        PRIMARY KEY (system, child, parent)
    ) WITHOUT ROWID;
    CREATE TABLE property (
        system INTEGER NOT NULL, code TEXT NOT NULL, PRIMARY KEY (system, code)
    ) WITHOUT ROWID;
    CREATE TABLE resource (kind TEXT NOT NULL, url TEXT NOT NULL, version TEXT, body TEXT NOT NULL);
    CREATE UNIQUE INDEX concept_code ON concept (system, code);
    BEGIN;
";

/// A package cannot be written.
#[derive(Debug, Error)]
pub enum PackageError {
    /// The disk is full.
    #[error("the disk is full: make room and add the package again")]
    Full,
    /// Nothing came.
    #[error("there is no code and no value set in it")]
    Empty,
    /// Anything else.
    #[error("the package cannot be written")]
    Sqlite(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for PackageError {
    fn from(why: rusqlite::Error) -> Self {
        match why.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            _ => Self::Sqlite(why),
        }
    }
}

impl From<PackageError> for SinkError {
    fn from(why: PackageError) -> Self {
        Self::Write(Box::new(why))
    }
}

/// A package on its way. Its file counts for nothing before [`PackageWriter::finish`].
pub struct PackageWriter {
    db: Connection,
    /// The system whose concepts come.
    system: i64,
    /// Concepts of it, and of all.
    concepts: u64,
    all: u64,
    resources: u64,
}

impl PackageWriter {
    /// Begins a package in a file that is empty or missing.
    pub fn create(path: &Path) -> Result<Self, PackageError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags)?;
        db.execute_batch(SCHEMA)?;
        Ok(Self { db, system: 0, concepts: 0, all: 0, resources: 0 })
    }

    /// Writes what is left. The file is then whole, and not yet durable.
    pub fn finish(self) -> Result<(), PackageError> {
        if self.all == 0 && self.resources == 0 {
            return Err(PackageError::Empty);
        }
        self.drop_unfinished()?;
        // Tables name what stands above by its form: it may not be there.
        self.db.execute_batch(
            "DELETE FROM link WHERE NOT EXISTS (
                SELECT 1 FROM concept AS c WHERE c.system = link.system AND c.code = link.parent)
             OR NOT EXISTS (
                SELECT 1 FROM concept AS c WHERE c.system = link.system AND c.code = link.child);
             CREATE INDEX link_parent ON link (system, parent, child);
             CREATE INDEX system_url ON system (url);
             CREATE INDEX resource_url ON resource (kind, url);
             COMMIT;
             PRAGMA optimize;",
        )?;
        self.db.close().map_err(|(_, why)| why)?;
        Ok(())
    }

    fn drop_unfinished(&self) -> Result<(), rusqlite::Error> {
        for table in ["concept", "link", "property"] {
            let of_none = format!("DELETE FROM {table} WHERE system = ?1");
            let is_finished = "SELECT 1 FROM system WHERE id = ?1";
            if !self.db.prepare_cached(is_finished)?.exists([self.system])? {
                self.db.execute(&of_none, [self.system])?;
            }
        }
        Ok(())
    }

    fn add(&mut self, read: &ConceptRead) -> Result<(), rusqlite::Error> {
        let (system, concept) = (self.system, &read.concept);
        let body = Value::Object(concept.to_fhir()).to_string();
        let folded = folded_names(concept.names());
        self.db
            .prepare_cached("INSERT INTO concept VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![system, read.number.cast_signed(), concept.code, folded, body])?;
        let mut link = self.db.prepare_cached("INSERT OR IGNORE INTO link VALUES (?1, ?2, ?3)")?;
        for parent in &read.parents {
            link.execute(params![system, concept.code, parent])?;
        }
        for child in &read.children {
            link.execute(params![system, child, concept.code])?;
        }
        let mut known = self.db.prepare_cached("INSERT OR IGNORE INTO property VALUES (?1, ?2)")?;
        for property in &concept.properties {
            known.execute(params![system, property.code])?;
        }
        Ok(())
    }
}

impl Sink for PackageWriter {
    fn begin(&mut self) -> Result<(), SinkError> {
        self.drop_unfinished().map_err(PackageError::from)?;
        self.system += 1;
        self.concepts = 0;
        Ok(())
    }

    fn concept(&mut self, read: ConceptRead) -> Result<(), SinkError> {
        self.concepts += 1;
        self.all += 1;
        if self.all > CONCEPTS_MAX {
            return Err(SinkError::TooMany);
        }
        self.add(&read).map_err(|why| match why.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => SinkError::Duplicate(read.concept.code),
            _ => PackageError::from(why).into(),
        })
    }

    fn end(&mut self, read: SystemRead) -> Result<(), SinkError> {
        let is_whole = read.content == Content::Complete;
        let row = params![
            self.system,
            read.url,
            read.version,
            read.title,
            is_whole,
            read.case_sensitive,
            self.concepts.cast_signed()
        ];
        let write = || -> Result<(), rusqlite::Error> {
            self.db.execute("INSERT INTO system VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", row)?;
            let mut known =
                self.db.prepare_cached("INSERT OR IGNORE INTO property VALUES (?1, ?2)")?;
            for property in &read.properties {
                known.execute(params![self.system, property])?;
            }
            Ok(())
        };
        write().map_err(|why| PackageError::from(why).into())
    }

    fn resource(&mut self, resource: Value) -> Result<(), SinkError> {
        self.resources += 1;
        let text = |key: &str| resource[key].as_str();
        let row = params![text("resourceType"), text("url"), text("version"), resource.to_string()];
        let written = self.db.execute("INSERT INTO resource VALUES (?1, ?2, ?3, ?4)", row);
        written.map(|_| ()).map_err(|why| PackageError::from(why).into())
    }
}
