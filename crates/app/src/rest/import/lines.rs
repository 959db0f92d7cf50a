//! From a file to batches that are committed one by one.

use std::{
    collections::HashSet,
    io::{self, BufRead, Read as _},
};

use ondol_fhir::{Limits, ResourceType, parse_json};
use ondol_kernel::ResourceId;
use serde_json::Value;

use super::{
    ImportError, Problem, Row, Shape,
    read::{self, Item},
};
use crate::rest::{
    error::{ElementFault, RestError},
    write::{Verb, prepare},
};

/// A line may be as long as a bundle, bytes.
const LINE_MAX: u64 = 256 << 20;

/// So many lines that are single resources share a transaction.
const LINES_TOGETHER: u64 = 100;

/// So many resources of a bundle share a transaction.
const RESOURCES_TOGETHER: usize = 2_000;

/// How far a file came: its lines, and the hash that chains them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Mark {
    pub(super) lines: u64,
    hash: [u8; 32],
}

impl Mark {
    fn past(self, line: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.hash).update(line);
        Self { lines: self.lines + 1, hash: *hasher.finalize().as_bytes() }
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        [&self.lines.to_le_bytes()[..], &self.hash].concat()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (lines, hash) = bytes.split_first_chunk::<8>()?;
        Some(Self { lines: u64::from_le_bytes(*lines), hash: hash.try_into().ok()? })
    }
}

/// What is committed together.
pub(super) struct Batch {
    /// The Organization that becomes the home of patients who name none.
    pub(super) home: ResourceId,
    /// Resources that were prepared, each once.
    pub(super) items: Vec<Item>,
    /// What is told of its lines when they are committed.
    pub(super) problems: Vec<Problem>,
    /// Resources that several rows are about, and that stand in the batch or the record already.
    pub(super) unchanged: u64,
    /// How many lines end in it.
    pub(super) lines: u64,
    /// How far the file has come then, unless more of its line is to come.
    pub(super) mark: Option<Mark>,
}

impl Batch {
    /// Resources alone.
    pub(super) const fn of(home: ResourceId, items: Vec<Item>) -> Self {
        Self { home, items, problems: vec![], unchanged: 0, lines: 0, mark: None }
    }
}

/// The lines of a file on their way into batches.
pub(super) struct Lines<'a> {
    home: &'a ResourceId,
    known: Mark,
    mark: Mark,
    send: &'a mut dyn FnMut(Batch) -> Result<(), ImportError>,
    items: Vec<Item>,
    problems: Vec<Problem>,
    ended: u64,
    /// What is in `items`: nothing is written twice in one commit.
    here: HashSet<(ResourceType, ResourceId)>,
    unchanged: u64,
    /// Whether they are rows of another system.
    are_rows: bool,
}

impl<'a> Lines<'a> {
    /// A file that was imported up to `known`.
    pub(super) fn new(
        home: &'a ResourceId,
        known: Mark,
        send: &'a mut dyn FnMut(Batch) -> Result<(), ImportError>,
    ) -> Self {
        Self {
            home,
            known,
            mark: Mark::default(),
            send,
            items: vec![],
            problems: vec![],
            ended: 0,
            here: HashSet::new(),
            unchanged: 0,
            are_rows: false,
        }
    }

    /// Reads the file to its end.
    pub(super) fn run(mut self, shape: Shape, from: &mut dyn BufRead) -> Result<(), ImportError> {
        while let Some(line) = next(from, shape)? {
            if !self.is_new(&line)? {
                continue;
            }
            let number = self.mark.lines;
            let mut is_bundle = false;
            if !line.is_empty() {
                match parse_json(&line, Limits::IMPORT) {
                    Ok(document) => is_bundle = self.take(document, number)?,
                    Err(why) => {
                        self.problems.push(Problem::left_out(number, None, &RestError::from(why)));
                    }
                }
            }
            self.count_line(is_bundle)?;
        }
        self.end()
    }

    /// Takes the rows of a file of another system.
    pub(super) fn rows(
        mut self,
        rows: &mut dyn Iterator<Item = io::Result<Row>>,
    ) -> Result<(), ImportError> {
        self.are_rows = true;
        for row in rows {
            let Row { line, seen, made, left } = row?;
            if !self.is_new(seen.as_bytes())? {
                continue;
            }
            match made {
                Ok(bundle) => {
                    let of = |why| Problem::of_row(line, why, true);
                    self.problems.extend(left.into_iter().map(of));
                    self.take(bundle, line)?;
                }
                Err(why) => self.problems.push(Problem::of_row(line, why, false)),
            }
            self.count_line(false)?;
        }
        self.end()
    }

    /// Goes past a line; whether an earlier run did not.
    fn is_new(&mut self, line: &[u8]) -> Result<bool, ImportError> {
        self.mark = self.mark.past(line);
        if self.mark.lines == self.known.lines && self.mark != self.known {
            return Err(ImportError::Changed);
        }
        Ok(self.mark.lines > self.known.lines)
    }

    fn count_line(&mut self, ends_batch: bool) -> Result<(), ImportError> {
        self.ended += 1;
        if ends_batch || self.ended >= LINES_TOGETHER {
            return self.hand_over(Some(self.mark));
        }
        Ok(())
    }

    fn end(mut self) -> Result<(), ImportError> {
        if self.mark.lines < self.known.lines {
            return Err(ImportError::Changed);
        }
        if self.ended > 0 { self.hand_over(Some(self.mark)) } else { Ok(()) }
    }

    /// Takes a document; whether it is a bundle of several resources.
    fn take(&mut self, document: Value, line: u64) -> Result<bool, ImportError> {
        let (mut items, problems) = read::items(document, line);
        self.problems.extend(problems);
        let is_bundle = items.len() > 1;
        // A bundle is one transaction, as it was where it comes from, unless it is huge.
        if items.len() > RESOURCES_TOGETHER {
            // Those whom the others are about come first, so that they are here then.
            items.sort_by_key(|item| !read::is_subject(&item.write));
        }
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 && at % RESOURCES_TOGETHER == 0 {
                self.hand_over(None)?;
            }
            self.push(item)?;
        }
        Ok(is_bundle)
    }

    fn push(&mut self, mut item: Item) -> Result<(), ImportError> {
        let mut checked = prepare(&mut item.write);
        if checked.is_ok()
            && let Verb::Update { id, .. } = &item.write.verb
        {
            let key = (item.write.kind, id.clone());
            if self.here.contains(&key) {
                if item.only_new {
                    self.unchanged += 1;
                    return Ok(());
                }
                if self.are_rows {
                    // A later message about the same: what came before it is committed first.
                    self.hand_over(None)?;
                } else {
                    let kind = item.write.kind.name();
                    checked = Err(RestError::element(kind, ElementFault::SameTwice));
                }
            }
            self.here.insert(key);
        }
        match checked {
            Ok(()) => self.items.push(item),
            Err(why) => self.problems.push(Problem::left_out(item.line, item.entry, &why)),
        }
        Ok(())
    }

    fn hand_over(&mut self, mark: Option<Mark>) -> Result<(), ImportError> {
        self.here.clear();
        (self.send)(Batch {
            home: self.home.clone(),
            items: std::mem::take(&mut self.items),
            problems: std::mem::take(&mut self.problems),
            unchanged: std::mem::take(&mut self.unchanged),
            lines: if mark.is_some() { std::mem::take(&mut self.ended) } else { 0 },
            mark,
        })
    }
}

/// The next line without its end, or the whole document; none at the end.
fn next(from: &mut dyn BufRead, shape: Shape) -> Result<Option<Vec<u8>>, std::io::Error> {
    let mut line = vec![];
    let mut bounded = from.take(LINE_MAX + 1);
    let count = match shape {
        Shape::Document => bounded.read_to_end(&mut line)?,
        Shape::Lines => bounded.read_until(b'\n', &mut line)?,
    };
    if count == 0 {
        return Ok(None);
    }
    if line.len() as u64 > LINE_MAX {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "a line is too long"));
    }
    while line.last().is_some_and(u8::is_ascii_whitespace) {
        line.pop();
    }
    Ok(Some(line))
}
