//! The datagram carrier: one socket, one thread, a link with each neighbour (ADR 0005, 0009).

mod addresses;
#[cfg(test)]
mod killed_tests;
mod peer;
#[cfg(test)]
mod peer_tests;

use std::{
    collections::HashMap,
    io,
    net::{SocketAddr, ToSocketAddrs, UdpSocket},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use ondol_app::{App, Nation, road::LinkReport};
use ondol_kernel::{Class, Clock, NodeId};
use ondol_replicate::{
    link::{self, Config, Heard, Kind, Link, Position, Role},
    sealed,
};

use self::{
    addresses::Addresses,
    peer::{Arriving, Peer},
};
use crate::{chance::seed, clock::MachineClock};

/// The first byte of a datagram by which a new node shows its certificate to the node above. It
/// is version 15 to the link's own header, which no link will ever have.
const INTRODUCTION: u8 = 0xfe;

/// The first byte of a datagram by which a node is told that it is revoked (ADR 0026): then the
/// revocation as it travels. Whoever reads it learns nothing that is secret, and it is believed for
/// its signature alone.
const REVOKED: u8 = 0xfd;

/// A new node knocks again after so long, ms; the wait doubles. One that its parent knew before
/// waits so long with the first knock: on a thin road it would only be in the way.
const KNOCK_MS: u64 = 5_000;

/// The longest wait between two knocks, ms.
const KNOCK_MS_MAX: u64 = 60_000;

/// The parent's name is looked up again after so long: while it has no address, and while the
/// link is silent, ms.
const LOOK_UP_MS: (u64, u64) = (5_000, 60_000);

/// First messages of handshakes that are looked at in a second: each costs two multiplications
/// on the curve.
const LOOKS_PER_S: u32 = 200;

/// The longest sleep, so that stopping and new neighbours are noticed, ms.
const SLEEP_MS_MAX: u64 = 500;

/// What the store refused (its disk is full) is tried again after so long, ms.
const AGAIN_MS: u64 = 500;

/// What the command line wrote into the record is looked for after so long, ms.
const HEED_MS: u64 = 5_000;

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
    /// The file of the addresses where neighbours were heard last.
    pub addresses: PathBuf,
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
    addresses: Addresses,
    /// Whom this node parts with, and the nation of which that was read.
    parting: (Option<Arc<Nation>>, Vec<NodeId>),
    /// When to knock next, ms, and how long to wait then.
    knock_at: u64,
    knock_wait_ms: u64,
    looked_up_at: u64,
    /// Second and count of first messages that were looked at in it.
    looks: (u64, u32),
    relayed_at: u64,
    heeded_at: u64,
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
            addresses: Addresses::read(&config.addresses),
            parting: (None, vec![]),
            config,
            peers: HashMap::new(),
            ids: HashMap::new(),
            next_id: 1,
            knock_at: 0,
            knock_wait_ms: KNOCK_MS,
            looked_up_at: 0,
            looks: (0, 0),
            relayed_at: 0,
            heeded_at: 0,
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
        if now.saturating_sub(self.heeded_at) > HEED_MS {
            self.heeded_at = now;
            self.app.heed_what_was_written()?;
            self.app.part_with_moved()?;
            self.parting = (None, vec![]);
        }
        let linked = self.linked()?;
        self.part_with_strangers(&linked)?;
        self.meet_neighbours(&linked, now)?;
        self.find_parent(now);
        self.knock(now)?;
        if now.saturating_sub(self.relayed_at) > RELAY_AGAIN_MS {
            self.relayed_at = now;
            self.app.relay_again()?;
        }
        Ok(())
    }

    /// Ends the links with nodes that are neighbours no more, because they are revoked or moved, and
    /// forgets where they were; all links if this one is revoked.
    fn part_with_strangers(&mut self, linked: &[NodeId]) -> Result<()> {
        let gone: Vec<NodeId> =
            self.peers.keys().copied().filter(|node| !linked.contains(node)).collect();
        for node in gone {
            self.peers.remove(&node);
            self.ids.retain(|_, of| *of != node);
            self.addresses.forget(node)?;
            self.app
                .report_link(node, LinkReport { since: self.app.now(), ..LinkReport::default() });
            tracing::warn!(%node, "a link has ended: the node is a neighbour no more");
        }
        Ok(())
    }

    /// Those with whom there is a link: neighbours, the node above also if it is not known yet, and
    /// whom this node parts with.
    fn linked(&mut self) -> Result<Vec<NodeId>> {
        let nation = self.app.nation();
        // It is asked at every turn, and is news only when the nation is.
        if self.parting.0.as_ref().is_none_or(|of| !Arc::ptr_eq(of, &nation)) {
            self.parting = (Some(nation.clone()), self.app.parting()?);
        }
        let own = self.app.place().node;
        if nation.is_revoked(&own) {
            return Ok(vec![]);
        }
        let mut all = nation.neighbours();
        all.extend(nation.parent());
        all.extend(&self.parting.1);
        all.retain(|node| !nation.is_revoked(node));
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    /// Whether this node calls another one: the one above, and the one that was above it until it
    /// moved.
    fn calls(&self, node: &NodeId) -> bool {
        let nation = self.app.nation();
        let moved = |node| nation.placement(node).map(|placement| placement.at);
        let is_neighbour = nation.neighbours().contains(node);
        nation.parent() == Some(*node)
            || !is_neighbour && moved(&self.app.place().node) > moved(node)
    }

    /// Makes a link with each neighbour that is known and has none yet.
    fn meet_neighbours(&mut self, linked: &[NodeId], now: u64) -> Result<()> {
        let nation = self.app.nation();
        for &node in linked {
            if self.peers.contains_key(&node) {
                continue;
            }
            let is_parent = nation.parent() == Some(node);
            let known = nation.node(&node).map(|known| known.certificate.link_key);
            // The key of the invitation is that of the node that was above then.
            let invited = is_parent && nation.placement(&self.app.place().node).is_none();
            let key = known.or(self.config.parent_link_key.filter(|_| invited));
            let Some(key) = key else { continue };
            let calls = self.calls(&node);
            let address =
                if calls { self.address_above(is_parent) } else { self.addresses.of(node) };
            let role = if calls {
                Role::Initiator { remote: key }
            } else {
                Role::Responder { allowed: vec![key] }
            };
            let (config, arriving) = self.config_of(node)?;
            if is_parent {
                self.knock_at = if config.peer_epoch != 0 { now + KNOCK_MS } else { now };
                self.knock_wait_ms = KNOCK_MS;
            }
            let id = config.connection_id;
            let link = Link::new(config, role, self.app.link_key(), seed(), now)?;
            let peer = Peer::new(&self.app, node, link, (address, is_parent), arriving)?;
            self.ids.insert(id, node);
            self.peers.insert(node, peer);
        }
        Ok(())
    }

    /// Where the node above listens, or the one that was above before this one moved: the
    /// configuration tells, unless the nation said it when it moved this node.
    fn address_above(&self, is_parent: bool) -> Option<SocketAddr> {
        let moved = self.app.parent_address().filter(|_| is_parent);
        moved.or(self.config.parent_address.clone())?.to_socket_addrs().ok()?.next()
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
        let nation = self.app.nation();
        let Some(parent) = nation.parent() else { return Ok(()) };
        let Some(peer) = self.peers.get(&parent) else { return Ok(()) };
        let due = now >= self.knock_at;
        // The key of the invitation is that of the node that was above then.
        let known = nation.node(&parent).map(|known| known.certificate.link_key);
        let key = known.or(self.config.parent_link_key);
        let (false, true, Some(key)) = (peer.ever_up, due, key) else { return Ok(()) };
        self.knock_at = now + self.knock_wait_ms;
        self.knock_wait_ms = (2 * self.knock_wait_ms).min(KNOCK_MS_MAX);
        let certificate = self.app.own_certificate();
        let sealed = sealed::seal(&key, &self.app.link_key(), &certificate, &seed())?;
        if let Some(address) = peer.address {
            let _ = self.socket.send_to(&[&[INTRODUCTION][..], &sealed].concat(), address);
        }
        Ok(())
    }

    /// Looks the parent's name up again: there may have been no network at the start, and
    /// addresses change.
    fn find_parent(&mut self, now: u64) {
        let Some(peer) = self.app.nation().parent().and_then(|parent| self.peers.get(&parent))
        else {
            return;
        };
        let (unknown, silent) = (peer.address.is_none(), !peer.link.stats().is_up);
        let wait = if unknown { LOOK_UP_MS.0 } else { LOOK_UP_MS.1 };
        if !silent || now < self.looked_up_at + wait {
            return;
        }
        self.looked_up_at = now;
        let address = self.address_above(true);
        let peer = self.app.nation().parent().and_then(|parent| self.peers.get_mut(&parent));
        if let (Some(peer), Some(address)) = (peer, address) {
            peer.address = Some(address);
        }
    }

    /// Who sent a first message; `None` too when too many came in this second.
    fn caller(&mut self, now: u64, datagram: &[u8]) -> Option<NodeId> {
        let key =
            self.may_look(now).then(|| link::initiator_of(&self.app.link_key(), datagram))??;
        self.node_of_key(&key)
    }

    /// Whether something that costs a computation may still be looked at in this second.
    fn may_look(&mut self, now: u64) -> bool {
        let second = now / 1_000;
        if self.looks.0 != second {
            self.looks = (second, 0);
        }
        self.looks.1 += 1;
        self.looks.1 <= LOOKS_PER_S
    }

    /// Takes a datagram. Whatever it is, it does no harm.
    fn take(&mut self, from: SocketAddr, datagram: &[u8]) {
        let now = self.clock.monotonic_ms();
        if datagram == [0] {
            return;
        }
        match datagram.split_first() {
            Some((&INTRODUCTION, sealed)) => return self.introduced(from, sealed),
            Some((&REVOKED, revocation)) => return self.told(now, revocation),
            _ => {}
        }
        let node = match link::peek(datagram) {
            Some(Kind::Init) => self.caller(now, datagram),
            Some(Kind::Reply { connection_id } | Kind::Data { connection_id }) => {
                let node = self.ids.get(&connection_id).copied();
                if node.is_none()
                    && let Some(reply) = link::lost_reply(datagram)
                {
                    let _ = self.socket.send_to(&reply, from);
                }
                node
            }
            Some(Kind::Lost { .. } | Kind::Call) => self
                .peers
                .iter()
                .find(|(_, peer)| peer.is_parent && peer.address == Some(from))
                .map(|(node, _)| *node),
            Some(Kind::OtherVersion { .. }) | None => None,
        };
        let Some(node) = node else { return };
        let Some(peer) = self.peers.get_mut(&node) else {
            self.tell_if_revoked(from, &node);
            return;
        };
        let heard = peer.link.handle_datagram(now, datagram);
        while let Some(answer) = peer.link.poll_answer() {
            let _ = self.socket.send_to(&answer, from);
        }
        if heard == Heard::Peer && !peer.is_parent && peer.address != Some(from) {
            peer.address = Some(from);
            if let Err(why) = self.addresses.keep(node, from) {
                tracing::warn!(%why, "a neighbour's address could not be kept");
            }
        }
    }

    /// Who calls with the key of a revoked node is told so: it may be the right people, who do
    /// not know it yet.
    fn tell_if_revoked(&self, to: SocketAddr, node: &NodeId) {
        for revocation in self.app.revocations_of(node) {
            let _ = self.socket.send_to(&[&[REVOKED][..], &revocation].concat(), to);
        }
    }

    /// Somebody says that a node is revoked.
    fn told(&mut self, now: u64, revocation: &[u8]) {
        if !self.may_look(now) {
            return;
        }
        match self.app.take_revocation(revocation) {
            Ok(true) => tracing::warn!("a node was revoked"),
            Ok(false) => {}
            Err(why) => tracing::error!(%why, "a revocation could not be kept"),
        }
    }

    fn introduced(&mut self, from: SocketAddr, sealed: &[u8]) {
        let Ok((key, certificate)) = sealed::open(&self.app.link_key(), sealed) else { return };
        if let Some(node) = self.node_of_key(&key) {
            self.tell_if_revoked(from, &node);
        }
        match self.app.introduced_by(&key, &certificate) {
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
