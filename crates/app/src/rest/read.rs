//! Reading one resource: as it stands, one version, its history, and a patient's whole chart
//! (R4 3.1.0.2, 3.1.0.3, 3.1.0.11).

use ondol_fhir::{Limits, Resource, ResourceType};
use ondol_kernel::{Hlc, Millis, ResourceId};
use ondol_record::{Address, ChartId, VersionId, entry::ChangeKind};
use ondol_store::{Found, Stored};
use serde_json::{Value, json};

use super::{
    RIVAL,
    error::{ParameterFault, RestError},
    guard,
    sight::Sight,
};
use crate::{Actor, App, AppError, arrivals};

/// A version as it is handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The type.
    pub resource_type: ResourceType,
    /// The id.
    pub id: ResourceId,
    /// The version; for several heads the one that is shown.
    pub version: VersionId,
    /// When it was written.
    pub updated: Millis,
    /// Whether other versions stand beside it.
    pub has_rivals: bool,
    /// The resource as compact JSON text.
    pub json: String,
}

/// One line of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The version.
    pub version: VersionId,
    /// When it was written.
    pub updated: Millis,
    /// How it came about: `POST`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// The resource as JSON text; none if it was taken back.
    pub json: Option<String>,
}

/// Some of a history, newest arrival first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The versions.
    pub versions: Vec<Past>,
    /// How many there are in all.
    pub total: usize,
    /// How many older ones are left for the next page, if there are any.
    pub next: Option<usize>,
}

impl Answer {
    /// The shown version; rivals stand in an extension.
    pub(super) fn of(found: &Found) -> Result<Self, RestError> {
        let mut answer = Self::of_version(&found.shown)?;
        if !found.rivals.is_empty() {
            answer.json = with_rivals(&answer.json, found)?;
            answer.has_rivals = true;
        }
        Ok(answer)
    }

    pub(super) fn of_version(version: &Stored) -> Result<Self, RestError> {
        Ok(Self {
            resource_type: ResourceType::from_name(&version.resource_type)
                .ok_or(AppError::Unexpected("a type that R4 does not have"))?,
            id: version.id.clone(),
            version: version.version,
            updated: version.hlc.millis(),
            has_rivals: false,
            json: version.json().ok_or(RestError::Gone { version: version.version })?,
        })
    }
}

/// Types that are no `DomainResource`: extensions stand in their `meta`.
pub(super) const fn is_plain(kind: ResourceType) -> bool {
    matches!(kind, ResourceType::Binary | ResourceType::Bundle | ResourceType::Parameters)
}

fn with_rivals(text: &str, found: &Found) -> Result<String, RestError> {
    let mut resource = Resource::parse_within(text.as_bytes(), Limits::IMPORT)?;
    let kind = resource.resource_type();
    let rivals: Vec<Value> = found
        .rivals
        .iter()
        .map(|rival| {
            let to = format!("{kind}/{}/_history/{}", found.shown.id, rival.version);
            json!({ "url": RIVAL, "valueReference": { "reference": to } })
        })
        .collect();
    resource.edit(|body| {
        let holder = if is_plain(kind) {
            body.get_mut("meta").and_then(Value::as_object_mut)
        } else {
            Some(body)
        };
        let Some(holder) = holder else { return };
        match holder.get_mut("extension").and_then(Value::as_array_mut) {
            Some(extensions) => extensions.extend(rivals),
            None => {
                holder.insert("extension".to_owned(), rivals.into());
            }
        }
    });
    Ok(resource.to_string())
}

/// Takes away what only a server writes, so that a client may send back what it read.
pub(super) fn without_server_parts(resource: &mut Resource) {
    resource.strip_server_meta();
    let plain = is_plain(resource.resource_type());
    resource.edit(|body| {
        let holder =
            if plain { body.get_mut("meta").and_then(Value::as_object_mut) } else { Some(body) };
        let Some(holder) = holder else { return };
        let Some(Value::Array(extensions)) = holder.get_mut("extension") else { return };
        let before = extensions.len();
        extensions.retain(|extension| extension["url"] != RIVAL);
        if extensions.is_empty() && before > 0 {
            holder.shift_remove("extension");
        }
    });
    if plain && resource.body().get("meta").is_some_and(|meta| *meta == json!({})) {
        resource.remove("meta");
    }
}

impl App {
    /// Reads a resource as it stands.
    pub fn rest_read(
        &self,
        actor: &Actor,
        kind: ResourceType,
        id: &ResourceId,
    ) -> Result<Answer, RestError> {
        let (answer, seen) = {
            let view = self.view()?;
            let mut sight = Sight::new(self, actor, &*view);
            (read(&mut sight, kind, id), sight.seen())
        };
        seen.record(self, actor)?;
        answer
    }

    /// Reads one version.
    pub fn rest_version(
        &self,
        actor: &Actor,
        kind: ResourceType,
        id: &ResourceId,
        version: VersionId,
    ) -> Result<Answer, RestError> {
        let (answer, seen) = {
            let view = self.view()?;
            let mut sight = Sight::new(self, actor, &*view);
            (read_version(&mut sight, kind, id, version), sight.seen())
        };
        seen.record(self, actor)?;
        answer
    }

    /// The versions of a resource: of the `left` oldest (or all) the newest `count`. Counted from
    /// the oldest, a page is the same whatever arrives meanwhile. `since` leaves out what
    /// arrived before.
    pub fn rest_history(
        &self,
        actor: &Actor,
        kind: ResourceType,
        id: &ResourceId,
        since: Option<Millis>,
        (left, count): (Option<usize>, usize),
    ) -> Result<History, RestError> {
        let (history, seen) = {
            let view = self.view()?;
            let mut sight = Sight::new(self, actor, &*view);
            let all = view.history(kind.name(), id)?;
            if all.is_empty() || guard::is_hidden(&*view, kind.name(), id)? {
                return Err(RestError::NotFound);
            }
            let first = all.last().map(|version| version.version);
            // A history of several charts (written for the wrong patient first) is shown as
            // far as each chart may be read; if none may, that is said.
            if let (false, Some(newest)) = (any_may(&mut sight, &all)?, all.first()) {
                sight.see(newest)?;
            }
            let before = match since {
                Some(since) => arrivals::before(&*view, since)?,
                None => 0,
            };
            let mut versions = vec![];
            for version in &all {
                let is_due = version.arrival > before
                    && since.is_none_or(|since| is_due(self, &version.address, version.hlc, since));
                if version.kind == ChangeKind::Forward || !is_due || !sight.may_see(version)? {
                    continue;
                }
                versions.push(version);
            }
            let total = versions.len();
            let left = left.unwrap_or(total).min(total);
            let page: Vec<&Stored> = versions.into_iter().skip(total - left).take(count).collect();
            let next = Some(left - page.len()).filter(|left| *left > 0);
            let mut lines = vec![];
            for version in page {
                sight.see(version)?;
                let is_first = first == Some(version.version);
                lines.push(past(&sight, version, is_first)?);
            }
            (History { versions: lines, total, next }, sight.seen())
        };
        seen.record(self, actor)?;
        Ok(history)
    }

    /// Everything in a patient's chart, the Patient first (R4 Patient `$everything`, of the
    /// types asked for, or all).
    pub fn rest_everything(
        &self,
        actor: &Actor,
        id: &ResourceId,
        types: &[ResourceType],
    ) -> Result<Vec<Answer>, RestError> {
        let (answers, seen) = {
            let view = self.view()?;
            let chart = ChartId::Patient(id.clone());
            let mut sight = Sight::new(self, actor, &*view);
            let patient = view.resource("Patient", id)?.ok_or(RestError::NotFound)?;
            sight.ask(&chart, ondol_access::Action::ReadChart)?;
            let mut answers = vec![Answer::of(&patient)?];
            let names: Vec<&str> = types.iter().map(|kind| kind.name()).collect();
            for found in view.chart(&chart, &names)? {
                let is_patient = &*found.shown.resource_type == "Patient";
                if !is_patient && !found.is_retracted() && sight.may_see(&found.shown)? {
                    answers.push(Answer::of(&found)?);
                }
            }
            (answers, sight.seen())
        };
        seen.record(self, actor)?;
        Ok(answers)
    }
}

/// Reads a resource as it stands, and notes it as seen.
pub(super) fn read(
    sight: &mut Sight<'_>,
    kind: ResourceType,
    id: &ResourceId,
) -> Result<Answer, RestError> {
    let found = sight.view.resource(kind.name(), id)?.ok_or(RestError::NotFound)?;
    if guard::is_hidden(sight.view, kind.name(), id)? {
        return Err(RestError::NotFound);
    }
    // With the Patient went every relation to the chart: that it is gone is all there is to say.
    if kind == ResourceType::Patient && found.is_retracted() {
        return Err(RestError::Gone { version: found.shown.version });
    }
    sight.see(&found.shown)?;
    Answer::of(&found)
}

/// Reads one version, and notes it as seen.
pub(super) fn read_version(
    sight: &mut Sight<'_>,
    kind: ResourceType,
    id: &ResourceId,
    version: VersionId,
) -> Result<Answer, RestError> {
    let version = sight.view.version(kind.name(), id, version)?.ok_or(RestError::NotFound)?;
    if version.kind == ChangeKind::Forward || guard::is_hidden(sight.view, kind.name(), id)? {
        return Err(RestError::NotFound);
    }
    sight.see(&version)?;
    Answer::of_version(&version)
}

fn any_may(sight: &mut Sight<'_>, all: &[Stored]) -> Result<bool, RestError> {
    for version in all {
        if sight.may_see(version)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn past(sight: &Sight<'_>, version: &Stored, is_first: bool) -> Result<Past, RestError> {
    let derived = || -> Result<bool, RestError> {
        let Some(row) = sight.view.entry(&version.address)? else { return Ok(false) };
        let change = usize::try_from(version.ordinal).ok().and_then(|at| row.entry.changes.get(at));
        Ok(change.is_some_and(|change| change.id_is_derived))
    };
    let method = match version.kind {
        ChangeKind::Put if is_first && derived()? => "POST",
        ChangeKind::Put => "PUT",
        ChangeKind::Retract | ChangeKind::Forward => "DELETE",
    };
    Ok(Past {
        version: version.version,
        updated: version.hlc.millis(),
        method,
        json: version.json(),
    })
}

/// Whether what arrived after the mark before `since` did so at `since` or later, as far as can be
/// told: what was written here arrived when it was written.
pub(super) fn is_due(app: &App, address: &Address, hlc: Hlc, since: Millis) -> bool {
    address.stream.origin != app.place.node || hlc.millis() >= since
}

/// Reads a `_since`: an instant.
pub fn since(text: &str) -> Result<Millis, RestError> {
    Millis::parse_fhir(text).ok_or_else(|| RestError::parameter("_since", ParameterFault::Value))
}
