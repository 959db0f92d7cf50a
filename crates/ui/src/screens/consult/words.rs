//! The words of consults and referrals.

use ondol_app::AppError;
use ondol_app::attachment::{Cost, Differs, PartKind};
use ondol_app::consult::{LaterKind, Phase, Power, StepCode};
use ondol_kernel::Class;

use crate::form::{Choice, Form};
use crate::lang::Lang;
use crate::screens::encounter::said;
use crate::texts::T;

/// An urgency in one word.
pub fn urgency(t: T, urgency: Class) -> String {
    match urgency {
        Class::Emergency => t.get("consult-emergency"),
        Class::Care => t.get("consult-urgent"),
        Class::Routine | Class::Bulk => t.get("consult-routine"),
    }
}

/// The urgencies to choose from, with what each means.
pub fn urgencies(t: T) -> Vec<Choice> {
    vec![
        Choice::new("stat", t.get("consult-emergency-means")),
        Choice::new("urgent", t.get("consult-urgent-means")),
        Choice::new("routine", t.get("consult-routine-means")),
    ]
}

/// The urgency that was chosen.
pub fn chosen_urgency(form: &Form) -> Option<Class> {
    match form.value("urgency") {
        "stat" => Some(Class::Emergency),
        "urgent" => Some(Class::Care),
        "routine" => Some(Class::Routine),
        _ => None,
    }
}

/// Power at the asking place.
pub fn power(t: T, power: Power) -> String {
    match power {
        Power::Mains => t.get("consult-power-mains"),
        Power::Battery => t.get("consult-power-battery"),
        Power::None => t.get("consult-power-none"),
    }
}

/// Where a consult stands.
pub fn phase(t: T, phase: Phase) -> String {
    match phase {
        Phase::Untaken => t.get("consult-phase-untaken"),
        Phase::Taken => t.get("consult-phase-taken"),
        Phase::AskedBack => t.get("consult-phase-asked-back"),
        Phase::Answered => t.get("consult-phase-answered"),
        Phase::Acknowledged => t.get("consult-phase-acknowledged"),
        Phase::OutcomeAsked => t.get("consult-phase-outcome-asked"),
        Phase::Closed => t.get("consult-phase-closed"),
    }
}

/// What happened, for the line of the conversation.
pub fn step(t: T, code: StepCode) -> String {
    match code {
        StepCode::Delivered => t.get("consult-step-delivered"),
        StepCode::Seen => t.get("consult-step-seen"),
        StepCode::Taken => t.get("consult-step-taken"),
        StepCode::Released => t.get("consult-step-released"),
        StepCode::Message => t.get("consult-step-message"),
        StepCode::Answer | StepCode::Reply => t.get("consult-step-answer"),
        StepCode::Acknowledged => t.get("consult-step-acknowledged"),
        StepCode::Regraded => t.get("consult-step-regraded"),
        StepCode::Redirected => t.get("consult-step-redirected"),
        StepCode::Escalated => t.get("consult-step-escalated"),
        StepCode::Silent => t.get("consult-step-silent"),
        StepCode::HandedOver => t.get("consult-step-handed-over"),
        StepCode::Joined => t.get("consult-step-joined"),
        StepCode::Unacknowledged => t.get("consult-step-unacknowledged"),
        StepCode::OutcomeAsked => t.get("consult-step-outcome-asked"),
        StepCode::Outcome => t.get("consult-step-outcome"),
        StepCode::Closed => t.get("consult-step-closed"),
        StepCode::Departed => t.get("referral-departed"),
        StepCode::TransportAsked => t.get("referral-transport-asked"),
        StepCode::Arrived => t.get("referral-arrived"),
        StepCode::NeverArrived => t.get("referral-never-arrived"),
    }
}

/// How it ended.
pub fn outcome(t: T, code: &str) -> String {
    match code {
        "recovered" => t.get("consult-outcome-recovered"),
        "improved" => t.get("consult-outcome-improved"),
        "same" => t.get("consult-outcome-same"),
        "worse" => t.get("consult-outcome-worse"),
        "referred" => t.get("consult-outcome-referred"),
        "died" => t.get("consult-outcome-died"),
        _ => t.get("consult-outcome-unknown"),
    }
}

/// What came after an answer.
pub fn later(t: T, kind: LaterKind, what: &str) -> String {
    match kind {
        LaterKind::Died => t.get("consult-later-died"),
        LaterKind::Allergy => t.msg("consult-later-allergy").arg("what", what).to_string(),
        LaterKind::Transfer => t.msg("consult-later-transfer").arg("what", what).to_string(),
        LaterKind::Vital => vital(t, what),
    }
}

/// What a vital sign is called, by its LOINC code.
pub fn vital(t: T, loinc: &str) -> String {
    match (ondol_terms::vital_by_loinc(loinc), t.lang()) {
        (Some(vital), Lang::Ko) => vital.ko.to_owned(),
        (Some(vital), Lang::En) => vital.en.to_owned(),
        (None, _) => t.get("consult-blood-pressure"),
    }
}

/// A value with its unit as people write it: records hold units in UCUM.
pub fn measured(t: T, value: &str) -> String {
    match value.rsplit_once(' ') {
        Some((number, unit)) => format!("{number} {}", said::unit(t, unit)),
        None => value.to_owned(),
    }
}

/// What a part is.
pub fn part(t: T, kind: PartKind) -> String {
    match kind {
        PartKind::Photo => t.get("consult-part-photo"),
        PartKind::Dicom => t.get("consult-part-dicom"),
        PartKind::Voice => t.get("consult-part-voice"),
        PartKind::Document => t.get("consult-part-document"),
    }
}

/// The icon of a part.
pub const fn part_icon(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Photo | PartKind::Dicom => "camera",
        PartKind::Voice => "microphone",
        PartKind::Document => "paper",
    }
}

/// In what a file's patient differs from the chart's, as a sentence; empty if in nothing.
pub fn differs(t: T, all: &[Differs]) -> String {
    let mut what = vec![];
    for one in all {
        match one {
            Differs::Name => what.push(t.get("consult-differs-name")),
            Differs::BirthDate => what.push(t.get("consult-differs-birth-date")),
            Differs::Sex => what.push(t.get("consult-differs-sex")),
            Differs::Unreadable => return t.get("consult-differs-unreadable"),
            Differs::Nobody => return t.get("consult-differs-nobody"),
        }
    }
    if what.is_empty() {
        return String::new();
    }
    t.msg("consult-differs").arg("what", what.join(", ")).to_string()
}

/// How long something takes on the road.
pub fn takes(t: T, cost: Cost) -> String {
    match cost.seconds {
        0 => t.get("consult-cost-nothing"),
        1..=59 => t.get("consult-cost-short"),
        60..=7_199 => t.msg("consult-cost-minutes").arg("n", cost.seconds.div_ceil(60)).to_string(),
        more => t.msg("consult-cost-hours").arg("n", more.div_ceil(3_600)).to_string(),
    }
}

/// A number of bytes, as people read it.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} KB", bytes.div_ceil(1_000)),
        more => format!("{}.{} MB", more / 1_000_000, more / 100_000 % 10),
    }
}

/// What to do about a field of these screens.
pub fn mend(t: T, field: &str, why: &str) -> String {
    match (field, why) {
        ("question", _) => t.get("consult-mend-question"),
        ("facility", "same") => t.get("consult-mend-same-place"),
        ("facility", _) => t.get("consult-mend-facility"),
        ("urgency", "same") => t.get("consult-mend-same-urgency"),
        ("urgency", _) => t.get("consult-mend-urgency"),
        ("advice", _) => t.get("consult-mend-advice"),
        ("message", _) => t.get("consult-mend-message"),
        ("reason", _) => t.get("consult-mend-reason"),
        ("outcome", "unknown-too-early") => t.get("consult-mend-unknown-early"),
        ("outcome", _) => t.get("consult-mend-outcome"),
        ("findings", _) => t.get("consult-mend-findings"),
        ("expected", "past") => t.get("referral-mend-past"),
        ("expected", _) => t.get("referral-mend-expected"),
        ("file", "too-many") => t.get("consult-mend-too-many"),
        ("file", "attachment-too-large") => t.get("consult-mend-too-large"),
        ("file", "attachment-cut-off") => t.get("consult-mend-cut-off"),
        ("file", "attachment-damaged") => t.get("consult-mend-damaged"),
        ("file", "attachment-unknown") => t.get("consult-mend-unknown-file"),
        _ => crate::words::what_to_mend(t, why),
    }
}

/// The label of a field, for the summary of complaints.
fn label(t: T, field: &str) -> String {
    match field {
        "question" => t.get("consult-question"),
        "facility" => t.get("consult-where"),
        "urgency" => t.get("consult-urgency"),
        "advice" => t.get("consult-advice"),
        "findings" => t.get("consult-findings"),
        "message" => t.get("consult-step-message"),
        "reason" => t.get("consult-reason"),
        "outcome" => t.get("consult-step-outcome"),
        "expected" => t.get("referral-expected"),
        "file" => t.get("consult-pictures"),
        _ => String::new(),
    }
}

/// Puts what a use case refused beside its field; gives back what no field can mend.
pub fn complain(t: T, form: &mut Form, error: AppError) -> Result<(), AppError> {
    match error {
        AppError::Field { field, why } => {
            form.complain(field, label(t, field), mend(t, field, why));
            Ok(())
        }
        other => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_said_in_the_unit_that_people_wait_in() {
        let t = T::new(Lang::En);
        let said = |seconds| takes(t, Cost { bytes: 0, seconds });
        assert_eq!(said(25), "under a minute");
        assert_eq!(said(61), "about 2 minutes");
        assert_eq!(said(7_200), "about 2 hours");
    }

    #[test]
    fn sizes_are_never_rounded_down_to_nothing() {
        assert_eq!(size(1), "1 B");
        assert_eq!(size(28_900), "29 KB");
        assert_eq!(size(2_140_000), "2.1 MB");
    }
}
