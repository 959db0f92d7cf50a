//! The computers of the nation on the command line, and where its root key lies (ADR 0026).

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use ed25519_dalek::SigningKey;
use ondol_app::{
    AppError,
    founding::Ticket,
    road::{Moving, Revoking, RootKey, Why, read_trusted, trusted_text},
};
use ondol_kernel::{Millis, NodeId};

use crate::{carry, data_dir::DataDir, ticket::Authority};

/// The file of the nation's root key. It may lie in a safe, and be brought when it is needed.
pub struct RootFile(pub PathBuf);

impl RootKey for RootFile {
    fn key(&self) -> Option<SigningKey> {
        root_key(&self.0).ok()
    }
}

/// Reads the nation's root key.
pub fn root_key(file: &Path) -> Result<SigningKey> {
    let root = fs::read(file).with_context(|| {
        format!(
            "the nation's root key is not at {}: do this at the ministry, by the holder of the key",
            file.display()
        )
    })?;
    let root: [u8; 32] = root.try_into().ok().context("the root key file is damaged")?;
    Ok(SigningKey::from_bytes(&root))
}

/// What was asked of `ondol node revoke`.
pub struct Asked {
    /// The node.
    pub node: String,
    /// Why.
    pub why: String,
    /// The last trusted numbers.
    pub trusted: Option<String>,
    /// What came here before this time is trusted, ms since 1970.
    pub before: Option<i64>,
    /// Where the root key is.
    pub root: Option<PathBuf>,
    /// Where the revocation is written to.
    pub out: Option<PathBuf>,
}

fn node_id(text: &str) -> Result<NodeId> {
    NodeId::from_hex(text).context("a node's id is what `ondol node list` prints")
}

/// Lists the nodes.
pub fn list(data: &DataDir) -> Result<()> {
    let app = data.app()?;
    for row in app.nodes_at_console()? {
        let state = match &row.revoked {
            None => "trusted".to_owned(),
            Some(revoked) => {
                format!("revoked {} ({})", revoked.at.to_fhir(0), revoked.why.name())
            }
        };
        let above = match row.above.as_str() {
            "" => String::new(),
            above => format!(", below {above}"),
        };
        println!("{} {} {state} {}{above}", row.node, row.tier.name(), row.name);
        if let Some(revoked) = &row.revoked {
            for line in trusted_text(&revoked.trusted).lines() {
                println!("  trusted up to {line}");
            }
            println!(
                "  {} kept apart, {} to be looked at; for it, {} entries and {} messages dropped",
                revoked.apart, revoked.doubted, revoked.entries_dropped, revoked.messages_dropped
            );
        }
    }
    Ok(())
}

/// Revokes a node.
pub fn revoke(data: &DataDir, asked: &Asked) -> Result<()> {
    let node = node_id(&asked.node)?;
    let why = Why::from_name(&asked.why).context("--why is stolen, lost, copied or closed")?;
    let file = asked.root.clone().unwrap_or_else(|| data.root_key());
    let root = root_key(&file)?;
    let app = data.app()?;
    let actor = carry::node_actor(&app);
    let trusted = match &asked.trusted {
        Some(text) => read_trusted(&text.replace(';', "\n"))
            .context("--trusted is 'INCARNATION: EMERGENCY CARE ROUTINE BULK'")?,
        None => {
            let before = asked.before.map_or_else(|| app.now(), Millis);
            app.came_before(&actor, &node, before)?
        }
    };
    let revoking = Revoking { node, why, trusted, reason: String::new() };
    let bytes = match app.revoke_with(&actor, &root, &revoking) {
        Ok(bytes) => bytes,
        Err(AppError::NotFound) => bail!("no node {node} is known here"),
        Err(AppError::State("own-node")) => bail!("a node does not revoke itself"),
        Err(AppError::State("root-key")) => {
            bail!("{} is not the root key of this nation", file.display())
        }
        Err(AppError::State("revoked-already")) => {
            bail!("the node was revoked already, with these numbers or lower ones")
        }
        Err(why) => return Err(why.into()),
    };
    if let Some(out) = &asked.out {
        fs::write(out, &bytes).with_context(|| format!("{} cannot be written", out.display()))?;
    }
    println!("revoked; trusted is what it wrote up to:");
    println!("{}", trusted_text(&revoking.trusted));
    Ok(())
}

/// What was asked of `ondol node move`.
pub struct AskedMove {
    /// The node.
    pub node: String,
    /// The node above it from now on.
    pub below: String,
    /// Where that one listens.
    pub road: String,
    /// Where the root key is.
    pub root: Option<PathBuf>,
    /// Where the placement is written to.
    pub out: Option<PathBuf>,
}

/// Hangs a node below another one.
pub fn move_node(data: &DataDir, asked: &AskedMove) -> Result<()> {
    let (node, parent) = (node_id(&asked.node)?, node_id(&asked.below)?);
    let file = asked.root.clone().unwrap_or_else(|| data.root_key());
    let root = root_key(&file)?;
    let app = data.app()?;
    let moving = Moving { node, parent, address: asked.road.clone() };
    let bytes = match app.move_node_with(&carry::node_actor(&app), &root, &moving) {
        Ok(bytes) => bytes,
        Err(AppError::NotFound) => bail!("no node {node} is known here"),
        Err(AppError::State("own-node")) => {
            bail!("a node that is revoked, and this one, do not move")
        }
        Err(AppError::State("root-key")) => {
            bail!("{} is not the root key of this nation", file.display())
        }
        Err(AppError::Field { field: "parent", why: "same" }) => bail!("it hangs there already"),
        Err(AppError::Field { field: "parent", .. }) => {
            bail!("--below is a node that is trusted, and not below the one that moves")
        }
        Err(AppError::Field { .. }) => bail!("--road is host:port, as in hospital.example:7464"),
        Err(why) => return Err(why.into()),
    };
    if let Some(out) = &asked.out {
        fs::write(out, &bytes).with_context(|| format!("{} cannot be written", out.display()))?;
    }
    println!("it hangs below {} from now on", app.called(&parent)?.0);
    Ok(())
}

/// Takes in a placement from a file.
pub fn moved(data: &DataDir, file: &Path) -> Result<()> {
    let bytes = fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    ensure!(
        bytes.starts_with(ondol_record::placement::MAGIC),
        "{} is no placement",
        file.display()
    );
    if data.app()?.take_placement(&bytes)? {
        println!("the placement was taken in");
    } else {
        println!(
            "nothing new: it or a later one was known here, or this nation's root key did not sign it"
        );
    }
    Ok(())
}

/// Takes in a revocation from a file.
pub fn revoked(data: &DataDir, file: &Path) -> Result<()> {
    let bytes = fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    ensure!(
        bytes.starts_with(ondol_record::revocation::MAGIC),
        "{} is no revocation",
        file.display()
    );
    if data.app()?.take_revocation(&bytes)? {
        println!("the revocation was taken in");
    } else {
        println!("nothing new: it was known here, or this nation's root key did not sign it");
    }
    Ok(())
}

/// Invites a facility again whose node was revoked.
pub fn invite_again(data: &DataDir, node: &str, parent_address: &str) -> Result<Ticket> {
    let node = node_id(node)?;
    let root = root_key(&data.root_key())?;
    let authority = Authority::from_bytes(&fs::read(data.tls())?)?;
    let app = data.app()?;
    let name = app.called(&node)?.0;
    let tls = authority.below(&format!("Ondol {name}"))?.to_bytes();
    match app.invite_again(&carry::node_actor(&app), &root, (&node, parent_address), tls) {
        Ok(ticket) => Ok(ticket),
        Err(AppError::State("not-revoked")) => {
            bail!("the node was not revoked, or its facility has another one")
        }
        Err(AppError::Field { field: "parent", .. }) => {
            bail!("the node above it is not known or was revoked itself")
        }
        Err(why) => Err(why.into()),
    }
}
