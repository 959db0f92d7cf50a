//! Somebody leaves, and somebody else has their work from then on.

use std::sync::Arc;

use ondol_access::{Action, RoleSet};
use ondol_kernel::{Class, ResourceId};
use ondol_store::{Filter, Order, Query, Test, View};
use serde_json::{Value, json};

use super::{
    SavedDraft,
    account::{self, AccountState},
    drafts,
    people::Managed,
    staff,
};
use crate::{Actor, App, AppError, Changes, coding, consult};

/// What a leaver left to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOver {
    /// Forms that were half filled in.
    pub drafts: u32,
    /// Open consults and referrals.
    pub requests: u32,
}

const HEIR: &str = "urn:ondol:hand-over:to";
const LEAVER: &str = "urn:ondol:hand-over:from";
const DRAFTS: &str = "urn:ondol:hand-over:drafts";

fn hand_over_record(from: &ResourceId, to: &ResourceId, drafts: u32) -> Value {
    let person = |url: &str, id: &ResourceId| json!({ "url": url, "valueReference": { "reference": format!("Practitioner/{id}") } });
    json!({
        "resourceType": "Basic",
        "extension": [
            person(LEAVER, from),
            person(HEIR, to),
            { "url": DRAFTS, "valueUnsignedInt": drafts },
        ],
        "code": coding::concept(coding::HAND_OVER, "hand-over"),
    })
}

/// From whom and to whom work went, if the resource is a record of that.
fn handed_over(basic: &Value) -> Option<(ResourceId, ResourceId)> {
    coding::code_of(&basic["code"], coding::HAND_OVER)?;
    let person = |url: &str| {
        let reference = account::extension(basic, url)?["valueReference"]["reference"].as_str()?;
        ResourceId::new(reference.strip_prefix("Practitioner/")?).ok()
    };
    Some((person(LEAVER)?, person(HEIR)?))
}

impl App {
    /// What somebody has begun and not finished: what a leaver would leave behind.
    pub fn open_work(&self, actor: &Actor, id: &ResourceId) -> Result<Vec<SavedDraft>, AppError> {
        self.reading(actor, Action::ManageAccounts, &self.facility_chart(), |view| {
            let stored = account::account(self, view, id)?.ok_or(AppError::NotFound)?;
            drafts::drafts_of(view, &stored.account.person)
        })
    }

    /// Somebody leaves: the account closes for good, and what they have begun goes to `heir`
    /// (another account's id).
    pub fn leave(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        heir: &ResourceId,
    ) -> Result<HandedOver, AppError> {
        if id == heir {
            return Err(AppError::Field { field: "heir", why: "same-person" });
        }
        let heir = heir.clone();
        self.managed(actor, id, move |managed| managed.leave(&heir))
    }

    /// Who has the work of somebody now: themselves, or whoever took it over when they left (and
    /// so on).
    pub fn successor(&self, person: &ResourceId) -> Result<ResourceId, AppError> {
        self.successor_in(&*self.view()?, person)
    }

    /// The same within a view.
    pub(crate) fn successor_in(
        &self,
        view: &dyn View,
        person: &ResourceId,
    ) -> Result<ResourceId, AppError> {
        let code =
            Test::Token { system: Some(coding::HAND_OVER.into()), code: Some("hand-over".into()) };
        let query = Query {
            resource_type: "Basic".into(),
            chart: Some(self.facility_chart()),
            filters: vec![Filter { parameter: "code".into(), any: vec![code] }],
            order: Order::Arrival,
            limit: usize::MAX,
            after: None,
        };
        let mut pairs = vec![];
        for hit in view.search(&query)?.hits {
            pairs.extend(handed_over(&account::body(&hit.found)?));
        }
        let mut now = person.clone();
        // Each step uses up a pair, so that a circle ends.
        while let Some(at) = pairs.iter().position(|(from, _)| *from == now) {
            now = pairs.remove(at).1;
        }
        Ok(now)
    }
}

impl Managed<'_> {
    fn leave(&mut self, heir: &ResourceId) -> Result<HandedOver, AppError> {
        self.must_not_have_left()?;
        self.must_leave_administrators(AccountState::Left, RoleSet::EMPTY)?;
        let chart = self.app.facility_chart();
        self.app.may(&*self.tx, self.actor, Action::HandOverWork, &chart, None)?;
        let heir = account::account(self.app, &*self.tx, heir)?
            .filter(|heir| heir.account.state == AccountState::Active)
            .ok_or(AppError::Field { field: "heir", why: "unknown" })?;
        let leaver = self.stored.account.person.clone();
        let drafts = drafts::hand_over(self.tx, &leaver, &heir.account.person)?;
        let (practitioner, role) = self.resources()?;
        let mut changes = Changes::new(Class::Routine);
        for found in [&practitioner, &role] {
            let mut resource = account::body(found)?;
            resource["active"] = false.into();
            resource["resourceType"] = (*found.shown.resource_type).into();
            changes.update(found, resource);
        }
        changes.create(hand_over_record(&leaver, &heir.account.person, drafts));
        let heir = staff::person(self.app, &*self.tx, &heir.account)?;
        let requests = consult::hand_over(self.app, self.tx, &leaver, &heir)?;
        let account = &mut self.stored.account;
        account.state = AccountState::Left;
        (account.password, account.pin, account.card) = (None, None, None);
        self.save_with(changes)?;
        self.throw_out()?;
        Ok(HandedOver { drafts, requests })
    }
}
