//! Pictures, sounds and documents, called by the BLAKE3 hash of their bytes.

use crate::StoreError;

/// The name of a blob.
pub type BlobHash = [u8; 32];

/// Where blobs are kept. What `put` and `put_part` answered is durable.
pub trait Blobs: Send + Sync + 'static {
    /// Keeps bytes and gives their name.
    fn put(&self, bytes: &[u8]) -> Result<BlobHash, StoreError>;

    /// The whole blob, if all of it is here. Bytes that no longer fit their name are not given.
    fn get(&self, hash: &BlobHash) -> Result<Option<Vec<u8>>, StoreError>;

    /// Whether all of it is here.
    fn has(&self, hash: &BlobHash) -> Result<bool, StoreError>;

    /// Adds a part that begins where the last one ended; gives how many bytes are here then. A
    /// part at another place is not written. When all are here, the whole is checked against its
    /// name; if it does not fit, it is dropped and 0 is given.
    fn put_part(
        &self,
        hash: &BlobHash,
        size: u64,
        offset: u64,
        bytes: &[u8],
    ) -> Result<u64, StoreError>;

    /// How many bytes of an incomplete blob are here, 0 if none.
    fn partial(&self, hash: &BlobHash) -> Result<u64, StoreError>;
}
