//! The cells of one sheet.

use super::{
    CELL_CHARS_MAX, COLUMNS_MAX, ROWS_MAX, Rows, SheetError, UNPACKED_BYTES_MAX,
    format::{Shown, number, text_of},
    workbook::Workbook,
    xml::{Broken, Next, Tag, Xml, collect, push, unescaped},
};

/// What a cell takes in memory besides its text, bytes.
const CELL_BYTES: usize = size_of::<String>();

/// Cells that are looked at for being under a merged one.
const COVERED_MAX: u64 = 20_000_000;

/// The rows of a sheet; none if nothing is in it.
pub(super) fn read(
    workbook: &Workbook<'_>,
    name: &str,
    part: &str,
) -> Result<Option<Rows>, SheetError> {
    let xml = Xml::new(workbook.archive.part(part).ok_or(SheetError::Part("a sheet"))??);
    let mut sheet =
        Reading { workbook, xml, name, row: 0, first: 0, rows: vec![], held: 0, covered: 0 };
    sheet.all()?;
    Ok(sheet.trimmed())
}

struct Reading<'s, 'b> {
    workbook: &'s Workbook<'b>,
    xml: Xml<'b>,
    name: &'s str,
    /// The number of the row that is read, from 1.
    row: u64,
    /// The number of the first row that is kept.
    first: u64,
    rows: Vec<Vec<String>>,
    /// What the rows take, bytes.
    held: usize,
    covered: u64,
}

impl Reading<'_, '_> {
    fn broken(&self) -> SheetError {
        SheetError::Row { sheet: self.name.to_owned(), row: self.row.max(1) }
    }

    fn next(&mut self) -> Result<Next, SheetError> {
        self.xml.next().map_err(|Broken| self.broken())
    }

    fn all(&mut self) -> Result<(), SheetError> {
        let mut in_cells = false;
        loop {
            match self.next()? {
                Next::Open(tag) if tag.name == "sheetData" => in_cells = true,
                Next::Close(name) if name == "sheetData" => in_cells = false,
                Next::Open(tag) if tag.name == "row" && in_cells => self.one_row(&tag)?,
                Next::Open(tag) if tag.name == "mergeCell" => {
                    self.merge(tag.get("ref").unwrap_or_default())?;
                }
                Next::End => return Ok(()),
                _ => {}
            }
        }
    }

    fn one_row(&mut self, tag: &Tag) -> Result<(), SheetError> {
        let next = self.row + 1;
        let row = tag.get("r").map_or(Some(next), |row| row.parse().ok());
        self.row = row.filter(|row| (next..=1 << 20).contains(row)).ok_or_else(|| self.broken())?;
        let (mut cells, mut column) = (vec![], 0);
        loop {
            match self.next()? {
                Next::Open(tag) if tag.name == "c" => {
                    column = match tag.get("r") {
                        Some(place) => place_of(place).ok_or_else(|| self.broken())?.0,
                        None => column + 1,
                    };
                    let text = self.cell(&tag)?;
                    if !text.is_empty() {
                        self.put(&mut cells, column, text)?;
                    }
                }
                Next::Close(name) if name == "row" => break,
                Next::End => return Err(self.broken()),
                _ => {}
            }
        }
        if cells.is_empty() { Ok(()) } else { self.keep(cells) }
    }

    /// Puts a text into its column, from 1.
    fn put(
        &mut self,
        cells: &mut Vec<String>,
        column: usize,
        text: String,
    ) -> Result<(), SheetError> {
        let (sheet, row) = (self.name.to_owned(), self.row);
        if column > COLUMNS_MAX {
            return Err(SheetError::Columns { sheet, row });
        }
        if text.len() > CELL_CHARS_MAX && text.chars().count() > CELL_CHARS_MAX {
            return Err(SheetError::Cell { sheet, row });
        }
        let more = column.saturating_sub(cells.len());
        self.hold(more * CELL_BYTES + text.len())?;
        if more > 0 {
            cells.resize(column, String::new());
        }
        cells[column - 1] = text;
        Ok(())
    }

    fn hold(&mut self, bytes: usize) -> Result<(), SheetError> {
        self.held += bytes;
        if self.held as u64 > UNPACKED_BYTES_MAX {
            return Err(SheetError::Held { sheet: self.name.to_owned() });
        }
        Ok(())
    }

    /// Keeps a row that has cells, after the empty ones before it.
    fn keep(&mut self, mut cells: Vec<String>) -> Result<(), SheetError> {
        if self.rows.is_empty() {
            self.first = self.row;
        }
        let at = usize::try_from(self.row - self.first).map_err(|_| self.broken())?;
        if at >= ROWS_MAX {
            return Err(SheetError::Rows { sheet: self.name.to_owned() });
        }
        self.rows.resize(at, vec![]);
        cells.shrink_to_fit();
        self.rows.push(cells);
        Ok(())
    }

    /// The text of a cell, its end tag read.
    fn cell(&mut self, tag: &Tag) -> Result<String, SheetError> {
        let (mut value, mut in_value, mut inline) = (String::new(), false, None);
        loop {
            match self.next()? {
                Next::Open(tag) if tag.name == "v" => in_value = true,
                Next::Close(name) if name == "v" => in_value = false,
                Next::Open(tag) if tag.name == "is" => {
                    inline = Some(collect(&mut self.xml, "is").map_err(|Broken| self.broken())?);
                }
                Next::Text(piece) if in_value => push(&mut value, &piece),
                Next::Close(name) if name == "c" => break,
                Next::End => return Err(self.broken()),
                _ => {}
            }
        }
        let text = match inline {
            Some(text) => text,
            None => self.text(tag, value).ok_or_else(|| self.broken())?,
        };
        Ok(if text.trim().len() == text.len() { text } else { text.trim().to_owned() })
    }

    /// What a value means by the kind of its cell.
    fn text(&self, tag: &Tag, value: String) -> Option<String> {
        let trimmed = value.trim();
        if trimmed.is_empty() {
            return Some(String::new());
        }
        let style = tag.get("s").and_then(|style| style.parse::<usize>().ok()).unwrap_or(0);
        let shown = self.workbook.styles.get(style).copied().unwrap_or(Shown::Number);
        match tag.get("t").unwrap_or("n") {
            "s" => self.workbook.texts.get(trimmed.parse().ok()?).map(str::to_owned),
            "str" | "inlineStr" => Some(unescaped(value)),
            "b" => match trimmed {
                "1" | "true" => Some("true".to_owned()),
                "0" | "false" => Some("false".to_owned()),
                _ => None,
            },
            // A date that is written as one.
            "d" if shown == Shown::Date => trimmed.split('T').next().map(str::to_owned),
            "d" | "e" => Some(trimmed.to_owned()),
            "n" => {
                let value = trimmed.parse::<f64>().ok().filter(|value| value.is_finite())?;
                Some(match shown {
                    Shown::Number => number(value),
                    shown => text_of(value, shown, self.workbook.since_1904),
                })
            }
            _ => None,
        }
    }

    /// Empties what lies under a merged cell: programs may leave there what nobody sees.
    fn merge(&mut self, area: &str) -> Result<(), SheetError> {
        let (from, to) = area.split_once(':').unwrap_or((area, area));
        let corners = place_of(from).zip(place_of(to));
        let ((left, top), (right, bottom)) = corners.ok_or_else(|| self.broken())?;
        let index =
            |row: u64| usize::try_from(row.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let rows = self.rows.len();
        let (skip, end) = (index(top).min(rows), index(bottom.saturating_add(1)).min(rows));
        for (at, cells) in self.rows.iter_mut().enumerate().take(end).skip(skip) {
            let (from, to) = ((left - 1).min(cells.len()), right.min(cells.len()));
            let is_first = self.first + at as u64 == top;
            let covered = cells.get_mut(from..to).unwrap_or_default();
            self.covered += 1 + covered.len() as u64;
            if self.covered > COVERED_MAX {
                return Err(SheetError::Held { sheet: self.name.to_owned() });
            }
            covered.iter_mut().skip(usize::from(is_first)).for_each(String::clear);
        }
        Ok(())
    }

    /// The rows without what is empty at their ends, before the first and after the last.
    fn trimmed(mut self) -> Option<Rows> {
        for cells in &mut self.rows {
            let length = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |at| at + 1);
            cells.truncate(length);
        }
        let last = self.rows.iter().rposition(|cells| !cells.is_empty())?;
        let before = self.rows.iter().take_while(|cells| cells.is_empty()).count();
        self.rows.truncate(last + 1);
        self.rows.drain(..before);
        Some(Rows { first: self.first + before as u64, rows: self.rows })
    }
}

/// Column and row, from 1, of a place such as `AB12`.
fn place_of(place: &str) -> Option<(usize, u64)> {
    let place = place.replace('$', "");
    let digits = place.find(|letter: char| letter.is_ascii_digit())?;
    let (letters, row) = place.split_at(digits);
    if !(1..=3).contains(&letters.len()) {
        return None;
    }
    let column = letters.bytes().try_fold(0, |column, letter| {
        let letter = letter.to_ascii_uppercase();
        letter.is_ascii_uppercase().then(|| column * 26 + usize::from(letter - b'A') + 1)
    })?;
    Some((column, row.parse().ok().filter(|row| *row > 0)?))
}
