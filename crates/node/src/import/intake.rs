//! Files that are brought along from a page: kept in the data directory, imported by a thread of
//! their own beside the work, and handed back where they were left out.
//!
//! `import/` in the data directory is readable by its owner alone: `incoming` while files come in,
//! `files` when they are all there, `refused/N` for what was left out, and `state.json`.

mod incoming;
mod state;
mod work;

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use anyhow::{Context as _, Result};
use ondol_app::{
    App, AppError,
    intake::{
        BYTES_MAX, Bringer, Discard, Handed, Incoming, Intake, IntakeError, Phase, Progress, Seen,
    },
    rest::import::Mode,
};
use serde_json::Value;

use self::{incoming::Arriving, state::Kept};
use super::{fault, files, gauge::Gauge};
use crate::{
    durable::{self, Disk as _, OwnDisk},
    private,
};

/// What is not there need not be taken away.
fn absent_is_fine(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// What is known in memory.
struct State {
    seen: Seen,
    kept: Vec<Kept>,
    gauge: Option<Arc<Gauge>>,
    /// The node is ending: what runs is cut short, and goes on another day.
    is_halting: bool,
}

/// Where files are kept, and what is known of them.
struct Place {
    top: PathBuf,
    bytes_max: u64,
    state: Mutex<State>,
}

impl Place {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn files(&self) -> PathBuf {
        self.top.join("files")
    }

    fn refused(&self, folder: u32) -> PathBuf {
        self.top.join("refused").join(folder.to_string())
    }

    /// Writes down what is known.
    fn note(&self, state: &State) -> io::Result<()> {
        let text = state::to_json(&state.seen, &state.kept).to_string();
        private::write(&self.top.join("state.json"), text.as_bytes())
            .map_err(|why| why.downcast().unwrap_or_else(io::Error::other))
    }

    /// Keeps files that came in, in place of those that were there before.
    fn keep(&self, folder: &Path, by: Bringer, files: Vec<(String, u64)>) -> io::Result<()> {
        let mut state = self.lock();
        let refused = std::mem::take(&mut state.seen.refused);
        state.seen = Seen { phase: Phase::Ready, by: Some(by), files, refused, ..Seen::default() };
        let put = || {
            absent_is_fine(fs::remove_dir_all(self.files()))?;
            fs::rename(folder, self.files())?;
            OwnDisk.sync_names(&self.top)?;
            self.note(&state)
        };
        let kept = put();
        if kept.is_err() {
            // What does not stand there is not there after a restart either.
            let refused = std::mem::take(&mut state.seen.refused);
            state.seen = Seen { refused, ..Seen::default() };
            let _ = fs::remove_dir_all(self.files());
        }
        kept
    }
}

/// The node's place for files that are brought along.
pub struct NodeIntake {
    place: Arc<Place>,
    job: Mutex<Option<JoinHandle<()>>>,
}

impl NodeIntake {
    /// Opens it in a data directory, with what was there when the node ended.
    pub fn open(data: &Path) -> Result<Arc<Self>> {
        Self::with(data, BYTES_MAX)
    }

    fn with(data: &Path, bytes_max: u64) -> Result<Arc<Self>> {
        let top = data.join("import");
        durable::make_folders(&OwnDisk, &top).context("the folder of imports cannot be made")?;
        fs::set_permissions(&top, fs::Permissions::from_mode(0o700))?;
        let (mut seen, kept) = known(&top.join("state.json"))?;
        let place = Place {
            state: Mutex::new(State {
                seen: Seen::default(),
                kept,
                gauge: None,
                is_halting: false,
            }),
            top,
            bytes_max,
        };
        if let Err(why) = absent_is_fine(fs::remove_dir_all(place.top.join("incoming"))) {
            tracing::warn!(%why, "files that were brought in half cannot be taken away");
        }
        if let Err(why) = tidy(&place, &mut seen) {
            // Care does not wait for this: what is there stays as it is.
            tracing::error!(%why, "what was brought cannot be looked through");
        }
        place.lock().seen = seen;
        Ok(Arc::new(Self { place: Arc::new(place), job: Mutex::default() }))
    }

    /// The node is ending: cuts a running import short. It is shown as such after the next start.
    pub fn halt(&self) {
        {
            let mut state = self.place.lock();
            state.is_halting = true;
            state.gauge.as_ref().inspect(|gauge| gauge.stop());
        }
        let job = self.job.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(job) = job {
            let _ = job.join();
        }
    }
}

/// What was written down. What cannot be read is told of, and begins anew.
fn known(path: &Path) -> Result<(Seen, Vec<Kept>)> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(<_>::default()),
        Err(why) => return Err(why).context("the state of imports cannot be read"),
    };
    let value: Option<Value> = serde_json::from_slice(&bytes).ok();
    Ok(value.as_ref().and_then(state::from_json).unwrap_or_else(|| {
        tracing::warn!("the state of imports is damaged: what was brought is given up");
        <_>::default()
    }))
}

/// Takes away what nobody was told of: files whose coming was not confirmed, what a run that was
/// cut off had begun to write.
fn tidy(place: &Place, seen: &mut Seen) -> Result<()> {
    let there = if place.files().exists() { files::inside(&place.files()) } else { Ok(vec![]) };
    let there = there.context("files that were brought cannot be read")?;
    let there: Vec<_> = there.into_iter().map(|file| (file.name, file.bytes)).collect();
    if there != seen.files {
        absent_is_fine(fs::remove_dir_all(place.files()))?;
        let is_result = seen.files.is_empty() && seen.phase == Phase::Done;
        if !is_result {
            let refused = std::mem::take(&mut seen.refused);
            *seen = Seen { refused, ..Seen::default() };
        }
    }
    let Ok(folders) = fs::read_dir(place.top.join("refused")) else { return Ok(()) };
    let state = place.lock();
    for folder in folders {
        let folder = folder?.path();
        if !state.kept.iter().any(|kept| place.refused(kept.folder) == folder) {
            fs::remove_dir_all(&folder)?;
        }
    }
    Ok(())
}

impl Intake for NodeIntake {
    fn seen(&self) -> Seen {
        let state = self.place.lock();
        let mut seen = state.seen.clone();
        if let Some(gauge) = &state.gauge {
            seen.progress.bytes_read = gauge.bytes().min(seen.progress.bytes);
        }
        seen
    }

    fn receive(&self, by: Bringer) -> Result<Box<dyn Incoming>, IntakeError> {
        let before = {
            let mut state = self.place.lock();
            if matches!(state.seen.phase, Phase::Running { .. } | Phase::Receiving) {
                return Err(IntakeError::Busy);
            }
            std::mem::replace(&mut state.seen.phase, Phase::Receiving)
        };
        Ok(Box::new(Arriving::new(self.place.clone(), by, before)?))
    }

    fn start(&self, app: &Arc<App>, mode: Mode) -> Result<(), IntakeError> {
        let mut state = self.place.lock();
        if matches!(state.seen.phase, Phase::Running { .. } | Phase::Receiving) {
            return Err(IntakeError::Busy);
        }
        if state.seen.files.is_empty() {
            return Err(IntakeError::Nothing);
        }
        let files = files::files(&[self.place.files()]).map_err(|why| {
            tracing::error!(%why, "files that were brought are not as they were");
            AppError::Unexpected("files that were brought")
        })?;
        let before = state.seen.clone();
        state.seen.phase = Phase::Running { is_stopping: false };
        state.seen.is_trial = mode == Mode::Try;
        state.seen.left_out.clear();
        state.seen.progress = Progress {
            files: files.len() as u64,
            bytes: files.iter().map(|file| file.bytes).sum(),
            ..Progress::default()
        };
        (state.seen.began, state.seen.ended) = (Some(app.now()), None);
        if let Err(why) = self.place.note(&state) {
            state.seen = before;
            return Err(IntakeError::Disk(fault::disk(&why)));
        }
        let gauge = Arc::new(Gauge::default());
        state.gauge = Some(gauge.clone());
        drop(state);
        let (place, app) = (self.place.clone(), app.clone());
        let job = thread::Builder::new()
            .name("import".into())
            .spawn(move || work::work(&place, &app, &files, mode, &gauge));
        match job {
            Ok(job) => {
                *self.job.lock().unwrap_or_else(PoisonError::into_inner) = Some(job);
                Ok(())
            }
            Err(why) => {
                let mut state = self.place.lock();
                (state.seen, state.gauge) = (before, None);
                tracing::error!(%why, "an import cannot be begun");
                Err(AppError::Unexpected("a thread for an import").into())
            }
        }
    }

    fn stop(&self) {
        let mut state = self.place.lock();
        if let Some(gauge) = &state.gauge {
            gauge.stop();
            state.seen.phase = Phase::Running { is_stopping: true };
        }
    }

    fn discard(&self, what: Discard) -> Result<(), IntakeError> {
        let mut state = self.place.lock();
        if matches!(state.seen.phase, Phase::Running { .. } | Phase::Receiving) {
            return Err(IntakeError::Busy);
        }
        let of_disk = |why: io::Error| IntakeError::Disk(fault::disk(&why));
        match what {
            Discard::Brought => {
                absent_is_fine(fs::remove_dir_all(self.place.files())).map_err(of_disk)?;
                let refused = std::mem::take(&mut state.seen.refused);
                state.seen = Seen { refused, ..Seen::default() };
            }
            Discard::Refused => {
                let all = self.place.top.join("refused");
                absent_is_fine(fs::remove_dir_all(all)).map_err(of_disk)?;
                state.kept.clear();
                state.seen.refused.clear();
            }
        }
        self.place.note(&state).map_err(of_disk)
    }

    fn refused(&self, number: u32) -> Result<(Bringer, Handed), IntakeError> {
        let state = self.place.lock();
        let kept = state.kept.iter().find(|kept| kept.file.number == number);
        let Kept { file, folder } = kept.ok_or(AppError::NotFound)?;
        let from = fs::File::open(self.place.refused(*folder).join(&file.name))
            .map_err(|why| IntakeError::Disk(fault::disk(&why)))?;
        let handed = Handed { name: file.name.clone(), bytes: file.bytes, from: Box::new(from) };
        Ok((file.by.clone(), handed))
    }
}

#[cfg(test)]
mod tests;
