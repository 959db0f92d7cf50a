//! A hub that takes in the day of many clinics at once: parcels of as many origins, each verified,
//! taken in and indexed in a commit of its own before it is acknowledged.

mod clinics;

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use ondol_app::{App, Parts, road::Arrival};
use ondol_kernel::Class;
use ondol_record::ChartId;
use ondol_store::{Identity, Space, Store, StoreError};
use ondol_store_sqlite::{FileBlobs, OpenOptions, SqliteStore};
use ondol_testkit::{patience::Stopwatch, population::Chance};

use self::clinics::{Clinic, MORNING, Packed, Seat};
use super::country::support::{SeededRng, SetClock};
use crate::{
    figure::{Aim, Figure},
    ground,
    inputs::ClinicDays,
    sample::Times,
    visits::{self, Visits},
};

/// Encounters of a clinic's day, each of somebody who is registered.
const DAY: usize = 60;
/// So many clinics' parcels are made before they are handed over, with the watch stopped.
const MADE_AT_ONCE: usize = 50;
/// One clinic in so many sends an emergency too.
const EMERGENCY_EACH: usize = 10;

/// Takes the figures for so many clinics.
pub fn figures(clinics: usize, seed: u64) -> Result<Vec<Figure>> {
    let hub = Hub::found(clinics)?;
    let days = ClinicDays::load(None, None, seed)?;
    let mut taken = Taken::default();
    let mut source = String::new();
    for chunk in (0..clinics).collect::<Vec<_>>().chunks(MADE_AT_ONCE) {
        let mut days_of = vec![];
        for at in chunk {
            let mut clinic = Clinic::new(&Seat::clinic(*at))?;
            let doctor = format!("Practitioner/doctor-{at}");
            let seed = seed.wrapping_add(*at as u64 * 1_000);
            let mut visits = Visits::new(&days, &clinic.organization(), &doctor, seed)?;
            let people = register(&hub, &mut clinic, seed)?;
            for who in &people {
                clinic.save(visits.one(who, 0, &doctor))?;
            }
            days_of.push(clinic.send()?);
            if at % EMERGENCY_EACH == 0 {
                let mut urgent = visits.one(&people[0], 0, &doctor);
                urgent.class = Class::Emergency;
                clinic.save(urgent)?;
                days_of.push(clinic.send()?);
            }
            source.clone_from(&visits.source);
        }
        taken.take(&hub, &days_of)?;
    }
    taken.reported(&hub, clinics, &source)
}

/// The people of a clinic, registered and known at the hub.
fn register(hub: &Hub, clinic: &mut Clinic, seed: u64) -> Result<Vec<String>> {
    let here = clinic.organization();
    let mut chance = Chance::new(seed);
    let mut people = vec![];
    for _ in 0..DAY {
        let draft = visits::person(&chance.uuid(), &here, &mut chance);
        let entries = clinic.save(draft)?;
        let charts = entries.iter().filter_map(|entry| match &entry.chart {
            ChartId::Patient(id) => Some(format!("Patient/{id}")),
            _ => None,
        });
        people.extend(charts);
    }
    hub.arrive(&clinic.send()?)?;
    Ok(people)
}

/// The hub's node.
struct Hub {
    app: Arc<App>,
    store: Arc<SqliteStore>,
}

impl Hub {
    fn found(clinics: usize) -> Result<Self> {
        let folder = ground::folder("hub")?;
        let store = Arc::new(SqliteStore::open(&folder.join("record.db"), OpenOptions::default())?);
        let seat = Seat::hub();
        let identity = Identity { node: seat.node(), incarnation: 0, facility: seat.facility()? };
        let mut certificates = vec![Seat::ministry().certificate()?, seat.certificate()?];
        for at in 0..clinics {
            certificates.push(Seat::clinic(at).certificate()?);
        }
        ondol_store::transact(&*store, move |tx| -> Result<(), StoreError> {
            tx.set_identity(&identity)?;
            for certificate in &certificates {
                let key = [b"cert/".as_slice(), &certificate.node.0].concat();
                tx.set_value(Space::Peer, &key, Some(&certificate.to_bytes()))?;
            }
            Ok(())
        })?;
        let app = App::open(Parts {
            store: store.clone(),
            blobs: Arc::new(FileBlobs::open(&folder.join("blobs"))?),
            clock: Arc::new(SetClock::at(MORNING.plus(12 * 3_600_000))),
            rng: Arc::new(SeededRng::new("hub")),
            keys: seat.keys(),
            place: seat.place()?,
            practice: false,
        })?;
        Ok(Self { app: Arc::new(app), store })
    }

    /// When it returns, the parcel's entries are durable and indexed, and it may be acknowledged.
    fn arrive(&self, packed: &Packed) -> Result<()> {
        let (from, class) = (packed.from, packed.class);
        let arrival = self.app.arrive_in(from, 1, class, packed.number, &packed.bytes)?;
        ensure!(arrival == Arrival::Done, "a parcel was not taken in: {arrival:?}");
        Ok(())
    }
}

/// What was taken in.
#[derive(Default)]
struct Taken {
    entries: usize,
    bytes: usize,
    parcels: Vec<Duration>,
    emergencies: Vec<Duration>,
    /// Entries in a second of each chunk, the first first.
    rates: Vec<f64>,
    resident_mb: Vec<f64>,
}

impl Taken {
    fn take(&mut self, hub: &Hub, all: &[Packed]) -> Result<()> {
        let (begun, before) = (Stopwatch::start(), self.entries);
        for packed in all {
            let watch = Stopwatch::start();
            hub.arrive(packed)?;
            let of = if packed.class == Class::Emergency {
                &mut self.emergencies
            } else {
                &mut self.parcels
            };
            of.push(watch.elapsed());
            self.entries += packed.entries;
            self.bytes += packed.bytes.len();
        }
        self.rates.push(real(self.entries - before) / begun.elapsed().as_secs_f64());
        self.resident_mb.push(ground::memory_mb(std::process::id(), "VmRSS")?);
        Ok(())
    }

    fn reported(self, hub: &Hub, clinics: usize, source: &str) -> Result<Vec<Figure>> {
        let whole: Duration = self.parcels.iter().chain(&self.emergencies).sum();
        let per_s = real(self.entries) / whole.as_secs_f64();
        let last = hub.store.read()?.last_arrival()?;
        let registered = u64::try_from(clinics * DAY)?;
        ensure!(last == registered + u64::try_from(self.entries)?, "entries are missing: {last}");
        let ends =
            |all: &[f64]| (all.first().copied().unwrap_or(0.0), all.last().copied().unwrap_or(0.0));
        let ((first, end), (early, late)) = (ends(&self.rates), ends(&self.resident_mb));
        let fsync = ground::fsync_times(&ground::folder("hub-fsync")?)?;
        let parcels = Times::new(self.parcels, whole)?;
        let how = format!(
            "{} entries of {clinics} origins in parcels of {DAY}, {} B an entry, over SQLite with each \
             parcel's commit synced (fsync here {:.2} ms): seals checked, entries taken in, indexed and \
             put into queues in one commit, one after the other; {first:.0}/s with the first {MADE_AT_ONCE} \
             clinics, {end:.0}/s with the last; {source}",
            self.entries,
            self.bytes / self.entries.max(1),
            fsync.ms(0.0),
        );
        let mut figures = vec![
            Figure::new("acknowledged_entries_per_s", per_s, "/s").aim(Aim::AtLeast(20_000.0)).how(how),
            Figure::new("indexed_entries_per_s", per_s, "/s")
                .aim(Aim::AtLeast(2_000.0))
                .how("the same commits: nothing is acknowledged here before it is indexed"),
            Figure::new("parcel_p95_ms", parcels.ms(0.95), "ms")
                .how("the longest that an emergency waits for what is being taken in"),
            Figure::new("resident_growth", late / early, "x").aim(Aim::AtMost(1.05)).how(format!(
                "{early:.0} MB after the first {MADE_AT_ONCE} clinics, {late:.0} MB after the last; the \
                 bench's own parcels are in it"
            )),
        ];
        if !self.emergencies.is_empty() {
            let whole = self.emergencies.iter().sum();
            let emergencies = Times::new(self.emergencies, whole)?;
            figures.push(
                Figure::new("emergency_p95_ms", emergencies.ms(0.95), "ms")
                    .how("an emergency taken in, indexed and durable between the parcels"),
            );
        }
        Ok(figures)
    }
}

fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
