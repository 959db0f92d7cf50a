//! Forms that are half filled in. They belong to their author alone.

use ondol_kernel::{Millis, ResourceId};
use ondol_store::{Space, View, WriteTx};

use crate::{Actor, App, AppError};

/// The largest draft, bytes.
const DRAFT_BYTES_MAX: usize = 256 * 1024;
/// The longest key of a form, bytes.
const KEY_BYTES_MAX: usize = 200;

/// A form that its author has not sent yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedDraft {
    /// Which form, as the screen that saved it calls it.
    pub key: String,
    /// When it was saved last.
    pub saved: Millis,
}

fn prefix(author: &ResourceId) -> Vec<u8> {
    format!("{author}/").into_bytes()
}

fn key(author: &ResourceId, form: &str) -> Vec<u8> {
    [&prefix(author), form.as_bytes()].concat()
}

fn saved_at(value: &[u8]) -> Result<(Millis, &[u8]), AppError> {
    let (time, bytes) =
        value.split_first_chunk().ok_or(AppError::Unexpected("a draft is too short"))?;
    Ok((Millis(i64::from_le_bytes(*time)), bytes))
}

/// The drafts of somebody, in the order of their keys.
pub(super) fn drafts_of(
    view: &(impl View + ?Sized),
    author: &ResourceId,
) -> Result<Vec<SavedDraft>, AppError> {
    let prefix = prefix(author);
    let rows = view.values(Space::FormDraft, &prefix, None, usize::MAX)?;
    rows.iter()
        .map(|(key, value)| {
            let form = key.get(prefix.len()..).unwrap_or_default();
            let key = String::from_utf8_lossy(form).into_owned();
            Ok(SavedDraft { key, saved: saved_at(value)?.0 })
        })
        .collect()
}

/// Gives somebody's drafts to somebody else. Where the heir has begun the same form, the leaver's
/// stands beside it.
pub(super) fn hand_over(
    tx: &mut dyn WriteTx,
    from: &ResourceId,
    to: &ResourceId,
) -> Result<u32, AppError> {
    let prefix = prefix(from);
    let mut moved = 0;
    for (old, value) in tx.values(Space::FormDraft, &prefix, None, usize::MAX)? {
        let form =
            String::from_utf8_lossy(old.get(prefix.len()..).unwrap_or_default()).into_owned();
        let mut new = key(to, &form);
        if tx.value(Space::FormDraft, &new)?.is_some() {
            new = key(to, &format!("{form}~{from}"));
        }
        tx.set_value(Space::FormDraft, &new, Some(&value))?;
        tx.set_value(Space::FormDraft, &old, None)?;
        moved += 1;
    }
    Ok(moved)
}

impl App {
    /// Keeps what somebody has typed into a form so far. `form` names the form and what it is
    /// about by ids, never by a person's name.
    pub fn save_draft(&self, author: &Actor, form: &str, typed: &[u8]) -> Result<(), AppError> {
        if form.is_empty() || form.len() > KEY_BYTES_MAX || typed.len() > DRAFT_BYTES_MAX {
            return Err(AppError::Field { field: "draft", why: "too-long" });
        }
        let key = key(author.id(), form);
        let value = [&self.now().0.to_le_bytes(), typed].concat();
        ondol_store::transact(&*self.store, move |tx| {
            Ok(tx.set_value(Space::FormDraft, &key, Some(&value))?)
        })
    }

    /// What its author typed into a form, and when.
    pub fn draft(&self, author: &Actor, form: &str) -> Result<Option<(Millis, Vec<u8>)>, AppError> {
        let Some(value) = self.view()?.value(Space::FormDraft, &key(author.id(), form))? else {
            return Ok(None);
        };
        let (saved, typed) = saved_at(&value)?;
        Ok(Some((saved, typed.to_vec())))
    }

    /// The drafts of somebody.
    pub fn drafts(&self, author: &Actor) -> Result<Vec<SavedDraft>, AppError> {
        drafts_of(&*self.view()?, author.id())
    }

    /// Throws a draft away: the form was sent, or its author does not want it.
    pub fn drop_draft(&self, author: &Actor, form: &str) -> Result<(), AppError> {
        let key = key(author.id(), form);
        if self.view()?.value(Space::FormDraft, &key)?.is_none() {
            return Ok(());
        }
        ondol_store::transact(&*self.store, move |tx| {
            Ok(tx.set_value(Space::FormDraft, &key, None)?)
        })
    }
}
