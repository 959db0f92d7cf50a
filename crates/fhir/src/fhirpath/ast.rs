//! The tree of a compiled expression.

use std::sync::OnceLock;

use regex::Regex;

use super::functions::Function;
use super::values::Item;

/// An expression.
#[derive(Debug)]
pub(crate) enum Expr {
    Literal(Item<'static>),
    Empty,
    This,
    Index,
    Total,
    Variable(Box<str>),
    /// A child of the input; a leading one may also be the type of the input.
    Name {
        name: Box<str>,
        is_leading: bool,
    },
    Call(Box<Call>),
    /// The second evaluated with the first as its input.
    Path(Box<(Expr, Expr)>),
    Indexer(Box<(Expr, Expr)>),
    Negate(Box<Expr>),
    Plus(Box<Expr>),
    Binary(Op, Box<(Expr, Expr)>),
    Is(Box<Expr>, TypeSpec),
    As(Box<Expr>, TypeSpec),
}

/// A function with its arguments.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) function: Function,
    pub(crate) arguments: Vec<Expr>,
    /// The type that `is`, `as` and `ofType` take.
    pub(crate) of: Option<TypeSpec>,
    /// The regular expression of a literal pattern, compiled at the first use.
    pub(crate) pattern: OnceLock<Option<Regex>>,
}

/// A type as an expression names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypeSpec {
    /// `FHIR` or `System`, if it is given.
    pub(crate) namespace: Option<Box<str>>,
    pub(crate) name: Box<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Multiply,
    Divide,
    Div,
    Mod,
    Add,
    Subtract,
    Concatenate,
    Union,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Equivalent,
    NotEquivalent,
    In,
    Contains,
    And,
    Or,
    Xor,
    Implies,
}

impl Op {
    /// How it is written.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Div => "div",
            Self::Mod => "mod",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Concatenate => "&",
            Self::Union => "|",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Equivalent => "~",
            Self::NotEquivalent => "!~",
            Self::In => "in",
            Self::Contains => "contains",
            Self::And => "and",
            Self::Or => "or",
            Self::Xor => "xor",
            Self::Implies => "implies",
        }
    }
}
