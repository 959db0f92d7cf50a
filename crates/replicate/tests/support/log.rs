//! A log in memory to write drafts to.

use std::collections::HashMap;

use ondol_kernel::{Class, NodeId, ResourceId};
use ondol_record::{ChartId, Draft, Entry, EntryHash, draft::FinishError, draft::Ledger};

/// Everything of one node, in memory.
#[derive(Default)]
pub struct Log {
    pub entries: Vec<Entry>,
    heads: HashMap<(Class, ChartId), (u64, EntryHash)>,
    charts: HashMap<(String, ResourceId), ChartId>,
}

impl Ledger for Log {
    fn origin(&self) -> NodeId {
        NodeId([7; 16])
    }
    fn incarnation(&self) -> u32 {
        0
    }
    fn facility(&self) -> ResourceId {
        ResourceId::new("facility").unwrap()
    }
    fn last_number(&self, class: Class) -> u64 {
        let ours = self.entries.iter().filter(|entry| entry.address.stream.class == class);
        ours.map(|entry| entry.address.number).max().unwrap_or(0)
    }
    fn chart_head(&self, class: Class, chart: &ChartId) -> Option<(u64, EntryHash)> {
        self.heads.get(&(class, chart.clone())).copied()
    }
    fn chart_of(&self, resource_type: &str, id: &ResourceId) -> Option<ChartId> {
        self.charts.get(&(resource_type.to_owned(), id.clone())).cloned()
    }
}

impl Log {
    /// Writes a draft and gives its entries.
    pub fn write(&mut self, draft: Draft, hlc: u64) -> Result<Vec<Entry>, FinishError> {
        let entries = draft.finish(self, ondol_kernel::Hlc::from_bits(hlc), false)?;
        for entry in &entries {
            let class = entry.address.stream.class;
            self.heads.insert((class, entry.chart.clone()), (entry.chart_number, entry.hash()));
            for change in &entry.changes {
                let name = (change.resource_type.to_string(), change.id.clone());
                self.charts.insert(name, entry.chart.clone());
            }
        }
        self.entries.extend(entries.iter().cloned());
        Ok(entries)
    }
}
