//! What browser tests share.
#![allow(dead_code, reason = "each test program uses its part")]

pub mod dicom;
pub mod paper;
pub mod qr;

use std::{
    fs,
    path::{Path, PathBuf},
};

use ondol_testkit::browser::{Lang, Size, Wish};

pub const KO: Wish = Wish { lang: Lang::Ko, size: Size::Desk, script: true };
pub const EN: Wish = Wish { lang: Lang::En, size: Size::Desk, script: true };

/// Somebody of the made-up village, who is there in every run.
pub fn a_resident() -> String {
    let day = ondol_kernel::Date::parse("2026-03-02").unwrap();
    let village = ondol_testkit::population::village(1, 60, day);
    let entries = village[0]["entry"].as_array().unwrap();
    entries[0]["resource"]["name"][0]["text"].as_str().unwrap().to_owned()
}

/// A photograph of a rash, as a telephone would take it: noise and blots, `side` pixels wide.
pub fn photograph(dir: &Path, side: u16) -> PathBuf {
    let mut chance = ondol_testkit::population::Chance::new(7);
    let blots: Vec<(i64, i64, i64)> = (0..24)
        .map(|_| {
            (chance.from_to(0, side.into()), chance.from_to(0, side.into()), chance.from_to(8, 60))
        })
        .collect();
    let mut pixels = Vec::with_capacity(usize::from(side) * usize::from(side) * 3);
    for y in 0..i64::from(side) {
        for x in 0..i64::from(side) {
            let inside = blots.iter().any(|(bx, by, r)| (x - bx).pow(2) + (y - by).pow(2) < r * r);
            let grain = u8::try_from(chance.from_to(0, 14)).unwrap();
            let skin: [u8; 3] = if inside { [178, 84, 76] } else { [222, 184, 160] };
            pixels.extend(skin.map(|c| c.saturating_add(grain)));
        }
    }
    let path = dir.join("photo.jpg");
    let mut bytes = vec![];
    jpeg_encoder::Encoder::new(&mut bytes, 88)
        .encode(&pixels, side, side, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

/// The machine's day in Korea, for pages that ask for one.
#[expect(clippy::disallowed_methods, reason = "the nodes of the test run on the machine's clock")]
pub fn today() -> ondol_kernel::Date {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let ms = i64::try_from(since.as_millis()).unwrap();
    ondol_kernel::Millis(ms).local(9 * 60).0
}
