//! What comes back from a store.

use ondol_kernel::{Hlc, Millis, NodeId, ResourceId};
use ondol_record::{
    Address, ChartId, Entry, VersionId, body::assemble, entry::ChangeKind, seal::Step,
};

/// Who a store belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The node.
    pub node: NodeId,
    /// Its incarnation.
    pub incarnation: u32,
    /// The Organization that it serves.
    pub facility: ResourceId,
}

/// One version of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The type's name.
    pub resource_type: Box<str>,
    /// The id.
    pub id: ResourceId,
    /// The chart where this version stands.
    pub chart: ChartId,
    /// The version.
    pub version: VersionId,
    /// The entry that brought it.
    pub address: Address,
    /// Its place there.
    pub ordinal: u32,
    /// The order of arrival here.
    pub arrival: u64,
    /// The time of writing.
    pub hlc: Hlc,
    /// Whether the clock was in doubt.
    pub clock_doubtful: bool,
    /// The time of care, where it is another.
    pub care_time: Option<Millis>,
    /// Who is responsible: a FHIR reference, or empty for the node.
    pub author: Box<str>,
    /// Who typed, if another.
    pub typist: Box<str>,
    /// What the version did.
    pub kind: ChangeKind,
    /// The body's text for [`ChangeKind::Put`], the reason for a retraction, else empty.
    pub body: Box<str>,
}

impl Stored {
    /// The resource as compact JSON text; times in UTC. `None` if this version has no content.
    pub fn json(&self) -> Option<String> {
        (self.kind == ChangeKind::Put).then(|| {
            let updated = self.hlc.millis().to_fhir(0);
            let version = self.version.to_string();
            assemble(&self.body, &self.resource_type, self.id.as_str(), &version, &updated)
        })
    }
}

/// A resource: the shown version, and rivals written at the same time elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The version that is shown.
    pub shown: Stored,
    /// The other heads, in the order of `ondol_record::versions::heads`.
    pub rivals: Vec<Stored>,
}

impl Found {
    /// The versions that a writer has to name to settle the resource.
    pub fn heads(&self) -> Vec<VersionId> {
        std::iter::once(&self.shown).chain(&self.rivals).map(|head| head.version).collect()
    }

    /// Whether the resource is taken back.
    pub fn is_retracted(&self) -> bool {
        self.shown.kind != ChangeKind::Put
    }
}

/// An entry and when it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// The order of arrival here.
    pub arrival: u64,
    /// The entry.
    pub entry: Entry,
}

/// What became of an entry from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ingested {
    /// It is now here.
    New,
    /// It was here already, the same bytes.
    Known,
    /// The entry before it in its chart is missing; nothing was written.
    Gap {
        /// The count that is here.
        have: u64,
    },
    /// Another entry stands at its address or place: a cloned disk or a forgery. Nothing was
    /// written.
    Clash,
}

/// The path from a chart's head to the root of the seal that it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedPath {
    /// The chart.
    pub chart: ChartId,
    /// The count of its newest sealed entry.
    pub chart_number: u64,
    /// The steps.
    pub path: Vec<Step>,
}
