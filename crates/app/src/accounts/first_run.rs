//! The first run, and the way back in when no administrator remembers a password.

use std::sync::Arc;

use ondol_access::{Role, RoleSet};
use ondol_kernel::Class;
use ondol_store::{Found, WriteTx};

use super::{
    account::{self, AccountState},
    audit::Event,
    enter::called,
    people::{self, NewPerson},
    secret, session, station, throttle,
};
use crate::{Actor, App, AppError, Changes};

/// So many administrators have to be able to sign in at any time.
pub(super) const ADMINISTRATORS_MIN: usize = 2;

/// A recovery code. It is shown once, printed and sealed into an envelope; only its hash is kept.
#[derive(Clone)]
pub struct RecoveryCode(pub String);

impl App {
    /// Whether nobody has an account here yet.
    pub fn is_first_run(&self) -> Result<bool, AppError> {
        Ok(account::accounts(self, &*self.view()?)?.is_empty())
    }

    /// Makes the first accounts, two administrators among them at least, each with the password
    /// that they typed. Refused as soon as there is any account. For whoever holds the machine
    /// itself: pages ask for the code of the console ([`App::first_run_with`]).
    pub fn first_run(
        self: &Arc<Self>,
        people: Vec<(NewPerson, String)>,
    ) -> Result<RecoveryCode, AppError> {
        let administrators = people.iter().filter(|(p, _)| p.roles.contains(Role::Administrator));
        if administrators.count() < ADMINISTRATORS_MIN {
            return Err(AppError::State("two-administrators"));
        }
        for (at, (person, password)) in people.iter().enumerate() {
            people::check(person)?;
            secret::check_password(password, &person.login)?;
            let login = person.login.to_lowercase();
            if people[..at].iter().any(|(before, _)| before.login.to_lowercase() == login) {
                return Err(AppError::Field { field: "login", why: "taken" });
            }
        }
        let mut hashed = vec![];
        for (person, password) in people {
            hashed.push((person, secret::hash(&*self.rng, None, &password)?));
        }
        let (code, code_hash) = self.new_recovery_code()?;
        let app = self.clone();
        self.transact(move |tx| {
            if !account::accounts(&app, tx)?.is_empty() {
                return Err(AppError::State("not-first-run"));
            }
            let mut changes = Changes::new(Class::Routine);
            for (person, hash) in &hashed {
                people::create(&mut changes, &app, person, hash, false);
            }
            changes.create(account::recovery_json(&code_hash));
            app.append(tx, &app.node_actor(), changes)?;
            Ok(())
        })?;
        Ok(RecoveryCode(code))
    }

    /// Gives an administrator a new password with the code from the sealed envelope. No link is
    /// needed. The code is used up: a new one is given, for the next envelope.
    pub fn recover(
        self: &Arc<Self>,
        code: &str,
        login: &str,
        password: &str,
    ) -> Result<RecoveryCode, AppError> {
        secret::check_password(password, login.trim())?;
        let door = throttle::door("recovery", "", "");
        self.try_at(&door)?;
        let stored = account::recovery(self, &*self.view()?)?;
        let (hash, found) = stored.ok_or(AppError::NotFound)?;
        if !secret::fits(None, &secret::read_recovery_code(code), &hash)? {
            return Err(self.wrong_try("", "recovery")?);
        }
        let password = secret::hash(&*self.rng, None, password)?;
        let (fresh, fresh_hash) = self.new_recovery_code()?;
        let (app, login) = (self.clone(), login.trim().to_owned());
        self.transact(move |tx| {
            throttle::open(tx, &door)?;
            app.recover_in(tx, &login, password, (&found, &hash, &fresh_hash))
        })?;
        Ok(RecoveryCode(fresh))
    }

    fn recover_in(
        &self,
        tx: &mut dyn WriteTx,
        login: &str,
        password: String,
        (found, used, fresh): (&Found, &str, &str),
    ) -> Result<(), AppError> {
        // Somebody else may have used the code in this moment.
        if account::recovery(self, tx)?.is_none_or(|(stored, _)| stored != used) {
            return Err(super::prove::WRONG);
        }
        let Some(mut stored) = called(account::accounts(self, tx)?, login) else {
            return Err(AppError::Field { field: "login", why: "unknown" });
        };
        let roles = super::staff::person(self, tx, &stored.account)?.roles;
        if !roles.contains(Role::Administrator) || stored.account.state == AccountState::Left {
            return Err(AppError::Field { field: "login", why: "not-administrator" });
        }
        stored.account.password = Some(password);
        stored.account.state = AccountState::Active;
        stored.account.must_change = false;
        let id = stored.found.shown.id.clone();
        let line = self.door_line(Event::Recovered, &super::prove::reference(&stored), "recovery");
        let mut changes = Changes::new(Class::Routine);
        changes.update(&stored.found, stored.account.to_stored_json());
        changes.update(found, account::recovery_json(fresh));
        self.append(tx, &self.node_actor(), changes)?;
        session::end_where(tx, |_, record| record.account == id)?;
        station::forget(tx, &id)?;
        Ok(tx.record_reading(&line)?)
    }

    fn new_recovery_code(&self) -> Result<(String, String), AppError> {
        let code = secret::recovery_code(&*self.rng);
        let hash = secret::hash(&*self.rng, None, &secret::read_recovery_code(&code))?;
        Ok((code, hash))
    }

    /// The node itself, where nobody is signed in.
    pub(super) fn node_actor(&self) -> Actor {
        Actor::node(self.place.node, &self.place.name)
    }
}

/// How many administrators can sign in, were the roles and states of `but` these.
pub(super) fn administrators(
    app: &App,
    tx: &dyn WriteTx,
    accounts: &[account::StoredAccount],
    but: (&account::StoredAccount, AccountState, RoleSet),
) -> Result<usize, AppError> {
    let mut count = 0;
    for stored in accounts {
        let (state, roles) = if stored.found.shown.id == but.0.found.shown.id {
            (but.1, but.2)
        } else {
            (stored.account.state, super::staff::person(app, tx, &stored.account)?.roles)
        };
        let counts = state == AccountState::Active && roles.contains(Role::Administrator);
        count += usize::from(counts);
    }
    Ok(count)
}
