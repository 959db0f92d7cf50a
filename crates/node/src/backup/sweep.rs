//! Reading a backup over, and taking away what no snapshot needs any more.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::{
    medium::{Held, Medium},
    object::Keys,
    snapshot::Snapshot,
};

/// So many snapshots are kept. A log only grows, so that an older one says nothing that a newer does
/// not; one that is damaged leaves two.
pub const KEPT: usize = 3;

/// All objects of a snapshot, pictures included.
pub fn objects(keys: &Keys, medium: &Medium<'_>, snapshot: &Snapshot) -> Result<Vec<Held>> {
    let listed = snapshot.listed().map(|piece| piece.held);
    let blobs = snapshot.blobs(keys, medium)?.into_iter().map(|(_, held)| held);
    Ok(listed.chain(blobs).collect())
}

/// Reads every object of a snapshot back and removes those that are damaged, so that the next run
/// writes them anew. Gives how many were.
pub fn check(
    keys: &Keys,
    medium: &Medium<'_>,
    snapshot: &Snapshot,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64> {
    let mut damaged = 0;
    let mut held: Vec<Held> = snapshot.listed().map(|piece| piece.held).collect();
    // A list of pictures that is damaged is made anew, and finds each picture there or not.
    held.extend(snapshot.blobs(keys, medium).into_iter().flatten().map(|(_, held)| held));
    for (at, one) in held.iter().enumerate() {
        let sound = medium.read(&one.name).is_ok_and(|file| {
            file.len() as u64 == one.bytes && keys.open(&one.name, &file).is_ok()
        });
        if !sound {
            medium.remove(&one.name)?;
            damaged += 1;
        }
        progress(at as u64 + 1, held.len() as u64);
    }
    Ok(damaged)
}

/// Keeps the newest snapshots and what they need. If one of them cannot be read, nothing is taken
/// away.
pub fn sweep(keys: &Keys, medium: &Medium<'_>) -> Result<()> {
    let numbers = medium.snapshots().context("the backup cannot be listed")?;
    let (kept, old) = numbers.split_at(numbers.len().min(KEPT));
    let mut names = BTreeSet::new();
    for &number in kept {
        let snapshot = Snapshot::read(keys, medium, number)
            .with_context(|| format!("snapshot {number} is damaged: nothing old was removed"))?;
        let held = objects(keys, medium, &snapshot)?;
        names.extend(held.into_iter().map(|held| held.name.to_hex()));
    }
    for &number in old {
        medium.remove_snapshot(number).context("an old snapshot cannot be removed")?;
    }
    medium.keep_only(&names).context("what is old cannot be removed")
}
