//! Parts of sealed ranges: who gets some charts of a range gets their paths to its root.

use std::{collections::BTreeMap, sync::Arc};

use ed25519_dalek::SigningKey;
use ondol_record::{ChartId, Entry, Seal, SealedHead, Stream, seal::Tree};
use ondol_replicate::Batch;

/// The newest entry of each chart.
fn heads(entries: &[Entry]) -> Vec<SealedHead> {
    let mut heads: BTreeMap<&ChartId, SealedHead> = BTreeMap::new();
    for entry in entries {
        let (chart, chart_number) = (entry.chart.clone(), entry.chart_number);
        heads.insert(&entry.chart, SealedHead { chart, chart_number, hash: entry.hash() });
    }
    heads.into_values().collect()
}

/// Signs consecutive entries of a stream.
pub fn seal(key: &SigningKey, stream: Stream, entries: &[Arc<Entry>]) -> Option<Batch> {
    let (first, last) = (entries.first()?.address.number, entries.last()?.address.number);
    let entries: Vec<Entry> = entries.iter().map(|entry| (**entry).clone()).collect();
    let root = Tree::new(&heads(&entries)).root();
    Some(Batch { seal: Seal::sign(key, stream, first, last, root), entries, paths: None })
}

/// The charts of a batch that are wanted, all of it as it is; `None` if there is none.
pub fn select(batch: &Arc<Batch>, wanted: impl Fn(&ChartId) -> bool) -> Option<Arc<Batch>> {
    let count = batch.entries.iter().filter(|entry| wanted(&entry.chart)).count();
    if count == 0 {
        return None;
    }
    if count == batch.entries.len() {
        return Some(batch.clone());
    }
    let entries: Vec<Entry> =
        batch.entries.iter().filter(|entry| wanted(&entry.chart)).cloned().collect();
    let paths = match &batch.paths {
        Some(paths) => paths.iter().filter(|(chart, _)| wanted(chart)).cloned().collect(),
        None => {
            let tree = Tree::new(&heads(&batch.entries));
            let charts = heads(&entries).into_iter().map(|head| head.chart);
            charts
                .filter_map(|chart| Some((tree.path(&chart)?, chart)))
                .map(|(p, c)| (c, p))
                .collect()
        }
    };
    Some(Arc::new(Batch { seal: batch.seal.clone(), entries, paths: Some(paths) }))
}
