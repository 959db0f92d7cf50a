//! A page as it comes out of the printer: its sheets, its words, its QR code.

use std::{fs, path::Path, process::Command};

use ondol_testkit::desk::Desk;

use super::qr::{self, Grey};

/// What was printed.
pub struct Paper {
    /// How many sheets.
    pub sheets: usize,
    /// Width and height of the sheets, points.
    pub size: (f64, f64),
    /// The words, as a program reads them out of the file.
    pub words: String,
    /// Words that stand nearer to the edge than printers print.
    pub outside: Vec<String>,
    /// The text of the QR code on the first sheet.
    pub qr: Option<String>,
}

impl Paper {
    /// Whether the sheets are of A4 (595 × 842 points), upright or on their side.
    pub fn is_a4(&self, lies: bool) -> bool {
        let (width, height) = if lies { (self.size.1, self.size.0) } else { self.size };
        (width - 595.0).abs() < 2.0 && (height - 842.0).abs() < 2.0
    }

    /// The words of a text that are not on the paper. Blanks do not count: a line may be broken
    /// anywhere on paper.
    pub fn lacks<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let paper: String = self.words.split_whitespace().collect();
        text.split_whitespace().filter(|word| !paper.contains(word)).collect()
    }
}

/// Prints the page that a desk shows, as the browser's 'print' does.
pub fn print(desk: &Desk, dir: &Path, name: &str) -> Paper {
    let file = dir.join(format!("{name}.pdf"));
    desk.browser.print(&file);
    let path = file.to_string_lossy().into_owned();
    let about = said("pdfinfo", &[&path]);
    let line = |key: &str| {
        let line = about.lines().find_map(|line| line.strip_prefix(key));
        line.unwrap_or_else(|| panic!("no {key} in {about}")).trim().to_owned()
    };
    let size: Vec<f64> =
        line("Page size:").split(' ').filter_map(|word| word.parse().ok()).collect();
    let image = dir.join(name).to_string_lossy().into_owned();
    said("pdftoppm", &["-gray", "-r", "200", "-f", "1", "-l", "1", "-singlefile", &path, &image]);
    let pgm = fs::read(format!("{image}.pgm")).unwrap();
    Paper {
        sheets: line("Pages:").parse().unwrap(),
        size: (size[0], size[1]),
        words: said("pdftotext", &["-layout", &path, "-"]),
        outside: outside(&said("pdftotext", &["-bbox", &path, "-"]), (size[0], size[1])),
        qr: qr::read(&Grey::of_pgm(&pgm)),
    }
}

/// Printers leave so much of each edge blank, points: 5 mm.
const EDGE: f64 = 14.0;

/// Reads `<word xMin="…" yMin="…" xMax="…" yMax="…">…</word>`.
fn outside(boxes: &str, (width, height): (f64, f64)) -> Vec<String> {
    let words = boxes.lines().filter(|line| line.trim_start().starts_with("<word "));
    words
        .filter(|word| {
            let edge = |name: &str| -> f64 {
                let (_, rest) = word.split_once(&format!("{name}=\"")).unwrap();
                rest.split('"').next().unwrap().parse().unwrap()
            };
            let (right, bottom) = (width - EDGE, height - EDGE);
            edge("xMin") < EDGE
                || edge("yMin") < EDGE
                || edge("xMax") > right
                || edge("yMax") > bottom
        })
        .map(|word| word.trim().to_owned())
        .collect()
}

fn said(program: &str, arguments: &[&str]) -> String {
    let done = Command::new(program).args(arguments).output();
    let done = done.unwrap_or_else(|why| panic!("{program} (poppler-utils): {why}"));
    assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}
