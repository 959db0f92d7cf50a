//! What stands sealed in a chart for this facility: read, shared with one more place, taken back.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use ondol_app::AppError;
use ondol_app::sealed::{SealReader, SealedVisit, TakenBack};

use super::chart::Visit;
use super::encounter::seal;
use super::people::arrive::Closed;
use super::people::{complain, id, same_chart, shown};
use crate::form::{Choice, Form};
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;

/// `/people/{id}/sealed…`.
pub fn routes() -> Router<Ui> {
    Router::new()
        .route("/people/{id}/sealed", get(page))
        .route("/people/{id}/sealed/{piece}", post(act))
}

#[derive(Template)]
#[template(path = "chart/sealed.html")]
struct Show {
    t: T,
    page: Page,
    patient: Patient,
    chart: String,
    form: Form,
    pieces: Vec<Piece>,
    may_write: bool,
}

/// A sealed visit, in words.
struct Piece {
    id: String,
    visit: Visit,
    kind: String,
    /// The places that may open it, in one line.
    readers: String,
    /// The places that may be added.
    more: Vec<Choice>,
    taken_back: Option<TakenBack>,
}

impl Show {
    /// Whether it is the piece of which something was asked that could not be done.
    fn is_at(&self, piece: &Piece) -> bool {
        self.form.value("piece") == piece.id
    }
}

impl Piece {
    fn of(t: T, one: SealedVisit, offered: &[SealReader]) -> Self {
        let name = |name: &String| match name.as_str() {
            "" => t.get("consult-lack-somewhere"),
            name => name.to_owned(),
        };
        let names: Vec<String> = one.readers.iter().map(|(_, of)| name(of)).collect();
        let known = |of: &SealReader| one.readers.iter().any(|(id, _)| *id == of.facility);
        let more: Vec<SealReader> = offered.iter().filter(|of| !known(of)).cloned().collect();
        Self {
            id: one.id.to_string(),
            kind: seal::kind(t, one.kind),
            readers: names.join(", "),
            more: seal::choices(t, &more),
            taken_back: one.taken_back,
            visit: Visit::of(t, one.visit, String::new()),
        }
    }
}

async fn show(
    page: Page,
    ui: &Ui,
    who: &SignedIn,
    path: &str,
    form: Form,
) -> Result<Response, Trouble> {
    let (actor, chart) = (who.actor.clone(), id(path)?);
    let read = ui
        .run(move |app| {
            let (banner, pieces) = app.sealed(&actor, &chart)?;
            let offered = match app.seal_readers(&actor, &chart) {
                Ok(offered) => Some(offered),
                Err(AppError::Denied(_)) => None,
                Err(other) => return Err(other),
            };
            Ok((banner, pieces, offered))
        })
        .await;
    let (banner, pieces, offered) = match read {
        Ok(read) => read,
        // Such as after the visit that was sealed just now ended: receiving opens it again.
        Err(AppError::Denied(_)) => return Ok(Closed::of(page, path.to_owned())),
        Err(other) => return Err(other.into()),
    };
    let may_write = offered.is_some();
    let offered = offered.unwrap_or_default();
    let t = page.t;
    let screen = Show {
        t,
        patient: shown::banner(&page, &banner),
        chart: path.to_owned(),
        pieces: pieces.into_iter().map(|one| Piece::of(t, one, &offered)).collect(),
        may_write,
        page,
        form: form.clone(),
    };
    Ok(super::people::shown(&form, Screen(screen)))
}

async fn page(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
) -> Result<Response, Trouble> {
    show(page, &ui, &who, &path, Form::default()).await
}

/// Carries out the button that was pressed.
async fn act(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path((path, piece)): Path<(String, String)>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let (chart, piece) = (id(&path)?, id(&piece)?);
    same_chart(&form, &chart)?;
    form.put("piece", piece.as_str());
    let shares = form.value("do") == "share";
    let (actor, readers) = (who.actor.clone(), seal::readers(&form));
    let reason = form.value("reason").to_owned();
    let done = ui
        .run(move |app| {
            if shares {
                app.share_sealed(&actor, &chart, &piece, readers?)
            } else {
                app.take_sealed_back(&actor, &chart, &piece, &reason)
            }
        })
        .await;
    let renamed = match done {
        Ok(()) => {
            let note =
                if shares { key!("note-seal-shared") } else { key!("note-encounter-retracted") };
            return Ok(page.done(&format!("/people/{path}/sealed"), note));
        }
        Err(AppError::Field { field: "readers", why }) => {
            AppError::Field { field: "seal-for", why }
        }
        Err(other) => other,
    };
    let labels = [("reason", page.t.get("people-reason")), ("seal-for", page.t.get("seal-share"))];
    complain(page.t, &mut form, &labels, renamed)?;
    show(page, &ui, &who, &path, form).await
}
