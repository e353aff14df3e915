#!/usr/bin/env bash
# The tool doing its job in a pretend AWS account: no credentials, no cost. Leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")"

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export GEUSEMAKER_HOME=$home GEUSEMAKER_SANDBOX=1

step() {
  printf '\n$ geusemaker %s\n' "$*"
  bin/geusemaker "$@"
}

step deploy demo --yes
step list
step inspect demo
step destroy demo --yes
