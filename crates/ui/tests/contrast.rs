//! The colours of the style sheet against WCAG 2.2: 4.5 to 1 for text (success criterion 1.4.3),
//! 3 to 1 for the edges of what can be touched (1.4.11).

use std::collections::HashMap;

type Palette = HashMap<String, [u8; 3]>;

/// The colours of a rule, over those of `base`.
fn palette(css: &str, selector: &str, base: &Palette) -> Palette {
    let rule = css.split_once(&format!("{selector} {{")).unwrap().1.split('}').next().unwrap();
    let mut colours = base.clone();
    for line in rule.split(';') {
        let Some((name, value)) = line.trim().split_once(": #") else { continue };
        let byte = |at: usize| u8::from_str_radix(&value[at..at + 2], 16).unwrap();
        colours.insert(name.trim_start_matches("--").to_owned(), [byte(0), byte(2), byte(4)]);
    }
    colours
}

/// Relative luminance, WCAG 2.2.
fn luminance(colour: [u8; 3]) -> f64 {
    let linear = colour.map(|c| {
        let c = f64::from(c) / 255.0;
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn ratio(a: [u8; 3], b: [u8; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

const TEXT: [(&str, &str); 22] = [
    ("ink", "paper"),
    ("ink", "card"),
    ("ink", "white"),
    ("ink", "warm"),
    ("soft", "paper"),
    ("soft", "card"),
    ("soft", "white"),
    ("soft", "warm"),
    ("accent", "paper"),
    ("accent", "card"),
    ("accent", "warm"),
    ("accent-deep", "warm"),
    ("accent-deep", "card"),
    ("white", "accent"),
    ("white", "accent-deep"),
    ("white", "danger"),
    ("white", "danger-deep"),
    ("white", "dark"),
    ("danger", "paper"),
    ("danger", "card"),
    ("danger-deep", "danger-pale"),
    ("danger-deep", "white"),
];
const EDGES: [(&str, &str); 6] = [
    ("edge", "paper"),
    ("edge", "card"),
    ("edge", "white"),
    ("accent", "paper"),
    ("accent", "line"),
    ("danger", "paper"),
];

#[test]
fn every_pair_of_colours_can_be_read() {
    let css = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/static/app.css"));
    let css = css.unwrap();
    let plain = palette(&css, ":root", &Palette::new());
    let practice = palette(&css, ".practice", &plain);
    assert_ne!(plain["paper"], practice["paper"], "practice has a colour of its own");
    for (name, colours) in [("plain", &plain), ("practice", &practice)] {
        let pairs = TEXT.map(|p| (p, 4.5)).into_iter().chain(EDGES.map(|p| (p, 3.0)));
        for ((front, back), least) in pairs {
            let found = ratio(colours[front], colours[back]);
            assert!(found >= least, "{name}: {front} on {back} is {found:.2}, below {least}");
        }
    }
    assert!(ratio(practice["white"], practice["band"]) >= 4.5);
}

#[test]
fn rules_name_colours_of_the_palette_only() {
    let css = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/static/app.css"));
    let css = css.unwrap();
    let rules = css.split_once("*, *::before").unwrap().1;
    for line in rules.lines() {
        let allowed = ["#2b2520", "#fff", "#000"];
        let known = allowed.iter().fold(line.to_owned(), |l, a| l.replace(a, ""));
        let hex = known.split('#').skip(1).any(|rest| {
            let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
            digits == 3 || digits == 6
        });
        assert!(!hex && !known.contains("rgb(") && !known.contains("hsl("), "{line}");
    }
    // What counts is what travels: a tenth of the first page's 60 KB.
    let sent = ondol_ui::assets::all().iter().find(|a| a.name == "app.css").unwrap();
    assert!(sent.gzipped.len() < 6_000, "{}", sent.gzipped.len());
}
