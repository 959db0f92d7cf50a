//! Accounts made on the command line, by whoever holds the data directory itself: for demos, for
//! tests, and for the day on which every administrator is gone and the envelope is lost.

use std::sync::Arc;

use ondol_access::{Coded, Role, RoleSet};
use ondol_kernel::Class;

use super::{
    account,
    enter::called,
    people::{self, NewPerson},
    secret,
};
use crate::{App, AppError, Changes};

impl App {
    /// Adds an account with a password, and a PIN if given. Roles are words of the access
    /// policies.
    pub fn provision_account(
        self: &Arc<Self>,
        login: &str,
        name: &str,
        roles: &[String],
        password: &str,
        pin: Option<&str>,
    ) -> Result<(), AppError> {
        let mut set = RoleSet::EMPTY;
        for word in roles {
            let role = Role::from_code(word.trim());
            set.insert(role.ok_or(AppError::Field { field: "roles", why: "unknown" })?);
        }
        let person = NewPerson {
            name: name.to_owned(),
            login: login.to_owned(),
            roles: set,
            specialties: vec![],
            phone: String::new(),
        };
        people::check(&person)?;
        secret::check_password(password, login)?;
        let hash = secret::hash(&*self.rng, None, password)?;
        let app = self.clone();
        self.transact(move |tx| {
            if called(account::accounts(&app, tx)?, &person.login).is_some() {
                return Err(AppError::Field { field: "login", why: "taken" });
            }
            let mut changes = Changes::new(Class::Routine);
            people::create(&mut changes, &app, &person, &hash, false);
            app.append(tx, &app.node_actor(), changes)
        })?;
        let Some(pin) = pin else { return Ok(()) };
        let entered = self.sign_in(login, password, None, None)?;
        self.set_pin(&entered.who, password, pin)?;
        self.sign_out(&entered.session)
    }
}
