//! Room that is kept back on the disk of the record (DESIGN §7).

use crate::StoreError;

/// Room on the disk that nothing takes but the audit, once the disk is full.
pub trait Reserve: Send + Sync + 'static {
    /// Takes the room, if it is not taken yet: [`StoreError::Full`] while there is not enough.
    fn keep(&self) -> Result<(), StoreError>;

    /// Gives the room free.
    fn release(&self) -> Result<(), StoreError>;
}
