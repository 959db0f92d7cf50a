//! Who looked at a chart.

use ondol_kernel::{Millis, bytes::put_bytes};
use ondol_record::ChartId;

/// One look at one chart. It names codes and references, never what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// When.
    pub at: Millis,
    /// Who: a FHIR reference to a Practitioner or a Device.
    pub who: Box<str>,
    /// In which role: its word in the access policies.
    pub role: Box<str>,
    /// Whose chart.
    pub chart: ChartId,
    /// What was done: an action's word in the access policies.
    pub action: Box<str>,
    /// Why it was allowed: a relation's word in the access policies.
    pub relation: Box<str>,
    /// The reason typed for breaking the glass; else empty.
    pub reason: Box<str>,
}

impl Reading {
    /// The hash of a reading: it covers that of the one before it, so that none can be taken out
    /// unseen.
    pub fn hash(&self, before: &[u8]) -> [u8; 32] {
        let mut bytes = before.to_vec();
        bytes.extend_from_slice(&self.at.0.to_le_bytes());
        self.chart.put(&mut bytes);
        for text in [&self.who, &self.role, &self.action, &self.relation, &self.reason] {
            put_bytes(&mut bytes, text.as_bytes());
        }
        blake3::derive_key("ondol 1 reading", &bytes)
    }
}
