//! What an expression answers: collections of items.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::{Moment, Quantity};
use crate::definitions::Kind;

/// One item of a collection.
#[derive(Debug, Clone)]
pub enum Item<'a> {
    /// An element of the document, with the type that FHIR gives it.
    Node(Node<'a>),
    /// `System.Boolean`
    Boolean(bool),
    /// `System.Integer`
    Integer(i32),
    /// `System.Decimal`
    Decimal(Decimal),
    /// `System.String`
    String(Cow<'a, str>),
    /// `System.Date`, `System.DateTime`, `System.Time`
    Moment(Moment),
    /// `System.Quantity`
    Quantity(Box<Quantity>),
    /// What `type()` answers.
    Type {
        /// `System` or `FHIR`.
        namespace: &'static str,
        /// The name in it.
        name: &'static str,
    },
}

impl Item<'_> {
    /// The name of the type, of FHIR or of System.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Node(node) => node.type_name(),
            value => super::model::system_name(value),
        }
    }

    /// The value as text; `None` for an object.
    pub fn text(&self) -> Option<String> {
        super::convert::to_text(&self.to_system()).map(Cow::into_owned)
    }
}

/// An element: a primitive with what extends it, or an object.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    pub(crate) kind: Kind,
    /// The value of a primitive.
    pub(crate) scalar: Option<&'a Value>,
    /// The object; for a primitive the one under its name with an underscore.
    pub(crate) object: Option<&'a Map<String, Value>>,
}

/// Items in their order.
#[derive(Debug, Clone, Default)]
pub struct Collection<'a>(Items<'a>);

/// Most collections are empty or have one item.
#[derive(Debug, Clone, Default)]
enum Items<'a> {
    #[default]
    None,
    One(Item<'a>),
    Many(Vec<Item<'a>>),
}

impl<'a> Collection<'a> {
    /// No item.
    pub const fn empty() -> Self {
        Self(Items::None)
    }

    /// One item.
    pub const fn one(item: Item<'a>) -> Self {
        Self(Items::One(item))
    }

    /// The items.
    pub fn as_slice(&self) -> &[Item<'a>] {
        match &self.0 {
            Items::None => &[],
            Items::One(item) => std::slice::from_ref(item),
            Items::Many(items) => items,
        }
    }

    /// Adds an item at the end.
    pub(crate) fn push(&mut self, item: Item<'a>) {
        self.0 = match std::mem::take(&mut self.0) {
            Items::None => Items::One(item),
            Items::One(first) => Items::Many(vec![first, item]),
            Items::Many(mut items) => {
                items.push(item);
                Items::Many(items)
            }
        };
    }
}

impl From<bool> for Collection<'_> {
    fn from(is: bool) -> Self {
        Self::one(Item::Boolean(is))
    }
}

impl From<Option<bool>> for Collection<'_> {
    fn from(is: Option<bool>) -> Self {
        is.map_or_else(Self::empty, Self::from)
    }
}

impl<'a> From<Option<Item<'a>>> for Collection<'a> {
    fn from(item: Option<Item<'a>>) -> Self {
        item.map_or_else(Self::empty, Self::one)
    }
}

impl<'a> FromIterator<Item<'a>> for Collection<'a> {
    fn from_iter<T: IntoIterator<Item = Item<'a>>>(items: T) -> Self {
        let mut items = items.into_iter();
        let Some(first) = items.next() else { return Self::empty() };
        match items.next() {
            None => Self::one(first),
            Some(second) => {
                let mut all = vec![first, second];
                all.extend(items);
                Self(Items::Many(all))
            }
        }
    }
}

impl<'a> IntoIterator for Collection<'a> {
    type Item = Item<'a>;
    type IntoIter = std::vec::IntoIter<Item<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        match self.0 {
            Items::None => Vec::new().into_iter(),
            Items::One(item) => vec![item].into_iter(),
            Items::Many(items) => items.into_iter(),
        }
    }
}
