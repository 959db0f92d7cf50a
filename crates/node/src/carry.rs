//! Sticks: the files and folders around them (ADR 0010).

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use ondol_app::{Actor, App, AppError, road::StickIn};
use ondol_replicate::stick;

use crate::durable::{Disk, Stick, folder_of, make_folders};

/// The folder on a stick in which Ondol's files stand.
const FOLDER: &str = "ondol";

/// A file of more than this is none of ours, bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Writes a file so that it is whole or not there: a temporary name, its bytes forced to the
/// stick, then the real name.
fn write_durably(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_extension("part");
    let mut file = disk
        .make(&temporary, 0o644)
        .with_context(|| format!("the stick cannot be written to ({})", path.display()))?;
    file.write_all(bytes).context("the stick is full or was pulled out")?;
    disk.sync(&file, &temporary).context("the stick was pulled out too early")?;
    disk.rename(&temporary, path).context("the stick was pulled out too early")?;
    disk.sync_names(folder_of(path)).context("the stick was pulled out too early")
}

/// Carries out: for each neighbour two copies of a file that it alone can read, and this node's
/// certificate.
pub fn out(app: &Arc<App>, to: &Path) -> Result<()> {
    let sticks = app.sticks_out(&node_actor(app))?;
    let folder = to.join(FOLDER);
    for copy in ["a", "b"] {
        make_folders(&Stick, &folder.join(copy))
            .with_context(|| format!("{} cannot be written to", to.display()))?;
        for stick in &sticks {
            write_durably(&Stick, &folder.join(copy).join(&stick.file_name), &stick.bytes)?;
        }
    }
    let node = app.place().node.to_string();
    write_durably(&Stick, &folder.join(format!("{node}.cert")), &app.own_certificate())?;
    let messages: u64 = sticks.iter().map(|stick| stick.messages).sum();
    println!("{messages} messages for {} neighbours", sticks.len());
    if sticks.iter().any(|stick| stick.more_waits) {
        println!("more waits: carry again after this stick was acknowledged");
    }
    Ok(())
}

/// Carries in: certificates first, then every file for this node.
pub fn carry_in(app: &Arc<App>, from: &Path) -> Result<()> {
    let folder = if from.join(FOLDER).is_dir() { from.join(FOLDER) } else { from.to_owned() };
    let mut files = vec![];
    for place in [folder.clone(), folder.join("a"), folder.join("b")] {
        files.extend(list(&place));
    }
    for path in files.iter().filter(|path| has_extension(path, "cert")) {
        app.introduced(&read(path)?)?;
    }
    let sticks: Vec<&PathBuf> = files.iter().filter(|path| has_extension(path, "stick")).collect();
    let contents = sticks.iter().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
    if contents.is_empty() {
        bail!("no stick of Ondol was found in {}", from.display());
    }
    let copies: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
    let groups = stick::group(&copies);
    if groups.is_empty() {
        bail!("the files on the stick are damaged beyond reading, or are none of Ondol's");
    }
    let mut usable = 0;
    for group in groups {
        let copies: Vec<&[u8]> = group.iter().map(|&at| copies[at]).collect();
        match app.stick_in(&node_actor(app), &copies) {
            Ok(brought) => {
                usable += 1;
                println!("{}", sentence(&brought));
            }
            Err(AppError::Stick(why)) => println!("not used: {why}"),
            Err(why) => return Err(why.into()),
        }
    }
    if usable == 0 {
        bail!("nothing on the stick could be used");
    }
    Ok(())
}

fn sentence(brought: &StickIn) -> String {
    let arrived = format!("{} new messages, {} known already", brought.arrived, brought.known);
    let aside = match brought.quarantined {
        0 => String::new(),
        count => format!(", {count} put aside"),
    };
    let damage = if brought.truncated || brought.lost_frames > 0 {
        let lost = brought.lost_frames;
        format!(
            "; the file is damaged ({lost} frames lost): what is sound was kept, carry it again"
        )
    } else {
        String::new()
    };
    [arrived, aside, damage].concat()
}

/// The node itself, as who works on the command line.
pub fn node_actor(app: &App) -> Actor {
    Actor::node(app.place().node, &app.place().name)
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return vec![] };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|own| own == extension)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let length = fs::metadata(path)?.len();
    if length > FILE_BYTES_MAX {
        bail!("{} is too large to be a stick of Ondol", path.display());
    }
    fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable::tests::{Folder, Remembering};

    #[test]
    fn a_stick_that_was_announced_can_be_pulled_out() {
        let (top, disk) = (Folder::new(), Remembering::default());
        let folder = top.0.join(FOLDER).join("a");
        make_folders(&disk, &folder).unwrap();
        let path = folder.join("ondol-1.stick");
        write_durably(&disk, &path, b"sealed").unwrap();
        assert!(disk.keeps(&path, &top.0));
        assert_eq!(list(&folder), [path]);
    }
}
