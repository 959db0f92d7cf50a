//! 'Send her': the form.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ondol_app::AppError;
use ondol_app::referral::Refer;
use ondol_kernel::{Millis, ResourceId};

use super::words as referral_words;
use crate::form::{Choice, Form};
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::screens::consult::{given_id, words};
use crate::screens::people;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;

#[derive(Template)]
#[template(path = "referral/new.html")]
struct New {
    t: T,
    page: Page,
    form: Form,
    patient: Patient,
    patient_id: String,
    places: Vec<Choice>,
    specialties: Vec<Choice>,
    urgencies: Vec<Choice>,
    needs: Vec<Choice>,
}

/// The name under which the form's draft is kept.
fn draft_key(patient: &ResourceId) -> String {
    format!("refer-{patient}")
}

/// The form, with what was typed before.
pub async fn blank(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(patient): Path<String>,
) -> Result<Response, Trouble> {
    let patient = given_id(&patient)?;
    let draft = ui.draft(&who, &draft_key(&patient)).await?;
    show(page, &ui, &who, &patient, draft.unwrap_or_default()).await
}

async fn show(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    patient: &ResourceId,
    form: Form,
) -> Result<Response, Trouble> {
    let (actor, id) = (who.actor.clone(), patient.clone());
    let (banner, places) =
        ui.run(move |app| Ok((app.banner(&actor, &id)?, app.askable("emergency")?))).await?;
    let t = page.t;
    let place = |one: &ondol_app::consult::Askable| {
        let id = one.place.reference.rsplit('/').next().unwrap_or_default();
        let label = if one.contacts.phone.is_empty() {
            one.place.name.clone()
        } else {
            format!("{} ({})", one.place.name, one.contacts.phone)
        };
        Choice::new(id, label)
    };
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let specialty =
        |one: &ondol_terms::Specialty| Choice::new(one.code, crate::words::specialty(t, one.code));
    let screen = New {
        t,
        patient: people::shown::banner(&page, &banner),
        patient_id: patient.to_string(),
        places: places.iter().map(place).collect(),
        specialties: ondol_terms::specialties().iter().map(specialty).collect(),
        urgencies: words::urgencies(t),
        needs: referral_words::all_needs(t),
        form,
        page,
    };
    Ok((status, Screen(screen)).into_response())
}

/// Writes it.
pub async fn write(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(patient): Path<String>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let patient = given_id(&patient)?;
    if form.value("patient") != patient.as_str() {
        return Err(Trouble::BadRequest);
    }
    let (actor, id, now) = (who.actor.clone(), patient.clone(), page.now);
    let written = match refer(&form, now) {
        Ok(refer) => ui.run(move |app| app.refer(&actor, &id, refer)).await,
        Err(why) => Err(why),
    };
    match written {
        Ok(request) => {
            ui.drop_draft(&who, &draft_key(&patient)).await?;
            Ok(page.done(&format!("/referral/{request}"), key!("note-referral-sent")))
        }
        Err(why) => {
            words::complain(page.t, &mut form, why)?;
            show(page, &ui, &who, &patient, form).await
        }
    }
}

/// What was typed.
fn refer(form: &Form, now: Millis) -> Result<Refer, AppError> {
    let missing = |field| AppError::Field { field, why: "missing" };
    let text = |name: &str| form.value(name).to_owned();
    let expected = match form.value("expected") {
        "" => None,
        _ => {
            let hours = form.number("expected").and_then(|hours| in_ms(&hours));
            let wrong = AppError::Field { field: "expected", why: "not-a-number" };
            Some(now.plus(hours.ok_or(wrong)?))
        }
    };
    Ok(Refer {
        facility: ResourceId::new(form.value("facility")).map_err(|_| missing("facility"))?,
        specialty: text("specialty"),
        urgency: words::chosen_urgency(form).ok_or_else(|| missing("urgency"))?,
        reason: text("reason"),
        done: text("done"),
        wish: text("wish"),
        expected,
        needs: form.values("needs").map(str::to_owned).collect(),
        escort: text("escort"),
        transport: form.chose("transport", "yes"),
    })
}

/// Hours as typed (`1.5`) in milliseconds; at most a month.
fn in_ms(hours: &str) -> Option<i64> {
    let (whole, fraction) = hours.split_once('.').unwrap_or((hours, ""));
    let whole: i64 = whole.parse().ok()?;
    let tenths: i64 = match fraction.chars().next() {
        Some(digit) => i64::from(digit.to_digit(10)?),
        None => 0,
    };
    let ms = whole.checked_mul(3_600_000)?.checked_add(tenths * 360_000)?;
    (0..=31 * 86_400_000).contains(&ms).then_some(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_with_a_fraction_and_never_guessed() {
        assert_eq!(in_ms("3"), Some(10_800_000));
        assert_eq!(in_ms("1.5"), Some(5_400_000));
        assert_eq!(in_ms("-1"), None);
        assert_eq!(in_ms("9999"), None);
        assert_eq!(in_ms("x"), None);
    }
}
