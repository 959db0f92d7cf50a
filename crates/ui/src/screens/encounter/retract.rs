//! Written for the wrong person: taking a visit back.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use ondol_app::people::{Find, Person};

use crate::form::Form;
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::screens::people::{complain, id, same_chart, shown};
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;

#[derive(Template)]
#[template(path = "encounter/retract.html")]
struct Ask {
    t: T,
    page: Page,
    patient: Patient,
    chart: String,
    visit: String,
    form: Form,
    /// Whose it may be: to be chosen from.
    found: Vec<(Patient, String)>,
    complaint: String,
    when: String,
}

async fn show(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    path: &str,
    visit: &str,
    form: Form,
    found: &[Person],
) -> Result<Response, Trouble> {
    let (actor, chart, own) = (who.actor.clone(), id(path)?, id(visit)?);
    let (banner, view) = ui.run(move |app| app.visit(&actor, &chart, &own)).await?;
    let others = found.iter().filter(|person| person.id.as_str() != path);
    let screen = Ask {
        t: page.t,
        patient: shown::banner(&page, &banner),
        chart: path.to_owned(),
        visit: visit.to_owned(),
        found: others
            .map(|person| (shown::in_list(&page, person), person.id.to_string()))
            .collect(),
        complaint: view.complaint.clone(),
        when: page.when(&view.at),
        page,
        form: form.clone(),
    };
    Ok(crate::screens::people::shown(&form, Screen(screen)))
}

/// Asks for the reason.
pub async fn ask(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path((path, visit)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    show(page, &ui, &who, &path, &visit, Form::default(), &[]).await
}

/// Takes it back.
pub async fn retract(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path((path, visit)): Path<(String, String)>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let (chart, encounter) = (id(&path)?, id(&visit)?);
    same_chart(&form, &chart)?;
    let (actor, reason) = (who.actor.clone(), form.value("reason").to_owned());
    let done = ui.run(move |app| app.retract_visit(&actor, &chart, &encounter, &reason)).await;
    match done {
        Ok(()) => Ok(page.done(&format!("/people/{path}"), key!("note-encounter-retracted"))),
        Err(why) => {
            let labels = [("reason", page.t.get("people-reason"))];
            complain(page.t, &mut form, &labels, why)?;
            show(page, &ui, &who, &path, &visit, form, &[]).await
        }
    }
}

/// Finds whose it is, and then moves it there.
pub async fn move_on(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path((path, visit)): Path<(String, String)>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let (chart, encounter) = (id(&path)?, id(&visit)?);
    same_chart(&form, &chart)?;
    let (actor, find) =
        (who.actor.clone(), Find { text: form.value("q").to_owned(), ..Find::default() });
    let found = ui.run(move |app| app.find_people(&actor, &find)).await?.people;
    if form.value("do") != "move" || form.value("known").is_empty() {
        return show(page, &ui, &who, &path, &visit, form, &found).await;
    }
    let (actor, to) = (who.actor.clone(), id(form.value("known"))?);
    let (right, reason) = (to.clone(), form.value("reason").to_owned());
    let moved =
        ui.run(move |app| app.move_visit(&actor, &chart, &encounter, &right, &reason)).await;
    match moved {
        Ok(()) => Ok(page.done(&format!("/people/{to}"), key!("note-encounter-moved"))),
        Err(why) => {
            let labels = [
                ("reason", page.t.get("people-reason")),
                ("known", page.t.get("encounter-move-choose")),
            ];
            complain(page.t, &mut form, &labels, why)?;
            show(page, &ui, &who, &path, &visit, form, &found).await
        }
    }
}
