//! Bytes of parcels: `measure_parcels POPULATION ENCOUNTERS`, for a day at once and for each
//! encounter alone, by format and by part (ADR 0013).

mod clinic_days;

use std::time::Instant;

use clinic_days::{Clinic, Clock, HeldUpTo, parcel};
use ondol_record::Entry;
use ondol_replicate::{Parcel, columns};

const PARTS: [&str; 9] =
    ["parcel", "entry", "shape", "id", "time", "number", "text", "letters", "raw (seal)"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    for clock in [Clock::Entered, Clock::AtWork] {
        let clinic = Clinic::read(&arguments[0], &arguments[1], clock);
        let days: Vec<Vec<Entry>> = clinic.days.iter().map(|day| day.concat()).collect();
        let alone: Vec<Vec<Entry>> = clinic.days.iter().flatten().cloned().collect();
        let count = alone.len();
        let held = clinic.held_before(&days[0]);
        println!("entries are written: {clock:?}");
        print("a day at once", &held, &days, count);
        print("each alone", &held, &alone, count);
    }
}

#[expect(clippy::cast_precision_loss, reason = "bytes of a few days")]
#[expect(clippy::disallowed_methods, reason = "how long it takes is a question")]
fn print(name: &str, held: &HeldUpTo, parts: &[Vec<Entry>], count: usize) {
    let per = |bytes: usize| bytes as f64 / count as f64;
    let parcels: Vec<(Parcel, HeldUpTo)> = parts
        .iter()
        .map(|entries| (parcel(entries.clone()), held.up_to(entries[0].address.number - 1)))
        .collect();
    let first: usize = parcels.iter().map(|(parcel, _)| parcel.encode_1().len()).sum();
    let alone: usize =
        parcels.iter().map(|(parcel, _)| columns::encode(parcel, &columns::Nothing).len()).sum();
    let watch = Instant::now();
    let packed: Vec<Vec<u8>> =
        parcels.iter().map(|(parcel, held)| columns::encode(parcel, held)).collect();
    let packing = watch.elapsed();
    let watch = Instant::now();
    for ((parcel, held), bytes) in parcels.iter().zip(&packed) {
        assert_eq!(columns::decode(bytes, held).as_ref(), Ok(parcel), "it comes back");
    }
    let unpacking = watch.elapsed();
    let second: usize = packed.iter().map(Vec::len).sum();
    println!(
        "{name}: format 1 {:.1}, format 2 with nothing shared {:.1}, format 2 {:.1} B an encounter; \
         {} entries packed in {:.1} ms, unpacked in {:.1} ms",
        per(first),
        per(alone),
        per(second),
        parts.iter().map(Vec::len).sum::<usize>(),
        packing.as_secs_f64() * 1e3,
        unpacking.as_secs_f64() * 1e3
    );
    let mut bits = [0.0; 9];
    for (parcel, held) in &parcels {
        for (sum, more) in bits.iter_mut().zip(columns::weigh(parcel, held)) {
            *sum += more;
        }
    }
    for (part, bits) in PARTS.iter().zip(bits) {
        print!("  {part} {:.2}", bits / 8.0 / count as f64);
    }
    println!();
}
