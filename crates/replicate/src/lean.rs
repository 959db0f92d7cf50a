//! An entry without what its parcel says already (ADR 0009).
//!
//! JSON text has no bytes below 0x20, so that two of them can stand for ids: `0x01 n` is the id
//! derived for the n-th resource of the same entry, `0x02 n` the n-th id of the parcel's table.

use std::{cell::Cell, collections::HashMap};

use ondol_kernel::{
    Hlc, Millis, ResourceId,
    bytes::{BadBytes, Reader, put_bytes, put_number, to_hex},
};
use ondol_record::{
    Address, Body, Change, ChartId, ChartKind, Entry, EntryHash, Group, Stream, VersionId,
    entry::{BadEntry, Content, derive_id},
};

/// So many bytes of text are unfolded from one parcel at the most.
const UNFOLDED_MAX: usize = 64 << 20;

/// Before the number of an entry's resources is known, a text may name so many.
const RESOURCES_MAX: usize = 1 << 16;

const DERIVED: u8 = 1;
const TABLED: u8 = 2;

/// The UUIDs of a parcel that are not derived from their entry, each once.
#[derive(Debug, Default)]
pub struct Ids {
    table: Vec<[u8; 16]>,
    places: HashMap<[u8; 16], u64>,
    /// Bytes of text that were unfolded with them.
    unfolded: Cell<usize>,
}

impl Ids {
    fn place(&mut self, id: [u8; 16]) -> u64 {
        *self.places.entry(id).or_insert_with(|| {
            self.table.push(id);
            self.table.len() as u64 - 1
        })
    }

    /// Appends the table.
    pub fn put(&self, to: &mut Vec<u8>) {
        put_number(to, self.table.len() as u64);
        for id in &self.table {
            to.extend_from_slice(id);
        }
    }

    /// Reads what [`Ids::put`] wrote.
    pub fn read(from: &mut Reader<'_>) -> Result<Self, BadBytes> {
        let count = from.size(from.rest().len() / 16)?;
        let table = (0..count).map(|_| from.array()).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { table, ..Self::default() })
    }
}

/// Turns ids in texts into references to places, or back.
struct Folded<'a> {
    derived: HashMap<[u8; 16], u64>,
    ids: &'a mut Ids,
}

impl Folded<'_> {
    fn put_text(&mut self, to: &mut Vec<u8>, text: &str) {
        let mut folded = Vec::with_capacity(text.len());
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            match uuid_at(bytes, at) {
                Some(id) => {
                    let (mark, place) = match self.derived.get(&id) {
                        Some(&ordinal) => (DERIVED, ordinal),
                        None => (TABLED, self.ids.place(id)),
                    };
                    folded.push(mark);
                    put_number(&mut folded, place);
                    at += 36;
                }
                None => {
                    folded.push(bytes[at]);
                    at += 1;
                }
            }
        }
        put_bytes(to, &folded);
    }
}

/// The UUID in lower case that begins at `at`, if it does not go on as a longer word.
fn uuid_at(bytes: &[u8], at: usize) -> Option<[u8; 16]> {
    let text = bytes.get(at..at + 36)?;
    if text[8] != b'-' || text[13] != b'-' || text[18] != b'-' || text[23] != b'-' {
        return None;
    }
    ResourceId::new(std::str::from_utf8(text).ok()?).ok()?.as_uuid()
}

fn unfold(from: &mut Reader<'_>, derived: &Derived, ids: &Ids) -> Result<String, BadBytes> {
    let mut folded = Reader::new(from.bytes()?);
    let mut text = Vec::with_capacity(folded.rest().len() * 2);
    while !folded.is_empty() {
        match folded.byte()? {
            DERIVED => {
                let place = folded.size(derived.count.checked_sub(1).ok_or(BadBytes)?)?;
                text.extend_from_slice(derived.id(place).as_str().as_bytes());
            }
            TABLED => {
                let place = folded.size(ids.table.len().checked_sub(1).ok_or(BadBytes)?)?;
                text.extend_from_slice(uuid_text(&ids.table[place]).as_bytes());
            }
            byte => text.push(byte),
        }
        // Two bytes can stand for 36.
        if text.len() > UNFOLDED_MAX - ids.unfolded.get() {
            return Err(BadBytes);
        }
    }
    ids.unfolded.set(ids.unfolded.get() + text.len());
    String::from_utf8(text).map_err(|_| BadBytes)
}

fn uuid_text(id: &[u8; 16]) -> String {
    let hex = to_hex(id);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

const CLOCK_DOUBTFUL: u8 = 1;
const HAS_CARE_TIME: u8 = 2;
const HAS_TYPIST: u8 = 4;
const HAS_GROUP: u8 = 8;
const HAS_PREVIOUS: u8 = 16;

/// Appends an entry of a batch whose numbers start at `first`.
pub fn put_entry(to: &mut Vec<u8>, entry: &Entry, first: u64, ids: &mut Ids) {
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    to.push(
        flag(entry.clock_doubtful, CLOCK_DOUBTFUL)
            | flag(entry.care_time.is_some(), HAS_CARE_TIME)
            | flag(!entry.typist.is_empty(), HAS_TYPIST)
            | flag(entry.group.is_some(), HAS_GROUP)
            | flag(entry.previous != EntryHash::NONE, HAS_PREVIOUS),
    );
    put_number(to, entry.address.number - first);
    put_number(to, entry.hlc.bits() >> 16);
    put_number(to, entry.hlc.bits() & 0xffff);
    put_number(to, entry.chart_number);
    if entry.previous != EntryHash::NONE {
        to.extend_from_slice(&entry.previous.0);
    }
    if let Some(at) = entry.care_time {
        to.extend_from_slice(&at.0.to_le_bytes());
    }
    if let Some(group) = entry.group {
        put_number(to, u64::from(group.size));
        put_number(to, u64::from(group.index));
    }
    let uuids = entry.changes.iter().enumerate().filter(|(_, change)| change.id_is_derived);
    let derived =
        uuids.filter_map(|(at, change)| Some((change.id.as_uuid()?, at as u64))).collect();
    let mut folded = Folded { derived, ids };
    to.push(entry.chart.kind() as u8);
    folded.put_text(to, entry.chart.subject());
    folded.put_text(to, &entry.author);
    if !entry.typist.is_empty() {
        folded.put_text(to, &entry.typist);
    }
    put_number(to, entry.changes.len() as u64);
    for change in &entry.changes {
        put_change(to, change, &mut folded);
    }
}

fn put_change(to: &mut Vec<u8>, change: &Change, folded: &mut Folded<'_>) {
    to.push(change.kind() as u8 | if change.id_is_derived { 0 } else { 0x80 });
    put_bytes(to, change.resource_type.as_bytes());
    if !change.id_is_derived {
        folded.put_text(to, change.id.as_str());
    }
    put_number(to, change.supersedes.len() as u64);
    for version in &change.supersedes {
        to.extend_from_slice(&version.0);
    }
    match &change.content {
        Content::Put(body) => folded.put_text(to, body.as_str()),
        Content::Retract(reason) => put_bytes(to, reason.as_bytes()),
        Content::Forward(chart) => chart.put(to),
    }
}

/// Reads what [`put_entry`] wrote.
pub fn read_entry(
    from: &mut Reader<'_>,
    stream: &Stream,
    first: u64,
    ids: &Ids,
) -> Result<Entry, BadEntry> {
    let flags = from.byte()?;
    if flags >= HAS_PREVIOUS << 1 {
        return Err(BadBytes.into());
    }
    let number = first.checked_add(from.number()?).ok_or(BadBytes)?;
    let address = stream.at(number);
    let (ms, tick) = (from.number()?, from.number()?);
    if ms >= 1 << 48 || tick > 0xffff {
        return Err(BadBytes.into());
    }
    let hlc = Hlc::from_bits(ms << 16 | tick);
    let chart_number = from.number()?;
    let previous =
        if flags & HAS_PREVIOUS == 0 { EntryHash::NONE } else { EntryHash(from.array()?) };
    let care_time = match flags & HAS_CARE_TIME {
        0 => None,
        _ => Some(Millis(i64::from_le_bytes(from.array()?))),
    };
    let group = match flags & HAS_GROUP {
        0 => None,
        _ => Some(Group { size: small(from)?, index: small(from)? }),
    };
    let kind = ChartKind::from_code(from.byte()?).ok_or(BadBytes)?;
    // The chart's subject may itself be derived: ids are made as they are asked for.
    let mut derived = Derived { address, hlc, count: RESOURCES_MAX };
    let subject = unfold(from, &derived, ids)?;
    let chart = ChartId::of(kind, &subject).ok_or(BadBytes)?;
    let author = unfold(from, &derived, ids)?.into();
    let typist = match flags & HAS_TYPIST {
        0 => "".into(),
        _ => unfold(from, &derived, ids)?.into(),
    };
    let count = from.size(from.rest().len())?;
    let mut changes = Vec::with_capacity(count.min(1024));
    derived.count = count;
    for ordinal in 0..count {
        changes.push(read_change(from, &derived, ordinal, ids)?);
    }
    let entry = Entry {
        address,
        chart,
        chart_number,
        previous,
        hlc,
        clock_doubtful: flags & CLOCK_DOUBTFUL != 0,
        care_time,
        author,
        typist,
        group,
        changes,
    };
    // One way to say a thing: what is not canonical is refused, as it would be on disk.
    Entry::from_bytes(&entry.to_bytes())
}

/// The ids that an entry derives for its resources, each made when it is asked for: how many
/// there are is told by whoever packed it.
struct Derived {
    address: Address,
    hlc: Hlc,
    /// How many resources there are.
    count: usize,
}

impl Derived {
    fn id(&self, ordinal: usize) -> ResourceId {
        derive_id(&self.address, self.hlc, u32::try_from(ordinal).unwrap_or(u32::MAX))
    }
}

fn small(from: &mut Reader<'_>) -> Result<u32, BadBytes> {
    u32::try_from(from.number()?).map_err(|_| BadBytes)
}

fn read_change(
    from: &mut Reader<'_>,
    derived: &Derived,
    ordinal: usize,
    ids: &Ids,
) -> Result<Change, BadBytes> {
    let kind = from.byte()?;
    let resource_type = from.text()?.into();
    let id_is_derived = kind & 0x80 == 0;
    let id = if id_is_derived {
        derived.id(ordinal)
    } else {
        ResourceId::new(&unfold(from, derived, ids)?).map_err(|_| BadBytes)?
    };
    let count = from.size(from.rest().len() / 8)?;
    let supersedes =
        (0..count).map(|_| Ok(VersionId(from.array()?))).collect::<Result<Vec<_>, BadBytes>>()?;
    let content = match kind & 0x7f {
        0 => {
            let text = unfold(from, derived, ids)?;
            Content::Put(Body::from_canonical(&text).ok_or(BadBytes)?)
        }
        1 => Content::Retract(from.text()?.into()),
        2 => Content::Forward(ChartId::read(from)?),
        _ => return Err(BadBytes),
    };
    Ok(Change { resource_type, id, id_is_derived, supersedes, content })
}
