//! Walks the tree of an expression over a document.

use std::cell::Cell;

use super::{
    Collection, Environment, EvaluateError, Item, Node, Units, arithmetic,
    ast::{Expr, Op, TypeSpec},
    compare, functions,
    functions::{Function, singleton_boolean},
    model,
};

type Answer<'a> = Result<Collection<'a>, EvaluateError>;

/// One evaluation.
pub(super) struct Run<'a> {
    pub(super) environment: Environment<'a>,
    focus: Option<Item<'a>>,
    pub(super) steps: Cell<u32>,
}

/// What `$this`, `$index` and `$total` are.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a, 'r> {
    pub(super) this: &'r [Item<'a>],
    pub(super) index: Option<usize>,
    pub(super) total: Option<&'r Collection<'a>>,
}

impl<'a> Run<'a> {
    pub(super) fn new(environment: &Environment<'a>, focus: Item<'a>) -> Self {
        Self { environment: *environment, focus: Some(focus), steps: Cell::new(environment.steps) }
    }

    pub(super) fn without_focus(environment: &Environment<'a>) -> Self {
        Self { environment: *environment, focus: None, steps: Cell::new(environment.steps) }
    }

    pub(super) fn start(&self, expr: &'a Expr) -> Answer<'a> {
        let focus = Collection::from(self.focus.clone());
        let scope = Scope { this: focus.as_slice(), index: None, total: None };
        self.eval(expr, focus.as_slice(), &scope)
    }

    pub(super) fn units(&self) -> &'a dyn Units {
        self.environment.units
    }

    /// Pays for work.
    pub(super) fn pay(&self, steps: usize) -> Result<(), EvaluateError> {
        let left = u32::try_from(steps).ok().and_then(|steps| self.steps.get().checked_sub(steps));
        self.steps.set(left.ok_or(EvaluateError::Limit)?);
        Ok(())
    }

    pub(super) fn eval(
        &self,
        expr: &'a Expr,
        input: &[Item<'a>],
        scope: &Scope<'a, '_>,
    ) -> Answer<'a> {
        self.pay(1)?;
        match expr {
            Expr::Literal(item) => Ok(Collection::one(item.clone())),
            Expr::Empty => Ok(Collection::empty()),
            Expr::This => Ok(scope.this.iter().cloned().collect()),
            Expr::Index => Ok(scope
                .index
                .and_then(|index| i32::try_from(index).ok())
                .map(Item::Integer)
                .into()),
            Expr::Total => Ok(scope.total.cloned().unwrap_or_default()),
            Expr::Variable(name) => self.variable(name),
            Expr::Name { name, is_leading } => self.name(name, *is_leading, input),
            Expr::Call(call) => functions::call(self, call, input, scope),
            Expr::Path(pair) => {
                let left = self.eval(&pair.0, input, scope)?;
                if self.environment.is_strict {
                    strict(&pair.0, &pair.1)?;
                }
                self.eval(&pair.1, left.as_slice(), scope)
            }
            Expr::Indexer(pair) => {
                let items = self.eval(&pair.0, input, scope)?;
                let index = self.eval(&pair.1, scope.this, scope)?;
                let index = functions::integer(index.as_slice(), "[]")?;
                let at = index.and_then(|index| usize::try_from(index).ok());
                Ok(at.and_then(|at| items.as_slice().get(at).cloned()).into())
            }
            Expr::Negate(inner) => {
                let value = self.eval(inner, input, scope)?;
                match one(value.as_slice(), "-")? {
                    Some(item) => arithmetic::negate(item).map(Collection::from),
                    None => Ok(Collection::empty()),
                }
            }
            Expr::Plus(inner) => self.eval(inner, input, scope),
            Expr::Binary(op, pair) => self.binary(*op, pair, input, scope),
            Expr::Is(inner, of) => {
                let value = self.eval(inner, input, scope)?;
                is(value.as_slice(), of)
            }
            Expr::As(inner, of) => {
                let value = self.eval(inner, input, scope)?;
                cast(value.as_slice(), of)
            }
        }
    }

    fn variable(&self, name: &str) -> Answer<'a> {
        let node = |node: Option<Node<'a>>| node.map(Item::Node).into();
        let text = |text: String| Ok(Collection::one(Item::String(text.into())));
        let system = |url: &'static str| Ok(Collection::one(Item::String(url.into())));
        match name {
            "resource" => Ok(node(self.environment.resource)),
            "rootResource" => Ok(node(self.environment.root)),
            "context" => Ok(self.focus.clone().into()),
            "ucum" => system("http://unitsofmeasure.org"),
            "sct" => system("http://snomed.info/sct"),
            "loinc" => system("http://loinc.org"),
            _ => {
                if let Some(set) = name.strip_prefix("vs-") {
                    return text(format!("http://hl7.org/fhir/ValueSet/{set}"));
                }
                match name.strip_prefix("ext-") {
                    Some(extension) => {
                        text(format!("http://hl7.org/fhir/StructureDefinition/{extension}"))
                    }
                    None => Err(EvaluateError::Variable),
                }
            }
        }
    }

    fn name(&self, name: &str, is_leading: bool, input: &[Item<'a>]) -> Answer<'a> {
        self.pay(input.len())?;
        if is_leading
            && let [Item::Node(node)] = input
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && node.is_a(name)
        {
            return Ok(Collection::one(Item::Node(*node)));
        }
        let mut to = Collection::empty();
        let mut is_defined = false;
        for item in input {
            match item {
                Item::Node(node) => is_defined |= node.child(name, &mut to),
                Item::Type { namespace, name: of } => {
                    is_defined = true;
                    match name {
                        "namespace" => to.push(Item::String((*namespace).into())),
                        "name" => to.push(Item::String((*of).into())),
                        _ => {}
                    }
                }
                // A System value has no children.
                _ => is_defined = true,
            }
        }
        if self.environment.is_strict && !is_defined && !input.is_empty() {
            return Err(EvaluateError::Name);
        }
        self.pay(to.as_slice().len())?;
        Ok(to)
    }

    fn binary(
        &self,
        op: Op,
        pair: &'a (Expr, Expr),
        input: &[Item<'a>],
        scope: &Scope<'a, '_>,
    ) -> Answer<'a> {
        let left = self.eval(&pair.0, input, scope)?;
        if matches!(op, Op::And | Op::Or | Op::Xor | Op::Implies) {
            return self.logic(op, left.as_slice(), &pair.1, input, scope);
        }
        let right = self.eval(&pair.1, input, scope)?;
        let (left, right) = (left.as_slice(), right.as_slice());
        self.pay(left.len() + right.len())?;
        let is = |is: bool| Ok(Collection::from(is));
        match op {
            Op::Equal => Ok(self.equal(left, right)?.into()),
            Op::NotEqual => Ok(self.equal(left, right)?.map(|is| !is).into()),
            Op::Equivalent => is(self.equivalent(left, right)?),
            Op::NotEquivalent => is(!self.equivalent(left, right)?),
            Op::Union => functions::union(self, left, right),
            Op::In => self.contains(right, left, op),
            Op::Contains => self.contains(left, right, op),
            Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual => {
                let (Some(a), Some(b)) = (one(left, op.text())?, one(right, op.text())?) else {
                    return Ok(Collection::empty());
                };
                let order = compare::order(a, b, self.units(), op.text())?;
                Ok(order
                    .map(|order| match op {
                        Op::Less => order.is_lt(),
                        Op::LessOrEqual => order.is_le(),
                        Op::Greater => order.is_gt(),
                        _ => order.is_ge(),
                    })
                    .into())
            }
            Op::Concatenate => {
                let text = |items| functions::text_or_empty(items, op.text());
                let (a, b) = (text(left)?, text(right)?);
                let (a, b) = (Item::String(a), Item::String(b));
                arithmetic::binary(op, &a, &b, self.units()).map(Collection::from)
            }
            _ => {
                let (Some(a), Some(b)) = (one(left, op.text())?, one(right, op.text())?) else {
                    return Ok(Collection::empty());
                };
                arithmetic::binary(op, a, b, self.units()).map(Collection::from)
            }
        }
    }

    /// Three-valued logic. The right side is not looked at when the left one decides.
    fn logic(
        &self,
        op: Op,
        left: &[Item<'a>],
        right: &'a Expr,
        input: &[Item<'a>],
        scope: &Scope<'a, '_>,
    ) -> Answer<'a> {
        let left = singleton_boolean(left, op.text())?;
        match (op, left) {
            (Op::And, Some(false)) => return Ok(false.into()),
            (Op::Or, Some(true)) | (Op::Implies, Some(false)) => return Ok(true.into()),
            _ => {}
        }
        let right = self.eval(right, input, scope)?;
        let right = singleton_boolean(right.as_slice(), op.text())?;
        let decided = match (op, left, right) {
            (Op::And | Op::Implies, Some(true), right) | (Op::Or, Some(false), right) => right,
            (Op::And, None, Some(false)) => Some(false),
            (Op::Or | Op::Implies, None, Some(true)) => Some(true),
            (Op::Xor, Some(a), Some(b)) => Some(a != b),
            _ => None,
        };
        Ok(decided.into())
    }

    /// `=` of two collections: in order, item by item.
    pub(super) fn equal(
        &self,
        left: &[Item<'a>],
        right: &[Item<'a>],
    ) -> Result<Option<bool>, EvaluateError> {
        if left.is_empty() || right.is_empty() {
            return Ok(None);
        }
        if left.len() != right.len() {
            return Ok(Some(false));
        }
        self.pay(left.len())?;
        let mut is_open = false;
        for (a, b) in left.iter().zip(right) {
            match compare::equal(a, b, self.units()) {
                Some(false) => return Ok(Some(false)),
                Some(true) => {}
                None => is_open = true,
            }
        }
        Ok((!is_open).then_some(true))
    }

    fn equivalent(&self, left: &[Item<'a>], right: &[Item<'a>]) -> Result<bool, EvaluateError> {
        if left.len() != right.len() {
            return Ok(false);
        }
        let mut rest: Vec<&Item> = right.iter().collect();
        for a in left {
            self.pay(rest.len())?;
            match rest.iter().position(|b| compare::equivalent(a, b, self.units())) {
                Some(at) => {
                    rest.swap_remove(at);
                }
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    fn contains(&self, all: &[Item<'a>], one_of: &[Item<'a>], op: Op) -> Answer<'a> {
        let Some(item) = one(one_of, op.text())? else { return Ok(Collection::empty()) };
        self.pay(all.len())?;
        Ok(all.iter().any(|other| self.same(item, other)).into())
    }

    /// Whether two items are equal beyond doubt.
    pub(super) fn same(&self, left: &Item<'a>, right: &Item<'a>) -> bool {
        compare::equal(left, right, self.units()) == Some(true)
    }
}

/// What strict evaluation refuses although it has a value: an element that the type of a cast
/// does not have, and a place among children, which have no order.
fn strict(left: &Expr, right: &Expr) -> Result<(), EvaluateError> {
    match (left, right) {
        (Expr::As(_, of), Expr::Name { name, .. }) if of.namespace.as_deref() != Some("System") => {
            let has = model::has_element(&of.name, name);
            if has == Some(false) { Err(EvaluateError::Name) } else { Ok(()) }
        }
        (_, Expr::Call(call)) => {
            let is_by_order = matches!(
                call.function,
                Function::Skip | Function::Take | Function::First | Function::Last | Function::Tail
            );
            let last = match left {
                Expr::Path(pair) => &pair.1,
                other => other,
            };
            let is_unordered = matches!(last, Expr::Call(call)
                if matches!(call.function, Function::Children | Function::Descendants));
            if is_by_order && is_unordered { Err(EvaluateError::Unordered) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

/// The one item, or none; more are refused.
pub(super) fn one<'r, 'a>(
    items: &'r [Item<'a>],
    what: &'static str,
) -> Result<Option<&'r Item<'a>>, EvaluateError> {
    match items {
        [] => Ok(None),
        [item] => Ok(Some(item)),
        _ => Err(EvaluateError::Many(what)),
    }
}

pub(super) fn is<'a>(input: &[Item<'a>], of: &TypeSpec) -> Answer<'a> {
    match one(input, "is")? {
        Some(item) => model::is_of(item, of).map(Collection::from),
        None => Ok(Collection::empty()),
    }
}

pub(super) fn cast<'a>(input: &[Item<'a>], of: &TypeSpec) -> Answer<'a> {
    match one(input, "as")? {
        Some(item) => Ok(model::is_exactly(item, of)?.then(|| item.clone()).into()),
        None => Ok(Collection::empty()),
    }
}
