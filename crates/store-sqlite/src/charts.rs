//! Charts: what stands in one, which there are, and how far each stream goes.

use ondol_record::{ChartId, ChartKind, Stream};
use ondol_store::Found;
use rusqlite::{OptionalExtension, params};

use crate::{
    db::Db,
    error::Failure,
    rows::{found, resource_at},
};

/// The shown versions of a chart's resources of some types (all if empty) that are wanted, newest
/// writing first.
pub(crate) fn chart(
    db: &Db,
    chart: &ChartId,
    types: &[&str],
    wanted: &mut dyn FnMut(&Found) -> bool,
) -> Result<Vec<Found>, Failure> {
    let Some(chart) = db.find_chart(chart)? else { return Ok(vec![]) };
    let mut rows: Vec<i64> = vec![];
    if types.is_empty() {
        let mut all = db.conn.prepare_cached(
            "SELECT resource FROM resources INDEXED BY resources_chart \
             WHERE chart = ?1 AND live = 1",
        )?;
        rows.extend(all.query_map([chart], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?);
    }
    for resource_type in types {
        let Some(name) = db.find_name(resource_type)? else { continue };
        let mut some = db.conn.prepare_cached(
            "SELECT resource FROM resources INDEXED BY resources_chart \
             WHERE chart = ?1 AND type = ?2 AND live = 1",
        )?;
        let found = some.query_map([chart, name], |row| row.get(0))?;
        rows.extend(found.collect::<Result<Vec<i64>, _>>()?);
    }
    let mut all = vec![];
    for row in rows {
        if let Some((resource_type, id, row)) = resource_at(db, row)? {
            all.extend(found(db, &resource_type, &id, row)?.filter(|found| wanted(found)));
        }
    }
    all.sort_by_key(|found| {
        let shown = &found.shown;
        std::cmp::Reverse((shown.hlc, shown.address, shown.ordinal))
    });
    Ok(all)
}

/// The charts of a kind in the order in which their first entries arrived.
pub(crate) fn charts(
    db: &Db,
    kind: ChartKind,
    after: Option<&ChartId>,
    limit: usize,
) -> Result<Vec<ChartId>, Failure> {
    let mut first = 0i64;
    if let Some(row) = after.map(|after| db.find_chart(after)).transpose()?.flatten() {
        let mut find = db.conn.prepare_cached("SELECT first FROM charts WHERE chart = ?1")?;
        let found: Option<Option<i64>> = find.query_row([row], |row| row.get(0)).optional()?;
        first = found.flatten().unwrap_or(0);
    }
    let mut find = db.conn.prepare_cached(
        "SELECT chart FROM charts WHERE kind = ?1 AND first > ?2 ORDER BY first LIMIT ?3",
    )?;
    let key = params![kind as u8, first, i64::try_from(limit).unwrap_or(i64::MAX)];
    let rows: Vec<i64> = find.query_map(key, |row| row.get(0))?.collect::<Result<_, _>>()?;
    rows.into_iter().map(|row| db.chart(row)).collect()
}

/// The streams of which something is here, each with its frontier.
pub(crate) fn frontiers(db: &Db) -> Result<Vec<(Stream, u64)>, Failure> {
    let mut find = db.conn.prepare_cached(
        "SELECT s.stream, s.frontier FROM streams s \
         WHERE EXISTS (SELECT 1 FROM entries e WHERE e.stream = s.stream)",
    )?;
    let rows: Vec<(i64, i64)> =
        find.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let mut frontiers = rows
        .into_iter()
        .map(|(stream, frontier)| Ok((db.stream(stream)?, frontier.cast_unsigned())))
        .collect::<Result<Vec<_>, Failure>>()?;
    frontiers.sort_unstable();
    Ok(frontiers)
}
