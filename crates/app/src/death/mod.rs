//! Death closes a chart with its certificate, and can be undone with a reason.
//!
//! The certificate is one Observation in the chart, laid out as WHO's form has it: the chain of
//! causes from the immediate one back to the underlying one, other significant conditions, manner,
//! time and place (WHO, ICD-10, volume 2, 'International form of medical certificate of cause of
//! death'). The Patient says that the person died, so that every list knows.

mod certificate;
mod certify;

pub use certificate::{
    ANSWERS, CAUSES_MAX, Cause, Certificate, DiedAt, INTERVAL_UNITS, Interval, MANNERS, PLACES,
    PREGNANCIES, cause_of_words,
};
pub use certify::{Death, UndoneDeath};
