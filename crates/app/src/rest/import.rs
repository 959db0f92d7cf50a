//! Bulk import, for the node itself: bundles and ndjson become entries of their charts.
//!
//! It is lenient: what is wrong with a resource is told, line by line, and the resource is kept
//! wherever it can be; nothing is dropped without a word. Ids are kept, so that a file that is
//! imported again adds only what is new; how far each file came is noted in the same commit as
//! its resources, so that a run that was cut off goes on where it was.
//!
//! Files are read by one thread and committed by another, so that the next batch is read and
//! validated while the last one is written.

mod commit;
mod lines;
mod problem;
mod read;

use std::{
    collections::HashSet,
    io::{self, BufRead},
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};

use ondol_kernel::ResourceId;
use ondol_store::Space;
use serde_json::Value;
use thiserror::Error;

pub use problem::Problem;

use self::{
    commit::{Committer, Step},
    lines::{Lines, Mark},
};
use super::error::RestError;
use crate::{App, AppError};

/// So many steps wait at most, so that the memory of an import does not grow with it: while a file
/// that is one batch is committed, its end, the beginning of the next and its batch.
const WAITING_MAX: usize = 3;

/// So many things that were left out before are told of at once.
const LEFT_ONCE: usize = 1_000;

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

/// A row of a table, or a message, of another system.
#[derive(Debug, Clone)]
pub struct Row {
    /// Where it stands in its file, from 1.
    pub line: u64,
    /// What stands there: a file that is read again is known by it.
    pub seen: String,
    /// The Bundle that it became.
    pub made: Result<Value, RowRefused>,
    /// What could not be taken over of it.
    pub left: Vec<RowRefused>,
}

/// Why a row, or something in it, became nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowRefused {
    /// A stable code.
    pub code: &'static str,
    /// Where in the row: a column or a field.
    pub at: Option<String>,
    /// What it is, in English, without values.
    pub says: String,
}

/// Whether an import writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It does.
    Write,
    /// It tells what it would do, and leaves everything as it is. References to what the same run
    /// would write cannot be followed, and are not told of.
    Try,
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
    /// A batch before could not be committed; the import says why. Or whoever is told wished it.
    #[error("the import has stopped")]
    Stopped,
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

fn key(name: &str) -> Vec<u8> {
    [b"import/".as_slice(), name.as_bytes()].concat()
}

/// Under what is noted what of a file was left out: it stands behind the mark.
fn left_key(name: &str, line: u64, entry: Option<usize>) -> Vec<u8> {
    let entry = entry.map_or(u64::MAX, |at| at as u64);
    [&left_prefix(name)[..], &line.to_be_bytes(), &entry.to_be_bytes()].concat()
}

fn left_prefix(name: &str) -> Vec<u8> {
    [b"import-left/".as_slice(), name.as_bytes(), &[0]].concat()
}

/// What an earlier run of a file left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftBefore {
    /// The line, from 1.
    pub line: u64,
    /// The entry of the bundle on it, from 0.
    pub entry: Option<usize>,
    /// A stable code; empty where an older version left it out.
    pub code: String,
    /// Where, as FHIRPath or a column.
    pub expression: Option<String>,
    /// Why, in English.
    pub says: String,
}

/// Stands between the parts of what is noted about something that was left out.
const PART: char = '\u{1f}';

impl LeftBefore {
    fn noted(problem: &Problem) -> String {
        let expression = problem.expression.as_deref().unwrap_or_default();
        format!("{}{PART}{expression}{PART}{}", problem.code, problem.says)
    }

    fn read(key: &[u8], value: Vec<u8>) -> Option<Self> {
        let (rest, entry) = key.split_last_chunk::<8>()?;
        let (_, line) = rest.split_last_chunk::<8>()?;
        let entry = u64::from_be_bytes(*entry);
        let entry = if entry == u64::MAX { None } else { Some(usize::try_from(entry).ok()?) };
        let value = String::from_utf8(value).ok()?;
        let mut parts = value.splitn(3, PART);
        let (code, at, says) = match (parts.next(), parts.next(), parts.next()) {
            (Some(code), Some(at), Some(says)) => (code, at, says),
            _ => ("", "", value.as_str()),
        };
        Some(Self {
            line: u64::from_be_bytes(*line),
            entry,
            code: code.to_owned(),
            expression: Some(at.to_owned()).filter(|at| !at.is_empty()),
            says: says.to_owned(),
        })
    }
}

/// Who is told how an import goes.
pub trait Told: Send {
    /// A file begins: so many lines of it are known.
    fn begin(&mut self, file: &str, lines_known: u64) {
        let _ = (file, lines_known);
    }

    /// Something about a line. It names elements and never values.
    fn problem(&mut self, file: &str, problem: &Problem);

    /// Something that an earlier run of the same file left out: by lines, before all that is new.
    fn left_before(&mut self, file: &str, left: &LeftBefore);

    /// Some more of a file is committed, and all problems of the lines up to there are told. With
    /// it, what became of the file so far.
    fn went_on(&mut self, file: &str, so_far: &Imported) {
        let _ = (file, so_far);
    }

    /// A file is imported to its end.
    fn end(&mut self, file: &str, imported: &Imported);

    /// Whether more is to be committed. An import that does not go on is [`ImportError::Stopped`].
    fn goes_on(&self) -> bool {
        true
    }
}

/// Files that are imported one after the other.
pub struct Importing<'a> {
    app: &'a App,
    to: SyncSender<Step>,
    /// The files of this run: how far one of them came may not be noted yet.
    names: HashSet<String>,
}

impl App {
    /// Imports files as the node itself: `run` hands them over. What was handed over is committed
    /// when this returns, or the error says why it is not.
    pub fn importing<T>(
        self: &Arc<Self>,
        mode: Mode,
        told: &mut dyn Told,
        run: impl FnOnce(&mut Importing<'_>) -> Result<T, ImportError>,
    ) -> Result<T, ImportError> {
        let (to, steps) = sync_channel(WAITING_MAX);
        let committer = Committer::new(self.clone(), mode, told);
        thread::scope(|scope| {
            let committing = scope.spawn(move || committer.run(steps));
            let mut importing = Importing { app: self, to, names: HashSet::new() };
            let result = run(&mut importing);
            drop(importing);
            let panicked = Err(AppError::Unexpected("an import panicked").into());
            match (result, committing.join().unwrap_or(panicked)) {
                (Err(ImportError::Stopped) | Ok(_), Err(why)) => Err(why),
                (result, _) => result,
            }
        })
    }

    /// Imports one file. `tell` is given every problem, and may write it down.
    pub fn import(
        self: &Arc<Self>,
        source: Source<'_>,
        from: &mut dyn BufRead,
        tell: &mut (dyn FnMut(&Problem) + Send),
    ) -> Result<Imported, ImportError> {
        let mut one = One { tell, imported: Imported::default() };
        self.importing(Mode::Write, &mut one, |run| run.file(source, from))?;
        Ok(one.imported)
    }
}

struct One<'a> {
    tell: &'a mut (dyn FnMut(&Problem) + Send),
    imported: Imported,
}

impl Told for One<'_> {
    fn problem(&mut self, _: &str, problem: &Problem) {
        (self.tell)(problem);
    }

    fn left_before(&mut self, _: &str, _: &LeftBefore) {}

    fn end(&mut self, _: &str, imported: &Imported) {
        self.imported = *imported;
    }
}

impl Importing<'_> {
    /// Hands a file over. [`ImportError::Stopped`] says that something handed over before could
    /// not be committed.
    pub fn file(&mut self, source: Source<'_>, from: &mut dyn BufRead) -> Result<(), ImportError> {
        let known = self.begin(source.name)?;
        Lines::new(source.home, known, &mut |batch| self.send(Step::Batch(batch)))
            .run(source.shape, from)?;
        self.send(Step::End)
    }

    /// Hands over the rows of a file of another system, which was read by a mapping. What several
    /// of them are about may be in each: where it is the same, it is written once.
    pub fn rows(
        &mut self,
        name: &str,
        home: &ResourceId,
        rows: &mut dyn Iterator<Item = io::Result<Row>>,
    ) -> Result<(), ImportError> {
        let known = self.begin(name)?;
        Lines::new(home, known, &mut |batch| self.send(Step::Batch(batch))).rows(rows)?;
        self.send(Step::End)
    }

    /// Begins a file: how far it came before.
    fn begin(&mut self, name: &str) -> Result<Mark, ImportError> {
        if !self.names.insert(name.to_owned()) {
            self.wait()?;
        }
        let bad = || AppError::Unexpected("a mark of an import");
        let known = match self.app.view()?.value(Space::Node, &key(name))? {
            Some(bytes) => Mark::from_bytes(&bytes).ok_or_else(bad)?,
            None => Mark::default(),
        };
        self.send(Step::File { name: name.to_owned(), lines_known: known.lines })?;
        // Some at a time: there may be as many as the file has lines.
        let (prefix, mut after) = (left_prefix(name), None::<Vec<u8>>);
        loop {
            let some =
                self.app.view()?.values(Space::Node, &prefix, after.as_deref(), LEFT_ONCE)?;
            let Some((last, _)) = some.last() else { return Ok(known) };
            after = Some(last.clone());
            let left = some.into_iter().map(|(key, value)| LeftBefore::read(&key, value));
            self.send(Step::Left(left.collect::<Option<_>>().ok_or_else(bad)?))?;
        }
    }

    /// Waits until all that was handed over is committed.
    fn wait(&self) -> Result<(), ImportError> {
        let (done, idle) = sync_channel(1);
        self.send(Step::Idle(done))?;
        idle.recv().map_err(|_| ImportError::Stopped)
    }

    fn send(&self, step: Step) -> Result<(), ImportError> {
        self.to.send(step).map_err(|_| ImportError::Stopped)
    }
}
