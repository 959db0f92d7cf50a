//! Where resources live: homes of new ones, and updates that would leave theirs.

use std::cell::RefCell;

use ondol_fhir::{Resource, ResourceType};
use ondol_kernel::{Class, NodeId, ResourceId};
use ondol_record::{
    ChartId, DraftChange, EntryHash,
    draft::{DraftContent, Ledger},
    home::{Home, home_of},
};
use ondol_store::{Found, StoreError, View};
use serde_json::{Value, json};

use super::{Prepared, Write};
use crate::{
    Place,
    rest::error::{ElementFault, RestError},
};

/// A patient has a home facility: the one given, the one that stands, or this one. An update
/// that leaves it out would otherwise take the chart away from everybody who treats.
pub(super) fn at_home(mut resource: Resource, stands: Option<&Found>, home: &ResourceId) -> Value {
    const HOME: &str = "managingOrganization";
    if resource.resource_type() == ResourceType::Patient && !resource.body().contains_key(HOME) {
        let stood = stands
            .and_then(|found| serde_json::from_str::<Value>(&found.shown.body).ok())
            .and_then(|body| body.get(HOME).cloned());
        let home = json!({ "reference": format!("Organization/{home}") });
        resource.set(HOME, stood.unwrap_or(home));
    }
    resource.into_json()
}

/// An update that names another patient than the one in whose chart the resource stands is
/// refused: it would put one person's care into another's chart.
pub(super) fn check_moves(
    prepared: &Prepared,
    writes: &[Write],
    ledger: &dyn Ledger,
) -> Result<(), RestError> {
    let drafts = prepared.changes.drafts();
    let is_update = |draft: &DraftChange| {
        draft.chart.is_some() && matches!(draft.content, DraftContent::Put(_))
    };
    if !drafts.iter().any(is_update) {
        return Ok(());
    }
    let mut free = drafts.to_vec();
    for (at, draft) in drafts.iter().enumerate().filter(|(_, draft)| is_update(draft)) {
        free[at].chart = None;
        let home = home_of(&free, at, ledger);
        free[at].chart.clone_from(&draft.chart);
        let moves = match home {
            Ok(Home::Chart(to @ ChartId::Patient(_))) => draft.chart != Some(to),
            Ok(Home::NewPatient(_)) => true,
            _ => false,
        };
        if moves {
            let expression = draft.resource_type.to_string();
            let write = &writes[prepared.of[at]];
            return Err(RestError::element(expression, ElementFault::Moves).in_entry(write.at));
        }
    }
    Ok(())
}

/// Where resources live, for finding the home of new ones.
pub(super) struct ViewLedger<'a> {
    view: &'a dyn View,
    place: &'a Place,
    failed: RefCell<Option<StoreError>>,
}

impl<'a> ViewLedger<'a> {
    pub(super) const fn new(view: &'a dyn View, place: &'a Place) -> Self {
        Self { view, place, failed: RefCell::new(None) }
    }

    /// Whether everything could be looked up.
    pub(super) fn whole(self) -> Result<(), RestError> {
        self.failed.into_inner().map_or(Ok(()), |why| Err(why.into()))
    }
}

impl Ledger for ViewLedger<'_> {
    fn origin(&self) -> NodeId {
        self.place.node
    }

    fn incarnation(&self) -> u32 {
        0
    }

    fn facility(&self) -> ResourceId {
        self.place.facility.clone()
    }

    fn last_number(&self, _: Class) -> u64 {
        0
    }

    fn chart_head(&self, _: Class, _: &ChartId) -> Option<(u64, EntryHash)> {
        None
    }

    fn chart_of(&self, resource_type: &str, id: &ResourceId) -> Option<ChartId> {
        match self.view.chart_of(resource_type, id) {
            Ok(chart) => chart,
            Err(why) => {
                self.failed.borrow_mut().get_or_insert(why);
                None
            }
        }
    }
}
