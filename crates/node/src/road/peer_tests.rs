//! What a full disk refuses is done when there is room again, and is acknowledged only then.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ed25519_dalek::SigningKey;
use ondol_app::{App, NodeKeys, Parts, founding};
use ondol_kernel::{Class, Clock, NodeId};
use ondol_replicate::link::{Config, Event, Link, Role, public_key};
use ondol_store::{Finding, Job, Outcome, Store, StoreError, View};
use ondol_store_sqlite::{FileBlobs, OpenOptions, SqliteStore};

use super::peer::Peer;
use crate::{
    chance::{MachineChance, seed},
    clock::MachineClock,
};

/// A store whose disk can be full.
struct Filling {
    store: SqliteStore,
    full: Arc<AtomicBool>,
}

impl Store for Filling {
    fn read(&self) -> Result<Box<dyn View + '_>, StoreError> {
        self.store.read()
    }
    fn write(&self, job: Job) -> Result<Outcome, StoreError> {
        if self.full.load(Ordering::SeqCst) { Err(StoreError::Full) } else { self.store.write(job) }
    }
    fn reindex(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<u64, StoreError> {
        self.store.reindex(progress)
    }
    fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Vec<Finding>, StoreError> {
        self.store.verify(progress)
    }
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn app(folder: &Folder, full: Arc<AtomicBool>) -> Arc<App> {
    std::fs::create_dir_all(&folder.0).unwrap();
    let store = SqliteStore::open(&folder.0.join("record.db"), OpenOptions::default()).unwrap();
    let keys = NodeKeys { signing: SigningKey::from_bytes(&[1; 32]), link: [1; 32] };
    let clock = MachineClock::new(0);
    let root = SigningKey::from_bytes(&[2; 32]);
    let public = public_key(&keys.link).unwrap();
    let place =
        founding::found_nation(&store, &root, &keys, public, "보건성", clock.wall()).unwrap();
    let parts = Parts {
        store: Arc::new(Filling { store, full }),
        blobs: Arc::new(FileBlobs::open(&folder.0.join("blobs")).unwrap()),
        clock: Arc::new(clock),
        rng: Arc::new(MachineChance),
        keys,
        place,
        practice: false,
    };
    Arc::new(App::open(parts).unwrap())
}

/// Carries what both sides have for each other; gives what the far side was told.
fn carry(now: &mut u64, near: &mut Peer, app: &Arc<App>, far: &mut Link) -> Vec<Event> {
    let mut told = vec![];
    for _ in 0..200 {
        *now += 20;
        far.handle_timeout(*now);
        near.link.handle_timeout(*now);
        while let Some(datagram) = far.poll_transmit(*now) {
            near.link.handle_datagram(*now, &datagram);
        }
        let _ = near.exchange(app);
        while let Some(datagram) = near.link.poll_transmit(*now) {
            far.handle_datagram(*now, &datagram);
        }
        told.extend(std::iter::from_fn(|| far.poll_event()));
    }
    told
}

fn held(told: &[Event]) -> u64 {
    let held = told.iter().filter_map(|event| match event {
        Event::Durable { message_no, .. } => Some(message_no.saturating_sub(1)),
        _ => None,
    });
    held.max().unwrap_or(0)
}

#[test]
fn what_a_full_disk_refuses_is_acknowledged_when_it_is_held() {
    let name = format!("ondol-full-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    let full = Arc::new(AtomicBool::new(false));
    let app = app(&folder, full.clone());
    let (node, private, mut now) = (NodeId([9; 16]), [9; 32], 0);
    let role = Role::Initiator { remote: public_key(&app.link_key()).unwrap() };
    let mut far = Link::new(Config::new(1, 1), role, private, seed(), now).unwrap();
    let role = Role::Responder { allowed: vec![public_key(&private).unwrap()] };
    let link = Link::new(Config::new(2, 1), role, app.link_key(), seed(), now).unwrap();
    let mut near = Peer::new(&app, node, link, (None, false), [const { None }; 4]).unwrap();

    far.send(Class::Care, 1, vec![255; 100]).unwrap();
    assert_eq!(held(&carry(&mut now, &mut near, &app, &mut far)), 1);
    full.store(true, Ordering::SeqCst);
    far.send(Class::Care, 2, vec![254; 100]).unwrap();
    far.send(Class::Care, 3, vec![253; 100]).unwrap();
    assert_eq!(held(&carry(&mut now, &mut near, &app, &mut far)), 0);
    assert_eq!(app.arrived_up_to(node, Class::Care).unwrap(), 1);
    full.store(false, Ordering::SeqCst);
    assert_eq!(held(&carry(&mut now, &mut near, &app, &mut far)), 3);
    assert_eq!(app.arrived_up_to(node, Class::Care).unwrap(), 3);
}
