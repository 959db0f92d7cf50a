//! Possibly the same person: the list of pairs, two charts side by side, and three answers.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use ondol_app::encounter::{Allergies, Blood};
use ondol_app::people::{Compared, Difference, Person, Side, grouped};
use ondol_kernel::ResourceId;

use super::{complain, elsewhere, id, same_chart, shown, typed};
use crate::form::{Choice, Form};
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;

/// From here on a pair is nearly certainly one person.
const NEARLY_CERTAIN: f64 = 0.99;

/// A pair in the list.
struct Row {
    href: String,
    one: Patient,
    two: Patient,
    sure: String,
}

#[derive(Template)]
#[template(path = "people/same_list.html")]
struct List {
    t: T,
    page: Page,
    rows: Vec<Row>,
    more: bool,
    /// Who is perhaps registered elsewhere, and how far the other chart has come.
    elsewhere: Vec<(Patient, String)>,
    elsewhere_more: bool,
}

/// A line of both charts.
struct Line {
    label: String,
    one: String,
    two: String,
    differs: bool,
}

#[derive(Template)]
#[template(path = "people/same.html")]
struct Both {
    t: T,
    page: Page,
    form: Form,
    chart: String,
    one: Patient,
    two: Patient,
    sure: String,
    lines: Vec<Line>,
    answers: Vec<Choice>,
    open: bool,
}

fn sure(t: T, probability: f64) -> String {
    if probability >= NEARLY_CERTAIN {
        t.get("same-nearly-certain")
    } else {
        t.get("same-probable")
    }
}

/// The list.
pub async fn list(page: Page, ui: State<Ui>, who: SignedIn) -> Result<Response, Trouble> {
    let t = page.t;
    let read = move |app: &std::sync::Arc<ondol_app::App>| {
        Ok((app.possible_pairs(&who.actor)?, app.elsewhere_list(&who.actor)?))
    };
    let (found, (list, elsewhere_more)) = ui.run(read).await?;
    let elsewhere = list.iter().map(|one| elsewhere::row(&page, one)).collect();
    let rows = found.pairs.iter().map(|pair| Row {
        href: format!("/people/{}/same/{}", pair.one.id, pair.two.id),
        one: shown::in_list(&page, &pair.one),
        two: shown::in_list(&page, &pair.two),
        sure: sure(t, pair.probability),
    });
    let rows = rows.collect();
    let more = found.more;
    Ok(Screen(List { t, page, rows, more, elsewhere, elsewhere_more }).into_response())
}

async fn read(ui: &Ui, who: &SignedIn, path: &(String, String)) -> Result<Compared, Trouble> {
    let (actor, one, two) = (who.actor.clone(), id(&path.0)?, id(&path.1)?);
    Ok(ui.run(move |app| app.compare_people(&actor, &one, &two)).await?)
}

/// The two charts.
pub async fn compare(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let both = read(&ui, &who, &path).await?;
    Ok(show(page, &both, &Form::default()))
}

/// The answer.
pub async fn decide(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<(String, String)>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let (one, two) = (id(&path.0)?, id(&path.1)?);
    same_chart(&form, &one)?;
    let (actor, reason) = (who.actor.clone(), form.value("reason").to_owned());
    let keep = |kept: &ResourceId, other: &ResourceId| (kept.clone(), other.clone());
    let done = match form.value("answer") {
        "one" | "other" => {
            let first = form.value("answer") == "one";
            let (kept, gone) = if first { keep(&one, &two) } else { keep(&two, &one) };
            let to = format!("/people/{kept}");
            let linked = ui.run(move |app| app.link_persons(&actor, &gone, &kept, &reason)).await;
            linked.map(|()| (to, key!("note-people-linked")))
        }
        "two" => {
            let apart = ui.run(move |app| app.keep_persons_apart(&actor, &one, &two, &reason));
            apart.await.map(|()| ("/people/same".to_owned(), key!("note-people-two")))
        }
        "later" => {
            let later = ui.run(move |app| app.put_off_pair(&actor, &one, &two)).await;
            later.map(|()| ("/people/same".to_owned(), key!("note-people-later")))
        }
        _ => {
            let t = page.t;
            form.complain("answer", t.get("same-question"), t.get("people-error-choose"));
            let both = read(&ui, &who, &path).await?;
            return Ok(show(page, &both, &form));
        }
    };
    match done {
        Ok((to, note)) => Ok(page.done(&to, note)),
        Err(why) => {
            complain(page.t, &mut form, &typed::labels(page.t), why)?;
            let both = read(&ui, &who, &path).await?;
            Ok(show(page, &both, &form))
        }
    }
}

fn show(page: Page, both: &Compared, form: &Form) -> Response {
    let t = page.t;
    let (one, two) =
        (shown::banner(&page, &both.one.banner), shown::banner(&page, &both.two.banner));
    let use_of = |patient: &Patient| {
        t.msg("same-one").arg("name", patient.name.as_str()).arg("number", patient.number.as_str())
    };
    // The chart with more in it is offered first.
    let mut answers = vec![
        Choice::new("one", use_of(&one).to_string()),
        Choice::new("other", use_of(&two).to_string()),
    ];
    if both.two.visits_all > both.one.visits_all {
        answers.reverse();
    }
    answers.push(Choice::new("two", t.get("same-two")));
    answers.push(Choice::new("later", t.get("same-later")));
    let screen = Both {
        t,
        chart: both.one.banner.person.id.to_string(),
        sure: both.probability.map_or_else(String::new, |of| sure(t, of)),
        lines: lines(&page, both),
        answers,
        open: both.probability.is_some(),
        one,
        two,
        page,
        form: form.clone(),
    };
    super::shown(form, Screen(screen))
}

fn lines(page: &Page, both: &Compared) -> Vec<Line> {
    let t = page.t;
    let of = |what: Option<Difference>, label: String, say: &dyn Fn(&Side) -> String| Line {
        label,
        one: say(&both.one),
        two: say(&both.two),
        differs: what.is_some_and(|what| both.differs.contains(&what)),
    };
    let person = |say: fn(&Person) -> String| move |side: &Side| say(&side.banner.person);
    let in_list = |side: &Side| shown::in_list(page, &side.banner.person);
    vec![
        of(Some(Difference::Name), t.get("people-name"), &|side| names(&in_list(side), side)),
        of(Some(Difference::Sex), t.get("people-sex"), &|side| in_list(side).sex.say(t)),
        of(Some(Difference::Birth), t.get("people-born"), &|side| {
            let birth = side.banner.person.birth.to_fhir().unwrap_or_default();
            format!("{birth} {}", in_list(side).age.say(t, page.today())).trim().to_owned()
        }),
        of(Some(Difference::Mother), t.get("people-mother"), &person(|of| of.mother.clone())),
        of(Some(Difference::Ri), t.get("people-ri"), &person(|of| of.ri.clone())),
        of(Some(Difference::House), t.get("people-house"), &person(|of| of.house.clone())),
        of(Some(Difference::Phone), t.get("people-phone"), &person(|of| of.phone.clone())),
        of(Some(Difference::Numbers), t.get("people-number"), &person(numbers)),
        of(Some(Difference::Allergies), t.get("people-allergies"), &|side| allergies(t, side)),
        of(Some(Difference::Blood), t.get("same-blood"), &|side| blood(t, &side.blood)),
        of(None, t.get("same-home"), &|side| side.home.clone()),
        of(None, t.get("same-visits"), &|side| visits(page, side)),
    ]
}

fn names(patient: &Patient, side: &Side) -> String {
    let mut all = vec![patient.name.clone()];
    all.extend(side.banner.person.other_names.iter().cloned());
    all.retain(|name| !name.is_empty());
    all.join(", ")
}

fn numbers(of: &Person) -> String {
    of.numbers.iter().map(|one| grouped(&one.value)).collect::<Vec<_>>().join(", ")
}

fn allergies(t: T, side: &Side) -> String {
    match &side.banner.allergies {
        Allergies::NotAsked => t.get("chart-allergy-not-asked"),
        Allergies::NoneKnown { .. } => t.get("allergy-none"),
        Allergies::Known(known) => {
            known.iter().map(|one| shown::allergy(t, one)).collect::<Vec<_>>().join(", ")
        }
    }
}

/// The blood group in words; empty if nobody has said.
pub fn blood(t: T, blood: &Blood) -> String {
    match blood {
        Blood::NotKnown => String::new(),
        Blood::Group(group) => group.clone(),
        Blood::Unlike => t.get("chart-blood-unlike"),
    }
}

fn visits(page: &Page, side: &Side) -> String {
    let t = page.t;
    let mut all: Vec<String> = side
        .visits
        .iter()
        .map(|(at, place, why)| format!("{} {place} {why}", page.when(at)).trim().to_owned())
        .collect();
    if side.visits_all > all.len() {
        all.push(t.msg("same-visits-all").arg("n", side.visits_all).to_string());
    }
    all.join(" · ")
}
