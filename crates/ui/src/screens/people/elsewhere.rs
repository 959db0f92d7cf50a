//! Perhaps registered elsewhere: what the nation's index found for a chart, and what to do about it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use ondol_app::national::{Elsewhere, Elsewheres, InList, Question, Where};

use super::{id, same_chart, shown};
use crate::form::Form;
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;

/// What can be done about somebody who was found.
pub struct Act {
    /// The value of the button.
    pub value: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// What it says.
    pub label: String,
}

/// Somebody who was found, in words.
pub struct Line {
    /// By which the chart is named in the form.
    pub token: String,
    /// How far it has come; empty if nobody asked for it.
    pub text: String,
    /// The next step, if there is one.
    pub act: Option<Act>,
}

/// What the index says about a chart, in words.
pub struct Said {
    /// The chart.
    pub chart: String,
    /// About a question that is not answered; empty if there is none.
    pub question: String,
    /// Whether the page looks again for the answer.
    pub looks_again: bool,
    /// Those who were found.
    pub lines: Vec<Line>,
}

impl Said {
    /// In the words of a page.
    pub fn of(page: &Page, chart: &str, of: &Elsewheres) -> Self {
        let t = page.t;
        Self {
            chart: chart.to_owned(),
            question: match of.question {
                Some(Question::Open) => t.get("index-open"),
                Some(Question::PutOff) => t.get("index-put-off"),
                None => String::new(),
            },
            looks_again: of.question.is_some(),
            lines: of.found.iter().map(|one| line(page, one)).collect(),
        }
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.question.is_empty() && self.lines.is_empty()
    }
}

fn line(page: &Page, of: &Elsewhere) -> Line {
    let t = page.t;
    let ask = || Some(Act { value: "ask", icon: "send", label: t.get("index-ask") });
    let act = match &of.place {
        Where::NotAsked | Where::TooOften => ask(),
        Where::Asked(_) => None,
        Where::Here { is_open } => {
            let label = if *is_open { t.get("index-look") } else { t.get("index-look-receive") };
            Some(Act { value: "look", icon: "people", label })
        }
    };
    Line { token: of.token.clone(), text: place(page, &of.place), act }
}

fn place(page: &Page, place: &Where) -> String {
    let t = page.t;
    match place {
        Where::NotAsked => String::new(),
        Where::Asked(at) => t.msg("index-asked").arg("when", page.when(at)).to_string(),
        Where::TooOften => t.get("index-too-often"),
        Where::Here { .. } => t.get("index-here"),
    }
}

/// A line of the work list: who is registered here, and how far the other chart has come.
pub fn row(page: &Page, of: &InList) -> (Patient, String) {
    let text = place(page, &of.found.place);
    let text = if text.is_empty() { page.t.get("index-not-asked") } else { text };
    (shown::in_list(page, &of.person), text)
}

#[derive(Template)]
#[template(path = "people/elsewhere.html")]
struct Part {
    t: T,
    page: Page,
    elsewhere: Said,
}

/// The part of the chart's page, as it is now.
pub async fn show(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
) -> Result<Response, Trouble> {
    let id = id(&path)?;
    let found = ui.run(move |app| app.elsewhere(&who.actor, &id)).await?;
    let elsewhere = Said::of(&page, &path, &found);
    Ok(Screen(Part { t: page.t, page, elsewhere }).into_response())
}

/// Asks for the chart, says that it is another person, or looks at both.
pub async fn act(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
    form: Form,
) -> Result<Response, Trouble> {
    let id = id(&path)?;
    same_chart(&form, &id)?;
    let (actor, token) = (who.actor.clone(), form.value("token").to_owned());
    let chart = format!("/people/{path}");
    match form.value("do") {
        "ask" => {
            ui.run(move |app| app.ask_for_chart(&actor, &id, &token)).await?;
            Ok(page.done(&chart, key!("note-index-asked")))
        }
        "no" => {
            ui.run(move |app| app.is_not_elsewhere(&actor, &id, &token)).await?;
            Ok(page.done(&chart, key!("note-index-no")))
        }
        "look" => {
            let other = ui.run(move |app| app.chart_from_elsewhere(&actor, &id, &token)).await?;
            Ok(page.done(&format!("{chart}/same/{other}"), key!("note-index-look")))
        }
        _ => Err(Trouble::BadRequest),
    }
}
