#!/usr/bin/env bash
# Checks of our tables against other people's software, and of compiled files against their
# sources, in Python: each folder of tests-external
# that has a check.py, with its requirements.txt in a virtual environment below target/.
set -euo pipefail
cd "$(dirname "$0")/.."

checks=(tests-external/*/check.py)
if [ ! -e "${checks[0]}" ]; then
  echo "There are no external checks."
  exit 0
fi
bash scripts/install-missing.sh python3 python3-venv
for check in "${checks[@]}"; do
  folder=$(dirname "$check")
  venv=target/$folder
  echo "== $check"
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  if [ -f "$folder/requirements.txt" ]; then
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
      --requirement "$folder/requirements.txt"
  fi
  "$venv/bin/python" "$check"
done
