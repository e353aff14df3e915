#!/usr/bin/env bash
# Brings the machine up, from a bare image or after a reboot: geusemaker.service runs it at every boot. Each step looks at what
# is there first, so running it again does no harm.
set -Eeuo pipefail
umask 022

here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib/step.sh"
. "$here/lib/packages.sh"
. "$here/lib/storage.sh"
. "$here/lib/address.sh"
. "$here/lib/secrets.sh"
. "$here/lib/pulls.sh"
. "$here/lib/backup.sh"
. "$here/lib/services.sh"

main() {
	# The report tells of a boot from the moment on at which this folder in memory is there.
	rm -f "$state"/userdata-* "$state/progress.jsonl"
	install -d "$state" "$run"
	(umask 077 && touch "$log")
	exec >>"$log" 2>&1
	trap 'printf "line %s: %s\n" "$LINENO" "$BASH_COMMAND" >&2' ERR
	trap finish EXIT
	printf 'geusemaker %s: %s on %s\n' "$TOOL_VERSION" "$STACK_NAME" "$(os PRETTY_NAME)"

	run_step packages
	run_step docker
	start_pulls
	run_step storage
	run_step secrets
	run_step images
	run_step compose
	run_step health
	date -u +%FT%TZ >"$state/userdata-complete"
	[[ $BACKUP != daily ]] || systemctl start geusemaker-backup.timer
	systemctl start --no-block geusemaker-models.service geusemaker-spot.service
}

# finish runs at every end; after a failure it leaves word of the step and of what was said last.
finish() {
	local status=$?
	trap - ERR EXIT
	((status != 0)) || return 0
	: "${detail:=$(tail -n 3 "$log")}"
	if ((${#pull_jobs[@]})); then
		kill "${pull_jobs[@]}" 2>/dev/null || true
	fi
	record failed
	{
		printf 'step: %s\nreason: %s\n\n' "$step" "$detail"
		tail -n 40 "$log"
	} | write "$state/userdata-failed" 600
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
	main
fi
