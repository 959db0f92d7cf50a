//! Which files are imported, and as what.

use std::{
    fs::{self, File},
    io::{BufReader, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, anyhow, bail};
use ondol_mapping::table::{Mapping, Table};

use super::gauge::{Counted, Gauge};

/// What a folder's mapping is called.
pub(super) const MAPPING: &str = "mapping.json";

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// One FHIR resource or bundle.
    Document,
    /// One resource or bundle on each line.
    Lines,
    /// A table: in text, or a workbook.
    Table,
    /// HL7 v2 messages.
    Messages,
}

/// A mapping as it stands in a folder.
pub(super) struct Mapped {
    pub(super) mapping: Mapping,
    /// Its text: another mapping makes other resources of the same table.
    pub(super) bytes: Vec<u8>,
}

/// A file that is imported.
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Its length, bytes.
    pub(super) bytes: u64,
    mapped: Option<Arc<Mapped>>,
}

/// What stands between the name of a file and what tells apart what was refused of it.
pub(super) const REFUSED: &str = ".refused-";

impl Found {
    /// The name by which a mapping knows it: what was refused of a table is the same table.
    fn mapped_name(&self) -> &str {
        self.name.split_once(REFUSED).map_or(&self.name, |(name, _)| name)
    }

    /// The text of the mapping beside it.
    pub(super) fn mapping(&self) -> Option<&[u8]> {
        self.mapped.as_deref().map(|mapped| mapped.bytes.as_slice())
    }

    /// The name of the system that messages come from.
    pub(super) fn source(&self) -> &str {
        self.mapped.as_ref().map_or("hl7", |mapped| &mapped.mapping.source)
    }

    /// The mapping beside it, and the table in it that the file is.
    pub(super) fn table(&self) -> Result<(&Mapped, &Table)> {
        let mapped = self.mapped.as_deref().ok_or_else(|| {
            anyhow!(
                "{} is a table: a file {MAPPING} beside it has to say what its columns mean",
                self.path.display()
            )
        })?;
        let table = mapped.mapping.table_of(self.mapped_name()).ok_or_else(|| {
            anyhow!("no table of the {MAPPING} beside it is for {}", self.path.display())
        })?;
        Ok((mapped, table))
    }

    /// Opens it; its bytes are counted.
    pub(super) fn open(&self, gauge: &Arc<Gauge>) -> Result<BufReader<Counted>> {
        let file = File::open(&self.path).with_context(|| self.path.display().to_string())?;
        Ok(BufReader::new(Counted::of(file, gauge.clone())))
    }

    /// Under which name is noted how far it came. Whenever a table, its mapping or a document
    /// changes, all of it is looked at again, and what is as it was writes nothing. Lines and
    /// messages are logs that grow: they are the same file as long as they begin with the same line.
    pub(super) fn mark(&self) -> Result<String> {
        let mut hasher = blake3::Hasher::new();
        let from = match self.kind {
            Kind::Table => {
                let (mapped, _) = self.table()?;
                hasher.update(&(mapped.bytes.len() as u64).to_le_bytes()).update(&mapped.bytes);
                [&mapped.mapping.source, "/"].concat()
            }
            Kind::Messages => [self.source(), "/"].concat(),
            Kind::Document | Kind::Lines => String::new(),
        };
        let is_log = matches!(self.kind, Kind::Lines | Kind::Messages);
        let shown = || self.path.display().to_string();
        let mut file = File::open(&self.path).with_context(shown)?;
        let mut part = vec![0; 1 << 16];
        loop {
            let count = file.read(&mut part).with_context(shown)?;
            let end = part[..count].iter().position(|byte| is_log && matches!(byte, b'\n' | b'\r'));
            hasher.update(&part[..end.unwrap_or(count)]);
            if count == 0 || end.is_some() {
                break;
            }
        }
        let hash = hasher.finalize().to_hex();
        Ok([&from, &self.name, "#", &hash[..16]].concat())
    }

    /// In a folder: bundles first, since the work of days, which stands in lines, refers to the
    /// people in them; tables in the order of the mapping.
    fn order(&self) -> (Kind, usize, &Path) {
        let table = self.mapped.as_deref().and_then(|mapped| {
            let tables = &mapped.mapping.tables;
            let own = mapped.mapping.table_of(self.mapped_name())?;
            tables.iter().position(|table| std::ptr::eq(table, own))
        });
        (self.kind, table.unwrap_or(0), &self.path)
    }
}

/// The files named, and those in the folders named. Whatever is wrong with their mappings is said
/// before anything is written.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<Found>> {
    let mut files = vec![];
    for path in paths {
        if path.is_dir() {
            files.extend(inside(path)?);
            continue;
        }
        let kind = kind(path).ok_or_else(|| {
            anyhow!(
                "{}: only .json, .ndjson, .csv, .tsv, .xlsx and .hl7 can be read",
                path.display()
            )
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        files.push(found(path, kind, mapping(folder)?)?);
    }
    for file in &files {
        if file.kind == Kind::Table {
            file.table()?;
        }
    }
    Ok(files)
}

/// The files in a folder, in the order in which they are imported.
pub(super) fn inside(folder: &Path) -> Result<Vec<Found>> {
    let shown = || format!("{} cannot be read", folder.display());
    let mapped = mapping(folder)?;
    let mut inside = vec![];
    for entry in fs::read_dir(folder).with_context(shown)? {
        let path = entry.with_context(shown)?.path();
        let is_mapping = path.file_name().is_some_and(|name| name == MAPPING);
        if let Some(kind) = kind(&path)
            && path.is_file()
            && !is_mapping
        {
            inside.push(found(&path, kind, mapped.clone())?);
        }
    }
    inside.sort_by(|a, b| a.order().cmp(&b.order()));
    Ok(inside)
}

/// What a file holds, by the end of its name.
pub(super) fn kind(path: &Path) -> Option<Kind> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "json" => Some(Kind::Document),
        "ndjson" => Some(Kind::Lines),
        "csv" | "tsv" | "xlsx" => Some(Kind::Table),
        "hl7" => Some(Kind::Messages),
        _ => None,
    }
}

fn found(path: &Path, kind: Kind, mapped: Option<Arc<Mapped>>) -> Result<Found> {
    let name = path.file_name().and_then(|name| name.to_str());
    let Some(name) = name else { bail!("{} has a name that is not UTF-8", path.display()) };
    let bytes = fs::metadata(path).with_context(|| path.display().to_string())?.len();
    Ok(Found { path: path.to_owned(), name: name.to_owned(), kind, bytes, mapped })
}

/// The mapping in a folder.
pub(super) fn mapping(folder: &Path) -> Result<Option<Arc<Mapped>>> {
    let path = folder.join(MAPPING);
    if !path.is_file() {
        return Ok(None);
    }
    let shown = || path.display().to_string();
    let bytes = fs::read(&path).with_context(|| format!("{} cannot be read", shown()))?;
    let mapping = Mapping::parse(&bytes).with_context(shown)?;
    Ok(Some(Arc::new(Mapped { mapping, bytes })))
}
