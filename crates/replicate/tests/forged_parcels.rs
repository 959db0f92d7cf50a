//! Parcels that somebody made to hurt: they are refused, at once and in little memory.

use ondol_kernel::{
    Class, NodeId,
    bytes::{put_bytes, put_number},
};
use ondol_record::{Seal, Stream};
use ondol_replicate::{Parcel, parcel::FORMAT_1};

/// A parcel of one entry, not compressed, up to where its resources are counted.
fn begun(author: &[u8]) -> Vec<u8> {
    let stream = Stream { origin: NodeId([1; 16]), incarnation: 0, class: Class::Care };
    let seal = Seal { stream, first: 1, last: 1, root: [0; 32], signature: [0; 64] };
    let mut bytes = vec![FORMAT_1, 0];
    // No certificates, one id, one batch.
    put_number(&mut bytes, 0);
    put_number(&mut bytes, 1);
    bytes.extend_from_slice(&[7; 16]);
    put_number(&mut bytes, 1);
    seal.put(&mut bytes);
    // The whole range, one entry; flags, number, time, tick, place in the chart.
    bytes.push(0);
    put_number(&mut bytes, 1);
    bytes.extend_from_slice(&[0, 0, 0, 0, 1]);
    // A patient's chart.
    bytes.push(0);
    put_bytes(&mut bytes, b"p");
    put_bytes(&mut bytes, author);
    bytes
}

#[test]
fn a_count_of_resources_that_are_not_there_costs_nothing() {
    let mut bytes = begun(b"");
    let rest = 24 << 20;
    put_number(&mut bytes, rest - 16);
    bytes.resize(bytes.len() + usize::try_from(rest).unwrap(), 0xff);
    assert!(Parcel::decode(&bytes).is_err());
}

#[test]
fn texts_that_unfold_without_end_are_refused() {
    let mut bytes = begun(&[2, 0].repeat(12 << 20));
    put_number(&mut bytes, 1);
    assert!(Parcel::decode(&bytes).is_err());
}
