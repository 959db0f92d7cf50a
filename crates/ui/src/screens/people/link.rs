//! Two charts of one person.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use ondol_app::encounter::Banner;
use ondol_app::people::{Find, Person};

use super::{complain, id, same_chart, shown, typed};
use crate::form::Form;
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;

#[derive(Template)]
#[template(path = "people/link.html")]
struct Link {
    t: T,
    page: Page,
    patient: Patient,
    chart: String,
    form: Form,
    /// Who was found: to be chosen from.
    found: Vec<(Patient, String)>,
    /// Other charts that are linked already: id and name.
    linked: Vec<(String, Patient)>,
}

async fn banner(ui: &Ui, who: &SignedIn, path: &str) -> Result<Banner, Trouble> {
    let (actor, id) = (who.actor.clone(), id(path)?);
    Ok(ui.run(move |app| app.banner(&actor, &id)).await?)
}

async fn show(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    banner: &Banner,
    form: Form,
    found: &[Person],
) -> Result<Response, Trouble> {
    let own = &banner.person.id;
    let others = found.iter().filter(|person| person.id != *own);
    let found: Vec<(Patient, String)> =
        others.map(|person| (shown::in_list(&page, person), person.id.to_string())).collect();
    let mut linked = vec![];
    for link in &banner.person.links {
        let (actor, id) = (who.actor.clone(), link.other.clone());
        if let Ok(other) = ui.run(move |app| app.banner(&actor, &id)).await {
            linked.push((link.other.to_string(), shown::banner(&page, &other)));
        }
    }
    let screen = Link {
        t: page.t,
        patient: shown::banner(&page, banner),
        chart: own.to_string(),
        found,
        linked,
        page,
        form: form.clone(),
    };
    Ok(super::shown(&form, Screen(screen)))
}

/// Asks which chart is the known one.
pub async fn ask(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
) -> Result<Response, Trouble> {
    let banner = banner(&ui, &who, &path).await?;
    show(page, &ui, &who, &banner, Form::default(), &[]).await
}

/// Finds, and then links.
pub async fn link(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let own = id(&path)?;
    same_chart(&form, &own)?;
    let banner = banner(&ui, &who, &path).await?;
    if form.value("do") == "find" || form.value("known").is_empty() {
        let (actor, find) =
            (who.actor.clone(), Find { text: form.value("q").to_owned(), ..Find::default() });
        let found = ui.run(move |app| app.find_people(&actor, &find)).await?;
        return show(page, &ui, &who, &banner, form, &found.people).await;
    }
    let known = id(form.value("known"))?;
    let (actor, to, reason) = (who.actor.clone(), known.clone(), form.value("reason").to_owned());
    match ui.run(move |app| app.link_persons(&actor, &own, &to, &reason)).await {
        Ok(()) => Ok(page.done(&format!("/people/{known}"), key!("note-people-linked"))),
        Err(why) => {
            complain(page.t, &mut form, &typed::labels(page.t), why)?;
            let (actor, id) = (who.actor.clone(), known);
            let known = ui.run(move |app| app.banner(&actor, &id)).await?;
            show(page, &ui, &who, &banner, form, &[known.person]).await
        }
    }
}

/// Takes a link back; then what was written while it stood is shown.
pub async fn unlink(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let own = id(&path)?;
    same_chart(&form, &own)?;
    let other = id(form.value("other"))?;
    let banner = banner(&ui, &who, &path).await?;
    let (actor, reason) = (who.actor.clone(), form.value("reason").to_owned());
    match ui.run(move |app| app.unlink_persons(&actor, &own, &other, &reason)).await {
        Ok(note) => {
            let to = format!("/people/{path}/unlinked/{note}");
            Ok(page.done(&to, key!("note-people-unlinked")))
        }
        Err(why) => {
            complain(page.t, &mut form, &typed::labels(page.t), why)?;
            show(page, &ui, &who, &banner, form, &[]).await
        }
    }
}
