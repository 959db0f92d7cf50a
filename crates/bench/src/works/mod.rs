//! The works: each takes its figures and reports them.

pub mod alert;
pub mod bootstrap;
pub mod chart;
pub mod country;
pub mod cut;
pub mod goodput;
pub mod hub;
pub mod import;
pub mod index;
pub mod journeys;
pub mod matching;
pub mod metadata;
pub mod pull;
pub mod rest;
pub mod save;
pub mod start;
pub mod wire;
