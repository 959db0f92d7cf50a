//! Rows of an XLSX workbook as text, as a facility's registers come.
//!
//! A cell gives what it holds and not how it looks: 0.5 where 50% is shown, and 17 where the format
//! writes 017. Dates are the exception, since they are numbers that only their format tells from
//! others. Formulas give the value that the program saved with them. Rows and columns that are
//! hidden are rows and columns.

mod archive;
mod cells;
mod format;
mod workbook;
mod xml;

use workbook::Workbook;

/// The largest workbook, bytes.
pub const BYTES_MAX: usize = 64 << 20;

/// What a workbook may unpack to, bytes; also what its rows may take in memory.
pub const UNPACKED_BYTES_MAX: u64 = 512 << 20;

/// The most rows, with the header and with empty ones between.
pub const ROWS_MAX: usize = 200_000;

/// The most columns.
pub const COLUMNS_MAX: usize = 1_000;

/// The longest text in a cell, characters.
pub const CELL_CHARS_MAX: usize = 32_767;

/// The rows of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// The header's number in the sheet, from 1.
    pub first: u64,
    /// The header and what stands below it, without gaps: an empty row has no cells. Empty cells at
    /// the end of a row and empty rows at the end of the sheet are left out.
    pub rows: Vec<Vec<String>>,
}

/// Why a workbook is not read. Errors name places, never what stands there.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SheetError {
    /// More than [`BYTES_MAX`].
    #[error("the file is larger than 64 MiB: split it into smaller workbooks")]
    Size,
    /// More than [`UNPACKED_BYTES_MAX`].
    #[error("the workbook unpacks to more than 512 MiB: split it into smaller workbooks")]
    Unpacked,
    /// An encrypted workbook.
    #[error("the workbook is locked by a password: save it as .xlsx without a password")]
    Locked,
    /// A workbook in Excel's old format, or another document in such a container.
    #[error("the file is in an older format (.xls): save it as .xlsx without a password")]
    Old,
    /// Anything else.
    #[error("the file is no .xlsx workbook: open it in a spreadsheet program and save it as .xlsx")]
    NotXlsx,
    /// The archive cannot be read.
    #[error("the workbook is damaged or was not copied whole: save it as .xlsx again")]
    Archive,
    /// A part of the workbook cannot be read.
    #[error("the workbook is damaged ({0}): open it and save it as .xlsx again")]
    Part(&'static str),
    /// A row cannot be read.
    #[error("the sheet '{sheet}' is damaged at row {row}: open it and save it as .xlsx again")]
    Row {
        /// The sheet.
        sheet: String,
        /// The row, from 1.
        row: u64,
    },
    /// No sheet has that name.
    #[error("there is no sheet called '{0}' in the workbook")]
    NoSheet(String),
    /// No cell has anything in it.
    #[error("there is nothing in the sheet")]
    Nothing,
    /// More than [`ROWS_MAX`].
    #[error("the sheet '{sheet}' has more than 200,000 rows: split it")]
    Rows {
        /// The sheet.
        sheet: String,
    },
    /// More than [`COLUMNS_MAX`].
    #[error("the sheet '{sheet}' has more than 1,000 columns in row {row}")]
    Columns {
        /// The sheet.
        sheet: String,
        /// The row, from 1.
        row: u64,
    },
    /// More than [`CELL_CHARS_MAX`].
    #[error("the sheet '{sheet}' has a cell of more than 32,767 characters in row {row}")]
    Cell {
        /// The sheet.
        sheet: String,
        /// The row, from 1.
        row: u64,
    },
    /// The rows together take more memory than they may.
    #[error("the sheet '{sheet}' is too large to be read at once: split it")]
    Held {
        /// The sheet.
        sheet: String,
    },
}

impl SheetError {
    /// A stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Locked => "sheet-locked",
            Self::Old | Self::NotXlsx => "sheet-no-xlsx",
            Self::Archive | Self::Part(_) | Self::Row { .. } => "sheet-damaged",
            Self::NoSheet(_) => "sheet-missing",
            Self::Nothing => "sheet-empty",
            Self::Size
            | Self::Unpacked
            | Self::Rows { .. }
            | Self::Columns { .. }
            | Self::Cell { .. }
            | Self::Held { .. } => "sheet-large",
        }
    }

    /// The sheet, if it is about one.
    pub fn sheet(&self) -> Option<&str> {
        match self {
            Self::NoSheet(sheet)
            | Self::Row { sheet, .. }
            | Self::Rows { sheet }
            | Self::Columns { sheet, .. }
            | Self::Cell { sheet, .. }
            | Self::Held { sheet } => Some(sheet),
            _ => None,
        }
    }
}

/// The rows of the sheet with that name, or of the first one that has anything in it; sheets that
/// are hidden come last.
pub fn rows(bytes: &[u8], sheet: Option<&str>) -> Result<Rows, SheetError> {
    if bytes.len() > BYTES_MAX {
        return Err(SheetError::Size);
    }
    if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Err(if is_locked(bytes) { SheetError::Locked } else { SheetError::Old });
    }
    if !bytes.starts_with(b"PK") {
        return Err(SheetError::NotXlsx);
    }
    let workbook = Workbook::open(bytes)?;
    let Some(asked) = sheet else {
        for (name, part) in &workbook.sheets {
            if let Some(rows) = cells::read(&workbook, name, part)? {
                return Ok(rows);
            }
        }
        return Err(SheetError::Nothing);
    };
    let wanted = asked.trim();
    // A workbook cannot have two sheets whose names differ in capitals only.
    let same = |name: &str| name.trim().to_lowercase() == wanted.to_lowercase();
    let found = workbook.sheets.iter().find(|(name, _)| same(name));
    let (name, part) = found.ok_or_else(|| SheetError::NoSheet(asked.to_owned()))?;
    cells::read(&workbook, name, part)?.ok_or(SheetError::Nothing)
}

/// Whether a container has the entry that encrypted workbooks have, its name in UTF-16.
fn is_locked(bytes: &[u8]) -> bool {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.windows(name.len()).any(|window| window == name)
}
