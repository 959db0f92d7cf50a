//! References within a transaction: full URLs, this server's own address, and conditions
//! (R4 3.1.0.11.2).

use std::collections::{BTreeMap, HashMap, HashSet};

use ondol_fhir::{Reference, Resource, ResourceType};
use ondol_kernel::ResourceId;
use ondol_store::View;

use super::{How, Target, Verb, Write, full_url, standing};
use crate::{
    Actor, App,
    rest::{
        error::{ElementFault, RestError},
        guard,
        search::the_one,
        sight::Sight,
    },
};

/// References of a resource that lead to nothing here, counted by type (`urn` for a full URL
/// that no entry has).
pub type Dangling = BTreeMap<&'static str, usize>;

/// The stable code of the warning about them.
pub const DANGLING: &str = "reference-dangling";

/// What references of the transaction become.
pub(super) struct References {
    texts: HashMap<String, String>,
}

impl References {
    pub(super) fn of(writes: &[Write], targets: &[Target]) -> Self {
        let mut texts = HashMap::new();
        for (at, (write, target)) in writes.iter().zip(targets).enumerate() {
            let becomes = match (&write.verb, standing(target)) {
                (Verb::Update { id, .. } | Verb::Delete { id }, _) => {
                    format!("{}/{id}", write.kind)
                }
                (_, Some(found)) => format!("{}/{}", write.kind, found.shown.id),
                (_, None) => full_url(write, at),
            };
            let Some(url) = &write.full_url else { continue };
            if let Reference::Absolute { kind, id, version: None, .. } = Reference::parse(url) {
                // Entries refer to each other relative to the base of their full URLs.
                texts.entry(format!("{kind}/{id}")).or_insert_with(|| becomes.clone());
            }
            texts.insert(url.clone(), becomes);
        }
        Self { texts }
    }

    /// Rewrites the references of all resources.
    pub(super) fn rewrite(
        &self,
        app: &App,
        actor: &Actor,
        view: &dyn View,
        writes: &mut [Write],
        how: &How,
    ) -> Result<(), RestError> {
        let mut sight = Sight::new(app, actor, view);
        for write in writes {
            let (Verb::Create { resource, .. } | Verb::Update { resource, .. }) = &mut write.verb
            else {
                continue;
            };
            let conditions = self.conditions(&mut sight, resource, how);
            let conditions = conditions.map_err(|why| why.in_entry(write.at))?;
            resource.for_each_reference_mut(|text| {
                if let Some(to) = self.texts.get(text).or_else(|| conditions.get(text)) {
                    text.clone_from(to);
                } else if let Some(own) = own(text, &how.base) {
                    *text = own;
                }
            });
        }
        Ok(())
    }

    fn conditions(
        &self,
        sight: &mut Sight<'_>,
        resource: &Resource,
        how: &How,
    ) -> Result<HashMap<String, String>, RestError> {
        let mut met = HashMap::new();
        for text in resource.references() {
            let Reference::Conditional { kind, query } = Reference::parse(text) else { continue };
            if met.contains_key(text) || self.texts.contains_key(text) {
                continue;
            }
            match the_one(sight, kind, query, &how.base) {
                Ok(Some(found)) => {
                    met.insert(text.to_owned(), format!("{kind}/{}", found.shown.id));
                }
                Ok(None) | Err(RestError::ManyMatch | RestError::Parameter { .. })
                    if how.is_import => {}
                Ok(None) | Err(RestError::ManyMatch) => {
                    let at = resource.resource_type().name();
                    return Err(RestError::element(at, ElementFault::ConditionalReference));
                }
                Err(other) => return Err(other),
            }
        }
        Ok(met)
    }
}

/// A reference to this server itself, without its address: what stands in the record is true
/// wherever it is read.
fn own(text: &str, base: &str) -> Option<String> {
    let rest = text.strip_prefix(base)?.strip_prefix('/')?;
    matches!(Reference::parse(rest), Reference::Local { .. }).then(|| rest.to_owned())
}

/// The resources of the transaction as references name them.
pub(super) fn given(writes: &[Write], targets: &[Target]) -> HashSet<String> {
    let all = writes.iter().zip(targets).enumerate();
    all.map(|(at, (write, target))| match (&write.verb, standing(target)) {
        (Verb::Update { id, .. } | Verb::Delete { id }, _) => format!("{}/{id}", write.kind),
        (_, Some(found)) => format!("{}/{}", write.kind, found.shown.id),
        (_, None) => full_url(write, at),
    })
    .collect()
}

/// References that lead neither to the transaction nor to anything here.
pub(super) fn dangling(
    view: &dyn View,
    write: &Write,
    given: &HashSet<String>,
) -> Result<Dangling, RestError> {
    let mut dangling = Dangling::new();
    let (Verb::Create { resource, .. } | Verb::Update { resource, .. }) = &write.verb else {
        return Ok(dangling);
    };
    let mut looked_at: HashMap<&str, Option<&'static str>> = HashMap::new();
    for text in resource.references() {
        if given.contains(text) {
            continue;
        }
        let missing = match looked_at.get(text) {
            Some(known) => *known,
            None => missing(view, text)?,
        };
        looked_at.insert(text, missing);
        if let Some(kind) = missing {
            *dangling.entry(kind).or_default() += 1;
        }
    }
    Ok(dangling)
}

fn missing(view: &dyn View, text: &str) -> Result<Option<&'static str>, RestError> {
    Ok(match Reference::parse(text) {
        Reference::Local { kind, id, .. } => (!is_here(view, kind, id)?).then(|| kind.name()),
        Reference::Urn(_) => Some("urn"),
        Reference::Conditional { .. } => Some("condition"),
        _ => None,
    })
}

fn is_here(view: &dyn View, kind: ResourceType, id: &str) -> Result<bool, RestError> {
    match ResourceId::new(id) {
        // What no door shows is not here.
        Ok(id) => Ok(view.chart_of(kind.name(), &id)?.is_some()
            && !guard::is_hidden(view, kind.name(), &id)?),
        Err(_) => Ok(false),
    }
}
