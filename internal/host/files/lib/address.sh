# shellcheck shell=bash
# The machine's own address, which only the machine knows.

metadata() {
	local url=${GEUSEMAKER_METADATA:-http://169.254.169.254}/latest token
	token=$(curl -fsS -m 5 --retry 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$url/api/token") &&
		printf 'header = "X-aws-ec2-metadata-token: %s"' "$token" | curl -fsS -m 5 --retry 5 -K - "$url/meta-data/$1"
}

# find_address prints the name under which the gateway is reached: the domain, the public address or the private one.
find_address() {
	if [[ -n $DOMAIN ]]; then
		printf %s "$DOMAIN"
	elif [[ $ACCESS == direct ]]; then
		metadata public-ipv4 || metadata local-ipv4
	else
		metadata local-ipv4
	fi
}

# A tunnel ends at the user's own machine.
write_address() {
	local host
	host=$(find_address) || fail 'the metadata service does not tell the address of this machine'
	write "$run/address.env" 644 <<-END
		PUBLIC_HOST='$host'
		PUBLIC_URL='$GATEWAY_SCHEME://$([[ $ACCESS == tunnel ]] && printf localhost:5678 || printf %s "$host")'
	END
}
