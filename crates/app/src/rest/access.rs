//! Which action a resource asks for, by the chart where it stands and its type: one table for
//! every door of the API.
//!
//! What stands in a facility's chart and is neither directory, roster, stock, report nor
//! directive may be about people, so that it asks for what the daily register asks for.

use ondol_access::Action;
use ondol_fhir::ResourceType;
use ondol_record::ChartKind;

/// Of which chart the question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The chart where the resource stands.
    Chart,
    /// The chart of this node's facility.
    OwnFacility,
    /// The nation's: the directory of facilities is everybody's.
    Nation,
}

/// An action, and the chart that it is asked of.
pub type Ask = (Action, Of);

/// What a type is in a facility's chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Duty {
    Directory,
    Roster,
    Staff,
    Stock,
    Report,
    Directive,
    Other,
}

const fn duty(kind: ResourceType) -> Duty {
    use ResourceType as R;
    match kind {
        R::Organization
        | R::OrganizationAffiliation
        | R::Location
        | R::HealthcareService
        | R::Endpoint => Duty::Directory,
        R::Schedule | R::Slot => Duty::Roster,
        R::PractitionerRole => Duty::Staff,
        R::SupplyDelivery | R::SupplyRequest | R::Medication | R::Substance | R::Device => {
            Duty::Stock
        }
        R::MeasureReport => Duty::Report,
        R::Communication | R::CommunicationRequest => Duty::Directive,
        _ => Duty::Other,
    }
}

/// Any of these actions lets somebody read a resource.
pub const fn to_read(chart: ChartKind, kind: ResourceType) -> &'static [Ask] {
    use ResourceType as R;
    match chart {
        ChartKind::Patient => match kind {
            R::Patient => &[
                (Action::ReadChart, Of::Chart),
                (Action::ReadPrescription, Of::Chart),
                (Action::ReadSafetySummary, Of::Chart),
            ],
            R::MedicationRequest | R::MedicationDispense => {
                &[(Action::ReadChart, Of::Chart), (Action::ReadPrescription, Of::Chart)]
            }
            R::AllergyIntolerance | R::Condition | R::MedicationStatement => {
                &[(Action::ReadChart, Of::Chart), (Action::ReadSafetySummary, Of::Chart)]
            }
            R::AuditEvent => &[(Action::PrintReaders, Of::Chart)],
            _ => &[(Action::ReadChart, Of::Chart)],
        },
        ChartKind::Facility => match duty(kind) {
            Duty::Directory => &[(Action::ReadRegistry, Of::Nation)],
            Duty::Roster | Duty::Staff => &[(Action::ReadRoster, Of::Chart)],
            Duty::Stock => &[(Action::ReadStock, Of::Chart)],
            Duty::Report => &[(Action::ReadReports, Of::Chart)],
            Duty::Directive => &[(Action::ReadDirectives, Of::Chart)],
            Duty::Other => &[(Action::PrintRegister, Of::Chart)],
        },
        ChartKind::Practitioner => &[(Action::ReadPractitioner, Of::Chart)],
        ChartKind::Nation => &[(Action::ReadRegistry, Of::Chart)],
    }
}

/// What lets somebody save a resource of this type in a chart that stands, or take it back.
pub const fn to_write(chart: ChartKind, kind: ResourceType, takes_back: bool) -> Ask {
    use ResourceType as R;
    match chart {
        ChartKind::Patient if takes_back => (Action::RetractEntry, Of::Chart),
        ChartKind::Patient => match kind {
            R::MedicationRequest => (Action::Prescribe, Of::Chart),
            R::MedicationDispense => (Action::Dispense, Of::Chart),
            _ => (Action::WriteEntry, Of::Chart),
        },
        ChartKind::Facility => match duty(kind) {
            Duty::Roster => (Action::WriteRoster, Of::Chart),
            Duty::Staff => (Action::ManageAccounts, Of::Chart),
            Duty::Stock => (Action::WriteStock, Of::Chart),
            Duty::Report => (Action::WriteReports, Of::Chart),
            Duty::Directive => (Action::IssueDirective, Of::Chart),
            Duty::Directory | Duty::Other => (Action::WriteSettings, Of::Chart),
        },
        ChartKind::Practitioner => (Action::WritePractitioner, Of::Chart),
        ChartKind::Nation => (Action::WriteRegistry, Of::Chart),
    }
}

/// What lets somebody begin a chart, by making whom or what it is about.
pub const fn to_begin(chart: ChartKind) -> Ask {
    match chart {
        ChartKind::Patient => (Action::RegisterPerson, Of::Chart),
        ChartKind::Facility => (Action::InviteNode, Of::OwnFacility),
        ChartKind::Practitioner => (Action::ManageAccounts, Of::OwnFacility),
        ChartKind::Nation => (Action::WriteRegistry, Of::Chart),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [ChartKind; 4] =
        [ChartKind::Patient, ChartKind::Facility, ChartKind::Practitioner, ChartKind::Nation];

    /// An action that cannot be done with the kind of chart it is asked of is always denied,
    /// which would hide a mistake in the table.
    #[test]
    fn every_action_is_one_of_the_chart_that_it_is_asked_of() {
        let of_kind = |of, chart| match of {
            Of::Chart => chart,
            Of::OwnFacility => ChartKind::Facility,
            Of::Nation => ChartKind::Nation,
        };
        for chart in KINDS {
            for &kind in ResourceType::ALL {
                let mut asks = to_read(chart, kind).to_vec();
                asks.extend([to_write(chart, kind, false), to_write(chart, kind, true)]);
                asks.push(to_begin(chart));
                for (action, of) in asks {
                    let wanted = match of_kind(of, chart) {
                        ChartKind::Patient => ondol_access::ChartKind::Patient,
                        ChartKind::Facility => ondol_access::ChartKind::Facility,
                        ChartKind::Practitioner => ondol_access::ChartKind::Practitioner,
                        ChartKind::Nation => ondol_access::ChartKind::Nation,
                    };
                    assert!(action.kinds().contains(wanted), "{chart:?} {kind} {action:?}");
                }
            }
        }
    }
}
