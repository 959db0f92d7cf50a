//! Signing in, switching to somebody else, going on after the lock.

use ondol_kernel::ResourceId;

use super::{
    Entered, Secret, SignedIn,
    account::{self, StoredAccount},
    audit::Event,
    prove::{self, WRONG},
    secret,
    session::{self, Record},
    station, throttle,
};
use crate::{App, AppError};

/// The longest name and the longest cookie that are looked at.
const TYPED_MAX: usize = 200;

impl App {
    /// Signs in with name and password. `station` is the computer's cookie, if it has one.
    /// `replaces` is the session that this browser had: it ends.
    pub fn sign_in(
        &self,
        login: &str,
        password: &str,
        station: Option<&str>,
        replaces: Option<&str>,
    ) -> Result<Entered, AppError> {
        let login = login.trim();
        if login.is_empty() || login.len() > TYPED_MAX {
            return Err(AppError::Field { field: "login", why: "missing" });
        }
        let station = station.filter(|station| is_token(station));
        let found = self.account_called(login)?;
        let door = self.prove_password(login, found.as_ref(), station, password)?;
        let account = found.ok_or(WRONG)?;
        let station = station.map_or_else(|| secret::token(&*self.rng), str::to_owned);
        self.enter(&account, station, Secret::Password(password), door, replaces)
    }

    /// Signs in at a station where the password was given today: with a PIN or the card, or with
    /// the password by choosing the name. `account` is one of [`App::people_of_station`]; a card
    /// says by itself whose it is.
    pub fn switch(
        &self,
        station: &str,
        account: Option<&ResourceId>,
        shown: Secret<'_>,
        replaces: Option<&str>,
    ) -> Result<Entered, AppError> {
        if !is_token(station) {
            return Err(AppError::SignIn("password-needed"));
        }
        let found = match (account, shown) {
            (Some(id), _) => account::account(self, &*self.view()?, id)?,
            (None, Secret::Card(text)) => self.account_of_card(text)?,
            (None, _) => None,
        };
        let Some(account) = found else {
            self.try_at(&throttle::door("card", "", station))?;
            return Err(self.wrong_try("", shown.kind())?);
        };
        let door = self.prove(&account, station, shown)?;
        self.enter(&account, station.to_owned(), shown, door, replaces)
    }

    /// Opens a locked session again. It has to be the same person.
    pub fn unlock(
        &self,
        session: &str,
        station: &str,
        shown: Secret<'_>,
    ) -> Result<SignedIn, AppError> {
        let ended = AppError::SignIn("ended");
        let Some(signed_in) = self.session(session, false)? else { return Err(ended) };
        let account = account::account(self, &*self.view()?, &signed_in.account)?.ok_or(WRONG)?;
        let door = self.prove(&account, station, shown)?;
        let key = session::key(session);
        let now = self.now();
        let station = station.to_owned();
        let with_password = matches!(shown, Secret::Password(_));
        let line = self.door_line(Event::Unlocked, &prove::reference(&account), shown.kind());
        let record = ondol_store::transact(&*self.store, move |tx| {
            let Some(mut record) = session::read(tx, &key)? else {
                return Err(AppError::SignIn("ended"));
            };
            record.locked = false;
            record.seen = now;
            if with_password {
                record.ends = now.plus(super::PASSWORD_LASTS_MS);
                prove::opened(tx, &account, &station, &door)?;
                station::note_password(tx, &station, &account.found.shown.id, now)?;
            } else {
                throttle::open(tx, &door)?;
            }
            session::write(tx, &key, &record)?;
            tx.record_reading(&line)?;
            Ok(record)
        })?;
        session::who(self, &*self.view()?, &record)?.ok_or(WRONG)
    }

    /// Lets somebody in who was proved.
    fn enter(
        &self,
        account: &StoredAccount,
        station: String,
        shown: Secret<'_>,
        door: Vec<u8>,
        replaces: Option<&str>,
    ) -> Result<Entered, AppError> {
        let session = secret::token(&*self.rng);
        let key = session::key(&session);
        let old = replaces.map(session::key);
        let now = self.now();
        let account = account.clone();
        let with_password = matches!(shown, Secret::Password(_));
        let line = self.door_line(Event::SignedIn, &prove::reference(&account), shown.kind());
        let at = station.clone();
        let record = ondol_store::transact(&*self.store, move |tx| -> Result<_, AppError> {
            let id = account.found.shown.id.clone();
            let mut record = Record::begun(id.clone(), now);
            if with_password {
                prove::opened(tx, &account, &at, &door)?;
                station::note_password(tx, &at, &id, now)?;
            } else {
                throttle::open(tx, &door)?;
                // A PIN lasts no longer than the password on which it stands.
                if let Some(given) = station::password_given(tx, &at, &id)? {
                    record.ends = given.plus(super::PASSWORD_LASTS_MS);
                }
            }
            session::end_where(tx, |key, record| {
                record.ends <= now || old.as_deref() == Some(key)
            })?;
            session::write(tx, &key, &record)?;
            tx.record_reading(&line)?;
            Ok(record)
        })?;
        let who = session::who(self, &*self.view()?, &record)?.ok_or(WRONG)?;
        Ok(Entered { session, station, who })
    }

    pub(super) fn account_called(&self, login: &str) -> Result<Option<StoredAccount>, AppError> {
        let accounts = account::accounts(self, &*self.view()?)?;
        Ok(called(accounts, login))
    }

    fn account_of_card(&self, text: &str) -> Result<Option<StoredAccount>, AppError> {
        if text.len() > TYPED_MAX {
            return Ok(None);
        }
        let hash = secret::card_hash(text);
        let accounts = account::accounts(self, &*self.view()?)?;
        Ok(accounts.into_iter().find(|found| found.account.card.as_ref() == Some(&hash)))
    }
}

/// The account with a name; capitals do not matter.
pub(super) fn called(accounts: Vec<StoredAccount>, login: &str) -> Option<StoredAccount> {
    let login = login.to_lowercase();
    accounts.into_iter().find(|found| found.account.login.to_lowercase() == login)
}

/// Whether a cookie is one that this node could have given.
fn is_token(cookie: &str) -> bool {
    cookie.len() == 32 && cookie.bytes().all(|b| b.is_ascii_hexdigit())
}
