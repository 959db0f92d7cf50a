//! What FHIR's definitions say about the elements of a document: children, and types.

use serde_json::{Map, Value};

use super::{
    EvaluateError,
    ast::TypeSpec,
    values::{Collection, Item, Node},
};
use crate::{
    ResourceType,
    definitions::{self, Definitions, Element, Kind, TypeId},
    primitive::Primitive,
};

impl<'a> Node<'a> {
    /// A resource. One without a `resourceType` of R4 has no elements that are known.
    pub fn resource(body: &'a Map<String, Value>) -> Self {
        let name = body.get("resourceType").and_then(Value::as_str);
        let kind = name
            .and_then(ResourceType::from_name)
            .map_or(Kind::Resource, |kind| Kind::Complex(definitions::get().resource(kind)));
        Self { kind, scalar: None, object: Some(body) }
    }

    /// An object of a type.
    pub(crate) const fn object(kind: Kind, body: &'a Map<String, Value>) -> Self {
        Self { kind, scalar: None, object: Some(body) }
    }

    /// The table's type of an object.
    pub(crate) fn type_id(&self) -> Option<TypeId> {
        match self.kind {
            Kind::Complex(of) => Some(of),
            Kind::Reference(_) => Some(definitions::get().reference),
            Kind::Primitive(_) => Some(definitions::get().element),
            Kind::Resource => None,
        }
    }

    /// Whether a primitive has a value, or an object something in it.
    pub(crate) const fn has_value(&self) -> bool {
        matches!(self.kind, Kind::Primitive(_)) && self.scalar.is_some()
    }

    /// Adds the children of a name. False if the type has no element of that name.
    pub(crate) fn child(&self, name: &str, to: &mut Collection<'a>) -> bool {
        let (Some(of), Some(body)) = (self.type_id(), self.object) else {
            return self.type_id().is_some_and(|of| is_defined(of, name));
        };
        let definitions = definitions::get();
        let Some(element) = definitions.elements(of).find(|element| element.name == name) else {
            return false;
        };
        if element.is_choice {
            if let Some((key, kind)) = chosen(definitions, element, body) {
                values(body, key, kind, to);
            }
        } else if let Some(kind) = definitions.kinds(element).first() {
            values(body, name, *kind, to);
        }
        true
    }

    /// The children of a name.
    pub(crate) fn children_named(&self, name: &str) -> Collection<'a> {
        let mut to = Collection::empty();
        self.child(name, &mut to);
        to
    }

    /// Adds all children, in the order of the document.
    pub(crate) fn children(&self, to: &mut Collection<'a>) {
        let (Some(of), Some(body)) = (self.type_id(), self.object) else { return };
        let definitions = definitions::get();
        for key in body.keys() {
            let plain = key.strip_prefix('_').unwrap_or(key);
            if plain.len() < key.len() && body.contains_key(plain) {
                continue;
            }
            if let Some((_, kind)) = definitions.find(of, plain) {
                values(body, plain, kind, to);
            }
        }
    }

    /// The name of the type: a backbone is a `BackboneElement`.
    pub(crate) fn type_name(&self) -> &'static str {
        let definitions = definitions::get();
        match self.kind {
            Kind::Complex(of) => definitions.bases(of).next().map_or("Element", |(_, name)| name),
            kind => definitions.name(kind),
        }
    }

    /// Whether the element is of a FHIR type or of one derived from it.
    pub(crate) fn is_a(&self, name: &str) -> bool {
        match self.kind {
            Kind::Primitive(primitive) => {
                primitive.name() == name || name == "Element" || super_primitive(primitive) == name
            }
            Kind::Resource => name == "Resource",
            Kind::Complex(_) | Kind::Reference(_) => self
                .type_id()
                .is_some_and(|of| definitions::get().bases(of).any(|(_, base)| base == name)),
        }
    }
}

fn is_defined(of: TypeId, name: &str) -> bool {
    definitions::get().elements(of).any(|element| element.name == name)
}

/// Whether a FHIR type has an element; `None` if there is no such type.
pub(super) fn has_element(of: &str, name: &str) -> Option<bool> {
    definitions::get().named(of).map(|of| is_defined(of, name))
}

/// The type that a primitive is derived from (R4 2.24.0).
const fn super_primitive(primitive: Primitive) -> &'static str {
    match primitive {
        Primitive::Code | Primitive::Id | Primitive::Markdown => "string",
        Primitive::Url | Primitive::Canonical | Primitive::Uuid | Primitive::Oid => "uri",
        Primitive::PositiveInt | Primitive::UnsignedInt => "integer",
        _ => "Element",
    }
}

/// The key that a choice is given as, without an underscore, and its type.
fn chosen<'a>(
    definitions: &Definitions,
    element: &Element,
    body: &'a Map<String, Value>,
) -> Option<(&'a str, Kind)> {
    body.keys().find_map(|key| {
        let plain = key.strip_prefix('_').unwrap_or(key);
        let kind = definitions.choice(element, plain)?;
        Some((plain, kind))
    })
}

/// Adds what stands under a key and under its shadow.
fn values<'a>(body: &'a Map<String, Value>, key: &str, kind: Kind, to: &mut Collection<'a>) {
    let value = body.get(key);
    if !matches!(kind, Kind::Primitive(_)) {
        match value {
            Some(Value::Object(object)) => to.push(below(kind, object)),
            Some(Value::Array(items)) => {
                let objects = items.iter().filter_map(Value::as_object);
                objects.for_each(|object| to.push(below(kind, object)));
            }
            _ => {}
        }
        return;
    }
    let shadow = shadow_of(body, key);
    let count = |value: Option<&Value>| match value {
        Some(Value::Array(items)) => items.len(),
        Some(_) => 1,
        None => 0,
    };
    for at in 0..count(value).max(count(shadow)) {
        let scalar = item(value, at).filter(|v| !v.is_null() && !v.is_object() && !v.is_array());
        let object = item(shadow, at).and_then(Value::as_object);
        if scalar.is_some() || object.is_some() {
            to.push(Item::Node(Node { kind, scalar, object }));
        }
    }
}

fn shadow_of<'a>(body: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    // Most objects have no shadow at all, and looking for one makes a string.
    if !body.keys().any(|key| key.starts_with('_')) {
        return None;
    }
    body.get(&format!("_{key}"))
}

fn item(value: Option<&Value>, at: usize) -> Option<&Value> {
    match value? {
        Value::Array(items) => items.get(at),
        single => (at == 0).then_some(single),
    }
}

fn below(kind: Kind, object: &Map<String, Value>) -> Item<'_> {
    Item::Node(match kind {
        Kind::Resource => Node::resource(object),
        kind => Node::object(kind, object),
    })
}

const SYSTEM: [&str; 8] =
    ["Boolean", "Integer", "Decimal", "String", "Date", "DateTime", "Time", "Quantity"];

/// The name of a System value's type.
pub(super) const fn system_name(item: &Item) -> &'static str {
    use super::moment::MomentKind;
    match item {
        Item::Boolean(_) => "Boolean",
        Item::Integer(_) => "Integer",
        Item::Decimal(_) => "Decimal",
        Item::String(_) => "String",
        Item::Quantity(_) => "Quantity",
        Item::Moment(moment) => match moment.kind() {
            MomentKind::Date => "Date",
            MomentKind::DateTime => "DateTime",
            MomentKind::Time => "Time",
        },
        Item::Type { .. } => "TypeInfo",
        Item::Node(_) => "",
    }
}

/// Whether an item is of a type. A name without a namespace is looked for in FHIR first.
pub(super) fn is_of(item: &Item, of: &TypeSpec) -> Result<bool, EvaluateError> {
    let in_fhir = of.namespace.as_deref() != Some("System") && is_fhir_type(&of.name);
    let in_system = of.namespace.as_deref() != Some("FHIR") && SYSTEM.contains(&&*of.name);
    if !in_fhir && !in_system && of.namespace.as_deref() != Some("System") {
        return Err(EvaluateError::UnknownType);
    }
    Ok(match item {
        Item::Node(node) => in_fhir && node.is_a(&of.name),
        other => in_system && system_name(other) == &*of.name,
    })
}

/// Whether an item is of a type for `as` and `ofType`, where a primitive is of its own type only.
pub(super) fn is_exactly(item: &Item, of: &TypeSpec) -> Result<bool, EvaluateError> {
    let is = is_of(item, of)?;
    Ok(is
        && match item {
            Item::Node(Node { kind: Kind::Primitive(primitive), .. }) => {
                primitive.name() == &*of.name
            }
            _ => true,
        })
}

fn is_fhir_type(name: &str) -> bool {
    Primitive::from_name(name).is_some() || definitions::get().named(name).is_some()
}
