//! A real Chromium, driven as a person would: by what stands on the page, by keys, by touch.
//!
//! Steps that fail panic with the page's text and leave a picture of it in
//! `target/browser-failures`, because they are steps of tests.

mod network;
mod shots;
mod steps;
mod webdriver;

use std::{
    cell::Cell,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use serde_json::{Value, json};

use crate::patience;

pub use network::{Loaded, Visit};
pub use steps::Key;
use webdriver::WebDriver;
pub use webdriver::{BrowserError, Element};

/// So long a download may take.
const DOWNLOAD: Duration = Duration::from_secs(20);

/// The language that a browser asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// Korean as it is written in the north.
    Ko,
    /// English.
    En,
}

impl Lang {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ko, Self::En];

    /// BCP 47.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Ko => "ko-KP",
            Self::En => "en",
        }
    }
}

/// What the browser shows on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// The screen of an old PC, 1024×768.
    Desk,
    /// A telephone, 390×844, touched.
    Phone,
}

impl Size {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Desk, Self::Phone];

    /// Width and height, CSS pixels.
    pub const fn pixels(self) -> (u32, u32) {
        match self {
            Self::Desk => (1024, 768),
            Self::Phone => (390, 844),
        }
    }

    /// For names of files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Phone => "phone",
        }
    }
}

/// How a browser is to be.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// The language it asks for.
    pub lang: Lang,
    /// What it shows on.
    pub size: Size,
    /// Whether scripts of pages run.
    pub script: bool,
}

/// A browser with an empty profile, until it is dropped.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    profile: Profile,
    /// Clicks, taps, and keys that were pressed one by one.
    touches: Cell<u32>,
    /// Keys that were pressed to type.
    letters: Cell<u32>,
}

impl Browser {
    /// A browser with script.
    pub fn start(lang: Lang, size: Size) -> Result<Self, BrowserError> {
        Self::start_as(Wish { lang, size, script: true })
    }

    /// A browser as wished. It does not ask who certified a page.
    pub fn start_as(wish: Wish) -> Result<Self, BrowserError> {
        Self::start_with(wish, None)
    }

    /// A browser as wished that trusts nobody but those whom one of `roots`, certificates as nodes
    /// hand them out, certified: as that of a user who opened these files.
    pub fn start_trusting(wish: Wish, roots: &[&[u8]]) -> Result<Self, BrowserError> {
        Self::start_with(wish, Some(roots))
    }

    fn start_with(wish: Wish, roots: Option<&[&[u8]]>) -> Result<Self, BrowserError> {
        let (chromium, driver) = installed()?;
        let profile = Profile::new().map_err(|why| BrowserError::Start(why.to_string()))?;
        let mut capabilities = capabilities(&chromium, &profile, wish);
        match roots {
            Some(roots) => trust(&profile, roots)?,
            None => believe_everybody(&mut capabilities),
        }
        let driver = WebDriver::start(&driver, &profile.0, &capabilities)?;
        let browser = Self { driver, profile, touches: Cell::default(), letters: Cell::default() };
        let downloads = browser.profile().join("downloads");
        let allowed = json!({ "behavior": "allow", "downloadPath": downloads });
        browser.driver.chromium("Browser.setDownloadBehavior", &allowed)?;
        if wish.size == Size::Desk || !wish.script {
            let (width, height) = wish.size.pixels();
            let mobile = wish.size == Size::Phone;
            let screen = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
            browser.driver.chromium("Emulation.setDeviceMetricsOverride", &screen)?;
        }
        Ok(browser)
    }

    /// A browser, or `None` where none is installed: then the test says so and passes, except
    /// where `CI` is set.
    pub fn start_or_skip(wish: Wish) -> Option<Self> {
        match Self::start_as(wish) {
            Ok(browser) => Some(browser),
            Err(BrowserError::Missing(what)) if env::var_os("CI").is_none() => {
                eprintln!("skipped: {what} is not installed");
                None
            }
            Err(why) => panic!("the browser did not start: {why}"),
        }
    }

    /// Where the browser keeps its profile; downloads go to `downloads` in it.
    pub fn profile(&self) -> &Path {
        &self.profile.0
    }

    /// The next file that is downloaded whole; it is taken out of the folder of downloads.
    pub fn take_download(&self, to: &Path) -> Option<PathBuf> {
        let folder = self.profile().join("downloads");
        patience::until(DOWNLOAD, || {
            let found = fs::read_dir(&folder).ok()?.flatten().map(|entry| entry.path());
            let whole = found.filter(|path| path.extension().is_some_and(|e| e != "crdownload"));
            let path = { whole }.find(|path| path.metadata().is_ok_and(|about| about.len() > 0))?;
            let target = to.join(path.file_name()?);
            fs::copy(&path, &target).ok()?;
            fs::remove_file(&path).ok()?;
            Some(target)
        })
    }

    /// Touches (clicks, taps, single keys), and keys pressed to type, since the last call.
    pub fn take_counts(&self) -> (u32, u32) {
        (self.touches.take(), self.letters.take())
    }
}

/// Where Chromium and its driver are: `ONDOL_CHROMIUM` and `ONDOL_CHROMEDRIVER`, else the path.
fn installed() -> Result<(String, String), BrowserError> {
    let find = |variable: &str, names: &[&str], what| {
        if let Ok(path) = env::var(variable) {
            return Ok(path);
        }
        let path = env::var_os("PATH").unwrap_or_default();
        names
            .iter()
            .flat_map(|name| env::split_paths(&path).map(move |dir| dir.join(name)))
            .find(|file| file.is_file())
            .map(|file| file.to_string_lossy().into_owned())
            .ok_or(BrowserError::Missing(what))
    };
    let chromium = find("ONDOL_CHROMIUM", &["chromium", "google-chrome", "chrome"], "chromium")?;
    Ok((chromium, find("ONDOL_CHROMEDRIVER", &["chromedriver"], "chromedriver")?))
}

/// Certificates are not looked at, as if each warning had been clicked away.
fn believe_everybody(capabilities: &mut Value) {
    if let Some(arguments) = capabilities["goog:chromeOptions"]["args"].as_array_mut() {
        arguments.push(json!("--ignore-certificate-errors"));
    }
}

/// Makes the store of certificates of the user whose home the profile is.
fn trust(profile: &Profile, roots: &[&[u8]]) -> Result<(), BrowserError> {
    let failed = |why: std::io::Error| BrowserError::Start(why.to_string());
    let folder = profile.0.join(".pki/nssdb");
    fs::create_dir_all(&folder).map_err(failed)?;
    let store = format!("sql:{}", folder.display());
    let certutil = |arguments: &[&str]| {
        let done = Command::new("certutil").args(["-d", &store]).args(arguments).output();
        let done = done.map_err(|_| BrowserError::Missing("certutil (libnss3-tools)"))?;
        let said = || String::from_utf8_lossy(&done.stderr).into_owned();
        if done.status.success() { Ok(()) } else { Err(BrowserError::Start(said())) }
    };
    certutil(&["-N", "--empty-password"])?;
    for (at, root) in roots.iter().enumerate() {
        let file = profile.0.join(format!("root-{at}.crt"));
        fs::write(&file, root).map_err(failed)?;
        let name = format!("root-{at}");
        certutil(&["-A", "-n", &name, "-t", "C,,", "-i", &file.to_string_lossy()])?;
    }
    Ok(())
}

fn capabilities(chromium: &str, profile: &Profile, wish: Wish) -> Value {
    let (width, height) = wish.size.pixels();
    let accept = match wish.lang {
        Lang::Ko => "ko-KP,ko",
        Lang::En => "en",
    };
    let mut options = json!({
        "binary": chromium,
        "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--disable-default-apps", "--disable-dev-shm-usage",
            "--disable-features=OptimizationHints,MediaRouter,Translate,AutofillServerCommunication",
            "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", profile.0.display()),
        ],
        "prefs": {
            "intl.accept_languages": accept,
            "credentials_enable_service": false,
            "download.default_directory": profile.0.join("downloads"),
        },
    });
    if !wish.script {
        options["prefs"]["profile.managed_default_content_settings.javascript"] = json!(2);
    }
    // The driver's taps wait for ever for a script where none may run: there the phone is only
    // its screen, and is clicked.
    if wish.size == Size::Phone && wish.script {
        options["mobileEmulation"] = json!({ "deviceMetrics": {
            "width": width, "height": height, "pixelRatio": 1, "touch": true, "mobile": true
        } });
    }
    json!({
        "browserName": "chrome",
        "goog:chromeOptions": options,
        "goog:loggingPrefs": { "performance": "ALL", "browser": "ALL" },
        "unhandledPromptBehavior": "accept",
    })
}

/// A directory that goes when the browser goes.
#[derive(Debug)]
struct Profile(PathBuf);

impl Profile {
    fn new() -> std::io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ondol-browser-{}-{count}", std::process::id());
        let path = env::temp_dir().join(name);
        fs::create_dir_all(path.join("downloads"))?;
        Ok(Self(path))
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        // Chromium's last children may still write for a moment.
        for _ in 0..5 {
            if fs::remove_dir_all(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }
}
