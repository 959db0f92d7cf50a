//! The policies: read from their text once, and checked for words that nobody knows.

use std::{collections::HashSet, str::FromStr};

use cedar_policy::{
    ActionConstraint, Context, ContextCreationError, Entities, Entity, EntityId, EntityTypeName,
    EntityUid, ParseErrors, Policy, PolicyId, PolicySet, PolicySetError, RestrictedExpression,
    entities_errors::EntitiesError,
};
use thiserror::Error;

use crate::{
    action::Action,
    coded::{CodeSet, Coded},
    decision::{Needs, Obligations, PolicyName},
    relation::{self, ChartKind, Relation},
    role::{self, Role},
};

/// The texts of the policies, one for each area.
pub(crate) const AREAS: &[(&str, &str)] = &[
    ("boundaries", include_str!("../policies/boundaries.cedar")),
    ("identity", include_str!("../policies/identity.cedar")),
    ("reading", include_str!("../policies/reading.cedar")),
    ("break_glass", include_str!("../policies/break_glass.cedar")),
    ("treatment", include_str!("../policies/treatment.cedar")),
    ("consult", include_str!("../policies/consult.cedar")),
    ("referral", include_str!("../policies/referral.cedar")),
    ("facility", include_str!("../policies/facility.cedar")),
    ("people", include_str!("../policies/people.cedar")),
    ("nation", include_str!("../policies/nation.cedar")),
    ("road", include_str!("../policies/road.cedar")),
];

/// The policies cannot be used. A node that meets this does not start.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The text of an area is no Cedar.
    #[error("the policies of '{area}' cannot be parsed")]
    Parse {
        /// The area: the name of the file.
        area: &'static str,
        /// Where and why.
        #[source]
        source: Box<ParseErrors>,
    },
    /// A policy has no `@id`.
    #[error("a policy of '{area}' has no @id")]
    NoId {
        /// The area.
        area: &'static str,
    },
    /// Two policies have one `@id`.
    #[error("two policies are called '{policy}'")]
    SameId {
        /// The id.
        policy: String,
    },
    /// A set of policies refuses one.
    #[error("the policy '{policy}' cannot be added")]
    Add {
        /// The policy.
        policy: String,
        /// Why.
        #[source]
        source: Box<PolicySetError>,
    },
    /// A policy speaks of a role, relation, action, need or obligation that does not exist.
    /// Cedar would take it for one that never matches.
    #[error("the policy '{policy}' speaks of the unknown '{word}'")]
    UnknownWord {
        /// The policy.
        policy: String,
        /// The word.
        word: String,
    },
    /// An evaluation failed. Cedar would pass the policy over, be it a permit or a forbid.
    #[error("the policy '{policy}' fails for some role, relation and action")]
    Evaluate {
        /// The policy, or what else failed.
        policy: String,
    },
    /// The roles and relations cannot be put into groups.
    #[error("roles and relations do not form groups")]
    Groups(#[source] Box<EntitiesError>),
    /// The circumstances cannot be written down for Cedar.
    #[error("circumstances cannot be written down")]
    Context(#[source] Box<ContextCreationError>),
    /// A name is no Cedar name. None of those in this crate is.
    #[error("'{word}' is no name")]
    Name {
        /// The name.
        word: String,
        /// Why.
        #[source]
        source: Box<ParseErrors>,
    },
}

/// What a policy says beside its scope and conditions.
#[derive(Debug)]
pub(crate) struct Rule {
    pub name: PolicyName,
    pub needs: Needs,
    pub obligations: Obligations,
}

/// The parsed policies, those that can bear on each action by themselves.
pub(crate) struct Rulebook {
    pub rules: Vec<Rule>,
    pub by_action: Vec<PolicySet>,
    pub words: Words,
}

/// The roles, relations, charts and actions as Cedar knows them.
pub(crate) struct Words {
    pub entities: Entities,
    pub roles: Vec<EntityUid>,
    pub charts: Vec<EntityUid>,
    pub actions: Vec<EntityUid>,
    known: HashSet<EntityUid>,
}

impl Rulebook {
    /// Reads all areas.
    pub fn read(areas: &[(&'static str, &str)]) -> Result<Self, LoadError> {
        let words = Words::new()?;
        let mut book =
            Self { rules: Vec::new(), by_action: vec![PolicySet::new(); Action::ALL.len()], words };
        let mut names = HashSet::new();
        for &(area, text) in areas {
            let parsed = PolicySet::from_str(text)
                .map_err(|source| LoadError::Parse { area, source: Box::new(source) })?;
            // Cedar numbers the policies of a text; sorting by number restores their order.
            let mut policies: Vec<&Policy> = parsed.policies().collect();
            policies.sort_by_key(|policy| {
                let id: &str = policy.id().as_ref();
                (id.len(), id.to_owned())
            });
            for policy in policies {
                let name = policy.annotation("id").ok_or(LoadError::NoId { area })?.to_owned();
                if !names.insert(name.clone()) {
                    return Err(LoadError::SameId { policy: name });
                }
                book.add(policy, name)?;
            }
        }
        Ok(book)
    }

    fn add(&mut self, policy: &Policy, name: String) -> Result<(), LoadError> {
        for uid in policy.entity_literals() {
            if !self.words.known.contains(&uid) {
                return Err(LoadError::UnknownWord { policy: name, word: uid.to_string() });
            }
        }
        let rule = Rule {
            needs: annotation(policy, "needs", &name)?,
            obligations: annotation(policy, "obliges", &name)?,
            name: PolicyName(name.as_str().into()),
        };
        // The id inside the sets is the place in `rules`.
        let renamed = policy.new_id(PolicyId::new(self.rules.len().to_string()));
        let bears_on: Vec<usize> = match policy.action_constraint() {
            ActionConstraint::Any => (0..self.by_action.len()).collect(),
            ActionConstraint::Eq(uid) => self.words.places_of(&[uid]),
            ActionConstraint::In(uids) => self.words.places_of(&uids),
        };
        for place in bears_on {
            self.by_action[place]
                .add(renamed.clone())
                .map_err(|source| LoadError::Add { policy: name.clone(), source: source.into() })?;
        }
        self.rules.push(rule);
        Ok(())
    }
}

/// Reads the words of an annotation.
fn annotation<T: Coded>(policy: &Policy, key: &str, name: &str) -> Result<CodeSet<T>, LoadError> {
    let Some(text) = policy.annotation(key) else { return Ok(CodeSet::EMPTY) };
    text.split_whitespace()
        .map(|word| {
            T::from_code(word).ok_or_else(|| LoadError::UnknownWord {
                policy: name.to_owned(),
                word: word.to_owned(),
            })
        })
        .collect()
}

impl Words {
    fn new() -> Result<Self, LoadError> {
        let (role_type, relation_type) = (named("Role")?, named("Relation")?);
        let mut known: HashSet<EntityUid> = HashSet::new();
        let mut entities = Vec::new();
        let mut roles = Vec::new();
        for role in Role::ALL {
            let groups = role::GROUPS.iter().filter(|(_, members)| members.contains(role));
            let parents = groups.map(|(group, _)| uid(&role_type, group)).collect();
            let own = uid(&role_type, role.code());
            entities.push(Entity::new_no_attrs(own.clone(), parents));
            roles.push(own);
        }
        let mut charts = Vec::new();
        for relation in Relation::ALL {
            let groups = relation::GROUPS.iter().filter(|(_, members)| members.contains(relation));
            let parents = groups.map(|(group, _)| uid(&relation_type, group)).collect();
            let own = uid(&relation_type, relation.code());
            let chart = uid(&named(chart_type(relation.kind()))?, relation.code());
            entities.push(Entity::new_no_attrs(own.clone(), parents));
            entities.push(Entity::new_no_attrs(chart.clone(), HashSet::from([own.clone()])));
            charts.push(chart);
            known.insert(own);
        }
        known.extend(roles.iter().cloned());
        known.extend(role::GROUPS.iter().map(|(group, _)| uid(&role_type, group)));
        known.extend(relation::GROUPS.iter().map(|(group, _)| uid(&relation_type, group)));
        let action_type = named("Action")?;
        let actions: Vec<_> =
            Action::ALL.iter().map(|action| uid(&action_type, action.code())).collect();
        known.extend(actions.iter().cloned());
        let entities = Entities::from_entities(entities, None)
            .map_err(|source| LoadError::Groups(Box::new(source)))?;
        Ok(Self { entities, roles, charts, actions, known })
    }

    fn places_of(&self, uids: &[EntityUid]) -> Vec<usize> {
        let named = self.actions.iter().enumerate().filter(|(_, action)| uids.contains(action));
        named.map(|(place, _)| place).collect()
    }
}

/// The circumstances of a request.
pub(crate) fn context(restricted: bool) -> Result<Context, LoadError> {
    Context::from_pairs([("restricted".to_owned(), RestrictedExpression::new_bool(restricted))])
        .map_err(|source| LoadError::Context(Box::new(source)))
}

/// The type under which the schema knows a kind of chart.
pub(crate) const fn chart_type(kind: ChartKind) -> &'static str {
    match kind {
        ChartKind::Patient => "PatientChart",
        ChartKind::Facility => "FacilityChart",
        ChartKind::Practitioner => "PractitionerChart",
        ChartKind::Nation => "NationChart",
    }
}

fn named(word: &str) -> Result<EntityTypeName, LoadError> {
    EntityTypeName::from_str(word)
        .map_err(|source| LoadError::Name { word: word.to_owned(), source: Box::new(source) })
}

fn uid(of: &EntityTypeName, code: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(of.clone(), EntityId::new(code))
}
