//! Saving on a disk whose every fsync takes longer.
//!
//! The real node has no such hook, so that the same use cases, store and API run in this process
//! over a disk in memory (`fault-vfs`), and are asked over HTTP. Nothing but the disk differs;
//! what the disk itself would cost is not in it.

use std::{net::TcpListener, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use ed25519_dalek::SigningKey;
use ondol_api::{AccountAuthenticator, ApiState};
use ondol_app::{
    Actor, App, NodeKeys, Parts, Place,
    founding::{self, Invite},
};
use ondol_fault_vfs::{Disk, Faults};
use ondol_kernel::{Clock, Millis, Rng};
use ondol_record::certificate::Tier;
use ondol_replicate::link;
use ondol_store::Store;
use ondol_store_sqlite::{FileBlobs, OpenOptions, SqliteStore};
use ondol_testkit::{node::PASSWORD, patience::Stopwatch};

use super::save;
use crate::{
    figure::Figure,
    ground::{self, LOGIN, NAME},
    inputs::{ClinicDays, Ids},
};

struct Random;

impl Rng for Random {
    fn fill(&self, to: &mut [u8]) {
        getrandom::fill(to).expect("the operating system gives random bytes");
    }
}

fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    Random.fill(&mut bytes);
    bytes
}

/// A day in March, and from there on as time passes outside.
struct Running(Stopwatch);

impl Clock for Running {
    fn wall(&self) -> Millis {
        let passed = i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX);
        Millis(1_772_406_000_000_i64.saturating_add(passed))
    }

    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn utc_offset_minutes(&self) -> i32 {
        540
    }
}

/// A store on a disk in memory.
fn store(disk: &Disk) -> Result<SqliteStore> {
    let vfs = Some(disk.vfs_name().into());
    // Names in a directory are the disk's own matter here.
    let options = OpenOptions { vfs, sync_directory: |_| Ok(()), ..OpenOptions::default() };
    Ok(SqliteStore::open(Path::new("ondol.db"), options)?)
}

fn keys() -> NodeKeys {
    NodeKeys { signing: SigningKey::from_bytes(&random()), link: random() }
}

fn open(store: SqliteStore, keys: NodeKeys, place: Place, dir: &Path) -> Result<Arc<App>> {
    let parts = Parts {
        store: Arc::new(store) as Arc<dyn Store>,
        blobs: Arc::new(FileBlobs::open(dir)?),
        clock: Arc::new(Running(Stopwatch::start())),
        rng: Arc::new(Random),
        keys,
        place,
        practice: false,
    };
    Ok(Arc::new(App::open(parts)?))
}

/// A clinic under a ministry, both in memory.
fn clinic(above: &Disk, own: &Disk, dir: &Path) -> Result<Arc<App>> {
    let (root, ministry_keys) = (SigningKey::from_bytes(&random()), keys());
    let ministry = store(above)?;
    let link = link::public_key(&ministry_keys.link)?;
    let now = Running(Stopwatch::start()).wall();
    let place = founding::found_nation(&ministry, &root, &ministry_keys, link, "보건성", now)?;
    let node = place.node;
    let ministry = open(ministry, ministry_keys, place, &dir.join("ministry"))?;
    let invite = Invite {
        name: "은정리진료소".into(),
        tier: Tier::Clinic,
        parent: node,
        parent_address: "127.0.0.1:9".into(),
    };
    let ticket = ministry.invite(&Actor::node(node, "보건성"), &root, &invite, vec![])?;
    let (clinic, clinic_keys) = (store(own)?, keys());
    let link = link::public_key(&clinic_keys.link)?;
    let (place, _) = founding::join(&clinic, &ticket, &clinic_keys, link, now)?;
    let app = open(clinic, clinic_keys, place, &dir.join("clinic"))?;
    let roles = ["health-worker".to_owned(), "section-doctor".to_owned()];
    app.provision_account(LOGIN, NAME, &roles, PASSWORD, None)?;
    Ok(app)
}

/// Takes the figures with so many ms added to each fsync.
pub fn figures(days: &ClinicDays, clients: &[usize], extra_ms: u64) -> Result<Vec<Figure>> {
    let dir = ground::folder("slow-disk")?;
    let (above, own) = (Disk::new("bench-ministry"), Disk::new("bench-clinic"));
    let app = clinic(&above, &own, &dir)?;
    let organization = format!("Organization/{}", app.place().facility);
    let accounts = Arc::new(AccountAuthenticator::new(app.clone(), random()));
    let router = ondol_api::mounted(ApiState::new(app, accounts, "http"));
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let base = format!("http://{}", listener.local_addr()?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        axum::serve(listener, router).await
    });
    let server = ground::server(&base, LOGIN)?;
    let desk = ground::enter_people(&server, &organization, NAME, days, Ids::Own)
        .context("the people of the slow disk's clinic")?;
    let bodies = save::bodies(days, &desk)?;
    let delay = Duration::from_millis(extra_ms);
    own.set_faults(Faults { sync_delay: delay, ..Faults::default() });
    let mut figures = vec![];
    let against = format!("against the {extra_ms} ms alone");
    let disk = format!("in-process, disk in memory with {extra_ms} ms added to each fsync");
    for &clients in clients {
        let syncs = own.counts().log_syncs;
        let times = save::run(&server, &bodies, clients)?;
        let syncs = own.counts().log_syncs - syncs;
        let disk = format!("{disk}, {syncs} of them");
        let fsync = (delay.as_secs_f64() * 1_000.0, against.as_str());
        figures.extend(save::shown(&times, clients, fsync, &disk));
    }
    served.abort();
    runtime.shutdown_timeout(Duration::from_secs(5));
    Ok(figures)
}
