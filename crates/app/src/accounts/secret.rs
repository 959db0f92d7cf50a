//! Passwords, PINs, cards, recovery codes and cookies: how they are made, checked and kept.

use std::sync::{Mutex, PoisonError};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::phc::PasswordHash,
};
use ondol_kernel::{Rng, bytes::to_hex};
use unicode_normalization::UnicodeNormalization as _;

use crate::AppError;

/// Memory of one hash, KiB. With [`PASSES`] and one lane this is the second set of equal strength
/// in OWASP's Password Storage Cheat Sheet (Argon2id: m=19456, t=2, p=1); it also fits an old PC,
/// as only one hash is worked out at a time.
const MEMORY_KIB: u32 = 19_456;
/// Passes over the memory.
const PASSES: u32 = 2;

/// Shortest password: NIST SP 800-63B (June 2017), 5.1.1.2.
const PASSWORD_CHARS_MIN: usize = 8;
/// Longest password. The same section asks for 64 at least.
const PASSWORD_CHARS_MAX: usize = 128;
/// Digits of a PIN. It opens only a computer where its owner gave the password the same day, and
/// ten wrong ones close that door ([`super::throttle`]).
const PIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=8;

/// Passwords that everybody tries first (the same section: commonly used ones are refused).
const COMMON: [&str; 12] = [
    "12345678",
    "123456789",
    "1234567890",
    "87654321",
    "11111111",
    "00000000",
    "password",
    "password1",
    "qwertyui",
    "qwerty123",
    "abcd1234",
    "asdfghjk",
];

/// Letters that cannot be mistaken for each other on paper.
const LETTERS: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";

/// One hash at a time: many at once would use up the memory of an old PC.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A hash of nobody's password. Whoever types a name that does not exist waits as long as others.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$b25kb2wgbm9ib2R5IQ$\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn argon2(key: Option<&[u8]>) -> Result<Argon2<'_>, AppError> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|_| DEFECT)?;
    match key {
        None => Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params)),
        Some(key) => Argon2::new_with_secret(key, Algorithm::Argon2id, Version::V0x13, params)
            .map_err(|_| DEFECT),
    }
}

const DEFECT: AppError = AppError::Unexpected("a password's hash");

/// The hash of a secret as a PHC string. `key` is a key of this node, for secrets so short that
/// their hash must be worth nothing elsewhere.
pub(super) fn hash(rng: &dyn Rng, key: Option<&[u8]>, secret: &str) -> Result<String, AppError> {
    let mut salt = [0; 16];
    rng.fill(&mut salt);
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let hash = argon2(key)?.hash_password_with_salt(folded(secret).as_bytes(), &salt);
    Ok(hash.map_err(|_| DEFECT)?.to_string())
}

/// A key from a secret and a salt.
pub(super) fn stretch(secret: &str, salt: &[u8; 16]) -> Result<[u8; 32], AppError> {
    let mut key = [0; 32];
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let made = argon2(None)?.hash_password_into(secret.as_bytes(), salt, &mut key);
    made.map_err(|_| DEFECT)?;
    Ok(key)
}

/// Whether a secret is the one that was hashed.
pub(super) fn fits(key: Option<&[u8]>, secret: &str, hash: &str) -> Result<bool, AppError> {
    let hash = PasswordHash::new(hash).map_err(|_| DEFECT)?;
    // Longer than any that could have been set: not worth the time.
    let too_long = secret.chars().count() > PASSWORD_CHARS_MAX;
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(!too_long && argon2(key)?.verify_password(folded(secret).as_bytes(), &hash).is_ok())
}

/// Takes as long as [`fits`], for whoever typed a name that nobody has.
pub(super) fn fits_nobody(secret: &str) -> Result<(), AppError> {
    fits(None, secret, NOBODY).map(drop)
}

/// The same letters typed on another keyboard are the same password (NIST SP 800-63B, 5.1.1.2).
fn folded(secret: &str) -> String {
    secret.nfkc().collect()
}

/// What is wrong with a new password.
pub(super) fn check_password(password: &str, login: &str) -> Result<(), AppError> {
    let wrong = |why| Err(AppError::Field { field: "password", why });
    let lower = folded(password).to_lowercase();
    match password.chars().count() {
        0 => wrong("missing"),
        n if n < PASSWORD_CHARS_MIN => wrong("too-short"),
        n if n > PASSWORD_CHARS_MAX => wrong("too-long"),
        _ if COMMON.contains(&&*lower) || lower == login.to_lowercase() || is_plain(&lower) => {
            wrong("too-simple")
        }
        _ => Ok(()),
    }
}

/// What is wrong with a new PIN.
pub(super) fn check_pin(pin: &str) -> Result<(), AppError> {
    let wrong = |why| Err(AppError::Field { field: "pin", why });
    if pin.is_empty() {
        return wrong("missing");
    }
    if !pin.bytes().all(|b| b.is_ascii_digit()) {
        return wrong("digits-only");
    }
    match pin.len() {
        n if n < *PIN_DIGITS.start() => wrong("too-short"),
        n if n > *PIN_DIGITS.end() => wrong("too-long"),
        _ if is_plain(pin) => wrong("too-simple"),
        _ => Ok(()),
    }
}

/// Whether each character is the one before, or the next, or the last: `0000`, `1234`, `8765`.
fn is_plain(text: &str) -> bool {
    let chars: Vec<u32> = text.chars().map(u32::from).collect();
    let step = |by: i64| chars.windows(2).all(|w| i64::from(w[1]) - i64::from(w[0]) == by);
    [-1, 0, 1].into_iter().any(step)
}

/// A name for a browser or a session that nobody can guess: 128 random bits in hex.
pub(super) fn token(rng: &dyn Rng) -> String {
    let mut bytes = [0; 16];
    rng.fill(&mut bytes);
    to_hex(&bytes)
}

/// Under what a random name is kept: whoever reads the disk cannot sign in with it.
pub(super) fn token_hash(token: &str) -> [u8; 32] {
    blake3::derive_key("ondol 1 token", token.as_bytes())
}

/// The text of a new card's QR code.
pub(super) fn card(rng: &dyn Rng) -> String {
    format!("ondol:k:{}", token(rng))
}

/// Under what a card is kept. 128 random bits need no slow hash.
pub(super) fn card_hash(text: &str) -> String {
    to_hex(&blake3::derive_key("ondol 1 card", text.trim().as_bytes()))
}

/// Random letters in groups that are joined by `-`.
fn letters(rng: &dyn Rng, groups: usize, each: usize) -> String {
    let letter = |_| char::from(LETTERS[usize::try_from(rng.below(31)).unwrap_or(0)]);
    let groups: Vec<String> = (0..groups).map(|_| (0..each).map(letter).collect()).collect();
    groups.join("-")
}

/// A password that is used once: 8 letters of 31, some 39 bits.
pub(super) fn one_time_password(rng: &dyn Rng) -> String {
    letters(rng, 2, 4)
}

/// A code for the first run: 8 letters of 31, some 39 bits, behind a throttle.
pub(super) fn setup_code(rng: &dyn Rng) -> String {
    letters(rng, 2, 4)
}

/// A new recovery code: 25 letters of 31, some 123 bits.
pub(super) fn recovery_code(rng: &dyn Rng) -> String {
    letters(rng, 5, 5)
}

/// A recovery code as it was typed from paper: case, blanks and dashes do not matter, and letters
/// that no code has are the ones they look like.
pub(super) fn read_recovery_code(typed: &str) -> String {
    typed.nfkc().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Dice(Mutex<u8>);

    impl Rng for Dice {
        fn fill(&self, to: &mut [u8]) {
            let mut next = self.0.lock().unwrap();
            for byte in to {
                *next = next.wrapping_mul(167).wrapping_add(13);
                *byte = *next;
            }
        }
    }

    fn dice() -> Dice {
        Dice(Mutex::new(1))
    }

    #[test]
    fn a_password_fits_its_own_hash_alone() {
        let hash = hash(&dice(), None, "봄날 아침에").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(fits(None, "봄날 아침에", &hash).unwrap());
        // The same syllables, typed as separate letters.
        let apart: String = "봄날 아침에".nfd().collect();
        assert!(fits(None, &apart, &hash).unwrap());
        assert!(!fits(None, "봄날 아침", &hash).unwrap());
        assert!(!fits(None, "봄날 아침에", NOBODY).unwrap());
    }

    #[test]
    fn a_pins_hash_is_worth_nothing_without_the_nodes_key() {
        let hash = hash(&dice(), Some(b"node key"), "4711").unwrap();
        assert!(fits(Some(b"node key"), "4711", &hash).unwrap());
        assert!(!fits(Some(b"other key"), "4711", &hash).unwrap());
        assert!(!fits(None, "4711", &hash).unwrap());
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        let why = |result: Result<(), AppError>| match result {
            Err(AppError::Field { why, .. }) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(why(check_password("", "kim")), "missing");
        assert_eq!(why(check_password("봄날아침", "kim")), "too-short");
        assert_eq!(why(check_password("Password", "kim")), "too-simple");
        assert_eq!(why(check_password("ghijklmno", "kim")), "too-simple");
        assert_eq!(why(check_password("kimyonghui", "KimYongHui")), "too-simple");
        assert_eq!(why(check_password(&"봄가".repeat(65), "kim")), "too-long");
        assert!(check_password("봄날 아침에 온돌", "kim").is_ok());
        for plain in ["0000", "1234", "9876", "77777777"] {
            assert_eq!(why(check_pin(plain)), "too-simple", "{plain}");
        }
        assert_eq!(why(check_pin("12a4")), "digits-only");
        assert_eq!(why(check_pin("471")), "too-short");
        assert_eq!(why(check_pin("471147114")), "too-long");
        assert!(check_pin("4711").is_ok());
    }

    #[test]
    fn a_recovery_code_can_be_typed_from_paper() {
        let code = recovery_code(&dice());
        assert_eq!(code.len(), 29, "{code}");
        let typed = code.to_lowercase().replace('-', " ");
        assert_eq!(read_recovery_code(&typed), read_recovery_code(&code));
        assert_eq!(read_recovery_code(&code).len(), 25);
        assert_ne!(code, recovery_code(&Dice(Mutex::new(9))));
    }
}
