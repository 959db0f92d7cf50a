//! A case sent to a specialist, and the answer.
//!
//! The question is a `ServiceRequest`; everything after it is a [`Step`] that is added and never
//! changed, so that both ends write while the link is down. What they make together is a pure
//! fold, [`ConsultState`].

mod act;
pub(crate) mod acting;
mod ask;
pub mod basis;
mod contacts;
mod hand_over;
mod list;
mod live;
mod read;
pub(crate) mod request;
mod settings;
pub mod state;
pub(crate) mod step;
mod tick;
pub mod timer;

pub use act::{Answer, OUTCOMES, UNKNOWN_AFTER_MS};
pub use ask::{Ask, ConsultDraft};
pub use basis::{About, Basis, Fact, LaterKind};
pub use contacts::{Askable, Contact, Contacts};
pub use list::{ConsultRow, Inbox};
pub use live::{Alarms, Live};
pub use read::{AnswerView, Can, ConsultStates, ConsultView, OnTheWay, Side, is_talk};
pub use request::{Means, Named, Power, Request, RequestKind, priority_of, urgency_of};
pub use settings::ConsultSettings;
pub use state::{ConsultState, Phase, Reached};
pub use step::{Said, Step, StepCode, Told, Who};

pub(crate) use ask::new_request;
pub(crate) use contacts::{EMERGENCY, facility_of};
pub(crate) use hand_over::hand_over;
pub(crate) use list::requests;
