# shellcheck shell=bash
# Secrets: from the one parameter to one file for each service, in memory only (/run), with no more than that service needs.

declare -A secret=()

step_secrets() {
	local values answer=''
	install -d -m 700 "$run/secrets"
	# The rights of a new role take up to a minute to be known everywhere. An error of SSM holds no secret.
	retry 300 read_parameter || fail "cannot read $SECRET_PARAMETER: ${answer:-no answer}"
	parse_secrets < <(printf %s "$values")
	hand_out postgres POSTGRES_PASSWORD
	hand_out n8n DB_POSTGRESDB_PASSWORD=POSTGRES_PASSWORD N8N_ENCRYPTION_KEY N8N_USER_MANAGEMENT_JWT_SECRET \
		N8N_INSTANCE_OWNER_EMAIL N8N_INSTANCE_OWNER_PASSWORD_HASH
	hand_out qdrant QDRANT__SERVICE__API_KEY
	hand_out crawl4ai CRAWL4AI_API_TOKEN
	hand_out gateway OLLAMA_TOKEN
}

# read_parameter leaves the value in values or the refusal in answer.
read_parameter() {
	local python role host body="{\"Name\":\"$SECRET_PARAMETER\",\"WithDecryption\":true}"
	python=$(command -v python3 || command -v python)
	role=$(metadata iam/security-credentials/) && host=ssm.$REGION.$(metadata services/domain) || return
	answer=$(
		metadata "iam/security-credentials/$role" | "$python" "$home/lib/sign.py" "$REGION" "$host" "$body" |
			curl -sS -m 20 -K - -d "$body" "${GEUSEMAKER_SSM:-https://$host}"
	) || return
	values=$(printf %s "$answer" | "$python" -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)["Parameter"]["Value"])' 2>/dev/null)
}

# parse_secrets reads KEY=value lines from standard input.
parse_secrets() {
	local line
	while IFS= read -r line || [[ -n $line ]]; do
		[[ $line == *=* ]] || continue
		secret[${line%%=*}]=${line#*=}
	done
}

# hand_out SERVICE NAME[=SECRET]... writes the service's environment file. Single quotes keep compose from reading a $.
hand_out() {
	local service=$1 pair value lines=''
	shift
	for pair; do
		value=${secret[${pair#*=}]:-}
		[[ -n $value ]] || fail "$SECRET_PARAMETER has no ${pair#*=}"
		[[ $value != *[\'\\[:cntrl:]]* ]] || fail "${pair#*=} in $SECRET_PARAMETER holds a quote, a backslash or a control character"
		lines+="${pair%%=*}='$value'"$'\n'
	done
	write "$run/secrets/$service.env" 600 < <(printf %s "$lines")
}
