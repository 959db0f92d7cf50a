//! The screens, one module for each area. An area has `fn routes() -> Router<…>`, templates in
//! `templates/AREA/` and texts in `locales/LANG/AREA.ftl`; the README of this crate shows how to
//! add one.

pub mod base;
pub mod confirm;
