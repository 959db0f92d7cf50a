//! The code that opens a facility's backups (ADR 0017): on paper, in a sealed envelope, and nowhere
//! else. It is none of the recovery codes, which are used up and replaced.

use ondol_kernel::Rng;

use super::secret;
use crate::AppError;

/// A new code: 25 letters of 31, some 123 bits.
pub fn new_backup_code(rng: &dyn Rng) -> String {
    secret::recovery_code(rng)
}

/// The key that a code gives, as it was typed from paper, with a salt: Argon2id with the memory and
/// passes of passwords. Another code gives another key; which of them is right, the caller tries.
pub fn key_of_backup_code(typed: &str, salt: &[u8; 16]) -> Result<[u8; 32], AppError> {
    secret::stretch(&secret::read_recovery_code(typed), salt)
}
