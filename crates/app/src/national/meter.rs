//! How much a node may ask, and how often it asked: the node at the top counts questions, not whom
//! they are about.

use ondol_access::Action;
use ondol_kernel::{Millis, NodeId, ResourceId};
use ondol_record::ChartId;
use ondol_store::{Space, View, WriteTx};

use super::rows;
use crate::{Actor, App, AppError};

/// So many questions a node may ask in a minute, for as long as it likes. Our own choice: the
/// reception of a large hospital registers one person a minute.
pub const PER_MINUTE: u64 = 30;

/// So many at once, after some quiet: a busy morning, or the day after an outage.
pub const BURST: u64 = 120;

/// So many of them are kept for who waits at a desk: people told of in bulk are answered later.
const FOR_THE_DESK: u64 = BURST / 2;

const MINUTE_MS: u64 = 60_000;

/// How often a facility asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The facility; `None` if its certificate is not here.
    pub facility: Option<ResourceId>,
    /// Questions and wishes for a chart.
    pub asked: u64,
    /// How many of them had to wait.
    pub put_off: u64,
}

/// What a node asked, and what it may ask now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meter {
    /// What may be asked now, in milliseconds of waiting for it.
    left_ms: u64,
    /// When that was so.
    at: Millis,
    asked: u64,
    put_off: u64,
}

/// In what a question is measured: so long a node waits for the next one.
const STEP_MS: u64 = MINUTE_MS / PER_MINUTE;

impl Meter {
    fn full(at: Millis) -> Self {
        Self { left_ms: BURST * STEP_MS, at, asked: 0, put_off: 0 }
    }

    fn read(view: &(impl View + ?Sized), node: &NodeId, now: Millis) -> Result<Self, AppError> {
        let Some(value) = view.value(Space::Index, &rows::asked(&node.0))? else {
            return Ok(Self::full(now));
        };
        let mut meter = Self::of(&value)?;
        // A clock that goes back makes nobody wait longer.
        let passed = u64::try_from(now.0.saturating_sub(meter.at.0)).unwrap_or(0);
        meter.left_ms = meter.left_ms.saturating_add(passed).min(BURST * STEP_MS);
        meter.at = now;
        Ok(meter)
    }

    fn of(value: &[u8]) -> Result<Self, AppError> {
        let ([left, at, asked, put_off], []) = value.as_chunks::<8>() else {
            return Err(AppError::Unexpected("how much a node asked"));
        };
        let number = |bytes: &[u8; 8]| u64::from_be_bytes(*bytes);
        let at = Millis(i64::from_be_bytes(*at));
        Ok(Self { left_ms: number(left), at, asked: number(asked), put_off: number(put_off) })
    }

    fn put(&self, tx: &mut dyn WriteTx, node: &NodeId) -> Result<(), AppError> {
        let numbers = [self.left_ms, self.at.0.cast_unsigned(), self.asked, self.put_off];
        let value: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        Ok(tx.set_value(Space::Index, &rows::asked(&node.0), Some(&value))?)
    }

    fn takes(&mut self, keeps: u64) -> bool {
        let needs = (keeps + 1) * STEP_MS;
        let takes = self.left_ms >= needs;
        if takes {
            self.left_ms -= STEP_MS;
        }
        takes
    }
}

/// Whether a node may ask one thing more for somebody at a desk. It is counted.
pub fn may_ask(tx: &mut dyn WriteTx, node: &NodeId, now: Millis) -> Result<bool, AppError> {
    let mut meter = Meter::read(tx, node, now)?;
    let takes = meter.takes(0);
    meter.asked += 1;
    meter.put_off += u64::from(!takes);
    meter.put(tx, node)?;
    Ok(takes)
}

/// Whether a node may be answered about one more of those told of in bulk.
pub fn may_be_told(tx: &mut dyn WriteTx, node: &NodeId, now: Millis) -> Result<bool, AppError> {
    let mut meter = Meter::read(tx, node, now)?;
    let takes = meter.takes(FOR_THE_DESK);
    if takes {
        meter.put(tx, node)?;
    }
    Ok(takes)
}

impl App {
    /// At the top: how often each facility asked the index. Never about whom: that is kept nowhere
    /// here.
    pub fn index_use(&self, actor: &Actor) -> Result<Vec<Use>, AppError> {
        let (view, nation) = (self.view()?, self.nation());
        let own = ChartId::Facility(self.place.facility.clone());
        self.may(&*view, actor, Action::SeeRoad, &own, None)?;
        let mut all = vec![];
        for (key, value) in view.values(Space::Index, rows::USED, None, usize::MAX)? {
            let meter = Meter::of(&value)?;
            let node = NodeId(rows::end(&key)?);
            let facility = nation.node(&node).map(|known| known.certificate.facility.clone());
            all.push(Use { facility, asked: meter.asked, put_off: meter.put_off });
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_morning_passes_and_a_list_does_not() {
        let mut meter = Meter::full(Millis(0));
        let at_once = (0..1_000).filter(|_| meter.takes(0)).count();
        assert_eq!(at_once as u64, BURST);
        meter.left_ms += MINUTE_MS;
        assert_eq!((0..1_000).filter(|_| meter.takes(0)).count() as u64, PER_MINUTE);
        let mut meter = Meter::full(Millis(0));
        let told = (0..1_000).filter(|_| meter.takes(FOR_THE_DESK)).count();
        assert_eq!(told as u64, BURST - FOR_THE_DESK);
        assert!(meter.takes(0), "who waits at a desk is not held up by an import");
    }
}
