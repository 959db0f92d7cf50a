//! How the samples of a frame lie in the bytes (PS3.3 §C.7.6.3, PS3.5 §8).

use super::header::Stated;
use super::read::File;
use super::render::NotShown;
use super::tags::{
    BITS_ALLOCATED, BITS_STORED, COLUMNS, HIGH_BIT, PHOTOMETRIC_INTERPRETATION,
    PIXEL_REPRESENTATION, PLANAR_CONFIGURATION, ROWS, SAMPLES_PER_PIXEL, Tag,
};
use crate::MAX_PIXELS;

/// What the samples mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Photometric {
    /// Grey; `inverted` has the lowest value as white (`MONOCHROME1`).
    Grey { inverted: bool },
    /// Red, green, blue.
    Rgb,
    /// Luminance and two colour differences, as many of each or, in JPEG, fewer.
    Ybr { halved: bool },
}

/// One sample of grey in its cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    /// Two bytes instead of one.
    pub(super) wide: bool,
    /// How many bits the value has.
    bits: u16,
    /// How many bits lie below it.
    shift: u16,
    /// Whether the highest bit is a sign.
    pub(super) signed: bool,
}

impl Cell {
    /// A byte that is all value.
    pub(super) const BYTE: Self = Self { wide: false, bits: 8, shift: 0, signed: false };

    /// The value in a cell. Bits outside of it, such as old overlays, are left away.
    pub(super) fn value(self, raw: u16) -> i32 {
        let mask = u16::MAX >> (16 - self.bits);
        let value = i32::from((raw >> self.shift) & mask);
        if self.signed && value >> (self.bits - 1) == 1 { value - (1 << self.bits) } else { value }
    }

    /// Whether the values are the 256 shades of a screen already.
    pub(super) const fn is_screen(self) -> bool {
        self.bits == 8 && !self.signed
    }
}

/// The shape of all frames of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) columns: u16,
    pub(super) rows: u16,
    pub(super) photometric: Photometric,
    pub(super) cell: Cell,
    /// Each colour has a plane of its own instead of standing together pixel by pixel.
    pub(super) planar: bool,
}

impl Layout {
    /// Reads the attributes of the Image Pixel Module.
    pub(super) fn of(file: &File<'_>) -> Result<Self, NotShown> {
        let values = &file.values;
        let short = |tag: Tag| -> Result<u16, NotShown> {
            values.short(tag)?.ok_or(NotShown::Missing { tag })
        };
        let (columns, rows) = (short(COLUMNS)?, short(ROWS)?);
        let pixels = u64::from(columns) * u64::from(rows);
        if pixels > MAX_PIXELS {
            return Err(NotShown::TooManyPixels { columns, rows });
        }
        if pixels == 0 {
            let tag = if columns == 0 { COLUMNS } else { ROWS };
            return Err(NotShown::BadValue { tag });
        }
        let photometric = match &file.header().photometric {
            None => return Err(NotShown::Missing { tag: PHOTOMETRIC_INTERPRETATION }),
            Some(Stated::Unreadable) => {
                return Err(NotShown::BadValue { tag: PHOTOMETRIC_INTERPRETATION });
            }
            Some(Stated::Read(code)) => match code.as_str() {
                "MONOCHROME1" => Photometric::Grey { inverted: true },
                "MONOCHROME2" => Photometric::Grey { inverted: false },
                "RGB" => Photometric::Rgb,
                "YBR_FULL" => Photometric::Ybr { halved: false },
                "YBR_FULL_422" => Photometric::Ybr { halved: true },
                code => return Err(NotShown::Photometric { code: code.to_owned() }),
            },
        };
        let grey = matches!(photometric, Photometric::Grey { .. });
        if short(SAMPLES_PER_PIXEL)? != if grey { 1 } else { 3 } {
            return Err(NotShown::BadValue { tag: SAMPLES_PER_PIXEL });
        }
        // Required of pictures in colour alone (PS3.3, table C.7-11b).
        let planar = !grey
            && match short(PLANAR_CONFIGURATION)? {
                0 => false,
                1 => true,
                _ => return Err(NotShown::BadValue { tag: PLANAR_CONFIGURATION }),
            };
        let cell = cell(short)?;
        if !grey && cell != Cell::BYTE {
            return Err(NotShown::Depth { bits: cell.bits });
        }
        Ok(Self { columns, rows, photometric, cell, planar })
    }

    /// Pixels of a frame.
    pub(super) fn pixels(self) -> usize {
        usize::from(self.columns) * usize::from(self.rows)
    }

    /// Bytes of an uncompressed frame; `None` if that is not shown.
    pub(super) fn frame_bytes(self) -> Option<usize> {
        let samples = match self.photometric {
            Photometric::Grey { .. } => 1,
            Photometric::Rgb | Photometric::Ybr { halved: false } => 3,
            Photometric::Ybr { halved: true } => return None,
        };
        Some(self.pixels() * samples * if self.cell.wide { 2 } else { 1 })
    }
}

fn cell(short: impl Fn(Tag) -> Result<u16, NotShown>) -> Result<Cell, NotShown> {
    let allocated = short(BITS_ALLOCATED)?;
    let (bits, high) = (short(BITS_STORED)?, short(HIGH_BIT)?);
    if !matches!(allocated, 8 | 16) {
        return Err(NotShown::Depth { bits: allocated });
    }
    if bits == 0 || bits > allocated {
        return Err(NotShown::BadValue { tag: BITS_STORED });
    }
    if high >= allocated || high + 1 < bits {
        return Err(NotShown::BadValue { tag: HIGH_BIT });
    }
    let signed = match short(PIXEL_REPRESENTATION)? {
        0 => false,
        1 => true,
        _ => return Err(NotShown::BadValue { tag: PIXEL_REPRESENTATION }),
    };
    Ok(Cell { wide: allocated == 16, bits, shift: high + 1 - bits, signed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_gives_up_its_value_alone() {
        let twelve = Cell { wide: true, bits: 12, shift: 0, signed: false };
        assert_eq!(twelve.value(0xf123), 0x123);
        let signed = Cell { signed: true, ..twelve };
        assert_eq!(signed.value(0x0fff), -1);
        assert_eq!(signed.value(0x0800), -2048);
        let shifted = Cell { shift: 4, ..twelve };
        assert_eq!(shifted.value(0xabc5), 0xabc);
        let full = Cell { bits: 16, signed: true, ..twelve };
        assert_eq!(full.value(0x8000), -32768);
    }
}
