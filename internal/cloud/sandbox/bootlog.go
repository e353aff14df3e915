package sandbox

import (
	"fmt"
	"strings"
	"time"
)

// log is the bootstrap log as far as it is written at a moment.
func (m *machine) log(at time.Time) string {
	var text strings.Builder
	write := func(moment time.Time, line string) {
		if !moment.After(at) {
			fmt.Fprintf(&text, "%s %s\n", moment.Format("2006-01-02T15:04:05Z"), line)
		}
	}
	begins := m.first.Add(writeDelay)
	write(begins, "geusemaker: bootstrap starts on "+m.instance.ID+" ("+m.instance.Type+", "+m.instance.Zone+")")
	for _, step := range m.timeline() {
		ends := begins.Add(seconds(step.seconds))
		write(begins, "geusemaker: step "+step.name)
		lines := m.stepLines(step.name)
		for n, line := range lines {
			write(begins.Add(ends.Sub(begins)*time.Duration(n+1)/time.Duration(len(lines)+1)), line)
		}
		if step.name == m.fails {
			write(ends, "ERROR: "+bootFailure(step.name))
			write(ends, fmt.Sprintf("geusemaker: step %s failed after %.0f s: the bootstrap gives up", step.name, step.seconds))
			return text.String()
		}
		write(ends, fmt.Sprintf("geusemaker: step %s done in %.0f s: %s", step.name, step.seconds, step.detail))
		begins = ends
	}
	write(begins, "geusemaker: bootstrap complete")
	return text.String()
}

// stepLines is what the programs of a step write.
func (m *machine) stepLines(step string) []string {
	switch step {
	case "packages":
		return packageLines()
	case "docker":
		lines := []string{
			"Created symlink /etc/systemd/system/multi-user.target.wants/docker.service",
			"containerd[1412]: containerd successfully booted in 0.084931s",
			"dockerd[1733]: Loading containers: done.",
		}
		if m.gpu {
			lines = append(lines, "nvidia-ctk: Wrote updated config to /etc/docker/daemon.json")
		}
		return append(lines, "Docker version 29.8.1", "Docker Compose version v5.6.0")
	case "storage":
		lines := []string{"waiting for the file system: mount.nfs4: Connection timed out", "waiting for the file system: mount.nfs4: Connection timed out"}
		if m.dataGiB > 0 {
			lines = append(lines, fmt.Sprintf("mkfs.xfs /dev/nvme1n1: %d GiB", m.dataGiB), "mounted /dev/nvme1n1 on /mnt/data type xfs")
		}
		return append(lines, "mounted the file system on /mnt/efs type nfs4 (tls, iam)")
	case "images":
		var lines []string
		for _, p := range pulledImages() {
			lines = append(lines, fmt.Sprintf("%s Pulling (%d MB)", p.image, p.bytes/1e6), p.image+" Pull complete")
		}
		return lines
	case "compose":
		var lines []string
		for _, p := range pulledImages() {
			lines = append(lines, "Container "+p.service+" Created", "Container "+p.service+" Started")
		}
		return lines
	case "health":
		var lines []string
		for _, p := range pulledImages() {
			lines = append(lines, p.service+" is healthy")
		}
		return lines
	}
	return nil
}

// packageLines looks like a package manager at work; it is what makes a boot log long.
func packageLines() []string {
	names := []string{
		"ca-certificates", "curl", "jq", "nfs-common", "stunnel4", "amazon-efs-utils", "xfsprogs", "docker-ce", "docker-ce-cli",
		"containerd.io", "docker-buildx-plugin", "docker-compose-plugin", "libslirp0", "slirp4netns", "keyutils", "libevent-core-2.1-7t64",
		"libjq1", "libnfsidmap1", "libonig5", "libtirpc-common", "libtirpc3t64", "liburcu8t64", "pigz", "rpcbind", "iptables",
		"libip6tc2", "libnetfilter-conntrack3", "libnfnetlink0", "libnftnl11", "git-man", "git", "python3-botocore",
	}
	var lines []string
	for n, name := range names {
		lines = append(lines, fmt.Sprintf("Get:%d http://us-east-1.ec2.archive.ubuntu.com/ubuntu noble-updates/main amd64 %s", n+1, name))
	}
	for _, name := range names {
		lines = append(lines,
			fmt.Sprintf("Selecting previously unselected package %s.", name),
			fmt.Sprintf("Preparing to unpack .../archives/%s.deb ...", name),
			fmt.Sprintf("Unpacking %s ...", name),
		)
	}
	for _, name := range names {
		lines = append(lines, fmt.Sprintf("Setting up %s ...", name), fmt.Sprintf("Processing triggers for man-db after %s ...", name))
	}
	return lines
}
