//! What is kept of a country beside its nodes' own data: ports, so that addresses stay, and
//! processes, so that none is left behind.

use std::{
    collections::BTreeMap,
    fs, io,
    net::{SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::{Value, json};

use super::{NodeError, Seat};

/// The ports on which a country listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ports {
    /// Whatever is free.
    Any,
    /// Pages from this port on, HTTPS 500 above; whatever is free where one is taken.
    From(u16),
}

/// The ports of one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Doors {
    pub http: u16,
    pub https: u16,
    pub road: u16,
}

/// The file `country.json`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct State {
    pub doors: BTreeMap<Seat, Doors>,
    pub processes: BTreeMap<Seat, u32>,
    /// What was done once and must not be done again: founding, filling.
    pub done: Vec<String>,
}

impl State {
    fn file(dir: &Path) -> PathBuf {
        dir.join("country.json")
    }

    /// Reads it; `None` in a new directory.
    pub fn read(dir: &Path) -> Result<Option<Self>, NodeError> {
        let path = Self::file(dir);
        let Ok(bytes) = fs::read(&path) else { return Ok(None) };
        let damaged = || NodeError::State(path.display().to_string());
        let value: Value = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
        let mut state = Self::default();
        for seat in Seat::ALL {
            let own = &value["nodes"][seat.folder()];
            let port = |name: &str| own[name].as_u64().and_then(|port| u16::try_from(port).ok());
            if let (Some(http), Some(https), Some(road)) =
                (port("http"), port("https"), port("road"))
            {
                state.doors.insert(seat, Doors { http, https, road });
            }
            if let Some(process) = own["process"].as_u64().and_then(|id| u32::try_from(id).ok()) {
                state.processes.insert(seat, process);
            }
        }
        let done = value["done"].as_array().ok_or_else(damaged)?;
        state.done = done.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect();
        Ok(Some(state))
    }

    /// Writes it: a new file in place of the old one, so that it is never half.
    pub fn write(&self, dir: &Path) -> Result<(), NodeError> {
        let mut nodes = json!({});
        for (seat, doors) in &self.doors {
            nodes[seat.folder()] = json!({
                "http": doors.http, "https": doors.https, "road": doors.road,
                "process": self.processes.get(seat),
            });
        }
        let value = json!({ "nodes": nodes, "done": self.done });
        let path = Self::file(dir);
        let fresh = path.with_extension("new");
        let text = serde_json::to_string_pretty(&value).unwrap_or_default();
        fs::write(&fresh, text)
            .and_then(|()| fs::rename(&fresh, &path))
            .map_err(NodeError::io("the country's file cannot be written"))
    }

    /// Chooses doors for those that have none, and others where a stranger took one.
    pub fn settle(&mut self, ports: Ports) -> Result<(), NodeError> {
        for (at, seat) in (0..).zip(Seat::ALL) {
            let wanted = self.doors.get(&seat).copied().unwrap_or(match ports {
                Ports::Any => Doors { http: 0, https: 0, road: 0 },
                Ports::From(first) => Doors { http: first + at, https: first + 500 + at, road: 0 },
            });
            let doors = Doors {
                http: free_for_streams(wanted.http)?,
                https: free_for_streams(wanted.https)?,
                road: free_for_datagrams(wanted.road)?,
            };
            self.doors.insert(seat, doors);
        }
        Ok(())
    }
}

pub(super) fn here(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// The wanted port if it is free, else another.
fn free_for_streams(wanted: u16) -> Result<u16, NodeError> {
    let free = |port| {
        let listener = TcpListener::bind(here(port))?;
        listener.local_addr().map(|address| address.port())
    };
    choose(wanted, free)
}

fn free_for_datagrams(wanted: u16) -> Result<u16, NodeError> {
    let free = |port| {
        let socket = UdpSocket::bind(here(port))?;
        socket.local_addr().map(|address| address.port())
    };
    choose(wanted, free)
}

/// Ports that the system gives to nobody by itself: one that it chose could be taken again by any
/// connection before the node comes to it.
const OWN: std::ops::Range<u32> = 10_000..30_000;

fn choose(wanted: u16, free: impl Fn(u16) -> io::Result<u16>) -> Result<u16, NodeError> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let own = (0..100).filter_map(|_| {
        // Processes that run beside each other begin at different places.
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let at = std::process::id().wrapping_mul(101).wrapping_add(next);
        u16::try_from(OWN.start + at % (OWN.end - OWN.start)).ok()
    });
    let wanted = Some(wanted).filter(|port| *port != 0);
    let port = wanted.into_iter().chain(own).find_map(|port| free(port).ok());
    port.map_or_else(|| free(0), Ok).map_err(NodeError::io("no port is free"))
}
