# shellcheck shell=bash
# Pulls of container images and of models, with their progress kept for the report.

pull_jobs=()

# Images are pulled all at once in the background while storage comes up.
start_pulls() {
	local name
	rm -rf "$state/pulls"
	install -d "$state/pulls"
	for name in ${!IMAGE_*}; do
		pull image "$state/pulls/$name" "${!name}" &
		pull_jobs+=($!)
	done
}

step_images() {
	local job failed=0
	for job in "${pull_jobs[@]}"; do
		wait "$job" || failed=$((failed + 1))
	done
	pull_jobs=()
	((failed == 0)) || fail "$failed of the images cannot be pulled: see the log"
}

# pull image|model FILE NAME keeps the state of the pull in the file.
pull() {
	pull_state waiting "$2" "$3"
	"have_$1" "$3" || retry 900 stream "$@" || true
	if "have_$1" "$3"; then
		pull_state 'done' "$2" "$3"
	else
		pull_state failed "$2" "$3"
		return 1
	fi
}

# pull_state STATUS FILE NAME keeps the bytes that were counted last.
pull_state() {
	local bytes='"done":0,"total":0}'
	if [[ -s $2 ]]; then
		bytes='"done"'$(sed 's/.*"done"//' "$2")
	fi
	write "$2" 644 < <(printf '{"image":"%s","status":"%s",%s\n' "$3" "$1" "$bytes")
}

# stream succeeds when there is no use in trying again: 100 stands for a refusal for good.
stream() {
	local status=0
	"ask_$1" "$3" | LC_ALL=C awk -v file="$2" -v name="$3" -f "$home/lib/pull.awk" || status=$?
	((status == 0 || status == 100))
}

have_image() {
	docker image inspect "$1" >/dev/null 2>&1
}

# Docker's API tells bytes where its command line draws a bar.
ask_image() {
	curl -sS --unix-socket "$root/var/run/docker.sock" -X POST "http://docker/v1.44/images/create?fromImage=$1"
}

have_model() {
	service ollama ollama show "$1" >/dev/null 2>&1
}

ask_model() {
	curl -sS "http://$(service_address ollama):11434/api/pull" -d "{\"model\":\"$1\"}"
}
