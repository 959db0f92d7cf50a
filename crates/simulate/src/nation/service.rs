//! What goes over lines, and what must hold while it does.

use super::{
    Weather,
    country::{Country, around},
    due::What,
    machine::Around,
    neighbour::Neighbour,
    weather::MINUTE,
};

/// How often somebody looks whether something stands still.
pub(super) const LOOK_MS: u64 = 2 * MINUTE;
/// Nothing that waits on a line that is up stands still for so long.
const STILL_MS_MAX: u64 = 10 * MINUTE;

impl Country {
    pub(super) fn timer(&mut self, at: usize, peer: usize) -> Result<(), String> {
        let Some(end) = self.machines[at].ends.get_mut(&peer) else { return Ok(()) };
        if end.timer_at > self.now {
            return Ok(());
        }
        end.timer_at = u64::MAX;
        self.service(at, peer)
    }

    pub(super) fn arrives(
        &mut self,
        child: usize,
        to: usize,
        from: usize,
        bytes: &[u8],
    ) -> Result<(), String> {
        let Some(end) = self.machines[to].ends.get_mut(&from) else {
            self.faults.lost += 1;
            return Ok(());
        };
        end.link.handle_datagram(self.now, bytes);
        let answers: Vec<Vec<u8>> = std::iter::from_fn(|| end.link.poll_answer()).collect();
        for answer in answers {
            self.goes(child, to, from, answer);
        }
        self.service(to, from)
    }

    pub(super) fn goes(&mut self, child: usize, from: usize, to: usize, bytes: Vec<u8>) {
        let side = usize::from(child != from);
        let arrivals =
            self.wires[child].send(self.now, side, bytes, &self.chance, &mut self.faults);
        for (at, bytes) in arrivals.into_iter().flatten() {
            self.later(at - self.now, What::Datagram { child, to, from, bytes });
        }
    }

    /// Does what is due at one end of a line.
    pub(super) fn service(&mut self, at: usize, peer: usize) -> Result<(), String> {
        let child = self.child(at, peer);
        // Who hung up a modem does not ask the link for datagrams.
        let hung_up = self.plan.weather == Weather::Usual && !self.wires[child].open;
        let reads = self.machines[peer].format;
        let theirs = self.machines[peer].ends.get(&at).map_or(0, |end| end.slower_bytes);
        let Some(end) = self.machines[at].ends.get_mut(&peer) else { return Ok(()) };
        if !hung_up && end.link.poll_timeout().is_some_and(|due| due <= self.now) {
            end.link.handle_timeout(self.now);
        }
        let mut around = around!(self);
        self.machines[at].exchange(peer, (reads, theirs), &mut around)?;
        self.want_sync(at);
        self.check_what_came(at, peer)?;
        self.check_urgency(at, peer, child)?;
        if hung_up {
            return Ok(());
        }
        loop {
            let end = self.machines[at].ends.get_mut(&peer);
            let Some(bytes) = end.and_then(|end| end.link.poll_transmit(self.now)) else { break };
            self.goes(child, at, peer, bytes);
        }
        let Some(end) = self.machines[at].ends.get_mut(&peer) else { return Ok(()) };
        let again = (end.again_at > self.now).then_some(end.again_at);
        let due = end.link.poll_timeout().into_iter().chain(again).min();
        if let Some(due) = due.map(|due| due.max(self.now + 1))
            && due < end.timer_at
        {
            end.timer_at = due;
            self.later(due - self.now, What::Timer { at, peer });
        }
        Ok(())
    }

    /// Nothing that waits stands still while the line is up.
    pub(super) fn look(&mut self) -> Result<(), String> {
        self.later(LOOK_MS, What::Look);
        for child in 1..self.machines.len() {
            let Some(above) = self.tree.seats[child].above else { continue };
            for (at, peer) in [(child, above), (above, child)] {
                let since = [
                    self.wires[child].since,
                    self.machines[at].since,
                    self.machines[peer].since,
                    self.machines[peer].full_until,
                    self.machines[at].full_until,
                ];
                let since = since.into_iter().max().unwrap_or(0);
                self.check_urgency_on_the_way(at, peer, child)?;
                let Some(end) = self.machines[at].ends.get(&peer) else { continue };
                let waits =
                    self.machines[at].disk.neighbours.get(&peer).is_some_and(Neighbour::waits);
                let is_up = self.wires[child].open && self.machines[peer].on;
                let still = self.now.saturating_sub(since.max(end.progress_at));
                if waits && is_up && still > STILL_MS_MAX {
                    return Err(format!("what node {at} has for {peer} stands still"));
                }
            }
        }
        Ok(())
    }
}
