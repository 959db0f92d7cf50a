//! What was done goes up as numbers; about whom stays below.

use ondol_access::Role;
use ondol_app::{
    Actor, AppError, coding,
    reports::{Cell, Counts, DAILY_WORK, SMALL_MAX, THINGS},
};
use ondol_kernel::{Class, Date};
use ondol_record::ChartKind;
use ondol_store::Space;
use serde_json::{Value, json};
use support::{Country, Facility};

use crate::support;

const NAME: &str = "리보배";

fn today(facility: &Facility) -> Date {
    facility.app.now().local(540).0
}

fn person(facility: &Facility, id: &str) {
    facility.put(
        id,
        json!({"resourceType": "Patient", "name": [{"text": NAME}],
            "managingOrganization": {"reference": facility.app.place().organization()}}),
    );
}

fn visit(facility: &Facility, patient: &str, id: &str, start: &str, end: Option<&str>) {
    let mut period = json!({ "start": start });
    if let Some(end) = end {
        period["end"] = json!(end);
    }
    facility.put(
        id,
        json!({"resourceType": "Encounter",
            "status": if end.is_some() { "finished" } else { "in-progress" },
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": {"reference": format!("Patient/{patient}")},
            "serviceProvider": {"reference": facility.app.place().organization()},
            "period": period}),
    );
}

fn consult(facility: &Facility, patient: &str, id: &str, priority: &str) {
    facility.put(
        id,
        json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order",
            "priority": priority,
            "authoredOn": facility.app.now().to_fhir(540),
            "category": [coding::concept(coding::REQUEST_CATEGORY, coding::CONSULT)],
            "extension": [{"url": coding::ASKED_FROM,
                "valueReference": {"reference": facility.app.place().organization()}}],
            "subject": {"reference": format!("Patient/{patient}")},
            "performer": [{"reference": "Organization/specialist"}]}),
    );
}

fn count_and_carry(country: &Country) {
    country.pass_minutes(31);
    for facility in country.all() {
        facility.app.count_tick().unwrap();
    }
    country.carry();
}

fn counts(facility: &Facility, actor: &Actor) -> Counts {
    let today = today(facility);
    let from = Date::from_days(today.days() - 6).unwrap();
    facility.app.counts(actor, from, today).unwrap()
}

fn cell(counts: &Counts, facility: &str, thing: &str) -> Cell {
    let row = counts.rows.iter().find(|row| row.facility.as_str() == facility).unwrap();
    row.cells[THINGS.iter().position(|one| *one == thing).unwrap()]
}

fn total(counts: &Counts, thing: &str) -> Cell {
    counts.total[THINGS.iter().position(|one| *one == thing).unwrap()]
}

/// A morning: seven people, seven visits, one consult that is an emergency.
fn morning(clinic: &Facility) {
    for number in 0..7 {
        let id = format!("p{number}");
        person(clinic, &id);
        let start = "2026-03-02T08:00:00+09:00";
        visit(clinic, &id, &format!("v{number}"), start, Some("2026-03-02T08:10:00+09:00"));
    }
    consult(clinic, "p0", "s0", "stat");
}

/// All that stands in the stores of a facility, as text.
fn everything(facility: &Facility) -> Vec<u8> {
    let view = facility.store().read().unwrap();
    let mut all = vec![];
    for row in view.arrived_after(0, usize::MAX).unwrap() {
        all.extend(row.entry.to_bytes());
    }
    let spaces = [
        Space::Node,
        Space::Peer,
        Space::Scope,
        Space::ParcelOut,
        Space::ParcelIn,
        Space::Relay,
        Space::Session,
        Space::FormDraft,
        Space::Timer,
        Space::Blob,
        Space::Quarantine,
        Space::Worklist,
        Space::Number,
        Space::Count,
    ];
    for space in spaces {
        for (key, value) in view.values(space, &[], None, usize::MAX).unwrap() {
            all.extend(key);
            all.extend(value);
        }
    }
    all
}

fn has(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

#[test]
fn the_ministry_sees_the_counts_and_holds_nobody() {
    let country = Country::new();
    morning(country.clinic());
    count_and_carry(&country);
    let ministry = country.ministry();
    let seen = counts(ministry, &ministry.person(Role::MinistryOfficer));
    assert_eq!(cell(&seen, "clinic", "encounters"), Cell::Exact(7));
    assert_eq!(cell(&seen, "clinic", "registered"), Cell::Exact(7));
    assert_eq!(cell(&seen, "county", "encounters"), Cell::Exact(0));
    assert_eq!(total(&seen, "encounters"), Cell::Exact(7));

    // The specialist was asked through the ministry, and holds the chart; the ministry does not.
    assert!(has(&everything(country.specialist()), NAME));
    let view = ministry.store().read().unwrap();
    assert!(view.charts(ChartKind::Patient, None, usize::MAX).unwrap().is_empty());
    for row in view.arrived_after(0, usize::MAX).unwrap() {
        assert_ne!(row.entry.chart.kind(), ChartKind::Patient);
    }
    let all = everything(ministry);
    assert!(has(&all, "보건성"), "the search itself finds what is there");
    assert!(!has(&all, NAME) && !has(&all, "\"p0\"") && !has(&all, "Patient/p0"));
}

#[test]
fn small_numbers_of_others_are_hidden_and_sums_do_not_tell_them() {
    let country = Country::new();
    morning(country.clinic());
    count_and_carry(&country);
    let ministry = country.ministry();
    let seen = counts(ministry, &ministry.person(Role::MinistryOfficer));
    assert!(seen.small_hidden);
    assert_eq!(cell(&seen, "clinic", "emergencies"), Cell::Small);
    assert_eq!(total(&seen, "emergencies"), Cell::AtLeast(1));
    assert_eq!(cell(&seen, "clinic", "referrals"), Cell::Exact(0));

    // One's own work is no secret to those who did it.
    let clinic = country.clinic();
    let own = counts(clinic, &clinic.person(Role::HealthWorker));
    assert_eq!(cell(&own, "clinic", "emergencies"), Cell::Exact(1));
    const { assert!(SMALL_MAX >= 1) };
}

#[test]
fn each_facility_counts_its_own_work_alone() {
    let country = Country::new();
    morning(country.clinic());
    country.carry();
    // The county holds the clinic's charts, and sees one of its people itself.
    visit(
        country.county(),
        "p1",
        "v-county",
        "2026-03-02T09:00:00+09:00",
        Some("2026-03-02T09:20:00+09:00"),
    );
    count_and_carry(&country);
    let county = country.county();
    let seen = counts(county, &county.person(Role::FacilityManager));
    assert_eq!(cell(&seen, "county", "encounters"), Cell::Exact(1));
    assert_eq!(cell(&seen, "county", "registered"), Cell::Exact(0));
    assert_eq!(cell(&seen, "county", "consults-asked"), Cell::Exact(0));
    assert_eq!(cell(&seen, "clinic", "encounters"), Cell::Exact(7));
}

#[test]
fn one_who_stays_for_days_is_counted_once() {
    let country = Country::new();
    let county = country.county();
    person(county, "p1");
    visit(county, "p1", "v1", "2026-03-02T08:00:00+09:00", None);
    count_and_carry(&country);
    for _ in 0..3 {
        country.pass_minutes(24 * 60);
        person(county, &format!("q{}", county.app.now().0));
        count_and_carry(&country);
    }
    let seen = counts(county, &county.person(Role::Doctor));
    assert_eq!(cell(&seen, "county", "encounters"), Cell::Exact(1));
}

#[test]
fn a_person_whose_record_is_changed_is_not_registered_again() {
    let country = Country::new();
    let clinic = country.clinic();
    person(clinic, "p1");
    count_and_carry(&country);
    country.pass_minutes(24 * 60);
    change(clinic, "p1");
    count_and_carry(&country);
    let worker = clinic.person(Role::HealthWorker);
    assert_eq!(cell(&counts(clinic, &worker), "clinic", "registered"), Cell::Exact(1));
    let only_today = clinic.app.counts(&worker, today(clinic), today(clinic)).unwrap();
    assert_eq!(cell(&only_today, "clinic", "registered"), Cell::Exact(0));
}

/// Writes a new version over the shown one.
fn change(facility: &Facility, id: &str) {
    use ondol_record::{Draft, DraftChange, DraftId, draft::DraftContent};
    let id = ondol_kernel::ResourceId::new(id).unwrap();
    let found = facility.store().read().unwrap().resource("Patient", &id).unwrap().unwrap();
    let mut body: Value = serde_json::from_str(&found.shown.body).unwrap();
    body["resourceType"] = json!("Patient");
    body["gender"] = json!("female");
    let changes = vec![DraftChange {
        resource_type: "Patient".into(),
        id: DraftId::Given(id),
        supersedes: found.heads(),
        chart: Some(found.shown.chart.clone()),
        content: DraftContent::Put(body),
    }];
    let draft = Draft {
        class: Class::Routine,
        care_time: None,
        author: "".into(),
        typist: "".into(),
        changes,
    };
    let now = facility.app.now();
    ondol_store::transact(facility.store(), move |tx| -> Result<_, AppError> {
        Ok(tx.append(draft, now, false)?)
    })
    .unwrap();
}

fn reports(facility: &Facility) -> Vec<Value> {
    let all = facility.all(&facility.chart(), "MeasureReport");
    all.into_iter().filter(|report| report["measure"] == DAILY_WORK).collect()
}

#[test]
fn a_day_without_work_is_reported_once_and_a_quiet_minute_costs_nothing() {
    let country = Country::new();
    let clinic = country.clinic();
    clinic.app.count_tick().unwrap();
    assert_eq!(reports(clinic).len(), 1);
    clinic.clock.pass_minutes(2);
    clinic.app.count_tick().unwrap();
    let entries = clinic.app.last_arrival().unwrap();
    for _ in 0..10 {
        clinic.clock.pass_minutes(40);
        clinic.app.count_tick().unwrap();
    }
    assert_eq!(clinic.app.last_arrival().unwrap(), entries);
    clinic.clock.pass_minutes(24 * 60);
    clinic.app.count_tick().unwrap();
    assert_eq!(reports(clinic).len(), 2);
}

#[test]
fn work_within_half_an_hour_of_a_report_is_not_forgotten() {
    let country = Country::new();
    let clinic = country.clinic();
    clinic.app.count_tick().unwrap();
    person(clinic, "p1");
    clinic.clock.pass_minutes(2);
    clinic.app.count_tick().unwrap();
    clinic.clock.pass_minutes(31);
    clinic.app.count_tick().unwrap();
    let seen = counts(clinic, &clinic.person(Role::HealthWorker));
    assert_eq!(cell(&seen, "clinic", "registered"), Cell::Exact(1));
}

#[test]
fn visits_typed_days_later_are_counted_on_the_day_of_care() {
    let country = Country::new();
    let clinic = country.clinic();
    clinic.app.count_tick().unwrap();
    clinic.clock.pass_minutes(5 * 24 * 60);
    clinic.app.count_tick().unwrap();
    person(clinic, "p1");
    let start = today(clinic).days() - 4;
    let start = format!("{}T08:00:00+09:00", Date::from_days(start).unwrap());
    visit(clinic, "p1", "v1", &start, Some(&start));
    clinic.clock.pass_minutes(2);
    clinic.app.count_tick().unwrap();
    let seen = counts(clinic, &clinic.person(Role::HealthWorker));
    assert_eq!(cell(&seen, "clinic", "encounters"), Cell::Exact(1));
    // The next form of the same day, within half an hour of that report, is not forgotten either.
    visit(clinic, "p1", "v2", &start, Some(&start));
    for _ in 0..2 {
        clinic.clock.pass_minutes(20);
        clinic.app.count_tick().unwrap();
    }
    let seen = counts(clinic, &clinic.person(Role::HealthWorker));
    assert_eq!(cell(&seen, "clinic", "encounters"), Cell::Exact(2));
}

#[test]
fn no_report_names_a_person_and_the_practice_room_writes_none() {
    let country = Country::new();
    morning(country.clinic());
    count_and_carry(&country);
    for report in reports(country.clinic()) {
        let text = report.to_string();
        assert!(!text.contains("Patient") && !text.contains(NAME), "{text}");
    }
    let practice = Facility::practice();
    person(&practice, "p1");
    practice.app.count_tick().unwrap();
    assert!(reports(&practice).is_empty());
}

#[test]
fn who_looked_at_the_counts_is_recorded_and_who_may_not_is_refused() {
    let country = Country::new();
    let ministry = country.ministry();
    let officer = ministry.person(Role::MinistryOfficer);
    count_and_carry(&country);
    counts(ministry, &officer);
    let view = ministry.store().read().unwrap();
    let readings = view.readings(&ministry.chart(), 10).unwrap();
    assert!(readings.iter().any(|r| &*r.action == "read-counts" && *r.who == officer.reference()));

    let clinic = country.clinic();
    let administrator = clinic.person(Role::Administrator);
    let day = today(clinic);
    let refused = clinic.app.counts(&administrator, day, day);
    assert!(matches!(refused, Err(AppError::Denied(_))));
}
