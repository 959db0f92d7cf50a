//! Reads the table of search parameters.

use super::{Condition, Leaf, ParamKind, Path, SearchParam, Step};
use crate::{ResourceType, ResourceTypes, definitions};

pub(super) fn load() -> Option<Vec<Vec<SearchParam>>> {
    const TABLE: &str = include_str!("../../data/params.txt");
    let (mut common, mut own) = (Vec::new(), vec![Vec::new(); ResourceType::ALL.len()]);
    let mut at = None;
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('@') {
            at = (name != "Resource").then_some(ResourceType::from_name(name));
            continue;
        }
        let param = read_param(line)?;
        match at {
            Some(kind) => own.get_mut(usize::from(kind?.number()))?.push(param),
            None => common.push(param),
        }
    }
    for params in &mut own {
        params.splice(0..0, common.iter().cloned());
    }
    Some(own)
}

fn read_param(line: &'static str) -> Option<SearchParam> {
    let (own, parts) = line.split_once(" &").map_or((line, None), |(own, rest)| (own, Some(rest)));
    let mut words = own.split(' ');
    let (code, kind) = (words.next()?, words.next()?);
    if let Some(parts) = parts {
        let components: Option<Vec<SearchParam>> = parts.split(" &").map(read_param).collect();
        let elements = words.map(|path| match path {
            "." => Some(Vec::new()),
            path => path.split('.').map(read_step).collect(),
        });
        return Some(SearchParam {
            code,
            kind: ParamKind::from_code(kind).filter(|kind| *kind == ParamKind::Composite)?,
            targets: ResourceTypes::NONE,
            components: components?,
            elements: elements.collect::<Option<_>>()?,
            paths: Vec::new(),
        });
    }
    let (kind, targets) = match kind.split_once('(') {
        Some((kind, names)) => (kind, ResourceTypes::from_names(names.strip_suffix(')')?)?),
        None if kind == "reference" => (kind, ResourceTypes::all()),
        None => (kind, ResourceTypes::NONE),
    };
    let paths: Option<Vec<Path>> = words.map(read_path).collect();
    Some(SearchParam {
        code,
        kind: ParamKind::from_code(kind)?,
        targets,
        components: Vec::new(),
        elements: Vec::new(),
        paths: paths?,
    })
}

fn read_path(text: &'static str) -> Option<Path> {
    let whole = match text {
        "!deceased" => Some(Leaf::Deceased),
        "!first" => Some(Leaf::First),
        _ => None,
    };
    if let Some(leaf) = whole {
        return Some(Path { from_root: true, steps: Vec::new(), leaf });
    }
    let (from_root, text) = text.strip_prefix('%').map_or((false, text), |text| (true, text));
    let (steps, leaf) = text.split_once(':')?;
    let (leaf, set) = match leaf.split_once('=') {
        Some((leaf, set)) => (leaf, Some(definitions::value_set(set)?)),
        None => (leaf, None),
    };
    let leaf = match leaf {
        "string" | "markdown" | "code" | "id" | "uri" | "url" | "oid" => Leaf::Text(set),
        "boolean" => Leaf::Boolean,
        "decimal" | "integer" | "positiveInt" | "unsignedInt" => Leaf::Number,
        "date" | "dateTime" | "instant" => Leaf::Temporal,
        "Period" => Leaf::Period,
        "Timing" => Leaf::Timing,
        "Range" => Leaf::Range,
        "Quantity" | "Age" | "Duration" => Leaf::Quantity,
        "Money" => Leaf::Money,
        "SampledData" => Leaf::SampledData,
        "Coding" => Leaf::Coding,
        "CodeableConcept" => Leaf::CodeableConcept,
        "Identifier" => Leaf::Identifier,
        "ContactPoint" => Leaf::ContactPoint,
        "HumanName" => Leaf::HumanName,
        "Address" => Leaf::Address,
        "Reference" => Leaf::Reference,
        "canonical" => Leaf::Canonical,
        "Location.position" => Leaf::Position,
        _ => return None,
    };
    let steps: Option<Vec<Step>> = steps.split('.').map(read_step).collect();
    Some(Path { from_root, steps: steps?, leaf })
}

fn read_step(text: &'static str) -> Option<Step> {
    if let Some((key, kind)) = text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        let condition = Some(Condition::Leads(ResourceType::from_name(kind)?));
        return Some(Step { key, condition });
    }
    if let Some((step, equation)) = text.strip_suffix('}').and_then(|text| text.split_once('{')) {
        let (key, literal) = equation.split_once('=')?;
        return Some(Step { key: step, condition: Some(Condition::Equals { key, literal }) });
    }
    Some(Step { key: text, condition: None })
}
