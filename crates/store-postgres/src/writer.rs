//! The one writer: a thread that owns the connection and commits jobs in groups.
//!
//! While a commit waits for the disk, further jobs queue up; the next commit takes all of them
//! and pays for one fsync. Each job has its own savepoint. A connection that is lost is made again
//! before the next group; what it was about to commit is an error for whoever asked, as nobody
//! can say whether the server still did it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread::JoinHandle,
    time::Duration,
};

use ondol_store::{Job, Outcome, StoreError};

use crate::{
    db::Db,
    error::{Failure, again},
    open::Opening,
    view::Moment,
};

/// So many jobs share a commit at most, so that the first of them does not wait long.
const GROUP_MAX: usize = 256;

/// How long the writer waits before each new attempt to connect, ms; then the jobs that wait are
/// told, and the next ones try again.
const RECONNECT_MS: [u64; 11] = [0, 20, 40, 80, 160, 200, 200, 200, 200, 200, 200];

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
    pub(crate) fn start(db: Db, opening: Opening) -> Result<Self, Failure> {
        let (orders, queue) = channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || serve(Some(db), &opening, &queue))?;
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

fn serve(mut db: Option<Db>, opening: &Opening, queue: &Receiver<Order>) {
    while let Ok(first) = queue.recv() {
        let more = queue.try_iter().take(GROUP_MAX - 1);
        let mut group = std::iter::once(first).chain(more).collect::<Vec<_>>().into_iter();
        // A lost connection may end a transaction early; the jobs behind it get another.
        while group.len() > 0 {
            match begin(&mut db, opening) {
                Ok(db) => commit(db, &mut group),
                Err(Failure(why)) => {
                    for order in group.by_ref() {
                        // Whoever asked may have gone away.
                        let _ = order.answer.send(Err(again(&why)));
                    }
                }
            }
        }
    }
}

/// A connection within a transaction of which nothing was done yet.
fn begin<'a>(db: &'a mut Option<Db>, opening: &Opening) -> Result<&'a Db, Failure> {
    let mut failure = Failure(StoreError::Closed);
    for wait in RECONNECT_MS {
        std::thread::sleep(Duration::from_millis(wait));
        let begun = match db.take() {
            Some(open) if !open.session.is_closed() => Ok(open),
            // The lock went with the connection: nobody else may have taken it.
            _ => opening.writer(),
        }
        .and_then(|open| open.session.query("BEGIN", vec![]).map(|_| open));
        match begun {
            Ok(open) => return Ok(db.insert(open)),
            Err(why) => failure = why,
        }
    }
    Err(failure)
}

/// Runs jobs of the group in the transaction that has begun and answers those that it ran.
fn commit(db: &Db, group: &mut std::vec::IntoIter<Order>) {
    let mut ran: Vec<(SyncSender<Answer>, Answer)> = Vec::with_capacity(group.len());
    let mut ended = run(db, group, &mut ran).map_err(StoreError::from);
    if ended.is_ok() {
        // Every statement before this one was seen to succeed: of a transaction that failed, the
        // server would answer a commit without an error and do nothing.
        ended = db.session.query("COMMIT", vec![]).map(|_| ()).map_err(|Failure(why)| {
            if db.session.is_closed() {
                StoreError::Io("the connection was lost; whether it is committed is unknown".into())
            } else {
                why
            }
        });
    }
    if ended.is_err() {
        db.forget();
        db.session.discard();
        // If even this fails, the next BEGIN says so.
        let _ = db.session.query("ROLLBACK", vec![]);
    }
    db.session.take_failure();
    for (to, answer) in ran {
        let answer = match (answer, &ended) {
            (Ok(Outcome::Committed), Err(why)) => Err(again(why)),
            (answer, _) => answer,
        };
        // Whoever asked may have gone away.
        let _ = to.send(answer);
    }
}

/// Runs jobs until all ran or the transaction cannot go on.
fn run(
    db: &Db,
    group: &mut std::vec::IntoIter<Order>,
    ran: &mut Vec<(SyncSender<Answer>, Answer)>,
) -> Result<(), Failure> {
    for order in group.by_ref() {
        let (answer, settled) = attempt(db, order.work);
        let answer = match &settled {
            Ok(()) => answer,
            Err(Failure(why)) => Err(again(why)),
        };
        ran.push((order.answer, answer));
        settled?;
    }
    Ok(())
}

/// A job's answer, and whether its savepoint is settled: if not, the whole transaction goes, with
/// the jobs before it.
fn attempt(db: &Db, work: Work) -> (Answer, Result<(), Failure>) {
    db.session.take_failure();
    let begun = db.session.later("SAVEPOINT job", vec![]);
    if begun.is_err() {
        return (Err(StoreError::Closed), begun);
    }
    let answer = match catch_unwind(AssertUnwindSafe(|| perform(db, work))) {
        Ok(answer) => answer,
        Err(_) => Err(StoreError::Internal("a job panicked".into())),
    };
    if matches!(answer, Ok(Outcome::Committed)) {
        match db.session.query("RELEASE job", vec![]) {
            Ok(_) => return (answer, Ok(())),
            Err(Failure(why)) => return (Err(why), undo(db)),
        }
    }
    (answer, undo(db))
}

/// Undoes what was done since the savepoint.
fn undo(db: &Db) -> Result<(), Failure> {
    db.forget();
    db.session.take_failure();
    if db.session.discards("SAVEPOINT job") {
        // Nothing of the job was sent, not even its savepoint.
        return Ok(());
    }
    db.session.later("ROLLBACK TO job", vec![])?;
    db.session.query("RELEASE job", vec![])?;
    Ok(())
}

fn perform(db: &Db, work: Work) -> Answer {
    let answer = match work {
        Work::Own(work) => work(db).map(|()| Outcome::Committed).map_err(StoreError::from),
        Work::Job(job) => {
            let mut tx = Moment(Writing { db, failed: None });
            let ended = job(&mut tx);
            match (ended, tx.0.failed) {
                (_, Some(why)) => Err(why),
                (Err(_), None) => Ok(Outcome::RolledBack),
                (Ok(()), None) => Ok(Outcome::Committed),
            }
        }
    };
    // After a statement that failed, a read of the job among them, PostgreSQL keeps nothing.
    match (answer, db.session.take_failure()) {
        (Ok(Outcome::Committed), Some(why)) => Err(why),
        (answer, _) => answer,
    }
}
