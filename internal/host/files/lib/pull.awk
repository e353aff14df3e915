# Reads the progress that Docker or Ollama streams, one JSON object a line, and keeps the sum over all layers in file.
function number(key) {
	if (!match($0, "\"" key "\":[0-9]+")) return 0
	return substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3) + 0
}

function save(i, now, all) {
	for (i in size) {
		now += have[i]
		all += size[i]
	}
	printf "{\"image\":\"%s\",\"status\":\"pulling\",\"done\":%.0f,\"total\":%.0f}\n", name, now, all > file
	close(file)
}

/"error":|^\{"message":/ {
	print name ": " substr($0, 1, 300) > "/dev/stderr"
	failed = /not found|not exist|manifest unknown|no matching manifest|denied/ ? 100 : 1
}

match($0, /"id":"[0-9a-f]+"|"digest":"sha256:[0-9a-f]+"/) {
	layer = substr($0, RSTART, RLENGTH)
	if (/"status":"(Downloading|pulling)/) {
		have[layer] = number("current") + number("completed")
		if (number("total")) size[layer] = number("total")
	} else if (/"status":"(Download|Pull) complete"/) have[layer] = size[layer]
	if (++lines % 20 == 0) save()
}

END {
	save()
	exit failed
}
