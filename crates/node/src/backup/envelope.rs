//! The key of a node's backups, and the code on paper that opens them.
//!
//! The node keeps the key, so that it can add to a backup by itself. With every backup goes the
//! same key, sealed under the code: whoever has both the stick and the envelope can restore, and
//! whoever has one of them cannot.

use std::{fs, io};

use anyhow::{Context, Result, anyhow, bail, ensure};
use chacha20poly1305::{AeadInPlace, ChaCha20Poly1305, KeyInit, Nonce, Tag};
use ondol_app::accounts::{key_of_backup_code, new_backup_code};
use ondol_kernel::{NodeId, Rng, bytes::to_hex};

use crate::{
    chance::{MachineChance, seed},
    data_dir::DataDir,
    private,
};

/// Where a data directory keeps the key.
pub const KEY_FILE: &str = "backup.key";

/// How the file begins that says under which code a backup stands.
const MAGIC: &[u8; 16] = b"ondol backup key";
/// The newest format that this program reads, and the only one that there ever was.
const FORMAT: u8 = 1;

const SALT_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
const ENVELOPE_BYTES: usize = MAGIC.len() + 1 + 16 + SALT_BYTES + 32 + TAG_BYTES;

/// The key of a node's backups.
pub struct BackupKey {
    /// All keys of objects come from this one.
    pub secret: [u8; 32],
    /// The same, sealed under the code: what stands beside the objects.
    pub envelope: Vec<u8>,
}

impl BackupKey {
    /// Makes a key for a node, and the code that opens it.
    pub fn new(node: NodeId) -> Result<(Self, String)> {
        let (code, secret) = (new_backup_code(&MachineChance), seed());
        let mut salt = [0; SALT_BYTES];
        MachineChance.fill(&mut salt);
        let mut envelope = [&MAGIC[..], &[FORMAT], &node.0, &salt].concat();
        let mut sealed = secret;
        let cipher = ChaCha20Poly1305::new(&key_of_backup_code(&code, &salt)?.into());
        // A salt is never used twice, nor is the key that comes from it.
        let tag = cipher
            .encrypt_in_place_detached(&Nonce::default(), &envelope, &mut sealed)
            .map_err(|_| anyhow!("the backup key cannot be sealed"))?;
        envelope.extend_from_slice(&sealed);
        envelope.extend_from_slice(&tag);
        Ok((Self { secret, envelope }, code))
    }

    /// Opens what stands beside the objects of a backup with the code from the envelope.
    pub fn open(envelope: &[u8], code: &str) -> Result<Self> {
        check(envelope)?;
        let (head, sealed) = envelope.split_at(ENVELOPE_BYTES - 32 - TAG_BYTES);
        let (sealed, tag) = sealed.split_at(32);
        let salt = head[head.len() - SALT_BYTES..].try_into()?;
        let mut secret: [u8; 32] = sealed.try_into()?;
        let cipher = ChaCha20Poly1305::new(&key_of_backup_code(code, &salt)?.into());
        let tag = Tag::from_slice(tag);
        let opened = cipher.decrypt_in_place_detached(&Nonce::default(), head, &mut secret, tag);
        if opened.is_err() {
            bail!(
                "this code does not open this backup: it is mistyped, or the backup was made under \
                 another code"
            );
        }
        Ok(Self { secret, envelope: envelope.to_owned() })
    }

    /// The key that a data directory keeps, if it has one.
    pub fn of(data: &DataDir) -> Result<Option<Self>> {
        let path = data.0.join(KEY_FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(why) => {
                return Err(why).with_context(|| format!("{} cannot be read", path.display()));
            }
        };
        let (secret, envelope) = bytes
            .split_first_chunk::<32>()
            .with_context(|| format!("{} is damaged", path.display()))?;
        check(envelope).with_context(|| format!("{} is damaged", path.display()))?;
        Ok(Some(Self { secret: *secret, envelope: envelope.to_owned() }))
    }

    fn keep(&self, data: &DataDir) -> Result<()> {
        private::write(&data.0.join(KEY_FILE), &[&self.secret[..], &self.envelope].concat())
    }

    /// The name of the folder in which a node's backups under this key stand.
    pub fn folder(&self) -> String {
        let id = blake3::derive_key("ondol 1 backup id", &self.secret);
        format!("{}-{}", to_hex(&self.envelope[MAGIC.len() + 1..][..16]), to_hex(&id[..4]))
    }

    /// Whose backups these are.
    pub fn node(&self) -> NodeId {
        let mut node = NodeId([0; 16]);
        node.0.copy_from_slice(&self.envelope[MAGIC.len() + 1..][..16]);
        node
    }
}

fn check(envelope: &[u8]) -> Result<()> {
    ensure!(envelope.starts_with(MAGIC), "this is no backup key of Ondol");
    if let Some(&format) = envelope.get(MAGIC.len())
        && format > FORMAT
    {
        bail!("a newer Ondol made this backup (format {format}): restore it with that one");
    }
    ensure!(envelope.get(MAGIC.len()) != Some(&0), "this format of backups never existed");
    ensure!(envelope.len() == ENVELOPE_BYTES, "the backup's key file is cut off or damaged");
    Ok(())
}

/// Makes a key for the backups of a data directory and gives the code that opens them. An earlier
/// key is replaced if `anew`: its backups keep its code, and the next one begins from nothing.
pub fn new_code(data: &DataDir, anew: bool) -> Result<String> {
    if !anew && BackupKey::of(data)?.is_some() {
        bail!(
            "this node has a backup code already; nobody can read it again. If it is lost, make \
             another one with --anew: the next backup then begins from nothing"
        );
    }
    let identity = data.beside()?.read()?.identity()?;
    let identity = identity.context("this data directory belongs to no facility yet")?;
    let (key, code) = BackupKey::new(identity.node)?;
    key.keep(data)?;
    Ok(code)
}
