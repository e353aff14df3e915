# shellcheck shell=bash
# Backups: the databases of the block volume, as dumps on the file system. Those of one deployment only: another's could not
# be read without its encryption key.

backups=$stack_files/backups

# qdrant PATH CURL-ARGUMENT... calls Qdrant's API with its key.
qdrant() {
	sed -n "s/^QDRANT__SERVICE__API_KEY='\(.*\)'/header = \"api-key: \1\"/p" "$run/secrets/qdrant.env" |
		curl -fsS -K - "${@:2}" "http://$(service_address qdrant):6333/$1"
}

# names prints the values of "name" in a JSON text.
names() {
	tr '{,' '\n' | sed -n 's/^"name":"\([^"]*\)".*/\1/p'
}

# back_up FOLDER dumps both databases.
back_up() {
	local collections collection snapshot
	service postgres pg_dump -U n8n -Fc n8n >"$1/n8n.dump"
	collections=$(qdrant collections | names)
	for collection in $collections; do
		snapshot=$(qdrant "collections/$collection/snapshots" -X POST | names)
		mv "$data/snapshots/$collection/$snapshot" "$1/$collection.snapshot"
		rm -f "$data/snapshots/$collection/$snapshot.checksum"
	done
}

# restore fills empty databases from the newest backup, if there is one.
restore() {
	local newest file name
	newest=$(find "$backups" -mindepth 1 -maxdepth 1 -name '*Z' | sort | tail -n 1)
	[[ -n $newest ]] || return 0
	printf 'restoring %s\n' "$newest"
	"$home/compose" up -d --wait postgres qdrant
	service postgres pg_restore -U n8n -d n8n --clean --if-exists <"$newest/n8n.dump"
	for file in "$newest"/*.snapshot; do
		[[ -e $file ]] || continue
		name=${file##*/}
		qdrant "collections/${name%.snapshot}/snapshots/upload?priority=snapshot" -o /dev/null -F "snapshot=@$file"
	done
	detail="restored ${newest##*/}"
}
