//! Who is signed in at which browser. A session is kept under the hash of its cookie.

use std::sync::Arc;

use ondol_access::Action;
use ondol_kernel::{Millis, ResourceId, bytes::to_hex};
use ondol_store::{Space, View, WriteTx};
use serde_json::{Value, json};

use super::{
    AccountState, LOCK_AFTER_MINUTES, PASSWORD_LASTS_MS, QuickKeys, SignedIn, account,
    audit::Event, secret, staff, standing,
};
use crate::{Actor, App, AppError, DiskTrouble};

/// A touch is written down when the last one that was is so old, ms: not each page costs a write.
const TOUCH_EVERY_MS: i64 = 30_000;
/// A clock that is set by another one goes back by less than this, ms.
const CLOCK_SLACK_MS: i64 = 60_000;

const PREFIX: &[u8] = b"s/";
/// In [`Space::Node`]: minutes until a session locks, one byte.
const LOCK_AFTER: &[u8] = b"lock-after-minutes";

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The account's resource.
    pub account: ResourceId,
    pub since: Millis,
    /// The last touch that was written down.
    pub seen: Millis,
    pub ends: Millis,
    pub locked: bool,
}

pub(super) fn key(session: &str) -> Vec<u8> {
    [PREFIX, to_hex(&secret::token_hash(session)).as_bytes()].concat()
}

impl Record {
    pub fn begun(account: ResourceId, now: Millis) -> Self {
        let ends = now.plus(PASSWORD_LASTS_MS);
        Self { account, since: now, seen: now, ends, locked: false }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let record = json!({
            "account": self.account.as_str(),
            "since": self.since.0,
            "seen": self.seen.0,
            "ends": self.ends.0,
            "locked": self.locked,
        });
        record.to_string().into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let record: Value = serde_json::from_slice(bytes).ok()?;
        let time = |name: &str| record[name].as_i64().map(Millis);
        Some(Self {
            account: ResourceId::new(record["account"].as_str()?).ok()?,
            since: time("since")?,
            seen: time("seen")?,
            ends: time("ends")?,
            locked: record["locked"].as_bool()?,
        })
    }

    /// Whether nobody touched it for too long. A touch that lies ahead tells of a clock that was
    /// set back, and of nothing else.
    fn is_idle(&self, now: Millis, lock_after_s: u32) -> bool {
        let idle = now.0.saturating_sub(self.seen.0);
        !(-CLOCK_SLACK_MS..i64::from(lock_after_s) * 1_000).contains(&idle)
    }
}

pub(super) fn read(view: &(impl View + ?Sized), key: &[u8]) -> Result<Option<Record>, AppError> {
    let Some(bytes) = view.value(Space::Session, key)? else { return Ok(None) };
    Record::from_bytes(&bytes).map(Some).ok_or(AppError::Unexpected("a session"))
}

pub(super) fn write(tx: &mut dyn WriteTx, key: &[u8], record: &Record) -> Result<(), AppError> {
    Ok(tx.set_value(Space::Session, key, Some(&record.to_bytes()))?)
}

/// Ends the sessions for which `ends` holds.
pub(super) fn end_where(
    tx: &mut dyn WriteTx,
    ends: impl Fn(&[u8], &Record) -> bool,
) -> Result<(), AppError> {
    for (key, bytes) in tx.values(Space::Session, PREFIX, None, usize::MAX)? {
        if Record::from_bytes(&bytes).is_none_or(|record| ends(&key, &record)) {
            tx.set_value(Space::Session, &key, None)?;
        }
    }
    Ok(())
}

/// After how many seconds a session locks.
pub(super) fn lock_after_s(view: &(impl View + ?Sized)) -> Result<u32, AppError> {
    let minutes = view.value(Space::Node, LOCK_AFTER)?;
    let minutes = minutes.and_then(|bytes| bytes.first().copied()).unwrap_or(LOCK_AFTER_MINUTES);
    Ok(u32::from(minutes) * 60)
}

/// Who a session belongs to, if their account is open.
pub(super) fn who(
    app: &App,
    view: &(impl View + ?Sized),
    record: &Record,
) -> Result<Option<SignedIn>, AppError> {
    let Some(found) = account::account(app, view, &record.account)? else { return Ok(None) };
    let account = found.account;
    if account.state != AccountState::Active {
        return Ok(None);
    }
    let person = staff::person(app, view, &account)?;
    Ok(Some(SignedIn {
        actor: Actor::person(person.id, &person.name, person.roles),
        locked: record.locked,
        must_change: account.must_change,
        keys: QuickKeys { pin: account.pin.is_some(), card: account.card.is_some() },
        lock_after_s: lock_after_s(view)?,
        since: record.since,
        account: record.account.clone(),
    }))
}

impl App {
    /// Who is signed in with a session's cookie; `None` when it ended or never was. `touch` says
    /// that a person did something: what a page asks by itself keeps no session open.
    pub fn session(&self, cookie: &str, touch: bool) -> Result<Option<SignedIn>, AppError> {
        let key = key(cookie);
        let now = self.now();
        let (mut record, mut signed_in) = {
            let view = self.view()?;
            let Some(record) = read(&*view, &key)? else { return Ok(None) };
            if now >= record.ends {
                return Ok(None);
            }
            let Some(signed_in) = standing::who(self, &*view, &record)? else {
                return Ok(None);
            };
            (record, signed_in)
        };
        if record.locked {
            return Ok(Some(signed_in));
        }
        if record.is_idle(now, signed_in.lock_after_s) {
            record.locked = true;
            signed_in.locked = true;
            self.set_session(key, record, &signed_in.actor)?;
        } else if touch && now.0.saturating_sub(record.seen.0) >= TOUCH_EVERY_MS {
            record.seen = now;
            self.set_session(key, record, &signed_in.actor)?;
        }
        Ok(Some(signed_in))
    }

    /// Writes a session down again, unless it ended or was locked in the meantime.
    fn set_session(&self, key: Vec<u8>, record: Record, who: &Actor) -> Result<(), AppError> {
        let line = record.locked.then(|| self.door_line(Event::Locked, &who.reference(), "idle"));
        let written = ondol_store::transact(&*self.store, move |tx| {
            if read(tx, &key)?.is_some_and(|stored| !stored.locked) {
                write(tx, &key, &record)?;
                line.iter().try_for_each(|line| tx.record_reading(line))?;
            }
            Ok(())
        });
        match written {
            // Whoever is signed in reads on while the disk takes nothing. A session that was idle
            // stays idle, and locked for whoever asks.
            Err(why) if DiskTrouble::of_app(&why).is_some() => Ok(()),
            written => written,
        }
    }

    /// Locks a session. It stays: PIN, card or password open it again.
    pub fn lock(&self, cookie: &str) -> Result<(), AppError> {
        let Some(signed_in) = self.session(cookie, false)? else { return Ok(()) };
        let key = key(cookie);
        let line = self.door_line(Event::Locked, &signed_in.actor.reference(), "by-hand");
        ondol_store::transact(&*self.store, move |tx| {
            if let Some(mut record) = read(tx, &key)?
                && !record.locked
            {
                record.locked = true;
                write(tx, &key, &record)?;
                tx.record_reading(&line)?;
            }
            Ok(())
        })
    }

    /// Ends a session.
    pub fn sign_out(&self, cookie: &str) -> Result<(), AppError> {
        let Some(signed_in) = self.session(cookie, false)? else { return Ok(()) };
        let key = key(cookie);
        let line = self.door_line(Event::SignedOut, &signed_in.actor.reference(), "by-hand");
        ondol_store::transact(&*self.store, move |tx| {
            tx.set_value(Space::Session, &key, None)?;
            Ok(tx.record_reading(&line)?)
        })
    }

    /// After how many minutes without a touch sessions lock.
    pub fn lock_after_minutes(&self) -> Result<u32, AppError> {
        Ok(lock_after_s(&*self.view()?)? / 60)
    }

    /// Sets after how many minutes without a touch sessions lock: 1 to 60.
    pub fn set_lock_after(self: &Arc<Self>, actor: &Actor, minutes: u8) -> Result<(), AppError> {
        if !(1..=60).contains(&minutes) {
            return Err(AppError::Field { field: "lock-after", why: "out-of-range" });
        }
        let (app, actor) = (self.clone(), actor.clone());
        self.transact(move |tx| {
            app.may(&*tx, &actor, Action::WriteSettings, &app.facility_chart(), None)?;
            Ok(tx.set_value(Space::Node, LOCK_AFTER, Some(&[minutes]))?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_idle_after_its_time_and_when_the_clock_was_set_back() {
        let record = Record::begun(ResourceId::new("a").unwrap(), Millis(1_000_000));
        assert!(!record.is_idle(Millis(1_299_999), 300));
        assert!(record.is_idle(Millis(1_300_000), 300));
        assert!(!record.is_idle(Millis(990_000), 300));
        assert!(record.is_idle(Millis(0), 300));
        assert_eq!(Record::from_bytes(&record.to_bytes()), Some(record));
    }
}
