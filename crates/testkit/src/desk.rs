//! A person at a computer of a facility: the steps of the daily work, said by what they mean, on
//! the real screens. They run in every language, with and without script.

use std::{path::Path, time::Duration};

use ondol_kernel::Date;

use crate::{
    browser::{Browser, Lang, Wish},
    node::PASSWORD,
    words::Words,
};

/// How long something may take to come over an emulated link.
pub const LINK_PATIENCE: Duration = Duration::from_secs(90);

/// A browser at a node.
#[derive(Debug)]
pub struct Desk {
    /// The browser.
    pub browser: Browser,
    /// The texts of its language.
    pub words: Words,
    base: String,
    script: bool,
}

/// What is known of somebody who is registered.
#[derive(Debug, Clone, Copy)]
pub struct Stranger<'a> {
    /// The name.
    pub name: &'a str,
    /// `female`, `male`.
    pub sex: &'a str,
    /// Completed years.
    pub age: &'a str,
}

/// A visit as it is typed.
#[derive(Debug, Clone, Copy)]
pub struct VisitTyped<'a> {
    /// What the person complains of.
    pub complaint: &'a str,
    /// Signs by their keys (`body-temperature`), as typed.
    pub signs: &'a [(&'a str, &'a str)],
    /// Words by which a diagnosis is searched; the first that is offered is taken.
    pub diagnosis: &'a str,
    /// A note; may be empty.
    pub note: &'a str,
    /// The day of care, if it is not today.
    pub day: Option<Date>,
}

/// A question as it is typed.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The specialty's code.
    pub specialty: &'a str,
    /// The name of the hospital that is asked.
    pub place: &'a str,
    /// `stat`, `urgent`, `routine`.
    pub urgency: &'a str,
    /// The question.
    pub text: &'a str,
    /// A picture that goes along.
    pub picture: Option<&'a Path>,
}

impl Desk {
    /// A new computer at a node, or `None` where no browser is installed.
    pub fn at(base: &str, wish: Wish) -> Option<Self> {
        Some(Self::of(Browser::start_or_skip(wish)?, base, wish))
    }

    /// A browser, as wished, at a node.
    pub fn of(browser: Browser, base: &str, wish: Wish) -> Self {
        let words = Words::of(wish.lang);
        Self { browser, words, base: base.to_owned(), script: wish.script }
    }

    /// The language.
    pub fn set_lang(&mut self, lang: Lang) {
        self.words = Words::of(lang);
    }

    /// The address of the node.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Goes to a path of the node.
    #[track_caller]
    pub fn go(&self, path: &str) {
        self.browser.open(&format!("{}{path}", self.base));
    }

    /// The text of a key in the desk's language.
    #[track_caller]
    pub fn say(&self, key: &str) -> &str {
        self.words.say(key)
    }

    /// Presses what says the text of a key.
    #[track_caller]
    pub fn press(&self, key: &str) {
        self.browser.press(self.words.say(key));
    }

    /// Presses the one next step of the page.
    #[track_caller]
    pub fn next(&self) {
        self.browser.press_at(
            "//*[contains(concat(' ',@class,' '),' actions ')]\
             //*[contains(concat(' ',@class,' '),' primary ')]",
        );
    }

    /// Waits until the page says the text of a key.
    #[track_caller]
    pub fn see(&self, key: &str) {
        self.browser.see(self.words.say(key));
    }

    /// Signs in with the demo's password.
    #[track_caller]
    pub fn sign_in(&self, login: &str) {
        self.go("/sign-in");
        self.browser.fill("login", login);
        self.browser.fill("password", PASSWORD);
        self.press("door-enter");
        self.see("lock");
    }

    /// Looks for somebody and opens the chart.
    #[track_caller]
    pub fn find(&self, name: &str) {
        self.look_for(name);
        self.browser.press(name);
    }

    /// Looks for somebody from the first page, and waits for the answer: the driver may say that
    /// the button is pressed before the page goes.
    #[track_caller]
    pub fn look_for(&self, name: &str) {
        self.go("/");
        self.browser.fill("q", name);
        self.press("search");
        self.browser.arrives("/people");
    }

    /// Registers somebody who lives here, after having looked for the name. Gives the chart's id.
    #[track_caller]
    pub fn register(&self, who: Stranger<'_>) -> String {
        self.look_for(who.name);
        self.press("people-new");
        self.browser.choose("sex", who.sex);
        self.browser.fill("age", who.age);
        self.next();
        self.browser.see(who.name);
        self.chart_id()
    }

    /// The id of the person whose page this is.
    #[track_caller]
    pub fn chart_id(&self) -> String {
        let url = self.browser.url();
        let rest = url.split("/people/").nth(1).unwrap_or_default();
        let id = rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned();
        assert!(!id.is_empty() && id != "new", "no chart is open: {url}\n{}", self.browser.text());
        id
    }

    /// Types a visit, from the chart.
    #[track_caller]
    pub fn visit(&self, visit: VisitTyped<'_>) {
        self.next();
        self.browser.fill("complaint", visit.complaint);
        for (sign, value) in visit.signs {
            self.browser.fill(&format!("v-{sign}"), value);
        }
        if !visit.diagnosis.is_empty() {
            self.browser.fill("dx-find", visit.diagnosis);
            if !self.script {
                self.browser.press_at("//button[@value='dx-find']");
            }
            // Until the answer comes, what is offered for nothing typed stands there still.
            let found = format!(
                "//*[@id='dx-results'][.//button[@value='dx-words'][contains(.,'{}')]]\
                 //button[starts-with(@value,'dx-add')]",
                visit.diagnosis
            );
            self.browser.press_at(&found);
            self.browser.press_at("//*[@id='dx']//ul[@class='picked']//b");
        }
        if !visit.note.is_empty() {
            self.browser.fill("note", visit.note);
        }
        if let Some(day) = visit.day {
            self.press("encounter-when-more");
            self.browser.choose("when", "before");
            self.browser.fill("at-year", &day.year().to_string());
            self.browser.fill("at-month", &day.month().to_string());
            self.browser.fill("at-day", &day.day().to_string());
            self.browser.fill("at-time", "10:30");
        }
        self.next();
        self.browser.see(visit.complaint);
        assert!(
            !self.browser.url().contains("/visits/"),
            "the visit was not saved:\n{}",
            self.browser.text()
        );
    }

    /// Asks a specialist, from the chart. Gives the consult's id.
    #[track_caller]
    pub fn ask(&self, question: Question<'_>) -> String {
        self.press("chart-consult");
        self.browser.press_at(&format!("//a[contains(@href,'/{}')]", question.specialty));
        self.browser.fill("question", question.text);
        self.browser.choose("urgency", question.urgency);
        self.browser.press(question.place);
        if let Some(picture) = question.picture {
            self.browser.attach("file", picture);
        }
        self.next();
        self.see("consult-check");
        self.next();
        self.browser.see(question.text);
        self.consult_id()
    }

    /// The id of the consult whose page this is.
    #[track_caller]
    pub fn consult_id(&self) -> String {
        let url = self.browser.url();
        let id = url.split("/consult/").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next());
        let id = id.unwrap_or_default().to_owned();
        assert!(!id.is_empty(), "no consult is open: {url}\n{}", self.browser.text());
        id
    }

    /// Waits for a consult in the inbox and opens it.
    #[track_caller]
    pub fn open_consult(&self, id: &str) {
        self.go(&format!("/consult/{id}"));
        self.browser.see_after_reloading(self.words.say("consult-question"), LINK_PATIENCE);
    }

    /// Takes the consult that is open.
    #[track_caller]
    pub fn take(&self) {
        self.press("consult-do-take");
        self.see("note-consult-taken");
    }

    /// Answers the consult that is open and taken.
    #[track_caller]
    pub fn answer(&self, findings: &str, advice: &str, worry: &str) {
        self.next();
        self.browser.fill("findings", findings);
        self.browser.fill("advice", advice);
        self.browser.fill("worry", worry);
        self.next();
        self.see("note-consult-answered");
    }

    /// Sends the person of the open chart to a hospital, with the letter. Gives the referral's id.
    #[track_caller]
    pub fn refer(&self, place: &str, specialty: &str, reason: &str) -> String {
        self.press("chart-refer");
        self.browser.fill("reason", reason);
        self.browser.choose("urgency", "urgent");
        self.browser.press(place);
        self.browser.choose("specialty", specialty);
        self.browser.choose("needs", "oxygen");
        self.next();
        self.see("referral-title");
        let url = self.browser.url();
        let id = url.split("/referral/").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next());
        let id = id.unwrap_or_default().to_owned();
        assert!(!id.is_empty(), "no referral is open: {url}\n{}", self.browser.text());
        id
    }

    /// Tells how a consult ended.
    #[track_caller]
    pub fn tell_outcome(&self, outcome: &str, note: &str) {
        self.press("consult-do-outcome");
        self.browser.choose("outcome", outcome);
        self.browser.fill("message", note);
        self.next();
    }

    /// Waits for the answer to the consult that is open, and says that it was read.
    #[track_caller]
    pub fn acknowledge(&self, advice: &str) {
        self.browser.see_after_reloading(advice, LINK_PATIENCE);
        self.next();
        self.next();
        self.see("note-consult-acknowledged");
    }
}
