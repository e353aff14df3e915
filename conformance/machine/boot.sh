#!/usr/bin/env bash
# Becomes PID 1 of a machine: boot.sh FOLDER. Runs inside fresh mount, PID, UTS, IPC and cgroup namespaces and in the machine's
# network namespace. FOLDER holds root (an overlay is mounted there from lower, upper and work), docker (the part of the root
# volume that an overlay cannot lie on), efs (what EFS would serve) and disks (lines of: name under EC2, loop device).
set -euo pipefail
folder=$1
cd "$folder"
mount -t overlay machine -o "lowerdir=$(readlink -f lower),upperdir=$folder/upper,workdir=$folder/work" root
for path in var/lib/docker var/lib/containerd srv/efs; do
	mkdir -p "root/$path"
done
mkdir -p docker/docker docker/containerd
mount --bind docker/docker root/var/lib/docker
mount --bind docker/containerd root/var/lib/containerd
mount --bind efs root/srv/efs
cd root

mount -t proc proc proc
mount -t sysfs sysfs sys
# The controllers are where this kernel has them: all below the second version, or each by itself.
if [[ $(stat -f -c %T /sys/fs/cgroup) == cgroup2fs ]]; then
	mount -t cgroup2 cgroup2 sys/fs/cgroup
else
	mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
	while read -r controller _ _ enabled; do
		[[ $controller != '#'* && $enabled == 1 ]] || continue
		mkdir "sys/fs/cgroup/$controller"
		mount -t cgroup -o "$controller" cgroup "sys/fs/cgroup/$controller" || rmdir "sys/fs/cgroup/$controller"
	done </proc/cgroups
	mkdir sys/fs/cgroup/systemd sys/fs/cgroup/unified
	mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
	mount -t cgroup2 cgroup2 sys/fs/cgroup/unified
fi

mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
while read -r name major minor; do
	mknod -m 666 "dev/$name" c "$major" "$minor"
done <<-END
	null 1 3
	zero 1 5
	full 1 7
	random 1 8
	urandom 1 9
	tty 5 0
	kmsg 1 11
END
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
: >dev/console
while read -r name loop; do
	mknod "dev/$loop" b 7 "${loop#loop}"
	ln -s "$loop" "dev/$name"
done <../disks
install -D -m 644 ../disks etc/machine-disks

mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
pivot_root . mnt
umount -l mnt
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1
