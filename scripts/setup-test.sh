#!/usr/bin/env bash
# What the tests need beside Rust: a C compiler (SQLite and zstd are built from source), git (the
# list of files for tidy), a browser with its driver, Korean letters and a store of certificates for
# it, `ip` for a local network of its own, and the tools that look at printed pages as PDF.
set -euo pipefail
cd "$(dirname "$0")/.."

bash scripts/install-missing.sh \
  gcc libc6-dev make git chromium chromium-driver fonts-nanum iproute2 libnss3-tools poppler-utils

if ! cargo nextest --version >/dev/null 2>&1; then
  echo "cargo-nextest is not installed: the tests run with plain 'cargo test'."
  echo "To have it (some minutes to build): cargo install cargo-nextest --locked"
fi
