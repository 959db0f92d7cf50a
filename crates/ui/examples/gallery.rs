//! All parts of the pages with made-up content: `cargo run -p ondol-ui --example gallery 8080`.
//! `?road=up|waiting|alone` and `?practice` change the surroundings of a page, `?wrong` shows
//! complaints, `?stranger` shows a page without anybody signed in, `?lock` locks after 3 seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use askama::Template;
use askama::filters::Safe;
use axum::Router;
use axum::extract::Request;
use axum::http::{Extensions, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ondol_kernel::{Date, Millis, Rng};
use ondol_ui::screens::confirm::Confirm;
use ondol_ui::view::{Allergies, Fact, Patient, Sex, Step, Tab, steps};
use ondol_ui::{
    Choice, DiskTrouble, Form, Frame, Lang, Page, Road, Screen, SignedIn, Surroundings, T, key,
};
use ondol_ui::{moments::Age, qr};

const NOW: Millis = Millis(1_772_408_400_000);

struct MadeUp;

impl Surroundings for MadeUp {
    fn facility(&self, lang: Lang) -> String {
        word(lang, "새마을리진료소", "Saemaul village clinic")
    }

    fn road(&self) -> Road {
        Road::Down { since: NOW.plus(-5 * 3_600_000), items: 4 }
    }

    fn disk(&self) -> Option<DiskTrouble> {
        None
    }

    fn practice(&self) -> bool {
        false
    }

    fn now(&self) -> Millis {
        NOW
    }

    fn utc_offset_minutes(&self) -> i32 {
        540
    }
}

/// Not random at all: this is a gallery.
struct Dice(AtomicU8);

impl Rng for Dice {
    fn fill(&self, to: &mut [u8]) {
        to.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

fn word(lang: Lang, ko: &str, en: &str) -> String {
    match lang {
        Lang::Ko => ko.to_owned(),
        Lang::En => en.to_owned(),
    }
}

macro_rules! screens {
    ($($name:ident $path:literal)*) => {$(
        #[derive(Template)]
        #[template(path = $path)]
        #[allow(dead_code, reason = "each template shows some of the made-up content")]
        struct $name {
            t: T,
            page: Page,
            form: Form,
            patients: Vec<Patient>,
            urgencies: Vec<Choice>,
            signs: Vec<Choice>,
            steps: Vec<Step>,
            tabs: Vec<Tab>,
            facts: Vec<Fact>,
            icons: Vec<&'static str>,
            qr: Safe<String>,
            at: Millis,
        }

        impl $name {
            fn show(page: Page, form: Form) -> Response {
                let (t, lang) = (page.t, page.lang);
                Screen(Self {
                    t,
                    form,
                    patients: patients(lang),
                    urgencies: choices(lang, &URGENCIES),
                    signs: choices(lang, &SIGNS),
                    steps: consult(lang),
                    tabs: tabs(lang),
                    facts: facts(lang),
                    icons: ICONS.to_vec(),
                    qr: qr::svg("ondol:r:20411003175", "20411003175").unwrap_or(Safe(String::new())),
                    at: NOW.plus(-47 * 60_000),
                    page,
                })
                .into_response()
            }

            fn w(&self, ko: &str, en: &str) -> String {
                word(self.page.lang, ko, en)
            }
        }
    )*};
}

screens! {
    First "gallery/first.html"
    Visit "gallery/form.html"
    Consult "gallery/consult.html"
    Grid "gallery/grid.html"
    Letter "gallery/letter.html"
}

const URGENCIES: [(&str, &str); 3] =
    [("보통", "Routine"), ("급함", "Urgent"), ("구급", "Emergency")];
const SIGNS: [(&str, &str); 4] = [
    ("숨이 차다", "Short of breath"),
    ("경련", "Convulsions"),
    ("물을 마시지 못한다", "Cannot drink"),
    ("의식이 없다", "Unconscious"),
];
const ICONS: [&str; 28] = [
    "ondol",
    "person",
    "thermometer",
    "heart",
    "camera",
    "microphone",
    "send",
    "road",
    "road-cut",
    "stick",
    "printer",
    "bed",
    "pill",
    "siren",
    "clock",
    "check",
    "warning",
    "search",
    "plus",
    "back",
    "next",
    "lock",
    "swap",
    "globe",
    "paper",
    "phone",
    "pencil",
    "people",
];

fn choices(lang: Lang, words: &[(&str, &str)]) -> Vec<Choice> {
    words.iter().map(|(ko, en)| Choice::new(*en, word(lang, ko, en))).collect()
}

fn patients(lang: Lang) -> Vec<Patient> {
    let born = Date::new(2024, 12, 11).map_or(Age::Unknown, Age::Born);
    let child = Patient {
        name: word(lang, "리용희", "Ri Yong Hui"),
        sex: Sex::Female,
        age: born,
        mother: word(lang, "김복순", "Kim Pok Sun"),
        number: "2041-1003-175".to_owned(),
        provisional: false,
        photo: None,
        allergies: Allergies::NotAsked,
        died: false,
        href: "/consult".to_owned(),
    };
    let man = Patient {
        name: word(lang, "로철호", "Ro Chol Ho"),
        sex: Sex::Male,
        age: Age::About { years: 60 },
        allergies: Allergies::Known(vec![
            word(lang, "페니실린", "Penicillin"),
            word(lang, "땅콩", "Peanuts"),
        ]),
        ..child.clone()
    };
    let stranger = Patient {
        name: String::new(),
        sex: Sex::Unknown,
        age: Age::Unknown,
        mother: String::new(),
        number: "9000-0412-38".to_owned(),
        provisional: true,
        allergies: Allergies::NoneKnown,
        ..child.clone()
    };
    vec![child, man, stranger]
}

fn consult(lang: Lang) -> Vec<Step> {
    let who = word(lang, "도병원 박 의사", "Dr Pak, province");
    steps([
        (
            word(lang, "보냄", "Sent"),
            Some((word(lang, "최순옥", "Choe Sun Ok"), NOW.plus(-2_900_000))),
        ),
        (
            word(lang, "도착", "Delivered"),
            Some((word(lang, "도병원", "Province"), NOW.plus(-2_500_000))),
        ),
        (word(lang, "보았음", "Seen"), Some((who, NOW.plus(-1_200_000)))),
        (word(lang, "맡음", "Taken"), None),
    ])
}

fn tabs(lang: Lang) -> Vec<Tab> {
    [("물음", "Question", Some(2)), ("병력", "History", None), ("사진", "Pictures", Some(3))]
        .into_iter()
        .enumerate()
        .map(|(n, (ko, en, count))| Tab {
            href: format!("/consult?{n}"),
            label: word(lang, ko, en),
            current: n == 0,
            count,
        })
        .collect()
}

fn facts(lang: Lang) -> Vec<Fact> {
    vec![
        Fact::new(word(lang, "전기", "Power"), word(lang, "하루 4시간", "4 hours a day")),
        Fact::new(word(lang, "산소", "Oxygen"), word(lang, "없음", "None")),
        Fact::new(word(lang, "약", "Medicines"), word(lang, "아목시실린, ORS", "Amoxicillin, ORS")),
    ]
}

async fn visit(page: Page, request: Request) -> Response {
    let mut form = Form::of([("temperature", "38.9"), ("urgency", "Urgent"), ("weight", "92,,")]);
    if request.uri().query().is_some_and(|q| q.contains("wrong")) {
        let text = word(page.lang, "수자로 쓰십시오. 례: 9.2", "Write a number, such as 9.2.");
        form.complain("weight", word(page.lang, "몸무게", "Weight"), text);
        let text = word(page.lang, "하나를 고르십시오.", "Choose one.");
        form.complain("urgency", word(page.lang, "급한 정도", "Urgency"), text);
    }
    Visit::show(page, form)
}

async fn saved(page: Page, mut form: Form) -> Response {
    if form.number("weight").is_none() {
        let text = word(page.lang, "수자로 쓰십시오. 례: 9.2", "Write a number, such as 9.2.");
        form.complain("weight", word(page.lang, "몸무게", "Weight"), text);
        return (StatusCode::UNPROCESSABLE_ENTITY, Visit::show(page, form)).into_response();
    }
    page.done("/", key!("note-saved"))
}

async fn confirm(page: Page) -> Response {
    let lang = page.lang;
    Screen(Confirm {
        t: page.t,
        patient: patients(lang).into_iter().nth(2),
        title: word(lang, "이 기록을 취소하겠습니까?", "Take back this entry?"),
        text: word(
            lang,
            "목록에서 사라지고 까닭이 남습니다.",
            "It leaves the lists, and the reason stays.",
        ),
        facts: facts(lang),
        action: "/confirm".to_owned(),
        fields: Vec::new(),
        yes: word(lang, "기록 취소", "Take back"),
        danger: true,
        back: "/consult".to_owned(),
        page,
    })
    .into_response()
}

fn wanted(extensions: &mut Extensions, query: &str) {
    let Some(page) = extensions.get_mut::<Page>() else { return };
    page.practice = query.contains("practice");
    if query.contains("up") {
        page.road = Road::Connected;
    } else if query.contains("waiting") {
        page.road = Road::Waiting { items: 3 };
    } else if query.contains("alone") {
        page.road = Road::Alone;
    }
    let (name, role) =
        (word(page.lang, "최순옥", "Choe Sun Ok"), word(page.lang, "호담당의사", "Section doctor"));
    let lock_after_s = if query.contains("lock") { 3 } else { 300 };
    if !query.contains("stranger") {
        Page::sign_in(extensions, SignedIn { name, role, lock_after_s });
    }
}

async fn session(mut request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    wanted(request.extensions_mut(), &query);
    next.run(request).await
}

async fn broken() -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

fn screens() -> Router {
    Router::new()
        .route("/", get(async |page| First::show(page, Form::default())))
        .route("/first", post(async |page, form| First::show(page, form)))
        .route("/form", get(visit).post(saved))
        .route("/draft", post(async || StatusCode::NO_CONTENT))
        .route("/consult", get(async |page| Consult::show(page, Form::default())))
        .route("/grid", get(async |page| Grid::show(page, Form::default())))
        .route("/print", get(async |page| Letter::show(page, Form::default())))
        .route("/confirm", get(confirm))
        .route("/broken", get(broken))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port: u16 = std::env::args().nth(1).and_then(|p| p.parse().ok()).unwrap_or(8080);
    let frame = Frame {
        surroundings: Arc::new(MadeUp),
        rng: Arc::new(Dice(AtomicU8::new(0))),
        secret: [7; 32],
        https: false,
    };
    let app = ondol_ui::guard(ondol_ui::pages(screens()).layer(from_fn(session)), frame);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://127.0.0.1:{port}/");
    axum::serve(listener, app).await
}
