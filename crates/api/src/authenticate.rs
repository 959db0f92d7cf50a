//! Who asks: HTTP Basic (RFC 7617) with an account's name and password, or a session's token as
//! Bearer (RFC 6750). Cookies are not looked at, so that no page elsewhere can use them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::{HeaderMap, header};
use ondol_app::{Actor, App, AppError, accounts::SignedIn};
use thiserror::Error;

use crate::base64;

/// Why nobody is let in.
#[derive(Debug, Error)]
pub enum Refusal {
    /// The request names nobody, or in a way that is not understood.
    #[error("sign in with HTTP Basic or a Bearer token")]
    Missing,
    /// Name and password, or the token, are not right; or the session ended or is locked.
    #[error("sign-in refused")]
    Wrong,
    /// The password was given by somebody else and has to be changed first, on the screen.
    #[error("the password has to be changed first")]
    MustChange,
    /// After wrong tries the next one has to wait.
    #[error("the next try has to wait {seconds} s")]
    Wait {
        /// How long, s.
        seconds: u32,
    },
    /// The accounts cannot be read.
    #[error("the server failed")]
    Failed(#[source] AppError),
}

impl Refusal {
    pub(crate) const fn status(&self) -> u16 {
        match self {
            Self::Missing | Self::Wrong => 401,
            Self::MustChange => 403,
            Self::Wait { .. } => 429,
            Self::Failed(_) => 500,
        }
    }

    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "sign-in-missing",
            Self::Wrong => "sign-in",
            Self::MustChange => "password-change",
            Self::Wait { .. } => "wait",
            Self::Failed(_) => "defect",
        }
    }

    pub(crate) const fn issue_type(&self) -> &'static str {
        match self {
            Self::Missing | Self::Wrong => "login",
            Self::MustChange => "forbidden",
            Self::Wait { .. } => "throttled",
            Self::Failed(_) => "exception",
        }
    }
}

/// Finds out who asks. It may block: it is called from a thread for that.
pub trait Authenticate: Send + Sync + 'static {
    /// Who asks, in the roles that they have now.
    fn authenticate(&self, headers: &HeaderMap) -> Result<Actor, Refusal>;
}

/// A client's sign-in: its session, and the station that stands for the program.
#[derive(Clone)]
struct Known {
    session: String,
    station: String,
}

/// Sessions of Basic clients that are remembered at most.
const KNOWN_MAX: usize = 1_000;

/// Lets in by the accounts of the facility.
///
/// Proving a password is slow by design. A client of Basic sends it with every request, so that
/// the session which the first one opened is remembered under a keyed hash of the header; the
/// password itself is not kept. When the session locks or ends, the password is proved again.
pub struct AccountAuthenticator {
    app: Arc<App>,
    key: [u8; 32],
    known: Mutex<HashMap<[u8; 32], Known>>,
}

impl AccountAuthenticator {
    /// Over the accounts of a node. `key` is random and lives as long as the process.
    pub fn new(app: Arc<App>, key: [u8; 32]) -> Self {
        Self { app, key, known: Mutex::default() }
    }

    fn basic(&self, credentials: &str) -> Result<SignedIn, Refusal> {
        let decoded = base64::decode(credentials).ok_or(Refusal::Missing)?;
        let decoded = String::from_utf8(decoded).map_err(|_| Refusal::Missing)?;
        let (login, password) = decoded.split_once(':').ok_or(Refusal::Missing)?;
        let hash = *blake3::keyed_hash(&self.key, decoded.as_bytes()).as_bytes();
        let known = self.remembered(&hash);
        if let Some(known) = &known
            && let Some(signed_in) = self.app.session(&known.session, true).map_err(refused)?
            && !signed_in.locked
        {
            return Ok(signed_in);
        }
        let station = known.as_ref().map(|known| known.station.as_str());
        let replaces = known.as_ref().map(|known| known.session.as_str());
        let entered = self.app.sign_in(login, password, station, replaces).map_err(refused)?;
        self.remember(hash, Known { session: entered.session, station: entered.station });
        Ok(entered.who)
    }

    fn remembered(&self, hash: &[u8; 32]) -> Option<Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    fn remember(&self, hash: [u8; 32], known: Known) {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KNOWN_MAX {
            // Whoever is forgotten proves the password once more.
            all.clear();
        }
        all.insert(hash, known);
    }
}

fn refused(why: AppError) -> Refusal {
    match why {
        AppError::Wait { seconds } => Refusal::Wait { seconds },
        AppError::SignIn(_) | AppError::Field { .. } | AppError::State(_) => Refusal::Wrong,
        other => Refusal::Failed(other),
    }
}

impl Authenticate for AccountAuthenticator {
    fn authenticate(&self, headers: &HeaderMap) -> Result<Actor, Refusal> {
        let value = headers.get(header::AUTHORIZATION).ok_or(Refusal::Missing)?;
        let value = value.to_str().map_err(|_| Refusal::Missing)?;
        let (scheme, credentials) = value.split_once(' ').ok_or(Refusal::Missing)?;
        let credentials = credentials.trim();
        let signed_in = if scheme.eq_ignore_ascii_case("basic") {
            self.basic(credentials)?
        } else if scheme.eq_ignore_ascii_case("bearer") {
            let session = self.app.session(credentials, true).map_err(refused)?;
            session.filter(|signed_in| !signed_in.locked).ok_or(Refusal::Wrong)?
        } else {
            return Err(Refusal::Missing);
        };
        if signed_in.must_change {
            return Err(Refusal::MustChange);
        }
        Ok(signed_in.actor)
    }
}
