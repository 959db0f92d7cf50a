//! Conditional read (R4 3.1.0.1.3): what the client says it has.

use ondol_kernel::Millis;

use super::{VersionId, etags, read::Answer};

/// What the client has already (`If-None-Match`, `If-Modified-Since`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    versions: Option<Versions>,
    since: Option<Millis>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Versions {
    /// `*`
    Any,
    These(Vec<VersionId>),
}

impl Known {
    /// From the text of `If-None-Match` and the instant of `If-Modified-Since`. The second counts
    /// where the first is missing (RFC 9110 13.1.3). Tags that are none of ours match nothing.
    pub fn new(if_none_match: Option<&str>, since: Option<Millis>) -> Self {
        let versions = if_none_match.map(|text| match text.trim() {
            "*" => Versions::Any,
            text => Versions::These(etags(text).unwrap_or_default()),
        });
        Self { versions, since }
    }

    /// Whether the answer says nothing new. Times of HTTP have no more than seconds. Where several
    /// versions stand they are always shown: another one may have arrived since.
    pub fn covers(&self, answer: &Answer) -> bool {
        let second = |at: Millis| at.0.div_euclid(1_000);
        match (&self.versions, self.since) {
            _ if answer.has_rivals => false,
            (Some(Versions::Any), _) => true,
            (Some(Versions::These(known)), _) => known.contains(&answer.version),
            (None, Some(since)) => second(answer.updated) <= second(since),
            (None, None) => false,
        }
    }
}
