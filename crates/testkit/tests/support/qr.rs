//! Reads the one QR code of a printed page (ISO/IEC 18004), as a reader held over the paper would
//! see it: from grey values. Nothing is corrected: a code that is printed whole needs none, and a
//! spoiled one shall not pass.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "places on a sheet of paper are small"
)]

/// A page in grey.
pub struct Grey {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<u8>,
}

impl Grey {
    /// A binary PGM, as `pdftoppm -gray` writes it.
    pub fn of_pgm(bytes: &[u8]) -> Self {
        let mut words = bytes.split(u8::is_ascii_whitespace);
        assert_eq!(words.next(), Some(&b"P5"[..]), "no PGM");
        let mut number =
            || std::str::from_utf8(words.next().unwrap()).unwrap().parse::<usize>().unwrap();
        let (width, height, _) = (number(), number(), number());
        let pixels = bytes[bytes.len() - width * height..].to_vec();
        Self { width, height, pixels }
    }

    fn dark(&self, x: usize, y: usize) -> bool {
        x < self.width && y < self.height && self.pixels[y * self.width + x] < 128
    }

    fn dark_at(&self, (x, y): (f64, f64)) -> bool {
        self.dark(x.round().max(0.0) as usize, y.round().max(0.0) as usize)
    }
}

/// The middle of a corner's square, and how wide a module is there.
#[derive(Clone, Copy)]
struct Corner {
    x: f64,
    y: f64,
    module: f64,
    hits: u32,
}

/// The text of the code on a page; `None` where there is none.
pub fn read(page: &Grey) -> Option<String> {
    let mut corners = corners(page);
    corners.sort_by_key(|corner| std::cmp::Reverse(corner.hits));
    let three = corners.get(..3)?;
    let left = three.iter().map(|c| c.x).fold(f64::MAX, f64::min);
    let top = three.iter().map(|c| c.y).fold(f64::MAX, f64::min);
    let module = three.iter().map(|c| c.module).sum::<f64>() / 3.0;
    let near = |a: f64, b: f64| (a - b).abs() < module * 2.0;
    let first = three.iter().find(|c| near(c.x, left) && near(c.y, top))?;
    let right = three.iter().find(|c| !near(c.x, left) && near(c.y, top))?;
    let below = three.iter().find(|c| near(c.x, left) && !near(c.y, top))?;
    let version = (((right.x - first.x) / module + 7.0 - 17.0) / 4.0).round();
    let version = (1.0..=10.0).contains(&version).then_some(version as usize)?;
    let width = 17 + 4 * version;
    let across = (width - 7) as f64;
    let (step_x, step_y) = ((right.x - first.x) / across, (below.y - first.y) / across);
    let dark = |column: usize, row: usize| {
        let (x, y) = (column as f64 - 3.0, row as f64 - 3.0);
        page.dark_at((first.x + x * step_x, first.y + y * step_y))
    };
    let modules: Vec<bool> = (0..width * width).map(|at| dark(at % width, at / width)).collect();
    text(&codewords(&modules, version)?, version)
}

/// Squares with the widths 1:1:3:1:1, across and down.
fn corners(page: &Grey) -> Vec<Corner> {
    let mut found: Vec<Corner> = vec![];
    for y in 0..page.height {
        let mut runs: Vec<(usize, usize)> = vec![];
        let mut x = 0;
        while x < page.width {
            let here = page.dark(x, y);
            let run = (x..page.width).take_while(|at| page.dark(*at, y) == here).count();
            runs.push((x, run));
            x += run;
        }
        for five in runs.windows(5).filter(|five| page.dark(five[0].0, y)) {
            let Some(module) = is_corner([five[0].1, five[1].1, five[2].1, five[3].1, five[4].1])
            else {
                continue;
            };
            let middle = five[2].0 as f64 + (five[2].1 as f64 - 1.0) / 2.0;
            let Some((middle_y, tall)) = down(page, middle.round() as usize, y) else { continue };
            if (tall - module).abs() > module / 2.0 {
                continue;
            }
            let same = |c: &&mut Corner| {
                (c.x - middle).abs() < module * 2.0 && (c.y - middle_y).abs() < module * 2.0
            };
            match found.iter_mut().find(same) {
                Some(corner) => corner.hits += 1,
                None => found.push(Corner { x: middle, y: middle_y, module, hits: 1 }),
            }
        }
    }
    found
}

fn is_corner(runs: [usize; 5]) -> Option<f64> {
    let module = runs.iter().sum::<usize>() as f64 / 7.0;
    let fits = |run: usize, of: f64| (run as f64 - of * module).abs() < module * 0.7;
    let all = fits(runs[0], 1.0) && fits(runs[1], 1.0) && fits(runs[2], 3.0);
    (module >= 2.0 && all && fits(runs[3], 1.0) && fits(runs[4], 1.0)).then_some(module)
}

/// The same widths down through a point: the middle and the width of a module.
fn down(page: &Grey, x: usize, y: usize) -> Option<(f64, f64)> {
    let run = |from: usize, up: bool, dark: bool| {
        let mut at = from;
        let mut long = 0;
        while at < page.height && page.dark(x, at) == dark {
            long += 1;
            at = if up { at.checked_sub(1)? } else { at + 1 };
        }
        Some((long, at))
    };
    let (above, at) = run(y, true, true)?;
    let (light_above, at) = run(at, true, false)?;
    let (edge_above, _) = run(at, true, true)?;
    let (below, at) = run(y, false, true)?;
    let (light_below, at) = run(at, false, false)?;
    let (edge_below, _) = run(at, false, true)?;
    let middle = above + below - 1;
    let module = is_corner([edge_above, light_above, middle, light_below, edge_below])?;
    Some(((y + below) as f64 - 1.0 - (middle as f64 - 1.0) / 2.0, module))
}

/// Places of the small squares, by version.
const SQUARES: [&[usize]; 11] = [
    &[],
    &[],
    &[6, 18],
    &[6, 22],
    &[6, 26],
    &[6, 30],
    &[6, 34],
    &[6, 22, 38],
    &[6, 24, 42],
    &[6, 26, 46],
    &[6, 28, 50],
];

/// Blocks of data at correction level M: how many of how many words, by version.
const BLOCKS: [&[(usize, usize)]; 11] = [
    &[],
    &[(1, 16)],
    &[(1, 28)],
    &[(1, 44)],
    &[(2, 32)],
    &[(2, 43)],
    &[(4, 27)],
    &[(4, 31)],
    &[(2, 38), (2, 39)],
    &[(3, 36), (2, 37)],
    &[(4, 43), (1, 44)],
];

/// Whether a module belongs to the pattern rather than to the data.
fn is_pattern(column: usize, row: usize, version: usize) -> bool {
    let width = 17 + 4 * version;
    let corner =
        (row < 9 && (column < 9 || column >= width - 8)) || (column < 9 && row >= width - 8);
    let about =
        version >= 7 && ((column >= width - 11 && row < 6) || (row >= width - 11 && column < 6));
    let places = SQUARES[version];
    let last = places.len().saturating_sub(1);
    let square = places.iter().enumerate().any(|(i, x)| {
        places.iter().enumerate().any(|(j, y)| {
            let at_corner = (i == 0 && (j == 0 || j == last)) || (i == last && j == 0);
            !at_corner && column.abs_diff(*x) <= 2 && row.abs_diff(*y) <= 2
        })
    });
    corner || about || square || column == 6 || row == 6
}

/// The words of data, in order; `None` if the code is not of level M.
fn codewords(modules: &[bool], version: usize) -> Option<Vec<u8>> {
    let width = 17 + 4 * version;
    let dark = |column: usize, row: usize| modules[row * width + column];
    // Level and mask stand beside the first corner, most significant bit first.
    let format = (0..5).fold(0_u32, |bits, at| bits << 1 | u32::from(dark(at, 8))) ^ 0b10101;
    if format >> 3 != 0 {
        return None;
    }
    let flips = |i: usize, j: usize| match format & 7 {
        0 => (i + j).is_multiple_of(2),
        1 => i.is_multiple_of(2),
        2 => j.is_multiple_of(3),
        3 => (i + j).is_multiple_of(3),
        4 => (i / 2 + j / 3).is_multiple_of(2),
        5 => (i * j) % 2 + (i * j) % 3 == 0,
        6 => ((i * j) % 2 + (i * j) % 3).is_multiple_of(2),
        _ => ((i + j) % 2 + (i * j) % 3).is_multiple_of(2),
    };
    let mut bits = vec![];
    let (mut right, mut up) = (width - 1, true);
    loop {
        for step in 0..width {
            let row = if up { width - 1 - step } else { step };
            for column in [right, right - 1] {
                if !is_pattern(column, row, version) {
                    bits.push(dark(column, row) ^ flips(row, column));
                }
            }
        }
        up = !up;
        right = match right {
            1 => break,
            8 => 5,
            _ => right - 2,
        };
    }
    let words: Vec<u8> = bits
        .chunks_exact(8)
        .map(|word| word.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit)))
        .collect();
    let sizes: Vec<usize> =
        BLOCKS[version].iter().flat_map(|(n, size)| std::iter::repeat_n(*size, *n)).collect();
    let mut blocks: Vec<Vec<u8>> = vec![vec![]; sizes.len()];
    let mut from = words.into_iter();
    for round in 0..*sizes.iter().max()? {
        for (block, size) in blocks.iter_mut().zip(&sizes) {
            if round < *size {
                block.push(from.next()?);
            }
        }
    }
    Some(blocks.concat())
}

/// The text of the segments: numbers, capitals, bytes.
fn text(words: &[u8], version: usize) -> Option<String> {
    const CAPITALS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    let large = version >= 10;
    let mut at = 0;
    let mut take = |count: usize| {
        let value = (at..at + count).try_fold(0_u32, |value, bit| {
            let word = words.get(bit / 8)?;
            Some(value << 1 | u32::from(word >> (7 - bit % 8) & 1))
        });
        at += count;
        value
    };
    let mut text = vec![];
    loop {
        match take(4).unwrap_or(0) {
            0 => return String::from_utf8(text).ok(),
            1 => {
                let mut left = take(if large { 12 } else { 10 })? as usize;
                while left > 0 {
                    let digits = left.min(3);
                    let value = take([0, 4, 7, 10][digits])?;
                    text.extend(format!("{value:0digits$}").bytes());
                    left -= digits;
                }
            }
            2 => {
                let mut left = take(if large { 11 } else { 9 })?;
                while left > 0 {
                    let two = left >= 2;
                    let value = take(if two { 11 } else { 6 })? as usize;
                    if two {
                        text.push(*CAPITALS.get(value / 45)?);
                    }
                    text.push(CAPITALS[value % 45]);
                    left -= if two { 2 } else { 1 };
                }
            }
            4 => {
                for _ in 0..take(if large { 16 } else { 8 })? {
                    text.push(u8::try_from(take(8)?).ok()?);
                }
            }
            _ => return None,
        }
    }
}
