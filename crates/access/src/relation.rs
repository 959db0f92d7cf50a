//! Charts, and how a person stands to one.

use ondol_kernel::Millis;

use crate::coded::{CodeSet, coded};

coded! {
    /// What a chart is about.
    ChartKind {
        /// A patient.
        Patient = "patient",
        /// A facility: stock, roster, directives, reports, accounts.
        Facility = "facility",
        /// A practitioner.
        Practitioner = "practitioner",
        /// The nation: registry, terminology, programmes, policies.
        Nation = "nation",
    }
}

coded! {
    /// How the principal stands to a chart. The caller derives it from facts in the record (an
    /// open encounter, a consult taken ...) and never from what the person says of themselves.
    ///
    /// The order is the order in which grounds are looked for: care comes before broken glass.
    Relation {
        /// The patient's home facility is the principal's facility.
        HomeFacility = "home-facility",
        /// The principal is the section doctor of the patient's household.
        SectionDoctor = "section-doctor",
        /// The patient has an open encounter at the principal's facility.
        OpenEncounter = "open-encounter",
        /// An open referral sends the patient to the principal's facility.
        ReferredHere = "referred-here",
        /// The principal is on duty in the emergency room where the patient is.
        EmergencyDuty = "emergency-duty",
        /// The principal's facility sent the patient elsewhere, and the referral is open.
        ReferredFromHere = "referred-from-here",
        /// The principal's facility asked a consult that is open.
        ConsultFromHere = "consult-from-here",
        /// An open consult is addressed to the principal's facility and specialty.
        ConsultAddressed = "consult-addressed",
        /// The principal took an open consult.
        ConsultTaken = "consult-taken",
        /// An open consult comes from a facility that the principal's facility, or the
        /// principal as coordinator, watches over.
        ConsultOversight = "consult-oversight",
        /// The principal wrote the entry that is asked about.
        EntryAuthor = "entry-author",
        /// The principal broke the glass, and the lease has not ended.
        BrokenGlass = "broken-glass",
        /// No relation to the patient. Everybody has at least this one.
        Stranger = "stranger",

        /// The principal works at this facility.
        OwnFacility = "own-facility",
        /// The facility is below the principal's facility.
        SubordinateFacility = "subordinate-facility",
        /// The facility is above the principal's facility.
        SuperiorFacility = "superior-facility",
        /// Any facility. Everybody has at least this one.
        OtherFacility = "other-facility",

        /// The practitioner is the principal.
        OwnPractitioner = "own-practitioner",
        /// The practitioner works at the principal's facility.
        Colleague = "colleague",
        /// The practitioner works at a facility below the principal's.
        SubordinatePractitioner = "subordinate-practitioner",
        /// Any practitioner. Everybody has at least this one.
        OtherPractitioner = "other-practitioner",

        /// The nation's chart, which is everybody's.
        Nation = "nation",
    }
}

/// Some relations.
pub type RelationSet = CodeSet<Relation>;

impl ChartKind {
    /// The relation that everybody has to a chart of this kind.
    pub const fn least_relation(self) -> Relation {
        match self {
            Self::Patient => Relation::Stranger,
            Self::Facility => Relation::OtherFacility,
            Self::Practitioner => Relation::OtherPractitioner,
            Self::Nation => Relation::Nation,
        }
    }
}

impl Relation {
    /// The kind of chart that one can stand in this relation to.
    pub const fn kind(self) -> ChartKind {
        match self {
            Self::HomeFacility
            | Self::SectionDoctor
            | Self::OpenEncounter
            | Self::ReferredHere
            | Self::EmergencyDuty
            | Self::ReferredFromHere
            | Self::ConsultFromHere
            | Self::ConsultAddressed
            | Self::ConsultTaken
            | Self::ConsultOversight
            | Self::EntryAuthor
            | Self::BrokenGlass
            | Self::Stranger => ChartKind::Patient,
            Self::OwnFacility
            | Self::SubordinateFacility
            | Self::SuperiorFacility
            | Self::OtherFacility => ChartKind::Facility,
            Self::OwnPractitioner
            | Self::Colleague
            | Self::SubordinatePractitioner
            | Self::OtherPractitioner => ChartKind::Practitioner,
            Self::Nation => ChartKind::Nation,
        }
    }
}

use Relation::{
    Colleague, ConsultAddressed, ConsultOversight, ConsultTaken, EmergencyDuty, HomeFacility,
    Nation, OpenEncounter, OtherFacility, OtherPractitioner, OwnFacility, OwnPractitioner,
    ReferredHere, SectionDoctor, Stranger, SubordinateFacility, SuperiorFacility,
};

/// Groups that policies name as `Relation::"group"`, each with its members.
pub(crate) const GROUPS: &[(&str, &[Relation])] = &[
    ("care", &[HomeFacility, SectionDoctor, OpenEncounter, ReferredHere, EmergencyDuty]),
    ("at-home", &[HomeFacility, SectionDoctor]),
    ("consulted", &[ConsultAddressed, ConsultTaken, ConsultOversight]),
    ("own-or-below", &[OwnFacility, SubordinateFacility]),
    ("directive-source", &[OwnFacility, SuperiorFacility, Nation]),
    ("own-staff", &[OwnPractitioner, Colleague]),
    ("anybody", &[Stranger, OtherFacility, OtherPractitioner, Nation]),
];

/// How long a broken glass stays open, in milliseconds: 12 hours, a night's duty. Ondol's own
/// choice; a country may shorten it, nothing lengthens it.
pub const BREAK_GLASS_LEASE_MS: i64 = 12 * 3_600_000;

/// A relation and the time for which it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    relation: Relation,
    opened: Option<Millis>,
    ends: Option<Millis>,
}

impl Grant {
    /// A relation that holds for as long as the facts behind it do. A broken glass never
    /// stands: given here, it opens nothing.
    pub const fn standing(relation: Relation) -> Self {
        Self { relation, opened: None, ends: None }
    }

    /// A relation that holds until an instant, as a duty does.
    pub const fn until(relation: Relation, ends: Millis) -> Self {
        Self { relation, opened: None, ends: Some(ends) }
    }

    /// A glass broken at `opened`, for `lease_ms` or [`BREAK_GLASS_LEASE_MS`], the shorter.
    pub const fn broken_glass(opened: Millis, lease_ms: i64) -> Self {
        let lease = if lease_ms < BREAK_GLASS_LEASE_MS { lease_ms } else { BREAK_GLASS_LEASE_MS };
        let ends = Some(opened.plus(lease));
        Self { relation: Relation::BrokenGlass, opened: Some(opened), ends }
    }

    /// The relation.
    pub const fn relation(self) -> Relation {
        self.relation
    }

    /// When it ends, if an end is known.
    pub const fn ends(self) -> Option<Millis> {
        self.ends
    }

    /// Whether it holds at `now`, the physical part of the node's hybrid clock. A glass broken
    /// in the future (the clock was set back) is not open: it can be broken again at once,
    /// while a lease of years could not be noticed.
    pub fn holds_at(self, now: Millis) -> bool {
        let begun = match self.relation {
            Relation::BrokenGlass => self.opened.is_some_and(|opened| opened <= now),
            _ => true,
        };
        begun && self.ends.is_none_or(|ends| now < ends)
    }
}
