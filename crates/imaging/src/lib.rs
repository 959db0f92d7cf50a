//! Pictures: DICOM files, photographs and their previews. Sans-IO.
