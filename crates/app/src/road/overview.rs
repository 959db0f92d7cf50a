//! The page of the road: each neighbour, and the facilities below.

use std::collections::BTreeMap;

use ondol_access::Action;
use ondol_kernel::{Class, Millis, NodeId, ResourceId};
use ondol_record::{Certificate, ChartId, certificate::Tier};
use ondol_store::View;

use super::{Carried, ClassStatus, LinkReport, RATE_ASSUMED_BPS, Reach};
use crate::{Actor, App, AppError, people};

/// A facility below that was not heard for so long is called silent, ms. Every node counts its
/// day, so that at least one message comes from each that runs; the second day allows for a
/// Sunday without power.
pub const SILENT_AFTER_MS: i64 = 2 * ondol_kernel::DAY_MS;

/// How a neighbour is reached, and what waits for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbour {
    /// The node.
    pub node: NodeId,
    /// Its facility's name; empty if it is not known here.
    pub name: String,
    /// Its tier, if its certificate is here.
    pub tier: Option<Tier>,
    /// How it is reached.
    pub reach: Reach,
    /// How the link does; none before it was ever tried.
    pub link: Option<LinkReport>,
    /// What waits, most urgent first.
    pub classes: [ClassStatus; 4],
    /// What was last carried to it on foot.
    pub carried: Option<Carried>,
}

impl Neighbour {
    /// Whether anything waits.
    pub fn is_waiting(&self) -> bool {
        self.classes.iter().any(|class| !class.is_empty())
    }

    /// Bits per second towards it: measured, or assumed as slow.
    pub fn rate_bps(&self) -> u64 {
        self.measured_bps().unwrap_or(RATE_ASSUMED_BPS)
    }

    /// Bits per second as measured.
    pub fn measured_bps(&self) -> Option<u64> {
        self.link.map(|link| link.rate_bps).filter(|rate| *rate > 0)
    }

    /// How long it takes, ms, until the last of a class is through: everything more urgent goes
    /// before it.
    pub fn ms_until_through(&self, class: Class) -> u64 {
        let bytes: u64 =
            Class::ALL.iter().filter(|c| **c <= class).map(|c| self.class(*c).bytes()).sum();
        bytes.saturating_mul(8_000) / self.rate_bps()
    }

    /// What waits in a class.
    pub const fn class(&self, class: Class) -> ClassStatus {
        self.classes[class.code() as usize]
    }
}

/// A facility below this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Below {
    /// The facility.
    pub facility: ResourceId,
    /// Its name; empty if it is not known here.
    pub name: String,
    /// Its tier.
    pub tier: Tier,
    /// How many levels below this one, 1 for those directly below.
    pub depth: u32,
    /// When it was last heard, by its own clock or by the link; none if never.
    pub heard: Option<Millis>,
    /// Whether that is too long ago.
    pub is_silent: bool,
}

/// The state of the road.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overview {
    /// The node above first, then those below, then those reached through others.
    pub neighbours: Vec<Neighbour>,
    /// The facilities below that the viewer may look at, each before those below it.
    pub below: Vec<Below>,
    /// When this record was put back from a backup, if that was lately.
    pub put_back: Option<Millis>,
}

impl App {
    /// The state of the road, and of the facilities below as far as the viewer may see it.
    pub fn overview(&self, actor: &Actor) -> Result<Overview, AppError> {
        let own = ChartId::Facility(self.place.facility.clone());
        let view = self.view()?;
        self.may(&*view, actor, Action::SeeRoad, &own, None)?;
        let mut neighbours = vec![];
        for peer in self.road_status()? {
            neighbours.push(Neighbour {
                node: peer.node,
                name: self.node_name(&*view, &peer.node)?,
                tier: self.nation().tier(&peer.node),
                reach: peer.reach,
                link: self.link(&peer.node),
                classes: peer.classes,
                carried: self.carried(&peer.node)?,
            });
        }
        neighbours.sort_by(|a, b| (order(a.reach), &a.name).cmp(&(order(b.reach), &b.name)));
        let put_back = super::put_back_at(&*view, self.now())?;
        Ok(Overview { neighbours, below: self.below(&*view, actor)?, put_back })
    }

    /// The facilities below, each before those below it.
    fn below(&self, view: &dyn View, actor: &Actor) -> Result<Vec<Below>, AppError> {
        let nation = self.nation();
        let mut children: BTreeMap<NodeId, Vec<&Certificate>> = BTreeMap::new();
        for known in nation.nodes() {
            // A facility stands there once, with its new node if the old one was revoked.
            let is_gone = nation.is_revoked(&known.node);
            let is_replaced = is_gone && nation.serving(&known.facility).is_some();
            if let Some(parent) = nation.parent_of(&known.node).filter(|_| !is_replaced) {
                children.entry(parent).or_default().push(known);
            }
        }
        let mut named = vec![];
        let mut todo = vec![(self.place.node, 0u32)];
        while let Some((node, depth)) = todo.pop() {
            if let Some(known) = nation.node(&node).filter(|_| depth > 0) {
                named.extend(self.one_below(view, actor, &known.certificate, depth)?);
            }
            let mut next = vec![];
            for child in children.remove(&node).unwrap_or_default() {
                next.push((self.node_name(view, &child.node)?, child.node));
            }
            // The last one that is put down is taken up first.
            next.sort_by(|a, b| b.cmp(a));
            todo.extend(next.into_iter().map(|(_, node)| (node, depth + 1)));
        }
        Ok(named)
    }

    fn one_below(
        &self,
        view: &dyn View,
        actor: &Actor,
        known: &Certificate,
        depth: u32,
    ) -> Result<Option<Below>, AppError> {
        let chart = ChartId::Facility(known.facility.clone());
        if self.may(view, actor, Action::SeeRoad, &chart, None).is_err() {
            return Ok(None);
        }
        let heard = self.heard(view, known, &chart)?;
        let now = self.now();
        Ok(Some(Below {
            facility: known.facility.clone(),
            name: self.node_name(view, &known.node)?,
            tier: known.tier,
            depth,
            heard,
            is_silent: heard.is_none_or(|at| now.0 - at.0 > SILENT_AFTER_MS),
        }))
    }

    /// When a node was last heard: on its link, or by what it wrote about its facility.
    fn heard(
        &self,
        view: &dyn View,
        known: &Certificate,
        chart: &ChartId,
    ) -> Result<Option<Millis>, AppError> {
        let now = self.now();
        if self.link(&known.node).is_some_and(|link| link.is_up) {
            return Ok(Some(now));
        }
        let mut wrote = None;
        for (stream, newest, _) in view.chart_heads(chart)? {
            if stream.origin == known.node {
                let rows = view.chart_entries(&stream, chart, newest, 1)?;
                wrote = wrote.max(rows.first().map(|row| row.entry.hlc.millis()));
            }
        }
        // A clock that runs ahead there must not make it look heard for days to come.
        Ok(wrote.map(|at| at.min(now)))
    }

    /// The name of a node's facility; empty if it is not known here.
    pub(super) fn node_name(&self, view: &dyn View, node: &NodeId) -> Result<String, AppError> {
        let Some(facility) = self.nation().node(node).map(|k| k.certificate.facility.clone())
        else {
            return Ok(String::new());
        };
        people::facility_name(self, view, &format!("Organization/{facility}"))
    }

    /// What a node is called: its facility's name if that is known here, and its tier.
    pub fn called(&self, node: &NodeId) -> Result<(String, Option<Tier>), AppError> {
        Ok((self.node_name(&*self.view()?, node)?, self.nation().tier(node)))
    }
}

const fn order(reach: Reach) -> u8 {
    match reach {
        Reach::Above => 0,
        Reach::Below => 1,
        Reach::Through => 2,
    }
}
