//! What was refused, as files that can be mended and imported again.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{BufRead as _, BufReader, BufWriter, Write},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{
    files::{Found, Kind, MAPPING, REFUSED},
    messages::{in_utf_8, messages},
    table::{Cells, written},
};

/// What the column is called that says why a row was refused.
const WHY: &str = "ondol-problem";

/// A folder that nobody else reads, and that no run before has used.
pub(super) struct Folder {
    path: PathBuf,
    is_made: bool,
}

impl Folder {
    /// The next one in a data directory. It is made when something is written there.
    pub(super) fn next(data: &Path) -> Self {
        let all = data.join("import-refused");
        let free = (1_u32..).map(|number| all.join(number.to_string()));
        let path = free.into_iter().find(|path| !path.exists()).unwrap_or(all);
        Self { path, is_made: false }
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

/// What was refused of one file: the line and the entry of a bundle there, and why.
#[derive(Debug, Default)]
pub(super) struct Refused(BTreeMap<(u64, Option<usize>), String>);

impl Refused {
    pub(super) fn add(&mut self, line: u64, entry: Option<usize>, why: &str) {
        self.0.entry((line, entry)).or_insert_with(|| why.to_owned());
    }

    /// Writes it into a folder, under a name that no import has seen.
    pub(super) fn write(&self, file: &Found, at: usize, folder: &mut Folder) -> Result<PathBuf> {
        folder.map(file)?;
        let from = file.path.extension().and_then(|extension| extension.to_str());
        let extension = if file.kind == Kind::Table { "csv" } else { from.unwrap_or("json") };
        let name = file.name.split_once(REFUSED).map_or(file.name.as_str(), |(name, _)| name);
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("{at}/{}/{:?}", folder.path.display(), self.0).as_bytes());
        let told = &hasher.finalize().to_hex()[..8];
        let (path, mut out) = folder.make(&format!("{name}{REFUSED}{told}.{extension}"))?;
        match file.kind {
            Kind::Document => {
                let text = fs::read(&file.path)?;
                out.write_all(&self.reduced(&text, 1))?;
            }
            Kind::Lines => self.lines(file, &mut out)?,
            Kind::Table => self.table(file, &mut out)?,
            Kind::Messages => {
                for message in messages(file)? {
                    // What cannot be read as text is nothing that could be mended here.
                    if let Ok(message) = message
                        && self.of_line(message.line).is_some()
                    {
                        out.write_all(in_utf_8(&message.text).as_bytes())?;
                    }
                }
            }
        }
        out.flush()?;
        Ok(path)
    }

    fn of_line(&self, line: u64) -> Option<&str> {
        self.on(line).next().map(|(_, why)| why.as_str())
    }

    fn on(&self, line: u64) -> impl Iterator<Item = (&(u64, Option<usize>), &String)> {
        // None comes before each entry.
        self.0.range((line, None)..=(line, Some(usize::MAX)))
    }

    /// What was refused of a document: of a bundle those entries alone, so that what was saved is
    /// not saved twice.
    fn reduced(&self, text: &[u8], line: u64) -> Vec<u8> {
        let entries: Option<Vec<usize>> = self.on(line).map(|((_, entry), _)| *entry).collect();
        let document: Option<Value> = serde_json::from_slice(text).ok();
        let all = document.as_ref().and_then(|document| document["entry"].as_array());
        let (Some(entries), Some(all)) = (entries, all) else { return text.to_vec() };
        let refused: Vec<&Value> = entries.iter().filter_map(|at| all.get(*at)).collect();
        json!({ "resourceType": "Bundle", "type": "collection", "entry": refused })
            .to_string()
            .into_bytes()
    }

    fn lines(&self, file: &Found, out: &mut impl Write) -> Result<()> {
        let mut from = BufReader::new(File::open(&file.path)?);
        let mut line = vec![];
        for number in 1.. {
            line.clear();
            if from.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            if self.of_line(number).is_some() {
                out.write_all(&self.reduced(line.trim_ascii_end(), number))?;
                out.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    fn table(&self, file: &Found, out: &mut impl Write) -> Result<()> {
        let mut cells = Cells::open(file)?;
        // A file that comes from here has the column already.
        let had = cells.columns.last().is_some_and(|column| column == WHY);
        let width = cells.columns.len() - usize::from(had);
        let row_with = |mut row: Vec<String>, why: &str| {
            row.resize(if had { width } else { row.len().max(width) }, String::new());
            row.push(why.to_owned());
            written(&row)
        };
        out.write_all(row_with(cells.columns.clone(), WHY).as_bytes())?;
        while let Some((line, row)) = cells.next_row()? {
            if let Some(why) = self.of_line(line) {
                out.write_all(row_with(row, why).as_bytes())?;
            }
        }
        Ok(())
    }
}
