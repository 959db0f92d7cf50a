//! Accounts, as an administrator keeps them: who comes, what they do, who leaves.

use std::sync::Arc;

use ondol_access::{Action, Role, RoleSet};
use ondol_kernel::{Class, ResourceId};
use ondol_store::{Found, View, WriteTx};
use serde_json::{Value, json};

use super::{
    account::{self, Account, AccountState, StoredAccount},
    enter::called,
    first_run::{ADMINISTRATORS_MIN, administrators},
    secret, session,
    staff::{self, Colleague},
    station,
};
use crate::{Actor, App, AppError, Changes};

/// Somebody who is to get an account, or what is to stand there from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPerson {
    /// The name.
    pub name: String,
    /// The name to sign in with.
    pub login: String,
    /// What they do here. To administer is one role of several: it gives no clinical one.
    pub roles: RoleSet,
    /// Specialties, as codes of `ondol_terms::specialties`.
    pub specialties: Vec<String>,
    /// Telephone number; may be empty.
    pub phone: String,
}

/// A password that somebody else has to be told, and that has to be changed at once.
#[derive(Clone)]
pub struct OneTimePassword(pub String);

/// A line of the list of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// The account's id.
    pub account: ResourceId,
    /// Who.
    pub person: Colleague,
    /// The name to sign in with.
    pub login: String,
    /// Whether they can sign in.
    pub state: AccountState,
    /// Whether they have not changed the password yet that they were given.
    pub must_change: bool,
    /// Whether a PIN is set.
    pub has_pin: bool,
    /// Whether there is a card.
    pub has_card: bool,
}

const NAME_CHARS_MAX: usize = 100;
const LOGIN_CHARS: std::ops::RangeInclusive<usize> = 2..=40;
/// What is wrong with a person's fields.
pub(super) fn check(person: &NewPerson) -> Result<(), AppError> {
    let wrong = |field, why| Err(AppError::Field { field, why });
    match person.name.trim().chars().count() {
        0 => return wrong("name", "missing"),
        n if n > NAME_CHARS_MAX => return wrong("name", "too-long"),
        _ => {}
    }
    let login = person.login.as_str();
    match login.chars().count() {
        0 => return wrong("login", "missing"),
        n if n < *LOGIN_CHARS.start() => return wrong("login", "too-short"),
        n if n > *LOGIN_CHARS.end() => return wrong("login", "too-long"),
        _ if !login.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')) => {
            return wrong("login", "letters-and-digits");
        }
        _ => {}
    }
    if person.roles.is_empty() || person.roles.contains(Role::System) {
        return wrong("roles", "missing");
    }
    if person.specialties.iter().any(|code| ondol_terms::specialty(code).is_none()) {
        return wrong("specialties", "unknown");
    }
    let phone = person.phone.as_str();
    let digits = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '+' | '(' | ')' | '/');
    if phone.len() > 40 || !phone.chars().all(digits) {
        return wrong("phone", "not-a-number");
    }
    Ok(())
}

/// What is wrong with a person and a password that they chose, before anything is saved.
pub fn check_person(person: &NewPerson, password: &str) -> Result<(), AppError> {
    check(person)?;
    secret::check_password(password, &person.login)
}

/// Adds a person with an account to a transaction.
pub(super) fn create(
    changes: &mut Changes,
    app: &App,
    person: &NewPerson,
    password: &str,
    must_change: bool,
) {
    let name = person.name.trim();
    let practitioner = changes.create(account::practitioner(name, &person.phone, true));
    let role = changes.create(account::practitioner_role(
        &practitioner,
        &app.place.organization(),
        (person.roles, &person.specialties),
        true,
    ));
    // The references of the resource are those of the transaction; these two are never read.
    let nobody = ResourceId::from_uuid([0; 16]);
    let account = Account {
        person: nobody.clone(),
        role: nobody,
        login: person.login.clone(),
        password: Some(password.to_owned()),
        pin: None,
        card: None,
        state: AccountState::Active,
        must_change,
    };
    changes.create(account.to_json(&practitioner, &role));
}

/// What an administrator changes about one account.
pub(super) struct Managed<'a> {
    pub(super) app: &'a App,
    pub(super) actor: &'a Actor,
    pub(super) tx: &'a mut dyn WriteTx,
    pub(super) stored: StoredAccount,
}

impl App {
    /// All accounts, those of people who left last.
    pub fn people(&self, actor: &Actor) -> Result<Vec<PersonRow>, AppError> {
        let chart = self.facility_chart();
        self.reading(actor, Action::ManageAccounts, &chart, |view| {
            let accounts = account::accounts(self, view)?;
            let mut rows: Vec<PersonRow> =
                accounts.iter().map(|stored| row(self, view, stored)).collect::<Result<_, _>>()?;
            rows.sort_by(|a, b| {
                let key = |row: &PersonRow| row.state == AccountState::Left;
                key(a).cmp(&key(b)).then_with(|| a.person.name.cmp(&b.person.name))
            });
            Ok(rows)
        })
    }

    /// One account.
    pub fn person(&self, actor: &Actor, id: &ResourceId) -> Result<PersonRow, AppError> {
        self.reading(actor, Action::ManageAccounts, &self.facility_chart(), |view| {
            row(self, view, &account::account(self, view, id)?.ok_or(AppError::NotFound)?)
        })
    }

    /// Adds somebody. The password that is given works once.
    pub fn add_person(
        self: &Arc<Self>,
        actor: &Actor,
        person: NewPerson,
    ) -> Result<OneTimePassword, AppError> {
        check(&person)?;
        let password = secret::one_time_password(&*self.rng);
        let hash = secret::hash(&*self.rng, None, &password)?;
        let app = self.clone();
        self.writing(actor, Action::ManageAccounts, &self.facility_chart(), move |view| {
            if called(account::accounts(&app, view)?, &person.login).is_some() {
                return Err(AppError::Field { field: "login", why: "taken" });
            }
            let mut changes = Changes::new(Class::Routine);
            create(&mut changes, &app, &person, &hash, true);
            Ok(changes)
        })?;
        Ok(OneTimePassword(password))
    }

    /// Changes name, name to sign in with, roles, specialties and telephone number.
    pub fn change_person(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        person: NewPerson,
    ) -> Result<(), AppError> {
        check(&person)?;
        self.managed(actor, id, move |managed| managed.change(&person))
    }

    /// Gives somebody a new password that works once. Their sessions end.
    pub fn reset_password(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
    ) -> Result<OneTimePassword, AppError> {
        let password = secret::one_time_password(&*self.rng);
        let hash = secret::hash(&*self.rng, None, &password)?;
        self.managed(actor, id, move |managed| {
            managed.must_not_have_left()?;
            managed.stored.account.password = Some(hash);
            managed.stored.account.must_change = true;
            managed.save()?;
            managed.throw_out()
        })?;
        Ok(OneTimePassword(password))
    }

    /// Closes an account until it is opened again, or opens it.
    pub fn set_locked(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        locked: bool,
    ) -> Result<(), AppError> {
        self.managed(actor, id, move |managed| {
            managed.must_not_have_left()?;
            let state = if locked { AccountState::Locked } else { AccountState::Active };
            let roles = staff::person(managed.app, &*managed.tx, &managed.stored.account)?.roles;
            managed.must_leave_administrators(state, roles)?;
            managed.stored.account.state = state;
            managed.save()?;
            if locked { managed.throw_out() } else { Ok(()) }
        })
    }

    pub(super) fn managed<T: Send + 'static>(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        job: impl FnOnce(&mut Managed<'_>) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        let (app, actor, id) = (self.clone(), actor.clone(), id.clone());
        self.transact(move |tx| {
            app.may(&*tx, &actor, Action::ManageAccounts, &app.facility_chart(), None)?;
            let stored = account::account(&app, &*tx, &id)?.ok_or(AppError::NotFound)?;
            job(&mut Managed { app: &app, actor: &actor, tx, stored })
        })
    }
}

impl Managed<'_> {
    fn save(&mut self) -> Result<(), AppError> {
        self.save_with(Changes::new(Class::Routine))
    }

    pub(super) fn save_with(&mut self, mut changes: Changes) -> Result<(), AppError> {
        changes.update(&self.stored.found, self.stored.account.to_stored_json());
        self.app.append(self.tx, self.actor, changes)?;
        Ok(())
    }

    /// Ends all sessions of the account, and the stations forget it.
    pub(super) fn throw_out(&mut self) -> Result<(), AppError> {
        let id = self.stored.found.shown.id.clone();
        session::end_where(self.tx, |_, record| record.account == id)?;
        station::forget(self.tx, &id)
    }

    pub(super) fn must_not_have_left(&self) -> Result<(), AppError> {
        if self.stored.account.state == AccountState::Left {
            return Err(AppError::State("has-left"));
        }
        Ok(())
    }

    pub(super) fn must_leave_administrators(
        &self,
        state: AccountState,
        roles: RoleSet,
    ) -> Result<(), AppError> {
        let before = staff::person(self.app, &*self.tx, &self.stored.account)?.roles;
        let was = self.stored.account.state == AccountState::Active
            && before.contains(Role::Administrator);
        let stays = state == AccountState::Active && roles.contains(Role::Administrator);
        if !was || stays {
            return Ok(());
        }
        let accounts = account::accounts(self.app, &*self.tx)?;
        let left = administrators(self.app, &*self.tx, &accounts, (&self.stored, state, roles))?;
        if left < ADMINISTRATORS_MIN {
            return Err(AppError::State("two-administrators"));
        }
        Ok(())
    }

    /// The Practitioner and the `PractitionerRole`.
    pub(super) fn resources(&self) -> Result<(Found, Found), AppError> {
        let account = &self.stored.account;
        let practitioner = staff::resource(&*self.tx, "Practitioner", &account.person)?;
        Ok((practitioner, staff::own_role(self.app, &*self.tx, &account.role)?))
    }

    fn change(&mut self, person: &NewPerson) -> Result<(), AppError> {
        self.must_not_have_left()?;
        self.must_leave_administrators(self.stored.account.state, person.roles)?;
        let accounts = account::accounts(self.app, &*self.tx)?;
        let other = called(accounts, &person.login)
            .is_some_and(|other| other.found.shown.id != self.stored.found.shown.id);
        if other {
            return Err(AppError::Field { field: "login", why: "taken" });
        }
        let (practitioner, role) = self.resources()?;
        let mut changes = Changes::new(Class::Routine);
        // What else stands in the two resources stays.
        let fresh = account::practitioner(person.name.trim(), &person.phone, true);
        changes
            .update(&practitioner, laid_over(account::body(&practitioner)?, fresh, &["telecom"]));
        let reference =
            json!({ "reference": format!("Practitioner/{}", self.stored.account.person) });
        let fresh = account::practitioner_role(
            &reference,
            &self.app.place.organization(),
            (person.roles, &person.specialties),
            true,
        );
        changes.update(&role, laid_over(account::body(&role)?, fresh, &["code", "specialty"]));
        self.stored.account.login.clone_from(&person.login);
        self.save_with(changes)
    }
}

/// An older resource with the members of a newer one in place of its own; members named `gone`
/// that the newer one lacks are left out.
fn laid_over(mut old: Value, new: Value, gone: &[&str]) -> Value {
    if let (Some(old), Value::Object(new)) = (old.as_object_mut(), new) {
        for name in gone {
            old.remove(*name);
        }
        old.extend(new);
    }
    old
}

fn row(
    app: &App,
    view: &(impl View + ?Sized),
    stored: &StoredAccount,
) -> Result<PersonRow, AppError> {
    let account = &stored.account;
    Ok(PersonRow {
        account: stored.found.shown.id.clone(),
        person: staff::person(app, view, account)?,
        login: account.login.clone(),
        state: account.state,
        must_change: account.must_change,
        has_pin: account.pin.is_some(),
        has_card: account.card.is_some(),
    })
}
