//! Putting a backup back.
//!
//! Everything is built in a folder within the data directory and moves to its place at the end, the
//! record last: a restoration that was stopped leaves no half of a node, and begins anew.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use ondol_kernel::Millis;
use ondol_record::Entry;
use ondol_store::{Ingested, Space, Store, StoreError, WriteTx, blobs::Blobs as _, transact};

use super::{
    FILES, FOLDER,
    envelope::BackupKey,
    medium::{self, Held, Medium},
    object::{Keys, Kind},
    records,
    snapshot::{Snapshot, open, open_all},
};
use crate::{
    data_dir::{BLOBS, DataDir},
    durable::{Disk as _, OwnDisk, Stick, folder_of},
    private,
};

/// Where a restoration builds.
const BUILDING: &str = "restoring";

/// Too many names in one sentence help nobody.
const NAMED_MAX: usize = 3;

/// What is to be put back, and where.
pub struct Restoring<'a> {
    /// The stick or disk, or the folder of one backup on it.
    pub from: &'a Path,
    /// The data directory: missing or without a record.
    pub to: &'a Path,
    /// The folder's name, where several backups stand side by side.
    pub backup: Option<&'a str>,
    /// An older snapshot than the newest.
    pub snapshot: Option<u64>,
}

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// When the snapshot was taken, by the clock of that machine.
    pub taken: Millis,
    /// Entries.
    pub entries: u64,
    /// Pictures.
    pub blobs: u64,
}

/// `ondol restore DIR DATA`. The code is asked for once the backup was found.
pub fn restore(
    what: &Restoring<'_>,
    code: &mut dyn FnMut() -> Result<String>,
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<Restored> {
    let folder = find(what)?;
    let data = DataDir(what.to.to_owned(), None);
    ensure!(
        !data.record().exists(),
        "{} holds a record already: nothing was done",
        what.to.display()
    );
    let envelope = fs::read(folder.join(medium::KEY))
        .with_context(|| format!("{} cannot be read", folder.display()))?;
    let key = BackupKey::open(&envelope, &code()?)?;
    let keys = Keys::new(&key.secret);
    let medium = Medium::at(folder, &Stick);
    let snapshot = choose(&keys, &medium, what.snapshot)?;
    // First the lists, so that one that is missing is said like every other file.
    all_there(&medium, snapshot.listed().map(|piece| &piece.held))?;
    let blobs = snapshot.blobs(&keys, &medium)?;
    all_there(&medium, blobs.iter().map(|(_, held)| held))?;

    let building = begin(&data)?;
    let names = files(&keys, &medium, &snapshot, &building)?;
    let entries = record(&keys, &medium, &snapshot, &building, progress)?;
    for (at, (hash, held)) in blobs.iter().enumerate() {
        let bytes = open(&keys, &medium, &held.name)?;
        let kept = building.blobs()?.put(&bytes)?;
        ensure!(kept == *hash, "a picture of the backup is another one than it should be");
        progress("pictures", at as u64 + 1, blobs.len() as u64);
    }
    building.begin_anew()?;
    move_in(&building, &data, &names)?;
    Ok(Restored { taken: snapshot.taken, entries, blobs: blobs.len() as u64 })
}

/// The folder of the backup.
fn find(what: &Restoring<'_>) -> Result<PathBuf> {
    let place = what.from;
    ensure!(place.is_dir(), "{} is not there: is the stick plugged in?", place.display());
    if place.join(medium::KEY).is_file() {
        return Ok(place.to_owned());
    }
    let mut found = vec![];
    let above = if place.join(FOLDER).is_dir() { place.join(FOLDER) } else { place.to_owned() };
    for folder in fs::read_dir(&above).with_context(|| format!("{}", above.display()))? {
        let folder = folder?.path();
        if folder.join(medium::KEY).is_file() {
            found.push(folder);
        }
    }
    found.sort();
    if let Some(name) = what.backup {
        found.retain(|folder| folder.file_name().is_some_and(|own| own == name));
    }
    match &*found {
        [one] => Ok(one.clone()),
        [] => bail!("there is no backup of Ondol in {}", place.display()),
        several => {
            let names: Vec<_> = several.iter().filter_map(|f| f.file_name()?.to_str()).collect();
            bail!("there are several backups; say which with --backup: {}", names.join(", "))
        }
    }
}

/// The newest snapshot that can be read, or the one that was asked for.
fn choose(keys: &Keys, medium: &Medium<'_>, wanted: Option<u64>) -> Result<Snapshot> {
    let numbers = medium.snapshots().context("the backup cannot be read")?;
    if let Some(number) = wanted {
        ensure!(numbers.contains(&number), "there is no snapshot {number}; there are {numbers:?}");
        return Snapshot::read(keys, medium, number)
            .with_context(|| format!("snapshot {number} cannot be used"));
    }
    ensure!(!numbers.is_empty(), "the backup was never finished: it has no snapshot");
    let mut why_not = None;
    for number in numbers {
        match Snapshot::read(keys, medium, number) {
            Ok(snapshot) => return Ok(snapshot),
            Err(why) => {
                eprintln!("snapshot {number} cannot be used ({why:#}); trying an older one");
                why_not.get_or_insert(why);
            }
        }
    }
    Err(why_not.unwrap_or_else(|| anyhow::anyhow!("there is no snapshot")))
        .context("no snapshot of the backup can be used")
}

/// What is missing or cut off is said before anything is done.
fn all_there<'a>(medium: &Medium<'_>, held: impl Iterator<Item = &'a Held>) -> Result<()> {
    let missing: Vec<String> =
        held.filter(|held| !medium.has(held)).map(|held| held.name.to_hex()).collect();
    ensure!(
        missing.is_empty(),
        "the backup lacks {} files, or they are cut off: {}. An older snapshot may be whole \
         (--snapshot), or another stick",
        missing.len(),
        missing[..missing.len().min(NAMED_MAX)].join(", ")
    );
    Ok(())
}

/// Makes the folder in which is built; what a restoration that was stopped left goes.
fn begin(data: &DataDir) -> Result<DataDir> {
    let building = data.0.join(BUILDING);
    if data.0.is_dir() && !building.is_dir() {
        // Keys or pictures that lie there without a record may be all that is left of a node.
        let mut names = FILES.into_iter().chain([BLOBS]);
        let name = names.find(|name| data.0.join(name).exists());
        if let Some(name) = name {
            bail!("{} holds {name} of another node: nothing was done", data.0.display());
        }
    }
    match fs::remove_dir_all(&building) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => {
            return Err(why).with_context(|| format!("{} cannot be removed", building.display()));
        }
        _ => {}
    }
    DataDir::at(&building)
}

fn files(
    keys: &Keys,
    medium: &Medium<'_>,
    snapshot: &Snapshot,
    to: &DataDir,
) -> Result<Vec<String>> {
    let mut names = vec![];
    for piece in snapshot.pieces(Kind::Files) {
        for (name, bytes) in open_all(keys, medium, piece, records::read_file)? {
            // A name from elsewhere never leads out of the folder.
            ensure!(FILES.contains(&&*name), "the backup holds a file that this program lacks");
            private::write(&to.0.join(&name), &bytes)?;
            names.push(name);
        }
    }
    Ok(names)
}

/// The record: entries in the order of their arrival, then what belongs to the node alone.
fn record(
    keys: &Keys,
    medium: &Medium<'_>,
    snapshot: &Snapshot,
    to: &DataDir,
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<u64> {
    let store = to.store()?;
    let (identity, all) = (snapshot.identity.clone(), snapshot.records(Kind::Entries));
    transact(&*store, move |tx| tx.set_identity(&identity))?;
    let mut done = 0;
    for piece in snapshot.pieces(Kind::Entries) {
        entries(&*store, open_all(keys, medium, piece, records::read_entry)?, snapshot)?;
        done += piece.records;
        progress("log", done, all);
    }
    for piece in snapshot.pieces(Kind::Readings) {
        let some = open_all(keys, medium, piece, records::read_reading)?;
        write(&*store, move |tx| some.iter().try_for_each(|one| tx.record_reading(one)))?;
    }
    for piece in snapshot.pieces(Kind::Seals) {
        let some = open_all(keys, medium, piece, ondol_record::Seal::read)?;
        write(&*store, move |tx| some.iter().try_for_each(|seal| tx.put_seal(seal, &[])))?;
    }
    for piece in snapshot.pieces(Kind::Paths) {
        let some = open_all(keys, medium, piece, records::read_sealed_path)?;
        write(&*store, move |tx| {
            some.iter().try_for_each(|(seal, path)| tx.put_seal(seal, std::slice::from_ref(path)))
        })?;
    }
    for piece in snapshot.pieces(Kind::Values) {
        let some: Vec<(Space, Vec<u8>, Vec<u8>)> =
            open_all(keys, medium, piece, records::read_value)?;
        write(&*store, move |tx| {
            some.iter().try_for_each(|(space, key, value)| tx.set_value(*space, key, Some(value)))
        })?;
    }
    check(&*store, snapshot, all, progress)?;
    Ok(all)
}

fn write(
    store: &dyn Store,
    job: impl FnOnce(&mut dyn WriteTx) -> Result<(), StoreError> + Send + 'static,
) -> Result<()> {
    Ok(transact(store, job)?)
}

fn entries(store: &dyn Store, bytes: Vec<Vec<u8>>, snapshot: &Snapshot) -> Result<()> {
    let mut parsed = Vec::with_capacity(bytes.len());
    for bytes in bytes {
        parsed.push((Entry::from_bytes(&bytes).context("an entry cannot be read")?, bytes));
    }
    // The newest stamp is the clock: what that node believed is believed again, and no more.
    let wall = snapshot.newest.millis();
    let fits = transact(store, move |tx| {
        for (entry, bytes) in &parsed {
            if tx.ingest(entry, bytes, wall)? != Ingested::New {
                return Ok::<_, StoreError>(false);
            }
        }
        Ok(true)
    })?;
    ensure!(fits, "the log of the backup contradicts itself");
    Ok(())
}

/// What was put back is compared with what the snapshot says, and with itself.
fn check(
    store: &dyn Store,
    snapshot: &Snapshot,
    all: u64,
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<()> {
    let view = store.read()?;
    let same = view.last_arrival()? == all && view.newest_hlc()? >= snapshot.newest;
    drop(view);
    let findings = store.verify(&mut |done, all| progress("check", done, all))?;
    for finding in &findings {
        eprintln!("{}", finding.what);
    }
    ensure!(same && findings.is_empty(), "what was put back is not sound: it is not used");
    Ok(())
}

/// Everything goes to its place, the record last.
fn move_in(building: &DataDir, data: &DataDir, files: &[String]) -> Result<()> {
    let cannot = || format!("{} cannot be written to", data.0.display());
    let record = building.record();
    let record_name = record.file_name().context("the record has no name")?.to_owned();
    let log = record.with_extension("db-wal");
    ensure!(!log.exists(), "the restored record was not closed: begin anew");
    // Makes the folder, also when there are no pictures.
    drop(building.blobs()?);
    // Pictures that a restoration moved before it was stopped are the same ones.
    let placed = data.0.join(BLOBS);
    if placed.is_dir() {
        fs::remove_dir_all(&placed).with_context(cannot)?;
    }
    for name in files.iter().map(String::as_str).chain([BLOBS]) {
        fs::rename(building.0.join(name), data.0.join(name)).with_context(cannot)?;
    }
    OwnDisk
        .sync_names(&building.0)
        .and_then(|()| OwnDisk.sync_names(&data.0))
        .with_context(cannot)?;
    fs::rename(&record, data.0.join(record_name)).with_context(cannot)?;
    OwnDisk.sync_names(&data.0).with_context(cannot)?;
    fs::remove_dir_all(&building.0).with_context(cannot)?;
    OwnDisk.sync_names(folder_of(&building.0)).with_context(cannot)
}
