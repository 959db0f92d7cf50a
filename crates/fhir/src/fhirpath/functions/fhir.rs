//! What FHIR adds to FHIRPath.

use serde_json::Value;

use super::{Answer, Collection, EvaluateError, Frame, Function, Item};
use crate::{
    Reference, ResourceType,
    fhirpath::{Node, html},
};

pub(super) fn call<'a>(frame: &Frame<'a, '_>) -> Option<Answer<'a>> {
    Some(match frame.call.function {
        Function::Extension => extension(frame),
        Function::Resolve => resolve(frame),
        Function::ConformsTo => conforms_to(frame),
        Function::HtmlChecks => {
            Ok(frame.input.iter().all(|item| item.as_str().is_some_and(html::is_allowed)).into())
        }
        Function::GetValue => Ok(frame
            .input
            .iter()
            .filter_map(|item| match item {
                Item::Node(node) if node.has_value() => node.system(),
                _ => None,
            })
            .collect()),
        // Value sets are the terminology's, and the definition of an element is not at hand.
        Function::MemberOf | Function::ElementDefinition => {
            Err(EvaluateError::Unavailable(frame.name()))
        }
        _ => return None,
    })
}

fn extension<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let Some(url) = frame.text_argument(0)? else { return Ok(Collection::empty()) };
    let mut all = Collection::empty();
    for item in frame.input {
        if let Item::Node(node) = item {
            node.child("extension", &mut all);
        }
    }
    let has_url = |item: &Item<'a>| match item {
        Item::Node(Node { object: Some(object), .. }) => {
            object.get("url").and_then(Value::as_str) == Some(&url)
        }
        _ => false,
    };
    frame.run.pay(all.as_slice().len())?;
    Ok(all.into_iter().filter(has_url).collect())
}

/// Contained resources and entries of the same bundle. Others are not at hand and are left out,
/// as the specification asks for what cannot be resolved.
fn resolve<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let mut to = Collection::empty();
    for item in frame.input {
        let text = match item {
            Item::Node(node) if node.is_a("Reference") => {
                node.object.and_then(|body| body.get("reference")).and_then(Value::as_str)
            }
            other => other.as_str(),
        };
        let Some(text) = text else { continue };
        if let Some(found) = target(frame, text)? {
            to.push(Item::Node(found));
        }
    }
    Ok(to)
}

fn target<'a>(frame: &Frame<'a, '_>, text: &str) -> Result<Option<Node<'a>>, EvaluateError> {
    let environment = &frame.run.environment;
    let containers = [environment.resource, environment.root].into_iter().flatten();
    for body in containers.filter_map(|node| node.object) {
        if let Reference::Contained(id) = Reference::parse(text) {
            if id.is_empty() {
                return Ok(Some(Node::resource(body)));
            }
            let all = body.get("contained").and_then(Value::as_array);
            let all = all.map_or(&[][..], Vec::as_slice);
            frame.run.pay(all.len())?;
            let mut objects = all.iter().filter_map(Value::as_object);
            if let Some(found) = objects.find(|o| o.get("id").and_then(Value::as_str) == Some(id)) {
                return Ok(Some(Node::resource(found)));
            }
        }
        let entries = body.get("entry").and_then(Value::as_array);
        let entries = entries.map_or(&[][..], Vec::as_slice);
        frame.run.pay(entries.len())?;
        for entry in entries.iter().filter_map(Value::as_object) {
            let Some(resource) = entry.get("resource").and_then(Value::as_object) else { continue };
            let url = entry.get("fullUrl").and_then(Value::as_str);
            let names = |key: &str| resource.get(key).and_then(Value::as_str);
            let is_local = matches!(
                Reference::parse(text),
                Reference::Local { kind, id, .. }
                    if names("resourceType") == Some(kind.name()) && names("id") == Some(id)
            );
            if url == Some(text) || is_local {
                return Ok(Some(Node::resource(resource)));
            }
        }
    }
    Ok(None)
}

/// The base definitions of types only: whether it is the type.
fn conforms_to<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let Some(url) = frame.text_argument(0)? else { return Ok(Collection::empty()) };
    let name = url.strip_prefix("http://hl7.org/fhir/StructureDefinition/");
    let known = name.filter(|name| ResourceType::from_name(name).is_some());
    let Some(name) = known else { return Err(EvaluateError::Unavailable("this profile")) };
    Ok(match frame.one()? {
        Some(Item::Node(node)) => node.is_a(name).into(),
        Some(_) => false.into(),
        None => Collection::empty(),
    })
}
