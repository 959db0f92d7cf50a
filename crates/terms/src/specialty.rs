//! Specialties, for addressing consults and referrals.

use crate::table::{TableError, rows};
use std::sync::OnceLock;

const TABLE: &str = include_str!("../data/specialties.tsv");

/// A specialty or department that a case can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Specialty {
    /// Our own code, lower-case words joined by hyphens; unique in the list, never reused.
    pub code: &'static str,
    /// The name in Korean, as written in the north.
    pub ko: &'static str,
    /// The name in plain English.
    pub en: &'static str,
}

/// All specialties, in the order in which they are offered.
pub fn specialties() -> &'static [Specialty] {
    static LIST: OnceLock<Vec<Specialty>> = OnceLock::new();
    LIST.get_or_init(|| parse().expect("the compiled-in table is read by a test"))
}

/// The specialty with exactly this code.
pub fn specialty(code: &str) -> Option<&'static Specialty> {
    specialties().iter().find(|entry| entry.code == code)
}

fn parse() -> Result<Vec<Specialty>, TableError> {
    let table = rows(TABLE, &["code", "ko", "en"])?;
    let read = |row: &crate::table::Row| {
        Ok(Specialty { code: row.filled("code")?, ko: row.filled("ko")?, en: row.filled("en")? })
    };
    table.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_can_be_read() {
        assert!(parse().unwrap().len() > 20);
    }
}
