//! Parcels, frames, priorities and resumption on the road. Sans-IO.
