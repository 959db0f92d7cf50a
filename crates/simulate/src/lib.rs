//! A seeded simulation of many nodes on bad links. Never shipped.
