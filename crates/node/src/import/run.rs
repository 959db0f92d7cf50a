//! One import: files are handed over one after the other, whoever asked is told how it goes, and
//! what was left out of each is written where it can be mended.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use anyhow::{Error, Result};
use ondol_app::{
    App, Place,
    rest::import::{
        ImportError, Imported, Importing, LeftBefore, Mode, Problem, Shape, Source, Told,
    },
};
use ondol_mapping::table::Keys;

use super::{
    files::{Found, Kind},
    gauge::Gauge,
    messages,
    refused::{self, Folder},
    spill::Spill,
    table,
};

/// Who sees how an import goes, and may stop it.
pub(super) trait Watch: Send {
    /// Something about a line.
    fn problem(&mut self, file: &Found, problem: &Problem);

    /// Something that an earlier run left out, and that is left out still.
    fn left_before(&mut self, file: &Found, left: &LeftBefore);

    /// Some more is committed: files that ended, and what became of all so far.
    fn went_on(&mut self, files_ended: usize, so_far: &Imported);

    /// A file ended: how many did, and what became of them.
    fn file_ended(&mut self, files_ended: usize, all: &Imported) {
        self.went_on(files_ended, all);
    }

    /// Whether the import goes on.
    fn goes_on(&self) -> bool {
        true
    }
}

/// What is imported, and how.
pub(super) struct Run<'a> {
    pub(super) app: &'a Arc<App>,
    pub(super) files: &'a [Found],
    pub(super) mode: Mode,
    pub(super) gauge: &'a Arc<Gauge>,
    /// Where what is left out is written, if it is.
    pub(super) refused: Option<Folder>,
    pub(super) watch: &'a mut dyn Watch,
}

/// What an import did.
pub(super) struct Ran {
    /// All files together, the one in which it broke off too.
    pub(super) all: Imported,
    /// How many files were imported to their end.
    pub(super) ended: usize,
    /// Files of what was left out.
    pub(super) refused: Vec<PathBuf>,
    /// Why it broke off, and the place of the file among all.
    pub(super) broke: Option<(Option<usize>, Error)>,
}

impl Run<'_> {
    pub(super) fn run(self) -> Ran {
        let Self { app, files, mode, gauge, refused, watch } = self;
        let mut report = Report {
            files,
            at: None,
            ended: 0,
            before: Imported::default(),
            now: Imported::default(),
            folder: refused,
            spill: None,
            refused: vec![],
            failed: None,
            watch,
        };
        let mut handing = Handing {
            place: app.place(),
            utc_offset_minutes: app.utc_offset_minutes(),
            keys: HashMap::new(),
            gauge,
        };
        let (mut at, mut failed, mut bytes) = (None, None, 0);
        let result = app.importing(mode, &mut report, |run| {
            for (number, file) in files.iter().enumerate() {
                at = Some(number);
                if let Err(why) = handing.hand_over(run, file) {
                    failed = Some(why);
                    return Err(ImportError::Stopped);
                }
                bytes += file.bytes;
                gauge.set(bytes);
            }
            Ok(())
        });
        // What was left out up to where it broke off stands behind the mark: it is told of here.
        report.hand_back();
        let stopped = |why: &Error| matches!(why.downcast_ref(), Some(ImportError::Stopped));
        let committing = report.at;
        let broke = match (result, failed, report.failed.take()) {
            (_, _, Some(why)) => Some((committing, why)),
            // That a batch could not be committed is why no more was taken.
            (Err(why), failed, None) if failed.as_ref().is_none_or(stopped) => {
                Some((committing, why.into()))
            }
            (_, Some(why), None) => Some((at, why)),
            (Err(why), None, None) => Some((committing, why.into())),
            (Ok(()), None, None) => None,
        };
        Ran { all: report.so_far(), ended: report.ended, refused: report.refused, broke }
    }
}

/// What files are handed over with.
struct Handing<'a> {
    place: &'a Place,
    utc_offset_minutes: i32,
    /// For each table the keys of its rows: by its mapping's text and its file pattern.
    keys: HashMap<(Vec<u8>, String), Keys>,
    gauge: &'a Arc<Gauge>,
}

impl Handing<'_> {
    /// Hands a file over to be committed.
    fn hand_over(&mut self, run: &mut Importing<'_>, file: &Found) -> Result<()> {
        let (home, mark) = (&self.place.facility, file.mark()?);
        let shape = match file.kind {
            Kind::Document => Shape::Document,
            Kind::Lines => Shape::Lines,
            Kind::Table => {
                let (mapped, table) = file.table()?;
                let key = (mapped.bytes.clone(), table.file.clone());
                let keys = self.keys.entry(key).or_default();
                let mut made = table::Made::of(file, self.gauge, keys)?;
                return Ok(run.rows(&mark, home, &mut made)?);
            }
            Kind::Messages => {
                let mut made = messages::Made::of(file, self.gauge, self.utc_offset_minutes)?;
                return Ok(run.rows(&mark, home, &mut made)?);
            }
        };
        let source = Source { name: &mark, shape, home };
        Ok(run.file(source, &mut file.open(self.gauge)?)?)
    }
}

/// Follows the files as they are committed, in the order in which they are handed over.
struct Report<'a> {
    files: &'a [Found],
    /// The file that is committed.
    at: Option<usize>,
    ended: usize,
    /// What became of the files that ended.
    before: Imported,
    /// What became of the one that is committed.
    now: Imported,
    folder: Option<Folder>,
    spill: Option<Spill>,
    refused: Vec<PathBuf>,
    /// Why what was left out cannot be written down.
    failed: Option<Error>,
    watch: &'a mut dyn Watch,
}

impl Report<'_> {
    fn so_far(&self) -> Imported {
        let (a, b) = (&self.before, &self.now);
        Imported {
            lines_known: a.lines_known + b.lines_known,
            lines: a.lines + b.lines,
            saved: a.saved + b.saved,
            unchanged: a.unchanged + b.unchanged,
            problems: a.problems + b.problems,
            left_out: a.left_out + b.left_out,
        }
    }

    fn refuse(&mut self, line: u64, entry: Option<usize>, says: &str) {
        let Some(folder) = &mut self.folder else { return };
        if self.failed.is_some() {
            return;
        }
        if self.spill.is_none() {
            match folder.spill() {
                Ok(spill) => self.spill = Some(spill),
                Err(why) => self.failed = Some(why),
            }
        }
        if let Some(spill) = &mut self.spill {
            spill.add(line, entry, says);
        }
    }

    /// Writes what was left out of the file that is committed.
    fn hand_back(&mut self) {
        let (Some(spill), Some(at)) = (self.spill.take(), self.at) else { return };
        let (Some(file), Some(folder)) = (self.files.get(at), &mut self.folder) else { return };
        let left = spill.read().map_err(Error::from);
        match left.and_then(|left| refused::write(file, left, folder)) {
            Ok(path) => self.refused.push(path),
            Err(why) => self.failed = self.failed.take().or(Some(why)),
        }
    }
}

impl Told for Report<'_> {
    fn begin(&mut self, _: &str, _: u64) {
        self.at = Some(self.at.map_or(0, |at| at + 1));
        self.now = Imported::default();
    }

    fn problem(&mut self, _: &str, problem: &Problem) {
        if let Some(file) = self.at.and_then(|at| self.files.get(at)) {
            self.watch.problem(file, problem);
        }
        if !problem.kept {
            self.refuse(problem.line, problem.entry, &problem.says);
        }
    }

    fn left_before(&mut self, _: &str, left: &LeftBefore) {
        if let Some(file) = self.at.and_then(|at| self.files.get(at)) {
            self.watch.left_before(file, left);
        }
        self.refuse(left.line, left.entry, &left.says);
    }

    fn went_on(&mut self, _: &str, so_far: &Imported) {
        self.now = *so_far;
        if let Some(spill) = &mut self.spill
            && let Err(why) = spill.end_batch()
        {
            self.failed = self.failed.take().or_else(|| Some(why.into()));
        }
        self.watch.went_on(self.ended, &self.so_far());
    }

    fn end(&mut self, _: &str, imported: &Imported) {
        self.now = *imported;
        self.before = self.so_far();
        self.now = Imported::default();
        self.hand_back();
        self.ended += 1;
        self.watch.file_ended(self.ended, &self.before);
    }

    fn goes_on(&self) -> bool {
        self.failed.is_none() && self.watch.goes_on()
    }
}
