//! A connection with what it remembers: names, charts, streams, and the packer of bodies.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use ondol_kernel::{Class, NodeId, ResourceId, bytes::Reader};
use ondol_record::{ChartId, Stream, VersionId};
use ondol_store::{StoreError, index::Numbers, packing::Packer};

use crate::{
    error::{Failure, damaged},
    session::Session,
    value::{Value, bytes, get, values},
};

/// So many names are remembered before all are forgotten.
const NAMES_MAX: usize = 8192;

/// So many charts are remembered before all are forgotten.
const CHARTS_MAX: usize = 2048;

pub(crate) struct Db {
    pub(crate) session: Session,
    pub(crate) packer: Packer,
    writes: bool,
    names: RefCell<Names>,
    streams: RefCell<Streams>,
    charts: RefCell<Charts>,
    /// What the one writer knows because nobody else writes.
    pub(crate) tally: RefCell<Option<Tally>>,
    pub(crate) tails: RefCell<HashMap<i64, Tail>>,
    pub(crate) utc_offset_minutes: Cell<Option<i32>>,
}

#[derive(Default)]
struct Names {
    numbers: HashMap<Box<str>, i64>,
    texts: HashMap<i64, Box<str>>,
}

#[derive(Default)]
struct Streams {
    numbers: HashMap<Stream, i64>,
    streams: HashMap<i64, Stream>,
}

#[derive(Default)]
struct Charts {
    keys: HashMap<ChartId, ChartKey>,
    charts: HashMap<i64, ChartId>,
}

#[derive(Clone, Copy)]
struct ChartKey {
    key: i64,
    /// Whether an entry of it is here.
    begun: bool,
}

/// The newest numbers that were given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) arrival: i64,
    pub(crate) resource: i64,
    pub(crate) name: i64,
    pub(crate) stream: i64,
    pub(crate) newest_hlc: i64,
}

/// How far a stream goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tail {
    pub(crate) last: i64,
    pub(crate) frontier: i64,
}

/// An id as a column: 1 and 16 bytes for a UUID, else 0 and the text.
pub(crate) fn id_column(id: &ResourceId) -> Vec<u8> {
    match id.as_uuid() {
        Some(uuid) => [&[1], &uuid[..]].concat(),
        None => [&[0], id.as_str().as_bytes()].concat(),
    }
}

/// The id that such a column holds.
pub(crate) fn resource_id(column: &[u8]) -> Result<ResourceId, Failure> {
    let bad = || damaged("an id is not in its format");
    match column.split_first() {
        Some((1, uuid)) => Ok(ResourceId::from_uuid(uuid.try_into().map_err(|_| bad())?)),
        Some((0, text)) => {
            let text = std::str::from_utf8(text).map_err(|_| bad())?;
            ResourceId::new(text).map_err(|_| bad())
        }
        _ => Err(bad()),
    }
}

/// A version id as a column.
pub(crate) const fn version_column(id: VersionId) -> i64 {
    i64::from_be_bytes(id.0)
}

/// A version id from its column.
pub(crate) const fn version_id(column: i64) -> VersionId {
    VersionId(column.to_be_bytes())
}

/// The key under which a name is found: an index takes no long text.
fn name_key(text: &str) -> Vec<u8> {
    blake3::hash(text.as_bytes()).as_bytes()[..16].to_vec()
}

/// The first key that a chart may have.
fn chart_key(id: &[u8]) -> i64 {
    let hash = blake3::derive_key("ondol 1 chart of a table", id);
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    i64::from_le_bytes(first)
}

impl Db {
    pub(crate) fn new(session: Session, writes: bool) -> Self {
        Self {
            session,
            packer: Packer::default(),
            writes,
            names: RefCell::default(),
            streams: RefCell::default(),
            charts: RefCell::default(),
            tally: RefCell::default(),
            tails: RefCell::default(),
            utc_offset_minutes: Cell::new(None),
        }
    }

    /// Forgets what a transaction that was rolled back may have taught.
    pub(crate) fn forget(&self) {
        *self.names.borrow_mut() = Names::default();
        *self.streams.borrow_mut() = Streams::default();
        *self.charts.borrow_mut() = Charts::default();
        *self.tally.borrow_mut() = None;
        self.tails.borrow_mut().clear();
        self.utc_offset_minutes.set(None);
    }

    /// The newest numbers, as the writer knows them.
    pub(crate) fn tally(&self) -> Result<Tally, Failure> {
        if let Some(tally) = *self.tally.borrow() {
            return Ok(tally);
        }
        let newest = |text: &'static str| -> Result<i64, Failure> {
            let row = self.session.one(text, vec![])?;
            row.map_or(Ok(None), |row| get(&row, 0)).map(Option::unwrap_or_default)
        };
        let state = self.session.one("SELECT resources, newest_hlc FROM ondol", vec![])?;
        let state = state.ok_or_else(|| damaged("the state is missing"))?;
        let tally = Tally {
            arrival: newest("SELECT max(arrival) FROM entries")?,
            resource: get(&state, 0)?,
            name: newest("SELECT max(name) FROM names")?,
            stream: newest("SELECT max(stream) FROM streams")?,
            newest_hlc: get(&state, 1)?,
        };
        *self.tally.borrow_mut() = Some(tally);
        Ok(tally)
    }

    /// Gives the next of some number.
    pub(crate) fn next(&self, of: impl Fn(&mut Tally) -> &mut i64) -> Result<i64, Failure> {
        let mut tally = self.tally()?;
        *of(&mut tally) += 1;
        *self.tally.borrow_mut() = Some(tally);
        Ok(*of(&mut tally))
    }

    /// The number of a text, if it ever was one; 0 for the empty text.
    pub(crate) fn find_name(&self, text: &str) -> Result<Option<i64>, Failure> {
        if text.is_empty() {
            return Ok(Some(0));
        }
        if let Some(&number) = self.names.borrow().numbers.get(text) {
            return Ok(Some(number));
        }
        let key = values![name_key(text)];
        let row = self.session.one("SELECT name FROM names WHERE key = $1", key)?;
        let found: Option<i64> = row.map(|row| get(&row, 0)).transpose()?;
        if let Some(number) = found {
            self.learn(number, text);
        }
        Ok(found)
    }

    /// The number of a text, given now if it has none.
    pub(crate) fn intern(&self, text: &str) -> Result<i64, Failure> {
        if let Some(number) = self.find_name(text)? {
            return Ok(number);
        }
        let number = self.next(|tally| &mut tally.name)?;
        let row = values![number, name_key(text), text];
        self.session.later("INSERT INTO names VALUES ($1, $2, $3)", row)?;
        self.learn(number, text);
        Ok(number)
    }

    /// The text of a number.
    pub(crate) fn name(&self, number: i64) -> Result<Box<str>, Failure> {
        if number == 0 {
            return Ok("".into());
        }
        if let Some(text) = self.names.borrow().texts.get(&number) {
            return Ok(text.clone());
        }
        let row = self.session.one("SELECT text FROM names WHERE name = $1", values![number])?;
        let row = row.ok_or_else(|| damaged("a name is missing"))?;
        let text = std::str::from_utf8(bytes(&row, 0)?);
        let text: Box<str> = text.map_err(|_| damaged("a name is not text"))?.into();
        self.learn(number, &text);
        Ok(text)
    }

    fn learn(&self, number: i64, text: &str) {
        let mut names = self.names.borrow_mut();
        if names.numbers.len() >= NAMES_MAX {
            *names = Names::default();
        }
        names.numbers.insert(text.into(), number);
        names.texts.insert(number, text.into());
    }

    /// The key of a chart, if it has a row.
    pub(crate) fn find_chart(&self, chart: &ChartId) -> Result<Option<i64>, Failure> {
        Ok(self.look_for_chart(chart)?.0.map(|found| found.key))
    }

    /// The chart's row, or else the key that it would get.
    fn look_for_chart(&self, chart: &ChartId) -> Result<(Option<ChartKey>, i64), Failure> {
        if let Some(found) = self.charts.borrow().keys.get(chart) {
            return Ok((Some(*found), found.key));
        }
        let mut id = vec![];
        chart.put(&mut id);
        let mut key = chart_key(&id);
        // Rows are never taken out, so that a chart stands at its hash or in the row of charts
        // with the same one behind it.
        loop {
            let find = "SELECT id, first IS NOT NULL FROM charts WHERE chart = $1";
            let Some(row) = self.session.one(find, values![key])? else {
                return Ok((None, key));
            };
            if bytes(&row, 0)? == id {
                let found = ChartKey { key, begun: get(&row, 1)? };
                self.learn_chart(chart, found);
                return Ok((Some(found), key));
            }
            key = key.wrapping_add(1);
        }
    }

    fn learn_chart(&self, chart: &ChartId, key: ChartKey) {
        let mut charts = self.charts.borrow_mut();
        if charts.keys.len() >= CHARTS_MAX {
            *charts = Charts::default();
        }
        charts.keys.insert(chart.clone(), key);
        charts.charts.insert(key.key, chart.clone());
    }

    /// The key of a chart, its row made now if it has none; the arrival is that of an entry of it.
    pub(crate) fn intern_chart(
        &self,
        chart: &ChartId,
        arrival: Option<i64>,
    ) -> Result<i64, Failure> {
        let (found, key) = self.look_for_chart(chart)?;
        match (found, arrival) {
            (None, _) => {
                let mut id = vec![];
                chart.put(&mut id);
                let kind = i64::from(chart.kind() as u8);
                let row = values![key, id, kind, arrival];
                self.session.later("INSERT INTO charts VALUES ($1, $2, $3, $4)", row)?;
            }
            (Some(ChartKey { begun: false, .. }), Some(arrival)) => {
                let set = "UPDATE charts SET first = $2 WHERE chart = $1 AND first IS NULL";
                self.session.later(set, values![key, arrival])?;
            }
            _ => return Ok(key),
        }
        self.learn_chart(chart, ChartKey { key, begun: arrival.is_some() });
        Ok(key)
    }

    /// The chart of a key. A key never becomes another chart's.
    pub(crate) fn chart(&self, key: i64) -> Result<ChartId, Failure> {
        if let Some(chart) = self.charts.borrow().charts.get(&key) {
            return Ok(chart.clone());
        }
        let find = "SELECT id, first IS NOT NULL FROM charts WHERE chart = $1";
        let row = self.session.one(find, values![key])?;
        let row = row.ok_or_else(|| damaged("a chart's row is missing"))?;
        let chart = ChartId::read(&mut Reader::new(bytes(&row, 0)?))?;
        self.learn_chart(&chart, ChartKey { key, begun: get(&row, 1)? });
        Ok(chart)
    }

    /// The number of a stream, if it has one.
    pub(crate) fn find_stream(&self, stream: &Stream) -> Result<Option<i64>, Failure> {
        if let Some(number) = self.streams.borrow().numbers.get(stream) {
            return Ok(Some(*number));
        }
        let find = "SELECT stream FROM streams \
            WHERE origin = $1 AND incarnation = $2 AND class = $3";
        let row = self.session.one(find, stream_columns(stream))?;
        let found: Option<i64> = row.map(|row| get(&row, 0)).transpose()?;
        if let Some(number) = found {
            self.learn_stream(number, *stream);
        }
        Ok(found)
    }

    /// The number of a stream, given now if it has none.
    pub(crate) fn intern_stream(&self, stream: &Stream) -> Result<i64, Failure> {
        if let Some(number) = self.find_stream(stream)? {
            return Ok(number);
        }
        let number = self.next(|tally| &mut tally.stream)?;
        let row = [values![number], stream_columns(stream)].concat();
        self.session.later("INSERT INTO streams VALUES ($1, $2, $3, $4, 0)", row)?;
        self.learn_stream(number, *stream);
        Ok(number)
    }

    /// The stream of a number.
    pub(crate) fn stream(&self, number: i64) -> Result<Stream, Failure> {
        if let Some(stream) = self.streams.borrow().streams.get(&number) {
            return Ok(*stream);
        }
        let find = "SELECT origin, incarnation, class FROM streams WHERE stream = $1";
        let row = self.session.one(find, values![number])?;
        let row = row.ok_or_else(|| damaged("a stream's row is missing"))?;
        let bad = || damaged("a stream's row is not in its format");
        let class = u8::try_from(get::<i64>(&row, 2)?).map_err(|_| bad())?;
        let stream = Stream {
            origin: NodeId(bytes(&row, 0)?.try_into().map_err(|_| bad())?),
            incarnation: u32::try_from(get::<i64>(&row, 1)?).map_err(|_| bad())?,
            class: Class::from_code(class).ok_or_else(bad)?,
        };
        self.learn_stream(number, stream);
        Ok(stream)
    }

    fn learn_stream(&self, number: i64, stream: Stream) {
        let mut streams = self.streams.borrow_mut();
        streams.numbers.insert(stream, number);
        streams.streams.insert(number, stream);
    }
}

fn stream_columns(stream: &Stream) -> Vec<Value> {
    values![stream.origin.0, i64::from(stream.incarnation), i64::from(stream.class.code())]
}

impl Numbers for Db {
    fn number(&self, text: &str) -> Result<i64, StoreError> {
        if self.writes { Ok(self.intern(text)?) } else { Ok(self.find_name(text)?.unwrap_or(-1)) }
    }
}
