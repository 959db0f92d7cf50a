//! Checking signatures: Ed25519 (RFC 8032), strict.

use std::{
    collections::HashSet,
    sync::{Mutex, OnceLock, PoisonError},
};

use ed25519_dalek::{Signature, VerifyingKey};

/// What was found right, for who asked to have it remembered.
static FOUND_RIGHT: OnceLock<Mutex<HashSet<[u8; 32]>>> = OnceLock::new();

/// So many are remembered; then all are forgotten.
const REMEMBERED_MAX: usize = 200_000;

/// Whether `signature` is one of `message` by the holder of `key`.
pub(crate) fn is_right(key: &VerifyingKey, message: &[u8], signature: &[u8; 64]) -> bool {
    let check = || key.verify_strict(message, &Signature::from_bytes(signature)).is_ok();
    let Some(remembered) = FOUND_RIGHT.get() else { return check() };
    let mut hasher = blake3::Hasher::new_derive_key("ondol 1 signature found right");
    let what =
        *hasher.update(key.as_bytes()).update(signature).update(message).finalize().as_bytes();
    let is_known = |set: &HashSet<_>| set.contains(&what);
    if is_known(&remembered.lock().unwrap_or_else(PoisonError::into_inner)) {
        return true;
    }
    let right = check();
    if right {
        let mut set = remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if set.len() >= REMEMBERED_MAX {
            set.clear();
        }
        set.insert(what);
    }
    right
}

/// From now on, in this process, a signature that was found right is not computed again. Answers
/// stay what they are: the simulation, in which twenty nodes check the same signatures many times
/// over, takes a fifth less time. A node does not ask for it.
pub fn remember() {
    FOUND_RIGHT.get_or_init(Mutex::default);
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;

    #[test]
    fn what_is_remembered_is_the_answer_to_the_same_question_alone() {
        remember();
        let (key, other) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let signature = key.sign(b"this").to_bytes();
        for _ in 0..2 {
            assert!(is_right(&key.verifying_key(), b"this", &signature));
            assert!(!is_right(&key.verifying_key(), b"that", &signature));
            assert!(!is_right(&other.verifying_key(), b"this", &signature));
            let mut forged = signature;
            forged[40] ^= 1;
            assert!(!is_right(&key.verifying_key(), b"this", &forged));
        }
    }
}
