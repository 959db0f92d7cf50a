//! HL7 v2 messages (2.3 to 2.8, ER7) as FHIR resources: visits and people (ADT^A01, A02, A03, A04,
//! A05, A08, A11, A13, A28, A31) and results (ORU^R01).
//!
//! The maps are those of HL7's guide "v2-to-FHIR" (1.0.0). What has no place in what is made is
//! listed by its place in the message, except for the segments about the transport (MSH, EVN,
//! SFT). No error and no list repeats anything of what a message says.

mod charset;
mod encounter;
mod escape;
mod findings;
mod message;
mod observation;
mod patient;
mod read;
mod report;
mod tables;
mod time;
mod types;
mod value;

use std::{collections::HashSet, io};

use serde_json::Value;

pub use read::{MESSAGE_BYTES_MAX, Messages, Raw, messages};

use message::Segment;
use types::Context;

/// Why a message is not taken. Each is a sentence for whoever loads the file.
#[derive(Debug, thiserror::Error)]
pub enum Hl7Error {
    /// The file cannot be read to its end.
    #[error("the file cannot be read to its end: it is cut short or damaged. Copy it again")]
    Read(#[source] io::Error),
    /// A message is larger than is held at once.
    #[error(
        "line {line}: the message that begins here is larger than 16 MiB. Have it sent in parts, \
         or without the documents in it"
    )]
    TooLarge {
        /// The line, from 1.
        line: u64,
    },
    /// What stands there belongs to no message.
    #[error(
        "line {line}: this belongs to no HL7 v2 message. A message begins with an MSH segment: \
         export the file again as HL7 v2 (ER7)"
    )]
    NoMessage {
        /// The line, from 1.
        line: u64,
    },
    /// MSH-18 names a character set that is not read.
    #[error(
        "line {line}: the character set in MSH-18 is not known here. Have it sent as UNICODE UTF-8"
    )]
    Charset {
        /// The line, from 1.
        line: u64,
    },
    /// No character set is named, and it is not UTF-8.
    #[error(
        "line {line}: the message is not UTF-8, and MSH-18 does not say what it is. Have the \
         sender fill MSH-18 (UNICODE UTF-8, 8859/1, KS X 1001)"
    )]
    NoCharset {
        /// The line, from 1.
        line: u64,
    },
    /// The bytes are not in the character set of MSH-18.
    #[error(
        "line {line}: the message has bytes that are not in the character set of MSH-18. Have the \
         sender correct MSH-18"
    )]
    NotInCharset {
        /// The line, from 1.
        line: u64,
    },
    /// A message does not begin with MSH.
    #[error("a message has to begin with an MSH segment: export it again as HL7 v2 (ER7)")]
    NoHeader,
    /// The delimiters are not usable.
    #[error(
        "MSH-1 and MSH-2 have to name different signs that are no letters and digits, as in \
         MSH|^~\\&|: have the sender correct them"
    )]
    Delimiters,
    /// A message of another type.
    #[error(
        "MSH-9: messages of this type are not read. Those that are: ADT^A01, A02, A03, A04, A05, \
         A08, A11, A13, A28, A31 and ORU^R01"
    )]
    Kind,
    /// There is no patient in it.
    #[error("there is no PID segment: have the message sent with the patient it is about")]
    NoPatient,
    /// The patient has no identifier.
    #[error("PID-3 is empty: have the message sent with an identifier of the patient")]
    NoPatientId,
    /// More than one message.
    #[error("a second MSH stands in the message: have each message read by itself")]
    Several,
    /// More segments or repetitions than are looked at.
    #[error(
        "the message has more than 20,000 segments or 100,000 repetitions: have it sent in parts"
    )]
    TooMany,
}

impl Hl7Error {
    /// A stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Read(_) => "hl7-unreadable",
            Self::TooLarge { .. } | Self::TooMany => "hl7-too-large",
            Self::NoMessage { .. } | Self::NoHeader | Self::Several => "hl7-no-message",
            Self::Charset { .. } | Self::NoCharset { .. } | Self::NotInCharset { .. } => {
                "hl7-charset"
            }
            Self::Delimiters => "hl7-delimiters",
            Self::Kind => "hl7-kind",
            Self::NoPatient => "hl7-no-patient",
            Self::NoPatientId => "hl7-no-patient-id",
        }
    }

    /// The line of the file that it is about, if it is about one.
    pub const fn line(&self) -> Option<u64> {
        match self {
            Self::TooLarge { line }
            | Self::NoMessage { line }
            | Self::Charset { line }
            | Self::NoCharset { line }
            | Self::NotInCharset { line } => Some(*line),
            _ => None,
        }
    }
}

/// Something that was not taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Its place: `OBX[3]-5` is field 5 of the third OBX, `PID-3(2).4` component 4 of the second
    /// repetition.
    pub at: String,
    /// Why.
    pub why: &'static str,
}

/// What a message gives.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Made {
    /// The resources, each after those that it refers to where that can be.
    pub resources: Vec<Value>,
    /// What could not be taken over.
    pub left: Vec<Left>,
}

/// Events of ADT that are read (table 0003).
const EVENTS: [&str; 10] = ["A01", "A02", "A03", "A04", "A05", "A08", "A11", "A13", "A28", "A31"];

/// Makes the resources of one message.
///
/// `source` says which system it comes from: the ids of the resources depend on it. A time without
/// a zone is one of the zone of MSH-7, or else of `utc_offset_minutes` east of UTC.
pub fn resources(text: &str, source: &str, utc_offset_minutes: i32) -> Result<Made, Hl7Error> {
    let segments = message::segments(text)?;
    let header = segments.first().ok_or(Hl7Error::NoHeader)?;
    if segments[1..].iter().any(|segment| segment.name == "MSH") {
        return Err(Hl7Error::Several);
    }
    let kind = header.part(9).ok_or(Hl7Error::Kind)?;
    let event = kind.get(2).or_else(|| {
        let event = segments.iter().find(|segment| segment.name == "EVN")?;
        event.get(1)
    });
    let event = event.unwrap_or_default();
    match (kind.get(1).as_deref(), event.as_str()) {
        (Some("ADT"), event) if EVENTS.contains(&event) => {}
        (Some("ORU"), "R01") => {}
        _ => return Err(Hl7Error::Kind),
    }
    let sent = header.get(7).and_then(|text| time::Stamp::read(&text));
    let offset = sent.and_then(|stamp| stamp.offset_minutes()).unwrap_or(utc_offset_minutes);
    let context = Context { source, offset_minutes: offset, event: &event };
    let mut making = Making::default();
    let first = segments.iter().position(|segment| segment.name == "PID");
    let groups = &segments[first.ok_or(Hl7Error::NoPatient)?..];
    for group in groups.chunk_by(|_, next| next.name != "PID") {
        making.group(group, context)?;
    }
    Ok(Made { resources: making.resources, left: message::left(&segments) })
}

/// The resources of a message so far. An id that is there already is not made twice.
#[derive(Debug, Default)]
struct Making {
    resources: Vec<Value>,
    ids: HashSet<String>,
}

/// Who and what the resources of a group are about.
#[derive(Debug, Clone, Default)]
struct About {
    patient: String,
    encounter: Option<String>,
}

impl About {
    fn subject(&self) -> Value {
        reference("Patient", &self.patient)
    }

    fn visit(&self) -> Option<Value> {
        self.encounter.as_ref().map(|id| reference("Encounter", id))
    }
}

fn reference(kind: &str, id: &str) -> Value {
    serde_json::json!({"reference": format!("{kind}/{id}")})
}

impl Making {
    /// Adds a resource; says whether it was not there yet.
    fn add(&mut self, id: &str, resource: Value) -> bool {
        let is_new = self.ids.insert(id.to_owned());
        if is_new {
            self.resources.push(resource);
        }
        is_new
    }

    /// A patient with what follows about them.
    fn group(&mut self, group: &[Segment<'_>], context: Context<'_>) -> Result<(), Hl7Error> {
        let [pid, rest @ ..] = group else { return Err(Hl7Error::NoPatient) };
        let (id, patient) = patient::patient(pid, context).ok_or(Hl7Error::NoPatientId)?;
        if !self.add(&id, patient) {
            pid.leave("the same patient stands in the message before; the first one is taken");
        }
        let mut about = About { patient: id, encounter: None };
        let visit = rest.iter().find(|segment| segment.name == "PV1");
        let visit = visit.and_then(|pv1| encounter::Visit::of(pv1, &about, context));
        about.encounter = visit.as_ref().map(|visit| visit.id.clone());
        // Its diagnoses are part of the visit, and come with the segments after it.
        let at = self.resources.len();
        let mut diagnoses = vec![];
        for segment in rest {
            match segment.name {
                "AL1" => self.found(segment, findings::allergy(segment, &about, context)),
                "DG1" => {
                    let made = findings::condition(segment, &about, context);
                    let made = made.map(|(id, condition, role)| {
                        diagnoses.extend(role);
                        (id, condition)
                    });
                    self.found(segment, made);
                }
                _ => {}
            }
        }
        if let Some(visit) = visit {
            let encounter = visit.to_fhir(&about, diagnoses, context);
            if self.ids.insert(visit.id.clone()) {
                self.resources.insert(at, encounter);
            } else {
                visit.segment.leave("the same visit stands in the message before");
            }
        }
        report::reports(rest, &about, context, self);
        Ok(())
    }

    fn found(&mut self, segment: &Segment<'_>, made: Option<(String, Value)>) {
        if let Some((id, resource)) = made
            && !self.add(&id, resource)
        {
            segment.leave("the same stands in the message before; the first one is taken");
        }
    }
}
