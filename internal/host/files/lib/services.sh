# shellcheck shell=bash
# Services: started, waited for, and given their models.

# service NAME COMMAND... runs a command in a container.
service() {
	docker exec -i "geusemaker-$1-1" "${@:2}"
}

# service_address NAME is where the machine itself reaches a container; only the gateway is published.
service_address() {
	docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "geusemaker-$1-1"
}

step_compose() {
	write_address
	if [[ -e $data/restore ]]; then
		restore
		rm "$data/restore"
	fi
	"$home/compose" up -d --remove-orphans || fail_with_logs 'docker compose failed'
}

# fail_with_logs REASON ends the run with what the containers that are not well said last.
fail_with_logs() {
	local name
	for name in $(docker ps -a --format '{{.Names}} {{.Status}}' | sed -n '/(healthy)/!s/ .*//p'); do
		printf '\n%s:\n' "$name"
		docker logs --tail 15 "$name" 2>&1
	done
	fail "$1"
}

step_health() {
	local expected
	expected=$("$home/compose" config --services | sort)
	SECONDS=0
	until all_healthy; do
		((SECONDS < 1200)) || fail_with_logs "not healthy after 20 minutes: $waiting"
		sleep 3
	done
	detail="$(wc -w <<<"$expected") services are healthy"
}

# all_healthy leaves the names of the others in waiting.
all_healthy() {
	local healthy
	healthy=$(docker ps --filter label=com.docker.compose.project=geusemaker --filter health=healthy \
		--format '{{.Label "com.docker.compose.service"}}' | sort)
	waiting=$(comm -23 <(printf '%s\n' "$expected") <(printf '%s\n' "$healthy") | paste -sd ' ')
	[[ -z $waiting ]]
}
