//! Parcels, frames, priorities and resumption on the road. Sans-IO.

pub mod columns;
pub mod holdings;
mod lean;
pub mod link;
pub mod message;
pub mod national;
pub mod parcel;
pub mod relay;
pub mod sealed;
pub mod sealed_for_several;
pub mod stick;

pub use parcel::{Batch, Parcel};
