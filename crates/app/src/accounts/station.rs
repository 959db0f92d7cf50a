//! A shared computer: a browser with a long-lived random cookie, and who gave the password there.

use ondol_access::RoleSet;
use ondol_kernel::{DAY_MS, Millis, ResourceId, bytes::to_hex};
use ondol_store::{Space, View, WriteTx};

use super::{
    AccountState, PASSWORD_LASTS_MS,
    account::{self, StoredAccount},
    secret,
};
use crate::{App, AppError};

/// A station offers the names of those who used it within this time, ms.
const REMEMBERED_MS: i64 = 30 * DAY_MS;

/// Somebody whose name a station offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StationPerson {
    /// The account's id, by which the sign-in names it.
    pub account: ResourceId,
    /// The name.
    pub name: String,
    /// What the person does here.
    pub roles: RoleSet,
    /// The name to sign in with.
    pub login: String,
    /// Whether a PIN is enough now.
    pub pin: bool,
    /// Whether a card is enough now.
    pub card: bool,
}

fn prefix(station: &str) -> Vec<u8> {
    format!("st/{}/", to_hex(&secret::token_hash(station))).into_bytes()
}

fn key(station: &str, account: &ResourceId) -> Vec<u8> {
    [&prefix(station), account.as_str().as_bytes()].concat()
}

fn millis(bytes: &[u8]) -> Result<Millis, AppError> {
    let bytes = bytes.try_into().map_err(|_| AppError::Unexpected("a time of a station"))?;
    Ok(Millis(i64::from_le_bytes(bytes)))
}

/// When somebody gave the password at a station, if ever.
pub(super) fn password_given(
    view: &(impl View + ?Sized),
    station: &str,
    account: &ResourceId,
) -> Result<Option<Millis>, AppError> {
    let value = view.value(Space::Session, &key(station, account))?;
    value.map(|bytes| millis(&bytes)).transpose()
}

/// Whether a PIN or card is enough. A time that lies ahead tells of a clock that was set back:
/// then the password is asked again.
pub(super) fn is_open(given: Option<Millis>, now: Millis) -> bool {
    given.is_some_and(|at| (0..PASSWORD_LASTS_MS).contains(&now.0.saturating_sub(at.0)))
}

/// Notes that somebody gave the password at a station.
pub(super) fn note_password(
    tx: &mut dyn WriteTx,
    station: &str,
    account: &ResourceId,
    now: Millis,
) -> Result<(), AppError> {
    for (key, bytes) in tx.values(Space::Session, b"st/", None, 1_000)? {
        if now.0.saturating_sub(millis(&bytes)?.0) > REMEMBERED_MS {
            tx.set_value(Space::Session, &key, None)?;
        }
    }
    Ok(tx.set_value(Space::Session, &key(station, account), Some(&now.0.to_le_bytes()))?)
}

/// Forgets an account everywhere: PIN and card are no longer enough.
pub(super) fn forget(tx: &mut dyn WriteTx, account: &ResourceId) -> Result<(), AppError> {
    let suffix = format!("/{account}");
    for (key, _) in tx.values(Space::Session, b"st/", None, usize::MAX)? {
        if key.ends_with(suffix.as_bytes()) {
            tx.set_value(Space::Session, &key, None)?;
        }
    }
    Ok(())
}

impl App {
    /// Whose names a station offers, those who were there last first.
    pub fn people_of_station(&self, station: &str) -> Result<Vec<StationPerson>, AppError> {
        let view = self.view()?;
        let now = self.now();
        let prefix = prefix(station);
        let mut people = vec![];
        for (key, bytes) in view.values(Space::Session, &prefix, None, 1_000)? {
            let at = millis(&bytes)?;
            let id = key.get(prefix.len()..).and_then(|id| std::str::from_utf8(id).ok());
            let Some(id) = id.and_then(|id| ResourceId::new(id).ok()) else { continue };
            if let Some(found) = account::account(self, &*view, &id)?
                && found.account.state == AccountState::Active
            {
                people.push((at, offered(self, &*view, &found, is_open(Some(at), now))?));
            }
        }
        people.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        Ok(people.into_iter().map(|(_, person)| person).collect())
    }
}

fn offered(
    app: &App,
    view: &(impl View + ?Sized),
    found: &StoredAccount,
    open: bool,
) -> Result<StationPerson, AppError> {
    let person = super::staff::person(app, view, &found.account)?;
    Ok(StationPerson {
        account: found.found.shown.id.clone(),
        name: person.name,
        roles: person.roles,
        login: found.account.login.clone(),
        pin: open && found.account.pin.is_some(),
        card: open && found.account.card.is_some(),
    })
}
