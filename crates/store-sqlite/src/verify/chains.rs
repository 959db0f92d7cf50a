//! What is signed or chained: seals over entries, and the list of readings.

use ondol_kernel::bytes::Reader;
use ondol_record::{ChartId, SealedHead, seal::read_path};
use rusqlite::{OptionalExtension, params};

use super::Check;
use crate::{db::Db, entries, error::Failure, node};

impl Check<'_> {
    /// Each seal against the entries of its range: all of them, or those of the charts whose
    /// paths came along.
    pub(super) fn seals(&mut self) -> Result<(), Failure> {
        let mut find = self.db.conn.prepare(
            "SELECT first, last, root, signature, stream FROM seals ORDER BY stream, last",
        )?;
        let mut rows = find.query([])?;
        while let Some(row) = rows.next()? {
            let stream: i64 = row.get(4)?;
            let seal = node::seal_of(self.db.stream(stream)?, row)?;
            let heads = heads_within(self.db, stream, seal.first, seal.last)?;
            let all = seal.last.checked_sub(seal.first).map(|between| between + 1);
            if heads.0 == all && seal.covers(&heads.1).is_err() {
                self.find(
                    Some(seal.stream.at(seal.last)),
                    "entries are not those that were sealed",
                );
            }
            let mut find = self.db.conn.prepare_cached(
                "SELECT chart, chart_number, path FROM seal_paths \
                 WHERE stream = ?1 AND last = ?2 AND first = ?3",
            )?;
            let key = params![stream, seal.last.cast_signed(), seal.first.cast_signed()];
            let mut paths = find.query(key)?;
            while let Some(row) = paths.next()? {
                let (chart, number): (i64, i64) = (row.get(0)?, row.get(1)?);
                let path = read_path(&mut Reader::new(&row.get::<_, Vec<u8>>(2)?))?;
                let Some(hash) = entries::hash_at(self.db, stream, chart, number)? else {
                    continue;
                };
                let chart = self.db.chart(chart)?;
                let head = SealedHead { chart, chart_number: number.cast_unsigned(), hash };
                if seal.covers_one(&head, &path).is_err() {
                    self.find(
                        Some(seal.stream.at(seal.last)),
                        "entries are not those that were sealed",
                    );
                }
            }
        }
        Ok(())
    }

    pub(super) fn readings(&mut self) -> Result<(), Failure> {
        let mut find = self.db.conn.prepare("SELECT hash FROM readings WHERE number = ?1")?;
        let mut before = vec![0; 32];
        let mut last = 0;
        loop {
            let next = node::readings_after(self.db, last, 500)?;
            if next.is_empty() {
                break;
            }
            for (number, reading) in next {
                let hash: Option<Vec<u8>> =
                    find.query_row([number.cast_signed()], |row| row.get(0)).optional()?;
                let expected = reading.hash(&before);
                if number != last + 1 || hash.as_deref() != Some(&expected[..]) {
                    self.find(None, "the list of who read which chart was changed");
                }
                before = hash.unwrap_or_default();
                last = number;
                self.tell();
            }
        }
        let (count, hash): (i64, Vec<u8>) =
            self.db.conn.query_row("SELECT readings, readings_hash FROM state", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        if count.cast_unsigned() != last || hash != before {
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
) -> Result<(Option<u64>, Vec<SealedHead>), Failure> {
    let mut find = db.conn.prepare_cached(
        "SELECT chart, max(chart_number), hash, count(*) FROM entries \
         WHERE stream = ?1 AND number >= ?2 AND number <= ?3 GROUP BY chart",
    )?;
    let mut rows = find.query(params![stream, first.cast_signed(), last.cast_signed()])?;
    let (mut count, mut heads) = (0, vec![]);
    while let Some(row) = rows.next()? {
        let chart: ChartId = db.chart(row.get(0)?)?;
        let chart_number = row.get::<_, i64>(1)?.cast_unsigned();
        heads.push(SealedHead { chart, chart_number, hash: entries::hash_of(row.get(2)?)? });
        count += row.get::<_, i64>(3)?.cast_unsigned();
    }
    Ok((Some(count), heads))
}
