//! Allergies: not asked, none known, or these.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use ondol_app::encounter::{Allergies, Banner, NewAllergy, Safety, Substance};

use super::{complain, id, same_chart, shown};
use crate::form::{Choice, Form};
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;

/// Substances that are often asked for by name: ATC codes of the list.
const OFTEN: [&str; 4] = ["J01CE01", "J01EE01", "N02BA01", "M01AE01"];

#[derive(Template)]
#[template(path = "people/allergies.html")]
struct List {
    t: T,
    page: Page,
    patient: Patient,
    chart: String,
    form: Form,
    /// Id and words.
    known: Vec<(String, String)>,
    refuted: Vec<String>,
    not_asked: bool,
    none_known: bool,
    often: Vec<Choice>,
    severities: Vec<Choice>,
}

fn show(page: Page, banner: &Banner, safety: &Safety, form: &Form) -> Response {
    let t = page.t;
    let known = match &safety.allergies {
        // What another chart of the person says is refuted there.
        Allergies::Known(known) => known
            .iter()
            .filter(|one| one.chart.subject() == banner.person.id.as_str())
            .map(|one| (one.id.to_string(), shown::allergy(t, one)))
            .collect(),
        _ => vec![],
    };
    let often = OFTEN.iter().filter(|atc| ondol_terms::medicine(atc).is_some());
    let screen = List {
        t,
        patient: shown::banner(&page, banner),
        chart: banner.person.id.to_string(),
        known,
        refuted: safety.refuted.iter().map(|one| shown::allergy(t, one)).collect(),
        not_asked: matches!(safety.allergies, Allergies::NotAsked),
        none_known: matches!(safety.allergies, Allergies::NoneKnown { .. }),
        often: often.map(|atc| Choice::new(*atc, shown::medicine(t, atc, ""))).collect(),
        severities: vec![
            Choice::new("severe", t.get("people-allergy-is-severe")),
            Choice::new("mild", t.get("people-allergy-is-mild")),
        ],
        page,
        form: form.clone(),
    };
    super::shown(form, Screen(screen))
}

async fn read(ui: &Ui, who: &SignedIn, path: &str) -> Result<(Banner, Safety), Trouble> {
    let (actor, id) = (who.actor.clone(), id(path)?);
    Ok(ui.run(move |app| app.safety(&actor, &id)).await?)
}

/// What is known.
pub async fn list(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
) -> Result<Response, Trouble> {
    let (banner, safety) = read(&ui, &who, &path).await?;
    Ok(show(page, &banner, &safety, &Form::default()))
}

/// After a change: back to the chart, or the page again with what is to be mended.
async fn answer(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    path: &str,
    mut form: Form,
    done: Result<(), ondol_app::AppError>,
) -> Result<Response, Trouble> {
    let t = page.t;
    match done {
        Ok(()) => Ok(page.done(&format!("/people/{path}/allergies"), key!("note-saved"))),
        Err(why) => {
            let labels =
                [("substance", t.get("people-allergy-to")), ("reason", t.get("people-reason"))];
            complain(t, &mut form, &labels, why)?;
            let (banner, safety) = read(ui, who, path).await?;
            Ok(show(page, &banner, &safety, &form))
        }
    }
}

/// A medicine of the list by exactly this name, in either language.
fn named(words: &str) -> Option<String> {
    use ondol_terms::hangul::fold;
    let asked = fold(words);
    let entry = ondol_terms::medicines()
        .iter()
        .find(|entry| fold(entry.ko) == asked || fold(entry.inn) == asked)?;
    Some(entry.atc.to_owned())
}

/// Records an allergy.
pub async fn add(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
    form: Form,
) -> Result<Response, Trouble> {
    let id = id(&path)?;
    same_chart(&form, &id)?;
    let words = form.value("substance").to_owned();
    let chosen = form.value("often").to_owned();
    let atc = if words.is_empty() && !chosen.is_empty() { Some(chosen) } else { named(&words) };
    let words = match &atc {
        Some(atc) if words.is_empty() => shown::medicine(page.t, atc, ""),
        _ => words,
    };
    let allergy = NewAllergy {
        to: Substance { atc, words },
        reaction: form.value("reaction").to_owned(),
        severe: match form.value("severity") {
            "severe" => Some(true),
            "mild" => Some(false),
            _ => None,
        },
    };
    let actor = who.actor.clone();
    let done = ui.run(move |app| app.record_allergy(&actor, &id, allergy)).await;
    answer(page, &ui, &who, &path, form, done).await
}

/// Somebody asked, and none are known.
pub async fn none(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
    form: Form,
) -> Result<Response, Trouble> {
    let id = id(&path)?;
    same_chart(&form, &id)?;
    let actor = who.actor.clone();
    let done = ui.run(move |app| app.record_no_allergies(&actor, &id)).await;
    answer(page, &ui, &who, &path, form, done).await
}

/// 'None known' was a mistake: nobody asked.
pub async fn not_asked(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
    form: Form,
) -> Result<Response, Trouble> {
    let id = id(&path)?;
    same_chart(&form, &id)?;
    let actor = who.actor.clone();
    let done = ui.run(move |app| app.allergies_not_asked(&actor, &id)).await;
    answer(page, &ui, &who, &path, form, done).await
}

/// An allergy was looked into, and is none.
pub async fn refute(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path((path, allergy)): Path<(String, String)>,
    form: Form,
) -> Result<Response, Trouble> {
    let (patient, allergy) = (id(&path)?, id(&allergy)?);
    same_chart(&form, &patient)?;
    let (actor, reason) = (who.actor.clone(), form.value("reason").to_owned());
    let done = ui.run(move |app| app.refute_allergy(&actor, &patient, &allergy, &reason)).await;
    answer(page, &ui, &who, &path, form, done).await
}
