//! The page of a consult, for both ends.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use ondol_app::consult::{About, ConsultView};
use ondol_kernel::Millis;

use super::shown::Shown;
use super::{given_id, words};
use crate::page::Page;
use crate::screen::Screen;
use crate::screens::people;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::{Fact, Patient};

/// What everybody who treats has to know first.
pub struct AboutShown {
    /// Medicines, with how they are taken.
    pub medicines: Vec<String>,
    /// Lasting problems.
    pub problems: Vec<String>,
    /// The newest vital signs with their times.
    pub vitals: Vec<Fact>,
    /// What the chart lacks, in words.
    pub lacks: Vec<String>,
}

impl AboutShown {
    /// The summary as the pages show it.
    pub fn of(page: &Page, about: &About) -> Self {
        Self::with(page, about, |at| page.when(&at))
    }

    /// The same for paper, which is read on another day.
    pub fn on_paper(page: &Page, about: &About) -> Self {
        Self::with(page, about, |at| page.stamp(&at))
    }

    fn with(page: &Page, about: &About, when: impl Fn(Millis) -> String) -> Self {
        let t = page.t;
        let safety = &about.safety;
        let doubt = |two: bool, words: String| {
            if two { format!("{words} — {}", t.get("consult-two-versions")) } else { words }
        };
        let medicines = safety.medicines.iter().map(|medicine| {
            let name = match &medicine.atc {
                Some(atc) => people::shown::medicine(t, atc, &medicine.words),
                None => medicine.words.clone(),
            };
            doubt(medicine.two_versions, format!("{name} {}", medicine.dose).trim().to_owned())
        });
        let problems = safety.problems.iter();
        let vitals = about.vitals.iter().map(|fact| {
            let label = format!("{} · {}", words::vital(t, &fact.what), when(fact.at));
            Fact::new(label, words::measured(t, &fact.value))
        });
        Self {
            medicines: medicines.collect(),
            problems: problems
                .map(|one| {
                    let name = people::shown::diagnosis(t, one.code.as_deref(), &one.words);
                    doubt(one.two_versions, name)
                })
                .collect(),
            vitals: vitals.collect(),
            lacks: lacks(page, about),
        }
    }
}

fn lacks(page: &Page, about: &About) -> Vec<String> {
    let t = page.t;
    let mut all = vec![];
    for lack in &about.lacks {
        let place = if lack.facility.is_empty() {
            t.get("consult-lack-somewhere")
        } else {
            lack.facility.clone()
        };
        all.push(match lack.complete_to {
            Some(at) => {
                t.msg("consult-lack-to").arg("place", place).arg("when", page.when(&at)).to_string()
            }
            None => t.msg("consult-lack-all").arg("place", place).to_string(),
        });
    }
    if let Some(at) = &about.put_back {
        all.push(t.msg("chart-put-back").arg("when", page.when(at)).to_string());
    }
    if matches!(about.safety.allergies, ondol_app::encounter::Allergies::NotAsked) {
        all.push(t.get("consult-lack-allergies"));
    }
    if about.safety.medicines.is_empty() {
        all.push(t.get("consult-lack-medicines"));
    }
    if about.safety.weight.is_none() {
        all.push(t.get("consult-lack-weight"));
    }
    if about.vitals.is_empty() {
        all.push(t.get("consult-lack-vitals"));
    }
    all
}

#[derive(Template)]
#[template(path = "consult/page.html")]
struct ConsultPage {
    t: T,
    page: Page,
    patient: Patient,
    about: AboutShown,
    c: Shown,
}

#[derive(Template)]
#[template(path = "consult/live.html")]
struct LivePart {
    t: T,
    page: Page,
    c: Shown,
}

#[derive(Template)]
#[template(path = "consult/pictures.html")]
struct PicturesPart {
    t: T,
    page: Page,
    c: Shown,
}

/// The page. Whoever can answer and opens it is noted as having seen it.
pub async fn page(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let id = given_id(&id)?;
    let view: ConsultView = ui
        .run(move |app| {
            app.consult(&who.actor, &id)?;
            app.consult_opened(&who.actor, &id)?;
            app.consult_again(&who.actor, &id)
        })
        .await?;
    let patient = people::shown::banner(&page, &view.about.banner);
    let about = AboutShown::of(&page, &view.about);
    let c = Shown::of(&page, &view);
    Ok(Screen(ConsultPage { t: page.t, page, patient, about, c }).into_response())
}

/// The part that changes, for a page that stands open.
pub async fn live(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let c = again(&page, &ui, who, &id).await?;
    Ok(Screen(LivePart { t: page.t, page, c }).into_response())
}

/// The pictures, while some are on their way.
pub async fn pictures(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let c = again(&page, &ui, who, &id).await?;
    Ok(Screen(PicturesPart { t: page.t, page, c }).into_response())
}

/// A part of a page that was read before. It is never a page of its own: it has no banner.
async fn again(page: &Page, ui: &Ui, who: SignedIn, id: &str) -> Result<Shown, Trouble> {
    if !page.part {
        return Err(Trouble::NotFound);
    }
    let id = given_id(id)?;
    let view = ui.run(move |app| app.consult_again(&who.actor, &id)).await?;
    Ok(Shown::of(page, &view))
}
