//! Parcel format 2: entries as shapes and columns (ADR 0013).
//!
//! What a resource has in common with others is its shape, which both sides know or learn; what
//! fills the holes of the shape is coded by where it stands. Texts and chances that are usual are
//! known before the first parcel ([`priors`]). Everything comes back bit for bit, and the seal
//! proves it.

mod cells;
mod coder;
mod coding;
mod entries;
pub mod model;
pub mod priors;
mod scale;
mod shape;
mod spell;
pub mod train;

use std::collections::BTreeMap;

use ondol_kernel::{
    NodeId,
    bytes::{BadBytes, put_bytes},
};
use ondol_record::{
    Address, Certificate, ChartId, Entry, Seal, SealedHead, Stream,
    seal::{Step, Tree, climb},
};

use self::{
    coder::{Reader, Side, Writer},
    coding::{Coding, LETTERS_MAX, Texts},
    entries::{Before, Entries},
    model::Kind,
    priors::Priors,
    scale::Scale,
};
use crate::parcel::{BadParcel, Batch, Parcel, compress_best, decompress};

/// The format's number.
pub const FORMAT: u8 = 2;

/// Behind [`FORMAT`], in the same byte: texts stand apart, compressed.
const APART: u8 = 0x80;

/// A parcel costs its reader so many decisions and bytes at the most.
const WORK_MAX: usize = 96 << 20;

/// What sender and receiver of a parcel both hold, so that it is not sent.
///
/// The sender answers for entries that the receiver said it holds durably; the receiver looks
/// into its log.
pub trait Shared {
    /// The node that packs, and the node that unpacks.
    fn ends(&self) -> Option<[NodeId; 2]>;

    /// Sender: the newest entry of a stream that the receiver holds.
    fn newest(&self, stream: &Stream) -> Option<Entry>;

    /// Sender: the entry before this one in its chart and stream, if the receiver holds it.
    fn before(&self, entry: &Entry) -> Option<Entry>;

    /// Receiver: the entry of an address.
    fn entry(&self, address: &Address) -> Option<Entry>;
}

/// Nothing is shared: the parcel can be read by everybody.
#[derive(Debug, Clone, Copy)]
pub struct Nothing;

impl Shared for Nothing {
    fn ends(&self) -> Option<[NodeId; 2]> {
        None
    }
    fn newest(&self, _stream: &Stream) -> Option<Entry> {
        None
    }
    fn before(&self, _entry: &Entry) -> Option<Entry> {
        None
    }
    fn entry(&self, _address: &Address) -> Option<Entry> {
        None
    }
}

/// Sender and receiver alone are shared, and no entry.
#[derive(Debug, Clone, Copy)]
pub struct Between(pub [NodeId; 2]);

impl Shared for Between {
    fn ends(&self) -> Option<[NodeId; 2]> {
        Some(self.0)
    }
    fn newest(&self, _stream: &Stream) -> Option<Entry> {
        None
    }
    fn before(&self, _entry: &Entry) -> Option<Entry> {
        None
    }
    fn entry(&self, _address: &Address) -> Option<Entry> {
        None
    }
}

/// Packs a parcel.
pub fn encode(parcel: &Parcel, shared: &dyn Shared) -> Vec<u8> {
    encode_with(parcel, shared, &Priors::known()).0
}

/// Packs a parcel, and gives the chances as they are afterwards: how priors are made.
pub fn encode_with(
    parcel: &Parcel,
    shared: &dyn Shared,
    priors: &std::sync::Arc<Priors>,
) -> (Vec<u8>, model::Learnt) {
    let attempt = |texts| {
        let coding = Coding::new(Writer::new(), priors.clone(), texts);
        let mut whole = Whole(Entries { coding, before: Before::default(), shared });
        let outcome = whole.parcel(Some(parcel));
        (outcome.is_ok(), whole.0.coding)
    };
    let (fits, coding) = attempt(Texts::Within(LETTERS_MAX));
    if fits {
        let (writer, learnt) = coding.model.into_parts();
        return ([&[FORMAT][..], &writer.finish()].concat(), learnt);
    }
    let (_, coding) = attempt(Texts::Apart { bytes: vec![], at: 0 });
    let Texts::Apart { bytes: texts, .. } = coding.texts else { unreachable!("texts stay apart") };
    let (writer, learnt) = coding.model.into_parts();
    let mut to = vec![FORMAT | APART];
    put_bytes(&mut to, &writer.finish());
    to.extend_from_slice(&compress_best(&texts));
    (to, learnt)
}

/// What the decisions of each kind cost in a parcel, bits: for measuring.
pub fn weigh(parcel: &Parcel, shared: &dyn Shared) -> [f64; model::KINDS + 1] {
    let coding = Coding::new(Scale::default(), Priors::known(), Texts::Within(LETTERS_MAX));
    let mut whole = Whole(Entries { coding, before: Before::default(), shared });
    let _ = whole.parcel(Some(parcel));
    whole.0.coding.model.into_parts().0.bits
}

/// Unpacks a parcel. Nothing in it is trusted yet: check each batch.
pub fn decode(bytes: &[u8], shared: &dyn Shared) -> Result<Parcel, BadParcel> {
    open(bytes, shared)?.parcel(None)
}

/// The certificates of a parcel, which can be read whatever the receiver holds.
pub fn certificates(bytes: &[u8]) -> Result<Vec<Certificate>, BadParcel> {
    open(bytes, &Nothing)?.certificates(&[])
}

fn open<'a>(bytes: &'a [u8], shared: &'a dyn Shared) -> Result<Whole<'a, Reader<'a>>, BadParcel> {
    let mut from = ondol_kernel::bytes::Reader::new(bytes);
    let (decisions, texts) = match from.byte()? {
        FORMAT => (from.rest(), Texts::Within(LETTERS_MAX)),
        format if format == FORMAT | APART => {
            let decisions = from.bytes()?;
            let bytes = decompress(from.rest()).ok_or(BadParcel::Compression)?;
            (decisions, Texts::Apart { bytes, at: 0 })
        }
        format => return Err(BadParcel::UnknownFormat(format)),
    };
    let coding = Coding::new(Reader::new(decisions, WORK_MAX), Priors::known(), texts);
    Ok(Whole(Entries { coding, before: Before::default(), shared }))
}

/// A parcel on its way.
struct Whole<'a, S>(Entries<'a, S>);

/// Three contexts for a field.
const fn field(number: u32) -> [u32; 3] {
    [number, number ^ 0x1000, number ^ 0x2000]
}

impl<S: Side> Whole<'_, S> {
    fn number(&mut self, which: u32, told: u64) -> Result<u64, BadBytes> {
        self.0.coding.model.number(Kind::Parcel, &field(which), told)
    }

    fn flag(&mut self, which: u32, told: bool) -> Result<bool, BadBytes> {
        self.0.coding.model.flag(Kind::Parcel, &field(which), told)
    }

    fn raw<const N: usize>(&mut self, told: Option<&[u8; N]>) -> Result<[u8; N], BadBytes> {
        self.0.coding.model.charge(N)?;
        self.0.coding.model.raw(told.unwrap_or(&[0; N]))
    }

    fn parcel(&mut self, told: Option<&Parcel>) -> Result<Parcel, BadParcel> {
        let certificates = self.certificates(told.map_or(&[], |parcel| &parcel.certificates))?;
        let told = told.map_or(&[][..], |parcel| &parcel.batches);
        let first = told.first().map(|batch| batch.seal.stream);
        let mut stream = self.anchor(first)?;
        let count = self.number(4, told.len() as u64)?;
        let mut batches = vec![];
        for at in 0..count {
            let told = usize::try_from(at).ok().and_then(|at| told.get(at));
            let batch = self.batch(stream, told)?;
            stream = Some(batch.seal.stream);
            batches.push(batch);
        }
        Ok(Parcel { certificates, batches })
    }

    fn certificates(&mut self, told: &[Certificate]) -> Result<Vec<Certificate>, BadParcel> {
        let count = self.number(1, told.len() as u64)?;
        let mut certificates = vec![];
        for at in 0..count {
            let told = usize::try_from(at).ok().and_then(|at| told.get(at));
            let bytes = told.map(Certificate::to_bytes).unwrap_or_default();
            let length = self.number(2, bytes.len() as u64)?;
            let mut read = vec![];
            for at in 0..length {
                let told = usize::try_from(at).ok().and_then(|at| bytes.get(at));
                let [byte] = self.raw(told.map(|&byte| [byte]).as_ref())?;
                read.push(byte);
            }
            certificates.push(Certificate::from_bytes(&read)?);
        }
        Ok(certificates)
    }

    /// An entry that the receiver holds, to compare with.
    fn anchor(&mut self, told: Option<Stream>) -> Result<Option<Stream>, BadParcel> {
        let anchor = told.and_then(|stream| self.0.shared.newest(&stream));
        if !self.flag(3, anchor.is_some())? {
            return Ok(None);
        }
        let stream = self.stream(anchor.as_ref().map(|entry| entry.address.stream))?;
        let number = self.number(5, anchor.as_ref().map_or(0, |entry| entry.address.number))?;
        if number == 0 {
            return Err(BadBytes.into());
        }
        let at = stream.at(number);
        let anchor = match anchor {
            Some(anchor) => anchor,
            None => self.0.shared.entry(&at).ok_or(BadParcel::NotHeld(at))?,
        };
        self.0.begin_behind(&anchor);
        Ok(Some(stream))
    }

    fn stream(&mut self, told: Option<Stream>) -> Result<Stream, BadParcel> {
        let ends = self.0.shared.ends();
        let origin = told.map(|stream| stream.origin);
        let end = ends.and_then(|ends| ends.iter().position(|end| Some(*end) == origin));
        let which = self.number(6, end.map_or(0, |end| end as u64 + 1))?;
        let origin = match (which, ends) {
            (0, _) => NodeId(self.raw(origin.map(|origin| origin.0).as_ref())?),
            (which @ 1..=2, Some(ends)) => ends[usize::from(which == 2)],
            _ => return Err(BadBytes.into()),
        };
        let incarnation = told.map_or(0, |stream| stream.incarnation);
        let incarnation = self.number(7, incarnation.into())?;
        let incarnation = u32::try_from(incarnation).map_err(|_| BadBytes)?;
        let class = told.map_or(0, |stream| stream.class.code());
        let class = self.number(8, class.into())?;
        let class = u8::try_from(class).ok().and_then(ondol_kernel::Class::from_code);
        Ok(Stream { origin, incarnation, class: class.ok_or(BadBytes)? })
    }

    fn batch(&mut self, last: Option<Stream>, told: Option<&Batch>) -> Result<Batch, BadParcel> {
        let seal = told.map(|batch| &batch.seal);
        let same = last.is_some() && seal.map(|seal| seal.stream) == last;
        let stream = match (last, last.is_some() && self.flag(9, same)?) {
            (Some(last), true) => last,
            _ => {
                self.0.before.number = 0;
                self.stream(seal.map(|seal| seal.stream))?
            }
        };
        let before = self.0.before.number;
        let first = seal.map_or(0, |seal| seal.first.wrapping_sub(before).wrapping_sub(1));
        let first = self.number(10, first)?.wrapping_add(before).wrapping_add(1);
        let length = seal.map_or(0, |seal| seal.last.wrapping_sub(seal.first));
        let length = self.number(11, length)?;
        let last = first.wrapping_add(length);
        let is_selection = told.is_some_and(|batch| batch.paths.is_some());
        let is_selection = self.flag(12, is_selection)?;
        let count = told.map_or(0, |batch| batch.entries.len() as u64);
        let complete = length.wrapping_add(1);
        let count =
            if self.flag(13, count == complete)? { complete } else { self.number(14, count)? };
        self.0.before.number = first.wrapping_sub(1);
        let mut entries = vec![];
        for at in 0..count {
            let told = usize::try_from(at).ok().and_then(|at| told?.entries.get(at));
            entries.push(self.0.entry(stream, told)?);
        }
        let told_paths = told.and_then(|batch| batch.paths.as_deref()).unwrap_or(&[]);
        let paths = if is_selection { Some(self.paths(told_paths)?) } else { None };
        let root = match told {
            Some(batch) => root(&batch.entries, batch.paths.as_deref()),
            None => root(&entries, paths.as_deref()),
        };
        let sealed = seal.map(|seal| seal.root);
        let root =
            if self.flag(15, sealed == Some(root))? { root } else { self.raw(sealed.as_ref())? };
        let signature = self.raw(seal.map(|seal| &seal.signature))?;
        Ok(Batch { seal: Seal { stream, first, last, root, signature }, entries, paths })
    }

    fn paths(
        &mut self,
        told: &[(ChartId, Vec<Step>)],
    ) -> Result<Vec<(ChartId, Vec<Step>)>, BadParcel> {
        let count = self.number(16, told.len() as u64)?;
        let mut paths = vec![];
        let mut hashes: Vec<[u8; 32]> = vec![];
        for at in 0..count {
            let told = usize::try_from(at).ok().and_then(|at| told.get(at));
            let chart = self.0.known_chart(told.map(|(chart, _)| chart))?;
            let told = told.map_or(&[][..], |(_, path)| path);
            let length = self.number(17, told.len() as u64)?;
            if length > 64 {
                return Err(BadBytes.into());
            }
            let mut path = vec![];
            for at in 0..length {
                let told = usize::try_from(at).ok().and_then(|at| told.get(at));
                let left = self.flag(18, told.is_some_and(|step| step.left))?;
                let came = told.and_then(|step| hashes.iter().rposition(|h| *h == step.hash));
                let came = came.map_or(0, |place| hashes.len() - place);
                let came = usize::try_from(self.number(19, came as u64)?).map_err(|_| BadBytes)?;
                let hash = match came {
                    0 => self.raw(told.map(|step| &step.hash))?,
                    _ => hashes[hashes.len().checked_sub(came).ok_or(BadBytes)?],
                };
                if came == 0 {
                    hashes.push(hash);
                }
                path.push(Step { hash, left });
            }
            paths.push((chart, path));
        }
        Ok(paths)
    }
}

/// The root to which entries lead, by themselves or by the path of one of their charts.
fn root(entries: &[Entry], paths: Option<&[(ChartId, Vec<Step>)]>) -> [u8; 32] {
    let mut heads: BTreeMap<&ChartId, SealedHead> = BTreeMap::new();
    for entry in entries {
        let (chart, chart_number) = (entry.chart.clone(), entry.chart_number);
        heads.insert(&entry.chart, SealedHead { chart, chart_number, hash: entry.hash() });
    }
    match paths {
        None => Tree::new(&heads.into_values().collect::<Vec<_>>()).root(),
        Some(paths) => paths
            .first()
            .and_then(|(chart, path)| Some(climb(heads.get(chart)?, path)))
            .unwrap_or([0; 32]),
    }
}
