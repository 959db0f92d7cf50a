//! A consult as its page shows it: plain data for the templates.

use ondol_app::attachment::{Cost, Here, PartKind, Picture, Size};
use ondol_app::consult::{
    AnswerView, ConsultState, ConsultView, Contacts, OnTheWay, Reached, Side, Step, StepCode,
    is_talk,
};
use ondol_kernel::{Class, Millis};

use super::words;
use crate::page::Page;
use crate::screens::stock;
use crate::view::{self, Fact};

/// A picture on the page.
pub struct PictureShown {
    /// The Media's id.
    pub id: String,
    /// What it is.
    pub label: String,
    /// The icon of its kind.
    pub icon: &'static str,
    /// The address of what can be looked at; empty if nothing is here.
    pub shown: String,
    /// The address of what opens at a touch; empty if nothing larger is here.
    pub opens: String,
    /// Whether it is heard rather than seen.
    pub sound: bool,
    /// What is here, in words.
    pub state: String,
    /// The sizes that can be asked for: word, what it says, what it costs.
    pub wants: Vec<(&'static str, String, String)>,
    /// Bytes here of so many, while it comes.
    pub progress: Option<(u64, u64, String)>,
    /// In what the file's patient differs from the chart's; empty if in nothing.
    pub differs: String,
}

/// An answer on the page.
pub struct AnswerShown {
    /// Who.
    pub who: String,
    /// When.
    pub at: Millis,
    /// What the specialist makes of it.
    pub findings: String,
    /// What to do.
    pub advice: String,
    /// When to worry.
    pub worry: String,
    /// What it was written from.
    pub from: String,
    /// What came after: what, value, when.
    pub later: Vec<(String, String, Millis)>,
    /// Pictures that it had not seen in full.
    pub unseen: usize,
    /// What it had seen cannot be told.
    pub unknown: bool,
    /// Whether it is the newest.
    pub newest: bool,
}

/// A line of the conversation.
pub struct Line {
    /// Who.
    pub who: String,
    /// When.
    pub at: Millis,
    /// What was done; empty for a plain message.
    pub what: String,
    /// What was said.
    pub said: String,
    /// Whether the asking side speaks.
    pub asking: bool,
}

/// All of it.
#[allow(clippy::struct_excessive_bools, reason = "each is a mark of its own on the page")]
pub struct Shown {
    /// The request's id.
    pub id: String,
    /// The patient's id.
    pub patient_id: String,
    /// The specialty.
    pub specialty: String,
    /// The urgency.
    pub urgency: String,
    /// Whether it is an emergency.
    pub emergency: bool,
    /// The four states.
    pub steps: Vec<view::Step>,
    /// Whether nobody has it and it is an emergency.
    pub alarm: bool,
    /// Told upwards at.
    pub escalated: Option<Millis>,
    /// Who was told, in words.
    pub told: String,
    /// Where it is, as a sentence.
    pub way: String,
    /// Whether that sentence is a warning.
    pub way_warns: bool,
    /// Who asked.
    pub from: String,
    /// When.
    pub at: Millis,
    /// Where it was sent.
    pub to: String,
    /// The question.
    pub question: String,
    /// What the asking place has at hand.
    pub means: Vec<Fact>,
    /// Pictures.
    pub pictures: Vec<PictureShown>,
    /// Whether some of them are on their way.
    pub coming: bool,
    /// Answers, newest first.
    pub answers: Vec<AnswerShown>,
    /// The conversation.
    pub lines: Vec<Line>,
    /// Whether the viewer asks.
    pub asking: bool,
    /// What the viewer may do.
    pub can: ondol_app::consult::Can,
    /// Who is on duty, in words.
    pub duty: String,
    /// The telephone number alone; empty if none is known.
    pub phone: String,
    /// How it ended.
    pub outcome: String,
    /// Who else works on it.
    pub joined: String,
    /// The version of the chart that the page shows.
    pub basis: String,
}

impl Shown {
    /// The page's data.
    pub fn of(page: &Page, view: &ConsultView) -> Self {
        let t = page.t;
        let (state, request) = (&view.state, &view.request);
        let (way, way_warns) = way(page, view);
        let newest = view.answers.first().map(|answer| answer.step.id().to_owned());
        Self {
            id: request.id.to_string(),
            patient_id: view.patient().to_owned(),
            specialty: crate::words::specialty(t, &state.specialty),
            urgency: words::urgency(t, state.urgency),
            emergency: state.urgency == Class::Emergency,
            steps: steps(page, state),
            alarm: state.is_alarm(),
            escalated: state.escalated.as_ref().map(|reached| reached.at),
            told: told(view),
            way,
            way_warns,
            from: who(&Reached::by(request.from.clone(), request.at)),
            at: request.at,
            to: state.address.name.clone(),
            question: request.question.clone(),
            means: means(page, view),
            pictures: view.pictures.iter().map(|one| picture(page, view, one)).collect(),
            coming: view.pictures.iter().any(is_coming),
            answers: view.answers.iter().map(|one| answer(page, one, newest.as_deref())).collect(),
            lines: view.state.steps.iter().filter_map(|step| line(page, view, step)).collect(),
            asking: view.side == Side::Asking,
            can: view.can,
            duty: on_duty(page, &view.contacts),
            phone: view.contacts.phone.clone(),
            outcome: state
                .outcome
                .as_ref()
                .map_or_else(String::new, |(_, code)| words::outcome(t, code)),
            joined: state.joined.iter().map(who).collect::<Vec<_>>().join(", "),
            basis: view.basis.clone(),
        }
    }
}

/// Name and place.
pub fn who(reached: &Reached) -> String {
    let (name, place) = (&reached.who.name, &reached.who.place_name);
    if name == place || place.is_empty() { name.clone() } else { format!("{name} · {place}") }
}

/// Who is on duty, in words: there, listed only, or nobody.
pub fn on_duty(page: &Page, contacts: &Contacts) -> String {
    let t = page.t;
    match (&contacts.on_duty, &contacts.listed) {
        (Some(there), _) => t.msg("consult-duty-there").arg("who", there.name.as_str()).to_string(),
        (None, Some(listed)) => {
            t.msg("consult-duty-listed").arg("who", listed.name.as_str()).to_string()
        }
        (None, None) => t.get("consult-nobody-on-duty"),
    }
}

/// The four states by name and time. A later state stands for an earlier one whose word has not
/// arrived yet: who has it has seen it.
pub fn steps(page: &Page, state: &ConsultState) -> Vec<view::Step> {
    let t = page.t;
    let taken = state.holder.as_ref();
    let seen = state.seen.as_ref().or(taken);
    let delivered = state.delivered.as_ref().or(seen);
    let reached = |one: Option<&Reached>| one.map(|one| (who(one), one.at));
    view::steps([
        (t.get("consult-step-sent"), Some((state.sent.who.name.clone(), state.sent.at))),
        (t.get("consult-step-delivered"), reached(delivered)),
        (t.get("consult-step-seen"), reached(seen)),
        (t.get("consult-step-taken"), reached(taken)),
    ])
}

fn way(page: &Page, view: &ConsultView) -> (String, bool) {
    let (t, state) = (page.t, &view.state);
    if let Some(holder) = &state.holder {
        let msg = t.msg("consult-has-it").arg("name", holder.who.name.as_str());
        let msg = msg.arg("place", holder.who.place_name.as_str());
        return (msg.to_string(), false);
    }
    match view.way {
        OnTheWay::Waiting => (t.get("consult-waiting-here"), true),
        OnTheWay::Underway => (t.get("consult-on-the-way"), false),
        OnTheWay::Arrived => (
            t.msg("consult-arrived-at").arg("place", state.address.name.as_str()).to_string(),
            false,
        ),
    }
}

fn told(view: &ConsultView) -> String {
    let Some(escalated) = &view.state.escalated else { return String::new() };
    let step = view.state.steps.iter().find(|step| step.id() == escalated.step);
    let names = step.into_iter().flat_map(|step| &step.told).map(|told| told.name.as_str());
    names.filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ")
}

fn means(page: &Page, view: &ConsultView) -> Vec<Fact> {
    let (t, means) = (page.t, &view.request.means);
    let power = means.power.map(|power| words::power(t, power));
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    [
        (t.get("consult-power"), power),
        (t.get("consult-equipment"), said(&means.equipment)),
        (t.get("consult-medicines"), said(&means.medicines)),
        (t.get("consult-people"), said(&means.people)),
    ]
    .into_iter()
    .filter_map(|(label, value)| Some(Fact::new(label, value?)))
    .chain(view.request.stock.iter().flat_map(|stock| stock::facts(page, stock)))
    .collect()
}

fn picture(page: &Page, view: &ConsultView, one: &Picture) -> PictureShown {
    let t = page.t;
    let address =
        |size: Size| format!("/consult/{}/picture/{}/{}", view.request.id, one.id, size.word());
    let here = |size: Size| one.blob(size).here.is_whole();
    let looked_at = match one.kind {
        PartKind::Document => None,
        PartKind::Voice => here(Size::Original).then_some(Size::Original),
        PartKind::Photo | PartKind::Dicom => {
            // A DICOM file itself is not shown by browsers.
            let visible = one.preview.is_some();
            (visible && here(Size::Preview)).then_some(Size::Preview)
        }
    };
    let largest = match one.kind {
        PartKind::Dicom if one.view.is_some() => Size::View,
        _ => Size::Original,
    };
    let mut wants = vec![];
    let mut want = |size: Size, label: String| {
        let blob = one.blob(size);
        if matches!(blob.here, Here::Nothing(_)) {
            let cost = Cost::of(blob.bytes, view.rate_bps);
            let says = format!("{}, {}", words::size(blob.bytes), words::takes(t, cost));
            wants.push((size.word(), label, says));
        }
    };
    if largest == Size::View {
        want(Size::View, t.get("consult-want-view"));
    }
    want(Size::Original, t.get("consult-want-original"));
    let coming = [Size::View, Size::Original].map(|size| one.blob(size).here);
    let progress = coming.iter().find_map(|here| match *here {
        Here::Some(some, all) => {
            let says = t
                .msg("consult-coming")
                .arg("here", words::size(some))
                .arg("all", words::size(all))
                .to_string();
            Some((some, all, says))
        }
        _ => None,
    });
    let label = match (&one.modality, one.seconds) {
        (Some(modality), _) => format!("{} ({modality})", words::part(t, one.kind)),
        (None, Some(s)) => {
            format!("{} {}:{:02}", words::part(t, one.kind), s / 60, s % 60)
        }
        (None, None) => words::part(t, one.kind),
    };
    PictureShown {
        id: one.id.clone(),
        label,
        icon: words::part_icon(one.kind),
        shown: looked_at.map_or_else(String::new, address),
        opens: if here(largest) { address(largest) } else { String::new() },
        sound: one.kind == PartKind::Voice,
        state: match one.seen_as() {
            "" => t.get("consult-picture-coming"),
            "preview" if one.kind != PartKind::Voice => t.get("consult-picture-preview"),
            _ => t.get("consult-picture-here"),
        },
        wants,
        progress,
        differs: words::differs(t, &one.differs),
    }
}

/// Whether something of a picture is awaited: what goes first, or what was asked for.
fn is_coming(one: &Picture) -> bool {
    let blobs = [one.preview.as_ref(), one.view.as_ref(), Some(&one.original)];
    let some = blobs.into_iter().flatten().any(|blob| matches!(blob.here, Here::Some(..)));
    some || one.preview.as_ref().is_some_and(|preview| !preview.here.is_whole())
}

fn answer(page: &Page, answer: &AnswerView, newest: Option<&str>) -> AnswerShown {
    let (t, step) = (page.t, &answer.step);
    AnswerShown {
        who: who(&Reached::from(step)),
        at: step.at,
        findings: step.text("findings").to_owned(),
        advice: step.text("advice").to_owned(),
        worry: step.text("worry").to_owned(),
        from: t.msg("consult-answer-from").arg("n", answer.pictures_seen).to_string(),
        later: answer
            .later
            .iter()
            .map(|fact| {
                (words::later(t, fact.kind, &fact.what), words::measured(t, &fact.value), fact.at)
            })
            .collect(),
        unseen: answer.pictures_unseen,
        unknown: answer.basis_unknown,
        newest: newest == Some(step.id()),
    }
}

fn line(page: &Page, view: &ConsultView, step: &Step) -> Option<Line> {
    if !is_talk(step.code) {
        return None;
    }
    let t = page.t;
    let mut what = match step.code {
        StepCode::Message => String::new(),
        code => words::step(t, code),
    };
    let detail = match step.code {
        StepCode::Regraded => step
            .priority
            .as_deref()
            .map(|priority| words::urgency(t, ondol_app::consult::urgency_of(priority))),
        StepCode::Redirected => {
            let to = step.told.first().map_or("", |told| told.name.as_str());
            let specialty = step.topic.as_deref().map(|code| crate::words::specialty(t, code));
            Some(format!("{to} {}", specialty.unwrap_or_default()))
        }
        StepCode::Outcome => step.topic.as_deref().map(|code| words::outcome(t, code)),
        StepCode::Escalated
        | StepCode::Unacknowledged
        | StepCode::Silent
        | StepCode::HandedOver
        | StepCode::Released => {
            let told = step.told.iter().map(|told| told.name.as_str());
            Some(told.filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", "))
        }
        _ => None,
    };
    if let Some(detail) = detail.filter(|detail| !detail.trim().is_empty()) {
        what = format!("{what}: {}", detail.trim());
    }
    let said: Vec<&str> = step.said.iter().map(|said| said.text.as_str()).collect();
    Some(Line {
        who: who(&Reached::from(step)),
        at: step.at,
        what,
        said: said.join(" "),
        asking: step.who.place == view.request.from.place,
    })
}
