//! Files for the tests, made by other programs than the ones under test: DICOM by dicom-rs,
//! pictures by the `image` crate.
#![allow(dead_code, reason = "each test binary uses a part")]

use dicom_core::smallvec::SmallVec;
use dicom_core::value::PixelFragmentSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, ImageEncoder, RgbImage};

pub const IMPLICIT: &str = "1.2.840.10008.1.2";
pub const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub const JPEG: &str = "1.2.840.10008.1.2.4.50";
pub const JPEG_2000: &str = "1.2.840.10008.1.2.4.90";

/// A data set without a picture.
pub fn persons() -> InMemDicomObject {
    let text = |group, element, vr, value: &str| {
        DataElement::new(Tag(group, element), vr, PrimitiveValue::from(value))
    };
    InMemDicomObject::from_element_iter([
        text(0x0008, 0x0005, VR::CS, "ISO_IR 192"),
        text(0x0008, 0x0016, VR::UI, "1.2.840.10008.5.1.4.1.1.1"),
        text(0x0008, 0x0018, VR::UI, "1.2.3.4"),
        text(0x0008, 0x0020, VR::DA, "20240314"),
        text(0x0008, 0x0060, VR::CS, "CR"),
        text(0x0008, 0x1030, VR::LO, "가슴 사진"),
        text(0x0010, 0x0010, VR::PN, "RI^RYONG HUI=李^龍姬=리^룡희"),
        text(0x0010, 0x0020, VR::LO, "P-17"),
        text(0x0010, 0x0030, VR::DA, "19850102"),
        text(0x0010, 0x0040, VR::CS, "F"),
        text(0x0018, 0x0015, VR::CS, "CHEST"),
        text(0x0020, 0x000d, VR::UI, "1.2.3"),
        text(0x0020, 0x000e, VR::UI, "1.2.3.1"),
    ])
}

pub fn put(
    object: &mut InMemDicomObject,
    tag: (u16, u16),
    vr: VR,
    value: impl Into<PrimitiveValue>,
) {
    object.put(DataElement::new(Tag(tag.0, tag.1), vr, value.into()));
}

/// Puts the attributes of a picture: bits are allocated, stored and signed.
pub fn picture(
    object: &mut InMemDicomObject,
    (columns, rows): (u16, u16),
    photometric: &str,
    (allocated, stored, signed): (u16, u16, u16),
) {
    let samples: u16 = if photometric.starts_with("MONO") { 1 } else { 3 };
    put(object, (0x0028, 0x0002), VR::US, samples);
    put(object, (0x0028, 0x0004), VR::CS, photometric);
    if samples == 3 {
        put(object, (0x0028, 0x0006), VR::US, 0_u16);
    }
    put(object, (0x0028, 0x0010), VR::US, rows);
    put(object, (0x0028, 0x0011), VR::US, columns);
    put(object, (0x0028, 0x0100), VR::US, allocated);
    put(object, (0x0028, 0x0101), VR::US, stored);
    put(object, (0x0028, 0x0102), VR::US, stored - 1);
    put(object, (0x0028, 0x0103), VR::US, signed);
}

pub fn native(object: &mut InMemDicomObject, values: &[u16]) {
    put(object, (0x7fe0, 0x0010), VR::OW, PrimitiveValue::U16(SmallVec::from_slice(values)));
}

pub fn native_bytes(object: &mut InMemDicomObject, values: &[u8]) {
    put(object, (0x7fe0, 0x0010), VR::OB, PrimitiveValue::U8(SmallVec::from_slice(values)));
}

pub fn encapsulated(object: &mut InMemDicomObject, offsets: &[u32], fragments: Vec<Vec<u8>>) {
    let offsets = SmallVec::<[u32; 2]>::from_slice(offsets);
    let sequence =
        PixelFragmentSequence::new(offsets, SmallVec::<[Vec<u8>; 2]>::from_vec(fragments));
    object.put(DataElement::new(Tag(0x7fe0, 0x0010), VR::OB, sequence));
}

/// The file of a data set.
pub fn file(object: InMemDicomObject, syntax: &str) -> Vec<u8> {
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(syntax)
        .media_storage_sop_class_uid("1.2.840.10008.5.1.4.1.1.1");
    let mut bytes = Vec::new();
    object.with_meta(meta).unwrap().write_all(&mut bytes).unwrap();
    bytes
}

/// Twelve bits, a ramp of 64 × 16, with a window.
pub fn radiograph(photometric: &str, syntax: &str) -> Vec<u8> {
    let mut object = persons();
    picture(&mut object, (64, 16), photometric, (16, 12, 0));
    put(&mut object, (0x0028, 0x1050), VR::DS, "2048\\100");
    put(&mut object, (0x0028, 0x1051), VR::DS, "4096\\50");
    native(&mut object, &(0..64 * 16).map(|at| (at % 64) * 65).collect::<Vec<u16>>());
    file(object, syntax)
}

/// Shades or colours that no compression gains on.
pub fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(len)
    .collect()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "20 to 216")]
/// Something like a photograph: soft shapes and some grain.
pub fn scene(width: u32, height: u32) -> RgbImage {
    let grain = noise((width * height) as usize);
    RgbImage::from_fn(width, height, |x, y| {
        let (fx, fy) = (f64::from(x) / 90.0, f64::from(y) / 70.0);
        let grain = f64::from(grain[(y * width + x) as usize]) / 16.0;
        let shade = |phase: f64| (110.0 + 90.0 * (fx + phase).sin() * fy.cos() + grain) as u8;
        image::Rgb([shade(0.0), shade(0.7), shade(1.9)])
    })
}

pub fn jpeg(picture: &RgbImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    let (width, height) = picture.dimensions();
    encoder.write_image(picture, width, height, ExtendedColorType::Rgb8).unwrap();
    bytes
}

pub fn grey_jpeg(samples: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.write_image(samples, width, height, ExtendedColorType::L8).unwrap();
    bytes
}

/// Decodes what was made; it has to be a picture that any reader takes.
pub fn decode(bytes: &[u8]) -> DynamicImage {
    image::load_from_memory_with_format(bytes, image::ImageFormat::Jpeg).unwrap()
}
