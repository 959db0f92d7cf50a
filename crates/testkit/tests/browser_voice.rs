//! A voice note from a telephone on the clinic's local network: pages over TLS under the nation's
//! root, which the telephone trusts after opening the file that the node hands out.

use std::{
    env,
    net::{IpAddr, Ipv4Addr},
    process::Command,
    time::Duration,
};

use crate::support;
use ondol_testkit::{
    browser::{Browser, Lang, Size, Wish},
    desk::{Desk, LINK_PATIENCE},
    filling,
    http::Request,
    node::{Country, CountryConfig, Seat},
    patience,
};

/// The clinic's address on its local network.
const ADDRESS: &str = "10.77.0.1";
const INSIDE: &str = "ONDOL_TEST_NETWORK";

const PHONE: Wish = Wish { lang: Lang::Ko, size: Size::Phone, script: true };

/// The test's own local network: `unshare` makes one that nobody else sees, so that there is an
/// address of the kind a clinic's machine has. Gives whether this process stands in it.
fn on_a_local_network(test: &str) -> bool {
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    let network = format!(
        "ip link set lo up && ip link add lan0 type veth peer name lan1 && \
         ip addr add {ADDRESS}/24 dev lan0 && ip link set lan0 up && ip link set lan1 up && \
         exec \"$0\" --exact {test} --nocapture"
    );
    let may = Command::new("id").arg("-u").output().unwrap().stdout;
    let root = String::from_utf8_lossy(&may).trim() == "0";
    let how: &[&str] = if root { &["--net"] } else { &["--user", "--map-root-user", "--net"] };
    if env::var_os("CI").is_none() && !can(how) {
        eprintln!("skipped: a network of its own cannot be made here (unshare, ip of iproute2)");
        return false;
    }
    let status = Command::new("unshare")
        .args(how)
        .args(["--kill-child", "sh", "-c", &network])
        .arg(env::current_exe().unwrap())
        .env(INSIDE, "1")
        .status()
        .unwrap();
    assert!(status.success(), "it failed on the local network");
    false
}

fn can(how: &[&str]) -> bool {
    let network = "ip link add lan0 type veth peer name lan1";
    let tried = Command::new("unshare").args(how).args(["sh", "-c", network]).output();
    tried.is_ok_and(|done| done.status.success())
}

#[test]
fn a_voice_note_is_spoken_on_a_telephone_over_tls_and_heard_by_the_specialist() {
    let test = "a_voice_note_is_spoken_on_a_telephone_over_tls_and_heard_by_the_specialist";
    if !on_a_local_network(test) {
        return;
    }
    let everywhere = Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let config = CountryConfig { https: everywhere, ..CountryConfig::for_tests() };
    let country = Country::for_test("voice", config).unwrap();
    filling::rosters(&country).unwrap();
    let node = country.url(Seat::Clinic).trim_start_matches("http://");
    let root = Request::new("GET", "/trust/ondol-root.crt").send(node).unwrap();
    assert_eq!(root.status, 200);
    let https = country.ready(Seat::Clinic).https.clone().unwrap();
    let port = https.rsplit(':').next().unwrap();
    let base = format!("https://{ADDRESS}:{port}");

    // Without the root the browser refuses.
    let wary = match Browser::start_trusting(PHONE, &[]) {
        Ok(browser) => browser,
        Err(why) if std::env::var_os("CI").is_none() => {
            eprintln!("skipped: {why}");
            return;
        }
        Err(why) => panic!("{why}"),
    };
    let said = match wary.try_open(&format!("{base}/sign-in")) {
        Ok(()) => wary.text(),
        Err(why) => why.to_string(),
    };
    assert!(said.contains("ERR_CERT_AUTHORITY_INVALID"), "{said}");
    drop(wary);

    let browser = Browser::start_trusting(PHONE, &[&root.body]).unwrap();
    let phone = Desk::of(browser, &base, PHONE);
    phone.sign_in("yonghui");
    assert_eq!(phone.browser.run("return window.isSecureContext"), true);
    let consult = ask_aloud(&phone);
    let specialist = Desk::at(country.url(Seat::Specialist), support::EN).unwrap();
    specialist.sign_in("ryonhwa");
    hear(&specialist, &consult);
}

/// Speaks for two seconds into a question about somebody, and sends it. Gives the consult's id.
fn ask_aloud(phone: &Desk) -> String {
    phone.find(&support::a_resident());
    phone.press("chart-consult");
    phone.browser.press_at("//a[contains(@href,'/skin')]");
    phone.browser.fill("question", "소리를 들어주십시오");
    phone.browser.choose("urgency", "urgent");
    phone.browser.press(Seat::Specialist.name());
    phone.press("consult-voice-start");
    phone.see("consult-voice-stop");
    std::thread::sleep(Duration::from_secs(2));
    phone.press("consult-voice-stop");
    let size =
        "const f = document.querySelector('[name=voice]').files; return f.length ? f[0].size : 0";
    let recorded = patience::until(Duration::from_secs(20), || {
        phone.browser.run(size).as_u64().filter(|size| *size > 500)
    });
    assert!(recorded.is_some_and(|size| size < 40_000), "{recorded:?} bytes for two seconds");
    phone.next();
    phone.see("consult-check");
    phone.next();
    phone.browser.see("소리를 들어주십시오");
    phone.consult_id()
}

/// Waits for the sound of a question, and listens to it.
fn hear(specialist: &Desk, consult: &str) {
    specialist.open_consult(consult);
    let here = "const a = document.querySelector('audio'); return a ? a.readyState : -1";
    let heard = patience::until(LINK_PATIENCE, || {
        specialist.go(&format!("/consult/{consult}"));
        specialist.browser.run("const a = document.querySelector('audio'); if (a) a.load()");
        patience::until(Duration::from_secs(3), || {
            (specialist.browser.run(here).as_i64()? >= 1).then_some(())
        })
    });
    assert!(heard.is_some(), "no sound can be played: {}", specialist.browser.text());
    // It is the telephone's sound, not silence of the right kind: the microphone beeps.
    let decode = "const a = document.querySelector('audio'); \
         return fetch(a.currentSrc || a.src).then(r => r.arrayBuffer()) \
         .then(b => new OfflineAudioContext(1, 48000, 48000).decodeAudioData(b)) \
         .then(s => [s.duration, Math.max(...s.getChannelData(0).map(Math.abs))])";
    let sound = specialist.browser.run(decode);
    let (seconds, loudest) = (sound[0].as_f64().unwrap(), sound[1].as_f64().unwrap());
    assert!(seconds > 1.0 && loudest > 0.05, "{seconds} s, loudest {loudest}");
}
