//! Closed lists of words, each with the code by which policies, tables and stores know it.

use std::{fmt, marker::PhantomData};

/// One word of a closed list of at most 128.
pub trait Coded: Copy + Eq + fmt::Debug + 'static {
    /// Every word, in the order in which they are declared.
    const ALL: &'static [Self];

    /// Its place in [`Coded::ALL`].
    fn index(self) -> usize;

    /// Its code: lower case, words joined by hyphens.
    fn code(self) -> &'static str;

    /// The word with this code.
    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.code() == code)
    }
}

/// Declares an enum and its codes in one place.
macro_rules! coded {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $word:ident = $code:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $word,)+ }

        impl $crate::coded::Coded for $name {
            const ALL: &'static [Self] = &[$(Self::$word,)+];

            fn index(self) -> usize {
                self as usize
            }

            fn code(self) -> &'static str {
                match self { $(Self::$word => $code,)+ }
            }
        }
    };
}
pub(crate) use coded;

/// A set of words of one list.
pub struct CodeSet<T> {
    bits: u128,
    of: PhantomData<fn() -> T>,
}

impl<T: Coded> CodeSet<T> {
    /// The set of nothing.
    pub const EMPTY: Self = Self { bits: 0, of: PhantomData };

    /// Adds a word.
    pub fn insert(&mut self, word: T) {
        self.bits |= 1 << word.index();
    }

    /// This set and one word more.
    #[must_use]
    pub fn with(mut self, word: T) -> Self {
        self.insert(word);
        self
    }

    /// Whether the word is in it.
    pub fn contains(self, word: T) -> bool {
        self.bits & (1 << word.index()) != 0
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// How many words are in it.
    pub const fn len(self) -> u32 {
        self.bits.count_ones()
    }

    /// The words in it, in the order of the list.
    pub fn iter(self) -> impl Iterator<Item = T> {
        T::ALL.iter().copied().filter(move |word| self.contains(*word))
    }
}

impl<T: Coded> FromIterator<T> for CodeSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(words: I) -> Self {
        words.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl<T> Clone for CodeSet<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for CodeSet<T> {}

impl<T> PartialEq for CodeSet<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}

impl<T> Eq for CodeSet<T> {}

impl<T: Coded> fmt::Debug for CodeSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
