//! What the screens need to know of a file.

use ondol_kernel::{Date, Sensitive};

use super::tags::{
    BODY_PART_EXAMINED, COLUMNS, MODALITY, NUMBER_OF_FRAMES, PATIENT_BIRTH_DATE, PATIENT_ID,
    PATIENT_NAME, PATIENT_SEX, PHOTOMETRIC_INTERPRETATION, ROWS, SERIES_DESCRIPTION,
    SERIES_INSTANCE_UID, SOP_CLASS_UID, SOP_INSTANCE_UID, SPECIFIC_CHARACTER_SET, STUDY_DATE,
    STUDY_DESCRIPTION, STUDY_INSTANCE_UID, Tag,
};
use super::text::Charset;
use super::values::{BadValue, Values};

/// What a file states. An attribute that is absent or empty is `None` around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stated<T> {
    /// The value.
    Read(T),
    /// Something stands there, in a character set or form that is not understood. It is neither
    /// guessed nor taken for absent.
    Unreadable,
}

/// Patient's Sex (PS3.3 §C.7.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// `M`
    Male,
    /// `F`
    Female,
    /// `O`
    Other,
}

/// Whom the device believed it was looking at: to be compared with the chart, never to be
/// written into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patient {
    /// Patient's Name as it is coded: groups parted by `=`, parts of a name by `^`.
    pub name: Option<Sensitive<Stated<String>>>,
    /// Patient ID.
    pub number: Option<Sensitive<Stated<String>>>,
    /// Patient's Birth Date.
    pub birth_date: Option<Sensitive<Stated<Date>>>,
    /// Patient's Sex.
    pub sex: Option<Sensitive<Stated<Sex>>>,
}

impl Patient {
    /// The name in each script that it is given in (Latin, ideographs, Hangul), its parts
    /// joined by single blanks.
    pub fn names(&self) -> Vec<Sensitive<String>> {
        let Some(Stated::Read(name)) = self.name.as_ref().map(Sensitive::reveal) else {
            return Vec::new();
        };
        let joined = name.split('=').map(|group| {
            group.split(['^', ' ']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
        });
        joined.filter(|group| !group.is_empty()).map(Sensitive::new).collect()
    }
}

/// The attributes of a file that screens show or searches use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Modality, such as `CR`, `US`, `CT`.
    pub modality: Option<Stated<String>>,
    /// Body Part Examined.
    pub body_part: Option<Stated<String>>,
    /// Study Description: free text, in which persons are named.
    pub study_description: Option<Sensitive<Stated<String>>>,
    /// Series Description: free text.
    pub series_description: Option<Sensitive<Stated<String>>>,
    /// Study Date.
    pub study_date: Option<Stated<Date>>,
    /// Study Instance UID.
    pub study_uid: Option<String>,
    /// Series Instance UID.
    pub series_uid: Option<String>,
    /// SOP Instance UID: the file's own.
    pub instance_uid: Option<String>,
    /// SOP Class UID.
    pub class_uid: Option<String>,
    /// Transfer Syntax UID.
    pub transfer_syntax_uid: String,
    /// Rows, in pixels.
    pub rows: Option<Stated<u16>>,
    /// Columns, in pixels.
    pub columns: Option<Stated<u16>>,
    /// Photometric Interpretation.
    pub photometric: Option<Stated<String>>,
    /// Number of Frames, if stated; a file of a single frame need not.
    pub frames: Option<Stated<u32>>,
    /// Whom the device believed it was looking at.
    pub patient: Patient,
}

impl Header {
    /// Reads the values. Identifiers that break the rules are refused, since the file would be
    /// filed wrongly; all else is `Unreadable`.
    pub(super) fn from_values(values: &Values<'_>, syntax: String) -> Result<Self, BadValue> {
        let charset = Charset::declared(values.bytes(SPECIFIC_CHARACTER_SET));
        let text = |tag: Tag| {
            let bytes = values.bytes(tag)?;
            Some(Sensitive::new(charset.read(bytes).map_or(Stated::Unreadable, Stated::Read)))
        };
        let code = |tag: Tag| stated(values.code(tag)).map(|code| code.map(str::to_owned));
        Ok(Self {
            modality: code(MODALITY),
            body_part: code(BODY_PART_EXAMINED),
            study_description: text(STUDY_DESCRIPTION),
            series_description: text(SERIES_DESCRIPTION),
            study_date: stated(values.date(STUDY_DATE)),
            study_uid: values.uid(STUDY_INSTANCE_UID)?,
            series_uid: values.uid(SERIES_INSTANCE_UID)?,
            instance_uid: values.uid(SOP_INSTANCE_UID)?,
            class_uid: values.uid(SOP_CLASS_UID)?,
            transfer_syntax_uid: syntax,
            rows: stated(values.short(ROWS)),
            columns: stated(values.short(COLUMNS)),
            photometric: code(PHOTOMETRIC_INTERPRETATION),
            frames: stated(values.count(NUMBER_OF_FRAMES)),
            patient: Patient {
                name: text(PATIENT_NAME),
                number: text(PATIENT_ID),
                birth_date: stated(values.date(PATIENT_BIRTH_DATE)).map(Sensitive::new),
                sex: stated(values.code(PATIENT_SEX)).map(|code| Sensitive::new(sex(code))),
            },
        })
    }
}

impl<T> Stated<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Stated<U> {
        match self {
            Self::Read(value) => Stated::Read(change(value)),
            Self::Unreadable => Stated::Unreadable,
        }
    }
}

fn stated<T>(value: Result<Option<T>, BadValue>) -> Option<Stated<T>> {
    match value {
        Ok(value) => value.map(Stated::Read),
        Err(BadValue(_)) => Some(Stated::Unreadable),
    }
}

fn sex(code: Stated<&str>) -> Stated<Sex> {
    match code {
        Stated::Read("M") => Stated::Read(Sex::Male),
        Stated::Read("F") => Stated::Read(Sex::Female),
        Stated::Read("O") => Stated::Read(Sex::Other),
        Stated::Read(_) | Stated::Unreadable => Stated::Unreadable,
    }
}
