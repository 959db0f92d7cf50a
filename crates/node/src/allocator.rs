//! What holds memory for a node that runs for years on a small computer (ADR 0019).
//!
//! The C library of Debian keeps what was freed below any small block that stays, so that a node
//! grew to several times what it used. jemalloc gives pages back wherever they lie. SQLite and
//! zstd are in it too: its names are those of C. What it is told stands in `.cargo/config.toml`,
//! and whoever starts a node can say otherwise in `MALLOC_CONF`.

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;
