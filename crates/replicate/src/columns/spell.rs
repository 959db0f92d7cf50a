//! Texts letter by letter, as far as they are short (ADR 0013).

use std::sync::OnceLock;

use ondol_kernel::bytes::BadBytes;

use super::{
    coder::Side,
    model::{Kind, SLOT_NEW, mix, mixed, place},
};

/// Contexts of a letter.
const CONTEXTS: usize = 6;

/// Bits of the number of a slot.
const SLOT_BITS: u32 = 18;

/// Words and sentences that texts of care consist of: part of the format.
const WORDS: &str = include_str!("words-1.txt");

/// What was learnt about letters.
#[derive(Clone)]
pub struct Letters {
    slots: Vec<u32>,
    weights: Vec<[i32; CONTEXTS]>,
}

/// Hears what is told, and forgets it: how the words are learnt.
struct Deaf;

impl Side for Deaf {
    const WRITES: bool = true;

    fn decide(&mut self, bit: bool, _likely: u32) -> Result<bool, BadBytes> {
        Ok(bit)
    }

    fn charge(&mut self, _amount: usize) -> Result<(), BadBytes> {
        Ok(())
    }
}

impl Letters {
    /// What is known from [`WORDS`].
    pub fn known() -> Self {
        static KNOWN: OnceLock<Letters> = OnceLock::new();
        let known = KNOWN.get_or_init(|| {
            let mut letters = Self {
                slots: vec![SLOT_NEW; 1 << SLOT_BITS],
                weights: vec![[20_000; CONTEXTS]; CONTEXTS + 1],
            };
            for line in WORDS.lines() {
                // A side that forgets refuses nothing.
                let _ = letters.text(&mut Deaf, 0, line.as_bytes(), usize::MAX);
            }
            letters
        });
        known.clone()
    }

    /// A text of at most `max` bytes without zeros, and a zero behind it. `column` says where it
    /// stands.
    pub fn text<S: Side>(
        &mut self,
        side: &mut S,
        column: u32,
        text: &[u8],
        max: usize,
    ) -> Result<Vec<u8>, BadBytes> {
        let mut read = vec![];
        let mut before = Before { column, ..Before::default() };
        loop {
            let letter = text.get(read.len()).copied().unwrap_or(0);
            let letter = self.letter(side, &before, letter)?;
            if letter == 0 {
                return Ok(read);
            }
            if read.len() == max {
                return Err(BadBytes);
            }
            read.push(letter);
            before.goes_on(letter);
        }
    }

    fn letter<S: Side>(
        &mut self,
        side: &mut S,
        before: &Before,
        letter: u8,
    ) -> Result<u8, BadBytes> {
        let contexts = before.contexts();
        let mut node = 1u32;
        for at in (0..8).rev() {
            let places = contexts.map(|context| place(context, node, SLOT_BITS));
            let seen = places.iter().filter(|&&place| self.slots[place] & 1023 != 0).count();
            side.about(Kind::Letter);
            let told = letter >> at & 1 == 1;
            let bit = mixed(side, &mut self.slots, &mut self.weights[seen], places, told)?;
            node = node << 1 | u32::from(bit);
        }
        Ok((node & 0xff) as u8)
    }
}

/// What stands before a letter.
#[derive(Default)]
struct Before {
    column: u32,
    /// The last eight letters.
    last: u64,
    /// The word so far, and the one before it.
    words: [u32; 2],
}

impl Before {
    fn goes_on(&mut self, letter: u8) {
        self.last = self.last << 8 | u64::from(letter);
        if letter.is_ascii_alphanumeric() || letter >= 0x80 {
            self.words[0] = mix(&[self.words[0], letter.into()]);
        } else {
            self.words = [0, mix(&[self.words[0], letter.into()])];
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "some of the letters are wanted")]
    fn contexts(&self) -> [u32; CONTEXTS] {
        let last = |letters: u32| (self.last & ((1 << (8 * letters)) - 1)) as u32;
        [
            mix(&[1, last(1)]),
            mix(&[2, last(2)]),
            mix(&[3, last(3)]),
            mix(&[4, last(4), (self.last >> 32) as u32 & 0xff]),
            mix(&[5, self.words[0], self.words[1]]),
            mix(&[6, self.words[0], self.column, last(1)]),
        ]
    }
}
