//! Reading the tab-separated tables that are compiled into this crate.

use rust_decimal::Decimal;
use std::str::FromStr;

/// Why a table of this crate cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// The first line does not name the columns that the reader expects.
    #[error("the columns are not {expected:?}")]
    Columns {
        /// The columns that were expected, separated by spaces.
        expected: String,
    },
    /// A row has more or fewer cells than there are columns.
    #[error("line {line} has {found} cells, not {expected}")]
    Cells {
        /// The line, counted from 1.
        line: usize,
        /// How many cells it has.
        found: usize,
        /// How many it should have.
        expected: usize,
    },
    /// A cell that must be filled is empty.
    #[error("line {line}: {column} is empty")]
    Empty {
        /// The line, counted from 1.
        line: usize,
        /// The column.
        column: &'static str,
    },
    /// A cell holds something that its column does not allow.
    #[error("line {line}: {column} cannot be {value:?}")]
    Value {
        /// The line, counted from 1.
        line: usize,
        /// The column.
        column: &'static str,
        /// What it holds.
        value: String,
    },
}

/// One row of a table: its line in the file and its cells, named by the columns.
pub(crate) struct Row {
    line: usize,
    columns: &'static [&'static str],
    cells: Vec<&'static str>,
}

impl Row {
    /// The line in the file, counted from 1.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    /// The cell of a column, which may be empty. A column that the table lacks reads as empty.
    pub(crate) fn cell(&self, column: &'static str) -> &'static str {
        let place = self.columns.iter().position(|name| *name == column);
        place.and_then(|i| self.cells.get(i).copied()).unwrap_or("")
    }

    /// The cell of a column that must be filled.
    pub(crate) fn filled(&self, column: &'static str) -> Result<&'static str, TableError> {
        match self.cell(column) {
            "" => Err(TableError::Empty { line: self.line, column }),
            cell => Ok(cell),
        }
    }

    /// The cell of a column as a decimal number; `-` means that there is none.
    pub(crate) fn number(&self, column: &'static str) -> Result<Option<Decimal>, TableError> {
        match self.filled(column)? {
            "-" => Ok(None),
            text => Decimal::from_str(text).map(Some).map_err(|_| self.wrong(column)),
        }
    }

    /// The cell of a column as a whole number; `-` means that there is none.
    pub(crate) fn whole(&self, column: &'static str) -> Result<Option<u32>, TableError> {
        match self.filled(column)? {
            "-" => Ok(None),
            text => text.parse().map(Some).map_err(|_| self.wrong(column)),
        }
    }

    /// The parts of a cell that holds a list, separated by `;`.
    pub(crate) fn list(&self, column: &'static str) -> Vec<&'static str> {
        self.cell(column).split(';').map(str::trim).filter(|part| !part.is_empty()).collect()
    }

    /// The error for a cell that holds something that its column does not allow.
    pub(crate) fn wrong(&self, column: &'static str) -> TableError {
        TableError::Value { line: self.line, column, value: self.cell(column).to_owned() }
    }
}

/// Splits a table into rows, checking the head line and the number of cells of each row.
pub(crate) fn rows(
    text: &'static str,
    columns: &'static [&'static str],
) -> Result<Vec<Row>, TableError> {
    let mut lines = text.lines();
    if !lines.next().is_some_and(|head| head.split('\t').eq(columns.iter().copied())) {
        return Err(TableError::Columns { expected: columns.join(" ") });
    }
    let numbered = lines.enumerate().map(|(i, line)| (i + 2, line));
    numbered
        .map(|(line, text)| {
            let cells: Vec<_> = text.split('\t').map(str::trim).collect();
            if cells.len() == columns.len() {
                return Ok(Row { line, columns, cells });
            }
            Err(TableError::Cells { line, found: cells.len(), expected: columns.len() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[&str] = &["code", "number"];

    #[test]
    fn a_table_with_other_columns_is_refused() {
        let found = rows("code\tname\nA\t1\n", COLUMNS).err();
        assert_eq!(found, Some(TableError::Columns { expected: "code number".into() }));
    }

    #[test]
    fn a_row_that_lost_a_cell_is_refused() {
        let found = rows("code\tnumber\nA\n", COLUMNS).err();
        assert_eq!(found, Some(TableError::Cells { line: 2, found: 1, expected: 2 }));
    }

    #[test]
    fn numbers_keep_their_digits_and_words_are_refused() {
        let table = rows("code\tnumber\nA\t36.50\nB\t-\nC\tmany\n", COLUMNS).unwrap();
        let read: Vec<_> = table.iter().map(|row| row.number("number")).collect();
        assert_eq!(read[0].as_ref().unwrap().unwrap().to_string(), "36.50");
        assert_eq!(read[1], Ok(None));
        assert_eq!(
            read[2],
            Err(TableError::Value { line: 4, column: "number", value: "many".into() })
        );
    }
}
