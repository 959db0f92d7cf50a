//! The unit of replication, access and partition.

use std::fmt;

use ondol_kernel::{
    ResourceId,
    bytes::{BadBytes, Reader, put_bytes},
};

/// What a chart is about. The numbers are part of the entry format (ADR 0002).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ChartKind {
    /// A person who is treated.
    Patient = 0,
    /// A facility: stock, roster, directives, reports.
    Facility = 1,
    /// A person who treats.
    Practitioner = 2,
    /// The nation: registry, terminology, programmes, policies.
    Nation = 3,
}

impl ChartKind {
    /// The kind of a number, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Patient),
            1 => Some(Self::Facility),
            2 => Some(Self::Practitioner),
            3 => Some(Self::Nation),
            _ => None,
        }
    }
}

/// Which chart. The id is that of the Patient, the Organization or the Practitioner.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChartId {
    /// The chart of a Patient.
    Patient(ResourceId),
    /// The chart of an Organization that is a facility.
    Facility(ResourceId),
    /// The chart of a Practitioner.
    Practitioner(ResourceId),
    /// The one chart of the nation.
    Nation,
}

impl ChartId {
    /// What the chart is about.
    pub const fn kind(&self) -> ChartKind {
        match self {
            Self::Patient(_) => ChartKind::Patient,
            Self::Facility(_) => ChartKind::Facility,
            Self::Practitioner(_) => ChartKind::Practitioner,
            Self::Nation => ChartKind::Nation,
        }
    }

    /// The id of whom or what the chart is about; empty for the nation.
    pub fn subject(&self) -> &str {
        match self {
            Self::Patient(id) | Self::Facility(id) | Self::Practitioner(id) => id.as_str(),
            Self::Nation => "",
        }
    }

    /// The chart of a kind and an id (which must be empty for the nation alone).
    pub fn of(kind: ChartKind, subject: &str) -> Option<Self> {
        if kind == ChartKind::Nation {
            return subject.is_empty().then_some(Self::Nation);
        }
        let id = ResourceId::new(subject).ok()?;
        Some(match kind {
            ChartKind::Patient => Self::Patient(id),
            ChartKind::Facility => Self::Facility(id),
            ChartKind::Practitioner => Self::Practitioner(id),
            ChartKind::Nation => return None,
        })
    }

    /// The FHIR reference to whom the chart is about: `Patient/…`, `Organization/…`,
    /// `Practitioner/…`; none for the nation.
    pub fn reference(&self) -> Option<String> {
        let name = match self {
            Self::Patient(_) => "Patient",
            Self::Facility(_) => "Organization",
            Self::Practitioner(_) => "Practitioner",
            Self::Nation => return None,
        };
        Some(format!("{name}/{}", self.subject()))
    }

    /// The chart that a reference of the form `Patient/…`, `Organization/…` or
    /// `Practitioner/…` names.
    pub fn from_reference(reference: &str) -> Option<Self> {
        let (name, id) = reference.split_once('/')?;
        let id = ResourceId::new(id).ok()?;
        match name {
            "Patient" => Some(Self::Patient(id)),
            "Organization" => Some(Self::Facility(id)),
            "Practitioner" => Some(Self::Practitioner(id)),
            _ => None,
        }
    }

    /// Appends kind and id: one byte, then length and text (ADR 0002).
    pub fn put(&self, to: &mut Vec<u8>) {
        to.push(self.kind() as u8);
        put_bytes(to, self.subject().as_bytes());
    }

    /// Reads what [`ChartId::put`] wrote.
    pub fn read(from: &mut Reader<'_>) -> Result<Self, BadBytes> {
        let kind = ChartKind::from_code(from.byte()?).ok_or(BadBytes)?;
        Self::of(kind, from.text()?).ok_or(BadBytes)
    }
}

impl fmt::Debug for ChartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/{}", self.kind(), self.subject())
    }
}
