#!/usr/bin/env bash
# What the tests need beside Rust: a C compiler (SQLite and zstd are built from source), git (the
# list of files for tidy), a browser with its driver, Korean letters for it, and the tools that
# look at printed pages as PDF.
set -euo pipefail
cd "$(dirname "$0")/.."

bash scripts/install-missing.sh \
  gcc libc6-dev make git chromium chromium-driver fonts-nanum poppler-utils

if ! cargo nextest --version >/dev/null 2>&1; then
  echo "cargo-nextest is not installed: the tests run with plain 'cargo test'."
  echo "To have it (some minutes to build): cargo install cargo-nextest --locked"
fi
