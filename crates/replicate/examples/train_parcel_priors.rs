//! Makes the priors of parcel format 2: `train_parcel_priors OUT (POPULATION ENCOUNTERS)...`, as
//! files of FHIR transactions, one a line. The files must not hold anybody's data.
//!
//! Kept beside the format so that anyone can see what the priors were made of (ADR 0013).

mod clinic_days;

use clinic_days::{Clinic, Clock, parcel};
use ondol_replicate::{
    Parcel,
    columns::{Shared, train::train},
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (out, files) = arguments.split_first().expect("train_parcel_priors OUT FILE FILE...");
    let mut parcels: Vec<(Parcel, Box<dyn Shared>)> = vec![];
    for clock in [Clock::AtWork, Clock::Entered] {
        for pair in files.chunks(2) {
            let clinic = Clinic::read(&pair[0], &pair[1], clock);
            let mut held = clinic.held_before(&clinic.days[0][0]);
            for day in &clinic.days {
                for (at, entries) in day.iter().enumerate() {
                    if at % 2 == 0 {
                        held = held.up_to(entries[0].address.number - 1);
                        parcels.push((parcel(entries.clone()), Box::new(held.clone())));
                    }
                }
                let held = held.up_to(day[0][0].address.number - 1);
                parcels.push((parcel(day.concat()), Box::new(held)));
            }
        }
    }
    let village = Clinic::made_up(2, 150);
    for entries in village.days.iter().flatten() {
        // Each person's chart begins here: nothing of it is held.
        let held = village.held_before(entries);
        parcels.insert(0, (parcel(entries.clone()), Box::new(held)));
    }
    let priors = train(&parcels);
    let bytes = priors.pack().expect("they can be packed");
    std::fs::write(out, &bytes).expect("the priors can be written");
    println!("{} parcels, {} shapes, {} bytes", parcels.len(), priors.shapes.count(), bytes.len());
}
