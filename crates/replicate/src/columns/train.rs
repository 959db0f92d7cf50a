//! How priors are made from parcels: for `examples/train_parcel_priors.rs` alone.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use ondol_record::entry::Content;

use super::{
    Shared, encode_with,
    priors::Priors,
    shape::{Cell, Shape, take_apart},
};
use crate::Parcel;

/// A shape or a text has to come so often.
const TIMES_MIN: u32 = 3;

/// So many shapes are shipped.
const SHAPES_MAX: usize = 700;

/// So many texts of a column are shipped.
const STRINGS_MAX: usize = 255;

/// Longer texts are not shipped, bytes.
const STRING_BYTES_MAX: usize = 120;

/// Learns what is usual in parcels.
pub fn train(parcels: &[(Parcel, Box<dyn Shared>)]) -> Priors {
    let mut priors = usual(parcels);
    for (parcel, shared) in parcels {
        let known = Arc::new(priors);
        let (_, learnt) = encode_with(parcel, &**shared, &known);
        priors = Arc::unwrap_or_clone(known);
        priors.learnt = learnt;
    }
    priors
}

/// Shapes and texts that come often.
fn usual(parcels: &[(Parcel, Box<dyn Shared>)]) -> Priors {
    let mut shapes: BTreeMap<(Box<str>, Vec<u8>), u32> = BTreeMap::new();
    let mut strings: BTreeMap<(u32, Vec<u8>), u32> = BTreeMap::new();
    let batches = parcels.iter().flat_map(|(parcel, _)| &parcel.batches);
    for change in batches.flat_map(|batch| &batch.entries).flat_map(|entry| &entry.changes) {
        *strings.entry((65, change.resource_type.as_bytes().to_vec())).or_default() += 1;
        let Content::Put(body) = &change.content else { continue };
        let Some((text, cells)) = take_apart(body.as_str()) else { continue };
        let shape = Shape::of(&change.resource_type, text.clone());
        for (hole, cell) in shape.holes.iter().zip(cells) {
            if let Cell::Text(text) = cell {
                *strings.entry((hole.column, text)).or_default() += 1;
            }
        }
        *shapes.entry((change.resource_type.clone(), text)).or_default() += 1;
    }
    for kind in ["Practitioner", "Device", "PractitionerRole"] {
        for column in [121, 122] {
            strings.insert((column, kind.as_bytes().to_vec()), TIMES_MIN);
        }
    }
    let mut priors = Priors::nothing();
    let mut shapes: Vec<_> = shapes.into_iter().filter(|(_, times)| *times >= TIMES_MIN).collect();
    shapes.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    for ((kind, text), _) in shapes.into_iter().take(SHAPES_MAX) {
        priors.shapes.add(Arc::new(Shape::of(&kind, text)));
    }
    let mut columns: HashMap<u32, Vec<(u32, Vec<u8>)>> = HashMap::new();
    for ((column, text), times) in strings {
        if times >= TIMES_MIN && text.len() <= STRING_BYTES_MAX {
            columns.entry(column).or_default().push((times, text));
        }
    }
    for (column, mut texts) in columns {
        texts.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let strings = priors.strings.entry(column).or_default();
        for (_, text) in texts {
            strings.add(&text, STRINGS_MAX);
        }
    }
    priors
}
