//! Names as people type them: composed or decomposed, by initial consonants, with either initial
//! sound, in Latin letters after any of three systems; and the order in which they stand.

mod ask;
mod exact;
mod latin;
mod letters;
mod order;
mod roman;

pub use ask::{NameFit, NameKeys, NameQuestion};
pub use exact::exact_forms;
pub use latin::skeleton;
pub use letters::{folded, sounded};
pub use order::order;
pub use roman::{System, letter_by_letter, romanise, spoken};

pub(crate) use latin::{keys as latin_keys, one_skeleton};
pub(crate) use letters::{Syllable, is_hangul};
