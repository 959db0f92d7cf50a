//! Sealed entries: what only the places open that were named when it was written (DESIGN §5, ADR
//! 0025). To everybody else, and to every list, search, count and summary, it does not exist.

mod content;
mod read;
mod readers;
mod write;

pub(crate) use read::count;
pub use read::{SealedVisit, TakenBack};
pub use readers::{SealReader, WhyReader};

/// Why something is sealed (DESIGN §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealKind {
    /// HIV.
    Hiv,
    /// A sexually transmitted infection.
    Sti,
    /// Mental health.
    MentalHealth,
    /// Loss of a pregnancy.
    PregnancyLoss,
    /// Injury in custody.
    Custody,
    /// Something else that the person wants kept so.
    Other,
}

impl SealKind {
    /// All, in the order in which they are asked.
    pub const ALL: [Self; 6] =
        [Self::Hiv, Self::Sti, Self::MentalHealth, Self::PregnancyLoss, Self::Custody, Self::Other];

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Hiv => "hiv",
            Self::Sti => "sti",
            Self::MentalHealth => "mental-health",
            Self::PregnancyLoss => "pregnancy-loss",
            Self::Custody => "custody",
            Self::Other => "other",
        }
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}
