//! Registering a person: with or without name, papers, age or anybody who knows them.

use std::sync::Arc;

use ondol_access::Action;
use ondol_kernel::{Class, Millis, ResourceId};
use ondol_record::{ChartId, Entry};
use ondol_store::{WriteTx, blobs::BlobHash};
use serde_json::{Value, json};

use super::{
    document,
    find::nobody,
    number,
    person::{Birth, BirthDoubt, Sex, Stranger, items, set_extension},
};
use crate::{Actor, App, AppError, Changes, coding, national, road};

/// A number that stands on a paper which the person brought.
#[derive(Clone, PartialEq, Eq)]
pub struct PaperNumber {
    /// What paper it is.
    pub label: String,
    /// The number.
    pub value: String,
}

/// What is known of a person who is registered. Everything may be missing.
#[derive(Clone, Default)]
pub struct Registration {
    /// The name; empty if nobody knows it.
    pub name: String,
    /// Sex; `None` if nobody asked.
    pub sex: Option<Sex>,
    /// When born.
    pub birth: Option<Birth>,
    /// The moment of birth of a newborn.
    pub birth_time: Option<Millis>,
    /// The place among twins, from 1.
    pub birth_order: Option<u32>,
    /// The mother's name; empty if nobody knows it.
    pub mother_name: String,
    /// The mother's chart, if she has one here.
    pub mother: Option<ResourceId>,
    /// The village (ri) or town.
    pub ri: String,
    /// House and people's unit.
    pub house: String,
    /// A telephone number.
    pub phone: String,
    /// The section doctor.
    pub doctor: Option<ResourceId>,
    /// A number on a paper.
    pub paper: Option<PaperNumber>,
    /// Whether the person lives here: this facility is then the home facility.
    pub resident: bool,
    /// Set for somebody whom nobody knows.
    pub stranger: Option<Stranger>,
    /// A photograph as it was uploaded; its preview is kept.
    pub photo: Option<Vec<u8>>,
    /// A provisional number that was reserved on paper; else the next one is given.
    pub number: Option<String>,
}

/// A person who was registered.
#[derive(Clone, PartialEq, Eq)]
pub struct Registered {
    /// The Patient.
    pub id: ResourceId,
    /// The provisional number, without separators.
    pub number: String,
}

impl App {
    /// Registers a person. Whoever does not live here is received at the same time, so that those
    /// who treat can open the chart.
    pub fn register(
        self: &Arc<Self>,
        actor: &Actor,
        registration: Registration,
    ) -> Result<Registered, AppError> {
        let photo = self.keep_photo(registration.photo.as_deref())?;
        let (app, actor) = (self.clone(), actor.clone());
        self.transact(move |tx| {
            let mut changes = Changes::new(Class::Care);
            let (subject, number) =
                register_within(&app, tx, &actor, &registration, photo, &mut changes)?;
            if !registration.resident {
                changes.create(super::receive::encounter(&app, &actor, &subject, app.now()));
            }
            let entries = app.append(tx, &actor, changes)?;
            let id = new_patient(&entries)?;
            national::ask_now(&app, tx, &actor, &id)?;
            Ok(Registered { id, number })
        })
    }

    /// Corrects or completes what is known of a person; the numbers stay.
    pub fn edit_person(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        registration: Registration,
    ) -> Result<(), AppError> {
        let photo = self.keep_photo(registration.photo.as_deref())?;
        let (app, id, who) = (self.clone(), id.clone(), actor.clone());
        let chart = ChartId::Patient(id.clone());
        self.writing(actor, Action::WriteEntry, &chart.clone(), move |view| {
            let found = view.resource("Patient", &id)?.ok_or(AppError::NotFound)?;
            let mut patient = document(&found)?;
            patient["resourceType"] = json!("Patient");
            let stands = patient.clone();
            apply(&app, &mut patient, &registration)?;
            app.may_change_home(view, &who, &chart, (&stands, &patient))?;
            set_photo(&mut patient, photo);
            let mut changes = Changes::new(Class::Care);
            changes.update(&found, patient);
            Ok(changes)
        })?;
        Ok(())
    }

    pub(super) fn keep_photo(
        &self,
        upload: Option<&[u8]>,
    ) -> Result<Option<(BlobHash, usize)>, AppError> {
        let Some(upload) = upload.filter(|upload| !upload.is_empty()) else { return Ok(None) };
        let unreadable = AppError::Field { field: "photo", why: "photo" };
        let prepared = ondol_imaging::photo::prepare(upload).map_err(|_| unreadable)?;
        let bytes = &prepared.preview.bytes;
        Ok(Some((self.blobs.put(bytes)?, bytes.len())))
    }
}

/// Puts a new person into `changes`, within the writer's transaction. Gives the reference by which
/// other resources of the transaction name the person, and the provisional number.
pub(crate) fn register_within(
    app: &App,
    tx: &mut dyn WriteTx,
    actor: &Actor,
    registration: &Registration,
    photo: Option<(BlobHash, usize)>,
    changes: &mut Changes,
) -> Result<(Value, String), AppError> {
    app.may(&*tx, actor, Action::RegisterPerson, &ChartId::Patient(nobody()?), None)?;
    let number = match &registration.number {
        Some(number) if number::is_free(&*tx, number)? => number.clone(),
        Some(_) => return Err(AppError::Field { field: "number", why: "taken" }),
        None => number::next(app, tx)?,
    };
    let mut patient = json!({
        "resourceType": "Patient",
        "active": true,
        "identifier": [{ "use": "temp", "system": coding::PROVISIONAL_NUMBER, "value": number }],
    });
    apply(app, &mut patient, registration)?;
    set_photo(&mut patient, photo);
    let subject = changes.create(patient);
    if registration.birth_time.is_some() || registration.mother.is_some() {
        mother(app, tx, actor, registration, &subject, changes)?;
    }
    Ok((subject, number))
}

/// The Patient that a transaction made.
pub(crate) fn new_patient(entries: &[Entry]) -> Result<ResourceId, AppError> {
    entries
        .iter()
        .flat_map(|entry| &entry.changes)
        .find(|change| &*change.resource_type == "Patient" && change.id_is_derived)
        .map(|change| change.id.clone())
        .ok_or(AppError::Unexpected("a person was not made"))
}

/// Notes the mother of a newborn: her name in the child's chart, and a link from hers if the
/// actor treats her.
fn mother(
    app: &App,
    tx: &mut dyn WriteTx,
    actor: &Actor,
    registration: &Registration,
    subject: &Value,
    changes: &mut Changes,
) -> Result<(), AppError> {
    let name = registration.mother_name.trim();
    let mut related = json!({
        "resourceType": "RelatedPerson",
        "active": true,
        "patient": subject,
        "relationship": [coding::concept(coding::ROLE_CODE, "MTH")],
    });
    if !name.is_empty() {
        related["name"] = json!([{ "text": name }]);
    }
    let Some(mother) = &registration.mother else {
        if !name.is_empty() {
            changes.create(related);
        }
        return Ok(());
    };
    let chart = ChartId::Patient(mother.clone());
    app.may(&*tx, actor, Action::WriteEntry, &chart, None)?;
    let found = tx.resource("Patient", mother)?.ok_or(AppError::NotFound)?;
    let mut patient = document(&found)?;
    if let Some(identifier) = items(&patient["identifier"]).next() {
        related["identifier"] = json!([identifier]);
    }
    let related = changes.create(related);
    patient["resourceType"] = json!("Patient");
    let mut links: Vec<Value> = items(&patient["link"]).cloned().collect();
    links.push(json!({ "other": related, "type": "seealso" }));
    patient["link"] = Value::Array(links);
    changes.update(&found, patient);
    Ok(())
}

/// Sets what a registration says; what it leaves empty is removed, what it does not know of stays.
fn apply(app: &App, patient: &mut Value, of: &Registration) -> Result<(), AppError> {
    let text = |text: &str| Some(text.trim()).filter(|t| !t.is_empty()).map(str::to_owned);
    let birth = of.birth.unwrap_or(Birth::Unknown);
    check_birth(patient, birth, app)?;
    let name = text(&of.name).map(|name| {
        let mut names = vec![json!({ "use": "official", "text": name })];
        names.extend(items(&patient["name"]).filter(|n| n["use"] != "official").cloned());
        Value::Array(names)
    });
    set(patient, "name", name);
    set(patient, "gender", of.sex.map(|sex| json!(sex.code())));
    apply_birth(app, patient, of, birth);
    set(patient, "multipleBirthInteger", of.birth_order.map(|order| json!(order)));
    let mother = text(&of.mother_name).map(|name| json!({ "valueString": name }));
    set_extension(patient, coding::MOTHER_NAME, mother);
    let stranger = of.stranger.as_ref().map(|stranger| {
        let part = |url: &str, said: &str| {
            text(said).map(|said| json!({ "url": url, "valueString": said }))
        };
        let parts =
            [part("description", &stranger.description), part("found-at", &stranger.found_at)];
        let parts: Vec<Value> = parts.into_iter().flatten().collect();
        // An extension has parts or a value: somebody of whom nothing can be told is still one.
        if parts.is_empty() {
            json!({ "valueBoolean": true })
        } else {
            json!({ "extension": parts })
        }
    });
    set_extension(patient, coding::STRANGER, stranger);
    let mut address = json!({ "use": "home" });
    let (ri, house) = (text(&of.ri), text(&of.house));
    let lives = ri.is_some() || house.is_some();
    set(&mut address, "city", ri.map(Value::from));
    set(&mut address, "line", house.map(|house| json!([house])));
    set(patient, "address", lives.then(|| json!([address])));
    let phone = text(&of.phone).map(|phone| json!([{ "system": "phone", "value": phone }]));
    set(patient, "telecom", phone);
    let home = patient["managingOrganization"]["reference"].as_str();
    let elsewhere = home.is_some_and(|home| home != app.place.organization());
    // Of somebody at home elsewhere the section doctor is none of those to choose from here.
    if of.doctor.is_some() || !elsewhere {
        let doctor = of.doctor.as_ref();
        let doctor = doctor.map(|id| json!([{ "reference": format!("Practitioner/{id}") }]));
        set(patient, "generalPractitioner", doctor);
    }
    if of.resident {
        patient["managingOrganization"] = json!({ "reference": app.place.organization() });
    }
    if let Some(paper) = &of.paper
        && let Some(value) = text(&paper.value)
    {
        let mut all: Vec<Value> = items(&patient["identifier"]).cloned().collect();
        if !all.iter().any(|one| one["value"] == *value) {
            let mut one = json!({ "system": coding::PAPER_NUMBER, "value": value });
            set(&mut one, "type", text(&paper.label).map(|label| json!({ "text": label })));
            all.push(one);
        }
        patient["identifier"] = Value::Array(all);
    }
    Ok(())
}

/// What stood there already is asked about on the page; it hinders no other correction.
fn check_birth(patient: &Value, birth: Birth, app: &App) -> Result<(), AppError> {
    if birth.to_fhir().as_deref() == patient["birthDate"].as_str() {
        return Ok(());
    }
    match birth.doubt(app.today()) {
        Some(BirthDoubt::Ahead) => Err(AppError::Field { field: "born", why: "future" }),
        Some(BirthDoubt::TooOld) => Err(AppError::Field { field: "born", why: "too-old" }),
        None => Ok(()),
    }
}

fn apply_birth(app: &App, patient: &mut Value, of: &Registration, birth: Birth) {
    let time = of.birth_time;
    let birth = match (birth, time) {
        (Birth::Unknown, Some(time)) => Birth::Day(time.local(app.utc_offset_minutes()).0),
        (birth, _) => birth,
    };
    set(patient, "birthDate", birth.to_fhir().map(Value::from));
    let mut about = json!({});
    if matches!(birth, Birth::About(_)) {
        set_extension(&mut about, coding::BIRTH_GUESSED, Some(json!({ "valueBoolean": true })));
    }
    let time = time.map(|time| time.to_fhir(app.utc_offset_minutes()));
    let time = time.map(|time| json!({ "valueDateTime": time }));
    set_extension(&mut about, coding::BIRTH_TIME, time);
    let any = about.as_object().is_some_and(|members| !members.is_empty());
    set(patient, "_birthDate", any.then_some(about));
}

pub(super) fn set_photo(patient: &mut Value, photo: Option<(BlobHash, usize)>) {
    if let Some((hash, size)) = photo {
        let url = road::url_of(&hash);
        patient["photo"] = json!([{ "contentType": "image/jpeg", "url": url, "size": size }]);
    }
}

/// Sets a member, or removes it.
fn set(object: &mut Value, name: &str, value: Option<Value>) {
    match (object.as_object_mut(), value) {
        (Some(members), Some(value)) => {
            members.insert(name.into(), value);
        }
        (Some(members), None) => {
            members.shift_remove(name);
        }
        (None, _) => {}
    }
}
