//! Which medicines are here: one page, ticked in seconds.

use std::collections::BTreeMap;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use ondol_app::AppError;
use ondol_app::stock::{Level, Stock};

use super::people;
use crate::form::{Choice, Form};
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Fact;

/// So many medicines are offered for what was typed.
const OFFERED: usize = 10;

/// `/stock`.
pub fn routes() -> Router<Ui> {
    Router::new().route("/stock", get(ask).post(save))
}

/// A medicine of the list.
struct Line {
    atc: String,
    name: String,
    /// The code of its level; empty where nobody has said it.
    level: String,
}

#[derive(Template)]
#[template(path = "stock/stock.html")]
struct List {
    t: T,
    page: Page,
    form: Form,
    back: String,
    checked: String,
    lines: Vec<Line>,
    levels: Vec<Choice>,
    /// Whether somebody has yet to say of a line how much there is.
    unsaid: bool,
    searched: bool,
    found: Vec<Choice>,
}

/// How much there is, in a word.
pub fn level(t: T, level: Level) -> String {
    match level {
        Level::Enough => t.get("stock-enough"),
        Level::Few => t.get("stock-few"),
        Level::None => t.get("stock-none"),
    }
}

/// A list in one line.
pub fn sum(page: &Page, stock: &Stock) -> String {
    let count = |level| stock.at_level(level).count();
    let msg = page.t.msg("stock-sum").arg("enough", count(Level::Enough));
    let msg = msg.arg("few", count(Level::Few)).arg("none", count(Level::None));
    msg.arg("when", page.when(&stock.at)).to_string()
}

/// A list by its levels, with the time when somebody last looked.
pub fn facts(page: &Page, stock: &Stock) -> Vec<Fact> {
    let t = page.t;
    let names = |level| {
        let names = stock.at_level(level).map(|atc| people::shown::medicine(t, atc, ""));
        names.filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ")
    };
    let mut facts = vec![
        Fact::new(t.get("stock-enough-list"), names(Level::Enough)),
        Fact::new(t.get("stock-few-list"), names(Level::Few)),
        Fact::new(t.get("stock-none-list"), names(Level::None)),
    ];
    facts.retain(|fact| !fact.value.is_empty());
    facts.push(Fact::new(t.get("stock-when"), page.when(&stock.at)));
    facts
}

/// Where somebody came from, if that is a question that is being written.
fn way_back(form: &Form) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '.');
    let back = form.value("back");
    if back.starts_with("/ask/") && back.chars().all(plain) {
        back.to_owned()
    } else {
        String::new()
    }
}

async fn ask(page: Page, ui: State<Ui>, who: SignedIn, asked: Form) -> Result<Response, Trouble> {
    let actor = who.actor.clone();
    let (stock, begin) =
        ui.run(move |app| Ok((app.stock(&actor)?, app.stock_to_begin_with()?))).await?;
    let mut fields = vec![("back".to_owned(), way_back(&asked))];
    match &stock {
        Some(stock) => fields.extend(stock.lines.iter().flat_map(|(atc, said)| {
            [("on".to_owned(), atc.clone()), (field(atc), said.level.code().to_owned())]
        })),
        None => fields.extend(begin.into_iter().map(|atc| ("on".to_owned(), atc))),
    }
    Ok(show(page, stock.as_ref(), &Form::of(fields), false))
}

fn field(atc: &str) -> String {
    format!("s-{atc}")
}

/// The medicines that stand on the page.
fn on_page(form: &Form) -> Vec<&str> {
    form.values("on").filter(|atc| ondol_terms::medicine(atc).is_some()).collect()
}

fn show(page: Page, stock: Option<&Stock>, form: &Form, searched: bool) -> Response {
    let t = page.t;
    let line = |atc: &str| Line {
        atc: atc.to_owned(),
        name: people::shown::medicine(t, atc, ""),
        level: form.value(&field(atc)).to_owned(),
    };
    let mut lines: Vec<Line> = on_page(form).into_iter().map(line).collect();
    lines.sort_by(|a, b| (&a.name, &a.atc).cmp(&(&b.name, &b.atc)));
    lines.dedup_by(|a, b| a.atc == b.atc);
    let typed = if searched { form.value("find").trim() } else { "" };
    let found = ondol_terms::search_medicines(typed, &[]).into_iter();
    let found = found.filter(|one| !typed.is_empty() && lines.iter().all(|l| l.atc != one.atc));
    let screen = List {
        t,
        back: way_back(form),
        checked: match stock {
            Some(stock) => {
                let msg = t.msg("stock-said").arg("when", page.when(&stock.at));
                msg.arg("who", stock.by.as_str()).to_string()
            }
            None => t.get("stock-never"),
        },
        unsaid: lines.iter().any(|line| line.level.is_empty()),
        levels: Level::ALL.map(|one| Choice::new(one.code(), level(t, one))).into(),
        searched: !typed.is_empty(),
        found: found
            .take(OFFERED)
            .map(|one| Choice::new(one.atc, people::shown::medicine(t, one.atc, "")))
            .collect(),
        lines,
        page,
        form: form.clone(),
    };
    people::shown(form, Screen(screen))
}

async fn save(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    mut form: Form,
) -> Result<Response, Trouble> {
    let t = page.t;
    let wanted = form.value("do").to_owned();
    if let Some(atc) = wanted.strip_prefix("add:") {
        let mut fields = form.fields().to_vec();
        fields.retain(|(name, _)| name != "find");
        fields.push(("on".to_owned(), atc.to_owned()));
        fields.push((field(atc), Level::Enough.code().to_owned()));
        form = Form::of(fields);
    } else if wanted == "all" {
        let unsaid = |atc: &&str| form.value(&field(atc)).is_empty();
        let all: Vec<String> = on_page(&form).into_iter().filter(unsaid).map(field).collect();
        for name in all {
            form.put(&name, Level::Enough.code());
        }
    } else if wanted != "find" {
        let level = |atc: &str| Level::from_code(form.value(&field(atc)));
        let levels: BTreeMap<String, Level> = on_page(&form)
            .into_iter()
            .filter_map(|atc| Some((atc.to_owned(), level(atc)?)))
            .collect();
        let actor = who.actor.clone();
        match ui.run(move |app| app.set_stock(&actor, levels)).await {
            Ok(()) => {
                let back = way_back(&form);
                let to = if back.is_empty() { "/stock" } else { &back };
                return Ok(page.done(to, key!("note-stock")));
            }
            Err(AppError::Field { .. }) => {
                form.complain("stock", t.get("stock-title"), t.get("stock-mend"));
            }
            Err(other) => return Err(other.into()),
        }
    }
    let actor = who.actor.clone();
    let stock = ui.run(move |app| app.stock(&actor)).await?;
    Ok(show(page, stock.as_ref(), &form, wanted == "find"))
}
