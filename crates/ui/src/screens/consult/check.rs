//! Before sending: what goes along, and how long each part takes.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ondol_app::AppError;
use ondol_app::attachment::{Cost, ENTRY_BYTES, Part};
use ondol_app::consult::{Ask, ConsultDraft, Means, Power};
use ondol_kernel::ResourceId;

use super::ask::{PartShown, part_shown};
use super::{given_id, words};
use crate::form::Form;
use crate::page::Page;
use crate::screen::Screen;
use crate::screens::{people, stock};
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::{Fact, Patient};

#[derive(Template)]
#[template(path = "consult/check.html")]
struct Check {
    t: T,
    page: Page,
    form: Form,
    patient: Patient,
    patient_id: String,
    specialty_code: String,
    facts: Vec<Fact>,
    question: String,
    parts: Vec<PartShown>,
    text_takes: String,
    total: String,
    emergency: bool,
    phone: String,
}

/// The question as the draft holds it.
fn asked(draft: &ConsultDraft, specialty: &str) -> Result<Ask, AppError> {
    let form = Form::of(draft.fields.clone());
    let field = |field| AppError::Field { field, why: "missing" };
    Ok(Ask {
        specialty: specialty.to_owned(),
        facility: ResourceId::new(form.value("facility")).map_err(|_| field("facility"))?,
        urgency: words::chosen_urgency(&form).ok_or_else(|| field("urgency"))?,
        question: form.value("question").to_owned(),
        means: Means {
            power: Power::from_code(form.value("power")),
            equipment: form.value("equipment").to_owned(),
            medicines: form.value("medicines").to_owned(),
            people: form.value("people").to_owned(),
        },
    })
}

/// What will be sent, and how long each part takes.
pub async fn check(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path((patient, specialty)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    show_check(page, &ui, &who, &given_id(&patient)?, &specialty, Form::default()).await
}

async fn show_check(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    patient: &ResourceId,
    specialty: &str,
    form: Form,
) -> Result<Response, Trouble> {
    let (actor, id, code) = (who.actor.clone(), patient.clone(), specialty.to_owned());
    let (banner, draft, places, stock) = ui
        .run(move |app| {
            let (banner, draft) = (app.banner(&actor, &id)?, app.consult_draft(&actor, &id)?);
            Ok((banner, draft, app.askable(&code)?, app.stock(&actor)?))
        })
        .await?;
    let Ok(ask) = asked(&draft, specialty) else {
        let to = format!("/ask/{patient}/{specialty}");
        return Ok(Redirect::to(&to).into_response());
    };
    let t = page.t;
    let rate = ui.app.rate_up_bps();
    let to = format!("Organization/{}", ask.facility);
    let place = places.iter().find(|one| one.place.reference == to);
    let text = ENTRY_BYTES + ask.question.len() as u64;
    let bytes = draft.parts.iter().map(Part::bytes_at_once).sum::<u64>() + text;
    let mut facts = vec![
        Fact::new(t.get("consult-where"), place.map_or("", |place| place.place.name.as_str())),
        Fact::new(t.get("consult-specialty"), crate::words::specialty(t, specialty)),
        Fact::new(t.get("consult-urgency"), words::urgency(t, ask.urgency)),
    ];
    let stock = stock.map(|stock| stock::sum(&page, &stock));
    facts.extend(stock.map(|sum| Fact::new(t.get("stock-title"), sum)));
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let screen = Check {
        t,
        form,
        patient: people::shown::banner(&page, &banner),
        patient_id: patient.to_string(),
        specialty_code: specialty.to_owned(),
        facts,
        question: ask.question.clone(),
        parts: draft.parts.iter().map(|part| part_shown(t, part, rate)).collect(),
        text_takes: words::takes(t, Cost::of(text, rate)),
        total: words::takes(t, Cost::of(bytes, rate)),
        emergency: ask.urgency == ondol_kernel::Class::Emergency,
        phone: place.map_or_else(String::new, |place| place.contacts.phone.clone()),
        page,
    };
    Ok((status, Screen(screen)).into_response())
}

/// Sends.
pub async fn send(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path((patient, specialty)): Path<(String, String)>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let (t, patient) = (page.t, given_id(&patient)?);
    if form.value("patient") != patient.as_str() {
        return Err(Trouble::BadRequest);
    }
    let (actor, id, code) = (who.actor.clone(), patient.clone(), specialty.clone());
    let typed = form.clone();
    let sent = ui
        .run(move |app| {
            let draft = app.consult_draft(&actor, &id)?;
            let ask = asked(&draft, &code)?;
            let mut parts = vec![];
            for (at, part) in draft.parts.into_iter().enumerate() {
                if !typed.chose("part", &at.to_string()) {
                    continue;
                }
                if !part.differs.is_empty() && !typed.chose("sure", &at.to_string()) {
                    return Err(AppError::Field { field: "file", why: "whose" });
                }
                parts.push(part);
            }
            let request = app.ask(&actor, &id, ask, parts)?;
            app.drop_consult_draft(&actor, &id)?;
            Ok(request)
        })
        .await;
    match sent {
        Ok(request) => {
            Ok(page.done(&format!("/consult/{request}"), crate::key!("note-consult-sent")))
        }
        Err(AppError::Field { field: "file", why: "whose" }) => {
            form.complain("file", t.get("consult-pictures"), t.get("consult-mend-whose"));
            show_check(page, &ui, &who, &patient, &specialty, form).await
        }
        Err(why) => {
            words::complain(t, &mut form, why)?;
            show_check(page, &ui, &who, &patient, &specialty, form).await
        }
    }
}
