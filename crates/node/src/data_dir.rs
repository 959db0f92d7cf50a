//! What stands where in a data directory.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use ondol_app::{App, Parts, founding};
use ondol_store::{Store, StoreError, View};
use ondol_store_postgres::PostgresStore;
use ondol_store_sqlite::{FileBlobs, FileReserve, OpenOptions, SqliteStore};
use serde_json::{Value, json};

use crate::{chance::MachineChance, clock::MachineClock, durable, private, terminology};

/// Korea's offset: what pages show unless the configuration says otherwise.
const UTC_OFFSET_MINUTES: i32 = 9 * 60;

/// So much of the disk is kept back for the audit, bytes: some weeks of a clinic's reading.
const RESERVE_BYTES: u64 = 16 << 20;

/// The folder of the pictures.
pub const BLOBS: &str = "blobs";

/// A data directory, and the URL of its record where that is in a database elsewhere.
#[derive(Clone)]
pub struct DataDir(pub PathBuf, pub Option<Box<str>>);

/// A record that is only read, beside the node that writes it or without any.
pub enum Beside {
    /// In the data directory.
    Sqlite(ondol_store_sqlite::Beside),
    /// In a database.
    Postgres(ondol_store_postgres::Beside),
}

impl Beside {
    /// A view of one moment.
    pub fn read(&self) -> Result<Box<dyn View + '_>, StoreError> {
        match self {
            Self::Sqlite(store) => store.read(),
            Self::Postgres(store) => store.read(),
        }
    }
}

/// What `ondol.json` of a data directory says. Every field has a default.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the node above listens on the road: `host:port`.
    pub parent_address: Option<String>,
    /// The link key of the node above.
    pub parent_link_key: Option<[u8; 32]>,
    /// Minutes east of UTC.
    pub utc_offset_minutes: i32,
}

impl DataDir {
    /// Makes the directory if it is missing.
    pub fn at(path: &Path) -> Result<Self> {
        durable::make_folders(&durable::OwnDisk, path)
            .with_context(|| format!("the data directory {} cannot be made", path.display()))?;
        Ok(Self(path.to_owned(), None))
    }

    /// The same with its record at a URL.
    pub fn with_store(self, url: Option<&str>) -> Result<Self> {
        if url.is_some_and(|url| !PostgresStore::is_url(url)) {
            bail!("--store takes postgres://…; without it the record is in the data directory");
        }
        Ok(Self(self.0, url.map(Into::into)))
    }

    /// The file of the node's private keys.
    pub fn keys(&self) -> PathBuf {
        self.0.join("node.key")
    }

    /// The file of the nation's root key, at the ministry alone.
    pub fn root_key(&self) -> PathBuf {
        self.0.join("nation-root.key")
    }

    /// The file of the certificates of pages.
    pub fn tls(&self) -> PathBuf {
        self.0.join("tls.json")
    }

    /// The file of the addresses where neighbours were heard last.
    pub fn addresses(&self) -> PathBuf {
        self.0.join("addresses")
    }

    /// The key of the tokens of forms: made once, the same over restarts.
    pub fn form_secret(&self) -> Result<[u8; 32]> {
        let path = self.0.join("form.key");
        if let Ok(bytes) = fs::read(&path)
            && let Ok(secret) = bytes.try_into()
        {
            return Ok(secret);
        }
        let secret = crate::chance::seed();
        private::write(&path, &secret)?;
        Ok(secret)
    }

    /// Opens the record.
    pub fn store(&self) -> Result<Arc<dyn Store>> {
        Ok(self.store_and_home()?.0)
    }

    /// Opens the record; and by what it is told from a copy of it.
    fn store_and_home(&self) -> Result<(Arc<dyn Store>, Vec<u8>)> {
        if let Some(url) = &self.1 {
            let store = PostgresStore::open(url, self.postgres_options()?)?;
            let home = store.home();
            return Ok((Arc::new(store), home));
        }
        let store = SqliteStore::open(&self.record(), self.options()?)?;
        Ok((Arc::new(store), self.home()?))
    }

    /// Opens the record for reading alone, beside the node that may run.
    pub fn beside(&self) -> Result<Beside> {
        if let Some(url) = &self.1 {
            let beside = ondol_store_postgres::Beside::open(url, self.postgres_options()?)?;
            return Ok(Beside::Postgres(beside));
        }
        let record = self.record();
        if !record.is_file() {
            bail!("{} holds no record of Ondol", self.0.display());
        }
        Ok(Beside::Sqlite(ondol_store_sqlite::Beside::open(&record, self.options()?)?))
    }

    /// The pictures, beside the node that may run.
    pub fn blobs_beside(&self) -> FileBlobs {
        FileBlobs::beside(&self.0.join(BLOBS))
    }

    /// Opens the pictures.
    pub fn blobs(&self) -> Result<FileBlobs> {
        Ok(FileBlobs::open(&self.0.join(BLOBS))?)
    }

    /// Room beside the record that is kept back for the audit.
    pub fn reserve(&self) -> FileReserve {
        FileReserve::at(&self.0.join("reserve"), RESERVE_BYTES)
    }

    /// Says that this record was put back from a backup: a new incarnation begins.
    pub fn begin_anew(&self) -> Result<()> {
        let (store, home) = self.store_and_home()?;
        let app = self.open(store, BLOBS, false)?;
        if !app.lives_at(&home)? {
            app.restored()?;
        }
        Ok(())
    }

    fn options(&self) -> Result<OpenOptions> {
        let utc_offset_minutes = self.settings()?.utc_offset_minutes;
        Ok(OpenOptions { utc_offset_minutes, ..OpenOptions::default() })
    }

    fn postgres_options(&self) -> Result<ondol_store_postgres::OpenOptions> {
        let utc_offset_minutes = self.settings()?.utc_offset_minutes;
        Ok(ondol_store_postgres::OpenOptions {
            utc_offset_minutes,
            ..ondol_store_postgres::OpenOptions::default()
        })
    }

    /// Reads `ondol.json`.
    pub fn settings(&self) -> Result<Settings> {
        let path = self.0.join("ondol.json");
        let value: Value = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("{} is not valid JSON", path.display()))?,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => json!({}),
            Err(why) => {
                return Err(why).with_context(|| format!("{} cannot be read", path.display()));
            }
        };
        let key = match value.get("parent_link_key").and_then(Value::as_str) {
            None => None,
            Some(hex) => {
                let mut key = [0; 32];
                let good = ondol_kernel::bytes::hex_to(hex, &mut key);
                anyhow::ensure!(good, "parent_link_key of {} is no key", path.display());
                Some(key)
            }
        };
        let offset = value.get("utc_offset_minutes").and_then(Value::as_i64);
        Ok(Settings {
            parent_address: value.get("parent_address").and_then(Value::as_str).map(str::to_owned),
            parent_link_key: key,
            utc_offset_minutes: offset
                .and_then(|minutes| i32::try_from(minutes).ok())
                .unwrap_or(UTC_OFFSET_MINUTES),
        })
    }

    /// Writes `ondol.json`.
    pub fn write_settings(&self, settings: &Settings) -> Result<()> {
        let key = settings.parent_link_key.map(|key| ondol_kernel::bytes::to_hex(&key));
        let value = json!({
            "parent_address": settings.parent_address,
            "parent_link_key": key,
            "utc_offset_minutes": settings.utc_offset_minutes,
        });
        private::write(&self.0.join("ondol.json"), serde_json::to_string_pretty(&value)?.as_bytes())
    }

    /// Opens the use cases over the record.
    pub fn app(&self) -> Result<Arc<App>> {
        let (store, home) = self.store_and_home()?;
        let app = self.open(store, BLOBS, false)?;
        if app.lives_at(&home)? {
            tracing::warn!("this record is a copy: the node begins a new incarnation");
        }
        Ok(app)
    }

    /// By what the file of the record is told from a copy of it: its inode, and when it was made
    /// where the file system says so. Both stay when the directory is renamed, and neither when it
    /// is copied or put back from a backup. A disk that was cloned whole is not noticed.
    fn home(&self) -> Result<Vec<u8>> {
        let file = fs::metadata(self.record())?;
        let mut mark = file.ino().to_be_bytes().to_vec();
        if let Ok(made) = file.created()
            && let Ok(made) = made.duration_since(std::time::UNIX_EPOCH)
        {
            mark.extend_from_slice(&made.as_nanos().to_be_bytes());
        }
        Ok(mark)
    }

    /// The file of the record.
    pub fn record(&self) -> PathBuf {
        self.0.join("ondol.db")
    }

    /// Opens the practice room: a store of its own that nothing ever leaves. It takes the
    /// facility's place, so that it looks like work.
    pub fn practice(&self, real: &App) -> Result<Arc<App>> {
        let store = SqliteStore::open(&self.0.join("practice.db"), self.options()?)?;
        let store: Arc<dyn Store> = Arc::new(store);
        founding::settle_practice(&*store, real)?;
        self.open(store, "practice-blobs", true)
    }

    fn open(&self, store: Arc<dyn Store>, blobs: &str, practice: bool) -> Result<Arc<App>> {
        let place = founding::place_of(&*store)?.context(
            "this data directory belongs to no facility yet: begin with `ondol init` (ministry) \
             or `ondol join` (everyone else)",
        )?;
        let parts = Parts {
            store,
            blobs: Arc::new(FileBlobs::open(&self.0.join(blobs))?),
            clock: Arc::new(MachineClock::new(self.settings()?.utc_offset_minutes)),
            rng: Arc::new(MachineChance),
            keys: private::read_keys(&self.keys())?,
            place,
            practice,
        };
        let app = App::open(parts)?;
        app.use_library(Arc::new(terminology::library(&self.0)));
        Ok(Arc::new(app))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use ondol_kernel::Millis;
    use ondol_replicate::link;

    fn epoch(data: &DataDir) -> u64 {
        data.app().unwrap().own_epoch().unwrap()
    }

    #[test]
    fn a_directory_that_was_copied_begins_a_new_incarnation_and_one_that_was_moved_does_not() {
        let folder = std::env::temp_dir().join(format!("ondol-copied-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let first = DataDir::at(&folder.join("first")).unwrap();
        let (root, keys) = (SigningKey::from_bytes(&[1; 32]), private::new_keys());
        private::write_keys(&first.keys(), &keys).unwrap();
        let store = first.store().unwrap();
        let public = link::public_key(&keys.link).unwrap();
        founding::found_nation(&*store, &root, &keys, public, "보건성", Millis(0)).unwrap();
        drop(store);
        let before = epoch(&first);
        assert_eq!(epoch(&first), before);

        let moved = DataDir(folder.join("moved"), None);
        fs::rename(&first.0, &moved.0).unwrap();
        assert_eq!(epoch(&moved), before);

        let copied = DataDir::at(&folder.join("copied")).unwrap();
        for file in fs::read_dir(&moved.0).unwrap().flatten() {
            if file.file_type().unwrap().is_file() {
                fs::copy(file.path(), copied.0.join(file.file_name())).unwrap();
            }
        }
        let after = epoch(&copied);
        assert!(after > before);
        assert_eq!(epoch(&copied), after);
        assert_eq!(epoch(&moved), before);
        fs::remove_dir_all(&folder).unwrap();
    }
}
