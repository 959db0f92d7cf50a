//! The chart: who it is, what is safe, what was done, what it lacks, what can be done next.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ondol_app::AppError;
use ondol_app::encounter::{
    Allergies, Chart, DiagnosisView, Lack, MedicineView, MovedNote, OpenKind, OpenWork,
    VISITS_SHOWN, VisitView,
};
use ondol_kernel::Millis;

use super::encounter::said;
use super::people::arrive::Closed;
use super::people::{id, shown};
use crate::form::Form;
use crate::key;
use crate::page::Page;
use crate::screen::Screen;
use crate::session::SignedIn;
use crate::state::Ui;
use crate::texts::T;
use crate::trouble::Trouble;
use crate::view::Patient;
use crate::words;

/// `/people/{id}`.
pub fn routes() -> Router<Ui> {
    Router::new().route("/people/{id}", get(chart))
}

/// Something that can be done with a chart.
pub struct Act {
    /// Where it leads.
    pub href: String,
    /// Its icon.
    pub icon: &'static str,
    /// What it is called.
    pub label: String,
    /// What it is for.
    pub text: String,
}

/// What can be done with a chart, besides the next visit. Areas that begin something from a chart
/// (a consult, a referral) add their line here.
fn acts(t: T, chart: &Chart) -> Vec<Act> {
    let id = &chart.person.id;
    let act = |path: &str, icon: &'static str, label: String, text: String| Act {
        href: format!("/people/{id}{path}"),
        icon,
        label,
        text,
    };
    let mut acts = vec![];
    if chart.may_write {
        acts.push(Act {
            href: format!("/ask/{id}"),
            icon: "send",
            label: t.get("chart-consult"),
            text: t.get("chart-consult-what"),
        });
        acts.push(Act {
            href: format!("/refer/{id}"),
            icon: "road",
            label: t.get("chart-refer"),
            text: t.get("chart-refer-what"),
        });
        acts.push(act("/allergies", "warning", t.get("people-allergies"), String::new()));
        acts.push(act("/edit", "pencil", t.get("people-edit"), String::new()));
    }
    acts.push(act("/card", "printer", t.get("chart-card"), t.get("chart-card-what")));
    acts.push(act("/summary", "paper", t.get("chart-summary"), t.get("chart-summary-what")));
    if chart.may_merge {
        acts.push(act("/link", "people", t.get("people-link"), t.get("people-link-hint")));
    }
    acts.push(act("/readers", "paper", t.get("chart-readers"), String::new()));
    acts
}

#[derive(Template)]
#[template(path = "chart/chart.html")]
struct Show {
    t: T,
    page: Page,
    patient: Patient,
    chart: Chart,
    acts: Vec<Act>,
    visits: Vec<Visit>,
    /// The next older page.
    older: Option<String>,
    /// The chart that is to be used in place of this one.
    instead: Option<Patient>,
    others: Vec<Patient>,
}

/// A visit, in words.
struct Visit {
    view: VisitView,
    vitals: Vec<Vital>,
    sources: Vec<String>,
    diagnoses: Vec<(String, bool)>,
    medicines: Vec<(String, bool)>,
    /// Whether it was written later than the care was given, by more than an hour.
    later: bool,
}

/// A value, in words.
struct Vital {
    label: String,
    value: String,
    danger: bool,
    rival: String,
}

impl Visit {
    fn of(t: T, view: VisitView) -> Self {
        const HOUR_MS: i64 = 3_600_000;
        let vitals = said::vitals(t, &view.vitals)
            .into_iter()
            .map(|said| Vital {
                label: said.label,
                value: said.value,
                danger: said.danger.is_some(),
                rival: said.rival.unwrap_or_default(),
            })
            .collect();
        let mut sources: Vec<String> = said::sources(&view.vitals);
        sources.dedup();
        let diagnosis = |of: &DiagnosisView| {
            (shown::diagnosis(t, of.code.as_deref(), &of.words), of.two_versions)
        };
        let medicine = |of: &MedicineView| (said::medicine(t, of), of.two_versions);
        Self {
            vitals,
            sources,
            diagnoses: view.diagnoses.iter().map(diagnosis).collect(),
            medicines: view.medicines.iter().map(medicine).collect(),
            later: (view.written.0 - view.at.0).abs() > HOUR_MS,
            view,
        }
    }
}

impl Show {
    fn of(page: Page, chart: Chart, skip: usize) -> Self {
        let t = page.t;
        let patient = shown::patient(&page, &chart.person, &chart.safety.allergies);
        let replaced = chart.person.replaced_by();
        let other = |one: &ondol_app::people::Person| shown::in_list(&page, one);
        let instead = chart.linked.iter().find(|one| Some(&one.id) == replaced).map(other);
        let others =
            chart.linked.iter().filter(|one| Some(&one.id) != replaced).map(other).collect();
        let older = chart
            .older
            .then(|| format!("/people/{}?skip={}", chart.person.id, skip + VISITS_SHOWN));
        Self {
            t,
            acts: acts(t, &chart),
            visits: chart.visits.iter().map(|view| Visit::of(t, view.clone())).collect(),
            older,
            instead,
            others,
            patient,
            page,
            chart,
        }
    }

    /// The facility of which something is missing.
    fn lacking(&self, lack: &Lack) -> String {
        if lack.facility.is_empty() {
            self.t.get("consult-lack-somewhere")
        } else {
            lack.facility.clone()
        }
    }

    fn href(&self, path: &str) -> String {
        format!("/people/{}{path}", self.chart.person.id)
    }

    fn allergies(&self) -> Vec<String> {
        match &self.chart.safety.allergies {
            Allergies::Known(known) => {
                known.iter().map(|one| shown::allergy(self.t, one)).collect()
            }
            _ => vec![],
        }
    }

    fn allergies_asked(&self) -> Option<Millis> {
        match &self.chart.safety.allergies {
            Allergies::NoneKnown { at, .. } => Some(*at),
            _ => None,
        }
    }

    fn medicines(&self) -> Vec<(String, bool)> {
        let t = self.t;
        let all = self.chart.safety.medicines.iter();
        all.map(|of| {
            let atc = of.atc.as_deref().unwrap_or_default();
            let name = shown::medicine(t, atc, &of.words);
            let text = if of.dose.is_empty() { name } else { format!("{name}, {}", of.dose) };
            (text, of.two_versions)
        })
        .collect()
    }

    fn problems(&self) -> Vec<(String, bool)> {
        let all = self.chart.safety.problems.iter();
        all.map(|of| (shown::diagnosis(self.t, of.code.as_deref(), &of.words), of.two_versions))
            .collect()
    }

    fn open(&self, open: &OpenWork) -> (String, &'static str, String) {
        let t = self.t;
        let specialty = open.specialty.as_deref().map(|code| words::specialty(t, code));
        let specialty = specialty.unwrap_or_default();
        match open.kind {
            OpenKind::Consult => (format!("/consult/{}", open.id), "send", specialty),
            OpenKind::Referral => (format!("/referral/{}", open.id), "road", specialty),
        }
    }

    fn is_consult(&self, open: &OpenWork) -> bool {
        let _ = self;
        open.kind == OpenKind::Consult
    }

    /// What a note about a moved visit says.
    fn moved(&self, note: &MovedNote) -> String {
        let t = self.t;
        let key = if note.away { key!("chart-moved-away") } else { key!("chart-moved-here") };
        let text = t.msg(key).arg("when", self.page.when(&note.at)).arg("by", note.by.as_str());
        text.arg("reason", note.reason.as_str()).to_string()
    }

    fn unit(&self, unit: &str) -> String {
        said::unit(self.t, unit)
    }
}

async fn chart(
    page: Page,
    ui: State<Ui>,
    who: SignedIn,
    Path(path): Path<String>,
    asked: Form,
) -> Result<Response, Trouble> {
    let id = id(&path)?;
    let skip: usize = asked.value("skip").parse().unwrap_or(0);
    match ui.run(move |app| app.chart(&who.actor, &id, skip)).await {
        Ok(chart) => Ok(Screen(Show::of(page, chart, skip)).into_response()),
        Err(AppError::Denied(_)) => Ok(Closed::of(page, path)),
        Err(other) => Err(other.into()),
    }
}
