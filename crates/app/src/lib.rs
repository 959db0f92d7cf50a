//! Use cases: the only place where something is authorised, carried out and audited.
//!
//! Screens and the FHIR API call the same functions here, and neither goes round them. Every
//! call blocks (it reads or writes the store); whoever serves many at once calls it from a
//! thread made for that.

pub mod accounts;
pub mod actor;
mod arrivals;
pub mod attachment;
pub mod changes;
pub mod coding;
pub mod consult;
pub mod death;
pub mod disk;
pub mod duty;
pub mod encounter;
pub mod error;
pub mod founding;
mod grants;
pub mod intake;
pub mod keys;
pub mod nation;
mod nation_now;
pub mod national;
pub mod papers;
pub mod people;
pub mod place;
pub mod referral;
pub mod reports;
pub mod rest;
pub mod road;
pub mod sealed;
pub mod stock;
mod tick;

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, RwLock},
};

use ondol_access::{Action, ChartFacts, ChartKind, Grant, Grounds, Obligation, Policies, Reason};
use ondol_kernel::{Clock, Millis, NodeId, Rng};
use ondol_record::{ChartId, Draft, Entry};
use ondol_store::{Found, Reading, Store, View, WriteTx, blobs::Blobs};
use ondol_terms::library::{Library, NoLibrary};

pub use actor::Actor;
pub use changes::Changes;
pub use disk::DiskTrouble;
pub use error::AppError;
pub use keys::NodeKeys;
pub use nation::Nation;
pub use ondol_access as access;
pub use place::Place;

/// What a facility's use cases work with.
pub struct Parts {
    /// The record.
    pub store: Arc<dyn Store>,
    /// Pictures and sound.
    pub blobs: Arc<dyn Blobs>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub rng: Arc<dyn Rng>,
    /// The keys of this node.
    pub keys: NodeKeys,
    /// Whose node this is, and where in the line of responsibility.
    pub place: Place,
    /// Whether this is the practice room: nothing of it ever leaves.
    pub practice: bool,
}

/// The use cases of one facility.
pub struct App {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) keys: NodeKeys,
    pub(crate) place: Place,
    pub(crate) practice: bool,
    policies: &'static Policies,
    nation: nation_now::NationNow,
    wake: RwLock<Vec<Wake>>,
    people: people::Index,
    standings: accounts::Standings,
    arrivals: arrivals::Arrivals,
    links: RwLock<HashMap<NodeId, road::LinkReport>>,
    pub(crate) live: consult::Live,
    pub(crate) disk: Arc<disk::Disk>,
    library: OnceLock<Arc<dyn Library>>,
    intake: OnceLock<Arc<dyn intake::Intake>>,
    root_key: OnceLock<Arc<dyn road::RootKey>>,
}

/// Called after something was committed: the road looks for what to send.
type Wake = Box<dyn Fn() + Send + Sync>;

impl App {
    /// Opens the use cases over a store that has its identity.
    pub fn open(parts: Parts) -> Result<Self, AppError> {
        let policies = Policies::shared().map_err(|_| AppError::Policies)?;
        let nation = nation_now::NationNow::load(&*parts.store, &parts.place)?;
        let live = consult::Live::new(&*parts.rng);
        let disk = Arc::new(disk::Disk::new(parts.clock.clone()));
        let app = Self {
            store: Arc::new(disk::Watched::new(parts.store, disk.clone())),
            blobs: Arc::new(disk::WatchedBlobs::new(parts.blobs, disk.clone())),
            clock: parts.clock,
            rng: parts.rng,
            keys: parts.keys,
            place: parts.place,
            practice: parts.practice,
            policies,
            nation,
            wake: RwLock::new(vec![]),
            people: people::Index::default(),
            standings: accounts::Standings::default(),
            arrivals: arrivals::Arrivals::default(),
            links: RwLock::new(HashMap::new()),
            live,
            disk,
            library: OnceLock::new(),
            intake: OnceLock::new(),
            root_key: OnceLock::new(),
        };
        // Without it, as on a full disk, all peers are asked about each chart, as before.
        let _ = road::note_by_chart(&app);
        Ok(app)
    }

    /// Gives this node its packages of terminology, once.
    pub fn use_library(&self, library: Arc<dyn Library>) {
        // Whoever opens the node does so once; a second one would change answers on the way.
        let _ = self.library.set(library);
    }

    /// The packages of terminology.
    pub(crate) fn library(&self) -> &dyn Library {
        self.library.get().map_or(&NoLibrary, |library| &**library)
    }

    /// Whose node this is.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// The private key of this node's links: for carriers alone.
    pub const fn link_key(&self) -> [u8; 32] {
        self.keys.link
    }

    /// This node's certificate, as it shows it to the node above.
    pub fn own_certificate(&self) -> Vec<u8> {
        self.nation().node(&self.place.node).map(|k| k.certificate.to_bytes()).unwrap_or_default()
    }

    /// Whether this is the practice room.
    pub const fn is_practice(&self) -> bool {
        self.practice
    }

    /// Makes the index of searches again if it was made by another version of Ondol, while care
    /// goes on; whether it was needed. It may be stopped at any moment, and begins anew then.
    pub fn renew_index(&self) -> Result<bool, AppError> {
        let is_old = self.store.index_is_old()?;
        if is_old {
            self.store.reindex(&mut |_, _| {})?;
        }
        Ok(is_old)
    }

    /// What the machine's clock says.
    pub fn now(&self) -> Millis {
        self.clock.wall()
    }

    /// Minutes east of UTC in which this facility shows times.
    pub fn utc_offset_minutes(&self) -> i32 {
        self.clock.utc_offset_minutes()
    }

    /// The nodes that are known.
    pub fn nation(&self) -> Arc<Nation> {
        self.nation.now(&*self.store, &self.place)
    }

    /// Does what changes the nodes that are known.
    pub(crate) fn changing_nation<T>(&self, work: impl FnOnce() -> T) -> T {
        self.nation.changing(work)
    }

    /// Asks to be called after each commit. The call must not block.
    pub fn on_commit(&self, wake: impl Fn() + Send + Sync + 'static) {
        match self.wake.write() {
            Ok(mut all) => all.push(Box::new(wake)),
            Err(poisoned) => poisoned.into_inner().push(Box::new(wake)),
        }
    }

    fn woken(&self) {
        if let Ok(all) = self.wake.read() {
            all.iter().for_each(|wake| wake());
        }
    }

    /// Rises with every commit: whoever shows a page can ask cheaply whether anything is new.
    pub fn last_arrival(&self) -> Result<u64, AppError> {
        Ok(self.store.read()?.last_arrival()?)
    }

    /// A view of this moment, without asking who wants it. Callers authorise first.
    pub(crate) fn view(&self) -> Result<Box<dyn View + '_>, AppError> {
        Ok(self.store.read()?)
    }

    /// Whether `actor` may do `action` in `chart`, by the relations that stand in `view`.
    pub fn may(
        &self,
        view: &dyn View,
        actor: &Actor,
        action: Action,
        chart: &ChartId,
        reason: Option<Reason>,
    ) -> Result<Grounds, AppError> {
        if let Some(grounds) = self.may_at_home(view, actor, action, chart)? {
            return Ok(grounds);
        }
        let (kind, mut grants) = grants::of(self, view, actor, chart)?;
        grants.extend(grants::for_the_person(self, view, actor, action, chart)?);
        let mut facts = ChartFacts::new(kind, grants);
        facts.reason = reason;
        let decision = self.policies.decide(&actor.principal(), action, &facts, self.now());
        Ok(decision.into_result()?)
    }

    /// Whether somebody may do something in any relation at all: who may not is told so before
    /// anybody is looked for.
    pub(crate) fn may_somewhere(&self, actor: &Actor, action: Action) -> Result<(), AppError> {
        if self.policies.relations(actor.roles(), action).is_empty() {
            return Err(AppError::Denied(ondol_access::Denial::NothingPermits));
        }
        Ok(())
    }

    /// The grounds that the patient's home alone gives, if those are enough and ask for nothing
    /// but a line in the audit: further relations could only add to them.
    fn may_at_home(
        &self,
        view: &dyn View,
        actor: &Actor,
        action: Action,
        chart: &ChartId,
    ) -> Result<Option<Grounds>, AppError> {
        let grants = grants::at_home(self, view, actor, chart)?;
        Ok(self.grounds_at_home(actor, action, grants))
    }

    /// The same for grants that are known.
    pub(crate) fn grounds_at_home(
        &self,
        actor: &Actor,
        action: Action,
        grants: Vec<Grant>,
    ) -> Option<Grounds> {
        if grants.is_empty() {
            return None;
        }
        let facts = ChartFacts::new(ChartKind::Patient, grants);
        let decision = self.policies.decide(&actor.principal(), action, &facts, self.now());
        let grounds = decision.into_result().ok()?;
        let plain = grounds.obligations.iter().all(|one| one == Obligation::Audit);
        plain.then_some(grounds)
    }

    /// The same for something that is done with certain entries of a chart: whoever wrote all of
    /// them stands to them as their author too, also when the relation of care has ended.
    pub(crate) fn may_about(
        &self,
        view: &dyn View,
        actor: &Actor,
        action: Action,
        entries: &[&Found],
        reason: Option<Reason>,
    ) -> Result<Grounds, AppError> {
        let chart = &entries.first().ok_or(AppError::NotFound)?.shown.chart;
        let (kind, mut grants) = grants::of(self, view, actor, chart)?;
        grants.extend(grants::of_author(actor, chart, entries));
        let mut facts = ChartFacts::new(kind, grants);
        facts.reason = reason;
        let decision = self.policies.decide(&actor.principal(), action, &facts, self.now());
        Ok(decision.into_result()?)
    }

    /// Reads in a chart: decides, reads, and records the reading durably before anything is
    /// handed out (while the disk takes nothing, in memory: [`disk`]).
    pub fn reading<T>(
        &self,
        actor: &Actor,
        action: Action,
        chart: &ChartId,
        read: impl FnOnce(&dyn View) -> Result<T, AppError>,
    ) -> Result<T, AppError> {
        let (result, grounds) = {
            let view = self.view()?;
            let grounds = self.may(&*view, actor, action, chart, None)?;
            (read(&*view)?, grounds)
        };
        if grounds.obligations.contains(Obligation::Audit) {
            self.record_reading(actor, action, chart, &grounds, "")?;
        }
        Ok(result)
    }

    /// Records that somebody read a chart: durably, unless the disk takes nothing.
    pub(crate) fn record_reading(
        &self,
        actor: &Actor,
        action: Action,
        chart: &ChartId,
        grounds: &Grounds,
        reason: &str,
    ) -> Result<(), AppError> {
        let reading = self.reading_of(actor, action, chart, grounds, reason);
        self.write_down(vec![reading])
    }

    fn reading_of(
        &self,
        actor: &Actor,
        action: Action,
        chart: &ChartId,
        grounds: &Grounds,
        reason: &str,
    ) -> Reading {
        use ondol_access::Coded;
        Reading {
            at: self.now(),
            who: actor.reference().into(),
            role: grounds.role.code().into(),
            chart: chart.clone(),
            action: action.code().into(),
            relation: grounds.relation.code().into(),
            reason: reason.into(),
        }
    }

    /// Writes in one chart (and in others that the same change touches): decides, builds the
    /// change within the writer's transaction, checks every resource, commits, and puts it on
    /// the road. `chart` is the one that the decision is about.
    pub fn writing(
        self: &Arc<Self>,
        actor: &Actor,
        action: Action,
        chart: &ChartId,
        build: impl FnOnce(&dyn View) -> Result<Changes, AppError> + Send + 'static,
    ) -> Result<Vec<Entry>, AppError> {
        let (app, actor, chart) = (self.clone(), actor.clone(), chart.clone());
        self.transact(move |tx| {
            app.may(&*tx, &actor, action, &chart, None)?;
            let changes = build(&*tx)?;
            app.append(tx, &actor, changes)
        })
    }

    /// Runs a job in the writer's transaction, and wakes the road when it is committed.
    pub(crate) fn transact<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn WriteTx) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        let result = ondol_store::transact(&*self.store, job)?;
        self.woken();
        Ok(result)
    }

    /// Checks, appends and distributes a change within the writer's transaction. Callers have
    /// decided that it is allowed.
    pub(crate) fn append(
        &self,
        tx: &mut dyn WriteTx,
        actor: &Actor,
        changes: Changes,
    ) -> Result<Vec<Entry>, AppError> {
        self.append_draft(tx, changes.into_draft(actor)?)
    }

    /// The one way by which anything new comes into the record: a full disk refuses it here,
    /// before it takes room that is kept for the audit.
    pub(crate) fn append_draft(
        &self,
        tx: &mut dyn WriteTx,
        draft: Draft,
    ) -> Result<Vec<Entry>, AppError> {
        self.disk.room()?;
        arrivals::mark(self, tx)?;
        let before = tx.last_arrival()?;
        let entries = tx.append(draft, self.now(), false)?;
        road::distribute_written(self, tx, before, &entries)?;
        Ok(entries)
    }
}
