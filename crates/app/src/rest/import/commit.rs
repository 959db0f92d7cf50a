//! Commits batches in the order in which they were read.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender},
    },
};

use ondol_fhir::ResourceType;
use ondol_kernel::{Class, ResourceId};
use ondol_store::{Space, StoreError, WriteTx};

use super::{
    ImportError, Imported, LeftBefore, Mode, Problem, Told, key, left_key, lines::Batch, problem,
    read::Item,
};
use crate::{
    Actor, App, AppError,
    rest::{
        error::RestError,
        write::{How, Outcome, Verb},
    },
};

/// What is to be done next.
pub(super) enum Step {
    /// A file begins.
    File { name: String, lines_known: u64 },
    /// What an earlier run left out of it.
    Left(Vec<LeftBefore>),
    /// Some of it.
    Batch(Batch),
    /// It was read to its end.
    End,
    /// Say when all before this is committed.
    Idle(SyncSender<()>),
}

/// The committing side of an import.
pub(super) struct Committer<'a> {
    app: Arc<App>,
    mode: Mode,
    told: &'a mut dyn Told,
    /// What was tried so far.
    tried: HashSet<(ResourceType, ResourceId)>,
    name: String,
    imported: Imported,
}

impl<'a> Committer<'a> {
    pub(super) fn new(app: Arc<App>, mode: Mode, told: &'a mut dyn Told) -> Self {
        let (name, imported) = (String::new(), Imported::default());
        Self { app, mode, told, tried: HashSet::new(), name, imported }
    }

    /// Commits until nothing more comes, or something cannot be committed.
    pub(super) fn run(mut self, steps: Receiver<Step>) -> Result<(), ImportError> {
        for step in steps {
            match step {
                Step::File { name, lines_known } => {
                    self.name = name;
                    self.imported = Imported { lines_known, ..Imported::default() };
                    self.told.begin(&self.name, lines_known);
                }
                Step::Left(left) => {
                    for left in &left {
                        self.told.left_before(&self.name, left);
                    }
                    self.told.went_on(&self.name, &self.imported);
                }
                Step::Batch(batch) => {
                    if !self.told.goes_on() {
                        return Err(ImportError::Stopped);
                    }
                    self.commit(batch)?;
                    self.told.went_on(&self.name, &self.imported);
                }
                Step::End => self.told.end(&self.name, &self.imported),
                // Whoever waits may have gone away.
                Step::Idle(done) => drop(done.send(())),
            }
        }
        Ok(())
    }

    /// Commits a batch, together with how far the file has come. What cannot be written together
    /// is written line by line: one row that is refused keeps no other from being saved.
    fn commit(&mut self, mut batch: Batch) -> Result<(), ImportError> {
        let Batch { lines, unchanged, .. } = batch;
        let by_line = batch.items.chunk_by(|a, b| a.line == b.line).count() > 1;
        let spare = if by_line { batch.items.clone() } else { vec![] };
        let about = batch.items.first().map(|item| item.line);
        let (home, mark) = (batch.home.clone(), batch.mark);
        let mut problems = std::mem::take(&mut batch.problems);
        match self.write(batch, &problems) {
            Err(ImportError::Rest(why)) if why.status() < 500 => {
                for items in spare.chunk_by(|a, b| a.line == b.line) {
                    let one = Batch::of(home.clone(), items.to_vec());
                    let line = items.first().map_or(0, |item| item.line);
                    match self.write(one, &[]) {
                        Err(ImportError::Rest(why)) if why.status() < 500 => {
                            problems.push(Problem::left_out(line, None, &why));
                        }
                        other => other?,
                    }
                }
                if let (false, Some(line)) = (by_line, about) {
                    problems.push(Problem::left_out(line, None, &why));
                }
                self.write(Batch { mark, ..Batch::of(home, vec![]) }, &problems)?;
            }
            other => other?,
        }
        self.imported.lines += lines;
        self.imported.unchanged += unchanged;
        for problem in &problems {
            self.tell(problem);
        }
        Ok(())
    }

    fn tell(&mut self, problem: &Problem) {
        self.imported.problems += 1;
        self.imported.left_out += u64::from(!problem.kept);
        self.told.problem(&self.name, problem);
    }

    /// Writes in one transaction, or tries to; what is left out is noted with the mark.
    fn write(&mut self, batch: Batch, problems: &[Problem]) -> Result<(), ImportError> {
        let Batch { home, items, mark, .. } = batch;
        let (app, name, mode) = (self.app.clone(), self.name.clone(), self.mode);
        let left: Vec<Problem> = problems.iter().filter(|problem| !problem.kept).cloned().collect();
        let ended = ondol_store::transact(&*self.app.store, move |tx| {
            let result = save(&app, tx, items, home, mode)?;
            if mode == Mode::Try {
                return Err(Ended::Tried(result));
            }
            for problem in left.iter().chain(result.problems.iter().filter(|one| !one.kept)) {
                let key = left_key(&name, problem.line, problem.entry);
                let noted = LeftBefore::noted(problem);
                tx.set_value(Space::Node, &key, Some(noted.as_bytes()))?;
            }
            if let Some(mark) = mark {
                tx.set_value(Space::Node, &key(&name), Some(&mark.to_bytes()))?;
            }
            Ok(result)
        });
        let result = match ended {
            Ok(result) => {
                self.app.woken();
                result
            }
            Err(Ended::Tried(result)) => result,
            Err(Ended::Failed(why)) => return Err(why.into()),
        };
        let written = match self.mode {
            Mode::Write => result.written.len(),
            Mode::Try => {
                result.written.into_iter().filter(|one| self.tried.insert(one.clone())).count()
            }
        };
        self.imported.saved += written as u64;
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
    written: Vec<(ResourceType, ResourceId)>,
    unchanged: u64,
    problems: Vec<Problem>,
}

/// Why a transaction was given up.
enum Ended {
    /// It was only tried.
    Tried(Saved),
    /// It cannot be done.
    Failed(RestError),
}

impl From<RestError> for Ended {
    fn from(why: RestError) -> Self {
        Self::Failed(why)
    }
}

impl From<StoreError> for Ended {
    fn from(why: StoreError) -> Self {
        Self::Failed(why.into())
    }
}

fn save(
    app: &Arc<App>,
    tx: &mut dyn WriteTx,
    items: Vec<Item>,
    home: ResourceId,
    mode: Mode,
) -> Result<Saved, RestError> {
    let mut result = Saved::default();
    let mut wanted = vec![];
    for item in items {
        match &item.write.verb {
            Verb::Update { id, .. }
                if item.only_new && tx.resource(item.write.kind.name(), id)?.is_some() =>
            {
                result.unchanged += 1;
            }
            _ => wanted.push(item),
        }
    }
    if wanted.is_empty() {
        return Ok(result);
    }
    let (places, writes): (Vec<_>, Vec<_>) =
        wanted.into_iter().map(|item| ((item.line, item.entry), item.write)).unzip();
    let actor = Actor::node(app.place.node, &app.place.name);
    let how = How { class: Class::Bulk, reason: None, base: String::new(), home, is_import: true };
    for (done, (line, entry)) in app.rest_write_in(tx, &actor, writes, &how)?.iter().zip(places) {
        match done.outcome {
            Outcome::Unchanged => result.unchanged += 1,
            Outcome::Spared => {
                let why = RestError::App(AppError::Conflict);
                result.problems.push(Problem::left_out(line, entry, &why));
            }
            Outcome::Created | Outcome::Updated | Outcome::Deleted => {
                result.written.extend(done.stands.as_ref().map(|one| (done.kind, one.id.clone())));
            }
        }
        if mode == Mode::Write {
            result.problems.extend(problem::dangling(line, entry, done));
        }
    }
    Ok(result)
}
