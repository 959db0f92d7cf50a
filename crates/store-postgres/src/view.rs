//! The store's reads and writes on one connection.

use std::ops::Deref;

use ondol_kernel::{Class, Hlc, Millis, ResourceId};
use ondol_record::{
    Address, ChartId, ChartKind, Draft, Entry, EntryHash, Seal, Stream, VersionId, seal::Step,
};
use ondol_store::{
    AppendError, EntryRow, Found, Identity, Ingested, KeyValue, Page, Query, Reading, SealedPath,
    Space, StoreError, Stored, View, WriteTx,
};

use crate::{
    append, charts,
    db::Db,
    entries,
    error::{Failure, again},
    insert, node, rows, search,
    value::values,
    writer::Writing,
};

/// A connection within a transaction: it sees one moment, and what it wrote itself.
pub(crate) struct Moment<C>(pub(crate) C);

fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl<C: Deref<Target = Db>> View for Moment<C> {
    fn identity(&self) -> Result<Option<Identity>, StoreError> {
        Ok(node::identity(&self.0)?)
    }

    fn resource(&self, resource_type: &str, id: &ResourceId) -> Result<Option<Found>, StoreError> {
        Ok(rows::found(&self.0, resource_type, id)?)
    }

    fn version(
        &self,
        resource_type: &str,
        id: &ResourceId,
        version: VersionId,
    ) -> Result<Option<Stored>, StoreError> {
        Ok(rows::version(&self.0, resource_type, id, version)?)
    }

    fn history(&self, resource_type: &str, id: &ResourceId) -> Result<Vec<Stored>, StoreError> {
        Ok(rows::history(&self.0, resource_type, id)?)
    }

    fn chart_of(
        &self,
        resource_type: &str,
        id: &ResourceId,
    ) -> Result<Option<ChartId>, StoreError> {
        Ok(append::chart_of(&self.0, resource_type, id)?)
    }

    fn chart_where(
        &self,
        chart: &ChartId,
        types: &[&str],
        wanted: &mut dyn FnMut(&Found) -> bool,
    ) -> Result<Vec<Found>, StoreError> {
        Ok(charts::chart(&self.0, chart, types, wanted)?)
    }

    fn charts(
        &self,
        kind: ChartKind,
        after: Option<&ChartId>,
        most: usize,
    ) -> Result<Vec<ChartId>, StoreError> {
        Ok(charts::charts(&self.0, kind, after, limit(most))?)
    }

    fn search(&self, query: &Query) -> Result<Page, StoreError> {
        Ok(search::search(&self.0, query)?)
    }

    fn count(&self, query: &Query) -> Result<u64, StoreError> {
        Ok(search::count(&self.0, query)?)
    }

    fn count_by_chart(&self, query: &Query) -> Result<Vec<(ChartId, u64)>, StoreError> {
        Ok(search::count_by_chart(&self.0, query)?)
    }

    fn charts_with(
        &self,
        resource_type: &str,
        parameter: &str,
        reference: &str,
    ) -> Result<Vec<ChartId>, StoreError> {
        Ok(search::charts_with(&self.0, resource_type, parameter, reference)?)
    }

    fn arrived_after(&self, arrival: u64, most: usize) -> Result<Vec<EntryRow>, StoreError> {
        let key = values![arrival.cast_signed(), limit(most)];
        let condition = "WHERE e.arrival > $1 ORDER BY e.arrival LIMIT $2";
        Ok(entries::select(&self.0, condition, key)?)
    }

    fn last_arrival(&self) -> Result<u64, StoreError> {
        Ok(entries::last_arrival(&self.0)?)
    }

    fn entry_hash(&self, address: &Address) -> Result<Option<EntryHash>, StoreError> {
        Ok(entries::hash_of_address(&self.0, address)?)
    }

    fn entry(&self, address: &Address) -> Result<Option<EntryRow>, StoreError> {
        Ok(entries::find(&self.0, address)?)
    }

    fn stream_entries(
        &self,
        stream: &Stream,
        first: u64,
        last: u64,
    ) -> Result<Vec<EntryRow>, StoreError> {
        let Some(stream) = self.0.find_stream(stream)? else { return Ok(vec![]) };
        let key = values![stream, first.cast_signed(), last.cast_signed()];
        let condition =
            "WHERE e.stream = $1 AND e.number >= $2 AND e.number <= $3 ORDER BY e.number";
        Ok(entries::select(&self.0, condition, key)?)
    }

    fn chart_entries(
        &self,
        stream: &Stream,
        chart: &ChartId,
        first: u64,
        most: usize,
    ) -> Result<Vec<EntryRow>, StoreError> {
        let rows = (self.0.find_stream(stream)?, self.0.find_chart(chart)?);
        let (Some(stream), Some(chart)) = rows else { return Ok(vec![]) };
        let key = values![chart, stream, first.cast_signed(), limit(most)];
        let condition = "WHERE e.chart = $1 AND e.stream = $2 AND e.chart_number >= $3 \
            ORDER BY e.chart_number LIMIT $4";
        Ok(entries::select(&self.0, condition, key)?)
    }

    fn frontiers(&self) -> Result<Vec<(Stream, u64)>, StoreError> {
        Ok(charts::frontiers(&self.0)?)
    }

    fn chart_head(
        &self,
        stream: &Stream,
        chart: &ChartId,
    ) -> Result<Option<(u64, EntryHash)>, StoreError> {
        Ok(entries::chart_head(&self.0, stream, chart)?)
    }

    fn chart_heads(&self, chart: &ChartId) -> Result<Vec<(Stream, u64, EntryHash)>, StoreError> {
        Ok(entries::chart_heads(&self.0, chart)?)
    }

    fn seal(&self, address: &Address) -> Result<Option<Seal>, StoreError> {
        Ok(node::seal(&self.0, address)?)
    }

    fn last_sealed(&self, stream: &Stream) -> Result<u64, StoreError> {
        Ok(node::last_sealed(&self.0, stream)?)
    }

    fn seal_path(&self, seal: &Seal, chart: &ChartId) -> Result<Option<Vec<Step>>, StoreError> {
        Ok(node::seal_path(&self.0, seal, chart)?)
    }

    fn seals_after(&self, after: Option<&Seal>, most: usize) -> Result<Vec<Seal>, StoreError> {
        Ok(node::seals_after(&self.0, after, limit(most))?)
    }

    fn seal_paths_after(
        &self,
        after: Option<&(Seal, SealedPath)>,
        most: usize,
    ) -> Result<Vec<(Seal, SealedPath)>, StoreError> {
        Ok(node::seal_paths_after(&self.0, after, limit(most))?)
    }

    fn value(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(node::value(&self.0, space, key)?)
    }

    fn values(
        &self,
        space: Space,
        prefix: &[u8],
        after: Option<&[u8]>,
        most: usize,
    ) -> Result<Vec<KeyValue>, StoreError> {
        Ok(node::values(&self.0, space, prefix, after, limit(most))?)
    }

    fn readings(&self, chart: &ChartId, most: usize) -> Result<Vec<Reading>, StoreError> {
        Ok(node::readings(&self.0, chart, limit(most))?)
    }

    fn readings_after(&self, after: u64, most: usize) -> Result<Vec<(u64, Reading)>, StoreError> {
        Ok(node::readings_after(&self.0, after, limit(most))?)
    }

    fn newest_hlc(&self) -> Result<Hlc, StoreError> {
        Ok(insert::newest_hlc(&self.0)?)
    }
}

impl Moment<Writing<'_>> {
    /// Remembers the first write that failed half-way, so that nothing of its job is kept even
    /// if the job goes on.
    fn kept<T>(&mut self, done: Result<T, Failure>) -> Result<T, StoreError> {
        done.map_err(|Failure(why)| {
            self.0.failed.get_or_insert_with(|| again(&why));
            why
        })
    }
}

impl WriteTx for Moment<Writing<'_>> {
    fn set_identity(&mut self, identity: &Identity) -> Result<(), StoreError> {
        let done = node::set_identity(&self.0, identity);
        self.kept(done)
    }

    fn append(
        &mut self,
        draft: Draft,
        wall: Millis,
        clock_doubtful: bool,
    ) -> Result<Vec<Entry>, AppendError> {
        let done = append::append(&self.0, draft, wall, clock_doubtful);
        if let Err(AppendError::Store(why)) = &done {
            self.0.failed.get_or_insert_with(|| again(why));
        }
        done
    }

    fn ingest(
        &mut self,
        entry: &Entry,
        bytes: &[u8],
        wall: Millis,
    ) -> Result<Ingested, StoreError> {
        let done = append::ingest(&self.0, entry, bytes, wall);
        self.kept(done)
    }

    fn put_seal(&mut self, seal: &Seal, paths: &[SealedPath]) -> Result<(), StoreError> {
        let done = node::put_seal(&self.0, seal, paths);
        self.kept(done)
    }

    fn set_value(
        &mut self,
        space: Space,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let done = node::set_value(&self.0, space, key, value);
        self.kept(done)
    }

    fn record_reading(&mut self, reading: &Reading) -> Result<(), StoreError> {
        let done = node::record_reading(&self.0, reading);
        self.kept(done)
    }

    fn next_number(&self, class: Class) -> Result<u64, StoreError> {
        Ok(append::next_number(&self.0, class)?)
    }
}
