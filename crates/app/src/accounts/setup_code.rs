//! The code that the first run asks for: it stands on the console of the node alone, so that whoever
//! comes first on the local network is not its administrator for that.

use std::sync::Arc;

use ondol_store::Space;

use super::{
    first_run::RecoveryCode,
    people::NewPerson,
    secret::{self, read_recovery_code},
    throttle,
};
use crate::{App, AppError};

/// Where its hash stands in [`Space::Node`].
const KEY: &[u8] = b"setup-code";

impl App {
    /// Makes a new code for the first run, in place of any other; `None` once there is an account.
    /// Only its hash is kept: whoever lost it has another one made on the console.
    pub fn new_setup_code(&self) -> Result<Option<String>, AppError> {
        if !self.is_first_run()? {
            return Ok(None);
        }
        let code = secret::setup_code(&*self.rng);
        let hash = secret::hash(&*self.rng, None, &read_recovery_code(&code))?;
        self.transact(move |tx| Ok(tx.set_value(Space::Node, KEY, Some(hash.as_bytes()))?))?;
        Ok(Some(code))
    }

    /// The first run from a page: only with the code of the console, which is used up by it.
    pub fn first_run_with(
        self: &Arc<Self>,
        code: &str,
        people: Vec<(NewPerson, String)>,
    ) -> Result<RecoveryCode, AppError> {
        let door = throttle::door("setup", "", "");
        self.try_at(&door)?;
        let stored = self.view()?.value(Space::Node, KEY)?;
        let stored = stored.and_then(|bytes| String::from_utf8(bytes).ok());
        let fits = match &stored {
            Some(hash) => secret::fits(None, &read_recovery_code(code), hash)?,
            None => false,
        };
        if !fits {
            return Err(self.wrong_try("", "setup")?);
        }
        let recovery = self.first_run(people)?;
        self.transact(move |tx| {
            throttle::open(tx, &door)?;
            Ok(tx.set_value(Space::Node, KEY, None)?)
        })?;
        Ok(recovery)
    }
}
