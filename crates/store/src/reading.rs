//! Who looked at a chart.

use ondol_kernel::Millis;
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
