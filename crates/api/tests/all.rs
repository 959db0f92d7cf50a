//! Tests of the whole crate in one program: each program more is a link of the whole house.

mod brute;
mod door;
mod who_sees;

mod agreement;
mod as_if_absent;
mod bundles;
mod conditions;
mod every_door;
mod every_parameter;
mod hostile;
mod interactions;
mod journal;
mod latest;
mod matching;
mod one_person;
mod patches;
mod privacy;
mod refusals;
mod relations;
mod rivals;
mod sealed;
mod searches;
mod searches_across;
mod sign_in;
mod summary;
mod terminology;
mod terminology_r4;
mod validation;
