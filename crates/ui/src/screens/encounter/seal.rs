//! Sealing a visit: why, and which other places may open it.

use ondol_app::AppError;
use ondol_app::sealed::{SealKind, SealReader, WhyReader};
use ondol_kernel::ResourceId;

use super::Frame;
use crate::form::{Choice, Form};
use crate::key;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;

/// The part of the form that seals.
pub struct Seal {
    /// Why.
    pub kinds: Vec<Choice>,
    /// The other places that may open it.
    pub readers: Vec<Choice>,
    /// Whether something was chosen.
    pub open: bool,
}

/// The part for a new visit. What is written already is not sealed afterwards: it has been read.
pub(super) async fn part(
    t: T,
    ui: &Ui,
    who: &SignedIn,
    frame: &Frame,
    form: &Form,
) -> Result<Option<Seal>, AppError> {
    if frame.visit.is_some() {
        return Ok(None);
    }
    let (actor, chart) = (who.actor.clone(), frame.chart.clone());
    let readers = match ui.run(move |app| app.seal_readers(&actor, &chart)).await {
        Ok(readers) => readers,
        // The form is shown to whoever may read; saving says that they may not write.
        Err(AppError::Denied(_)) => return Ok(None),
        Err(other) => return Err(other),
    };
    let not = Choice::new("", t.get("seal-not"));
    let kinds = SealKind::ALL.map(|kind| Choice::new(kind.code(), self::kind(t, kind)));
    Ok(Some(Seal {
        kinds: std::iter::once(not).chain(kinds).collect(),
        readers: choices(t, &readers),
        open: !form.value("seal").is_empty() || !form.complaint("seal-for").is_empty(),
    }))
}

/// Other places as choices, each with why it is offered.
pub fn choices(t: T, readers: &[SealReader]) -> Vec<Choice> {
    let label = |reader: &SealReader| {
        let why = t.get(match reader.why {
            WhyReader::Home => key!("seal-reader-home"),
            WhyReader::Asked => key!("seal-reader-asked"),
            WhyReader::Above => key!("seal-reader-above"),
        });
        let name = match reader.name.as_str() {
            "" => t.get("consult-lack-somewhere"),
            name => name.to_owned(),
        };
        format!("{name} ({why})")
    };
    readers.iter().map(|one| Choice::new(one.facility.as_str(), label(one))).collect()
}

/// Why something is sealed, in words.
pub fn kind(t: T, kind: SealKind) -> String {
    t.get(match kind {
        SealKind::Hiv => key!("seal-hiv"),
        SealKind::Sti => key!("seal-sti"),
        SealKind::MentalHealth => key!("seal-mental-health"),
        SealKind::PregnancyLoss => key!("seal-pregnancy-loss"),
        SealKind::Custody => key!("seal-custody"),
        SealKind::Other => key!("seal-other"),
    })
}

/// What was chosen; `None` if the visit is not sealed. A kind that is none is a form that was not
/// made here, and is never taken for 'not sealed'.
pub fn chosen(form: &Form) -> Result<Option<(SealKind, Vec<ResourceId>)>, AppError> {
    let bad = AppError::Field { field: "seal", why: "choose" };
    let kind = match form.value("seal") {
        "" => return Ok(None),
        code => SealKind::from_code(code).ok_or(bad)?,
    };
    Ok(Some((kind, readers(form)?)))
}

/// The places that were ticked.
pub fn readers(form: &Form) -> Result<Vec<ResourceId>, AppError> {
    let bad = |_| AppError::Field { field: "seal-for", why: "choose" };
    form.values("seal-for").map(|id| ResourceId::new(id).map_err(bad)).collect()
}
