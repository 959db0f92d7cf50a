//! Why an import from a page broke off, as codes that pages have sentences for.

use std::io;

use anyhow::Error;
use ondol_app::{
    DiskTrouble,
    intake::{Failure, IntakeError, MappingFault},
    rest::{RestError, import::ImportError},
};
use ondol_mapping::{hl7::Hl7Error, sheet::SheetError, table::MappingError};
use ondol_terms::load::LoadError;

/// The trouble that an error of the disk tells of.
pub(super) fn disk(why: &io::Error) -> DiskTrouble {
    match why.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            DiskTrouble::Full
        }
        io::ErrorKind::ReadOnlyFilesystem => DiskTrouble::ReadOnly,
        _ => DiskTrouble::Failing,
    }
}

/// Why it broke off in a file.
pub(super) fn failure(why: &Error, file: Option<&str>) -> Failure {
    let file = || file.unwrap_or_default().to_owned();
    let of = |code: &str, about: String| Failure::File { file: file(), code: code.into(), about };
    for cause in why.chain() {
        match cause.downcast_ref() {
            Some(ImportError::Changed) => return Failure::Changed { file: file() },
            Some(ImportError::Rest(RestError::App(app))) => {
                return DiskTrouble::of_app(app).map_or(Failure::Broken, Failure::Disk);
            }
            Some(ImportError::Rest(_)) => return Failure::Broken,
            _ => {}
        }
        if let Some(why) = cause.downcast_ref::<MappingError>() {
            return match why {
                MappingError::Columns { missing, .. } => of("columns", missing.join(", ")),
                _ => of("mapping", String::new()),
            };
        }
        if let Some(why) = cause.downcast_ref::<SheetError>() {
            return of(why.code(), why.sheet().unwrap_or_default().to_owned());
        }
        if let Some(why) = cause.downcast_ref::<LoadError>() {
            let (code, about) = of_text(why);
            return of(code, about);
        }
        if let Some(why) = cause.downcast_ref::<io::Error>() {
            let inner = why.get_ref();
            if let Some(why) = inner.and_then(|inner| inner.downcast_ref::<LoadError>()) {
                let (code, about) = of_text(why);
                return of(code, about);
            }
            if inner.and_then(|inner| inner.downcast_ref::<Hl7Error>()).is_some()
                || why.kind() == io::ErrorKind::InvalidData
            {
                return of("unreadable", String::new());
            }
            return match disk(why) {
                DiskTrouble::Failing => of("unreadable", String::new()),
                trouble => Failure::Disk(trouble),
            };
        }
    }
    Failure::Broken
}

/// A table as text: a code, and the line.
fn of_text(why: &LoadError) -> (&'static str, String) {
    match why {
        LoadError::Encoding { line } => ("not-utf-8", line.to_string()),
        LoadError::Quote { line } => ("quote", line.to_string()),
        LoadError::LongText { line } => ("long-text", line.to_string()),
        _ => ("unreadable", String::new()),
    }
}

/// Why a mapping is refused.
pub(super) fn mapping(why: &Error) -> IntakeError {
    for cause in why.chain() {
        if let Some(why) = cause.downcast_ref::<MappingError>() {
            return IntakeError::Mapping(match why {
                MappingError::Json { line, .. } => MappingFault::Json { line: *line },
                MappingError::Source => MappingFault::Source,
                MappingError::NoKey(table) => MappingFault::Key(table.clone()),
                MappingError::Table { table, .. } | MappingError::Columns { table, .. } => {
                    MappingFault::Table(table.clone())
                }
            });
        }
        if let Some(why) = cause.downcast_ref::<io::Error>() {
            return IntakeError::Disk(disk(why));
        }
    }
    IntakeError::Mapping(MappingFault::Json { line: None })
}
