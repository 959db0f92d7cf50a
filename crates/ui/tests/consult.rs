//! A case from a clinic to a specialist and back, as browsers without script see it.

use axum::http::StatusCode;
use browser::{Browser, Shown};
use cases::{id, patient_at, photo, pulse, question, radiograph};
use ondol_access::Role;
use ondol_kernel::Class;
use support::{Country, Facility};

use crate::{browser, cases, support};

fn carry(country: &Country) {
    country.carry();
    for facility in country.all() {
        facility.app.consult_tick().unwrap();
    }
    country.carry();
}

fn browser(facility: &Facility, name: &str, role: Role) -> Browser {
    Browser::of(&facility.app, &facility.signed_in(name, &[role]))
}

const ASKED: [(&str, &str); 7] = [
    ("patient", "p1"),
    ("question", "가슴이 아픈지 두시간"),
    ("urgency", "urgent"),
    ("facility", "specialist"),
    ("power", "battery"),
    ("equipment", "oxygen bottle"),
    ("medicines", "aspirin"),
];

/// The address of the first link of a page that begins so.
fn link(page: &Shown, begins: &str) -> String {
    let rest = page.html.split(&format!("href=\"{begins}")).nth(1).expect("such a link");
    format!("{begins}{}", rest.split('"').next().unwrap())
}

#[tokio::test]
async fn she_asks_he_answers_she_confirms() {
    let country = Country::new();
    let (clinic, specialist) = (country.clinic(), country.specialist());
    patient_at(clinic);
    pulse(clinic, "o1", 120);
    country.carry();
    let mut worker = browser(clinic, "최은경", Role::HealthWorker);
    let mut doctor = browser(specialist, "박심장", Role::Specialist);

    let first = worker.get("/ask/p1").await;
    assert!(first.says(&["리영희", "href=\"/ask/p1/heart\"", "href=\"/ask/p1/burns\""]));
    let form = worker.get("/ask/p1/heart").await;
    assert!(form.says(&["Ask: Heart", "value=\"specialist\"", "name=\"voice\""]), "{}", form.html);
    let picture = photo(900, 700);
    let mut keep = ASKED.to_vec();
    keep.push(("do", "keep"));
    let kept = worker.upload("/ask/p1/heart", &keep, &[("file", &picture)]).await;
    assert!(kept.says(&["가슴이 아픈지 두시간", "Photograph", "under a minute"]), "{}", kept.html);
    keep[7] = ("do", "check");
    let check = worker.upload("/ask/p1/heart", &keep, &[]).await;
    assert!(check.says(&[
        "Check before sending",
        "To send all of it",
        "name=\"part\" value=\"0\""
    ]));
    let sent = worker.send("/ask/p1/heart/check", &[("patient", "p1"), ("part", "0")]).await;
    assert!(sent.says(&["Still here, waiting for the road", "Saved here"]), "{}", sent.html);

    carry(&country);
    let inbox = doctor.get("/inbox").await;
    assert!(inbox.says(&["Heart · Urgent", "새마을리진료소"]));
    assert!(!inbox.html.contains("리영희"), "a list names no patient");
    let path = link(&inbox, "/consult/");
    let page = doctor.get(&path).await;
    assert!(page.says(&["리영희", "가슴이 아픈지 두시간", "oxygen bottle", "120 /min"]));
    assert!(
        page.says(&["I take it", "Allergies were not asked", "Small picture"]),
        "{}",
        page.html
    );
    let taken = doctor.send(&format!("{path}/do/take"), &[("patient", "p1")]).await;
    assert!(taken.says(&["박심장 (심장병원) has it"]), "{}", taken.html);
    let form = doctor.get(&format!("{path}/do/answer")).await;
    let basis = form.html.split("name=\"basis\" value=\"").nth(1).unwrap();
    let basis = basis.split('"').next().unwrap().to_owned();
    let empty = [("patient", "p1"), ("basis", basis.as_str()), ("findings", "협심증")];
    let refused = doctor.send(&format!("{path}/do/answer"), &empty).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.says(&["Write what to do", "협심증"]));
    let answer = [empty[0], empty[1], empty[2], ("advice", "아스피린"), ("worry", "의식")];
    let answered = doctor.send(&format!("{path}/do/answer"), &answer).await;
    assert!(answered.says(&["written from 1 picture", "아스피린"]), "{}", answered.html);

    carry(&country);
    pulse(clinic, "o2", 44);
    let back = worker.get(&path).await;
    assert!(back.says(&["박심장 · 심장병원", "This answer was written before", "44 /min"]));
    let ack = [("patient", "p1"), ("message", "알았습니다")];
    let done = worker.send(&format!("{path}/do/acknowledge"), &ack).await;
    assert!(done.says(&["Confirmed as read", "Answer read"]));
    carry(&country);
    assert!(doctor.get(&path).await.says(&["알았습니다", "Answer read"]));
    let sheet = worker.get(&format!("{path}/sheet")).await;
    assert!(sheet.says(&["Consultation sheet", "리영희", "아스피린", "<svg class=\"qr\""]));
}

#[tokio::test]
async fn what_was_typed_and_attached_survives_a_mistake() {
    let country = Country::new();
    let clinic = country.clinic();
    patient_at(clinic);
    let mut worker = browser(clinic, "최은경", Role::HealthWorker);
    let fields = [("patient", "p1"), ("question", ""), ("equipment", "ECG"), ("do", "check")];
    let picture = photo(300, 200);
    let files = [("file", picture.as_slice()), ("file", b"not a picture".as_slice())];
    let again = worker.upload("/ask/p1/heart", &fields, &files).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.says(&["This kind of file cannot be used", "Choose which hospital", "ECG"]));
    let later = worker.get("/ask/p1/heart").await;
    assert!(later.says(&["ECG", "name=\"remove\" value=\"0\""]));
    let removed = [("patient", "p1"), ("equipment", "ECG"), ("remove", "0")];
    let without = worker.upload("/ask/p1/heart", &removed, &[]).await;
    assert!(!without.says(&["name=\"remove\""]) && without.says(&["ECG"]));
}

#[tokio::test]
async fn an_x_ray_of_somebody_else_is_not_sent_unseen() {
    let country = Country::new();
    let clinic = country.clinic();
    patient_at(clinic);
    let mut worker = browser(clinic, "최은경", Role::HealthWorker);
    let mut fields = ASKED.to_vec();
    fields.push(("do", "check"));
    let other = radiograph("김^철수", "19900101", "M");
    let check = worker.upload("/ask/p1/heart", &fields, &[("file", &other)]).await;
    assert!(
        check.says(&["In this file the name, the date of birth, the sex differs", "I checked"]),
        "{}",
        check.html
    );
    let send = [("patient", "p1"), ("part", "0")];
    let refused = worker.send("/ask/p1/heart/check", &send).await;
    assert!(refused.says(&["Check whose it is and tick it"]), "{}", refused.html);
    let sure = [send[0], send[1], ("sure", "0")];
    assert!(worker.send("/ask/p1/heart/check", &sure).await.says(&["waiting for the road"]));
}

#[tokio::test]
async fn a_form_of_another_patient_is_refused() {
    let country = Country::new();
    let clinic = country.clinic();
    let patient = patient_at(clinic);
    let mut worker = browser(clinic, "최은경", Role::HealthWorker);
    let mut fields = ASKED.to_vec();
    fields[0].1 = "p2";
    let refused = worker.upload("/ask/p1/heart", &fields, &[]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let asker = clinic.signed_in("리철민", &[Role::Doctor]).who.actor;
    let request = clinic.app.ask(&asker, &patient, question(Class::Care), vec![]).unwrap();
    let close = [("patient", "p2"), ("reason", "잘못")];
    let refused = worker.send(&format!("/consult/{request}/do/close"), &close).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_emergency_that_nobody_took_says_telephone_now_with_the_number() {
    let country = Country::new();
    let (clinic, specialist) = (country.clinic(), country.specialist());
    let patient = patient_at(clinic);
    let manager = specialist.signed_in("강책임", &[Role::FacilityManager]).who.actor;
    specialist.app.set_duty_service(&manager, "heart", "02-18111-381", None).unwrap();
    country.carry();
    let asker = clinic.signed_in("최은경", &[Role::HealthWorker]);
    let app = &clinic.app;
    let ask = question(Class::Emergency);
    let request = app.ask(&asker.who.actor, &patient, ask, vec![]).unwrap();
    app.consult_tick().unwrap();
    let mut worker = Browser::of(app, &asker);
    let path = format!("/consult/{request}");
    let before = worker.get(&path).await;
    assert!(!before.says(&["Telephone now"]) && before.says(&["02-18111-381"]));
    // Pages that ask by themselves do not keep the session open: she touches hers.
    clinic.clock.pass_minutes(4);
    worker.get(&path).await;
    clinic.clock.pass_minutes(1);
    app.consult_tick().unwrap();
    let after = worker.get(&path).await;
    assert!(after.says(&["Telephone now", "tel:02-18111-381", "Told: 군병원"]), "{}", after.html);
}

#[tokio::test]
async fn the_red_bar_is_for_all_who_can_take_it_and_the_sound_for_the_one_on_duty() {
    let country = Country::new();
    let (clinic, specialist) = (country.clinic(), country.specialist());
    let patient = patient_at(clinic);
    let manager = specialist.signed_in("강책임", &[Role::FacilityManager]).who.actor;
    specialist.app.set_duty_service(&manager, "heart", "1", None).unwrap();
    let on_duty = specialist.signed_in("박심장", &[Role::Specialist]);
    specialist.app.check_in(&on_duty.who.actor, "heart").unwrap();
    let asker = clinic.signed_in("최은경", &[Role::HealthWorker]).who.actor;
    clinic.app.ask(&asker, &patient, question(Class::Emergency), vec![]).unwrap();
    carry(&country);
    let mut duty = Browser::of(&specialist.app, &on_duty);
    let page = duty.get("/inbox").await;
    assert!(page.says(&["data-alarm", "1 emergency that nobody took", "red-row"]));
    let part = duty.look("/inbox/here", &[("hx-request", "true")]).await;
    assert!(part.says(&["data-alarm"]) && !part.says(&["<html"]), "{}", part.html);
    let mut other = browser(specialist, "최대리", Role::Specialist);
    let page = other.get("/inbox").await;
    assert!(page.says(&["red-row"]) && !page.says(&["data-alarm"]));
    let mut nurse = browser(specialist, "한간호", Role::Nurse);
    assert!(!nurse.get("/inbox").await.says(&["red-row"]));
}

#[tokio::test]
async fn who_may_not_see_a_consult_gets_neither_page_nor_picture() {
    let country = Country::new();
    let clinic = country.clinic();
    let patient = patient_at(clinic);
    let asker = clinic.signed_in("최은경", &[Role::HealthWorker]).who.actor;
    let part = clinic.app.prepare_part(&asker, &patient, &photo(300, 200)).unwrap();
    let request = clinic.app.ask(&asker, &patient, question(Class::Care), vec![part]).unwrap();
    let picture = clinic.app.consult(&asker, &request).unwrap().pictures[0].id.clone();
    let mut manager = browser(clinic, "강책임", Role::FacilityManager);
    let picture = format!("/consult/{request}/picture/{picture}/original");
    for path in [format!("/consult/{request}"), format!("/consult/{request}/sheet"), picture] {
        assert_eq!(manager.get(&path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let mut worker = browser(clinic, "리철민", Role::HealthWorker);
    let live = worker.look(&format!("/consult/{request}/live"), &[("hx-request", "true")]).await;
    assert!(live.says(&["id=\"live\""]) && !live.says(&["<html"]));
    // A part alone would be a page about a person without a banner.
    let bare = worker.look(&format!("/consult/{request}/live"), &[]).await;
    assert_eq!(bare.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn she_is_sent_on_and_received() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    patient_at(clinic);
    country.carry();
    let mut worker = browser(clinic, "최은경", Role::HealthWorker);
    let mut doctor = browser(county, "박군의사", Role::Doctor);
    let wrong = [("patient", "p1"), ("reason", "막창자염"), ("expected", "soon")];
    let again = worker.send("/refer/p1", &wrong).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.says(&["Write the hours as a number", "막창자염", "value=\"soon\""]));
    let form = [
        ("patient", "p1"),
        ("reason", "막창자염"),
        ("urgency", "urgent"),
        ("facility", "county"),
        ("specialty", "surgery"),
        ("expected", "1,5"),
        ("needs", "stretcher"),
        ("needs", "operation"),
        ("transport", "yes"),
    ];
    let written = worker.send("/refer/p1", &form).await;
    assert!(written.says(&["The letter is written", "Stretcher", "Has left"]), "{}", written.html);
    let request =
        clinic.app.referrals_of(&clinic.signed_in("리철민", &[Role::Doctor]).who.actor, &id("p1"));
    let path = format!("/referral/{}", request.unwrap()[0].id);
    let letter = worker.get(&format!("{path}/letter")).await;
    assert!(letter.says(&["Referral letter", "<svg class=\"qr\"", "막창자염", "Operation"]));
    worker.send(&format!("{path}/do/depart"), &[("patient", "p1")]).await;
    carry(&country);
    let coming = doctor.get("/referrals").await;
    assert!(coming.says(&["리영희", "On the way", "Stretcher, Operation, Transport asked for"]));
    let arrived = doctor.send(&format!("{path}/do/arrive"), &[("patient", "p1")]).await;
    assert!(arrived.says(&["Arrival noted", "Write the reply"]), "{}", arrived.html);
    let reply = [("patient", "p1"), ("findings", "수술함"), ("advice", "7일후 실 뽑기")];
    doctor.send(&format!("{path}/do/reply"), &reply).await;
    carry(&country);
    assert!(worker.get(&path).await.says(&["수술함", "7일후 실 뽑기"]));
}

#[tokio::test]
async fn a_coordinator_sends_on_what_nobody_took_without_seeing_whom_it_is_about() {
    let country = Country::new();
    let (clinic, county) = (country.clinic(), country.county());
    let patient = patient_at(clinic);
    let asker = clinic.signed_in("최은경", &[Role::HealthWorker]).who.actor;
    let ask = question(Class::Emergency);
    let request = clinic.app.ask(&asker, &patient, ask, vec![]).unwrap();
    carry(&country);
    let mut coordinator = browser(county, "한조정", Role::Coordinator);
    let inbox = coordinator.get("/inbox").await;
    let path = link(&inbox, "/consult/");
    assert_eq!(path, format!("/consult/{request}/states"));
    let page = coordinator.get(&path).await;
    assert!(page.says(&["Nobody has taken it", "새마을리진료소", "Send it on"]), "{}", page.html);
    assert!(!page.html.contains("리영희") && !page.html.contains("가슴이"));
    let denied = coordinator.get(&format!("/consult/{request}")).await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN);
    let sent = [("facility", "province"), ("specialty", "lungs"), ("reason", "아무도 없음")];
    assert!(coordinator.send(&path, &sent).await.says(&["Sent on", "도병원"]));
    carry(&country);
    let province = country.province();
    let doctor = province.signed_in("김도", &[Role::Doctor]).who.actor;
    assert_eq!(province.app.inbox(&doctor).unwrap().to_answer.len(), 1);
    let mut officer = browser(county, "박군", Role::CountyOfficer);
    let page = officer.get(&path).await;
    assert!(page.says(&["Lungs"]) && !page.says(&["id=\"redirect\""]), "{}", page.html);
}
