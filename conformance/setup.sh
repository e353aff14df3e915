#!/usr/bin/env bash
# Puts the judges into a virtual environment of the repository. Does nothing when they are there already.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv
wanted=$(sha256sum conformance/requirements.txt | cut -d' ' -f1)
if [ "$(cat "$venv/requirements.sha256" 2>/dev/null || true)" = "$wanted" ]; then
  exit 0
fi
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r conformance/requirements.txt
echo "$wanted" >"$venv/requirements.sha256"
