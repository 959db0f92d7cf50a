//! The page of a referral for both ends, its letter, and what can be done.

use askama::Template;
use askama::filters::Safe;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ondol_app::AppError;
use ondol_app::consult::{Reached, StepCode};
use ondol_app::referral::{ReferralCan, ReferralPhase, ReferralView};
use ondol_kernel::{Millis, ResourceId};

use super::words as referral_words;
use crate::form::Form;
use crate::key;
use crate::page::Page;
use crate::qr;
use crate::screen::Screen;
use crate::screens::consult::page::AboutShown;
use crate::screens::consult::shown::{self, Line};
use crate::screens::consult::{given_id, words};
use crate::screens::people;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::{self, Fact, Patient};

/// A referral as its page and letter show it.
pub struct Shown {
    id: String,
    patient_id: String,
    specialty: String,
    urgency: String,
    emergency: bool,
    steps: Vec<view::Step>,
    missing: bool,
    waits_here: bool,
    from: String,
    by: String,
    to: String,
    at: Millis,
    reason: String,
    facts: Vec<Fact>,
    needs: Vec<String>,
    duty: String,
    phone: String,
    reply: Vec<Fact>,
    lines: Vec<Line>,
    can: ReferralCan,
}

impl Shown {
    fn of(page: &Page, view: &ReferralView) -> Self {
        let t = page.t;
        let (state, request) = (&view.state, &view.request);
        let reply = state.reply.as_ref();
        let part = |part: &str| reply.map_or("", |reply| reply.text(part)).to_owned();
        let reply = [
            (t.get("consult-findings"), part("findings")),
            (t.get("consult-advice"), part("advice")),
        ];
        Self {
            id: request.id.to_string(),
            patient_id: request.chart.subject().to_owned(),
            specialty: crate::words::specialty(t, &request.specialty),
            urgency: words::urgency(t, request.urgency),
            emergency: request.urgency == ondol_kernel::Class::Emergency,
            steps: steps(t, view),
            missing: state.phase() == ReferralPhase::Missing,
            waits_here: view.waits_here,
            from: request.from.place_name.clone(),
            by: request.from.name.clone(),
            to: request.to.first().map(|to| to.name.clone()).unwrap_or_default(),
            at: request.at,
            reason: request.question.clone(),
            facts: facts(page, view),
            needs: request
                .needs
                .iter()
                .map(|need| referral_words::need(t, need))
                .chain(state.transport.is_some().then(|| t.get("referral-transport-asked")))
                .collect(),
            duty: shown::on_duty(page, &view.contacts),
            phone: view.contacts.phone.clone(),
            reply: reply
                .into_iter()
                .filter(|(_, said)| !said.is_empty())
                .map(|(label, said)| Fact::new(label, said))
                .collect(),
            lines: state
                .steps
                .iter()
                .filter(|step| !matches!(step.code, StepCode::Delivered | StepCode::Reply))
                .map(|step| Line {
                    who: shown::who(&Reached::from(step)),
                    at: step.at,
                    what: words::step(t, step.code),
                    said: step.said.first().map(|said| said.text.clone()).unwrap_or_default(),
                    asking: step.who.place == request.from.place,
                })
                .collect(),
            can: view.can,
        }
    }
}

fn steps(t: T, view: &ReferralView) -> Vec<view::Step> {
    let state = &view.state;
    let reached = |one: Option<&Reached>| one.map(|one| (shown::who(one), one.at));
    let reply = state.reply.as_ref().map(Reached::from);
    let arrived = state.arrived.as_ref();
    let departed = state.departed.as_ref().or(arrived);
    view::steps([
        (t.get("referral-written"), Some((state.sent.who.name.clone(), state.sent.at))),
        (t.get("referral-departed"), reached(departed)),
        (t.get("referral-arrived"), reached(arrived)),
        (t.get("referral-replied"), reached(reply.as_ref())),
    ])
}

fn facts(page: &Page, view: &ReferralView) -> Vec<Fact> {
    let t = page.t;
    let request = &view.request;
    let expected = request.expected.map_or_else(String::new, |at| page.stamp(&at));
    [
        (t.get("referral-expected"), expected),
        (t.get("referral-done"), request.note("done").to_owned()),
        (t.get("referral-wish"), request.note("wish").to_owned()),
        (t.get("referral-escort"), request.note("escort").to_owned()),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(label, value)| Fact::new(label, value))
    .collect()
}

#[derive(Template)]
#[template(path = "referral/page.html")]
struct ReferralPage {
    t: T,
    page: Page,
    patient: Patient,
    about: AboutShown,
    r: Shown,
}

#[derive(Template)]
#[template(path = "referral/letter.html")]
struct Letter {
    t: T,
    page: Page,
    patient: Patient,
    about: AboutShown,
    r: Shown,
    qr: Safe<String>,
}

#[derive(Template)]
#[template(path = "referral/task.html")]
struct TaskScreen {
    t: T,
    page: Page,
    form: Form,
    patient: Patient,
    r: Shown,
    task: &'static str,
    title: String,
}

async fn view(ui: &Ui, who: &SignedIn, id: &ResourceId) -> Result<ReferralView, Trouble> {
    let (actor, id) = (who.actor.clone(), id.clone());
    Ok(ui.run(move |app| app.referral(&actor, &id)).await?)
}

/// The page.
pub async fn page(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let view = view(&ui, &who, &given_id(&id)?).await?;
    let patient = people::shown::banner(&page, &view.about.banner);
    let about = AboutShown::of(&page, &view.about);
    let r = Shown::of(&page, &view);
    Ok(Screen(ReferralPage { t: page.t, page, patient, about, r }).into_response())
}

/// The letter that goes with her.
pub async fn letter(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let view = view(&ui, &who, &given_id(&id)?).await?;
    let t = page.t;
    let qr = qr::svg(&format!("ondol:r:{id}"), &t.get("referral-qr")).map_err(Trouble::broken)?;
    let patient = people::shown::banner(&page, &view.about.banner);
    let about = AboutShown::on_paper(&page, &view.about);
    let r = Shown::of(&page, &view);
    Ok(Screen(Letter { t, page, patient, about, r, qr }).into_response())
}

/// What can be done, by the word in the address, and what its page is called.
fn task(t: T, word: &str) -> Result<(&'static str, String), Trouble> {
    Ok(match word {
        "depart" => ("depart", t.get("referral-do-depart")),
        "transport" => ("transport", t.get("referral-do-transport")),
        "arrive" => ("arrive", t.get("referral-do-arrive")),
        "reply" => ("reply", t.get("referral-do-reply")),
        "cancel" => ("cancel", t.get("referral-do-cancel")),
        _ => return Err(Trouble::NotFound),
    })
}

/// The page that asks for what is needed.
pub async fn ask(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path((id, word)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let task = task(page.t, &word)?;
    show(page, &ui, &who, &given_id(&id)?, task, Form::default()).await
}

async fn show(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    id: &ResourceId,
    (task, title): (&'static str, String),
    form: Form,
) -> Result<Response, Trouble> {
    let view = view(ui, who, id).await?;
    let patient = people::shown::banner(&page, &view.about.banner);
    let r = Shown::of(&page, &view);
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let screen = TaskScreen { t: page.t, page, form, patient, r, task, title };
    Ok((status, Screen(screen)).into_response())
}

/// Does it.
pub async fn carry_out(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path((id, word)): Path<(String, String)>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let (id, task) = (given_id(&id)?, task(page.t, &word)?);
    let (actor, request, typed, word) = (who.actor.clone(), id.clone(), form.clone(), task.0);
    let done = ui
        .run(move |app| {
            // A form is bound to the chart that it was opened for.
            let view = app.referral(&actor, &request)?;
            if view.request.chart.subject() != typed.value("patient") {
                return Err(AppError::NotFound);
            }
            let said = typed.value("message");
            match word {
                "depart" => app.referral_departed(&actor, &request, said),
                "transport" => app.ask_transport(&actor, &request, said),
                "arrive" => app.referral_arrived(&actor, &request, said),
                "cancel" => app.cancel_referral(&actor, &request, typed.value("reason")),
                _ => {
                    let (findings, advice) = (typed.value("findings"), typed.value("advice"));
                    app.reply_referral(&actor, &request, findings, advice)
                }
            }
        })
        .await;
    let note = if word == "arrive" { key!("note-referral-arrived") } else { key!("note-saved") };
    match done {
        Ok(()) => Ok(page.done(&format!("/referral/{id}"), note)),
        Err(AppError::State(_)) => {
            Ok(page.done(&format!("/referral/{id}"), key!("note-consult-changed")))
        }
        Err(why) => {
            words::complain(page.t, &mut form, why)?;
            show(page, &ui, &who, &id, task, form).await
        }
    }
}
