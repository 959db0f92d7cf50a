//! Who is on duty: now, in the week, above and below; checking in; the roster.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ondol_access::Role;
use ondol_app::AppError;
use ondol_app::accounts::Colleague;
use ondol_app::duty::{Duty, FacilityDuty, Gap, NewTurn, Service, Turn};
use ondol_kernel::{DAY_MS, Date, Millis, ResourceId};

use crate::form::{Choice, Form};
use crate::key;
use crate::lang::Lang;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::words;

/// `/duty…`.
pub fn routes() -> Router<Ui> {
    Router::new()
        .route("/duty", get(now))
        .route("/duty/in", post(check_in))
        .route("/duty/out", post(check_out))
        .route("/duty/week", get(week).post(list_turns))
        .route("/duty/remove", post(remove))
        .route("/duty/service", get(ask_service).post(set_service))
}

/// A duty, in the words of the page.
pub struct DutyCard {
    /// The service's code.
    pub code: String,
    /// What the service is called.
    pub name: String,
    /// The number to call; empty if none is known.
    pub phone: String,
    /// Who is there, and since when.
    pub present: Vec<(String, String)>,
    /// Who is listed, and until when; empty if nobody is.
    pub listed: String,
    /// Who takes their place; empty if nobody does.
    pub deputy: String,
    /// Who coordinates; empty if nobody does.
    pub coordinator: String,
    /// What is missing, as a sentence; empty if nothing is.
    pub gap: String,
    /// Whether the one who looks has checked in.
    pub here: bool,
}

fn card(page: &Page, duty: &Duty, me: &str) -> DutyCard {
    let t = page.t;
    let name = |person: &Option<ondol_app::duty::Person>| {
        person.as_ref().map(|person| person.name.clone()).unwrap_or_default()
    };
    let present = duty.present.iter();
    let present = present.map(|one| (one.who.name.clone(), page.when(&one.since)));
    let listed = match (&duty.listed, duty.until) {
        (Some(who), Some(until)) => {
            t.msg("duty-until").arg("name", &who.name).arg("when", page.when(&until)).to_string()
        }
        _ => String::new(),
    };
    let gap = match duty.gap {
        None => String::new(),
        Some(Gap::NobodyListed) => t.get("duty-gap-nobody"),
        Some(Gap::NobodyCame(since)) => t
            .msg("duty-gap-not-come")
            .arg("name", name(&duty.listed))
            .arg("when", page.when(&since))
            .to_string(),
    };
    DutyCard {
        code: duty.service.clone(),
        name: words::specialty(t, &duty.service),
        phone: duty.phone.clone(),
        present: present.collect(),
        listed,
        deputy: name(&duty.deputy),
        coordinator: name(&duty.coordinator),
        gap,
        here: duty.is_present(me),
    }
}

/// A facility below, and what is missing there.
struct Below {
    name: String,
    gaps: Vec<(String, String)>,
    has_roster: bool,
}

#[derive(Template)]
#[template(path = "duty/now.html")]
struct Now {
    t: T,
    page: Page,
    form: Form,
    own: Vec<DutyCard>,
    above: Vec<DutyCard>,
    above_name: String,
    below: Vec<Below>,
    can_check_in: bool,
    manages: bool,
}

async fn now(page: Page, ui: State<Ui>, who: SignedIn) -> Result<Response, Trouble> {
    show_now(page, &ui, who, Form::default()).await
}

/// What somebody may see: an officer sees below, who may not see something sees nothing of it.
fn allowed<F: Default>(result: Result<F, AppError>) -> Result<F, AppError> {
    match result {
        Err(AppError::Denied(_)) => Ok(F::default()),
        other => other,
    }
}

type Found = (Vec<Duty>, Option<FacilityDuty>, Vec<FacilityDuty>);

async fn show_now(page: Page, ui: &Ui, who: SignedIn, form: Form) -> Result<Response, Trouble> {
    let t = page.t;
    let actor = who.actor.clone();
    let (own, above, below): Found = ui
        .run(move |app| {
            let own = app.duties(&actor, &app.place().facility)?;
            let above = allowed(app.duties_above(&actor))?;
            Ok((own, above, allowed(app.duties_below(&actor))?))
        })
        .await?;
    let me = who.actor.reference();
    let cards = |duties: &[Duty]| -> Vec<DutyCard> {
        duties.iter().map(|duty| card(&page, duty, &me)).collect()
    };
    let below = below.iter().map(|facility| Below {
        name: facility.name.clone(),
        gaps: facility.gaps().map(|d| card(&page, d, &me)).map(|c| (c.name, c.gap)).collect(),
        has_roster: !facility.duties.is_empty(),
    });
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let screen = Now {
        t,
        own: cards(&own),
        above: above.as_ref().map(|above| cards(&above.duties)).unwrap_or_default(),
        above_name: above.map(|above| above.name).unwrap_or_default(),
        below: below.collect(),
        can_check_in: on_duty_roles(&who),
        manages: who.is(Role::FacilityManager),
        form,
        page,
    };
    Ok((status, Screen(screen)).into_response())
}

/// Whether somebody's work has duties at all.
fn on_duty_roles(who: &SignedIn) -> bool {
    let desk = [
        Role::FacilityManager,
        Role::CountyOfficer,
        Role::ProvinceOfficer,
        Role::MinistryOfficer,
        Role::Administrator,
    ];
    who.actor.roles().iter().any(|role| !desk.contains(&role))
}

async fn check_in(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    form: Form,
) -> Result<Response, Trouble> {
    let service = form.value("service").to_owned();
    ui.run(move |app| app.check_in(&who.actor, &service)).await?;
    Ok(page.done("/duty", key!("note-duty-in")))
}

async fn check_out(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    form: Form,
) -> Result<Response, Trouble> {
    let service = form.value("service").to_owned();
    ui.run(move |app| app.check_out(&who.actor, &service)).await?;
    Ok(page.done("/duty", key!("note-duty-out")))
}

/// The turns of a service on a day.
struct Cell {
    turns: Vec<(String, String, String)>,
}

struct Row {
    name: String,
    cells: Vec<Cell>,
}

#[derive(Template)]
#[template(path = "duty/week.html")]
struct Week {
    t: T,
    page: Page,
    form: Form,
    days: Vec<(String, String)>,
    rows: Vec<Row>,
    previous: String,
    next: String,
    manages: bool,
    services: Vec<Choice>,
    people: Vec<Choice>,
    day_choices: Vec<Choice>,
    shifts: Vec<Choice>,
}

/// The Monday of a week.
fn monday(date: Date) -> Date {
    let weekday = (date.days() + 3).rem_euclid(7);
    Date::from_days(date.days() - weekday).unwrap_or(date)
}

fn midnight(date: Date, utc_offset_minutes: i32) -> Millis {
    Millis(date.days() * DAY_MS - i64::from(utc_offset_minutes) * 60_000)
}

fn days_of(monday: Date) -> Vec<Date> {
    (0..7).filter_map(|day| Date::from_days(monday.days() + day)).collect()
}

fn weekday(t: T, date: Date) -> String {
    match (date.days() + 3).rem_euclid(7) {
        0 => t.get("duty-monday"),
        1 => t.get("duty-tuesday"),
        2 => t.get("duty-wednesday"),
        3 => t.get("duty-thursday"),
        4 => t.get("duty-friday"),
        5 => t.get("duty-saturday"),
        _ => t.get("duty-sunday"),
    }
}

fn short_date(t: T, date: Date) -> String {
    t.msg("duty-day").arg("month", date.month()).arg("day", date.day()).to_string()
}

/// The turns that are offered: code, first and last hour.
const SHIFTS: [(&str, i64, i64); 3] = [("day", 8, 20), ("night", 20, 32), ("whole", 8, 32)];

async fn week(page: Page, ui: State<Ui>, who: SignedIn, form: Form) -> Result<Response, Trouble> {
    show_week(page, &ui, who, form).await
}

async fn show_week(page: Page, ui: &Ui, who: SignedIn, form: Form) -> Result<Response, Trouble> {
    let t = page.t;
    let first = monday(Date::parse(form.value("from")).unwrap_or_else(|| page.today()));
    let days = days_of(first);
    let offset = page.utc_offset_minutes;
    let (from, to) = (midnight(first, offset), midnight(first, offset).plus(7 * DAY_MS));
    let manages = who.is(Role::FacilityManager);
    let (services, turns, people) = ui
        .run(move |app| {
            let own = &app.place().facility;
            Ok((
                app.duty_services(&who.actor, own)?,
                app.duty_turns(&who.actor, own, (from, to))?,
                app.colleagues(&who.actor)?,
            ))
        })
        .await?;
    let rows = services.iter().map(|service| Row {
        name: words::specialty(t, &service.code),
        cells: days.iter().map(|day| cell(&page, service, &turns, *day)).collect(),
    });
    let week = |days: i64| Date::from_days(first.days() + days).unwrap_or(first).to_string();
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let screen = Week {
        t,
        rows: rows.collect(),
        days: days.iter().map(|day| (weekday(t, *day), short_date(t, *day))).collect(),
        previous: week(-7),
        next: week(7),
        manages,
        services: service_choices(t, &services),
        people: people.iter().map(person_choice).collect(),
        day_choices: days
            .iter()
            .map(|day| Choice::new(day.to_string(), weekday(t, *day)))
            .collect(),
        shifts: SHIFTS.iter().map(|(code, ..)| Choice::new(*code, shift(t, code))).collect(),
        form,
        page,
    };
    Ok((status, Screen(screen)).into_response())
}

fn shift(t: T, code: &str) -> String {
    match code {
        "day" => t.get("duty-shift-day"),
        "night" => t.get("duty-shift-night"),
        _ => t.get("duty-shift-whole"),
    }
}

fn person_choice(colleague: &Colleague) -> Choice {
    Choice::new(colleague.id.to_string(), colleague.name.clone())
}

fn service_choices(t: T, services: &[Service]) -> Vec<Choice> {
    let choice = |one: &Service| Choice::new(one.code.clone(), words::specialty(t, &one.code));
    services.iter().map(choice).collect()
}

/// A turn stands on the day on which it begins.
fn cell(page: &Page, service: &Service, turns: &[Turn], day: Date) -> Cell {
    let offset = page.utc_offset_minutes;
    let on_day = |turn: &&Turn| turn.service == service.code && turn.from.local(offset).0 == day;
    let shown = |turn: &Turn| {
        let time = format!("{}–{}", page.clock(&turn.from), page.clock(&turn.to));
        let deputy = turn.deputy.as_ref().map(|deputy| format!(" ({})", deputy.name));
        let who = format!("{}{}", turn.who.name, deputy.unwrap_or_default());
        (turn.id.to_string(), time, who)
    };
    Cell { turns: turns.iter().filter(on_day).map(shown).collect() }
}

fn labels(t: T) -> [(&'static str, String); 7] {
    [
        ("who", t.get("duty-who")),
        ("service", t.get("duty-service")),
        ("deputy", t.get("duty-deputy")),
        ("days", t.get("duty-days")),
        ("shift", t.get("duty-shift")),
        ("phone", t.get("duty-phone")),
        ("coordinator", t.get("duty-coordinator")),
    ]
}

async fn list_turns(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    mut form: Form,
) -> Result<Response, Trouble> {
    let t = page.t;
    let offset = page.utc_offset_minutes;
    let person = ResourceId::new(form.value("who")).ok();
    let shift = SHIFTS.iter().find(|(code, ..)| *code == form.value("shift"));
    let days: Vec<Date> = form.values("days").filter_map(Date::parse).collect();
    let required = [
        ("service", form.value("service").is_empty()),
        ("who", person.is_none()),
        ("days", days.is_empty()),
        ("shift", shift.is_none()),
    ];
    for (field, _) in required.into_iter().filter(|(_, missing)| *missing) {
        let label = labels(t).into_iter().find(|(name, _)| *name == field);
        form.complain(field, label.map(|(_, l)| l).unwrap_or_default(), t.get("error-missing"));
    }
    let (Some(person), Some((_, from_h, to_h)), true) = (person, shift, form.is_fine()) else {
        return show_week(page, &ui, who, form).await;
    };
    let turn = |day: Date| NewTurn {
        service: form.value("service").to_owned(),
        who: person.clone(),
        deputy: ResourceId::new(form.value("deputy")).ok(),
        from: midnight(day, offset).plus(from_h * 3_600_000),
        to: midnight(day, offset).plus(to_h * 3_600_000),
    };
    let turns: Vec<NewTurn> = days.into_iter().map(turn).collect();
    let actor = who.actor.clone();
    let listed =
        ui.run(move |app| turns.into_iter().try_for_each(|turn| app.add_turn(&actor, turn)));
    match listed.await {
        Ok(()) => {
            let from = Date::parse(form.value("from")).map(|d| format!("?from={d}"));
            let to = format!("/duty/week{}", from.unwrap_or_default());
            Ok(page.done(&to, key!("note-saved")))
        }
        Err(why) => {
            words::complain(t, &mut form, &labels(t), why)?;
            show_week(page, &ui, who, form).await
        }
    }
}

async fn remove(page: Page, ui: State<Ui>, who: SignedIn, form: Form) -> Result<Response, Trouble> {
    let id = ResourceId::new(form.value("turn")).map_err(|_| Trouble::NotFound)?;
    ui.run(move |app| app.remove_turn(&who.actor, &id)).await?;
    let from = Date::parse(form.value("from")).map(|d| format!("?from={d}"));
    let to = format!("/duty/week{}", from.unwrap_or_default());
    Ok(page.done(&to, key!("note-duty-removed")))
}

#[derive(Template)]
#[template(path = "duty/service.html")]
struct AskService {
    t: T,
    page: Page,
    form: Form,
    specialties: Vec<Choice>,
    people: Vec<Choice>,
}

async fn ask_service(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    form: Form,
) -> Result<Response, Trouble> {
    let actor = who.actor.clone();
    let services = ui.run(move |app| app.duty_services(&actor, &app.place().facility)).await?;
    let chosen = services.iter().find(|service| service.code == form.value("service"));
    let form = chosen.map_or(form.clone(), |service| {
        let coordinator = service.coordinator.as_ref();
        let id = coordinator.and_then(|c| c.reference.strip_prefix("Practitioner/"));
        Form::of([
            ("service", service.code.as_str()),
            ("phone", &service.phone),
            ("coordinator", id.unwrap_or_default()),
        ])
    });
    show_service(page, &ui, who, form).await
}

async fn show_service(page: Page, ui: &Ui, who: SignedIn, form: Form) -> Result<Response, Trouble> {
    let t = page.t;
    let people = ui.run(move |app| app.colleagues(&who.actor)).await?;
    let name = |one: &ondol_terms::Specialty| match t.lang() {
        Lang::Ko => one.ko,
        Lang::En => one.en,
    };
    let specialties = ondol_terms::specialties().iter();
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let screen = AskService {
        t,
        specialties: specialties.map(|one| Choice::new(one.code, name(one))).collect(),
        people: people.iter().map(person_choice).collect(),
        form,
        page,
    };
    Ok((status, Screen(screen)).into_response())
}

async fn set_service(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    mut form: Form,
) -> Result<Response, Trouble> {
    let t = page.t;
    let (service, phone) = (form.value("service").to_owned(), form.value("phone").to_owned());
    let coordinator = ResourceId::new(form.value("coordinator")).ok();
    let actor = who.actor.clone();
    let set =
        ui.run(move |app| app.set_duty_service(&actor, &service, &phone, coordinator.as_ref()));
    match set.await {
        Ok(()) => Ok(page.done("/duty", key!("note-saved"))),
        Err(why) => {
            words::complain(t, &mut form, &labels(t), why)?;
            show_service(page, &ui, who, form).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_begins_on_monday() {
        let date = |text| Date::parse(text).unwrap();
        assert_eq!(monday(date("2026-03-02")), date("2026-03-02"));
        assert_eq!(monday(date("2026-03-08")), date("2026-03-02"));
        assert_eq!(monday(date("2026-03-09")), date("2026-03-09"));
        assert_eq!(weekday(T::new(Lang::En), date("2026-03-08")), "Sunday");
    }
}
