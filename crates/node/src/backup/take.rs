//! Taking a backup beside a node that runs.

use std::{collections::HashMap, fs, io, path::Path};

use anyhow::{Context, Result, bail};
use ondol_kernel::{Clock as _, Millis};
use ondol_record::EntryHash;
use ondol_store::{EntryRow, Space, View, blobs::Blobs as _};
use ondol_store_sqlite::FileBlobs;

use super::{
    FILES, FOLDER,
    envelope::{BackupKey, KEY_FILE},
    medium::{Held, Medium},
    object::{Keys, Kind},
    records::{self, Piece, Pieces, Place, Written},
    snapshot::{Snapshot, open_all},
    sweep,
};
use crate::{
    clock::MachineClock,
    data_dir::{Beside, DataDir},
    durable::Stick,
};

/// So many rows are read at once.
const ROWS: usize = 256;

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// The number of its snapshot.
    pub number: u64,
    /// Entries in it.
    pub entries: u64,
    /// Pictures in it.
    pub blobs: u64,
    /// Pictures whose files here no longer fit their names and which no backup has.
    pub blobs_damaged: u64,
    /// What was new.
    pub written: Written,
}

/// Where what is backed up comes from.
pub struct Source {
    store: Beside,
    blobs: FileBlobs,
    files: Vec<(&'static str, Vec<u8>)>,
}

impl Source {
    /// A data directory, whose node may run.
    pub fn of(data: &DataDir) -> Result<Self> {
        let mut files = vec![];
        for name in FILES {
            match fs::read(data.0.join(name)) {
                Ok(bytes) => files.push((name, bytes)),
                Err(why) if why.kind() == io::ErrorKind::NotFound => {}
                Err(why) => return Err(why).with_context(|| format!("{name} cannot be read")),
            }
        }
        Ok(Self { store: data.beside()?, blobs: data.blobs_beside(), files })
    }
}

/// `ondol backup DIR`.
pub fn backup(
    data: &DataDir,
    to: &Path,
    check: bool,
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<()> {
    let key = BackupKey::of(data)?.context(
        "this node has no backup code yet. `ondol backup-code` makes one: write it down, seal it \
         into an envelope and keep it away from the node and from the backup",
    )?;
    if !to.is_dir() {
        bail!("{} is not there: is the stick plugged in?", to.display());
    }
    // Two runs at once would take away each other's objects. The lock goes with the process.
    let lock = fs::File::open(data.0.join(KEY_FILE)).context("the backup key cannot be read")?;
    if lock.try_lock().is_err() {
        bail!("another backup of this node runs already");
    }
    let mut medium = Medium::at(to.join(FOLDER).join(key.folder()), &Stick);
    let keys = Keys::new(&key.secret);
    if check {
        let damaged = check_newest(&keys, &medium, progress)?;
        println!("read back: {damaged} damaged files, which are written anew now");
    }
    let now = MachineClock::new(0).wall();
    let report = take(&Source::of(data)?, &key, &mut medium, now, progress)?;
    println!(
        "backed up to {}: {} entries and {} pictures; {} new files of {} KiB",
        medium.folder().display(),
        report.entries,
        report.blobs,
        report.written.objects,
        report.written.bytes.div_ceil(1024),
    );
    if report.blobs_damaged > 0 {
        bail!(
            "{} pictures are damaged here and could not be backed up; everything else is",
            report.blobs_damaged
        );
    }
    Ok(())
}

fn check_newest(
    keys: &Keys,
    medium: &Medium<'_>,
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<u64> {
    match newest(keys, medium)?.1 {
        Some(snapshot) => {
            sweep::check(keys, medium, &snapshot, &mut |done, all| progress("read", done, all))
        }
        None => Ok(0),
    }
}

/// The number of the newest snapshot, 0 if there is none, and the newest that can be read.
fn newest(keys: &Keys, medium: &Medium<'_>) -> Result<(u64, Option<Snapshot>)> {
    let numbers = medium.snapshots().context("the backup cannot be read")?;
    let last = numbers.first().copied().unwrap_or(0);
    let readable = numbers.into_iter().find_map(|number| {
        Snapshot::read(keys, medium, number)
            .inspect_err(|why| tracing::warn!(number, %why, "a snapshot cannot be read"))
            .ok()
    });
    Ok((last, readable))
}

/// Writes what is not there yet, then a snapshot.
pub fn take(
    source: &Source,
    key: &BackupKey,
    medium: &mut Medium<'_>,
    now: Millis,
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<Report> {
    let keys = Keys::new(&key.secret);
    medium.put_key(&key.envelope)?;
    let (last, before) = newest(&keys, medium)?;
    let identity = source.store.read()?.identity()?;
    let identity = identity.context("this data directory belongs to no facility yet")?;
    if identity.node != key.node() {
        bail!("the backup key of this data directory belongs to another node");
    }
    // A log of another incarnation went another way from some entry on: nothing of it is taken
    // for ours without a look. What is the same is found there by its name.
    let same = before.as_ref().filter(|before| before.identity == identity);
    let mut to = Place { keys: &keys, medium, written: Written::default() };
    let mut log = Pieces::after(Kind::Entries, whole(same, Kind::Entries, to.medium));
    catch_up(&source.store, &mut log, &mut to, progress)?;
    let (mut snapshot, readings) = {
        // What came in the meantime, and all that changes, at one moment.
        let view = source.store.read()?;
        entries(&*view, &mut log, &mut to, usize::MAX)?;
        let readings = readings(&*view, same, &mut to)?;
        let mut snapshot = Snapshot::new(identity, now, view.newest_hlc()?);
        snapshot.set(Kind::Seals, seals(&*view, &mut to)?);
        snapshot.set(Kind::Paths, paths(&*view, &mut to)?);
        snapshot.set(Kind::Values, values(&*view, &mut to)?);
        (snapshot, readings)
    };
    snapshot.set(Kind::Entries, log.finish(&mut to)?);
    snapshot.set(Kind::Readings, readings);
    snapshot.set(Kind::Files, files(source, &mut to)?);
    // Pictures are on the disk before the entries that name them: all of those are there now.
    let (blobs, blobs_damaged) = blobs(source, before.as_ref(), &mut to, progress)?;
    snapshot.set(Kind::BlobList, blobs);
    let written = to.written;
    medium.settle()?;
    let number = last + 1;
    medium.put_snapshot(number, &snapshot.seal(&keys, number)?)?;
    if let Err(why) = sweep::sweep(&keys, medium) {
        // The snapshot stands; there is only more on the medium than is needed.
        tracing::warn!("{why:#}");
    }
    let (entries, blobs) = (snapshot.records(Kind::Entries), snapshot.records(Kind::BlobList));
    Ok(Report { number, entries, blobs, blobs_damaged, written })
}

/// The objects of a log that are full and stand where they should. The last one may not be full.
fn whole(before: Option<&Snapshot>, kind: Kind, medium: &Medium<'_>) -> Vec<Piece> {
    let Some((_, full)) = before.and_then(|before| before.pieces(kind).split_last()) else {
        return vec![];
    };
    full.iter().take_while(|piece| medium.has(&piece.held)).copied().collect()
}

/// Reads most of the log in short views: a long one would let the write-ahead log grow.
fn catch_up(
    store: &Beside,
    log: &mut Pieces,
    to: &mut Place<'_, '_>,
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<()> {
    loop {
        let view = store.read()?;
        let all = view.last_arrival()?;
        progress("log", log.records(), all);
        if log.records() + ROWS as u64 >= all {
            return Ok(());
        }
        entries(&*view, log, to, ROWS)?;
    }
}

/// Adds at most so many further entries.
fn entries(
    view: &dyn View,
    log: &mut Pieces,
    to: &mut Place<'_, '_>,
    mut most: usize,
) -> Result<()> {
    while most > 0 {
        let rows = view.arrived_after(log.records(), most.min(ROWS))?;
        if rows.is_empty() {
            return Ok(());
        }
        most -= rows.len();
        for row in rows {
            check(view, &row, log.records())?;
            log.log(to, &records::entry(&row.entry))?;
        }
    }
    Ok(())
}

/// What is damaged must not take the place of what is sound.
fn check(view: &dyn View, row: &EntryRow, before: u64) -> Result<()> {
    let kept: Option<EntryHash> = view.entry_hash(&row.entry.address)?;
    if kept != Some(row.entry.hash()) || row.arrival != before + 1 {
        bail!(
            "the record here is damaged at {}: `ondol verify` says where. The snapshots that were \
             taken before stand as they were",
            row.entry.address
        );
    }
    Ok(())
}

fn readings(
    view: &dyn View,
    same: Option<&Snapshot>,
    to: &mut Place<'_, '_>,
) -> Result<Vec<Piece>> {
    let mut log = Pieces::after(Kind::Readings, whole(same, Kind::Readings, to.medium));
    loop {
        let some = view.readings_after(log.records(), ROWS)?;
        if some.is_empty() {
            return log.finish(to);
        }
        for (_, reading) in some {
            log.log(to, &records::reading(&reading))?;
        }
    }
}

fn seals(view: &dyn View, to: &mut Place<'_, '_>) -> Result<Vec<Piece>> {
    let mut pieces = Pieces::after(Kind::Seals, vec![]);
    let mut last = None;
    loop {
        let some = view.seals_after(last.as_ref(), ROWS)?;
        if some.is_empty() {
            return pieces.finish(to);
        }
        for seal in &some {
            let record = records::seal(seal);
            pieces.keyed(to, &record, &record)?;
        }
        last = some.into_iter().last();
    }
}

fn paths(view: &dyn View, to: &mut Place<'_, '_>) -> Result<Vec<Piece>> {
    let mut pieces = Pieces::after(Kind::Paths, vec![]);
    let mut last = None;
    loop {
        let some = view.seal_paths_after(last.as_ref(), ROWS)?;
        if some.is_empty() {
            return pieces.finish(to);
        }
        for path in &some {
            let record = records::path(path);
            pieces.keyed(to, &record, &record)?;
        }
        last = some.into_iter().last();
    }
}

fn values(view: &dyn View, to: &mut Place<'_, '_>) -> Result<Vec<Piece>> {
    let mut pieces = Pieces::after(Kind::Values, vec![]);
    for space in Space::all() {
        let mut last: Option<Vec<u8>> = None;
        loop {
            // Few at once: a message that waits may be of some MiB.
            let some = view.values(space, &[], last.as_deref(), 16)?;
            let Some((newest, _)) = some.last() else { break };
            last = Some(newest.clone());
            for (key, value) in &some {
                pieces.keyed(to, key, &records::value(space, key, value))?;
            }
        }
    }
    pieces.finish(to)
}

fn files(source: &Source, to: &mut Place<'_, '_>) -> Result<Vec<Piece>> {
    let mut pieces = Pieces::after(Kind::Files, vec![]);
    for (name, bytes) in &source.files {
        pieces.log(to, &records::file(name, bytes))?;
    }
    pieces.finish(to)
}

/// The pictures, and how many are damaged here.
fn blobs(
    source: &Source,
    before: Option<&Snapshot>,
    to: &mut Place<'_, '_>,
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<(Vec<Piece>, u64)> {
    let mut there = HashMap::new();
    for piece in before.map_or(&[][..], |before| before.pieces(Kind::BlobList)) {
        // A list that is damaged is made anew; each picture is then looked for.
        if let Ok(list) = open_all(to.keys, to.medium, piece, records::read_blob) {
            there.extend(list);
        }
    }
    let names = source.blobs.names()?;
    let (mut pieces, mut damaged) = (Pieces::after(Kind::BlobList, vec![]), 0);
    for (at, hash) in names.iter().enumerate() {
        let name = to.keys.name(Kind::Blob, hash);
        let known = there.get(hash).map(|&bytes| Held { name, bytes });
        let held = match known.filter(|held| to.medium.has(held)) {
            Some(held) => Some(held),
            None => match source.blobs.get(hash)? {
                Some(bytes) => Some(to.keep(Kind::Blob, &bytes)?),
                None => None,
            },
        };
        match held {
            Some(held) => pieces.keyed(to, hash, &records::blob(hash, held.bytes))?,
            None => damaged += 1,
        }
        progress("pictures", at as u64 + 1, names.len() as u64);
    }
    Ok((pieces.finish(to)?, damaged))
}
