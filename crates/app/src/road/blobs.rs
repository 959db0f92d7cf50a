//! Pictures and sounds on the road: previews go along, originals come when asked.

use ondol_kernel::{Class, NodeId, bytes};
use ondol_record::{Entry, entry::Content};
use ondol_replicate::message::Message;
use ondol_store::{Space, View, WriteTx, blobs::BlobHash};
use serde_json::Value;

use super::relay;
use crate::{App, AppError};

/// The URL by which resources name a blob, before its 64 hexadecimal digits.
pub const BLOB_URL: &str = "urn:ondol:blob:";

/// The extension of an Attachment that names its preview.
pub const PREVIEW: &str = "urn:ondol:preview";

/// The hash in a blob's URL.
pub fn hash_of(url: &str) -> Option<BlobHash> {
    let mut hash = [0; 32];
    bytes::hex_to(url.strip_prefix(BLOB_URL)?, &mut hash).then_some(hash)
}

/// The URL of a blob.
pub fn url_of(hash: &BlobHash) -> String {
    format!("{BLOB_URL}{}", bytes::to_hex(hash))
}

/// The previews that an entry's resources name.
fn previews(entry: &Entry) -> Vec<BlobHash> {
    let mut found = vec![];
    for change in &entry.changes {
        if !matches!(&*change.resource_type, "Media" | "DocumentReference") {
            continue;
        }
        if let Content::Put(body) = &change.content {
            collect(&body.to_value(), &mut found);
        }
    }
    found
}

fn collect(value: &Value, found: &mut Vec<BlobHash>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => {
            if members.get("url").is_some_and(|url| url == PREVIEW) {
                let url = value["valueAttachment"]["url"].as_str();
                found.extend(url.and_then(hash_of));
            }
            members.values().for_each(|member| collect(member, found));
        }
        _ => {}
    }
}

/// In [`Space::Blob`]: a blob that a peer shall get, and from which byte on.
pub fn wish_key(peer: &NodeId, class: Class, hash: &[u8]) -> Vec<u8> {
    [b"w".as_slice(), &peer.0, &[class.code()], hash].concat()
}

/// What stands there: the first byte that shall go, and the length of the whole, 0 if it is not
/// known here yet.
pub fn wish(from: u64, size: u64) -> [u8; 16] {
    let mut value = [0; 16];
    value[..8].copy_from_slice(&from.to_be_bytes());
    value[8..].copy_from_slice(&size.to_be_bytes());
    value
}

pub fn read_wish(value: &[u8]) -> Result<(u64, u64), AppError> {
    match value.as_chunks::<8>() {
        ([from, size], []) => Ok((u64::from_be_bytes(*from), u64::from_be_bytes(*size))),
        _ => Err(AppError::Unexpected("a wish for a blob")),
    }
}

/// How many of the blobs that are here a peer shall get in a class, and how many bytes of them
/// are no message yet.
pub fn waiting(
    view: &(impl View + ?Sized),
    peer: &NodeId,
    class: Class,
) -> Result<(u64, u64), AppError> {
    let prefix = wish_key(peer, class, &[]);
    let (mut count, mut bytes) = (0, 0);
    for (_, value) in view.values(Space::Blob, &prefix, None, usize::MAX)? {
        let (from, size) = read_wish(&value)?;
        count += u64::from(size > 0);
        bytes += size.saturating_sub(from);
    }
    Ok((count, bytes))
}

/// The length of a blob, 0 if not all of it is here.
fn size_of(app: &App, hash: &BlobHash) -> Result<u64, AppError> {
    Ok(app.blobs.get(hash)?.map_or(0, |bytes| bytes.len() as u64))
}

/// Notes that the previews of an entry go to a peer.
pub fn offer_previews(
    app: &App,
    tx: &mut dyn WriteTx,
    peer: &NodeId,
    entry: &Entry,
    class: Class,
) -> Result<(), AppError> {
    for hash in previews(entry) {
        let wish = wish(0, size_of(app, &hash)?);
        tx.set_value(Space::Blob, &wish_key(peer, class, &hash), Some(&wish))?;
    }
    Ok(())
}

/// A peer asks for a blob from a byte on.
pub fn wanted(
    app: &App,
    tx: &mut dyn WriteTx,
    peer: &NodeId,
    class: Class,
    hash: &BlobHash,
    from: u64,
) -> Result<(), AppError> {
    let wish = wish(from, size_of(app, hash)?);
    tx.set_value(Space::Blob, &wish_key(peer, class, hash), Some(&wish))?;
    if app.blobs.has(hash)? {
        return Ok(());
    }
    // It is not here: ask on, in the direction from which the case came.
    ask_once(app, tx, peer, class, hash)
}

/// [`ask_on`], unless it was done: peers that reach each other through others can stand in a
/// circle, round which a question that nobody can answer would run for ever.
pub fn ask_once(
    app: &App,
    tx: &mut dyn WriteTx,
    except: &NodeId,
    class: Class,
    hash: &BlobHash,
) -> Result<(), AppError> {
    let asked = asked_key(class, hash);
    if tx.value(Space::Blob, &asked)?.is_some() {
        return Ok(());
    }
    tx.set_value(Space::Blob, &asked, Some(&except.0))?;
    ask_on(app, tx, except, class, hash)
}

/// In [`Space::Blob`]: marks a blob that was asked for.
fn asked_key(class: Class, hash: &BlobHash) -> Vec<u8> {
    [b"asked".as_slice(), &[class.code()], hash].concat()
}

/// Whether a blob that is not here was asked for.
pub fn is_asked_for(view: &(impl View + ?Sized), hash: &BlobHash) -> Result<bool, AppError> {
    for class in Class::ALL {
        if view.value(Space::Blob, &asked_key(class, hash))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// In [`Space::Blob`]: how much of a blob was here when its next part was asked for again.
fn again_key(hash: &BlobHash) -> Vec<u8> {
    [b"again".as_slice(), hash].concat()
}

/// Asks every peer but the one that asks; whoever has the blob answers.
fn ask_on(
    app: &App,
    tx: &mut dyn WriteTx,
    except: &NodeId,
    class: Class,
    hash: &BlobHash,
) -> Result<(), AppError> {
    let nation = app.nation();
    let have = app.blobs.partial(hash)?;
    for peer in super::scope::peers(&nation, &*tx)? {
        let treats = nation.tier(&peer).is_some_and(ondol_record::certificate::Tier::treats);
        if peer == *except || !treats {
            continue;
        }
        relay::send_on(app, tx, &peer, class, &Message::BlobWanted { hash: *hash, from: have })?;
    }
    Ok(())
}

/// A part of a blob.
pub struct Part<'a> {
    /// Which blob.
    pub hash: &'a BlobHash,
    /// Bytes of the whole.
    pub size: u64,
    /// Where the part begins.
    pub offset: u64,
    /// The part.
    pub bytes: &'a [u8],
}

/// A part arrived. One that does not continue what is here is dropped, and the peer that sent it
/// is asked for what is missing, once for each place where the bytes end.
pub fn part(
    app: &App,
    tx: &mut dyn WriteTx,
    (peer, class): (&NodeId, Class),
    &Part { hash, size, offset, bytes }: &Part<'_>,
) -> Result<(), AppError> {
    if app.blobs.has(hash)? {
        return Ok(());
    }
    let have = app.blobs.put_part(hash, size, offset, bytes)?;
    if have < offset {
        let asked = tx.value(Space::Blob, &again_key(hash))?;
        if asked.as_deref() != Some(&have.to_be_bytes()[..]) {
            tx.set_value(Space::Blob, &again_key(hash), Some(&have.to_be_bytes()))?;
            relay::send_on(app, tx, peer, class, &Message::BlobWanted { hash: *hash, from: have })?;
        }
    }
    if have >= size {
        for key in Class::ALL.map(|class| asked_key(class, hash)).iter().chain([&again_key(hash)]) {
            tx.set_value(Space::Blob, key, None)?;
        }
        is_here_now(app, tx, hash, size)?;
        tx.set_value(Space::Blob, &[b"a".as_slice(), hash].concat(), Some(&[]))?;
    }
    Ok(())
}

/// Those who wait for a blob wait for so many bytes, now that it is here.
fn is_here_now(
    app: &App,
    tx: &mut dyn WriteTx,
    hash: &BlobHash,
    size: u64,
) -> Result<(), AppError> {
    for peer in super::scope::peers(&app.nation(), &*tx)? {
        for class in Class::ALL {
            let key = wish_key(&peer, class, hash);
            if let Some(value) = tx.value(Space::Blob, &key)? {
                let (from, _) = read_wish(&value)?;
                tx.set_value(Space::Blob, &key, Some(&wish(from, size)))?;
            }
        }
    }
    Ok(())
}
