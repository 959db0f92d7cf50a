//! What everybody changes for themselves: password, PIN, card.

use std::sync::Arc;

use ondol_access::Action;
use ondol_kernel::Class;
use ondol_record::ChartId;

use super::{
    SignedIn,
    account::{self, Account},
    prove, secret, session, throttle,
};
use crate::{App, AppError, Changes};

impl App {
    /// Changes one's own password. Other sessions of the same person end; `session` is the cookie
    /// of the one that stays.
    pub fn change_password(
        self: &Arc<Self>,
        who: &SignedIn,
        session: &str,
        (old, new): (&str, &str),
    ) -> Result<(), AppError> {
        let account =
            account::account(self, &*self.view()?, &who.account)?.ok_or(AppError::NotFound)?;
        secret::check_password(new, &account.account.login)?;
        if old == new {
            return Err(AppError::Field { field: "password", why: "same-as-before" });
        }
        let door = self.prove_own(who, old)?;
        let hash = secret::hash(&*self.rng, None, new)?;
        let keep = session::key(session);
        let id = who.account.clone();
        self.change_own(who, move |account| {
            account.password = Some(hash);
            account.must_change = false;
        })?;
        ondol_store::transact(&*self.store, move |tx| {
            throttle::open(tx, &door)?;
            session::end_where(tx, |key, record| record.account == id && key != keep)
        })
    }

    /// Sets one's own PIN. The password is asked for: whoever finds a session open must not leave
    /// a PIN behind.
    pub fn set_pin(
        self: &Arc<Self>,
        who: &SignedIn,
        password: &str,
        pin: &str,
    ) -> Result<(), AppError> {
        secret::check_pin(pin)?;
        let door = self.prove_own(who, password)?;
        let hash = secret::hash(&*self.rng, Some(&prove::pin_key(self)?), pin)?;
        self.change_own(who, move |account| account.pin = Some(hash))?;
        self.forget_tries(door)
    }

    /// Makes a new card and gives the text of its QR code. An older card is worth nothing then.
    pub fn new_card(self: &Arc<Self>, who: &SignedIn, password: &str) -> Result<String, AppError> {
        let door = self.prove_own(who, password)?;
        let text = secret::card(&*self.rng);
        let hash = secret::card_hash(&text);
        self.change_own(who, move |account| account.card = Some(hash))?;
        self.forget_tries(door)?;
        Ok(text)
    }

    /// Makes one's own card worth nothing: it was lost.
    pub fn drop_card(self: &Arc<Self>, who: &SignedIn) -> Result<(), AppError> {
        self.change_own(who, |account| account.card = None)
    }

    fn prove_own(&self, who: &SignedIn, password: &str) -> Result<Vec<u8>, AppError> {
        let account =
            account::account(self, &*self.view()?, &who.account)?.ok_or(AppError::NotFound)?;
        self.prove_password(&account.account.login, Some(&account), None, password)
    }

    fn forget_tries(&self, door: Vec<u8>) -> Result<(), AppError> {
        ondol_store::transact(&*self.store, move |tx| throttle::open(tx, &door))
    }

    fn change_own(
        self: &Arc<Self>,
        who: &SignedIn,
        change: impl FnOnce(&mut Account) + Send + 'static,
    ) -> Result<(), AppError> {
        let id = who.account.clone();
        let chart = ChartId::Practitioner(who.actor.id().clone());
        let app = self.clone();
        self.writing(&who.actor, Action::ChangeOwnSecret, &chart, move |view| {
            let mut stored = account::account(&app, view, &id)?.ok_or(AppError::NotFound)?;
            change(&mut stored.account);
            let mut changes = Changes::new(Class::Routine);
            changes.update(&stored.found, stored.account.to_stored_json());
            Ok(changes)
        })?;
        Ok(())
    }
}
