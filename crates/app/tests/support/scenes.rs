//! What happens between facilities in tests of the road.

use ondol_access::{Role, RoleSet};
use ondol_app::{Actor, road::PeerStatus};
use ondol_kernel::ResourceId;
use ondol_record::ChartId;
use ondol_store::Space;
use serde_json::json;

use super::Facility;

/// Registers a patient at a facility.
pub fn patient_at(facility: &Facility, id: &str) -> ChartId {
    facility.put(
        id,
        json!({"resourceType": "Patient", "name": [{"text": "리영희"}],
            "managingOrganization": {"reference": facility.app.place().organization()}}),
    );
    ChartId::Patient(ResourceId::new(id).unwrap())
}

/// Writes a Condition into a patient's chart.
pub fn note(facility: &Facility, patient: &str, id: &str) {
    facility.put(
        id,
        json!({"resourceType": "Condition", "subject": {"reference": format!("Patient/{patient}")},
            "code": {"text": "기침"}}),
    );
}

/// Asks the specialist hospital about a patient.
pub fn consult(facility: &Facility, patient: &str, id: &str) {
    facility.put(
        id,
        json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order",
            "subject": {"reference": format!("Patient/{patient}")},
            "performer": [{"reference": "Organization/specialist"}]}),
    );
}

/// Somebody who carries sticks.
pub fn courier() -> Actor {
    let roles = RoleSet::EMPTY.with(Role::HealthWorker);
    Actor::person(ResourceId::new("courier").unwrap(), "김철호", roles)
}

/// What goes from one facility to another, on a stick.
pub fn stick(from: &Facility, to: &Facility) -> Vec<u8> {
    from.app.stick_for(&courier(), to.seat.node()).unwrap().bytes
}

/// Hands a stick over: messages that were new, messages that were known, and whether it acknowledged
/// something.
pub fn bring(stick: &[u8], to: &Facility) -> (u64, u64, bool) {
    let brought = to.app.sticks_in(&courier(), &[stick]).unwrap().brought.remove(0);
    assert_eq!(brought.quarantined, 0);
    (brought.arrived, brought.known, brought.acknowledged)
}

/// Whether anything waits at a facility for anybody.
pub fn waits(facility: &Facility) -> bool {
    facility.app.road_status().unwrap().iter().any(PeerStatus::is_waiting)
}

/// The ids of the Conditions of a chart, each as often as it is there.
pub fn notes(facility: &Facility, chart: &ChartId) -> Vec<String> {
    let all = facility.all(chart, "Condition");
    let mut ids: Vec<String> =
        all.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

/// How much is in quarantine at a facility.
pub fn put_aside(facility: &Facility) -> usize {
    let view = facility.store().read().unwrap();
    view.values(Space::Quarantine, b"", None, usize::MAX).unwrap().len()
}
