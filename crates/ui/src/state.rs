//! What the screens work with, and the one place where they wait for it.

use std::sync::{Arc, Mutex, PoisonError};

use ondol_app::{App, AppError};

use crate::form::Form;
use crate::session::SignedIn;

/// The state of all screens.
#[derive(Clone)]
pub struct Ui {
    /// The use cases: in the practice room those of the practice room.
    pub app: Arc<App>,
    /// Where people sign in: always the facility itself, so that the practice room has the same
    /// people.
    pub door: Arc<App>,
}

impl Ui {
    /// The screens of one facility.
    pub fn new(app: Arc<App>) -> Self {
        Self { door: app.clone(), app }
    }

    /// Lets people sign in at the facility whose practice room this is.
    #[must_use]
    pub fn with_door(self, door: Arc<App>) -> Self {
        Self { door, ..self }
    }

    /// Runs a use case. They block, so each has a thread of its own while it runs.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Arc<App>) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        on_a_thread(self.app.clone(), job).await
    }

    /// The same with refusals of its own.
    pub async fn run_or<T: Send + 'static, E: From<AppError> + Send + 'static>(
        &self,
        job: impl FnOnce(&Arc<App>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        on_a_thread(self.app.clone(), job).await
    }

    /// The same at the door: accounts, sessions, stations.
    pub async fn at_door<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Arc<App>) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        on_a_thread(self.door.clone(), job).await
    }

    /// What somebody typed into a form before and did not send. `key` is the path behind
    /// `/drafts/` in the form's `data-draft`.
    pub async fn draft(&self, who: &SignedIn, key: &str) -> Result<Option<Form>, AppError> {
        let (actor, key) = (who.actor.clone(), key.to_owned());
        let typed = self.run(move |app| app.draft(&actor, &key)).await?;
        Ok(typed.map(|(_, bytes)| Form::parse(&bytes)))
    }

    /// The form was sent: its draft is not needed any more.
    pub async fn drop_draft(&self, who: &SignedIn, key: &str) -> Result<(), AppError> {
        let (actor, key) = (who.actor.clone(), key.to_owned());
        self.run(move |app| app.drop_draft(&actor, &key)).await
    }
}

async fn on_a_thread<T: Send + 'static, E: From<AppError> + Send + 'static>(
    app: Arc<App>,
    job: impl FnOnce(&Arc<App>) -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    let done = Arc::new(Mutex::new(None));
    let to = done.clone();
    do_on_a_thread(
        app,
        Box::new(move |app| {
            *to.lock().unwrap_or_else(PoisonError::into_inner) = Some(job(app));
        }),
    )
    .await?;
    let result = done.lock().unwrap_or_else(PoisonError::into_inner).take();
    result.unwrap_or_else(|| Err(AppError::Unexpected("work that did not end").into()))
}

type Job = Box<dyn FnOnce(&Arc<App>) + Send>;

/// What is done on a thread, whatever it gives: a task for each kind of work would be a fifth of
/// the code of this crate.
async fn do_on_a_thread(app: Arc<App>, job: Job) -> Result<(), AppError> {
    match tokio::task::spawn_blocking(move || job(&app)).await {
        Ok(()) => Ok(()),
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(AppError::Unexpected("the node is stopping")),
        },
    }
}
