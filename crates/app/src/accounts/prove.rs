//! Whether somebody is who they say they are.

use ondol_store::{Space, View, WriteTx};

use super::{
    Secret,
    account::{AccountState, StoredAccount},
    audit::Event,
    secret, station, throttle,
};
use crate::{App, AppError};

/// After so many wrong PINs at a station only the password opens it again.
const PIN_TRIES_MAX: u32 = 10;
/// In [`Space::Node`]: the key under which PINs are hashed.
const PIN_KEY: &[u8] = b"pin-key";

/// The password, PIN or card does not fit, or nobody has that name. Which it is, is not said.
pub(super) const WRONG: AppError = AppError::SignIn("wrong");
/// PIN and card are not enough here: first the password.
const PASSWORD_NEEDED: AppError = AppError::SignIn("password-needed");
/// An administrator closed the account.
const ACCOUNT_LOCKED: AppError = AppError::SignIn("account-locked");

/// The key of this node under which PINs are hashed; made when it is first asked for.
pub(super) fn pin_key(app: &App) -> Result<Vec<u8>, AppError> {
    if let Some(key) = app.view()?.value(Space::Node, PIN_KEY)? {
        return Ok(key);
    }
    let mut fresh = vec![0; 32];
    app.rng.fill(&mut fresh);
    ondol_store::transact(&*app.store, move |tx| {
        // Another thread may have come first.
        if let Some(key) = tx.value(Space::Node, PIN_KEY)? {
            return Ok(key);
        }
        tx.set_value(Space::Node, PIN_KEY, Some(&fresh))?;
        Ok(fresh)
    })
}

/// The door of a password. A station that the person used before has one of its own, so that
/// whoever guesses on another computer makes nobody wait on theirs.
fn password_door(
    view: &(impl View + ?Sized),
    login: &str,
    account: Option<&StoredAccount>,
    at: Option<&str>,
) -> Result<Vec<u8>, AppError> {
    let known = match (account, at) {
        (Some(account), Some(at)) => {
            station::password_given(view, at, &account.found.shown.id)?.and(Some(at))
        }
        _ => None,
    };
    Ok(throttle::door("password", login, known.unwrap_or_default()))
}

fn pin_door(account: &StoredAccount, at: &str) -> Vec<u8> {
    throttle::door("pin", account.found.shown.id.as_str(), at)
}

impl App {
    /// Counts a try, or says how long to wait. Gives how many wrong ones there were before.
    pub(super) fn try_at(&self, door: &[u8]) -> Result<u32, AppError> {
        let (door, now) = (door.to_vec(), self.now());
        ondol_store::transact(&*self.store, move |tx| throttle::count(tx, &door, now))
    }

    /// Notes a wrong try.
    pub(super) fn wrong_try(&self, who: &str, with: &'static str) -> Result<AppError, AppError> {
        let line = self.door_line(Event::WrongTry, who, with);
        ondol_store::transact(&*self.store, move |tx| -> Result<(), AppError> {
            Ok(tx.record_reading(&line)?)
        })?;
        Ok(WRONG)
    }

    /// Whether a password is that of an account; `None` stands for a name that nobody has. Every
    /// call counts as a try until [`opened`].
    pub(super) fn prove_password(
        &self,
        login: &str,
        account: Option<&StoredAccount>,
        at: Option<&str>,
        password: &str,
    ) -> Result<Vec<u8>, AppError> {
        let door = password_door(&*self.view()?, login, account, at)?;
        self.try_at(&door)?;
        let hash = account.and_then(|found| found.account.password.as_deref());
        let fits = match hash {
            Some(hash) => secret::fits(None, password, hash)?,
            None => {
                secret::fits_nobody(password)?;
                false
            }
        };
        let who = account.map(reference).unwrap_or_default();
        let Some(account) = account.filter(|_| fits) else {
            return Err(self.wrong_try(&who, "password")?);
        };
        match account.account.state {
            AccountState::Active => Ok(door),
            AccountState::Locked => Err(ACCOUNT_LOCKED),
            AccountState::Left => Err(WRONG),
        }
    }

    /// Whether a secret is that of an account at a station. Gives the door, which the caller
    /// opens ([`throttle::open`]) in the transaction that lets the person in.
    pub(super) fn prove(
        &self,
        account: &StoredAccount,
        at: &str,
        shown: Secret<'_>,
    ) -> Result<Vec<u8>, AppError> {
        let (Secret::Pin(typed) | Secret::Card(typed)) = shown else {
            let Secret::Password(password) = shown else { return Err(WRONG) };
            return self.prove_password(&account.account.login, Some(account), Some(at), password);
        };
        let door = pin_door(account, at);
        let now = self.now();
        {
            let view = self.view()?;
            let given = station::password_given(&*view, at, &account.found.shown.id)?;
            let tries = throttle::tries(&*view, &door, now)?.count;
            if !station::is_open(given, now) || tries >= PIN_TRIES_MAX {
                return Err(PASSWORD_NEEDED);
            }
        }
        if account.account.state != AccountState::Active {
            return Err(ACCOUNT_LOCKED);
        }
        self.try_at(&door)?;
        let fits = match (shown, &account.account.pin, &account.account.card) {
            (Secret::Pin(_), Some(hash), _) => secret::fits(Some(&pin_key(self)?), typed, hash)?,
            (Secret::Card(_), _, Some(hash)) => secret::card_hash(typed) == *hash,
            _ => return Err(PASSWORD_NEEDED),
        };
        if fits { Ok(door) } else { Err(self.wrong_try(&reference(account), shown.kind())?) }
    }
}

/// After a right password the doors of password and PIN stand open again at a station.
pub(super) fn opened(
    tx: &mut dyn WriteTx,
    account: &StoredAccount,
    at: &str,
    door: &[u8],
) -> Result<(), AppError> {
    throttle::open(tx, door)?;
    throttle::open(tx, &pin_door(account, at))
}

/// `Practitioner/…` of an account.
pub(super) fn reference(account: &StoredAccount) -> String {
    format!("Practitioner/{}", account.account.person)
}
