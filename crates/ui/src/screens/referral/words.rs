//! The words of referrals.

use ondol_app::referral::{NEEDS, ReferralPhase};

use crate::form::Choice;
use crate::texts::T;

/// Where a referral stands.
pub fn phase(t: T, phase: ReferralPhase) -> String {
    match phase {
        ReferralPhase::Missing => t.get("referral-phase-missing"),
        ReferralPhase::Written => t.get("referral-phase-written"),
        ReferralPhase::OnTheWay => t.get("referral-phase-on-the-way"),
        ReferralPhase::Arrived => t.get("referral-phase-arrived"),
        ReferralPhase::Replied => t.get("referral-phase-replied"),
        ReferralPhase::Cancelled => t.get("referral-phase-cancelled"),
    }
}

/// What a patient needs.
pub fn need(t: T, code: &str) -> String {
    match code {
        "stretcher" => t.get("referral-need-stretcher"),
        "oxygen" => t.get("referral-need-oxygen"),
        "drip" => t.get("referral-need-drip"),
        "escort" => t.get("referral-need-escort"),
        "blood" => t.get("referral-need-blood"),
        "operation" => t.get("referral-need-operation"),
        "isolation" => t.get("referral-need-isolation"),
        "incubator" => t.get("referral-need-incubator"),
        "birth" => t.get("referral-need-birth"),
        other => other.to_owned(),
    }
}

/// All needs to choose from.
pub fn all_needs(t: T) -> Vec<Choice> {
    NEEDS.iter().map(|code| Choice::new(*code, need(t, code))).collect()
}
