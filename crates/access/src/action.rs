//! What somebody may want to do.

use crate::{
    coded::{CodeSet, coded},
    relation::ChartKind,
};

coded! {
    /// What is asked for. Each belongs to one or more kinds of chart ([`Action::kinds`]).
    Action {
        /// Search for a person.
        SearchPerson = "search-person",
        /// Register a person who is here, with or without a name.
        RegisterPerson = "register-person",
        /// Receive a person who is here: open an encounter.
        ReceivePatient = "receive-patient",
        /// Link two charts of one person, or undo the link (FHIR `Patient.link`).
        MergePersons = "merge-persons",
        /// Change the home facility or the section doctor of a person who has one: who holds the
        /// chart for good.
        ChangeHome = "change-home",
        /// Restrict a chart to those who are treating now, or undo it.
        RestrictChart = "restrict-chart",

        /// Read allergies, medicines and problems.
        ReadSafetySummary = "read-safety-summary",
        /// Read prescriptions and what was dispensed.
        ReadPrescription = "read-prescription",
        /// Read the chart.
        ReadChart = "read-chart",
        /// Open what was sealed for this facility: it stands in no summary, list or search.
        ReadSealed = "read-sealed",
        /// Print from the chart: a letter, a sheet, the card.
        PrintChart = "print-chart",
        /// Print the list of who has read the chart, for the patient.
        PrintReaders = "print-readers",
        /// Look into a break-glass that was reported to the home facility.
        ReviewAlerts = "review-alerts",
        /// Break the glass: read in an emergency without any relation.
        BreakGlass = "break-glass",

        /// Write a clinical entry: encounter, vital signs, diagnosis, note, test, vaccination.
        WriteEntry = "write-entry",
        /// Prescribe a medicine.
        Prescribe = "prescribe",
        /// Dispense a medicine.
        Dispense = "dispense",
        /// Certify that somebody died: it closes the chart.
        CertifyDeath = "certify-death",
        /// Retract an entry.
        RetractEntry = "retract-entry",

        /// Ask a specialist.
        OpenConsult = "open-consult",
        /// See a consult's states, specialty, urgency, places and times: no name, no content.
        FollowConsult = "follow-consult",
        /// Read a consult: banner, question, pictures, answer.
        ReadConsult = "read-consult",
        /// Take a consult: 'I have it'.
        TakeConsult = "take-consult",
        /// Send a consult on to another specialty or place.
        RedirectConsult = "redirect-consult",
        /// Release a consult to others whose taker has not been heard of for too long.
        ReleaseConsult = "release-consult",
        /// Change a consult's urgency.
        RegradeConsult = "regrade-consult",
        /// Answer a consult, ask back, join one that a colleague took.
        AnswerConsult = "answer-consult",
        /// Say that the answer was read and will be followed, or why not.
        AcknowledgeConsult = "acknowledge-consult",
        /// Tell the specialist how it ended.
        RecordOutcome = "record-outcome",
        /// Send a patient to another facility.
        Refer = "refer",
        /// See whether a referred patient arrived, and the reply.
        FollowReferral = "follow-referral",
        /// Note that a referred patient is expected or arrived.
        ReceiveReferral = "receive-referral",
        /// Reply to the facility that sent the patient.
        AnswerReferral = "answer-referral",

        /// Print the daily register: names patients.
        PrintRegister = "print-register",
        /// Read counts. They name nobody.
        ReadCounts = "read-counts",
        /// Read the stock.
        ReadStock = "read-stock",
        /// Write the stock: deliveries, counts, losses.
        WriteStock = "write-stock",
        /// Read the roster: who is on duty, and the telephone number.
        ReadRoster = "read-roster",
        /// Write the roster.
        WriteRoster = "write-roster",
        /// Check in for duty, or out.
        CheckIn = "check-in",
        /// Read reports.
        ReadReports = "read-reports",
        /// Write and send reports.
        WriteReports = "write-reports",
        /// Read directives.
        ReadDirectives = "read-directives",
        /// Issue a directive.
        IssueDirective = "issue-directive",
        /// Change the facility's settings.
        WriteSettings = "write-settings",
        /// Make, lock, unlock and reset accounts.
        ManageAccounts = "manage-accounts",
        /// Read a password, a PIN, a recovery code or a hash of one. Nobody may.
        ReadCredentials = "read-credentials",
        /// Hand a leaver's open work to somebody else.
        HandOverWork = "hand-over-work",
        /// See the state of the road.
        SeeRoad = "see-road",
        /// Write a stick for the courier, or take one in.
        CarryStick = "carry-stick",
        /// Manage links, keys, backups and upgrades.
        ManageRoad = "manage-road",
        /// Invite a node to join.
        InviteNode = "invite-node",
        /// Revoke a stolen node.
        RevokeNode = "revoke-node",
        /// Export in bulk.
        ExportBulk = "export-bulk",
        /// Bring records along from files: import in bulk. It shows nothing of any chart.
        BringRecords = "bring-records",
        /// Use the practice mode.
        Practise = "practise",

        /// Read a practitioner's name, role, specialty and telephone number.
        ReadPractitioner = "read-practitioner",
        /// Write a practitioner's roles and qualifications.
        WritePractitioner = "write-practitioner",
        /// Change one's own password, PIN or card.
        ChangeOwnSecret = "change-own-secret",

        /// Read the registry, terminology, programmes and policies.
        ReadRegistry = "read-registry",
        /// Write the registry.
        WriteRegistry = "write-registry",
        /// Write a policy of the nation.
        WritePolicy = "write-policy",

        /// Store and forward entries.
        CarryEntries = "carry-entries",
        /// Pass an untaken consult on to the next in line.
        EscalateConsult = "escalate-consult",
        /// Raise an alert at another node.
        RaiseAlert = "raise-alert",
        /// Add to the counts.
        CountUp = "count-up",
    }
}

/// Some kinds of chart.
pub type ChartKinds = CodeSet<ChartKind>;

impl Action {
    /// The kinds of chart that it can be done with.
    pub fn kinds(self) -> ChartKinds {
        let kinds: &[ChartKind] = match self {
            Self::PrintRegister
            | Self::ReadStock
            | Self::WriteStock
            | Self::ReadRoster
            | Self::WriteRoster
            | Self::CheckIn
            | Self::ReadReports
            | Self::WriteReports
            | Self::WriteSettings
            | Self::ManageAccounts
            | Self::ReadCredentials
            | Self::HandOverWork
            | Self::SeeRoad
            | Self::CarryStick
            | Self::ManageRoad
            | Self::InviteNode
            | Self::RevokeNode
            | Self::ExportBulk
            | Self::BringRecords
            | Self::Practise => &[ChartKind::Facility],
            Self::ReadCounts | Self::ReadDirectives | Self::IssueDirective => {
                &[ChartKind::Facility, ChartKind::Nation]
            }
            Self::ReadPractitioner | Self::WritePractitioner | Self::ChangeOwnSecret => {
                &[ChartKind::Practitioner]
            }
            Self::ReadRegistry | Self::WriteRegistry | Self::WritePolicy => &[ChartKind::Nation],
            Self::CountUp => &[ChartKind::Patient, ChartKind::Facility],
            Self::CarryEntries => <ChartKind as crate::coded::Coded>::ALL,
            _ => &[ChartKind::Patient],
        };
        kinds.iter().copied().collect()
    }

    /// Whether somebody comes to read something of a chart by it.
    pub const fn is_reading(self) -> bool {
        self.shows_patient()
            || matches!(
                self,
                Self::FollowConsult
                    | Self::PrintReaders
                    | Self::ReviewAlerts
                    | Self::ReadCounts
                    | Self::ReadStock
                    | Self::ReadRoster
                    | Self::ReadReports
                    | Self::ReadDirectives
                    | Self::ReadCredentials
                    | Self::ReadPractitioner
                    | Self::ReadRegistry
            )
    }

    /// Whether it shows what is known about patients. Officers, administrators and the other
    /// desks may do none of these.
    pub const fn shows_patient(self) -> bool {
        matches!(
            self,
            Self::SearchPerson
                | Self::ReadSafetySummary
                | Self::ReadPrescription
                | Self::ReadChart
                | Self::ReadSealed
                | Self::PrintChart
                | Self::ReadConsult
                | Self::FollowReferral
                | Self::BreakGlass
                | Self::PrintRegister
        )
    }
}
