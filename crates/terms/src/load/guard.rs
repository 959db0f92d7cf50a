//! Bytes of JSON on their way to the parser, watched so that no text is longer and no resource
//! larger than is held at once.

use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
};

use super::{RESOURCE_BYTES_MAX, TEXT_BYTES_MAX};

/// What was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    Text,
    Resource,
}

/// What the reader and the parser both see.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Bytes since the parser last let go of what it held.
    held: Cell<u64>,
    /// Whether the parser holds on to what it reads.
    pub(super) holds: Cell<bool>,
    pub(super) line: Cell<usize>,
    pub(super) broken: Cell<Option<Limit>>,
}

impl Watch {
    /// The parser holds nothing any more of what it read.
    pub(super) fn let_go(&self) {
        self.held.set(0);
    }
}

/// A reader that stops at a limit.
pub(super) struct Guard<R> {
    inner: R,
    watch: Rc<Watch>,
    in_text: bool,
    escaped: bool,
    text: usize,
}

impl<R: Read> Guard<R> {
    pub(super) fn new(inner: R, watch: Rc<Watch>) -> Self {
        watch.line.set(1);
        Self { inner, watch, in_text: false, escaped: false, text: 0 }
    }

    fn look(&mut self, bytes: &[u8]) -> Option<Limit> {
        for byte in bytes {
            if *byte == b'\n' {
                self.watch.line.set(self.watch.line.get() + 1);
            }
            if !self.in_text {
                self.in_text = *byte == b'"';
                self.text = 0;
                continue;
            }
            self.text += 1;
            if self.text > TEXT_BYTES_MAX {
                return Some(Limit::Text);
            }
            match (self.escaped, *byte) {
                (true, _) => self.escaped = false,
                (false, b'\\') => self.escaped = true,
                (false, b'"') => self.in_text = false,
                _ => {}
            }
        }
        let held = self.watch.held.get() + bytes.len() as u64;
        self.watch.held.set(if self.watch.holds.get() { held } else { 0 });
        (held > RESOURCE_BYTES_MAX).then_some(Limit::Resource)
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(to)?;
        if let Some(limit) = self.look(&to[..count]) {
            self.watch.broken.set(Some(limit));
            return Err(io::Error::other("a limit"));
        }
        Ok(count)
    }
}
