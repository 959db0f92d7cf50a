//! Pages: server-rendered, Korean and English.
