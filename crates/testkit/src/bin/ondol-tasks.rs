//! `ondol-tasks`: does the tasks of a day on the real screens, counts touches and keys, and prints
//! `docs/tasks.md`.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode};

use clap::Parser;
use ondol_testkit::{
    browser::{Lang, Size, Wish},
    desk::{Desk, LINK_PATIENCE, Question, Stranger, VisitTyped},
    filling,
    node::{Country, CountryConfig, Seat},
    patience::Stopwatch,
    population,
};

/// Does the tasks of a day in a real browser, counts touches and seconds, and prints the page
/// `docs/tasks.md`.
#[derive(Debug, Parser)]
#[command(name = "ondol-tasks", version, about)]
struct Arguments {
    /// Writes the page there instead of printing it.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// What a person's hand takes, seconds, by the keystroke-level model (Card, Moran and Newell,
/// Communications of the ACM 23(7), 1980, pages 396–410): a key for someone unfamiliar with the
/// keyboard 1.20, for an average typist 0.28; pointing 1.10; thinking before a step 1.35.
const KEY_NEW: f64 = 1.2;
const KEY_USED: f64 = 0.28;
const TOUCH: f64 = 1.1 + 1.35;

struct Task {
    name: &'static str,
    touches: u32,
    keys: u32,
    machine: f64,
}

impl Task {
    fn hand(&self, key: f64) -> f64 {
        f64::from(self.touches) * TOUCH + f64::from(self.keys) * key
    }
}

#[derive(Default)]
struct Count(Vec<Task>);

impl Count {
    fn task<T>(&mut self, name: &'static str, desk: &Desk, work: impl FnOnce() -> T) -> T {
        desk.browser.take_counts();
        let watch = Stopwatch::start();
        let done = work();
        let machine = watch.elapsed().as_secs_f64();
        let (touches, keys) = desk.browser.take_counts();
        eprintln!("{name}: {touches} touches, {keys} keys, {machine:.1} s");
        self.0.push(Task { name, touches, keys, machine });
        done
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let page = match counted() {
        Ok(count) => page(&count),
        Err(why) => {
            eprintln!("ondol-tasks: {why}");
            return ExitCode::FAILURE;
        }
    };
    match arguments.out {
        None => print!("{page}"),
        Some(path) => {
            if let Err(why) = std::fs::write(&path, page) {
                eprintln!("ondol-tasks: {}: {why}", path.display());
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn counted() -> Result<Count, Box<dyn std::error::Error>> {
    let country = Country::for_test("tasks", CountryConfig::for_tests())?;
    filling::rosters(&country)?;
    let wish = Wish { lang: Lang::Ko, size: Size::Desk, script: true };
    let at = |seat| Desk::at(country.url(seat), wish).ok_or("there is no browser");
    let clinic = at(Seat::Clinic)?;
    let mut count = Count::default();
    at_the_door(&mut count, &clinic);
    let consult = at_the_clinic(&mut count, &clinic);
    let specialist = at(Seat::Specialist)?;
    specialist.sign_in("ryonhwa");
    let advice = "고약을 하루 두번 바르십시오";
    count.task("Specialist: open the case and take it", &specialist, || {
        specialist.open_consult(&consult);
        specialist.take();
    });
    count.task("Specialist: answer with findings, advice, when to worry", &specialist, || {
        specialist.answer("접촉성피부염", advice, "열이 나면 알리십시오");
    });
    clinic.go(&format!("/consult/{consult}"));
    clinic.browser.see_after_reloading(advice, LINK_PATIENCE);
    count.task("Read the answer and say so", &clinic, || clinic.acknowledge(advice));
    clinic.go(&format!("/consult/{consult}"));
    count.task("Tell how it ended", &clinic, || clinic.tell_outcome("improved", ""));
    Ok(count)
}

fn at_the_door(count: &mut Count, clinic: &Desk) {
    count.task("Sign in in the morning", clinic, || clinic.sign_in("yonghui"));
    count.task("Lock and come back by PIN", clinic, || {
        clinic.press("lock");
        clinic.browser.fill("pin", "4821");
        clinic.press("door-enter");
        clinic.see("lock");
    });
}

/// Somebody of the made-up village.
fn a_resident() -> Option<String> {
    let village = population::village(1, 60, ondol_kernel::Date::parse("2026-03-02")?);
    let name = &village[0]["entry"][0]["resource"]["name"][0]["text"];
    Some(name.as_str()?.to_owned())
}

fn at_the_clinic(count: &mut Count, clinic: &Desk) -> String {
    let resident = a_resident().unwrap_or_default();
    count.task("Find somebody who lives here", clinic, || clinic.find(&resident));
    count.task("Register somebody with name, sex and age", clinic, || {
        clinic.register(Stranger { name: "리봄순", sex: "female", age: "34" })
    });
    count.task("A usual visit: complaint, four signs, diagnosis, medicine", clinic, || {
        usual_visit(clinic);
    });
    count.task("A visit with the complaint alone", clinic, || {
        clinic.visit(VisitTyped {
            complaint: "기침",
            signs: &[],
            diagnosis: "",
            note: "",
            day: None,
        });
    });
    count.task("Ask a specialist", clinic, || {
        clinic.ask(Question {
            specialty: "skin",
            place: Seat::Specialist.name(),
            urgency: "urgent",
            text: "무엇을 발라야 합니까?",
            picture: None,
        })
    })
}

/// As most visits are: the diagnosis is one of those that stand there, the medicine is searched.
fn usual_visit(clinic: &Desk) {
    let browser = &clinic.browser;
    clinic.next();
    browser.fill("complaint", "팔에 붉은 반점");
    for (sign, value) in [
        ("body-temperature", "37.2"),
        ("heart-rate", "82"),
        ("systolic-pressure", "120"),
        ("diastolic-pressure", "80"),
    ] {
        browser.fill(&format!("v-{sign}"), value);
    }
    browser.press_at("(//*[@id='dx-results']//button[starts-with(@value,'dx-add')])[1]");
    browser.fill("med-find", "파라");
    browser.press_at("(//*[@id='med-results']//button[starts-with(@value,'med-add')])[1]");
    browser.fill("med-0-dose", "1알씩 3번");
    browser.fill("med-0-days", "5");
    clinic.next();
    browser.see("37.2");
    let url = browser.url();
    assert!(!url.contains("/visits/"), "the visit was not saved:\n{}", browser.text());
}

fn page(count: &Count) -> String {
    let mut page = String::from(
        "# Touches and seconds of each task\n\n\
         Made by `cargo run --package ondol-testkit --bin ondol-tasks`, which does each task on the real\n\
         screens of real nodes, in Chromium, in Korean, at 1024×768, and counts. A *touch* is a click, a tap\n\
         or a single key; *keys* are those pressed to type, each letter of a Korean syllable being one.\n\n\
         *Hand* is how long a person's hand and head take by the keystroke-level model (Card, Moran and\n\
         Newell, Communications of the ACM 23(7), 1980, pages 396–410): 1.10 s to point and 1.35 s to think\n\
         before each touch; 1.20 s for a key for somebody to whom the keyboard is new, 0.28 s for an average\n\
         typist. It is a model, not a measurement of people. *Machine* is how long node and browser took in\n\
         this run, waiting for the link included.\n\n\
         | task | touches | keys | hand, new | hand, used to it | machine |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for task in &count.0 {
        let _ = writeln!(
            page,
            "| {} | {} | {} | {:.0} s | {:.0} s | {:.1} s |",
            task.name,
            task.touches,
            task.keys,
            task.hand(KEY_NEW),
            task.hand(KEY_USED),
            task.machine
        );
    }
    page
}
