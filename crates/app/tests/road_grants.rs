//! Whom a chart was granted to is found by the chart, also in a record of before that was noted.

use ondol_app::AppError;
use ondol_store::Space;
use support::{
    Country, Facility,
    scenes::{consult, note, notes, patient_at},
};

use crate::support;

fn noted(facility: &Facility) -> Vec<Vec<u8>> {
    let view = facility.store().read().unwrap();
    let all = view.values(Space::Peer, b"granted", None, usize::MAX).unwrap();
    all.into_iter().map(|(key, _)| key).collect()
}

/// Makes the record what an earlier version would have left.
fn forget(facility: &Facility) {
    let keys = noted(facility);
    assert!(keys.len() > 1, "{} has granted something", facility.seat.id);
    ondol_store::transact(facility.store(), move |tx| -> Result<(), AppError> {
        for key in &keys {
            tx.set_value(Space::Peer, key, None)?;
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_record_of_an_earlier_version_goes_on_giving_charts_to_whom_they_were_granted() {
    let mut country = Country::new();
    let chart = patient_at(country.clinic(), "p1");
    note(country.clinic(), "p1", "a1");
    consult(country.clinic(), "p1", "c1");
    country.carry();
    assert_eq!(notes(country.specialist(), &chart), ["a1"]);
    let before = noted(country.province());
    forget(country.province());
    // As it stands the old way is gone.
    note(country.clinic(), "p1", "a2");
    country.carry();
    assert_eq!(notes(country.specialist(), &chart), ["a1", "a2"]);
    // The next start notes it again.
    country.again("province", Facility::restarted);
    assert_eq!(noted(country.province()), before);
    note(country.clinic(), "p1", "a3");
    country.carry();
    assert_eq!(notes(country.specialist(), &chart), ["a1", "a2", "a3"]);
}

#[test]
fn a_chart_goes_to_nobody_whom_it_was_not_granted_to() {
    let country = Country::new();
    let (asked, other) = (patient_at(country.clinic(), "p1"), patient_at(country.clinic(), "p2"));
    note(country.clinic(), "p1", "a1");
    note(country.clinic(), "p2", "b1");
    consult(country.clinic(), "p1", "c1");
    country.carry();
    assert_eq!(notes(country.specialist(), &asked), ["a1"]);
    assert!(notes(country.specialist(), &other).is_empty());
    assert_eq!(notes(country.county(), &other), ["b1"]);
}
