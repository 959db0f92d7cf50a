//! The datagram carrier: one socket, one thread, a link with each neighbour (ADR 0005, 0009).

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
use ondol_app::{App, road::LinkReport};
use ondol_kernel::{Class, Clock, NodeId};
use ondol_replicate::{
    link::{self, Config, Event, Heard, Kind, Link, Position, Role},
    sealed,
};

use crate::{chance::seed, clock::MachineClock};

/// The first byte of a datagram by which a new node shows its certificate to the node above. It
/// is version 15 to the link's own header, which no link will ever have.
const INTRODUCTION: u8 = 0xfe;

/// A new node knocks again after so long, ms.
const KNOCK_MS: u64 = 5_000;

/// So many messages of a class wait in a link at the most; the rest stays in the queue, where
/// more entries join the next parcel.
const IN_LINK: usize = 4;

/// So many parts of blobs are prepared at once.
const BLOB_PARTS: usize = 8;

/// The longest sleep, so that stopping and new neighbours are noticed, ms.
const SLEEP_MS_MAX: u64 = 500;

/// Parts of an unfinished message are kept durably each time so many bytes came.
const KEEP_PART_BYTES: usize = 2_048;

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

struct Peer {
    link: Link,
    address: Option<SocketAddr>,
    /// The last number given to the link, by class.
    given: [u64; 4],
    /// Lengths of messages in the link, by (class, number).
    lengths: HashMap<(u8, u64), u32>,
    /// How far the peer said last that it holds each class durably.
    durable: [(u64, u32); 4],
    /// The message that is arriving, by class: number, bytes, bytes kept durably.
    arriving: [Option<(u64, Vec<u8>, usize)>; 4],
    is_parent: bool,
    ever_up: bool,
    report: LinkReport,
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
            if let Err(why) = self.turn(now) {
                tracing::error!(%why, "the road stumbled");
                std::thread::sleep(Duration::from_millis(SLEEP_MS_MAX));
            }
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

    /// Does what is due: neighbours, timers, messages, datagrams, events.
    fn turn(&mut self, now: u64) -> Result<()> {
        self.meet_neighbours(now)?;
        self.knock(now)?;
        if now.saturating_sub(self.relayed_at) > RELAY_AGAIN_MS {
            self.relayed_at = now;
            self.app.relay_again()?;
        }
        let all: Vec<NodeId> = self.peers.keys().copied().collect();
        for node in all {
            self.feed(node)?;
            let Some(peer) = self.peers.get_mut(&node) else { continue };
            if peer.link.poll_timeout().is_some_and(|due| due <= now) {
                peer.link.handle_timeout(now);
            }
            while let Some(datagram) = peer.link.poll_transmit(now) {
                if let Some(address) = peer.address {
                    let _ = self.socket.send_to(&datagram, address);
                }
            }
            self.events(node)?;
            self.report(node);
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
            let mut given = [0; 4];
            for class in Class::ALL {
                given[usize::from(class.code())] = self.app.delivered_up_to(node, class)?;
            }
            let peer = Peer {
                link,
                address,
                given,
                lengths: HashMap::new(),
                durable: [(0, 0); 4],
                arriving,
                is_parent,
                ever_up: false,
                report: LinkReport { since: self.app.now(), ..LinkReport::default() },
            };
            self.ids.insert(id, node);
            self.peers.insert(node, peer);
        }
        Ok(())
    }

    fn parent_address(&self) -> Option<SocketAddr> {
        self.config.parent_address.as_ref()?.to_socket_addrs().ok()?.next()
    }

    #[expect(clippy::type_complexity, reason = "the parts of messages stand in Peer as they are")]
    fn config_of(&mut self, node: NodeId) -> Result<(Config, [Option<(u64, Vec<u8>, usize)>; 4])> {
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
                arriving[at] = Some((number, bytes, kept));
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

    /// Gives a link what the record has for its peer.
    fn feed(&mut self, node: NodeId) -> Result<()> {
        let Some(peer) = self.peers.get_mut(&node) else { return Ok(()) };
        for class in Class::ALL {
            let at = usize::from(class.code());
            let (waiting, _) = peer.link.waiting(class);
            if waiting >= IN_LINK {
                continue;
            }
            let mut fresh = self.app.outgoing(node, class, IN_LINK * 2)?;
            if fresh.len() < IN_LINK && self.app.feed_blobs(node, class, BLOB_PARTS)? {
                fresh = self.app.outgoing(node, class, IN_LINK * 2)?;
            }
            for message in fresh {
                if message.number <= peer.given[at] {
                    continue;
                }
                let length = u32::try_from(message.bytes.len())?;
                match peer.link.send(class, message.number, message.bytes) {
                    Ok(()) => {
                        peer.given[at] = message.number;
                        peer.lengths.insert((class.code(), message.number), length);
                        if peer.durable[at] == (message.number, length) {
                            // It was told before this process knew the message's length.
                            self.app.delivered(node, class, message.number)?;
                        }
                    }
                    Err(link::SendError::Full { .. }) => break,
                    Err(why) => return Err(why.into()),
                }
            }
        }
        Ok(())
    }

    fn events(&mut self, node: NodeId) -> Result<()> {
        loop {
            let Some(peer) = self.peers.get_mut(&node) else { return Ok(()) };
            let Some(event) = peer.link.poll_event() else { return Ok(()) };
            match event {
                Event::Up => {
                    peer.ever_up = true;
                    peer.report.is_up = true;
                    peer.report.since = self.app.now();
                }
                Event::Quiet { .. } => {
                    peer.report.is_up = false;
                    peer.report.since = self.app.now();
                }
                Event::Renumbered { epoch } => {
                    peer.arriving = [None, None, None, None];
                    self.app.renumbered(node, epoch)?;
                }
                Event::Received { class, message_no, offset, bytes, last } => {
                    let piece = Piece { class, number: message_no, offset, bytes, last };
                    self.received(node, piece)?;
                }
                Event::Abandoned { class, .. } => {
                    peer.arriving[usize::from(class.code())] = None;
                }
                Event::Durable { class, message_no, offset } => {
                    self.durable(node, class, message_no, offset)?;
                }
                Event::UnknownVersion { version } => {
                    tracing::warn!(version, "a neighbour speaks another version of the link");
                }
                Event::Resumed { .. } => {}
            }
        }
    }

    fn durable(&mut self, node: NodeId, class: Class, number: u64, offset: u32) -> Result<()> {
        let Some(peer) = self.peers.get_mut(&node) else { return Ok(()) };
        peer.durable[usize::from(class.code())] = (number, offset);
        let whole = peer.lengths.get(&(class.code(), number)) == Some(&offset);
        let up_to = if whole { number } else { number.saturating_sub(1) };
        if up_to > 0 {
            self.app.delivered(node, class, up_to)?;
            peer.lengths.retain(|&(of, number), _| of != class.code() || number > up_to);
            peer.report.acknowledged = Some(self.app.now());
        }
        Ok(())
    }

    fn received(&mut self, node: NodeId, piece: Piece) -> Result<()> {
        let Some(peer) = self.peers.get_mut(&node) else { return Ok(()) };
        let Piece { class, number, offset, bytes, last } = piece;
        let slot = &mut peer.arriving[usize::from(class.code())];
        if !matches!(slot, Some((of, _, _)) if *of == number) {
            *slot = Some((number, vec![], 0));
        }
        let Some((_, held, kept)) = slot else { return Ok(()) };
        // The link gives bytes in order, once; anything else would be its defect.
        anyhow::ensure!(held.len() == offset as usize, "a part of a message is out of place");
        held.extend_from_slice(&bytes);
        let length = u32::try_from(held.len())?;
        if last {
            let whole = std::mem::take(held);
            *slot = None;
            self.app.arrive(node, class, number, &whole)?;
            peer.link.durable(class, number, length);
        } else if held.len() - *kept >= KEEP_PART_BYTES {
            self.app.keep_part(node, class, number, held)?;
            *kept = held.len();
            peer.link.durable(class, number, length);
        }
        Ok(())
    }

    fn report(&mut self, node: NodeId) {
        let Some(peer) = self.peers.get_mut(&node) else { return };
        let stats = peer.link.stats();
        peer.report.rate_bps = stats.rate_bps;
        peer.report.rtt_ms = stats.rtt_ms;
        peer.report.loss = stats.loss;
        peer.report.bytes_in = stats.bytes_in;
        peer.report.bytes_out = stats.bytes_out;
        self.app.report_link(node, peer.report);
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

struct Piece {
    class: Class,
    number: u64,
    offset: u32,
    bytes: Vec<u8>,
    last: bool,
}
