//! DICOM files (PS3.10): what the screens need to know, and a picture to look at.
//!
//! The reader walks the elements itself and keeps slices of the upload only: a length that lies,
//! a deep nest or a million empty items cost nothing. The file itself is never changed; what
//! cannot be shown here is stored and sent all the same, and [`NotShown`] says why.

mod fragments;
mod header;
mod layout;
mod read;
mod render;
mod tags;
mod text;
mod values;
mod walk;
mod window;

pub use header::{Header, Patient, Sex, Stated};
pub use read::{File, MAX_BYTES, ReadError, is_part10, read};
pub use render::{MAX_VIEW_SIDE, NotShown, Rendered};
pub use tags::Tag;
pub use window::{Brightness, Curve};
