//! QR codes for cards, wristbands and letters.

use askama::filters::Safe;
use qrcode::{Color, EcLevel, QrCode, types::QrError};
use std::fmt::Write as _;

/// A QR code cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum DrawQr {
    /// The text is longer than the largest code can hold.
    #[error("the text does not fit into a QR code")]
    TooLong(#[source] QrError),
}

/// An inline SVG of a QR code with the quiet zone of four modules that ISO/IEC 18004 asks for.
/// Error correction is M (15 %): cards get creased. The code says nothing to those who cannot
/// see it, so `label` is read out instead.
pub fn svg(text: &str, label: &str) -> Result<Safe<String>, DrawQr> {
    const QUIET: usize = 4;
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(DrawQr::TooLong)?;
    let width = code.width();
    let side = width + 2 * QUIET;
    let mut path = String::new();
    for (row, modules) in code.to_colors().chunks(width).enumerate() {
        let mut at = 0;
        while at < width {
            if modules[at] == Color::Light {
                at += 1;
                continue;
            }
            let run = modules[at..].iter().take_while(|m| **m == Color::Dark).count();
            // Runs of dark modules as one bar each keep the page small.
            let _ = write!(path, "M{} {}h{run}v1h-{run}z", at + QUIET, row + QUIET);
            at += run;
        }
    }
    let label = escape(label);
    Ok(Safe(format!(
        "<svg class=\"qr\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"{label}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/>\
         <path fill=\"#000\" d=\"{path}\"/></svg>"
    )))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The modules that a path of ours draws, row by row.
    fn drawn(svg: &str, width: usize) -> Vec<bool> {
        let path = svg.rsplit_once(" d=\"").unwrap().1.split('"').next().unwrap();
        let mut dark = vec![false; width * width];
        for bar in path.split('M').filter(|b| !b.is_empty()) {
            let (x, rest) = bar.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let run: usize = rest.split('v').next().unwrap().parse().unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            for at in x..x + run {
                dark[(y - 4) * width + at - 4] = true;
            }
        }
        dark
    }

    #[test]
    fn the_drawing_has_the_modules_of_the_code() {
        let text = "ondol:p:2041100317";
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        let dark: Vec<bool> = code.to_colors().into_iter().map(|c| c == Color::Dark).collect();
        let svg = svg(text, "2041-1003-17").unwrap();
        assert_eq!(drawn(&svg.0, code.width()), dark);
        assert!(svg.0.len() < 6_000, "{}", svg.0.len());
    }

    #[test]
    fn a_text_that_does_not_fit_is_refused() {
        assert!(matches!(svg(&"x".repeat(5_000), ""), Err(DrawQr::TooLong(_))));
    }

    #[test]
    fn the_label_is_escaped() {
        assert!(svg("1", "<a \"b\">").unwrap().0.contains("&lt;a &quot;b&quot;>"));
    }
}
