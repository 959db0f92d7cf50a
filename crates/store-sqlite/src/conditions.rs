//! One filter of a search as SQL.

use std::{collections::BTreeMap, ops::Bound};

use ondol_kernel::{Hlc, Millis};
use ondol_store::{
    Filter, Query, Test, Unit,
    index::{
        RANGE_SHORT_MS, TEXT_CHARS_MAX, hash, indexed_text, logical_hash, numbers_of, param_name,
    },
};
use rusqlite::types::Value;

use crate::{db::Db, error::Failure, search::id_value};

/// A piece of SQL with its values, in the order of its question marks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    pub(crate) text: String,
    pub(crate) values: Vec<Value>,
}

impl Condition {
    fn new(text: &str, values: impl Into<Vec<Value>>) -> Self {
        Self { text: text.into(), values: values.into() }
    }

    fn never() -> Self {
        Self::new("0", [])
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
    ids: Vec<Value>,
    others: Vec<&'a Test>,
}

/// Many tests of one kind are one list in SQL: a value set, or all that a chain leads through.
fn sorted<'a>(db: &Db, tests: &'a [Test]) -> Result<Sorted<'a>, Failure> {
    let mut sorted = Sorted::default();
    for test in tests {
        match test {
            Test::Id(id) => sorted.ids.push(id_value(id.as_str())),
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

/// Codes as one value for `json_each`.
fn json_list(codes: &[i64]) -> Value {
    let texts: Vec<String> = codes.iter().map(i64::to_string).collect();
    format!("[{}]", texts.join(",")).into()
}

/// `code = ?`, or `code IN (…)` for several; the statement's text does not grow with them.
fn any_code(column: &str, codes: &[i64]) -> Condition {
    match codes {
        [code] => Condition::new(&format!("{column} = ?"), [Value::from(*code)]),
        codes => Condition::new(
            &format!("{column} IN (SELECT value FROM json_each(?))"),
            [json_list(codes)],
        ),
    }
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
        all.extend(sorted.codes.iter().map(|(system, codes)| has_code(param, *system, codes)));
    }
    if !sorted.ids.is_empty() && matches!(subject, Subject::Id) {
        let marks = vec!["?"; sorted.ids.len()].join(", ");
        all.push(Condition { text: format!("r.id IN ({marks})"), values: sorted.ids });
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
    let texts: Vec<&str> = all.iter().map(|condition| &*condition.text).collect();
    let text = format!("({})", texts.join(" OR "));
    Ok(Condition { text, values: all.into_iter().flat_map(|condition| condition.values).collect() })
}

/// So many codes are looked up for each candidate; of more, all that have one are listed first.
const LOOKED_UP_MAX: usize = 16;

fn has_code(param: i64, system: Option<i64>, codes: &[i64]) -> Condition {
    let code = any_code("t.code", codes);
    let mut condition = if codes.len() > LOOKED_UP_MAX {
        Condition::new("r.resource IN (SELECT t.resource FROM tokens t WHERE t.param = ?", [])
    } else {
        Condition::new(
            "EXISTS (SELECT 1 FROM tokens t WHERE t.resource = r.resource AND t.param = ?",
            [],
        )
    };
    condition.values.push(param.into());
    condition.text.push_str(" AND ");
    condition.text.push_str(&code.text);
    condition.values.extend(code.values);
    if let Some(system) = system {
        condition.text.push_str(" AND t.system = ?");
        condition.values.push(system.into());
    }
    condition.text.push(')');
    condition
}

fn test_of(db: &Db, subject: &Subject, test: &Test) -> Result<Condition, Failure> {
    Ok(match (subject, test) {
        (Subject::Id | Subject::LastUpdated, Test::Present(is)) => {
            Condition::new(if *is { "1" } else { "0" }, [])
        }
        (Subject::LastUpdated, Test::Overlaps { from, to } | Test::Within { from, to }) => {
            Condition::new(
                "EXISTS (SELECT 1 FROM versions v JOIN entries e ON e.arrival = v.arrival \
                 WHERE v.version = r.shown AND e.hlc >= ? AND e.hlc < ?)",
                [stamp(*from), stamp(*to)],
            )
        }
        (Subject::Unknown, Test::Present(false)) => Condition::new("1", []),
        (Subject::Param(param), test) => param_test(db, *param, test)?,
        _ => Condition::never(),
    })
}

fn param_test(db: &Db, param: i64, test: &Test) -> Result<Condition, Failure> {
    const RANGE: &str = "EXISTS (SELECT 1 FROM ranges t \
        WHERE t.resource = r.resource AND +t.param IN (?, ?)";
    let param_value = Value::from(param);
    Ok(match test {
        Test::Overlaps { from, to } => Condition::new(
            &format!("{RANGE} AND t.low < ? AND t.high > ?)"),
            [(2 * param).into(), (2 * param + 1).into(), to.0.into(), from.0.into()],
        ),
        Test::Within { from, to } => Condition::new(
            &format!("{RANGE} AND t.low >= ? AND t.high <= ?)"),
            [(2 * param).into(), (2 * param + 1).into(), from.0.into(), to.0.into()],
        ),
        Test::Number { from, to, unit } => {
            // The sign keeps SQLite from walking over all numbers within the bounds.
            let Some(bounds) = number_bounds(db, "+t.", (from, to), unit.as_ref())? else {
                return Ok(Condition::never());
            };
            let text = format!(
                "EXISTS (SELECT 1 FROM numbers t WHERE t.resource = r.resource AND t.param = ?{})",
                bounds.text
            );
            let values = [vec![numbers_of(param, unit.as_ref()).into()], bounds.values].concat();
            Condition { text, values }
        }
        Test::Present(is) => {
            let not = if *is { "" } else { "NOT " };
            Condition::new(
                &format!(
                    "r.resource {not}IN (SELECT resource FROM tokens WHERE param = ? \
                     UNION ALL SELECT resource FROM strings WHERE param = ? \
                     UNION ALL SELECT resource FROM ranges WHERE param IN (?, ?) \
                     UNION ALL SELECT resource FROM numbers WHERE param = ?)"
                ),
                [
                    param_value.clone(),
                    param_value,
                    (2 * param).into(),
                    (2 * param + 1).into(),
                    (2 * param).into(),
                ],
            )
        }
        Test::Token { .. } | Test::Prefix(_) | Test::Contains(_) => {
            match list_of(db, param, test)? {
                Some(list) => Condition {
                    text: format!("r.resource IN ({})", list.text),
                    values: list.values,
                },
                None => Condition::never(),
            }
        }
        _ => Condition::never(),
    })
}

/// An end of a span of numbers.
type Key = Bound<Box<[u8]>>;

/// ` AND value >= ? AND …`. `None` if nothing here has the unit.
fn number_bounds(
    db: &Db,
    column: &str,
    (from, to): (&Key, &Key),
    unit: Option<&Unit>,
) -> Result<Option<Condition>, Failure> {
    let mut bounds = Condition::new("", []);
    for (bound, including, excluding) in [(from, ">=", ">"), (to, "<=", "<")] {
        let (sign, value) = match bound {
            Bound::Included(value) => (including, value),
            Bound::Excluded(value) => (excluding, value),
            Bound::Unbounded => continue,
        };
        bounds.text.extend([" AND ", column, "value ", sign, " ?"]);
        bounds.values.push(Value::Blob(value.to_vec()));
    }
    let Some(unit) = unit else { return Ok(Some(bounds)) };
    let (Unit::Written { code, .. } | Unit::Canonical(code)) = unit;
    let Some(code) = db.find_name(code)? else { return Ok(None) };
    match unit {
        Unit::Canonical(_) => {
            bounds.text.extend([" AND ", column, "code = ?"]);
            bounds.values.push(code.into());
        }
        Unit::Written { system: Some(system), .. } => {
            let Some(system) = db.find_name(system)? else { return Ok(None) };
            bounds.text.extend([" AND ", column, "system = ? AND ", column, "code = ?"]);
            bounds.values.extend([system.into(), code.into()]);
        }
        Unit::Written { system: None, .. } => {
            bounds.text.extend([" AND (", column, "code = ? OR ", column, "unit = ?)"]);
            bounds.values.extend([code.into(), code.into()]);
        }
    }
    Ok(Some(bounds))
}

/// The filter as a list of resources (`r.resource IN (…)`), if it can be one.
pub(crate) fn in_list(
    db: &Db,
    query: &Query,
    filter: &Filter,
) -> Result<Option<Condition>, Failure> {
    let Some(lists) = lists(db, query, &filter.parameter, &filter.any)? else { return Ok(None) };
    if lists.is_empty() {
        return Ok(None);
    }
    let texts: Vec<&str> = lists.iter().map(|list| &*list.text).collect();
    let text = format!("r.resource IN ({})", texts.join(" UNION ALL "));
    Ok(Some(Condition { text, values: lists.into_iter().flat_map(|list| list.values).collect() }))
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
    if !sorted.ids.is_empty() {
        return Ok(None);
    }
    let mut all = vec![];
    if let Subject::Param(param) = subject {
        all.extend(sorted.codes.iter().map(|(system, codes)| coded(param, *system, codes)));
    } else if !sorted.codes.is_empty() {
        return Ok(None);
    }
    for test in sorted.others {
        let list = match (&subject, test) {
            (_, Test::Present(_) | Test::Contains(_) | Test::Not(_)) => None,
            (_, Test::Of { parameter, any }) => {
                let Some(inner) = lists(db, query, parameter, any)? else { return Ok(None) };
                all.extend(inner);
                continue;
            }
            (Subject::Param(param), test) => list_of(db, *param, test)?,
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

/// Resources with any of some codes.
fn coded(param: i64, system: Option<i64>, codes: &[i64]) -> Condition {
    let code = any_code("code", codes);
    let mut list = Condition::new(
        &format!("SELECT resource FROM tokens WHERE param = ? AND {}", code.text),
        [vec![param.into()], code.values].concat(),
    );
    if let Some(system) = system {
        list.text.push_str(" AND system = ?");
        list.values.push(system.into());
    }
    list
}

/// Resources of which a version was written within a time; whether it is the shown one is
/// looked at later.
fn updated_within(from: Millis, to: Millis) -> Condition {
    Condition::new(
        "SELECT v.resource FROM entries e INDEXED BY entries_hlc CROSS JOIN versions v \
         ON v.version >= e.first AND v.version < e.first + e.count \
         WHERE e.hlc >= ? AND e.hlc < ?",
        [stamp(from), stamp(to)],
    )
}

/// The resources that pass a test, as a query. `None` if nothing ever can.
fn list_of(db: &Db, param: i64, test: &Test) -> Result<Option<Condition>, Failure> {
    const TOKENS: &str = "SELECT resource FROM tokens WHERE param = ?";
    const STRINGS: &str = "SELECT resource FROM strings WHERE param = ?";
    let param_value = Value::from(param);
    Ok(Some(match test {
        Test::Token { system: None, code: None } => Condition::new(TOKENS, [param_value]),
        Test::Token { system: Some(system), code: None } => {
            let Some(system) = db.find_name(system)? else { return Ok(None) };
            Condition::new(&format!("{TOKENS} AND system = ?"), [param_value, system.into()])
        }
        Test::Prefix(text) => {
            let from = indexed_text(text);
            Condition::new(
                &format!("{STRINGS} AND value >= ? AND value < ?"),
                [param_value, from.to_owned().into(), format!("{from}\u{10ffff}").into()],
            )
        }
        Test::Contains(text) => Condition::new(
            &format!("{STRINGS} AND (instr(value, ?) > 0 OR length(value) >= {TEXT_CHARS_MAX})"),
            [param_value, text.to_string().into()],
        ),
        Test::Overlaps { from, to } => ranges(param, "low < ? AND high > ?", (*to, *from), *from),
        Test::Within { from, to } => ranges(param, "low >= ? AND high <= ?", (*from, *to), *from),
        Test::Number { from, to, unit } => {
            let Some(bounds) = number_bounds(db, "", (from, to), unit.as_ref())? else {
                return Ok(None);
            };
            let text = format!("SELECT resource FROM numbers WHERE param = ?{}", bounds.text);
            let values = [vec![numbers_of(param, unit.as_ref()).into()], bounds.values].concat();
            Condition { text, values }
        }
        _ => return Ok(None),
    }))
}

/// Ranges by a condition. Short ones are bounded from below too, so that a search for recent
/// times does not walk over all that is older.
fn ranges(param: i64, bounds: &str, values: (Millis, Millis), from: Millis) -> Condition {
    let values = [Value::from(values.0.0), Value::from(values.1.0)];
    let after = from.0.saturating_sub(RANGE_SHORT_MS);
    Condition {
        text: format!(
            "SELECT resource FROM ranges WHERE param = ? AND low >= ? AND {bounds} \
             UNION ALL SELECT resource FROM ranges WHERE param = ? AND {bounds}"
        ),
        values: [
            vec![(2 * param).into(), after.into()],
            values.to_vec(),
            vec![(2 * param + 1).into()],
            values.to_vec(),
        ]
        .concat(),
    }
}

/// A filter that is one code of one parameter, as a condition on `tokens d`.
pub(crate) fn single(
    db: &Db,
    query: &Query,
    filter: &Filter,
) -> Result<Option<Condition>, Failure> {
    let Subject::Param(param) = subject(db, query, &filter.parameter)? else { return Ok(None) };
    let [test] = &*filter.any else { return Ok(None) };
    Ok(match code_of(db, test)? {
        Code::Of(None, code) => {
            Some(Condition::new("d.param = ? AND d.code = ?", [param.into(), code.into()]))
        }
        Code::Of(Some(system), code) => Some(Condition::new(
            "d.param = ? AND d.code = ? AND d.system = ?",
            [param.into(), code.into(), system.into()],
        )),
        Code::Never | Code::Other => None,
    })
}

/// The first stamp of a millisecond as a column. Stamps of the year 6429 and later do not fit
/// and count as the last that does.
fn stamp(at: Millis) -> Value {
    i64::try_from(Hlc::at(at).bits()).unwrap_or(i64::MAX).into()
}
