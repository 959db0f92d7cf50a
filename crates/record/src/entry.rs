//! An entry: one atomic change to one chart, and its canonical bytes (ADR 0002).

use std::fmt;

use ondol_kernel::{
    Hlc, Millis, ResourceId,
    bytes::{self, BadBytes, Reader, put_bytes, put_number},
};
use thiserror::Error;

use crate::{Address, Body, ChartId, VersionId};

/// The only format so far. A node reads all older ones.
pub const FORMAT: u8 = 1;

/// A flag of an entry: the machine's clock was in doubt when it was written.
const FLAG_CLOCK_DOUBTFUL: u8 = 1;

/// The longest entry that is read, bytes. One transaction of a large import stays below it.
pub const ENTRY_BYTES_MAX: usize = 64 << 20;

/// The hash of an entry's canonical bytes, which chains its chart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryHash(pub [u8; 32]);

impl EntryHash {
    /// What the first entry of a chain names as its predecessor.
    pub const NONE: Self = Self([0; 32]);
}

impl fmt::Debug for EntryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryHash({})", bytes::to_hex(&self.0))
    }
}

/// Entries that one transaction wrote: consecutive numbers of one stream, committed together at
/// their origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// How many entries; at least 2.
    pub size: u32,
    /// The place of this one, from 0.
    pub index: u32,
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ChangeKind {
    /// A new version with content.
    Put = 0,
    /// The resource is taken back, with a reason.
    Retract = 1,
    /// The resource belongs to another chart, where its next version stands.
    Forward = 2,
}

/// The content of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The resource.
    Put(Body),
    /// Why it was taken back; empty when no reason was given.
    Retract(Box<str>),
    /// The right chart.
    Forward(ChartId),
}

/// One resource of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The resource type's name.
    pub resource_type: Box<str>,
    /// The resource's id.
    pub id: ResourceId,
    /// Whether the id is derived from the address, so that it need not be written down.
    pub id_is_derived: bool,
    /// The heads that the author had seen.
    pub supersedes: Vec<VersionId>,
    /// What was done.
    pub content: Content,
}

impl Change {
    /// What was done, without the content.
    pub const fn kind(&self) -> ChangeKind {
        match self.content {
            Content::Put(_) => ChangeKind::Put,
            Content::Retract(_) => ChangeKind::Retract,
            Content::Forward(_) => ChangeKind::Forward,
        }
    }
}

/// One atomic change to one chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is called.
    pub address: Address,
    /// The chart it changes.
    pub chart: ChartId,
    /// Its place among the entries of this stream in this chart, from 1.
    pub chart_number: u64,
    /// The hash of the entry before it there.
    pub previous: EntryHash,
    /// The time of writing.
    pub hlc: Hlc,
    /// Whether the machine's clock was in doubt.
    pub clock_doubtful: bool,
    /// The time of care, where it is not the time of writing.
    pub care_time: Option<Millis>,
    /// Who is responsible: a FHIR reference, or empty for the node itself.
    pub author: Box<str>,
    /// Who typed, where that was another: a FHIR reference, or empty.
    pub typist: Box<str>,
    /// Set when one transaction wrote several charts.
    pub group: Option<Group>,
    /// The resources, at least one.
    pub changes: Vec<Change>,
}

/// The bytes are no entry of a format that this node reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadEntry {
    /// A newer node wrote it.
    #[error("entry format {0} is newer than this node reads; upgrade this node")]
    UnknownFormat(u8),
    /// Its content is sealed to facilities of which this is none.
    #[error("the entry is sealed to other facilities")]
    Sealed,
    /// Damaged or forged.
    #[error("the bytes are not a canonical entry")]
    Bytes(#[from] BadBytes),
}

impl Entry {
    /// The canonical bytes: what is hashed, chained and signed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Vec::with_capacity(256 + self.changes.len() * 700);
        to.push(FORMAT);
        self.address.put(&mut to);
        self.chart.put(&mut to);
        put_number(&mut to, self.chart_number);
        to.extend_from_slice(&self.previous.0);
        put_number(&mut to, self.hlc.bits());
        to.push(if self.clock_doubtful { FLAG_CLOCK_DOUBTFUL } else { 0 });
        match self.care_time {
            None => to.push(0),
            Some(at) => {
                to.push(1);
                to.extend_from_slice(&at.0.to_le_bytes());
            }
        }
        put_bytes(&mut to, self.author.as_bytes());
        put_bytes(&mut to, self.typist.as_bytes());
        let (size, index) = self.group.map_or((0, 0), |group| (group.size, group.index));
        put_number(&mut to, u64::from(size));
        put_number(&mut to, u64::from(index));
        to.push(PAYLOAD_PLAIN);
        put_number(&mut to, self.changes.len() as u64);
        for change in &self.changes {
            put_change(&mut to, change);
        }
        to
    }

    /// Reads canonical bytes. Anything else than what [`Entry::to_bytes`] writes is refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadEntry> {
        let mut from = Reader::new(bytes);
        let format = from.byte()?;
        if format != FORMAT {
            return Err(BadEntry::UnknownFormat(format));
        }
        let address = Address::read(&mut from)?;
        let chart = ChartId::read(&mut from)?;
        let chart_number = from.number()?;
        let previous = EntryHash(from.array()?);
        let is_first = chart_number == 1;
        if chart_number == 0 || is_first != (previous == EntryHash::NONE) {
            return Err(BadBytes.into());
        }
        let hlc = Hlc::from_bits(from.number()?);
        let clock_doubtful = match from.byte()? {
            0 => false,
            FLAG_CLOCK_DOUBTFUL => true,
            _ => return Err(BadBytes.into()),
        };
        let care_time = match from.byte()? {
            0 => None,
            1 => Some(Millis(i64::from_le_bytes(from.array()?))),
            _ => return Err(BadBytes.into()),
        };
        let author = read_reference(&mut from)?;
        let typist = read_reference(&mut from)?;
        let group = read_group(&mut from)?;
        match from.byte()? {
            PAYLOAD_PLAIN => {}
            PAYLOAD_SEALED => return Err(BadEntry::Sealed),
            _ => return Err(BadBytes.into()),
        }
        let count = from.size(from.rest().len())?;
        let mut changes = Vec::with_capacity(count.min(1024));
        for ordinal in 0..count {
            let ordinal = u32::try_from(ordinal).map_err(|_| BadBytes)?;
            changes.push(read_change(&mut from, &address, hlc, ordinal)?);
        }
        if changes.is_empty() || !from.is_empty() {
            return Err(BadBytes.into());
        }
        Ok(Self {
            address,
            chart,
            chart_number,
            previous,
            hlc,
            clock_doubtful,
            care_time,
            author,
            typist,
            group,
            changes,
        })
    }

    /// The hash of canonical bytes (ADR 0002).
    pub fn hash_bytes(bytes: &[u8]) -> EntryHash {
        EntryHash(blake3::derive_key("ondol 1 entry", bytes))
    }

    /// The hash of this entry.
    pub fn hash(&self) -> EntryHash {
        Self::hash_bytes(&self.to_bytes())
    }

    /// The version id of the change at `ordinal`.
    pub fn version_id(&self, ordinal: u32) -> VersionId {
        derive_version(&self.address, self.hlc, ordinal)
    }
}

const PAYLOAD_PLAIN: u8 = 0;
const PAYLOAD_SEALED: u8 = 1;
const ID_DERIVED: u8 = 0;
const ID_GIVEN: u8 = 1;

/// A FHIR reference, or empty. Control characters are refused: parcels use them as marks.
fn read_reference(from: &mut Reader<'_>) -> Result<Box<str>, BadBytes> {
    let text = from.text()?;
    if text.bytes().all(|b| b >= 0x20) { Ok(text.into()) } else { Err(BadBytes) }
}

fn read_group(from: &mut Reader<'_>) -> Result<Option<Group>, BadBytes> {
    let mut number = || u32::try_from(from.number()?).map_err(|_| BadBytes);
    let (size, index) = (number()?, number()?);
    match size {
        0 if index == 0 => Ok(None),
        2.. if index < size => Ok(Some(Group { size, index })),
        _ => Err(BadBytes),
    }
}

fn put_change(to: &mut Vec<u8>, change: &Change) {
    to.push(change.kind() as u8);
    put_bytes(to, change.resource_type.as_bytes());
    if change.id_is_derived {
        to.push(ID_DERIVED);
    } else {
        to.push(ID_GIVEN);
        put_bytes(to, change.id.as_str().as_bytes());
    }
    put_number(to, change.supersedes.len() as u64);
    for version in &change.supersedes {
        to.extend_from_slice(&version.0);
    }
    match &change.content {
        Content::Put(body) => put_bytes(to, body.as_str().as_bytes()),
        Content::Retract(reason) => put_bytes(to, reason.as_bytes()),
        Content::Forward(chart) => chart.put(to),
    }
}

fn read_change(
    from: &mut Reader<'_>,
    address: &Address,
    hlc: Hlc,
    ordinal: u32,
) -> Result<Change, BadBytes> {
    let kind = from.byte()?;
    let resource_type = from.text()?;
    let name_fits = (1..=64).contains(&resource_type.len())
        && resource_type.bytes().all(|b| b.is_ascii_alphanumeric());
    if !name_fits {
        return Err(BadBytes);
    }
    let (id, id_is_derived) = match from.byte()? {
        ID_DERIVED => (derive_id(address, hlc, ordinal), true),
        ID_GIVEN => (ResourceId::new(from.text()?).map_err(|_| BadBytes)?, false),
        _ => return Err(BadBytes),
    };
    let count = from.size(from.rest().len() / 8)?;
    let supersedes =
        (0..count).map(|_| Ok(VersionId(from.array()?))).collect::<Result<Vec<_>, BadBytes>>()?;
    let content = match kind {
        0 => Content::Put(Body::from_canonical(from.text()?).ok_or(BadBytes)?),
        1 => Content::Retract(from.text()?.into()),
        2 => Content::Forward(ChartId::read(from)?),
        _ => return Err(BadBytes),
    };
    Ok(Change { resource_type: resource_type.into(), id, id_is_derived, supersedes, content })
}

/// (address, stamp, ordinal) as bytes: what ids are derived from.
fn place(address: &Address, hlc: Hlc, ordinal: u32) -> Vec<u8> {
    let mut place = Vec::with_capacity(40);
    address.put(&mut place);
    put_number(&mut place, hlc.bits());
    put_number(&mut place, u64::from(ordinal));
    place
}

/// The id of a new resource: a UUID of version 8 (RFC 9562, 5.8) whose 122 free bits are the
/// first of the BLAKE3 derivation of (address, stamp, ordinal) (ADR 0002).
pub fn derive_id(address: &Address, hlc: Hlc, ordinal: u32) -> ResourceId {
    let hash = blake3::derive_key("ondol 1 resource id", &place(address, hlc, ordinal));
    let mut uuid = [0; 16];
    uuid.copy_from_slice(&hash[..16]);
    uuid[6] = uuid[6] & 0x0f | 0x80;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    ResourceId::from_uuid(uuid)
}

/// The name of the version that a change makes (ADR 0002).
pub fn derive_version(address: &Address, hlc: Hlc, ordinal: u32) -> VersionId {
    let hash = blake3::derive_key("ondol 1 version id", &place(address, hlc, ordinal));
    let mut id = [0; 8];
    id.copy_from_slice(&hash[..8]);
    VersionId(id)
}
