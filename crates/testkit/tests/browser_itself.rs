//! The browser as the tests use it, at a page of our own.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use ondol_testkit::browser::{Browser, Key, Lang, Size, Wish};

const PAGE: &str = "<!doctype html><html lang=ko><meta charset=utf-8>\
    <meta name=viewport content='width=device-width'><title>t</title>\
    <body><h1>온돌</h1><p id=s>script is off</p>\
    <form action=/done><label for=n>이름</label><input id=n name=name>\
    <input type=radio name=sex value=f id=f><label for=f>녀성</label>\
    <input type=radio name=sex value=m id=m><label for=m>남성</label>\
    <select name=list><option value=a>A<option value=b>B</select>\
    <button>저장</button></form><a href=/next><svg width=8 height=8></svg><span>다음 장</span></a>\
    <script>document.getElementById('s').textContent='script is on '+innerWidth</script>";

/// Serves one page under every address; its first lines say what was asked.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut buffer = [0; 8_192];
            let length = stream.read(&mut buffer).unwrap_or(0);
            let asked = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let path = asked.split(' ').nth(1).unwrap_or("").to_owned();
            let language = asked.lines().find(|l| l.to_lowercase().starts_with("accept-language"));
            let body = format!("{PAGE}<pre>asked {path}\n{}</pre>", language.unwrap_or("none"));
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n";
            let _ = write!(
                stream,
                "{head}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    base
}

#[test]
fn a_person_fills_a_form_and_all_that_was_asked_of_the_network_is_known() {
    let base = serve();
    let wish = Wish { lang: Lang::Ko, size: Size::Desk, script: true };
    let Some(browser) = Browser::start_or_skip(wish) else { return };
    browser.open(&format!("{base}/"));
    browser.see("script is on 1024");
    browser.see("ko-KP");
    browser.fill_labelled("이름", "리용희");
    browser.choose("sex", "f");
    browser.choose("list", "b");
    browser.press("저장");
    browser.see("list=b");
    assert!(browser.url().contains("sex=f&list=b"), "{}", browser.url());
    // 리 two keys, 용 three, 희 three.
    assert_eq!(browser.take_counts(), (4, 8));
    browser.press("다음 장");
    browser.see("asked /next");
    let visit = browser.take_network().unwrap();
    assert!(visit.loaded.len() >= 3, "{visit:?}");
    assert!(visit.bytes() > 2_000, "{visit:?}");
    assert_eq!(visit.outside(&base).count(), 0, "{visit:?}");
}

#[test]
fn without_script_a_telephone_is_used_by_keys_alone() {
    let base = serve();
    let wish = Wish { lang: Lang::En, size: Size::Phone, script: false };
    let Some(browser) = Browser::start_or_skip(wish) else { return };
    browser.open(&format!("{base}/"));
    browser.see("script is off");
    browser.tab_to("name");
    browser.type_keys("Ri");
    browser.tab_to("저장");
    browser.key(Key::Enter);
    browser.see("name=Ri");
}
