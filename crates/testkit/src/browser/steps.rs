//! What a person does at a page.

use std::{fs, panic::Location, path::Path, time::Duration};

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{Browser, BrowserError, Element, webdriver};
use crate::patience;

/// How long something may take to appear.
const PATIENCE: Duration = Duration::from_secs(20);

/// Keys that are no letters (`WebDriver` §17.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// To the next field.
    Tab,
    /// To the field before.
    BackTab,
    /// Presses what has the focus.
    Enter,
    /// Presses or ticks what has the focus.
    Space,
    /// The next choice.
    Down,
    /// Away.
    Escape,
}

/// So often a page may go just when something on it was found.
const STALE_MAX: usize = 10;

impl Browser {
    /// Goes to an address.
    pub fn try_open(&self, url: &str) -> Result<(), BrowserError> {
        self.driver.post("/url", &json!({ "url": url })).map(|_| ())
    }

    /// Goes to an address.
    #[track_caller]
    pub fn open(&self, url: &str) {
        let done = self.try_open(url);
        self.must(done);
    }

    /// Loads the page again.
    #[track_caller]
    pub fn reload(&self) {
        let done = self.driver.post("/refresh", &json!({}));
        self.must(done);
    }

    /// Where the browser is.
    #[track_caller]
    pub fn url(&self) -> String {
        let url = self.driver.get("/url");
        self.must(url).as_str().unwrap_or_default().to_owned()
    }

    /// All text that can be seen.
    pub fn try_text(&self) -> Result<String, BrowserError> {
        let Some(body) = self.driver.elements("//body")?.into_iter().next() else {
            return Ok(String::new());
        };
        Ok(self.driver.get(&format!("/element/{}/text", body.0))?.as_str().unwrap_or("").to_owned())
    }

    /// All text that can be seen.
    #[track_caller]
    pub fn text(&self) -> String {
        let text = self.try_text();
        self.must(text)
    }

    /// The page as it is served now, with what scripts made of it.
    #[track_caller]
    pub fn source(&self) -> String {
        let source = self.driver.get("/source");
        self.must(source).as_str().unwrap_or_default().to_owned()
    }

    /// Whether the page says something now.
    #[track_caller]
    pub fn says(&self, words: &str) -> bool {
        self.text().contains(words)
    }

    /// Waits until the page says something, without asking for it again.
    #[track_caller]
    pub fn see(&self, words: &str) {
        let seen =
            patience::until(PATIENCE, || self.try_text().ok().filter(|text| text.contains(words)));
        let done = seen.map(|_| ()).ok_or_else(|| self.not_there(&format!("'{words}'")));
        self.must(done);
    }

    /// Asks for the page again and again until it says something.
    #[track_caller]
    pub fn see_after_reloading(&self, words: &str, within: Duration) {
        let seen = patience::until(within, || {
            if self.try_text().ok()?.contains(words) {
                return Some(());
            }
            std::thread::sleep(Duration::from_millis(400));
            let _ = self.driver.post("/refresh", &json!({}));
            None
        });
        let done = seen.ok_or_else(|| self.not_there(&format!("'{words}'")));
        self.must(done);
    }

    /// Presses the link or button that says exactly this, else the first that has it in its text.
    #[track_caller]
    pub fn press(&self, words: &str) {
        let done = self.try_press(words);
        self.must(done);
    }

    /// Presses the link or button that says this.
    pub fn try_press(&self, words: &str) -> Result<(), BrowserError> {
        let quoted = quoted(words);
        let kinds = "self::a or self::button or self::summary or self::label \
            or (self::input and (@type='submit' or @type='button')) or @role='button'";
        let exact = format!("//*[{kinds}][normalize-space(.)={quoted} or @value={quoted}]");
        let within = format!("//*[{kinds}][contains(normalize-space(.),{quoted})]");
        let element = self
            .await_visible(&[&exact, &within])?
            .ok_or_else(|| self.not_there(&format!("a link or button '{words}'")))?;
        self.click(&element)
    }

    /// Presses what an `XPath` finds first.
    #[track_caller]
    pub fn press_at(&self, xpath: &str) {
        let done = on_this_page(|| self.first(xpath).and_then(|element| self.click(&element)));
        self.must(done);
    }

    /// Types into the field of a form's name, in place of what stands there.
    #[track_caller]
    pub fn fill(&self, name: &str, text: &str) {
        let xpath = format!("//*[@name={} and not(@type='hidden')]", quoted(name));
        let find = || self.first(&xpath).and_then(|element| self.replace(&element, text));
        let done = on_this_page(find);
        self.must(done);
    }

    /// Types into the field that a label names.
    #[track_caller]
    pub fn fill_labelled(&self, label: &str, text: &str) {
        let xpath =
            format!("//*[@id=//label[contains(normalize-space(.),{})]/@for]", quoted(label));
        let done = self.first(&xpath).and_then(|element| self.replace(&element, text));
        self.must(done);
    }

    /// Ticks the choice `value` of `name`: a radio button, a box, or an entry of a list.
    #[track_caller]
    pub fn choose(&self, name: &str, value: &str) {
        let done = self.try_choose(name, value);
        self.must(done);
    }

    fn try_choose(&self, name: &str, value: &str) -> Result<(), BrowserError> {
        let (name, value) = (quoted(name), quoted(value));
        let option = format!("//select[@name={name}]/option[@value={value}]");
        if let Some(option) = self.driver.elements(&option)?.first() {
            return self.click(option);
        }
        let input = format!("//input[@name={name} and @value={value}]");
        // The small circle may be hidden behind its label, which a person touches.
        let label = format!("//label[@for={input}/@id] | {input}/ancestor::label");
        let element = self
            .await_visible(&[&label, &input])?
            .ok_or_else(|| self.not_there(&format!("the choice {name}={value}")))?;
        self.click(&element)
    }

    /// Gives a file to the field of a form's name.
    #[track_caller]
    pub fn attach(&self, name: &str, file: &Path) {
        let xpath = format!("//input[@type='file' and @name={}]", quoted(name));
        let found = self.driver.elements(&xpath).and_then(|found| {
            found
                .into_iter()
                .next()
                .ok_or_else(|| self.not_there(&format!("a file's field {name}")))
        });
        let element = self.must(found);
        self.touches.set(self.touches.get() + 1);
        let done = self.send_keys(&element, &file.to_string_lossy());
        self.must(done);
    }

    /// Whether a field, choice, link or button stands on the page, seen or not.
    #[track_caller]
    pub fn has(&self, xpath: &str) -> bool {
        let found = self.driver.elements(xpath);
        !self.must(found).is_empty()
    }

    /// Waits until something that an `XPath` finds can be seen.
    #[track_caller]
    pub fn shows(&self, xpath: &str) {
        let found = self.first(xpath);
        self.must(found);
    }

    /// Waits until the browser is at an address with this path.
    #[track_caller]
    pub fn arrives(&self, path: &str) {
        let there = patience::until(PATIENCE, || {
            let url = self.driver.get("/url").ok()?;
            let rest = url.as_str()?.split_once("://")?.1;
            let here = rest.find('/').map_or("", |at| &rest[at..]);
            (here.split(['?', '#']).next() == Some(path)).then_some(())
        });
        let done = there.ok_or_else(|| self.not_there(&format!("the page {path}")));
        self.must(done);
    }

    /// What an attribute or property of the first element of an `XPath` holds.
    #[track_caller]
    pub fn attribute(&self, xpath: &str, name: &str) -> Option<String> {
        let element = self.first(xpath);
        let element = self.must(element);
        let value = self.driver.get(&format!("/element/{}/attribute/{name}", element.0));
        self.must(value).as_str().map(str::to_owned)
    }

    /// What is typed in the field of a form's name.
    #[track_caller]
    pub fn value(&self, name: &str) -> String {
        let xpath = format!("//*[@name={} and not(@type='hidden')]", quoted(name));
        let element = self.first(&xpath);
        let element = self.must(element);
        let value = self.driver.get(&format!("/element/{}/property/value", element.0));
        self.must(value).as_str().unwrap_or_default().to_owned()
    }

    /// Types letters to whatever has the focus.
    #[track_caller]
    pub fn type_keys(&self, text: &str) {
        self.letters.set(self.letters.get() + count(text));
        let keys: Vec<Value> = text.chars().flat_map(|c| key(&c.to_string(), false)).collect();
        let done = self.act(&keys);
        self.must(done);
    }

    /// Presses one key.
    #[track_caller]
    pub fn key(&self, which: Key) {
        self.touches.set(self.touches.get() + 1);
        let (code, shift) = match which {
            Key::Tab => ("\u{e004}", false),
            Key::BackTab => ("\u{e004}", true),
            Key::Enter => ("\u{e007}", false),
            Key::Space => (" ", false),
            Key::Down => ("\u{e015}", false),
            Key::Escape => ("\u{e00c}", false),
        };
        let done = self.act(&key(code, shift));
        self.must(done);
    }

    /// Goes on with the tabulator until what has the focus is the named field, or a link or
    /// button with these words.
    #[track_caller]
    pub fn tab_to(&self, goal: &str) {
        for _ in 0..80 {
            if self.focused().is_some_and(|(name, words)| name == goal || words == goal) {
                return;
            }
            self.key(Key::Tab);
        }
        let lost: Result<(), _> = Err(self.not_there(&format!("by the tabulator, '{goal}'")));
        self.must(lost);
    }

    /// Goes on with the tabulator to a link whose address has this in it.
    #[track_caller]
    pub fn tab_to_link(&self, part: &str) {
        for _ in 0..80 {
            let active = self.driver.get("/element/active").ok();
            let active = active.as_ref().and_then(webdriver::element);
            let address = active.and_then(|element| {
                self.driver.get(&format!("/element/{}/attribute/href", element.0)).ok()
            });
            if address.is_some_and(|href| href.as_str().is_some_and(|href| href.contains(part))) {
                return;
            }
            self.key(Key::Tab);
        }
        let lost: Result<(), _> = Err(self.not_there(&format!("by the tabulator, '{part}'")));
        self.must(lost);
    }

    /// The form's name and the words of what has the focus.
    pub fn focused(&self) -> Option<(String, String)> {
        let element = webdriver::element(&self.driver.get("/element/active").ok()?)?;
        let get = |what: &str| {
            let value = self.driver.get(&format!("/element/{}/{what}", element.0)).ok();
            value.and_then(|v| v.as_str().map(|s| s.trim().to_owned())).unwrap_or_default()
        };
        Some((get("attribute/name"), get("text")))
    }

    /// Runs a script in the page and gives what it returns.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        let done = self.driver.post("/execute/sync", &json!({ "script": script, "args": [] }));
        self.must(done)
    }

    /// Forgets all cookies of this node: a new computer.
    #[track_caller]
    pub fn forget(&self) {
        let done = self.driver.delete("/cookie");
        self.must(done);
    }

    /// A picture of the whole page (JPEG).
    #[track_caller]
    pub fn picture(&self, to: &Path) {
        let done = self.try_picture(to);
        self.must(done);
    }

    fn try_picture(&self, to: &Path) -> Result<(), BrowserError> {
        let how = json!({ "format": "jpeg", "quality": 60, "captureBeyondViewport": true });
        let taken = self.driver.chromium("Page.captureScreenshot", &how)?;
        write(to, &taken)
    }

    /// The page as it would be printed on A4 (PDF).
    #[track_caller]
    pub fn print(&self, to: &Path) {
        let how = json!({ "preferCSSPageSize": true, "printBackground": true });
        let done = self.driver.chromium("Page.printToPDF", &how).and_then(|pdf| write(to, &pdf));
        self.must(done);
    }

    fn click(&self, element: &Element) -> Result<(), BrowserError> {
        self.touches.set(self.touches.get() + 1);
        // A person scrolls until nothing lies over it.
        let script = "arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })";
        let what = json!({ "script": script, "args": [webdriver::named(element)] });
        self.driver.post("/execute/sync", &what)?;
        self.driver.post(&format!("/element/{}/click", element.0), &json!({})).map(|_| ())
    }

    fn replace(&self, element: &Element, text: &str) -> Result<(), BrowserError> {
        self.touches.set(self.touches.get() + 1);
        self.letters.set(self.letters.get() + count(text));
        self.driver.post(&format!("/element/{}/clear", element.0), &json!({}))?;
        self.send_keys(element, text)
    }

    fn send_keys(&self, element: &Element, text: &str) -> Result<(), BrowserError> {
        let path = format!("/element/{}/value", element.0);
        self.driver.post(&path, &json!({ "text": text })).map(|_| ())
    }

    fn first(&self, xpath: &str) -> Result<Element, BrowserError> {
        self.await_visible(&[xpath])?.ok_or_else(|| self.not_there(xpath))
    }

    /// The first element that can be seen, of the first `XPath` that has one.
    fn await_visible(&self, xpaths: &[&str]) -> Result<Option<Element>, BrowserError> {
        let mut trouble = None;
        let found = patience::until(PATIENCE / 4, || {
            for xpath in xpaths {
                match self.visible(xpath) {
                    Ok(Some(element)) => return Some(element),
                    Ok(None) => {}
                    Err(why) => trouble = Some(why),
                }
            }
            None
        });
        match (found, trouble) {
            (None, Some(why)) => Err(why),
            (found, _) => Ok(found),
        }
    }

    fn visible(&self, xpath: &str) -> Result<Option<Element>, BrowserError> {
        for element in self.driver.elements(xpath)? {
            if self.driver.get(&format!("/element/{}/displayed", element.0))? == Value::Bool(true) {
                return Ok(Some(element));
            }
        }
        Ok(None)
    }

    fn act(&self, keys: &[Value]) -> Result<(), BrowserError> {
        let source = json!({ "type": "key", "id": "keys", "actions": keys });
        self.driver.post("/actions", &json!({ "actions": [source] })).map(|_| ())
    }

    fn not_there(&self, what: &str) -> BrowserError {
        let url = self.driver.get("/url").ok();
        BrowserError::NotThere {
            what: what.to_owned(),
            url: url.and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default(),
            page: self.try_text().unwrap_or_default(),
        }
    }

    #[track_caller]
    fn must<T>(&self, done: Result<T, BrowserError>) -> T {
        match done {
            Ok(value) => value,
            Err(why) => {
                let at = Location::caller();
                let file = at.file().rsplit('/').next().unwrap_or("test");
                let name = format!("{file}-{}.jpg", at.line());
                let picture = crate::target_dir().join("browser-failures").join(name);
                let shown = self.try_picture(&picture).is_ok();
                let hint = if shown {
                    format!("\n(picture: {})", picture.display())
                } else {
                    String::new()
                };
                panic!("{why}{hint}")
            }
        }
    }
}

fn key(code: &str, shift: bool) -> Vec<Value> {
    let mut keys = vec![
        json!({ "type": "keyDown", "value": code }),
        json!({ "type": "keyUp", "value": code }),
    ];
    if shift {
        keys.insert(0, json!({ "type": "keyDown", "value": "\u{e008}" }));
        keys.push(json!({ "type": "keyUp", "value": "\u{e008}" }));
    }
    keys
}

/// Keys that are pressed for a text; a Korean syllable takes one for each of its letters, two for
/// those letters that are composed on the keyboard (ㅘ, ㄳ …).
fn count(text: &str) -> u32 {
    text.chars().map(presses).sum()
}

fn presses(letter: char) -> u32 {
    /// Vowels and final consonants that take two keys, by their places in Unicode's syllables.
    const VOWELS: [u32; 7] = [9, 10, 11, 14, 15, 16, 19];
    const FINALS: [u32; 11] = [3, 5, 6, 9, 10, 11, 12, 13, 14, 15, 18];
    if !('가'..='힣').contains(&letter) {
        return 1;
    }
    let place = u32::from(letter) - u32::from('가');
    let (vowel, last) = (place / 28 % 21, place % 28);
    let last_presses = u32::from(last > 0) + u32::from(FINALS.contains(&last));
    2 + u32::from(VOWELS.contains(&vowel)) + last_presses
}

/// An `XPath` literal.
fn quoted(text: &str) -> String {
    if text.contains('\'') { format!("\"{text}\"") } else { format!("'{text}'") }
}

fn write(to: &Path, taken: &Value) -> Result<(), BrowserError> {
    let failed = |why: String| BrowserError::Refused { code: "picture".into(), message: why };
    let data = taken["data"].as_str().unwrap_or_default();
    let bytes = BASE64.decode(data.as_bytes()).map_err(|why| failed(why.to_string()))?;
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(|why| failed(why.to_string()))?;
    }
    fs::write(to, bytes).map_err(|why| failed(why.to_string()))
}

/// A page that goes between the look for something and what is done with it is no failure: it is
/// looked for on the page that comes.
fn on_this_page(mut act: impl FnMut() -> Result<(), BrowserError>) -> Result<(), BrowserError> {
    let mut last = act();
    for _ in 0..STALE_MAX {
        match &last {
            Err(BrowserError::Refused { code, .. }) if code == "stale element reference" => {}
            _ => break,
        }
        std::thread::sleep(Duration::from_millis(100));
        last = act();
    }
    last
}
