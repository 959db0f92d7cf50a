//! Asking a package.

use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use ondol_terms::library::{Concept, Content, Head, LibraryError, System, Visit, Words};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Params, Row, params};
use serde_json::Value;

use super::write::FORMAT;

/// Concepts that are read at once when all are visited.
const BATCH: i64 = 500;

/// Codes up to this many are looked up one by one rather than found by reading everything.
const FEW: usize = 20_000;

/// A package that is open.
pub struct Package {
    name: String,
    db: Arc<Mutex<Connection>>,
}

/// What a package has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Systems: URL, version, how many concepts, and whether it is whole.
    pub systems: Vec<(String, Option<String>, u64, bool)>,
    /// Value sets.
    pub value_sets: u64,
    /// Concept maps.
    pub concept_maps: u64,
}

fn of_version(version: Option<&str>) -> &'static str {
    if version.is_some() { "AND version = ?2" } else { "AND ?2 IS NULL" }
}

impl Package {
    /// Opens the file of a package.
    pub fn open(path: &Path, name: &str) -> Result<Self, LibraryError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let damaged = |_| LibraryError::Damaged { package: name.to_owned() };
        let db = Connection::open_with_flags(path, flags).map_err(damaged)?;
        let format: i64 =
            db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(damaged)?;
        if format != FORMAT {
            return Err(LibraryError::Damaged { package: name.to_owned() });
        }
        Ok(Self { name: name.to_owned(), db: Arc::new(Mutex::new(db)) })
    }

    fn ask<T>(
        &self,
        ask: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, LibraryError> {
        let db = self.db.lock().unwrap_or_else(PoisonError::into_inner);
        ask(&db).map_err(|_| LibraryError::Damaged { package: self.name.clone() })
    }

    /// What it has.
    pub fn contents(&self) -> Result<Contents, LibraryError> {
        self.ask(|db| {
            let mut systems =
                db.prepare("SELECT url, version, concepts, is_whole FROM system ORDER BY id")?;
            let systems = systems.query_map([], |row| {
                let concepts: i64 = row.get(2)?;
                Ok((row.get(0)?, row.get(1)?, concepts.cast_unsigned(), row.get(3)?))
            })?;
            let count = |kind: &str| {
                let count = "SELECT count(*) FROM resource WHERE kind = ?1";
                db.query_row(count, [kind], |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
            };
            Ok(Contents {
                systems: systems.collect::<Result<_, _>>()?,
                value_sets: count("ValueSet")?,
                concept_maps: count("ConceptMap")?,
            })
        })
    }

    /// A system of it; of several versions the last.
    pub(super) fn system(
        &self,
        url: &str,
        version: Option<&str>,
    ) -> Result<Option<PackageSystem>, LibraryError> {
        let sql = format!(
            "SELECT id, version, title, is_whole, is_case_sensitive FROM system
             WHERE url = ?1 {} ORDER BY is_whole DESC, id DESC LIMIT 1",
            of_version(version)
        );
        let found = self.ask(|db| {
            let read = |row: &Row<'_>| {
                let is_whole: bool = row.get(3)?;
                let head = Head {
                    url: url.to_owned(),
                    version: row.get(1)?,
                    title: row.get(2)?,
                    content: if is_whole { Content::Complete } else { Content::Part },
                    case_sensitive: row.get(4)?,
                };
                Ok((row.get::<_, i64>(0)?, head))
            };
            db.prepare_cached(&sql)?.query_row(params![url, version], read).optional()
        })?;
        let package = || Self { name: self.name.clone(), db: self.db.clone() };
        Ok(found.map(|(id, head)| PackageSystem { package: package(), id, head }))
    }

    /// A resource of it.
    pub(super) fn resource(
        &self,
        kind: &str,
        url: &str,
        version: Option<&str>,
    ) -> Result<Option<Value>, LibraryError> {
        let sql = format!(
            "SELECT body FROM resource WHERE url = ?1 {} AND kind = ?3
             ORDER BY rowid DESC LIMIT 1",
            of_version(version)
        );
        let body: Option<String> = self.ask(|db| {
            let mut select = db.prepare_cached(&sql)?;
            select.query_row(params![url, version, kind], |row| row.get(0)).optional()
        })?;
        let damaged = |_| LibraryError::Damaged { package: self.name.clone() };
        body.map(|body| serde_json::from_str(&body).map_err(damaged)).transpose()
    }
}

/// A code system in a package.
pub(super) struct PackageSystem {
    package: Package,
    id: i64,
    head: Head,
}

impl PackageSystem {
    fn read(&self, body: &str) -> Result<Concept, LibraryError> {
        let body: Option<Value> = serde_json::from_str(body).ok();
        let concept = body.as_ref().and_then(Value::as_object).and_then(Concept::from_fhir);
        concept.ok_or_else(|| LibraryError::Damaged { package: self.package.name.clone() })
    }

    fn codes(&self, sql: &str, given: impl Params) -> Result<Vec<String>, LibraryError> {
        self.package.ask(|db| db.prepare_cached(sql)?.query_map(given, |row| row.get(0))?.collect())
    }

    /// The body and place of a concept.
    fn find(&self, code: &str) -> Result<Option<(i64, String)>, LibraryError> {
        // Systems that do not tell capitals apart are few and small.
        let sql = if self.head.case_sensitive {
            "SELECT number, body FROM concept WHERE system = ?1 AND code = ?2"
        } else {
            "SELECT number, body FROM concept WHERE system = ?1 AND code = ?2 COLLATE NOCASE"
        };
        self.package.ask(|db| {
            let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
            db.prepare_cached(sql)?.query_row(params![self.id, code], read).optional()
        })
    }

    /// The concepts of some codes, in the order of the system.
    fn each_of(
        &self,
        codes: &HashSet<String>,
        words: &Words,
        visit: &mut dyn FnMut(Concept) -> Visit,
    ) -> Result<(), LibraryError> {
        let mut found = vec![];
        for code in codes {
            found.extend(self.find(code)?.map(|(number, _)| (number, code)));
        }
        found.sort_unstable();
        for (_, code) in found {
            let Some((_, body)) = self.find(code)? else { continue };
            let concept = self.read(&body)?;
            let fits = words.fit(&concept.code, concept.names());
            if fits && visit(concept) == Visit::Enough {
                break;
            }
        }
        Ok(())
    }
}

impl System for PackageSystem {
    fn head(&self) -> &Head {
        &self.head
    }

    fn concept(&self, code: &str) -> Result<Option<Concept>, LibraryError> {
        self.find(code)?.map(|(_, body)| self.read(&body)).transpose()
    }

    fn parents(&self, code: &str) -> Result<Vec<String>, LibraryError> {
        let sql = "SELECT parent FROM link WHERE system = ?1 AND child = ?2";
        self.codes(sql, params![self.id, code])
    }

    fn children(&self, code: &str) -> Result<Vec<String>, LibraryError> {
        let sql = "SELECT l.child FROM link AS l
             JOIN concept AS c ON c.system = l.system AND c.code = l.child
             WHERE l.system = ?1 AND l.parent = ?2 ORDER BY c.number";
        self.codes(sql, params![self.id, code])
    }

    fn knows_property(&self, property: &str) -> Result<bool, LibraryError> {
        let sql = "SELECT 1 FROM property WHERE system = ?1 AND code = ?2";
        self.package.ask(|db| db.prepare_cached(sql)?.exists(params![self.id, property]))
    }

    fn each(
        &self,
        codes: Option<&HashSet<String>>,
        words: &Words,
        visit: &mut dyn FnMut(Concept) -> Visit,
    ) -> Result<(), LibraryError> {
        if let Some(codes) = codes.filter(|codes| codes.len() <= FEW) {
            return self.each_of(codes, words, visit);
        }
        let sql = "SELECT number, code, folded, body FROM concept
             WHERE system = ?1 AND number > ?2 ORDER BY number LIMIT ?3";
        let mut after = -1;
        loop {
            // Whoever is visited may ask this package too: the file is not held meanwhile.
            let mut read = 0;
            let batch: Vec<String> = self.package.ask(|db| {
                let mut select = db.prepare_cached(sql)?;
                let mut rows = select.query(params![self.id, after, BATCH])?;
                let mut fitting = vec![];
                while let Some(row) = rows.next()? {
                    read += 1;
                    after = row.get(0)?;
                    let (code, folded) = (row.get_ref(1)?.as_str()?, row.get_ref(2)?.as_str()?);
                    let wanted = codes.is_none_or(|codes| codes.contains(code));
                    if wanted && words.fit_folded(code, folded) {
                        fitting.push(row.get(3)?);
                    }
                }
                Ok(fitting)
            })?;
            for body in batch {
                if visit(self.read(&body)?) == Visit::Enough {
                    return Ok(());
                }
            }
            if read < BATCH {
                return Ok(());
            }
        }
    }
}
