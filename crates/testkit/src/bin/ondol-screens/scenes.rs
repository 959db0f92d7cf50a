//! Every screen and state: who looks at it, where it is, and what was done on it before.

use ondol_testkit::{browser::Key, desk::Desk, node::Seat};

use crate::{bring, story::Places};

/// A screen in one state.
pub struct Scene {
    /// The picture's name.
    pub name: &'static str,
    pub seat: Seat,
    /// Who has signed in; nobody where it is empty.
    pub login: &'static str,
    pub path: String,
    /// What is done before the picture.
    pub act: fn(&Desk),
    /// What is done after it, so that the next one finds everything as it was.
    pub after: fn(&Desk),
}

const fn nothing(_: &Desk) {}

/// All scenes, each person's together.
pub fn all(places: &Places) -> Vec<Scene> {
    let mut scenes = nobody();
    scenes.extend(health_worker(places));
    scenes.extend(health_worker_house(places));
    scenes.extend(health_worker_consults(places));
    scenes.extend(who_is_who(places));
    scenes.extend(manager());
    scenes.extend(bring::all());
    scenes.extend(specialist(places));
    scenes.extend(hospital(places));
    scenes
}

/// A screen as it is when somebody comes to it.
pub fn scene(
    seat: Seat,
    login: &'static str,
    name: &'static str,
    path: impl Into<String>,
) -> Scene {
    Scene { name, seat, login, path: path.into(), act: nothing, after: nothing }
}

impl Scene {
    /// What is done before the picture.
    pub fn when(mut self, act: fn(&Desk)) -> Self {
        self.act = act;
        self
    }

    /// What is done after it.
    pub fn then(mut self, after: fn(&Desk)) -> Self {
        self.after = after;
        self
    }
}

fn nobody() -> Vec<Scene> {
    let at = |name, path: &str| scene(Seat::Clinic, "", name, path);
    vec![
        at("sign-in", "/sign-in"),
        at("sign-in-wrong", "/sign-in").when(|desk| {
            desk.browser.fill("login", "yonghui");
            desk.browser.fill("password", "wrong");
            desk.press("door-enter");
        }),
        at("trust", "/trust"),
        at("help", "/help"),
    ]
}

fn health_worker(places: &Places) -> Vec<Scene> {
    let at = |name, path: String| scene(Seat::Clinic, "yonghui", name, path);
    let chart = format!("/people/{}", places["chart"]);
    let visit = format!("/people/{}/visits/new", places["other-chart"]);
    vec![
        at("home", "/".into()),
        at("switch", "/switch".into()),
        at("switch-pin", "/switch".into()).when(|desk| {
            desk.browser.press_at("//button[@name='account']");
        }),
        at("find", "/people".into()),
        at("find-hits", "/people".into()).when(|desk| {
            desk.browser.fill("q", "리");
            desk.press("search");
        }),
        at("find-nobody", "/people".into()).when(|desk| {
            desk.browser.fill("q", "독고탁");
            desk.press("search");
        }),
        at("register", "/people/new?kind=known".into()),
        at("register-wrong", "/people/new?kind=known".into())
            .when(|desk| {
                desk.browser.fill("born-year", "1988");
                desk.browser.fill("born-month", "13");
                desk.next();
            })
            .then(|desk| desk.go("/")),
        at("register-newborn", "/people/new?kind=newborn".into()),
        at("register-stranger", "/people/new?kind=stranger".into()),
        at("chart", chart.clone()),
        at("chart-stranger", format!("/people/{}", places["stranger"])),
        at("chart-other", format!("/people/{}", places["other-chart"])),
        at("edit", format!("{chart}/edit")),
        at("allergies", format!("{chart}/allergies")),
        at("photo", format!("{chart}/photo/new")),
        at("link", format!("/people/{}/link", places["stranger"])).when(|desk| {
            desk.browser.fill("q", "리");
            desk.press("search");
        }),
        at("visit", visit.clone()).then(|desk| desk.go("/")),
        at("visit-danger", visit.clone()).when(|desk| {
            desk.browser.fill("complaint", "숨이 참");
            desk.browser.fill("v-body-temperature", "41.2");
            desk.browser.fill("v-oxygen-saturation", "84");
            desk.browser.key(Key::Tab);
            desk.browser.shows("//*[contains(@class,'bad')]");
            desk.browser.run(
                "document.querySelector('[name=v-body-temperature]')\
                 .scrollIntoView({ block: 'center' })",
            );
        }),
        at("visit-seal", visit.clone())
            .when(|desk| {
                desk.browser.fill("complaint", "검사결과를 물음");
                desk.browser.run(
                    "const seal = document.querySelector('[name=seal]').closest('details');\
                 seal.open = true; document.querySelector('[name=seal][value=hiv]').click();\
                 seal.scrollIntoView({ block: 'end' })",
                );
            })
            .then(Desk::next),
        at("sealed", format!("/people/{}/sealed", places["other-chart"])),
        at("visit-impossible", visit).when(|desk| {
            desk.browser.fill("complaint", "숨이 참");
            desk.browser.fill("v-body-temperature", "386");
            desk.browser.fill("v-oxygen-saturation", "84");
            desk.next();
        }),
    ]
}

fn health_worker_house(places: &Places) -> Vec<Scene> {
    let at = |name, path: String| scene(Seat::Clinic, "yonghui", name, path);
    let chart = format!("/people/{}", places["chart"]);
    vec![
        at("papers", "/papers".into()),
        at("paper-day", "/papers/day".into()),
        at("paper-month", "/papers/month".into()),
        at("paper-card", format!("{chart}/card")),
        at("paper-wristband", format!("{chart}/wristband")),
        at("paper-readers", format!("{chart}/readers")),
        at("paper-summary", format!("{chart}/summary")),
        at("downtime", "/papers/downtime".into()),
        at("paper-downtime", format!("/papers/downtime/{}", places["form"])),
        at("downtime-grid", format!("/papers/downtime/{}/type", places["form"])),
        at("stock", "/stock".into()),
        at("stock-find", "/stock".into()).when(|desk| {
            desk.browser.fill("find", "ㅂㅌ");
            desk.browser.press_at("//button[@value='find']");
        }),
        at("duty", "/duty".into()),
        at("road", "/road".into()),
        at("stick", "/road/stick".into()),
        at("me", "/me".into()),
        at("me-pin", "/me/pin".into()),
        at("me-password", "/me/password".into()),
        at("me-card", "/me/card".into()),
        at("practice", "/me".into())
            .when(|desk| {
                desk.press("door-practice-enter");
                desk.go("/");
            })
            .then(|desk| desk.press("door-practice-leave")),
        at("not-found", "/nowhere".into()),
    ]
}

fn health_worker_consults(places: &Places) -> Vec<Scene> {
    let at = |name, path: String| scene(Seat::Clinic, "yonghui", name, path);
    let consult = |key: &str| format!("/consult/{}", places[key]);
    let draft = format!("/ask/{}", places["draft-chart"]);
    vec![
        at("ask-specialty", draft.clone()),
        at("ask", format!("{draft}/skin")),
        at("ask-check", format!("{draft}/skin/check")),
        at("ask-blank", format!("/ask/{}/skin", places["other-chart"])),
        at("ask-wrong", format!("/ask/{}/skin", places["other-chart"])).when(Desk::next),
        at("inbox-asked", "/inbox".into()),
        at("consult-sent", consult("sent")),
        at("consult-taken", consult("taken")),
        at("consult-answered", consult("answered")),
        at("consult-done", consult("done")),
        at("consult-acknowledge", format!("{}/do/acknowledge", consult("answered"))),
        at("consult-add", format!("{}/add", consult("taken"))),
        at("consult-outcome", format!("{}/do/outcome", consult("answered"))),
        at("paper-consult", format!("{}/sheet", consult("answered"))),
        at("refer", format!("/refer/{}", places["other-chart"])),
        at("referrals-sent", "/referrals".into()),
        at("referral-on-the-way", format!("/referral/{}", places["coming"])),
        at("referral-replied", format!("/referral/{}", places["replied"])),
        at("paper-referral", format!("/referral/{}/letter", places["coming"])),
        at("locked", "/".into()).when(|desk| {
            desk.browser.press_at("//form[@id='lock']//button");
        }),
    ]
}

/// Pairs of charts, links and deaths.
fn who_is_who(places: &Places) -> Vec<Scene> {
    let at = |name, path: String| scene(Seat::Clinic, "yonghui", name, path);
    let dead = format!("/people/{}", places["dead"]);
    vec![
        at("same-list", "/people/same".into()),
        at("same-pair", places["pair"].clone()),
        at("same-pair-wrong", places["pair"].clone()).when(Desk::next),
        at("same-linked", format!("/people/{}", places["linked"])),
        at("same-undone", places["undone"].clone()),
        at("paper-undone", format!("{}/print", places["undone"])),
        at("death-form", format!("/people/{}/death", places["other-chart"])),
        at("death-form-wrong", format!("/people/{}/death", places["other-chart"])).when(Desk::next),
        at("death-chart", dead.clone()),
        at("death-certificate", format!("{dead}/death")),
        at("death-visit", format!("{dead}/visits/new")).then(|desk| desk.go("/")),
        at("paper-death", format!("{dead}/certificate")),
    ]
}

fn manager() -> Vec<Scene> {
    let at = |name, path: &str| scene(Seat::Clinic, "songchol", name, path);
    let person = |desk: &Desk| desk.browser.press("박금옥");
    vec![
        at("home-manager", "/"),
        at("counts-clinic", "/counts"),
        at("staff", "/staff"),
        at("staff-new", "/staff/new"),
        at("staff-person", "/staff").when(person),
        at("staff-leave", "/staff").when(|desk| {
            desk.browser.press("박금옥");
            desk.browser.press_at("//a[contains(@href,'/leave')]");
        }),
        at("settings", "/settings"),
        at("lock-after", "/lock-after"),
        at("duty-none", "/duty"),
        at("duty-service", "/duty/service"),
    ]
}

fn specialist(places: &Places) -> Vec<Scene> {
    let at = |name, path: String| scene(Seat::Specialist, "ryonhwa", name, path);
    let consult = |key: &str| format!("/consult/{}", places[key]);
    let mut scenes = vec![
        at("home-specialist", "/".into()),
        at("inbox", "/inbox".into()),
        at("consult-to-answer", consult("taken")),
        at("answer", format!("{}/do/answer", consult("taken"))),
        at("message", format!("{}/do/message", consult("taken"))),
        at("regrade", format!("{}/do/regrade", consult("taken"))),
        at("redirect", format!("{}/do/redirect", consult("taken"))),
        at("chart-elsewhere", format!("/people/{}", places["taken-chart"])),
    ];
    let other = |name, path: String| scene(Seat::Specialist, "kyongho", name, path);
    scenes.push(other("inbox-to-take", "/inbox".into()));
    scenes.push(other("consult-to-take", consult("sent")));
    let head = |name, path: &str| scene(Seat::Specialist, "yongnam", name, path);
    scenes.push(head("duty-hospital", "/duty"));
    scenes.push(head("duty-week", "/duty/week"));
    scenes
}

fn hospital(places: &Places) -> Vec<Scene> {
    let doctor = |name, path: String| scene(Seat::County, "chomsu", name, path);
    let other = |name, path: String| scene(Seat::County, "tongil", name, path);
    let officer = |name, path: &str| scene(Seat::County, "myongsuk", name, path);
    let ministry = |name, path: &str| scene(Seat::Ministry, "kwangmin", name, path);
    let node = format!("/nodes/{}", places["clinic-node"]);
    vec![
        doctor("arrivals", "/referrals".into()),
        doctor("arrival", format!("/referral/{}", places["coming"])),
        doctor("reply", format!("/referral/{}/do/reply", places["replied"])),
        doctor("inbox-county", "/inbox/watched".into()),
        doctor("consult-states", format!("/consult/{}/states", places["sent"])),
        doctor("duty-county", "/duty".into()),
        other("closed", format!("/people/{}", places["other-chart"])),
        other("glass", format!("/people/{}/glass", places["other-chart"])),
        officer("home-officer", "/"),
        officer("counts-county", "/counts?days=30"),
        officer("facilities-county", "/facilities"),
        officer("road-county", "/road"),
        ministry("home-ministry", "/"),
        ministry("counts-ministry", "/counts?days=30"),
        ministry("facilities", "/facilities"),
        ministry("nodes", "/nodes"),
        ministry("nodes-one", &node),
        ministry("nodes-move", &format!("{node}/move")),
        ministry("nodes-revoke", &format!("{node}/revoke")),
        ministry("nodes-sure", &format!("{node}/revoke")).when(|desk| {
            desk.browser.press_at("//input[@name='why'][@value='stolen']/ancestor::label");
            desk.browser.fill("reason", "밤에 문이 부서지고 콤퓨터가 없어졌습니다");
            desk.next();
        }),
    ]
}
