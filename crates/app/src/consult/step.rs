//! Steps of a consult or referral: Communications that are only ever added.

use ondol_access::{Role, RoleSet};
use ondol_kernel::Millis;
use ondol_record::{ChartId, entry::ChangeKind};
use ondol_store::{Found, View};
use serde_json::{Value, json};

use crate::{Actor, App, AppError, coding};

macro_rules! step_codes {
    ($($(#[$doc:meta])* $word:ident = $code:literal,)+) => {
        /// What happened. The codes stand in records for good.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum StepCode { $($(#[$doc])* $word,)+ }

        impl StepCode {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$word,)+];

            /// The code.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$word => $code,)+ }
            }
        }
    };
}

step_codes! {
    /// The node of the facility that is asked holds it durably.
    Delivered = "delivered",
    /// Somebody at the facility that is asked opened it.
    Seen = "seen",
    /// 'I take it.'
    Taken = "taken",
    /// Given back by who had taken it.
    Released = "released",
    /// A question back, or a reply.
    Message = "message",
    /// An answer.
    Answer = "answer",
    /// The asking side read an answer.
    Acknowledged = "acknowledged",
    /// The urgency was changed.
    Regraded = "regraded",
    /// It was sent on to another place or specialty.
    Redirected = "redirected",
    /// Nobody had taken it in time: deputy, county and coordinator were told.
    Escalated = "escalated",
    /// Whoever took it had not been heard of for too long: those who asked may release it.
    Silent = "silent",
    /// Somebody left the facility, and somebody else there has the work now.
    HandedOver = "handed-over",
    /// Somebody who watches over the asking place joined.
    Joined = "joined",
    /// Nobody acknowledged an answer in time: the county was told.
    Unacknowledged = "unacknowledged",
    /// It is time to say how it ended.
    OutcomeAsked = "outcome-asked",
    /// How it ended.
    Outcome = "outcome",
    /// Closed without an outcome: taken back, asked in error.
    Closed = "closed",
    /// A referred patient left.
    Departed = "departed",
    /// Transport was asked for.
    TransportAsked = "transport-asked",
    /// A referred patient arrived.
    Arrived = "arrived",
    /// The receiving facility's reply.
    Reply = "reply",
    /// A referred patient did not arrive in time.
    NeverArrived = "never-arrived",
}

impl StepCode {
    /// The step of a code; `None` for one that this program does not know.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|step| step.code() == code)
    }
}

/// A person or node that did something, and where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Who {
    /// `Practitioner/…` or `Device/…`.
    pub reference: String,
    /// The name for pages.
    pub name: String,
    /// `Organization/…` where it was done.
    pub place: String,
    /// That facility's name.
    pub place_name: String,
}

/// Somebody who was told, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// `deputy`, `county`, `coordinator`, `taker` or `heir`; empty for the new address of a redirection.
    pub part: String,
    /// Reference.
    pub reference: String,
    /// The name for pages.
    pub name: String,
}

/// Somebody who has a case, as one who is told something of it.
pub(crate) fn told(part: &str, one: &super::state::Reached) -> Told {
    Told { part: part.into(), reference: one.who.reference.clone(), name: one.who.name.clone() }
}

/// One text of a step. `part` is empty for a plain message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// `findings`, `advice`, `worry`, `reason` … or empty.
    pub part: String,
    /// What was said.
    pub text: String,
}

/// A step, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The place among all steps, the same on every node: the stamp of writing, then the id.
    pub order: (u64, String),
    /// What happened.
    pub code: StepCode,
    /// When, as the writing node knew it.
    pub at: Millis,
    /// Whether that node's clock was in doubt.
    pub doubtful: bool,
    /// By whom.
    pub who: Who,
    /// The ids of the steps that this one answers or settles.
    pub settles: Vec<String>,
    /// What was said.
    pub said: Vec<Said>,
    /// The priority that a regrading sets.
    pub priority: Option<String>,
    /// The topic's code: the specialty of a redirection, the kind of an outcome.
    pub topic: Option<String>,
    /// Whom it names.
    pub told: Vec<Told>,
    /// References of what it is about, each with how it was seen.
    pub about: Vec<(String, String)>,
    /// The version of the chart that it was written from.
    pub basis: Option<String>,
}

impl Step {
    /// The Communication's id.
    pub fn id(&self) -> &str {
        &self.order.1
    }

    /// The text of a part.
    pub fn text(&self, part: &str) -> &str {
        self.said.iter().find(|said| said.part == part).map_or("", |said| &said.text)
    }

    /// Reads a Communication; `None` if it is no step of `request`, or one of a kind that this
    /// program does not know.
    pub fn of(found: &Found, body: &Value, request: &str) -> Option<Self> {
        let based = body["basedOn"].as_array()?;
        if !based.iter().any(|on| on["reference"] == request) {
            return None;
        }
        let code = StepCode::from_code(coding::code_of(&body["category"], coding::STEP)?)?;
        let stamp = found.shown.hlc;
        let sent = body["sent"].as_str().and_then(Millis::parse_fhir);
        Some(Self {
            order: (stamp.bits(), found.shown.id.as_str().to_owned()),
            code,
            at: sent.unwrap_or_else(|| stamp.millis()),
            doubtful: found.shown.clock_doubtful,
            who: who_of(body),
            settles: ids_of(&body["inResponseTo"]),
            said: each(&body["payload"])
                .filter_map(|payload| {
                    let text = payload["contentString"].as_str()?.to_owned();
                    Some(Said { part: part_of(payload), text })
                })
                .collect(),
            priority: body["priority"].as_str().map(str::to_owned),
            topic: topic_of(&body["topic"]),
            told: each(&body["recipient"])
                .map(|to| Told {
                    part: part_of(to),
                    reference: text(&to["reference"]),
                    name: text(&to["display"]),
                })
                .collect(),
            about: each(&body["about"])
                .map(|about| {
                    let how = extension(about, coding::SEEN_AS);
                    (text(&about["reference"]), how.map_or("", |e| code_in(e)).to_owned())
                })
                .collect(),
            basis: extension(body, coding::BASIS)
                .and_then(|basis| basis["valueString"].as_str())
                .map(str::to_owned),
        })
    }
}

fn who_of(body: &Value) -> Who {
    let at = extension(body, coding::AT).map_or(&Value::Null, |at| &at["valueReference"]);
    Who {
        reference: text(&body["sender"]["reference"]),
        name: text(&body["sender"]["display"]),
        place: text(&at["reference"]),
        place_name: text(&at["display"]),
    }
}

fn topic_of(topic: &Value) -> Option<String> {
    let code = topic["coding"][0]["code"].as_str()?;
    Some(code.to_owned())
}

fn ids_of(references: &Value) -> Vec<String> {
    let id = |reference: &Value| {
        Some(reference["reference"].as_str()?.strip_prefix("Communication/")?.to_owned())
    };
    each(references).filter_map(id).collect()
}

/// The items of an array; none if it is absent.
pub(crate) fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The text of a string element; empty if it is absent.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or("").to_owned()
}

/// An element's extension of this URL.
pub(crate) fn extension<'a>(element: &'a Value, url: &str) -> Option<&'a Value> {
    each(&element["extension"]).find(|extension| extension["url"] == url)
}

fn code_in(extension: &Value) -> &str {
    extension["valueCode"].as_str().unwrap_or("")
}

fn part_of(element: &Value) -> String {
    extension(element, coding::PART).map_or("", code_in).to_owned()
}

/// The extension that says which part an element is.
pub(crate) fn part(code: &str) -> Value {
    json!([{ "url": coding::PART, "valueCode": code }])
}

/// All steps of a request that are here.
pub(crate) fn steps_of(
    view: &dyn View,
    chart: &ChartId,
    request: &str,
) -> Result<Vec<Step>, AppError> {
    let found = view.chart(chart, &["Communication"])?;
    let mut steps = vec![];
    for found in found.iter().filter(|found| found.shown.kind == ChangeKind::Put) {
        // A step that cannot be read may be the answer: it is not passed over.
        let body: Value = serde_json::from_str(&found.shown.body)
            .map_err(|_| AppError::Unexpected("a step of a request"))?;
        steps.extend(Step::of(found, &body, request));
    }
    Ok(steps)
}

/// A step to be written.
#[derive(Debug, Clone)]
pub(crate) struct NewStep {
    body: Value,
}

impl NewStep {
    /// A step of `request` (`ServiceRequest/…`) in the chart of `subject` (`Patient/…`), by
    /// `actor`, now.
    pub fn new(app: &App, actor: &Actor, code: StepCode, request: &str, subject: &str) -> Self {
        let mut sender = json!({ "reference": actor.reference(), "display": actor.name() });
        if actor.is_node() {
            sender["display"] = json!(&*app.place.name);
        }
        Self {
            body: json!({
                "resourceType": "Communication",
                "extension": [{
                    "url": coding::AT,
                    "valueReference": {
                        "reference": app.place.organization(), "display": &*app.place.name
                    }
                }],
                "basedOn": [{ "reference": request }],
                "status": "completed",
                "category": [coding::concept(coding::STEP, code.code())],
                "subject": { "reference": subject },
                "sent": app.now().to_fhir(app.utc_offset_minutes()),
                "sender": sender,
            }),
        }
    }

    /// Says something; nothing is added for an empty text.
    #[must_use]
    pub fn say(mut self, part_code: &str, said: &str) -> Self {
        let said = said.trim();
        if !said.is_empty() {
            let mut payload = json!({ "contentString": said });
            if !part_code.is_empty() {
                payload["extension"] = part(part_code);
            }
            self.push("payload", payload);
        }
        self
    }

    /// Answers or settles other steps.
    #[must_use]
    pub fn settle<'a>(mut self, ids: impl IntoIterator<Item = &'a str>) -> Self {
        for id in ids {
            self.push("inResponseTo", json!({ "reference": format!("Communication/{id}") }));
        }
        self
    }

    /// Names somebody.
    #[must_use]
    pub fn tell(mut self, told: &Told) -> Self {
        let mut to = json!({ "reference": told.reference });
        if !told.name.is_empty() {
            to["display"] = json!(told.name);
        }
        if !told.part.is_empty() {
            to["extension"] = part(&told.part);
        }
        self.push("recipient", to);
        self
    }

    /// Sets the topic.
    #[must_use]
    pub fn topic(mut self, system: &str, code: &str) -> Self {
        self.body["topic"] = coding::concept(system, code);
        self
    }

    /// Sets the priority.
    #[must_use]
    pub fn priority(mut self, priority: &str) -> Self {
        self.body["priority"] = json!(priority);
        self
    }

    /// Says what it is about, and how that was seen.
    #[must_use]
    pub fn about(mut self, reference: &str, seen_as: &str) -> Self {
        let how = json!([{ "url": coding::SEEN_AS, "valueCode": seen_as }]);
        self.push("about", json!({ "extension": how, "reference": reference }));
        self
    }

    /// Says from which version of the chart it was written.
    #[must_use]
    pub fn basis(mut self, basis: &str) -> Self {
        if !basis.is_empty() {
            self.push("extension", json!({ "url": coding::BASIS, "valueString": basis }));
        }
        self
    }

    fn push(&mut self, member: &str, item: Value) {
        match &mut self.body[member] {
            Value::Array(items) => items.push(item),
            empty => *empty = json!([item]),
        }
    }

    /// The Communication.
    pub fn into_json(self) -> Value {
        self.body
    }
}

/// Whether a person's role treats patients: may be asked, take and answer.
pub(crate) fn may_answer(actor: &Actor) -> bool {
    may_answer_as(actor.roles())
}

/// The same for roles.
pub(crate) fn may_answer_as(roles: RoleSet) -> bool {
    roles.contains(Role::Doctor) || roles.contains(Role::Specialist)
}
