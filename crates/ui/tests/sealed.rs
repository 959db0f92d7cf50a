//! Sealing a visit, reading what is sealed, sharing it and taking it back, as a browser without
//! script sees it.

use axum::http::StatusCode;
use browser::{Browser, Shown};
use ondol_access::Role;
use ondol_app::people::Registration;
use support::{Country, Facility};

use crate::{browser, support};

/// What is written within the seal.
const WORDS: &str = "봉인된말하나";

fn browser(facility: &Facility, name: &str, role: Role) -> Browser {
    Browser::of(&facility.app, &facility.signed_in(name, &[role]))
}

fn person(clinic: &Facility) -> String {
    let worker = clinic.person(Role::HealthWorker);
    let of = Registration { name: "리용희".into(), resident: true, ..Registration::default() };
    clinic.app.register(&worker, of).unwrap().id.to_string()
}

/// The address of the first sealed record's forms on a page.
fn piece(shown: &Shown, chart: &str) -> String {
    let start = format!("action=\"/people/{chart}/sealed/");
    let rest = shown.html.split(&start).nth(1).expect("a form of a sealed record");
    format!("/people/{chart}/sealed/{}", rest.split('"').next().unwrap())
}

#[tokio::test]
async fn a_visit_is_sealed_read_shared_and_taken_back() {
    let country = Country::new();
    let clinic = country.clinic();
    let chart = person(clinic);
    country.carry();
    let mut worker = browser(clinic, "최은경", Role::HealthWorker);
    let new = format!("/people/{chart}/visits/new");
    let form = worker.get(&new).await;
    assert!(form.says(&["Seal this visit", "군병원 (hospital above)", "Not sealed"]));

    // What cannot be saved keeps what was chosen.
    let sealed = [("chart", chart.as_str()), ("seal", "hiv"), ("seal-for", "county")];
    let wrong = worker.send(&new, &[&sealed[..], &[("v-heart-rate", "many")]].concat()).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.says(&["value=\"hiv\" checked", "value=\"county\" checked"]), "{}", wrong.html);
    let odd = [("chart", chart.as_str()), ("complaint", WORDS), ("seal", "made-up")];
    let odd = worker.send(&new, &odd).await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY, "never saved in the open for that");

    let only_here = [("chart", chart.as_str()), ("complaint", WORDS), ("seal", "hiv")];
    let saved = worker.send(&new, &only_here).await;
    assert!(saved.says(&["Saved and sealed.", "Sealed records", WORDS, "HIV"]), "{}", saved.html);
    assert!(saved.says(&["Opened by: 새마을리진료소"]), "{}", saved.html);
    let shown = worker.get(&format!("/people/{chart}")).await;
    assert!(shown.says(&["One sealed record"]) && !shown.says(&[WORDS]), "{}", shown.html);

    let path = piece(&saved, &chart);
    let at = [("chart", chart.as_str())];
    let nowhere = worker.send(&path, &[&at[..], &[("do", "share")]].concat()).await;
    assert_eq!(nowhere.status, StatusCode::UNPROCESSABLE_ENTITY);
    let shared = [("do", "share"), ("seal-for", "county")];
    let shared = worker.send(&path, &[&at[..], &shared[..]].concat()).await;
    assert!(shared.says(&["Opened by: 새마을리진료소, 군병원"]), "{}", shared.html);
    country.carry();

    let county = country.county();
    let doctor = county.signed_in("한철호", &[Role::Doctor]);
    let mut doctor = Browser::of(&county.app, &doctor);
    doctor.send(&format!("/people/{chart}/receive"), &at).await;
    let shown = doctor.get(&format!("/people/{chart}")).await;
    assert!(shown.says(&["One sealed record"]) && !shown.says(&[WORDS]), "{}", shown.html);
    assert!(doctor.get(&format!("/people/{chart}/sealed")).await.says(&[WORDS]));

    // Whoever seals where the person is only received loses the sight of it with the visit, and is
    // told so with the way back, not with a dead end.
    let own = [("chart", chart.as_str()), ("complaint", "열"), ("seal", "other")];
    let own = doctor.send(&format!("/people/{chart}/visits/new"), &own).await;
    assert!(own.says(&["Saved and sealed."]), "{}", own.html);
    let sees = own.status == StatusCode::OK && own.says(&["Sealed records"]);
    assert!(sees || own.says(&[&format!("/people/{chart}/receive")]), "{}", own.html);
    let no_reason = worker.send(&path, &[&at[..], &[("do", "take-back")]].concat()).await;
    assert_eq!(no_reason.status, StatusCode::UNPROCESSABLE_ENTITY);
    let back = [("do", "take-back"), ("reason", "다른 사람이다")];
    let back = worker.send(&path, &[&at[..], &back[..]].concat()).await;
    assert!(back.says(&["Taken back", "다른 사람이다"]), "{}", back.html);
    let shown = worker.get(&format!("/people/{chart}")).await;
    assert!(!shown.says(&["sealed record"]), "{}", shown.html);
}

#[tokio::test]
async fn whoever_may_not_open_it_sees_nothing_of_it() {
    let clinic = Facility::new();
    let chart = person(&clinic);
    let mut worker = browser(&clinic, "최은경", Role::HealthWorker);
    let form =
        [("chart", chart.as_str()), ("complaint", WORDS), ("seal", "custody"), ("note", WORDS)];
    let saved = worker.send(&format!("/people/{chart}/visits/new"), &form).await;
    assert!(saved.says(&["Saved and sealed."]), "{}", saved.html);
    for (name, role) in [
        ("박약사", Role::Pharmacist),
        ("김소장", Role::FacilityManager),
        ("정관리", Role::Administrator),
    ] {
        let mut other = browser(&clinic, name, role);
        for path in [format!("/people/{chart}"), format!("/people/{chart}/sealed")] {
            let shown = other.get(&path).await;
            assert!(!shown.says(&[WORDS]) && !shown.says(&["custody"]), "{}", shown.html);
        }
    }
    for path in ["card", "summary", "readers", "edit", "visits/new"] {
        let shown = worker.get(&format!("/people/{chart}/{path}")).await;
        assert_eq!(shown.status, StatusCode::OK, "{path}");
        assert!(!shown.says(&[WORDS]), "{path}: {}", shown.html);
    }
}
