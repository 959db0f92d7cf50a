//! Looking for somebody: by POST, so that no name ever stands in an address.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use ondol_app::people::{Find, Finding};

use super::{complain, shown, shown::address};
use crate::form::{Form, TypedDate};
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;

#[derive(Template)]
#[template(path = "people/found.html")]
struct Found {
    t: T,
    page: Page,
    form: Form,
    /// Whether anything was asked.
    asked: bool,
    people: Vec<(Patient, String)>,
    /// Charts that were found and gave way to the one that is shown: how they name the person.
    instead_of: Vec<(String, Patient)>,
    elsewhere: Option<String>,
    more: bool,
    mistyped: bool,
}

impl Found {
    fn of(page: Page, form: Form, finding: Option<Finding>) -> Response {
        let t = page.t;
        let asked = finding.is_some();
        let finding = finding.unwrap_or_default();
        let people = finding
            .people
            .iter()
            .map(|person| (shown::in_list(&page, person), address(person)))
            .collect();
        let instead_of = finding
            .instead_of
            .iter()
            .map(|(shown_now, found)| {
                (format!("/people/{shown_now}"), shown::in_list(&page, found))
            })
            .collect();
        let elsewhere = finding.elsewhere.map(|id| format!("/people/{id}"));
        let (more, mistyped) = (finding.more, finding.mistyped);
        super::shown(
            &form.clone(),
            Screen(Self { t, page, form, asked, people, instead_of, elsewhere, more, mistyped }),
        )
    }
}

impl Found {
    /// What is said below somebody whose other chart was found.
    fn also(&self, patient: &Patient) -> Vec<String> {
        let of = self.instead_of.iter().filter(|(href, _)| *href == patient.href);
        of.map(|(_, found)| {
            let text = self.t.msg("people-found-as").arg("name", found.name.as_str());
            text.arg("number", found.number.as_str()).to_string()
        })
        .collect()
    }
}

/// The empty question.
pub async fn blank(page: Page, _: SignedIn) -> Response {
    Found::of(page, Form::default(), None)
}

/// The answer.
pub async fn find(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    mut form: Form,
) -> Result<Response, Trouble> {
    let t = page.t;
    let year = match form.date("born") {
        TypedDate::Valid(date) => Some(super::typed::year_of(date)),
        TypedDate::Empty => None,
        TypedDate::Wrong => {
            form.complain("born", t.get("people-born"), t.get("people-error-date"));
            return Ok(Found::of(page, form, None));
        }
    };
    let find = Find {
        text: form.value("q").to_owned(),
        birth_year: year,
        mother: form.value("mother").to_owned(),
    };
    if find.text.is_empty() && find.mother.is_empty() && year.is_none() {
        return Ok(Found::of(page, form, None));
    }
    match ui.run(move |app| app.find_people(&who.actor, &find)).await {
        Ok(finding) => Ok(Found::of(page, form, Some(finding))),
        Err(why) => {
            complain(t, &mut form, &[], why)?;
            Ok(Found::of(page, form, None))
        }
    }
}
