//! An account as it stands in the record: a `Basic` in the facility's chart.
//!
//! The chart travels to the tiers above, so that a facility whose machine is lost gets its
//! accounts back. What travels is worth little to whoever reads it: a password's slow hash, a
//! card's hash, and a PIN's hash under a key that never leaves the node.

use ondol_access::{Coded, Role, RoleSet};
use ondol_kernel::ResourceId;
use ondol_record::entry::ChangeKind;
use ondol_store::{Found, Stored, View};
use serde_json::{Value, json};

use crate::{App, AppError, coding, nation::Known};

/// Whether somebody can sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountState {
    /// Yes.
    Active,
    /// Not until an administrator opens it again.
    Locked,
    /// Never again: the person works here no more.
    Left,
}

impl AccountState {
    const ALL: [Self; 3] = [Self::Active, Self::Locked, Self::Left];

    /// The word for it in the record.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Locked => "locked",
            Self::Left => "left",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// An account. It has no `Debug`: nothing of it belongs into a log.
#[derive(Clone)]
pub(crate) struct Account {
    /// The Practitioner.
    pub person: ResourceId,
    /// The `PractitionerRole` at this facility.
    pub role: ResourceId,
    /// The name to sign in with.
    pub login: String,
    /// The password's hash; none for those who left.
    pub password: Option<String>,
    /// The PIN's hash.
    pub pin: Option<String>,
    /// The card's hash.
    pub card: Option<String>,
    /// Whether it can be used.
    pub state: AccountState,
    /// Whether the password was given by somebody else and has to be changed.
    pub must_change: bool,
}

/// An account and the version it was read from.
#[derive(Clone)]
pub(crate) struct StoredAccount {
    pub account: Account,
    pub found: Found,
}

const CODE: &str = "account";
const PERSON: &str = "urn:ondol:account:person";
const ROLE: &str = "urn:ondol:account:role";
const LOGIN: &str = "urn:ondol:account:login";
const PASSWORD: &str = "urn:ondol:account:password";
const PIN: &str = "urn:ondol:account:pin";
const CARD: &str = "urn:ondol:account:card";
const STATE: &str = "urn:ondol:account:state";
const MUST_CHANGE: &str = "urn:ondol:account:must-change";
const RECOVERY: &str = "recovery";

/// Whether a resource holds secrets of accounts. No door shows it: `Action::ReadCredentials` is
/// forbidden to everybody, and what holds secrets is read by that action alone.
pub fn holds_secrets(resource: &Value) -> bool {
    resource["resourceType"] == "Basic"
        && coding::code_of(&resource["code"], coding::ACCOUNT).is_some()
}

fn basic(code: &str, extensions: &[Value]) -> Value {
    json!({
        "resourceType": "Basic",
        "extension": extensions,
        "code": coding::concept(coding::ACCOUNT, code),
    })
}

impl Account {
    /// The resource. `person` and `role` are what [`crate::Changes::create`] gave, or references.
    pub fn to_json(&self, person: &Value, role: &Value) -> Value {
        let text = |url: &str, value: &str| json!({ "url": url, "valueString": value });
        let mut extensions = vec![
            json!({ "url": PERSON, "valueReference": person }),
            json!({ "url": ROLE, "valueReference": role }),
            text(LOGIN, &self.login),
            json!({ "url": STATE, "valueCode": self.state.code() }),
            json!({ "url": MUST_CHANGE, "valueBoolean": self.must_change }),
        ];
        for (url, value) in [(PASSWORD, &self.password), (PIN, &self.pin), (CARD, &self.card)] {
            extensions.extend(value.iter().map(|value| text(url, value)));
        }
        basic(CODE, &extensions)
    }

    /// The resource of an account whose person and role exist.
    pub fn to_stored_json(&self) -> Value {
        let person = json!({ "reference": format!("Practitioner/{}", self.person) });
        let role = json!({ "reference": format!("PractitionerRole/{}", self.role) });
        self.to_json(&person, &role)
    }

    fn from_json(basic: &Value) -> Option<Self> {
        let reference = |url: &str, kind: &str| {
            let reference = extension(basic, url)?["valueReference"]["reference"].as_str()?;
            ResourceId::new(reference.strip_prefix(kind)?).ok()
        };
        let text = |url: &str| Some(extension(basic, url)?["valueString"].as_str()?.to_owned());
        Some(Self {
            person: reference(PERSON, "Practitioner/")?,
            role: reference(ROLE, "PractitionerRole/")?,
            login: text(LOGIN)?,
            password: text(PASSWORD),
            pin: text(PIN),
            card: text(CARD),
            state: AccountState::from_code(extension(basic, STATE)?["valueCode"].as_str()?)?,
            must_change: extension(basic, MUST_CHANGE)?["valueBoolean"].as_bool()?,
        })
    }
}

pub(crate) fn extension<'a>(resource: &'a Value, url: &str) -> Option<&'a Value> {
    resource["extension"].as_array()?.iter().find(|extension| extension["url"] == url)
}

/// The body of what is stored.
pub(crate) fn body(found: &Found) -> Result<Value, AppError> {
    ondol_record::body::read(&found.shown.body)
        .ok_or(AppError::Unexpected("a resource is not JSON"))
}

fn of(found: Found) -> Result<StoredAccount, AppError> {
    let account = Account::from_json(&body(&found)?);
    let account = account.ok_or(AppError::Unexpected("an account is not in its format"))?;
    Ok(StoredAccount { account, found })
}

/// The version of a resource that this facility wrote itself, if there is one. What another node
/// wrote into our chart makes nobody an administrator here.
pub(super) fn written_here(app: &App, mut found: Found) -> Option<Found> {
    let nation = app.nation();
    let own = |version: &Stored| {
        let origin = version.address.stream.origin;
        let serves = |known: &Known| known.certificate.facility == app.place.facility;
        origin == app.place.node || nation.node(&origin).is_some_and(serves)
    };
    if !own(&found.shown) {
        let at = found.rivals.iter().position(own)?;
        std::mem::swap(&mut found.shown, &mut found.rivals[at]);
    }
    (found.shown.kind == ChangeKind::Put).then_some(found)
}

fn secrets(app: &App, view: &(impl View + ?Sized), code: &str) -> Result<Vec<Found>, AppError> {
    let found = view.chart(&app.facility_chart(), &["Basic"])?;
    let mut found: Vec<Found> =
        found.into_iter().filter_map(|found| written_here(app, found)).collect();
    found.retain(|found| {
        body(found).is_ok_and(|basic| coding::has_code(&basic["code"], coding::ACCOUNT, code))
    });
    Ok(found)
}

/// The accounts of the facility, those of people who left too.
pub(super) fn accounts(
    app: &App,
    view: &(impl View + ?Sized),
) -> Result<Vec<StoredAccount>, AppError> {
    secrets(app, view, CODE)?.into_iter().map(of).collect()
}

/// One account by the id of its resource.
pub(super) fn account(
    app: &App,
    view: &(impl View + ?Sized),
    id: &ResourceId,
) -> Result<Option<StoredAccount>, AppError> {
    let found = view.resource("Basic", id)?.and_then(|found| written_here(app, found));
    found.map(of).transpose()
}

/// The recovery code's hash and the version it was read from.
pub(super) fn recovery(
    app: &App,
    view: &(impl View + ?Sized),
) -> Result<Option<(String, Found)>, AppError> {
    let Some(found) = secrets(app, view, RECOVERY)?.into_iter().next() else { return Ok(None) };
    let basic = body(&found)?;
    let hash = extension(&basic, PASSWORD).and_then(|e| e["valueString"].as_str());
    let hash = hash.ok_or(AppError::Unexpected("a recovery code is not in its format"))?;
    Ok(Some((hash.to_owned(), found)))
}

/// The resource of a recovery code.
pub(super) fn recovery_json(hash: &str) -> Value {
    basic(RECOVERY, &[json!({ "url": PASSWORD, "valueString": hash })])
}

/// The resource of a person.
pub(super) fn practitioner(name: &str, phone: &str, active: bool) -> Value {
    let mut practitioner = json!({
        "resourceType": "Practitioner",
        "active": active,
        "name": [{ "text": name }],
    });
    if !phone.is_empty() {
        practitioner["telecom"] = json!([{ "system": "phone", "value": phone }]);
    }
    practitioner
}

/// The resource of what a person does at a facility.
pub(super) fn practitioner_role(
    person: &Value,
    organization: &str,
    (roles, specialties): (RoleSet, &[String]),
    active: bool,
) -> Value {
    let mut resource = json!({
        "resourceType": "PractitionerRole",
        "active": active,
        "practitioner": person,
        "organization": { "reference": organization },
    });
    let concepts = |system: &str, codes: &[&str]| -> Vec<Value> {
        codes.iter().map(|code| coding::concept(system, code)).collect()
    };
    let roles: Vec<&str> = roles.iter().map(Role::code).collect();
    let specialties: Vec<&str> = specialties.iter().map(String::as_str).collect();
    if !roles.is_empty() {
        resource["code"] = concepts(coding::ROLE, &roles).into();
    }
    if !specialties.is_empty() {
        resource["specialty"] = concepts(coding::SPECIALTY, &specialties).into();
    }
    resource
}

/// The roles in a `PractitionerRole`. The node's own role is nobody's.
pub(super) fn roles_of(role: &Value) -> RoleSet {
    if role["active"] == false {
        return RoleSet::EMPTY;
    }
    codes(&role["code"], coding::ROLE)
        .filter_map(Role::from_code)
        .filter(|role| *role != Role::System)
        .collect()
}

/// The specialties in a `PractitionerRole`.
pub(super) fn specialties_of(role: &Value) -> Vec<String> {
    codes(&role["specialty"], coding::SPECIALTY).map(str::to_owned).collect()
}

fn codes<'a>(concepts: &'a Value, system: &'a str) -> impl Iterator<Item = &'a str> {
    let concepts = concepts.as_array().into_iter().flatten();
    let codings = concepts.filter_map(|concept| concept["coding"].as_array()).flatten();
    codings.filter(move |coding| coding["system"] == system).filter_map(|c| c["code"].as_str())
}

/// How a Practitioner is called.
pub(crate) fn name_of(practitioner: &Value) -> String {
    practitioner["name"][0]["text"].as_str().unwrap_or_default().to_owned()
}

/// The telephone number of a Practitioner; empty if none is known.
pub(crate) fn phone_of(practitioner: &Value) -> String {
    let telecoms = practitioner["telecom"].as_array().into_iter().flatten();
    let mut phones = telecoms.filter(|telecom| telecom["system"] == "phone");
    phones.find_map(|phone| phone["value"].as_str()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account {
            person: ResourceId::new("p1").unwrap(),
            role: ResourceId::new("r1").unwrap(),
            login: "yonghui".into(),
            password: Some("$argon2id$…".into()),
            pin: None,
            card: Some("ab".into()),
            state: AccountState::Locked,
            must_change: true,
        }
    }

    #[test]
    fn an_account_is_read_as_it_was_written() {
        let json = account().to_stored_json();
        let read = Account::from_json(&json).unwrap();
        assert_eq!(read.to_stored_json(), json);
        assert_eq!((read.pin, read.must_change), (None, true));
        let resource = ondol_fhir::Resource::from_json(json.clone()).unwrap();
        assert!(ondol_fhir::validate(&resource).is_empty());
        assert!(holds_secrets(&json) && holds_secrets(&recovery_json("x")));
    }

    #[test]
    fn an_account_with_an_unknown_state_opens_nothing() {
        let mut json = account().to_stored_json();
        json["extension"][3]["valueCode"] = "half-open".into();
        assert!(Account::from_json(&json).is_none());
    }

    #[test]
    fn nobody_becomes_the_node_by_a_role_in_the_record() {
        let mut role = practitioner_role(
            &json!({ "reference": "Practitioner/p1" }),
            "Organization/f",
            (RoleSet::EMPTY.with(Role::Doctor).with(Role::System), &["surgery".into()]),
            true,
        );
        assert_eq!(roles_of(&role), RoleSet::EMPTY.with(Role::Doctor));
        assert_eq!(specialties_of(&role), ["surgery"]);
        role["active"] = false.into();
        assert!(roles_of(&role).is_empty());
    }
}
