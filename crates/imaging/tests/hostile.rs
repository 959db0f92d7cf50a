//! Files that are cut off, bent or made to harm are answered, never obeyed.

mod made;

use ondol_imaging::dicom::{NotShown, ReadError, read};
use ondol_imaging::{Kind, PREVIEW_MAX_BYTES, photo, sound};
use proptest::prelude::*;

/// Runs everything on the bytes; what comes out must keep its promises.
fn look(bytes: &[u8]) {
    let _ = Kind::detect(bytes);
    if let Ok(prepared) = photo::prepare(bytes) {
        assert!(prepared.preview.bytes.len() <= PREVIEW_MAX_BYTES);
    }
    if let Ok(file) = read(bytes)
        && let Ok(rendered) = file.render()
    {
        assert!(rendered.preview.bytes.len() <= PREVIEW_MAX_BYTES);
    }
    let _ = sound::check(bytes);
}

#[test]
fn a_dicom_file_cut_off_anywhere_shows_no_picture() {
    let mut object = made::persons();
    made::picture(&mut object, (32, 32), "MONOCHROME2", (8, 8, 0));
    made::encapsulated(&mut object, &[], vec![made::grey_jpeg(&[9; 1024], 32, 32)]);
    let files = [
        made::radiograph("MONOCHROME2", made::IMPLICIT),
        made::radiograph("MONOCHROME2", made::EXPLICIT),
        made::file(object, made::JPEG),
    ];
    for whole in files {
        read(&whole).unwrap().render().unwrap();
        for length in 0..whole.len() {
            match read(&whole[..length]) {
                // A cut between two elements can be seen only by what is missing.
                Ok(file) => {
                    let refused = file.render().unwrap_err();
                    assert!(matches!(refused, NotShown::NoPixels), "{length}: {refused:?}");
                }
                Err(
                    ReadError::CutOff { .. } | ReadError::NotPart10 | ReadError::NoTransferSyntax,
                ) => {}
                Err(other) => panic!("{length} of {}: {other:?}", whole.len()),
            }
        }
    }
}

/// The bytes of a file up to the end of its meta information.
fn start(syntax: &str) -> Vec<u8> {
    let object = dicom_object::InMemDicomObject::new_empty();
    let mut object = object;
    made::put(&mut object, (0x0008, 0x0018), dicom_core::VR::UI, "1.2");
    let whole = made::file(object, syntax);
    // The element that was put last: its head has eight bytes, its value four.
    whole[..whole.len() - 12].to_vec()
}

#[test]
fn a_length_that_lies_is_not_believed() {
    for tag in [0x0008_u16, 0x7fe0] {
        let mut lie = start(made::IMPLICIT);
        lie.extend(tag.to_le_bytes());
        lie.extend([0x10, 0x00]);
        lie.extend(0xffff_fffe_u32.to_le_bytes());
        lie.extend([0; 64]);
        assert!(matches!(read(&lie), Err(ReadError::CutOff { .. })));
    }
}

#[test]
fn endless_nesting_is_refused_and_does_not_overflow() {
    let mut nest = start(made::IMPLICIT);
    for _ in 0..200_000 {
        nest.extend([0x08, 0x00, 0x10, 0x11, 0xff, 0xff, 0xff, 0xff]);
        nest.extend([0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff]);
    }
    assert!(matches!(read(&nest), Err(ReadError::TooDeep { .. })));
}

#[test]
fn a_million_empty_items_are_passed_over() {
    let mut many = start(made::IMPLICIT);
    many.extend([0x08, 0x00, 0x10, 0x11, 0xff, 0xff, 0xff, 0xff]);
    many.extend([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0].repeat(1_000_000));
    many.extend([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
    assert_eq!(read(&many).unwrap().header().instance_uid, None);
}

#[test]
fn a_value_far_too_long_is_refused() {
    let mut long = start(made::IMPLICIT);
    long.extend([0x10, 0x00, 0x10, 0x00]);
    long.extend(100_000_u32.to_le_bytes());
    long.extend(vec![b'A'; 100_000]);
    assert!(matches!(read(&long), Err(ReadError::ValueTooLong { .. })));
}

fn samples() -> Vec<Vec<u8>> {
    let mut object = made::persons();
    made::picture(&mut object, (24, 16), "RGB", (8, 8, 0));
    made::encapsulated(&mut object, &[], vec![made::jpeg(&made::scene(24, 16), 80)]);
    let mut progressive = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut progressive, 70);
    encoder.set_progressive(true);
    let scene = made::scene(40, 24);
    encoder.encode(&scene, 40, 24, jpeg_encoder::ColorType::Rgb).unwrap();
    let mut png = std::io::Cursor::new(Vec::new());
    scene.write_to(&mut png, image::ImageFormat::Png).unwrap();
    vec![
        made::radiograph("MONOCHROME1", made::IMPLICIT),
        made::radiograph("MONOCHROME2", made::EXPLICIT),
        made::file(object, made::JPEG),
        made::jpeg(&scene, 80),
        progressive,
        png.into_inner(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bent_files_never_panic(
        which in 0_usize..6,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = samples().swap_remove(which);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        look(&bytes);
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        head in prop::sample::select(vec![
            b"OggS".to_vec(), b"RIFF\0\0\0\0WAVE".to_vec(), b"\0\0\0\x10ftypM4A \0\0\0\0".to_vec(),
            b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm".to_vec(), b"\xff\xd8\xff".to_vec(),
            b"\x89PNG\r\n\x1a\n".to_vec(), [vec![0; 128], b"DICM".to_vec()].concat(),
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        look(&[head, rest].concat());
    }
}
