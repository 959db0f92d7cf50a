//! `ondol import`: FHIR bundles and ndjson, and what a facility already has in tables and HL7 v2 messages. What could
//! not be kept is told line by line, and stands in files that can be mended and imported again.

mod files;
mod messages;
mod refused;
mod table;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use ondol_app::{
    Place,
    rest::import::{ImportError, Imported, Importing, Mode, Problem, Shape, Source, Told},
};

use self::{
    files::{Found, Kind, files},
    refused::Refused,
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
    let refused_in = data.0.join("import-refused");
    forget(&refused_in)?;
    let mut report = Report {
        problems: BufWriter::new(File::create(&problems_at)?),
        failed: None,
        files: files.len(),
        ended: 0,
        all: Imported::default(),
        refused: BTreeMap::new(),
    };
    let mut at = None;
    let mut failed = None;
    let result = app.importing(mode, &mut report, |run| {
        for file in &files {
            at = Some(file);
            if let Err(why) = hand_over(run, file, app.place(), app.utc_offset_minutes()) {
                match why.downcast::<ImportError>() {
                    Ok(why) => return Err(why),
                    Err(why) => failed = Some(why),
                }
                return Err(ImportError::Stopped);
            }
        }
        Ok(())
    });
    let named = |file: Option<&Found>| {
        let shown = file.map_or(String::new(), |file| format!("{}: ", file.path.display()));
        format!("{shown}not imported to its end; {} of {} files were", report.ended, files.len())
    };
    match (result, failed) {
        (_, Some(why)) => return Err(why.context(named(at))),
        (Err(why @ ImportError::Rest(_)), None) => return Err(why).with_context(|| named(None)),
        (Err(why), None) => return Err(why).with_context(|| named(at)),
        (Ok(()), None) => {}
    }
    let written = report.failed.take().map_or_else(|| report.problems.flush(), Err);
    written.context("the file of problems cannot be written")?;
    let mut refused = vec![];
    for file in &files {
        if let Some(of) = report.refused.get(&file.name) {
            refused.push(of.write(file, &refused_in)?);
        }
    }
    Ok(Summary { all: report.all, problems_at, refused })
}

/// Hands a file over to be committed.
fn hand_over(
    run: &mut Importing<'_>,
    file: &Found,
    place: &Place,
    utc_offset_minutes: i32,
) -> Result<()> {
    let home = &place.facility;
    let shape = match file.kind {
        Kind::Document => Shape::Document,
        Kind::Lines => Shape::Lines,
        Kind::Table => {
            let mut made = table::Made::of(file)?;
            run.rows(&table::mark(file)?, home, &mut made)?;
            return made.failed.map_or(Ok(()), |why| Err(why.into()));
        }
        Kind::Messages => {
            let mut made = messages::Made::of(file, utc_offset_minutes)?;
            let mark = [file.source(), "/", &file.name].concat();
            run.rows(&mark, home, &mut made)?;
            return made.failed.map_or(Ok(()), |why| Err(why.into()));
        }
    };
    let reader = File::open(&file.path).context("the file cannot be read")?;
    Ok(run.file(Source { name: &file.name, shape, home }, &mut BufReader::new(reader))?)
}

/// Takes away what an earlier import left there.
fn forget(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => {
            Err(why).with_context(|| format!("{} cannot be taken away", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Writes down how an import goes.
struct Report {
    problems: BufWriter<File>,
    /// Why the file of problems could not be written.
    failed: Option<io::Error>,
    files: usize,
    ended: usize,
    all: Imported,
    /// By the names of files.
    refused: BTreeMap<String, Refused>,
}

/// The name of a file without what tells its contents.
fn plain(name: &str) -> &str {
    let name = name.split_once('#').map_or(name, |(name, _)| name);
    name.rsplit_once('/').map_or(name, |(_, name)| name)
}

impl Told for Report {
    fn problem(&mut self, file: &str, problem: &Problem) {
        let file = plain(file);
        if self.failed.is_none() {
            self.failed = writeln!(self.problems, "{file}: {problem}").err();
        }
        if !problem.kept {
            let refused = self.refused.entry(file.to_owned()).or_default();
            refused.add(problem.line, problem.entry, &problem.says);
        }
    }

    fn end(&mut self, _: &str, imported: &Imported) {
        self.ended += 1;
        self.all.lines_known += imported.lines_known;
        self.all.lines += imported.lines;
        self.all.saved += imported.saved;
        self.all.unchanged += imported.unchanged;
        self.all.problems += imported.problems;
        self.all.left_out += imported.left_out;
        let known = self.all.saved + self.all.unchanged;
        eprintln!("{} of {} files, {known} resources", self.ended, self.files);
    }
}

#[cfg(test)]
mod tests;
