//! FHIRPath (HL7, N1 with the additions that the R4 tests use): expressions over JSON documents.
//!
//! An expression is compiled once ([`FhirPath::compile`]) and evaluated as often as needed. Its
//! length and depth are bounded when it is compiled, its steps and the size of what it makes when
//! it is evaluated, so that neither an expression nor a document of somebody hostile costs more
//! than was allowed. Nothing here knows a clock: `now()` and `today()` answer what the caller
//! handed in, and fail without it.

mod arithmetic;
mod ast;
mod boundaries;
mod compare;
mod convert;
mod evaluate;
mod functions;
mod html;
mod lexer;
mod model;
mod moment;
mod parser;
mod quantity;
mod units;
mod values;

pub use moment::Moment;
pub use quantity::Quantity;
pub use units::{Canonical, TableOfUnits, Units};
pub use values::{Collection, Item, Node};

/// The tree of an expression, for those that reason about it.
pub(crate) mod tree {
    pub(crate) use super::{ast::Expr, functions::Function};
}

pub(crate) use html::{HtmlWrong, check as check_html};

use serde_json::{Map, Value};

use evaluate::Run;

/// Bytes of an expression at most.
pub const LENGTH_MAX: usize = 32 << 10;
/// Operations inside each other at most.
pub const DEPTH_MAX: usize = 160;
/// Steps of one evaluation unless the caller says otherwise.
pub const STEPS_MAX: u32 = 2_000_000;
/// Bytes of a string that an expression makes at most.
pub const STRING_MAX: usize = 1 << 20;

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// The text does not follow the grammar there.
    #[error("{expected} expected at byte {offset}")]
    Syntax {
        /// The byte, from 0.
        offset: usize,
        /// What should have been there.
        expected: &'static str,
    },
    /// A function that is not known here, or not with so many arguments.
    #[error("an unknown function, or another number of arguments, at byte {offset}")]
    Function {
        /// The byte after its name.
        offset: usize,
    },
    /// More than [`LENGTH_MAX`] bytes.
    #[error("longer than {LENGTH_MAX} bytes")]
    TooLong,
    /// Deeper than [`DEPTH_MAX`].
    #[error("nested more than {DEPTH_MAX} deep")]
    TooDeep,
}

/// Why an expression has no value. The texts repeat nothing of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// More than one item where one is allowed.
    #[error("{0}: one item expected")]
    Many(&'static str),
    /// An operand or argument of another type.
    #[error("{0}: another type expected")]
    Type(&'static str),
    /// A name that none of the types at hand has (in strict evaluation).
    #[error("no such element here")]
    Name,
    /// A variable that the environment does not have.
    #[error("no such variable")]
    Variable,
    /// A type that neither FHIR nor System has.
    #[error("no such type")]
    UnknownType,
    /// What needs facts that are not at hand: a clock, other resources, profiles, terminology.
    #[error("{0} is not available here")]
    Unavailable(&'static str),
    /// A place among items that have no order (in strict evaluation).
    #[error("these items have no order")]
    Unordered,
    /// More steps, or a longer string, than allowed.
    #[error("the evaluation costs more than allowed")]
    Limit,
    /// A regular expression that is none, or too large.
    #[error("not a regular expression")]
    Pattern,
}

/// A compiled expression.
#[derive(Debug)]
pub struct FhirPath {
    root: ast::Expr,
}

/// What an expression may ask of its surroundings.
#[derive(Debug, Clone, Copy)]
pub struct Environment<'a> {
    /// `%resource`: the resource that holds the focus.
    pub resource: Option<Node<'a>>,
    /// `%rootResource`: the container of a contained resource, else the same as `resource`.
    pub root: Option<Node<'a>>,
    /// `now()`, with its zone.
    pub now: Option<Moment>,
    /// Steps at most.
    pub steps: u32,
    /// Whether a name that no type at hand defines is an error instead of empty.
    pub is_strict: bool,
    /// How units are compared.
    pub units: &'a dyn Units,
}

impl Environment<'static> {
    /// Nothing but the document: no clock, [`STEPS_MAX`] steps, lenient names, the small table
    /// of units.
    pub const fn plain() -> Self {
        Self {
            resource: None,
            root: None,
            now: None,
            steps: STEPS_MAX,
            is_strict: false,
            units: &TableOfUnits,
        }
    }
}

impl FhirPath {
    /// Reads an expression.
    pub fn compile(text: &str) -> Result<Self, CompileError> {
        parser::parse(text).map(|root| Self { root })
    }

    /// The value for a resource, which is also `%resource` and `%rootResource`.
    pub fn evaluate<'a>(
        &'a self,
        body: &'a Map<String, Value>,
        environment: &Environment<'a>,
    ) -> Result<Collection<'a>, EvaluateError> {
        let node = Node::resource(body);
        let resource = environment.resource.or(Some(node));
        let root = environment.root.or(resource);
        self.evaluate_at(node, &Environment { resource, root, ..*environment })
    }

    /// The value for one element.
    pub fn evaluate_at<'a>(
        &'a self,
        focus: Node<'a>,
        environment: &Environment<'a>,
    ) -> Result<Collection<'a>, EvaluateError> {
        Run::new(environment, Item::Node(focus)).start(&self.root)
    }

    /// The value without a document.
    pub fn evaluate_alone<'a>(
        &'a self,
        environment: &Environment<'a>,
    ) -> Result<Collection<'a>, EvaluateError> {
        Run::without_focus(environment).start(&self.root)
    }

    /// Whether the expression holds for one element: it is true, or empty. What it costs is taken
    /// from `steps`.
    pub(crate) fn holds<'a>(
        &'a self,
        focus: Node<'a>,
        environment: &Environment<'a>,
        steps: &mut u32,
    ) -> Result<bool, EvaluateError> {
        let environment = Environment { steps: *steps, ..*environment };
        let run = Run::new(&environment, Item::Node(focus));
        let value = run.start(&self.root);
        *steps = run.steps.get();
        Ok(functions::singleton_boolean(value?.as_slice(), "invariant")? != Some(false))
    }

    pub(crate) const fn expression(&self) -> &ast::Expr {
        &self.root
    }
}

#[cfg(test)]
mod tests;
