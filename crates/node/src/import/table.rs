//! Rows of a facility's own tables, on their way into the record.

use std::{
    fs,
    io::{self, BufReader},
    sync::Arc,
};

use anyhow::{Context, Result};
use ondol_app::rest::import::{Row, RowRefused};
use ondol_mapping::{
    sheet,
    table::{Keys, Rows},
};
use ondol_terms::load::{LoadError, Records};

use super::{
    files::Found,
    gauge::{Counted, Gauge},
};

/// The rows of a file as it has them.
pub(super) struct Cells {
    rest: Rest,
    /// The names of the columns.
    pub(super) columns: Vec<String>,
}

/// The rows that are still to come.
enum Rest {
    Text(Records<BufReader<Counted>>),
    Sheet { next: u64, rows: std::vec::IntoIter<Vec<String>> },
}

impl Cells {
    pub(super) fn open(file: &Found, gauge: &Arc<Gauge>) -> Result<Self> {
        let shown = || file.path.display().to_string();
        if file.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx")) {
            let (_, table) = file.table()?;
            let bytes = fs::read(&file.path).with_context(shown)?;
            let read = sheet::rows(&bytes, table.sheet.as_deref()).with_context(shown)?;
            let mut rows = read.rows.into_iter();
            let columns = rows.next().unwrap_or_default();
            return Ok(Self { rest: Rest::Sheet { next: read.first + 1, rows }, columns });
        }
        let (records, columns) = Records::open(file.open(gauge)?).with_context(shown)?;
        Ok(Self { rest: Rest::Text(records), columns })
    }

    /// The next row, and the line where it begins or its number in the sheet.
    pub(super) fn next_row(&mut self) -> Result<Option<(u64, Vec<String>)>, LoadError> {
        match &mut self.rest {
            Rest::Text(records) => {
                let cells = records.next_row()?;
                Ok(cells.map(|cells| (records.began() as u64, cells)))
            }
            Rest::Sheet { next, rows } => {
                let Some(cells) = rows.next() else { return Ok(None) };
                *next += 1;
                Ok(Some((*next - 1, cells)))
            }
        }
    }
}

/// What a table becomes, row by row.
pub(super) struct Made<'m> {
    cells: Cells,
    rows: Rows<'m>,
}

impl<'m> Made<'m> {
    pub(super) fn of(file: &'m Found, gauge: &Arc<Gauge>, keys: &'m mut Keys) -> Result<Self> {
        let (mapped, table) = file.table()?;
        let cells = Cells::open(file, gauge)?;
        let rows = table.with_columns(&mapped.mapping.source, &cells.columns, keys);
        let rows = rows.with_context(|| file.path.display().to_string())?;
        Ok(Self { cells, rows })
    }
}

impl Iterator for Made<'_> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<io::Result<Row>> {
        loop {
            let (line, cells) = match self.cells.next_row() {
                Ok(row) => row?,
                Err(why) => return Some(Err(io::Error::new(io::ErrorKind::InvalidData, why))),
            };
            let made = match self.rows.bundle(&cells) {
                Ok(None) => continue,
                Ok(Some(bundle)) => Ok(bundle),
                Err(why) => Err(RowRefused {
                    code: why.code(),
                    at: why.column().map(str::to_owned),
                    says: why.to_string(),
                }),
            };
            return Some(Ok(Row { line, seen: cells.join("\u{1f}"), made, left: vec![] }));
        }
    }
}

/// A row as text: a cell in quotes where it has to be.
pub(super) fn written(cells: &[String]) -> String {
    let of = |cell: &String| {
        let plain = !cell.contains(['"', ',', ';', '\t', '\n', '\r']);
        if plain { cell.clone() } else { ["\"", &cell.replace('"', "\"\""), "\""].concat() }
    };
    let cells: Vec<String> = cells.iter().map(of).collect();
    cells.join(",") + "\n"
}
