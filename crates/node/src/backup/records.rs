//! What stands in objects, record after record, and where one object ends and the next begins.

use anyhow::{Context, Result, bail};
use ondol_kernel::{
    Millis,
    bytes::{BadBytes, Reader, put_bytes, put_number},
};
use ondol_record::{
    ChartId, Entry, Seal,
    seal::{put_path, read_path},
};
use ondol_store::{Reading, SealedPath, Space, blobs::BlobHash};

use super::{
    medium::{Held, Medium},
    object::{Keys, Kind},
};

/// An object ends when it holds so much, bytes.
const PIECE_BYTES: usize = 1 << 20;

/// One of so many keys ends an object of things that come and go: what is put in between changes
/// that object alone.
const ENDS_ONE_OF: u8 = 64;

/// An object of a snapshot, and how many records it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// The object.
    pub held: Held,
    /// How many records.
    pub records: u64,
}

/// How much a run wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// New objects.
    pub objects: u64,
    /// Their bytes on the medium.
    pub bytes: u64,
}

/// Where objects go.
pub struct Place<'a, 'm> {
    /// Their keys.
    pub keys: &'a Keys,
    /// The folder.
    pub medium: &'a mut Medium<'m>,
    /// What was written so far.
    pub written: Written,
}

impl Place<'_, '_> {
    /// Keeps an object, unless it is there and sound. What is written is read back.
    pub fn keep(&mut self, kind: Kind, plain: &[u8]) -> Result<Held> {
        let name = self.keys.name(kind, blake3::hash(plain).as_bytes());
        if self.medium.length(&name).is_some() {
            let there = self.medium.read(&name).context("the backup cannot be read")?;
            if self.keys.open(&name, &there).is_ok_and(|opened| opened == plain) {
                return Ok(Held { name, bytes: there.len() as u64 });
            }
            self.medium.remove(&name)?;
        }
        let file = self.keys.seal(kind, &name, plain).context("an object cannot be sealed")?;
        let held = self.medium.put(&name, &file)?;
        if self.medium.read(&name).context("what was written cannot be read back")? != file {
            bail!("what was written is read back otherwise: this stick or disk is not to be used");
        }
        self.written.objects += 1;
        self.written.bytes += held.bytes;
        Ok(held)
    }
}

/// Puts records together to objects.
pub struct Pieces {
    kind: Kind,
    plain: Vec<u8>,
    records: u64,
    /// The objects that are full.
    pub done: Vec<Piece>,
}

impl Pieces {
    /// Goes on after objects that stand already.
    pub fn after(kind: Kind, done: Vec<Piece>) -> Self {
        Self { kind, plain: vec![], records: 0, done }
    }

    /// So many records are in objects or wait for one.
    pub fn records(&self) -> u64 {
        self.done.iter().map(|piece| piece.records).sum::<u64>() + self.records
    }

    /// Adds a record of a log, which only grows.
    pub fn log(&mut self, to: &mut Place<'_, '_>, record: &[u8]) -> Result<()> {
        self.add(record);
        if self.plain.len() >= PIECE_BYTES { self.end(to) } else { Ok(()) }
    }

    /// Adds a record of things that come and go, by the key of their order.
    pub fn keyed(&mut self, to: &mut Place<'_, '_>, key: &[u8], record: &[u8]) -> Result<()> {
        self.add(record);
        let ends = blake3::hash(key).as_bytes()[0].is_multiple_of(ENDS_ONE_OF);
        if ends || self.plain.len() >= PIECE_BYTES { self.end(to) } else { Ok(()) }
    }

    fn add(&mut self, record: &[u8]) {
        self.plain.extend_from_slice(record);
        self.records += 1;
    }

    fn end(&mut self, to: &mut Place<'_, '_>) -> Result<()> {
        let held = to.keep(self.kind, &std::mem::take(&mut self.plain))?;
        self.done.push(Piece { held, records: std::mem::take(&mut self.records) });
        Ok(())
    }

    /// Ends the last object; gives all.
    pub fn finish(mut self, to: &mut Place<'_, '_>) -> Result<Vec<Piece>> {
        if self.records > 0 {
            self.end(to)?;
        }
        Ok(self.done)
    }
}

/// The records of an object.
pub fn each<T>(
    plain: &[u8],
    read: impl Fn(&mut Reader<'_>) -> Result<T, BadBytes>,
) -> Result<Vec<T>, BadBytes> {
    let (mut from, mut records) = (Reader::new(plain), vec![]);
    while !from.is_empty() {
        records.push(read(&mut from)?);
    }
    Ok(records)
}

/// An entry: its canonical bytes.
pub fn entry(entry: &Entry) -> Vec<u8> {
    let mut to = vec![];
    put_bytes(&mut to, &entry.to_bytes());
    to
}

/// The canonical bytes of an entry.
pub fn read_entry(from: &mut Reader<'_>) -> Result<Vec<u8>, BadBytes> {
    Ok(from.bytes()?.to_vec())
}

/// Who read a chart.
pub fn reading(reading: &Reading) -> Vec<u8> {
    let mut to = reading.at.0.to_be_bytes().to_vec();
    reading.chart.put(&mut to);
    let texts = [&reading.who, &reading.role, &reading.action, &reading.relation, &reading.reason];
    for text in texts {
        put_bytes(&mut to, text.as_bytes());
    }
    to
}

/// What [`reading`] wrote.
pub fn read_reading(from: &mut Reader<'_>) -> Result<Reading, BadBytes> {
    Ok(Reading {
        at: Millis(i64::from_be_bytes(from.array()?)),
        chart: ChartId::read(from)?,
        who: from.text()?.into(),
        role: from.text()?.into(),
        action: from.text()?.into(),
        relation: from.text()?.into(),
        reason: from.text()?.into(),
    })
}

/// A seal.
pub fn seal(seal: &Seal) -> Vec<u8> {
    let mut to = vec![];
    seal.put(&mut to);
    to
}

/// A path, with its seal.
pub fn path((of, path): &(Seal, SealedPath)) -> Vec<u8> {
    let mut to = seal(of);
    path.chart.put(&mut to);
    put_number(&mut to, path.chart_number);
    put_path(&mut to, &path.path);
    to
}

/// What [`path`] wrote.
pub fn read_sealed_path(from: &mut Reader<'_>) -> Result<(Seal, SealedPath), BadBytes> {
    let seal = Seal::read(from)?;
    let (chart, chart_number) = (ChartId::read(from)?, from.number()?);
    Ok((seal, SealedPath { chart, chart_number, path: read_path(from)? }))
}

/// A small value.
pub fn value(space: Space, key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut to = vec![space as u8];
    put_bytes(&mut to, key);
    put_bytes(&mut to, value);
    to
}

/// What [`value`] wrote.
pub fn read_value(from: &mut Reader<'_>) -> Result<(Space, Vec<u8>, Vec<u8>), BadBytes> {
    let space = Space::from_code(from.byte()?).ok_or(BadBytes)?;
    Ok((space, from.bytes()?.to_vec(), from.bytes()?.to_vec()))
}

/// A file of the data directory.
pub fn file(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut to = vec![];
    put_bytes(&mut to, name.as_bytes());
    put_bytes(&mut to, bytes);
    to
}

/// What [`file`] wrote.
pub fn read_file(from: &mut Reader<'_>) -> Result<(String, Vec<u8>), BadBytes> {
    Ok((from.text()?.to_owned(), from.bytes()?.to_vec()))
}

/// That a picture is there: its hash, and the length of its object's file.
pub fn blob(hash: &BlobHash, bytes: u64) -> Vec<u8> {
    let mut to = hash.to_vec();
    put_number(&mut to, bytes);
    to
}

/// What [`blob`] wrote.
pub fn read_blob(from: &mut Reader<'_>) -> Result<(BlobHash, u64), BadBytes> {
    Ok((from.array()?, from.number()?))
}
