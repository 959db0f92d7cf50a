//! A file that keeps room beside the record.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use ondol_store::{StoreError, reserve::Reserve};

use crate::error::Failure;

/// So much is written at once, bytes.
const STEP: usize = 64 << 10;

/// A file of so many bytes. They are no zeros: some file systems keep no room for those.
pub struct FileReserve {
    path: PathBuf,
    bytes: u64,
}

impl FileReserve {
    /// A file that is made when the room is taken.
    pub fn at(path: &Path, bytes: u64) -> Self {
        Self { path: path.to_owned(), bytes }
    }

    fn take(&self) -> io::Result<()> {
        if fs::metadata(&self.path).is_ok_and(|file| file.len() == self.bytes) {
            return Ok(());
        }
        let made = self.write();
        if made.is_err() {
            // Half of it is of no use, and somebody else needs the room.
            let _ = fs::remove_file(&self.path);
        }
        made
    }

    fn write(&self) -> io::Result<()> {
        let mut file = File::create(&self.path)?;
        let mut noise = blake3::Hasher::new().finalize_xof();
        let (mut step, mut left) = (vec![0; STEP], self.bytes);
        while left > 0 {
            let now = usize::try_from(left).unwrap_or(STEP).min(STEP);
            noise.fill(&mut step[..now]);
            file.write_all(&step[..now])?;
            left -= now as u64;
        }
        // Some file systems find out only now that there is no room.
        file.sync_all()
    }
}

impl Reserve for FileReserve {
    fn keep(&self) -> Result<(), StoreError> {
        Ok(self.take().map_err(Failure::from)?)
    }

    fn release(&self) -> Result<(), StoreError> {
        match fs::remove_file(&self.path) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => Err(Failure::from(why).into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_taken_in_full_and_given_free() {
        let path = std::env::temp_dir().join(format!("ondol-reserve-{}", std::process::id()));
        let reserve = FileReserve::at(&path, 200_001);
        for _ in 0..2 {
            reserve.keep().unwrap();
            assert_eq!(fs::metadata(&path).unwrap().len(), 200_001);
        }
        // What was cut off is no reserve.
        fs::write(&path, b"short").unwrap();
        reserve.keep().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 200_001);
        reserve.release().unwrap();
        assert!(!path.exists());
        reserve.release().unwrap();
    }
}
