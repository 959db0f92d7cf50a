//! Rows of a table in text: commas, semicolons or tabs, quotes as RFC 4180 has them.

use std::io::BufRead;

use super::{LoadError, TEXT_BYTES_MAX};

/// Columns of a table at most.
const CELLS_MAX: usize = 1_000;

/// Reads rows one by one.
pub struct Records<R> {
    reader: R,
    delimiter: u8,
    line: usize,
    began: usize,
}

impl<R: BufRead> Records<R> {
    /// Reads the header too, which tells what stands between the cells.
    pub fn open(reader: R) -> Result<(Self, Vec<String>), LoadError> {
        let mut records = Self { reader, delimiter: b'\t', line: 0, began: 1 };
        let first = records.line()?.ok_or(LoadError::Header)?;
        let first = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&first).to_vec();
        let count = |sign: u8| first.split(|byte| *byte == sign).count() - 1;
        let found =
            [b'\t', b',', b';'].into_iter().max_by_key(|sign| (count(*sign), *sign == b'\t'));
        records.delimiter = found.filter(|sign| count(*sign) > 0).ok_or(LoadError::Header)?;
        let cells = records.cells(first)?;
        Ok((records, cells))
    }

    /// The line where the row that was read last began, from 1.
    pub const fn began(&self) -> usize {
        self.began
    }

    /// The next row that is not empty.
    pub fn next_row(&mut self) -> Result<Option<Vec<String>>, LoadError> {
        loop {
            let Some(line) = self.line()? else { return Ok(None) };
            self.began = self.line;
            if !line.is_empty() {
                return self.cells(line).map(Some);
            }
        }
    }

    /// A line without its end. One that is too long is not read to its end.
    fn line(&mut self) -> Result<Option<Vec<u8>>, LoadError> {
        let mut line = vec![];
        self.line += 1;
        loop {
            let bytes = self.reader.fill_buf().map_err(LoadError::Read)?;
            if bytes.is_empty() {
                return Ok((!line.is_empty()).then_some(line));
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            line.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
            let used = end.map_or(bytes.len(), |end| end + 1);
            self.reader.consume(used);
            if line.len() > TEXT_BYTES_MAX {
                return Err(LoadError::LongText { line: self.line });
            }
            if end.is_some() {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(Some(line));
            }
        }
    }

    fn cells(&mut self, mut line: Vec<u8>) -> Result<Vec<String>, LoadError> {
        let mut cells = vec![];
        let mut at = 0;
        loop {
            let mut cell = vec![];
            if line.get(at) == Some(&b'"') {
                at += 1;
                loop {
                    match (line.get(at), line.get(at + 1)) {
                        (Some(b'"'), Some(b'"')) => {
                            cell.push(b'"');
                            at += 2;
                        }
                        (Some(b'"'), _) => {
                            at += 1;
                            break;
                        }
                        (Some(byte), _) => {
                            cell.push(*byte);
                            at += 1;
                        }
                        (None, _) => {
                            // The text goes on in the next line.
                            let quote = LoadError::Quote { line: self.began };
                            cell.push(b'\n');
                            line = self.line()?.ok_or(quote)?;
                            at = 0;
                            if cell.len() > TEXT_BYTES_MAX {
                                return Err(LoadError::LongText { line: self.began });
                            }
                        }
                    }
                }
            }
            while let Some(byte) = line.get(at).filter(|byte| **byte != self.delimiter) {
                cell.push(*byte);
                at += 1;
            }
            let text = String::from_utf8(cell);
            let text = text.map_err(|_| LoadError::Encoding { line: self.began })?;
            cells.push(text.trim().to_owned());
            if cells.len() > CELLS_MAX {
                return Err(LoadError::Cells {
                    line: self.began,
                    found: cells.len(),
                    expected: CELLS_MAX,
                });
            }
            if at >= line.len() {
                return Ok(cells);
            }
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(text: &[u8]) -> Result<Vec<Vec<String>>, LoadError> {
        let (mut records, header) = Records::open(text)?;
        let mut rows = vec![header];
        while let Some(row) = records.next_row()? {
            rows.push(row);
        }
        Ok(rows)
    }

    #[test]
    fn cells_are_told_apart_as_spreadsheets_write_them() {
        let text = "\u{feff}code;title\r\nA00;\"Cholera; \"\"old\"\"\r\nform\"\r\n\r\nB;\n";
        let read = rows(text.as_bytes()).unwrap();
        assert_eq!(
            read,
            [vec!["code", "title"], vec!["A00", "Cholera; \"old\"\nform"], vec!["B", ""]]
        );
        assert_eq!(
            rows(b"a\tb, c\n1\t\"2").err().unwrap().to_string(),
            "line 2: a text in quotes begins here and does not end"
        );
        assert!(matches!(rows(b"a,b\n1,\xff\n"), Err(LoadError::Encoding { line: 2 })));
        assert!(matches!(rows(b"code\n1\n"), Err(LoadError::Header)));
        assert!(matches!(rows(b""), Err(LoadError::Header)));
    }

    #[test]
    fn a_line_without_end_is_refused_before_it_is_read() {
        let endless =
            std::io::BufReader::new(std::io::Read::chain(&b"a,b\n"[..], std::io::repeat(b'x')));
        let (mut records, _) = Records::open(endless).unwrap();
        assert!(matches!(records.next_row(), Err(LoadError::LongText { line: 2 })));
        let quoted = std::io::Read::chain(&b"a,b\n\""[..], std::io::repeat(b'\n'));
        let (mut records, _) = Records::open(std::io::BufReader::new(quoted)).unwrap();
        assert!(matches!(records.next_row(), Err(LoadError::LongText { .. })));
    }

    proptest! {
        #[test]
        fn cells_come_back_as_they_were_written(cells in prop::collection::vec("[a-z\",;\n 가]{0,8}", 2..5)) {
            let quoted: Vec<String> =
                cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
            let read = rows(format!("a,b\n{}\n", quoted.join(",")).as_bytes()).unwrap();
            let trimmed: Vec<&str> = cells.iter().map(|cell| cell.trim()).collect();
            prop_assert_eq!(&read[1], &trimmed);
        }
    }
}
