//! Reading what came.

use ondol_kernel::NodeId;

use super::{
    BadStick, Label, Party, StickRead,
    frame::{self, FrameKey},
    items::{ProofKey, Unpacker},
    parity,
    superblock::{self, Superblock},
};
use crate::sealed;

/// Reads a stick from as many copies of one file as there are (see [`group`]), however
/// damaged: a frame that any of them has whole, or that the parity of all of them together
/// restores, counts.
///
/// `sender_key` gives the link public key of a node that this one knows. Takes memory for the
/// items and for the restored frames, and never more than for [`super::CONTENT_BYTES_MAX`] of
/// them.
pub fn read(
    copies: &[&[u8]],
    me: &Party<'_>,
    sender_key: &dyn Fn(&NodeId) -> Option<[u8; 32]>,
) -> Result<StickRead, BadStick> {
    let superblock = superblock::find(copies)?;
    let (file_key, proof_key) = open(&superblock, me, sender_key)?;
    let Superblock { label, file, .. } = superblock;
    let shards = frame::gather(copies, &file, label.groups().total());
    let restored = parity::restore(label.frames as usize, &shards);

    let frame_key = FrameKey::new(&file_key, file);
    let mut unpacker = Unpacker::new(me.node, &proof_key);
    let (mut mended_frames, mut lost_frames) = (0, 0);
    for (number, index) in (0..label.frames).zip(0usize..) {
        let mended = restored.get(&index);
        let shard = shards[index].or(mended);
        match shard.and_then(|shard| frame_key.open(number, shard)) {
            Some(plain) => {
                unpacker.frame(&plain);
                mended_frames += u32::from(mended.is_some());
            }
            None => {
                unpacker.lost();
                lost_frames += 1;
            }
        }
    }
    if label.frames > 0 && lost_frames == label.frames {
        return Err(BadStick::Damaged);
    }
    let file_bytes = label.file_bytes();
    Ok(StickRead {
        from: label.from,
        made_at: label.made_at,
        sequence: label.sequence,
        items: unpacker.items,
        lost_frames,
        mended_frames,
        truncated: copies.iter().all(|copy| copy.len() < file_bytes),
    })
}

/// Proves the label and gives the two keys.
fn open(
    superblock: &Superblock,
    me: &Party<'_>,
    sender_key: &dyn Fn(&NodeId) -> Option<[u8; 32]>,
) -> Result<([u8; 32], ProofKey), BadStick> {
    let label = &superblock.label;
    if label.nation != me.nation {
        return Err(BadStick::ForeignNation { nation: label.nation });
    }
    let place = label.to.iter().position(|&node| node == me.node);
    let wrap = place.and_then(|place| superblock.wraps.get(place));
    let wrap = wrap.ok_or_else(|| BadStick::NotForUs { to: label.to.clone() })?;
    let from = label.from;
    let known = sender_key(&from).ok_or(BadStick::UnknownSender { from })?;
    let (sender, keys) = sealed::open_in(&label.context(), me.link_private, wrap)
        .map_err(|source| BadStick::NotOpened { source })?;
    if sender != known {
        return Err(BadStick::NotFromSender { from });
    }
    match keys.as_chunks::<32>() {
        ([file, proof], []) => Ok((*file, *proof)),
        _ => Err(BadStick::Damaged),
    }
}

/// What is written on the outside of a stick, for a sentence such as 'this one is for the
/// county hospital'. Nothing of it is proved.
pub fn label(copy: &[u8]) -> Result<Label, BadStick> {
    superblock::find(&[copy]).map(|superblock| superblock.label)
}

/// Which of the files found on a stick are copies of one another: for each file, in the order
/// in which they were found, the indexes of what to give to [`read`].
///
/// A copy whose superblocks are all lost goes with every file: frames of others are passed
/// over there. With no superblock at all there is nothing to read.
pub fn group(copies: &[&[u8]]) -> Vec<Vec<usize>> {
    let mut files = vec![];
    let mut groups: Vec<Vec<usize>> = vec![];
    let mut headless = vec![];
    for (index, copy) in copies.iter().enumerate() {
        let Ok(superblock) = superblock::find(&[copy]) else {
            headless.push(index);
            continue;
        };
        match files.iter().position(|file| *file == superblock.file) {
            Some(at) => groups[at].push(index),
            None => {
                files.push(superblock.file);
                groups.push(vec![index]);
            }
        }
    }
    for group in &mut groups {
        group.extend_from_slice(&headless);
    }
    groups
}
