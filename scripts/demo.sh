#!/usr/bin/env bash
# demo.sh [ARGUMENT...]: builds Ondol and starts a small country on this machine. The arguments
# go to ondol-demo (--help lists them).
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v cargo >/dev/null; then
  echo "Rust is missing: cargo was not found. See README.md." >&2
  exit 1
fi
if ! command -v cc >/dev/null; then
  echo "Ondol needs a C compiler beside Rust (SQLite and zstd are built from source)."
  bash scripts/install-missing.sh gcc libc6-dev
fi
echo "Building the release. The first time takes some minutes; cargo shows how far it is."
cargo build --locked --release --package ondol-node --package ondol-testkit --bins
# Not `cargo run`: for one package alone cargo would choose other features and build again.
exec "${CARGO_TARGET_DIR:-target}/release/ondol-demo" "$@"
