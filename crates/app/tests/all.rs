//! Tests of the whole crate in one program: each program more is a link of the whole house.

mod cases;
mod support;

mod accounts;
mod arrivals;
mod attachment;
#[path = "consult/main.rs"]
mod consult;
mod counts;
mod death;
mod disk;
mod duty;
mod encounter;
mod facilities;
mod import;
#[path = "national/main.rs"]
mod national;
mod one_person;
mod papers;
mod people;
mod possible_pairs;
mod referral;
mod relations;
mod road;
mod road_grants;
mod road_middle;
mod road_moved;
mod road_numbers;
mod road_replaced;
mod road_restored;
mod road_returned;
mod road_review;
mod road_revoked;
mod road_shared;
mod sealed;
mod staff;
mod sticks;
mod sticks_join;
mod stock;
mod wrong_person;
