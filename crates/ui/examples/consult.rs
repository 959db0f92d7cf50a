//! A case between a clinic, its county and a specialist hospital, to look at its pages:
//! `cargo run -p ondol-ui --example consult 8090`. Everybody is signed in already: the clinic's
//! health worker at the port, the specialist at the next, the county's doctor behind. Clocks
//! stand still, and nothing is kept.

#[path = "../tests/browser/mod.rs"]
mod browser;
#[path = "../../app/tests/cases/mod.rs"]
mod cases;
#[path = "../../app/tests/support/mod.rs"]
mod support;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn};
use cases::{advice, id, patient_at, photo, pulse, question, radiograph};
use ondol_access::Role;
use ondol_app::AppError;
use ondol_app::accounts::Entered;
use ondol_app::consult::ConsultDraft;
use ondol_app::referral::Refer;
use ondol_kernel::Class;
use support::{Country, Facility};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).unwrap_or_default().parse().unwrap_or(8090);
    let country = Country::new();
    let (clinic, heart, county) = (country.clinic(), country.specialist(), country.county());
    let worker = clinic.signed_in("최은경", &[Role::HealthWorker]);
    let doctor = heart.signed_in("박심장", &[Role::Specialist, Role::Doctor]);
    let watcher = county.signed_in("리군의사", &[Role::Doctor]);
    fill(&country, [&worker, &doctor, &watcher])?;
    let served = [
        serve(port, clinic, &worker),
        serve(port + 1, heart, &doctor),
        serve(port + 2, county, &watcher),
    ];
    for one in served {
        tokio::spawn(one);
    }
    println!("http://127.0.0.1:{port}/inbox");
    std::future::pending::<()>().await;
    Ok(())
}

/// Serves the pages of a facility to somebody who is signed in already.
fn serve(port: u16, facility: &Facility, who: &Entered) -> impl Future<Output = ()> + use<> {
    let cookies = format!("ondol_session={}; ondol_station={}", who.session, who.station);
    let pages: Router = browser::pages(&facility.app);
    let pages = pages.layer(from_fn(move |mut request: Request, next: Next| {
        let own = request.headers().get(header::COOKIE).and_then(|v| v.to_str().ok());
        let all = format!("{}; {cookies}", own.unwrap_or("x=y"));
        if let Ok(value) = HeaderValue::from_str(&all) {
            request.headers_mut().insert(header::COOKIE, value);
        }
        next.run(request)
    }));
    async move {
        if let Ok(listener) = tokio::net::TcpListener::bind(("127.0.0.1", port)).await {
            let _ = axum::serve(listener, pages).await;
        }
    }
}

fn carry(country: &Country) {
    country.carry();
    for facility in country.all() {
        facility.app.consult_tick().unwrap();
    }
    country.carry();
}

fn fill(country: &Country, people: [&Entered; 3]) -> Result<(), AppError> {
    let (clinic, heart) = (country.clinic(), country.specialist());
    let [worker, doctor, watcher] = people;
    // Whoever touches nothing for a while is locked out.
    let pass = |minutes| -> Result<(), AppError> {
        country.pass_minutes(minutes);
        clinic.app.session(&worker.session, true)?;
        heart.app.session(&doctor.session, true)?;
        country.county().app.session(&watcher.session, true)?;
        Ok(())
    };
    let (who, other) = (&worker.who.actor, &doctor.who.actor);
    let patient = patient_at(clinic);
    pulse(clinic, "o1", 118);
    let manager = heart.signed_in("강책임", &[Role::FacilityManager]).who.actor;
    heart.app.set_duty_service(&manager, "heart", "02-18111-381", None)?;
    heart.app.check_in(other, "heart")?;
    carry(country);
    let parts = vec![
        clinic.app.prepare_part(who, &patient, &photo(1200, 900))?,
        clinic.app.prepare_part(who, &patient, &radiograph("김^철수", "19900101", "M"))?,
    ];
    let answered = clinic.app.ask(who, &patient, question(Class::Care), parts.clone())?;
    carry(country);
    pass(2)?;
    heart.app.consult_opened(other, &answered)?;
    heart.app.take_consult(other, &answered)?;
    heart.app.consult_message(other, &answered, "토합니까? 땀은 어떻습니까?")?;
    carry(country);
    pass(1)?;
    clinic.app.consult_message(who, &answered, "토하지 않고 식은땀을 흘립니다.")?;
    carry(country);
    let basis = heart.app.consult(other, &answered)?.basis;
    heart.app.answer_consult(other, &answered, advice(), &basis)?;
    carry(country);
    pulse(clinic, "o2", 44);
    let routine = clinic.app.ask(who, &patient, question(Class::Routine), vec![])?;
    let refer = Refer {
        facility: id("specialist"),
        specialty: "heart".into(),
        urgency: Class::Emergency,
        reason: "심근경색이 의심됩니다. 두시간전부터 가슴이 아픕니다.".into(),
        done: "아스피린, 산소".into(),
        wish: "입원치료".into(),
        expected: Some(clinic.app.now().plus(3 * 3_600_000)),
        needs: vec!["stretcher".into(), "oxygen".into()],
        escort: "남편".into(),
        transport: true,
    };
    let referral = clinic.app.refer(who, &patient, refer)?;
    let emergency = clinic.app.ask(who, &patient, question(Class::Emergency), vec![])?;
    carry(country);
    pass(3)?;
    pass(2)?;
    clinic.app.consult_tick()?;
    let mut draft = ConsultDraft { parts, ..ConsultDraft::default() };
    for (name, value) in [
        ("question", "걸으면 숨이 찹니다."),
        ("urgency", "stat"),
        ("facility", "specialist"),
        ("power", "battery"),
        ("equipment", "산소통"),
    ] {
        draft.fields.insert(name.into(), value.into());
    }
    clinic.app.save_consult_draft(who, &patient, &draft)?;
    println!("answered {answered}\nroutine {routine}\nreferral {referral}\nemergency {emergency}");
    Ok(())
}
