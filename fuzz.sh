#!/usr/bin/env bash
# Fuzzes everything that reads what others wrote, in turn, FUZZ_SECONDS (600) in all. A finding is kept by go test as a file under
# testdata/fuzz, which every later test run tries again; the rest goes on, and the script fails at the end.
set -uo pipefail
cd "$(dirname "$0")" || exit

targets=$(grep -rno --include='*_test.go' '^func Fuzz[A-Za-z0-9]*' cmd internal | sed -E 's|/[^/:]*:[0-9]+:func | |' | sort)
count=$(wc -l <<<"$targets")
each=$((${FUZZ_SECONDS:-600} / count))
((each > 0)) || each=1
echo "$count fuzz tests, $each s each"

failed=0
while read -r folder name; do
  if ! out=$(go test "./$folder" -run '^$' -fuzz "^$name\$" -fuzztime "${each}s" -fuzzminimizetime 1s </dev/null 2>&1); then
    failed=1
    echo "$out"
  fi
  printf '%-36s %-26s %s\n' "$folder" "$name" "$(grep -oE 'execs: [0-9]+' <<<"$out" | tail -n 1)"
done <<<"$targets"
exit "$failed"
