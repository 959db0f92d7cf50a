//! Pictures and sounds as use cases ask for them, and as they become messages.

use ondol_kernel::{Class, NodeId};
use ondol_replicate::message::{BLOB_PART_BYTES, Message};
use ondol_store::{Space, WriteTx, blobs::BlobHash};

use super::{
    blobs::{ask_once, read_wish, wish, wish_key},
    relay,
};
use crate::{App, AppError};

impl App {
    /// Asks the road for a blob that is not here; `class` says how urgently.
    pub fn want_blob(
        self: &std::sync::Arc<Self>,
        hash: BlobHash,
        class: Class,
    ) -> Result<(), AppError> {
        let app = self.clone();
        self.transact(move |tx| {
            let own = app.place.node;
            ask_once(&app, tx, &own, class, &hash)
        })
    }

    /// Turns the next bytes of the blobs that a peer shall get into messages, a few at a time, so
    /// that queues stay short. Gives whether anything was added.
    pub fn feed_blobs(
        self: &std::sync::Arc<Self>,
        peer: NodeId,
        class: Class,
        parts: usize,
    ) -> Result<bool, AppError> {
        let (prefix, nation) = (wish_key(&peer, class, &[]), self.nation());
        if nation.is_revoked(&peer) || nation.is_revoked(&self.place.node) {
            return Ok(false);
        }
        if self.view()?.values(Space::Blob, &prefix, None, 1)?.is_empty() {
            return Ok(false);
        }
        let app = self.clone();
        self.transact(move |tx| feed(&app, tx, &peer, class, &prefix, parts))
    }
}

fn feed(
    app: &App,
    tx: &mut dyn WriteTx,
    peer: &NodeId,
    class: Class,
    prefix: &[u8],
    mut parts: usize,
) -> Result<bool, AppError> {
    let mut fed = false;
    for (key, value) in tx.values(Space::Blob, prefix, None, usize::MAX)? {
        let hash: BlobHash = key[prefix.len()..]
            .try_into()
            .map_err(|_| AppError::Unexpected("a wish for a blob"))?;
        let (from, _) = read_wish(&value)?;
        let mut at =
            usize::try_from(from).map_err(|_| AppError::Unexpected("a wish for a blob"))?;
        let Some(bytes) = app.blobs.get(&hash)? else { continue };
        while parts > 0 && at < bytes.len() {
            let end = bytes.len().min(at + BLOB_PART_BYTES);
            let message = Message::BlobPart {
                hash,
                size: bytes.len() as u64,
                offset: at as u64,
                bytes: bytes[at..end].to_vec(),
            };
            relay::send_on(app, tx, peer, class, &message)?;
            (at, parts, fed) = (end, parts - 1, true);
        }
        let next = (at < bytes.len()).then(|| wish(at as u64, bytes.len() as u64));
        tx.set_value(Space::Blob, &key, next.as_ref().map(<[u8; 16]>::as_slice))?;
        if parts == 0 {
            break;
        }
    }
    Ok(fed)
}

impl App {
    /// Keeps a picture or a sound durably, and gives its name.
    pub fn keep_blob(&self, bytes: &[u8]) -> Result<BlobHash, AppError> {
        Ok(self.blobs.put(bytes)?)
    }

    /// A picture or a sound, if all of it is here. Callers authorise first: whoever may read the
    /// chart that names it.
    pub fn blob(&self, hash: &BlobHash) -> Result<Option<Vec<u8>>, AppError> {
        Ok(self.blobs.get(hash)?)
    }

    /// How many bytes of a picture or a sound are here while it arrives.
    pub fn blob_progress(&self, hash: &BlobHash) -> Result<u64, AppError> {
        Ok(self.blobs.partial(hash)?)
    }
}
