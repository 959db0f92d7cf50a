//! The texts of the pages: Fluent, one bundle for each language, built once.
//!
//! Each screen area has a file of its own in `locales/LANG/AREA.ftl`. A test compares the keys
//! of all languages with those that templates and sources use.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use askama::filters::Safe;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

use crate::assets;
use crate::lang::Lang;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

type Bundle = FluentBundle<FluentResource>;

static KO_KP_BUNDLE: LazyLock<Bundle> = LazyLock::new(|| bundle(Lang::Ko));
static EN_BUNDLE: LazyLock<Bundle> = LazyLock::new(|| bundle(Lang::En));

/// The files of a language: name and content.
pub(crate) const fn files(lang: Lang) -> &'static [(&'static str, &'static str)] {
    match lang {
        Lang::Ko => KO_KP,
        Lang::En => EN,
    }
}

/// The static files: name and content.
pub(crate) const fn static_files() -> &'static [(&'static str, &'static [u8])] {
    STATIC
}

fn bundle(lang: Lang) -> Bundle {
    let tags = lang.tag().parse().into_iter().collect();
    let mut bundle = Bundle::new_concurrent(tags);
    // The marks that isolate directions are of use only beside right-to-left text.
    bundle.set_use_isolating(false);
    for (_, source) in files(lang) {
        // What cannot be read is left out here, and named by the test of the keys.
        let resource = match FluentResource::try_new((*source).to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        bundle.add_resource_overriding(resource);
    }
    bundle
}

/// The texts of one language. Templates and sources call it `t`: the test of the keys looks for
/// `t.get("…")` and `t.msg("…")`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct T(Lang);

impl T {
    /// The texts of a language.
    pub const fn new(lang: Lang) -> Self {
        Self(lang)
    }

    /// The language.
    pub const fn lang(self) -> Lang {
        self.0
    }

    fn bundle(self) -> &'static Bundle {
        match self.0 {
            Lang::Ko => &KO_KP_BUNDLE,
            Lang::En => &EN_BUNDLE,
        }
    }

    /// A text without arguments. A key that does not exist shows itself.
    pub fn get(self, key: &str) -> String {
        self.format(key, None)
    }

    /// A text with arguments: `t.msg("road-waiting").arg("n", 3)`.
    pub const fn msg(self, key: &str) -> Msg<'_> {
        Msg { t: self, key, args: Vec::new() }
    }

    /// Whether a key exists.
    pub fn has(self, key: &str) -> bool {
        self.bundle().has_message(key)
    }

    /// An icon of the sprite `static/icons.svg`. It is hidden from screen readers: a word stands
    /// beside it.
    pub fn icon(self, name: &str) -> Safe<String> {
        let sprite = assets::url("icons.svg");
        Safe(format!(
            "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"{sprite}#{name}\"/></svg>"
        ))
    }

    fn format(self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        let bundle = self.bundle();
        let Some(pattern) = bundle.get_message(key).and_then(|m| m.value()) else {
            return format!("[{key}]");
        };
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, args, &mut errors).into_owned();
        debug_assert!(errors.is_empty(), "{key}: {errors:?}");
        text
    }
}

/// A text with arguments, on its way to a page.
#[derive(Debug, Clone)]
pub struct Msg<'k> {
    t: T,
    key: &'k str,
    args: Vec<(&'static str, FluentValue<'static>)>,
}

impl Msg<'_> {
    /// Adds an argument: a number (which chooses plural forms) or a text.
    #[must_use]
    pub fn arg(mut self, name: &'static str, value: impl Arg) -> Self {
        self.args.push((name, value.value()));
        self
    }
}

impl fmt::Display for Msg<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut args = FluentArgs::with_capacity(self.args.len());
        for (name, value) in &self.args {
            args.set(*name, value.clone());
        }
        f.write_str(&self.t.format(self.key, Some(&args)))
    }
}

/// What can be an argument of a text.
pub trait Arg {
    /// The value as Fluent takes it.
    fn value(self) -> FluentValue<'static>;
}

impl<A: Arg + Clone> Arg for &A {
    fn value(self) -> FluentValue<'static> {
        self.clone().value()
    }
}

impl Arg for &str {
    fn value(self) -> FluentValue<'static> {
        FluentValue::String(Cow::Owned(self.to_owned()))
    }
}

impl Arg for String {
    fn value(self) -> FluentValue<'static> {
        FluentValue::String(Cow::Owned(self))
    }
}

impl Arg for Cow<'_, str> {
    fn value(self) -> FluentValue<'static> {
        FluentValue::String(Cow::Owned(self.into_owned()))
    }
}

macro_rules! number_args {
    ($($kind:ty)*) => {$(
        impl Arg for $kind {
            fn value(self) -> FluentValue<'static> {
                FluentValue::from(self)
            }
        }
    )*};
}
number_args!(u8 u16 u32 u64 usize i32 i64);

/// Marks a literal as the key of a text for the test of the keys, where it is not written
/// within `t.get("…")`: `key!("note-saved")`.
#[macro_export]
macro_rules! key {
    ($key:literal) => {
        $key
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_choose_plural_forms() {
        let t = T::new(Lang::En);
        assert_eq!(t.msg("road-waiting").arg("n", 1).to_string(), "1 item waiting");
        assert_eq!(t.msg("road-waiting").arg("n", 3_u32).to_string(), "3 items waiting");
        let t = T::new(Lang::Ko);
        assert_eq!(t.msg("road-waiting").arg("n", 3).to_string(), "3건 대기중");
    }

    #[test]
    fn a_missing_key_shows_itself() {
        assert_eq!(T::new(Lang::En).get("no-such-key"), "[no-such-key]");
    }

    #[test]
    fn every_file_of_texts_can_be_read() {
        for lang in Lang::ALL {
            for (name, source) in files(lang) {
                let read = FluentResource::try_new((*source).to_owned());
                assert!(read.is_ok(), "{} {name}: {:?}", lang.tag(), read.err().map(|e| e.1));
            }
        }
    }
}
