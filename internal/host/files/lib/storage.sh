# shellcheck shell=bash
# Storage: PostgreSQL and Qdrant on the block volume, everything else on the file system.

label=geusemaker-data

step_storage() {
	if [[ $DATA_VOLUME == true ]]; then
		mount_data
	fi
	if [[ -n $FILE_SYSTEM_ID ]]; then
		mount_files
	fi
	make_folders
	detail=$(df -Ph "$data" "$files" | awk 'NR > 1 { printf "%s%s of %s free", (NR > 2 ? ", " : ""), $4, $2 }')
}

# data_disk prints the disk of the data volume: the one with our label, else one that was never written to.
data_disk() {
	local disk
	disk=$(blkid -t "LABEL=$label" -o device | head -n 1)
	if [[ -n $disk ]]; then
		printf '%s\n' "$disk"
		return
	fi
	for disk in $(ebs_disks); do
		if blank "$disk"; then
			printf '%s\n' "$disk"
			return
		fi
	done
	return 1
}

# ebs_disks prints every EBS disk: NVMe tells by its model, Xen by the name under which we attach it. Instance store, which
# a stop would empty, is neither.
ebs_disks() {
	lsblk -dnro NAME,TYPE,MODEL | awk '$2 == "disk" && ($3 ~ /^Amazon.x20Elastic/ || $1 ~ /^(sd|xvd)f$/) { print "/dev/" $1 }'
}

# blank DISK: no partition, no mount, no signature of any kind. A failing tool counts as "not blank".
blank() {
	local use signatures status=0
	use=$(lsblk -nro NAME,FSTYPE,MOUNTPOINT "$1") && [[ $use == "${1##*/}"*([[:space:]]) ]] || return 1
	signatures=$(wipefs -n "$1") && [[ -z $signatures ]] || return 1
	blkid -p "$1" >/dev/null || status=$?
	((status == 2))
}

find_data_disk() {
	disk=$(data_disk)
}

mount_data() {
	local disk uuid
	retry 600 find_data_disk || fail 'no data volume came up within 10 minutes, or none that is ours or blank: see lsblk -f'
	if [[ -z $(blkid -p -s UUID -o value "$disk") ]]; then
		printf 'making a file system on %s\n' "$disk"
		mkfs.ext4 -q -m 1 -L "$label" "$disk"
	fi
	uuid=$(blkid -p -s UUID -o value "$disk")
	mount_entry "UUID=$uuid" "$data" ext4 defaults,noatime,nofail,x-systemd.device-timeout=300 0 2
	start_mount "$data" || fail "cannot mount $disk: see journalctl -u mnt-geusemaker-data.mount"
	# The volume may have been enlarged.
	resize2fs "$disk"
}

# A mount target can come up minutes after the machine, and its name later still.
mount_files() {
	install_efs_utils
	mount_entry "$FILE_SYSTEM_ID:/" "$files" efs _netdev,nofail,tls,iam 0 0
	retry 600 start_mount "$files" ||
		fail "cannot mount $FILE_SYSTEM_ID: is there a mount target in this zone, and port 2049 open? See /var/log/amazon/efs/mount.log"
}

# mount_entry WHAT WHERE TYPE OPTIONS DUMP PASS puts the mount into fstab, in the place of an older one.
mount_entry() {
	local fstab=$root/etc/fstab
	install -d "$2"
	grep -qxF "$*" "$fstab" && return
	write "$fstab" 644 < <(awk -v where="$2" '$2 != where' "$fstab" && printf '%s\n' "$*")
	systemctl daemon-reload
}

# Through systemd, as at every later boot: a helper that the mount leaves running must not belong to this service.
start_mount() {
	local unit
	unit=$(systemd-escape -p --suffix=mount "$1") || return
	systemctl reset-failed "$unit" 2>/dev/null || true
	systemctl start "$unit"
}

# The users are those of the images. Docker is told not to make a folder itself.
make_folders() {
	install -d "$data/qdrant" "$data/snapshots"
	install -d -o 999 -g 999 -m 700 "$data/postgres"
	if ! install -d "$files/ollama" "$stack_files/gateway" "$stack_files/backups" || ! install -d -o 1000 -g 1000 -m 700 "$stack_files/n8n"; then
		fail "cannot write to $files: does the file system's policy allow elasticfilesystem:ClientRootAccess?"
	fi
	# A new volume is filled from the newest backup before anything else writes to it.
	[[ -e $data/postgres/PG_VERSION ]] || touch "$data/restore"
}
