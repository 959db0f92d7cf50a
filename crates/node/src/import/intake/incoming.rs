//! Files on their way in: into a folder of their own, which takes the place of what was brought
//! before when all are there.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use ondol_app::intake::{Bringer, FILES_MAX, Incoming, IntakeError, Phase};

use super::{Place, absent_is_fine};
use crate::{
    durable::{Disk as _, OwnDisk},
    import::{
        fault,
        files::{self, Kind, MAPPING},
    },
};

/// The most bytes of a name: what tells refused rows apart has to fit behind it.
const NAME_BYTES_MAX: usize = 180;

/// The name under which a file is kept: the last part of the one that it has where it comes from,
/// without signs that nobody sees. Empty if nothing is left of it.
pub(super) fn plain(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let seen: String = last.chars().filter(|c| !c.is_control() && !is_unseen(*c)).collect();
    let name = seen.trim().trim_start_matches('.').trim_start();
    let (stem, end) = match name.rfind('.') {
        Some(dot) if name.len() - dot <= 16 => name.split_at(dot),
        _ => (name, ""),
    };
    let mut stem = stem.to_owned();
    while stem.len() + end.len() > NAME_BYTES_MAX {
        stem.pop();
    }
    stem + end
}

/// Signs without a shape that turn or join what stands beside them (Unicode, `Bidi_Control` and
/// others of General Punctuation).
const fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Files on their way in.
pub(super) struct Arriving {
    place: Arc<Place>,
    by: Bringer,
    /// What was there before.
    before: Phase,
    folder: PathBuf,
    names: Vec<String>,
    open: Option<(File, PathBuf)>,
    bytes: u64,
    is_kept: bool,
}

#[allow(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn of_disk(why: io::Error) -> IntakeError {
    IntakeError::Disk(fault::disk(&why))
}

impl Arriving {
    pub(super) fn new(place: Arc<Place>, by: Bringer, before: Phase) -> Result<Self, IntakeError> {
        let folder = place.top.join("incoming");
        // From here on it is taken away again whatever fails.
        let arriving =
            Self { place, by, before, folder, names: vec![], open: None, bytes: 0, is_kept: false };
        absent_is_fine(fs::remove_dir_all(&arriving.folder)).map_err(of_disk)?;
        let mut made = DirBuilder::new();
        made.recursive(true).mode(0o700).create(&arriving.folder).map_err(of_disk)?;
        Ok(arriving)
    }

    fn close(&mut self) -> Result<(), IntakeError> {
        if let Some((file, path)) = self.open.take() {
            OwnDisk.sync(&file, &path).map_err(of_disk)?;
        }
        Ok(())
    }

    /// Whether they can be imported together; how long each is.
    fn looked_at(&self) -> Result<Vec<(String, u64)>, IntakeError> {
        let mapping = files::mapping(&self.folder).map_err(|why| fault::mapping(&why))?;
        let found = files::inside(&self.folder).map_err(|why| fault::mapping(&why))?;
        for file in found.iter().filter(|file| file.kind == Kind::Table) {
            match (&mapping, file.table()) {
                (_, Ok(_)) => {}
                (None, _) => return Err(IntakeError::NoMapping(file.name.clone())),
                (Some(_), _) => return Err(IntakeError::NoTable(file.name.clone())),
            }
        }
        if found.is_empty() {
            return Err(IntakeError::Nothing);
        }
        Ok(found.into_iter().map(|file| (file.name, file.bytes)).collect())
    }
}

impl Incoming for Arriving {
    fn file(&mut self, name: &str) -> Result<(), IntakeError> {
        self.close()?;
        let name = plain(name);
        if name != MAPPING && files::kind(Path::new(&name)).is_none() {
            return Err(IntakeError::Kind(name));
        }
        if self.names.len() >= FILES_MAX {
            return Err(IntakeError::TooMany);
        }
        let path = self.folder.join(&name);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = made.map_err(|why| match why.kind() {
            io::ErrorKind::AlreadyExists => IntakeError::SameName(name.clone()),
            _ => of_disk(why),
        })?;
        self.names.push(name);
        self.open = Some((file, path));
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), IntakeError> {
        let Some((file, _)) = &mut self.open else { return Err(IntakeError::Nothing) };
        self.bytes += bytes.len() as u64;
        if self.bytes > self.place.bytes_max {
            return Err(IntakeError::TooLarge);
        }
        file.write_all(bytes).map_err(of_disk)
    }

    fn end(mut self: Box<Self>) -> Result<(), IntakeError> {
        self.close()?;
        let files = self.looked_at()?;
        OwnDisk.sync_names(&self.folder).map_err(of_disk)?;
        self.place.keep(&self.folder, self.by.clone(), files).map_err(of_disk)?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        self.open = None;
        if let Err(why) = absent_is_fine(fs::remove_dir_all(&self.folder)) {
            // It is tried again before anything else is brought, and when the node starts.
            tracing::warn!(%why, "files that were brought in half cannot be taken away");
        }
        let mut state = self.place.lock();
        if state.seen.phase == Phase::Receiving {
            state.seen.phase = self.before.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_elsewhere_stays_in_its_folder_and_keeps_its_end() {
        for (name, kept) in [
            ("visits.csv", "visits.csv"),
            ("../../etc/x.csv", "x.csv"),
            ("C:\\방문\\방문 2024.xlsx", "방문 2024.xlsx"),
            ("..", ""),
            ("a/..", ""),
            (".mapping.json", "mapping.json"),
            ("a\0b\n.hl7", "ab.hl7"),
            ("gpj\u{202e}.csv", "gpj.csv"),
            ("", ""),
            ("   ", ""),
        ] {
            assert_eq!(plain(name), kept, "{name:?}");
        }
        let long = plain(&("가".repeat(1000) + ".csv"));
        assert!(long.len() <= NAME_BYTES_MAX && long.ends_with("가.csv"), "{long}");
        assert_eq!(plain(&".".repeat(500)), "");
        assert!(plain(&format!("a.{}", "b".repeat(500))).len() <= NAME_BYTES_MAX);
    }
}
