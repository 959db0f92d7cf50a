//! What belongs to one moment.

use anyhow::{Context, Result};
use ondol_kernel::{
    Hlc, Millis, NodeId, ResourceId,
    bytes::{BadBytes, Reader, put_bytes, put_number},
};
use ondol_store::{Identity, blobs::BlobHash};

use super::{
    medium::{Held, Medium},
    object::{Keys, Kind, Name},
    records::{self, Piece},
};

/// The newest format that this program reads, and the only one that there ever was.
const FORMAT: u8 = 1;

/// What a snapshot lists, in the order in which it does.
const LISTED: [Kind; 7] = [
    Kind::Entries,
    Kind::Readings,
    Kind::Seals,
    Kind::Paths,
    Kind::Values,
    Kind::Files,
    Kind::BlobList,
];

/// What belongs to one moment of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Whose it is.
    pub identity: Identity,
    /// When it was taken, by the machine's clock.
    pub taken: Millis,
    /// The newest stamp.
    pub newest: Hlc,
    /// The objects, in the order of [`LISTED`].
    pieces: [Vec<Piece>; LISTED.len()],
}

impl Snapshot {
    /// One without objects.
    pub fn new(identity: Identity, taken: Millis, newest: Hlc) -> Self {
        Self { identity, taken, newest, pieces: Default::default() }
    }

    /// The objects of a kind.
    pub fn pieces(&self, kind: Kind) -> &[Piece] {
        LISTED.iter().position(|listed| *listed == kind).map_or(&[], |at| &self.pieces[at])
    }

    /// Says which objects there are of a kind.
    pub fn set(&mut self, kind: Kind, pieces: Vec<Piece>) {
        if let Some(at) = LISTED.iter().position(|listed| *listed == kind) {
            self.pieces[at] = pieces;
        }
    }

    /// How many records there are of a kind.
    pub fn records(&self, kind: Kind) -> u64 {
        self.pieces(kind).iter().map(|piece| piece.records).sum()
    }

    /// Every object but the pictures.
    pub fn listed(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.iter().flatten()
    }

    /// The pictures, each with its object.
    pub fn blobs(&self, keys: &Keys, medium: &Medium<'_>) -> Result<Vec<(BlobHash, Held)>> {
        let mut blobs = vec![];
        for piece in self.pieces(Kind::BlobList) {
            for (hash, bytes) in open_all(keys, medium, piece, records::read_blob)? {
                blobs.push((hash, Held { name: keys.name(Kind::Blob, &hash), bytes }));
            }
        }
        Ok(blobs)
    }

    /// The sealed file of the snapshot with a number.
    pub fn seal(&self, keys: &Keys, number: u64) -> Result<Vec<u8>> {
        let mut to = vec![FORMAT];
        to.extend_from_slice(&self.identity.node.0);
        put_number(&mut to, self.identity.incarnation.into());
        put_bytes(&mut to, self.identity.facility.as_str().as_bytes());
        to.extend_from_slice(&self.taken.0.to_be_bytes());
        put_number(&mut to, self.newest.bits());
        for pieces in &self.pieces {
            put_number(&mut to, pieces.len() as u64);
            for piece in pieces {
                to.extend_from_slice(&piece.held.name.0);
                put_number(&mut to, piece.held.bytes);
                put_number(&mut to, piece.records);
            }
        }
        let sealed = keys.seal(Kind::Snapshot, &keys.snapshot_name(number), &to);
        sealed.context("the snapshot cannot be sealed")
    }

    /// Reads the snapshot with a number.
    pub fn read(keys: &Keys, medium: &Medium<'_>, number: u64) -> Result<Self> {
        let file = medium.read_snapshot(number).context("it cannot be read")?;
        let plain = keys.open(&keys.snapshot_name(number), &file)?;
        let mut from = Reader::new(&plain);
        let format = from.byte()?;
        anyhow::ensure!(format <= FORMAT, "a newer Ondol made it (format {format})");
        anyhow::ensure!(format == FORMAT, "this format never existed");
        Self::read_rest(&mut from).context("it is not in its format")
    }

    fn read_rest(from: &mut Reader<'_>) -> Result<Self, BadBytes> {
        let identity = Identity {
            node: NodeId(from.array()?),
            incarnation: u32::try_from(from.number()?).map_err(|_| BadBytes)?,
            facility: ResourceId::new(from.text()?).map_err(|_| BadBytes)?,
        };
        let taken = Millis(i64::from_be_bytes(from.array()?));
        let mut snapshot = Self::new(identity, taken, Hlc::from_bits(from.number()?));
        for pieces in &mut snapshot.pieces {
            for _ in 0..from.number()? {
                let held = Held { name: Name(from.array()?), bytes: from.number()? };
                pieces.push(Piece { held, records: from.number()? });
            }
        }
        if from.is_empty() { Ok(snapshot) } else { Err(BadBytes) }
    }
}

/// The records of an object.
pub fn open_all<T>(
    keys: &Keys,
    medium: &Medium<'_>,
    piece: &Piece,
    read: impl Fn(&mut Reader<'_>) -> Result<T, BadBytes>,
) -> Result<Vec<T>> {
    let plain = open(keys, medium, &piece.held.name)?;
    let records = records::each(&plain, read).context("an object is not in its format")?;
    anyhow::ensure!(records.len() as u64 == piece.records, "an object lacks records");
    Ok(records)
}

/// What an object holds; an error names its file.
pub fn open(keys: &Keys, medium: &Medium<'_>, name: &Name) -> Result<Vec<u8>> {
    let of = || format!("the file {} of the backup cannot be used", name.to_hex());
    let file = medium.read(name).with_context(of)?;
    keys.open(name, &file).with_context(of)
}
