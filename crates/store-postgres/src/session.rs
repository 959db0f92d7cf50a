//! One connection: statements that wait and statements that are asked.
//!
//! A statement whose answer nobody needs at once waits in a queue and goes out with the next one
//! that is asked: all of them travel together, and one wait serves for all.

use std::{
    borrow::Cow,
    cell::RefCell,
    collections::HashMap,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

use ondol_store::StoreError;
use tokio_postgres::{Client, Config, NoTls, Row, Statement, types::ToSql};

use crate::{
    driver::Driver,
    error::{Failure, again, of_statement},
    tls::Tls,
    value::Value,
};

/// So many statements are kept ready before all are forgotten: searches have texts without end.
const STATEMENTS_MAX: usize = 400;

/// So many statements wait at most.
const QUEUE_MAX: usize = 400;

/// What every connection is set to. `synchronous_commit` may be off in a server's settings: then
/// an answer would come before the disk has it.
const SETTINGS: &str = "SET synchronous_commit = on; SET jit = off; \
    SET client_min_messages = warning; SET statement_timeout = 0; SET lock_timeout = 0; \
    SET idle_in_transaction_session_timeout = 0; SET default_transaction_read_only = off; \
    SET DateStyle = ISO";

type Text = Cow<'static, str>;

struct Command {
    text: Text,
    values: Vec<Value>,
}

/// The client's end of a connection and the statements that are ready there.
struct Link {
    client: Client,
    statements: Mutex<HashMap<Text, Statement>>,
}

/// A connection as one thread uses it.
pub(crate) struct Session {
    driver: Arc<Driver>,
    link: Arc<Link>,
    queue: RefCell<Vec<Command>>,
    /// The first failure since it was asked for: after it, the transaction can only be undone.
    failed: RefCell<Option<StoreError>>,
}

impl Session {
    pub(crate) fn connect(
        driver: &Arc<Driver>,
        config: &Config,
        tls: Option<&Tls>,
    ) -> Result<Self, Failure> {
        let mut config = config.clone();
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        if config.get_application_name().is_none() {
            config.application_name("ondol");
        }
        // A server whose machine is gone is noticed, and does not hold a writer for hours.
        config.keepalives_idle(Duration::from_secs(30));
        config.tcp_user_timeout(Duration::from_secs(30));
        let tls = tls.cloned();
        let connected = driver.wait(async move {
            // A connection ends with an error when the server goes away; whoever asks next is told.
            let client = match tls {
                Some(tls) => {
                    let (client, connection) = config.connect(tls).await?;
                    tokio::spawn(connection);
                    client
                }
                None => {
                    let (client, connection) = config.connect(NoTls).await?;
                    tokio::spawn(connection);
                    client
                }
            };
            client.batch_execute(SETTINGS).await?;
            Ok(client)
        })?;
        let client = connected.map_err(|why| of_statement(&why, "connecting"))?;
        Ok(Self {
            driver: driver.clone(),
            link: Arc::new(Link { client, statements: Mutex::default() }),
            queue: RefCell::default(),
            failed: RefCell::default(),
        })
    }

    /// Whether the connection is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.link.client.is_closed()
    }

    /// Puts a statement into the queue. Its failure is the next one's.
    pub(crate) fn later(&self, text: impl Into<Text>, values: Vec<Value>) -> Result<(), Failure> {
        self.queue.borrow_mut().push(Command { text: text.into(), values });
        if self.queue.borrow().len() >= QUEUE_MAX { self.flush() } else { Ok(()) }
    }

    /// The rows of a statement, after all that wait.
    pub(crate) fn query(
        &self,
        text: impl Into<Text>,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Failure> {
        self.queue.borrow_mut().push(Command { text: text.into(), values });
        self.send()
    }

    /// The only row of a statement, or none.
    pub(crate) fn one(
        &self,
        text: impl Into<Text>,
        values: Vec<Value>,
    ) -> Result<Option<Row>, Failure> {
        Ok(self.query(text, values)?.into_iter().next())
    }

    /// Several statements in one text, without values.
    pub(crate) fn batch(&self, text: String) -> Result<(), Failure> {
        self.flush()?;
        let link = self.link.clone();
        let done = self.driver.wait(async move { link.client.batch_execute(&text).await })?;
        done.map_err(|why| self.keep(of_statement(&why, "several statements")))
    }

    /// Sends what waits.
    pub(crate) fn flush(&self) -> Result<(), Failure> {
        if self.queue.borrow().is_empty() {
            return Ok(());
        }
        self.send()?;
        Ok(())
    }

    /// Forgets what waits.
    pub(crate) fn discard(&self) {
        self.queue.take();
    }

    /// Forgets what waits; gives whether a statement was among it, and so never sent.
    pub(crate) fn discards(&self, text: &str) -> bool {
        self.queue.take().iter().any(|command| command.text == text)
    }

    /// The first failure since this was asked last.
    pub(crate) fn take_failure(&self) -> Option<StoreError> {
        self.failed.take()
    }

    fn keep(&self, failure: Failure) -> Failure {
        self.failed.borrow_mut().get_or_insert_with(|| again(&failure.0));
        failure
    }

    fn send(&self) -> Result<Vec<Row>, Failure> {
        let (link, commands) = (self.link.clone(), self.queue.take());
        let done = self.driver.wait(async move { link.run(&commands).await });
        done.and_then(|done| done).map_err(|failure| self.keep(failure))
    }
}

type Answer<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<Row>, tokio_postgres::Error>> + Send + 'a>>;

impl Link {
    /// Sends all commands at once, in their order; the rows of the last. The failure of the first
    /// that failed: those behind it only say that the transaction is over.
    async fn run(&self, commands: &[Command]) -> Result<Vec<Row>, Failure> {
        let mut ready = Vec::with_capacity(commands.len());
        for command in commands {
            let statement = self.statement(&command.text).await;
            ready.push(statement.map_err(|why| of_statement(&why, &command.text))?);
        }
        let values: Vec<Vec<&(dyn ToSql + Sync)>> = commands
            .iter()
            .map(|command| command.values.iter().map(|value| value as _).collect())
            .collect();
        let mut answers: Vec<Result<Answer<'_>, Result<Vec<Row>, _>>> = ready
            .iter()
            .zip(&values)
            .map(|(statement, values)| Ok(Box::pin(self.client.query(statement, values)) as _))
            .collect();
        // What is polled first is sent first.
        poll_fn(|context| {
            let mut waits = false;
            for answer in &mut answers {
                if let Ok(waiting) = answer {
                    match waiting.as_mut().poll(context) {
                        Poll::Ready(rows) => *answer = Err(rows),
                        Poll::Pending => waits = true,
                    }
                }
            }
            if waits { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        let mut last = vec![];
        for (answer, command) in answers.into_iter().zip(commands) {
            if let Err(rows) = answer {
                last = rows.map_err(|why| of_statement(&why, &command.text))?;
            }
        }
        Ok(last)
    }

    async fn statement(&self, text: &Text) -> Result<Statement, tokio_postgres::Error> {
        let known = self.lock().get(text).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(text).await?;
        let mut statements = self.lock();
        if statements.len() >= STATEMENTS_MAX {
            statements.clear();
        }
        statements.insert(text.clone(), statement.clone());
        Ok(statement)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Text, Statement>> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
