//! One filter of a search as SQL.
//!
//! A test becomes rows of one table of the index (or a few), asked in two ways: whether a
//! candidate has one of them, or which resources have. Each question mark stands for a value.

use std::{collections::BTreeMap, ops::Bound};

use ondol_kernel::{Hlc, Millis};
use ondol_store::{
    Filter, Query, Test, Unit,
    index::{RANGE_SHORT_MS, hash, indexed_text, logical_hash, numbers_of, param_name},
};

use crate::{
    db::{Db, id_column},
    error::Failure,
    value::{Value, get, values},
};

/// A piece of SQL with its values, in the order of its question marks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    pub(crate) text: String,
    pub(crate) values: Vec<Value>,
}

impl Condition {
    pub(crate) fn new(text: impl Into<String>, values: Vec<Value>) -> Self {
        Self { text: text.into(), values }
    }

    fn never() -> Self {
        Self::new("false", vec![])
    }

    fn always() -> Self {
        Self::new("true", vec![])
    }

    /// Pieces with something between them.
    fn joined(all: Vec<Self>, between: &str) -> Self {
        let texts: Vec<&str> = all.iter().map(|condition| &*condition.text).collect();
        let text = texts.join(between);
        Self { text, values: all.into_iter().flat_map(|condition| condition.values).collect() }
    }
}

/// Rows `t` of a table of the index that pass a test.
struct Rows {
    table: &'static str,
    passing: Condition,
}

impl Rows {
    fn new(table: &'static str, passing: impl Into<String>, values: Vec<Value>) -> Self {
        Self { table, passing: Condition::new(passing, values) }
    }

    /// Whether the candidate `r` has one.
    fn of_candidate(self) -> Condition {
        let Self { table, passing } = self;
        let text = format!(
            "EXISTS (SELECT 1 FROM {table} t WHERE t.chart = r.chart \
             AND t.resource = r.resource AND {})",
            passing.text
        );
        Condition::new(text, passing.values)
    }

    /// The resources that have one.
    fn list(self) -> Condition {
        let Self { table, passing } = self;
        let text = format!("SELECT t.chart, t.resource FROM {table} t WHERE {}", passing.text);
        Condition::new(text, passing.values)
    }
}

/// What a filter is about.
enum Subject {
    /// The resource's own id.
    Id,
    /// The time of the shown version.
    LastUpdated,
    /// A parameter by its number.
    Param(i64),
    /// A parameter that no resource here has.
    Unknown,
}

fn subject(db: &Db, query: &Query, parameter: &str) -> Result<Subject, Failure> {
    Ok(match parameter {
        "_id" => Subject::Id,
        "_lastUpdated" => Subject::LastUpdated,
        code => match db.find_name(&param_name(&query.resource_type, code))? {
            Some(param) => Subject::Param(param),
            None => Subject::Unknown,
        },
    })
}

/// Codes of one system (or of any), and the tests that are something else.
#[derive(Default)]
struct Sorted<'a> {
    codes: BTreeMap<Option<i64>, Vec<i64>>,
    ids: Vec<Vec<u8>>,
    others: Vec<&'a Test>,
}

/// Many tests of one kind are one list in SQL: a value set, or all that a chain leads through.
fn sorted<'a>(db: &Db, tests: &'a [Test]) -> Result<Sorted<'a>, Failure> {
    let mut sorted = Sorted::default();
    for test in tests {
        match test {
            Test::Id(id) => sorted.ids.push(id_column(id)),
            test => match code_of(db, test)? {
                Code::Of(system, code) => sorted.codes.entry(system).or_default().push(code),
                Code::Never => {}
                Code::Other => sorted.others.push(test),
            },
        }
    }
    Ok(sorted)
}

/// A test as one code.
enum Code {
    /// A code of a system, or of any.
    Of(Option<i64>, i64),
    /// Of a system that nothing here has.
    Never,
    /// No test of one code.
    Other,
}

fn code_of(db: &Db, test: &Test) -> Result<Code, Failure> {
    let of = |system: &Option<Box<str>>, code| {
        Ok(match system {
            None => Code::Of(None, code),
            Some(system) => match db.find_name(system)? {
                Some(system) => Code::Of(Some(system), code),
                None => Code::Never,
            },
        })
    };
    match test {
        Test::Token { system, code: Some(code) } => of(system, hash(code)),
        Test::Logical { system, value } => of(system, logical_hash(value)),
        Test::Reference(text) | Test::Uri(text) | Test::Exact(text) => of(&None, hash(text)),
        _ => Ok(Code::Other),
    }
}

/// Rows with any of some codes.
fn coded(param: i64, system: Option<i64>, codes: Vec<i64>) -> Rows {
    let (is, codes) = match *codes {
        [code] => ("t.code = ?", code.into()),
        _ => ("t.code = ANY(?)", codes.into()),
    };
    let mut rows = Rows::new("tokens", format!("t.param = ? AND {is}"), vec![param.into(), codes]);
    if let Some(system) = system {
        rows.passing.text.push_str(" AND t.system = ?");
        rows.passing.values.push(system.into());
    }
    rows
}

/// The resources of the query's type with some ids: charts, and their numbers.
fn with_ids(db: &Db, query: &Query, ids: Vec<Vec<u8>>) -> Result<(Value, Value), Failure> {
    let name = db.find_name(&query.resource_type)?;
    let find = "SELECT chart, resource FROM places WHERE id = ANY($1) AND type = $2";
    let rows = db.session.query(find, values![ids, name.unwrap_or(-1)])?;
    let column = |at| rows.iter().map(|row| get(row, at)).collect::<Result<Vec<i64>, _>>();
    Ok((column(0)?.into(), column(1)?.into()))
}

/// The filter as a condition on a candidate `r`.
pub(crate) fn condition(db: &Db, query: &Query, filter: &Filter) -> Result<Condition, Failure> {
    any_of(db, query, &filter.parameter, &filter.any)
}

fn any_of(db: &Db, query: &Query, parameter: &str, tests: &[Test]) -> Result<Condition, Failure> {
    let subject = subject(db, query, parameter)?;
    let sorted = sorted(db, tests)?;
    let mut all = vec![];
    if let Subject::Param(param) = subject {
        let codes = sorted.codes.into_iter();
        all.extend(codes.map(|(system, codes)| coded(param, system, codes).of_candidate()));
    }
    if !sorted.ids.is_empty() && matches!(subject, Subject::Id) {
        let (_, resources) = with_ids(db, query, sorted.ids)?;
        all.push(Condition::new("r.resource = ANY(?)", vec![resources]));
    }
    for test in sorted.others {
        all.push(match test {
            Test::Not(tests) => {
                let inner = any_of(db, query, parameter, tests)?;
                Condition { text: format!("NOT {}", inner.text), values: inner.values }
            }
            Test::Of { parameter, any } => any_of(db, query, parameter, any)?,
            test => test_of(db, &subject, test)?,
        });
    }
    if all.is_empty() {
        return Ok(Condition::never());
    }
    if all.len() == 1 {
        return Ok(all.swap_remove(0));
    }
    let any = Condition::joined(all, " OR ");
    Ok(Condition { text: format!("({})", any.text), values: any.values })
}

fn test_of(db: &Db, subject: &Subject, test: &Test) -> Result<Condition, Failure> {
    Ok(match (subject, test) {
        (Subject::Id | Subject::LastUpdated, Test::Present(true))
        | (Subject::Unknown, Test::Present(false)) => Condition::always(),
        (Subject::LastUpdated, Test::Overlaps { from, to } | Test::Within { from, to }) => {
            Condition::new(
                "EXISTS (SELECT 1 FROM entries e WHERE e.chart = r.chart \
                 AND e.arrival = r.arrival AND e.hlc >= ? AND e.hlc < ?)",
                vec![stamp(*from), stamp(*to)],
            )
        }
        (Subject::Param(param), Test::Present(is)) => present(*param, *is),
        (Subject::Param(param), test) => {
            rows_of(db, *param, test)?.map_or_else(Condition::never, Rows::of_candidate)
        }
        _ => Condition::never(),
    })
}

/// Whether a candidate has any value of a parameter.
fn present(param: i64, is: bool) -> Condition {
    let one = |table| Rows::new(table, "t.param = ?", values![param]).of_candidate();
    let twice = |table, long| {
        Rows::new(table, "t.param IN (?, ?)", values![2 * param, 2 * param + long]).of_candidate()
    };
    let all = vec![one("tokens"), one("strings"), twice("ranges", 1), twice("numbers", 0)];
    let any = Condition::joined(all, " OR ");
    let not = if is { "" } else { "NOT " };
    Condition { text: format!("{not}({})", any.text), values: any.values }
}

/// An end of a span of numbers.
type Key = Bound<Box<[u8]>>;

/// `t.param = ? AND t.value >= ? AND …`. `None` if nothing here has the unit.
fn numbers(
    db: &Db,
    param: i64,
    (from, to): (&Key, &Key),
    unit: Option<&Unit>,
) -> Result<Option<Rows>, Failure> {
    let mut rows = Rows::new("numbers", "t.param = ?", values![numbers_of(param, unit)]);
    let Condition { text, values } = &mut rows.passing;
    for (bound, including, excluding) in [(from, ">=", ">"), (to, "<=", "<")] {
        let (sign, value) = match bound {
            Bound::Included(value) => (including, value),
            Bound::Excluded(value) => (excluding, value),
            Bound::Unbounded => continue,
        };
        text.extend([" AND t.value ", sign, " ?"]);
        values.push(Value::from(&**value));
    }
    let Some(unit) = unit else { return Ok(Some(rows)) };
    let (Unit::Written { code, .. } | Unit::Canonical(code)) = unit;
    let Some(code) = db.find_name(code)? else { return Ok(None) };
    match unit {
        Unit::Canonical(_) => {
            text.push_str(" AND t.code = ?");
            values.extend(values![code]);
        }
        Unit::Written { system: Some(system), .. } => {
            let Some(system) = db.find_name(system)? else { return Ok(None) };
            text.push_str(" AND t.system = ? AND t.code = ?");
            values.extend(values![system, code]);
        }
        Unit::Written { system: None, .. } => {
            text.push_str(" AND (t.code = ? OR t.unit = ?)");
            values.extend(values![code, code]);
        }
    }
    Ok(Some(rows))
}

/// The rows that pass a test of one table. `None` if nothing ever can.
fn rows_of(db: &Db, param: i64, test: &Test) -> Result<Option<Rows>, Failure> {
    Ok(Some(match test {
        Test::Token { system: None, code: None } => {
            Rows::new("tokens", "t.param = ?", values![param])
        }
        Test::Token { system: Some(system), code: None } => {
            let Some(system) = db.find_name(system)? else { return Ok(None) };
            Rows::new("tokens", "t.param = ? AND t.system = ?", values![param, system])
        }
        Test::Prefix(text) => {
            let from = indexed_text(text);
            // No UTF-8 has this byte: all that begin so are before it.
            let until = [from.as_bytes(), &[u8::MAX]].concat();
            let passing = "t.param = ? AND t.value >= ? AND t.value < ?";
            Rows::new("strings", passing, values![param, from, until])
        }
        Test::Contains(text) => Rows::new(
            "strings",
            "t.param = ? AND (position(? IN t.value) > 0 OR t.cut)",
            values![param, &**text],
        ),
        Test::Overlaps { from, to } => {
            ranges(param, "t.low < ? AND t.high > ?", (*to, *from), *from)
        }
        Test::Within { from, to } => {
            ranges(param, "t.low >= ? AND t.high <= ?", (*from, *to), *from)
        }
        Test::Number { from, to, unit } => {
            return numbers(db, param, (from, to), unit.as_ref());
        }
        _ => return Ok(None),
    }))
}

/// Ranges by a condition. Short ones are bounded from below too, so that a search for recent
/// times does not walk over all that is older.
fn ranges(param: i64, bounds: &str, (one, other): (Millis, Millis), from: Millis) -> Rows {
    let after = from.0.saturating_sub(RANGE_SHORT_MS);
    Rows::new(
        "ranges",
        format!("((t.param = ? AND t.low >= ? AND {bounds}) OR (t.param = ? AND {bounds}))"),
        values![2 * param, after, one.0, other.0, 2 * param + 1, one.0, other.0],
    )
}

/// The filter as a list of resources (chart and number), if it can be one.
pub(crate) fn list(db: &Db, query: &Query, filter: &Filter) -> Result<Option<Condition>, Failure> {
    let lists = lists(db, query, &filter.parameter, &filter.any)?;
    Ok(lists.filter(|lists| !lists.is_empty()).map(|lists| Condition::joined(lists, " UNION ALL ")))
}

/// What passes each test, as queries. `None` if a test cannot be one.
fn lists(
    db: &Db,
    query: &Query,
    parameter: &str,
    tests: &[Test],
) -> Result<Option<Vec<Condition>>, Failure> {
    let subject = subject(db, query, parameter)?;
    let sorted = sorted(db, tests)?;
    let mut all = vec![];
    if !sorted.ids.is_empty() && matches!(subject, Subject::Id) {
        let (charts, resources) = with_ids(db, query, sorted.ids)?;
        all.push(Condition::new(
            "SELECT w.chart, w.resource FROM unnest(?::bigint[], ?::bigint[]) w(chart, resource)",
            vec![charts, resources],
        ));
    }
    if let Subject::Param(param) = subject {
        let codes = sorted.codes.into_iter();
        all.extend(codes.map(|(system, codes)| coded(param, system, codes).list()));
    }
    for test in sorted.others {
        let list = match (&subject, test) {
            (_, Test::Present(_) | Test::Contains(_) | Test::Not(_)) => None,
            (_, Test::Of { parameter, any }) => {
                let Some(inner) = lists(db, query, parameter, any)? else { return Ok(None) };
                all.extend(inner);
                continue;
            }
            (Subject::Param(param), test) => rows_of(db, *param, test)?.map(Rows::list),
            (Subject::LastUpdated, Test::Overlaps { from, to } | Test::Within { from, to }) => {
                Some(updated_within(*from, *to))
            }
            _ => None,
        };
        let Some(list) = list else { return Ok(None) };
        all.push(list);
    }
    Ok(Some(all))
}

/// Resources of which a version was written within a time; whether it is the shown one is
/// looked at later.
fn updated_within(from: Millis, to: Millis) -> Condition {
    Condition::new(
        "SELECT v.chart, v.resource FROM entries e JOIN versions v \
         ON v.chart = e.chart AND v.arrival = e.arrival WHERE e.hlc >= ? AND e.hlc < ?",
        vec![stamp(from), stamp(to)],
    )
}

/// The first stamp of a millisecond as a column. Stamps of the year 6429 and later do not fit
/// and count as the last that does.
fn stamp(at: Millis) -> Value {
    i64::try_from(Hlc::at(at).bits()).unwrap_or(i64::MAX).into()
}
