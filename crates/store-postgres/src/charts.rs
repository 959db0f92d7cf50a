//! Charts: what stands in one, which there are, and how far each stream goes.

use ondol_record::{ChartId, ChartKind, Stream};
use ondol_store::Found;

use crate::{
    db::Db,
    error::Failure,
    rows::found_all,
    value::{get, number, values},
};

/// So many resources of a chart are read at a time: of a long one the rest is let go as it is read.
const AT_A_TIME: usize = 256;

/// The shown versions of a chart's resources of some types (all if empty) that are wanted, newest
/// writing first.
pub(crate) fn chart(
    db: &Db,
    chart: &ChartId,
    types: &[&str],
    wanted: &mut dyn FnMut(&Found) -> bool,
) -> Result<Vec<Found>, Failure> {
    let Some(chart) = db.find_chart(chart)? else { return Ok(vec![]) };
    let rows = if types.is_empty() {
        let all = "SELECT type, resource FROM resources WHERE chart = $1 AND live";
        db.session.query(all, values![chart])?
    } else {
        let mut names = vec![];
        for resource_type in types {
            names.extend(db.find_name(resource_type)?);
        }
        let some = "SELECT type, resource FROM resources \
            WHERE chart = $1 AND type = ANY($2) AND live";
        db.session.query(some, values![chart, names])?
    };
    let mut all = vec![];
    for rows in rows.chunks(AT_A_TIME) {
        let keys = rows.iter().map(|row| Ok((chart, get(row, 0)?, get(row, 1)?)));
        let keys = keys.collect::<Result<Vec<_>, Failure>>()?;
        let found = found_all(db, &keys)?.into_iter().map(|(_, found)| found);
        all.extend(found.filter(|found| wanted(found)));
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
    limit: i64,
) -> Result<Vec<ChartId>, Failure> {
    let mut first = 0i64;
    if let Some(key) = after.map(|after| db.find_chart(after)).transpose()?.flatten() {
        let row = db.session.one("SELECT first FROM charts WHERE chart = $1", values![key])?;
        first = row.map_or(Ok(None), |row| get::<Option<i64>>(&row, 0))?.unwrap_or(0);
    }
    let find = "SELECT chart FROM charts WHERE kind = $1 AND first > $2 ORDER BY first LIMIT $3";
    let rows = db.session.query(find, values![i64::from(kind as u8), first, limit])?;
    rows.iter().map(|row| db.chart(get(row, 0)?)).collect()
}

/// The streams of which something is here, each with its frontier.
pub(crate) fn frontiers(db: &Db) -> Result<Vec<(Stream, u64)>, Failure> {
    let rows = db.session.query("SELECT stream, frontier FROM streams", vec![])?;
    let mut frontiers = vec![];
    for row in rows {
        let (stream, frontier) = (get(&row, 0)?, number(&row, 1)?);
        // A stream may be known by its seals alone.
        if frontier > 0 || has_entries(db, stream)? {
            frontiers.push((db.stream(stream)?, frontier));
        }
    }
    frontiers.sort_unstable();
    Ok(frontiers)
}

fn has_entries(db: &Db, stream: i64) -> Result<bool, Failure> {
    let find = "SELECT 1 FROM entries WHERE stream = $1 LIMIT 1";
    Ok(db.session.one(find, values![stream])?.is_some())
}
