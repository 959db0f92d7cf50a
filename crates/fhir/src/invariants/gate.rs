//! Where an invariant need not be evaluated.

use serde_json::Map;

use super::Invariant;
use crate::{
    definitions::{self, Kind, TypeId},
    fhirpath::{
        Environment, Node,
        tree::{Expr, Function},
    },
};

/// The names of elements without all of which the invariant holds; `None` if there are none such.
pub(super) fn gate(invariant: &Invariant, of: TypeId) -> Option<Vec<&'static str>> {
    let path = invariant.compiled()?;
    let mut names = Vec::new();
    mentions(path.expression(), true, &mut names)?;
    // The expression sees nothing but these elements, so for every object without them its value
    // is that for the empty one.
    let empty = Map::new();
    let node = Node::object(Kind::Complex(of), &empty);
    let environment =
        Environment { resource: Some(node), root: Some(node), ..Environment::plain() };
    let mut steps = 10_000;
    if path.holds(node, &environment, &mut steps) != Ok(true) {
        return None;
    }
    let definitions = definitions::get();
    // A name that the type does not have is never present.
    let known = |name: &str| definitions.elements(of).find(|e| e.name == name).map(|e| e.name);
    Some(names.into_iter().filter_map(known).collect())
}

/// Gathers the elements of the focus that an expression looks at; `None` if it may look at more
/// than elements by name. `at_focus` says whether the input is the focus itself.
fn mentions<'e>(expr: &'e Expr, at_focus: bool, to: &mut Vec<&'e str>) -> Option<()> {
    match expr {
        Expr::Literal(_) | Expr::Empty => Some(()),
        Expr::This | Expr::Index | Expr::Total => (!at_focus).then_some(()),
        // `%resource` and `%context` are objects of their own.
        Expr::Variable(name) => matches!(&**name, "ucum" | "sct" | "loinc").then_some(()),
        Expr::Name { name, .. } => {
            if at_focus {
                to.push(name);
            }
            Some(())
        }
        Expr::Path(pair) => {
            let is_type = matches!(&pair.0, Expr::Name { name, is_leading: true }
                if name.starts_with(|c: char| c.is_ascii_uppercase()));
            if is_type && at_focus {
                return mentions(&pair.1, true, to);
            }
            mentions(&pair.0, at_focus, to)?;
            mentions(&pair.1, false, to)
        }
        Expr::Indexer(pair) => {
            mentions(&pair.0, at_focus, to)?;
            matches!(pair.1, Expr::Literal(_)).then_some(())
        }
        Expr::Binary(_, pair) => {
            mentions(&pair.0, at_focus, to)?;
            mentions(&pair.1, at_focus, to)
        }
        Expr::Negate(inner) | Expr::Plus(inner) | Expr::Is(inner, _) | Expr::As(inner, _) => {
            mentions(inner, at_focus, to)
        }
        Expr::Call(call) => {
            if at_focus {
                return None;
            }
            let by_item = matches!(
                call.function,
                Function::Where
                    | Function::Select
                    | Function::All
                    | Function::Exists
                    | Function::Repeat
                    | Function::Iif
                    | Function::Trace
            );
            // Arguments that are not evaluated for each item look at the focus again.
            let mut arguments = call.arguments.iter();
            if by_item {
                return arguments.try_for_each(|argument| mentions(argument, false, to));
            }
            arguments.all(|argument| matches!(argument, Expr::Literal(_))).then_some(())
        }
    }
}
