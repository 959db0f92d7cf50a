//! Files, and what of them would survive a power cut.

use std::collections::BTreeMap;

/// What a disk sets down at once, bytes.
const SECTOR: usize = 512;

/// The files of a disk, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// The files' contents.
    pub files: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Clone)]
enum Pending {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { size: usize },
}

#[derive(Debug, Default)]
struct File {
    /// As a reader sees it now.
    now: Vec<u8>,
    /// As it stood when it was last synced; `None` if its name was never made durable.
    synced: Option<Vec<u8>>,
    pending: Vec<Pending>,
}

/// All files.
#[derive(Debug, Default)]
pub(crate) struct Platter {
    files: BTreeMap<String, File>,
    /// Files that were deleted while their directory was not synced.
    deleted: BTreeMap<String, Vec<u8>>,
}

/// A small generator (Marsaglia's xorshift64*): the same seed, the same accident.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// True in `of256` of 256 cases.
    fn hits(&mut self, of256: u64) -> bool {
        (self.next() >> 56) < of256
    }
}

fn overwrite(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}

impl Platter {
    pub(crate) fn new(image: Image) -> Self {
        let file = |now: Vec<u8>| File { synced: Some(now.clone()), now, pending: vec![] };
        let files = image.files.into_iter().map(|(name, now)| (name, file(now))).collect();
        Self { files, deleted: BTreeMap::new() }
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    pub(crate) fn create(&mut self, name: &str) {
        self.files.entry(name.to_owned()).or_default();
    }

    /// Removes a file; with `durably` so that it cannot come back.
    pub(crate) fn delete(&mut self, name: &str, durably: bool) -> bool {
        let Some(file) = self.files.remove(name) else { return false };
        if let Some(synced) = file.synced {
            self.deleted.insert(name.to_owned(), synced);
        }
        if durably {
            self.sync_directory();
        }
        true
    }

    /// Makes names and deletions durable. All files stand in one directory.
    fn sync_directory(&mut self) {
        self.deleted.clear();
        for file in self.files.values_mut() {
            file.synced.get_or_insert_default();
        }
    }

    pub(crate) fn size(&self, name: &str) -> usize {
        self.files.get(name).map_or(0, |file| file.now.len())
    }

    /// Reads into `to`; what lies behind the end is zeros. Whether all of it was there.
    pub(crate) fn read(&self, name: &str, at: usize, to: &mut [u8]) -> bool {
        let now = self.files.get(name).map_or(&[][..], |file| &file.now);
        let there = now.get(at..).unwrap_or_default();
        let count = there.len().min(to.len());
        to[..count].copy_from_slice(&there[..count]);
        to[count..].fill(0);
        count == to.len()
    }

    pub(crate) fn write(&mut self, name: &str, at: usize, bytes: &[u8]) {
        let file = self.files.entry(name.to_owned()).or_default();
        overwrite(&mut file.now, at, bytes);
        file.pending.push(Pending::Write { at, bytes: bytes.to_vec() });
    }

    pub(crate) fn truncate(&mut self, name: &str, size: usize) {
        let file = self.files.entry(name.to_owned()).or_default();
        file.now.resize(size, 0);
        file.pending.push(Pending::Truncate { size });
    }

    /// Makes a file's bytes durable; its name too, as SQLite does it on unix: with
    /// `with_directory` the first sync of a new file syncs the directory.
    pub(crate) fn sync(&mut self, name: &str, with_directory: bool) {
        let Some(file) = self.files.get_mut(name) else { return };
        let is_new = file.synced.is_none();
        let synced = file.synced.get_or_insert_default();
        for change in file.pending.drain(..) {
            match change {
                Pending::Write { at, bytes } => overwrite(synced, at, &bytes),
                Pending::Truncate { size } => synced.resize(size, 0),
            }
        }
        if is_new && with_directory {
            self.sync_directory();
        }
    }

    /// What a power cut at this moment could leave.
    pub(crate) fn image(&self, seed: u64) -> Image {
        let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..4 {
            chance.next();
        }
        let mut image = Image::default();
        for (name, content) in &self.deleted {
            if !self.exists(name) && chance.hits(128) {
                image.files.insert(name.clone(), content.clone());
            }
        }
        for (name, file) in &self.files {
            let is_named = file.synced.is_some() || chance.hits(128);
            if is_named {
                let mut content = file.synced.clone().unwrap_or_default();
                survive(&mut content, &file.pending, seed % 4, &mut chance);
                image.files.insert(name.clone(), content);
            }
        }
        image
    }
}

/// Applies what survives of the changes that were not synced.
fn survive(content: &mut Vec<u8>, pending: &[Pending], manner: u64, chance: &mut Chance) {
    let count = pending.len() as u64;
    // How far the disk had come if it kept the order.
    let reached = if count == 0 { 0 } else { chance.next() % (count + 1) };
    let share = [16, 64, 128, 192, 240][usize::try_from(chance.next() % 5).unwrap_or(0)];
    for (at, change) in (0u64..).zip(pending) {
        let survives = match manner {
            // Nothing but what was synced; all, as when only the program dies.
            0 => 0,
            1 => 256,
            // Any sectors, in any order.
            2 => share,
            // In order up to a place, where the last change is torn.
            _ if at < reached => 256,
            _ if at == reached => 128,
            _ => 0,
        };
        match change {
            Pending::Truncate { size } => {
                if chance.hits(survives) {
                    content.resize(*size, 0);
                }
            }
            Pending::Write { at, bytes } => {
                for (from, sector) in sectors(*at, bytes) {
                    if chance.hits(survives) {
                        overwrite(content, from, sector);
                    }
                }
            }
        }
    }
}

/// Cuts a write at the borders of sectors.
fn sectors(at: usize, bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(from..).filter(|rest| !rest.is_empty())?;
        let place = at + from;
        let length = (SECTOR - place % SECTOR).min(rest.len());
        from += length;
        Some((place, &rest[..length]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(platter: &Platter, seed: u64) -> Option<Vec<u8>> {
        platter.image(seed).files.remove("f")
    }

    #[test]
    fn synced_bytes_survive_every_cut_and_others_may_not() {
        let mut platter = Platter::default();
        platter.write("f", 0, &[1; 2048]);
        platter.sync("f", true);
        platter.write("f", 512, &[2; 1024]);
        let outcomes: std::collections::BTreeSet<_> =
            (0..200).map(|seed| left(&platter, seed).unwrap()).collect();
        assert!(outcomes.len() > 3, "{}", outcomes.len());
        for outcome in outcomes {
            assert!(outcome[..512].iter().chain(&outcome[1536..]).all(|&byte| byte == 1));
            for sector in outcome.chunks(512) {
                assert!(sector.iter().all(|byte| byte == &sector[0]), "a sector is never torn");
            }
        }
    }

    #[test]
    fn a_file_that_was_never_synced_may_be_gone() {
        let mut platter = Platter::default();
        platter.write("f", 0, b"x");
        let there = (0..50).filter(|&seed| left(&platter, seed).is_some()).count();
        assert!((1..50).contains(&there));
        platter.sync("f", true);
        assert!((0..50).all(|seed| left(&platter, seed).as_deref() == Some(b"x")));
    }

    #[test]
    fn a_deleted_file_may_come_back_until_its_directory_is_synced() {
        let mut platter = Platter::default();
        platter.write("f", 0, b"x");
        platter.sync("f", false);
        platter.delete("f", false);
        let back = (0..50).filter(|&seed| left(&platter, seed).is_some()).count();
        assert!((1..50).contains(&back));
        platter.write("g", 0, b"y");
        platter.sync("g", true);
        assert!((0..50).all(|seed| left(&platter, seed).is_none()));
    }

    #[test]
    fn writes_are_cut_at_the_borders_of_sectors() {
        let bytes = [0; 1000];
        let pieces: Vec<_> = sectors(500, &bytes).map(|(at, piece)| (at, piece.len())).collect();
        assert_eq!(pieces, [(500, 12), (512, 512), (1024, 476)]);
    }
}
