//! What is signed or chained: seals over entries, and the list of readings.

use ondol_kernel::bytes::Reader;
use ondol_record::{Seal, SealedHead, seal::read_path};

use super::{BATCH, Check};
use crate::{
    db::Db,
    entries::{hash_at, hash_of},
    error::{Failure, damaged},
    node::{self, READING},
    value::{bytes, get, number, values},
};

const UNLIKE: &str = "entries are not those that were sealed";

impl Check<'_> {
    /// Each seal against the entries of its range: all of them, or those of the charts whose
    /// paths came along.
    pub(super) fn seals(&mut self) -> Result<(), Failure> {
        let mut last: Option<Seal> = None;
        loop {
            let seals = node::seals_after(self.db, last.as_ref(), BATCH)?;
            if seals.is_empty() {
                return Ok(());
            }
            for seal in seals {
                self.seal(&seal)?;
                last = Some(seal);
            }
        }
    }

    fn seal(&mut self, seal: &Seal) -> Result<(), Failure> {
        let stream = self.db.find_stream(&seal.stream)?;
        let stream = stream.ok_or_else(|| damaged("a stream is missing"))?;
        let (count, heads) = heads_within(self.db, stream, seal.first, seal.last)?;
        let all = seal.last.checked_sub(seal.first).map(|between| between + 1);
        if Some(count) == all && seal.covers(&heads).is_err() {
            self.find(Some(seal.stream.at(seal.last)), UNLIKE);
        }
        let paths = self.db.session.query(
            "SELECT chart, chart_number, path FROM seal_paths \
             WHERE stream = $1 AND last = $2 AND first = $3",
            values![stream, seal.last.cast_signed(), seal.first.cast_signed()],
        )?;
        for row in &paths {
            let path = read_path(&mut Reader::new(bytes(row, 2)?))?;
            let chart: i64 = get(row, 0)?;
            let Some(hash) = hash_at(self.db, stream, chart, get(row, 1)?)? else { continue };
            let head =
                SealedHead { chart: self.db.chart(chart)?, chart_number: number(row, 1)?, hash };
            if seal.covers_one(&head, &path).is_err() {
                self.find(Some(seal.stream.at(seal.last)), UNLIKE);
            }
        }
        Ok(())
    }

    pub(super) fn readings(&mut self) -> Result<(), Failure> {
        let text = format!("{READING} WHERE number > $1 ORDER BY number LIMIT $2");
        let (mut before, mut last) = (vec![0; 32], 0u64);
        loop {
            let rows = self.db.session.query(text.clone(), values![last.cast_signed(), BATCH])?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let (number, reading) = node::reading(self.db, row)?;
                let hash = bytes(row, 8)?;
                if number != last + 1 || hash != reading.hash(&before) {
                    self.find(None, "the list of who read which chart was changed");
                }
                before = hash.to_vec();
                last = number;
                self.tell();
            }
        }
        let row = self.db.session.one("SELECT readings, readings_hash FROM ondol", vec![])?;
        let row = row.ok_or_else(|| damaged("the state is missing"))?;
        if number(&row, 0)? != last || bytes(&row, 1)? != before {
            self.find(None, "the end of the list of who read which chart is missing");
        }
        Ok(())
    }
}

/// How many entries of a range are here, and the newest of each chart among them.
fn heads_within(
    db: &Db,
    stream: i64,
    first: u64,
    last: u64,
) -> Result<(u64, Vec<SealedHead>), Failure> {
    let rows = db.session.query(
        "SELECT DISTINCT ON (chart) chart, chart_number, hash, count(*) OVER () FROM entries \
         WHERE stream = $1 AND number >= $2 AND number <= $3 ORDER BY chart, chart_number DESC",
        values![stream, first.cast_signed(), last.cast_signed()],
    )?;
    let mut heads = vec![];
    for row in &rows {
        let hash = hash_of(bytes(row, 2)?)?;
        heads.push(SealedHead {
            chart: db.chart(get(row, 0)?)?,
            chart_number: number(row, 1)?,
            hash,
        });
    }
    // The window counts before rows are left out: all entries of the range.
    let count = rows.first().map_or(Ok(0), |row| number(row, 3))?;
    Ok((count, heads))
}
