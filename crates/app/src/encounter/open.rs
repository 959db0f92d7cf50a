//! What is open for a chart: consults and referrals that wait for somebody.

use ondol_kernel::{Millis, ResourceId};
use ondol_record::ChartId;
use ondol_store::View;

use crate::{AppError, coding, people::document};

/// What kind of thing is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenKind {
    /// A case sent to a specialist.
    Consult,
    /// A patient sent to a facility.
    Referral,
}

/// Something that is open for a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenWork {
    /// The `ServiceRequest`.
    pub id: ResourceId,
    /// Its kind.
    pub kind: OpenKind,
    /// The specialty that is asked: a code of `ondol_terms::specialties`.
    pub specialty: Option<String>,
    /// Since when.
    pub since: Millis,
}

/// What is open for a chart, newest first.
pub(crate) fn for_chart(view: &dyn View, chart: &ChartId) -> Result<Vec<OpenWork>, AppError> {
    let mut open = vec![];
    for found in view.chart(chart, &["ServiceRequest"])? {
        let request = document(&found)?;
        let category = &request["category"];
        let kind = match coding::code_of(category, coding::REQUEST_CATEGORY) {
            Some(coding::CONSULT) => OpenKind::Consult,
            Some(coding::REFERRAL) => OpenKind::Referral,
            _ => continue,
        };
        if !matches!(request["status"].as_str(), Some("active" | "on-hold")) {
            continue;
        }
        let specialty = coding::code_of(&request["performerType"], coding::SPECIALTY)
            .or_else(|| coding::code_of(&request["code"], coding::SPECIALTY));
        open.push(OpenWork {
            id: found.shown.id.clone(),
            kind,
            specialty: specialty.map(str::to_owned),
            since: found.shown.hlc.millis(),
        });
    }
    Ok(open)
}
