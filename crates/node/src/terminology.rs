//! `ondol terminology`: packages of terminology, added from files that people have (ADR 0021).

mod archive;
#[cfg(test)]
mod tests;

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use ondol_store_sqlite::packages::{
    Contents, LIST, Listed, Package, PackageWriter, Packages, parse_list, write_list,
};
use ondol_terms::load::{TableAsked, json, system_called, table};

use crate::durable::{Disk, OwnDisk, folder_of, make_folders};

/// The folder of the packages in a data directory.
const FOLDER: &str = "terminology";

/// What an archive may unpack to, bytes: ten times the largest package that there is.
const UNPACKED_MAX: u64 = 8 << 30;

/// What whoever adds a package says about it.
#[derive(Debug, Default)]
pub struct Asked {
    /// A short name or the URL of the system of a table.
    pub system: Option<String>,
    /// The version of the system of a table.
    pub version: Option<String>,
    /// The language of the names of a table.
    pub language: Option<String>,
    /// What the package is called; one that is called so is replaced.
    pub name: Option<String>,
}

/// The packages in a data directory.
pub fn library(data: &Path) -> Packages {
    Packages::at(&data.join(FOLDER))
}

/// The packages in a data directory, to be changed.
pub struct Shelf<'d> {
    folder: PathBuf,
    disk: &'d dyn Disk,
    /// Held while something is changed: one change at a time.
    _lock: File,
}

/// A package that was looked at.
pub struct Found {
    /// Its name.
    pub name: String,
    /// What it has; none if its file is damaged or gone.
    pub contents: Option<Contents>,
}

impl Shelf<'_> {
    /// Opens the packages of a data directory.
    pub fn open(data: &Path) -> Result<Self> {
        Self::on(&OwnDisk, data)
    }
}

impl<'d> Shelf<'d> {
    fn on(disk: &'d dyn Disk, data: &Path) -> Result<Self> {
        let folder = data.join(FOLDER);
        make_folders(disk, &folder)
            .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        let lock = File::create(folder.join("lock")).context("the packages cannot be changed")?;
        lock.lock().context("the packages cannot be changed")?;
        Ok(Self { folder, disk, _lock: lock })
    }

    fn listed(&self) -> Result<Vec<Listed>> {
        match fs::read_to_string(self.folder.join(LIST)) {
            Ok(text) => parse_list(&text).context(
                "the list of packages is damaged: take the folder 'terminology' out of the data \
                 directory and add the packages again",
            ),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(vec![]),
            Err(why) => Err(why).context("the list of packages cannot be read"),
        }
    }

    /// Adds a file, in the place of a package of the same name. Until all of it is durable the
    /// older one counts.
    pub fn add(&self, file: &Path, asked: &Asked) -> Result<(String, Contents)> {
        let fresh = self.folder.join("package.new");
        let added = self.add_by_way_of(&fresh, file, asked);
        if added.is_err() {
            // Nothing of it counts; what is left would only take room.
            let _ = fs::remove_file(&fresh);
        }
        added
    }

    fn add_by_way_of(
        &self,
        fresh: &Path,
        file: &Path,
        asked: &Asked,
    ) -> Result<(String, Contents)> {
        drop(self.disk.make(fresh, 0o600).context("the package cannot be written")?);
        let mut writer = PackageWriter::create(fresh)?;
        let source =
            File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let own_name = read(BufReader::new(source), asked, &mut writer)
            .with_context(|| format!("{} was not added", file.display()))?;
        writer.finish().with_context(|| format!("{} was not added", file.display()))?;
        let contents = Package::open(fresh, "new")?.contents()?;
        let name = asked.name.clone().or(own_name).unwrap_or_else(|| name_of(file, &contents));
        if name.is_empty() || name.contains(['\n', '\r']) {
            bail!("a package is called by one line: say it with --name");
        }
        let hash = hash_of(fresh)?;
        let listed = Listed { hash, name: name.clone() };
        let place = listed.file_in(&self.folder);
        self.disk.sync(&File::open(fresh)?, fresh).context("the package cannot be written")?;
        self.disk.rename(fresh, &place).context("the package cannot be written")?;
        self.disk.sync_names(&self.folder).context("the package cannot be written")?;
        let mut all = self.listed()?;
        all.retain(|known| known.name != name);
        all.push(listed);
        self.write(&all)?;
        Ok((name, contents))
    }

    /// Takes a package away.
    pub fn remove(&self, name: &str) -> Result<()> {
        let mut all = self.listed()?;
        let before = all.len();
        all.retain(|known| known.name != name);
        if all.len() == before {
            bail!("no package is called so: see 'ondol terminology list'");
        }
        self.write(&all)
    }

    /// Every package, in the order in which they were added, each read to its end.
    pub fn all(&self) -> Result<Vec<Found>> {
        let found = self.listed()?.into_iter().map(|one| {
            let place = one.file_in(&self.folder);
            let is_sound = hash_of(&place).is_ok_and(|hash| hash == one.hash);
            let open = || Package::open(&place, &one.name)?.contents();
            Found { contents: is_sound.then(|| open().ok()).flatten(), name: one.name }
        });
        Ok(found.collect())
    }

    /// Makes a list count, then lets go of the files that it does not name.
    fn write(&self, all: &[Listed]) -> Result<()> {
        let (list, fresh) = (self.folder.join(LIST), self.folder.join("list.new"));
        let mut file = self.disk.make(&fresh, 0o600).context("the list cannot be written")?;
        file.write_all(write_list(all).as_bytes()).context("the list cannot be written")?;
        self.disk.sync(&file, &fresh)?;
        self.disk.rename(&fresh, &list)?;
        self.disk.sync_names(folder_of(&list))?;
        for entry in fs::read_dir(&self.folder)?.flatten() {
            let path = entry.path();
            let is_package = path.extension().is_some_and(|extension| extension == "db");
            if is_package && !all.iter().any(|one| one.file_in(&self.folder) == path) {
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }
}

/// Reads a file into a package; its own name, if it says one.
fn read(mut source: impl BufRead, asked: &Asked, to: &mut PackageWriter) -> Result<Option<String>> {
    let begins = source.fill_buf().context("the file cannot be read")?;
    if begins.starts_with(&[0x1f, 0x8b]) {
        return archive::read(source, UNPACKED_MAX, to);
    }
    let first = begins.iter().find(|byte| !b"\xef\xbb\xbf \t\r\n".contains(byte)).copied();
    if matches!(first, Some(b'{' | b'[')) {
        skip_mark(&mut source)?;
        json(source, to)?;
        return Ok(None);
    }
    if begins.starts_with(b"PK") {
        bail!("this is a zip file or a spreadsheet: unpack it, or save the table as CSV (UTF-8)");
    }
    let asked = TableAsked {
        system: asked.system.as_deref().map(system_called),
        version: asked.version.as_deref(),
        language: asked.language.as_deref(),
    };
    table(source, asked, to)?;
    Ok(None)
}

/// Passes over the mark that some programs put before UTF-8.
fn skip_mark(source: &mut impl BufRead) -> Result<()> {
    if source.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        source.consume(3);
    }
    Ok(())
}

/// The name of a package whose file says none: the one system that it has, or that of the file.
fn name_of(file: &Path, contents: &Contents) -> String {
    match &*contents.systems {
        [(url, ..)] => url.clone(),
        _ => file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(),
    }
}

fn hash_of(path: &Path) -> Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut bytes = vec![0; 1 << 16];
    loop {
        match file.read(&mut bytes)? {
            0 => return Ok(hasher.finalize().to_hex().to_string()),
            count => hasher.update(&bytes[..count]),
        };
    }
}

/// Adds a file and says what is in it.
pub fn add(data: &Path, file: &Path, asked: &Asked) -> Result<()> {
    let (name, contents) = Shelf::open(data)?.add(file, asked)?;
    println!("{name} was added");
    tell(&contents);
    Ok(())
}

/// Says which packages there are.
pub fn list(data: &Path) -> Result<()> {
    let mut damaged = 0;
    for found in Shelf::open(data)?.all()? {
        println!("{}", found.name);
        match &found.contents {
            Some(contents) => tell(contents),
            None => {
                damaged += 1;
                println!("  damaged: add it again from its file");
            }
        }
    }
    if damaged > 0 {
        bail!("{damaged} of the packages cannot be used");
    }
    Ok(())
}

/// Takes a package away.
pub fn remove(data: &Path, name: &str) -> Result<()> {
    Shelf::open(data)?.remove(name)?;
    println!("{name} was removed");
    Ok(())
}

fn tell(contents: &Contents) {
    for (url, version, concepts, is_whole) in &contents.systems {
        let version = version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
        let part = if *is_whole { "" } else { ", a part of it" };
        println!("  {url}{version}: {concepts} codes{part}");
    }
    if contents.value_sets > 0 {
        println!("  {} value sets", contents.value_sets);
    }
    if contents.concept_maps > 0 {
        println!("  {} concept maps", contents.concept_maps);
    }
}
