//! Records that are brought along from a page: an administrator's browser sends files, the node
//! keeps them, tries or imports them beside its work, and hands back what was left out.
//!
//! Here it is decided who may, and written down who did. The files themselves, and the thread that
//! reads them, belong to the node, which implements [`Intake`].

use std::{io::Read, sync::Arc};

use ondol_access::Action;
use ondol_kernel::Millis;
use thiserror::Error;

use crate::{Actor, App, AppError, DiskTrouble, rest::import::Mode};

/// The most bytes that are brought at once.
pub const BYTES_MAX: u64 = 4 << 30;

/// The most files that are brought at once.
pub const FILES_MAX: usize = 200;

/// So many of the things that were left out are shown.
pub const LEFT_OUT_SHOWN: usize = 100;

/// What the node does with files that are brought. Nobody waits for an import: it is begun, and
/// what became of it is seen.
pub trait Intake: Send + Sync {
    /// How it stands. Answered from memory.
    fn seen(&self) -> Seen;

    /// Makes ready for files. What was brought before gives way to them once they are all there.
    fn receive(&self, by: Bringer) -> Result<Box<dyn Incoming>, IntakeError>;

    /// Begins to try or to import what is there, or goes on with it.
    fn start(&self, app: &Arc<App>, mode: Mode) -> Result<(), IntakeError>;

    /// Asks a running import to stop after what it is just writing.
    fn stop(&self);

    /// Takes files away.
    fn discard(&self, what: Discard) -> Result<(), IntakeError>;

    /// A file of what was left out, and who brought it.
    fn refused(&self, number: u32) -> Result<(Bringer, Handed), IntakeError>;
}

/// Files on their way in. Dropped before [`Incoming::end`], nothing of them is kept.
pub trait Incoming: Send {
    /// A file begins, with the name that it has where it comes from.
    fn file(&mut self, name: &str) -> Result<(), IntakeError>;

    /// Some of its bytes.
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), IntakeError>;

    /// All files are there; they are kept if they can be imported together.
    fn end(self: Box<Self>) -> Result<(), IntakeError>;
}

/// A file that is handed out.
pub struct Handed {
    /// Its name.
    pub name: String,
    /// Its length, bytes.
    pub bytes: u64,
    /// What stands in it.
    pub from: Box<dyn Read + Send>,
}

/// Who brought files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bringer {
    /// `Practitioner/…`.
    pub who: String,
    /// The name for pages.
    pub name: String,
}

/// What is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discard {
    /// The files that were brought, and what is known of them.
    Brought,
    /// The files of what was left out.
    Refused,
}

/// How it stands with what was brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// What goes on, or how it ended.
    pub phase: Phase,
    /// Whether it was only tried.
    pub is_trial: bool,
    /// Who brought the files.
    pub by: Option<Bringer>,
    /// The files that are kept: names and bytes.
    pub files: Vec<(String, u64)>,
    /// How far it came.
    pub progress: Progress,
    /// What was left out, the first [`LEFT_OUT_SHOWN`].
    pub left_out: Vec<LeftOut>,
    /// When it began.
    pub began: Option<Millis>,
    /// When it ended.
    pub ended: Option<Millis>,
    /// Files of what was left out, of this import and of earlier ones.
    pub refused: Vec<RefusedFile>,
}

/// What goes on, or how it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is there.
    #[default]
    Empty,
    /// Files are coming in.
    Receiving,
    /// Files are there, and nothing was done with them yet.
    Ready,
    /// They are tried or imported; or were asked to stop, and do so in a moment.
    Running {
        /// Whether they were asked to.
        is_stopping: bool,
    },
    /// Tried or imported to the end.
    Done,
    /// Somebody stopped it.
    Stopped,
    /// The node ended in the middle.
    Cut,
    /// It could not go on.
    Failed(Failure),
}

/// Numbers of an import on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Files.
    pub files: u64,
    /// Files that are read to their end.
    pub files_done: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Bytes that were read.
    pub bytes_read: u64,
    /// Lines, rows, messages that were read now.
    pub lines: u64,
    /// Lines, rows, messages that an earlier run had read.
    pub lines_known: u64,
    /// Resources that are new or have a new version.
    pub saved: u64,
    /// Resources that stood here already.
    pub unchanged: u64,
    /// Lines, rows, entries that were left out, now or by a run that was cut off before.
    pub left_out: u64,
    /// Things that were noticed about what was kept.
    pub remarks: u64,
}

/// Something that was left out. It names places and never values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The file.
    pub file: String,
    /// The line or row, from 1.
    pub line: u64,
    /// The entry of the bundle on it, from 1.
    pub entry: Option<u64>,
    /// A stable code of why.
    pub code: String,
    /// Where: a column, a field, or FHIRPath.
    pub at: Option<String>,
}

/// A file of what was left out, or the mapping that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedFile {
    /// By which it is asked for.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// Its length, bytes.
    pub bytes: u64,
    /// Who brought what it is from: it goes back to nobody else.
    pub by: Bringer,
    /// When it was written.
    pub at: Millis,
}

/// Why an import could not go on. What was written before stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The disk takes nothing.
    Disk(DiskTrouble),
    /// Another file of this name was imported, or this one was changed since.
    Changed {
        /// The file.
        file: String,
    },
    /// A file cannot be read.
    File {
        /// The file.
        file: String,
        /// Why: a stable code.
        code: String,
        /// What the code is about: columns, a line.
        about: String,
    },
    /// Something that nobody at the page can mend.
    Broken,
}

/// Nothing was brought, begun or handed out.
#[derive(Debug, Error)]
pub enum IntakeError {
    /// The use case refused it.
    #[error(transparent)]
    App(#[from] AppError),
    /// Nothing is brought along here: this is the practice room.
    #[error("nothing can be brought here")]
    NotHere,
    /// Files are coming in, or an import is running.
    #[error("another import is under way")]
    Busy,
    /// There are no files.
    #[error("there are no files")]
    Nothing,
    /// More than [`BYTES_MAX`].
    #[error("the files are too large")]
    TooLarge,
    /// More than [`FILES_MAX`].
    #[error("there are too many files")]
    TooMany,
    /// Files of this name are none that can be read.
    #[error("a file is of another kind")]
    Kind(String),
    /// Two files have one name.
    #[error("two files have one name")]
    SameName(String),
    /// A table came without a mapping.
    #[error("a table came without a mapping")]
    NoMapping(String),
    /// The mapping has no table for this file.
    #[error("no table of the mapping is for a file")]
    NoTable(String),
    /// The mapping cannot be used.
    #[error("the mapping cannot be used")]
    Mapping(MappingFault),
    /// The disk does not take the files; nothing of them was kept.
    #[error("the disk does not take the files")]
    Disk(DiskTrouble),
    /// The files were brought by somebody else.
    #[error("the files were brought by somebody else")]
    NotYours,
}

/// What is wrong with a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MappingFault {
    /// It is no JSON of this form; where.
    Json {
        /// The line, from 1, if it is known.
        line: Option<u64>,
    },
    /// `source` is no name.
    Source,
    /// A table has no `key`.
    Key(String),
    /// A table is not understood.
    Table(String),
}

impl App {
    /// Gives this node the place where files are brought, once.
    pub fn use_intake(&self, intake: Arc<dyn Intake>) {
        // Whoever opens the node does so once; a second one would lose what the first one keeps.
        let _ = self.intake.set(intake);
    }

    fn bringing(&self, actor: &Actor, done: Option<&str>) -> Result<&dyn Intake, IntakeError> {
        let intake = self.intake.get().ok_or(IntakeError::NotHere)?;
        let chart = self.facility_chart();
        let grounds = self.may(&*self.view()?, actor, Action::BringRecords, &chart, None)?;
        if let Some(done) = done {
            self.record_reading(actor, Action::BringRecords, &chart, &grounds, done)?;
        }
        Ok(&**intake)
    }

    /// How it stands with what was brought along.
    pub fn intake(&self, actor: &Actor) -> Result<Seen, IntakeError> {
        if self.intake.get().is_none() {
            return Err(IntakeError::NotHere);
        }
        Ok(self.bringing(actor, None)?.seen())
    }

    /// Takes files in. They are kept when all are there ([`Incoming::end`]).
    pub fn bring(&self, actor: &Actor) -> Result<Box<dyn Incoming>, IntakeError> {
        let intake = self.bringing(actor, Some("files"))?;
        self.disk.room().map_err(AppError::from)?;
        let by = Bringer { who: actor.reference(), name: actor.name().to_owned() };
        intake.receive(by)
    }

    /// Begins to try or to import what was brought, or goes on with it.
    pub fn start_intake(self: &Arc<Self>, actor: &Actor, mode: Mode) -> Result<(), IntakeError> {
        let done = if mode == Mode::Try { "try" } else { "import" };
        self.bringing(actor, Some(done))?.start(self, mode)
    }

    /// Asks the import to stop.
    pub fn stop_intake(&self, actor: &Actor) -> Result<(), IntakeError> {
        self.bringing(actor, None)?.stop();
        Ok(())
    }

    /// Takes away what was brought, or what was left out.
    pub fn discard_intake(&self, actor: &Actor, what: Discard) -> Result<(), IntakeError> {
        self.bringing(actor, Some("discard"))?.discard(what)
    }

    /// Hands a file of what was left out back to the one who brought it.
    pub fn refused_rows(&self, actor: &Actor, number: u32) -> Result<Handed, IntakeError> {
        let intake = self.bringing(actor, None)?;
        let (by, handed) = intake.refused(number)?;
        if by.who != actor.reference() {
            return Err(IntakeError::NotYours);
        }
        self.bringing(actor, Some("left out"))?;
        Ok(handed)
    }
}
