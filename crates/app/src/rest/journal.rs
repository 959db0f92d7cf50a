//! History of a type and of everything here (R4 3.1.0.11): versions in the order in which they
//! arrived, newest first.

use ondol_fhir::ResourceType;
use ondol_kernel::{Millis, ResourceId, bytes};
use ondol_record::{Entry, entry::ChangeKind};
use ondol_store::EntryRow;

use super::{
    error::{ParameterFault, RestError},
    is_served,
    read::{Past, is_due},
    sight::Sight,
};
use crate::{Actor, App, arrivals};

/// So many versions are looked at for one page; a page may come out short, with a link on.
const SCAN_MAX: usize = 5_000;

/// Entries that are taken from the store at once: some are large.
const BATCH: u64 = 16;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRequest {
    /// The type; none for all.
    pub kind: Option<ResourceType>,
    /// What arrived before is left out.
    pub since: Option<Millis>,
    /// Versions of a page, at most.
    pub count: usize,
    /// Where an earlier page ended.
    pub after: Option<JournalPlace>,
}

/// Where a page ended: what arrived later is not part of this reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalPlace {
    arrival: u64,
    ordinal: u32,
}

/// Some of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// The versions with the resources that they are of.
    pub versions: Vec<(ResourceType, ResourceId, Past)>,
    /// Where the next page begins, if there may be one.
    pub next: Option<JournalPlace>,
}

impl JournalRequest {
    /// The request with the place where its page ended, as text that shows nothing: for a link.
    pub fn token(&self, place: JournalPlace) -> String {
        let since = self.since.map_or_else(String::new, |since| since.0.to_string());
        let text = format!("{}.{}.{}.{since}", place.arrival, place.ordinal, self.count);
        bytes::to_hex(text.as_bytes())
    }

    /// Reads [`JournalRequest::token`]; the type stands in the address.
    pub fn from_token(kind: Option<ResourceType>, token: &str) -> Result<Self, RestError> {
        let bad = || RestError::parameter("_page", ParameterFault::Value);
        let mut text = vec![0; token.len() / 2];
        if token.len() > 256 || !bytes::hex_to(token, &mut text) {
            return Err(bad());
        }
        let text = String::from_utf8(text).map_err(|_| bad())?;
        let parts: Vec<&str> = text.split('.').collect();
        let [arrival, ordinal, count, since] = parts[..] else { return Err(bad()) };
        let since = match since {
            "" => None,
            since => Some(Millis(since.parse().map_err(|_| bad())?)),
        };
        Ok(Self {
            kind,
            since,
            count: count.parse().map_err(|_| bad())?,
            after: Some(JournalPlace {
                arrival: arrival.parse().map_err(|_| bad())?,
                ordinal: ordinal.parse().map_err(|_| bad())?,
            }),
        })
    }
}

impl App {
    /// The versions of all resources of a type, or of all types, as far as they may be seen.
    pub fn rest_journal(
        &self,
        actor: &Actor,
        request: &JournalRequest,
    ) -> Result<Journal, RestError> {
        let (journal, seen) = {
            let view = self.view()?;
            let mut sight = Sight::new(self, actor, &*view);
            (read(&mut sight, request)?, sight.seen())
        };
        seen.record(self, actor)?;
        Ok(journal)
    }
}

fn read(sight: &mut Sight<'_>, request: &JournalRequest) -> Result<Journal, RestError> {
    let mut journal = Journal { versions: vec![], next: None };
    if request.count == 0 {
        return Ok(journal);
    }
    let newest = sight.view.last_arrival()?;
    let start = JournalPlace { arrival: newest, ordinal: u32::MAX };
    let start = request.after.filter(|place| place.arrival <= newest).unwrap_or(start);
    let (mut upto, mut scanned) = (start.arrival, 0);
    let end = match request.since {
        Some(since) => arrivals::before(sight.view, since)?,
        None => 0,
    };
    while upto > end {
        let below = upto.saturating_sub(BATCH).max(end);
        let limit = usize::try_from(BATCH).unwrap_or(usize::MAX);
        let rows = sight.view.arrived_after(below, limit)?;
        for row in rows.iter().rev().filter(|row| row.arrival <= upto) {
            for ordinal in ordinals(row, start) {
                scanned += 1;
                let line = line(sight, request, &row.entry, ordinal)?;
                journal.versions.extend(line);
                if journal.versions.len() == request.count || scanned >= SCAN_MAX {
                    journal.next = Some(JournalPlace { arrival: row.arrival, ordinal });
                    return Ok(journal);
                }
            }
        }
        upto = below;
    }
    Ok(journal)
}

/// The changes of an entry, last first; in the entry where a page began, those before its place.
fn ordinals(row: &EntryRow, start: JournalPlace) -> impl Iterator<Item = u32> + use<> {
    let all = u32::try_from(row.entry.changes.len()).unwrap_or(u32::MAX);
    let end = if row.arrival == start.arrival { all.min(start.ordinal) } else { all };
    (0..end).rev()
}

/// One version, if it is asked for and may be seen.
fn line(
    sight: &mut Sight<'_>,
    request: &JournalRequest,
    entry: &Entry,
    ordinal: u32,
) -> Result<Option<(ResourceType, ResourceId, Past)>, RestError> {
    let change = usize::try_from(ordinal).ok().and_then(|at| entry.changes.get(at));
    let Some(change) = change else { return Ok(None) };
    let kind = ResourceType::from_name(&change.resource_type).filter(|kind| is_served(*kind));
    let Some(kind) = kind else { return Ok(None) };
    let is_asked = request.kind.is_none_or(|asked| asked == kind)
        && request.since.is_none_or(|since| is_due(sight.app, &entry.address, entry.hlc, since))
        && change.kind() != ChangeKind::Forward;
    if !is_asked {
        return Ok(None);
    }
    let version = entry.version_id(ordinal);
    let Some(version) = sight.view.version(kind.name(), &change.id, version)? else {
        return Ok(None);
    };
    if !sight.may_see(&version)? {
        return Ok(None);
    }
    sight.see(&version)?;
    let method = match version.kind {
        // A derived id is given by the entry that made the resource.
        ChangeKind::Put if change.id_is_derived => "POST",
        ChangeKind::Put => "PUT",
        ChangeKind::Retract | ChangeKind::Forward => "DELETE",
    };
    let past = Past {
        version: version.version,
        updated: version.hlc.millis(),
        method,
        json: version.json(),
    };
    Ok(Some((kind, change.id.clone(), past)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_and_others_are_refused() {
        for since in [None, Some(Millis(-5)), Some(Millis(1_700_000_000_123))] {
            let place = JournalPlace { arrival: 7, ordinal: 3 };
            let request = JournalRequest { kind: None, since, count: 20, after: None };
            let token = request.token(place);
            assert!(token.bytes().all(|b| b.is_ascii_hexdigit()));
            let read = JournalRequest::from_token(None, &token).unwrap();
            assert_eq!(read, JournalRequest { after: Some(place), ..request });
        }
        for text in ["", "zz", "00", "312e32", "312e322e332e78", &"31".repeat(300)] {
            assert!(JournalRequest::from_token(None, text).is_err(), "{text}");
        }
    }
}
