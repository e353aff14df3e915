package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"geusemaker/internal/stack"
)

const amazonLinux = "NAME=\"Amazon Linux\"\nVERSION=\"2023\"\nID=\"amzn\"\nVERSION_ID=\"2023\"\nPRETTY_NAME=\"Amazon Linux 2023.9\"\n"

// plain is a machine with nothing but the base system: its PATH leads to the named tools only.
func plain(t *testing.T, release string, change func(*stack.Machine)) (root string, path string) {
	t.Helper()
	root = install(t, machine(change))
	writeUnder(t, root, "/etc/os-release", release, 0o644)
	if err := os.Mkdir(root+"/tools", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{
		"awk", "bash", "cat", "chmod", "cut", "date", "env", "head", "iconv", "install", "ln", "mkdir", "mv", "sed", "sha256sum", "sort",
		"tail", "tr", "touch",
	} {
		if err := os.Symlink(lookPath(t, tool), filepath.Join(root, "tools", tool)); err != nil {
			t.Fatal(err)
		}
	}
	stub(t, root, "dpkg", "echo amd64")
	stub(t, root, "uname", "echo x86_64")
	stub(t, root, "systemctl", "")
	// A download has its own address as content.
	stub(t, root, "curl", `while (($#)); do [[ $1 != -o ]] || file=$2; url=$1; shift; done; printf %s "$url" >"$file"`)
	writeUnder(t, root, "/docker", "#!/usr/bin/env bash\nprintf '%s\\n' \"docker $*\" >>\""+root+"/calls\"\n"+`case "$*" in
	"compose version --short") if [[ -x $GEUSEMAKER_ROOT/usr/local/lib/docker/cli-plugins/docker-compose ]]; then echo 2.40.3; else cat "$GEUSEMAKER_ROOT/compose-version"; fi ;;
	--version) echo "Docker version 29.8.1, build 1234567" ;;
	"version "*) echo 29.8.1 ;;
	"info "*) echo '{"runc":{}}' ;;
	esac`, 0o755)
	return root, "PATH=" + root + "/stubs:" + root + "/tools"
}

func TestDockerComesFromItsOwnRepositoryOnUbuntu(t *testing.T) {
	root, path := plain(t, ubuntu, func(*stack.Machine) {})
	// Somebody else holds the package database at the first two tries.
	stub(t, root, "apt-get", `echo x >>"$GEUSEMAKER_ROOT/tries"
	[[ $(cat "$GEUSEMAKER_ROOT/tries") == *x*x*x* ]] || exit 100
	[[ $* != *docker-ce* ]] || { ln -s "$GEUSEMAKER_ROOT/docker" "$GEUSEMAKER_ROOT/stubs/docker"; echo 5.6.0 >"$GEUSEMAKER_ROOT/compose-version"; }`)
	out, err := shell(t, root, "step packages", `step_packages; step_docker; echo "$detail"`, path)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := "Types: deb\nURIs: https://download.docker.com/linux/ubuntu\nSuites: noble\nComponents: stable\nArchitectures: amd64\nSigned-By: /etc/apt/keyrings/docker.asc\n"
	if got := readUnder(t, root, "/etc/apt/sources.list.d/docker.sources"); got != want {
		t.Errorf("the source is\n%s\nwant\n%s", got, want)
	}
	if got := readUnder(t, root, "/etc/apt/keyrings/docker.asc"); got != "https://download.docker.com/linux/ubuntu/gpg" {
		t.Errorf("the key is %q", got)
	}
	calls := readUnder(t, root, "/calls")
	if !strings.Contains(calls, "install -y --no-install-recommends docker-ce docker-ce-cli containerd.io docker-compose-plugin") ||
		strings.Count(calls, " update\n") != 3 {
		t.Errorf("calls are\n%s", calls)
	}
	for line := range strings.Lines(calls) {
		if strings.HasPrefix(line, "apt-get") && !strings.Contains(line, "DPkg::Lock::Timeout=600") {
			t.Errorf("does not wait for the lock: %s", line)
		}
	}
	if out != "docker 29.8.1, compose 5.6.0\n" {
		t.Errorf("detail is %q", out)
	}
}

// After a reboot nothing is missing, and a mirror that is down must not keep the stack down.
func TestALaterBootAsksNoMirror(t *testing.T) {
	root, path := plain(t, ubuntu, func(*stack.Machine) {})
	writeUnder(t, root, "/stubs/docker", readUnder(t, root, "/docker"), 0o755)
	stub(t, root, "mount.efs", "")
	stub(t, root, "apt-get", "exit 100")
	if out, err := shell(t, root, "step packages", "step_packages", path); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if calls := readUnder(t, root, "/calls"); calls != "docker --version\n" {
		t.Errorf("calls are\n%s", calls)
	}
}

func TestDockerOnAmazonLinux2ComesFromTheExtras(t *testing.T) {
	root, path := plain(t, "NAME=\"Amazon Linux\"\nID=\"amzn\"\nVERSION_ID=\"2\"\n", func(*stack.Machine) {})
	stub(t, root, "amazon-linux-extras", `ln -s "$GEUSEMAKER_ROOT/docker" "$GEUSEMAKER_ROOT/stubs/docker"; echo 2.40.3 >"$GEUSEMAKER_ROOT/compose-version"`)
	if out, err := shell(t, root, "step packages", "step_packages; step_docker", path); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if calls := readUnder(t, root, "/calls"); !strings.HasPrefix(calls, "amazon-linux-extras install -y docker\ndocker --version\nsystemctl enable docker\nsystemctl start docker\n") {
		t.Errorf("calls are\n%s", calls)
	}
}

// Docker 20 takes no start interval of a health check: compose would refuse the stack.
func TestAnOldDockerIsReplacedOrTold(t *testing.T) {
	for name, newer := range map[string]string{"replaced": "25.0.8", "the same again": "20.10.25"} {
		t.Run(name, func(t *testing.T) {
			root, path := plain(t, "NAME=\"Amazon Linux\"\nID=\"amzn\"\nVERSION_ID=\"2\"\n", func(*stack.Machine) {})
			old := strings.ReplaceAll(readUnder(t, root, "/docker"), "29.8.1", "20.10.25")
			writeUnder(t, root, "/stubs/docker", old, 0o755)
			writeUnder(t, root, "/newer", strings.ReplaceAll(old, "20.10.25", newer), 0o755)
			writeUnder(t, root, "/compose-version", "2.40.3\n", 0o644)
			stub(t, root, "amazon-linux-extras", `ln -sf "$GEUSEMAKER_ROOT/newer" "$GEUSEMAKER_ROOT/stubs/docker"`)
			out, err := shell(t, root, "step packages", "step_packages; step_docker", path)
			if told := strings.Contains(out, "Docker version 20.10.25, build 1234567 is too old"); (err != nil) != told || told != (name != "replaced") {
				t.Errorf("%v, output:\n%s", err, out)
			}
			if calls := readUnder(t, root, "/calls"); !strings.Contains(calls, "amazon-linux-extras install -y docker\n") {
				t.Errorf("calls are\n%s", calls)
			}
		})
	}
}

func TestADeepLearningImageKeepsItsDocker(t *testing.T) {
	root, path := plain(t, ubuntu, func(m *stack.Machine) { m.Workload = "gpu" })
	writeUnder(t, root, "/stubs/docker", readUnder(t, root, "/docker"), 0o755)
	writeUnder(t, root, "/compose-version", "2.40.3\n", 0o644)
	stub(t, root, "apt-get", "")
	stub(t, root, "nvidia-smi", "echo 'GPU 0: NVIDIA L4'")
	stub(t, root, "nvidia-ctk", "")
	if out, err := shell(t, root, "step packages", "step_packages; step_docker", path); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	calls := readUnder(t, root, "/calls")
	if strings.Contains(calls, "install") {
		t.Errorf("something was installed:\n%s", calls)
	}
	if !strings.Contains(calls, "nvidia-ctk runtime configure --runtime=docker\nsystemctl restart docker\n") {
		t.Errorf("Docker does not know the GPU runtime:\n%s", calls)
	}
}

func TestAGPUImageRunsOnAMachineWithoutGPU(t *testing.T) {
	root, path := plain(t, ubuntu, func(m *stack.Machine) { m.Workload = "gpu" })
	writeUnder(t, root, "/stubs/docker", readUnder(t, root, "/docker"), 0o755)
	writeUnder(t, root, "/compose-version", "2.40.3\n", 0o644)
	writeUnder(t, root, "/run/geusemaker/address.env", "PUBLIC_HOST=x\n", 0o644)
	stub(t, root, "nvidia-smi", "exit 9")
	out, err := shell(t, root, "step packages", `step_docker; "$home/compose" up; echo "$detail"`, path)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(out, "no GPU found, so models run on the CPU; docker 29.8.1") {
		t.Errorf("the missing GPU is not told: %q", out)
	}
	if calls := readUnder(t, root, "/calls"); strings.Contains(calls, "compose.gpu.yaml") || strings.Contains(calls, "restart docker") {
		t.Errorf("calls are\n%s", calls)
	}
}

func TestComposeUsesTheGPUThatIsThere(t *testing.T) {
	root, path := plain(t, ubuntu, func(m *stack.Machine) {
		m.Workload = "gpu"
		m.Env = map[string]map[string]string{"n8n": {"A": "b"}}
	})
	writeUnder(t, root, "/stubs/docker", readUnder(t, root, "/docker"), 0o755)
	writeUnder(t, root, "/run/geusemaker/address.env", "PUBLIC_HOST=x\n", 0o644)
	stub(t, root, "nvidia-smi", "")
	if out, err := shell(t, root, "step", `"$home/compose" ps`, path); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := "docker compose -f /opt/geusemaker/compose.yaml -f /opt/geusemaker/compose.gpu.yaml -f /opt/geusemaker/compose.user.yaml ps\n"
	if calls := strings.ReplaceAll(readUnder(t, root, "/calls"), root, ""); !strings.HasSuffix(calls, want) {
		t.Errorf("calls are\n%s\nwant\n%s", calls, want)
	}
}

// Amazon Linux has no compose package: the release is downloaded, and taken only when it is the one that we know.
func TestComposeOnAmazonLinuxIsChecked(t *testing.T) {
	const url = "https://github.com/docker/compose/releases/download/v2.40.3/docker-compose-linux-x86_64"
	for name, sum := range map[string]string{"right": sum(url), "wrong": sum("another file")} {
		t.Run(name, func(t *testing.T) {
			root, path := plain(t, amazonLinux, func(*stack.Machine) {})
			stub(t, root, "yum", `ln -s "$GEUSEMAKER_ROOT/docker" "$GEUSEMAKER_ROOT/stubs/docker"`)
			out, err := shell(t, root, "step packages", `step_packages; compose_sha256[x86_64]=`+sum+`; step_docker`, path)
			plugin := root + "/usr/local/lib/docker/cli-plugins/docker-compose"
			info, statErr := os.Stat(plugin)
			switch {
			case name == "right" && (err != nil || statErr != nil || info.Mode().Perm() != 0o755):
				t.Errorf("%v, %v, output:\n%s", err, statErr, out)
			case name == "wrong" && (err == nil || statErr == nil || !strings.Contains(out, "wrong checksum")):
				t.Errorf("%v, %v, output:\n%s", err, statErr, out)
			}
			if calls := readUnder(t, root, "/calls"); !strings.Contains(calls, "yum -q -y install docker\n") {
				t.Errorf("calls are\n%s", calls)
			}
		})
	}
}

func TestOnlyARecentComposeFits(t *testing.T) {
	root, path := plain(t, amazonLinux, func(*stack.Machine) {})
	writeUnder(t, root, "/stubs/docker", readUnder(t, root, "/docker"), 0o755)
	for version, want := range map[string]string{"": "no", "1.29.2": "no", "2.23.3": "no", "2.24.0": "yes", "v2.40.3": "yes", "5.6.0": "yes", "2.40.3-desktop.1": "yes", "10.0.0": "yes"} {
		if version == "" {
			os.Remove(root + "/compose-version")
		} else {
			writeUnder(t, root, "/compose-version", version+"\n", 0o644)
		}
		out, err := shell(t, root, "step packages", "if compose_fits; then echo yes; else echo no; fi", path)
		if err != nil || strings.TrimSpace(out) != want {
			t.Errorf("version %q: %q (%v), want %s", version, out, err, want)
		}
	}
}

func TestTheMountHelperIsInstalledByEachSystemsOwnWay(t *testing.T) {
	root, path := plain(t, amazonLinux, func(*stack.Machine) {})
	stub(t, root, "yum", "")
	if out, err := shell(t, root, "step packages", "install_efs_utils", path); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if calls := readUnder(t, root, "/calls"); calls != "yum -q -y install amazon-efs-utils\n" {
		t.Errorf("calls are\n%s", calls)
	}
	root, path = plain(t, ubuntu, func(*stack.Machine) {})
	stub(t, root, "sh", "")
	if out, err := shell(t, root, "step packages", "install_efs_utils", path); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if calls := readUnder(t, root, "/calls"); !strings.HasSuffix(calls, "sh "+root+"/run/geusemaker/efs-utils-installer.sh --install\n") ||
		!strings.Contains(calls, "https://amazon-efs-utils.aws.com/efs-utils-installer.sh\n") {
		t.Errorf("calls are\n%s", calls)
	}
}
