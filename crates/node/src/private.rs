//! Files that only the owner may read.

use std::{fs, io::Write, path::Path};

use anyhow::{Context, Result, bail};
use ed25519_dalek::SigningKey;
use ondol_app::NodeKeys;

use crate::{
    chance::seed,
    durable::{Disk, OwnDisk, folder_of},
};

/// Writes a file durably, readable by its owner alone. An existing one is replaced whole or not
/// at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_to(&OwnDisk, path, bytes)
}

fn write_to(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<()> {
    let fresh = path.with_extension("new");
    let mut file =
        disk.make(&fresh, 0o600).with_context(|| format!("{} cannot be made", fresh.display()))?;
    file.write_all(bytes)?;
    disk.sync(&file, &fresh)?;
    disk.rename(&fresh, path)?;
    disk.sync_names(folder_of(path))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable::tests::{Folder, Remembering};

    #[test]
    fn keys_outlive_a_power_cut() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, disk) = (Folder::new(), Remembering::default());
        let path = folder.0.join("node.key");
        for bytes in [&b"first"[..], b"second"] {
            write_to(&disk, &path, bytes).unwrap();
            assert!(disk.keeps(&path, &folder.0));
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
    }
}
