//! Entries of a parcel, field by field (ADR 0013).

use std::{collections::HashMap, sync::Arc};

use ondol_kernel::{Hlc, Millis, ResourceId, bytes::BadBytes};
use ondol_record::{
    Address, Body, Change, ChartId, ChartKind, Entry, EntryHash, Group, Stream, VersionId,
    entry::{Content, derive_version},
};

use super::{
    Shared,
    coder::Side,
    coding::{Coding, Place, Scope},
    model::{Kind, mix},
    shape::{Cell, Shape, take_apart},
};
use crate::parcel::BadParcel;

/// An entry names so many resources at the most.
const CHANGES_MAX: usize = 1 << 20;

/// So many resources of an entry that the receiver holds are learnt from.
const LEARNT_MAX: usize = 32;

/// Shape numbers have so many bits.
const SHAPE_BITS: u32 = 12;

/// No more resources.
const END: u32 = 0;
/// A resource that is not taken apart, or none.
const WHOLE: u32 = 1;
/// A new shape.
const NEW: u32 = 2;
/// Where shapes begin.
const SHAPES: u32 = 3;

/// The newest entry of a chart and stream, as far as its follower wants to know it.
#[derive(Debug, Clone)]
pub struct Link {
    chart: ChartId,
    chart_number: u64,
    hash: EntryHash,
    address: Address,
    hlc: Hlc,
    ids: Arc<Vec<Option<[u8; 16]>>>,
}

impl Link {
    fn of(entry: &Entry) -> Self {
        Self {
            chart: entry.chart.clone(),
            chart_number: entry.chart_number,
            hash: entry.hash(),
            address: entry.address,
            hlc: entry.hlc,
            ids: Arc::new(entry.changes.iter().map(|change| change.id.as_uuid()).collect()),
        }
    }

    /// Whether an entry follows this one.
    fn leads_to(&self, entry: &Entry) -> bool {
        self.chart == entry.chart
            && self.address.stream == entry.address.stream
            && self.address.number < entry.address.number
            && self.chart_number.checked_add(1) == Some(entry.chart_number)
            && self.hash == entry.previous
    }
}

/// What is remembered from entry to entry.
#[derive(Default)]
pub struct Before {
    charts: Vec<ChartId>,
    chart_places: HashMap<ChartId, usize>,
    links: HashMap<(Stream, usize), Link>,
    /// The last number.
    pub number: u64,
    hlc: u64,
    author: Box<str>,
    typist: Box<str>,
    group: Option<Group>,
    class: u32,
}

/// Three contexts for a field.
const fn field(number: u32, more: u32) -> [u32; 3] {
    [number, number ^ more << 8, number ^ more << 8 ^ 0x40_0000]
}

const fn is(flag: bool) -> u32 {
    if flag { 1 } else { 0 }
}

/// The UUID at the end of a reference.
fn reference_id(reference: &str) -> Option<(&str, [u8; 16])> {
    let (kind, id) = reference.split_once('/')?;
    Some((kind, ResourceId::new(id).ok()?.as_uuid()?))
}

/// Entries on their way.
pub struct Entries<'a, S> {
    /// Cells and shapes.
    pub coding: Coding<S>,
    /// What is remembered.
    pub before: Before,
    /// What the receiver holds already.
    pub shared: &'a dyn Shared,
}

impl<S: Side> Entries<'_, S> {
    /// Lets an entry that the receiver holds be what the first one is compared with.
    pub fn begin_behind(&mut self, anchor: &Entry) {
        self.before.number = anchor.address.number;
        self.before.hlc = anchor.hlc.bits();
        self.before.author = anchor.author.clone();
        self.before.typist = anchor.typist.clone();
        self.coding.time = anchor.hlc.millis().0.div_euclid(1_000);
        for reference in [&anchor.author, &anchor.typist] {
            if let Some((_, id)) = reference_id(reference) {
                self.coding.remember_id(id);
            }
        }
        if let Ok(subject) = ResourceId::new(anchor.chart.subject())
            && let Some(id) = subject.as_uuid()
        {
            self.coding.scope.subject = Some(id);
        }
        for change in anchor.changes.iter().take(LEARNT_MAX) {
            let Content::Put(body) = &change.content else { continue };
            let Some((text, cells)) = take_apart(body.as_str()) else { continue };
            self.coding.learn(&change.resource_type, text, &cells);
        }
        self.coding.scope = Scope::default();
    }

    /// One entry: `told` by the writer.
    pub fn entry(&mut self, stream: Stream, told: Option<&Entry>) -> Result<Entry, BadParcel> {
        self.coding.model.charge(64)?;
        let number = self.number(told)?;
        let address = stream.at(number);
        let hlc = self.hlc(told)?;
        self.coding.scope =
            Scope { written: Some((address, hlc)), derived: derived(told), ..Scope::default() };
        let (chart, chart_number, previous) = self.chart(address, told)?;
        self.coding.scope.subject =
            ResourceId::new(chart.subject()).ok().and_then(|id| id.as_uuid());
        let clock_doubtful = told.is_some_and(|entry| entry.clock_doubtful);
        let clock_doubtful = self.coding.model.flag(Kind::Entry, &field(110, 0), clock_doubtful)?;
        let care_time = self.care_time(hlc, told)?;
        let author = self.reference(111, told.map(|entry| &*entry.author))?;
        self.coding.scope.author = reference_id(&author).map(|(_, id)| id);
        let typist = self.reference(112, told.map(|entry| &*entry.typist))?;
        let group = self.group(told)?;
        let changes = self.changes(told)?;
        if let Some(latest) = self.coding.scope.latest {
            self.coding.time = latest;
        }
        let entry = Entry {
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
        };
        // One way to say a thing: what is not canonical is refused, as it would be on disk.
        if !S::WRITES && !is_canonical(&entry) {
            return Err(BadBytes.into());
        }
        debug_assert!(S::WRITES || Entry::from_bytes(&entry.to_bytes()).as_ref() == Ok(&entry));
        self.remember(told.unwrap_or(&entry));
        Ok(entry)
    }

    fn remember(&mut self, entry: &Entry) {
        let next = self.before.charts.len();
        let place = *self.before.chart_places.entry(entry.chart.clone()).or_insert(next);
        if place == next {
            self.before.charts.push(entry.chart.clone());
        }
        self.before.links.insert((entry.address.stream, place), Link::of(entry));
        self.before.number = entry.address.number;
        self.before.hlc = entry.hlc.bits();
        self.before.author = entry.author.clone();
        self.before.typist = entry.typist.clone();
        self.before.group = entry.group;
    }

    fn number(&mut self, told: Option<&Entry>) -> Result<u64, BadBytes> {
        let last = self.before.number;
        let step = told.map_or(0, |entry| entry.address.number.wrapping_sub(last));
        let step = self.coding.model.number(Kind::Entry, &field(101, 0), step)?;
        let number = last.wrapping_add(step);
        if number == 0 { Err(BadBytes) } else { Ok(number) }
    }

    fn hlc(&mut self, told: Option<&Entry>) -> Result<Hlc, BadBytes> {
        let (last_ms, last_tick) = (self.before.hlc >> 16, self.before.hlc & 0xffff);
        let told = told.map_or(0, |entry| entry.hlc.bits());
        let grouped = is(self.before.group.is_some_and(|group| group.index + 1 < group.size));
        let step = (told >> 16).cast_signed() - last_ms.cast_signed();
        let step = self.coding.model.signed(Kind::Entry, &field(102, grouped), step)?;
        let ms = last_ms.cast_signed().checked_add(step).ok_or(BadBytes)?.cast_unsigned();
        let expected = if step == 0 { last_tick + 1 } else { 0 };
        let tick = (told & 0xffff).cast_signed() - expected.cast_signed();
        let tick = self.coding.model.signed(Kind::Entry, &field(103, is(step == 0)), tick)?;
        let tick = expected.cast_signed().checked_add(tick).ok_or(BadBytes)?.cast_unsigned();
        if ms >= 1 << 48 || tick > 0xffff {
            return Err(BadBytes);
        }
        Ok(Hlc::from_bits(ms << 16 | tick))
    }

    /// The chart, the place in it, and the hash before.
    fn chart(
        &mut self,
        address: Address,
        told: Option<&Entry>,
    ) -> Result<(ChartId, u64, EntryHash), BadParcel> {
        let came = told.and_then(|entry| self.before.chart_places.get(&entry.chart)).copied();
        let held = match (told, came) {
            (Some(entry), None) => self
                .shared
                .before(entry)
                .map(|before| Link::of(&before))
                .filter(|link| link.leads_to(entry)),
            _ => None,
        };
        let class = told.map_or(0, |entry| self.chart_class(entry, came, held.as_ref()));
        let contexts = field(104, self.before.class);
        let class = self.coding.model.symbol(Kind::Entry, &contexts, 2, class)?;
        self.before.class = class;
        if class == 0 {
            let step = held.as_ref().map_or(0, |link| address.number - link.address.number);
            let step = self.coding.model.number(Kind::Entry, &field(105, 0), step)?;
            let link = match held {
                Some(link) => link,
                None => {
                    let number = address.number.checked_sub(step).filter(|&n| n > 0);
                    let at = address.stream.at(number.ok_or(BadBytes)?);
                    let before = self.shared.entry(&at).ok_or(BadParcel::NotHeld(at))?;
                    Link::of(&before)
                }
            };
            return Ok(self.follow(&link)?);
        }
        let chart = match class {
            1 => self.chart_that_came(came)?,
            _ => self.named(told.map(|entry| &entry.chart))?,
        };
        let place = self.before.chart_places.get(&chart).copied();
        let link = place.and_then(|p| self.before.links.get(&(address.stream, p)).cloned());
        if let Some(link) = link {
            let follows = told.is_some_and(|entry| link.leads_to(entry));
            if self.coding.model.flag(Kind::Entry, &field(107, 0), follows)? {
                return Ok(self.follow(&link)?);
            }
        }
        let is_first = told.is_some_and(|entry| entry.chart_number == 1);
        if self.coding.model.flag(Kind::Entry, &field(108, class), is_first)? {
            return Ok((chart, 1, EntryHash::NONE));
        }
        let chart_number = told.map_or(0, |entry| entry.chart_number);
        let chart_number = self.coding.model.number(Kind::Entry, &field(109, 0), chart_number)?;
        let previous = self.coding.model.raw(&told.map_or([0; 32], |entry| entry.previous.0))?;
        Ok((chart, chart_number, EntryHash(previous)))
    }

    /// How the writer tells a chart: by the entry before that is held, as one that came, as one
    /// whose id is derived here, by its name.
    fn chart_class(&self, entry: &Entry, came: Option<usize>, held: Option<&Link>) -> u32 {
        let id = ResourceId::new(entry.chart.subject()).ok().and_then(|id| id.as_uuid());
        match (came, held) {
            (Some(_), _) => 1,
            (None, Some(_)) => 0,
            _ if id.is_some_and(|id| self.coding.scope.derived.contains_key(&id)) => 2,
            _ => 3,
        }
    }

    /// A chart of the parcel, by how many came after it.
    fn chart_that_came(&mut self, told: Option<usize>) -> Result<ChartId, BadBytes> {
        let last = self.before.charts.len().checked_sub(1).ok_or(BadBytes)?;
        let back = told.map_or(0, |place| last - place);
        let back = self.coding.model.number(Kind::Entry, &field(106, 0), back as u64)?;
        let back = usize::try_from(back).map_err(|_| BadBytes)?;
        Ok(self.before.charts[last.checked_sub(back).ok_or(BadBytes)?].clone())
    }

    /// A chart of the parcel, or any other.
    pub fn known_chart(&mut self, told: Option<&ChartId>) -> Result<ChartId, BadBytes> {
        let came = told.and_then(|chart| self.before.chart_places.get(chart)).copied();
        if self.coding.model.flag(Kind::Entry, &field(119, 0), came.is_some())? {
            let place = came.unwrap_or(0) as u64;
            let place = self.coding.model.number(Kind::Entry, &field(120, 0), place)?;
            let chart = usize::try_from(place).ok().and_then(|at| self.before.charts.get(at));
            return chart.cloned().ok_or(BadBytes);
        }
        self.named(told)
    }

    fn follow(&mut self, link: &Link) -> Result<(ChartId, u64, EntryHash), BadBytes> {
        let chart_number = link.chart_number.checked_add(1).ok_or(BadBytes)?;
        self.coding.scope.before = link.ids.clone();
        let outcome = (link.chart.clone(), chart_number, link.hash);
        self.coding.scope.before_at = Some((link.address, link.hlc));
        Ok(outcome)
    }

    /// A chart by its kind and whom it is about.
    pub fn named(&mut self, told: Option<&ChartId>) -> Result<ChartId, BadBytes> {
        let kind = told.map_or(0, |chart| chart.kind() as u32);
        let kind = self.coding.model.symbol(Kind::Entry, &field(113, 0), 2, kind)?;
        let kind = u8::try_from(kind).ok().and_then(ChartKind::from_code).ok_or(BadBytes)?;
        if kind == ChartKind::Nation {
            return Ok(ChartId::Nation);
        }
        let id = self.resource_id(Place::of(114), told.map(ChartId::subject))?;
        ChartId::of(kind, &id).ok_or(BadBytes)
    }

    /// The text of an id.
    fn resource_id(&mut self, place: Place, told: Option<&str>) -> Result<String, BadBytes> {
        let uuid = told.and_then(|id| ResourceId::new(id).ok()?.as_uuid());
        let contexts = field(115, place.column);
        if self.coding.model.flag(Kind::Entry, &contexts, uuid.is_some())? {
            let id = self.coding.id(place, uuid.unwrap_or_default())?;
            return Ok(ResourceId::from_uuid(id).to_string());
        }
        let text = self.coding.text(place, told.unwrap_or("").as_bytes())?;
        String::from_utf8(text).map_err(|_| BadBytes)
    }

    fn care_time(&mut self, hlc: Hlc, told: Option<&Entry>) -> Result<Option<Millis>, BadBytes> {
        const UNITS: [i64; 4] = [1, 1_000, 60_000, 86_400_000];
        let time = told.and_then(|entry| entry.care_time);
        if !self.coding.model.flag(Kind::Entry, &field(116, 0), time.is_some())? {
            return Ok(None);
        }
        let time = time.map_or(0, |time| time.0);
        let unit = UNITS.iter().rposition(|unit| time % unit == 0).unwrap_or(0);
        let unit = u32::try_from(unit).unwrap_or(0);
        let unit = self.coding.model.symbol(Kind::Entry, &field(117, 0), 2, unit)?;
        let length = UNITS[unit as usize & 3];
        let now = hlc.millis().0.div_euclid(length);
        let ago = now.wrapping_sub(time.div_euclid(length));
        let ago = self.coding.model.signed(Kind::Entry, &field(118, unit), ago)?;
        let at = now.wrapping_sub(ago).checked_mul(length).ok_or(BadBytes)?;
        self.coding.scope.care = Some(at.div_euclid(1_000));
        Ok(Some(Millis(at)))
    }

    /// Author or typist.
    fn reference(&mut self, number: u32, told: Option<&str>) -> Result<Box<str>, BadBytes> {
        let last = if number == 111 { &self.before.author } else { &self.before.typist };
        let last = last.clone();
        let parts = told.and_then(reference_id);
        let class = match told {
            None | Some("") => 0,
            Some(text) if *text == *last => 1,
            Some(_) => {
                if parts.is_some() {
                    2
                } else {
                    3
                }
            }
        };
        let class = self.coding.model.symbol(Kind::Entry, &field(number, 0), 2, class)?;
        let place = Place::of(number + 10);
        Ok(match class {
            0 => "".into(),
            1 => last,
            2 => {
                let (kind, id) = parts.unwrap_or_default();
                let kind = self.coding.text(place, kind.as_bytes())?;
                let kind = String::from_utf8(kind).map_err(|_| BadBytes)?;
                let id = self.coding.id(place, id)?;
                self.coding.remember_id(id);
                format!("{kind}/{}", ResourceId::from_uuid(id)).into()
            }
            _ => {
                let text = self.coding.text(place, told.unwrap_or("").as_bytes())?;
                String::from_utf8(text).map_err(|_| BadBytes)?.into()
            }
        })
    }

    fn group(&mut self, told: Option<&Entry>) -> Result<Option<Group>, BadBytes> {
        let group = told.and_then(|entry| entry.group);
        let next = self.before.group.filter(|last| last.index + 1 < last.size);
        let expected = next.map(|last| Group { size: last.size, index: last.index + 1 });
        let goes_on = is(expected.is_some());
        if self.coding.model.flag(Kind::Entry, &field(131, goes_on), group == expected)? {
            return Ok(expected);
        }
        if !self.coding.model.flag(Kind::Entry, &field(132, goes_on), group.is_some())? {
            return Ok(None);
        }
        let group = group.unwrap_or(Group { size: 0, index: 0 });
        let mut small = |which, value: u32| {
            let number = self.coding.model.number(Kind::Entry, &field(which, 0), value.into())?;
            u32::try_from(number).map_err(|_| BadBytes)
        };
        Ok(Some(Group { size: small(133, group.size)?, index: small(134, group.index)? }))
    }

    fn changes(&mut self, told: Option<&Entry>) -> Result<Vec<Change>, BadParcel> {
        let mut changes = vec![];
        loop {
            let next = told.map(|entry| entry.changes.get(changes.len()));
            let apart = match next {
                Some(Some(Change { content: Content::Put(body), .. })) => take_apart(body.as_str()),
                _ => None,
            };
            let number = match (next.flatten(), &apart) {
                (None, _) => END,
                (Some(_), None) => WHOLE,
                (Some(change), Some((text, _))) => {
                    match self.coding.shape_number(&change.resource_type, text) {
                        Some(number) => number + SHAPES,
                        None if self.coding.has_room() => NEW,
                        None => WHOLE,
                    }
                }
            };
            let [a, b, c] = self.coding.scope.shapes;
            let contexts = [mix(&[141, a]), mix(&[142, a, b]), mix(&[143, a, b, c])];
            let number = self.coding.model.symbol(Kind::Shape, &contexts, SHAPE_BITS, number)?;
            self.coding.scope.shapes = [number, a, b];
            if number == END {
                return Ok(changes);
            }
            if changes.len() == CHANGES_MAX {
                return Err(BadBytes.into());
            }
            let told = next.flatten();
            let change = match number {
                WHOLE => self.whole(told, changes.len())?,
                _ => self.shaped(number, told, apart, changes.len())?,
            };
            changes.push(change);
        }
    }

    fn shaped(
        &mut self,
        number: u32,
        told: Option<&Change>,
        apart: Option<(Vec<u8>, Vec<Cell>)>,
        ordinal: usize,
    ) -> Result<Change, BadParcel> {
        let (text, cells) = apart.unwrap_or_default();
        let kind = told.map_or("", |change| &*change.resource_type);
        let (number, shape): (u32, Arc<Shape>) = if number == NEW {
            self.coding.new_shape(kind, &text)?
        } else {
            let number = number - SHAPES;
            (number, self.coding.shape(number).ok_or(BadBytes)?)
        };
        let (id, id_is_derived, supersedes) = self.versions(number, told, ordinal)?;
        let cells = self.coding.cells(number, &shape, &cells)?;
        let content = match told {
            // Nobody looks at what the writer is given back.
            Some(change) => change.content.clone(),
            None => {
                let text = shape.fill(&cells);
                self.coding.model.charge(text.len())?;
                let text = std::str::from_utf8(&text).map_err(|_| BadBytes)?;
                Content::Put(Body::from_canonical(text).ok_or(BadBytes)?)
            }
        };
        Ok(Change {
            resource_type: shape.resource_type.clone(),
            id,
            id_is_derived,
            supersedes,
            content,
        })
    }

    /// A change that has no shape.
    fn whole(&mut self, told: Option<&Change>, ordinal: usize) -> Result<Change, BadParcel> {
        let kind = told.map_or(0, |change| change.kind() as u32);
        let kind = self.coding.model.symbol(Kind::Shape, &field(151, 0), 2, kind)?;
        let name = told.map_or(&b""[..], |change| change.resource_type.as_bytes());
        let name = self.coding.text(Place::of(65), name)?;
        let resource_type = String::from_utf8(name).map_err(|_| BadBytes)?.into();
        let (id, id_is_derived, supersedes) = self.versions(u32::MAX - kind, told, ordinal)?;
        let text = match told.map(|change| &change.content) {
            Some(Content::Put(body)) => body.as_str(),
            Some(Content::Retract(reason)) => reason,
            _ => "",
        };
        let content = match kind {
            0 => {
                let text = self.coding.letters(66, text.as_bytes())?;
                let text = String::from_utf8(text).map_err(|_| BadBytes)?;
                Content::Put(Body::from_canonical(&text).ok_or(BadBytes)?)
            }
            1 => {
                let text = self.coding.text(Place::of(67), text.as_bytes())?;
                Content::Retract(String::from_utf8(text).map_err(|_| BadBytes)?.into())
            }
            2 => Content::Forward(self.named(match told.map(|change| &change.content) {
                Some(Content::Forward(chart)) => Some(chart),
                _ => None,
            })?),
            _ => return Err(BadBytes.into()),
        };
        Ok(Change { resource_type, id, id_is_derived, supersedes, content })
    }

    /// Id and versions of a change.
    fn versions(
        &mut self,
        shape: u32,
        told: Option<&Change>,
        ordinal: usize,
    ) -> Result<(ResourceId, bool, Vec<VersionId>), BadBytes> {
        let is_new = told.is_some_and(|c| c.id_is_derived && c.supersedes.is_empty());
        let is_new = self.coding.model.flag(Kind::Entry, &field(152, shape & 0xff_ffff), is_new)?;
        let is_derived = is_new || {
            let derived = told.is_some_and(|change| change.id_is_derived);
            self.coding.model.flag(Kind::Entry, &field(153, shape & 0xff_ffff), derived)?
        };
        let id = if is_derived {
            let ordinal = u32::try_from(ordinal).map_err(|_| BadBytes)?;
            match told {
                Some(change) => change.id.clone(),
                None => ResourceId::from_uuid(self.coding.derive(ordinal)?),
            }
        } else {
            let id = self.resource_id(Place::of(154), told.map(|change| change.id.as_str()))?;
            ResourceId::new(&id).map_err(|_| BadBytes)?
        };
        let mut supersedes = vec![];
        if !is_new {
            let told = told.map_or(&[][..], |change| &change.supersedes);
            let count = told.len() as u64;
            let count = self.coding.model.number(Kind::Entry, &field(155, 0), count)?;
            for at in 0..count {
                let at = usize::try_from(at).map_err(|_| BadBytes)?;
                supersedes.push(self.version(told.get(at))?);
            }
        }
        Ok((id, is_derived, supersedes))
    }

    /// A version: one of the entry before in the chart, or any other.
    fn version(&mut self, told: Option<&VersionId>) -> Result<VersionId, BadBytes> {
        self.coding.model.charge(8)?;
        let made = |ordinal: usize| {
            let (address, hlc) = self.coding.scope.before_at?;
            Some(derive_version(&address, hlc, u32::try_from(ordinal).ok()?))
        };
        let count = self.coding.scope.before.len();
        let at = told.and_then(|told| (0..count).find(|&at| made(at) == Some(*told)));
        if self.coding.model.flag(Kind::Entry, &field(156, 0), at.is_some())? {
            let at =
                self.coding.model.number(Kind::Entry, &field(157, 0), at.unwrap_or(0) as u64)?;
            let (address, hlc) = self.coding.scope.before_at.ok_or(BadBytes)?;
            return Ok(derive_version(&address, hlc, u32::try_from(at).map_err(|_| BadBytes)?));
        }
        Ok(VersionId(self.coding.model.raw(&told.map_or([0; 8], |told| told.0))?))
    }
}

/// Whether an entry whose parts are sound is one that its canonical bytes give back: what
/// [`Entry::from_bytes`] asks beyond that, without reading every resource a second time.
fn is_canonical(entry: &Entry) -> bool {
    let is_first = entry.chart_number == 1;
    let is_text = |text: &str| text.bytes().all(|byte| byte >= 0x20);
    let is_name = |name: &str| {
        (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    entry.chart_number > 0
        && is_first == (entry.previous == EntryHash::NONE)
        && is_text(&entry.author)
        && is_text(&entry.typist)
        && entry.group.is_none_or(|group| group.size >= 2 && group.index < group.size)
        && !entry.changes.is_empty()
        && entry.changes.iter().all(|change| is_name(&change.resource_type))
}

/// The ids that an entry derives.
fn derived(told: Option<&Entry>) -> HashMap<[u8; 16], u32> {
    let changes = told.map_or(&[][..], |entry| &entry.changes);
    let derived = changes.iter().enumerate().filter(|(_, change)| change.id_is_derived);
    derived.filter_map(|(at, c)| Some((c.id.as_uuid()?, u32::try_from(at).ok()?))).collect()
}
