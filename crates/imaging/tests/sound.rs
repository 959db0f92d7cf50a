//! Voice notes are told apart, measured and refused when they are not whole.

use ondol_imaging::sound::{CheckError, Format, MAX_BYTES, Sound, check, sniff};

fn wav(rate: u32, seconds: u32) -> Vec<u8> {
    let length = rate * 2 * seconds;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + length).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(rate.to_le_bytes());
    bytes.extend((rate * 2).to_le_bytes());
    bytes.extend(b"\x02\0\x10\0LIST\x03\0\0\0abc\0data");
    bytes.extend(length.to_le_bytes());
    bytes.resize(bytes.len() + length as usize, 0);
    bytes
}

fn ogg_page(flags: u8, position: u64, body: &[u8]) -> Vec<u8> {
    let mut bytes = b"OggS\0".to_vec();
    bytes.push(flags);
    bytes.extend(position.to_le_bytes());
    bytes.extend([7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    bytes.push(u8::try_from(body.len()).unwrap());
    bytes.extend(body);
    bytes
}

fn ogg(head: &[u8]) -> Vec<u8> {
    // 312 samples are skipped at the start (RFC 7845 §4.2).
    let head = [head, b"\x01\x01\x38\x01\x80\xbb\0\0\0\0\0"].concat();
    let sound = ogg_page(4, 312 + 48_000 * 3, &[1; 40]);
    [ogg_page(2, 0, &head), ogg_page(0, 0, b"OpusTags"), sound].concat()
}

fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    let size = (0x4000 | u16::try_from(body.len()).unwrap()).to_be_bytes();
    [id, &size, body].concat()
}

fn webm(track_type: u8, codec: &[u8], duration: Option<f32>, last: u16) -> Vec<u8> {
    let head = element(&[0x1a, 0x45, 0xdf, 0xa3], b"\x42\x82\x84webm");
    let mut info = element(&[0x2a, 0xd7, 0xb1], &[0x0f, 0x42, 0x40]);
    if let Some(duration) = duration {
        info.extend(element(&[0x44, 0x89], &duration.to_be_bytes()));
    }
    let track = [element(&[0x83], &[track_type]), element(&[0x86], codec)].concat();
    let tracks = element(&[0x16, 0x54, 0xae, 0x6b], &element(&[0xae], &track));
    // As a browser streams it: neither the segment's nor the cluster's size is known.
    let cluster = [
        element(&[0xe7], &1000_u16.to_be_bytes()),
        element(&[0xa3], b"\x81\0\0\x80sound"),
        element(&[0xa3], &[b"\x81".as_slice(), &last.to_be_bytes(), b"\x80sound"].concat()),
    ]
    .concat();
    let unknown = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let segment = [&[0x18, 0x53, 0x80, 0x67], unknown.as_slice()].concat();
    let cluster_head = [&[0x1f, 0x43, 0xb6, 0x75], unknown.as_slice()].concat();
    let info = element(&[0x15, 0x49, 0xa9, 0x66], &info);
    [head, segment, info, tracks, cluster_head, cluster].concat()
}

fn mp4_box(kind: &[u8], body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len() + 8).unwrap().to_be_bytes(), kind, body].concat()
}

fn mp4(handler: &[u8], codec: &[u8]) -> Vec<u8> {
    let film = [&[0; 12], 1000_u32.to_be_bytes().as_slice(), &4500_u32.to_be_bytes()].concat();
    let description = mp4_box(codec, &[0; 28]);
    let descriptions =
        mp4_box(b"stsd", &[&[0, 0, 0, 0, 0, 0, 0, 1], description.as_slice()].concat());
    let table = mp4_box(b"minf", &mp4_box(b"stbl", &descriptions));
    let kind = mp4_box(b"hdlr", &[&[0; 8], handler, &[0; 13]].concat());
    let track = mp4_box(b"trak", &mp4_box(b"mdia", &[kind, table].concat()));
    let movie = mp4_box(b"moov", &[mp4_box(b"mvhd", &film), track].concat());
    [mp4_box(b"ftyp", b"M4A \0\0\0\0"), movie, mp4_box(b"mdat", &[1; 50])].concat()
}

#[test]
fn each_format_is_told_with_its_duration() {
    let cases = [
        (wav(8000, 2), Format::Wav, 2000),
        (ogg(b"OpusHead"), Format::OggOpus, 3000),
        (webm(2, b"A_OPUS", None, 2500), Format::WebmOpus, 3500),
        (webm(2, b"A_OPUS", Some(4200.0), 2500), Format::WebmOpus, 4200),
        (mp4(b"soun", b"mp4a"), Format::Mp4Aac, 4500),
    ];
    for (bytes, format, duration) in cases {
        assert_eq!(sniff(&bytes), Some(format));
        assert_eq!(check(&bytes), Ok(Sound { format, duration_ms: Some(duration) }));
    }
}

#[test]
fn pictures_and_other_codecs_are_refused() {
    assert_eq!(check(&webm(1, b"V_VP8", None, 0)), Err(CheckError::Video));
    assert_eq!(check(&webm(2, b"A_VORBIS", None, 0)), Err(CheckError::Codec));
    assert_eq!(check(&mp4(b"vide", b"avc1")), Err(CheckError::Video));
    assert_eq!(check(&mp4(b"soun", b"alac")), Err(CheckError::Codec));
    assert_eq!(check(&ogg(b"\x01vorbis")), Err(CheckError::Codec));
    let mut law = wav(8000, 1);
    law[20] = 7;
    assert_eq!(check(&law), Err(CheckError::Codec));
    assert_eq!(check(&wav(8000, 0)), Err(CheckError::Empty));
    assert_eq!(check(b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska"), Err(CheckError::NotSound));
    assert_eq!(check(b"ID3"), Err(CheckError::NotSound));
    let large = vec![0; MAX_BYTES + 1];
    assert_eq!(check(&large), Err(CheckError::TooLarge { bytes: MAX_BYTES + 1 }));
}

#[test]
fn a_note_cut_off_anywhere_is_refused_or_shorter() {
    let cases =
        [wav(800, 1), ogg(b"OpusHead"), webm(2, b"A_OPUS", None, 2500), mp4(b"soun", b"mp4a")];
    for whole in cases {
        let full = check(&whole).unwrap().duration_ms;
        for length in 0..whole.len() {
            match check(&whole[..length]) {
                // Streams may be cut between two blocks, and only become shorter.
                Ok(sound) => assert!(sound.duration_ms < full, "{length} of {}", whole.len()),
                Err(refused) => assert!(
                    matches!(
                        refused,
                        CheckError::CutOff | CheckError::Empty | CheckError::NotSound
                    ),
                    "{length} of {}: {refused:?}",
                    whole.len()
                ),
            }
        }
    }
}

#[test]
fn a_recorder_that_streams_leaves_the_length_of_plain_sound_open() {
    let mut bytes = wav(8000, 2);
    let at = bytes.windows(4).position(|window| window == b"data").unwrap() + 4;
    bytes[at..at + 4].fill(0xff);
    assert_eq!(check(&bytes).unwrap().duration_ms, Some(2000));
}
