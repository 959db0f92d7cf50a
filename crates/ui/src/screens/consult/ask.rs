//! Asking a specialist: specialty, then the question, then what it costs.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ondol_app::attachment::Part;
use ondol_app::consult::{Askable, Power};
use ondol_app::{Actor, App, AppError};
use ondol_kernel::ResourceId;
use std::sync::Arc;

use super::upload::Upload;
use super::{given_id, shown, words};
use crate::form::{Choice, Form};
use crate::page::Page;
use crate::screen::Screen;
use crate::screens::{people, stock};
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;

/// Asked about most: offered first.
const OFTEN: [&str; 10] = [
    "internal-medicine",
    "heart",
    "surgery",
    "womens-health",
    "child-health",
    "bones",
    "infectious-disease",
    "emergency",
    "eyes",
    "skin",
];

/// A facility that can be asked.
struct Place {
    id: String,
    name: String,
    duty: String,
    phone: String,
}

/// A part in a form.
pub(super) struct PartShown {
    pub label: String,
    pub icon: &'static str,
    pub size: String,
    pub takes: String,
    pub later: String,
    pub differs: String,
}

#[derive(Template)]
#[template(path = "consult/specialties.html")]
struct Specialties {
    t: T,
    page: Page,
    patient: Patient,
    patient_id: String,
    often: Vec<Choice>,
    others: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "consult/ask.html")]
struct AskScreen {
    t: T,
    page: Page,
    form: Form,
    patient: Patient,
    patient_id: String,
    specialty: String,
    places: Vec<Place>,
    urgencies: Vec<Choice>,
    powers: Vec<Choice>,
    parts: Vec<PartShown>,
    /// The list of medicines that goes along, in one line; empty until somebody has made it.
    stock: String,
}

/// The first page: which specialty.
pub async fn specialties(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(patient): Path<String>,
) -> Result<Response, Trouble> {
    let patient_id = given_id(&patient)?;
    let id = patient_id.clone();
    let banner = ui.run(move |app| app.banner(&who.actor, &id)).await?;
    let t = page.t;
    let choice = |code: &&'static str| Choice::new(*code, crate::words::specialty(t, code));
    let rest = ondol_terms::specialties().iter().filter(|one| !OFTEN.contains(&one.code));
    let others = rest.map(|one| choice(&one.code)).collect();
    let patient_id = patient_id.to_string();
    let patient = people::shown::banner(&page, &banner);
    let often = OFTEN.iter().map(choice).collect();
    Ok(Screen(Specialties { t, page, patient, patient_id, often, others }).into_response())
}

/// The question, with what was typed before.
pub async fn blank(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path((patient, specialty)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    show(page, &ui, &who, &given_id(&patient)?, &specialty, None).await
}

async fn show(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    patient: &ResourceId,
    specialty: &str,
    form: Option<Form>,
) -> Result<Response, Trouble> {
    if ondol_terms::specialty(specialty).is_none() {
        return Err(Trouble::NotFound);
    }
    let (actor, id, code) = (who.actor.clone(), patient.clone(), specialty.to_owned());
    let (banner, draft, places, stock) = ui
        .run(move |app| {
            let (banner, draft) = (app.banner(&actor, &id)?, app.consult_draft(&actor, &id)?);
            Ok((banner, draft, app.askable(&code)?, app.stock(&actor)?))
        })
        .await?;
    let t = page.t;
    let form = form.unwrap_or_else(|| Form::of(draft.fields.clone()));
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let powers = Power::ALL.map(|power| Choice::new(power.code(), words::power(t, power)));
    let rate = ui.app.rate_up_bps();
    let screen = AskScreen {
        t,
        patient: people::shown::banner(&page, &banner),
        patient_id: patient.to_string(),
        specialty: crate::words::specialty(t, specialty),
        places: places.iter().map(|one| place(&page, one)).collect(),
        urgencies: words::urgencies(t),
        powers: powers.into(),
        parts: draft.parts.iter().map(|part| part_shown(t, part, rate)).collect(),
        stock: stock.map_or_else(String::new, |stock| stock::sum(&page, &stock)),
        form,
        page,
    };
    Ok((status, Screen(screen)).into_response())
}

fn place(page: &Page, askable: &Askable) -> Place {
    let id = askable.place.reference.rsplit('/').next().unwrap_or_default().to_owned();
    Place {
        id,
        name: askable.place.name.clone(),
        duty: shown::on_duty(page, &askable.contacts),
        phone: askable.contacts.phone.clone(),
    }
}

pub(super) fn part_shown(t: T, part: &Part, rate_bps: u64) -> PartShown {
    let original = part.cost_of_original(rate_bps);
    let whole = part.preview.as_ref() == Some(&part.original);
    PartShown {
        label: words::part(t, part.kind),
        icon: words::part_icon(part.kind),
        size: words::size(part.bytes_at_once()),
        takes: words::takes(t, part.cost(rate_bps)),
        later: if whole {
            String::new()
        } else {
            let msg = t.msg("consult-original-later").arg("size", words::size(original.bytes));
            msg.arg("takes", words::takes(t, original)).to_string()
        },
        differs: words::differs(t, &part.differs),
    }
}

/// Keeps what was typed and the files; shows the question again, or goes on to the costs.
pub async fn keep(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path((patient, specialty)): Path<(String, String)>,
    upload: Upload,
) -> Result<Response, Trouble> {
    let (t, patient) = (page.t, given_id(&patient)?);
    let Upload { mut form, files } = upload;
    if form.value("patient") != patient.as_str() {
        return Err(Trouble::BadRequest);
    }
    let adds = !files.is_empty();
    let (actor, id, typed) = (who.actor.clone(), patient.clone(), form.clone());
    let refused = ui.run(move |app| kept(app, &actor, &id, &typed, files)).await?;
    for why in refused {
        words::complain(t, &mut form, why)?;
    }
    if form.value("do") == "check" || !form.is_fine() {
        if let Some(field) = missing(&form) {
            words::complain(t, &mut form, AppError::Field { field, why: "missing" })?;
        }
        if !form.is_fine() {
            return show(page, &ui, &who, &patient, &specialty, Some(form)).await;
        }
        let to = format!("/ask/{patient}/{specialty}/check");
        return Ok(Redirect::to(&to).into_response());
    }
    if form.value("do") == "stock" {
        let to = format!("/stock?back=/ask/{patient}/{specialty}");
        return Ok(Redirect::to(&to).into_response());
    }
    let to = format!("/ask/{patient}/{specialty}{}", if adds { "#pictures" } else { "" });
    Ok(Redirect::to(&to).into_response())
}

fn missing(form: &Form) -> Option<&'static str> {
    ["facility", "urgency", "question"].into_iter().find(|field| form.value(field).is_empty())
}

/// Saves the draft; gives what could not be taken of the files.
fn kept(
    app: &Arc<App>,
    actor: &Actor,
    patient: &ResourceId,
    form: &Form,
    files: Vec<Vec<u8>>,
) -> Result<Vec<AppError>, AppError> {
    let mut draft = app.consult_draft(actor, patient)?;
    let fields = form.fields().iter().filter(|(name, _)| !matches!(name.as_str(), "csrf" | "do"));
    draft.fields = fields.cloned().collect();
    let removed = form.value("remove").parse::<usize>();
    if let Ok(at) = removed
        && at < draft.parts.len()
    {
        draft.parts.remove(at);
    }
    draft.fields.remove("remove");
    let mut refused = vec![];
    for file in files {
        match app.prepare_part(actor, patient, &file) {
            Ok(part) => draft.parts.push(part),
            Err(why @ AppError::Field { .. }) => refused.push(why),
            Err(other) => return Err(other),
        }
    }
    app.save_consult_draft(actor, patient, &draft)?;
    Ok(refused)
}
