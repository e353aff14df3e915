#!/usr/bin/env bash
# Lints the files of the machine as they lie here. Needs shellcheck; fails without it.
set -euo pipefail
cd "$(dirname "$0")/files"
shellcheck --version >/dev/null || { echo 'lint.sh: install shellcheck first: apt-get install -y shellcheck' >&2; exit 1; }
shellcheck --external-sources --check-sourced --source-path=SCRIPTDIR ../lint.sh backup bootstrap.sh compose logs models report spot
