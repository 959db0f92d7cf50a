//! How far files are read, and whether they are to be read on.

use std::{
    fs::File,
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// Counts the bytes of all files as they are read, and stops reading when it is asked to.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    read: AtomicU64,
    stop: AtomicBool,
}

impl Gauge {
    /// Bytes that were read.
    pub(super) fn bytes(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Says where reading stands: what is read whole is not counted on the way.
    pub(super) fn set(&self, bytes: u64) {
        self.read.store(bytes, Ordering::Relaxed);
    }

    /// Nothing more is to be read.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether that was said.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// A file whose bytes are counted.
pub(super) struct Counted {
    from: File,
    gauge: Arc<Gauge>,
}

impl Counted {
    pub(super) const fn of(from: File, gauge: Arc<Gauge>) -> Self {
        Self { from, gauge }
    }
}

impl Read for Counted {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.gauge.is_stopped() {
            return Err(io::Error::other("asked to stop"));
        }
        let count = self.from.read(to)?;
        self.gauge.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
