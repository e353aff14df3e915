# shellcheck shell=bash
# Programs: Docker, its compose plugin and the EFS mount helper. What an image already has is used as it is, and the system
# is never upgraded.

# Docker's own checksums of the release, as the official docker image records them.
compose_version=2.40.3
declare -A compose_sha256=(
	[x86_64]=dba9d98e1ba5bfe11d88c99b9bd32fc4a0624a30fafe68eea34d61a3e42fd372
	[aarch64]=d26373b19e89160546d15407516cc59f453030d9bc5b43ba7faf16f7b4980137
)

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1

# os prints a value of the system's own description: os ID.
os() {
	sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" "$root/etc/os-release"
}

# apt waits for other users of the package database, which at a first boot hold it for minutes.
apt() {
	apt-get -q -o DPkg::Lock::Timeout=600 "$@"
}

# rpm has no such wait on Amazon Linux 2023, and apt none for its lists: so both are tried again.
install_packages() {
	case $(os ID) in
	ubuntu) retry 900 apt install -y --no-install-recommends "$@" ;;
	# dnf answers to this name, too.
	amzn) retry 900 yum -q -y install "$@" ;;
	esac || fail "cannot install $*: see the log"
}

step_packages() {
	case $(os ID) in
	# With Docker there, as at every later boot, no mirror is asked: one that is down must not keep the stack down.
	ubuntu) docker_fits || add_docker_repository ;;
	amzn) ;;
	*) fail "$(os PRETTY_NAME) is not supported: use Ubuntu or Amazon Linux" ;;
	esac
}

add_docker_repository() {
	install -d "$root/etc/apt/keyrings"
	retry 300 fetch https://download.docker.com/linux/ubuntu/gpg "$root/etc/apt/keyrings/docker.asc" ||
		fail 'cannot reach download.docker.com: no way out to the internet?'
	write "$root/etc/apt/sources.list.d/docker.sources" 644 <<-END
		Types: deb
		URIs: https://download.docker.com/linux/ubuntu
		Suites: $(os VERSION_CODENAME)
		Components: stable
		Architectures: $(dpkg --print-architecture)
		Signed-By: /etc/apt/keyrings/docker.asc
	END
	retry 900 apt -o APT::Update::Error-Mode=any update || fail 'cannot read the package lists: no way out to the internet?'
}

step_docker() {
	docker_fits || install_docker
	systemctl enable docker
	# After a reboot it waits for the mounts, and those for the network.
	retry 600 systemctl start docker || fail 'docker does not start: see journalctl -u docker'
	compose_fits || install_compose
	configure_gpu
	detail+="docker $(docker version -f '{{.Server.Version}}'), compose $(docker compose version --short)"
}

# Start intervals of health checks came with Docker 25.
docker_fits() {
	local version
	version=$(docker --version 2>/dev/null) && version=${version#Docker version } && ((${version%%.*} >= 25))
}

install_docker() {
	case $(os ID)$(os VERSION_ID) in
	ubuntu*) install_packages docker-ce docker-ce-cli containerd.io docker-compose-plugin ;;
	amzn2) retry 900 amazon-linux-extras install -y docker || fail 'cannot install docker: see the log' ;;
	*) install_packages docker ;;
	esac
	docker_fits || fail "$(docker --version) is too old"
}

# Optional environment files and start intervals came with compose 2.24.
compose_fits() {
	local version
	version=$(docker compose version --short 2>/dev/null) &&
		[[ $(printf '%s\n' 2.24.0 "${version#v}" | sort -V | head -n 1) == 2.24.0 ]]
}

install_compose() {
	local machine plugin=$root/usr/local/lib/docker/cli-plugins/docker-compose
	machine=$(uname -m)
	install -d "${plugin%/*}"
	retry 300 fetch "https://github.com/docker/compose/releases/download/v$compose_version/docker-compose-linux-$machine" "$plugin.new" ||
		fail 'cannot download docker compose from github.com'
	sha256sum -c --quiet <<<"${compose_sha256[$machine]}  $plugin.new" || fail "the download of docker compose $compose_version has the wrong checksum"
	chmod 755 "$plugin.new"
	mv "$plugin.new" "$plugin"
}

# Deep Learning AMIs bring driver and toolkit; only the runtime may still be unknown to Docker.
configure_gpu() {
	[[ $WORKLOAD == gpu ]] || return 0
	if ! nvidia-smi -L; then
		detail='no GPU found, so models run on the CPU; '
		return
	fi
	[[ $(docker info -f '{{json .Runtimes}}') != *nvidia* ]] || return 0
	nvidia-ctk runtime configure --runtime=docker
	systemctl restart docker
}

# The mount helper brings TLS and IAM. There is no plain NFS to fall back to: it would carry the data in the clear.
install_efs_utils() {
	command -v mount.efs >/dev/null && return
	case $(os ID) in
	ubuntu)
		local installer=$run/efs-utils-installer.sh
		if ! { retry 300 fetch https://amazon-efs-utils.aws.com/efs-utils-installer.sh "$installer" && retry 600 sh "$installer" --install; }; then
			fail 'cannot install amazon-efs-utils, and without it the files would be mounted without TLS'
		fi
		;;
	*) install_packages amazon-efs-utils ;;
	esac
}
