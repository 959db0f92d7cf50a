//! What a stopped node holds: read from its store, past all screens, so that nothing hides.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use ondol_record::{Address, ChartId, ChartKind};
use ondol_store::{Store, StoreError, View};
use ondol_store_sqlite::{OpenOptions, SqliteStore};

/// So many are read at once.
const PAGE: usize = 500;

/// The versions that are shown of a chart: type, id, version.
pub type Shown = BTreeSet<(String, String, String)>;

/// What a node holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The entries of people's charts, by chart.
    pub patients: BTreeMap<ChartId, BTreeSet<Address>>,
    /// The entries of facilities' charts, by chart.
    pub facilities: BTreeMap<ChartId, BTreeSet<Address>>,
    /// Entries that arrived more than once.
    pub twice: Vec<Address>,
    /// What is shown of people's charts.
    pub shown: BTreeMap<ChartId, Shown>,
}

impl Contents {
    /// Reads a data directory. The node must not run.
    pub fn read(data: &Path) -> Result<Self, StoreError> {
        let store = SqliteStore::open(&data.join("ondol.db"), OpenOptions::default())?;
        let view = store.read()?;
        let mut contents = Self::default();
        let mut seen = BTreeSet::new();
        let mut after = 0;
        loop {
            let rows = view.arrived_after(after, PAGE)?;
            let Some(last) = rows.last() else { break };
            after = last.arrival;
            for row in rows {
                let (address, chart) = (row.entry.address, row.entry.chart);
                if !seen.insert(address) {
                    contents.twice.push(address);
                }
                match chart.kind() {
                    ChartKind::Patient => contents.patients.entry(chart).or_default(),
                    ChartKind::Facility => contents.facilities.entry(chart).or_default(),
                    ChartKind::Practitioner | ChartKind::Nation => continue,
                }
                .insert(address);
            }
        }
        for chart in contents.patients.keys() {
            contents.shown.insert(chart.clone(), shown(&*view, chart)?);
        }
        Ok(contents)
    }

    /// Entries of people's charts.
    pub fn patient_entries(&self) -> BTreeSet<Address> {
        self.patients.values().flatten().copied().collect()
    }
}

fn shown(view: &dyn View, chart: &ChartId) -> Result<Shown, StoreError> {
    let found = view.chart(chart, &[])?;
    let name = |found: &ondol_store::Found| {
        let shown = &found.shown;
        (shown.resource_type.to_string(), shown.id.to_string(), shown.version.to_string())
    };
    Ok(found.iter().map(name).collect())
}
