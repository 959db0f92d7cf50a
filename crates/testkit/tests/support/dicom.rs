//! An X-ray of a chest as a machine would write it: a DICOM file (PS3.10), explicit little endian,
//! one grey picture of eight bits.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Writes the file. `name` is the patient's name in it, as in `RI^RYONG HUI`.
pub fn radiograph(dir: &Path, name: &str, side: u16) -> PathBuf {
    let mut meta = vec![];
    text(&mut meta, (0x0002, 0x0002), *b"UI", "1.2.840.10008.5.1.4.1.1.1");
    text(&mut meta, (0x0002, 0x0003), *b"UI", "1.2.3.4");
    text(&mut meta, (0x0002, 0x0010), *b"UI", "1.2.840.10008.1.2.1");
    let mut file = vec![0; 128];
    file.extend(b"DICM");
    let length = u32::try_from(meta.len()).unwrap();
    short(&mut file, (0x0002, 0x0000), *b"UL", &length.to_le_bytes());
    file.extend(meta);
    text(&mut file, (0x0008, 0x0005), *b"CS", "ISO_IR 192");
    text(&mut file, (0x0008, 0x0016), *b"UI", "1.2.840.10008.5.1.4.1.1.1");
    text(&mut file, (0x0008, 0x0018), *b"UI", "1.2.3.4");
    text(&mut file, (0x0008, 0x0060), *b"CS", "CR");
    text(&mut file, (0x0010, 0x0010), *b"PN", name);
    text(&mut file, (0x0010, 0x0020), *b"LO", "P-17");
    number(&mut file, (0x0028, 0x0002), 1);
    text(&mut file, (0x0028, 0x0004), *b"CS", "MONOCHROME2");
    number(&mut file, (0x0028, 0x0010), side);
    number(&mut file, (0x0028, 0x0011), side);
    for (element, value) in [(0x0100, 8), (0x0101, 8), (0x0102, 7), (0x0103, 0)] {
        number(&mut file, (0x0028, element), value);
    }
    let pixels = pixels(i64::from(side));
    file.extend([0xe0, 0x7f, 0x10, 0x00, b'O', b'W', 0, 0]);
    file.extend(u32::try_from(pixels.len()).unwrap().to_le_bytes());
    file.extend(pixels);
    let path = dir.join("chest.dcm");
    fs::write(&path, file).unwrap();
    path
}

/// Two dark lungs in a grey chest, with grain.
fn pixels(side: i64) -> Vec<u8> {
    let mut chance = ondol_testkit::population::Chance::new(3);
    let lung = |x: i64, y: i64, middle: i64| {
        ((x - middle) * 3).pow(2) + ((y - side / 2) * 2).pow(2) < (side * 3 / 4).pow(2) / 2
    };
    let mut pixels = Vec::new();
    for y in 0..side {
        for x in 0..side {
            let dark = lung(x, y, side / 3) || lung(x, y, side * 2 / 3);
            let grey = if dark { 60 } else { 170 };
            pixels.push(grey + u8::try_from(chance.from_to(0, 20)).unwrap());
        }
    }
    pixels
}

fn text(to: &mut Vec<u8>, tag: (u16, u16), kind: [u8; 2], value: &str) {
    let mut value = value.as_bytes().to_vec();
    if value.len() % 2 == 1 {
        value.push(if &kind == b"UI" { 0 } else { b' ' });
    }
    short(to, tag, kind, &value);
}

fn number(to: &mut Vec<u8>, tag: (u16, u16), value: u16) {
    short(to, tag, *b"US", &value.to_le_bytes());
}

fn short(to: &mut Vec<u8>, (group, element): (u16, u16), kind: [u8; 2], value: &[u8]) {
    to.extend(group.to_le_bytes());
    to.extend(element.to_le_bytes());
    to.extend(kind);
    to.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
    to.extend(value);
}
