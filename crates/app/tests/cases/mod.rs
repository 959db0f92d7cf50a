//! Patients, pictures and questions for the tests of consults and referrals.

#![allow(dead_code, reason = "each test binary uses a part")]

use image::{ExtendedColorType, ImageEncoder as _, RgbImage, codecs::jpeg::JpegEncoder};
use ondol_app::{
    Actor,
    consult::{Answer, Ask, ConsultView, Means, Power},
};
use ondol_kernel::{Class, ResourceId};
use serde_json::json;

use crate::support::Facility;

/// An id.
pub fn id(text: &str) -> ResourceId {
    ResourceId::new(text).unwrap()
}

/// A woman of 64 whose home facility this is.
pub fn patient_at(facility: &Facility) -> ResourceId {
    facility.put(
        "p1",
        json!({
            "resourceType": "Patient",
            "name": [{ "text": "리영희", "family": "리", "given": ["영희"] }],
            "gender": "female",
            "birthDate": "1961-03-09",
            "managingOrganization": { "reference": facility.app.place().organization() }
        }),
    );
    id("p1")
}

/// A pulse, as it is measured.
pub fn pulse(facility: &Facility, key: &str, value: u32) {
    facility.put(
        key,
        json!({
            "resourceType": "Observation",
            "status": "final",
            "code": { "coding": [{ "system": "http://loinc.org", "code": "8867-4" }] },
            "subject": { "reference": "Patient/p1" },
            "valueQuantity": { "value": value, "unit": "/min" }
        }),
    );
}

/// A question for the heart hospital.
pub fn question(urgency: Class) -> Ask {
    Ask {
        specialty: "heart".into(),
        facility: id("specialist"),
        urgency,
        question: "가슴이 아픈지 두시간 되였습니다.".into(),
        means: Means {
            power: Some(Power::Battery),
            equipment: "산소통".into(),
            medicines: "아스피린".into(),
            people: String::new(),
        },
    }
}

/// An answer with all its parts.
pub fn advice() -> Answer {
    Answer {
        findings: "심근경색이 의심됩니다.".into(),
        advice: "아스피린을 씹어 먹이십시오.".into(),
        worry: "의식이 흐려지면 곧 전화하십시오.".into(),
    }
}

/// A photograph with some grain, as a phone makes it.
pub fn photo(width: u32, height: u32) -> Vec<u8> {
    let mut state = 7_u32;
    let picture = RgbImage::from_fn(width, height, |x, y| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let shade = |by: u32| u8::try_from((x / by + y / 3 + (state >> 28)) % 256).unwrap();
        image::Rgb([shade(2), shade(3), shade(5)])
    });
    let mut bytes = vec![];
    JpegEncoder::new_with_quality(&mut bytes, 90)
        .write_image(&picture, width, height, ExtendedColorType::Rgb8)
        .unwrap();
    bytes
}

/// A DICOM radiograph of 8 bits, explicit little endian (PS3.5 §7.1.2), of somebody.
pub fn radiograph(name: &str, born: &str, sex: &str) -> Vec<u8> {
    let mut file = vec![0; 128];
    file.extend_from_slice(b"DICM");
    short(&mut file, (2, 0x10), *b"UI", b"1.2.840.10008.1.2.1\0");
    short(&mut file, (8, 0x05), *b"CS", b"ISO_IR 192");
    short(&mut file, (8, 0x60), *b"CS", b"CR");
    short(&mut file, (0x10, 0x10), *b"PN", name.as_bytes());
    short(&mut file, (0x10, 0x30), *b"DA", born.as_bytes());
    short(&mut file, (0x10, 0x40), *b"CS", sex.as_bytes());
    let numbers = [(0x02, 1_u16), (0x10, 64), (0x11, 64), (0x100, 8), (0x101, 8), (0x102, 7)];
    for (element, value) in numbers {
        if element == 0x10 {
            short(&mut file, (0x28, 0x04), *b"CS", b"MONOCHROME2 ");
        }
        short(&mut file, (0x28, element), *b"US", &value.to_le_bytes());
    }
    short(&mut file, (0x28, 0x103), *b"US", &0_u16.to_le_bytes());
    file.extend_from_slice(&[0xe0, 0x7f, 0x10, 0x00]);
    file.extend_from_slice(b"OB\0\0");
    file.extend_from_slice(&(64_u32 * 64).to_le_bytes());
    file.extend((0..64_u32 * 64).map(|at| u8::try_from(at % 64 * 4).unwrap()));
    file
}

fn short(file: &mut Vec<u8>, (group, element): (u16, u16), vr: [u8; 2], value: &[u8]) {
    file.extend_from_slice(&group.to_le_bytes());
    file.extend_from_slice(&element.to_le_bytes());
    file.extend_from_slice(&vr);
    let padded = value.len().next_multiple_of(2);
    file.extend_from_slice(&u16::try_from(padded).unwrap().to_le_bytes());
    file.extend_from_slice(value);
    if padded > value.len() {
        file.push(b' ');
    }
}

/// The page of a consult, as somebody sees it.
pub fn page(facility: &Facility, who: &Actor, request: &ResourceId) -> ConsultView {
    facility.app.consult(who, request).unwrap()
}
