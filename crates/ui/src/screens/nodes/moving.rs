//! A facility hangs below another one from now on.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ondol_app::AppError;
use ondol_app::road::{Moving, NodeRow};
use ondol_kernel::NodeId;

use super::super::road::node_of;
use super::{name, row, statement};
use crate::form::{Choice, Form};
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;

/// `/nodes/{node}/move` and the file.
pub fn routes() -> Router<Ui> {
    Router::new()
        .route("/nodes/{node}/move", get(ask).post(act))
        .route("/nodes/{node}/placement", get(file))
}

#[derive(Template)]
#[template(path = "nodes/move.html")]
struct Ask {
    t: T,
    page: Page,
    form: Form,
    name: String,
    href: String,
    above: String,
    places: Vec<Choice>,
}

async fn movable(ui: &Ui, who: &SignedIn, id: &str) -> Result<NodeRow, Trouble> {
    let row = row(ui, who, id).await?;
    if row.may_move {
        Ok(row)
    } else {
        Err(AppError::Denied(ondol_access::Denial::NothingPermits).into())
    }
}

async fn ask(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let row = movable(&ui, &who, &id).await?;
    blank(page, &ui, &row, Form::default()).await
}

async fn blank(page: Page, ui: &Ui, row: &NodeRow, form: Form) -> Result<Response, Trouble> {
    let (t, node) = (page.t, row.node);
    let places = ui
        .run(move |app| {
            let places = app.places_for(&node)?;
            let tier = |node: &NodeId| app.nation().tier(node);
            Ok(places.into_iter().map(|(node, name)| (node, name, tier(&node))).collect::<Vec<_>>())
        })
        .await?;
    let choice = |(node, name, tier): (NodeId, String, _)| {
        Choice::new(node.to_string(), node_of(t, &name, tier, &node))
    };
    let places = places.into_iter().map(choice).collect();
    let status = if form.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let (name, href, above) = (name(t, row), format!("/nodes/{node}"), row.above.clone());
    Ok((status, Screen(Ask { t, page, form, name, href, above, places })).into_response())
}

async fn act(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
    mut form: Form,
) -> Result<Response, Trouble> {
    let row = movable(&ui, &who, &id).await?;
    let (t, node) = (page.t, row.node);
    let Some(parent) = NodeId::from_hex(form.value("below")) else {
        form.complain("below", t.get("nodes-below"), t.get("nodes-below-missing"));
        return blank(page, &ui, &row, form).await;
    };
    let moving = Moving { node, parent, address: form.value("address").to_owned() };
    let done = ui.run(move |app| app.move_node(&who.actor, &moving).map(drop)).await;
    let (field, label, text) = match done {
        Ok(()) => return Ok(page.done(&format!("/nodes/{node}"), key!("note-node-moved"))),
        Err(AppError::Field { field: "address", .. }) => {
            ("address", t.get("nodes-address"), t.get("nodes-address-wrong"))
        }
        Err(AppError::Field { field: "parent", why: "same" }) => {
            ("below", t.get("nodes-below"), t.get("nodes-below-same"))
        }
        Err(AppError::Field { field: "parent", .. }) => {
            ("below", t.get("nodes-below"), t.get("nodes-below-missing"))
        }
        Err(AppError::State("root-key")) => {
            ("below", t.get("nodes-below"), t.get("nodes-move-elsewhere"))
        }
        Err(why) => return Err(why.into()),
    };
    form.complain(field, label, text);
    blank(page, &ui, &row, form).await
}

/// The placement as a file, for nodes that no link reaches.
async fn file(ui: State<Ui>, who: SignedIn, Path(id): Path<String>) -> Result<Response, Trouble> {
    let node = row(&ui, &who, &id).await?.node;
    let bytes = ui.run(move |app| Ok(app.placement_of(&node))).await?;
    statement(&node, "moved", bytes.ok_or(Trouble::NotFound)?)
}
