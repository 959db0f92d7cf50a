//! Searches: from the words of the store to SQL.
//!
//! Pages are in the order of a time, or in that of the resources' rows, which is the order in which each resource
//! first arrived. A later version keeps its resource's place, so that paging neither misses nor
//! repeats what was there when it began. One filter drives (the one that probing finds to be the
//! narrowest), the others are looked up for each candidate.

use ondol_record::ChartId;
use ondol_store::{
    Filter, Hit, Order, Page, Query, StoreError,
    index::{asks_new_rules, hash, param_name},
    recheck::is_meant,
};
use rusqlite::{ToSql, params_from_iter, types::Value};

use crate::{
    conditions::{Condition, condition, in_list, single},
    db::{Db, IdColumn},
    error::{Failure, defect},
    index::has_old_rules,
    rows::{found, resource_at},
};

/// A probe counts so far; beyond it a filter is simply wide.
const PROBE_MAX: i64 = 2_000;

/// SQL with its values, in the order of its question marks.
struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    fn add(&mut self, condition: Condition) {
        self.text.push_str(" AND ");
        self.text.push_str(&condition.text);
        self.values.extend(condition.values);
    }
}

/// What the rows are taken from.
enum Driver {
    /// The resources of the type, or of the type in a chart.
    Resources,
    /// The resources with some ids: the filter at this place.
    Ids(usize),
    /// One code of one parameter: the filter at this place.
    Single(usize),
    /// What the filter at this place selects, collected first.
    List(usize),
}

pub(crate) fn search(db: &Db, query: &Query) -> Result<Page, Failure> {
    let Some(name) = db.find_name(&query.resource_type)? else { return Ok(Page::default()) };
    let Some((column, sql)) = select(db, query, name)? else { return Ok(Page::default()) };
    let paged = match query.order {
        Order::Arrival => by_arrival(query, column, sql, false)?,
        Order::NewestArrival => by_arrival(query, column, sql, true)?,
        Order::Time { parameter, newest_first } => {
            by_time(db, query, (column, sql), parameter, newest_first)?
        }
    };
    let mut find = db.conn.prepare_cached(&paged.text)?;
    let mut places: Vec<(i64, i64)> = find
        .query_map(params_from_iter(&paged.values), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let has_more = places.len() > query.limit;
    places.truncate(query.limit);
    let text = |(resource, key): (i64, i64)| -> Box<str> {
        match query.order {
            Order::Arrival | Order::NewestArrival => resource.to_string().into(),
            Order::Time { .. } => format!("{key}.{resource}").into(),
        }
    };
    let next = places.last().filter(|_| has_more).map(|place| text(*place));
    let mut hits = Vec::with_capacity(places.len());
    for place in places {
        if let Some((resource_type, id, row)) = resource_at(db, place.0)?
            && let Some(found) = found(db, &resource_type, &id, row)?
            && is_meant(query, &found)
        {
            hits.push(Hit { found, place: text(place) });
        }
    }
    Ok(Page { hits, next })
}

fn bad_place() -> Failure {
    defect("a page's place is not one of ours")
}

/// One more than a page, so that it is known whether there is another.
fn page_and_one(query: &Query) -> Value {
    i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1).into()
}

/// A page in the order of the resources' rows.
fn by_arrival(
    query: &Query,
    column: &str,
    mut sql: Sql,
    newest_first: bool,
) -> Result<Sql, Failure> {
    let (sign, direction) = if newest_first { ('<', "DESC") } else { ('>', "ASC") };
    if let Some(after) = &query.after {
        let place: i64 = after.parse().map_err(|_| bad_place())?;
        sql.add(Condition { text: format!("{column} {sign} ?"), values: vec![place.into()] });
    }
    sql.values.push(page_and_one(query));
    sql.text =
        format!("SELECT DISTINCT {column}, 0 {} ORDER BY {column} {direction} LIMIT ?", sql.text);
    Ok(sql)
}

/// A page in the order of a parameter's times.
fn by_time(
    db: &Db,
    query: &Query,
    (column, sql): (&str, Sql),
    parameter: &str,
    newest_first: bool,
) -> Result<Sql, Failure> {
    let name = db.find_name(&param_name(&query.resource_type, parameter))?;
    // What has no time comes last either way.
    let (key, none, sign, direction) = if newest_first {
        ("max(t.high)", i64::MIN, '<', "DESC")
    } else {
        ("min(t.low)", i64::MAX, '>', "ASC")
    };
    let param = name.map_or(-1, |name| 2 * name);
    let mut values: Vec<Value> = vec![param.into(), (param + 1).into(), none.into()];
    values.extend(sql.values);
    let mut after = String::new();
    if let Some(place) = &query.after {
        let (key, resource) = place.split_once('.').ok_or_else(bad_place)?;
        let number = |text: &str| text.parse::<i64>().map_err(|_| bad_place());
        values.extend([number(key)?.into(), number(resource)?.into()]);
        after = format!("WHERE (key, resource) {sign} (?, ?)");
    }
    values.push(page_and_one(query));
    let text = format!(
        "SELECT resource, key FROM (SELECT {column} AS resource, coalesce((SELECT {key} \
         FROM ranges t WHERE t.resource = {column} AND +t.param IN (?, ?)), ?) AS key {} \
         GROUP BY {column}) {after} ORDER BY key {direction}, resource {direction} LIMIT ?",
        sql.text
    );
    Ok(Sql { text, values })
}

pub(crate) fn count(db: &Db, query: &Query) -> Result<u64, Failure> {
    let Some(name) = db.find_name(&query.resource_type)? else { return Ok(0) };
    let Some((column, sql)) = select(db, query, name)? else { return Ok(0) };
    let text = format!("SELECT count(DISTINCT {column}) {}", sql.text);
    let mut find = db.conn.prepare_cached(&text)?;
    let count: i64 = find.query_row(params_from_iter(&sql.values), |row| row.get(0))?;
    Ok(count.cast_unsigned())
}

pub(crate) fn count_by_chart(db: &Db, query: &Query) -> Result<Vec<(ChartId, u64)>, Failure> {
    let Some(name) = db.find_name(&query.resource_type)? else { return Ok(vec![]) };
    let (text, values) = if query.filters.is_empty() && query.chart.is_none() {
        // The index by chart holds all that is asked, in the order in which it is asked.
        let text = "SELECT r.chart, count(*) FROM resources r INDEXED BY resources_chart \
            WHERE r.type = ? AND r.live = 1 GROUP BY r.chart";
        (text.to_owned(), vec![name.into()])
    } else {
        let Some((column, sql)) = select(db, query, name)? else { return Ok(vec![]) };
        let text =
            format!("SELECT r.chart, count(DISTINCT {column}) {} GROUP BY r.chart", sql.text);
        (text, sql.values)
    };
    let mut find = db.conn.prepare_cached(&text)?;
    let mut rows = find.query(params_from_iter(&values))?;
    let mut counts = vec![];
    while let Some(row) = rows.next()? {
        counts.push((db.chart(row.get(0)?)?, row.get::<_, i64>(1)?.cast_unsigned()));
    }
    Ok(counts)
}

pub(crate) fn charts_with(
    db: &Db,
    resource_type: &str,
    parameter: &str,
    reference: &str,
) -> Result<Vec<ChartId>, Failure> {
    let param = db.find_name(&param_name(resource_type, parameter))?;
    let (Some(param), Some(name)) = (param, db.find_name(resource_type)?) else {
        return Ok(vec![]);
    };
    // The index has the values of all heads; of one head alone they are those that are shown.
    let mut find = db.conn.prepare_cached(
        "SELECT DISTINCT r.chart FROM tokens d CROSS JOIN resources r ON r.resource = d.resource \
         WHERE d.param = ?1 AND d.code = ?2 AND r.type = ?3 AND r.live = 1 AND r.rivals = 0",
    )?;
    let rows = find.query_map([param, hash(reference), name], |row| row.get(0))?;
    let rows: Vec<i64> = rows.collect::<rusqlite::Result<_>>()?;
    rows.into_iter().map(|row| db.chart(row)).collect()
}

/// `FROM … WHERE …` and the column of the resource's row. `None` if nothing can be found.
fn select(db: &Db, query: &Query, name: i64) -> Result<Option<(&'static str, Sql)>, Failure> {
    let mut tests = query.filters.iter().flat_map(|filter| &filter.any);
    if tests.any(asks_new_rules) && has_old_rules(db)? {
        return Err(StoreError::Indexing.into());
    }
    let chart = match &query.chart {
        None => None,
        Some(chart) => match db.find_chart(chart)? {
            Some(chart) => Some(chart),
            None => return Ok(None),
        },
    };
    let driver = choose(db, query)?;
    let mut sql = Sql { text: String::new(), values: vec![] };
    let (column, driven) = match driver {
        Driver::Resources => {
            let index = if chart.is_some() { "resources_chart" } else { "resources_type" };
            sql.text = format!("FROM resources r INDEXED BY {index} WHERE r.live = 1");
            ("r.resource", None)
        }
        Driver::Ids(at) => {
            sql.text = "FROM resources r INDEXED BY resources_id WHERE r.live = 1".into();
            ("r.resource", Some(at))
        }
        Driver::Single(at) => {
            let Some(Condition { text, values }) = single(db, query, &query.filters[at])? else {
                return Ok(None);
            };
            sql.text = format!(
                "FROM tokens d CROSS JOIN resources r ON r.resource = d.resource \
                 WHERE r.live = 1 AND {text}"
            );
            sql.values = values;
            ("d.resource", Some(at))
        }
        Driver::List(at) => {
            sql.text = "FROM resources r NOT INDEXED WHERE r.live = 1".into();
            if let Some(list) = in_list(db, query, &query.filters[at])? {
                sql.add(list);
            }
            ("r.resource", Some(at))
        }
    };
    sql.add(Condition { text: "r.type = ?".into(), values: vec![name.into()] });
    if let Some(chart) = chart {
        sql.add(Condition { text: "r.chart = ?".into(), values: vec![chart.into()] });
    }
    for (at, filter) in query.filters.iter().enumerate() {
        match (&driver, driven) {
            // Said already; but a list by time of writing has older versions too.
            (Driver::Single(_) | Driver::List(_), Some(driven))
                if driven == at && &*filter.parameter != "_lastUpdated" => {}
            _ => sql.add(condition(db, query, filter)?),
        }
    }
    Ok(Some((column, sql)))
}

/// The narrowest way in.
fn choose(db: &Db, query: &Query) -> Result<Driver, Failure> {
    if let Some(at) = query.filters.iter().position(is_ids) {
        return Ok(Driver::Ids(at));
    }
    if query.chart.is_some() {
        return Ok(Driver::Resources);
    }
    let mut best: Option<(i64, usize)> = None;
    for (at, filter) in query.filters.iter().enumerate() {
        if let Some(width) = width(db, query, filter)?
            && best.is_none_or(|(least, _)| width < least)
        {
            best = Some((width, at));
        }
    }
    let Some((_, at)) = best else { return Ok(Driver::Resources) };
    let is_single = single(db, query, &query.filters[at])?.is_some();
    Ok(if is_single { Driver::Single(at) } else { Driver::List(at) })
}

fn is_ids(filter: &Filter) -> bool {
    use ondol_store::Test;
    !filter.any.is_empty() && filter.any.iter().all(|test| matches!(test, Test::Id(_)))
}

/// How many rows a filter selects, counted up to a limit; `None` if it cannot drive.
fn width(db: &Db, query: &Query, filter: &Filter) -> Result<Option<i64>, Failure> {
    let Some(list) = in_list(db, query, filter)? else { return Ok(None) };
    let Some(inner) = list.text.strip_prefix("r.resource IN (").and_then(|s| s.strip_suffix(')'))
    else {
        return Ok(None);
    };
    let mut probe =
        db.conn.prepare_cached(&format!("SELECT count(*) FROM ({inner} LIMIT {PROBE_MAX})"))?;
    Ok(Some(probe.query_row(params_from_iter(&list.values), |row| row.get(0))?))
}

/// An id as a value for SQL.
pub(crate) fn id_value(id: &str) -> Value {
    match IdColumn(id).to_sql() {
        Ok(rusqlite::types::ToSqlOutput::Owned(value)) => value,
        _ => Value::Text(id.into()),
    }
}
