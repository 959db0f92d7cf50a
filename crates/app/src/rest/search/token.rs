//! The opaque tokens that lead from one page of a search to the next. They carry what was asked
//! and where a page ended, names among it, and stand in addresses, which are written down on the
//! way: so they are sealed, and say nothing to anybody but the node that made them.

use chacha20poly1305::{AeadInPlace, ChaCha20Poly1305, KeyInit, Nonce, Tag};
use ondol_kernel::bytes;

use super::{SearchRequest, page::Place};
use crate::{
    App,
    rest::error::{ParameterFault, RestError},
};

const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// What a `next` link carries: the search itself and the place where its last page ended.
/// Whoever uses it is asked for their rights again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageToken {
    pub(super) place: Place,
    pairs: Vec<(String, String)>,
    text: String,
}

/// Seals the tokens of one node. What was sealed before a restart is opened after it.
struct Seal {
    cipher: ChaCha20Poly1305,
    /// Makes nonces out of what is sealed: one is used again for the same token alone.
    nonces: [u8; 32],
}

impl PageToken {
    pub(super) fn new(
        app: &App,
        request: &SearchRequest<'_>,
        place: &Place,
    ) -> Result<Self, RestError> {
        let text = Seal::of(app).seal(&plain(place, &request.pairs))?;
        Ok(Self { place: place.clone(), pairs: request.pairs.clone(), text })
    }

    /// The parameters of the search that it goes on with.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// As text of lower-case hexadecimal digits.
    pub fn as_text(&self) -> &str {
        &self.text
    }

    /// Reads [`PageToken::as_text`].
    ///
    /// # Errors
    ///
    /// [`RestError::Parameter`] for what this node has not made.
    pub fn from_text(app: &App, text: &str) -> Result<Self, RestError> {
        let read = Seal::of(app).open(text).and_then(|plain| read(&plain));
        let (place, pairs) =
            read.ok_or_else(|| RestError::parameter("_page", ParameterFault::Value))?;
        Ok(Self { place, pairs, text: text.to_owned() })
    }
}

fn plain(place: &Place, pairs: &[(String, String)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("", &place.to_text());
    query.extend_pairs(pairs);
    query.finish()
}

fn read(plain: &[u8]) -> Option<(Place, Vec<(String, String)>)> {
    let mut pairs = form_urlencoded::parse(plain).into_owned();
    let place = Place::read(&pairs.next()?.1)?;
    Some((place, pairs.collect()))
}

impl Seal {
    fn of(app: &App) -> Self {
        Self::new(&app.keys.link)
    }

    fn new(secret: &[u8; 32]) -> Self {
        let key = blake3::derive_key("ondol 2026 page token key", secret);
        let nonces = blake3::derive_key("ondol 2026 page token nonce", secret);
        Self { cipher: ChaCha20Poly1305::new(&key.into()), nonces }
    }

    fn seal(&self, plain: &str) -> Result<String, RestError> {
        let hash = blake3::keyed_hash(&self.nonces, plain.as_bytes());
        let nonce = &hash.as_bytes()[..NONCE_BYTES];
        let mut sealed = [nonce, plain.as_bytes()].concat();
        let body = &mut sealed[NONCE_BYTES..];
        let tag = self.cipher.encrypt_in_place_detached(Nonce::from_slice(nonce), b"", body);
        // The library refuses what is longer than any request.
        let tag = tag.map_err(|_| RestError::TooCostly)?;
        sealed.extend_from_slice(&tag);
        Ok(bytes::to_hex(&sealed))
    }

    fn open(&self, text: &str) -> Option<Vec<u8>> {
        let mut sealed = vec![0; text.len() / 2];
        if !bytes::hex_to(text, &mut sealed) || sealed.len() < NONCE_BYTES + TAG_BYTES {
            return None;
        }
        let tag = sealed.split_off(sealed.len() - TAG_BYTES);
        let mut plain = sealed.split_off(NONCE_BYTES);
        let (nonce, tag) = (Nonce::from_slice(&sealed), Tag::from_slice(&tag));
        self.cipher.decrypt_in_place_detached(nonce, b"", &mut plain, tag).ok()?;
        Some(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_carries_the_search_and_shows_nothing_of_it() {
        let pairs = vec![("name".to_owned(), "리용희&x=1".to_owned())];
        let (seal, other) = (Seal::new(&[1; 32]), Seal::new(&[2; 32]));
        for place in [
            Place::Arrival("17".into()),
            Place::Time("-5.17".into()),
            Place::Keys(vec![Some(vec![0, 255]), None, Some(vec![])], 3),
            Place::Type(7, None),
            Place::Type(7, Some("17".into())),
        ] {
            let said = plain(&place, &pairs);
            let text = seal.seal(&said).ok().unwrap();
            assert!(text.bytes().all(|b| b.is_ascii_hexdigit()));
            assert_eq!(text, seal.seal(&said).ok().unwrap());
            assert!(!text.contains(&bytes::to_hex(b"name")));
            assert_eq!(
                seal.open(&text).and_then(|plain| read(&plain)),
                Some((place, pairs.clone()))
            );
            assert_eq!(other.open(&text), None);
        }
    }

    #[test]
    fn what_is_no_token_of_this_node_is_refused() {
        let seal = Seal::new(&[1; 32]);
        let text = seal.seal(&plain(&Place::Arrival("17".into()), &[])).ok().unwrap();
        for at in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(seal.open(std::str::from_utf8(&other).unwrap()), None, "{at}");
        }
        for text in ["", "zz", "00", "3d613137", &text[2..], &text[..text.len() - 2]] {
            assert_eq!(seal.open(text), None, "{text}");
        }
        for said in ["", "x", "=a", "=k", "=w1", "=ax"] {
            assert_eq!(read(said.as_bytes()), None, "{said}");
        }
    }
}
