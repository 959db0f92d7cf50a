//! Bulk import, for the node itself: bundles and ndjson become entries of their charts.
//!
//! It is lenient: what is wrong with a resource is told, line by line, and the resource is kept
//! wherever it can be; nothing is dropped without a word. Ids are kept, so that a file that is
//! imported again adds only what is new; how far each file came is noted in the same commit as
//! its resources, so that a run that was cut off goes on where it was.

mod problem;
mod read;

use std::{
    io::{BufRead, Read as _},
    sync::Arc,
};

use ondol_fhir::{Limits, parse_json};
use ondol_kernel::{Class, ResourceId};
use ondol_store::{Space, WriteTx};
use thiserror::Error;

pub use problem::Problem;

use self::read::Item;
use super::{
    error::RestError,
    write::{How, Outcome, Verb, Write},
};
use crate::{Actor, App, AppError};

/// A line may be as long as a bundle, bytes.
const LINE_MAX: u64 = 256 << 20;

/// So many lines that are single resources share a transaction.
const LINES_TOGETHER: usize = 100;

/// So many resources of a bundle share a transaction.
const RESOURCES_TOGETHER: usize = 2_000;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One JSON document: a bundle, or one resource.
    Document,
    /// One document on each line.
    Lines,
}

/// What is imported.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The file's name: under it is noted how far it came.
    pub name: &'a str,
    /// Its shape.
    pub shape: Shape,
    /// The Organization that becomes the home of patients who name none.
    pub home: &'a ResourceId,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Lines that an earlier run had imported (1 for a whole document).
    pub lines_known: u64,
    /// Lines imported now.
    pub lines: u64,
    /// Resources that are new or have a new version.
    pub saved: u64,
    /// Resources that stood here already, just so.
    pub unchanged: u64,
    /// Problems that were told.
    pub problems: u64,
    /// Resources that could not be kept.
    pub left_out: u64,
}

/// A file could not be imported to its end; what was committed before stays.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("the file cannot be read")]
    Read(#[from] std::io::Error),
    /// Another file was imported under this name, or this one was changed since.
    #[error("a file of this name was imported with other contents; give it another name")]
    Changed,
    /// The record did not take it.
    #[error(transparent)]
    Rest(#[from] RestError),
}

impl From<AppError> for ImportError {
    fn from(why: AppError) -> Self {
        Self::Rest(why.into())
    }
}

impl From<ondol_store::StoreError> for ImportError {
    fn from(why: ondol_store::StoreError) -> Self {
        Self::Rest(why.into())
    }
}

/// How far a file came: its lines, and the hash that chains them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Mark {
    lines: u64,
    hash: [u8; 32],
}

impl Mark {
    fn past(self, line: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.hash).update(line);
        Self { lines: self.lines + 1, hash: *hasher.finalize().as_bytes() }
    }

    fn to_bytes(self) -> Vec<u8> {
        [&self.lines.to_le_bytes()[..], &self.hash].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (lines, hash) = bytes.split_first_chunk::<8>()?;
        Some(Self { lines: u64::from_le_bytes(*lines), hash: hash.try_into().ok()? })
    }
}

fn key(name: &str) -> Vec<u8> {
    [b"import/".as_slice(), name.as_bytes()].concat()
}

/// Lines that are to be committed together.
#[derive(Default)]
struct Pending {
    items: Vec<Item>,
    lines: usize,
}

/// A run over one file.
struct Run<'a> {
    app: &'a Arc<App>,
    source: Source<'a>,
    mark: Mark,
    imported: Imported,
    tell: &'a mut dyn FnMut(&Problem),
}

impl App {
    /// Imports a file as the node itself. `tell` is given every problem, and may write it down;
    /// a problem names elements and never values.
    pub fn import(
        self: &Arc<Self>,
        source: Source<'_>,
        from: &mut dyn BufRead,
        tell: &mut dyn FnMut(&Problem),
    ) -> Result<Imported, ImportError> {
        let known = match self.view()?.value(Space::Node, &key(source.name))? {
            Some(bytes) => {
                Mark::from_bytes(&bytes).ok_or(AppError::Unexpected("a mark of an import"))?
            }
            None => Mark::default(),
        };
        let imported = Imported { lines_known: known.lines, ..Imported::default() };
        let mut run = Run { app: self, source, mark: Mark::default(), imported, tell };
        let mut pending = Pending::default();
        while let Some(line) = next(from, source.shape)? {
            run.mark = run.mark.past(&line);
            if run.mark.lines == known.lines && run.mark.hash != known.hash {
                return Err(ImportError::Changed);
            }
            if run.mark.lines <= known.lines {
                continue;
            }
            run.take(&line, &mut pending)?;
        }
        if run.mark.lines < known.lines {
            return Err(ImportError::Changed);
        }
        run.commit(&mut pending)?;
        Ok(run.imported)
    }
}

/// The next line without its end, or the whole document; none at the end.
fn next(from: &mut dyn BufRead, shape: Shape) -> Result<Option<Vec<u8>>, std::io::Error> {
    let mut line = vec![];
    let mut bounded = from.take(LINE_MAX + 1);
    let count = match shape {
        Shape::Document => bounded.read_to_end(&mut line)?,
        Shape::Lines => bounded.read_until(b'\n', &mut line)?,
    };
    if count == 0 {
        return Ok(None);
    }
    if line.len() as u64 > LINE_MAX {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "a line is too long"));
    }
    while line.last().is_some_and(u8::is_ascii_whitespace) {
        line.pop();
    }
    Ok(Some(line))
}

impl Run<'_> {
    fn take(&mut self, line: &[u8], pending: &mut Pending) -> Result<(), ImportError> {
        let number = self.mark.lines;
        pending.lines += 1;
        if line.is_empty() {
            return Ok(());
        }
        let mut is_bundle = false;
        match parse_json(line, Limits::IMPORT) {
            Ok(document) => {
                let (mut items, problems) = read::items(document, number);
                for problem in &problems {
                    self.tell(problem);
                }
                is_bundle = items.len() > 1;
                // A bundle is one transaction, as it was where it comes from, unless it is huge.
                if items.len() > RESOURCES_TOGETHER {
                    // Those whom the others are about come first, so that they are here then.
                    items.sort_by_key(|item| !read::is_subject(&item.write));
                }
                while items.len() > RESOURCES_TOGETHER {
                    let rest = items.split_off(RESOURCES_TOGETHER);
                    pending.items.extend(std::mem::replace(&mut items, rest));
                    self.commit_items(std::mem::take(&mut pending.items), None)?;
                }
                pending.items.extend(items);
            }
            Err(why) => self.tell(&Problem::left_out(number, None, &RestError::from(why))),
        }
        if is_bundle || pending.lines >= LINES_TOGETHER { self.commit(pending) } else { Ok(()) }
    }

    fn tell(&mut self, problem: &Problem) {
        self.imported.problems += 1;
        self.imported.left_out += u64::from(!problem.kept);
        (self.tell)(problem);
    }

    /// Commits what is pending, together with how far the file has come.
    fn commit(&mut self, pending: &mut Pending) -> Result<(), ImportError> {
        let Pending { items, lines } = std::mem::take(pending);
        if lines == 0 {
            return Ok(());
        }
        self.commit_items(items, Some(self.mark))?;
        self.imported.lines += lines as u64;
        Ok(())
    }

    /// Commits resources, and the mark unless more of its line is to come.
    fn commit_items(&mut self, items: Vec<Item>, mark: Option<Mark>) -> Result<(), ImportError> {
        let (app, home) = (self.app.clone(), self.source.home.clone());
        let name = key(self.source.name);
        let result = ondol_store::transact(&*self.app.store, move |tx| {
            let result = save(&app, tx, items, home)?;
            if let Some(mark) = mark {
                tx.set_value(Space::Node, &name, Some(&mark.to_bytes()))?;
            }
            Ok::<_, RestError>(result)
        })?;
        self.app.woken();
        self.imported.saved += result.written;
        self.imported.unchanged += result.unchanged;
        for problem in &result.problems {
            self.tell(problem);
        }
        Ok(())
    }
}

/// What one commit did.
#[derive(Default)]
struct Saved {
    written: u64,
    unchanged: u64,
    problems: Vec<Problem>,
}

fn save(
    app: &Arc<App>,
    tx: &mut dyn WriteTx,
    items: Vec<Item>,
    home: ResourceId,
) -> Result<Saved, RestError> {
    let mut result = Saved::default();
    let mut writes: Vec<Write> = vec![];
    let mut places = vec![];
    for mut item in items {
        let mut checked = super::write::prepare(&mut item.write);
        if checked.is_ok() {
            checked = once(&item.write, &writes);
        }
        match checked {
            Ok(()) => {
                places.push((item.line, item.entry));
                writes.push(item.write);
            }
            Err(why) => result.problems.push(Problem::left_out(item.line, item.entry, &why)),
        }
    }
    if writes.is_empty() {
        return Ok(result);
    }
    let actor = Actor::node(app.place.node, &app.place.name);
    let how = How { class: Class::Bulk, reason: None, base: String::new(), home, is_import: true };
    for (done, (line, entry)) in app.rest_write_in(tx, &actor, writes, &how)?.iter().zip(places) {
        match done.outcome {
            Outcome::Unchanged => result.unchanged += 1,
            Outcome::Spared => {
                let why = RestError::App(AppError::Conflict);
                result.problems.push(Problem::left_out(line, entry, &why));
            }
            Outcome::Created | Outcome::Updated | Outcome::Deleted => result.written += 1,
        }
        result.problems.extend(problem::dangling(line, entry, done));
    }
    Ok(result)
}

/// Nothing is written twice in one commit.
fn once(write: &Write, others: &[Write]) -> Result<(), RestError> {
    let Verb::Update { id, .. } = &write.verb else { return Ok(()) };
    let is_same = |other: &Write| {
        other.kind == write.kind
            && matches!(&other.verb, Verb::Update { id: known, .. } if known == id)
    };
    if others.iter().any(is_same) {
        return Err(RestError::element(write.kind.name(), super::ElementFault::SameTwice));
    }
    Ok(())
}
