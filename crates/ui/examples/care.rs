//! A clinic in the middle of its morning: `cargo run -p ondol-ui --example care 8081`, then open
//! `/enter/worker?to=/` (or `nurse`). Its clock stands still, and nothing is kept.

#[path = "../tests/browser/mod.rs"]
mod browser;
#[path = "../../app/tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query};
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::routing::get;
use ondol_access::Role;
use ondol_app::encounter::{
    NewAllergy, Substance, TypedDiagnosis, TypedMedicine, TypedVital, Visit,
};
use ondol_app::papers::TypedRow;
use ondol_app::people::{Birth, Registration, Sex, Stranger};
use ondol_app::{Actor, App, AppError};
use ondol_kernel::{Date, ResourceId};
use support::{Facility, MONDAY_8};

type Sessions = Arc<BTreeMap<&'static str, String>>;

fn enter(
    sessions: &Sessions,
    Path(who): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let session = sessions.get(who.as_str()).cloned().unwrap_or_default();
    let lang = query.get("lang").map_or("ko-KP", String::as_str);
    let cookies = [
        (SET_COOKIE, format!("ondol_session={session}; Path=/")),
        (SET_COOKIE, format!("ondol_lang={lang}; Path=/")),
    ];
    let to = query.get("to").map_or("/", String::as_str);
    (AppendHeaders(cookies), Redirect::to(to)).into_response()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).unwrap_or_default().parse().unwrap_or(8081);
    let clinic = Facility::new();
    let worker = clinic.signed_in("리용희", &[Role::HealthWorker]);
    let nurse = clinic.signed_in("최은경", &[Role::Nurse]);
    fill(&clinic, &worker.who.actor)?;
    let sessions: Sessions =
        Arc::new(BTreeMap::from([("worker", worker.session), ("nurse", nurse.session)]));
    let pages = browser::pages(&clinic.app)
        .route("/enter/{who}", get(async move |path, query| enter(&sessions, path, query)));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, pages).await?;
    Ok(())
}

fn person(name: &str, sex: Sex, birth: Birth, mother: &str) -> Registration {
    Registration {
        name: name.into(),
        sex: Some(sex),
        birth: Some(birth),
        mother_name: mother.into(),
        ri: "새마을리".into(),
        house: "제3인민반".into(),
        resident: true,
        ..Registration::default()
    }
}

fn fill(clinic: &Facility, worker: &Actor) -> Result<(), AppError> {
    let app = &clinic.app;
    let born = Date::new(1994, 5, 11).map_or(Birth::Unknown, Birth::Day);
    let yong = app.register(worker, person("박순희", Sex::Female, born, "김복순"))?.id;
    println!("/people/{yong}");
    let child = person("리철", Sex::Male, Birth::Month(2024, 12), "박순희");
    let child = app.register(worker, child)?.id;
    for (name, year) in [("박순희", 1961), ("박순희", 1988), ("로철호", 1952), ("안명숙", 1970)]
    {
        let sex = if name == "로철호" { Sex::Male } else { Sex::Female };
        app.register(worker, person(name, sex, Birth::Year(year), "최옥"))?;
    }
    let stranger = Registration {
        sex: Some(Sex::Male),
        birth: Some(Birth::of_age(40, app.today())),
        stranger: Some(Stranger {
            description: "키 170, 검은 솜옷, 왼팔에 상처자리".into(),
            found_at: "역앞".into(),
        }),
        ..Registration::default()
    };
    println!("/people/{}", app.register(worker, stranger)?.id);
    let penicillin = NewAllergy {
        to: Substance { atc: None, words: "페니실린".into() },
        reaction: "두드러기".into(),
        severe: Some(true),
    };
    app.record_allergy(worker, &yong, penicillin)?;
    app.record_no_allergies(worker, &child)?;
    visits(app, worker, &yong, &child)?;
    paper(app, worker)
}

fn vital(key: &'static str, value: &str) -> TypedVital {
    TypedVital { key, value: value.into() }
}

fn diagnosis(code: &str, lasting: bool) -> TypedDiagnosis {
    TypedDiagnosis { code: Some(code.into()), words: String::new(), lasting }
}

fn visits(
    app: &Arc<App>,
    worker: &Actor,
    yong: &ResourceId,
    child: &ResourceId,
) -> Result<(), AppError> {
    let last_month = Visit {
        complaint: "머리아픔, 어지럼증".into(),
        vitals: vec![
            vital("systolic-pressure", "150"),
            vital("diastolic-pressure", "95"),
            vital("body-weight", "58.5"),
        ],
        diagnoses: vec![diagnosis("I10", true)],
        at: Some(MONDAY_8.plus(-30 * 86_400_000)),
        ..Visit::default()
    };
    app.save_visit(worker, yong, last_month)?;
    let today = Visit {
        complaint: "기침 사흘, 숨이 차다".into(),
        vitals: vec![
            vital("body-temperature", "39.4"),
            vital("heart-rate", "112"),
            vital("respiratory-rate", "32"),
            vital("systolic-pressure", "130"),
            vital("diastolic-pressure", "85"),
            vital("oxygen-saturation", "90"),
        ],
        diagnoses: vec![diagnosis("J18.9", false)],
        medicines: vec![TypedMedicine {
            atc: Some("J01FA01".into()),
            name: "에리트로미찐".into(),
            strength: "알약 250 mg".into(),
            dose: "하루 4번 2알".into(),
            days: Some(7),
            taken_already: false,
        }],
        pregnant: Some(false),
        note: "물을 많이 마시게 하였다. 저녁에 다시 본다.".into(),
        stays: true,
        ..Visit::default()
    };
    app.save_visit(worker, yong, today)?;
    let cold = Visit {
        complaint: "코물, 기침".into(),
        vitals: vec![vital("body-temperature", "37.6"), vital("body-weight", "9.2")],
        diagnoses: vec![diagnosis("J06.9", false)],
        ..Visit::default()
    };
    app.save_visit(worker, child, cold)?;
    Ok(())
}

fn paper(app: &Arc<App>, worker: &Actor) -> Result<(), AppError> {
    let form = app.reserve_form(worker)?;
    println!("/papers/downtime/{}/type", form.name);
    for (place, name, complaint) in [(1, "김금철", "배아픔"), (2, "한옥녀", "무릎아픔")]
    {
        let row = TypedRow {
            name: name.into(),
            sex: Some(Sex::Female),
            age_years: Some(50),
            complaint: complaint.into(),
            diagnosis: "만성위염".into(),
            ..TypedRow::default()
        };
        app.enter_row(worker, &form.name, place, row)?;
    }
    Ok(())
}
