//! Parcels, frames, priorities and resumption on the road. Sans-IO.

mod lean;
pub mod link;
pub mod message;
pub mod parcel;
pub mod sealed;

pub use parcel::{Batch, Parcel};
