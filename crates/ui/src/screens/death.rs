//! A death: the certificate, asked for, shown and printed; and taken back.
//!
//! The form is laid out as WHO's 'International form of medical certificate of cause of death'
//! (ICD-10, volume 2) has it: part 1 with its chain, part 2, manner, and the questions beside them.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ondol_app::death::{
    ANSWERS, CAUSES_MAX, Cause, Certificate, Death, DiedAt, INTERVAL_UNITS, Interval, MANNERS,
    PLACES, PREGNANCIES, cause_of_words,
};
use ondol_app::encounter::OpenKind;

use super::encounter::fields;
use super::people::typed::{at, minutes_of};
use super::people::{complain, id, same_chart, shown};
use crate::form::{Choice, Form, PartialDate, TypedDate};
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::{Fact, Patient};

mod words;

use words::{answer, cause, died, interval, manner, place, pregnancy, unit};

/// Boxes for other conditions.
const OTHERS: usize = 3;

/// The fields of the chain, immediate cause first.
const LINES: [&str; CAUSES_MAX] = ["cause-a", "cause-b", "cause-c", "cause-d"];

/// `/people/{id}/death…`.
pub fn routes() -> Router<Ui> {
    Router::new()
        .route("/people/{id}/death", get(show).post(certify))
        .route("/people/{id}/death/undo", post(undo))
        .route("/people/{id}/certificate", get(print))
}

/// A line of the chain in the form.
struct Line {
    name: &'static str,
    letter: &'static str,
    label: String,
}

#[derive(Template)]
#[template(path = "death/form.html")]
struct Ask {
    t: T,
    page: Page,
    patient: Patient,
    chart: String,
    form: Form,
    lines: Vec<Line>,
    others: Vec<String>,
    /// What can be chosen from while a cause is typed.
    listed: Vec<String>,
    units: Vec<Choice>,
    manners: Vec<Choice>,
    places: Vec<Choice>,
    answers: Vec<Choice>,
    pregnancies: Vec<Choice>,
    asks_pregnancy: bool,
    undone: Vec<String>,
}

#[derive(Template)]
#[template(path = "death/death.html")]
struct Show {
    t: T,
    page: Page,
    patient: Patient,
    chart: String,
    form: Form,
    told: Option<Told>,
    /// Open consults and referrals: address and words.
    open: Vec<(String, String)>,
    undone: Vec<String>,
    may_undo: bool,
}

#[derive(Template)]
#[template(path = "death/paper.html")]
struct Paper {
    t: T,
    page: Page,
    patient: Patient,
    back: String,
    born: String,
    told: Told,
    /// Empty lines of the chain, for the form to have all of them.
    rest: Vec<&'static str>,
}

/// A certificate in words.
struct Told {
    /// Letter, cause, interval.
    causes: Vec<(&'static str, String, String)>,
    underlying: String,
    others: Vec<(String, String)>,
    facts: Vec<Fact>,
    by: String,
    at: String,
}

const LETTERS: [&str; CAUSES_MAX] = ["a", "b", "c", "d"];

fn told(page: &Page, death: &Death) -> Option<Told> {
    let t = page.t;
    let of = death.certificate.as_ref()?;
    let mut facts = vec![
        Fact::new(t.get("death-when"), died(page, of.died)),
        Fact::new(t.get("death-place"), [place(t, &of.place), of.place_words.clone()].join(" ")),
        Fact::new(t.get("death-manner"), manner(t, &of.manner)),
    ];
    let more = [
        (t.get("death-external"), of.external.clone()),
        (t.get("death-surgery"), answer(t, &of.surgery)),
        (t.get("death-autopsy"), answer(t, &of.autopsy)),
        (t.get("death-pregnancy"), pregnancy(t, &of.pregnancy)),
    ];
    let more = more.into_iter().filter(|(_, value)| !value.is_empty());
    facts.extend(more.map(|(label, value)| Fact::new(label, value)));
    let say = |one: &Cause| (cause(t, one), interval(t, one.interval.as_ref()));
    Some(Told {
        causes: LETTERS
            .into_iter()
            .zip(&of.causes)
            .map(|(letter, one)| {
                let (cause, interval) = say(one);
                (letter, cause, interval)
            })
            .collect(),
        underlying: of.underlying().map(|one| cause(t, one)).unwrap_or_default(),
        others: of.others.iter().map(say).collect(),
        facts,
        by: death.by.clone(),
        at: page.stamp(&death.at),
    })
}

fn undone(page: &Page, death: &Death) -> Vec<String> {
    let say = |one: &ondol_app::death::UndoneDeath| {
        let text = page.t.msg("death-undone").arg("when", page.when(&one.at));
        text.arg("by", one.by.as_str()).arg("reason", one.reason.as_str()).to_string()
    };
    death.undone.iter().map(say).collect()
}

async fn read(ui: &Ui, who: &SignedIn, path: &str) -> Result<Death, Trouble> {
    let (actor, id) = (who.actor.clone(), id(path)?);
    Ok(ui.run(move |app| app.death(&actor, &id)).await?)
}

/// The certificate, or the form for one.
async fn show(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
) -> Result<Response, Trouble> {
    let death = read(&ui, &who, &path).await?;
    let mut form = Form::default();
    if death.banner.person.died {
        return Ok(shown_death(page, &death, &form));
    }
    if !death.may_certify {
        return Err(Trouble::NotFound);
    }
    let (today, _) = page.now.local(page.utc_offset_minutes);
    form.put("died-year", today.year().to_string());
    form.put("died-month", today.month().to_string());
    form.put("died-day", today.day().to_string());
    Ok(ask(page, &death, &form))
}

fn shown_death(page: Page, death: &Death, form: &Form) -> Response {
    let t = page.t;
    let open = death.open.iter().map(|open| match open.kind {
        OpenKind::Consult => (format!("/consult/{}", open.id), t.get("chart-open-consult")),
        OpenKind::Referral => (format!("/referral/{}", open.id), t.get("chart-open-referral")),
    });
    let screen = Show {
        t,
        patient: shown::banner(&page, &death.banner),
        chart: death.banner.person.id.to_string(),
        told: told(&page, death),
        open: open.collect(),
        undone: undone(&page, death),
        may_undo: death.may_undo,
        page,
        form: form.clone(),
    };
    super::people::shown(form, Screen(screen))
}

fn ask(page: Page, death: &Death, form: &Form) -> Response {
    let t = page.t;
    let labels = [
        t.get("death-immediate"),
        t.get("death-due-to"),
        t.get("death-due-to"),
        t.get("death-due-to"),
    ];
    let lines = LINES.into_iter().zip(LETTERS).zip(labels);
    let choices = |codes: &[&str], say: fn(T, &str) -> String| {
        codes.iter().map(|code| Choice::new(*code, say(t, code))).collect::<Vec<_>>()
    };
    let screen = Ask {
        t,
        patient: shown::banner(&page, &death.banner),
        chart: death.banner.person.id.to_string(),
        lines: lines.map(|((name, letter), label)| Line { name, letter, label }).collect(),
        others: (1..=OTHERS).map(|at| format!("other-{at}")).collect(),
        listed: ondol_terms::diagnoses()
            .iter()
            .map(|one| format!("{} {}", shown::diagnosis(t, Some(one.code), ""), one.code))
            .collect(),
        units: choices(&INTERVAL_UNITS, unit),
        manners: choices(&MANNERS, manner),
        places: choices(&PLACES, place),
        answers: choices(&ANSWERS, answer),
        pregnancies: choices(&PREGNANCIES, pregnancy),
        asks_pregnancy: fields::asks_pregnancy(&page, &death.banner.person),
        undone: undone(&page, death),
        page,
        form: form.clone(),
    };
    super::people::shown(form, Screen(screen))
}

fn labels(t: T) -> Vec<(&'static str, String)> {
    vec![
        ("died", t.get("death-when")),
        ("cause-a", t.get("death-immediate")),
        ("cause-b", t.get("death-due-to")),
        ("cause-c", t.get("death-due-to")),
        ("cause-d", t.get("death-due-to")),
        ("manner", t.get("death-manner")),
        ("reason", t.get("people-reason")),
    ]
}

/// Reads the form; what cannot be read becomes a complaint.
fn typed(page: &Page, form: &mut Form) -> Certificate {
    let t = page.t;
    let mut causes = vec![];
    for line in LINES {
        let mut one = cause_of_words(form.value(line));
        let (number, unit) = (format!("{line}-n"), form.part(line, "unit").to_owned());
        if !form.value(&number).is_empty() {
            match form.number(&number) {
                Some(value) if INTERVAL_UNITS.contains(&&*unit) => {
                    one.interval = Some(Interval { value, unit });
                }
                _ => form.complain(line, t.get("death-interval"), t.get("death-error-interval")),
            }
        }
        causes.push(one);
    }
    let others = (1..=OTHERS).map(|at| cause_of_words(form.value(&format!("other-{at}"))));
    let others = others.collect();
    let text = |form: &Form, name: &str| form.value(name).to_owned();
    Certificate {
        died: died_at(page, form),
        causes,
        others,
        manner: text(form, "manner"),
        place: text(form, "place"),
        place_words: text(form, "place-words"),
        external: text(form, "external"),
        surgery: text(form, "surgery"),
        autopsy: text(form, "autopsy"),
        pregnancy: text(form, "pregnancy"),
    }
}

fn died_at(page: &Page, form: &mut Form) -> DiedAt {
    let t = page.t;
    let day = match form.date("died") {
        TypedDate::Valid(PartialDate::Day(day)) => day,
        TypedDate::Empty => return DiedAt::NotKnown,
        _ => {
            form.complain("died", t.get("death-when"), t.get("people-error-date"));
            return DiedAt::NotKnown;
        }
    };
    match (form.value("died-time").is_empty(), minutes_of(form.value("died-time"))) {
        (true, _) => DiedAt::Day(day),
        (false, Some(minutes)) => DiedAt::Moment(at(page, day, minutes)),
        (false, None) => {
            form.complain("died-time", t.get("death-time"), t.get("people-error-time"));
            DiedAt::NotKnown
        }
    }
}

async fn certify(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let own = id(&path)?;
    same_chart(&form, &own)?;
    let certificate = typed(&page, &mut form);
    if form.is_fine() {
        let actor = who.actor.clone();
        match ui.run(move |app| app.certify_death(&actor, &own, certificate)).await {
            Ok(()) => {
                return Ok(page.done(&format!("/people/{path}/death"), key!("note-death-written")));
            }
            Err(why) => complain(page.t, &mut form, &labels(page.t), why)?,
        }
    }
    let death = read(&ui, &who, &path).await?;
    Ok(ask(page, &death, &form))
}

async fn undo(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let own = id(&path)?;
    same_chart(&form, &own)?;
    let (actor, reason) = (who.actor.clone(), form.value("reason").to_owned());
    match ui.run(move |app| app.undo_death(&actor, &own, &reason)).await {
        Ok(()) => Ok(page.done(&format!("/people/{path}"), key!("note-death-undone"))),
        Err(why) => {
            complain(page.t, &mut form, &labels(page.t), why)?;
            let death = read(&ui, &who, &path).await?;
            Ok(shown_death(page, &death, &form))
        }
    }
}

async fn print(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
) -> Result<Response, Trouble> {
    let id = id(&path)?;
    let death = ui.run(move |app| app.printed_death(&who.actor, &id)).await?;
    let told = told(&page, &death).ok_or(Trouble::NotFound)?;
    let screen = Paper {
        t: page.t,
        patient: shown::banner(&page, &death.banner),
        back: format!("/people/{path}/death"),
        born: death.banner.person.birth.to_fhir().unwrap_or_default(),
        rest: LETTERS.into_iter().skip(told.causes.len()).collect(),
        told,
        page,
    };
    Ok(Screen(screen).into_response())
}
