//! The contract of all back ends, on the tables as `ondol` makes them.

mod support;

#[test]
fn the_contract_holds() {
    support::contract_holds(support::open_empty);
}
