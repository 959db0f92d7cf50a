//! The one writer: a thread that owns the connection and commits jobs in groups.
//!
//! While a commit waits for the disk, further jobs queue up; the next commit takes all of them
//! and pays for one fsync. Each job has its own savepoint.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread::JoinHandle,
};

use ondol_store::{Job, Outcome, StoreError};

use crate::{
    db::Db,
    error::{Failure, again},
    view::Moment,
};

/// So many jobs share a commit at most, so that the first of them does not wait long.
const GROUP_MAX: usize = 256;

type Answer = Result<Outcome, StoreError>;

/// Work of this crate itself, on the connection.
pub(crate) type OwnWork = Box<dyn FnOnce(&Db) -> Result<(), Failure> + Send>;

enum Work {
    Job(Job),
    Own(OwnWork),
}

struct Order {
    work: Work,
    answer: SyncSender<Answer>,
}

/// The way to the writer's thread.
pub(crate) struct Writer {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

/// The writer's connection within a job's savepoint.
pub(crate) struct Writing<'a> {
    db: &'a Db,
    /// The first write that failed: whatever the job says, nothing of it is kept.
    pub(crate) failed: Option<StoreError>,
}

impl std::ops::Deref for Writing<'_> {
    type Target = Db;

    fn deref(&self) -> &Db {
        self.db
    }
}

impl Writer {
    pub(crate) fn start(db: Db) -> Result<Self, Failure> {
        let (orders, queue) = channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || serve(&db, &queue))?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    /// Waits until the job's outcome is durable.
    pub(crate) fn write(&self, job: Job) -> Answer {
        self.order(Work::Job(job))
    }

    /// Runs work of this crate like a job.
    pub(crate) fn work(&self, work: OwnWork) -> Result<(), Failure> {
        self.order(Work::Own(work))?;
        Ok(())
    }

    fn order(&self, work: Work) -> Answer {
        let (answer, outcome) = sync_channel(1);
        let orders = self.orders.as_ref().ok_or(StoreError::Closed)?;
        orders.send(Order { work, answer }).map_err(|_| StoreError::Closed)?;
        outcome.recv().map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has nothing left to close.
            let _ = thread.join();
        }
    }
}

fn serve(db: &Db, queue: &Receiver<Order>) {
    while let Ok(first) = queue.recv() {
        let more = queue.try_iter().take(GROUP_MAX - 1);
        let mut group = std::iter::once(first).chain(more).collect::<Vec<_>>().into_iter();
        // A full disk may end a transaction early; the jobs behind it get another.
        while group.len() > 0 {
            commit(db, &mut group);
        }
    }
}

/// Runs jobs of the group in one transaction and answers those that it ran.
fn commit(db: &Db, group: &mut std::vec::IntoIter<Order>) {
    let mut ran: Vec<(SyncSender<Answer>, Answer)> = Vec::with_capacity(group.len());
    let ended = match execute(db, "BEGIN IMMEDIATE") {
        Ok(()) => {
            run(db, group, &mut ran);
            if db.conn.is_autocommit() {
                let last = ran.last().and_then(|(_, answer)| answer.as_ref().err());
                Err(last.map_or(StoreError::Closed, again))
            } else {
                execute(db, "COMMIT").map_err(StoreError::from)
            }
        }
        Err(Failure(why)) => {
            ran.extend(group.by_ref().map(|order| (order.answer, Err(again(&why)))));
            Err(why)
        }
    };
    if ended.is_err() {
        db.forget();
        if !db.conn.is_autocommit() {
            // If even this fails, the next BEGIN says so.
            let _ = execute(db, "ROLLBACK");
        }
    }
    for (to, answer) in ran {
        let answer = match (answer, &ended) {
            (Ok(Outcome::Committed), Err(why)) => Err(again(why)),
            (answer, _) => answer,
        };
        // Whoever asked may have gone away.
        let _ = to.send(answer);
    }
}

/// Runs jobs until all ran or SQLite ended the transaction.
fn run(
    db: &Db,
    group: &mut std::vec::IntoIter<Order>,
    ran: &mut Vec<(SyncSender<Answer>, Answer)>,
) {
    for order in group.by_ref() {
        let answer = attempt(db, order.work);
        ran.push((order.answer, answer));
        if db.conn.is_autocommit() {
            return;
        }
    }
}

fn attempt(db: &Db, work: Work) -> Answer {
    execute(db, "SAVEPOINT job")?;
    let answer = match catch_unwind(AssertUnwindSafe(|| perform(db, work))) {
        Ok(answer) => answer,
        Err(_) => Err(StoreError::Internal("a job panicked".into())),
    };
    match settle(db, matches!(answer, Ok(Outcome::Committed))) {
        Ok(()) => answer,
        Err(Failure(why)) => {
            // Neither kept nor undone: the whole transaction goes, with the jobs before it.
            let _ = execute(db, "ROLLBACK");
            Err(why)
        }
    }
}

fn perform(db: &Db, work: Work) -> Answer {
    match work {
        Work::Own(work) => {
            work(db)?;
            Ok(Outcome::Committed)
        }
        Work::Job(job) => {
            let mut tx = Moment(Writing { db, failed: None });
            let ended = job(&mut tx);
            match (ended, tx.0.failed) {
                (_, Some(why)) => Err(why),
                (Err(_), None) => Ok(Outcome::RolledBack),
                (Ok(()), None) => Ok(Outcome::Committed),
            }
        }
    }
}

/// Keeps or undoes what was done since the savepoint.
fn settle(db: &Db, keep: bool) -> Result<(), Failure> {
    if !keep {
        db.forget();
        if db.conn.is_autocommit() {
            return Ok(());
        }
        execute(db, "ROLLBACK TO job")?;
    }
    execute(db, "RELEASE job")
}

fn execute(db: &Db, sql: &str) -> Result<(), Failure> {
    db.conn.prepare_cached(sql)?.execute([])?;
    Ok(())
}
