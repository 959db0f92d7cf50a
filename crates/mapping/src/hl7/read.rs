//! The messages of a file, one at a time.

use std::{
    io::{self, BufRead},
    mem,
};

use super::{
    Hl7Error,
    charset::{Charset, msh_18},
};

/// The most bytes that a message may have.
pub const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// Bytes that frame messages on a connection (MLLP): 0x0b before, 0x1c and a CR after.
const FRAME: [u8; 2] = [0x0b, 0x1c];
const BOM: &[u8] = b"\xef\xbb\xbf";

/// A message as it stood in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// The line of its MSH, from 1. CR, LF and CR LF each end a line.
    pub line: u64,
    /// Its segments, each ended by CR.
    pub text: String,
}

/// The messages of a file. It holds one message at a time.
#[derive(Debug)]
pub struct Messages<R> {
    reader: R,
    line: u64,
    after_cr: bool,
    /// Where the message that is being read began, and its bytes.
    open: Option<u64>,
    bytes: Vec<u8>,
    /// What stands here belongs to something that was already refused.
    passing: bool,
    ended: bool,
}

/// Reads the messages of a file or of a connection.
///
/// Segments end in CR, LF or CR LF. The bytes of MLLP, batch headers and trailers (FHS, BHS, BTS,
/// FTS) and a byte order mark are passed over. After a message that is refused the next one is
/// read.
pub fn messages<R: BufRead>(reader: R) -> Messages<R> {
    Messages {
        reader,
        line: 0,
        after_cr: false,
        open: None,
        bytes: vec![],
        passing: false,
        ended: false,
    }
}

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Line,
    File,
    /// It is longer than what may still be held; its rest was passed over.
    Long,
}

impl<R: BufRead> Messages<R> {
    /// One line without its end. An LF after a CR is no line of its own.
    fn read_line(&mut self, to: &mut Vec<u8>) -> io::Result<End> {
        let mut end = End::Line;
        let mut is_any = false;
        loop {
            let buffer = match self.reader.fill_buf() {
                Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            if buffer.is_empty() {
                self.ended = true;
                return Ok(if end == End::Line && !is_any { End::File } else { end });
            }
            if mem::take(&mut self.after_cr) && buffer[0] == b'\n' {
                self.reader.consume(1);
                continue;
            }
            is_any = true;
            let stop = buffer.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let piece = &buffer[..stop.unwrap_or(buffer.len())];
            if to.len() + piece.len() > MESSAGE_BYTES_MAX {
                end = End::Long;
                to.clear();
            } else if end == End::Line {
                to.extend_from_slice(piece);
            }
            let count = piece.len();
            let Some(stop) = stop else {
                self.reader.consume(count);
                continue;
            };
            self.after_cr = buffer[stop] == b'\r';
            self.reader.consume(count + 1);
            return Ok(end);
        }
    }

    /// Hands the message on that was read, if there is one.
    fn close(&mut self) -> Option<Result<Raw, Hl7Error>> {
        let line = self.open.take()?;
        let bytes = mem::take(&mut self.bytes);
        let first = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let charset = match msh_18(first) {
            None => None,
            Some(code) => match std::str::from_utf8(code).ok().and_then(Charset::named) {
                Some(charset) => Some(charset),
                None => return Some(Err(Hl7Error::Charset { line })),
            },
        };
        let text = charset.unwrap_or(Charset::Utf8).decode(&bytes);
        Some(match (text, charset) {
            (Some(text), _) => Ok(Raw { line, text }),
            (None, None) => Err(Hl7Error::NoCharset { line }),
            (None, Some(_)) => Err(Hl7Error::NotInCharset { line }),
        })
    }

    fn refuse(&mut self, why: Hl7Error) -> Option<Result<Raw, Hl7Error>> {
        self.open = None;
        self.bytes = vec![];
        let said = mem::replace(&mut self.passing, true);
        (!said).then_some(Err(why))
    }

    /// Takes a line up; gives what is complete by it.
    fn take(&mut self, line: &[u8], end: End) -> Option<Result<Raw, Hl7Error>> {
        if end == End::Long {
            return self.refuse(Hl7Error::TooLarge { line: self.open.unwrap_or(self.line) });
        }
        let is_first = line.first() == Some(&FRAME[0]);
        let is_last = line.contains(&FRAME[1]);
        let line = line.strip_prefix(&FRAME[..1]).unwrap_or(line);
        let line = line.strip_prefix(BOM).unwrap_or(line);
        let line = line.split(|byte| *byte == FRAME[1]).next().unwrap_or_default();
        let is_header = |name: &[u8]| {
            line.starts_with(name) && line.get(3).is_some_and(u8::is_ascii_punctuation)
        };
        if is_header(b"MSH") {
            let done = self.close();
            self.passing = false;
            self.open = Some(self.line);
            self.bytes.extend_from_slice(line);
            self.bytes.push(b'\r');
            return done;
        }
        if [b"FHS", b"BHS", b"BTS", b"FTS"].into_iter().any(|name| is_header(name)) {
            self.passing = false;
            return self.close();
        }
        if !line.trim_ascii().is_empty() {
            if self.open.is_none() {
                return self.refuse(Hl7Error::NoMessage { line: self.line });
            }
            if self.bytes.len() + line.len() >= MESSAGE_BYTES_MAX {
                return self.refuse(Hl7Error::TooLarge { line: self.open.unwrap_or(self.line) });
            }
            self.bytes.extend_from_slice(line);
            self.bytes.push(b'\r');
        }
        if is_first || is_last { self.close() } else { None }
    }
}

impl<R: BufRead> Iterator for Messages<R> {
    type Item = Result<Raw, Hl7Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = vec![];
        while !self.ended {
            line.clear();
            let end = match self.read_line(&mut line) {
                Ok(End::File) => break,
                Ok(end) => end,
                Err(why) => {
                    self.ended = true;
                    self.open = None;
                    return Some(Err(Hl7Error::Read(why)));
                }
            };
            self.line += 1;
            if let Some(done) = self.take(&line, end) {
                return Some(done);
            }
        }
        self.close()
    }
}
