//! Charts, entries, versions and merge: what is true about a record. Pure.
