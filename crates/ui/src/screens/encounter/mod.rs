//! Visits: one form, of which the complaint alone is enough.

mod diagnoses;
pub mod fields;
mod medicines;
mod retract;
pub mod said;
pub mod seal;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ondol_app::AppError;
use ondol_app::encounter::{Banner, Judged, Safety, Verdict, Visit};
use ondol_app::people::BirthDoubt;
use ondol_kernel::ResourceId;

use super::people::{arrive::Closed, complain, id, same_chart, shown};
use crate::form::{Choice, Form};
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;
use fields::Box;

pub use diagnoses::Chosen;
pub use medicines::Row;

/// `/people/{id}/visits…`.
pub fn routes() -> Router<Ui> {
    Router::new()
        .route("/people/{id}/visits/new", get(blank).post(save))
        .route("/people/{id}/visits/{visit}", get(correct).post(save_correction))
        .route("/people/{id}/visits/{visit}/retract", get(retract::ask).post(retract::retract))
        .route("/people/{id}/visits/{visit}/move", post(retract::move_on))
}

/// What a page about a visit knows.
struct Frame {
    chart: ResourceId,
    /// The visit that is corrected.
    visit: Option<ResourceId>,
}

impl Frame {
    fn new(path: &str) -> Result<Self, Trouble> {
        Ok(Self { chart: id(path)?, visit: None })
    }

    fn of(path: &str, visit: &str) -> Result<Self, Trouble> {
        Ok(Self { chart: id(path)?, visit: Some(id(visit)?) })
    }

    fn href(&self) -> String {
        match &self.visit {
            Some(visit) => format!("/people/{}/visits/{visit}", self.chart),
            None => format!("/people/{}/visits/new", self.chart),
        }
    }

    fn draft(&self) -> String {
        match &self.visit {
            Some(visit) => format!("visit/{}/{visit}", self.chart),
            None => format!("visit/{}", self.chart),
        }
    }
}

#[derive(Template)]
#[allow(clippy::struct_excessive_bools, reason = "each shows or hides a part of the page")]
#[template(path = "encounter/visit.html")]
struct Show {
    t: T,
    page: Page,
    patient: Patient,
    chart: String,
    href: String,
    draft: String,
    corrects: bool,
    form: Form,
    boxes: Vec<Box>,
    more: Vec<Box>,
    more_open: bool,
    steps: Vec<Choice>,
    pregnancy: Vec<Choice>,
    asks_pregnancy: bool,
    whens: Vec<Choice>,
    /// Whether a value seems impossible and waits to be confirmed.
    questioned: bool,
    /// Whether the person is recorded as dead: a visit after that is asked about.
    died: bool,
    judged: Vec<(bool, String)>,
    dx: Dx,
    meds: Meds,
    seal: Option<seal::Seal>,
}

/// The part with the diagnoses.
#[derive(Template)]
#[template(path = "encounter/diagnoses.html")]
struct Dx {
    t: T,
    href: String,
    chosen: Vec<Chosen>,
    typed: String,
    results: Vec<Choice>,
    focus: bool,
}

/// What was found for the diagnoses.
#[derive(Template)]
#[template(path = "encounter/dx_results.html")]
struct DxResults {
    t: T,
    href: String,
    typed: String,
    results: Vec<Choice>,
}

/// The part with the medicines.
#[derive(Template)]
#[template(path = "encounter/medicines.html")]
struct Meds {
    t: T,
    href: String,
    form: Form,
    rows: Vec<Row>,
    typed: String,
    results: Vec<Choice>,
    focus: bool,
}

/// What was found for the medicines.
#[derive(Template)]
#[template(path = "encounter/med_results.html")]
struct MedResults {
    t: T,
    href: String,
    typed: String,
    results: Vec<Choice>,
}

/// What the values say, while they are typed.
#[derive(Template)]
#[template(path = "encounter/judged.html")]
struct JudgedPart {
    t: T,
    judged: Vec<(bool, String)>,
    /// How each box is marked.
    marks: Vec<(String, &'static str)>,
}

/// Each danger as a sentence, and whether it is one (or a question).
fn sentences(t: T, judged: &[Judged]) -> Vec<(bool, String)> {
    // Dangerous values of one source are one sentence, which is read sooner than three.
    let mut dangers: Vec<(&str, Vec<String>)> = vec![];
    for one in judged {
        let Verdict::Danger { source, .. } = one.verdict else { continue };
        let label = said::label(t, one.key);
        match dangers.iter_mut().find(|(known, _)| *known == source) {
            Some((_, labels)) => labels.push(label),
            None => dangers.push((source, vec![label])),
        }
    }
    let dangers = dangers.into_iter().map(|(source, labels)| {
        let msg = t.msg("encounter-danger").arg("what", labels.join(", "));
        (true, msg.arg("source", source).to_string())
    });
    let questions =
        judged.iter().filter(|one| !matches!(one.verdict, Verdict::Danger { .. })).map(|one| {
            let label = said::label(t, one.key);
            match one.verdict {
                Verdict::AgeNeeded => {
                    (false, t.msg("encounter-age-needed").arg("what", label).to_string())
                }
                Verdict::Birth(BirthDoubt::Ahead) => (false, t.get("encounter-birth-ahead")),
                Verdict::Birth(BirthDoubt::TooOld) => (false, t.get("encounter-birth-too-old")),
                _ => (false, t.msg("encounter-impossible").arg("what", label).to_string()),
            }
        });
    dangers.chain(questions).collect()
}

async fn known(ui: &Ui, who: &SignedIn, frame: &Frame) -> Result<(Banner, Safety), AppError> {
    let (actor, id) = (who.actor.clone(), frame.chart.clone());
    ui.run(move |app| app.safety(&actor, &id)).await
}

fn local(ui: Result<Vec<String>, AppError>) -> Result<Vec<String>, Trouble> {
    Ok(ui?)
}

async fn show(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    frame: &Frame,
    form: Form,
    judged: &[Judged],
) -> Result<Response, Trouble> {
    let t = page.t;
    let (banner, safety) = known(ui, who, frame).await?;
    let diagnoses = local(ui.run(|app| app.local_diagnoses()).await)?;
    let medicines = local(ui.run(|app| app.local_medicines()).await)?;
    let (boxes, more) = fields::boxes(&page, &safety, judged);
    let more_open = more.iter().any(|one| !form.value(&one.name).is_empty());
    let asked = |one: &Judged| matches!(one.verdict, Verdict::Impossible | Verdict::Birth(_));
    let questions =
        ["people-error-impossible", "people-error-before-birth", "people-error-too-old"]
            .map(|name| t.get(name));
    let questioned =
        judged.iter().any(asked) || form.complaints().iter().any(|c| questions.contains(&c.text));
    let seal = seal::part(t, ui, who, frame, &form).await?;
    let screen = Show {
        t,
        seal,
        patient: shown::banner(&page, &banner),
        chart: frame.chart.to_string(),
        href: frame.href(),
        draft: format!("/drafts/{}", frame.draft()),
        corrects: frame.visit.is_some(),
        boxes,
        more,
        more_open,
        steps: fields::steps(t),
        pregnancy: fields::pregnancy(t),
        asks_pregnancy: fields::asks_pregnancy(&page, &banner.person),
        whens: fields::whens(t),
        died: banner.person.died,
        questioned,
        judged: sentences(t, judged),
        dx: dx_part(t, frame, &form, &diagnoses, false),
        meds: med_part(t, frame, &form, &medicines, false),
        page,
        form: form.clone(),
    };
    Ok(super::people::shown(&form, Screen(screen)))
}

fn dx_part(t: T, frame: &Frame, form: &Form, local: &[String], focus: bool) -> Dx {
    let typed = form.value("dx-find").to_owned();
    Dx {
        t,
        href: frame.href(),
        chosen: diagnoses::chosen(t, form),
        results: diagnoses::results(t, &typed, local, form),
        typed,
        focus,
    }
}

fn med_part(t: T, frame: &Frame, form: &Form, local: &[String], focus: bool) -> Meds {
    let typed = form.value("med-find").to_owned();
    Meds {
        t,
        href: frame.href(),
        rows: medicines::rows(t, form),
        results: medicines::results(t, &typed, local),
        typed,
        focus,
        form: form.clone(),
    }
}

async fn blank(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
) -> Result<Response, Trouble> {
    let frame = Frame::new(&path)?;
    match known(&ui, &who, &frame).await {
        Err(AppError::Denied(_)) => return Ok(Closed::of(page, path)),
        Err(other) => return Err(other.into()),
        Ok(_) => {}
    }
    let mut form = ui.draft(&who, &frame.draft()).await?.unwrap_or_default();
    if is_saved(&ui, &who, &frame, &form).await? {
        ui.drop_draft(&who, &frame.draft()).await?;
        form = Form::default();
    }
    if form.value("opened").is_empty() {
        form.put("opened", page.now.0.to_string());
    }
    show(page, &ui, &who, &frame, form, &[]).await
}

/// Whether a draft is of a visit that was saved: a script may have sent it a moment too late, and
/// nothing may be written twice.
async fn is_saved(ui: &Ui, who: &SignedIn, frame: &Frame, draft: &Form) -> Result<bool, Trouble> {
    let Ok(opened) = draft.value("opened").parse::<i64>() else { return Ok(false) };
    let (actor, chart) = (who.actor.clone(), frame.chart.clone());
    let chart = ui.run(move |app| app.chart(&actor, &chart, 0)).await?;
    let complaint = draft.value("complaint");
    Ok(chart.visits.iter().any(|visit| {
        visit.by == who.actor.name() && visit.written.0 >= opened && visit.complaint == complaint
    }))
}

async fn correct(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path((path, visit)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let frame = Frame::of(&path, &visit)?;
    let form = match ui.draft(&who, &frame.draft()).await? {
        Some(draft) => draft,
        None => {
            let (actor, chart, visit) = (who.actor.clone(), frame.chart.clone(), id(&visit)?);
            let (_, view) = ui.run(move |app| app.visit(&actor, &chart, &visit)).await?;
            fields::form_of(&page, &view)
        }
    };
    show(page, &ui, &who, &frame, form, &[]).await
}

async fn save(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
    form: Form,
) -> Result<Response, Trouble> {
    posted(page, &ui, &who, Frame::new(&path)?, form).await
}

async fn save_correction(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path((path, visit)): Path<(String, String)>,
    form: Form,
) -> Result<Response, Trouble> {
    posted(page, &ui, &who, Frame::of(&path, &visit)?, form).await
}

/// Carries out the button that was pressed: one that helps to fill the form in, or the one that
/// saves it.
async fn posted(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    frame: Frame,
    mut form: Form,
) -> Result<Response, Trouble> {
    same_chart(&form, &frame.chart)?;
    let t = page.t;
    let asked = form.value("do").to_owned();
    let (what, which) = asked.split_once(':').unwrap_or((asked.as_str(), ""));
    match what {
        "dx-live" | "dx-find" | "dx-add" | "dx-words" | "dx-drop" => {
            diagnoses::carry_out(&mut form, what, which);
            let local = local(ui.run(|app| app.local_diagnoses()).await)?;
            if page.part {
                let dx = dx_part(t, &frame, &form, &local, true);
                if what == "dx-live" {
                    let (href, typed, results) = (dx.href, dx.typed, dx.results);
                    return Ok(Screen(DxResults { t, href, typed, results }).into_response());
                }
                return Ok(Screen(dx).into_response());
            }
        }
        "med-live" | "med-find" | "med-add" | "med-words" | "med-drop" => {
            medicines::carry_out(t, &mut form, what, which);
            let local = local(ui.run(|app| app.local_medicines()).await)?;
            if page.part {
                let meds = med_part(t, &frame, &form, &local, true);
                if what == "med-live" {
                    let (href, typed, results) = (meds.href, meds.typed, meds.results);
                    return Ok(Screen(MedResults { t, href, typed, results }).into_response());
                }
                return Ok(Screen(meds).into_response());
            }
        }
        "judge" => {
            let visit = fields::read(&page, &mut form);
            // A box that cannot be read hides no danger without a word.
            let (judged, marks) = match judge(ui, who, &frame, visit).await {
                Ok(judged) => (sentences(t, &judged), fields::marks(&judged)),
                Err(AppError::Field { field, .. }) => {
                    let label = said::label(t, field);
                    let says = t.msg("encounter-impossible").arg("what", label).to_string();
                    (vec![(false, says)], vec![])
                }
                Err(other) => return Err(other.into()),
            };
            return Ok(Screen(JudgedPart { t, judged, marks }).into_response());
        }
        _ => return save_visit(page, ui, who, frame, form).await,
    }
    let screen = show(page, ui, who, &frame, form, &[]).await?;
    Ok((StatusCode::OK, screen).into_response())
}

async fn judge(
    ui: &Ui,
    who: &SignedIn,
    frame: &Frame,
    visit: Visit,
) -> Result<Vec<Judged>, AppError> {
    let (actor, chart) = (who.actor.clone(), frame.chart.clone());
    ui.run(move |app| app.judge_visit(&actor, &chart, &visit)).await
}

async fn save_visit(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    frame: Frame,
    mut form: Form,
) -> Result<Response, Trouble> {
    let t = page.t;
    let visit = fields::read(&page, &mut form);
    if !form.is_fine() {
        return show(page, ui, who, &frame, form, &[]).await;
    }
    let judged = match judge(ui, who, &frame, visit.clone()).await {
        Ok(judged) => judged,
        Err(AppError::Field { .. }) => vec![],
        Err(AppError::Denied(_)) => return Ok(Closed::of(page, frame.chart.to_string())),
        Err(other) => return Err(other.into()),
    };
    let danger = judged.iter().any(|one| matches!(one.verdict, Verdict::Danger { .. }));
    let (actor, chart, corrected) = (who.actor.clone(), frame.chart.clone(), frame.visit.clone());
    let sealed = seal::chosen(&form);
    let is_sealed = !matches!(sealed, Ok(None));
    let saved = ui
        .run(move |app| match (corrected, sealed?) {
            (Some(id), _) => app.correct_visit(&actor, &chart, &id, visit),
            (None, None) => app.save_visit(&actor, &chart, visit).map(|_| ()),
            (None, Some((kind, readers))) => {
                app.seal_visit(&actor, &chart, visit, kind, readers).map(|_| ())
            }
        })
        .await;
    match saved {
        Ok(()) => {
            ui.drop_draft(who, &frame.draft()).await?;
            let sealed = if is_sealed { "/sealed" } else { "" };
            let path = format!("/people/{}{sealed}", frame.chart);
            let note = match (danger, is_sealed) {
                (true, _) => key!("note-encounter-danger"),
                (false, true) => key!("note-sealed"),
                (false, false) => key!("note-saved"),
            };
            Ok(page.done(&path, note))
        }
        Err(AppError::Denied(_)) => {
            // Writing was allowed a moment ago: it is the prescription that is not.
            form.complain(
                "med-find",
                t.get("encounter-medicine"),
                t.get("encounter-no-prescribing"),
            );
            show(page, ui, who, &frame, form, &judged).await
        }
        Err(why) => {
            complain(t, &mut form, &fields::labels(t), fields::renamed(why))?;
            show(page, ui, who, &frame, form, &judged).await
        }
    }
}
