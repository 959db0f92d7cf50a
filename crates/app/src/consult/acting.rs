//! Somebody does something with a consult or a referral: decided, folded and appended in one
//! transaction of the writer.

use std::sync::Arc;

use ondol_access::{Action, Reason};
use ondol_kernel::ResourceId;
use ondol_store::{Found, View};
use serde_json::{Value, json};

use super::{
    request::{Request, RequestKind, find},
    step::{NewStep, Step, StepCode, steps_of},
};
use crate::{Actor, App, AppError, Changes, people::document};

/// A request that somebody does something with, within the writer's transaction.
pub(crate) struct Acting<'a, S> {
    pub app: &'a Arc<App>,
    pub actor: &'a Actor,
    pub view: &'a dyn View,
    pub found: Found,
    pub request: Request,
    pub state: S,
}

impl<S> Acting<'_, S> {
    /// A step of this request by whoever acts, now.
    pub fn step(&self, code: StepCode) -> NewStep {
        let (request, subject) = (self.request.reference(), self.request.subject());
        NewStep::new(self.app, self.actor, code, &request, &subject)
    }

    /// The request with another element, as a new version.
    pub fn request_with(&self, change: impl FnOnce(&mut Value)) -> Result<Value, AppError> {
        let mut body = document(&self.found)?;
        body["resourceType"] = json!("ServiceRequest");
        body["id"] = json!(self.request.id.as_str());
        change(&mut body);
        Ok(body)
    }

    /// Gives an open request its last status.
    pub fn end(&self, changes: &mut Changes, status: &str) -> Result<(), AppError> {
        if self.request.open {
            let body = self.request_with(|body| body["status"] = json!(status))?;
            changes.update(&self.found, body);
        }
        Ok(())
    }
}

impl App {
    /// Decides, folds the state of a request, and appends what `build` makes of it.
    pub(crate) fn act_on<S>(
        self: &Arc<Self>,
        (kind, id): (RequestKind, &ResourceId),
        fold: fn(&Request, Vec<Step>) -> S,
        actor: &Actor,
        (action, reason): (Action, Option<Reason>),
        build: impl FnOnce(&Acting<'_, S>) -> Result<Changes, AppError> + Send + 'static,
    ) -> Result<(), AppError>
    where
        S: 'static,
    {
        let (app, actor, id) = (self.clone(), actor.clone(), id.clone());
        self.transact(move |tx| {
            let changes = {
                let view: &dyn View = &*tx;
                let (found, request) = find(view, kind, &id)?;
                app.may(view, &actor, action, &request.chart, reason)?;
                let state = fold(&request, steps_of(view, &request.chart, &request.reference())?);
                build(&Acting { app: &app, actor: &actor, view, found, request, state })?
            };
            if !changes.is_empty() {
                app.append(tx, &actor, changes)?;
            }
            Ok(())
        })
    }
}
