//! Pictures of pages that are meant to be looked at.

use std::{fs, path::Path};

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{Browser, BrowserError};

/// Longer pages are cut: nobody looks at more.
const HEIGHT_MAX: f64 = 4_000.0;

impl Browser {
    /// The whole page, as long as it is (PNG).
    pub fn whole_page(&self, to: &Path) -> Result<(), BrowserError> {
        let metrics = self.driver.chromium("Page.getLayoutMetrics", &json!({}))?;
        let size = |name: &str| metrics["cssContentSize"][name].as_f64().unwrap_or(0.0);
        let seen = |name: &str| metrics["cssLayoutViewport"][name].as_f64().unwrap_or(0.0);
        let clip = json!({
            "x": 0, "y": 0, "scale": 1,
            "width": seen("clientWidth"),
            "height": size("height").clamp(seen("clientHeight"), HEIGHT_MAX),
        });
        let how = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        self.shoot(&how, to)
    }

    /// What is seen of the page without scrolling, at half the size (WebP).
    pub fn first_sight(&self, to: &Path) -> Result<(), BrowserError> {
        let metrics = self.driver.chromium("Page.getLayoutMetrics", &json!({}))?;
        let seen = &metrics["cssVisualViewport"];
        // A clip is measured from the page's beginning, which may be scrolled out of sight.
        let clip = json!({
            "x": seen["pageX"], "y": seen["pageY"], "scale": 0.5,
            "width": seen["clientWidth"], "height": seen["clientHeight"],
        });
        self.shoot(&json!({ "format": "webp", "quality": 60, "clip": clip }), to)
    }

    fn shoot(&self, how: &Value, to: &Path) -> Result<(), BrowserError> {
        let taken = self.driver.chromium("Page.captureScreenshot", how)?;
        let failed = |why: String| BrowserError::Refused { code: "picture".into(), message: why };
        let data = taken["data"].as_str().unwrap_or_default();
        let bytes = BASE64.decode(data.as_bytes()).map_err(|why| failed(why.to_string()))?;
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(|why| failed(why.to_string()))?;
        }
        fs::write(to, bytes).map_err(|why| failed(why.to_string()))
    }
}
