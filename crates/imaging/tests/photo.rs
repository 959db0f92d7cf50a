//! Photographs become clean, upright and small.

mod made;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, RgbImage};
use ondol_imaging::photo::{MAX_BYTES, MAX_SIDE, PrepareError, prepare};
use ondol_imaging::{Kind, PREVIEW_MAX_BYTES};

/// An EXIF segment with an orientation and a place.
fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    exif.extend(b"GPSLatitude 39.0194 N");
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend([0xff, 0xe1]);
    bytes.extend(u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
    bytes.extend(exif);
    bytes.extend(&jpeg[2..]);
    bytes
}

fn png(samples: &[u8], width: u32, height: u32, colour: ExtendedColorType) -> Vec<u8> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(samples, width, height, colour).unwrap();
    bytes
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Red above, blue below, wider than high.
fn red_over_blue() -> RgbImage {
    RgbImage::from_fn(64, 32, |_, y| image::Rgb(if y < 16 { [220, 20, 20] } else { [20, 20, 220] }))
}

#[test]
fn a_photograph_is_kept_with_a_preview_that_fits() {
    let upload = made::jpeg(&made::scene(3000, 1500), 92);
    let prepared = prepare(&upload).unwrap();
    assert_eq!((prepared.original.width, prepared.original.height), (MAX_SIDE, 1280));
    assert_eq!(made::decode(&prepared.original.bytes).width(), u32::from(MAX_SIDE));
    assert!(prepared.preview.bytes.len() <= PREVIEW_MAX_BYTES);
    assert!(prepared.preview.width >= 480, "{:?}", prepared.preview);
    let decoded = made::decode(&prepared.preview.bytes);
    assert_eq!(decoded.width(), u32::from(prepared.preview.width));
}

#[test]
fn a_small_photograph_is_not_blown_up() {
    let prepared = prepare(&made::jpeg(&made::scene(200, 100), 90)).unwrap();
    assert_eq!((prepared.original.width, prepared.original.height), (200, 100));
    assert_eq!((prepared.preview.width, prepared.preview.height), (200, 100));
}

#[test]
fn the_camera_s_position_is_applied_and_every_mark_of_it_removed() {
    let upright = made::jpeg(&red_over_blue(), 95);
    // What lies top left and bottom right once the picture is upright (EXIF 2.3, table of
    // orientation): (orientation, width, height, red is on the ... side)
    let expected = [
        (1, 64, 32, (10, 4)),
        (2, 64, 32, (10, 4)),
        (3, 64, 32, (10, 28)),
        (4, 64, 32, (10, 28)),
        (5, 32, 64, (4, 10)),
        (6, 32, 64, (28, 10)),
        (7, 32, 64, (28, 10)),
        (8, 32, 64, (4, 10)),
    ];
    for (orientation, width, height, (x, y)) in expected {
        let upload = with_exif(&upright, orientation);
        let prepared = prepare(&upload).unwrap();
        for jpeg in [&prepared.original, &prepared.preview] {
            assert_eq!((jpeg.width, jpeg.height), (width, height), "orientation {orientation}");
            let [red, _, blue] = made::decode(&jpeg.bytes).to_rgb8().get_pixel(x, y).0;
            assert!(red > 150 && blue < 100, "orientation {orientation}: {red} {blue}");
            assert!(contains(&upload, b"GPSLatitude") && !contains(&jpeg.bytes, b"GPS"));
            assert!(!contains(&jpeg.bytes, b"Exif"));
        }
    }
}

#[test]
fn the_worst_case_of_noise_fits_and_stays_at_480_pixels() {
    let (width, height) = (2000, 2000);
    let noise = made::noise(width * height * 3);
    let picture = RgbImage::from_raw(2000, 2000, noise).unwrap();
    let prepared = prepare(&made::jpeg(&picture, 60)).unwrap();
    assert!(prepared.preview.bytes.len() <= PREVIEW_MAX_BYTES);
    assert!(prepared.preview.width >= 480, "{:?}", prepared.preview);
    // Noise that is not evened out by making it smaller.
    for side in [480_u32, 330, 100] {
        let samples = made::noise((side * side * 3) as usize);
        let upload = png(&samples, side, side, ExtendedColorType::Rgb8);
        let prepared = prepare(&upload).unwrap();
        assert!(prepared.preview.bytes.len() <= PREVIEW_MAX_BYTES, "{:?}", prepared.preview);
        assert_eq!(u32::from(prepared.preview.width), side, "{:?}", prepared.preview);
    }
}

#[test]
fn png_of_every_kind_is_read_and_glass_lies_on_white() {
    let clear = png(&[10, 20, 30, 0].repeat(64), 8, 8, ExtendedColorType::Rgba8);
    let shown = made::decode(&prepare(&clear).unwrap().original.bytes).to_rgb8();
    assert!(shown.get_pixel(4, 4).0.iter().all(|sample| *sample > 250));
    let deep = png(&[0x80, 0x80].repeat(64), 8, 8, ExtendedColorType::L16);
    let shown = made::decode(&prepare(&deep).unwrap().original.bytes);
    assert_eq!(shown.color(), image::ColorType::L8);
    assert!(shown.to_luma8().get_pixel(4, 4).0[0].abs_diff(128) < 4);
}

#[test]
fn thin_strips_are_prepared() {
    let strip = png(&[90; 9000], 9000, 1, ExtendedColorType::L8);
    let prepared = prepare(&strip).unwrap();
    assert_eq!((prepared.original.width, prepared.original.height), (2560, 1));
}

#[test]
fn what_lies_behind_the_picture_is_dropped() {
    let mut upload = made::jpeg(&red_over_blue(), 90);
    let clean = prepare(&upload).unwrap();
    upload.extend(b"a film and a place that the telephone added");
    assert_eq!(prepare(&upload).unwrap(), clean);
}

#[test]
fn bombs_are_refused_before_they_are_unpacked() {
    let mut bomb = png(&[0; 4], 2, 2, ExtendedColorType::L8);
    // The header's sides; its checksum is not looked at before.
    bomb[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
    let refused = prepare(&bomb);
    assert!(matches!(refused, Err(PrepareError::TooManyPixels { width: 60_000, height: 60_000 })));
    bomb[16..20].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(matches!(prepare(&bomb), Err(PrepareError::TooManyPixels { .. })));

    let mut bomb = made::jpeg(&red_over_blue(), 90);
    let frame = bomb.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    bomb[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    assert!(matches!(prepare(&bomb), Err(PrepareError::TooManyPixels { .. })));

    let large = vec![0xff; MAX_BYTES + 1];
    assert!(matches!(prepare(&large), Err(PrepareError::TooLarge { .. })));
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let jpeg = made::jpeg(&made::scene(40, 30), 80);
    let png = png(&made::noise(300), 10, 10, ExtendedColorType::Rgb8);
    for whole in [jpeg, png] {
        prepare(&whole).unwrap();
        for length in 0..whole.len() {
            let refused = prepare(&whole[..length]).unwrap_err();
            let expected = length < 8
                && matches!(refused, PrepareError::NotAPhoto | PrepareError::CutOff)
                || matches!(refused, PrepareError::CutOff);
            assert!(expected, "{length} of {}: {refused:?}", whole.len());
        }
    }
}

#[test]
fn jpeg_of_another_process_is_named_as_such() {
    let mut lossless = made::jpeg(&red_over_blue(), 90);
    let frame = lossless.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    lossless[frame + 1] = 0xc3;
    assert!(matches!(prepare(&lossless), Err(PrepareError::Unsupported)));
}

#[test]
fn kinds_are_told_by_content() {
    let radiograph = made::radiograph("MONOCHROME2", made::EXPLICIT);
    assert_eq!(Kind::detect(&radiograph), Kind::Dicom);
    let mut in_disguise = radiograph;
    in_disguise[..3].copy_from_slice(&[0xff, 0xd8, 0xff]);
    assert_eq!(Kind::detect(&in_disguise), Kind::Dicom);
    assert_eq!(Kind::detect(&made::jpeg(&red_over_blue(), 90)), Kind::Photo);
    assert_eq!(Kind::detect(&png(&[0; 4], 2, 2, ExtendedColorType::L8)), Kind::Photo);
    assert_eq!(Kind::detect(b"%PDF-1.7\n"), Kind::Pdf);
    assert_eq!(Kind::detect(b"OggS\0\x02"), Kind::Sound);
    assert_eq!(Kind::detect(b"\0\0\0\x18ftypheic"), Kind::Unknown);
    assert_eq!(Kind::detect(b"MZ"), Kind::Unknown);
    assert_eq!(Kind::detect(b""), Kind::Unknown);
}
