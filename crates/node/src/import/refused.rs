//! What was refused, as files that can be mended and imported again.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{BufRead as _, BufReader, BufWriter, Write},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{
    files::{Found, Kind, MAPPING, REFUSED},
    messages::{in_utf_8, messages},
    spill::{Left, OnLine, Spill},
    table::{Cells, written},
};
use crate::chance;

/// What the column is called that says why a row was refused.
const WHY: &str = "ondol-problem";

/// A folder that nobody else reads, and that no run before has used.
pub(super) struct Folder {
    path: PathBuf,
    is_made: bool,
}

impl Folder {
    /// The next one of a command, in a data directory. It is made when something is written there.
    pub(super) fn next(data: &Path) -> Self {
        let all = data.join("import-refused");
        let free = (1_u32..).map(|number| all.join(number.to_string()));
        Self::at(&free.into_iter().find(|path| !path.exists()).unwrap_or(all))
    }

    /// A folder that is not there yet. It is made when something is written there.
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), is_made: false }
    }

    fn make(&mut self, name: &str) -> Result<(PathBuf, BufWriter<File>)> {
        let path = self.path.join(name);
        let shown = || format!("{} cannot be written", path.display());
        if !self.is_made {
            let mut folder = DirBuilder::new();
            folder.recursive(true).mode(0o700).create(&self.path).with_context(shown)?;
            self.is_made = true;
        }
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&path);
        Ok((path.clone(), BufWriter::new(file.with_context(shown)?)))
    }

    /// A place for what is left out of the file that is imported now.
    pub(super) fn spill(&mut self) -> Result<Spill> {
        Ok(Spill::to(self.make(".left-out")?))
    }

    /// Puts the mapping there by which its tables are read.
    fn map(&mut self, file: &Found) -> Result<()> {
        match file.mapping() {
            Some(bytes) if !self.path.join(MAPPING).exists() => {
                let (_, mut out) = self.make(MAPPING)?;
                out.write_all(bytes)?;
                Ok(out.flush()?)
            }
            _ => Ok(()),
        }
    }
}

/// Writes what was refused of a file into a folder, under a name that no import has seen.
pub(super) fn write(file: &Found, mut left: Left, folder: &mut Folder) -> Result<PathBuf> {
    folder.map(file)?;
    let from = file.path.extension().and_then(|extension| extension.to_str());
    let extension = if file.kind == Kind::Table { "csv" } else { from.unwrap_or("json") };
    let name = file.name.split_once(REFUSED).map_or(file.name.as_str(), |(name, _)| name);
    let told = ondol_kernel::bytes::to_hex(&chance::seed()[..4]);
    let (path, mut out) = folder.make(&format!("{name}{REFUSED}{told}.{extension}"))?;
    match file.kind {
        Kind::Document => out.write_all(&reduced(&fs::read(&file.path)?, &left.on(1)?))?,
        Kind::Lines => lines(file, &mut left, &mut out)?,
        Kind::Table => table(file, &mut left, &mut out)?,
        Kind::Messages => {
            for message in messages(file, &Arc::default())? {
                if left.is_over() {
                    break;
                }
                // What cannot be read as text is nothing that could be mended here.
                if let Ok(message) = message
                    && !left.on(message.line)?.is_empty()
                {
                    out.write_all(in_utf_8(&message.text).as_bytes())?;
                }
            }
        }
    }
    out.flush()?;
    Ok(path)
}

/// What was refused of a document: of a bundle those entries alone, so that what was saved is not
/// saved twice.
fn reduced(text: &[u8], left: &OnLine) -> Vec<u8> {
    let entries: Option<Vec<usize>> = left.keys().copied().collect();
    let document: Option<Value> = serde_json::from_slice(text).ok();
    let all = document.as_ref().and_then(|document| document["entry"].as_array());
    let (Some(entries), Some(all)) = (entries, all) else { return text.to_vec() };
    let refused: Vec<&Value> = entries.iter().filter_map(|at| all.get(*at)).collect();
    json!({ "resourceType": "Bundle", "type": "collection", "entry": refused })
        .to_string()
        .into_bytes()
}

fn lines(file: &Found, left: &mut Left, out: &mut impl Write) -> Result<()> {
    let mut from = BufReader::new(File::open(&file.path)?);
    let mut line = vec![];
    for number in 1.. {
        line.clear();
        if left.is_over() || from.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let here = left.on(number)?;
        if !here.is_empty() {
            out.write_all(&reduced(line.trim_ascii_end(), &here))?;
            out.write_all(b"\n")?;
        }
    }
    Ok(())
}

fn table(file: &Found, left: &mut Left, out: &mut impl Write) -> Result<()> {
    let mut cells = Cells::open(file, &Arc::default())?;
    // A file that comes from here has the column already.
    let had = cells.columns.last().is_some_and(|column| column == WHY);
    let width = cells.columns.len() - usize::from(had);
    let row_with = |mut row: Vec<String>, why: &str| {
        row.resize(if had { width } else { row.len().max(width) }, String::new());
        row.push(why.to_owned());
        written(&row)
    };
    out.write_all(row_with(cells.columns.clone(), WHY).as_bytes())?;
    while !left.is_over()
        && let Some((line, row)) = cells.next_row()?
    {
        if let Some(why) = left.on(line)?.values().next() {
            out.write_all(row_with(row, why).as_bytes())?;
        }
    }
    Ok(())
}
