#!/usr/bin/env bash
# Records the terminal pictures of the README from real runs in the pretend account, in a terminal of tmux. It takes a minute.
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in tmux go; do
  command -v "$tool" >/dev/null || { echo "record.sh: $tool is needed" >&2; exit 1; }
done
home=$(mktemp -d)
terminal=
close_window() { [ -z "$terminal" ] || tmux -L "$terminal" kill-server 2>/dev/null || true; }
trap 'close_window; rm -rf "$home"' EXIT
go build -o "$home/draw" ./pictures
cat >"$home/profile" <<PROFILE
export GEUSEMAKER_HOME=$home/records GEUSEMAKER_SANDBOX=1 PATH=$PWD/bin:\$PATH PS1='\$ ' LANG=C.UTF-8
unset PROMPT_COMMAND NO_COLOR ACCESSIBLE
clear
PROFILE

# window WIDTH HEIGHT: an empty terminal of that size.
window() {
  close_window
  terminal="pictures-$$-$1x$2"
  tmux -L "$terminal" -f /dev/null new-session -d -x "$1" -y "$2" "bash --noprofile --rcfile $home/profile -i"
  sleep 1
}

keys() { tmux -L "$terminal" send-keys "$1" Enter; }

# shown TEXT: waits until the terminal shows it.
shown() {
  for _ in $(seq 600); do
    tmux -L "$terminal" capture-pane -p | grep -qE -- "$1" && return
    sleep 0.1
  done
  echo "record.sh: the terminal never showed: $1" >&2
  tmux -L "$terminal" capture-pane -p >&2
  exit 1
}

# picture NAME TITLE: what the terminal shows now.
picture() { tmux -L "$terminal" capture-pane -e -p | "$home/draw" -title "$2" >"docs/pictures/$1.svg"; }

export GEUSEMAKER_HOME=$home/records GEUSEMAKER_SANDBOX=1
echo "record.sh: two deployments for the list ..." >&2
bin/geusemaker deploy team --region eu-central-1 --market on-demand --yes --quiet >/dev/null
bin/geusemaker sandbox fault machine storage --effect boot-fails >/dev/null
bin/geusemaker deploy lab --region us-west-2 --yes --quiet --on-failure keep >/dev/null 2>&1 || true
bin/geusemaker sandbox fault --clear >/dev/null

echo "record.sh: a deploy ..." >&2
window 96 30
keys 'geusemaker deploy demo --yes'
shown 'image/ollama.*██████░'
picture deploy 'geusemaker deploy demo'
shown 'geusemaker destroy demo'

window 116 12
keys 'geusemaker list'
shown 'demo .*running'
picture list 'geusemaker list'

window 100 96
keys 'geusemaker inspect demo'
shown 'rests on an assumption'
picture inspect 'geusemaker inspect demo'
ls -l docs/pictures >&2
