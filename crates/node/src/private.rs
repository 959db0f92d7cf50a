//! Files that only the owner may read.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context, Result, bail};
use ed25519_dalek::SigningKey;
use ondol_app::NodeKeys;

use crate::chance::seed;

/// Writes a file durably, readable by its owner alone. An existing one is replaced whole or not
/// at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let fresh = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)
        .with_context(|| format!("{} cannot be made", fresh.display()))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    if let Some(directory) = path.parent() {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

/// Makes the keys of a node.
pub fn new_keys() -> NodeKeys {
    NodeKeys { signing: SigningKey::from_bytes(&seed()), link: seed() }
}

/// Keeps the keys of a node: 32 bytes of each.
pub fn write_keys(path: &Path, keys: &NodeKeys) -> Result<()> {
    write(path, &[keys.signing.to_bytes(), keys.link].concat())
}

/// Reads the keys of a node.
pub fn read_keys(path: &Path) -> Result<NodeKeys> {
    let bytes = fs::read(path)
        .with_context(|| format!("the key file {} cannot be read", path.display()))?;
    let Some((signing, link)) = bytes.split_first_chunk::<32>() else {
        bail!("the key file {} is damaged", path.display());
    };
    let link = link.try_into().ok().context("the key file is damaged")?;
    Ok(NodeKeys { signing: SigningKey::from_bytes(signing), link })
}
