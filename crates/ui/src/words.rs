//! The words of pages for codes of the use cases.

use std::borrow::Borrow;

use ondol_access::{Coded as _, Role, RoleSet};
use ondol_app::AppError;

use crate::form::Form;
use crate::lang::Lang;
use crate::texts::T;

/// What a role is called.
pub fn role(t: T, role: Role) -> String {
    match role {
        Role::HealthWorker => t.get("role-health-worker"),
        Role::Nurse => t.get("role-nurse"),
        Role::Doctor => t.get("role-doctor"),
        Role::Specialist => t.get("role-specialist"),
        Role::SectionDoctor => t.get("role-section-doctor"),
        Role::Pharmacist => t.get("role-pharmacist"),
        Role::FacilityManager => t.get("role-facility-manager"),
        Role::CountyOfficer => t.get("role-county-officer"),
        Role::ProvinceOfficer => t.get("role-province-officer"),
        Role::MinistryOfficer => t.get("role-ministry-officer"),
        Role::Administrator => t.get("role-administrator"),
        Role::Coordinator => t.get("role-coordinator"),
        Role::System => t.get("role-system"),
    }
}

/// The roles that there are at a facility of a tier (`ondol_record`'s word for it).
pub fn roles_at(tier: &str) -> Vec<Role> {
    let fits = |role: &Role| match role {
        Role::System => false,
        Role::CountyOfficer => tier == "county",
        Role::ProvinceOfficer => tier == "province",
        Role::MinistryOfficer => tier == "ministry",
        Role::FacilityManager | Role::Administrator | Role::Coordinator => true,
        // The ministry treats nobody.
        _ => tier != "ministry",
    };
    Role::ALL.iter().copied().filter(fits).collect()
}

/// What roles are called, in the order of the list.
pub fn roles(t: impl Borrow<T>, roles: impl Borrow<RoleSet>) -> String {
    let (t, roles) = (*t.borrow(), *roles.borrow());
    roles.iter().map(|one| role(t, one)).collect::<Vec<_>>().join(", ")
}

/// What a specialty is called; the code itself if it is none of the list.
pub fn specialty(t: impl Borrow<T>, code: impl AsRef<str>) -> String {
    let (t, code) = (*t.borrow(), code.as_ref());
    match (ondol_terms::specialty(code), t.lang()) {
        (Some(known), Lang::Ko) => known.ko.to_owned(),
        (Some(known), Lang::En) => known.en.to_owned(),
        (None, _) => code.to_owned(),
    }
}

/// What to do about a field, by the code of [`AppError::Field`].
pub fn what_to_mend(t: T, why: &str) -> String {
    match why {
        "missing" => t.get("error-missing"),
        "too-short" => t.get("error-too-short"),
        "too-long" => t.get("error-too-long"),
        "too-simple" => t.get("error-too-simple"),
        "taken" => t.get("error-taken"),
        "unknown" => t.get("error-unknown"),
        "letters-and-digits" => t.get("error-letters-and-digits"),
        "digits-only" => t.get("error-digits-only"),
        "not-a-number" => t.get("error-not-a-phone"),
        "same-as-before" => t.get("error-same-as-before"),
        "same-person" => t.get("error-same-person"),
        "not-administrator" => t.get("error-not-administrator"),
        "out-of-range" => t.get("error-out-of-range"),
        "ends-before" => t.get("error-ends-before"),
        _ => t.get("error-other"),
    }
}

/// Why somebody was not let in, as a sentence that says what to do.
pub fn refusal(t: T, why: &str) -> String {
    match why {
        "password-needed" => t.get("refused-password-needed"),
        "account-locked" => t.get("refused-account-locked"),
        "ended" => t.get("refused-ended"),
        _ => t.get("refused-wrong"),
    }
}

/// Why something is not possible now.
pub fn state(t: T, why: &str) -> String {
    match why {
        "two-administrators" => t.get("state-two-administrators"),
        "not-first-run" => t.get("state-not-first-run"),
        "has-left" => t.get("state-has-left"),
        "too-large" => t.get("state-too-large"),
        _ => t.get("state-other"),
    }
}

/// Puts what a use case refused beside the field it is about (`labels` gives their names), so
/// that the form can be shown again. Gives the error back if no field can mend it.
pub fn complain(
    t: T,
    form: &mut Form,
    labels: &[(&str, String)],
    error: AppError,
) -> Result<(), AppError> {
    let (field, text) = match &error {
        AppError::Field { field, why } => (*field, what_to_mend(t, why)),
        AppError::SignIn(why) => ("password", refusal(t, why)),
        AppError::Wait { seconds } => ("password", wait(t, *seconds)),
        AppError::State(why) => ("", state(t, why)),
        _ => return Err(error),
    };
    let known = labels.iter().find(|(name, _)| *name == field).or(labels.first());
    let (field, label) = known.map_or((field, String::new()), |(name, l)| (*name, l.clone()));
    form.complain(field, label, text);
    Ok(())
}

/// How long the next try has to wait.
pub fn wait(t: T, seconds: u32) -> String {
    if seconds < 60 {
        t.msg("refused-wait-seconds").arg("n", seconds).to_string()
    } else {
        t.msg("refused-wait-minutes").arg("n", seconds.div_ceil(60)).to_string()
    }
}
