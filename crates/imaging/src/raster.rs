//! A decoded picture with one or three channels of eight bits, and how it is made smaller.

use image::DynamicImage;
use image::metadata::Orientation;

/// How many samples a pixel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// One, 0 is black.
    Grey,
    /// Red, green and blue.
    Rgb,
}

impl Colour {
    const fn samples(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
        }
    }
}

/// Rows from the top, pixels from the left, the samples of a pixel together.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Raster {
    width: u16,
    height: u16,
    colour: Colour,
    samples: Vec<u8>,
}

impl Raster {
    /// A raster, if neither side is zero and the number of samples agrees.
    pub(crate) fn new(width: u16, height: u16, colour: Colour, samples: Vec<u8>) -> Option<Self> {
        let wanted = usize::from(width) * usize::from(height) * colour.samples();
        (wanted > 0 && wanted == samples.len()).then_some(Self { width, height, colour, samples })
    }

    /// Takes over what a decoder gave. Sixteen bits become eight; what is transparent lies on
    /// white, as on paper.
    pub(crate) fn from_decoded(decoded: DynamicImage) -> Option<Self> {
        let width = u16::try_from(decoded.width()).ok()?;
        let height = u16::try_from(decoded.height()).ok()?;
        let (colour, samples) = match decoded.color() {
            image::ColorType::L8 | image::ColorType::L16 => {
                (Colour::Grey, decoded.into_luma8().into_raw())
            }
            colour if colour.has_alpha() => (Colour::Rgb, on_white(decoded)),
            _ => (Colour::Rgb, decoded.into_rgb8().into_raw()),
        };
        Self::new(width, height, colour, samples)
    }

    pub(crate) const fn width(&self) -> u16 {
        self.width
    }

    pub(crate) const fn height(&self) -> u16 {
        self.height
    }

    pub(crate) const fn colour(&self) -> Colour {
        self.colour
    }

    pub(crate) fn samples(&self) -> &[u8] {
        &self.samples
    }

    pub(crate) fn into_samples(self) -> Vec<u8> {
        self.samples
    }

    /// Turns the picture the way the camera was held (EXIF 2.3, tag 0x0112).
    pub(crate) fn turned(self, orientation: Orientation) -> Option<Self> {
        if orientation == Orientation::NoTransforms {
            return Some(self);
        }
        let (width, height) = (u32::from(self.width), u32::from(self.height));
        let mut picture = match self.colour {
            Colour::Grey => image::GrayImage::from_raw(width, height, self.samples)?.into(),
            Colour::Rgb => image::RgbImage::from_raw(width, height, self.samples)?.into(),
        };
        DynamicImage::apply_orientation(&mut picture, orientation);
        Self::from_decoded(picture)
    }

    /// The size at which the long side is at most `side`, never larger than it is.
    pub(crate) fn fitted(&self, side: u16) -> (u16, u16) {
        let long = self.width.max(self.height);
        if long <= side {
            return (self.width, self.height);
        }
        let fit = |length: u16| {
            let scaled =
                (u32::from(length) * u32::from(side) + u32::from(long) / 2) / u32::from(long);
            // The quotient is at most `side`; one pixel is left of the thinnest strip.
            u16::try_from(scaled).unwrap_or(side).max(1)
        };
        (fit(self.width), fit(self.height))
    }

    /// The picture with its long side at most `side`.
    ///
    /// Each pixel is the mean of the area that it covers, in whole numbers, so that the same
    /// upload gives the same bytes on every machine. Besides the result it needs one row.
    pub(crate) fn shrunk(&self, side: u16) -> Self {
        let (width, height) = self.fitted(side);
        if (width, height) == (self.width, self.height) {
            return self.clone();
        }
        let channels = self.colour.samples();
        let row_len = usize::from(width) * channels;
        let mut samples = Vec::with_capacity(row_len * usize::from(height));
        let mut row = vec![0_u32; row_len];
        let mut sums = vec![0_u64; row_len];
        let area = u64::from(self.width) * u64::from(self.height);
        let mut room = u32::from(self.height);
        for source in self.samples.chunks_exact(usize::from(self.width) * channels) {
            narrow(source, &mut row, channels, self.width, width);
            let mut left = u32::from(height);
            while left > 0 {
                let take = left.min(room);
                for (sum, value) in sums.iter_mut().zip(&row) {
                    *sum += u64::from(*value) * u64::from(take);
                }
                left -= take;
                room -= take;
                if room == 0 {
                    samples.extend(sums.iter().map(|sum| mean(*sum, area)));
                    sums.fill(0);
                    room = u32::from(self.height);
                }
            }
        }
        Self { width, height, colour: self.colour, samples }
    }
}

/// Sums a row into fewer pixels; each sum weighs `from` in all. A source pixel counts `to` units
/// and a resulting pixel takes `from` of them.
fn narrow(source: &[u8], row: &mut [u32], channels: usize, from: u16, to: u16) {
    row.fill(0);
    let mut out = 0;
    let mut room = u32::from(from);
    for pixel in source.chunks_exact(channels) {
        let mut left = u32::from(to);
        while left > 0 {
            let take = left.min(room);
            for (sum, sample) in row[out..].iter_mut().zip(pixel) {
                *sum += u32::from(*sample) * take;
            }
            left -= take;
            room -= take;
            if room == 0 {
                out += channels;
                room = u32::from(from);
            }
        }
    }
}

fn mean(sum: u64, area: u64) -> u8 {
    u8::try_from((sum + area / 2) / area).unwrap_or(u8::MAX)
}

fn on_white(decoded: DynamicImage) -> Vec<u8> {
    let rgba = decoded.into_rgba8();
    let mut samples = Vec::with_capacity(rgba.as_raw().len() / 4 * 3);
    for [red, green, blue, alpha] in rgba.as_raw().as_chunks::<4>().0 {
        let alpha = u32::from(*alpha);
        samples.extend([red, green, blue].map(|sample| {
            let mixed = (u32::from(*sample) * alpha + 255 * (255 - alpha) + 127) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        }));
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrinking_gives_the_mean_of_the_area() {
        let chequered = Raster::new(4, 2, Colour::Grey, vec![0, 100, 10, 30, 100, 0, 50, 70]);
        let small = chequered.unwrap().shrunk(2);
        assert_eq!((small.width(), small.height()), (2, 1));
        assert_eq!(small.samples(), [50, 40]);
    }

    #[test]
    fn a_side_that_does_not_divide_shares_its_pixels() {
        let row = Raster::new(3, 1, Colour::Grey, vec![0, 90, 255]).unwrap().shrunk(2);
        // (0 + 90/2) / 1.5 and (90/2 + 255) / 1.5
        assert_eq!(row.samples(), [30, 200]);
    }

    #[test]
    fn colours_are_kept_apart_and_flat_colour_stays_flat() {
        let flat = Raster::new(7, 5, Colour::Rgb, [10, 20, 30].repeat(35)).unwrap().shrunk(3);
        assert_eq!((flat.width(), flat.height()), (3, 2));
        assert_eq!(flat.samples(), [10, 20, 30].repeat(6));
    }

    #[test]
    fn the_thinnest_strip_keeps_one_pixel() {
        let strip = Raster::new(1000, 1, Colour::Grey, vec![7; 1000]).unwrap().shrunk(10);
        assert_eq!((strip.width(), strip.height()), (10, 1));
    }
}
