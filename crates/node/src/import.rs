//! `ondol import`: files of FHIR bundles and ndjson, with a file of what could not be kept.

use std::{
    fs::{self, File},
    io::{BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use ondol_app::rest::import::{Imported, Shape, Source};

use crate::data_dir::DataDir;

/// Imports files and folders. Problems are written beside the record, one a line; they name
/// elements and never values.
pub fn import(data: &DataDir, paths: &[PathBuf]) -> Result<()> {
    let app = data.app()?;
    let files = files(paths)?;
    if files.is_empty() {
        bail!("no .json or .ndjson files were found");
    }
    let problems_at = data.0.join("import-problems.txt");
    let mut problems = BufWriter::new(File::create(&problems_at)?);
    let mut all = Imported::default();
    for (at, path) in files.iter().enumerate() {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("file");
        let shape = if is_lines(path) { Shape::Lines } else { Shape::Document };
        let source = Source { name, shape, home: &app.place().facility };
        let file =
            File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let mut written = Ok(());
        let imported = app.import(source, &mut BufReader::new(file), &mut |problem| {
            if written.is_ok() {
                written = writeln!(problems, "{name}: {problem}");
            }
        });
        written.context("the file of problems cannot be written")?;
        let imported = imported.with_context(|| format!("{} was not imported", path.display()))?;
        all.saved += imported.saved;
        all.unchanged += imported.unchanged;
        all.problems += imported.problems;
        all.left_out += imported.left_out;
        eprintln!("{} of {} files, {} resources", at + 1, files.len(), all.saved + all.unchanged);
    }
    problems.flush()?;
    println!(
        "{} resources saved, {} were here already, {} left out, {} problems",
        all.saved, all.unchanged, all.left_out, all.problems
    );
    if all.problems > 0 {
        println!("the problems stand in {}", problems_at.display());
    }
    Ok(())
}

fn is_lines(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "ndjson")
}

/// The files named, and those in the folders named: in the order of their names, but bundles first,
/// since the work of days, which stands in lines, refers to the people in them.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = vec![];
    for path in paths {
        if path.is_file() {
            files.push(path.clone());
            continue;
        }
        let folder =
            fs::read_dir(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let mut inside = vec![];
        for entry in folder {
            let path = entry?.path();
            let fits = path.extension().is_some_and(|e| e == "json" || e == "ndjson");
            if fits && path.is_file() {
                inside.push(path);
            }
        }
        inside.sort_by(|a, b| (is_lines(a), a).cmp(&(is_lines(b), b)));
        files.extend(inside);
    }
    Ok(files)
}
