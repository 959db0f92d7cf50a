//! The datagram carrier: one socket, one thread, a link with each neighbour (ADR 0005, 0009).

mod peer;
#[cfg(test)]
mod peer_tests;

use std::{
    collections::HashMap,
    io,
    net::{SocketAddr, ToSocketAddrs, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use ondol_app::App;
use ondol_kernel::{Class, Clock, NodeId};
use ondol_replicate::{
    link::{self, Config, Heard, Kind, Link, Position, Role},
    sealed,
};

use self::peer::{Arriving, Peer};
use crate::{chance::seed, clock::MachineClock};

/// The first byte of a datagram by which a new node shows its certificate to the node above. It
/// is version 15 to the link's own header, which no link will ever have.
const INTRODUCTION: u8 = 0xfe;

/// A new node knocks again after so long, ms.
const KNOCK_MS: u64 = 5_000;

/// The longest sleep, so that stopping and new neighbours are noticed, ms.
const SLEEP_MS_MAX: u64 = 500;

/// What the store refused (its disk is full) is tried again after so long, ms.
const AGAIN_MS: u64 = 500;

/// How links with relayed peers are nudged: messages that nobody acknowledged go again, ms.
const RELAY_AGAIN_MS: u64 = 3_600_000;

/// Where the carrier listens, and whom it calls.
#[derive(Debug, Clone)]
pub struct RoadConfig {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Where the node above listens: `host:port`.
    pub parent_address: Option<String>,
    /// Its link key.
    pub parent_link_key: Option<[u8; 32]>,
}

/// The carrier.
pub struct Road {
    app: Arc<App>,
    socket: UdpSocket,
    clock: MachineClock,
    config: RoadConfig,
    peers: HashMap<NodeId, Peer>,
    ids: HashMap<u16, NodeId>,
    next_id: u16,
    knocked_at: u64,
    relayed_at: u64,
    again_at: u64,
    stop: Arc<AtomicBool>,
}

impl Road {
    /// Opens the socket.
    pub fn open(app: Arc<App>, config: RoadConfig, stop: Arc<AtomicBool>) -> Result<Self> {
        let socket = UdpSocket::bind(config.listen)
            .with_context(|| format!("the road cannot listen on {}", config.listen))?;
        let own = socket.local_addr()?;
        let waker = UdpSocket::bind("127.0.0.1:0")?;
        let target = SocketAddr::from(([127, 0, 0, 1], own.port()));
        app.on_commit(move || {
            // One byte to ourselves ends the wait of the socket; if it is lost, the sleep ends soon.
            let _ = waker.send_to(&[0], target);
        });
        Ok(Self {
            app,
            socket,
            clock: MachineClock::new(0),
            config,
            peers: HashMap::new(),
            ids: HashMap::new(),
            next_id: 1,
            knocked_at: 0,
            relayed_at: 0,
            again_at: 0,
            stop,
        })
    }

    /// The address on which the carrier listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Moves messages until it is told to stop. Errors of the store are logged and tried again:
    /// a full disk must not end the road.
    pub fn run(mut self) {
        let mut buffer = vec![0; 2_048];
        while !self.stop.load(Ordering::Relaxed) {
            let now = self.clock.monotonic_ms();
            self.turn(now);
            let wait = self.wait_ms(self.clock.monotonic_ms());
            let _ = self.socket.set_read_timeout(Some(Duration::from_millis(wait.max(1))));
            // All that is waiting is taken before the next turn.
            if let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
                self.take(from, &buffer[..length]);
                let _ = self.socket.set_nonblocking(true);
                for _ in 0..64 {
                    let Ok((length, from)) = self.socket.recv_from(&mut buffer) else { break };
                    self.take(from, &buffer[..length]);
                }
                let _ = self.socket.set_nonblocking(false);
            }
        }
    }

    fn wait_ms(&self, now: u64) -> u64 {
        let due = self.peers.values().filter_map(|peer| peer.link.poll_timeout()).min();
        due.map_or(SLEEP_MS_MAX, |due| due.saturating_sub(now)).min(SLEEP_MS_MAX)
    }

    /// Does what is due: neighbours, timers, messages, datagrams, events. What fails with one
    /// neighbour holds up no other, and is tried again a little later.
    fn turn(&mut self, now: u64) {
        if now >= self.again_at
            && let Err(why) = self.look_around(now)
        {
            tracing::error!(%why, "the road stumbled");
            self.again_at = now + AGAIN_MS;
        }
        for peer in self.peers.values_mut() {
            if now >= peer.again_at
                && let Err(why) = peer.exchange(&self.app)
            {
                tracing::error!(%why, "the road to a neighbour stumbled");
                peer.again_at = now + AGAIN_MS;
            }
            if peer.link.poll_timeout().is_some_and(|due| due <= now) {
                peer.link.handle_timeout(now);
            }
            while let Some(datagram) = peer.link.poll_transmit(now) {
                if let Some(address) = peer.address {
                    let _ = self.socket.send_to(&datagram, address);
                }
            }
            peer.report(&self.app);
        }
    }

    fn look_around(&mut self, now: u64) -> Result<()> {
        self.meet_neighbours(now)?;
        self.knock(now)?;
        if now.saturating_sub(self.relayed_at) > RELAY_AGAIN_MS {
            self.relayed_at = now;
            self.app.relay_again()?;
        }
        Ok(())
    }

    /// Makes a link with each neighbour that is known and has none yet.
    fn meet_neighbours(&mut self, now: u64) -> Result<()> {
        let nation = self.app.nation();
        let parent = self.app.place().parent;
        for node in parent.into_iter().chain(nation.neighbours()) {
            if self.peers.contains_key(&node) {
                continue;
            }
            let is_parent = Some(node) == parent;
            let known = nation.node(&node).map(|known| known.certificate.link_key);
            let key = known.or(self.config.parent_link_key.filter(|_| is_parent));
            let Some(key) = key else { continue };
            let address = if is_parent { self.parent_address() } else { None };
            let role = if is_parent {
                Role::Initiator { remote: key }
            } else {
                Role::Responder { allowed: vec![key] }
            };
            let (config, arriving) = self.config_of(node)?;
            let id = config.connection_id;
            let link = Link::new(config, role, self.app.link_key(), seed(), now)?;
            let peer = Peer::new(&self.app, node, link, (address, is_parent), arriving)?;
            self.ids.insert(id, node);
            self.peers.insert(node, peer);
        }
        Ok(())
    }

    fn parent_address(&self) -> Option<SocketAddr> {
        self.config.parent_address.as_ref()?.to_socket_addrs().ok()?.next()
    }

    fn config_of(&mut self, node: NodeId) -> Result<(Config, [Option<Arriving>; 4])> {
        while self.ids.contains_key(&self.next_id) {
            self.next_id = self.next_id.wrapping_add(1);
        }
        let mut config = Config::new(self.next_id, self.app.own_epoch()?);
        config.peer_epoch = self.app.peer_epoch(node)?;
        let mut arriving = [None, None, None, None];
        for class in Class::ALL {
            let at = usize::from(class.code());
            let next = self.app.arrived_up_to(node, class)? + 1;
            let mut position = Position { message_no: next, offset: 0 };
            if let Some((number, bytes)) = self.app.kept_part(node, class)?
                && number == next
            {
                position.offset = u32::try_from(bytes.len())?;
                let kept = bytes.len();
                arriving[at] = Some(Arriving { number, bytes, kept });
            }
            config.received[at] = position;
        }
        Ok((config, arriving))
    }

    /// A node that its parent may not know yet shows its certificate until the link stands.
    fn knock(&mut self, now: u64) -> Result<()> {
        let Some(parent) = self.app.place().parent else { return Ok(()) };
        let Some(peer) = self.peers.get(&parent) else { return Ok(()) };
        let waited = self.knocked_at == 0 || now.saturating_sub(self.knocked_at) > KNOCK_MS;
        let (false, true, Some(key)) = (peer.ever_up, waited, self.config.parent_link_key) else {
            return Ok(());
        };
        self.knocked_at = now.max(1);
        let certificate = self.app.own_certificate();
        let sealed = sealed::seal(&key, &self.app.link_key(), &certificate, &seed())?;
        let address = self.parent_address();
        if let Some(address) = address {
            let _ = self.socket.send_to(&[&[INTRODUCTION][..], &sealed].concat(), address);
            if let Some(peer) = self.peers.get_mut(&parent) {
                peer.address = Some(address);
            }
        }
        Ok(())
    }

    /// Takes a datagram. Whatever it is, it does no harm.
    fn take(&mut self, from: SocketAddr, datagram: &[u8]) {
        let now = self.clock.monotonic_ms();
        if datagram == [0] {
            return;
        }
        if let Some((&INTRODUCTION, sealed)) = datagram.split_first() {
            self.introduced(sealed);
            return;
        }
        let node = match link::peek(datagram) {
            Some(Kind::Init) => link::initiator_of(&self.app.link_key(), datagram)
                .and_then(|key| self.node_of_key(&key)),
            Some(Kind::Reply { connection_id } | Kind::Data { connection_id }) => {
                let node = self.ids.get(&connection_id).copied();
                if node.is_none()
                    && let Some(reply) = link::lost_reply(datagram)
                {
                    let _ = self.socket.send_to(&reply, from);
                }
                node
            }
            Some(Kind::Lost { .. }) => self
                .peers
                .iter()
                .find(|(_, peer)| peer.address == Some(from))
                .map(|(node, _)| *node),
            Some(Kind::OtherVersion { .. }) | None => None,
        };
        let Some(peer) = node.and_then(|node| self.peers.get_mut(&node)) else { return };
        match peer.link.handle_datagram(now, datagram) {
            Heard::Nothing => {}
            Heard::Handshake => {
                while let Some(reply) = peer.link.poll_transmit(now) {
                    let _ = self.socket.send_to(&reply, from);
                }
            }
            Heard::Peer => {
                if !peer.is_parent {
                    peer.address = Some(from);
                }
            }
        }
    }

    fn introduced(&mut self, sealed: &[u8]) {
        let Ok((_, certificate)) = sealed::open(&self.app.link_key(), sealed) else { return };
        match self.app.introduced(&certificate) {
            Ok(true) => tracing::info!("a new node below was introduced"),
            Ok(false) => {}
            Err(why) => tracing::error!(%why, "an introduction could not be kept"),
        }
    }

    fn node_of_key(&self, key: &[u8; 32]) -> Option<NodeId> {
        let nation = self.app.nation();
        nation.nodes().find(|certificate| certificate.link_key == *key).map(|c| c.node)
    }
}
