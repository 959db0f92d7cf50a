//! Values that must not reach a log.

use std::fmt;

/// Something about a person: a name, a number, a complaint. It prints as `[hidden]`, so that a
/// forgotten `{:?}` in a log line or an error says nothing about anybody.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for a page, an answer or the store: never for a log.
    pub const fn reveal(&self) -> &T {
        &self.0
    }

    /// Gives the value back.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> From<T> for Sensitive<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_says_nothing_about_the_person() {
        let name = Sensitive::new("Ri Yong-hui".to_owned());
        assert_eq!(format!("{name:?}"), "[hidden]");
        assert_eq!(name.reveal(), "Ri Yong-hui");
    }
}
