//! Entries packed for travel (ADR 0009). The same bytes go over a live link, a stick or a relay.
//!
//! A parcel carries batches: each a seal and entries of the seal's range, either all of them or
//! those of some charts with the paths from their heads to the root. What the seal says already
//! (stream) is left out of the entries, and ids that the receiver can derive are left out of the
//! texts; decoding gives back the canonical bytes exactly, which the seal then vouches for.

use std::sync::OnceLock;

use ed25519_dalek::VerifyingKey;
use ondol_kernel::bytes::{BadBytes, Reader, put_bytes, put_number};
use ondol_record::{
    Address, Certificate, ChartId, Entry, Seal, SealedHead,
    certificate::BadCertificate,
    entry::BadEntry,
    seal::{BadSeal, Step, put_path, read_path},
};
use thiserror::Error;
use zstd::{
    bulk::{Compressor, Decompressor},
    dict::{DecoderDictionary, EncoderDictionary},
};

use crate::{
    columns::{self, Shared},
    lean::{Ids, put_entry, read_entry},
};

/// The first parcel format, which every node reads for ever.
pub const FORMAT_1: u8 = 1;

/// The newest parcel format that this node reads and writes.
pub const FORMAT: u8 = columns::FORMAT;

/// A parcel is refused when it unpacks to more than this, bytes.
pub const UNPACKED_MAX: usize = 32 << 20;

/// The compression level of zstd: the slow links are worth the time.
const LEVEL: i32 = 19;

/// Above this size a fast level is used, so that packing never holds a node up, bytes.
const LEVEL_SLOW_BYTES_MAX: usize = 256 << 10;

/// A range of more numbers is refused: origins seal 256 at once (ADR 0004), and whoever hands on
/// some of a range reads all of it.
const RANGE_MAX: u64 = 4_096;

/// No log reaches a greater number.
const NUMBER_MAX: u64 = i64::MAX as u64;

/// How zstd was primed. The numbers are part of the format.
const DICTIONARY_NONE: u8 = 0;
const DICTIONARY_1: u8 = 1;

/// Trained on made-up clinic days; see `examples/train_parcel_dictionary.rs`.
static DICTIONARY: &[u8] = include_bytes!("parcel-1.dict");

/// Some entries of one sealed range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The seal.
    pub seal: Seal,
    /// The entries, in the order of their numbers.
    pub entries: Vec<Entry>,
    /// `None` when the entries are the whole range; else the path of each chart in it.
    pub paths: Option<Vec<(ChartId, Vec<Step>)>>,
}

/// What travels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parcel {
    /// Certificates that the receiver may not have yet.
    pub certificates: Vec<Certificate>,
    /// The entries.
    pub batches: Vec<Batch>,
}

/// The parcel cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadParcel {
    /// A newer node packed it.
    #[error("parcel format {0} is newer than this node reads; upgrade this node")]
    UnknownFormat(u8),
    /// It does not unpack, or to too much.
    #[error("the parcel is damaged: it does not unpack")]
    Compression,
    /// It does not have the form of a parcel.
    #[error("the parcel is damaged")]
    Bytes(#[from] BadBytes),
    /// An entry in it is none.
    #[error("an entry of the parcel cannot be read")]
    Entry(#[from] BadEntry),
    /// It is told by an entry that this node does not hold; the sender has to send it in full.
    #[error("the parcel builds upon an entry that is not here")]
    NotHeld(Address),
    /// A certificate in it is none.
    #[error("a certificate of the parcel cannot be read")]
    Certificate(#[from] BadCertificate),
}

/// The entries are not what their origin sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadBatch {
    /// The seal does not hold.
    #[error(transparent)]
    Seal(#[from] BadSeal),
    /// Numbers, counts or hashes do not follow each other.
    #[error("the entries do not follow each other")]
    Order,
    /// A chart came without a path, or a path without its chart.
    #[error("a chart of the selection has no path to the seal")]
    Path,
}

impl Parcel {
    /// The parcel before compression: what the dictionary is trained on.
    pub fn plain(&self) -> Vec<u8> {
        let mut plain = vec![];
        put_number(&mut plain, self.certificates.len() as u64);
        for certificate in &self.certificates {
            put_bytes(&mut plain, &certificate.to_bytes());
        }
        let mut ids = Ids::default();
        let mut batches = vec![];
        put_number(&mut batches, self.batches.len() as u64);
        for batch in &self.batches {
            put_batch(&mut batches, batch, &mut ids);
        }
        ids.put(&mut plain);
        plain.extend_from_slice(&batches);
        plain
    }

    /// Packs the parcel for everybody, whatever they hold, in the newest format.
    pub fn encode(&self) -> Vec<u8> {
        self.encode_for(&columns::Nothing)
    }

    /// Packs the parcel for a receiver who shares some entries.
    pub fn encode_for(&self, shared: &dyn Shared) -> Vec<u8> {
        columns::encode(self, shared).unwrap_or_else(|| self.encode_1())
    }

    /// Packs the parcel in format 1, for nodes that read no other.
    pub fn encode_1(&self) -> Vec<u8> {
        let plain = self.plain();
        let mut to = vec![FORMAT_1];
        match compress_best(&plain) {
            Some(packed) => {
                to.push(DICTIONARY_1);
                to.extend_from_slice(&packed);
            }
            None => {
                to.push(DICTIONARY_NONE);
                to.extend_from_slice(&plain);
            }
        }
        to
    }

    /// Unpacks a parcel that builds upon nothing. Nothing in it is trusted yet: check each batch.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadParcel> {
        Self::decode_with(bytes, &columns::Nothing)
    }

    /// The certificates of a parcel, which can be read whatever else cannot.
    pub fn certificates(bytes: &[u8]) -> Result<Vec<Certificate>, BadParcel> {
        if bytes.first().is_some_and(|first| first & 0x7f == columns::FORMAT) {
            return columns::certificates(bytes);
        }
        read_certificates(&mut Reader::new(&Self::unpack_1(bytes)?))
    }

    fn unpack_1(bytes: &[u8]) -> Result<Vec<u8>, BadParcel> {
        let mut from = Reader::new(bytes);
        match from.byte()? {
            FORMAT_1 => {}
            format => return Err(BadParcel::UnknownFormat(format)),
        }
        match from.byte()? {
            DICTIONARY_NONE => Ok(from.rest().to_vec()),
            DICTIONARY_1 => decompress(from.rest()).ok_or(BadParcel::Compression),
            _ => Err(BadParcel::Compression),
        }
    }

    /// Unpacks a parcel that may build upon entries which sender and receiver share. Nothing in
    /// it is trusted yet: check each batch.
    pub fn decode_with(bytes: &[u8], shared: &dyn Shared) -> Result<Self, BadParcel> {
        if bytes.first().is_some_and(|first| first & 0x7f == columns::FORMAT) {
            return columns::decode(bytes, shared);
        }
        let plain = Self::unpack_1(bytes)?;
        let mut from = Reader::new(&plain);
        let certificates = read_certificates(&mut from)?;
        let ids = Ids::read(&mut from)?;
        let count = from.size(plain.len())?;
        let mut batches = vec![];
        for _ in 0..count {
            batches.push(read_batch(&mut from, &ids)?);
        }
        if from.is_empty() { Ok(Self { certificates, batches }) } else { Err(BadBytes.into()) }
    }
}

fn read_certificates(from: &mut Reader<'_>) -> Result<Vec<Certificate>, BadParcel> {
    let count = from.size(from.rest().len())?;
    (0..count).map(|_| Ok(Certificate::from_bytes(from.bytes()?)?)).collect()
}

/// The dictionary as zstd looks things up in it at [`LEVEL`]: to make that anew for each parcel
/// takes longer than to pack it.
fn slow_encoder() -> &'static EncoderDictionary<'static> {
    static ENCODER: OnceLock<EncoderDictionary<'static>> = OnceLock::new();
    ENCODER.get_or_init(|| EncoderDictionary::copy(DICTIONARY, LEVEL))
}

fn decoder() -> &'static DecoderDictionary<'static> {
    static DECODER: OnceLock<DecoderDictionary<'static>> = OnceLock::new();
    DECODER.get_or_init(|| DecoderDictionary::copy(DICTIONARY))
}

/// Compressed at the level that fits its length.
pub(crate) fn compress_best(plain: &[u8]) -> Option<Vec<u8>> {
    compress(plain, if plain.len() > LEVEL_SLOW_BYTES_MAX { 3 } else { LEVEL })
}

fn compress(plain: &[u8], level: i32) -> Option<Vec<u8>> {
    let mut compressor = if level == LEVEL {
        Compressor::with_prepared_dictionary(slow_encoder()).ok()?
    } else {
        Compressor::with_dictionary(level, DICTIONARY).ok()?
    };
    compressor.include_checksum(false).ok()?;
    compressor.include_dictid(false).ok()?;
    compressor.compress(plain).ok()
}

pub(crate) fn decompress(packed: &[u8]) -> Option<Vec<u8>> {
    let mut decompressor = Decompressor::with_prepared_dictionary(decoder()).ok()?;
    let stated = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten()?;
    let size = usize::try_from(stated).ok().filter(|&size| size <= UNPACKED_MAX)?;
    decompressor.decompress(packed, size).ok()
}

const WHOLE: u8 = 0;
const SELECTION: u8 = 1;

fn put_batch(to: &mut Vec<u8>, batch: &Batch, ids: &mut Ids) {
    batch.seal.put(to);
    to.push(if batch.paths.is_some() { SELECTION } else { WHOLE });
    put_number(to, batch.entries.len() as u64);
    for entry in &batch.entries {
        put_entry(to, entry, batch.seal.first, ids);
    }
    if let Some(paths) = &batch.paths {
        put_number(to, paths.len() as u64);
        for (chart, path) in paths {
            chart.put(to);
            put_path(to, path);
        }
    }
}

fn read_batch(from: &mut Reader<'_>, ids: &Ids) -> Result<Batch, BadParcel> {
    let seal = Seal::read(from)?;
    let selection = match from.byte()? {
        WHOLE => false,
        SELECTION => true,
        _ => return Err(BadBytes.into()),
    };
    let count = from.size(from.rest().len())?;
    let mut entries = vec![];
    for _ in 0..count {
        entries.push(read_entry(from, &seal.stream, seal.first, ids)?);
    }
    let paths = if selection {
        let count = from.size(from.rest().len())?;
        let mut paths = vec![];
        for _ in 0..count {
            paths.push((ChartId::read(from)?, read_path(from)?));
        }
        Some(paths)
    } else {
        None
    };
    Ok(Batch { seal, entries, paths })
}

impl Batch {
    /// Checks signature, order and coverage. `key` is the origin's by its certificate.
    pub fn check(&self, key: &VerifyingKey) -> Result<(), BadBatch> {
        self.seal.check(key)?;
        if self.seal.last - self.seal.first >= RANGE_MAX || self.seal.last > NUMBER_MAX {
            return Err(BadBatch::Order);
        }
        let heads = self.heads()?;
        match &self.paths {
            None => {
                let count = self.seal.last - self.seal.first + 1;
                if self.entries.len() as u64 != count {
                    return Err(BadBatch::Order);
                }
                self.seal.covers(&heads)?;
            }
            Some(paths) => {
                if paths.len() != heads.len() {
                    return Err(BadBatch::Path);
                }
                for head in &heads {
                    let path = paths.iter().find(|(chart, _)| *chart == head.chart);
                    let (_, path) = path.ok_or(BadBatch::Path)?;
                    self.seal.covers_one(head, path)?;
                }
            }
        }
        Ok(())
    }

    /// The newest entry of each chart, once order and chains within the batch are checked.
    fn heads(&self) -> Result<Vec<SealedHead>, BadBatch> {
        let mut heads: Vec<SealedHead> = vec![];
        let mut at: std::collections::HashMap<&ChartId, usize> = std::collections::HashMap::new();
        let mut last = self.seal.first - 1;
        for entry in &self.entries {
            let number = entry.address.number;
            if entry.address.stream != self.seal.stream || number <= last || number > self.seal.last
            {
                return Err(BadBatch::Order);
            }
            last = number;
            let hash = entry.hash();
            match at.get(&entry.chart) {
                Some(&at) => {
                    let head = &mut heads[at];
                    let next = head.chart_number.checked_add(1);
                    if Some(entry.chart_number) != next || entry.previous != head.hash {
                        return Err(BadBatch::Order);
                    }
                    head.chart_number = entry.chart_number;
                    head.hash = hash;
                }
                None => {
                    at.insert(&entry.chart, heads.len());
                    let (chart, chart_number) = (entry.chart.clone(), entry.chart_number);
                    heads.push(SealedHead { chart, chart_number, hash });
                }
            }
        }
        Ok(heads)
    }
}
