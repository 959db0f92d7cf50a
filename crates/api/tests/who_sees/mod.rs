//! Who sees what, as people have written it: `docs/access.md` says what a role may do in a
//! relation, `charts.tsv` in which relations the charts of this test stand, `reads.tsv` which
//! actions a type asks for, and `doors.tsv` what comes out of a door. What a door has to give is
//! worked out from these four, never by asking the code that is tested.

pub mod asking;
pub mod doors;
#[allow(dead_code, reason = "each test takes what it needs")]
pub mod page;
pub mod planted;
pub mod relations;
pub mod setting;
pub mod words;
pub mod world;
