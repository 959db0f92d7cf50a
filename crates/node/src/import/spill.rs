//! What was left out of one file, kept on disk until that file is read a second time: there may be
//! as many as the file has lines.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufRead as _, BufReader, BufWriter, Write as _},
    path::PathBuf,
};

/// Why something was left out, by the entry of the bundle on a line.
pub(super) type OnLine = BTreeMap<Option<usize>, String>;

/// What was left out so far. What one batch left out is in memory.
pub(super) struct Spill {
    path: PathBuf,
    out: BufWriter<File>,
    batch: BTreeMap<(u64, Option<usize>), String>,
}

impl Spill {
    /// Into a file that was just made.
    pub(super) fn to((path, out): (PathBuf, BufWriter<File>)) -> Self {
        Self { path, out, batch: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, line: u64, entry: Option<usize>, why: &str) {
        self.batch.entry((line, entry)).or_insert_with(|| why.to_owned());
    }

    /// A batch ended: what comes is on its last line, or behind it.
    pub(super) fn end_batch(&mut self) -> io::Result<()> {
        for ((line, entry), why) in std::mem::take(&mut self.batch) {
            let entry = entry.map_or_else(|| "-".to_owned(), |entry| entry.to_string());
            let why = why.replace(char::is_control, " ");
            writeln!(self.out, "{line}\t{entry}\t{why}")?;
        }
        Ok(())
    }

    /// All of it, to be looked at in the order of the lines. The file is gone with it.
    pub(super) fn read(mut self) -> io::Result<Left> {
        self.end_batch()?;
        self.out.flush()?;
        let from = BufReader::new(File::open(&self.path)?);
        fs::remove_file(&self.path)?;
        let mut left = Left { from, next: None };
        left.advance()?;
        Ok(left)
    }
}

/// What was left out, in the order of the lines.
pub(super) struct Left {
    from: BufReader<File>,
    next: Option<(u64, Option<usize>, String)>,
}

impl Left {
    /// What was left out on a line; each is asked for once, in their order.
    pub(super) fn on(&mut self, line: u64) -> io::Result<OnLine> {
        let mut here = OnLine::new();
        while let Some((at, entry, why)) = self.next.take() {
            if at > line {
                self.next = Some((at, entry, why));
                break;
            }
            if at == line {
                here.entry(entry).or_insert(why);
            }
            self.advance()?;
        }
        Ok(here)
    }

    /// Whether nothing more comes.
    pub(super) const fn is_over(&self) -> bool {
        self.next.is_none()
    }

    fn advance(&mut self) -> io::Result<()> {
        let mut text = String::new();
        self.next = None;
        if self.from.read_line(&mut text)? == 0 {
            return Ok(());
        }
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "what was left out is damaged");
        let mut parts = text.trim_end_matches('\n').splitn(3, '\t');
        let (line, entry, why) = (parts.next(), parts.next(), parts.next());
        let line = line.and_then(|line| line.parse().ok()).ok_or_else(damaged)?;
        let entry = match entry.ok_or_else(damaged)? {
            "-" => None,
            entry => Some(entry.parse().map_err(|_| damaged())?),
        };
        self.next = Some((line, entry, why.ok_or_else(damaged)?.to_owned()));
        Ok(())
    }
}
