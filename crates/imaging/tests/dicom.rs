//! DICOM files are read, compared with another reader, and shown.

mod made;

use dicom_core::{DataElement, Tag, VR};
use dicom_object::InMemDicomObject;
use image::DynamicImage;
use made::{EXPLICIT, IMPLICIT, JPEG, JPEG_2000, file, persons, picture, put};
use ondol_imaging::PREVIEW_MAX_BYTES;
use ondol_imaging::dicom::{Brightness, Curve, NotShown, ReadError, Rendered, Sex, Stated, read};
use ondol_kernel::Date;

fn render(bytes: &[u8]) -> Result<Rendered, NotShown> {
    let rendered = read(bytes).unwrap().render()?;
    assert!(rendered.preview.bytes.len() <= PREVIEW_MAX_BYTES);
    Ok(rendered)
}

fn view(bytes: &[u8]) -> DynamicImage {
    made::decode(&render(bytes).unwrap().view.bytes)
}

fn shade(picture: &DynamicImage, x: u32, y: u32) -> u8 {
    picture.to_luma8().get_pixel(x, y).0[0]
}

#[test]
fn the_header_says_what_the_screens_need() {
    for syntax in [IMPLICIT, EXPLICIT] {
        let bytes = made::radiograph("MONOCHROME2", syntax);
        let file = read(&bytes).unwrap();
        let header = file.header();
        assert_eq!(header.modality, Some(Stated::Read("CR".to_owned())));
        assert_eq!(header.body_part, Some(Stated::Read("CHEST".to_owned())));
        let description = header.study_description.as_ref().unwrap().reveal();
        assert_eq!(description, &Stated::Read("가슴 사진".to_owned()));
        assert_eq!(header.series_description, None);
        assert_eq!(header.study_date, Some(Stated::Read(Date::new(2024, 3, 14).unwrap())));
        assert_eq!(header.study_uid.as_deref(), Some("1.2.3"));
        assert_eq!(header.series_uid.as_deref(), Some("1.2.3.1"));
        assert_eq!(header.instance_uid.as_deref(), Some("1.2.3.4"));
        assert_eq!(header.class_uid.as_deref(), Some("1.2.840.10008.5.1.4.1.1.1"));
        assert_eq!(header.transfer_syntax_uid, syntax);
        assert_eq!(header.rows, Some(Stated::Read(16)));
        assert_eq!(header.columns, Some(Stated::Read(64)));
        assert_eq!(header.frames, None);
        let patient = &header.patient;
        let names = patient.names();
        let names: Vec<&str> = names.iter().map(|name| name.reveal().as_str()).collect();
        assert_eq!(names, ["RI RYONG HUI", "李 龍姬", "리 룡희"]);
        assert_eq!(patient.number.as_ref().unwrap().reveal(), &Stated::Read("P-17".to_owned()));
        let born = patient.birth_date.as_ref().unwrap().reveal();
        assert_eq!(born, &Stated::Read(Date::new(1985, 1, 2).unwrap()));
        assert_eq!(patient.sex.as_ref().unwrap().reveal(), &Stated::Read(Sex::Female));
        let shown = format!("{file:?}");
        assert!(!shown.contains("RYONG") && !shown.contains("P-17") && !shown.contains("가슴"));
    }
}

#[test]
fn what_is_not_understood_is_neither_absent_nor_guessed() {
    let mut object = persons();
    put(&mut object, (0x0010, 0x0030), VR::DA, "19851399");
    put(&mut object, (0x0010, 0x0040), VR::CS, "W");
    put(&mut object, (0x0010, 0x0020), VR::LO, "");
    let bytes = file(object, EXPLICIT);
    let patient = read(&bytes).unwrap().header().patient.clone();
    assert_eq!(patient.birth_date.unwrap().into_inner(), Stated::Unreadable);
    assert_eq!(patient.sex.unwrap().into_inner(), Stated::Unreadable);
    assert_eq!(patient.number, None);
}

#[test]
fn a_window_makes_black_white_and_the_ramp_between() {
    for syntax in [IMPLICIT, EXPLICIT] {
        let bytes = made::radiograph("MONOCHROME2", syntax);
        let rendered = render(&bytes).unwrap();
        let window = Brightness::Window { center: 2048.0, width: 4096.0, curve: Curve::Linear };
        assert_eq!(rendered.brightness, window);
        let picture = made::decode(&rendered.view.bytes);
        assert!(shade(&picture, 0, 8) < 12 && shade(&picture, 63, 8) > 243);
        assert!(shade(&picture, 32, 8).abs_diff(130) < 10);
        let inverted = view(&made::radiograph("MONOCHROME1", syntax));
        assert!(shade(&inverted, 0, 8) > 243 && shade(&inverted, 63, 8) < 12);
    }
}

#[test]
fn signed_values_are_rescaled_before_the_window() {
    let mut object = persons();
    picture(&mut object, (16, 8), "MONOCHROME2", (16, 16, 1));
    put(&mut object, (0x0028, 0x1050), VR::DS, "40");
    put(&mut object, (0x0028, 0x1051), VR::DS, "400");
    put(&mut object, (0x0028, 0x1052), VR::DS, "-1024");
    put(&mut object, (0x0028, 0x1053), VR::DS, "1");
    // Left: air, −1000 HU is stored as 24. Right: 40 HU.
    let values: Vec<u16> = (0..128).map(|at| if at % 16 < 8 { 24 } else { 1064 }).collect();
    made::native(&mut object, &values);
    let picture = view(&file(object, EXPLICIT));
    assert!(shade(&picture, 2, 4) < 8);
    assert!(shade(&picture, 13, 4).abs_diff(128) < 8);
}

#[test]
fn without_a_window_the_values_are_spread_and_padding_does_not_count() {
    let mut object = persons();
    picture(&mut object, (64, 64), "MONOCHROME2", (16, 16, 1));
    put(&mut object, (0x0028, 0x0120), VR::SS, -2000_i16);
    let value = |at: u16| if at < 640 { (-2000_i16).cast_unsigned() } else { 100 + at % 64 };
    made::native(&mut object, &(0..4096).map(value).collect::<Vec<_>>());
    let rendered = render(&file(object, EXPLICIT)).unwrap();
    assert_eq!(rendered.brightness, Brightness::Spread { low: 100, high: 163 });
    let picture = made::decode(&rendered.view.bytes);
    assert!(shade(&picture, 1, 40) < 20 && shade(&picture, 62, 40) > 235);
    assert!(shade(&picture, 62, 2) < 20, "padding is black");
}

#[test]
fn eight_bits_without_a_window_are_shown_as_they_are() {
    let mut object = persons();
    picture(&mut object, (16, 16), "MONOCHROME2", (8, 8, 0));
    made::native_bytes(&mut object, &[77; 256]);
    let rendered = render(&file(object, IMPLICIT)).unwrap();
    assert_eq!(rendered.brightness, Brightness::AsStored);
    assert!(shade(&made::decode(&rendered.view.bytes), 8, 8).abs_diff(77) < 3);
}

#[test]
fn colour_is_shown_from_pixels_and_from_planes() {
    let colour = [200_u8, 40, 90];
    for planar in [false, true] {
        let mut object = persons();
        picture(&mut object, (16, 16), "RGB", (8, 8, 0));
        put(&mut object, (0x0028, 0x0006), VR::US, u16::from(planar));
        let planes = colour.iter().flat_map(|sample| [*sample; 256]).collect::<Vec<u8>>();
        let pixels = if planar { planes } else { colour.repeat(256) };
        made::native_bytes(&mut object, &pixels);
        let shown = view(&file(object, EXPLICIT)).to_rgb8().get_pixel(8, 8).0;
        assert!(shown.iter().zip(colour).all(|(shown, meant)| shown.abs_diff(meant) < 6));
    }
    // The same colour as luminance and differences (BT.601).
    let mut object = persons();
    picture(&mut object, (16, 16), "YBR_FULL", (8, 8, 0));
    made::native_bytes(&mut object, &[94, 126, 204].repeat(256));
    let shown = view(&file(object, EXPLICIT)).to_rgb8().get_pixel(8, 8).0;
    assert!(shown.iter().zip(colour).all(|(shown, meant)| shown.abs_diff(meant) < 6), "{shown:?}");
}

fn ultrasound(frames: &str, offsets: &[u32], fragments: Vec<Vec<u8>>) -> Vec<u8> {
    let mut object = persons();
    picture(&mut object, (32, 32), "MONOCHROME2", (8, 8, 0));
    put(&mut object, (0x0028, 0x0008), VR::IS, frames);
    made::encapsulated(&mut object, offsets, fragments);
    file(object, JPEG)
}

fn frame(shade: u8) -> Vec<u8> {
    let mut jpeg = made::grey_jpeg(&[shade; 1024], 32, 32);
    jpeg.resize(jpeg.len().next_multiple_of(2), 0);
    jpeg
}

#[test]
fn the_middle_frame_is_found_however_the_frames_are_packed() {
    let shades = [10, 90, 200, 250];
    let one_each = ultrasound("4", &[], shades.map(frame).to_vec());
    let rendered = render(&one_each).unwrap();
    assert_eq!((rendered.frame, rendered.frames), (3, 4));
    assert!(shade(&made::decode(&rendered.view.bytes), 5, 5).abs_diff(200) < 4);

    let mut halves = Vec::new();
    let mut offsets = Vec::new();
    let mut at = 0;
    for frame in shades.map(frame) {
        offsets.push(at);
        let (first, second) = frame.split_at(frame.len() / 4 * 2);
        for half in [first, second] {
            at += 8 + u32::try_from(half.len()).unwrap();
            halves.push(half.to_vec());
        }
    }
    let with_table = ultrasound("4", &offsets, halves.clone());
    assert!(shade(&view(&with_table), 5, 5).abs_diff(200) < 4);
    let without_table = ultrasound("4", &[], halves);
    assert!(matches!(render(&without_table), Err(NotShown::FrameBounds)));

    let whole = frame(60);
    let (first, second) = whole.split_at(100);
    let single = ultrasound("1", &[], vec![first.to_vec(), second.to_vec()]);
    assert!(shade(&view(&single), 5, 5).abs_diff(60) < 4);
}

#[test]
fn native_frames_are_counted_by_size() {
    let mut object = persons();
    picture(&mut object, (8, 8), "MONOCHROME2", (8, 8, 0));
    put(&mut object, (0x0028, 0x0008), VR::IS, "3");
    made::native_bytes(&mut object, &[[20; 64], [120; 64], [220; 64]].concat());
    let rendered = render(&file(object.clone(), EXPLICIT)).unwrap();
    assert_eq!((rendered.frame, rendered.frames), (2, 3));
    assert!(shade(&made::decode(&rendered.view.bytes), 4, 4).abs_diff(120) < 3);
    made::native_bytes(&mut object, &[20; 100]);
    assert!(matches!(render(&file(object.clone(), EXPLICIT)), Err(NotShown::TooShort)));
    put(&mut object, (0x0028, 0x0008), VR::IS, "4294967295");
    assert!(matches!(render(&file(object, EXPLICIT)), Err(NotShown::TooShort)));
}

#[test]
fn compressed_colour_is_shown_as_the_file_states_it() {
    let colour = [200_u8, 40, 90];
    let picture_of = |bytes: &[u8], photometric| {
        let mut object = persons();
        picture(&mut object, (16, 16), photometric, (8, 8, 0));
        made::encapsulated(&mut object, &[], vec![bytes.to_vec()]);
        view(&file(object, JPEG)).to_rgb8().get_pixel(8, 8).0
    };
    let near = |shown: [u8; 3]| shown.iter().zip(colour).all(|(a, b)| a.abs_diff(b) < 8);
    let jpeg = made::jpeg(&image::RgbImage::from_pixel(16, 16, image::Rgb(colour)), 95);
    assert!(near(picture_of(&jpeg, "YBR_FULL_422")));

    // A file of red, green and blue: an encoder that is told they are luminance and differences
    // writes them as they are. Its JFIF segment would say otherwise and is taken out.
    let mut plain = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut plain, 95);
    encoder.encode(&colour.repeat(256), 16, 16, jpeg_encoder::ColorType::Ycbcr).unwrap();
    let jfif = 2 + usize::from(u16::from_be_bytes([plain[4], plain[5]]));
    plain.drain(2..2 + jfif);
    let shown = picture_of(&plain, "RGB");
    assert!(near(shown), "{shown:?}");
}

#[test]
fn what_is_not_shown_says_why() {
    let with = |change: &dyn Fn(&mut InMemDicomObject), syntax: &str| {
        let mut object = persons();
        picture(&mut object, (8, 8), "MONOCHROME2", (16, 12, 0));
        made::native(&mut object, &[0; 64]);
        change(&mut object);
        render(&file(object, syntax)).unwrap_err()
    };
    let refused = with(&|object| made::encapsulated(object, &[], vec![vec![0; 10]]), JPEG_2000);
    assert!(matches!(refused, NotShown::Compression { uid } if uid == JPEG_2000));
    let refused = with(&|object| made::encapsulated(object, &[], vec![vec![0; 10]]), JPEG);
    assert!(matches!(refused, NotShown::Damaged));
    let refused = with(&|object| put(object, (0x0028, 0x0004), VR::CS, "PALETTE COLOR"), EXPLICIT);
    assert!(matches!(refused, NotShown::Photometric { .. }));
    let refused = with(&|object| put(object, (0x0028, 0x0100), VR::US, 32_u16), EXPLICIT);
    assert!(matches!(refused, NotShown::Depth { bits: 32 }));
    let refused = with(&|object| put(object, (0x0028, 0x0010), VR::US, 65_535_u16), EXPLICIT);
    assert!(matches!(refused, NotShown::TooShort));
    let huge = |object: &mut InMemDicomObject| {
        put(object, (0x0028, 0x0010), VR::US, 65_535_u16);
        put(object, (0x0028, 0x0011), VR::US, 65_535_u16);
    };
    assert!(matches!(with(&huge, EXPLICIT), NotShown::TooManyPixels { .. }));
    let slope = |object: &mut InMemDicomObject| put(object, (0x0028, 0x1053), VR::DS, "x");
    assert!(matches!(with(&slope, EXPLICIT), NotShown::BadValue { .. }));
    let center = |object: &mut InMemDicomObject| put(object, (0x0028, 0x1050), VR::DS, "1");
    assert!(matches!(with(&center, EXPLICIT), NotShown::Missing { .. }));
    let frames = |object: &mut InMemDicomObject| put(object, (0x0028, 0x0008), VR::IS, "0");
    assert!(matches!(with(&frames, EXPLICIT), NotShown::BadValue { .. }));
    let none = file(persons(), EXPLICIT);
    assert!(matches!(render(&none), Err(NotShown::NoPixels)));
}

#[test]
fn large_pictures_become_views_and_previews_of_a_bounded_size() {
    let mut object = persons();
    picture(&mut object, (3000, 1000), "MONOCHROME2", (8, 8, 0));
    made::native_bytes(&mut object, &made::noise(3_000_000));
    let rendered = render(&file(object, EXPLICIT)).unwrap();
    assert_eq!((rendered.view.width, rendered.view.height), (2048, 683));
    assert!(rendered.preview.width >= 480, "{:?}", rendered.preview);
}

#[test]
fn nested_sequences_are_passed_over() {
    let mut inner = InMemDicomObject::new_empty();
    put(&mut inner, (0x0010, 0x0010), VR::PN, "SOMEBODY^ELSE");
    let sequence = dicom_core::value::DataSetSequence::from(vec![inner]);
    let mut outer = InMemDicomObject::new_empty();
    outer.put(DataElement::new(Tag(0x0008, 0x1115), VR::SQ, sequence));
    let mut object = persons();
    let sequence = dicom_core::value::DataSetSequence::from(vec![outer.clone(), outer]);
    object.put(DataElement::new(Tag(0x0008, 0x1110), VR::SQ, sequence));
    for syntax in [IMPLICIT, EXPLICIT] {
        let bytes = file(object.clone(), syntax);
        let names = read(&bytes).unwrap().header().patient.names();
        assert_eq!(names[0].reveal(), "RI RYONG HUI");
    }
}

#[test]
fn the_reader_agrees_with_dicom_rs() {
    for syntax in [IMPLICIT, EXPLICIT] {
        let bytes = made::radiograph("MONOCHROME2", syntax);
        let other = dicom_object::from_reader(bytes.as_slice()).unwrap();
        let file = read(&bytes).unwrap();
        let text = |tag: Tag| other.element(tag).unwrap().to_str().unwrap().into_owned();
        assert_eq!(file.header().study_uid, Some(text(Tag(0x0020, 0x000d))));
        let name = Stated::Read(text(Tag(0x0010, 0x0010)));
        assert_eq!(file.header().patient.name.as_ref().unwrap().reveal(), &name);
        let rows: u16 = other.element(Tag(0x0028, 0x0010)).unwrap().to_int().unwrap();
        assert_eq!(file.header().rows, Some(Stated::Read(rows)));
    }
}

#[test]
fn files_that_are_not_read_are_named_as_such() {
    assert_eq!(read(b"").unwrap_err(), ReadError::NotPart10);
    assert_eq!(read(&[0; 500]).unwrap_err(), ReadError::NotPart10);
    let bytes = made::radiograph("MONOCHROME2", EXPLICIT);
    let at = bytes.windows(19).position(|window| window == EXPLICIT.as_bytes()).unwrap();
    let mut big_endian = bytes.clone();
    big_endian[at + 18] = b'2';
    let refused = read(&big_endian).unwrap_err();
    assert_eq!(refused, ReadError::Syntax { uid: "1.2.840.10008.1.2.2".to_owned() });
    let mut object = persons();
    put(&mut object, (0x0020, 0x000d), VR::UI, "../../etc");
    let refused = read(&file(object, EXPLICIT)).unwrap_err();
    assert!(matches!(refused, ReadError::BadValue { .. }));
}
