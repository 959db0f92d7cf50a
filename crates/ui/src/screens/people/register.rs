//! Registering somebody: with papers or without, a newborn, a stranger.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use ondol_app::people::{Find, Person, Registration};
use ondol_app::{Actor, App, AppError};

use super::{complain, shown, typed};
use crate::form::{Choice, Form};
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::{Patient, Tab};

/// Where the draft of a registration is kept.
const DRAFT: &str = "people/new";

#[derive(Template)]
#[template(path = "people/new.html")]
struct New {
    t: T,
    page: Page,
    form: Form,
    kind: &'static str,
    tabs: Vec<Tab>,
    sexes: Vec<Choice>,
    orders: Vec<Choice>,
    doctors: Vec<Choice>,
    homes: Vec<Choice>,
    /// Who may be the same person.
    same: Vec<(Patient, String)>,
}

/// The section doctors to choose from.
pub(super) async fn doctors(ui: &Ui, who: &SignedIn) -> Result<Vec<Choice>, Trouble> {
    let actor = who.actor.clone();
    let all = ui.run(move |app| app.colleagues(&actor)).await;
    // Who may not read the list of colleagues still registers people.
    let all = match all {
        Err(AppError::Denied(_)) => vec![],
        other => other?,
    };
    let is_doctor = |roles: ondol_access::RoleSet| {
        use ondol_access::Role;
        roles.contains(Role::SectionDoctor)
            || roles.contains(Role::Doctor)
            || roles.contains(Role::HealthWorker)
    };
    let doctors = all.into_iter().filter(|one| is_doctor(one.roles));
    Ok(doctors.map(|one| Choice::new(one.id.as_str(), one.name)).collect())
}

async fn show(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    form: Form,
    same: &[Person],
) -> Result<Response, Trouble> {
    let t = page.t;
    let kind = typed::kind(&form);
    let label = |kind: &str| match kind {
        "newborn" => t.get("people-kind-newborn"),
        "stranger" => t.get("people-kind-stranger"),
        _ => t.get("people-kind-known"),
    };
    let tab = |of: &'static str| Tab {
        href: format!("/people/new?kind={of}"),
        label: label(of),
        current: of == kind,
        count: None,
    };
    let same = same.iter().map(|one| (shown::in_list(&page, one), shown::address(one))).collect();
    let screen = New {
        t,
        kind,
        tabs: typed::KINDS.map(tab).into(),
        sexes: typed::sexes(t),
        orders: typed::orders(t),
        doctors: doctors(ui, who).await?,
        homes: vec![
            Choice::new("yes", t.get("people-resident-yes")),
            Choice::new("no", t.get("people-resident-no")),
        ],
        same,
        page,
        form: form.clone(),
    };
    Ok(super::shown(&form, Screen(screen)))
}

/// The blank form of a kind, or what was typed into it before.
pub async fn blank(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    asked: Form,
) -> Result<Response, Trouble> {
    let mut form = ui.draft(&who, DRAFT).await?.unwrap_or_default();
    if is_registered(&page, &ui, &who, &form).await? {
        ui.drop_draft(&who, DRAFT).await?;
        form = Form::default();
    }
    if !asked.value("kind").is_empty() {
        form.put("kind", asked.value("kind"));
    }
    preset(&mut form);
    show(page, &ui, &who, form, &[]).await
}

/// Whether a draft is of somebody who was registered: a script may have sent it a moment too late.
async fn is_registered(
    page: &Page,
    ui: &Ui,
    who: &SignedIn,
    draft: &Form,
) -> Result<bool, Trouble> {
    let typed = typed::read(page, &mut draft.clone());
    let (actor, of) = (who.actor.clone(), typed.clone());
    let same = ui.run(move |app| app.possible_duplicates(&actor, &of)).await?;
    Ok(same.iter().any(|one| {
        one.name == typed.name
            && one.mother == typed.mother_name
            && Some(one.birth) == typed.birth
            && one.sex == typed.sex
    }))
}

/// What is most often true stands in the form already.
fn preset(form: &mut Form) {
    if form.value("resident").is_empty() {
        let resident = if typed::kind(form) == "stranger" { "no" } else { "yes" };
        form.put("resident", resident);
    }
}

/// Registers, or asks whether one of these is the same person.
pub async fn register(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    mut form: Form,
) -> Result<Response, Trouble> {
    if form.value("do") == "start" {
        preset(&mut form);
        return show(page, &ui, &who, form, &[]).await;
    }
    let mut registration = typed::read(&page, &mut form);
    find_mother(&page, &ui, &who.actor, &mut form, &mut registration).await?;
    if typed::kind(&form) == "known" && is_nobody(&registration) {
        // One press too many, rather than a person.
        form.complain("name", page.t.get("people-name"), page.t.get("people-error-nothing"));
    }
    if !form.is_fine() {
        return show(page, &ui, &who, form, &[]).await;
    }
    if form.value("another") != "yes" {
        let (actor, of) = (who.actor.clone(), registration.clone());
        let same = ui.run(move |app| app.possible_duplicates(&actor, &of)).await?;
        if !same.is_empty() {
            return show(page, &ui, &who, form, &same).await;
        }
    }
    let actor = who.actor.clone();
    match ui.run(move |app| app.register(&actor, registration)).await {
        Ok(made) => {
            ui.drop_draft(&who, DRAFT).await?;
            Ok(page.done(&format!("/people/{}", made.id), key!("note-people-registered")))
        }
        Err(why) => {
            complain(page.t, &mut form, &typed::labels(page.t), why)?;
            show(page, &ui, &who, form, &[]).await
        }
    }
}

/// Whether nothing is known that tells somebody from anybody.
fn is_nobody(typed: &Registration) -> bool {
    let unnamed = typed.name.is_empty() && typed.mother_name.is_empty();
    unnamed && typed.sex.is_none() && typed.birth.is_none() && typed.paper.is_none()
}

/// The mother's chart, by the number on her card.
async fn find_mother(
    page: &Page,
    ui: &Ui,
    actor: &Actor,
    form: &mut Form,
    registration: &mut Registration,
) -> Result<(), Trouble> {
    let t = page.t;
    let number = form.value("mother-number").to_owned();
    if number.is_empty() || typed::kind(form) != "newborn" {
        return Ok(());
    }
    let (actor, find) = (actor.clone(), Find { text: number, ..Find::default() });
    let found = ui.run(move |app: &std::sync::Arc<App>| app.find_people(&actor, &find)).await?;
    match &found.people[..] {
        [mother] => {
            registration.mother = Some(mother.id.clone());
            if registration.mother_name.is_empty() {
                registration.mother_name.clone_from(&mother.name);
            }
            if registration.ri.is_empty() && registration.house.is_empty() {
                registration.ri.clone_from(&mother.ri);
                registration.house.clone_from(&mother.house);
            }
        }
        _ => {
            let label = t.get("people-mother-number");
            form.complain("mother-number", label, t.get("people-error-mother-number"));
        }
    }
    Ok(())
}
