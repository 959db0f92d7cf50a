//! Searches: from the words of the store to SQL.
//!
//! Pages are in the order of a time, or in that of the resources' numbers, which is the order in
//! which each resource first arrived. A later version keeps its resource's number, so that paging
//! neither misses nor repeats what was there when it began. If probing finds a narrow filter, what
//! passes it is listed first; else the server chooses the way.

use std::fmt::Write as _;

use ondol_record::ChartId;
use ondol_store::{
    Filter, Hit, Order, Page, Query, StoreError,
    index::{asks_new_rules, hash, param_name},
    recheck::is_meant,
};
use tokio_postgres::Row;

use crate::{
    conditions::{Condition, condition, list},
    db::Db,
    error::{Failure, defect},
    index::has_old_rules,
    rows::found_all,
    value::{Value, get, values},
};

/// A probe counts so far; beyond it a filter is simply wide.
const PROBE_MAX: i64 = 2_000;

/// SQL with its values, in the order of its question marks: what comes before the rows, and
/// `FROM … WHERE …`.
struct Sql {
    with: String,
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

/// The rows of a statement whose question marks become numbers.
fn ask(db: &Db, text: &str, values: Vec<Value>) -> Result<Vec<Row>, Failure> {
    let mut numbered = String::with_capacity(text.len() + 64);
    for (at, piece) in text.split('?').enumerate() {
        if at > 0 {
            let _ = write!(numbered, "${at}");
        }
        numbered.push_str(piece);
    }
    db.session.query(numbered, values)
}

pub(crate) fn search(db: &Db, query: &Query) -> Result<Page, Failure> {
    let Some(name) = db.find_name(&query.resource_type)? else { return Ok(Page::default()) };
    let Some(sql) = select(db, query, name)? else { return Ok(Page::default()) };
    let rows = match query.order {
        Order::Arrival => by_arrival(db, query, sql, false)?,
        Order::NewestArrival => by_arrival(db, query, sql, true)?,
        Order::Time { parameter, newest_first } => {
            by_time(db, query, sql, parameter, newest_first)?
        }
    };
    let mut places = vec![];
    for row in &rows {
        let (resource, chart, key): (i64, i64, i64) = (get(row, 0)?, get(row, 1)?, get(row, 2)?);
        let text: Box<str> = match query.order {
            Order::Arrival | Order::NewestArrival => resource.to_string().into(),
            Order::Time { .. } => format!("{key}.{resource}").into(),
        };
        places.push(((chart, name, resource), text));
    }
    let has_more = places.len() > query.limit;
    places.truncate(query.limit);
    let next = places.last().filter(|_| has_more).map(|(_, text)| text.clone());
    let keys: Vec<_> = places.iter().map(|(key, _)| *key).collect();
    let mut texts = places.into_iter();
    let mut hits = Vec::with_capacity(keys.len());
    for (resource, found) in found_all(db, &keys)? {
        // Both are in the same order; what cannot be shown is left out of one.
        let place = texts.find(|((.., of), _)| *of == resource);
        if let Some((_, place)) = place
            && is_meant(query, &found)
        {
            hits.push(Hit { found, place });
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

/// A page in the order of the resources' numbers.
fn by_arrival(
    db: &Db,
    query: &Query,
    mut sql: Sql,
    newest_first: bool,
) -> Result<Vec<Row>, Failure> {
    let (sign, direction) = if newest_first { ('<', "DESC") } else { ('>', "ASC") };
    if let Some(after) = &query.after {
        let place: i64 = after.parse().map_err(|_| bad_place())?;
        sql.add(Condition::new(format!("r.resource {sign} ?"), values![place]));
    }
    sql.values.push(page_and_one(query));
    let text = format!(
        "{}SELECT r.resource, r.chart, 0::bigint {} ORDER BY r.resource {direction} LIMIT ?",
        sql.with, sql.text
    );
    ask(db, &text, sql.values)
}

/// A page in the order of a parameter's times.
fn by_time(
    db: &Db,
    query: &Query,
    mut sql: Sql,
    parameter: &str,
    newest_first: bool,
) -> Result<Vec<Row>, Failure> {
    let name = db.find_name(&param_name(&query.resource_type, parameter))?;
    // What has no time comes last either way.
    let (key, none, sign, direction) = if newest_first {
        ("max(t.high)", i64::MIN, '<', "DESC")
    } else {
        ("min(t.low)", i64::MAX, '>', "ASC")
    };
    let (short, long) = name.map_or((-2, -1), |name| (2 * name, 2 * name + 1));
    let mut after = String::new();
    if let Some(place) = &query.after {
        let (key, resource) = place.split_once('.').ok_or_else(bad_place)?;
        let number = |text: &str| text.parse::<i64>().map_err(|_| bad_place());
        sql.values.extend(values![number(key)?, number(resource)?]);
        after = format!("WHERE (key, resource) {sign} (?, ?)");
    }
    sql.values.push(page_and_one(query));
    // The numbers are ours, so that they may stand in the text, before the values that follow.
    let text = format!(
        "{}SELECT resource, chart, key FROM (SELECT r.resource, r.chart, coalesce((SELECT {key} \
         FROM ranges t WHERE t.chart = r.chart AND t.resource = r.resource \
         AND t.param IN ({short}, {long})), '{none}'::bigint) AS key {}) AS keyed {after} \
         ORDER BY key {direction}, resource {direction} LIMIT ?",
        sql.with, sql.text
    );
    ask(db, &text, sql.values)
}

pub(crate) fn count(db: &Db, query: &Query) -> Result<u64, Failure> {
    let Some(name) = db.find_name(&query.resource_type)? else { return Ok(0) };
    let Some(sql) = select(db, query, name)? else { return Ok(0) };
    let rows = ask(db, &format!("{}SELECT count(*) {}", sql.with, sql.text), sql.values)?;
    Ok(rows.first().map_or(Ok(0), |row| get::<i64>(row, 0))?.cast_unsigned())
}

pub(crate) fn count_by_chart(db: &Db, query: &Query) -> Result<Vec<(ChartId, u64)>, Failure> {
    let Some(name) = db.find_name(&query.resource_type)? else { return Ok(vec![]) };
    let Some(sql) = select(db, query, name)? else { return Ok(vec![]) };
    let text = format!("{}SELECT r.chart, count(*) {} GROUP BY r.chart", sql.with, sql.text);
    let rows = ask(db, &text, sql.values)?;
    rows.iter()
        .map(|row| Ok((db.chart(get(row, 0)?)?, get::<i64>(row, 1)?.cast_unsigned())))
        .collect()
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
    let rows = db.session.query(
        "SELECT DISTINCT r.chart FROM tokens d JOIN resources r ON r.chart = d.chart \
         AND r.resource = d.resource \
         WHERE d.param = $1 AND d.code = $2 AND r.type = $3 AND r.live AND r.rivals = 0",
        values![param, hash(reference), name],
    )?;
    rows.iter().map(|row| db.chart(get(row, 0)?)).collect()
}

/// `FROM … WHERE …` with the resources as `r`, each once. `None` if nothing can be found.
fn select(db: &Db, query: &Query, name: i64) -> Result<Option<Sql>, Failure> {
    let mut tests = query.filters.iter().flat_map(|filter| &filter.any);
    if tests.any(asks_new_rules) && has_old_rules(db)? {
        return Err(StoreError::Indexing.into());
    }
    let mut sql = Sql { with: String::new(), text: String::new(), values: vec![] };
    let mut driven = None;
    let chart = match &query.chart {
        None => {
            driven = narrowest(db, query)?;
            None
        }
        Some(chart) => match db.find_chart(chart)? {
            Some(chart) => Some(chart),
            None => return Ok(None),
        },
    };
    sql.text = "FROM resources r WHERE r.live".into();
    if let Some((_, list)) = &driven {
        // Listed before anything else, so that no other way is taken.
        sql.with = format!(
            "WITH d AS MATERIALIZED (SELECT DISTINCT chart, resource FROM ({}) AS listed) ",
            list.text
        );
        sql.values.clone_from(&list.values);
        sql.text = "FROM d JOIN resources r ON r.chart = d.chart AND r.resource = d.resource \
            WHERE r.live"
            .into();
    }
    sql.add(Condition::new("r.type = ?", values![name]));
    if let Some(chart) = chart {
        sql.add(Condition::new("r.chart = ?", values![chart]));
    }
    for (at, filter) in query.filters.iter().enumerate() {
        let is_said = driven.as_ref().is_some_and(|(driven, _)| *driven == at);
        // Said already; but a list by time of writing has older versions too.
        if !is_said || mentions_time_of_writing(filter) {
            sql.add(condition(db, query, filter)?);
        }
    }
    Ok(Some(sql))
}

fn mentions_time_of_writing(filter: &Filter) -> bool {
    use ondol_store::Test;
    const NAME: &str = "_lastUpdated";
    fn within(test: &Test) -> bool {
        matches!(test, Test::Of { parameter, any } if &**parameter == NAME || any.iter().any(within))
    }
    &*filter.parameter == NAME || filter.any.iter().any(within)
}

/// The filter that the fewest rows pass, if those are few, and what passes it.
fn narrowest(db: &Db, query: &Query) -> Result<Option<(usize, Condition)>, Failure> {
    let mut best: Option<(i64, usize, Condition)> = None;
    for (at, filter) in query.filters.iter().enumerate() {
        let Some(list) = list(db, query, filter)? else { continue };
        let probe = format!("SELECT count(*) FROM ({} LIMIT {PROBE_MAX}) AS probed", list.text);
        let rows = ask(db, &probe, list.values.clone())?;
        let width = rows.first().map_or(Ok(0), |row| get::<i64>(row, 0))?;
        if width < PROBE_MAX && best.as_ref().is_none_or(|(least, ..)| width < *least) {
            best = Some((width, at, list));
        }
    }
    Ok(best.map(|(_, at, list)| (at, list)))
}
