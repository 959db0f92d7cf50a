//! Tests of the whole crate in one program: each program more is a link of the whole house.

mod browser;
#[path = "../../app/tests/cases/mod.rs"]
mod cases;
#[path = "../../app/tests/support/mod.rs"]
mod support;

mod banner;
mod care;
mod consult;
mod contrast;
mod door;
mod http;
mod keys;
mod one_person;
mod road;
mod sealed;
