//! How an actor is related to a chart: what stands in the record and on the roster, as grants.

use ondol_access::{Action, ChartKind, Grant, Relation};
use ondol_kernel::{DAY_MS, Millis, ResourceId};
use ondol_record::{ChartId, entry::ChangeKind};
use ondol_store::{Found, Space, View};
use serde_json::Value;

use crate::{Actor, App, AppError, coding, consult::EMERGENCY, people::one_person};

/// After an encounter ended, those who treated still read its chart for so long, ms.
const AFTER_ENCOUNTER_MS: i64 = DAY_MS;

/// After a consult or referral ended, both ends still read the chart for so long, ms: the
/// outcome is asked for within 30 days.
const AFTER_REQUEST_MS: i64 = 30 * DAY_MS;

/// The kind of a chart, and the grants of an actor in it.
pub fn of(
    app: &App,
    view: &dyn View,
    actor: &Actor,
    chart: &ChartId,
) -> Result<(ChartKind, Vec<Grant>), AppError> {
    match chart {
        ChartId::Patient(_) => Ok((ChartKind::Patient, of_patient(app, view, actor, chart)?)),
        ChartId::Facility(id) => {
            let nation = app.nation();
            let relation = if *id == app.place.facility {
                Some(Relation::OwnFacility)
            } else if nation.is_below(id) {
                Some(Relation::SubordinateFacility)
            } else if nation.is_above(id) {
                Some(Relation::SuperiorFacility)
            } else {
                None
            };
            Ok((ChartKind::Facility, relation.map(Grant::standing).into_iter().collect()))
        }
        ChartId::Practitioner(id) => {
            let relation = if id == actor.id() {
                Some(Relation::OwnPractitioner)
            } else if works_here(app, view, chart)? {
                Some(Relation::Colleague)
            } else {
                None
            };
            Ok((ChartKind::Practitioner, relation.map(Grant::standing).into_iter().collect()))
        }
        ChartId::Nation => Ok((ChartKind::Nation, vec![])),
    }
}

/// Of those grants the ones that the Patient alone shows: whose people the patient belongs to.
/// Most of a facility's work is done in them, and nothing else of the chart has to be read.
pub fn at_home(
    app: &App,
    view: &dyn View,
    actor: &Actor,
    chart: &ChartId,
) -> Result<Vec<Grant>, AppError> {
    let mut grants = vec![];
    if let ChartId::Patient(id) = chart
        && let Some(found) = view.resource("Patient", id)?
        && found.shown.kind == ChangeKind::Put
        && found.shown.chart == *chart
    {
        of_person(&json(&found), &app.place.organization(), &actor.reference(), &mut grants);
    }
    Ok(grants)
}

/// What may be done in a chart because of how one stands to another chart of the same person: it is
/// read as one, and put together or taken apart. Nothing is written by it, and the home is not
/// handed on.
const FOR_THE_PERSON: [Action; 8] = [
    Action::SearchPerson,
    Action::ReadSafetySummary,
    Action::ReadPrescription,
    Action::ReadChart,
    Action::ReadSealed,
    Action::PrintChart,
    Action::PrintReaders,
    Action::MergePersons,
];

/// The grants that an actor has in other charts of the same person, where they count for what is
/// asked. A glass that was broken counts for the charts that were opened then.
pub fn for_the_person(
    app: &App,
    view: &dyn View,
    actor: &Actor,
    action: Action,
    chart: &ChartId,
) -> Result<Vec<Grant>, AppError> {
    let mut grants = vec![];
    let ChartId::Patient(id) = chart else { return Ok(grants) };
    if !FOR_THE_PERSON.contains(&action) {
        return Ok(grants);
    }
    for other in one_person(view, id)?.others(id) {
        grants.extend(of_patient(app, view, actor, &ChartId::Patient(other.clone()))?);
    }
    grants.retain(|grant| grant.relation() != Relation::BrokenGlass);
    Ok(grants)
}

fn works_here(app: &App, view: &dyn View, chart: &ChartId) -> Result<bool, AppError> {
    let reference = chart.reference();
    let roles =
        view.chart(&ChartId::Facility(app.place.facility.clone()), &["PractitionerRole"])?;
    Ok(roles.iter().any(|found| {
        let role = json(found);
        role["practitioner"]["reference"].as_str() == reference.as_deref()
    }))
}

/// The body of a found resource. What is on disk was checked when it was written; damage reads
/// as null, which grants nothing.
fn json(found: &Found) -> Value {
    serde_json::from_str(&found.shown.body).unwrap_or(Value::Null)
}

fn of_patient(
    app: &App,
    view: &dyn View,
    actor: &Actor,
    chart: &ChartId,
) -> Result<Vec<Grant>, AppError> {
    let mut grants = vec![];
    let mut emergency = false;
    let here = app.place.organization();
    let me = actor.reference();
    for found in view.chart(chart, &["Patient", "Encounter", "ServiceRequest", "Communication"])? {
        if found.shown.kind != ChangeKind::Put {
            continue;
        }
        let resource = json(&found);
        match &*found.shown.resource_type {
            "Patient" => of_person(&resource, &here, &me, &mut grants),
            "Encounter" => {
                of_encounter(&resource, &here, &found, &mut grants);
                emergency = emergency || is_in_emergency_room(app, view, &resource)?;
            }
            "ServiceRequest" => of_request(app, &resource, &here, &found, &mut grants),
            "Communication" => of_step(app, view, actor, &resource, &found, &mut grants)?,
            _ => {}
        }
    }
    // Duty is read when it matters: who has checked in, not who is only listed.
    if emergency && app.is_on_duty(view, actor, EMERGENCY)? {
        grants.push(Grant::standing(Relation::EmergencyDuty));
    }
    grants.extend(broken_glass(view, actor, chart)?);
    Ok(grants)
}

fn of_person(patient: &Value, here: &str, me: &str, grants: &mut Vec<Grant>) {
    if patient["managingOrganization"]["reference"] == *here {
        grants.push(Grant::standing(Relation::HomeFacility));
    }
    let doctors = patient["generalPractitioner"].as_array();
    if doctors.into_iter().flatten().any(|doctor| doctor["reference"] == *me) {
        grants.push(Grant::standing(Relation::SectionDoctor));
    }
}

/// Whoever wrote every head of all these entries, as author or as typist, is their author.
pub fn of_author(actor: &Actor, chart: &ChartId, entries: &[&Found]) -> Option<Grant> {
    let me = actor.reference();
    let mine = |found: &&Found| {
        let mut heads = std::iter::once(&found.shown).chain(&found.rivals);
        found.shown.chart == *chart && heads.all(|one| *one.author == *me || *one.typist == *me)
    };
    let all = !actor.is_node() && !entries.is_empty() && entries.iter().all(mine);
    all.then(|| Grant::standing(Relation::EntryAuthor))
}

/// Whether an encounter says that the patient lies in the emergency room of this facility now:
/// it is one of an emergency (R4 `v3-ActCode` EMER), the patient has come, and it is held here or
/// in a place of this facility, whoever opened it. Who was brought in by another facility's people
/// is there before anybody here has opened an encounter.
fn is_in_emergency_room(app: &App, view: &dyn View, encounter: &Value) -> Result<bool, AppError> {
    let come = matches!(
        encounter["status"].as_str(),
        Some("arrived" | "triaged" | "in-progress" | "onleave")
    );
    if !come || encounter["class"]["code"] != "EMER" {
        return Ok(false);
    }
    if encounter["serviceProvider"]["reference"] == *app.place.organization() {
        return Ok(true);
    }
    let own = ChartId::Facility(app.place.facility.clone());
    for place in encounter["location"].as_array().into_iter().flatten() {
        let left = matches!(place["status"].as_str(), Some("planned" | "reserved" | "completed"));
        let id = place["location"]["reference"].as_str();
        let id = id.and_then(|id| ResourceId::new(id.strip_prefix("Location/")?).ok());
        if let (false, Some(id)) = (left, id)
            && let Some(found) = view.resource("Location", &id)?
            && found.shown.kind == ChangeKind::Put
            && found.shown.chart == own
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn of_encounter(encounter: &Value, here: &str, found: &Found, grants: &mut Vec<Grant>) {
    if encounter["serviceProvider"]["reference"] != *here {
        return;
    }
    let ended = matches!(
        encounter["status"].as_str(),
        Some("finished" | "cancelled" | "entered-in-error" | "unknown") | None
    );
    grants.push(if ended {
        let ends = found.shown.hlc.millis().plus(AFTER_ENCOUNTER_MS);
        Grant::until(Relation::OpenEncounter, ends)
    } else {
        Grant::standing(Relation::OpenEncounter)
    });
}

fn of_request(app: &App, request: &Value, here: &str, found: &Found, grants: &mut Vec<Grant>) {
    let consult = coding::has_code(&request["category"], coding::REQUEST_CATEGORY, coding::CONSULT);
    let referral =
        coding::has_code(&request["category"], coding::REQUEST_CATEGORY, coding::REFERRAL);
    let open = matches!(request["status"].as_str(), Some("active" | "on-hold"));
    let mut grant = |relation: Relation| {
        let ends = found.shown.hlc.millis().plus(AFTER_REQUEST_MS);
        grants.push(if open { Grant::standing(relation) } else { Grant::until(relation, ends) });
    };
    let performers = request["performer"].as_array();
    if performers.into_iter().flatten().any(|performer| performer["reference"] == *here) {
        if consult {
            grant(Relation::ConsultAddressed);
        }
        if referral {
            grant(Relation::ReferredHere);
        }
    }
    let from = asked_from(request);
    if from == Some(here) {
        if consult {
            grant(Relation::ConsultFromHere);
        }
        if referral {
            grant(Relation::ReferredFromHere);
        }
    } else if consult {
        let facility = from.and_then(ChartId::from_reference);
        if let Some(ChartId::Facility(facility)) = facility
            && app.nation().is_below(&facility)
        {
            grant(Relation::ConsultOversight);
        }
    }
}

/// `Organization/…` from which a request was made.
pub fn asked_from(request: &Value) -> Option<&str> {
    let extensions = request["extension"].as_array()?;
    let from = extensions.iter().find(|extension| extension["url"] == coding::ASKED_FROM)?;
    from["valueReference"]["reference"].as_str()
}

/// Whoever took a consult, or has the work of somebody here who took it and left.
fn of_step(
    app: &App,
    view: &dyn View,
    actor: &Actor,
    step: &Value,
    found: &Found,
    grants: &mut Vec<Grant>,
) -> Result<(), AppError> {
    if actor.is_node() || !coding::has_code(&step["category"], coding::STEP, "taken") {
        return Ok(());
    }
    let sender = step["sender"]["reference"].as_str().and_then(|r| r.strip_prefix("Practitioner/"));
    let Some(sender) = sender.and_then(|id| ResourceId::new(id).ok()) else { return Ok(()) };
    let written_here = found.shown.address.stream.origin == app.place.node;
    if sender == *actor.id() || (written_here && app.successor_in(view, &sender)? == *actor.id()) {
        let ends = found.shown.hlc.millis().plus(AFTER_REQUEST_MS);
        grants.push(Grant::until(Relation::ConsultTaken, ends));
    }
    Ok(())
}

/// Where an open break of the glass stands in [`Space::Session`].
pub fn glass_key(actor: &Actor, chart: &ChartId) -> Vec<u8> {
    let mut key = b"glass/".to_vec();
    key.extend_from_slice(actor.id().as_str().as_bytes());
    key.push(b'/');
    chart.put(&mut key);
    key
}

fn broken_glass(
    view: &dyn View,
    actor: &Actor,
    chart: &ChartId,
) -> Result<Option<Grant>, AppError> {
    let Some(value) = view.value(Space::Session, &glass_key(actor, chart))? else {
        return Ok(None);
    };
    let opened: [u8; 8] =
        value.try_into().map_err(|_| AppError::Unexpected("a break of the glass"))?;
    let opened = Millis(i64::from_le_bytes(opened));
    Ok(Some(Grant::broken_glass(opened, ondol_access::BREAK_GLASS_LEASE_MS)))
}
