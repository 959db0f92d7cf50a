//! The attributes that are read (PS3.6).

use std::fmt;

/// The name of an attribute: group and element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u16, pub u16);

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({:04X},{:04X})", self.0, self.1)
    }
}

pub(super) const TRANSFER_SYNTAX_UID: Tag = Tag(0x0002, 0x0010);
pub(super) const SPECIFIC_CHARACTER_SET: Tag = Tag(0x0008, 0x0005);
pub(super) const SOP_CLASS_UID: Tag = Tag(0x0008, 0x0016);
pub(super) const SOP_INSTANCE_UID: Tag = Tag(0x0008, 0x0018);
pub(super) const STUDY_DATE: Tag = Tag(0x0008, 0x0020);
pub(super) const MODALITY: Tag = Tag(0x0008, 0x0060);
pub(super) const STUDY_DESCRIPTION: Tag = Tag(0x0008, 0x1030);
pub(super) const SERIES_DESCRIPTION: Tag = Tag(0x0008, 0x103e);
pub(super) const PATIENT_NAME: Tag = Tag(0x0010, 0x0010);
pub(super) const PATIENT_ID: Tag = Tag(0x0010, 0x0020);
pub(super) const PATIENT_BIRTH_DATE: Tag = Tag(0x0010, 0x0030);
pub(super) const PATIENT_SEX: Tag = Tag(0x0010, 0x0040);
pub(super) const BODY_PART_EXAMINED: Tag = Tag(0x0018, 0x0015);
pub(super) const STUDY_INSTANCE_UID: Tag = Tag(0x0020, 0x000d);
pub(super) const SERIES_INSTANCE_UID: Tag = Tag(0x0020, 0x000e);
pub(super) const SAMPLES_PER_PIXEL: Tag = Tag(0x0028, 0x0002);
pub(super) const PHOTOMETRIC_INTERPRETATION: Tag = Tag(0x0028, 0x0004);
pub(super) const PLANAR_CONFIGURATION: Tag = Tag(0x0028, 0x0006);
pub(super) const NUMBER_OF_FRAMES: Tag = Tag(0x0028, 0x0008);
pub(super) const ROWS: Tag = Tag(0x0028, 0x0010);
pub(super) const COLUMNS: Tag = Tag(0x0028, 0x0011);
pub(super) const BITS_ALLOCATED: Tag = Tag(0x0028, 0x0100);
pub(super) const BITS_STORED: Tag = Tag(0x0028, 0x0101);
pub(super) const HIGH_BIT: Tag = Tag(0x0028, 0x0102);
pub(super) const PIXEL_REPRESENTATION: Tag = Tag(0x0028, 0x0103);
pub(super) const PIXEL_PADDING_VALUE: Tag = Tag(0x0028, 0x0120);
pub(super) const WINDOW_CENTER: Tag = Tag(0x0028, 0x1050);
pub(super) const WINDOW_WIDTH: Tag = Tag(0x0028, 0x1051);
pub(super) const RESCALE_INTERCEPT: Tag = Tag(0x0028, 0x1052);
pub(super) const RESCALE_SLOPE: Tag = Tag(0x0028, 0x1053);
pub(super) const VOI_LUT_FUNCTION: Tag = Tag(0x0028, 0x1056);
pub(super) const MODALITY_LUT_SEQUENCE: Tag = Tag(0x0028, 0x3000);
pub(super) const PIXEL_DATA: Tag = Tag(0x7fe0, 0x0010);
pub(super) const ITEM: Tag = Tag(0xfffe, 0xe000);
pub(super) const ITEM_END: Tag = Tag(0xfffe, 0xe00d);
pub(super) const SEQUENCE_END: Tag = Tag(0xfffe, 0xe0dd);

/// Whether the value is kept while walking.
pub(super) fn wanted(tag: Tag) -> bool {
    matches!(
        tag,
        TRANSFER_SYNTAX_UID
            | SPECIFIC_CHARACTER_SET
            | SOP_CLASS_UID
            | SOP_INSTANCE_UID
            | STUDY_DATE
            | MODALITY
            | STUDY_DESCRIPTION
            | SERIES_DESCRIPTION
            | PATIENT_NAME
            | PATIENT_ID
            | PATIENT_BIRTH_DATE
            | PATIENT_SEX
            | BODY_PART_EXAMINED
            | STUDY_INSTANCE_UID
            | SERIES_INSTANCE_UID
            | SAMPLES_PER_PIXEL
            | PHOTOMETRIC_INTERPRETATION
            | PLANAR_CONFIGURATION
            | NUMBER_OF_FRAMES
            | ROWS
            | COLUMNS
            | BITS_ALLOCATED
            | BITS_STORED
            | HIGH_BIT
            | PIXEL_REPRESENTATION
            | PIXEL_PADDING_VALUE
            | WINDOW_CENTER
            | WINDOW_WIDTH
            | RESCALE_INTERCEPT
            | RESCALE_SLOPE
            | VOI_LUT_FUNCTION
            | MODALITY_LUT_SEQUENCE
    )
}
