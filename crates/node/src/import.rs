//! Imports, from the command line and from a page: FHIR bundles and ndjson, and what a facility
//! already has in tables and HL7 v2 messages. What could not be kept is told line by line, and
//! stands in files that can be mended and imported again.

mod fault;
mod files;
mod gauge;
mod intake;
mod messages;
mod refused;
mod run;
mod spill;
mod table;

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use ondol_app::rest::import::{ImportError, Imported, LeftBefore, Mode, Problem};

pub use self::intake::NodeIntake;
use self::{
    files::{Found, files},
    refused::Folder,
    run::{Ran, Run, Watch},
};
use crate::data_dir::DataDir;

/// Imports files and folders, or tells what that would do. Problems are written beside the record,
/// one a line; they name elements and never values.
pub fn import(data: &DataDir, paths: &[PathBuf], mode: Mode) -> Result<()> {
    let Summary { all, problems_at, refused } = run(data, paths, mode)?;
    let saved = if mode == Mode::Try { "would be saved" } else { "saved" };
    println!(
        "{} resources {saved}, {} were here already, {} left out, {} problems",
        all.saved, all.unchanged, all.left_out, all.problems
    );
    if all.lines_known > 0 {
        println!("{} files, lines, rows or messages were imported before", all.lines_known);
    }
    if all.problems > 0 {
        println!("the problems stand in {}", problems_at.display());
    }
    if mode == Mode::Try {
        println!("nothing was written to the record, and no file of what would be left out");
    }
    for file in refused {
        println!("what was left out stands in {}: mend it and import it", file.display());
    }
    Ok(())
}

/// What an import did.
struct Summary {
    all: Imported,
    problems_at: PathBuf,
    /// Files of what was left out.
    refused: Vec<PathBuf>,
}

fn run(data: &DataDir, paths: &[PathBuf], mode: Mode) -> Result<Summary> {
    let files = files(paths)?;
    if files.is_empty() {
        bail!("no .json, .ndjson, .csv, .tsv, .xlsx or .hl7 files were found");
    }
    let app = data.app()?;
    let problems_at = data.0.join("import-problems.txt");
    let problems = BufWriter::new(File::create(&problems_at)?);
    let mut teller = Teller { problems, failed: None, files: files.len() };
    let run = Run {
        app: &app,
        files: &files,
        mode,
        gauge: &Arc::default(),
        // A trial writes nothing of a person, here as little as in the record.
        refused: (mode == Mode::Write).then(|| Folder::next(&data.0)),
        watch: &mut teller,
    };
    let Ran { all, ended, refused, broke } = run.run();
    if let Some((at, why)) = broke {
        let of_file = !matches!(why.downcast_ref(), Some(ImportError::Rest(_)));
        let shown = at.filter(|_| of_file).and_then(|at| files.get(at));
        let shown = shown.map_or(String::new(), |file| format!("{}: ", file.path.display()));
        let all = files.len();
        return Err(
            why.context(format!("{shown}not imported to its end; {ended} of {all} files were"))
        );
    }
    let written = teller.failed.take().map_or_else(|| teller.problems.flush(), Err);
    written.context("the file of problems cannot be written")?;
    Ok(Summary { all, problems_at, refused })
}

/// Tells on the console how an import goes, and writes problems down.
struct Teller {
    problems: BufWriter<File>,
    /// Why the file of problems could not be written.
    failed: Option<io::Error>,
    files: usize,
}

impl Watch for Teller {
    fn problem(&mut self, file: &Found, problem: &Problem) {
        if self.failed.is_none() {
            self.failed = writeln!(self.problems, "{}: {problem}", file.name).err();
        }
    }

    fn left_before(&mut self, _: &Found, _: &LeftBefore) {}

    fn went_on(&mut self, _: usize, _: &Imported) {}

    fn file_ended(&mut self, ended: usize, all: &Imported) {
        let known = all.saved + all.unchanged;
        eprintln!("{ended} of {} files, {known} resources", self.files);
    }
}

#[cfg(test)]
mod tests;
