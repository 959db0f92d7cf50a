#!/usr/bin/env bash
# Everything that must hold before a change lands. Each step says how long it took; the tests come
# last, so that their summary is the last thing to read.
set -euo pipefail
cd "$(dirname "$0")/.."

# step NAME COMMAND...
step() {
  local name=$1 start=$SECONDS
  shift
  printf '\n== %s\n' "$name"
  "$@"
  printf -- '-- %s: %d s (%d s since the start)\n' "$name" $((SECONDS - start)) $SECONDS
}

step tidy cargo run --locked --quiet --package xtask -- tidy
step format cargo fmt --all --check
step clippy cargo clippy --locked --workspace --all-targets -- --deny warnings
if cargo deny --version >/dev/null 2>&1; then
  step licences cargo deny --offline check licenses bans sources
else
  echo "cargo-deny is not installed: licences are not checked."
fi
# One build with the features of tests serves the steps below; --bins because tests start the node.
step build cargo build --locked --workspace --bins --tests
step doctests cargo test --locked --workspace --doc --quiet

printf '\n== tests\n'
if cargo nextest --version >/dev/null 2>&1; then
  exec cargo nextest run --locked --workspace
fi
exec cargo test --locked --workspace --bins --lib --tests --no-fail-fast
