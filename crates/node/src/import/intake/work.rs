//! The thread that imports what was brought.

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Arc,
};

use ondol_app::{
    App,
    intake::{Bringer, Failure, LEFT_OUT_SHOWN, LeftOut, Phase, RefusedFile},
    rest::import::{Imported, LeftBefore, Mode, Problem},
};
use ondol_kernel::Millis;

use super::{Kept, Place, State, absent_is_fine};
use crate::import::{
    fault,
    files::{Found, MAPPING},
    gauge::Gauge,
    refused::Folder,
    run::{Ran, Run, Watch},
};

/// Tries or imports files, and notes what became of them.
pub(super) fn work(place: &Place, app: &Arc<App>, files: &[Found], mode: Mode, gauge: &Arc<Gauge>) {
    let folder = place.lock().kept.iter().map(|kept| kept.folder).max().unwrap_or(0) + 1;
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let run = Run {
            app,
            files,
            mode,
            gauge,
            refused: (mode == Mode::Write).then(|| Folder::at(&place.refused(folder))),
            watch: &mut Watching { place, gauge },
        };
        run.run()
    }));
    let phase = match &ran {
        _ if gauge.is_stopped() => Phase::Stopped,
        Ok(Ran { broke: None, .. }) => Phase::Done,
        Ok(Ran { broke: Some((at, why)), .. }) => {
            let file = at.and_then(|at| files.get(at)).map(|file| file.name.as_str());
            Phase::Failed(fault::failure(why, file))
        }
        Err(_) => {
            tracing::error!("an import panicked");
            Phase::Failed(Failure::Broken)
        }
    };
    let ended = Ended { phase, folder, refused: ran.map(|ran| ran.refused).unwrap_or_default() };
    ended.note(place, app.now());
}

struct Ended {
    phase: Phase,
    folder: u32,
    refused: Vec<PathBuf>,
}

impl Ended {
    /// Notes how it ended. What was left out is handed back of a run that came to its end: one that
    /// goes on another time tells of it again.
    fn note(self, place: &Place, now: Millis) {
        let mut state = place.lock();
        state.gauge = None;
        if state.is_halting {
            // As it is written down, it is shown as cut short.
            return;
        }
        let is_done = self.phase == Phase::Done;
        state.seen.phase = self.phase;
        state.seen.ended = Some(now);
        let written = is_done && !state.seen.is_trial;
        let (before, files) = (state.kept.len(), state.seen.files.clone());
        if is_done {
            state.seen.progress.bytes_read = state.seen.progress.bytes;
            hand_back(place, &mut state, self.folder, &self.refused, now);
        }
        if written {
            state.seen.files.clear();
        }
        let mut noted = place.note(&state);
        if let Err(why) = &noted
            && is_done
        {
            // Nothing is taken away before it stands that it is done with: it can go on.
            state.seen.phase = Phase::Failed(Failure::Disk(fault::disk(why)));
            state.seen.files = files;
            state.kept.truncate(before);
            state.seen.refused.truncate(before);
        } else if written {
            noted = absent_is_fine(fs::remove_dir_all(place.files()));
        }
        if !state.kept.iter().any(|kept| kept.folder == self.folder) {
            let gone = absent_is_fine(fs::remove_dir_all(place.refused(self.folder)));
            noted = noted.and(gone);
        }
        if let Err(why) = noted {
            tracing::error!(%why, "how an import ended cannot be written down, or files not removed");
        }
        let progress = state.seen.progress;
        // Names of files are the facility's own affair.
        tracing::info!(
            is_done,
            saved = progress.saved,
            left_out = progress.left_out,
            "an import ended"
        );
    }
}

/// Lists the files of what was left out.
fn hand_back(place: &Place, state: &mut State, folder: u32, refused: &[PathBuf], now: Millis) {
    let Some(by) = state.seen.by.clone() else { return };
    let mut paths = refused.to_vec();
    if !paths.is_empty() {
        let mapping = place.refused(folder).join(MAPPING);
        paths.extend(mapping.is_file().then_some(mapping));
    }
    for path in paths {
        let next = state.kept.iter().map(|kept| kept.file.number).max().unwrap_or(0) + 1;
        match listed(&path, next, &by, now) {
            Ok(file) => {
                state.seen.refused.push(file.clone());
                state.kept.push(Kept { file, folder });
            }
            Err(why) => tracing::error!(%why, "a file of what was left out cannot be read"),
        }
    }
}

fn listed(path: &PathBuf, number: u32, by: &Bringer, at: Millis) -> io::Result<RefusedFile> {
    let bytes = fs::metadata(path)?.len();
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    Ok(RefusedFile { number, name, bytes, by: by.clone(), at })
}

/// Keeps what pages show.
struct Watching<'a> {
    place: &'a Place,
    gauge: &'a Gauge,
}

impl Watching<'_> {
    fn left_out(
        &self,
        file: &Found,
        line: u64,
        entry: Option<usize>,
        code: &str,
        at: Option<&str>,
    ) {
        let mut state = self.place.lock();
        state.seen.progress.left_out += 1;
        if state.seen.left_out.len() < LEFT_OUT_SHOWN {
            state.seen.left_out.push(LeftOut {
                file: file.name.clone(),
                line,
                entry: entry.map(|at| at as u64 + 1),
                code: code.to_owned(),
                at: at.map(str::to_owned),
            });
        }
    }
}

impl Watch for Watching<'_> {
    fn problem(&mut self, file: &Found, problem: &Problem) {
        if problem.kept {
            self.place.lock().seen.progress.remarks += 1;
            return;
        }
        let Problem { line, entry, code, expression, .. } = problem;
        self.left_out(file, *line, *entry, code, expression.as_deref());
    }

    fn left_before(&mut self, file: &Found, left: &LeftBefore) {
        self.left_out(file, left.line, left.entry, &left.code, left.expression.as_deref());
    }

    fn went_on(&mut self, files_ended: usize, so_far: &Imported) {
        let progress = &mut self.place.lock().seen.progress;
        progress.files_done = files_ended as u64;
        progress.lines = so_far.lines;
        progress.lines_known = so_far.lines_known;
        progress.saved = so_far.saved;
        progress.unchanged = so_far.unchanged;
    }

    fn goes_on(&self) -> bool {
        !self.gauge.is_stopped()
    }
}
