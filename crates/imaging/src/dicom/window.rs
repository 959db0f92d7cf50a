//! From stored values to shades of grey (PS3.3 §C.11.1 and §C.11.2).

use super::layout::Cell;
use super::read::File;
use super::render::NotShown;
use super::tags::{
    MODALITY_LUT_SEQUENCE, PIXEL_PADDING_VALUE, RESCALE_INTERCEPT, RESCALE_SLOPE, Tag,
    VOI_LUT_FUNCTION, WINDOW_CENTER, WINDOW_WIDTH,
};

/// VOI LUT Function (PS3.3 §C.11.2.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// `LINEAR`, which is meant where nothing is stated.
    Linear,
    /// `LINEAR_EXACT`.
    LinearExact,
    /// `SIGMOID`.
    Sigmoid,
}

/// How the shades of the picture were chosen; a screen that shows it says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Brightness {
    /// The values are shades or colours already.
    AsStored,
    /// By the first window that the file gives, in its output units (Hounsfield for CT).
    Window {
        /// Window Center.
        center: f64,
        /// Window Width.
        width: f64,
        /// VOI LUT Function.
        curve: Curve,
    },
    /// The file gives no window that can be used: the values were spread here from the darkest
    /// to the brightest, but for half a percent at each end.
    Spread {
        /// Black, as a stored value.
        low: i32,
        /// White, as a stored value.
        high: i32,
    },
}

/// One part in so many of the pixels may be darker than black, and as many brighter than white.
const OUTLIERS: u64 = 200;

/// What a file says about its values.
pub(super) struct Scale {
    slope: f64,
    intercept: f64,
    window: Option<(f64, f64, Curve)>,
    padding: Option<i32>,
}

impl Scale {
    /// Reads rescaling, window and padding.
    pub(super) fn of(file: &File<'_>, cell: Cell) -> Result<Self, NotShown> {
        let values = &file.values;
        let slope = values.decimal(RESCALE_SLOPE)?;
        let intercept = values.decimal(RESCALE_INTERCEPT)?;
        let (slope, intercept) = match (slope, intercept) {
            (None, None) => (1.0, 0.0),
            (Some(slope), Some(intercept)) if slope != 0.0 => (slope, intercept),
            (Some(_), Some(_)) => return Err(NotShown::BadValue { tag: RESCALE_SLOPE }),
            (None, Some(_)) => return Err(NotShown::Missing { tag: RESCALE_SLOPE }),
            (Some(_), None) => return Err(NotShown::Missing { tag: RESCALE_INTERCEPT }),
        };
        let window = match (values.decimal(WINDOW_CENTER)?, values.decimal(WINDOW_WIDTH)?) {
            // A window counts in the units that such a table would give, and it is not read.
            _ if values.has(MODALITY_LUT_SEQUENCE) => None,
            (Some(center), Some(width)) => {
                let curve = curve(values.code(VOI_LUT_FUNCTION)?)?;
                let least = if curve == Curve::Linear { 1.0 } else { f64::MIN_POSITIVE };
                // Devices that have no window write a width of zero.
                (width >= least).then_some((center, width, curve))
            }
            (None, None) => None,
            (Some(_), None) => return Err(missing(WINDOW_WIDTH)),
            (None, Some(_)) => return Err(missing(WINDOW_CENTER)),
        };
        let padding = values.short(PIXEL_PADDING_VALUE)?.map(|raw| cell.value(raw));
        Ok(Self { slope, intercept, window, padding })
    }

    /// The shade of every cell content, and how it was chosen. `histogram` counts the frame's
    /// cells by content; it has an entry for each possible one.
    pub(super) fn shades(
        &self,
        cell: Cell,
        histogram: &[u32],
        inverted: bool,
    ) -> (Vec<u8>, Brightness) {
        let brightness = match self.window {
            Some((center, width, curve)) => Brightness::Window { center, width, curve },
            None if cell.is_screen() => Brightness::AsStored,
            None => {
                let (low, high) = self.ends(cell, histogram);
                Brightness::Spread { low, high }
            }
        };
        let shade = |raw: u16| {
            let value = cell.value(raw);
            let part = match brightness {
                Brightness::AsStored => f64::from(value) / 255.0,
                Brightness::Spread { low, high } => self.spread(value, low, high),
                Brightness::Window { center, width, curve } => {
                    let output = self.slope * f64::from(value) + self.intercept;
                    windowed(output, center, width, curve)
                }
            };
            byte(if inverted { 1.0 - part } else { part })
        };
        let contents = (0..=u16::MAX).take(histogram.len());
        (contents.map(shade).collect(), brightness)
    }

    /// A falling scale turns dark and bright round.
    fn spread(&self, value: i32, low: i32, high: i32) -> f64 {
        let range = f64::from(high) - f64::from(low);
        let part = if range > 0.0 { (f64::from(value) - f64::from(low)) / range } else { 0.0 };
        if self.slope < 0.0 { 1.0 - part } else { part }
    }

    fn ends(&self, cell: Cell, histogram: &[u32]) -> (i32, i32) {
        let mut counts: Vec<(i32, u64)> = (0..=u16::MAX)
            .zip(histogram)
            .filter(|(_, count)| **count > 0)
            .map(|(raw, count)| (cell.value(raw), u64::from(*count)))
            .filter(|(value, _)| self.padding != Some(*value))
            .collect();
        counts.sort_unstable();
        let total: u64 = counts.iter().map(|(_, count)| count).sum();
        match (reach(counts.iter(), total), reach(counts.iter().rev(), total)) {
            (Some(low), Some(high)) => (low, high),
            // Nothing but padding: black.
            _ => (0, 0),
        }
    }
}

/// The value at which more than the outliers were passed.
fn reach<'a>(counts: impl Iterator<Item = &'a (i32, u64)>, total: u64) -> Option<i32> {
    let mut passed = 0;
    for (value, count) in counts {
        passed += count;
        if passed > total / OUTLIERS {
            return Some(*value);
        }
    }
    None
}

fn missing(tag: Tag) -> NotShown {
    NotShown::Missing { tag }
}

fn curve(code: Option<&str>) -> Result<Curve, NotShown> {
    match code {
        None | Some("LINEAR") => Ok(Curve::Linear),
        Some("LINEAR_EXACT") => Ok(Curve::LinearExact),
        Some("SIGMOID") => Ok(Curve::Sigmoid),
        Some(_) => Err(NotShown::BadValue { tag: VOI_LUT_FUNCTION }),
    }
}

/// The part of full brightness: PS3.3 §C.11.2.1.2.1 (linear), §C.11.2.1.3.2 (exact) and
/// §C.11.2.1.3.1 (sigmoid).
fn windowed(value: f64, center: f64, width: f64, curve: Curve) -> f64 {
    match curve {
        Curve::Linear => {
            let (middle, reach) = (center - 0.5, width - 1.0);
            if value <= middle - reach / 2.0 {
                0.0
            } else if value > middle + reach / 2.0 {
                1.0
            } else {
                (value - middle) / reach + 0.5
            }
        }
        Curve::LinearExact => ((value - center) / width + 0.5).clamp(0.0, 1.0),
        Curve::Sigmoid => 1.0 / (1.0 + (-4.0 * (value - center) / width).exp()),
    }
}

/// A shade from a part of full brightness.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held to 0 to 255")]
fn byte(part: f64) -> u8 {
    (part * 255.0).round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_window_has_the_ends_that_the_standard_gives() {
        // PS3.3 §C.11.2.1.2.1: center 2048 and width 4096 keep 0 to 4095 whole; center 0 and
        // width 100 is black up to −50 and white from 49.
        let shade = |value: f64, center, width| windowed(value, center, width, Curve::Linear);
        assert!(shade(0.0, 2048.0, 4096.0) <= 0.0);
        assert!((shade(4095.0, 2048.0, 4096.0) - 1.0).abs() < 1e-12);
        assert!(shade(-50.0, 0.0, 100.0) <= 0.0 && shade(-49.0, 0.0, 100.0) > 0.0);
        assert!((shade(49.0, 0.0, 100.0) - 1.0).abs() < 1e-12);
        // Width 1 is a threshold.
        assert!(shade(-0.5, 0.0, 1.0) <= 0.0 && shade(0.0, 0.0, 1.0) >= 1.0);
    }

    #[test]
    fn exact_and_sigmoid_are_half_at_the_center() {
        for curve in [Curve::LinearExact, Curve::Sigmoid] {
            assert!((windowed(40.0, 40.0, 400.0, curve) - 0.5).abs() < 1e-12);
        }
        assert!(windowed(-160.0, 40.0, 400.0, Curve::LinearExact) <= 0.0);
    }
}
