//! A connection with what it remembers: names, streams, and the packer of bodies.

use std::{cell::RefCell, collections::HashMap};

use ondol_kernel::{Class, NodeId, ResourceId};
use ondol_record::{ChartId, ChartKind, Stream, VersionId};
use ondol_store::packing::Packer;
use rusqlite::{
    Connection, OptionalExtension, ToSql, params,
    types::{ToSqlOutput, Value, ValueRef},
};

use crate::error::{Failure, damaged};

/// So many names are remembered before all are forgotten.
const NAMES_MAX: usize = 8192;

/// So many charts are remembered before all are forgotten.
const CHARTS_MAX: usize = 2048;

pub(crate) struct Db {
    pub(crate) conn: Connection,
    pub(crate) packer: Packer,
    writes: bool,
    names: RefCell<Names>,
    streams: RefCell<HashMap<i64, Stream>>,
    charts: RefCell<HashMap<i64, ChartId>>,
}

#[derive(Default)]
struct Names {
    numbers: HashMap<Box<str>, i64>,
    texts: HashMap<i64, Box<str>>,
}

/// An id as a column: 16 bytes for a UUID, else text.
pub(crate) struct IdColumn<'a>(pub(crate) &'a str);

impl ToSql for IdColumn<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let uuid = ResourceId::new(self.0).ok().and_then(|id| id.as_uuid());
        Ok(match uuid {
            Some(bytes) => ToSqlOutput::Owned(Value::Blob(bytes.to_vec())),
            None => ToSqlOutput::Borrowed(ValueRef::Text(self.0.as_bytes())),
        })
    }
}

/// The id that such a column holds.
pub(crate) fn id_text(column: ValueRef<'_>) -> Result<Box<str>, Failure> {
    let bad = || damaged("an id is not in its format");
    match column {
        ValueRef::Blob(bytes) => {
            let uuid: [u8; 16] = bytes.try_into().map_err(|_| bad())?;
            Ok(ResourceId::from_uuid(uuid).as_str().into())
        }
        ValueRef::Text(text) => std::str::from_utf8(text).map(Into::into).map_err(|_| bad()),
        _ => Err(bad()),
    }
}

/// The id of a resource in such a column.
pub(crate) fn resource_id(column: ValueRef<'_>) -> Result<ResourceId, Failure> {
    ResourceId::new(&id_text(column)?).map_err(|_| damaged("an id is not in its format"))
}

/// A version id as a column.
pub(crate) const fn version_column(id: VersionId) -> i64 {
    i64::from_be_bytes(id.0)
}

/// A version id from its column.
pub(crate) const fn version_id(column: i64) -> VersionId {
    VersionId(column.to_be_bytes())
}

impl Db {
    pub(crate) fn new(conn: Connection, writes: bool) -> Self {
        conn.set_prepared_statement_cache_capacity(160);
        Self {
            conn,
            packer: Packer::default(),
            writes,
            names: RefCell::default(),
            streams: RefCell::default(),
            charts: RefCell::default(),
        }
    }

    /// Forgets what a transaction that was rolled back may have taught.
    pub(crate) fn forget(&self) {
        *self.names.borrow_mut() = Names::default();
        self.streams.borrow_mut().clear();
        self.charts.borrow_mut().clear();
    }

    /// The number of a text, if it ever was one; 0 for the empty text.
    pub(crate) fn find_name(&self, text: &str) -> Result<Option<i64>, Failure> {
        if text.is_empty() {
            return Ok(Some(0));
        }
        if let Some(&number) = self.names.borrow().numbers.get(text) {
            return Ok(Some(number));
        }
        let mut find = self.conn.prepare_cached("SELECT name FROM names WHERE text = ?1")?;
        let found: Option<i64> = find.query_row([text], |row| row.get(0)).optional()?;
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
        self.conn.prepare_cached("INSERT INTO names(text) VALUES (?1)")?.execute([text])?;
        let number = self.conn.last_insert_rowid();
        self.learn(number, text);
        Ok(number)
    }

    /// The number of a text: given now by a writer, −1 for a reader if it has none.
    pub(crate) fn number(&self, text: &str) -> Result<i64, Failure> {
        if self.writes { self.intern(text) } else { Ok(self.find_name(text)?.unwrap_or(-1)) }
    }

    /// The text of a number.
    pub(crate) fn name(&self, number: i64) -> Result<Box<str>, Failure> {
        if number == 0 {
            return Ok("".into());
        }
        if let Some(text) = self.names.borrow().texts.get(&number) {
            return Ok(text.clone());
        }
        let mut find = self.conn.prepare_cached("SELECT text FROM names WHERE name = ?1")?;
        let text: Option<Box<str>> = find.query_row([number], |row| row.get(0)).optional()?;
        let text = text.ok_or_else(|| damaged("a name is missing"))?;
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

    /// The row of a chart, if it has one.
    pub(crate) fn find_chart(&self, chart: &ChartId) -> Result<Option<i64>, Failure> {
        let mut find = self
            .conn
            .prepare_cached("SELECT chart FROM charts WHERE kind = ?1 AND subject = ?2")?;
        let key = params![chart.kind() as u8, IdColumn(chart.subject())];
        Ok(find.query_row(key, |row| row.get(0)).optional()?)
    }

    /// The row of a chart, made now if it has none.
    pub(crate) fn intern_chart(&self, chart: &ChartId) -> Result<i64, Failure> {
        if let Some(row) = self.find_chart(chart)? {
            return Ok(row);
        }
        self.conn
            .prepare_cached("INSERT INTO charts(kind, subject) VALUES (?1, ?2)")?
            .execute(params![chart.kind() as u8, IdColumn(chart.subject())])?;
        Ok(self.conn.last_insert_rowid())
    }

    /// The chart of a row. A row never becomes another chart's.
    pub(crate) fn chart(&self, row: i64) -> Result<ChartId, Failure> {
        if let Some(chart) = self.charts.borrow().get(&row) {
            return Ok(chart.clone());
        }
        let chart = self.read_chart(row)?;
        let mut charts = self.charts.borrow_mut();
        if charts.len() >= CHARTS_MAX {
            charts.clear();
        }
        charts.insert(row, chart.clone());
        Ok(chart)
    }

    fn read_chart(&self, row: i64) -> Result<ChartId, Failure> {
        let mut find =
            self.conn.prepare_cached("SELECT kind, subject FROM charts WHERE chart = ?1")?;
        let mut rows = find.query([row])?;
        let row = rows.next()?.ok_or_else(|| damaged("a chart's row is missing"))?;
        let kind = ChartKind::from_code(row.get(0)?);
        let subject = id_text(row.get_ref(1)?)?;
        kind.and_then(|kind| ChartId::of(kind, &subject))
            .ok_or_else(|| damaged("a chart's row is not in its format"))
    }

    /// The row of a stream, if it has one.
    pub(crate) fn find_stream(&self, stream: &Stream) -> Result<Option<i64>, Failure> {
        let mut find = self.conn.prepare_cached(
            "SELECT stream FROM streams WHERE origin = ?1 AND incarnation = ?2 AND class = ?3",
        )?;
        let key = params![stream.origin.0, stream.incarnation, stream.class.code()];
        Ok(find.query_row(key, |row| row.get(0)).optional()?)
    }

    /// The row of a stream, made now if it has none.
    pub(crate) fn intern_stream(&self, stream: &Stream) -> Result<i64, Failure> {
        if let Some(row) = self.find_stream(stream)? {
            return Ok(row);
        }
        self.conn
            .prepare_cached(
                "INSERT INTO streams(origin, incarnation, class, frontier) VALUES (?1, ?2, ?3, 0)",
            )?
            .execute(params![stream.origin.0, stream.incarnation, stream.class.code()])?;
        Ok(self.conn.last_insert_rowid())
    }

    /// The stream of a row.
    pub(crate) fn stream(&self, row: i64) -> Result<Stream, Failure> {
        if let Some(stream) = self.streams.borrow().get(&row) {
            return Ok(*stream);
        }
        let mut find = self
            .conn
            .prepare_cached("SELECT origin, incarnation, class FROM streams WHERE stream = ?1")?;
        let (origin, incarnation, class): (Vec<u8>, u32, u8) = find
            .query_row([row], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?
            .ok_or_else(|| damaged("a stream's row is missing"))?;
        let bad = || damaged("a stream's row is not in its format");
        let stream = Stream {
            origin: NodeId(origin.try_into().map_err(|_| bad())?),
            incarnation,
            class: Class::from_code(class).ok_or_else(bad)?,
        };
        self.streams.borrow_mut().insert(row, stream);
        Ok(stream)
    }
}
