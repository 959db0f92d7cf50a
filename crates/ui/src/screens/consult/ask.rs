//! Asking a specialist: specialty, then the question, then what it costs.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ondol_app::attachment::{Cost, ENTRY_BYTES, Part};
use ondol_app::consult::{Ask, Askable, ConsultDraft, Means, Power};
use ondol_app::{Actor, App, AppError};
use ondol_kernel::ResourceId;
use std::sync::Arc;

use super::upload::Upload;
use super::{given_id, shown, words};
use crate::form::{Choice, Form};
use crate::page::Page;
use crate::screen::Screen;
use crate::screens::people;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::{Fact, Patient};

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
struct PartShown {
    label: String,
    icon: &'static str,
    size: String,
    takes: String,
    later: String,
    differs: Vec<String>,
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
}

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

#[derive(Template)]
#[template(path = "consult/add.html")]
struct Add {
    t: T,
    page: Page,
    form: Form,
    patient: Patient,
    id: String,
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
    let (banner, draft, places) = ui
        .run(move |app| {
            let banner = app.banner(&actor, &id)?;
            Ok((banner, app.consult_draft(&actor, &id)?, app.askable(&code)?))
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

fn part_shown(t: T, part: &Part, rate_bps: u64) -> PartShown {
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
        differs: part.differs.iter().map(|one| words::differs(t, *one)).collect(),
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
        let to = format!("/ask/{}/{specialty}/check", patient);
        return Ok(Redirect::to(&to).into_response());
    }
    let to = format!("/ask/{}/{specialty}{}", patient, if adds { "#pictures" } else { "" });
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
    let (banner, draft, places) = ui
        .run(move |app| {
            let banner = app.banner(&actor, &id)?;
            Ok((banner, app.consult_draft(&actor, &id)?, app.askable(&code)?))
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
    let facts = vec![
        Fact::new(t.get("consult-where"), place.map_or("", |place| place.place.name.as_str())),
        Fact::new(t.get("consult-specialty"), crate::words::specialty(t, specialty)),
        Fact::new(t.get("consult-urgency"), words::urgency(t, ask.urgency)),
    ];
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

/// More pictures for a consult that was sent.
pub async fn more(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    show_add(page, &ui, &who, &given_id(&id)?, Form::default()).await
}

async fn show_add(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    id: &ResourceId,
    form: Form,
) -> Result<Response, Trouble> {
    let (actor, request) = (who.actor.clone(), id.clone());
    let view = ui.run(move |app| app.consult(&actor, &request)).await?;
    let patient = people::shown::banner(&page, &view.about.banner);
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let screen = Add { t: page.t, form, patient, id: id.to_string(), page };
    Ok((status, Screen(screen)).into_response())
}

/// Adds them.
pub async fn add(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
    upload: Upload,
) -> Result<Response, Trouble> {
    let id = given_id(&id)?;
    let Upload { mut form, files } = upload;
    let (actor, request) = (who.actor.clone(), id.clone());
    let sure = form.chose("sure", "yes");
    let added = ui
        .run(move |app| {
            let view = app.consult(&actor, &request)?;
            let patient = ResourceId::new(view.patient()).map_err(|_| AppError::NotFound)?;
            let mut parts = vec![];
            for file in &files {
                parts.push(app.prepare_part(&actor, &patient, file)?);
            }
            if !sure && parts.iter().any(|part| !part.differs.is_empty()) {
                return Err(AppError::Field { field: "file", why: "whose" });
            }
            app.add_parts(&actor, &request, parts)
        })
        .await;
    match added {
        Ok(()) => Ok(page.done(&format!("/consult/{}", id), crate::key!("note-saved"))),
        Err(AppError::Field { field: "file", why: "whose" }) => {
            let t = page.t;
            form.complain("file", t.get("consult-pictures"), t.get("consult-mend-whose"));
            show_add(page, &ui, &who, &id, form).await
        }
        Err(AppError::State(_)) => {
            Ok(page.done(&format!("/consult/{}", id), crate::key!("note-consult-changed")))
        }
        Err(why) => {
            words::complain(page.t, &mut form, why)?;
            show_add(page, &ui, &who, &id, form).await
        }
    }
}
