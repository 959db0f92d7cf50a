//! One filter of a search as SQL.

use ondol_kernel::{Hlc, Millis};
use ondol_store::{Filter, Query, Test};
use rusqlite::types::Value;

use crate::{
    db::Db,
    error::Failure,
    index::{RANGE_SHORT_MS, hash, indexed_text, param_name},
    search::id_value,
};

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

fn subject(db: &Db, query: &Query, filter: &Filter) -> Result<Subject, Failure> {
    Ok(match &*filter.parameter {
        "_id" => Subject::Id,
        "_lastUpdated" => Subject::LastUpdated,
        code => match db.find_name(&param_name(&query.resource_type, code))? {
            Some(param) => Subject::Param(param),
            None => Subject::Unknown,
        },
    })
}

/// The filter as a condition on a candidate `r`.
pub(crate) fn condition(db: &Db, query: &Query, filter: &Filter) -> Result<Condition, Failure> {
    let subject = subject(db, query, filter)?;
    let mut any = Condition { text: "(".into(), values: vec![] };
    for test in &filter.any {
        if any.text.len() > 1 {
            any.text.push_str(" OR ");
        }
        let one = test_of(db, &subject, test)?;
        any.text.push_str(&one.text);
        any.values.extend(one.values);
    }
    if any.text.len() == 1 {
        return Ok(Condition::never());
    }
    any.text.push(')');
    Ok(any)
}

fn test_of(db: &Db, subject: &Subject, test: &Test) -> Result<Condition, Failure> {
    Ok(match (subject, test) {
        (Subject::Id, Test::Id(id)) => Condition::new("r.id = ?", [id_value(id.as_str())]),
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
    const TOKEN: &str = "EXISTS (SELECT 1 FROM tokens t WHERE t.param = ? AND t.code = ? \
        AND t.resource = r.resource";
    const RANGE: &str = "EXISTS (SELECT 1 FROM ranges t \
        WHERE t.resource = r.resource AND +t.param IN (?, ?)";
    let param_value = Value::from(param);
    Ok(match test {
        Test::Token { system: None, code: Some(code) } => {
            Condition::new(&format!("{TOKEN})"), [param_value, hash(code).into()])
        }
        Test::Token { system: Some(system), code: Some(code) } => match db.find_name(system)? {
            Some(system) => Condition::new(
                &format!("{TOKEN} AND t.system = ?)"),
                [param_value, hash(code).into(), system.into()],
            ),
            None => Condition::never(),
        },
        Test::Reference(text) | Test::Uri(text) | Test::Exact(text) => {
            Condition::new(&format!("{TOKEN})"), [param_value, hash(text).into()])
        }
        Test::Overlaps { from, to } => Condition::new(
            &format!("{RANGE} AND t.low < ? AND t.high > ?)"),
            [(2 * param).into(), (2 * param + 1).into(), to.0.into(), from.0.into()],
        ),
        Test::Within { from, to } => Condition::new(
            &format!("{RANGE} AND t.low >= ? AND t.high <= ?)"),
            [(2 * param).into(), (2 * param + 1).into(), from.0.into(), to.0.into()],
        ),
        Test::Present(is) => {
            let not = if *is { "" } else { "NOT " };
            Condition::new(
                &format!(
                    "r.resource {not}IN (SELECT resource FROM tokens WHERE param = ? \
                     UNION ALL SELECT resource FROM strings WHERE param = ? \
                     UNION ALL SELECT resource FROM ranges WHERE param IN (?, ?))"
                ),
                [param_value.clone(), param_value, (2 * param).into(), (2 * param + 1).into()],
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
        Test::Id(_) => Condition::never(),
    })
}

/// The filter as a list of resources (`r.resource IN (…)`), if it can be one.
pub(crate) fn in_list(
    db: &Db,
    query: &Query,
    filter: &Filter,
) -> Result<Option<Condition>, Failure> {
    let subject = subject(db, query, filter)?;
    let mut all = Condition { text: "r.resource IN (".into(), values: vec![] };
    for (at, test) in filter.any.iter().enumerate() {
        let list = match (&subject, test) {
            (_, Test::Present(_) | Test::Contains(_)) => None,
            (Subject::Param(param), test) => list_of(db, *param, test)?,
            (Subject::LastUpdated, Test::Overlaps { from, to } | Test::Within { from, to }) => {
                Some(updated_within(*from, *to))
            }
            _ => None,
        };
        let Some(list) = list else { return Ok(None) };
        if at > 0 {
            all.text.push_str(" UNION ALL ");
        }
        all.text.push_str(&list.text);
        all.values.extend(list.values);
    }
    if filter.any.is_empty() {
        return Ok(None);
    }
    all.text.push(')');
    Ok(Some(all))
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
        Test::Token { system: None, code: Some(text) }
        | Test::Reference(text)
        | Test::Uri(text)
        | Test::Exact(text) => {
            Condition::new(&format!("{TOKENS} AND code = ?"), [param_value, hash(text).into()])
        }
        Test::Token { system: None, code: None } => Condition::new(TOKENS, [param_value]),
        Test::Token { system: Some(system), code } => {
            let Some(system) = db.find_name(system)? else { return Ok(None) };
            match code {
                Some(code) => Condition::new(
                    &format!("{TOKENS} AND code = ? AND system = ?"),
                    [param_value, hash(code).into(), system.into()],
                ),
                None => Condition::new(
                    &format!("{TOKENS} AND system = ?"),
                    [param_value, system.into()],
                ),
            }
        }
        Test::Prefix(text) => {
            let from = indexed_text(text);
            Condition::new(
                &format!("{STRINGS} AND value >= ? AND value < ?"),
                [param_value, from.to_owned().into(), format!("{from}\u{10ffff}").into()],
            )
        }
        Test::Contains(text) => Condition::new(
            &format!("{STRINGS} AND instr(value, ?) > 0"),
            [param_value, text.to_string().into()],
        ),
        Test::Overlaps { from, to } => ranges(param, "low < ? AND high > ?", (*to, *from), *from),
        Test::Within { from, to } => ranges(param, "low >= ? AND high <= ?", (*from, *to), *from),
        Test::Present(_) | Test::Id(_) => return Ok(None),
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
    let Subject::Param(param) = subject(db, query, filter)? else { return Ok(None) };
    let [test] = &*filter.any else { return Ok(None) };
    let code = |text: &str| Value::from(hash(text));
    Ok(match test {
        Test::Token { system: None, code: Some(text) }
        | Test::Reference(text)
        | Test::Uri(text)
        | Test::Exact(text) => {
            Some(Condition::new("d.param = ? AND d.code = ?", [param.into(), code(text)]))
        }
        Test::Token { system: Some(system), code: Some(text) } => {
            db.find_name(system)?.map(|system| {
                Condition::new(
                    "d.param = ? AND d.code = ? AND d.system = ?",
                    [param.into(), code(text), system.into()],
                )
            })
        }
        _ => None,
    })
}

/// The first stamp of a millisecond as a column. Stamps of the year 6429 and later do not fit
/// and count as the last that does.
fn stamp(at: Millis) -> Value {
    i64::try_from(Hlc::at(at).bits()).unwrap_or(i64::MAX).into()
}
