//! A question to the nation's index and its answer on a line of 9.6 kbit/s: all bytes both ways at the
//! interface, with IP and UDP, acknowledgements and all, are at most 300.

mod index_exchange;

use index_exchange::{answer, exchange, question};

#[test]
fn one_question_and_its_answer_are_at_most_300_bytes() {
    for (digests, others) in [(1, 0), (2, 1), (3, 1), (3, 2)] {
        let sizes = (question(digests), answer(others));
        for (round_trip_ms, above_ms) in [(600, 300), (600, 1_500), (100, 50)] {
            let (bytes, took) = exchange(round_trip_ms, above_ms, sizes);
            println!(
                "{digests} digests, {others} found, round trip {round_trip_ms} ms, {above_ms} ms \
                 above: {} B and {} B of messages, {bytes} B on the line, {took} ms",
                sizes.0, sizes.1
            );
            assert!(bytes <= 300, "{bytes} B");
            assert!(took <= above_ms + round_trip_ms + 600, "{took} ms");
        }
    }
}
