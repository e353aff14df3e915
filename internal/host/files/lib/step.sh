# shellcheck shell=bash
# Steps and their record, failing, and trying again.

# Tests run the scripts under another root. Not every script uses every path.
# shellcheck disable=SC2034
{
	root=${GEUSEMAKER_ROOT:-}
	home=$root/opt/geusemaker
	state=$root/var/lib/geusemaker
	run=$root/run/geusemaker
	log=$root/var/log/geusemaker-userdata.log
	data=$root/mnt/geusemaker/data
	files=$root/mnt/geusemaker/files
}

set -a
# shellcheck source=/dev/null
. "$root/etc/geusemaker/machine.env"
set +a
# A file system can serve several deployments: only the models are shared.
# shellcheck disable=SC2034
stack_files=$files/$STACK_ID

step='' detail='' started=0

milliseconds() {
	date +%s%3N
}

# record appends the running step to the progress: record STATUS. What JSON would have to escape is replaced in the detail.
record() {
	local took=$(($(milliseconds) - started)) text
	text=$(printf %s "$detail" | tr '"\\\n\t' "'/  " | tr -d '[:cntrl:]' | head -c 400 | iconv -c -f utf-8 -t utf-8 || true)
	printf '{"name":"%s","status":"%s","at":%d,"seconds":%d.%03d,"detail":"%s"}\n' "$step" "$1" $((started / 1000)) \
		$((took / 1000)) $((took % 1000)) "$text" >>"$state/progress.jsonl"
}

# run_step NAME runs step_NAME and records it. Not in a condition: there the shell would go on after a failed command.
run_step() {
	step=$1 detail='' started=$(milliseconds)
	printf '%s step %s\n' "$(date -u +%FT%TZ)" "$step"
	record running
	"step_$step"
	record 'done'
}

# fail ends the run; the reason becomes the detail of the step.
fail() {
	detail=$*
	printf 'error: %s\n' "$detail"
	exit 1
}

# retry SECONDS COMMAND... runs the command until it succeeds; false when the time is over.
retry() {
	local end=$((SECONDS + $1)) pause=2
	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep "$pause"
		pause=$((pause < 20 ? pause * 2 : 20))
	done
}

# fetch URL FILE downloads over TLS; a file appears only when it is whole.
fetch() {
	curl -fsSL --connect-timeout 10 --max-time 600 -o "$2.part" "$1" && mv "$2.part" "$2"
}

# write FILE MODE writes standard input to the file in one move.
write() {
	(umask 077 && cat >"$1.new")
	chmod "$2" "$1.new"
	mv "$1.new" "$1"
}
