#!/usr/bin/env bash
# bench.sh [ARGUMENT...]: measures on this machine what the README and CHANGELOG quote. Without
# arguments all figures with their defaults; `ondol-bench --help` lists the works.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v cc >/dev/null || bash scripts/install-missing.sh gcc libc6-dev
cargo build --locked --release --package ondol-node --package ondol-bench --bins
[ $# -gt 0 ] || set -- all
exec "${CARGO_TARGET_DIR:-target}/release/ondol-bench" "$@"
