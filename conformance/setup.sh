#!/usr/bin/env bash
# Puts the judges into a virtual environment of the repository, and beside them cloud-init's own schema of user data, from
# Debian's package, which is unpacked and not installed. Does nothing when all of it is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv
wanted=$(cat conformance/requirements.txt conformance/setup.sh | sha256sum | cut -d' ' -f1)
if [ "$(cat "$venv/setup.sha256" 2>/dev/null || true)" = "$wanted" ]; then
  exit 0
fi
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r conformance/requirements.txt
mkdir "$venv/cloud-init"
(
  cd "$venv/cloud-init"
  apt-get -qq download cloud-init 2>/dev/null || { apt-get -qq update && apt-get -qq download cloud-init; }
  dpkg-deb --extract cloud-init_*.deb .
  cp usr/lib/python3/dist-packages/cloudinit/config/schemas/schema-cloud-config-v1.json schema.json
)
echo "$wanted" >"$venv/setup.sha256"
