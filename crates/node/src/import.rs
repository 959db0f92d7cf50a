//! `ondol import`: FHIR bundles and ndjson, and what a facility already has in tables and HL7 v2
//! messages. What could not be kept is told line by line, and stands in files that can be mended
//! and imported again.

mod files;
mod messages;
mod refused;
mod table;

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{self, BufReader, BufWriter, Write},
    path::PathBuf,
};

use anyhow::{Context, Result, bail};
use ondol_app::{
    Place,
    rest::import::{
        ImportError, Imported, Importing, LeftBefore, Mode, Problem, Shape, Source, Told,
    },
};
use ondol_mapping::table::Keys;

use self::{
    files::{Found, Kind, files},
    refused::{Folder, Refused},
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
    let mut report = Report {
        problems: BufWriter::new(File::create(&problems_at)?),
        failed: None,
        files: files.len(),
        ended: 0,
        all: Imported::default(),
        refused: BTreeMap::new(),
    };
    let mut handing = Handing {
        place: app.place(),
        utc_offset_minutes: app.utc_offset_minutes(),
        keys: HashMap::new(),
        marks: vec![],
    };
    let mut at = None;
    let mut failed = None;
    let result = app.importing(mode, &mut report, |run| {
        for file in &files {
            at = Some(file);
            if let Err(why) = handing.hand_over(run, file) {
                match why.downcast::<ImportError>() {
                    Ok(why) => return Err(why),
                    Err(why) => failed = Some(why),
                }
                return Err(ImportError::Stopped);
            }
        }
        Ok(())
    });
    // However it ended: what was left out up to there stands behind the marks.
    let mut refused = vec![];
    let mut folder = Folder::next(&data.0);
    for (number, (file, mark)) in files.iter().zip(&handing.marks).enumerate() {
        if let Some(of) = report.refused.get(mark) {
            refused.push(of.write(file, number, &mut folder)?);
        }
    }
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
    Ok(Summary { all: report.all, problems_at, refused })
}

/// What files are handed over with.
struct Handing<'a> {
    place: &'a Place,
    utc_offset_minutes: i32,
    /// For each table the keys of its rows: by its mapping's text and its file pattern.
    keys: HashMap<(Vec<u8>, String), Keys>,
    /// Under which name is noted how far each file came.
    marks: Vec<String>,
}

impl Handing<'_> {
    /// Hands a file over to be committed.
    fn hand_over(&mut self, run: &mut Importing<'_>, file: &Found) -> Result<()> {
        let home = &self.place.facility;
        let mark = match file.kind {
            Kind::Document | Kind::Lines => file.name.clone(),
            Kind::Table => table::mark(file)?,
            Kind::Messages => [file.source(), "/", &file.name].concat(),
        };
        self.marks.push(mark.clone());
        let shape = match file.kind {
            Kind::Document => Shape::Document,
            Kind::Lines => Shape::Lines,
            Kind::Table => {
                let (mapped, table) = file.table()?;
                let key = (mapped.bytes.clone(), table.file.clone());
                let mut made = table::Made::of(file, self.keys.entry(key).or_default())?;
                return Ok(run.rows(&mark, home, &mut made)?);
            }
            Kind::Messages => {
                let mut made = messages::Made::of(file, self.utc_offset_minutes)?;
                return Ok(run.rows(&mark, home, &mut made)?);
            }
        };
        let reader = File::open(&file.path).context("the file cannot be read")?;
        Ok(run.file(Source { name: &file.name, shape, home }, &mut BufReader::new(reader))?)
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
    /// By the names under which is noted how far files came.
    refused: BTreeMap<String, Refused>,
}

/// The name of a file, of the name under which is noted how far it came.
fn plain(mark: &str) -> &str {
    let name = mark.split_once('/').map_or(mark, |(_, name)| name);
    name.rsplit_once('#').map_or(name, |(name, _)| name)
}

impl Told for Report {
    fn problem(&mut self, file: &str, problem: &Problem) {
        if self.failed.is_none() {
            self.failed = writeln!(self.problems, "{}: {problem}", plain(file)).err();
        }
        if !problem.kept {
            let refused = self.refused.entry(file.to_owned()).or_default();
            refused.add(problem.line, problem.entry, &problem.says);
        }
    }

    fn left_before(&mut self, file: &str, left: &LeftBefore) {
        let refused = self.refused.entry(file.to_owned()).or_default();
        refused.add(left.line, left.entry, &left.says);
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
