//! What was refused, as files that can be mended and imported again.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead as _, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{
    files::{Found, Kind},
    messages::messages,
    table::{Cells, written},
};

/// What the column is called that says why a row was refused.
const WHY: &str = "problem";

/// What was refused of one file: the line and the entry of a bundle there, and why.
#[derive(Debug, Default)]
pub(super) struct Refused(BTreeMap<(u64, Option<usize>), String>);

impl Refused {
    pub(super) fn add(&mut self, line: u64, entry: Option<usize>, why: &str) {
        self.0.entry((line, entry)).or_insert_with(|| why.to_owned());
    }

    fn of_line(&self, line: u64) -> Option<&str> {
        self.0.range((line, None)..=(line, Some(usize::MAX))).next().map(|(_, why)| why.as_str())
    }

    /// Writes it into a folder under the file's own name.
    pub(super) fn write(&self, file: &Found, folder: &Path) -> Result<PathBuf> {
        let name = Path::new(&file.name);
        let to = match file.kind {
            Kind::Table => folder.join(name.with_extension("csv")),
            Kind::Document | Kind::Lines | Kind::Messages => folder.join(name),
        };
        let shown = || format!("{} cannot be written", to.display());
        fs::create_dir_all(folder).with_context(shown)?;
        let mut out = BufWriter::new(File::create(&to).with_context(shown)?);
        match file.kind {
            Kind::Document => self.document(file, &mut out)?,
            Kind::Lines => self.lines(file, &mut out)?,
            Kind::Table => self.table(file, &mut out)?,
            Kind::Messages => {
                for message in messages(file)? {
                    // What cannot be read as text is nothing that could be mended here.
                    if let Ok(message) = message
                        && self.of_line(message.line).is_some()
                    {
                        out.write_all(message.text.as_bytes())?;
                    }
                }
            }
        }
        out.flush().with_context(shown)?;
        Ok(to)
    }

    fn document(&self, file: &Found, out: &mut impl Write) -> Result<()> {
        let text = fs::read(&file.path)?;
        let refused: Vec<usize> = self.0.keys().filter_map(|(_, entry)| *entry).collect();
        let whole = self.0.keys().any(|(_, entry)| entry.is_none());
        let document: Option<Value> = serde_json::from_slice(&text).ok();
        let entries = document.as_ref().and_then(|document| document["entry"].as_array());
        match entries {
            Some(entries) if !whole => {
                let kept: Vec<&Value> = refused.iter().filter_map(|at| entries.get(*at)).collect();
                let bundle =
                    json!({ "resourceType": "Bundle", "type": "collection", "entry": kept });
                Ok(serde_json::to_writer_pretty(out, &bundle)?)
            }
            _ => Ok(out.write_all(&text)?),
        }
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
                out.write_all(line.trim_ascii_end())?;
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
            if had && row.len() == width + 1 {
                row.truncate(width);
            }
            row.resize(row.len().max(width), String::new());
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
