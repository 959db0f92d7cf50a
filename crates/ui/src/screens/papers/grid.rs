//! Typing in a form: thirty rows, each saved by itself.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use ondol_app::papers::{DowntimeForm, PaperRow, TypedRow};
use ondol_app::people::{Sex, grouped};
use ondol_app::{App, AppError};
use ondol_kernel::{Millis, ResourceId};

use crate::form::{Choice, Form, PartialDate, TypedDate};
use crate::page::Page;
use crate::screen::Screen;
use crate::screens::people::typed::{at, minutes_of};
use crate::screens::people::{self, shown};
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;

/// The columns that are typed, in the order of the paper.
const COLUMNS: [&str; 9] = [
    "number",
    "name",
    "sex",
    "age",
    "complaint",
    "temperature",
    "pressure",
    "diagnosis",
    "medicine",
];

/// A row as the page shows it.
struct Line {
    place: usize,
    number: String,
    /// Who it became, once it is saved: name and address of the chart.
    done: Option<(String, String)>,
    /// What stands in the boxes.
    values: Vec<(&'static str, String)>,
    /// What is to be mended.
    wrong: String,
    /// Whether 'I checked' is asked.
    asks_checked: bool,
    /// Whether 'another person' is asked.
    asks_another: bool,
}

#[derive(Template)]
#[template(path = "papers/grid.html")]
struct Grid {
    t: T,
    page: Page,
    form: Form,
    paper: DowntimeForm,
    lines: Vec<Line>,
    people: Vec<Choice>,
}

/// One row alone, for the script.
#[derive(Template)]
#[template(path = "papers/grid_row.html")]
struct Part {
    t: T,
    paper: DowntimeForm,
    line: Line,
}

/// What the heads of the columns say.
fn head(t: impl std::borrow::Borrow<T>, column: impl AsRef<str>) -> String {
    let (t, column) = (*t.borrow(), column.as_ref());
    match column {
        "number" => t.get("people-number"),
        "name" => t.get("people-name"),
        "sex" => t.get("people-sex"),
        "age" => t.get("people-age"),
        "complaint" => t.get("papers-complaint"),
        "temperature" => format!("{} °C", t.get("papers-temperature")),
        "pressure" => t.get("encounter-pressure"),
        "diagnosis" => t.get("encounter-diagnosis"),
        _ => t.get("encounter-medicine"),
    }
}

impl Grid {
    fn heads(&self) -> Vec<String> {
        COLUMNS.iter().map(|column| head(self.t, column)).collect()
    }

    fn number(&self) -> String {
        grouped(&self.paper.name)
    }
}

fn line(page: &Page, form: &Form, row: &PaperRow, wrong: Option<&AppError>) -> Line {
    let t = page.t;
    let value = |column: &str| form.value(&format!("{column}-{}", row.place)).to_owned();
    let done = row.done.as_ref().map(|(person, _)| {
        let name = shown::name(t, person);
        let name = if name.is_empty() { t.get("patient-no-name") } else { name };
        (name, format!("/people/{}", person.id))
    });
    let chosen = |column: &str| form.chose(&format!("{column}-{}", row.place), "yes");
    Line {
        place: row.place,
        number: grouped(&row.number),
        done,
        values: COLUMNS.iter().map(|column| (*column, value(column))).collect(),
        wrong: wrong.map_or_else(String::new, |why| sentence(t, why)),
        asks_checked: chosen("checked")
            || matches!(
                wrong,
                Some(AppError::Field { why: "impossible" | "before-birth" | "too-old", .. })
            ),
        asks_another: chosen("another")
            || matches!(wrong, Some(AppError::Field { why: "same-name", .. })),
    }
}

/// What is wrong in a row.
fn sentence(t: T, why: &AppError) -> String {
    match why {
        AppError::Field { field, why } => {
            let label = match *field {
                "body-temperature" | "temperature" => t.get("papers-temperature"),
                "systolic-pressure" | "diastolic-pressure" | "pressure" => {
                    t.get("encounter-pressure")
                }
                "born" => t.get("people-born"),
                "at" | "time" => t.get("encounter-time"),
                other => head(t, other),
            };
            format!("{label}: {}", people::what_to_mend(t, why))
        }
        AppError::State(why) => people::state(t, why),
        AppError::Denied(_) => t.get("trouble-not-allowed"),
        _ => t.get("trouble-broken"),
    }
}

/// Reads a row; `None` if nothing was typed into it.
fn read(
    form: &Form,
    place: usize,
    day: Option<Millis>,
    by: Option<&ResourceId>,
) -> Option<Result<TypedRow, AppError>> {
    let value = |column: &str| form.value(&format!("{column}-{place}"));
    let typed = COLUMNS.iter().any(|column| !value(column).is_empty());
    typed.then(|| {
        let wrong = |field, why| AppError::Field { field, why };
        let number = |column: &'static str| match value(column) {
            "" => Ok(String::new()),
            _ => form.number(&format!("{column}-{place}")).ok_or(wrong(column, "number")),
        };
        let age = number("age")?;
        let age = if age.is_empty() {
            None
        } else {
            age.parse().map(Some).map_err(|_| wrong("age", "number"))?
        };
        Ok(TypedRow {
            number: value("number").to_owned(),
            name: value("name").to_owned(),
            sex: sex(value("sex"))?,
            age_years: age,
            complaint: value("complaint").to_owned(),
            temperature: number("temperature")?,
            pressure: pressure(value("pressure"))?,
            diagnosis: value("diagnosis").to_owned(),
            medicine: value("medicine").to_owned(),
            at: day,
            by: by.cloned(),
            checked: value("checked") == "yes",
            another: value("another") == "yes",
        })
    })
}

/// The sex as people write it on paper.
fn sex(typed: &str) -> Result<Option<Sex>, AppError> {
    match typed.to_lowercase().as_str() {
        "" => Ok(None),
        "녀" | "녀자" | "여" | "f" | "w" => Ok(Some(Sex::Female)),
        "남" | "남자" | "m" => Ok(Some(Sex::Male)),
        "?" | "모름" => Ok(Some(Sex::Unknown)),
        _ => Err(AppError::Field { field: "sex", why: "unknown" }),
    }
}

/// `120/80`, also with a blank or a hyphen between.
fn pressure(typed: &str) -> Result<Option<(String, String)>, AppError> {
    if typed.is_empty() {
        return Ok(None);
    }
    let wrong = AppError::Field { field: "pressure", why: "number" };
    let parts: Vec<&str> =
        typed.split(['/', '-', ' ', '／']).filter(|part| !part.is_empty()).collect();
    let [upper, lower] = parts[..] else { return Err(wrong) };
    let form = Form::of([("u", upper), ("l", lower)]);
    match (form.number("u"), form.number("l")) {
        (Some(upper), Some(lower)) => Ok(Some((upper, lower))),
        _ => Err(wrong),
    }
}

/// The time of care on the form, from its date and hour.
fn day(page: &Page, form: &mut Form, paper: &DowntimeForm) -> Option<Millis> {
    let t = page.t;
    let date = match form.date("at") {
        TypedDate::Valid(PartialDate::Day(date)) => date,
        TypedDate::Empty => paper.printed.local(page.utc_offset_minutes).0,
        _ => {
            form.complain("at", t.get("encounter-date"), t.get("people-error-date"));
            return None;
        }
    };
    let typed = form.value("at-time");
    // Without an hour: noon, or now if it is still morning today.
    let minutes = if typed.is_empty() { Some(12 * 60) } else { minutes_of(typed) };
    let Some(minutes) = minutes else {
        form.complain("at-time", t.get("encounter-time"), t.get("people-error-time"));
        return None;
    };
    let moment = at(page, date, minutes);
    Some(if typed.is_empty() && moment > page.now { page.now } else { moment })
}

/// Who may have seen the people on the form.
async fn carers(ui: &Ui, who: &SignedIn) -> Result<Vec<Choice>, Trouble> {
    let actor = who.actor.clone();
    let all = match ui.run(move |app| app.colleagues(&actor)).await {
        Err(AppError::Denied(_)) => vec![],
        other => other?,
    };
    Ok(all.into_iter().map(|one| Choice::new(one.id.as_str(), one.name)).collect())
}

async fn page_of(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    name: String,
    form: Form,
    wrong: &BTreeMap<usize, AppError>,
) -> Result<Response, Trouble> {
    let actor = who.actor.clone();
    let (paper, rows) = ui.run(move |app| app.downtime_form(&actor, &name)).await?;
    let lines = rows.iter().map(|row| line(&page, &form, row, wrong.get(&row.place))).collect();
    let people = carers(ui, who).await?;
    let fine = wrong.is_empty() && form.is_fine();
    let status = if fine { 200 } else { 422 };
    let status = axum::http::StatusCode::from_u16(status).map_err(Trouble::broken)?;
    let screen = Grid { t: page.t, page, form, paper, lines, people };
    Ok((status, Screen(screen)).into_response())
}

/// The grid, with what was typed and not saved.
pub async fn show(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(name): Path<String>,
) -> Result<Response, Trouble> {
    let mut form = ui.draft(&who, &format!("paper/{name}")).await?.unwrap_or_default();
    if form.value("at-year").is_empty() {
        let actor = who.actor.clone();
        let of = name.clone();
        let (paper, _) = ui.run(move |app| app.downtime_form(&actor, &of)).await?;
        let date = paper.printed.local(page.utc_offset_minutes).0;
        form.put("at-year", date.year().to_string());
        form.put("at-month", date.month().to_string());
        form.put("at-day", date.day().to_string());
    }
    page_of(page, &ui, &who, name, form, &BTreeMap::new()).await
}

/// Saves one row (`do=row:7`), or all that were typed.
pub async fn save(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(name): Path<String>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let (actor, of) = (who.actor.clone(), name.clone());
    let (paper, rows) = ui.run(move |app| app.downtime_form(&actor, &of)).await?;
    let moment = day(&page, &mut form, &paper);
    if !form.is_fine() {
        return page_of(page, &ui, &who, name, form, &BTreeMap::new()).await;
    }
    let by = form.value("by");
    let by =
        if by.is_empty() || by == who.actor.id().as_str() { None } else { Some(people::id(by)?) };
    let only: Option<usize> =
        form.value("do").strip_prefix("row:").and_then(|place| place.parse().ok());
    let wanted = rows.iter().filter(|row| row.done.is_none());
    let wanted: Vec<usize> = wanted
        .map(|row| row.place)
        .filter(|place| only.is_none_or(|only| only == *place))
        .collect();
    let mut wrong = BTreeMap::new();
    for place in wanted {
        let Some(typed) = read(&form, place, moment, by.as_ref()) else { continue };
        let done = match typed {
            Err(why) => Err(why),
            Ok(row) => {
                let (actor, name) = (who.actor.clone(), name.clone());
                let job = move |app: &std::sync::Arc<App>| app.enter_row(&actor, &name, place, row);
                ui.run(job).await.map(|_| ())
            }
        };
        if let Err(why) = done {
            if why.code() == "defect" || why.code() == "store" || why.code().starts_with("disk") {
                return Err(why.into());
            }
            wrong.insert(place, why);
        }
    }
    if let (true, Some(place)) = (page.part, only) {
        let (actor, of) = (who.actor.clone(), name);
        let (paper, rows) = ui.run(move |app| app.downtime_form(&actor, &of)).await?;
        let row = rows.iter().find(|row| row.place == place).ok_or(Trouble::NotFound)?;
        let line = line(&page, &form, row, wrong.get(&place));
        return Ok(Screen(Part { t: page.t, paper, line }).into_response());
    }
    page_of(page, &ui, &who, name, form, &wrong).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_on_paper_is_read() {
        let read = |typed| pressure(typed).unwrap().map(|(u, l)| format!("{u}/{l}"));
        assert_eq!(read("120/80").as_deref(), Some("120/80"));
        assert_eq!(read("120 80").as_deref(), Some("120/80"));
        assert_eq!(read("１２０／８０").as_deref(), Some("120/80"));
        assert_eq!(read(""), None);
        assert!(pressure("120").is_err() && pressure("a/b").is_err());
        assert_eq!(sex("녀").unwrap(), Some(Sex::Female));
        assert_eq!(sex("M").unwrap(), Some(Sex::Male));
        assert!(sex("x").is_err());
    }
}
