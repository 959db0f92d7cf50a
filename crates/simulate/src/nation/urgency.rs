//! What must hold of what is on its way: the urgent goes first, and nothing goes before it is synced.

use super::country::Country;

/// Slower bytes that come after an emergency was on the disk of whoever sends it and before it is
/// there: so many seconds of the line, and some.
const OVERTAKEN_S_MAX: u64 = 25;
const OVERTAKEN_BYTES: u64 = 16 << 10;

impl Country {
    /// What came is on the disk of whom it came from.
    pub(super) fn check_what_came(&mut self, at: usize, peer: usize) -> Result<(), String> {
        let Some(end) = self.machines[at].ends.get_mut(&peer) else { return Ok(()) };
        let (came, sender) = (std::mem::take(&mut end.came), &self.machines[peer].disk);
        let sent = sender.neighbours.get(&at).map_or([0; 4], |neighbour| neighbour.sent);
        let early = |&&(epoch, class, number): &&(u64, usize, u64)| {
            epoch == sender.epoch() && number > sent[class]
        };
        match came.iter().find(early) {
            None => Ok(()),
            Some((_, _, number)) => {
                Err(format!("node {peer} sent {at} number {number} before it was on its disk"))
            }
        }
    }

    /// An emergency that came was not passed by more than a little of what is less urgent.
    pub(super) fn check_urgency(
        &mut self,
        at: usize,
        peer: usize,
        child: usize,
    ) -> Result<(), String> {
        let Some(end) = self.machines[at].ends.get_mut(&peer) else { return Ok(()) };
        if end.urgent_here.is_empty() {
            return Ok(());
        }
        let (here, slower) = (std::mem::take(&mut end.urgent_here), end.slower_bytes);
        for number in here {
            let Some(theirs) = self.machines[peer].ends.get_mut(&at) else { return Ok(()) };
            if let Some(waited) = theirs.urgent.remove(&number) {
                self.passed((peer, at, child), waited, slower)?;
            }
        }
        Ok(())
    }

    /// The same of those that node `at` has for a neighbour and that are not there.
    pub(super) fn check_urgency_on_the_way(
        &mut self,
        at: usize,
        peer: usize,
        child: usize,
    ) -> Result<(), String> {
        let acked = self.machines[at].disk.neighbours.get(&peer).map_or(0, |to| to.acked[0]);
        let Some(end) = self.machines[at].ends.get_mut(&peer) else { return Ok(()) };
        end.urgent = end.urgent.split_off(&(acked + 1));
        let oldest = end.urgent.first_key_value().map(|(_, waited)| *waited);
        let slower = self.machines[peer].ends.get(&at).map(|end| end.slower_bytes);
        match (oldest, slower) {
            (Some(waited), Some(slower)) => self.passed((at, peer, child), waited, slower),
            _ => Ok(()),
        }
    }

    /// How many slower bytes came since an emergency waits: more are allowed only if the line or a
    /// node was down meanwhile.
    fn passed(
        &mut self,
        (from, to, child): (usize, usize, usize),
        (before, since): (u64, u64),
        slower: u64,
    ) -> Result<(), String> {
        let wire = &self.wires[child];
        let down = wire.since.max(self.machines[from].since).max(self.machines[to].since);
        if since <= down {
            return Ok(());
        }
        let (bytes, rate) = (slower.saturating_sub(before), wire.line.rate_bps / 8);
        self.passed_ms = self.passed_ms.max(bytes * 1_000 / rate);
        if bytes > rate * OVERTAKEN_S_MAX + OVERTAKEN_BYTES {
            return Err(format!(
                "node {to}: {bytes} slower bytes came before an emergency of {from}"
            ));
        }
        Ok(())
    }
}
