//! A clinic and its county in this process, over real stores, and what goes between them.

#[path = "../../../app/tests/support/mod.rs"]
pub(super) mod support;

use anyhow::{Result, ensure};
use ondol_app::{AppError, road};
use ondol_kernel::{Class, ResourceId};
use ondol_record::{Draft, Entry};
use ondol_replicate::parcel;
use serde_json::json;

use self::support::{Country, Facility};

/// So many messages are carried at once.
const AT_ONCE: usize = 32;

/// A message that was carried.
#[derive(Debug, Clone, Copy)]
pub struct Carried {
    /// Its class.
    pub class: Class,
    /// Its bytes.
    pub bytes: usize,
}

/// A country in which clinic and county know each other's parcels, and a practitioner works at each.
pub fn founded() -> Result<Country> {
    let country = Country::new();
    country.carry();
    let (clinic, county) = (country.clinic(), country.county());
    for (one, other) in [(clinic, county), (county, clinic)] {
        one.app.reads_parcels(other.seat.node(), parcel::FORMAT)?;
        one.put(
            &practitioner(one)["Practitioner/".len()..],
            json!({ "resourceType": "Practitioner", "active": true, "name": [{ "text": "리용희" }] }),
        );
    }
    carry(clinic, county)?;
    carry(county, clinic)?;
    Ok(country)
}

/// Who works at a facility.
pub fn practitioner(at: &Facility) -> String {
    format!("Practitioner/{}-doctor", at.seat.id)
}

/// Saves a transaction as the node does: the entries and their places in the queues are one commit.
pub fn save(at: &Facility, draft: Draft) -> Result<Vec<Entry>> {
    let app = at.app.clone();
    let saved = ondol_store::transact(at.store(), move |tx| -> Result<_, AppError> {
        let entries = tx.append(draft, app.now(), false)?;
        road::distribute(&app, tx)?;
        Ok(entries)
    })?;
    Ok(saved)
}

/// Registers somebody; gives `Patient/…`.
pub fn register(at: &Facility, draft: Draft) -> Result<String> {
    let entries = save(at, draft)?;
    let id = entries
        .iter()
        .flat_map(|entry| &entry.changes)
        .find_map(|change| (&*change.resource_type == "Patient").then(|| change.id.clone()));
    let id: Option<ResourceId> = id;
    Ok(format!("Patient/{}", id.ok_or_else(|| anyhow::anyhow!("nobody was registered"))?))
}

/// Carries everything that waits from one facility to another; gives what that was.
pub fn carry(from: &Facility, to: &Facility) -> Result<Vec<Carried>> {
    let (sender, receiver) = (from.seat.node(), to.seat.node());
    to.app.renumbered(sender, from.app.own_epoch()?)?;
    let mut carried = vec![];
    for class in Class::ALL {
        loop {
            let messages = from.app.outgoing(receiver, class, AT_ONCE)?;
            let Some(first) = messages.first() else { break };
            to.app.skipped(sender, class, first.number)?;
            for message in &messages {
                let arrival = to.app.arrive(sender, class, message.number, &message.bytes)?;
                ensure!(arrival == road::Arrival::Done, "a message was not taken in: {arrival:?}");
                carried.push(Carried { class, bytes: message.bytes.len() });
            }
            from.app.delivered(receiver, class, to.app.arrived_up_to(sender, class)?)?;
        }
    }
    Ok(carried)
}
