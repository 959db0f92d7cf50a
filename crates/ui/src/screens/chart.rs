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
use ondol_app::people::{Person, grouped};
use ondol_kernel::{Date, Millis};

use super::encounter::said;
use super::people::arrive::Closed;
use super::people::elsewhere::Said;
use super::people::same::blood;
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
    let goes_on = !chart.person.died && chart.in_use == *id;
    if chart.may_write && goes_on {
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
    }
    if chart.may_write {
        acts.push(act("/allergies", "warning", t.get("people-allergies"), String::new()));
        acts.push(act("/edit", "pencil", t.get("people-edit"), String::new()));
    }
    acts.push(act("/card", "printer", t.get("chart-card"), t.get("chart-card-what")));
    acts.push(act("/summary", "paper", t.get("chart-summary"), t.get("chart-summary-what")));
    if chart.may_merge {
        acts.push(act("/link", "people", t.get("people-link"), t.get("people-link-hint")));
    }
    if chart.person.died {
        acts.push(act("/death", "paper", t.get("death-see"), String::new()));
    } else if chart.may_certify {
        acts.push(act("/death", "paper", t.get("death-act"), t.get("death-act-what")));
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
    /// Who is perhaps registered elsewhere.
    elsewhere: Said,
}

/// A line of the safety summary, in words.
struct Item {
    text: String,
    /// From which other chart of the person; empty for this one.
    from: String,
    two_versions: bool,
}

/// Which other chart of the person says something; empty if it is the one that is shown.
fn from(t: T, shown: &Chart, chart: &str) -> String {
    if chart == shown.person.id.as_str() {
        return String::new();
    }
    let other = shown.linked.iter().find(|one| one.id.as_str() == chart);
    let number = other.and_then(Person::number).map(|number| grouped(&number.value));
    t.msg("chart-from-other").arg("number", number.unwrap_or_default()).to_string()
}

/// A visit, in words.
pub(super) struct Visit {
    pub view: VisitView,
    /// From which other chart of the person; empty for this one.
    pub from: String,
    pub vitals: Vec<Vital>,
    pub sources: Vec<String>,
    pub diagnoses: Vec<(String, bool)>,
    pub medicines: Vec<(String, bool)>,
    /// Whether it was written later than the care was given, by more than an hour.
    pub later: bool,
}

/// A value, in words.
pub(super) struct Vital {
    pub label: String,
    pub value: String,
    pub danger: bool,
    pub rival: String,
}

impl Visit {
    pub fn of(t: T, view: VisitView, from: String) -> Self {
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
            from,
            later: (view.written.0 - view.at.0).abs() > HOUR_MS,
            view,
        }
    }
}

impl Show {
    /// What a stolen computer wrote here: when and what.
    fn doubted(&self) -> Vec<(String, String)> {
        let line = |piece| {
            let piece: &ondol_app::road::Piece = piece;
            (self.page.when(&piece.written), super::nodes::what(self.t, piece))
        };
        self.chart.doubted.iter().map(line).collect()
    }

    fn of(page: Page, chart: Chart, elsewhere: Said, skip: usize) -> Self {
        let t = page.t;
        let patient = shown::patient(&page, &chart.person, &chart.safety.allergies);
        let is_instead = |one: &&Person| one.id == chart.in_use && chart.in_use != chart.person.id;
        let other = |one: &Person| shown::in_list(&page, one);
        let instead = chart.linked.iter().find(is_instead).map(other);
        let others = chart.linked.iter().filter(|one| !is_instead(one)).map(other).collect();
        let older = chart
            .older
            .then(|| format!("/people/{}?skip={}", chart.person.id, skip + VISITS_SHOWN));
        Self {
            t,
            acts: acts(t, &chart),
            visits: chart
                .visits
                .iter()
                .map(|view| Visit::of(t, view.clone(), from(t, &chart, view.chart.subject())))
                .collect(),
            older,
            instead,
            others,
            elsewhere,
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

    fn allergies(&self) -> Vec<Item> {
        match &self.chart.safety.allergies {
            Allergies::Known(known) => known
                .iter()
                .map(|one| self.item(shown::allergy(self.t, one), one.chart.subject(), false))
                .collect(),
            _ => vec![],
        }
    }

    /// A line of the safety summary, with the chart that says it where that is another one.
    fn item(&self, text: String, chart: &str, two_versions: bool) -> Item {
        Item { text, from: from(self.t, &self.chart, chart), two_versions }
    }

    /// When the person died, as exactly as it was written.
    fn died_at(&self) -> String {
        let text = &self.chart.person.died_at;
        match (Date::parse(text), Millis::parse_fhir(text)) {
            (Some(day), _) if text.len() == 10 => self.page.date(&day),
            (_, Some(at)) => self.page.stamp(&at),
            _ => text.clone(),
        }
    }

    fn blood(&self) -> String {
        blood(self.t, &self.chart.safety.blood)
    }

    fn allergies_asked(&self) -> Option<Millis> {
        match &self.chart.safety.allergies {
            Allergies::NoneKnown { at, .. } => Some(*at),
            _ => None,
        }
    }

    fn medicines(&self) -> Vec<Item> {
        let t = self.t;
        let all = self.chart.safety.medicines.iter();
        all.map(|of| {
            let atc = of.atc.as_deref().unwrap_or_default();
            let name = shown::medicine(t, atc, &of.words);
            let text = if of.dose.is_empty() { name } else { format!("{name}, {}", of.dose) };
            self.item(text, of.chart.subject(), of.two_versions)
        })
        .collect()
    }

    fn problems(&self) -> Vec<Item> {
        let all = self.chart.safety.problems.iter();
        all.map(|of| {
            let text = shown::diagnosis(self.t, of.code.as_deref(), &of.words);
            self.item(text, of.chart.subject(), of.two_versions)
        })
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
    let read = ui.run(move |app| {
        let chart = app.chart(&who.actor, &id, skip)?;
        Ok((chart, app.elsewhere(&who.actor, &id)?))
    });
    match read.await {
        Ok((chart, elsewhere)) => {
            let elsewhere = Said::of(&page, &path, &elsewhere);
            Ok(Screen(Show::of(page, chart, elsewhere, skip)).into_response())
        }
        Err(AppError::Denied(_)) => Ok(Closed::of(page, path)),
        Err(other) => Err(other.into()),
    }
}
