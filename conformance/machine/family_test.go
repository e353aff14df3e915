package machine

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A family is an operating system as the scripts see it.
type family struct {
	osType  string
	release string // its os-release
	flags   []string
}

var ubuntu2404 = family{
	osType: "ubuntu-24.04",
	release: `PRETTY_NAME="Ubuntu 24.04.3 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
`,
}

var ubuntu2204 = family{
	osType: "ubuntu-22.04",
	release: `PRETTY_NAME="Ubuntu 22.04.5 LTS"
NAME="Ubuntu"
VERSION_ID="22.04"
VERSION_CODENAME=jammy
ID=ubuntu
ID_LIKE=debian
`,
}

var amazonLinux2023 = family{
	osType: "amazon-linux-2023",
	release: `NAME="Amazon Linux"
VERSION="2023"
ID="amzn"
ID_LIKE="fedora"
VERSION_ID="2023"
PRETTY_NAME="Amazon Linux 2023.9.20251110"
`,
}

var amazonLinux2 = family{
	osType: "amazon-linux-2",
	release: `NAME="Amazon Linux"
VERSION="2"
ID="amzn"
ID_LIKE="centos rhel fedora"
VERSION_ID="2"
PRETTY_NAME="Amazon Linux 2"
`,
	flags: []string{"--allow-discontinued"},
}

// install makes the machine one of the family.
func (f family) install(t *testing.T, m *Machine) {
	t.Helper()
	m.Install(t, "/usr/lib/os-release", 0o644, []byte(f.release))
	if f.osType == ubuntu2404.osType || f.osType == ubuntu2204.osType {
		m.link(t, "/etc/alternatives/awk", "/usr/bin/mawk") // Amazon Linux has gawk
		return
	}
	yum := read(t, "edge/yum")
	m.Install(t, "/usr/bin/yum", 0o755, yum)
	if f.osType == amazonLinux2.osType {
		m.Install(t, "/usr/bin/amazon-linux-extras", 0o755, yum)
	}
	for _, program := range []string{"apt-get", "apt", "dpkg", "lsb_release"} {
		m.hide(t, "/usr/bin/"+program)
	}
}

// link puts a symbolic link on a machine that does not run.
func (m *Machine) link(t *testing.T, path, target string) {
	t.Helper()
	m.Install(t, path, 0o644, nil)
	link := filepath.Join(m.folder, "upper", path)
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
}

// hide takes a file of the prepared root away from the machine, by the mark that an overlay has for that.
func (m *Machine) hide(t *testing.T, path string) {
	t.Helper()
	target := filepath.Join(m.folder, "upper", path)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mknod(target, unix.S_IFCHR, 0); err != nil {
		t.Fatal(err)
	}
}

// internet is every host that a machine asks.
func internet(registry *Registry, manager http.Handler) map[string]http.Handler {
	edge := http.FileServer(http.Dir("edge"))
	packages := http.FileServer(http.Dir(prepared("repo")))
	docker := http.NewServeMux()
	docker.Handle("/linux/ubuntu/", http.StripPrefix("/linux/ubuntu", packages))
	docker.HandleFunc("/linux/ubuntu/gpg", file(prepared("repo/key.asc")))
	amazon := http.NewServeMux()
	amazon.Handle("/", edge)
	amazon.HandleFunc("/docker.tar", file(prepared("docker.tar")))
	return map[string]http.Handler{
		"download.docker.com":         docker,
		"github.com":                  file(prepared("bin/docker-compose")),
		"amazon-efs-utils.aws.com":    edge,
		"cdn.amazonlinux.com":         amazon,
		"registry-1.docker.io":        registry,
		"ssm.us-east-1.amazonaws.com": manager,
	}
}

func file(path string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, path) }
}
