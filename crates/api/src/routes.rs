//! The table of what this server does. Requests are dispatched by it, and the
//! `CapabilityStatement` is written from it, so that neither can say what the other does not.

use axum::http::Method;
use ondol_app::rest;
use ondol_fhir::{ResourceType, compartment::COMPARTMENTS};
use ondol_kernel::ResourceId;

/// The form of an address, below [`crate::MOUNT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `/`
    System,
    /// `/metadata`
    Metadata,
    /// `/Patient`
    Type,
    /// `/Patient/_search`
    TypeSearch,
    /// `/Patient/$match`
    Match,
    /// `/Observation/$lastn`
    Latest,
    /// `/Patient/1/Observation`, `/Patient/1/*`: one type of a compartment, or all.
    Compartment,
    /// `/Patient/1/Observation/_search`
    CompartmentSearch,
    /// `/Patient/1`
    Instance,
    /// `/_history`
    SystemHistory,
    /// `/Patient/_history`
    TypeHistory,
    /// `/Patient/1/_history`
    History,
    /// `/Patient/1/_history/2`
    Version,
    /// `/Patient/1/$everything`
    Everything,
    /// `/Patient/1/$summary`
    Summary,
    /// `/Patient/1/$sealed`
    Sealed,
    /// `/Patient/$validate`
    TypeValidate,
    /// `/Patient/1/$validate`
    Validate,
    /// `/ValueSet/$expand`
    TypeExpand,
    /// `/ValueSet/1/$expand`
    Expand,
    /// `/ValueSet/$validate-code`
    TypeValidateCode,
    /// `/ValueSet/1/$validate-code`
    ValidateCode,
    /// `/CodeSystem/$lookup`
    Lookup,
}

/// What is done (R4 3.1.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interaction {
    /// The `CapabilityStatement`.
    Capabilities,
    /// A transaction or a batch.
    Bundle,
    /// Create.
    Create,
    /// Search of a type.
    Search,
    /// Search of a compartment.
    SearchWithin,
    /// Read.
    Read,
    /// Read of a version.
    Vread,
    /// Update, or create with an id of the client's.
    Update,
    /// JSON Patch.
    Patch,
    /// Delete: a retraction.
    Delete,
    /// History of a resource.
    History,
    /// History of a type.
    TypeHistory,
    /// History of everything here.
    SystemHistory,
    /// Everything in a patient's chart.
    Everything,
    /// The International Patient Summary.
    Summary,
    /// What stands sealed in a patient's chart for this facility.
    Sealed,
    /// Who somebody may be.
    Match,
    /// The newest observations of each kind.
    Latest,
    /// What a write would be refused for.
    Validate,
    /// All codes of a value set.
    Expand,
    /// Whether a value set or a code system has a code.
    ValidateCode,
    /// What is known about a code.
    Lookup,
}

impl Interaction {
    /// Its code of R4's `type-restful-interaction`; none for what stands elsewhere in the
    /// `CapabilityStatement`.
    pub const fn type_code(self) -> Option<&'static str> {
        match self {
            Self::Create => Some("create"),
            Self::Search => Some("search-type"),
            Self::Read => Some("read"),
            Self::Vread => Some("vread"),
            Self::Update => Some("update"),
            Self::Patch => Some("patch"),
            Self::Delete => Some("delete"),
            Self::History => Some("history-instance"),
            Self::TypeHistory => Some("history-type"),
            Self::Capabilities
            | Self::Bundle
            | Self::SystemHistory
            | Self::Everything
            | Self::SearchWithin
            | Self::Validate
            | Self::Expand
            | Self::ValidateCode
            | Self::Lookup
            | Self::Latest
            | Self::Summary
            | Self::Sealed
            | Self::Match => None,
        }
    }

    /// Its codes of R4's `system-restful-interaction`.
    pub const fn system_codes(self) -> &'static [&'static str] {
        match self {
            Self::Bundle => &["transaction", "batch"],
            Self::SystemHistory => &["history-system"],
            _ => &[],
        }
    }

    /// Whether it can be done with a type.
    pub fn allows(self, kind: ResourceType) -> bool {
        match self {
            Self::Create | Self::Update | Self::Patch | Self::Delete => rest::is_written(kind),
            Self::Everything | Self::Summary | Self::Sealed | Self::Match => {
                kind == ResourceType::Patient
            }
            Self::Latest => kind == ResourceType::Observation,
            Self::Expand => kind == ResourceType::ValueSet,
            Self::Lookup => kind == ResourceType::CodeSystem,
            Self::ValidateCode => {
                matches!(kind, ResourceType::ValueSet | ResourceType::CodeSystem)
            }
            Self::SearchWithin => COMPARTMENTS.contains(&kind),
            _ => rest::is_served(kind),
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The method of HTTP. `HEAD` is answered like `GET`.
    pub method: &'static str,
    /// The form of the address.
    pub shape: Shape,
    /// What is done.
    pub interaction: Interaction,
}

const fn route(method: &'static str, shape: Shape, interaction: Interaction) -> Route {
    Route { method, shape, interaction }
}

/// The table.
pub const ROUTES: &[Route] = &[
    route("GET", Shape::Metadata, Interaction::Capabilities),
    route("POST", Shape::System, Interaction::Bundle),
    route("GET", Shape::Instance, Interaction::Read),
    route("GET", Shape::Version, Interaction::Vread),
    route("PUT", Shape::Instance, Interaction::Update),
    route("PUT", Shape::Type, Interaction::Update),
    route("PATCH", Shape::Instance, Interaction::Patch),
    route("PATCH", Shape::Type, Interaction::Patch),
    route("DELETE", Shape::Instance, Interaction::Delete),
    route("DELETE", Shape::Type, Interaction::Delete),
    route("GET", Shape::History, Interaction::History),
    route("GET", Shape::TypeHistory, Interaction::TypeHistory),
    route("GET", Shape::SystemHistory, Interaction::SystemHistory),
    route("POST", Shape::Type, Interaction::Create),
    route("GET", Shape::Type, Interaction::Search),
    route("POST", Shape::TypeSearch, Interaction::Search),
    route("GET", Shape::Compartment, Interaction::SearchWithin),
    route("POST", Shape::CompartmentSearch, Interaction::SearchWithin),
    route("GET", Shape::Everything, Interaction::Everything),
    route("POST", Shape::Match, Interaction::Match),
    route("GET", Shape::Summary, Interaction::Summary),
    route("GET", Shape::Sealed, Interaction::Sealed),
    route("GET", Shape::Latest, Interaction::Latest),
    route("POST", Shape::Latest, Interaction::Latest),
    route("POST", Shape::TypeValidate, Interaction::Validate),
    route("POST", Shape::Validate, Interaction::Validate),
    route("GET", Shape::Validate, Interaction::Validate),
    route("GET", Shape::TypeExpand, Interaction::Expand),
    route("POST", Shape::TypeExpand, Interaction::Expand),
    route("GET", Shape::Expand, Interaction::Expand),
    route("POST", Shape::Expand, Interaction::Expand),
    route("GET", Shape::TypeValidateCode, Interaction::ValidateCode),
    route("POST", Shape::TypeValidateCode, Interaction::ValidateCode),
    route("GET", Shape::ValidateCode, Interaction::ValidateCode),
    route("POST", Shape::ValidateCode, Interaction::ValidateCode),
    route("GET", Shape::Lookup, Interaction::Lookup),
    route("POST", Shape::Lookup, Interaction::Lookup),
];

/// An address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) shape: Shape,
    pub(crate) kind: Option<ResourceType>,
    pub(crate) id: Option<ResourceId>,
    pub(crate) version: Option<String>,
    /// The type that is searched in a compartment; none for all.
    pub(crate) inner: Option<ResourceType>,
}

/// Where a request leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// To this.
    Do(Interaction, Address),
    /// To an address that has other methods.
    OtherMethods(Vec<&'static str>),
    /// To nothing.
    Nothing,
}

pub(crate) fn find(method: &Method, path: &str) -> Found {
    let Some(address) = read(path) else { return Found::Nothing };
    let allowed: Vec<&Route> = ROUTES
        .iter()
        .filter(|route| {
            route.shape == address.shape
                && address.kind.is_none_or(|kind| route.interaction.allows(kind))
        })
        .collect();
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    match allowed.iter().find(|route| route.method == method) {
        Some(route) => Found::Do(route.interaction, address),
        None if allowed.is_empty() => Found::Nothing,
        None => Found::OtherMethods(allowed.iter().map(|route| route.method).collect()),
    }
}

fn read(path: &str) -> Option<Address> {
    // The address with a slash at its end is not nested.
    let path = path.strip_prefix(crate::MOUNT).unwrap_or(path);
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let of = |shape| Address { shape, kind: None, id: None, version: None, inner: None };
    match path {
        "" => return Some(of(Shape::System)),
        "metadata" => return Some(of(Shape::Metadata)),
        "_history" => return Some(of(Shape::SystemHistory)),
        _ => {}
    }
    let parts: Vec<&str> = path.split('/').collect();
    let kind = ResourceType::from_name(parts[0]).filter(|kind| rest::is_served(*kind))?;
    let address = Address { kind: Some(kind), ..of(Shape::Type) };
    let id = || ResourceId::new(parts[1]).ok();
    match parts[1..] {
        [] => Some(address),
        ["$match"] => Some(Address { shape: Shape::Match, ..address }),
        ["$lastn"] => Some(Address { shape: Shape::Latest, ..address }),
        ["$expand"] => Some(Address { shape: Shape::TypeExpand, ..address }),
        ["$validate-code"] => Some(Address { shape: Shape::TypeValidateCode, ..address }),
        ["$lookup"] => Some(Address { shape: Shape::Lookup, ..address }),
        ["_search"] => Some(Address { shape: Shape::TypeSearch, ..address }),
        ["_history"] => Some(Address { shape: Shape::TypeHistory, ..address }),
        ["$validate"] => Some(Address { shape: Shape::TypeValidate, ..address }),
        [_] => Some(Address { shape: Shape::Instance, id: Some(id()?), ..address }),
        [_, "_history"] => Some(Address { shape: Shape::History, id: Some(id()?), ..address }),
        [_, "$everything"] => {
            Some(Address { shape: Shape::Everything, id: Some(id()?), ..address })
        }
        [_, "$sealed"] => Some(Address { shape: Shape::Sealed, id: Some(id()?), ..address }),
        [_, "$summary"] => Some(Address { shape: Shape::Summary, id: Some(id()?), ..address }),
        [_, "$validate"] => Some(Address { shape: Shape::Validate, id: Some(id()?), ..address }),
        [_, "$expand"] => Some(Address { shape: Shape::Expand, id: Some(id()?), ..address }),
        [_, "$validate-code"] => {
            Some(Address { shape: Shape::ValidateCode, id: Some(id()?), ..address })
        }
        [_, inner] => within(inner, Shape::Compartment, Address { id: Some(id()?), ..address }),
        [_, inner, "_search"] => {
            within(inner, Shape::CompartmentSearch, Address { id: Some(id()?), ..address })
        }
        [_, "_history", version] => Some(Address {
            shape: Shape::Version,
            id: Some(id()?),
            version: Some(version.to_owned()),
            ..address
        }),
        _ => None,
    }
}

/// The address of a type, or of all (`*`), in the compartment at an address.
fn within(inner: &str, shape: Shape, of: Address) -> Option<Address> {
    let kind = of.kind?;
    if inner == "*" {
        return COMPARTMENTS.contains(&kind).then_some(Address { shape, ..of });
    }
    let inner = ResourceType::from_name(inner).filter(|inner| rest::is_served(*inner))?;
    ondol_fhir::compartment(kind, inner)?;
    Some(Address { shape, inner: Some(inner), ..of })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(method: &str, path: &str) -> Option<Interaction> {
        match find(&Method::from_bytes(method.as_bytes()).unwrap(), path) {
            Found::Do(interaction, _) => Some(interaction),
            _ => None,
        }
    }

    #[test]
    fn addresses_lead_where_the_table_says() {
        for (method, path, interaction) in [
            ("POST", "/", Interaction::Bundle),
            ("POST", "", Interaction::Bundle),
            ("GET", "/metadata", Interaction::Capabilities),
            ("HEAD", "/Patient/1", Interaction::Read),
            ("GET", "/Patient/1/_history", Interaction::History),
            ("GET", "/Patient/1/_history/2", Interaction::Vread),
            ("GET", "/Patient/1/$everything", Interaction::Everything),
            ("POST", "/Group/$validate", Interaction::Validate),
            ("GET", "/Group/1/$validate", Interaction::Validate),
            ("GET", "/Patient", Interaction::Search),
            ("POST", "/Patient", Interaction::Create),
            ("POST", "/Patient/_search", Interaction::Search),
            ("POST", "/Patient/$match", Interaction::Match),
            ("GET", "/Observation/$lastn", Interaction::Latest),
            ("GET", "/Patient/1/$summary", Interaction::Summary),
            ("GET", "/Patient/1/$sealed", Interaction::Sealed),
            ("GET", "/Patient/1/Observation", Interaction::SearchWithin),
            ("GET", "/Encounter/1/*", Interaction::SearchWithin),
            ("POST", "/Patient/1/Observation/_search", Interaction::SearchWithin),
            ("DELETE", "/Patient/1", Interaction::Delete),
            ("DELETE", "/Patient", Interaction::Delete),
            ("PUT", "/Patient", Interaction::Update),
            ("PATCH", "/Patient/1", Interaction::Patch),
            ("PATCH", "/Patient", Interaction::Patch),
            ("GET", "/_history", Interaction::SystemHistory),
            ("GET", "/Patient/_history", Interaction::TypeHistory),
            ("GET", "/AuditEvent/1", Interaction::Read),
            ("GET", "/ValueSet/$expand", Interaction::Expand),
            ("POST", "/ValueSet/1/$expand", Interaction::Expand),
            ("GET", "/CodeSystem/1/$validate-code", Interaction::ValidateCode),
            ("POST", "/ValueSet/$validate-code", Interaction::ValidateCode),
            ("GET", "/CodeSystem/$lookup", Interaction::Lookup),
        ] {
            assert_eq!(to(method, path), Some(interaction), "{method} {path}");
        }
    }

    #[test]
    fn other_addresses_lead_nowhere_and_other_methods_are_named() {
        for path in [
            "/Banana",
            "/Patient/a b",
            "/Patient/1/x",
            "/Parameters",
            "/Group/1/$everything",
            "/Group/$match",
            "/Group/$lastn",
            "/Group/$expand",
            "/CodeSystem/$expand",
            "/ValueSet/$lookup",
            "/ConceptMap/$validate-code",
            "/Group/1/$summary",
            "/Group/1/$sealed",
            "/SealedEntry",
            "/SealedEntry/1",
            "/Group/1/Observation",
            "/Group/1/*",
            "/Patient/1/Organization",
            "/Patient/1/_search",
        ] {
            assert_eq!(find(&Method::GET, path), Found::Nothing, "{path}");
        }
        let other = find(&Method::POST, "/Patient/1");
        assert_eq!(other, Found::OtherMethods(vec!["GET", "PUT", "PATCH", "DELETE"]));
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let other = find(&method, "/AuditEvent");
            assert_eq!(other, Found::OtherMethods(vec!["GET"]));
        }
    }
}
