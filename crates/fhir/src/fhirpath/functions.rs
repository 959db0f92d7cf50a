//! The functions, by group.

mod collections;
mod conversion;
mod existence;
mod fhir;
mod maths;
mod strings;
mod tree;

use std::borrow::Cow;

use super::{
    Collection, EvaluateError, Item,
    ast::{Call, Expr},
    convert,
    evaluate::{Run, Scope, one},
};

pub(super) use collections::union;

macro_rules! functions {
    ($($variant:ident $name:literal $least:literal $most:literal,)*) => {
        /// A function.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Function {
            $($variant),*
        }

        impl Function {
            pub(crate) fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// How many arguments it takes, at least and at most.
            pub(crate) const fn arguments(self) -> (usize, usize) {
                match self {
                    $(Self::$variant => ($least, $most)),*
                }
            }

            /// As it is written.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),*
                }
            }
        }
    };
}

functions! {
    Empty "empty" 0 0, Exists "exists" 0 1, All "all" 1 1, AllTrue "allTrue" 0 0,
    AnyTrue "anyTrue" 0 0, AllFalse "allFalse" 0 0, AnyFalse "anyFalse" 0 0,
    SubsetOf "subsetOf" 1 1, SupersetOf "supersetOf" 1 1, Count "count" 0 0,
    Not "not" 0 0, HasValue "hasValue" 0 0, Iif "iif" 2 3, Trace "trace" 1 2,
    Distinct "distinct" 0 0, IsDistinct "isDistinct" 0 0, Where "where" 1 1,
    Select "select" 1 1, Repeat "repeat" 1 1, Aggregate "aggregate" 1 2, Single "single" 0 0,
    First "first" 0 0, Last "last" 0 0, Tail "tail" 0 0, Skip "skip" 1 1, Take "take" 1 1,
    Intersect "intersect" 1 1, Exclude "exclude" 1 1, Union "union" 1 1, Combine "combine" 1 1,
    Sort "sort" 0 8,
    ToBoolean "toBoolean" 0 0, ConvertsToBoolean "convertsToBoolean" 0 0,
    ToInteger "toInteger" 0 0, ConvertsToInteger "convertsToInteger" 0 0,
    ToDecimal "toDecimal" 0 0, ConvertsToDecimal "convertsToDecimal" 0 0,
    ToQuantity "toQuantity" 0 1, ConvertsToQuantity "convertsToQuantity" 0 1,
    ToDate "toDate" 0 0, ConvertsToDate "convertsToDate" 0 0,
    ToDateTime "toDateTime" 0 0, ConvertsToDateTime "convertsToDateTime" 0 0,
    ToTime "toTime" 0 0, ConvertsToTime "convertsToTime" 0 0,
    ToText "toString" 0 0, ConvertsToText "convertsToString" 0 0,
    IndexOf "indexOf" 1 1, LastIndexOf "lastIndexOf" 1 1, Substring "substring" 1 2,
    StartsWith "startsWith" 1 1, EndsWith "endsWith" 1 1, Contains "contains" 1 1,
    Upper "upper" 0 0, Lower "lower" 0 0, Replace "replace" 2 2, Matches "matches" 1 1,
    MatchesFull "matchesFull" 1 1, ReplaceMatches "replaceMatches" 2 2, Length "length" 0 0,
    ToChars "toChars" 0 0, Trim "trim" 0 0, Split "split" 1 1, Join "join" 0 1,
    Encode "encode" 1 1, Decode "decode" 1 1, Escape "escape" 1 1, Unescape "unescape" 1 1,
    Abs "abs" 0 0, Ceiling "ceiling" 0 0, Exp "exp" 0 0, Floor "floor" 0 0, Ln "ln" 0 0,
    Log "log" 1 1, Power "power" 1 1, Round "round" 0 1, Sqrt "sqrt" 0 0,
    Truncate "truncate" 0 0, LowBoundary "lowBoundary" 0 1, HighBoundary "highBoundary" 0 1,
    Precision "precision" 0 0, Comparable "comparable" 1 1,
    Children "children" 0 0, Descendants "descendants" 0 0, Is "is" 1 1, As "as" 1 1,
    OfType "ofType" 1 1, Type "type" 0 0,
    Now "now" 0 0, Today "today" 0 0, TimeOfDay "timeOfDay" 0 0,
    Extension "extension" 1 1, Resolve "resolve" 0 0, ConformsTo "conformsTo" 1 1,
    MemberOf "memberOf" 1 1, HtmlChecks "htmlChecks" 0 0, GetValue "getValue" 0 0,
    ElementDefinition "elementDefinition" 0 0,
}

pub(super) type Answer<'a> = Result<Collection<'a>, EvaluateError>;

/// One call: what a function may ask for.
pub(super) struct Frame<'a, 'r> {
    pub(super) run: &'r Run<'a>,
    pub(super) call: &'a Call,
    pub(super) input: &'r [Item<'a>],
    pub(super) scope: &'r Scope<'a, 'r>,
}

pub(super) fn call<'a>(
    run: &Run<'a>,
    call: &'a Call,
    input: &[Item<'a>],
    scope: &Scope<'a, '_>,
) -> Answer<'a> {
    run.pay(input.len())?;
    let frame = Frame { run, call, input, scope };
    existence::call(&frame)
        .or_else(|| collections::call(&frame))
        .or_else(|| strings::call(&frame))
        .or_else(|| fhir::call(&frame))
        .or_else(|| tree::call(&frame))
        .or_else(|| conversion::call(&frame))
        .or_else(|| maths::call(&frame))
        .unwrap_or(Err(EvaluateError::Unavailable(call.function.name())))
}

impl<'a> Frame<'a, '_> {
    const fn name(&self) -> &'static str {
        self.call.function.name()
    }

    /// The one item of the input.
    fn one(&self) -> Result<Option<&Item<'a>>, EvaluateError> {
        one(self.input, self.name())
    }

    /// The value of an argument that is not evaluated for each item: its focus is `$this`.
    fn argument(&self, at: usize) -> Answer<'a> {
        match self.call.arguments.get(at) {
            Some(expr) => self.run.eval(expr, self.scope.this, self.scope),
            None => Ok(Collection::empty()),
        }
    }

    /// An argument for one item of the input.
    fn for_item(&self, expr: &'a Expr, at: usize, item: &Item<'a>) -> Answer<'a> {
        let this = std::slice::from_ref(item);
        let scope = Scope { this, index: Some(at), total: self.scope.total };
        self.run.eval(expr, this, &scope)
    }

    /// An argument that is a text; `None` if it is empty.
    fn text_argument(&self, at: usize) -> Result<Option<String>, EvaluateError> {
        let value = self.argument(at)?;
        text(value.as_slice(), self.name())
    }

    fn integer_argument(&self, at: usize) -> Result<Option<i32>, EvaluateError> {
        let value = self.argument(at)?;
        integer(value.as_slice(), self.name())
    }
}

/// A collection as a condition (the specification's singleton evaluation): a single item that is
/// no Boolean is true.
pub(crate) fn singleton_boolean(
    items: &[Item],
    what: &'static str,
) -> Result<Option<bool>, EvaluateError> {
    Ok(match one(items, what)? {
        None => None,
        Some(Item::Boolean(is)) => Some(*is),
        Some(item) => match item.to_system() {
            Item::Boolean(is) => Some(is),
            _ => Some(true),
        },
    })
}

pub(super) fn integer(items: &[Item], what: &'static str) -> Result<Option<i32>, EvaluateError> {
    match one(items, what)? {
        None => Ok(None),
        Some(item) => match item.to_system() {
            Item::Integer(number) => Ok(Some(number)),
            _ => Err(EvaluateError::Type(what)),
        },
    }
}

pub(super) fn text(items: &[Item], what: &'static str) -> Result<Option<String>, EvaluateError> {
    match one(items, what)? {
        None => Ok(None),
        Some(item) => item.as_str().map(|t| Some(t.to_owned())).ok_or(EvaluateError::Type(what)),
    }
}

/// For `&`: empty is the empty text.
pub(super) fn text_or_empty<'a>(
    items: &[Item<'a>],
    what: &'static str,
) -> Result<Cow<'a, str>, EvaluateError> {
    match one(items, what)? {
        None => Ok(Cow::Borrowed("")),
        Some(item) => convert::to_text(&item.to_system()).ok_or(EvaluateError::Type(what)),
    }
}
