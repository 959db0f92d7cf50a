//! A morning in the small country, so that every screen has something to show.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use ondol_kernel::Date;
use ondol_testkit::{
    browser::Wish,
    desk::{Desk, Question, Stranger, VisitTyped},
    node::{Country, NodeError, Seat},
    patience,
    population::{self, Chance},
};
use serde_json::Value;

/// What the morning left behind, by name: ids of charts, consults, referrals, forms.
pub type Places = BTreeMap<String, String>;

/// Lives the morning once, and remembers in the country's directory where everything is.
pub fn live(country: &mut Country, wish: Wish, today: Date) -> Result<Places, NodeError> {
    let file = country.dir().join("places.json");
    if !country.has_done("morning") {
        let places = morning(country, wish, today);
        fs::write(&file, Value::from_iter(places).to_string())
            .map_err(NodeError::io("the places of the morning"))?;
        country.once("morning", |_| Ok(()))?;
    }
    let text = fs::read_to_string(&file).map_err(NodeError::io("the places of the morning"))?;
    serde_json::from_str(&text).map_err(|_| NodeError::State(file.display().to_string()))
}

const VISIT: VisitTyped<'_> = VisitTyped {
    complaint: "사흘째 열이 나고 팔에 붉은 반점이 돋음",
    signs: &[
        ("body-temperature", "38.6"),
        ("heart-rate", "96"),
        ("systolic-pressure", "118"),
        ("diastolic-pressure", "76"),
    ],
    diagnosis: "피부염",
    note: "물을 자주 마시게 하였음. 가족중에 같은 증세를 보이는 사람은 없음.",
    day: None,
};

/// The names of the village's residents.
fn residents(today: Date) -> Vec<String> {
    population::village(1, 60, today)
        .iter()
        .flat_map(|bundle| bundle["entry"].as_array().into_iter().flatten())
        .filter(|entry| entry["resource"]["resourceType"] == "Patient")
        .filter_map(|entry| entry["resource"]["name"][0]["text"].as_str().map(str::to_owned))
        .collect()
}

fn morning(country: &Country, wish: Wish, today: Date) -> Places {
    let names = residents(today);
    let desk = |seat: Seat, login: &str| {
        let desk = Desk::at(country.url(seat), wish).expect("a browser");
        desk.sign_in(login);
        desk
    };
    let photo = photograph(country.dir());
    let mut places = Places::new();
    let clinic = desk(Seat::Clinic, "yonghui");
    let ask = |places: &mut Places, key: &str, who: &str, specialty, urgency, text: &str| {
        clinic.find(who);
        places.insert(format!("{key}-chart"), clinic.chart_id());
        let place = Seat::Specialist.name();
        let picture = (specialty == "skin").then_some(photo.as_path());
        let question = Question { specialty, place, urgency, text, picture };
        places.insert(key.to_owned(), clinic.ask(question));
    };

    stock(&clinic);
    let yesterday = Date::from_days(today.days() - 1);
    clinic.find(&names[4]);
    clinic.visit(VisitTyped { complaint: "기침", diagnosis: "", day: yesterday, ..VISIT });

    let sick = Stranger { name: "리선화", sex: "female", age: "34" };
    places.insert("chart".to_owned(), clinic.register(sick));
    clinic.visit(VISIT);
    clinic.go(&format!("/people/{}/allergies", places["chart"]));
    clinic.browser.fill("substance", "페니실린");
    clinic.browser.fill("reaction", "두드러기");
    clinic.next();
    clinic.browser.see("페니실린");
    let skin = "무슨 병입니까? 무엇을 발라야 합니까?";
    ask(&mut places, "answered", sick.name, "skin", "urgent", skin);
    ask(&mut places, "taken", &names[2], "skin", "routine", "손등의 반점이 커집니다. 봐주십시오.");
    ask(&mut places, "done", &names[3], "skin", "routine", "목뒤가 가렵고 껍질이 벗겨집니다.");
    let cough = "기침이 한달째 멎지 않고 밤에 땀이 납니다. 어떤 검사가 필요합니까?";
    ask(&mut places, "sent", &names[5], "internal-medicine", "urgent", cough);

    let specialist = desk(Seat::Specialist, "ryonhwa");
    for (key, findings, advice) in [
        ("answered", "접촉성피부염으로 보임", "새 비누를 쓰지 말고 하루 두번 연고를 바르십시오."),
        ("done", "습진으로 보임", "긁지 말고 하루에 한번 물로만 씻으십시오."),
    ] {
        specialist.open_consult(&places[key]);
        specialist.take();
        specialist.answer(findings, advice, "열이 더 오르거나 물집이 생기면 곧 다시 알리십시오.");
    }
    specialist.open_consult(&places["taken"]);
    specialist.take();
    specialist.press("consult-do-message");
    specialist.browser.fill("message", "언제부터 커졌습니까? 아픕니까?");
    specialist.next();
    specialist.see("consult-talk");
    clinic.go(&format!("/consult/{}", places["done"]));
    clinic.acknowledge("긁지 말고");
    clinic.go(&format!("/consult/{}", places["done"]));
    clinic.tell_outcome("improved", "이틀만에 가라앉았습니다.");
    clinic.browser.see("이틀만에");

    // A question that stands half written, with a photograph.
    clinic.find(&names[6]);
    places.insert("draft-chart".to_owned(), clinic.chart_id());
    half_written(&clinic, &places["draft-chart"], &photo);
    referrals(country, &desk, &clinic, &names, &mut places);
    odds_and_ends(&clinic, &names, &mut places);
    who_is_who(&clinic, &names, &mut places);
    places
}

/// The medicines of the clinic: most are there, some are few, one is gone.
fn stock(clinic: &Desk) {
    clinic.go("/stock");
    for (atc, level) in [("N02BE01", "enough"), ("J01CA04", "few"), ("H02AB02", "none")] {
        clinic.browser.choose(&format!("s-{atc}"), level);
    }
    clinic.press("stock-all");
    clinic.browser.press_at("//button[@value='save']");
    clinic.see("note-stock");
}

fn half_written(clinic: &Desk, chart: &str, photo: &Path) {
    clinic.go(&format!("/ask/{chart}/skin"));
    clinic.browser.fill("question", "얼굴의 반점이 넓어집니다. 옮는 병입니까?");
    clinic.browser.choose("urgency", "routine");
    clinic.browser.press(Seat::Specialist.name());
    clinic.browser.attach("file", photo);
    clinic.press("consult-attach");
    clinic.see("consult-remove");
}

fn referrals(
    country: &Country,
    desk: &dyn Fn(Seat, &str) -> Desk,
    clinic: &Desk,
    names: &[String],
    places: &mut Places,
) {
    let county_name = Seat::County.name();
    for (key, name, reason) in [
        ("coming", &names[8], "열이 사흘째 내리지 않고 숨이 참"),
        ("replied", &names[9], "배가 몹시 아프고 토함"),
    ] {
        clinic.find(name);
        let id = clinic.refer(county_name, "internal-medicine", reason);
        clinic.press("referral-do-depart");
        clinic.see("referral-do-cancel");
        places.insert(key.to_owned(), id);
    }
    let county = desk(Seat::County, "chomsu");
    county.go("/referrals");
    county.browser.see_after_reloading(&names[9], Duration::from_mins(1));
    county.go(&format!("/referral/{}", places["replied"]));
    county.press("referral-do-arrive");
    county.see("referral-do-reply");
    county.press("referral-do-reply");
    county.browser.fill("findings", "급성위염");
    county.browser.fill("advice", "이틀동안 미음을 먹이고 다시 보십시오.");
    county.next();
    county.see("referral-replied");
    assert!(country.settles(&Seat::ALL, Duration::from_mins(1)), "the morning does not settle");
}

fn odds_and_ends(clinic: &Desk, names: &[String], places: &mut Places) {
    clinic.find(&names[11]);
    places.insert("other-chart".to_owned(), clinic.chart_id());
    clinic.go("/people/new?kind=stranger");
    clinic.browser.choose("sex", "male");
    clinic.browser.fill("age", "50");
    clinic.browser.fill("description", "회색 웃옷, 왼쪽 볼에 흉터. 정신을 잃고 길가에 누워있었음.");
    clinic.next();
    clinic.see("chart-visit");
    places.insert("stranger".to_owned(), clinic.chart_id());
    clinic.go("/papers/downtime");
    clinic.next();
    let url = clinic.browser.url();
    let form = url.rsplit('/').next().unwrap_or_default();
    places.insert("form".to_owned(), form.to_owned());
}

/// Somebody who was registered twice; two charts that are linked; two that were taken apart again;
/// and a death.
fn who_is_who(clinic: &Desk, names: &[String], places: &mut Places) {
    let one = registered(clinic, "최영숙", ("1958", "4", "11"), "박금녀");
    clinic.go(&format!("/people/{one}/allergies"));
    clinic.browser.fill("substance", "페니실린");
    clinic.next();
    clinic.see("note-saved");
    let two = registered(clinic, "Choe Yong Suk", ("1958", "4", "1"), "박금녀");
    places.insert("pair".to_owned(), format!("/people/{one}/same/{two}"));
    clinic.go("/people/same");
    clinic.browser.see_after_reloading("최영숙", Duration::from_mins(1));

    let link = |born, mother: &str| {
        let known = registered(clinic, "한순금", born, mother);
        let other = registered(clinic, "한순검", born, mother);
        clinic.go(&format!("/people/{other}/allergies"));
        clinic.browser.fill("substance", "땅콩");
        clinic.next();
        clinic.see("note-saved");
        clinic.go(&format!("/people/{known}/same/{other}"));
        clinic.browser.choose("answer", "one");
        clinic.browser.fill("reason", "어머니가 알아보았다");
        clinic.next();
        clinic.see("note-people-linked");
        clinic.visit(VisitTyped { complaint: "머리가 아픔", diagnosis: "", ..VISIT });
        known
    };
    places.insert("linked".to_owned(), link(("1971", "9", "3"), "강옥순"));
    let apart = link(("1985", "12", "24"), "리복실");
    clinic.go(&format!("/people/{apart}/link"));
    clinic.browser.fill("reason", "쌍둥이 자매였다");
    clinic.press("people-unlink");
    clinic.see("note-people-unlinked");
    let url = clinic.browser.url();
    let path = url.strip_prefix(clinic.base()).unwrap_or(&url).to_owned();
    places.insert("undone".to_owned(), path);

    clinic.find(&names[12]);
    let dead = clinic.chart_id();
    clinic.go(&format!("/people/{dead}/death"));
    clinic.browser.choose("place", "home");
    clinic.browser.fill("cause-a", "뇌출혈 I61.9");
    clinic.browser.fill("cause-a-n", "6");
    clinic.browser.choose("cause-a-unit", "h");
    clinic.browser.fill("cause-b", "I10");
    clinic.browser.choose("manner", "disease");
    clinic.next();
    clinic.see("note-death-written");
    places.insert("dead".to_owned(), dead);
}

/// Registers somebody, whoever is like them.
fn registered(
    clinic: &Desk,
    name: &str,
    (year, month, day): (&str, &str, &str),
    mother: &str,
) -> String {
    clinic.go("/people/new?kind=known");
    for (field, text) in [
        ("name", name),
        ("born-year", year),
        ("born-month", month),
        ("born-day", day),
        ("mother", mother),
    ] {
        clinic.browser.fill(field, text);
    }
    clinic.browser.choose("sex", "female");
    clinic.browser.choose("resident", "yes");
    let another = "//button[@name='another']";
    clinic.next();
    // The driver may say that a button is pressed before the page goes.
    let done = format!("//*[contains(.,'{}')]", clinic.say("note-people-registered"));
    let answered = || clinic.browser.has(another) || clinic.browser.has(&done);
    let _ = patience::until(Duration::from_mins(1), || answered().then_some(()));
    if clinic.browser.has(another) {
        clinic.browser.press_at(another);
    }
    clinic.see("note-people-registered");
    clinic.chart_id()
}

/// An emergency that nobody took. Gives the consult's id.
pub fn alarm(country: &Country, wish: Wish) -> String {
    let clinic = Desk::at(country.url(Seat::Clinic), wish).expect("a browser");
    clinic.sign_in("yonghui");
    let lost = Stranger { name: "김광철", sex: "male", age: "61" };
    clinic.look_for(lost.name);
    let found = format!("//a[contains(@href,'/people/') and contains(.,'{}')]", lost.name);
    if clinic.browser.has(&found) {
        clinic.browser.press_at(&found);
    } else {
        clinic.register(lost);
    }
    clinic.ask(Question {
        specialty: "skin",
        place: Seat::Specialist.name(),
        urgency: "stat",
        text: "온몸에 물집이 돋고 숨이 가쁩니다. 지금 무엇을 하여야 합니까?",
        picture: None,
    })
}

/// Takes the emergency, so that the house is quiet again.
pub fn calm(country: &Country, wish: Wish, consult: &str) {
    let specialist = Desk::at(country.url(Seat::Specialist), wish).expect("a browser");
    specialist.sign_in("ryonhwa");
    specialist.open_consult(consult);
    specialist.take();
}

/// A photograph of a rash: noise and blots.
fn photograph(dir: &Path) -> PathBuf {
    const SIDE: u16 = 900;
    let side = i64::from(SIDE);
    let mut chance = Chance::new(7);
    let blots: Vec<_> = (0..24)
        .map(|_| (chance.from_to(0, side), chance.from_to(0, side), chance.from_to(8, 60)))
        .collect();
    let mut pixels = vec![];
    for y in 0..side {
        for x in 0..side {
            let inside = blots.iter().any(|(bx, by, r)| (x - bx).pow(2) + (y - by).pow(2) < r * r);
            let grain = u8::try_from(chance.from_to(0, 14)).unwrap_or(0);
            let skin: [u8; 3] = if inside { [178, 84, 76] } else { [222, 184, 160] };
            pixels.extend(skin.map(|c| c.saturating_add(grain)));
        }
    }
    let (path, mut bytes) = (dir.join("photo.jpg"), vec![]);
    jpeg_encoder::Encoder::new(&mut bytes, 88)
        .encode(&pixels, SIDE, SIDE, jpeg_encoder::ColorType::Rgb)
        .expect("a photograph");
    fs::write(&path, bytes).expect("the photograph is written");
    path
}
