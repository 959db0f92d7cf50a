//! The bytes of headers and frames (ADR 0005).

use ondol_kernel::{
    Class,
    bytes::{BadBytes, hex_to, to_hex},
};
use ondol_replicate::link::{
    Ack, DataHeader, Frame, Kind, Position, Stream, decode_all, peek, peek_connection_id,
};
use proptest::prelude::*;

fn bytes(hex: &str) -> Vec<u8> {
    let mut bytes = vec![0; hex.len() / 2];
    assert!(hex_to(hex, &mut bytes));
    bytes
}

#[test]
fn the_headers_of_the_adr_are_what_is_written() {
    // (connection id, packet number, largest acknowledged, header)
    for (id, number, acked, hex) in [
        (0x0102, 0, None, "10010200"),
        (0x0102, 0x7e, None, "1001027e"),
        (0x0102, 0x7f, None, "110102007f"),
        (0xfffe, 0x1234, Some(0x1200), "10fffe34"),
        (0xfffe, 0x1234, Some(0x1000), "11fffe1234"),
        (7, 0x0012_3456, Some(0x0011_0000), "120007123456"),
        (7, 0x1234_5678, Some(0x1000_0000), "13000712345678"),
        (7, 0x9_0000_0001, Some(0x8_ffff_ffff), "10000701"),
    ] {
        let mut datagram = Vec::new();
        DataHeader::new(id, number, acked).encode(&mut datagram);
        assert_eq!(to_hex(&datagram), hex);
        datagram.extend_from_slice(b"sealed");
        let (header, sealed) = DataHeader::decode(&datagram).unwrap();
        assert_eq!((header.expand(acked), sealed), (number, &b"sealed"[..]));
        assert_eq!(peek_connection_id(&datagram), Some(id));
    }
}

#[test]
fn the_kinds_of_the_adr_are_told_apart() {
    for (hex, kind) in [
        ("14aabb", Some(Kind::Init)),
        ("180102aabb", Some(Kind::Reply { connection_id: 0x0102 })),
        (
            "1c01020807060504030201",
            Some(Kind::Lost { connection_id: 0x0102, end: [8, 7, 6, 5, 4, 3, 2, 1] }),
        ),
        ("1c0102", None),
        ("1d", Some(Kind::Call)),
        ("1d00", None),
        ("1c010203", None),
        ("15aabb", None),
        ("100102", Some(Kind::Data { connection_id: 0x0102 })),
        ("1001", None),
        ("2c0102", Some(Kind::OtherVersion { version: 2 })),
        ("", None),
    ] {
        assert_eq!(peek(&bytes(hex)), kind, "{hex}");
    }
}

#[test]
fn the_frames_of_the_adr_are_what_is_written() {
    let stream = |class, message_no, offset, gap, last, bytes| {
        Frame::Stream(Stream { class, message_no, offset, gap, last, bytes })
    };
    let frames = [
        (Frame::Ack(Ack { arrival: 0x1234, ranges: vec![(300, 305)] }), "011234b1020a"),
        (
            Frame::Ack(Ack { arrival: 1, ranges: vec![(9, 9), (5, 6), (0, 1)] }),
            "01000109010103 0202".trim(),
        ),
        (Frame::Ping, "02"),
        (Frame::Durable(Class::Bulk, Position { message_no: 200, offset: 5 }), "07c80105"),
        (stream(Class::Emergency, 3, 0, 0, true, b"hi"), "98 03 02 6869"),
        (stream(Class::Bulk, 1, 300, 0, false, b"hi"), "ea 01 ac02 02 6869"),
        (stream(Class::Care, 9, 0, 4, false, b""), "ac 09 04 00"),
    ];
    let mut all = String::new();
    for (frame, hex) in &frames {
        let hex: String = hex.split(' ').collect();
        let mut written = Vec::new();
        frame.encode(&mut written, false);
        assert_eq!(to_hex(&written), hex, "{frame:?}");
        all.push_str(&hex);
    }
    // The last stream frame of a packet goes to its end.
    let last = stream(Class::Routine, 1, 0, 0, true, b"abc");
    let mut written = Vec::new();
    last.encode(&mut written, true);
    assert_eq!(to_hex(&written), "d001616263");
    let packet = bytes(&(all + "d001616263"));
    let expected: Vec<Frame> = frames.into_iter().map(|(frame, _)| frame).chain([last]).collect();
    assert_eq!(decode_all(&packet), Ok(expected));
}

#[test]
fn malformed_frames_are_refused() {
    for hex in [
        "00",             // no such frame
        "08",             // nor this
        "01123405",       // cut short
        "01123405ff01",   // more packets than there are below
        "81030161",       // a reserved bit
        "8c0305",         // the gap reaches below message 0
        "8a038180800200", // beyond 4 MiB
        "8003800061",     // (a number not in its shortest form is data here)
    ] {
        let result = decode_all(&bytes(hex)).map(|frames| frames.len());
        if hex == "8003800061" {
            assert_eq!(result, Ok(1));
        } else {
            assert_eq!(result, Err(BadBytes), "{hex}");
        }
    }
}

fn class() -> impl Strategy<Value = Class> {
    prop::sample::select(Class::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn packet_numbers_survive_being_cut_short(
        id: u16, acked in 0u64..1 << 40, ahead in 1u64..1 << 24, arrived in 0u64..1 << 24,
    ) {
        let number = acked + ahead;
        // What arrived last lies between what is known to have arrived and what is sent.
        let largest = (acked + arrived).min(number - 1);
        let header = DataHeader::new(id, number, Some(acked));
        let mut datagram = Vec::new();
        header.encode(&mut datagram);
        prop_assert!(datagram.len() <= 7);
        let (read, rest) = DataHeader::decode(&datagram).unwrap();
        prop_assert_eq!(read, header);
        prop_assert!(rest.is_empty());
        prop_assert_eq!(read.expand(Some(largest)), number);
        // A packet that comes late.
        prop_assert_eq!(read.expand(Some(number + ahead.min(100))), number);
    }

    #[test]
    fn streams_round_trip(
        class in class(), message_no in 0u64..1 << 50, offset in 0u32..4_000_000,
        gap in 0u64..1 << 20, last: bool, bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let gap = gap.min(message_no);
        let stream = Stream { class, message_no, offset, gap, last, bytes: &bytes };
        let durable = Position { message_no, offset };
        let frames = vec![
            Frame::Durable(class, durable), Frame::Stream(stream.clone()), Frame::Stream(stream),
        ];
        let mut packet = Vec::new();
        for (index, frame) in frames.iter().enumerate() {
            frame.encode(&mut packet, index == 2);
        }
        prop_assert_eq!(decode_all(&packet), Ok(frames));
    }

    #[test]
    fn acknowledgements_round_trip(
        arrival: u16, lowest in 0u64..1 << 40,
        steps in prop::collection::vec((0u64..200, 0u64..500), 1..32),
    ) {
        let (mut ranges, mut low) = (Vec::new(), lowest);
        for (gap, length) in steps {
            ranges.insert(0, (low, low + length));
            low += length + 2 + gap;
        }
        let frame = Frame::Ack(Ack { arrival, ranges });
        let mut packet = Vec::new();
        frame.encode(&mut packet, false);
        prop_assert_eq!(decode_all(&packet), Ok(vec![frame]));
    }

    #[test]
    fn decoding_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = decode_all(&bytes);
        let _ = DataHeader::decode(&bytes).map(|(header, _)| header.expand(Some(u64::MAX - 5)));
        let _ = peek(&bytes);
    }
}
