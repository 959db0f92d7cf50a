//! One neighbour on its link: what the record gives it, and what it says.

use std::{collections::HashMap, net::SocketAddr, sync::Arc};

use anyhow::Result;
use ondol_app::{App, road::LinkReport};
use ondol_kernel::{Class, NodeId};
use ondol_replicate::link::{Event, Link, SendError};

/// So many messages of a class wait in a link at the most; the rest stays in the queue, where
/// more entries join the next parcel.
const IN_LINK: usize = 4;

/// So many parts of blobs are prepared at once.
const BLOB_PARTS: usize = 8;

/// Parts of an unfinished message are kept durably each time so many bytes came, at the least.
const KEEP_PART_BYTES: usize = 2_048;

/// A message that is arriving.
pub struct Arriving {
    /// Its number.
    pub number: u64,
    /// What is here of it.
    pub bytes: Vec<u8>,
    /// How many bytes of that are kept durably.
    pub kept: usize,
}

/// A neighbour.
pub struct Peer {
    /// The link with it.
    pub link: Link,
    /// Where it was heard last.
    pub address: Option<SocketAddr>,
    /// Whether it is the node above.
    pub is_parent: bool,
    /// Whether the link ever stood since the start.
    pub ever_up: bool,
    /// After an error: when to try again, ms.
    pub again_at: u64,
    node: NodeId,
    /// The epoch of its numbers on this link. (A stick may tell of a later one.)
    epoch: u64,
    /// The last number given to the link, by class.
    given: [u64; 4],
    /// Lengths of messages in the link, by (class, number).
    lengths: HashMap<(u8, u64), u32>,
    /// How far the peer said last that it holds each class durably.
    durable: [(u64, u32); 4],
    arriving: [Option<Arriving>; 4],
    /// What the link told and the store refused. It has to be done before anything that follows
    /// it: receipts count everything before them.
    stalled: Option<Event>,
    report: LinkReport,
}

impl Peer {
    /// A neighbour that was not heard yet: its address, whether it is the node above, and what
    /// was arriving when this node stopped.
    pub fn new(
        app: &App,
        node: NodeId,
        link: Link,
        (address, is_parent): (Option<SocketAddr>, bool),
        arriving: [Option<Arriving>; 4],
    ) -> Result<Self> {
        let mut given = [0; 4];
        for class in Class::ALL {
            given[usize::from(class.code())] = app.delivered_up_to(node, class)?;
        }
        Ok(Self {
            link,
            address,
            is_parent,
            ever_up: false,
            again_at: 0,
            node,
            epoch: app.peer_epoch(node)?,
            given,
            lengths: HashMap::new(),
            durable: [(0, 0); 4],
            arriving,
            stalled: None,
            report: LinkReport { since: app.now(), ..LinkReport::default() },
        })
    }

    /// Gives the link what waits, and does what it told. What fails in one class or direction
    /// holds up no other; the first error is given.
    pub fn exchange(&mut self, app: &Arc<App>) -> Result<()> {
        let mut result = self.events(app);
        for class in Class::ALL {
            result = result.and(self.feed(app, class));
        }
        result
    }

    /// Gives the link what the record has for the peer.
    fn feed(&mut self, app: &Arc<App>, class: Class) -> Result<()> {
        let at = usize::from(class.code());
        let (waiting, _) = self.link.waiting(class);
        if waiting >= IN_LINK {
            return Ok(());
        }
        let mut fresh = app.outgoing(self.node, class, IN_LINK * 2)?;
        if fresh.len() < IN_LINK && app.feed_blobs(self.node, class, BLOB_PARTS)? {
            fresh = app.outgoing(self.node, class, IN_LINK * 2)?;
        }
        for message in fresh {
            let number = message.number;
            if number <= self.given[at] {
                continue;
            }
            let length = u32::try_from(message.bytes.len())?;
            match self.link.send(class, number, message.bytes) {
                Ok(()) => {
                    self.given[at] = number;
                    self.lengths.insert((class.code(), number), length);
                    if self.durable[at] == (number, length) {
                        // It was told before this process knew the message's length.
                        app.delivered(self.node, class, number)?;
                    }
                }
                Err(SendError::Full { .. }) => break,
                // The peer told that it holds it.
                Err(SendError::AlreadyDurable { .. }) => app.delivered(self.node, class, number)?,
                Err(why) => return Err(why.into()),
            }
        }
        Ok(())
    }

    fn events(&mut self, app: &Arc<App>) -> Result<()> {
        while let Some(event) = self.stalled.take().or_else(|| self.link.poll_event()) {
            if let Err(why) = self.event(app, &event) {
                self.stalled = Some(event);
                return Err(why);
            }
        }
        Ok(())
    }

    /// Does what the link told. It may be done again after an error.
    fn event(&mut self, app: &Arc<App>, event: &Event) -> Result<()> {
        match event {
            Event::Up => {
                self.ever_up = true;
                self.report.is_up = true;
                self.report.since = app.now();
            }
            Event::Quiet { .. } => {
                self.report.is_up = false;
                self.report.since = app.now();
            }
            Event::Renumbered { epoch } => {
                self.arriving = [None, None, None, None];
                app.renumbered(self.node, *epoch)?;
                self.epoch = *epoch;
            }
            Event::Received { class, message_no, offset, bytes, last } => {
                let place = (*class, *message_no, *offset as usize);
                self.received(app, place, bytes, *last)?;
            }
            Event::Abandoned { class, .. } => {
                self.arriving[usize::from(class.code())] = None;
            }
            Event::Durable { class, message_no, offset } => {
                self.held(app, *class, *message_no, *offset)?;
            }
            Event::UnknownVersion { version } => {
                tracing::warn!(version, "a neighbour speaks another version of the link");
            }
            Event::Reads { parcels } => app.reads_parcels(self.node, *parcels)?,
            Event::Resumed { .. } => {}
        }
        Ok(())
    }

    /// The peer holds a class durably up to here.
    fn held(&mut self, app: &App, class: Class, number: u64, offset: u32) -> Result<()> {
        self.durable[usize::from(class.code())] = (number, offset);
        let whole = self.lengths.get(&(class.code(), number)) == Some(&offset);
        let up_to = if whole { number } else { number.saturating_sub(1) };
        if up_to > 0 {
            app.delivered(self.node, class, up_to)?;
            self.lengths.retain(|&(of, number), _| of != class.code() || number > up_to);
            self.report.acknowledged = Some(app.now());
        }
        Ok(())
    }

    fn received(
        &mut self,
        app: &Arc<App>,
        (class, number, offset): (Class, u64, usize),
        bytes: &[u8],
        last: bool,
    ) -> Result<()> {
        let step = self.keep_step();
        let slot = &mut self.arriving[usize::from(class.code())];
        if slot.as_ref().is_none_or(|arriving| arriving.number != number) {
            // The link keeps the order: what is missing before it will not come.
            if number > app.arrived_up_to_in(self.node, self.epoch, class)? + 1 {
                app.skipped_in(self.node, self.epoch, class, number)?;
            }
            *slot = Some(Arriving { number, bytes: vec![], kept: 0 });
        }
        let Some(arriving) = slot else { return Ok(()) };
        // The link gives bytes in order, once; anything else would be its defect.
        anyhow::ensure!(arriving.bytes.len() >= offset, "a part of a message is out of place");
        arriving.bytes.truncate(offset);
        arriving.bytes.extend_from_slice(bytes);
        let length = u32::try_from(arriving.bytes.len())?;
        if last {
            app.arrive_in(self.node, self.epoch, class, number, &arriving.bytes)?;
            *slot = None;
            self.link.durable(class, number, length);
        } else if arriving.bytes.len() - arriving.kept >= step.max(arriving.kept / 8) {
            app.keep_part(self.node, class, number, &arriving.bytes)?;
            arriving.kept = arriving.bytes.len();
            self.link.durable(class, number, length);
        }
        Ok(())
    }

    /// Keeping costs a write of all that is here of the message: what a cut loses need not be
    /// less than some two seconds of the link.
    fn keep_step(&self) -> usize {
        let two_seconds = usize::try_from(self.report.rate_bps / 4).unwrap_or(usize::MAX);
        two_seconds.max(KEEP_PART_BYTES)
    }

    /// Tells how the link does.
    pub fn report(&mut self, app: &App) {
        let stats = self.link.stats();
        self.report.rate_bps = stats.rate_bps;
        self.report.rtt_ms = stats.rtt_ms;
        self.report.loss = stats.loss;
        self.report.bytes_in = stats.bytes_in;
        self.report.bytes_out = stats.bytes_out;
        app.report_link(self.node, self.report);
    }
}
